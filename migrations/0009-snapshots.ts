import { sql, type Kysely } from 'kysely';

/** What stands beside coverage: staffing by dated student counts, indicators that are imported, and targets for both. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await studentCounts(db);
  await indicators(db);
  await targets(db);
}

/** A university's staff is judged by its students, of whom a later roster brings another number. */
async function studentCounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table organization_student_counts (
      organization_id bigint not null references organizations,
      counted_on date not null,
      students integer not null check (students >= 0),
      primary key (organization_id, counted_on)
    )`.execute(db);
  await sql`comment on table organization_student_counts is 'Every dated count that a roster brought; the newest also stands in organizations.'`.execute(
    db,
  );
  await sql`
    insert into organization_student_counts (organization_id, counted_on, students)
    select id, student_count_on, student_count from organizations where student_count is not null and student_count_on is not null`.execute(
    db,
  );
}

async function indicators(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table indicators (
      id bigint generated always as identity primary key,
      division_code text references divisions,
      code text not null check (code ~ '^[a-z][a-z0-9-]{1,49}$'),
      title_zh text not null,
      title_en text not null,
      measure_zh text not null,
      measure_en text not null,
      kind text not null check (kind in ('count', 'yes_no', 'share')),
      level text not null check (level in ('organization', 'county', 'prefecture', 'province')),
      counts_people boolean not null,
      created_by bigint references people,
      created_at timestamptz not null,
      unique nulls not distinct (division_code, code)
    )`.execute(db);
  await sql`comment on table indicators is 'Numbers that are counted elsewhere and imported here. division_code is the jurisdiction that defined it, null the nation; units of its level report it there and below.'`.execute(
    db,
  );
  await sql`comment on column indicators.measure_zh is 'What is counted, as it is written after a number.'`.execute(
    db,
  );
  await sql`
    create table indicator_imports (
      id bigint generated always as identity primary key,
      indicator_id bigint not null references indicators,
      division_code text not null references divisions,
      source text not null,
      imported_by bigint references people,
      imported_at timestamptz not null
    )`.execute(db);
  await sql`
    create table indicator_values (
      id bigint generated always as identity primary key,
      import_id bigint not null references indicator_imports,
      indicator_id bigint not null references indicators,
      unit bigint not null,
      since date check (since <= day),
      day date not null,
      numerator integer not null check (numerator >= 0),
      denominator integer check (denominator >= numerator)
    )`.execute(db);
  await sql`comment on table indicator_values is 'Append-only: of several for one unit and day the one with the highest id holds. A count has no denominator; yes is 1 of 1 and no 0 of 1.'`.execute(
    db,
  );
  await sql`comment on column indicator_values.unit is 'A division''s code, or minus an organization''s id.'`.execute(
    db,
  );
  await sql`comment on column indicator_values.since is 'First day of the period that ends on the day; null: as it stood on the day.'`.execute(
    db,
  );
  await sql`create index on indicator_values (indicator_id, unit, day desc, id desc)`.execute(db);
  // The action plan's own, of its goals.
  await sql`
    insert into indicators (code, title_zh, title_en, measure_zh, measure_en, kind, level, counts_people, created_at) values
      ('guidance-sites', '开展心理健康教育的家庭教育指导服务站点', 'Family-education guidance sites that do mental-health education', '个站点', 'sites', 'share', 'county', false, '2026-01-01T00:00:00Z')`.execute(
    db,
  );
}

/** One table of policy for all that has a target. */
async function targets(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table coverage_targets
      add column measure text not null default 'coverage' check (measure in ('coverage', 'staffing', 'indicator')),
      add column indicator_id bigint references indicators,
      alter column certification_id drop not null,
      drop constraint coverage_targets_division_code_certification_id_role_starts_key,
      add unique nulls not distinct (division_code, measure, certification_id, indicator_id, role, starts_on),
      add check ((measure = 'coverage') = (certification_id is not null)),
      add check ((measure = 'indicator') = (indicator_id is not null)),
      add check (role is null or measure = 'coverage')`.execute(db);
  await sql`comment on column coverage_targets.measure is 'Of what: coverage of a certification, in people; staffing, in organizations; an indicator, in what it counts.'`.execute(
    db,
  );
  await sql`create index on coverage_targets (indicator_id)`.execute(db);
}
