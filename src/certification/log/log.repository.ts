import { sql } from 'kysely';
import type { Executor } from '../../db/database.ts';
import type { Logged, LogEvent } from './entry.ts';
import type { Tile } from './tile.ts';

/** One sequencer at a time, whatever runs. */
export const SEQUENCER_LOCK = 0x78_71_6c_67; // 'xqlg'

export interface Pending extends Logged {
  readonly certificateId: string;
  readonly event: LogEvent;
  readonly at: Date;
}

/** Until the transaction ends. @returns false when another is at it. */
export async function tryLockSequencing(tx: Executor): Promise<boolean> {
  const { rows } = await sql<{
    free: boolean;
  }>`select pg_try_advisory_xact_lock(${SEQUENCER_LOCK}::bigint) as free`.execute(tx);
  return rows[0]!.free;
}

/** Whether anything waits: cheap, to be asked often. */
export async function hasPending(db: Executor): Promise<boolean> {
  const { rows } = await sql`select from log_pending limit 1`.execute(db);
  return rows.length > 0;
}

/** Takes what is committed out of what waits, oldest first. */
export async function takePending(tx: Executor, limit: number): Promise<Pending[]> {
  const { rows } = await sql<{
    certificate_id: string;
    event: LogEvent;
    at: Date;
    number: string;
    verification_code: string;
    claims: object;
    pdf_digest: string;
  }>`
    with taken as (
      delete from log_pending where id in (select id from log_pending order by id limit ${limit}) returning id, certificate_id, event, at
    )
    select t.certificate_id, t.event, t.at, c.number, c.verification_code, c.claims, c.pdf_digest
    from taken t join certificates c on c.id = t.certificate_id order by t.id`.execute(tx);
  return rows.map((row) => ({
    certificateId: row.certificate_id,
    event: row.event,
    at: row.at,
    number: row.number,
    verificationCode: row.verification_code,
    claims: row.claims,
    pdfDigest: row.pdf_digest,
  }));
}

export async function insertEntries(
  tx: Executor,
  entries: readonly { position: number; certificateId: string; event: LogEvent; entry: string }[],
  at: Date,
): Promise<void> {
  await sql`
    insert into log_entries (position, certificate_id, event, entry, logged_at)
    select position, certificate_id, event, entry, ${at}
    from unnest(${entries.map(({ position }) => position)}::bigint[], ${entries.map(({ certificateId }) => certificateId)}::bigint[],
      ${entries.map(({ event }) => event)}::text[], ${entries.map(({ entry }) => entry)}::text[]) as given (position, certificate_id, event, entry)`.execute(
    tx,
  );
}

export async function putTiles(
  tx: Executor,
  tiles: readonly { readonly tile: Tile; readonly hashes: Buffer }[],
): Promise<void> {
  await sql`
    insert into log_tiles (level, index, hashes)
    select level, index, decode(hashes, 'hex')
    from unnest(${tiles.map(({ tile }) => tile.level)}::smallint[], ${tiles.map(({ tile }) => tile.index)}::bigint[],
      ${tiles.map(({ hashes }) => hashes.toString('hex'))}::text[]) as given (level, index, hashes)
    on conflict (level, index) do update set hashes = excluded.hashes`.execute(tx);
}

export async function insertCheckpoint(
  tx: Executor,
  given: { size: number; root: Buffer; at: Date },
): Promise<void> {
  await tx.insertInto('log_checkpoints').values(given).execute();
}

/** undefined: the log has no leaf yet. */
export async function findLatestCheckpoint(
  db: Executor,
): Promise<{ size: number; root: Buffer; at: Date } | undefined> {
  const row = await db
    .selectFrom('log_checkpoints')
    .select(['size', 'root', 'at'])
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : { size: Number(row.size), root: row.root, at: row.at };
}

/** As many hashes as there are. */
export async function findTile(db: Executor, { level, index }: Tile): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom('log_tiles')
    .select('hashes')
    .where('level', '=', level)
    .where('index', '=', String(index))
    .executeTakeFirst();
  return row?.hashes;
}

export async function listEntries(db: Executor, from: number, count: number): Promise<string[]> {
  const rows = await db
    .selectFrom('log_entries')
    .select('entry')
    .where('position', '>=', String(from))
    .where('position', '<', String(from + count))
    .orderBy('position')
    .execute();
  return rows.map(({ entry }) => entry);
}

export interface StoredEntry {
  readonly position: number;
  readonly event: LogEvent;
  readonly entry: string;
}

export async function listEntriesOf(db: Executor, certificateId: string): Promise<StoredEntry[]> {
  const rows = await db
    .selectFrom('log_entries')
    .select(['position', 'event', 'entry'])
    .where('certificate_id', '=', certificateId)
    .orderBy('position')
    .execute();
  return rows.map(({ position, event, entry }) => ({
    position: Number(position),
    event: event as LogEvent,
    entry,
  }));
}
