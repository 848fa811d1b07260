import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { EfficacyWave } from './efficacy.ts';

export interface EfficacyAnswers {
  readonly wave: EfficacyWave;
  readonly scaleKey: string;
  readonly scaleVersion: number;
  /** In the order of the scale's items; null: declined, or taken back. */
  readonly answers: readonly number[] | null;
  readonly givenAt: Date;
}

export async function listEfficacyAnswers(db: Executor, assignmentId: string): Promise<EfficacyAnswers[]> {
  const rows = await db
    .selectFrom('efficacy_answers')
    .select(['wave', 'scale_key', 'scale_version', 'answers', 'given_at'])
    .where('assignment_id', '=', assignmentId)
    .execute();
  return rows.map((row) => ({
    wave: row.wave as EfficacyWave,
    scaleKey: row.scale_key,
    scaleVersion: row.scale_version,
    answers: row.answers,
    givenAt: row.given_at,
  }));
}

/** In place of what is there: a wave that was declined may still be answered, and an answer taken back. */
export async function putEfficacyAnswers(
  tx: Executor,
  assignmentId: string,
  given: EfficacyAnswers,
): Promise<void> {
  await tx
    .insertInto('efficacy_answers')
    .values({
      assignment_id: assignmentId,
      wave: given.wave,
      scale_key: given.scaleKey,
      scale_version: given.scaleVersion,
      answers: given.answers === null ? null : [...given.answers],
      given_at: given.givenAt,
    })
    .onConflict((conflict) =>
      conflict.columns(['assignment_id', 'wave']).doUpdateSet({
        scale_key: sql`excluded.scale_key`,
        scale_version: sql`excluded.scale_version`,
        answers: sql`excluded.answers`,
        given_at: sql`excluded.given_at`,
      }),
    )
    .execute();
}
