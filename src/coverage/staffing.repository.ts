import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { OrganizationKind } from '../regions/organization.ts';
import { inUnits, unitsAbove } from './count.ts';
import { kindsNotJudged, type Researchers, type StaffingFacts } from './staffing.ts';

/**
 * What is known on a day of each organization in these units of which staff is asked and that is open then: (id, kind, students,
 * students_on, any_load, full_time).
 */
function factsOf(inside: RawBuilder<unknown>, day: string): RawBuilder<unknown> {
  return sql`
    select o.id, o.kind, coalesce(counted.students, o.student_count) as students, coalesce(counted.counted_on, o.student_count_on) as students_on,
      staff.any_load, staff.full_time, o.province_code, o.prefecture_code, o.county_code
    from organizations o
    cross join lateral (
      select count(distinct p.person_id)::int as any_load, (count(distinct p.person_id) filter (where p.workload = 'full'))::int as full_time
      from posts p where p.organization_id = o.id and p.role = 'mental_health_teacher'
        and p.starts_on <= ${day}::date and (p.ends_on is null or p.ends_on >= ${day}::date)
    ) staff
    left join lateral (
      select c.students, c.counted_on from organization_student_counts c where c.organization_id = o.id
      order by c.counted_on > ${day}::date, case when c.counted_on <= ${day}::date then c.counted_on end desc, c.counted_on limit 1
    ) counted on o.kind = 'university'
    where ${inside} and o.kind <> all(${kindsNotJudged}::text[]) and (o.closed_on is null or o.closed_on >= ${day}::date)`;
}

/** Organizations that are alike in all that staffing is judged by. */
export interface StaffingGroup extends StaffingFacts {
  /** See `unitKey`. */
  readonly unit: string;
  readonly organizations: number;
}

export async function listStaffingGroups(
  db: Executor,
  units: readonly string[],
  day: string,
): Promise<StaffingGroup[]> {
  const { rows } = await sql<StaffingRow & { unit: string; organizations: number }>`
    select u.unit, o.kind, case when o.kind = 'university' then o.students end as students, o.any_load, o.full_time, count(*)::int as organizations
    from (${factsOf(inUnits(units), day)}) o cross join ${unitsAbove}
    where u.unit = any(${units}::bigint[]) group by 1, 2, 3, 4, 5`.execute(db);
  return rows.map((row) => ({ ...toFacts(row), unit: row.unit, organizations: row.organizations }));
}

/** Unit → counties in it; an organization has none. */
export async function listResearchers(
  db: Executor,
  units: readonly string[],
  day: string,
): Promise<Map<string, Researchers>> {
  const { rows } = await sql<{ unit: string; counties: number; with_researcher: number }>`
    select u.unit, count(*)::int as counties, (count(*) filter (where exists (
      select 1 from posts p join organizations o on o.id = p.organization_id
      where o.county_code = d.code and p.role = 'county_researcher' and p.starts_on <= ${day}::date and (p.ends_on is null or p.ends_on >= ${day}::date)
    )))::int as with_researcher
    from divisions d cross join lateral (values (d.county_code::bigint), (d.prefecture_code::bigint), (d.province_code::bigint)) as u (unit)
    where d.level = 'county' and u.unit = any(${units}::bigint[]) group by 1`.execute(db);
  return new Map(
    rows.map((row) => [row.unit, { counties: row.counties, countiesWithResearcher: row.with_researcher }]),
  );
}

export interface OrganizationFacts extends StaffingFacts {
  readonly organizationId: string;
  readonly studentsOn: string | null;
}

/** One by one, in the order of their ids. @param page.limit undefined = all. */
export async function listStaffingFacts(
  db: Executor,
  units: readonly string[],
  day: string,
  page: { after: string | undefined; limit: number | undefined },
): Promise<OrganizationFacts[]> {
  const inside = sql`${inUnits(units)} and o.id > ${page.after ?? '0'}::bigint`;
  const { rows } = await sql<StaffingRow & { id: string; students_on: string | null }>`
    select id, kind, students, students_on, any_load, full_time from (${factsOf(inside, day)}) o order by id limit ${page.limit ?? null}`.execute(
    db,
  );
  return rows.map((row) => ({ ...toFacts(row), organizationId: row.id, studentsOn: row.students_on }));
}

interface StaffingRow {
  readonly kind: OrganizationKind;
  readonly students: number | null;
  readonly any_load: number;
  readonly full_time: number;
}

function toFacts(row: StaffingRow): StaffingFacts {
  return { kind: row.kind, students: row.students, anyLoad: row.any_load, fullTime: row.full_time };
}
