import { sql, type Kysely } from 'kysely';

/** Certificates, the credit records that HR pulls, and the journal. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table certificates (
      id bigint generated always as identity primary key,
      number text not null unique,
      verification_code text not null unique,
      person_id bigint not null references people,
      certification_id bigint not null references certifications,
      assignment_id bigint not null references assignments,
      period integer not null,
      claims jsonb not null,
      template text not null,
      template_version integer not null,
      course_version_id bigint not null references course_versions,
      issued_at timestamptz not null,
      valid_from date not null,
      valid_until date check (valid_until >= valid_from),
      revoked_at timestamptz,
      revoked_on date,
      revoked_by bigint references people,
      revocation_reason text,
      pdf_digest text not null,
      unique (person_id, certification_id, period),
      check ((revoked_at is null) = (revoked_on is null) and (revoked_at is null) = (revocation_reason is null))
    )`.execute(db);
  await sql`comment on column certificates.claims is 'What the document says, frozen at issue: later changes of name or post do not alter it.'`.execute(
    db,
  );
  await sql`create index on certificates (certification_id)`.execute(db);
  await sql`
    create table certificate_documents (
      certificate_id bigint primary key references certificates,
      pdf bytea not null
    )`.execute(db);

  await sql`
    create table credit_records (
      id bigint generated always as identity primary key,
      certificate_id bigint not null references certificates,
      person_id bigint not null references people,
      kind text not null check (kind in ('earned', 'withdrawn')),
      class_hours numeric not null,
      earned_on date not null,
      province_code text,
      prefecture_code text,
      county_code text,
      organization_id bigint references organizations,
      recorded_at timestamptz not null,
      transaction_id xid8 not null default pg_current_xact_id(),
      unique (certificate_id, kind)
    )`.execute(db);
  await sql`comment on column credit_records.transaction_id is 'Feed order: a reader sees a record only when every transaction with a smaller number has ended, so that none can slip in behind its cursor.'`.execute(
    db,
  );
  await sql`create index on credit_records (transaction_id, id)`.execute(db);

  await sql`
    create table journal_entries (
      id bigint generated always as identity primary key,
      at timestamptz not null,
      actor text not null,
      action text not null,
      subject text not null,
      detail jsonb not null default '{}'
    )`.execute(db);
  await sql`comment on table journal_entries is 'Who did what to what, written in the same transaction as the change. Append-only.'`.execute(
    db,
  );
  await sql`create index on journal_entries (subject)`.execute(db);

  await sql`
    create table worker_instances (
      instance integer primary key,
      pool_id text not null,
      started_at timestamptz not null
    )`.execute(db);
  await sql`comment on table worker_instances is 'Running workers. Each holds an advisory lock on its instance: when the lock is free the process has died, and its jobs are handed on.'`.execute(
    db,
  );
}
