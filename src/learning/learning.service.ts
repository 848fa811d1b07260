import { addDays, chinaDay, type Clock } from '../clock.ts';
import { findH5pActivity, languageOf, type CourseVersion } from '../courses/course.ts';
import type { Language } from '../courses/language.ts';
import { completionOf, type H5pActivity } from '../courses/manifest.ts';
import { actingAs, actingFor } from '../db/acting.ts';
import { makeLots } from '../db/lots.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import type { Viewer } from '../people/permission.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { answeredPart, completes } from './complete.ts';
import {
  findUserState,
  listProgress,
  replaceUserState,
  upsertProgress,
  type ActivityProgress,
  type UserState,
} from './progress.repository.ts';
import { takeStatement, type Stamp, type TakenStatement } from './statement.ts';
import {
  findCount,
  keepMonth,
  lockStatements,
  recordStatements,
  type Judging,
  type Limits,
  type Recorded,
  type StatementCall,
} from './statement.repository.ts';
import { learningData } from './personal-data.repository.ts';

const MAX_STATEMENTS = 100;
const MAX_STATE_BYTES = 128 * 1024;

/** Of one assignment. A busy content says something every second; these are ten of it, all day long, and room for what was said offline. */
const LIMITS: Limits = { perMinute: 600, perDay: 20_000, bytesPerDay: 32 * 1024 * 1024 };

/** A statement that was not taken; those beside it were. */
export interface RefusedStatement {
  /** Its place in the call's list, from 0. */
  readonly index: number;
  readonly code: 'INVALID_STATEMENT' | 'STATEMENT_CONFLICT';
  /** Dotted, from the call's input on. */
  readonly path: string;
  readonly message: string;
}

export interface RecordedStatements {
  readonly assignment: Assignment;
  readonly course: CourseVersion;
  readonly activity: H5pActivity;
  readonly progress: ActivityProgress;
  readonly refused: readonly RefusedStatement[];
}

/** Makes the tables of this month and the next, ahead of time. */
export const MONTHS_TASK = 'keep-statement-months';

export type LearningService = ReturnType<typeof makeLearningService>;

