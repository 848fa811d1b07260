import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Head, Seal, StoredEntry } from './seal.ts';

/** One sealer at a time, whatever runs. */
const SEALER_LOCK = 0x78_71_73_65; // 'xqse'

const instant = (column: string) =>
  sql`to_char(${sql.ref(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const entryColumns = sql`
  e.id::text as id, ${instant('e.at')} as at, ${instant('e.recorded_at')} as "recordedAt", e.actor, e.action, e.subject, e.detail::text as detail,
  e.concerns::text[] as concerns, e.person_id::text as "personId", e.request_id as "requestId", e.address`;

/** Until the transaction ends. @returns false when another is at it. */
export async function tryLockSealing(tx: Executor): Promise<boolean> {
  const { rows } = await sql<{
    free: boolean;
  }>`select pg_try_advisory_xact_lock(${SEALER_LOCK}::bigint) as free`.execute(tx);
  return rows[0]!.free;
}

/** Where the chain ends, with its mac; undefined before the first seal. */
export async function findHead(db: Executor): Promise<(Head & { mac: string }) | undefined> {
  const { rows } = await sql<{
    seq: string;
    hash: string;
    mac: string;
  }>`select seq::text, encode(hash, 'hex') as hash, encode(mac, 'hex') as mac from journal_head`.execute(db);
  const [row] = rows;
  return row === undefined ? undefined : { ...row, seq: BigInt(row.seq) };
}

export async function hasSeals(db: Executor): Promise<boolean> {
  const { rows } = await sql`select from journal_seals limit 1`.execute(db);
  return rows.length > 0;
}

/** Whether entries wait: cheap, to be asked often. */
export async function hasUnsealed(db: Executor): Promise<boolean> {
  const { rows } = await sql`select from journal_unsealed limit 1`.execute(db);
  return rows.length > 0;
}

/** Takes committed entries out of what waits, oldest first, and what the database's clock says. */
export async function takeUnsealed(
  tx: Executor,
  limit: number,
): Promise<{ now: string; entries: StoredEntry[] }> {
  const { rows } = await sql<StoredEntry>`
    with taken as (
      delete from journal_unsealed where entry_id in (select entry_id from journal_unsealed order by entry_id limit ${limit}) returning entry_id
    )
    select ${entryColumns} from taken join journal_entries e on e.id = taken.entry_id order by e.id`.execute(
    tx,
  );
  const { rows: clock } = await sql<{
    now: string;
  }>`select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as now`.execute(
    tx,
  );
  return { now: clock[0]!.now, entries: rows };
}

export async function insertSeals(
  tx: Executor,
  seals: readonly Seal[],
  head: Head & { mac: string },
): Promise<void> {
  const text = (pick: (seal: Seal) => string) => sql`${seals.map(pick)}::text[]`;
  await sql`
    insert into journal_seals (seq, entry_id, sealed_at, entry_hash, hash, mac)
    select seq::bigint, entry_id::bigint, sealed_at::timestamptz, decode(entry_hash, 'hex'), decode(hash, 'hex'), decode(mac, 'hex')
    from unnest(${text((seal) => String(seal.seq))}, ${text((seal) => seal.entryId)}, ${text((seal) => seal.sealedAt)}, ${text((seal) => seal.entryHash)},
      ${text((seal) => seal.hash)}, ${text((seal) => seal.mac)}) as given (seq, entry_id, sealed_at, entry_hash, hash, mac)`.execute(
    tx,
  );
  await sql`
    insert into journal_head (seq, hash, mac) values (${String(head.seq)}::bigint, decode(${head.hash}, 'hex'), decode(${head.mac}, 'hex'))
    on conflict (only_row) do update set seq = excluded.seq, hash = excluded.hash, mac = excluded.mac`.execute(
    tx,
  );
}

/**
 * Seals in order after `after`, each with the entry that it names; null where that is gone. Each entry is looked up by its id: joined
 * otherwise, every page might read the whole table.
 */
export async function listSealed(
  db: Executor,
  after: bigint,
  limit: number,
): Promise<{ seal: Seal; entry: StoredEntry | null }[]> {
  const { rows } = await sql<
    { [K in keyof StoredEntry]: StoredEntry[K] | null } & Omit<Seal, 'seq'> & { seq: string }
  >`
    select s.seq::text, s.entry_id::text as "entryId", ${instant('s.sealed_at')} as "sealedAt", encode(s.entry_hash, 'hex') as "entryHash",
      encode(s.hash, 'hex') as hash, encode(s.mac, 'hex') as mac, ${entryColumns}
    from (select * from journal_seals where seq > ${String(after)}::bigint order by seq limit ${limit}) s
    left join lateral (select * from journal_entries where id = s.entry_id offset 0) e on true order by s.seq`.execute(
    db,
  );
  return rows.map(({ seq, entryId, sealedAt, entryHash, hash, mac, ...entry }) => ({
    seal: { seq: BigInt(seq), entryId, sealedAt, entryHash, hash, mac },
    entry: entry.id === null ? null : (entry as StoredEntry),
  }));
}

/** Entries by id after `after`, and how often each is sealed. */
export async function listSealing(
  db: Executor,
  after: string,
  limit: number,
): Promise<{ id: string; seals: number }[]> {
  const { rows } = await sql<{ id: string; seals: number }>`
    select e.id::text as id, (select count(*)::int from journal_seals s where s.entry_id = e.id) as seals
    from (select id from journal_entries where id > ${after}::bigint order by id limit ${limit}) e order by e.id`.execute(
    db,
  );
  return rows;
}

/** Of these entries, those that no seal names. */
export async function listUnsealed(db: Executor, ids: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id::text from unnest(${ids}::bigint[]) as given (id)
    where not exists (select from journal_seals where entry_id = given.id) order by given.id`.execute(db);
  return rows.map((row) => row.id);
}
