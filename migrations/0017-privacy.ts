import { sql, type Kysely } from 'kysely';

/** Contacts of staff, encrypted; what was asked to be erased; uploads, encrypted from here on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table person_contacts (
      person_id bigint not null references people,
      kind text not null check (kind in ('email', 'mobile')),
      sealed bytea,
      fingerprint bytea,
      source text,
      source_id text,
      told_by text not null check (told_by in ('person', 'roster')),
      changed_at timestamptz not null,
      primary key (person_id, kind),
      check ((sealed is null) = (fingerprint is null)),
      check (sealed is not null or told_by = 'person'),
      check ((source is null) = (source_id is null))
    )`.execute(db);
  await sql`comment on table person_contacts is 'How staff are reached, encrypted by the service (AES-256-GCM); the database never sees them.'`.execute(
    db,
  );
  await sql`comment on column person_contacts.sealed is 'The id of the key in eight bytes, the nonce, the text, the tag. null: the person took it away, and no roster brings it back.'`.execute(
    db,
  );
  await sql`comment on column person_contacts.fingerprint is 'Keyed hash by which the same value is known again from the same source.'`.execute(
    db,
  );
  await sql`comment on column person_contacts.source_id is 'With source: whom it was sealed about, as the roster calls the person; null once it was sealed anew about the person.'`.execute(
    db,
  );
  await sql`create index on person_contacts (substring(sealed from 1 for 8))`.execute(db);
  await sql`create index on person_contacts (person_id) where source_id is not null`.execute(db);

  await sql`alter table people add column erased_at timestamptz`.execute(db);
  await sql`comment on column people.erased_at is 'From then on nobody can tell who this was but by a certificate; the row stays for the dates that hang on it.'`.execute(
    db,
  );
  await sql`
    create table erasures (
      id bigint generated always as identity primary key,
      person_id bigint not null references people,
      ground text not null check (ground in ('purpose_achieved', 'term_ended', 'consent_withdrawn', 'unlawful', 'other_law')),
      requested_by bigint references people,
      requested_at timestamptz not null,
      state text not null default 'queued' check (state in ('queued', 'done', 'refused')),
      finished_at timestamptz,
      refusal text,
      check ((state = 'queued') = (finished_at is null)),
      check ((state = 'refused') = (refusal is not null))
    )`.execute(db);
  await sql`comment on table erasures is 'Requests to erase what is held about a person, and what became of them. They hold no text of anybody, and stay as proof.'`.execute(
    db,
  );
  await sql`comment on column erasures.ground is 'Which case of article 47 of the Personal Information Protection Law.'`.execute(
    db,
  );
  await sql`comment on column erasures.requested_by is 'null: the retention period was over.'`.execute(db);
  await sql`create unique index on erasures (person_id) where state = 'queued'`.execute(db);
  // What somebody did is looked up for an export of their data.
  await sql`create index on journal_entries (actor)`.execute(db);

  // Uploads that are not encrypted: whoever still needs them uploads again, and no key is known here to encrypt them with.
  await sql`
    update roster_imports i set state = 'cancelled', finished_at = now()
    where state = 'queued' and exists (select from roster_import_files f where f.import_id = i.id)`.execute(
    db,
  );
  await sql`delete from roster_import_files`.execute(db);
  await sql`comment on table roster_import_files is 'Uploads in pieces, each of them blocks encrypted one by one (AES-256-GCM): they hold identity numbers. Gone when the import is applied, and a day after it was checked, cancelled or refused.'`.execute(
    db,
  );
}
