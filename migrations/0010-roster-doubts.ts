import { sql, type Kysely } from 'kysely';

/** Rows of rosters of which nobody can tell by machine whom they are about: they wait for a person. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table roster_doubts (
      id bigint generated always as identity primary key,
      source text not null,
      source_id text not null,
      division_code text not null references divisions,
      kind text not null check (kind in ('identity_of_another', 'identity_changed', 'namesake')),
      import_id bigint not null references roster_imports,
      line integer not null,
      name text not null,
      staff_number text,
      identity_hash bytea,
      identity_last4 text,
      leaves boolean not null,
      complete boolean not null,
      posts jsonb not null,
      candidate_ids bigint[] not null check (cardinality(candidate_ids) > 0),
      state text not null check (state in ('open', 'decided', 'settled')),
      person_id bigint references people,
      reason text,
      decided_by bigint references people,
      decided_at timestamptz,
      check ((state = 'decided') = (decided_at is not null))
    )`.execute(db);
  await sql`comment on table roster_doubts is 'Open until somebody decides, or until a later file leaves no doubt (settled). A decision holds for the same name and identity number under the same source_id.'`.execute(
    db,
  );
  await sql`comment on column roster_doubts.person_id is 'Whom a decided one is about; null: somebody new.'`.execute(
    db,
  );
  await sql`comment on column roster_doubts.posts is 'What the row said: organization_ref, role, workload, starts_on, ends_on, ends.'`.execute(
    db,
  );
  await sql`create unique index on roster_doubts (source, source_id) where state = 'open'`.execute(db);
  await sql`create index on roster_doubts (source, source_id) where state = 'decided'`.execute(db);
  await sql`create index on roster_doubts (division_code, id)`.execute(db);
  // What people are told, in Chinese as well; what was refused before has it in English alone.
  await sql`alter table roster_refusals add column reason_zh text`.execute(db);
  await sql`alter table roster_imports add column reason_zh text`.execute(db);
  await sql`alter table roster_imports add column doubt_id bigint references roster_doubts`.execute(db);
  await sql`comment on column roster_imports.doubt_id is 'Not of files: it takes in one row that waited, as it was decided.'`.execute(
    db,
  );
}
