import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Role } from '../people/role.ts';
import type { Unit } from '../regions/division.ts';
import type { Coverage } from './coverage.ts';

/**
 * The kept numbers of some units (see `unitKey`) and sets of roles on a day: totals, moved to that day by the changes in between, and
 * what is pending. One statement, so that a fold at the same moment can't be seen by halves.
 * @returns unit → role set → coverage; what is not there is nobody.
 */
export async function readCoverage(
  db: Executor,
  asked: {
    readonly certificationId: string;
    readonly roleSets: readonly number[];
    readonly units: readonly string[];
    readonly day: string;
  },
): Promise<Map<string, Map<number, Coverage>>> {
  const those = sql`unit = any(${asked.units}::bigint[]) and role_set = any(${asked.roleSets}::smallint[]) and certification_id = any(array[0, ${asked.certificationId}::bigint])`;
  const kept = sql`(select day from coverage_state)`;
  const { rows } = await sql<{ unit: string; role_set: number; total: number; covered: number }>`
    select unit, role_set, coalesce(sum(n) filter (where certification_id = 0), 0)::int as total, coalesce(sum(n) filter (where certification_id <> 0), 0)::int as covered
    from (
      select unit, role_set, certification_id, people as n from coverage_totals where ${those}
      union all
      select unit, role_set, certification_id, case when day <= ${asked.day}::date then change else -change end from coverage_changes
      where ${kept} <> ${asked.day}::date and ${those} and day > least(${kept}, ${asked.day}::date) and day <= greatest(${kept}, ${asked.day}::date)
      union all
      select unit, role_set, certification_id, change from coverage_pending where ${those} and day <= ${asked.day}::date
    ) numbers group by unit, role_set`.execute(db);
  const found = new Map<string, Map<number, Coverage>>();
  for (const row of rows) {
    let unit = found.get(row.unit);
    if (unit === undefined) found.set(row.unit, (unit = new Map()));
    unit.set(row.role_set, { total: row.total, covered: row.covered });
  }
  return found;
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
