import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';

/**
 * The one person of a staff number; undefined where there is none, or are several. With a division: of those who hold a post or a grant
 * there on `day`, since each province numbers its staff by itself.
 */
export async function findPersonOfNumber(
  db: Executor,
  { staffNumber, divisionCode, day }: { staffNumber: string; divisionCode: string | undefined; day: string },
): Promise<string | undefined> {
  const code = divisionCode ?? null;
  const { rows } = await sql<{ id: string }>`
    select p.id from people p where p.staff_number = ${staffNumber} and (
      ${code}::text is null
      or exists (
        select from posts t join organizations o on o.id = t.organization_id
        where t.person_id = p.id and t.starts_on <= ${day}::date and (t.ends_on is null or t.ends_on >= ${day}::date)
        and ${code} in (o.province_code, o.prefecture_code, o.county_code))
      or exists (
        select from role_grants g left join organizations o on o.id = g.organization_id left join divisions d on d.code = g.division_code
        where g.person_id = p.id and g.revoked_at is null and g.starts_on <= ${day}::date and (g.ends_on is null or g.ends_on >= ${day}::date)
        and ${code} in (o.province_code, o.prefecture_code, o.county_code, d.province_code, d.prefecture_code, d.county_code)))
    limit 2`.execute(db);
  return rows.length === 1 ? rows[0]!.id : undefined;
}
