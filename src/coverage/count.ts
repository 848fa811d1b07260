import { sql, type RawBuilder } from 'kysely';
import { isQuery, type People } from '../people/holdings.ts';

/*
 * Counting from the posts and certificates themselves. SQL fragments: what is kept begins with them, is compared with them, and
 * any day but the kept one is answered by them.
 */

/** Which posts: a condition on a post `p` at its organization `o`. */
export type Which = RawBuilder<unknown>;

export const everyPost: Which = sql`true`;
export const postsOf = (people: People): Which =>
  isQuery(people) ? sql`p.person_id in (${people})` : sql`p.person_id = any(${people}::bigint[])`;

/** Which organizations `o` stand in these units; each kind of unit by its own column, so that an index finds them. @param units see `unitKey`. */
export function inUnits(units: readonly string[]): RawBuilder<unknown> {
  const codes = units.filter((unit) => !unit.startsWith('-'));
  const organizations = units.filter((unit) => unit.startsWith('-')).map((unit) => unit.slice(1));
  const divisions = sql`(o.county_code = any(${codes}::text[]) or o.prefecture_code = any(${codes}::text[]) or o.province_code = any(${codes}::text[]))`;
  const places = sql`o.id = any(${organizations}::bigint[])`;
  return codes.length === 0
    ? places
    : organizations.length === 0
      ? divisions
      : sql`(${divisions} or ${places})`;
}

/** Sets in which a certification counts: each of its roles, and all of them together. */
const countsIn = sql`s.roles <@ c.roles and (cardinality(s.roles) = 1 or s.roles @> c.roles)`;

/** The units above an organization, itself included: see `unitKey`. */
export const unitsAbove = sql`lateral (values (-o.id), (o.county_code::bigint), (o.prefecture_code::bigint), (o.province_code::bigint)) as u (unit)`;

/**
 * How many people count on `day` in each unit above these posts: (certification_id, role_set, unit, people), as in `Count`. A person
 * counts once in a unit, whatever posts they hold there. Most hold one post; they are added up by organization, and only those sums go
 * up the tree.
 * @param day an SQL date.
 * @param roleSet only this one; undefined = all.
 */
export function countOn(which: Which, day: RawBuilder<unknown>, roleSet?: number): RawBuilder<unknown> {
  const set = roleSet === undefined ? sql`true` : sql`s.id = ${roleSet}`;
  return sql`
    with held as materialized (
      select p.person_id, p.organization_id, p.role, count(*) over (partition by p.person_id) as posts
      from posts p join organizations o on o.id = p.organization_id
      where p.starts_on <= ${day} and (p.ends_on is null or p.ends_on >= ${day}) and ${which}
    ), valid as materialized (
      select distinct v.person_id, v.certification_id from (select distinct person_id from held) h join certificates v using (person_id)
      where v.valid_from <= ${day} and (v.valid_until is null or v.valid_until >= ${day}) and (v.revoked_on is null or v.revoked_on > ${day})
    ), by_organization as (
      select 0::bigint as certification_id, organization_id, role, count(*) as people from held where posts = 1 group by 2, 3
      union all
      select v.certification_id, h.organization_id, h.role, count(*) from held h join valid v using (person_id) where h.posts = 1 group by 1, 2, 3
    ), several as (
      select distinct h.person_id, s.id as role_set, u.unit
      from held h join organizations o on o.id = h.organization_id cross join ${unitsAbove} join coverage_role_sets s on s.roles @> array[h.role]
      where h.posts > 1 and u.unit is not null and ${set}
    )
    select certification_id, role_set, unit, sum(people)::int as people
    from (
      select b.certification_id, s.id as role_set, u.unit, b.people
      from by_organization b join organizations o on o.id = b.organization_id cross join ${unitsAbove}
      join coverage_role_sets s on s.roles @> array[b.role] left join certifications c on c.id = b.certification_id
      where u.unit is not null and ${set} and (b.certification_id = 0 or (${countsIn}))
      union all
      select 0, role_set, unit, count(*) from several group by 2, 3
      union all
      select v.certification_id, s.id, e.unit, count(*)
      from several e join valid v using (person_id) join certifications c on c.id = v.certification_id join coverage_role_sets s on s.id = e.role_set
      where ${countsIn} group by 1, 2, 3
    ) counted
    group by 1, 2, 3`;
}
