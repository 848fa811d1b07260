import { sql, type Kysely } from 'kysely';

/** The transparency log of certificates, how often they were verified, and how a document is found by its digest. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await log(db);
  await sql`
    create table verification_counts (
      certificate_id bigint not null references certificates,
      month date not null check (extract(day from month) = 1),
      way text not null check (way in ('page', 'list', 'api', 'pdf')),
      count integer not null check (count > 0),
      primary key (certificate_id, month, way)
    )`.execute(db);
  await sql`comment on table verification_counts is 'How often a certificate was verified in a month, in China, for its holder. Who asked is not kept, nor when in the month.'`.execute(
    db,
  );
  await sql`create index on certificates (pdf_digest)`.execute(db);
}

async function log(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table log_pending (
      id bigint generated always as identity primary key,
      certificate_id bigint not null references certificates,
      event text not null check (event in ('issue', 'renew', 'supersede', 'revoke', 'recorded', 'restored')),
      at timestamptz not null
    )`.execute(db);
  await sql`comment on table log_pending is 'What has happened to certificates and waits for its place in the log: put here by a trigger, in the transaction of the change, and taken out by the sequencer.'`.execute(
    db,
  );
  await sql`
    create table log_entries (
      position bigint primary key check (position >= 0),
      certificate_id bigint not null,
      event text not null,
      entry text not null,
      logged_at timestamptz not null
    )`.execute(db);
  await sql`comment on table log_entries is 'The leaves of the transparency log, without a gap from 0 on, as they were hashed. Append-only.'`.execute(
    db,
  );
  await sql`comment on column log_entries.certificate_id is 'Whose it is; not in the entry itself. No foreign key: the log outlives what it tells of.'`.execute(
    db,
  );
  await sql`create index on log_entries (certificate_id, position)`.execute(db);
  await sql`
    create table log_tiles (
      level smallint not null check (level >= 0),
      index bigint not null check (index >= 0),
      hashes bytea not null check (length(hashes) between 32 and 8192 and length(hashes) % 32 = 0),
      primary key (level, index)
    )`.execute(db);
  await sql`comment on table log_tiles is 'The tree of the log in tiles of up to 256 hashes (C2SP tlog-tiles); the last one of each level still grows.'`.execute(
    db,
  );
  await sql`
    create table log_checkpoints (
      size bigint primary key check (size > 0),
      root bytea not null check (length(root) = 32),
      at timestamptz not null
    )`.execute(db);
  await sql`comment on table log_checkpoints is 'Every state of the log that was ever shown: how many leaves, and their root. Append-only.'`.execute(
    db,
  );
  for (const table of ['log_entries', 'log_checkpoints']) {
    await sql`create trigger append_only before update or delete or truncate on ${sql.table(table)} for each statement execute function refuse_journal_change()`.execute(
      db,
    );
    await sql`alter table ${sql.table(table)} enable always trigger append_only`.execute(db);
  }

  // By a trigger, so that no way of issuing or ending one, by hand in the database neither, leaves it out.
  await sql`
    create function queue_log_event() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        insert into log_pending (certificate_id, event, at)
          values (new.id, case when new.period > 1 and new.supersedes is null then 'renew' else 'issue' end, new.issued_at);
      elsif old.revoked_at is distinct from new.revoked_at then
        insert into log_pending (certificate_id, event, at)
          values (new.id, case when new.revoked_at is null then 'restored' when new.superseded_at is not null then 'supersede' else 'revoke' end,
            coalesce(new.revoked_at, clock_timestamp()));
      end if;
      return null;
    end $$`.execute(db);
  await sql`create trigger logged after insert or update on certificates for each row execute function queue_log_event()`.execute(
    db,
  );
  // Those from before there was a log, in the order in which they came and ended.
  await sql`
    insert into log_pending (certificate_id, event, at)
    select id, event, at from (
      select id, 'recorded' as event, issued_at as at, 0 as step from certificates
      union all
      select id, case when superseded_at is null then 'revoke' else 'supersede' end, revoked_at, 1 from certificates where revoked_at is not null
    ) happened order by at, step, id`.execute(db);
}
