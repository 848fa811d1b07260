import { sql, type Expression, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Role } from '../people/role.ts';
import type { Unit } from '../regions/division.ts';
import { countOn, inUnits } from './count.ts';
import type { Coverage } from './coverage.ts';

export interface CoverageQuestion {
  readonly certificationId: string;
  readonly roleSets: readonly number[];
  /** See `unitKey`. */
  readonly units: readonly string[];
}

/** Units by their keys, or as selects of them. */
export type KeptUnits =
  readonly string[] | { readonly codes: Expression<unknown>; readonly organizationIds: Expression<unknown> };

/** unit → role set → coverage; what is not there is nobody. */
export type CoverageNumbers = ReadonlyMap<string, ReadonlyMap<number, Coverage>>;

/**
 * The numbers as they are kept, with what is pending. One statement, so that a fold at the same moment can't be seen by halves.
 * @param asked.roleSets undefined = all there are: where it is asked before the roles are known.
 * @returns undefined when another day than `day` is kept.
 */
export async function readKept(
  db: Executor,
  asked: {
    readonly certificationId: string;
    readonly roleSets: readonly number[] | undefined;
    readonly units: KeptUnits;
  },
  day: string,
): Promise<CoverageNumbers | undefined> {
  const ofSets =
    asked.roleSets === undefined ? sql`` : sql`and role_set = any(${asked.roleSets}::smallint[])`;
  const units =
    'codes' in asked.units
      ? sql`array(select code::bigint from ${asked.units.codes} divisions union all select -id from ${asked.units.organizationIds} organizations)`
      : sql`${asked.units}::bigint[]`;
  const those = sql`unit = any((select keys from asked)::bigint[]) ${ofSets} and certification_id = any(array[0, ${asked.certificationId}::bigint])`;
  // A list for each column: taking hundreds of rows apart would take longer than finding them.
  const { rows } = await sql<{
    is_kept: boolean;
    units: string | null;
    role_sets: string | null;
    certifications: string | null;
    people: string | null;
  }>`
    ${prepared} with asked as materialized (select ${units} as keys)
    select exists (select from coverage_state where day = ${day}::date) as is_kept, string_agg(unit::text, ',') as units,
      string_agg(role_set::text, ',') as role_sets, string_agg(certification_id::text, ',') as certifications, string_agg(people::text, ',') as people
    from (
      select unit, role_set, certification_id, people from coverage_totals where ${those}
      union all select unit, role_set, certification_id, change from coverage_pending where ${those}
    ) numbers`.execute(db);
  const { is_kept: isKept, ...lists } = rows[0]!;
  if (!isKept) return undefined;
  const elements = (list: string | null): string[] => list?.split(',') ?? [];
  const [keys, roleSets, certifications, people] = [
    elements(lists.units),
    elements(lists.role_sets),
    elements(lists.certifications),
    elements(lists.people),
  ];
  return numbersOf(
    keys.map((unit, at) => ({
      unit,
      role_set: Number(roleSets[at]),
      certification_id: certifications[at]!,
      people: Number(people[at]),
    })),
  );
}

/** The same, counted for any day from the posts at the organizations of these units. */
export async function countCoverage(
  db: Executor,
  asked: CoverageQuestion,
  day: string,
): Promise<CoverageNumbers> {
  const { rows } = await sql<Row>`
    select unit, role_set, certification_id, people from (${countOn(inUnits(asked.units), sql`${day}::date`)}) counted
    where unit = any(${asked.units}::bigint[]) and role_set = any(${asked.roleSets}::smallint[]) and certification_id = any(array[0, ${asked.certificationId}::bigint])`.execute(
    db,
  );
  return numbersOf(rows);
}

interface Row {
  readonly unit: string;
  readonly role_set: number;
  readonly certification_id: string;
  readonly people: number;
}

function numbersOf(rows: readonly Row[]): CoverageNumbers {
  const numbers = new Map<string, Map<number, { total: number; covered: number }>>();
  for (const row of rows) {
    let unit = numbers.get(row.unit);
    if (unit === undefined) numbers.set(row.unit, (unit = new Map()));
    let coverage = unit.get(row.role_set);
    if (coverage === undefined) unit.set(row.role_set, (coverage = { total: 0, covered: 0 }));
    coverage[row.certification_id === '0' ? 'total' : 'covered'] += row.people;
  }
  return numbers;
}

export interface UncoveredPerson {
  readonly personId: string;
  /** The first of the unit's organizations where the person holds one of the roles. */
  readonly organizationId: string;
  readonly roles: readonly Role[];
}

/** Who holds one of the roles in the unit on the day and is not covered then, organization by organization, each person once. */
export async function listUncovered(
  db: Executor,
  asked: {
    readonly certificationId: string;
    readonly roles: readonly Role[];
    readonly unit: Unit & { readonly level?: 'province' | 'prefecture' | 'county' };
    readonly day: string;
  },
  page: { after: Pick<UncoveredPerson, 'organizationId' | 'personId'> | undefined; limit: number },
): Promise<UncoveredPerson[]> {
  const inside = (organization: string): RawBuilder<unknown> =>
    asked.unit.kind === 'organization'
      ? sql`${sql.ref(`${organization}.id`)} = ${asked.unit.id}::bigint`
      : sql`${sql.ref(`${organization}.${asked.unit.level}_code`)} = ${asked.unit.code}`;
  const held = (post: string): RawBuilder<unknown> =>
    sql`${sql.ref(`${post}.role`)} = any(${asked.roles}::text[]) and ${sql.ref(`${post}.starts_on`)} <= ${asked.day}::date and (${sql.ref(`${post}.ends_on`)} is null or ${sql.ref(`${post}.ends_on`)} >= ${asked.day}::date)`;
  const { organizationId, personId } = page.after ?? { organizationId: '0', personId: '0' };
  // The organizations come in order from an index and each has few people, so that a page reads little more than it shows.
  const { rows } = await sql<{ organization_id: string; person_id: string; roles: Role[] }>`
    select o.id as organization_id, here.person_id, here.roles
    from organizations o cross join lateral (
      select p.person_id, array_agg(distinct p.role order by p.role) as roles from posts p
      where p.organization_id = o.id and ${held('p')} and (o.id, p.person_id) > (${organizationId}::bigint, ${personId}::bigint)
        and not exists (select 1 from certificates c where c.person_id = p.person_id and c.certification_id = ${asked.certificationId}::bigint
          and c.valid_from <= ${asked.day}::date and (c.valid_until is null or c.valid_until >= ${asked.day}::date) and (c.revoked_on is null or c.revoked_on > ${asked.day}::date))
        and not exists (select 1 from posts q join organizations r on r.id = q.organization_id
          where q.person_id = p.person_id and r.id < o.id and ${held('q')} and ${inside('r')})
      group by p.person_id order by p.person_id
    ) here
    where ${inside('o')} and o.id >= ${organizationId}::bigint
    order by o.id limit ${page.limit}`.execute(db);
  return rows.map((row) => ({
    personId: row.person_id,
    organizationId: row.organization_id,
    roles: row.roles,
  }));
}
