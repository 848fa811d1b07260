import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { GrantRole } from '../people/permission.ts';
import type { Scope, Unit } from '../regions/division.ts';
import type { RoleGrant } from './grant.ts';

export interface NewGrant {
  readonly personId: string;
  readonly role: GrantRole;
  readonly scope: Scope;
  readonly startsOn: string;
  readonly endsOn: string | null;
  readonly grantedBy: string | null;
  readonly grantedAt: Date;
  readonly reason: string;
}

/** Who gives and who ends wait for each other: what they judge by must not change under them. Readers wait for nobody. */
export async function lockGrants(tx: Executor): Promise<void> {
  await sql`lock table role_grants in share row exclusive mode`.execute(tx);
}

export async function insertGrant(tx: Executor, grant: NewGrant): Promise<string> {
  const { id } = await tx
    .insertInto('role_grants')
    .values({
      person_id: grant.personId,
      role: grant.role,
      division_code: grant.scope.kind === 'division' ? grant.scope.code : null,
      organization_id: grant.scope.kind === 'organization' ? grant.scope.id : null,
      starts_on: grant.startsOn,
      ends_on: grant.endsOn,
      granted_by: grant.grantedBy,
      granted_at: grant.grantedAt,
      reason: grant.reason,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** @param end `endsOn`: its last day from now on; `revokedAt`: it ends at once and keeps the last day it was given. */
export async function endGrant(
  tx: Executor,
  id: string,
  end: {
    readonly endsOn: string | null;
    readonly revokedAt: Date | null;
    readonly by: string;
    readonly at: Date;
    readonly reason: string;
  },
): Promise<void> {
  await tx
    .updateTable('role_grants')
    .set({
      ends_on: end.endsOn,
      revoked_at: end.revokedAt,
      ended_by: end.by,
      ended_at: end.at,
      end_reason: end.reason,
    })
    .where('id', '=', id)
    .execute();
}

export async function findGrant(db: Executor, id: string): Promise<RoleGrant | undefined> {
  return (await listGrants(db, sql`g.id = ${id}::bigint`, 1))[0];
}

/** Of each of these people, newest first. */
export async function listGrantsOf(db: Executor, personIds: readonly string[]): Promise<RoleGrant[]> {
  return listGrants(db, sql`g.person_id = any(${personIds}::bigint[])`, null);
}

/** Of the whole nation, in this role, that are not over on `day`. */
export async function listNational(db: Executor, role: GrantRole, day: string): Promise<RoleGrant[]> {
  return listGrants(
    db,
    sql`g.role = ${role} and g.division_code is null and g.organization_id is null and ${notOver(day)}`,
    null,
  );
}

export interface GrantPage {
  /** Id of the last one seen. */
  readonly after: string | undefined;
  readonly limit: number;
}

/** Those whose scope lies in a unit, newest first. @param notOverOn leaves out what is over on this day. */
export async function listGrantsIn(
  db: Executor,
  unit: Unit | null,
  { notOverOn, page }: { notOverOn: string | null; page: GrantPage },
): Promise<RoleGrant[]> {
  const within =
    unit === null
      ? sql`true`
      : unit.kind === 'organization'
        ? sql`g.organization_id = ${unit.id}::bigint`
        : sql`(${unit.code} in (d.province_code, d.prefecture_code, d.county_code) or ${unit.code} in (o.province_code, o.prefecture_code, o.county_code))`;
  return listGrants(
    db,
    sql`${within} and (${page.after ?? null}::bigint is null or g.id < ${page.after ?? null}::bigint)
      and ${notOverOn === null ? sql`true` : notOver(notOverOn)}`,
    page.limit,
  );
}

function notOver(day: string): RawBuilder<unknown> {
  return sql`(g.revoked_at is null and (g.ends_on is null or g.ends_on >= ${day}::date))`;
}

async function listGrants(
  db: Executor,
  which: RawBuilder<unknown>,
  limit: number | null,
): Promise<RoleGrant[]> {
  const { rows } = await sql<{
    id: string;
    person_id: string;
    role: GrantRole;
    division_code: string | null;
    organization_id: string | null;
    province_code: string | null;
    prefecture_code: string | null;
    county_code: string | null;
    starts_on: string;
    ends_on: string | null;
    granted_by: string | null;
    granted_at: Date | null;
    reason: string;
    ended_at: Date | null;
    ended_by: string | null;
    end_reason: string | null;
    revoked_at: Date | null;
  }>`
    select g.id, g.person_id, g.role, g.division_code, g.organization_id, coalesce(d.province_code, o.province_code) as province_code,
      coalesce(d.prefecture_code, o.prefecture_code) as prefecture_code, coalesce(d.county_code, o.county_code) as county_code,
      g.starts_on, g.ends_on, g.granted_by, g.granted_at, g.reason, g.ended_at, g.ended_by, g.end_reason, g.revoked_at
    from role_grants g left join divisions d on d.code = g.division_code left join organizations o on o.id = g.organization_id
    where ${which} order by g.id desc limit ${limit}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    personId: row.person_id,
    role: row.role,
    scope:
      row.division_code !== null
        ? { kind: 'division', code: row.division_code }
        : row.organization_id !== null
          ? { kind: 'organization', id: row.organization_id }
          : { kind: 'nation' },
    place: {
      provinceCode: row.province_code,
      prefectureCode: row.prefecture_code,
      countyCode: row.county_code,
      ...(row.organization_id === null ? {} : { organizationId: row.organization_id }),
    },
    startsOn: row.starts_on,
    endsOn: row.ends_on,
    grantedBy: row.granted_by,
    grantedAt: row.granted_at,
    reason: row.reason,
    endedAt: row.ended_at,
    endedBy: row.ended_by,
    endReason: row.end_reason,
    revokedAt: row.revoked_at,
  }));
}
