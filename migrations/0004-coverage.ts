import { sql, type Kysely } from 'kysely';

/** Coverage kept rather than recomputed: what it is today, and what is not yet added to that; targets. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table coverage_role_sets (
      id smallint generated always as identity primary key,
      roles text[] not null unique check (cardinality(roles) > 0)
    )`.execute(db);
  await sql`comment on table coverage_role_sets is 'Roles that are counted together, each person once: every role by itself, and the roles of a certification. Sorted.'`.execute(
    db,
  );
  await sql`
    insert into coverage_role_sets (roles) select array[role] from unnest(array['class_teacher', 'subject_teacher', 'young_pioneers_leader',
      'college_counselor', 'graduate_tutor', 'mental_health_teacher', 'principal']) as role`.execute(db);

  await sql`
    create table coverage_totals (
      certification_id bigint not null,
      role_set smallint not null references coverage_role_sets,
      unit bigint not null,
      people integer not null,
      primary key (unit, role_set, certification_id)
    )`.execute(db);
  await sql`comment on table coverage_totals is 'How many people hold the roles in a unit, and how many of them are covered, on the day in coverage_state.'`.execute(
    db,
  );
  await sql`comment on column coverage_totals.certification_id is '0: who holds the roles; else who of them holds a valid certificate of it.'`.execute(
    db,
  );
  await sql`comment on column coverage_totals.unit is 'A division''s code, or minus an organization''s id.'`.execute(
    db,
  );
  await sql`create table coverage_state (only_row boolean primary key default true check (only_row), day date not null)`.execute(
    db,
  );
  await sql`insert into coverage_state (day) values ('2000-01-01')`.execute(db);

  await sql`
    create table coverage_pending (
      certification_id bigint not null,
      role_set smallint not null,
      unit bigint not null,
      change integer not null
    )`.execute(db);
  await sql`comment on table coverage_pending is 'Changes of the totals, appended in the transaction that makes them and waiting for nobody, until they are folded in. Whoever reads counts them in.'`.execute(
    db,
  );
  await sql`create index on coverage_pending (unit)`.execute(db);

  await sql`
    create table coverage_targets (
      id bigint generated always as identity primary key,
      division_code text not null references divisions,
      certification_id bigint not null references certifications,
      role text check (role in ('class_teacher', 'subject_teacher', 'young_pioneers_leader', 'college_counselor', 'graduate_tutor', 'mental_health_teacher', 'principal')),
      rate numeric not null check (rate > 0 and rate <= 1),
      starts_on date not null,
      set_by bigint references people,
      set_at timestamptz not null,
      unique nulls not distinct (division_code, certification_id, role, starts_on)
    )`.execute(db);
  await sql`comment on table coverage_targets is 'Dated policy: what share is to be covered in a division and below, from a day on. The latest begun one of a division holds; of several divisions above a unit the highest.'`.execute(
    db,
  );
  await sql`comment on column coverage_targets.role is 'null: of any of the certification''s roles.'`.execute(
    db,
  );
  await sql`create index on coverage_targets (certification_id)`.execute(db);

  // The people not covered of a unit are listed organization by organization.
  for (const level of ['province_code', 'prefecture_code', 'county_code'])
    await sql`create index on organizations (${sql.ref(level)}, id)`.execute(db);
  await sql`create index on organizations (division_code, name collate "zh-x-icu", id)`.execute(db);
  for (const level of ['province_code', 'prefecture_code', 'county_code'])
    await sql`drop index ${sql.id(`organizations_${level}_idx`)}`.execute(db);
}
