import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import {
  NOTHING_REPORTED,
  type Indicator,
  type IndicatorKind,
  type IndicatorLevel,
  type IndicatorSum,
} from './indicator.ts';
import { unitsAbove } from './count.ts';

export async function findIndicator(db: Executor, id: string): Promise<Indicator | undefined> {
  const row = await db.selectFrom('indicators').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toIndicator(row);
}

/** The nation's, and those of these divisions; the nation's first, then in code order. */
export async function listIndicators(db: Executor, divisionCodes: readonly string[]): Promise<Indicator[]> {
  const rows = await db
    .selectFrom('indicators')
    .selectAll()
    .where((eb) =>
      eb.or([
        eb('division_code', 'is', null),
        eb('division_code', '=', sql<string>`any(${divisionCodes}::text[])`),
      ]),
    )
    .orderBy(sql`division_code nulls first`)
    .orderBy('code')
    .execute();
  return rows.map(toIndicator);
}

/** @returns the id; undefined where the division has one of this code. */
export async function insertIndicator(
  tx: Executor,
  indicator: Omit<Indicator, 'id'> & { createdBy: string; createdAt: Date },
): Promise<string | undefined> {
  const row = await tx
    .insertInto('indicators')
    .values({
      division_code: indicator.divisionCode,
      code: indicator.code,
      title_zh: indicator.title['zh-CN'],
      title_en: indicator.title.en,
      measure_zh: indicator.measure['zh-CN'],
      measure_en: indicator.measure.en,
      kind: indicator.kind,
      level: indicator.level,
      counts_people: indicator.countsPeople,
      created_by: indicator.createdBy,
      created_at: indicator.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['division_code', 'code']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

/** What was reported of these indicators by `day` for each of these units: unit → indicator → sum. What is not there is not asked there. */
export async function sumIndicators(
  db: Executor,
  indicatorIds: readonly string[],
  units: readonly string[],
  day: string,
): Promise<Map<string, Map<string, IndicatorSum>>> {
  const { rows } = await sql<{
    asked: string;
    indicator_id: string;
    expected: number;
    reported: number;
    numerator: string;
    denominator: string;
    oldest_on: string | null;
  }>`
    with reporting as (
      select 'organization' as level, -o.id as unit, u.unit as asked from organizations o cross join ${unitsAbove}
      where u.unit = any(${units}::bigint[]) and (o.closed_on is null or o.closed_on >= ${day}::date)
        and exists (select 1 from indicators i where i.id = any(${indicatorIds}::bigint[]) and i.level = 'organization')
      union all
      select d.level, d.code::bigint, u.unit from divisions d
      cross join lateral (values (d.county_code::bigint), (d.prefecture_code::bigint), (d.province_code::bigint)) as u (unit)
      where u.unit = any(${units}::bigint[])
    )
    select r.asked, i.id as indicator_id, count(*)::int as expected, count(v.day)::int as reported,
      coalesce(sum(v.numerator), 0) as numerator, coalesce(sum(v.denominator), 0) as denominator, min(v.day) as oldest_on
    from indicators i join reporting r on r.level = i.level
    left join lateral (
      select v.day, v.numerator, v.denominator from indicator_values v
      where v.indicator_id = i.id and v.unit = r.unit and v.day <= ${day}::date order by v.day desc, v.id desc limit 1
    ) v on true
    where i.id = any(${indicatorIds}::bigint[])
    group by 1, 2`.execute(db);
  const sums = new Map<string, Map<string, IndicatorSum>>();
  for (const row of rows) {
    let unit = sums.get(row.asked);
    if (unit === undefined) sums.set(row.asked, (unit = new Map()));
    unit.set(row.indicator_id, {
      ...NOTHING_REPORTED,
      expected: row.expected,
      reported: row.reported,
      numerator: Number(row.numerator),
      denominator: Number(row.denominator),
      oldestOn: row.oldest_on,
    });
  }
  return sums;
}

export interface IndicatorValue {
  readonly id: string;
  readonly since: string | null;
  readonly day: string;
  readonly numerator: number;
  readonly denominator: number | null;
  readonly source: string;
  readonly importedBy: string | null;
  readonly importedAt: Date;
  /** Whether no later import said otherwise for this day. */
  readonly holds: boolean;
}

/** What one unit ever reported, latest day first, and of a day the latest import first. */
export async function listIndicatorValues(
  db: Executor,
  asked: { readonly indicatorId: string; readonly unit: string },
  page: { after: { day: string; id: string } | undefined; limit: number },
): Promise<IndicatorValue[]> {
  const { rows } = await sql<{
    id: string;
    since: string | null;
    day: string;
    numerator: number;
    denominator: number | null;
    source: string;
    imported_by: string | null;
    imported_at: Date;
    holds: boolean;
  }>`
    select v.id, v.since, v.day, v.numerator, v.denominator, m.source, m.imported_by, m.imported_at,
      not exists (select 1 from indicator_values later
        where later.indicator_id = v.indicator_id and later.unit = v.unit and later.day = v.day and later.id > v.id) as holds
    from indicator_values v join indicator_imports m on m.id = v.import_id
    where v.indicator_id = ${asked.indicatorId}::bigint and v.unit = ${asked.unit}::bigint
      and (${page.after?.day ?? null}::date is null or (v.day, v.id) < (${page.after?.day ?? null}::date, ${page.after?.id ?? null}::bigint))
    order by v.day desc, v.id desc limit ${page.limit}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    since: row.since,
    day: row.day,
    numerator: row.numerator,
    denominator: row.denominator,
    source: row.source,
    importedBy: row.imported_by,
    importedAt: row.imported_at,
    holds: row.holds,
  }));
}

export interface NewValue {
  readonly unit: string;
  readonly since: string | null;
  readonly day: string;
  readonly numerator: number;
  readonly denominator: number | null;
}

/** Two imports of one indicator come one after the other. */
export async function lockIndicator(tx: Executor, id: string): Promise<void> {
  await tx.selectFrom('indicators').select('id').where('id', '=', id).forUpdate().execute();
}

/** The values that hold now for these units and days, as `unit day` → value. */
export async function listHolding(
  tx: Executor,
  indicatorId: string,
  keys: readonly Pick<NewValue, 'unit' | 'day'>[],
): Promise<Map<string, NewValue>> {
  const { rows } = await sql<NewValue>`
    select distinct on (v.unit, v.day) v.unit, v.day, v.since, v.numerator, v.denominator
    from indicator_values v join unnest(${keys.map((key) => key.unit)}::bigint[], ${keys.map((key) => key.day)}::date[]) as given (unit, day)
      on given.unit = v.unit and given.day = v.day
    where v.indicator_id = ${indicatorId}::bigint order by v.unit, v.day, v.id desc`.execute(tx);
  return new Map(rows.map((row) => [`${row.unit} ${row.day}`, row]));
}

/** @returns the id of the import. */
export async function insertIndicatorValues(
  tx: Executor,
  given: {
    indicatorId: string;
    divisionCode: string;
    source: string;
    importedBy: string;
    importedAt: Date;
  },
  values: readonly NewValue[],
): Promise<string> {
  const { id } = await tx
    .insertInto('indicator_imports')
    .values({
      indicator_id: given.indicatorId,
      division_code: given.divisionCode,
      source: given.source,
      imported_by: given.importedBy,
      imported_at: given.importedAt,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await sql`
    insert into indicator_values (import_id, indicator_id, unit, since, day, numerator, denominator)
    select ${id}::bigint, ${given.indicatorId}::bigint, * from unnest(${values.map((v) => v.unit)}::bigint[], ${values.map((v) => v.since)}::date[],
      ${values.map((v) => v.day)}::date[], ${values.map((v) => v.numerator)}::int[], ${values.map((v) => v.denominator)}::int[])`.execute(
    tx,
  );
  return id;
}

/** Organizations of a division that have one of these identifiers: identifier → keys as units; more than one is told. */
export async function listByIdentifier(
  db: Executor,
  divisionCode: string,
  identifiers: readonly string[],
): Promise<Map<string, string[]>> {
  const { rows } = await sql<{ identifier: string; unit: string }>`
    select o.identifier, (-o.id)::text as unit from organizations o
    where ${divisionCode} in (o.county_code, o.prefecture_code, o.province_code) and o.identifier = any(${identifiers}::text[])`.execute(
    db,
  );
  const found = new Map<string, string[]>();
  for (const row of rows) found.set(row.identifier, [...(found.get(row.identifier) ?? []), row.unit]);
  return found;
}

function toIndicator(row: {
  id: string;
  division_code: string | null;
  code: string;
  title_zh: string;
  title_en: string;
  measure_zh: string;
  measure_en: string;
  kind: string;
  level: string;
  counts_people: boolean;
}): Indicator {
  return {
    id: row.id,
    divisionCode: row.division_code,
    code: row.code,
    title: { 'zh-CN': row.title_zh, en: row.title_en },
    measure: { 'zh-CN': row.measure_zh, en: row.measure_en },
    kind: row.kind as IndicatorKind,
    level: row.level as IndicatorLevel,
    countsPeople: row.counts_people,
  };
}
