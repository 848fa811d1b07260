import { sql, type Kysely } from 'kysely';

/** How much each caller has asked for lately, told to every process of the service. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Not logged: after a crash everybody begins with a full measure, which harms nobody.
  await sql`
    create unlogged table rate_windows (
      key varchar(255) primary key,
      points integer not null,
      expire bigint
    )`.execute(db);
  await sql`comment on table rate_windows is 'Units that processes have taken for a caller within the minute that ends at expire (milliseconds since 1970). The order of the columns is the library''s.'`.execute(
    db,
  );
  await sql`comment on column rate_windows.key is 'Bucket and caller: viewer:<person id>, or <bucket>:<address>.'`.execute(
    db,
  );
  await sql`create index on rate_windows (expire)`.execute(db);
}
