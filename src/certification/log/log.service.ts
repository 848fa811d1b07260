import type { KeyObject } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../clock.ts';
import { inParts } from '../../db/acting.ts';
import type { Database, Executor } from '../../db/database.ts';
import type { Log } from '../../log.ts';
import type { Certificate } from '../certificate.ts';
import { signCheckpoint, verifierKeyOf } from './checkpoint.ts';
import { logEntry } from './entry.ts';
import {
  findLatestCheckpoint,
  findTile,
  hasPending,
  insertCheckpoint,
  insertEntries,
  listEntries,
  listEntriesOf,
  putTiles,
  takePending,
  tryLockSequencing,
  type StoredEntry,
} from './log.repository.ts';
import {
  bundleOf,
  hashesIn,
  isKept,
  parseTilePath,
  placeOf,
  TILE_WIDTH,
  widthOf,
  type Tile,
} from './tile.ts';
import {
  Edge,
  EMPTY_ROOT,
  HASH_BYTES,
  inclusionProof,
  leafHash,
  nodeHash,
  subtreesOf,
  type ReadSubtree,
} from './tree.ts';

const SEQUENCE_EVERY_MS = 500;
/** Given their places in one transaction. */
const BATCH = 4_000;
/** The same trouble is told so often. */
const TELL_EVERY_MS = 60_000;

/** What stands in the log of a certificate, and how it is proven that it does. */
export interface LogProof {
  /** The signed state of the log that the proofs lead to. */
  readonly checkpoint: string;
  readonly size: number;
  readonly entries: readonly (StoredEntry & { readonly proof: readonly Buffer[] })[];
}

export type LogService = ReturnType<typeof makeLogService>;

/**
 * The append-only log of what happens to certificates (RFC 9162, C2SP tlog-tiles). A trigger notes each change in its own transaction;
 * the sequencer gives committed ones their places, apart from those who issue: nobody waits for it. A batch is one transaction, so a crash
 * loses and doubles nothing.
 */
