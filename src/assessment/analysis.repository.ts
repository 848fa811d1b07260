import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Counts } from './analysis.ts';
import { correlation, type ScoreSums } from './psychometrics.ts';

/** The latest so many attempts are counted: more would take longer and say no more. */
export const MOST_COUNTED = 20_000;
/** Attempts are counted in whole groups of so many, so that no one person's answers show in what a number changes by. */
export const TOGETHER = 5;
/** The high and the low group: the share at each end that tells most of them apart (Kelley 1939). Who ties with the last is in. */
const END_SHARE = 0.27;

export async function listVersionsOf(
  db: Executor,
  slug: string,
): Promise<{ readonly id: string; readonly version: string; readonly isCurrent: boolean }[]> {
  return (
    await db
      .selectFrom('course_versions')
      .select(['id', 'version', 'is_current'])
      .where('slug', '=', slug)
      .orderBy('id')
      .execute()
  ).map((row) => ({ id: row.id, version: row.version, isCurrent: row.is_current }));
}

export interface Counted {
  readonly sums: ScoreSums;
  readonly items: readonly Counts[];
}

/**
 * Adds up first attempts that are graded and in which anything at all was answered. An item counts together with the items of other
 * versions that have its key and, letter for letter, its text; it goes by its id in `versionId`.
 *
 * The score on the rest is the mean deviation of the other items' points from their items' means: where everybody sits the same items
 * that ranks like the number right; where items are drawn, it takes the luck of the draw out. Questions of one vignette are left out
 * together: they would lift each other.
 */
export async function countAnswers(
  db: Executor,
  versionId: string,
  versionIds: readonly string[],
): Promise<Counted> {
  const { rows } = await sql<Row>`
    with graded as (
      select t.id, row_number() over (order by t.submitted_at, t.id) as at, count(*) over () as of
      from attempts t join assignments a on a.id = t.assignment_id
      where a.course_version_id = any(${versionIds}::bigint[]) and t.number = 1 and t.submitted_at is not null
        and exists (select from responses r where r.attempt_id = t.id and r.chosen <> '{}')
    ), counted as materialized (
      select id from graded where at <= of - of % ${TOGETHER}::int and at > of - of % ${TOGETHER}::int - ${MOST_COUNTED}::int
    ), questions as materialized (
      select i.id as item, coalesce(b.id, i.id) as question, coalesce(i.body #>> '{vignette,key}', 'item ' || i.id) as bundle
      from items i left join items b on b.course_version_id = ${versionId}::bigint and b.key = i.key and b.body = i.body
      where i.course_version_id = any(${versionIds}::bigint[])
    ), answers as materialized (
      select r.attempt_id as attempt, q.question, q.bundle, r.chosen, r.points::float8 as x,
        r.points::float8 - avg(r.points::float8) over (partition by q.question) as d
      from counted c join responses r on r.attempt_id = c.id join questions q on q.item = r.item_id
      where r.points is not null
    ), bundles as materialized (
      select attempt, bundle, count(*)::float8 as k, sum(d) as d, sum(d * d) as dd, sum(x) as x from answers group by 1, 2
    ), sittings as materialized (
      select attempt, sum(k) as k, sum(k * k) as kk, sum(d) as d, sum(d * d) as "bundleSquares", sum(dd) as dd, sum(x) as x from bundles group by 1
    ), rests as materialized (
      select a.question, a.chosen, a.x, (s.d - b.d) / nullif(s.k - b.k, 0) as y
      from answers a join bundles b using (attempt, bundle) join sittings s using (attempt)
    ), ranked as materialized (
      -- Equal scores must be equal after rounding too: a hair apart, they would not tie.
      select question, chosen, x, y,
        rank() over (partition by question order by round(y * 1e9) desc) <= ceil(${END_SHARE}::float8 * count(*) over (partition by question)) as high,
        rank() over (partition by question order by round(y * 1e9)) <= ceil(${END_SHARE}::float8 * count(*) over (partition by question)) as low
      from rests
    ), of_options as (
      select question, jsonb_object_agg(option, jsonb_build_array(everybody, high, low)) as chosen from (
        select question, option, count(*) as everybody, count(*) filter (where high) as high, count(*) filter (where low) as low
        from ranked, unnest(chosen) as option group by 1, 2) each group by 1
    ), of_items as (
      select question, count(*) as n, count(*) filter (where chosen = '{}') as unanswered, avg(x) as mean,
        sum(x) as x, sum(y) as y, sum(x * x) as xx, sum(y * y) as yy, sum(x * y) as xy,
        count(*) filter (where high) as high, count(*) filter (where low) as low
      from ranked group by 1
    ), of_all as (
      select count(*) as attempts, sum(k) as answers, sum(k * k - kk) as pairs, sum(dd) as "deviationSquares",
        sum(d * d - "bundleSquares") as "deviationProducts", sum(x / k) as scores, sum((x / k) ^ 2) as "scoreSquares"
      from sittings
    )
    select of_all.*, i.question, i.n::int, i.unanswered::int, i.mean, i.x, i.y, i.xx, i.yy, i.xy, i.high::int, i.low::int, o.chosen
    from of_all left join of_items i on true left join of_options o using (question)`.execute(db);
  const [first] = rows;
  const number = (key: keyof ScoreSums): number => Number(first?.[key] ?? 0);
  return {
    sums: {
      attempts: number('attempts'),
      answers: number('answers'),
      pairs: number('pairs'),
      deviationSquares: number('deviationSquares'),
      deviationProducts: number('deviationProducts'),
      scores: number('scores'),
      scoreSquares: number('scoreSquares'),
    },
    items: rows
      .filter(({ question }) => question !== null)
      .map((row) => ({
        itemId: row.question!,
        answers: row.n,
        unanswered: row.unanswered,
        facility: row.mean,
        // Sums over the rest are null where an exam has one item.
        discrimination:
          row.y === null
            ? undefined
            : correlation({ n: row.n, x: row.x, y: row.y, xx: row.xx, yy: row.yy!, xy: row.xy! }),
        high: row.high,
        low: row.low,
        chosen: new Map(Object.entries(row.chosen ?? {})),
      })),
  };
}

type Row = { readonly [key in keyof ScoreSums]: number | string | null } & {
  readonly question: string | null;
  readonly n: number;
  readonly unanswered: number;
  readonly mean: number;
  readonly x: number;
  readonly y: number | null;
  readonly xx: number;
  readonly yy: number | null;
  readonly xy: number | null;
  readonly high: number;
  readonly low: number;
  readonly chosen: Readonly<Record<string, readonly [number, number, number]>> | null;
};
