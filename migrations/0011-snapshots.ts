import { sql, type Kysely } from 'kysely';

/**
 * What stands beside coverage: staffing by dated student counts, indicators that are imported, targets for both, and snapshots
 * of all of it that are signed off level by level.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await studentCounts(db);
  await indicators(db);
  await targets(db);
  await snapshots(db);
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

/** See src/decisions/0010-snapshots.md. */
async function snapshots(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table snapshots (
      id bigint generated always as identity primary key,
      unit bigint not null,
      certification_id bigint not null references certifications,
      day date not null,
      replaces bigint unique references snapshots,
      state text not null default 'queued' check (state in ('queued', 'frozen')),
      requested_by bigint references people,
      requested_at timestamptz not null,
      frozen_at timestamptz,
      digest text,
      units integer,
      unique nulls not distinct (unit, certification_id, day, replaces),
      check ((state = 'frozen') = (frozen_at is not null and digest is not null and units is not null))
    )`.execute(db);
  await sql`comment on table snapshots is 'What was known of a unit and all below it on a day, and how it was judged. Once frozen it never changes; an objection is met by another that replaces it.'`.execute(
    db,
  );
  await sql`comment on column snapshots.unit is 'A division''s code, or minus an organization''s id.'`.execute(
    db,
  );
  await sql`create index on snapshots (certification_id)`.execute(db);
  await sql`
    create table snapshot_units (
      snapshot_id bigint not null references snapshots,
      unit bigint not null,
      parent bigint,
      content text not null,
      digest text not null,
      signs boolean not null,
      hidden boolean not null,
      roles_hidden boolean not null,
      primary key (snapshot_id, unit)
    )`.execute(db);
  await sql`comment on column snapshot_units.content is 'Lines of canonical JSON, each ended by a line feed; the digest is their SHA-256, and among them are the digests of the units right below.'`.execute(
    db,
  );
  await sql`comment on column snapshot_units.signs is 'Whether there is anybody to sign for: the unit above waits for it.'`.execute(
    db,
  );
  await sql`comment on column snapshot_units.hidden is 'Whether the total is of a few people, or such a number would follow from it; roles_hidden, those of each role.'`.execute(
    db,
  );
  await sql`create index on snapshot_units (snapshot_id, parent)`.execute(db);
  await sql`create index on snapshot_units (unit)`.execute(db);
  await sql`
    create table snapshot_verdicts (
      id bigint generated always as identity primary key,
      snapshot_id bigint not null,
      unit bigint not null,
      verdict text not null check (verdict in ('signed', 'objected')),
      digest text not null,
      given_by bigint not null references people,
      given_at timestamptz not null,
      given_on date not null,
      remark text check (verdict = 'signed' or remark is not null),
      missing jsonb not null default '[]',
      foreign key (snapshot_id, unit) references snapshot_units,
      unique (snapshot_id, unit)
    )`.execute(db);
  await sql`comment on column snapshot_verdicts.digest is 'What was signed: it also counts in any other snapshot where the unit has this digest.'`.execute(
    db,
  );
  await sql`comment on column snapshot_verdicts.missing is 'Units right below that had not signed, each with the reason: [{unit, reason}].'`.execute(
    db,
  );
  await sql`create index on snapshot_verdicts (unit, digest)`.execute(db);

  // What is frozen stays so, whoever asks.
  await sql`
    create function refuse_change() returns trigger language plpgsql as $$
    begin raise 'What is frozen is never changed (%).', tg_table_name using errcode = 'restrict_violation'; end $$`.execute(
    db,
  );
  for (const table of ['snapshot_units', 'snapshot_verdicts'])
    await sql`create trigger never_changes before update or delete or truncate on ${sql.table(table)} execute function refuse_change()`.execute(
      db,
    );
  await sql`create trigger never_goes before delete or truncate on snapshots execute function refuse_change()`.execute(
    db,
  );
  await sql`create trigger never_changes before update on snapshots for each row when (old.state = 'frozen') execute function refuse_change()`.execute(
    db,
  );
  await sql`
    create function refuse_addition() returns trigger language plpgsql as $$
    begin
      if exists (select from added join snapshots s on s.id = added.snapshot_id where s.state = 'frozen') then
        raise 'What is frozen is never added to.' using errcode = 'restrict_violation';
      end if;
      return null;
    end $$`.execute(db);
  await sql`
    create trigger never_grows after insert on snapshot_units referencing new table as added for each statement execute function refuse_addition()`.execute(
    db,
  );
}
