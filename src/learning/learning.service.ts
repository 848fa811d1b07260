import type { Clock } from '../clock.ts';
import { findH5pActivity, type CourseVersion, type Language } from '../courses/course.ts';
import type { H5pActivity } from '../courses/manifest.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import type { Viewer } from '../people/permission.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import {
  findUserState,
  insertStatements,
  listProgress,
  replaceUserState,
  upsertProgress,
  type ActivityProgress,
  type UserState,
} from './progress.repository.ts';
import { completes, takeStatement } from './statement.ts';
import { learningData } from './personal-data.repository.ts';

const MAX_STATEMENTS = 100;
const MAX_STATE_CHARACTERS = 64 * 1024;

export type LearningService = ReturnType<typeof makeLearningService>;

export function makeLearningService({
  db,
  clock,
  publicUrl,
  programmes,
}: {
  db: Database;
  clock: Clock;
  publicUrl: string;
  programmes: ProgrammeService;
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
     * are claims of the browser: they move progress, and never a grade.
     */
    async recordStatements(
      viewer: Viewer,
      input: { assignmentId: string; activityKey: string; statements: readonly unknown[] },
    ): Promise<void> {
      const { assignment, course, activity } = await own(viewer, input.assignmentId, input.activityKey);
      if (input.statements.length > MAX_STATEMENTS)
        throw new InvalidInput('input.statements', `${MAX_STATEMENTS} statements at a time, at most.`);
      const now = clock.now();
      const actor = {
        objectType: 'Agent',
        account: { homePage: publicUrl, name: `person:${viewer.personId}` },
      };
      const statements = input.statements.map((statement, index) =>
        takeStatement(statement, `input.statements.${index}`, { actor, now }),
      );
      await db.transaction().execute(async (tx) => {
        await programmes.pinCourse(tx, assignment.id, course.id);
        await insertStatements(tx, {
          assignmentId: assignment.id,
          activityKey: activity.key,
          statements,
          at: now,
        });
        const completed = statements.some((statement) => completes(activity.complete, statement));
        await upsertProgress(tx, {
          assignmentId: assignment.id,
          activityKey: activity.key,
          completed,
          at: now,
        });
      });
    },

    /** What the player saved last, if it is of the content that is played now; a state of other content would not fit it. */
    async findUserState(
      assignment: Assignment,
      course: CourseVersion,
      activityKey: string,
      language: Language,
    ): Promise<UserState | undefined> {
      const state = await findUserState(db, { assignmentId: assignment.id, activityKey, language });
      return state?.contentHash === course.contents[activityKey]?.[language] ? state : undefined;
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
      if (input.data.length > MAX_STATE_CHARACTERS)
        throw new InvalidInput('input.data', `The state is larger than ${MAX_STATE_CHARACTERS / 1024} kB.`);
      if (input.baseVersion < 0)
        throw new InvalidInput('input.baseVersion', 'It is 0 for none, or the version last seen.');
      try {
        JSON.parse(input.data);
      } catch {
        throw new InvalidInput('input.data', 'The state must be JSON.');
      }
      const contentHash = course.contents[input.activityKey]![input.language];
      const version = await db.transaction().execute(async (tx) => {
        await programmes.pinCourse(tx, assignment.id, course.id);
        const saved = await replaceUserState(tx, {
          assignmentId: assignment.id,
          activityKey: input.activityKey,
          language: input.language,
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
