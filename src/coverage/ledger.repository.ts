import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Role } from '../people/role.ts';
import type { Change } from './ledger.ts';

/** Held shared by whoever changes a holding, and alone by whoever counts everything anew. */
const HOLDINGS_LOCK = 0x78_71_63_76; // 'xqcv'
/** Held by whoever folds. */
const FOLD_LOCK = 0x78_71_66_6f; // 'xqfo'

export async function lockHoldings(tx: Executor, mode: 'shared' | 'alone'): Promise<void> {
  await (
    mode === 'shared'
      ? sql`select pg_advisory_xact_lock_shared(${HOLDINGS_LOCK})`
      : sql`select pg_advisory_xact_lock(${HOLDINGS_LOCK})`
  ).execute(tx);
}

/** In order, so that two who want the same people can't wait for each other. */
export async function lockPeople(tx: Executor, ids: readonly string[]): Promise<void> {
  await sql`select 1 from people where id = any(${ids}::bigint[]) order by id for no key update`.execute(tx);
}

/**
 * What some people count for: for each unit above their posts and each set of roles, +1 on the day on which they begin to hold one of
 * the roles there (or to be covered there) and −1 on the day after the last. Overlapping posts of a person count once.
 */
function contributions(
  people: RawBuilder<unknown> | undefined,
  roleSet: number | undefined,
): RawBuilder<unknown> {
  const only = (column: RawBuilder<unknown>): RawBuilder<unknown> =>
    people === undefined ? sql`true` : sql`${column} = any(${people})`;
  return sql`
    with spans as materialized (
      select p.person_id, s.id as role_set, u.unit, range_agg(daterange(p.starts_on, p.ends_on, '[]')) as days
      from posts p join organizations o on o.id = p.organization_id
      cross join lateral (values (-o.id), (o.county_code::bigint), (o.prefecture_code::bigint), (o.province_code::bigint)) as u (unit)
      join coverage_role_sets s on s.roles @> array[p.role]
      where ${only(sql`p.person_id`)} and u.unit is not null and ${roleSet === undefined ? sql`true` : sql`s.id = ${roleSet}`}
      group by p.person_id, s.id, u.unit
    ), valid as (
      select person_id, certification_id, range_agg(daterange(valid_from, nullif(least(coalesce(valid_until, 'infinity'), coalesce(revoked_on - 1, 'infinity')), 'infinity'), '[]')) as days
      from certificates where ${only(sql`person_id`)} and (revoked_on is null or revoked_on > valid_from)
      group by person_id, certification_id
    ), counted as (
      select 0::bigint as certification_id, role_set, unit, days from spans
      union all
      select v.certification_id, s.role_set, s.unit, s.days * v.days
      from spans s join valid v using (person_id) join certifications c on c.id = v.certification_id join coverage_role_sets r on r.id = s.role_set
      where r.roles <@ c.roles and (cardinality(r.roles) = 1 or r.roles @> c.roles)
    )
    select certification_id, role_set, unit, e.day, sum(e.change)::int as change
    from counted, lateral unnest(days) as span, lateral (values (lower(span), 1), (upper(span), -1)) as e (day, change)
    where e.day is not null group by 1, 2, 3, 4 having sum(e.change) <> 0`;
}

export async function listContributions(tx: Executor, personIds: readonly string[]): Promise<Change[]> {
  const { rows } = await sql<{
    certification_id: string;
    role_set: number;
    unit: string;
    day: string;
    change: number;
  }>`${contributions(sql`${personIds}::bigint[]`, undefined)}`.execute(tx);
  return rows.map((row) => ({
    certificationId: row.certification_id,
    roleSet: row.role_set,
    unit: row.unit,
    day: row.day,
    change: row.change,
  }));
}

