import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Language } from '../courses/language.ts';
import { prepared } from '../db/prepared.ts';

export interface ActivityProgress {
  readonly activityKey: string;
  readonly startedAt: Date;
  readonly completedAt: Date | null;
  /** Open with somebody at it; counted for an activity that is done by time. */
  readonly seconds: number;
}

export async function listProgress(db: Executor, assignmentId: string): Promise<ActivityProgress[]> {
  const rows = await db
    .selectFrom('activity_progress')
    .selectAll()
    .where('assignment_id', '=', assignmentId)
    .execute();
  return rows.map((row) => ({
    activityKey: row.activity_key,
    startedAt: row.started_at,
    completedAt: row.completed_at,
    seconds: row.seconds,
  }));
}

/** Starts an activity, and completes it when `completed`; what is complete stays complete since its first time. */
export async function upsertProgress(
  tx: Executor,
  given: { assignmentId: string; activityKey: string; completed: boolean; at: Date },
): Promise<void> {
  await tx
    .insertInto('activity_progress')
    .values({
      assignment_id: given.assignmentId,
      activity_key: given.activityKey,
      started_at: given.at,
      completed_at: given.completed ? given.at : null,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['assignment_id', 'activity_key'])
        .doUpdateSet({ completed_at: sql`coalesce(activity_progress.completed_at, excluded.completed_at)` }),
    )
    .execute();
}

export interface UserState {
  readonly contentHash: string;
  readonly version: number;
  readonly data: string;
}

export async function findUserState(
  db: Executor,
  key: { assignmentId: string; activityKey: string; language: Language },
): Promise<UserState | undefined> {
  const row = await db
    .selectFrom('user_states')
    .modifyFront(prepared)
    .select(['content_hash', 'version', 'data'])
    .where('assignment_id', '=', key.assignmentId)
    .where('activity_key', '=', key.activityKey)
    .where('language', '=', key.language)
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : { contentHash: row.content_hash, version: row.version, data: row.data };
}

/**
 * Replaces the state if it is still at `baseVersion` (0 = there is none, or one of other content, which nobody can go on with).
 * @returns the new version, or undefined when another device was first.
 */
export async function replaceUserState(
  tx: Executor,
  given: {
    assignmentId: string;
    activityKey: string;
    language: Language;
    contentHash: string;
    data: string;
    baseVersion: number;
    at: Date;
  },
): Promise<number | undefined> {
  const values = {
    content_hash: given.contentHash,
    data: given.data,
    saved_at: given.at,
  };
  const row = await (given.baseVersion === 0
    ? tx
        .insertInto('user_states')
        .values({
          assignment_id: given.assignmentId,
          activity_key: given.activityKey,
          language: given.language,
          version: 1,
          ...values,
        })
        .onConflict((conflict) =>
          conflict
            .columns(['assignment_id', 'activity_key', 'language'])
            .doUpdateSet({ ...values, version: sql`user_states.version + 1` })
            .where('user_states.content_hash', '<>', given.contentHash),
        )
        .returning('version')
        .executeTakeFirst()
    : tx
        .updateTable('user_states')
        // By the database: what the browser names may be any number.
        .set({ ...values, version: sql`version + 1` })
        .where('assignment_id', '=', given.assignmentId)
        .where('activity_key', '=', given.activityKey)
        .where('language', '=', given.language)
        .where('version', '=', given.baseVersion)
        .returning('version')
        .executeTakeFirst());
  return row?.version;
}
