import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Role } from '../people/role.ts';
import type { Unit } from '../regions/division.ts';
import type { AnsweringUnit, Pairs } from './efficacy-change.ts';

export interface PairsAsked {
  readonly certificationId: string;
  readonly roles: readonly Role[];
  readonly day: string;
  readonly scaleKey: string;
  readonly scaleVersion: number;
  readonly from: string;
  readonly to: string;
}

/** Who answered both times, once each, and the posts that they hold on the day. */
const answered = (asked: PairsAsked): RawBuilder<unknown> => sql`
  pairs as (
    select distinct on (a.person_id) a.person_id, b.at as before, c.at as after, greatest(b.given_at, c.given_at) as since
    from assignments a
      cross join lateral (select given_at, (select avg(x) from unnest(answers) x) as at from efficacy_answers e
        where e.assignment_id = a.id and wave = ${asked.from} and answers is not null and scale_key = ${asked.scaleKey} and scale_version = ${asked.scaleVersion}) b
      cross join lateral (select given_at, (select avg(x) from unnest(answers) x) as at from efficacy_answers e
        where e.assignment_id = a.id and wave = ${asked.to} and answers is not null and scale_key = ${asked.scaleKey} and scale_version = ${asked.scaleVersion}) c
    where a.certification_id = ${asked.certificationId}::bigint
    order by a.person_id, a.period desc
  ), places as (
    select distinct p.person_id, o.id, o.province_code, o.prefecture_code, o.county_code
    from pairs join posts p using (person_id) join organizations o on o.id = p.organization_id
    where p.role = any(${asked.roles}::text[]) and p.starts_on <= ${asked.day}::date and (p.ends_on is null or p.ends_on >= ${asked.day}::date)
  )`;

/** How many in every unit of a province where anybody did. */
export async function countAnswering(
  db: Executor,
  asked: PairsAsked,
  provinceCode: string,
): Promise<AnsweringUnit[]> {
  const { rows } = await sql<AnsweringUnit>`
    with ${answered(asked)}
    select key, above, count(distinct person_id)::int as people from places cross join lateral (values
      (province_code, null), (prefecture_code, province_code), (county_code, coalesce(prefecture_code, province_code)),
      ('-' || id, coalesce(county_code, prefecture_code, province_code))) as unit (key, above)
    where province_code = ${provinceCode} and key is not null group by key, above order by key`.execute(db);
  return rows;
}

/** Of the `counted` people in a unit who were the first to have answered both times. */
export async function summarizePairs(
  db: Executor,
  asked: PairsAsked,
  unit: Unit,
  counted: number,
): Promise<Pairs> {
  const inside =
    unit.kind === 'organization'
      ? sql`id = ${unit.id}::bigint`
      : sql`${unit.code} in (province_code, prefecture_code, county_code)`;
  const { rows } = await sql<{
    people: number;
    before: number;
    after: number;
    sd: number;
    correlation: number | null;
  }>`
    with ${answered(asked)}
    select count(*)::int as people, avg(before)::float8 as before, avg(after)::float8 as after, stddev_samp(before)::float8 as sd, corr(before, after) as correlation
    from (select before, after from pairs where exists (select from places where places.person_id = pairs.person_id and ${inside})
      order by since, person_id limit ${counted}) first`.execute(db);
  const { people, before, after, sd, correlation } = rows[0]!;
  return { people, meanBefore: before, meanAfter: after, sdBefore: sd, correlation };
}