export async function insertPending(tx: Executor, changes: readonly Change[]): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    insert into coverage_pending (certification_id, role_set, unit, day, change)
    select * from unnest(${changes.map((c) => c.certificationId)}::bigint[], ${changes.map((c) => c.roleSet)}::smallint[], ${changes.map((c) => c.unit)}::bigint[],
      ${changes.map((c) => c.day)}::date[], ${changes.map((c) => c.change)}::int[])`.execute(tx);
}

/** Without a way through this process: for as many people as there may be. */
export async function insertPendingOf(tx: Executor, personIds: readonly string[]): Promise<void> {
  await sql`insert into coverage_pending (certification_id, role_set, unit, day, change) ${contributions(sql`${personIds}::bigint[]`, undefined)}`.execute(
    tx,
  );
}

/** Folds what is pending into the changes and the totals. @returns whether there was any. */
export async function foldPending(tx: Executor): Promise<boolean> {
  const { rows: lock } = await sql<{
    got: boolean;
  }>`select pg_try_advisory_xact_lock(${FOLD_LOCK}) as got`.execute(tx);
  if (lock[0]?.got !== true) return false;
  const { rows } = await sql<{ moved: number }>`
    with moved as (
      delete from coverage_pending returning certification_id, role_set, unit, day, change
    ), net as (
      select certification_id, role_set, unit, day, sum(change)::int as change from moved group by 1, 2, 3, 4 having sum(change) <> 0
    ), days as (
      insert into coverage_changes as known (certification_id, role_set, unit, day, change) select * from net
      on conflict (certification_id, role_set, unit, day) do update set change = known.change + excluded.change
    ), totals as (
      insert into coverage_totals as known (certification_id, role_set, unit, people)
      select certification_id, role_set, unit, sum(change)::int from net where day <= (select day from coverage_state) group by 1, 2, 3
      on conflict (unit, role_set, certification_id) do update set people = known.people + excluded.people
    )
    select count(*)::int as moved from moved`.execute(tx);
  return (rows[0]?.moved ?? 0) > 0;
}

/** Moves the day of the totals on to `day`. A day that is not later changes nothing. */
export async function advanceTotals(tx: Executor, day: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${FOLD_LOCK})`.execute(tx);
  await sql`
    insert into coverage_totals as known (certification_id, role_set, unit, people)
    select certification_id, role_set, unit, sum(change)::int from coverage_changes
    where day > (select day from coverage_state) and day <= ${day}::date group by 1, 2, 3
    on conflict (unit, role_set, certification_id) do update set people = known.people + excluded.people`.execute(
    tx,
  );
  await sql`update coverage_state set day = ${day}::date where day < ${day}::date`.execute(tx);
}

export async function listRoleSets(
  db: Executor,
): Promise<{ readonly id: number; readonly roles: readonly Role[] }[]> {
  return (await db.selectFrom('coverage_role_sets').select(['id', 'roles']).execute()) as {
    id: number;
    roles: Role[];
  }[];
}

/** Adds a set of roles with all that has ever counted for it. @param roles sorted. */
export async function insertRoleSet(tx: Executor, roles: readonly Role[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    insert into coverage_role_sets (roles) values (${roles}::text[]) on conflict (roles) do nothing returning id`.execute(
    tx,
  );
  if (rows[0] === undefined) return;
  await sql`insert into coverage_pending (certification_id, role_set, unit, day, change) ${contributions(undefined, rows[0].id)}`.execute(
    tx,
  );
}

/** Counts everything anew, with holdings locked, and puts that in place of what was kept. @returns how many numbers differed. */
export async function rebuild(tx: Executor): Promise<number> {
  await sql`select pg_advisory_xact_lock(${FOLD_LOCK})`.execute(tx);
  await sql`create temporary table coverage_rebuilt on commit drop as ${contributions(undefined, undefined)}`.execute(
    tx,
  );
  const { rows } = await sql<{ differences: number }>`
    with kept as (
      select certification_id, role_set, unit, day, sum(change) as change
      from (select certification_id, role_set, unit, day, change from coverage_changes
        union all select certification_id, role_set, unit, day, change from coverage_pending) k
      group by 1, 2, 3, 4 having sum(change) <> 0
    )
    select count(*)::int as differences from kept full join coverage_rebuilt r using (certification_id, role_set, unit, day)
    where kept.change is distinct from r.change`.execute(tx);
  await sql`delete from coverage_pending`.execute(tx);
  await sql`truncate coverage_changes, coverage_totals`.execute(tx);
  await sql`insert into coverage_changes (certification_id, role_set, unit, day, change) select certification_id, role_set, unit, day, change from coverage_rebuilt`.execute(
    tx,
  );
  await sql`
    insert into coverage_totals (certification_id, role_set, unit, people)
    select certification_id, role_set, unit, sum(change)::int from coverage_rebuilt where day <= (select day from coverage_state) group by 1, 2, 3`.execute(
    tx,
  );
  return rows[0]!.differences;
}
