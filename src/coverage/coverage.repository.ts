import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Role } from '../people/role.ts';
import type { Unit } from '../regions/division.ts';
import type { Coverage } from './coverage.ts';

export interface CoverageQuestion {
  readonly certificationId: string;
  /** A person with two of them counts once. */
  readonly roles: readonly Role[];
  readonly unit: Unit;
  readonly day: string;
}

/** The holders of the roles in the unit on the day, each once per `part`, with whether a certificate covers them then. */
function holders(
  { certificationId, roles, unit, day }: CoverageQuestion,
  part: RawBuilder<unknown>,
): RawBuilder<unknown> {
  const inside =
    unit.kind === 'organization'
      ? sql`o.id = ${unit.id}::bigint`
      : sql`(o.county_code = ${unit.code} or o.prefecture_code = ${unit.code} or o.province_code = ${unit.code})`;
  return sql`
    select distinct ${part} as part, p.person_id, exists (
      select 1 from certificates c where c.person_id = p.person_id and c.certification_id = ${certificationId}::bigint
      and c.valid_from <= ${day}::date and (c.valid_until is null or c.valid_until >= ${day}::date) and (c.revoked_on is null or c.revoked_on > ${day}::date)
    ) as covered
    from posts p join organizations o on o.id = p.organization_id
    where p.role = any(${roles}::text[]) and p.starts_on <= ${day}::date and (p.ends_on is null or p.ends_on >= ${day}::date) and ${inside}`;
}

export async function computeCoverage(db: Executor, question: CoverageQuestion): Promise<Coverage> {
  const { rows } = await sql<{
    covered: string;
    total: string;
  }>`select count(*) filter (where covered) as covered, count(*) as total from (${holders(question, sql`1`)}) h`.execute(
    db,
  );
  return { covered: Number(rows[0]!.covered), total: Number(rows[0]!.total) };
}

/** The same for each division right below (`below` names the column that tells them apart), and for organizations of a county. */
export async function computeChildCoverage(
  db: Executor,
  question: CoverageQuestion,
  below: 'prefecture_code' | 'county_code' | 'organization',
): Promise<(Coverage & { part: string })[]> {
  const part = below === 'organization' ? sql`o.id::text` : sql.ref(`o.${below}`);
  const { rows } = await sql<{ part: string | null; covered: string; total: string }>`
    select part, count(*) filter (where covered) as covered, count(*) as total from (${holders(question, part)}) h group by part`.execute(
    db,
  );
  return rows.flatMap((row) =>
    row.part === null ? [] : { part: row.part, covered: Number(row.covered), total: Number(row.total) },
  );
}
