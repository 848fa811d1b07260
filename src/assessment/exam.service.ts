import type { Clock } from '../clock.ts';
import type { StoredItem } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { LearningService } from '../learning/learning.service.ts';
import { activityKeys } from '../courses/course.ts';
import type { Viewer } from '../people/permission.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import {
  findAttempt,
  gradeAttemptRow,
  insertAttempt,
  listAttempts,
  listResponses,
  upsertResponse,
  type Attempt,
  type Response,
} from './attempt.repository.ts';
import { drawItems } from './draw.ts';
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

/** An attempt's item as a learner may see it: the key only after grading. */
export interface AttemptItem {
  readonly item: StoredItem;
  readonly options: readonly string[];
  readonly chosen: readonly string[];
  /** null until graded. */
  readonly points: number | null;
}

export type ExamService = ReturnType<typeof makeExamService>;

export function makeExamService({
  db,
  clock,
  random,
  courses,
  programmes,
  learning,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  courses: CourseService;
  programmes: ProgrammeService;
  learning: LearningService;
}) {
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
      now: clock.now(),
    });
  };

  /** Refuses what comes after the end; inside a transaction that holds the attempt. */
  const openAttempt = async (tx: Executor, id: string): Promise<Attempt> => {
    const attempt = (await findAttempt(tx, id, { lock: true }))!;
    if (attempt.submittedAt !== null)
      throw new Conflict('ATTEMPT_CLOSED', 'This attempt has been graded; its result stands.');
    if (clock.now().getTime() > attempt.deadline.getTime() + GRACE_MS)
      throw new Conflict('ATTEMPT_CLOSED', 'The time is over; what was saved before is graded.');
    return attempt;
  };

  const grade = async (tx: Executor, attempt: Attempt, actor: string): Promise<Grade> => {
    const assignment = await programmes.getAssignment(tx, attempt.assignmentId);
    const course = await programmes.courseOf(tx, assignment);
    const bank = new Map((await courses.listItems(tx, course.id)).map((item) => [item.id, item]));
    const chosen = new Map(
      (await listResponses(tx, attempt.id)).map((response) => [response.itemId, response.chosen]),
    );
    const items = attempt.drawn.map(({ itemId }) => ({
      itemId,
      points: gradeItem(bank.get(itemId)!, chosen.get(itemId) ?? []),
    }));
    const result = gradeAttempt(
      items.map((item) => item.points),
      course.manifest.exam.passMark,
    );
    const at = clock.now();
    await gradeAttemptRow(tx, { attemptId: attempt.id, grade: result, items, at });
    await insertJournalEntry(tx, {
      at,
      actor,
      action: 'attempt.grade',
      subject: `attempt:${attempt.id}`,
      detail: { percent: result.percent, passed: result.passed },
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

    /** The drawn items of the viewer's own attempt, in order, with what was answered. */
    async listItems(viewer: Viewer, attemptId: string): Promise<AttemptItem[]> {
      const attempt = await own(viewer, attemptId);
      const course = await programmes.courseOf(db, await programmes.getAssignment(db, attempt.assignmentId));
      const bank = new Map((await courses.listItems(db, course.id)).map((item) => [item.id, item]));
      const responses = new Map(
        (await listResponses(db, attempt.id)).map((response): [string, Response] => [
          response.itemId,
          response,
        ]),
      );
      return attempt.drawn.map(({ itemId, options }) => ({
        item: bank.get(itemId)!,
        options,
        chosen: responses.get(itemId)?.chosen ?? [],
        points: responses.get(itemId)?.points ?? null,
      }));
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
        const deadline = new Date(startedAt.getTime() + course.manifest.exam.minutes * 60_000);
        const number = (await listAttempts(tx, assignment.id)).length + 1;
        const attempt = await insertAttempt(tx, {
          assignmentId: assignment.id,
          number,
          seed,
          drawn: drawItems(await courses.listItems(tx, course.id), course.manifest.exam.blueprint, seed),
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

    /** Saves one answer; the last one before the end counts. @throws Conflict ATTEMPT_CLOSED */
    async saveResponse(
      viewer: Viewer,
      input: { attemptId: string; itemKey: string; chosen: readonly string[] },
    ): Promise<Date> {
      const drawn = await this.listItems(viewer, input.attemptId);
      const found = drawn.find(({ item }) => item.key === input.itemKey);
      if (found === undefined)
        throw new InvalidInput('input.itemKey', `Item "${input.itemKey}" was not drawn for this attempt.`);
      const chosen = [...new Set(input.chosen)];
      const unknown = chosen.find((key) => !found.options.includes(key));
      if (unknown !== undefined)
        throw new InvalidInput('input.chosen', `"${unknown}" is not an option of this item.`);
      if (found.item.kind !== 'multiple' && chosen.length > 1)
        throw new InvalidInput('input.chosen', 'This item takes one option.');
      return db.transaction().execute(async (tx) => {
        const attempt = await openAttempt(tx, input.attemptId);
        const at = clock.now();
        await upsertResponse(tx, { attemptId: attempt.id, itemId: found.item.id, chosen, at });
        return at;
      });
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
