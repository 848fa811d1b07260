import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { countOn, inUnits } from './count.ts';
import type { Coverage } from './coverage.ts';
import type { FrozenUnit, SnapshotLevel } from './snapshot.ts';

export interface Snapshot {
  readonly id: string;
  /** See `unitKey`. */
  readonly unit: string;
  readonly certificationId: string;
  readonly day: string;
  readonly replaces: string | null;
  readonly replacedBy: string | null;
  readonly state: 'queued' | 'frozen';
  readonly requestedAt: Date;
  readonly frozenAt: Date | null;
  readonly digest: string | null;
  /** How many units it holds. */
  readonly units: number | null;
}

const snapshots = sql`
  select s.id, s.unit, s.certification_id as "certificationId", s.day, s.replaces,
    (select id from snapshots later where later.replaces = s.id) as "replacedBy",
    s.state, s.requested_at as "requestedAt", s.frozen_at as "frozenAt", s.digest, s.units
  from snapshots s`;

/** @param options.lock so that verdicts follow each other. */
export async function findSnapshot(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<Snapshot | undefined> {
  const { rows } = await sql<Snapshot>`
    ${snapshots} where s.id = ${id}::bigint ${lock ? sql`for no key update of s` : sql``}`.execute(db);
  return rows[0];
}

/** The one that no other has replaced. */
export async function findLatestSnapshot(
  db: Executor,
  of: Pick<Snapshot, 'unit' | 'certificationId' | 'day'>,
): Promise<Snapshot | undefined> {
  const { rows } = await sql<Snapshot>`
    ${snapshots} where s.unit = ${of.unit}::bigint and s.certification_id = ${of.certificationId}::bigint and s.day = ${of.day}::date
      and not exists (select from snapshots later where later.replaces = s.id)`.execute(db);
  return rows[0];
}

/** Those that hold the unit or are of it, newest first. */
export async function listSnapshots(
  db: Executor,
  unit: string,
  page: { after: string | undefined; limit: number },
): Promise<Snapshot[]> {
  const { rows } = await sql<Snapshot>`
    ${snapshots} where (s.unit = ${unit}::bigint or exists (select from snapshot_units u where u.snapshot_id = s.id and u.unit = ${unit}::bigint))
      and (${page.after ?? null}::bigint is null or s.id < ${page.after ?? null}::bigint)
    order by s.id desc limit ${page.limit}`.execute(db);
  return rows;
}

/** @returns the id; undefined where another was quicker. */
export async function insertSnapshot(
  tx: Executor,
  snapshot: Pick<Snapshot, 'unit' | 'certificationId' | 'day' | 'replaces' | 'requestedAt'> & {
    requestedBy: string;
  },
): Promise<string | undefined> {
  const row = await tx
    .insertInto('snapshots')
    .values({
      unit: snapshot.unit,
      certification_id: snapshot.certificationId,
      day: snapshot.day,
      replaces: snapshot.replaces,
      requested_by: snapshot.requestedBy,
      requested_at: snapshot.requestedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

export async function finishSnapshot(
  tx: Executor,
  id: string,
  frozen: { digest: string; units: number; at: Date },
): Promise<void> {
  await tx
    .updateTable('snapshots')
    .set({ state: 'frozen', digest: frozen.digest, units: frozen.units, frozen_at: frozen.at })
    .where('id', '=', id)
    .execute();
}

/** Rows in one statement. */
const PIECE = 2_000;

export async function insertSnapshotUnits(
  tx: Executor,
  snapshotId: string,
  units: readonly FrozenUnit[],
): Promise<void> {
  for (let at = 0; at < units.length; at += PIECE) {
    const piece = units.slice(at, at + PIECE);
    await sql`
      insert into snapshot_units (snapshot_id, unit, parent, content, digest, signs, hidden, roles_hidden)
      select ${snapshotId}::bigint, * from unnest(${piece.map((u) => u.unit)}::bigint[], ${piece.map((u) => u.parent)}::bigint[], ${piece.map((u) => u.content)}::text[],
        ${piece.map((u) => u.digest)}::text[], ${piece.map((u) => u.signs)}::boolean[], ${piece.map((u) => u.hidden)}::boolean[], ${piece.map((u) => u.rolesHidden)}::boolean[])`.execute(
      tx,
    );
  }
}

/** A unit of the tree that is to be frozen. */
export interface PlacedUnit {
  /** See `unitKey`. */
  readonly unit: string;
  /** The division it stands in. */
  readonly parent: string | null;
  readonly level: SnapshotLevel;
  readonly name: string;
  readonly provinceCode: string | null;
  readonly prefectureCode: string | null;
  readonly countyCode: string | null;
}

/** A unit and all below it, as the tree is now. Organizations that had closed before the day, with nobody left, are not among them. */
export async function listTree(db: Executor, root: string, day: string): Promise<PlacedUnit[]> {
  const divisions = root.startsWith('-')
    ? sql`false`
    : sql`${root} in (d.county_code, d.prefecture_code, d.province_code)`;
  const { rows } = await sql<PlacedUnit>`
    select d.code as unit, d.parent_code as parent, d.level, d.name, d.province_code as "provinceCode", d.prefecture_code as "prefectureCode", d.county_code as "countyCode"
    from divisions d where ${divisions}
    union all
    select (-o.id)::text, o.division_code, 'organization', o.name, o.province_code, o.prefecture_code, o.county_code
    from organizations o where ${inUnits([root])} and (o.closed_on is null or o.closed_on >= ${day}::date or exists (
      select from posts p where p.organization_id = o.id and (p.ends_on is null or p.ends_on >= ${day}::date)))`.execute(
    db,
  );
  return rows;
}

/** Coverage of a unit and all below it, counted in one statement: unit → role set → numbers; what is not there is nobody. */
export async function countTree(
  db: Executor,
  asked: { certificationId: string; roleSets: readonly number[]; root: string; day: string },
): Promise<Map<string, Map<number, Coverage>>> {
  const { rows } = await sql<{ unit: string; role_set: number; covered: number; total: number }>`
    select unit, role_set, (sum(people) filter (where certification_id <> 0))::int as covered, (sum(people) filter (where certification_id = 0))::int as total
    from (${countOn(inUnits([asked.root]), sql`${asked.day}::date`)}) counted
    where role_set = any(${asked.roleSets}::smallint[]) and certification_id = any(array[0, ${asked.certificationId}::bigint])
    group by 1, 2`.execute(db);
  const numbers = new Map<string, Map<number, Coverage>>();
  for (const row of rows) {
    let unit = numbers.get(row.unit);
    if (unit === undefined) numbers.set(row.unit, (unit = new Map()));
    unit.set(row.role_set, { covered: row.covered ?? 0, total: row.total ?? 0 });
  }
  return numbers;
}

export interface Verdict {
  readonly id: string;
  readonly snapshotId: string;
  readonly unit: string;
  readonly verdict: 'signed' | 'objected';
  readonly digest: string;
  readonly givenBy: string;
  readonly givenAt: Date;
  readonly givenOn: string;
  readonly remark: string | null;
  readonly missing: readonly { readonly unit: string; readonly reason: string }[];
}

export interface SnapshotUnit extends FrozenUnit {
  readonly snapshotId: string;
  /** Its own, or one by which it signed the same digest in another snapshot. */
  readonly verdict: Verdict | null;
}

const verdictColumns = (v: string): RawBuilder<unknown> =>
  sql.raw(
    `jsonb_build_object('id', ${v}.id::text, 'snapshotId', ${v}.snapshot_id::text, 'unit', ${v}.unit::text, 'verdict', ${v}.verdict, 'digest', ${v}.digest,
      'givenBy', ${v}.given_by::text, 'givenAt', ${v}.given_at, 'givenOn', ${v}.given_on, 'remark', ${v}.remark, 'missing', ${v}.missing)`,
  );

/** Its own verdict, or the signature under the same digest elsewhere. */
const units = sql`
  select u.snapshot_id as "snapshotId", u.unit, u.parent, u.content, u.digest, u.signs, u.hidden, u.roles_hidden as "rolesHidden",
    case when v.id is not null then ${verdictColumns('v')} end as verdict
  from snapshot_units u
  left join lateral (
    select * from snapshot_verdicts v
    where v.unit = u.unit and (v.snapshot_id = u.snapshot_id or (v.digest = u.digest and v.verdict = 'signed'))
    order by v.snapshot_id <> u.snapshot_id, v.id limit 1
  ) v on true`;

export async function findSnapshotUnit(
  db: Executor,
  snapshotId: string,
  unit: string,
): Promise<SnapshotUnit | undefined> {
  const { rows } = await sql<SnapshotUnit>`
    ${units} where u.snapshot_id = ${snapshotId}::bigint and u.unit = ${unit}::bigint`.execute(db);
  return rows.map(toUnit)[0];
}

/** The units right below: divisions in code order, then organizations in the order of their ids. @param page.waiting only those that have yet to sign. */
export async function listSnapshotUnits(
  db: Executor,
  snapshotId: string,
  parent: string,
  page: { after: string | undefined; limit: number | undefined; waiting: boolean },
): Promise<SnapshotUnit[]> {
  const order = (unit: RawBuilder<unknown>): RawBuilder<unknown> => sql`(${unit} < 0, abs(${unit}))`;
  const { rows } = await sql<SnapshotUnit>`
    ${units} where u.snapshot_id = ${snapshotId}::bigint and u.parent = ${parent}::bigint
      and ${page.after === undefined ? sql`true` : sql`${order(sql`u.unit`)} > ${order(sql`${page.after}::bigint`)}`}
      and ${page.waiting ? sql`u.signs and v.id is null` : sql`true`}
    order by ${order(sql`u.unit`)} limit ${page.limit ?? null}`.execute(db);
  return rows.map(toUnit);
}

/** Which of these units a snapshot holds. */
export async function listHeldUnits(
  db: Executor,
  snapshotId: string,
  asked: readonly string[],
): Promise<string[]> {
  const { rows } = await sql<{ unit: string }>`
    select unit from snapshot_units where snapshot_id = ${snapshotId}::bigint and unit = any(${asked}::bigint[])`.execute(
    db,
  );
  return rows.map((row) => row.unit);
}

/** Objections of the unit and of those however deep below it. */
export async function listObjections(db: Executor, snapshotId: string, unit: string): Promise<Verdict[]> {
  const { rows } = await sql<{ verdict: Verdict }>`
    with recursive climbed as (
      select v.id, v.unit as at from snapshot_verdicts v where v.snapshot_id = ${snapshotId}::bigint and v.verdict = 'objected'
      union all
      select c.id, u.parent from climbed c join snapshot_units u on u.snapshot_id = ${snapshotId}::bigint and u.unit = c.at where u.parent is not null
    )
    select ${verdictColumns('v')} as verdict from climbed c join snapshot_verdicts v on v.id = c.id where c.at = ${unit}::bigint order by v.id`.execute(
    db,
  );
  return rows.map((row) => toVerdict(row.verdict));
}

export async function insertVerdict(tx: Executor, verdict: Omit<Verdict, 'id'>): Promise<void> {
  await tx
    .insertInto('snapshot_verdicts')
    .values({
      snapshot_id: verdict.snapshotId,
      unit: verdict.unit,
      verdict: verdict.verdict,
      digest: verdict.digest,
      given_by: verdict.givenBy,
      given_at: verdict.givenAt,
      given_on: verdict.givenOn,
      remark: verdict.remark,
      missing: JSON.stringify(verdict.missing),
    })
    .execute();
}

/** Inside of JSON an instant is text. */
function toVerdict(row: Verdict): Verdict {
  return { ...row, givenAt: new Date(row.givenAt) };
}

function toUnit(row: SnapshotUnit): SnapshotUnit {
  return { ...row, verdict: row.verdict === null ? null : toVerdict(row.verdict) };
}
