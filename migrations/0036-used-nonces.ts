import { sql, type Kysely } from 'kysely';

/**
 * A login is in its state, and a launch opens its session at once: what is left to keep is which nonces were used. Logins that were under way go
 * with their tables: whoever was in the middle opens the course once more.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table lti_nonces (
      nonce_hash bytea primary key check (octet_length(nonce_hash) = 32),
      launch bytea not null check (octet_length(launch) = 32),
      expires_at timestamptz not null
    )`.execute(db);
  await sql`comment on table lti_nonces is 'Nonces of logins that a launch has used, for as long as somebody could come with them again.'`.execute(
    db,
  );
  await sql`comment on column lti_nonces.launch is 'What is that launch’s alone: it may come twice with its own.'`.execute(
    db,
  );
  await sql`create index on lti_nonces (expires_at)`.execute(db);
  await sql`drop table lti_logins`.execute(db);
  await sql`drop table lti_arrivals`.execute(db);
}
