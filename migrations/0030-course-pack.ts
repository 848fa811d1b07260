import type { Kysely } from 'kysely';
import { sql } from 'kysely';

/** What a course gives to print is kept with its version, so that a page on somebody's wall can be had again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table course_versions add column pack jsonb not null default '[]'`.execute(db);
  await sql`comment on column course_versions.pack is 'Documents to print, in their order: key, title and Markdown by language.'`.execute(
    db,
  );
}
