import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Division } from './division.ts';
import type { Organization, OrganizationChange, OrganizationKind } from './organization.ts';

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
  'closed_on',
  'merged_into_id',
] as const;

export async function findOrganization(db: Executor, id: string): Promise<Organization | undefined> {
  return (await listOrganizations(db, [id]))[0];
}

export async function listOrganizations(db: Executor, ids: readonly string[]): Promise<Organization[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('organizations')
    .modifyFront(prepared)
    .select(columns)
    .where('id', '=', sql<string>`any(${ids}::bigint[])`)
    .execute();
  return rows.map(toOrganization);
}

/**
 * Organizations that stand directly in a division (not in one below it), in name order after `after`. Those that had closed before
 * `day`, with nobody left, are not among them.
 */
export async function listOrganizationsOf(
  db: Executor,
  divisionCode: string,
  day: string,
  page: OrganizationPage,
): Promise<Organization[]> {
  const rows = await organizationsOf(db, divisionCode, day, page)
    .modifyFront(prepared)
    .select(columns)
    .execute();
  return rows.map(toOrganization);
}

export interface OrganizationPage {
  readonly after: { readonly name: string; readonly id: string } | undefined;
  readonly limit: number;
}

/** The same as a part of a statement, to select from: its ids, for what is kept of each. */
export function organizationsOf(db: Executor, divisionCode: string, day: string, page: OrganizationPage) {
  return (
    db
      .selectFrom('organizations')
      .where('division_code', '=', divisionCode)
      .where(
        sql<boolean>`(closed_on is null or closed_on >= ${day}::date or exists (
        select from posts where organization_id = organizations.id and (ends_on is null or ends_on >= ${day}::date)))`,
      )
      // By pinyin, as Chinese readers look a name up.
      .$if(page.after !== undefined, (query) =>
        query.where(
          sql<boolean>`(name collate "zh-x-icu", id) > (${page.after?.name}, ${page.after?.id}::bigint)`,
        ),
      )
      .orderBy(sql`name collate "zh-x-icu"`)
      .orderBy('id')
      .limit(page.limit)
  );
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
  readonly mergedIntoId: string | null;
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
    .select([...columns, 'source_id', 'identifier'])
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
    };
  });
}

/** Ids for organizations that are to be added. */
export async function takeOrganizationIds(tx: Executor, count: number): Promise<string[]> {
  const { rows } = await sql<{
    id: string;
  }>`select nextval((select pg_get_serial_sequence('organizations', 'id')::regclass)) as id from generate_series(1, ${count}::int)`.execute(
    tx,
  );
  return rows.map((row) => row.id);
}

/** Adds the new ones and changes those whose id is known; what became of these is kept, as of `today`. */
export async function saveOrganizations(
  tx: Executor,
  source: string,
  organizations: readonly RosterOrganization[],
  today: string,
): Promise<void> {
  if (organizations.length === 0) return;
  const text = (pick: (organization: RosterOrganization) => string | number | null) =>
    sql`${organizations.map(pick)}::text[]`;
  await sql`
    insert into organization_changes (organization_id, kind, changed_on, before, after)
    select known.id, change.kind, change.changed_on, change.before, change.after
    from unnest(${text((o) => o.id)}, ${text((o) => o.name)}, ${text((o) => o.division.code)}, ${text((o) => o.closedOn)}) as given (id, name, division_code, closed_on)
    join organizations known on known.id = given.id::bigint
    cross join lateral (values
      ('renamed', ${today}::date, known.name, given.name, known.name <> given.name),
      ('moved', ${today}::date, known.division_code, given.division_code, known.division_code <> given.division_code),
      ('closed', given.closed_on::date + 1, null, null, given.closed_on is not null and given.closed_on::date is distinct from known.closed_on),
      ('reopened', ${today}::date, null, null, given.closed_on is null and known.closed_on is not null)
    ) as change (kind, changed_on, before, after, is_so)
    where change.is_so order by known.id`.execute(tx);
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

/** Calls an organization otherwise, from a day on. */
export async function renameOrganization(
  tx: Executor,
  id: string,
  { name, on }: { name: string; on: string },
): Promise<void> {
  await sql`
    insert into organization_changes (organization_id, kind, changed_on, before, after)
    select id, 'renamed', ${on}::date, name, ${name} from organizations where id = ${id}::bigint`.execute(tx);
  await tx.updateTable('organizations').set({ name }).where('id', '=', id).execute();
}

/** Closes organizations the day before `on`; `intoId` goes on in their place, and in that of those which they had taken over. */
export async function mergeOrganizations(
  tx: Executor,
  ids: readonly string[],
  { intoId, on }: { intoId: string; on: string },
): Promise<void> {
  const those = sql`any(${ids}::bigint[])`;
  await sql`
    insert into organization_changes (organization_id, kind, changed_on, before, after)
    select id, 'merged', ${on}::date, null, ${intoId} from organizations where id = ${those} order by id`.execute(
    tx,
  );
  await sql`
    update organizations set closed_on = coalesce(closed_on, ${on}::date - 1), merged_into_id = ${intoId}::bigint, merged_on = ${on}::date
    where id = ${those} or merged_into_id = ${those}`.execute(tx);
}

/** What became of each, in the order of the days. Organization's id → changes. */
export async function listOrganizationChanges(
  db: Executor,
  ids: readonly string[],
): Promise<Map<string, OrganizationChange[]>> {
  const rows = await db
    .selectFrom('organization_changes')
    .select(['organization_id', 'kind', 'changed_on', 'before', 'after'])
    .where('organization_id', '=', sql<string>`any(${ids}::bigint[])`)
    .orderBy('changed_on')
    .orderBy('id')
    .execute();
  return Map.groupBy(
    rows.map((row) => ({
      organizationId: row.organization_id,
      kind: row.kind as OrganizationChange['kind'],
      changedOn: row.changed_on,
      before: row.before,
      after: row.after,
    })),
    (change) => change.organizationId,
  );
}

/** So that two changes of the same organizations follow each other. */
export async function lockOrganizations(tx: Executor, ids: readonly string[]): Promise<Organization[]> {
  const rows = await tx
    .selectFrom('organizations')
    .select(columns)
    .where('id', '=', sql<string>`any(${ids}::bigint[])`)
    .orderBy('id')
    // Not against an import that only refers to one of them.
    .forNoKeyUpdate()
    .execute();
  return rows.map(toOrganization);
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
  closed_on: string | null;
  merged_into_id: string | null;
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
    closedOn: row.closed_on,
    mergedIntoId: row.merged_into_id,
  };
}
