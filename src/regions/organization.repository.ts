import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Division } from './division.ts';
import type { Organization, OrganizationKind } from './organization.ts';

const columns = [
  'id',
  'name',
  'kind',
  'division_code',
  'province_code',
  'prefecture_code',
  'county_code',
  'student_count',
  'student_count_on',
] as const;

export async function findOrganization(db: Executor, id: string): Promise<Organization | undefined> {
  return (await listOrganizations(db, [id]))[0];
}

export async function listOrganizations(db: Executor, ids: readonly string[]): Promise<Organization[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('organizations').select(columns).where('id', 'in', ids).execute();
  return rows.map(toOrganization);
}

/** Organizations that stand directly in a division (not in one below it), in name order after `after`. */
export async function listOrganizationsOf(
  db: Executor,
  divisionCode: string,
  page: { after: { name: string; id: string } | undefined; limit: number },
): Promise<Organization[]> {
  const rows = await db
    .selectFrom('organizations')
    .select(columns)
    .where('division_code', '=', divisionCode)
    // By pinyin, as Chinese readers look a name up.
    .$if(page.after !== undefined, (query) =>
      query.where(
        sql<boolean>`(name collate "zh-x-icu", id) > (${page.after?.name}, ${page.after?.id}::bigint)`,
      ),
    )
    .orderBy(sql`name collate "zh-x-icu"`)
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map(toOrganization);
}

/** What a roster says of an organization, already checked; `division` is where it stands. */
export interface RosterOrganization {
  readonly id: string;
  readonly sourceId: string;
  readonly name: string;
  readonly kind: OrganizationKind;
  readonly identifier: string | null;
  readonly division: Division;
  readonly studentCount: number | null;
  readonly studentCountOn: string | null;
  /** Its last day; null while it is open. */
  readonly closedOn: string | null;
}

export interface KnownOrganization extends Omit<RosterOrganization, 'division'> {
  readonly divisionCode: string;
  readonly countyCode: string | null;
  readonly prefectureCode: string | null;
  readonly provinceCode: string;
}

export async function listOrganizationsBySource(
  db: Executor,
  source: string,
  sourceIds: readonly string[],
): Promise<KnownOrganization[]> {
  const rows = await db
    .selectFrom('organizations')
    .select([...columns, 'source_id', 'identifier', 'closed_on'])
    .where('source', '=', source)
    .where('source_id', '=', sql<string>`any(${sourceIds}::text[])`)
    .execute();
  return rows.map((row) => {
    const { organizationId: _same, ...organization } = toOrganization(row);
    return {
      ...organization,
      provinceCode: row.province_code,
      sourceId: row.source_id,
      identifier: row.identifier,
      closedOn: row.closed_on,
    };
  });
}

/** Ids for organizations that are to be added. */
export async function takeOrganizationIds(tx: Executor, count: number): Promise<string[]> {
  const { rows } = await sql<{
    id: string;
  }>`select nextval(pg_get_serial_sequence('organizations', 'id')) as id from generate_series(1, ${count}::int)`.execute(
    tx,
  );
  return rows.map((row) => row.id);
}

/** Adds the new ones and changes those whose id is known. */
export async function saveOrganizations(
  tx: Executor,
  source: string,
  organizations: readonly RosterOrganization[],
): Promise<void> {
  if (organizations.length === 0) return;
  const text = (pick: (organization: RosterOrganization) => string | number | null) =>
    sql`${organizations.map(pick)}::text[]`;
  await sql`
    insert into organizations as known (id, source, source_id, name, kind, identifier, division_code, province_code, prefecture_code, county_code, student_count, student_count_on, closed_on)
    overriding system value
    select id::bigint, ${source}, source_id, name, kind, identifier, division_code, province_code, prefecture_code, county_code, student_count::int, student_count_on::date, closed_on::date
    from unnest(${text((o) => o.id)}, ${text((o) => o.sourceId)}, ${text((o) => o.name)}, ${text((o) => o.kind)}, ${text((o) => o.identifier)}, ${text((o) => o.division.code)},
      ${text((o) => o.division.provinceCode)}, ${text((o) => o.division.prefectureCode)}, ${text((o) => o.division.countyCode)}, ${text((o) => o.studentCount)}, ${text((o) => o.studentCountOn)},
      ${text((o) => o.closedOn)})
      as given (id, source_id, name, kind, identifier, division_code, province_code, prefecture_code, county_code, student_count, student_count_on, closed_on)
    on conflict (id) do update set name = excluded.name, kind = excluded.kind, identifier = excluded.identifier, division_code = excluded.division_code,
      province_code = excluded.province_code, prefecture_code = excluded.prefecture_code, county_code = excluded.county_code,
      student_count = excluded.student_count, student_count_on = excluded.student_count_on, closed_on = excluded.closed_on`.execute(
    tx,
  );
  // What was counted before stays known for its day.
  await sql`
    insert into organization_student_counts (organization_id, counted_on, students)
    select id, student_count_on, student_count from organizations
    where id = any(${organizations.map((o) => o.id)}::bigint[]) and student_count is not null and student_count_on is not null
    on conflict (organization_id, counted_on) do update set students = excluded.students`.execute(tx);
}

function toOrganization(row: {
  id: string;
  name: string;
  kind: string;
  division_code: string;
  province_code: string;
  prefecture_code: string | null;
  county_code: string | null;
  student_count: number | null;
  student_count_on: string | null;
}): Organization {
  return {
    id: row.id,
    organizationId: row.id,
    name: row.name,
    kind: row.kind as OrganizationKind,
    divisionCode: row.division_code,
    provinceCode: row.province_code,
    prefectureCode: row.prefecture_code,
    countyCode: row.county_code,
    studentCount: row.student_count,
    studentCountOn: row.student_count_on,
  };
}
