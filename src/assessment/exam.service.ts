import type { Clock } from '../clock.ts';
import type { CourseVersion, StoredItem } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { LearningService } from '../learning/learning.service.ts';
import { activityKeys } from '../courses/course.ts';
import { isSelf, type Viewer } from '../people/permission.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import {
  findAttempt,
  gradeAttemptRow,
  insertAttempt,
  listAttempts,
  listResponses,
  saveResponseRow,
  type Attempt,
  type Response,
} from './attempt.repository.ts';
import { extraMinutes } from './accommodation.ts';
import type { AccommodationService } from './accommodation.service.ts';
import { readAnswer } from './answer.ts';
import { drawItems, type DrawnItem } from './draw.ts';
import { gradeAttempt, gradeItem, type Grade } from './grade.ts';
import { whyBlocked, type Blocked } from './standing.ts';
import { actingAs, inParts } from '../db/acting.ts';
import { assessmentData } from './personal-data.repository.ts';

/** Grades an attempt that was left open, from what was saved. */
export const CLOSE_TASK = 'close-attempt';
/** Owed after a pass; the certification room pays it. */
export const ISSUE_TASK = 'issue-certificate';
/** For a slow line: what was sent before the deadline may arrive this much after it. */
const GRACE_MS = 15_000;

/** So many attempts are kept in memory for what is saved in them. */
const MOST_SITTINGS = 10_000;

/** An item as a learner may see it: the key only once it is revealed. */
export interface AttemptItem {
  readonly item: StoredItem;
  readonly drawn: DrawnItem;
  readonly chosen: readonly string[];
  /** null until graded. */
  readonly points: number | null;
  /** Whether its key may be told: after grading, and not while the same learner sits an exam in which it was drawn again. */
  readonly revealed: boolean;
}

/** What of an attempt never changes while it is sat. */
interface Sitting {
  readonly personId: string;
  readonly courseVersionId: string;
  readonly itemIds: ReadonlySet<string>;
}

/** An attempt of the viewer's own, with its items and what they may be told of. */
export interface Sat {
  readonly attempt: Attempt;
  readonly course: CourseVersion;
  readonly bank: readonly StoredItem[];
  readonly items: readonly AttemptItem[];
  /** Items of graded attempts of the assignment. */
  readonly seen: ReadonlySet<string>;
  /** Items of the one that is open. */
  readonly sitting: ReadonlySet<string>;
}

export type ExamService = ReturnType<typeof makeExamService>;

