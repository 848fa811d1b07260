import { sql, type Kysely } from 'kysely';

/** Courses and their versions, certifications and who is assigned to them, progress, statements, exams. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table course_versions (
      id bigint generated always as identity primary key,
      slug text not null,
      version text not null,
      digest text not null,
      manifest jsonb not null,
      contents jsonb not null,
      is_current boolean not null,
      synced_at timestamptz not null,
      unique (slug, version)
    )`.execute(db);
  await sql`comment on column course_versions.contents is 'Activity key → language → content hash.'`.execute(
    db,
  );
  await sql`create unique index course_versions_current on course_versions (slug) where is_current`.execute(
    db,
  );
  await sql`
    create table items (
      id bigint generated always as identity primary key,
      course_version_id bigint not null references course_versions on delete cascade,
      key text not null,
      competency text not null,
      body jsonb not null,
      unique (course_version_id, key)
    )`.execute(db);
  await sql`comment on column items.body is 'The whole item, answer key included: never sent as it is.'`.execute(
    db,
  );

  await sql`
    create table certifications (
      id bigint generated always as identity primary key,
      code text not null,
      title_zh text not null,
      title_en text not null,
      course_slug text not null,
      roles text[] not null check (cardinality(roles) > 0),
      validity_months integer check (validity_months > 0),
      division_code text not null references divisions,
      issuer_name text not null,
      template text not null,
      template_version integer not null,
      created_by bigint references people,
      created_at timestamptz not null,
      unique (division_code, code)
    )`.execute(db);
  await sql`comment on table certifications is 'The rule: who must hold what, for how long. division_code is the jurisdiction that set it; it holds there and below.'`.execute(
    db,
  );
  await sql`
    create table cohorts (
      id bigint generated always as identity primary key,
      certification_id bigint not null references certifications,
      name text not null,
      role text not null,
      division_code text references divisions,
      organization_id bigint references organizations,
      due_on date,
      created_by bigint references people,
      created_at timestamptz not null,
      check ((division_code is null) <> (organization_id is null))
    )`.execute(db);
  await sql`create index on cohorts (certification_id)`.execute(db);
  await sql`
    create table assignments (
      id bigint generated always as identity primary key,
      certification_id bigint not null references certifications,
      person_id bigint not null references people,
      cohort_id bigint not null references cohorts,
      period integer not null default 1 check (period > 0),
      due_on date,
      course_version_id bigint references course_versions,
      created_at timestamptz not null,
      unique (person_id, certification_id, period)
    )`.execute(db);
  await sql`comment on column assignments.course_version_id is 'Pinned when the learner first records anything; until then the current version.'`.execute(
    db,
  );
  await sql`create index on assignments (cohort_id)`.execute(db);

  await sql`
    create table activity_progress (
      assignment_id bigint not null references assignments,
      activity_key text not null,
      started_at timestamptz not null,
      completed_at timestamptz,
      primary key (assignment_id, activity_key)
    )`.execute(db);
  await sql`
    create table statements (
      assignment_id bigint not null references assignments,
      id uuid not null,
      activity_key text not null,
      verb text not null,
      statement jsonb not null,
      stored_at timestamptz not null,
      primary key (assignment_id, id)
    )`.execute(db);
  await sql`comment on table statements is 'xAPI statements as the player emitted them, with the actor the server knows. Claims: they show progress and never certify.'`.execute(
    db,
  );
  await sql`
    create table user_states (
      assignment_id bigint not null references assignments,
      activity_key text not null,
      language text not null,
      content_hash text not null,
      version integer not null,
      data text not null,
      saved_at timestamptz not null,
      primary key (assignment_id, activity_key, language)
    )`.execute(db);

  await sql`
    create table attempts (
      id bigint generated always as identity primary key,
      assignment_id bigint not null references assignments,
      number integer not null,
      seed text not null,
      drawn jsonb not null,
      started_at timestamptz not null,
      deadline timestamptz not null,
      submitted_at timestamptz,
      points numeric,
      max_points numeric,
      percent numeric,
      passed boolean,
      unique (assignment_id, number),
      check ((submitted_at is null) = (passed is null))
    )`.execute(db);
  await sql`comment on column attempts.drawn is 'Item ids with the order of their options, as drawn from the seed.'`.execute(
    db,
  );
  await sql`create unique index attempts_one_open on attempts (assignment_id) where submitted_at is null`.execute(
    db,
  );
  await sql`
    create table responses (
      attempt_id bigint not null references attempts,
      item_id bigint not null references items,
      chosen text[] not null,
      saved_at timestamptz not null,
      points numeric,
      primary key (attempt_id, item_id)
    )`.execute(db);
}