export function makeLogService({
  db,
  clock,
  log,
  key,
  publicUrl,
}: {
  db: Database;
  clock: Clock;
  log: Log;
  key: KeyObject;
  publicUrl: string;
}) {
  const origin = `${new URL(publicUrl).host}/log`;

  const readerOf = (executor: Executor): ReadSubtree => {
    const tiles = new Map<string, Promise<Buffer | undefined>>();
    return async (subtree) => {
      const { tile, from, count } = placeOf(subtree);
      const name = `${tile.level}/${tile.index}`;
      let found = tiles.get(name);
      if (found === undefined) tiles.set(name, (found = findTile(executor, tile)));
      let hashes = hashesIn((await found) ?? Buffer.of()).slice(from, from + count);
      if (hashes.length !== count) throw new Error(`The tile ${name} of the log lacks hashes.`);
      while (hashes.length > 1)
        hashes = Array.from({ length: hashes.length / 2 }, (_each, at) =>
          nodeHash(hashes[2 * at]!, hashes[2 * at + 1]!),
        );
      return hashes[0]!;
    };
  };

  /** The tiles that still grow, each with what it has. */
  const growing = async (
    tx: Executor,
    size: number,
  ): Promise<Map<string, { tile: Tile; hashes: Buffer[] }>> => {
    const found = new Map<string, { tile: Tile; hashes: Buffer[] }>();
    for (let level = 0, whole = size; whole > 0; level += 1, whole = Math.floor(whole / TILE_WIDTH)) {
      const tile = { level, index: Math.floor(whole / TILE_WIDTH) };
      const width = widthOf(tile, size);
      if (width === 0) continue;
      const hashes = hashesIn((await findTile(tx, tile)) ?? Buffer.of());
      if (hashes.length !== width)
        throw new Error(`The last tile of level ${level} of the log is not whole.`);
      found.set(`${level}/${tile.index}`, { tile, hashes });
    }
    return found;
  };

  /** @returns how many were given places. */
  const sequenceBatch = async (): Promise<number> =>
    db.transaction().execute(async (tx) => {
      if (!(await tryLockSequencing(tx))) return 0;
      const head = (await findLatestCheckpoint(tx)) ?? { size: 0, root: EMPTY_ROOT };
      const read = readerOf(tx);
      const roots: Uint8Array[] = [];
      for (const subtree of subtreesOf(head.size)) roots.push(await read(subtree));
      const edge = new Edge(head.size, roots);
      // On what is not what was signed nothing is built: the next checkpoint would cover it up.
      if (!edge.root().equals(head.root))
        throw new Error(
          'The tree of the log is not the one that was signed: see src/certification/README.md.',
        );
      const pending = await takePending(tx, BATCH);
      if (pending.length === 0) return 0;
      const tiles = await growing(tx, head.size);
      const changed = new Set<string>();
      const entries = pending.map(({ certificateId, event, at, ...of }) => {
        const position = edge.size;
        const entry = logEntry(event, at, of);
        edge.append(leafHash(Buffer.from(entry)), (subtree, hash) => {
          if (!isKept(subtree)) return;
          const { tile } = placeOf(subtree);
          const name = `${tile.level}/${tile.index}`;
          if (!tiles.has(name)) tiles.set(name, { tile, hashes: [] });
          tiles.get(name)!.hashes.push(hash);
          changed.add(name);
        });
        return { position, certificateId, event, entry };
      });
      const now = clock.now();
      await insertEntries(tx, entries, now);
      await putTiles(
        tx,
        [...changed].map((name) => {
          const { tile, hashes } = tiles.get(name)!;
          return { tile, hashes: Buffer.concat(hashes) };
        }),
      );
      await insertCheckpoint(tx, { size: edge.size, root: edge.root(), at: now });
      return pending.length;
    });

  const signed = ({ size, root }: { size: number; root: Buffer }): string =>
    signCheckpoint({ origin, size, root }, key);
  const head = async (): Promise<{ size: number; root: Buffer }> =>
    (await findLatestCheckpoint(db)) ?? { size: 0, root: EMPTY_ROOT };

  const service = {
    origin,
    /** With which others check the checkpoints. */
    verifierKey: verifierKeyOf(origin, key),

    /** Gives what is committed by now its places, unless another sequencer is at it. */
    async sequence(): Promise<void> {
      if (!(await hasPending(db))) return;
      while ((await sequenceBatch()) === BATCH);
    },

    /** Sequences as long as the service runs. @returns how to stop. */
    startSequencing(): () => Promise<void> {
      const stopping = new AbortController();
      let told = 0;
      const work = async (): Promise<void> => {
        try {
          await sequencing.sequence();
        } catch (error) {
          if (performance.now() - told < TELL_EVERY_MS && told !== 0) return;
          told = performance.now();
          log.error({ error: String(error) }, 'the log of certificates could not go on; trying again');
        }
      };
      const working = (async () => {
        while (!stopping.signal.aborted) {
          await work();
          await sleep(SEQUENCE_EVERY_MS, undefined, { signal: stopping.signal, ref: false }).catch(() => {});
        }
      })();
      return async () => {
        stopping.abort();
        await working;
        await work();
      };
    },

    /** The state of the log, signed. */
    async checkpoint(): Promise<string> {
      return signed(await head());
    },

    /** A tile of hashes or a bundle of entries, by its path below `/tile/`; undefined: there is none, or not yet so much of it. */
    async findTile(path: string): Promise<{ readonly bytes: Buffer; readonly full: boolean } | undefined> {
      const address = parseTilePath(path);
      if (address === undefined) return undefined;
      const { index, width } = address;
      const level = address.level === 'entries' ? 0 : address.level;
      if (widthOf({ level, index }, (await head()).size) < width) return undefined;
      const full = width === TILE_WIDTH;
      if (address.level === 'entries') {
        const entries = await listEntries(db, index * TILE_WIDTH, width);
        return { bytes: bundleOf(entries.map((entry) => Buffer.from(entry))), full };
      }
      const bytes = await findTile(db, { level, index });
      return bytes === undefined ? undefined : { bytes: bytes.subarray(0, width * HASH_BYTES), full };
    },

    /** That what happened to a certificate stands in the log. Whether the caller may know it is theirs to judge. Without entries: it waits for its place. */
    async proofOf(certificate: Certificate): Promise<LogProof> {
      const state = await head();
      const read = readerOf(db);
      const entries = [];
      for (const entry of await listEntriesOf(db, certificate.id))
        // One that came in the meantime is proven by the next state.
        if (entry.position < state.size)
          entries.push({ ...entry, proof: await inclusionProof(entry.position, state.size, read) });
      return { checkpoint: signed(state), size: state.size, entries };
    },
  };
  const sequencing = inParts(
    {
      sequence: 'keeper',
      startSequencing: 'keeper',
      checkpoint: 'gate',
      findTile: 'gate',
      proofOf: 'gate',
    },
    service,
  );
  return sequencing;
}
