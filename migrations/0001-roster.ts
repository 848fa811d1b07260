import { sql, type Kysely } from 'kysely';

/** Divisions, organizations, people and their posts; who may do what where; sessions; roster imports. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table divisions (
      code text primary key check (code ~ '^[0-9]{6}$'),
      name text not null,
      level text not null check (level in ('province', 'prefecture', 'county')),
      parent_code text references divisions,
      province_code text not null,
      prefecture_code text,
      county_code text
    )`.execute(db);
  await sql`comment on table divisions is 'Administrative divisions by GB/T 2260 code. The codes above are repeated in each row: filters by province, prefecture or county are then one indexed comparison.'`.execute(
    db,
  );
  await sql`create index on divisions (parent_code)`.execute(db);

  await sql`
    create table organizations (
      id bigint generated always as identity primary key,
      source text not null,
      source_id text not null,
      name text not null,
      kind text not null check (kind in ('unspecified', 'bureau', 'kindergarten', 'primary', 'junior', 'senior', 'nine_year', 'twelve_year', 'vocational', 'special', 'university')),
      identifier text,
      division_code text not null references divisions,
      province_code text not null,
      prefecture_code text,
      county_code text,
      student_count integer check (student_count >= 0),
      student_count_on date,
      closed_on date,
      created_at timestamptz not null default now(),
      unique (source, source_id)
    )`.execute(db);
  await sql`comment on column organizations.source is 'Whose numbering source_id belongs to: two counties may both have a school 1001.'`.execute(
    db,
  );
  await sql`create index on organizations (province_code)`.execute(db);
  await sql`create index on organizations (prefecture_code)`.execute(db);
  await sql`create index on organizations (county_code)`.execute(db);

  await sql`
    create table people (
      id bigint generated always as identity primary key,
      name text not null,
      staff_number text,
      identity_hash bytea unique,
      identity_last4 text,
      created_at timestamptz not null default now(),
      check ((identity_hash is null) = (identity_last4 is null))
    )`.execute(db);
  await sql`comment on column people.identity_hash is 'HMAC-SHA-256 of the identity number under the service''s key; the number itself is never stored.'`.execute(
    db,
  );
  await sql`
    create table person_sources (
      source text not null,
      source_id text not null,
      person_id bigint not null references people,
      primary key (source, source_id)
    )`.execute(db);
  await sql`create index on person_sources (person_id)`.execute(db);

  await sql`
    create table posts (
      id bigint generated always as identity primary key,
      person_id bigint not null references people,
      organization_id bigint not null references organizations,
      role text not null check (role in ('class_teacher', 'subject_teacher', 'young_pioneers_leader', 'college_counselor', 'graduate_tutor', 'mental_health_teacher', 'principal')),
      workload text not null default 'full' check (workload in ('full', 'part')),
      starts_on date not null,
      ends_on date check (ends_on >= starts_on),
      unique (person_id, organization_id, role, starts_on)
    )`.execute(db);
  await sql`comment on column posts.ends_on is 'Last day the post is held, inclusive; null while it is open.'`.execute(
    db,
  );
  await sql`create index on posts (organization_id, role)`.execute(db);

  await sql`
    create table role_grants (
      id bigint generated always as identity primary key,
      person_id bigint not null references people,
      role text not null check (role in ('operator', 'coordinator', 'issuer', 'hr_verifier', 'author', 'auditor')),
      division_code text references divisions,
      organization_id bigint references organizations,
      starts_on date not null,
      ends_on date check (ends_on >= starts_on),
      granted_by bigint references people,
      reason text not null,
      check (division_code is null or organization_id is null)
    )`.execute(db);
  await sql`comment on table role_grants is 'What a person may do besides being a teacher, and where: a division with all below it, one organization, or (neither) the nation.'`.execute(
    db,
  );
  await sql`create index on role_grants (person_id)`.execute(db);

  await sql`
    create table sessions (
      token_hash bytea primary key,
      person_id bigint not null references people,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      ended_at timestamptz
    )`.execute(db);
  await sql`create index on sessions (person_id)`.execute(db);

  await sql`
    create table sample_sign_ins (
      key text primary key,
      person_id bigint not null references people,
      description_zh text not null,
      description_en text not null,
      position integer not null
    )`.execute(db);
  await sql`comment on table sample_sign_ins is 'Ways in without a password for the sample county; read only while samples are on.'`.execute(
    db,
  );

  await sql`
    create table roster_imports (
      id bigint generated always as identity primary key,
      source text not null,
      division_code text not null references divisions,
      state text not null check (state in ('queued', 'applied', 'refused')),
      requested_by bigint references people,
      created_at timestamptz not null,
      finished_at timestamptz,
      reason text,
      organizations_added integer not null default 0,
      organizations_changed integer not null default 0,
      people_added integer not null default 0,
      people_changed integer not null default 0,
      posts_added integer not null default 0,
      posts_changed integer not null default 0,
      rows_read integer not null default 0,
      rows_ignored integer not null default 0,
      rows_refused integer not null default 0
    )`.execute(db);
  await sql`
    create table roster_import_files (
      import_id bigint not null references roster_imports on delete cascade,
      name text not null,
      content bytea not null,
      primary key (import_id, name)
    )`.execute(db);
  await sql`
    create table roster_refusals (
      id bigint generated always as identity primary key,
      import_id bigint not null references roster_imports on delete cascade,
      file text not null,
      line integer not null,
      column_name text,
      value text,
      reason text not null
    )`.execute(db);
  await sql`create index on roster_refusals (import_id, id)`.execute(db);
}