export function makeLearningService({
  db,
  clock,
  publicUrl,
  programmes,
  forwards = false,
}: {
  db: Database;
  clock: Clock;
  publicUrl: string;
  programmes: ProgrammeService;
  /** Whether what is taken is owed to a learning record store as well. */
  forwards?: boolean;
}) {
  const own = async (
    viewer: Viewer,
    assignmentId: string,
    activityKey: string,
  ): Promise<{ assignment: Assignment; course: CourseVersion; activity: H5pActivity }> => {
    const assignment = await programmes.findOwnAssignment(viewer, assignmentId);
    if (assignment === undefined) throw new NotFound('The assignment');
    const course = await programmes.courseOf(db, assignment);
    const activity = findH5pActivity(course.manifest, activityKey);
    if (activity === undefined) throw new NotFound('The activity');
    return { assignment, course, activity };
  };

  const authority = { objectType: 'Agent', account: { homePage: publicUrl, name: 'xinqiao' } };

  /** Months whose table is known to be there. The nightly job makes them ahead; this is for a clock that is ahead of the job. */
  const months = new Map<string, Promise<void>>();
  const ensureMonth = async (day: string): Promise<void> => {
    const month = day.slice(0, 7);
    let made = months.get(month);
    if (made === undefined) {
      made = actingAs('keeper', async () => keepMonth(db, day));
      months.set(month, made);
      made.catch(() => months.delete(month));
    }
    await made;
  };

  /** @throws Conflict TOO_MANY_STATEMENTS with when it may be tried again. */
  const refuseFlood = async (assignmentId: string, count: number, now: Date): Promise<never> => {
    const counted = await findCount(db, assignmentId);
    const minute = Math.floor(now.getTime() / 60_000) * 60_000;
    const ofMinute = counted?.minute.getTime() === minute && counted.inMinute + count > LIMITS.perMinute;
    throw new Conflict(
      'TOO_MANY_STATEMENTS',
      `More statements than any content needs: ${LIMITS.perMinute} a minute, ${LIMITS.perDay} or ${LIMITS.bytesPerDay / 1024 / 1024} MB a day. What came before is kept; send these again later.`,
      ofMinute ? new Date(minute + 60_000) : new Date(`${addDays(chinaDay(now), 1)}T00:00:00+08:00`),
    );
  };

  const given = { forwards, limits: LIMITS };
  /** Learners of a school do the same at the same time; who waits for the disk waits with others. */
  const record = makeLots<StatementCall, Recorded | undefined>({
    keyOf: ({ assignmentId }) => assignmentId,
    most: 64,
    atOnce: 2,
    deal: async (calls) =>
      actingFor('', () =>
        actingAs('recorder', async () => {
          const counting = calls.filter(({ judging }) => judging.parts.size > 0);
          const recorded = await (counting.length === 0
            ? recordStatements(db, calls, given)
            : db.transaction().execute(async (tx) => {
                await lockStatements(
                  tx,
                  counting.map(({ assignmentId }) => assignmentId),
                );
                return recordStatements(tx, calls, given);
              }));
          return calls.map(({ assignmentId }) => recorded.get(assignmentId));
        }),
      ),
  });

  return {
    /** What this room holds about people. */
    personalData: learningData,
    listProgress: async (executor: Executor, assignmentId: string): Promise<ActivityProgress[]> =>
      listProgress(executor, assignmentId),

    /** For rooms above, whose own rules say that an activity was begun or completed; in the transaction of what completes it. */
    recordProgress: async (
      tx: Executor,
      given: { assignmentId: string; activityKey: string; completed: boolean; at: Date },
    ): Promise<void> => upsertProgress(tx, given),

    /**
     * Takes what a player emitted for the viewer's own activity: stored once each, under the actor that the server knows. They
     * are claims of the browser: they move progress, and never a grade. What is faulty is refused by its place in the list, and the rest is taken.
     * @throws NotFound, InvalidInput; Conflict TOO_MANY_STATEMENTS, and then nothing of the call was taken.
     */
    async recordStatements(
      viewer: Viewer,
      input: { assignmentId: string; activityKey: string; statements: readonly unknown[] },
    ): Promise<RecordedStatements> {
      if (input.statements.length > MAX_STATEMENTS)
        throw new InvalidInput('input.statements', `${MAX_STATEMENTS} statements at a time, at most.`);
      const { assignment, course, activity } = await own(viewer, input.assignmentId, input.activityKey);
      const now = clock.now();
      const day = chinaDay(now);
      const stamp: Stamp = {
        actor: { objectType: 'Agent', account: { homePage: publicUrl, name: `person:${viewer.personId}` } },
        authority,
        activityId: `${publicUrl}/xapi/${course.slug}/${activity.key}`,
        now,
      };
      const refused: RefusedStatement[] = [];
      const refuse = (
        index: number,
        code: RefusedStatement['code'],
        place: string,
        message: string,
      ): void => {
        refused.push({ index, code, path: `input.statements.${index}${place}`, message });
      };
      const conflict = (index: number): void =>
        refuse(index, 'STATEMENT_CONFLICT', '.id', 'Another statement that came before has this id.');
      /** By id, with the places where they stood. */
      const taken = new Map<string, { statement: TakenStatement; places: number[] }>();
      for (const [index, given] of input.statements.entries()) {
        const statement = takeStatement(given, stamp);
        if (!('id' in statement)) {
          refuse(index, 'INVALID_STATEMENT', statement.path && `.${statement.path}`, statement.message);
          continue;
        }
        const first = taken.get(statement.id);
        if (first === undefined) taken.set(statement.id, { statement, places: [index] });
        else if (first.statement.digest === statement.digest) first.places.push(index);
        else conflict(index);
      }
      const statements = [...taken.values()].map(({ statement }) => statement);
      const rule = completionOf(activity);
      const judging: Judging = {
        completing: statements.filter((each) => completes(rule, each)).map(({ id }) => id),
        parts: rule.rule === 'answered-all' ? partsOf(statements) : new Map(),
        enoughParts: rule.rule === 'answered-all' ? rule.questions : undefined,
        enoughSeconds: rule.rule === 'time' ? Math.ceil(rule.minutes * 60) : undefined,
      };
      await ensureMonth(day);
      if (assignment.courseVersionId === null) await programmes.pinCourse(db, assignment.id, course.id);
      const recorded = await record({
        assignmentId: assignment.id,
        personId: viewer.personId,
        activityKey: activity.key,
        statements,
        judging,
        sent: input.statements.length,
        at: now,
        day,
      });
      if (recorded === undefined) return refuseFlood(assignment.id, input.statements.length, now);
      for (const id of recorded.conflicting) for (const index of taken.get(id)!.places) conflict(index);
      return {
        assignment: { ...assignment, courseVersionId: course.id },
        course,
        activity,
        progress: {
          activityKey: activity.key,
          startedAt: recorded.startedAt,
          completedAt: recorded.completedAt,
          seconds: recorded.seconds,
        },
        refused: refused.toSorted((a, b) => a.index - b.index),
      };
    },

    /** Makes room ahead for the statements of this month and the next. */
    async keepMonths(): Promise<void> {
      const today = chinaDay(clock.now());
      for (const day of [today, addDays(`${today.slice(0, 7)}-01`, 32)]) await ensureMonth(day);
    },

    /**
     * What the player saved last, if it is of the content that is played now. A state of other content would not fit it; then it is
     * `outdated`, and the learner is told that the content has changed and begins anew. Who asks in English for a course in Chinese alone
     * has the state of the Chinese.
     */
    async findUserState(
      assignment: Assignment,
      course: CourseVersion,
      activityKey: string,
      asked: Language,
    ): Promise<{ state: UserState | undefined; outdated: boolean }> {
      const language = languageOf(course.manifest, asked);
      const state = await findUserState(db, { assignmentId: assignment.id, activityKey, language });
      const fits = state?.contentHash === course.contents[activityKey]?.[language];
      return { state: fits ? state : undefined, outdated: state !== undefined && !fits };
    },

    /** @throws Conflict STATE_MOVED_ON when another tab or device has saved since `baseVersion`. @returns the new version. */
    async saveUserState(
      viewer: Viewer,
      input: {
        assignmentId: string;
        activityKey: string;
        language: Language;
        data: string;
        baseVersion: number;
      },
    ): Promise<number> {
      const { assignment, course } = await own(viewer, input.assignmentId, input.activityKey);
      if (Buffer.byteLength(input.data) > MAX_STATE_BYTES)
        throw new InvalidInput('input.data', `The state is larger than ${MAX_STATE_BYTES / 1024} kB.`);
      if (input.baseVersion < 0)
        throw new InvalidInput('input.baseVersion', 'It is 0 for none, or the version last seen.');
      try {
        JSON.parse(input.data);
      } catch {
        throw new InvalidInput('input.data', 'The state must be JSON.');
      }
      const language = languageOf(course.manifest, input.language);
      const contentHash = course.contents[input.activityKey]![language]!;
      const version = await db.transaction().execute(async (tx) => {
        await programmes.pinCourse(tx, assignment.id, course.id);
        const saved = await replaceUserState(tx, {
          assignmentId: assignment.id,
          activityKey: input.activityKey,
          language,
          contentHash,
          data: input.data,
          baseVersion: input.baseVersion,
          at: clock.now(),
        });
        if (saved !== undefined)
          await upsertProgress(tx, {
            assignmentId: assignment.id,
            activityKey: input.activityKey,
            completed: false,
            at: clock.now(),
          });
        return saved;
      });
      if (version === undefined)
        throw new Conflict('STATE_MOVED_ON', 'Another page or device has saved since; load its state first.');
      return version;
    },
  };
}

/** By id, the part that a statement says was answered. */
function partsOf(statements: readonly TakenStatement[]): Map<string, string> {
  const parts = new Map<string, string>();
  for (const statement of statements) {
    const part = answeredPart(statement);
    if (part !== undefined) parts.set(statement.id, part);
  }
  return parts;
}
