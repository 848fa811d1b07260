import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { isQuery, type People } from '../people/holdings.ts';
import type { Role } from '../people/role.ts';
import { countOn, everyPost, postsOf } from './count.ts';
import type { Count } from './ledger.ts';

/** Held shared by whoever changes a holding, and alone by whoever moves the day or counts everything anew. */
const HOLDINGS_LOCK = 0x78_71_63_76; // 'xqcv'
/** Held by whoever folds. */
const FOLD_LOCK = 0x78_71_66_6f; // 'xqfo'

const keptDay = sql`(select day from coverage_state)`;

export async function lockHoldings(tx: Executor, mode: 'shared' | 'alone'): Promise<void> {
  await (
    mode === 'shared'
      ? sql`select pg_advisory_xact_lock_shared(${HOLDINGS_LOCK})`
      : sql`select pg_advisory_xact_lock(${HOLDINGS_LOCK})`
  ).execute(tx);
}

/** In order, so that two who want the same people can't wait for each other. */
export async function lockPeople(tx: Executor, people: People): Promise<void> {
  const which = isQuery(people) ? sql`id in (${people})` : sql`id = any(${people}::bigint[])`;
  await sql`select count(*) from (select 1 from people where ${which} order by id for no key update) locked`.execute(
    tx,
  );
}

/** What these people count for on the kept day. */
export async function listCounts(tx: Executor, personIds: readonly string[]): Promise<Count[]> {
  const { rows } = await sql<{
    certification_id: string;
    role_set: number;
    unit: string;
    people: number;
  }>`${countOn(postsOf(personIds), keptDay)}`.execute(tx);
  return rows.map((row) => ({
    certificationId: row.certification_id,
    roleSet: row.role_set,
    unit: row.unit,
    people: row.people,
  }));
}

export async function insertPending(tx: Executor, changes: readonly Count[]): Promise<void> {
  if (changes.length === 0) return;
  await sql`
    insert into coverage_pending (certification_id, role_set, unit, change)
    select * from unnest(${changes.map((c) => c.certificationId)}::bigint[], ${changes.map((c) => c.roleSet)}::smallint[], ${changes.map((c) => c.unit)}::bigint[],
      ${changes.map((c) => c.people)}::int[])`.execute(tx);
}

/** What these people count for, added or taken away, without a way through this process: for as many as there may be. */
export async function insertPendingOf(tx: Executor, people: People, sign: 1 | -1): Promise<void> {
  await sql`
    insert into coverage_pending (certification_id, role_set, unit, change)
    select certification_id, role_set, unit, ${sql.lit(sign)} * people from (${countOn(postsOf(people), keptDay)}) counted`.execute(
    tx,
  );
}

function addToTotals(counts: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`
    insert into coverage_totals as known (certification_id, role_set, unit, people) ${counts}
    on conflict (unit, role_set, certification_id) do update set people = known.people + excluded.people`;
}

/** Folds what is pending into the totals. Another who does so just now is left to it. */
export async function foldPending(tx: Executor, { wait = false } = {}): Promise<void> {
  const { rows } = await sql<{ got: boolean }>`
    select ${wait ? sql`pg_advisory_xact_lock(${FOLD_LOCK}) is not null` : sql`pg_try_advisory_xact_lock(${FOLD_LOCK})`} as got`.execute(
    tx,
  );
  if (rows[0]?.got !== true) return;
  await sql`
    with moved as (delete from coverage_pending returning certification_id, role_set, unit, change)
    ${addToTotals(sql`select certification_id, role_set, unit, sum(change)::int from moved group by 1, 2, 3 having sum(change) <> 0`)}`.execute(
    tx,
  );
}

export async function findKeptDay(db: Executor): Promise<string> {
  const row = await db.selectFrom('coverage_state').select('day').executeTakeFirstOrThrow();
  return row.day;
}

/** Who begins or ceases to hold a post or to be covered by date alone, after `from` and up to `until`. */
async function listDatedPeople(tx: Executor, from: string, until: string): Promise<string[]> {
  const within = (column: string): RawBuilder<unknown> =>
    sql`${sql.raw(column)} > ${from}::date and ${sql.raw(column)} <= ${until}::date`;
  const { rows } = await sql<{ person_id: string }>`
    select person_id from posts where ${within('starts_on')} or ${within('(ends_on + 1)')}
    union select person_id from certificates where ${within('valid_from')} or ${within('(valid_until + 1)')} or ${within('revoked_on')}`.execute(
    tx,
  );
  return rows.map((row) => row.person_id);
}

/** Above so many, counting everybody is quicker. */
const MANY_DATED = 50_000;

/** Moves the kept day on to `day`, with holdings locked. A day that is not later changes nothing. */
export async function advanceTo(tx: Executor, day: string): Promise<void> {
  await foldPending(tx, { wait: true });
  const kept = await findKeptDay(tx);
  if (day <= kept) return;
  const people = await listDatedPeople(tx, kept, day);
  if (people.length > MANY_DATED) {
    await sql`update coverage_state set day = ${day}::date`.execute(tx);
    await rebuild(tx);
    return;
  }
  await sql`${addToTotals(sql`
    select certification_id, role_set, unit, sum(people)::int from (
      select * from (${countOn(postsOf(people), sql`${day}::date`)}) later
      union all select certification_id, role_set, unit, -people from (${countOn(postsOf(people), sql`${kept}::date`)}) earlier
    ) moved group by 1, 2, 3 having sum(people) <> 0`)}`.execute(tx);
  await sql`update coverage_state set day = ${day}::date`.execute(tx);
}

export async function listRoleSets(
  db: Executor,
): Promise<{ readonly id: number; readonly roles: readonly Role[] }[]> {
  return (await db.selectFrom('coverage_role_sets').select(['id', 'roles']).execute()) as {
    id: number;
    roles: Role[];
  }[];
}

/** Adds a set of roles, and who counts for it, with holdings locked. @param roles sorted. */
export async function insertRoleSet(tx: Executor, roles: readonly Role[]): Promise<void> {
  const { rows } = await sql<{ id: number }>`
    insert into coverage_role_sets (roles) values (${roles}::text[]) on conflict (roles) do nothing returning id`.execute(
    tx,
  );
  if (rows[0] === undefined) return;
  await sql`${addToTotals(countOn(everyPost, keptDay, rows[0].id))}`.execute(tx);
}

/** Counts everything anew, with holdings locked, and puts that in place of what was kept. @returns how many numbers differed. */
export async function rebuild(tx: Executor): Promise<number> {
  await foldPending(tx, { wait: true });
  await sql`create temporary table coverage_counted on commit drop as ${countOn(everyPost, keptDay)}`.execute(
    tx,
  );
  const { rows } = await sql<{ differences: number }>`
    select count(*)::int as differences
    from (select * from coverage_totals where people <> 0) kept full join coverage_counted counted using (certification_id, role_set, unit)
    where kept.people is distinct from counted.people`.execute(tx);
  await sql`delete from coverage_totals`.execute(tx);
  await sql`insert into coverage_totals (certification_id, role_set, unit, people) select certification_id, role_set, unit, people from coverage_counted`.execute(
    tx,
  );
  return rows[0]!.differences;
}
