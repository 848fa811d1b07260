import { sql, type Kysely } from 'kysely';

/** Platforms that said that they are asked too often: looked for before anything is sent. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index on lti_grades (retry_at) where owed and failure = 'busy' and failure_status in (403, 429)`.execute(
    db,
  );
}
