import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Role } from '../people/role.ts';
import type { Certification, Renewal } from '../programmes/certification.ts';

/** Held by whoever assigns renewals, a batch at a time. */
const RENEWAL_LOCK = 0x78_71_72_6e; // 'xqrn'

export async function lockRenewing(tx: Executor): Promise<void> {
  await sql`select pg_advisory_xact_lock(${RENEWAL_LOCK})`.execute(tx);
}

/** A place in the list of certificates by their end. */
export interface After {
  readonly validUntil: string;
  readonly id: string;
}

/**
 * Who is to renew, in the order in which their certificates end: their latest one was not ended before time and ends by `until`, they hold
 * one of the roles on `day` at an organization of the certification's division, and of a later period they have nothing.
 * @param page.after exclusive; undefined = from the first.
 */
export async function listDue(
  tx: Executor,
  certification: Pick<Certification, 'id' | 'roles' | 'divisionCode'>,
  { day, until }: { day: string; until: string },
  page: { after: After | undefined; limit: number },
): Promise<(Renewal & { readonly after: After })[]> {
  const { after, limit } = page;
  const { rows } = await sql<{
    id: string;
    person_id: string;
    period: number;
    valid_until: string;
    role: Role;
  }>`
    select c.id, c.person_id, c.period + 1 as period, c.valid_until, held.role
    from certificates c
    cross join lateral (
      select p.role from posts p join organizations o on o.id = p.organization_id
      where p.person_id = c.person_id and p.role = any(${certification.roles}::text[]) and p.starts_on <= ${day}::date and (p.ends_on is null or p.ends_on >= ${day}::date)
        and ${certification.divisionCode} in (o.province_code, o.prefecture_code, o.county_code)
      order by array_position(${certification.roles}::text[], p.role) limit 1
    ) held
    where c.certification_id = ${certification.id}::bigint and c.revoked_on is null and c.valid_until <= ${until}::date
      and (c.valid_until, c.id) > (${after?.validUntil ?? '-infinity'}::date, ${after?.id ?? '0'}::bigint)
      and not exists (select from assignments a where a.person_id = c.person_id and a.certification_id = c.certification_id and a.period > c.period)
      and not exists (select from certificates l where l.person_id = c.person_id and l.certification_id = c.certification_id and l.period > c.period and l.superseded_at is null)
    order by c.valid_until, c.id limit ${limit}`.execute(tx);
  return rows.map((row) => ({
    personId: row.person_id,
    period: row.period,
    // What has lapsed can't be asked for by a day that has passed.
    dueOn: row.valid_until < day ? day : row.valid_until,
    role: row.role,
    after: { validUntil: row.valid_until, id: row.id },
  }));
}

/**
 * See `Standings`.
 * @param until by when a certificate has to end for its holder to renew; null: it has to have ended before `day`.
 */
export async function listNextPeriods(
  db: Executor,
  certificationId: string,
  personIds: readonly string[],
  { day, until }: { day: string; until: string | null },
): Promise<Map<string, number>> {
  const { rows } = await sql<{ person_id: string; period: number }>`
    select g.person_id, latest.period + case when c.revoked_on is not null or c.valid_until < ${day}::date or c.valid_until <= ${until}::date then 1 else 0 end as period
    from unnest(${personIds}::bigint[]) as g (person_id)
    cross join lateral (select greatest(1,
      (select max(a.period) from assignments a where a.person_id = g.person_id and a.certification_id = ${certificationId}::bigint),
      (select max(m.period) from certificates m where m.person_id = g.person_id and m.certification_id = ${certificationId}::bigint and m.superseded_at is null)) as period) latest
    left join certificates c on c.person_id = g.person_id and c.certification_id = ${certificationId}::bigint and c.period = latest.period and c.superseded_at is null`.execute(
    db,
  );
  return new Map(rows.map((row) => [row.person_id, row.period]));
}
