import { sql, type Kysely } from 'kysely';

/** The schools of a county come in the order of their names, by pinyin, without being sorted each time. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index on organizations (division_code, name collate "zh-x-icu", id)`.execute(db);
}
