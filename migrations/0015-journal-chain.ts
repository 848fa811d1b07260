import { sql, type Kysely } from 'kysely';

/**
 * The journal becomes evidence: each entry knows where it came from and whom it concerns, nothing of it can be changed, and what is
 * committed is sealed into a chain.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await entries(db);
  await seals(db);
  await keepAppendOnly(db);
}

async function entries(db: Kysely<unknown>): Promise<void> {
  // What people wrote and what files were called may hold names. It stands in the rows that the entries are about.
  await sql`update journal_entries set detail = detail - '{files,reason,remark}'::text[] where detail ?| '{files,reason,remark}'::text[]`.execute(
    db,
  );
  await sql`
    alter table journal_entries
      add column recorded_at timestamptz not null default now(),
      add column concerns bigint[] not null default '{}',
      add column person_id bigint,
      add column request_id text,
      add column address text`.execute(db);
  for (const [column, comment] of [
    ['at', 'By the clock of the service.'],
    ['recorded_at', 'By the clock of the database, whatever was given.'],
    [
      'concerns',
      'Units whose auditors see it, with all that stand above them, as they stood then: a division by its code, an organization by its id below zero. Empty: for auditors of the nation alone.',
    ],
    ['person_id', 'Whom it concerns. No foreign key: an entry outlives what it tells of.'],
    [
      'request_id',
      'The request or job (job:<id>) it came from; null for a start, a command, and before this was kept.',
    ],
    ['address', 'The caller’s network address; null for the service itself.'],
  ] as const)
    await sql`comment on column ${sql.ref(`journal_entries.${column}`)} is ${sql.lit(comment)}`.execute(db);
  await sql`drop index journal_entries_subject_idx`.execute(db);
  await sql`create index on journal_entries (at, id)`.execute(db);
  await sql`create index on journal_entries (subject, at, id)`.execute(db);
  await sql`create index on journal_entries (actor, at, id)`.execute(db);
  await sql`create index on journal_entries (action, at, id)`.execute(db);
  await sql`create index on journal_entries (person_id, at, id) where person_id is not null`.execute(db);
  await sql`create index on journal_entries using gin (concerns)`.execute(db);
}

async function seals(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table journal_unsealed (
      entry_id bigint primary key references journal_entries
    )`.execute(db);
  await sql`comment on table journal_unsealed is 'Entries that wait to be sealed: put here by a trigger, in the transaction of the entry, and taken out by the sealer. Not evidence: what is missing here without a seal is found by the check.'`.execute(
    db,
  );
  await sql`
    create table journal_seals (
      seq bigint primary key check (seq > 0),
      entry_id bigint not null unique references journal_entries,
      sealed_at timestamptz not null,
      entry_hash bytea not null check (length(entry_hash) = 32),
      hash bytea not null check (length(hash) = 32),
      mac bytea not null check (length(mac) = 32)
    )`.execute(db);
  await sql`comment on table journal_seals is 'The chain over the journal, without a gap from 1 on. entry_hash is that of the entry, hash that of this row and the hash before it, mac that of hash under the service''s key. src/journal/seal.ts says how. Append-only.'`.execute(
    db,
  );
  await sql`
    create table journal_head (
      only_row boolean primary key default true check (only_row),
      seq bigint not null,
      hash bytea not null,
      mac bytea not null
    )`.execute(db);
  await sql`comment on table journal_head is 'The end of the chain, under the service''s key: without it the last seals could go and leave no gap. No row before the first seal.'`.execute(
    db,
  );

  // Who adds an entry has no say in when it was recorded, nor in whether it waits to be sealed.
  await sql`
    create function stamp_journal_entry() returns trigger language plpgsql as $$
    begin
      new.recorded_at := clock_timestamp();
      return new;
    end $$`.execute(db);
  await sql`
    create function queue_journal_entry() returns trigger language plpgsql as $$
    begin
      insert into journal_unsealed (entry_id) values (new.id);
      return null;
    end $$`.execute(db);
  await sql`create trigger stamped before insert on journal_entries for each row execute function stamp_journal_entry()`.execute(
    db,
  );
  await sql`create trigger queued after insert on journal_entries for each row execute function queue_journal_entry()`.execute(
    db,
  );
  await sql`insert into journal_unsealed select id from journal_entries`.execute(db);
}

/** For the owner and for superusers too: by mistake, none of it goes. Who means it must switch a trigger off, and the chain tells. */
async function keepAppendOnly(db: Kysely<unknown>): Promise<void> {
  await sql`
    create function refuse_journal_change() returns trigger language plpgsql as $$
    begin
      raise exception '% is append-only: % is refused', tg_table_name, tg_op using errcode = 'insufficient_privilege';
    end $$`.execute(db);
  for (const table of ['journal_entries', 'journal_seals']) {
    await sql`create trigger append_only before update or delete or truncate on ${sql.table(table)} for each statement execute function refuse_journal_change()`.execute(
      db,
    );
    // In a session that applies a replica's changes as well.
    await sql`alter table ${sql.table(table)} enable always trigger append_only`.execute(db);
  }
}