export function makeExamService({
  db,
  clock,
  random,
  courses,
  programmes,
  learning,
  accommodations,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  courses: CourseService;
  programmes: ProgrammeService;
  learning: LearningService;
  accommodations: AccommodationService;
}) {
  const sittings = new Map<string, Sitting>();
  /** Read once for all answers that are saved in it; only of the viewer's own rows does the database tell. */
  const findSitting = async (attemptId: string): Promise<Sitting | undefined> => {
    const kept = sittings.get(attemptId);
    if (kept !== undefined) return kept;
    const attempt = await findAttempt(db, attemptId);
    const assignment =
      attempt === undefined ? undefined : await programmes.findAssignment(db, attempt.assignmentId);
    if (attempt === undefined || assignment === undefined) return undefined;
    const sitting = {
      personId: assignment.personId,
      courseVersionId: assignment.courseVersionId!,
      itemIds: new Set(attempt.drawn.map(({ itemId }) => itemId)),
    };
    if (sittings.size >= MOST_SITTINGS) sittings.delete(sittings.keys().next().value!);
    sittings.set(attemptId, sitting);
    return sitting;
  };

  const own = async (viewer: Viewer, attemptId: string): Promise<Attempt> => {
    const attempt = await findAttempt(db, attemptId);
    if (
      attempt === undefined ||
      (await programmes.findOwnAssignment(viewer, attempt.assignmentId)) === undefined
    )
      throw new NotFound('The attempt');
    return attempt;
  };

  const blockedNow = async (executor: Executor, assignment: Assignment): Promise<Blocked | undefined> => {
    const course = await programmes.courseOf(executor, assignment);
    const done = new Set(
      (await learning.listProgress(executor, assignment.id))
        .filter((progress) => progress.completedAt !== null)
        .map((progress) => progress.activityKey),
    );
    const unfinished = activityKeys(course.manifest).filter((key) => !done.has(key)).length;
    return whyBlocked({
      unfinished,
      attempts: await listAttempts(executor, assignment.id),
      exam: course.manifest.exam,
      extraAttempts: (
        await accommodations.allowanceOf(executor, assignment.personId, assignment.certificationId)
      ).extraAttempts,
      now: clock.now(),
    });
  };

  /** Refuses what comes after the end; inside a transaction that holds the attempt. */
  const openAttempt = async (tx: Executor, id: string): Promise<Attempt> => {
    const attempt = (await findAttempt(tx, id, { lock: true }))!;
    if (attempt.submittedAt !== null) throw alreadyGraded();
    if (clock.now().getTime() > attempt.deadline.getTime() + GRACE_MS) throw timeOver();
    return attempt;
  };

  const grade = async (tx: Executor, attempt: Attempt, actor: string): Promise<Grade> => {
    const assignment = await programmes.getAssignment(tx, attempt.assignmentId);
    const course = await programmes.courseOf(tx, assignment);
    const bank = new Map((await courses.listItems(tx, course.id)).map((item) => [item.id, item]));
    const chosen = new Map(
      (await listResponses(tx, attempt.id)).map((response) => [response.itemId, response.chosen]),
    );
    const items = attempt.drawn.map(({ itemId }) => {
      const item = bank.get(itemId)!;
      return { itemId, points: gradeItem(item, chosen.get(itemId) ?? []), mustPass: item.mustPass };
    });
    const result = gradeAttempt(items, course.manifest.exam.passMark);
    const at = clock.now();
    await gradeAttemptRow(tx, { attemptId: attempt.id, grade: result, items, at });
    await insertJournalEntry(tx, {
      at,
      actor,
      action: 'attempt.grade',
      subject: `attempt:${attempt.id}`,
      detail: { percent: result.percent, mustPassMissed: result.mustPassMissed, passed: result.passed },
      personId: assignment.personId,
    });
    if (result.passed)
      await insertDebt(tx, {
        task: ISSUE_TASK,
        payload: { assignmentId: assignment.id },
        key: `${ISSUE_TASK}:${assignment.id}`,
      });
    return result;
  };

  const service = {
    /** What this room holds about people. */
    personalData: assessmentData,
    listAttempts: async (executor: Executor, assignmentId: string): Promise<Attempt[]> =>
      listAttempts(executor, assignmentId),
    whyBlocked: async (assignment: Assignment): Promise<Blocked | undefined> => blockedNow(db, assignment),

    async findOwn(viewer: Viewer, id: string): Promise<Attempt | undefined> {
      return own(viewer, id).catch((error: unknown) => {
        if (error instanceof NotFound) return undefined;
        throw error;
      });
    },

    /** The viewer's own attempt with what came of it, for who tells it to them. @throws NotFound */
    async getSat(viewer: Viewer, attemptId: string): Promise<Sat> {
      const attempt = await own(viewer, attemptId);
      const course = await programmes.courseOf(db, await programmes.getAssignment(db, attempt.assignmentId));
      const bank = await courses.listItems(db, course.id);
      const byId = new Map(bank.map((item) => [item.id, item]));
      const responses = new Map(
        (await listResponses(db, attempt.id)).map((response): [string, Response] => [
          response.itemId,
          response,
        ]),
      );
      const graded = attempt.submittedAt !== null;
      const others = graded ? await listAttempts(db, attempt.assignmentId) : [attempt];
      const idsOf = (attempts: readonly Attempt[]): Set<string> =>
        new Set(attempts.flatMap(({ drawn }) => drawn.map(({ itemId }) => itemId)));
      const sitting = idsOf(others.filter((other) => other.submittedAt === null));
      return {
        attempt,
        course,
        bank,
        seen: idsOf(others.filter((other) => other.submittedAt !== null)),
        sitting,
        items: attempt.drawn.map((drawn) => ({
          item: byId.get(drawn.itemId)!,
          drawn,
          chosen: responses.get(drawn.itemId)?.chosen ?? [],
          points: responses.get(drawn.itemId)?.points ?? null,
          revealed: graded && !sitting.has(drawn.itemId),
        })),
      };
    },

    /** What an accommodation gives the person of an assignment today; the caller has asked whose it is. */
    async allowanceOf(assignment: Assignment): Promise<{ extraMinutes: number; extraAttempts: number }> {
      const { manifest } = await programmes.courseOf(db, assignment);
      const allowance = await accommodations.allowanceOf(db, assignment.personId, assignment.certificationId);
      return {
        extraMinutes: extraMinutes(manifest.exam.minutes, allowance.extraTimePercent),
        extraAttempts: allowance.extraAttempts,
      };
    },

    /** @throws Conflict with the code of what stands in the way. Two starts at once give one attempt: the other is told ATTEMPT_OPEN. */
    async start(viewer: Viewer, assignmentId: string): Promise<Attempt> {
      if ((await programmes.findOwnAssignment(viewer, assignmentId)) === undefined)
        throw new NotFound('The assignment');
      return db.transaction().execute(async (tx) => {
        const assignment = await programmes.getAssignment(tx, assignmentId, { lock: true });
        const blocked = await blockedNow(tx, assignment);
        if (blocked !== undefined)
          throw new Conflict(
            blocked.code,
            blocked.message,
            'retryAt' in blocked ? blocked.retryAt : undefined,
          );
        const course = await programmes.courseOf(tx, assignment);
        await programmes.pinCourse(tx, assignment.id, course.id);
        const seed = Buffer.from(random(16)).toString('hex');
        const startedAt = clock.now();
        const { exam } = course.manifest;
        const allowance = await accommodations.allowanceOf(
          tx,
          assignment.personId,
          assignment.certificationId,
        );
        const minutes = exam.minutes + extraMinutes(exam.minutes, allowance.extraTimePercent);
        const deadline = new Date(startedAt.getTime() + minutes * 60_000);
        const earlier = await listAttempts(tx, assignment.id);
        const seen = new Set(earlier.flatMap(({ drawn }) => drawn.map(({ itemId }) => itemId)));
        const attempt = await insertAttempt(tx, {
          assignmentId: assignment.id,
          number: earlier.length + 1,
          seed,
          drawn: drawItems(await courses.listItems(tx, course.id), exam, seed, seen),
          startedAt,
          deadline,
        });
        await insertJournalEntry(tx, {
          at: startedAt,
          actor: `person:${viewer.personId}`,
          action: 'attempt.start',
          subject: `attempt:${attempt.id}`,
          personId: assignment.personId,
        });
        await insertDebt(tx, {
          task: CLOSE_TASK,
          payload: { attemptId: attempt.id },
          key: `${CLOSE_TASK}:${attempt.id}`,
          notBefore: new Date(deadline.getTime() + GRACE_MS + 1_000),
        });
        return attempt;
      });
    },

    /** Saves one answer; the last one before the end counts. @throws NotFound; InvalidInput; Conflict ATTEMPT_CLOSED */
    async saveResponse(
      viewer: Viewer,
      input: { attemptId: string; itemKey: string; chosen: readonly string[] },
    ): Promise<Date> {
      const sitting = await findSitting(input.attemptId);
      if (sitting === undefined || !isSelf(viewer, sitting.personId)) throw new NotFound('The attempt');
      const bank = await courses.listItems(db, sitting.courseVersionId);
      const item = bank.find(({ key }) => key === input.itemKey);
      if (item === undefined || !sitting.itemIds.has(item.id))
        throw new InvalidInput('input.itemKey', `Item "${input.itemKey}" was not drawn for this attempt.`);
      const chosen = readAnswer(item, input.chosen);
      const at = clock.now();
      const outcome = await saveResponseRow(db, {
        attemptId: input.attemptId,
        itemId: item.id,
        chosen,
        at,
        graceMs: GRACE_MS,
      });
      switch (outcome) {
        case 'saved':
          return at;
        case 'graded':
          throw alreadyGraded();
        case 'late':
          throw timeOver();
        case 'gone':
          throw new NotFound('The attempt');
      }
    },

    /** Grades what was saved. @throws Conflict ATTEMPT_CLOSED for a second submission or a late one: the first result stands. */
    async submit(viewer: Viewer, attemptId: string): Promise<Attempt> {
      await own(viewer, attemptId);
      await actingAs('issuer', async () =>
        db
          .transaction()
          .execute(async (tx) => grade(tx, await openAttempt(tx, attemptId), `person:${viewer.personId}`)),
      );
      return (await findAttempt(db, attemptId))!;
    },

    /** The worker's part: an attempt that nobody submitted is graded when its time is over. */
    async closeOverdue(attemptId: string): Promise<void> {
      await db.transaction().execute(async (tx) => {
        const attempt = await findAttempt(tx, attemptId, { lock: true });
        if (attempt === undefined || attempt.submittedAt !== null) return;
        await grade(tx, attempt, `worker:${CLOSE_TASK}`);
      });
    },
  };
  return inParts({ closeOverdue: 'issuer' }, service);
}

const alreadyGraded = (): Conflict =>
  new Conflict('ATTEMPT_CLOSED', 'This attempt has been graded; its result stands.');
const timeOver = (): Conflict =>
  new Conflict('ATTEMPT_CLOSED', 'The time is over; what was saved before is graded.');
