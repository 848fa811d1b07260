import { sql, type Kysely } from 'kysely';

/** What a course has besides its lessons and items. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table course_versions add column scenarios jsonb not null default '{}', add column scale jsonb`.execute(
    db,
  );
  await sql`comment on column course_versions.scenarios is 'Key of a simulated conversation''s activity to what is played, with its points: never told whole.'`.execute(
    db,
  );
}
