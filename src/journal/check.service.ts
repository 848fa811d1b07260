import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../db/database.ts';
import { HEAD_FORM, hashEntry, hashSeal, isMacOf, NOTHING, SEAL_FORM, sealKey, type Head } from './seal.ts';
import { findHead, listSealed, listSealing, listUnsealed } from './seal.repository.ts';

/** Rows in memory at once. */
const PAGE = 5_000;
/** A running service has sealed an entry by then. */
const USUALLY_SEALED_S = 10;
/** Entries that wait are kept in memory up to here, to be looked at again. */
const MOST_WAITING = 10_000;

const UNSEALED = `not sealed within ${USUALLY_SEALED_S} seconds: put in past the service, or no service is running`;

/** What is wrong, in a line for a person; of a run of seals or entries with the same fault, one line. */
export interface Fault {
  readonly where: string;
  readonly what: string;
}

export interface CheckEnd {
  readonly entries: number;
  readonly faults: number;
  /** The end of the chain, to be kept elsewhere; undefined before the first seal. */
  readonly head: Head | undefined;
}

/**
 * Reads the whole journal, page by page, and tells whatever is not as it was sealed. It sees what a removal leaves by the numbers of the
 * seals, one at the end by the signed end of the chain, and one of everything, or by somebody who has the key, only by `heads`.
 * @param identityKey undefined: what only the key can tell stays untold.
 * @param heads ends of the chain that were kept elsewhere: the chain must go through each of them.
 */
export async function checkJournal(
  db: Database,
  {
    identityKey,
    heads,
    tell,
    wait = sleep,
  }: {
    identityKey: Uint8Array | undefined;
    heads: readonly Head[];
    tell: (fault: Fault) => void;
    wait?: (milliseconds: number) => Promise<unknown>;
  },
): Promise<CheckEnd> {
  const runs = new Runs(tell);
  const key = identityKey === undefined ? undefined : sealKey(identityKey);
  // Asked before the seals are read: the chain may grow meanwhile, and must hold this one.
  const signed = await findHead(db);
  const wanted = new Map<bigint, Head[]>();
  for (const head of [...heads, ...(signed === undefined ? [] : [signed])])
    wanted.set(head.seq, [...(wanted.get(head.seq) ?? []), head]);

  let last: Head = NOTHING;
  // What came before is unknown where seals are missing: the next one's hash can't be judged then.
  let isKnown = true;
  for (;;) {
    const page = await listSealed(db, last.seq, PAGE);
    for (const { seal, entry } of page) {
      const { seq } = seal;
      const place = { seal: seq, entry: seal.entryId };
      if (seq !== last.seq + 1n) {
        runs.add('missing: removed', { seal: last.seq + 1n }, { seal: seq - 1n });
        isKnown = false;
      }
      if (entry === null) runs.add('the entry is gone: removed', place);
      else if (hashOf(entry) !== seal.entryHash)
        runs.add('the entry is not the one that was sealed: altered', place);
      if (isKnown && hashSeal(seal, last.hash) !== seal.hash)
        runs.add('does not follow from the seal before: altered, or in another order', place);
      if (key !== undefined && !isMacOf(seal.mac, SEAL_FORM, seal, key))
        runs.add('not sealed under this service’s key', place);
      for (const head of wanted.get(seq) ?? [])
        if (head.hash !== seal.hash)
          runs.one(
            `seal ${seq}`,
            head === signed
              ? 'differs from the end of the chain that the database keeps (journal_head)'
              : `differs from the head that was given, ${seq}:${head.hash}`,
          );
      wanted.delete(seq);
      last = { seq, hash: seal.hash };
      isKnown = true;
    }
    if (page.length < PAGE) break;
  }
  runs.end();
  for (const head of [...wanted.values()].flat())
    if (head.seq > last.seq)
      runs.one(
        range('seal', last.seq + 1n, head.seq),
        head === signed
          ? 'missing at the end: removed'
          : `missing at the end: the head ${head.seq}:${head.hash} that was given comes after all that is there`,
      );
  if (signed === undefined && last.seq > 0n)
    runs.one('the end of the chain', 'gone from the database (journal_head)');
  // One who has cut the chain can have set it back to a seal that is there, but not signed that.
  if (signed !== undefined && key !== undefined && !isMacOf(signed.mac, HEAD_FORM, signed, key))
    runs.one('the end of the chain', 'not signed under this service’s key (journal_head)');

  const entries = await checkSealing(db, runs, wait);
  return {
    entries,
    faults: runs.count,
    head: last.seq === 0n ? undefined : { seq: last.seq, hash: last.hash },
  };
}

/** Every entry is sealed, and once; those too young for it are looked at again. */
async function checkSealing(
  db: Database,
  runs: Runs,
  wait: (milliseconds: number) => Promise<unknown>,
): Promise<number> {
  let entries = 0;
  let after = '0';
  const waiting: string[] = [];
  for (;;) {
    const page = await listSealing(db, after, PAGE);
    for (const { id, seals } of page) {
      entries += 1;
      after = id;
      if (seals > 1) runs.add('sealed more than once', { entry: id });
      if (seals > 0) continue;
      // A transaction that was long open commits old entries: those that wait get a moment, however old they look.
      if (waiting.length < MOST_WAITING) waiting.push(id);
      else runs.add(UNSEALED, { entry: id });
    }
    if (page.length < PAGE) break;
  }
  runs.end();
  if (waiting.length > 0) {
    let left: readonly string[] = waiting;
    for (let seconds = 0; seconds < USUALLY_SEALED_S && left.length > 0; seconds += 1) {
      await wait(1_000);
      left = await listUnsealed(db, left);
    }
    for (const id of left) runs.add(UNSEALED, { entry: id });
    runs.end();
  }
  return entries;
}

function hashOf(entry: Parameters<typeof hashEntry>[0]): string | undefined {
  try {
    return hashEntry(entry);
  } catch {
    // Nothing that the service writes.
    return undefined;
  }
}

interface Run {
  readonly what: string;
  readonly from: Place;
  to: Place;
}

/** A seal, an entry, or a seal with its entry. */
interface Place {
  readonly seal?: bigint;
  readonly entry?: string;
}

/** Tells of neighbours with the same fault in one line: whoever alters a million entries leaves one. */
class Runs {
  count = 0;
  readonly #tell: (fault: Fault) => void;
  readonly #open = new Map<string, Run>();

  constructor(tell: (fault: Fault) => void) {
    this.#tell = tell;
  }

  one(where: string, what: string): void {
    this.count += 1;
    this.#tell({ where, what });
  }

  add(what: string, from: Place, to: Place = from): void {
    const run = this.#open.get(what);
    if (run !== undefined && numberOf(run.to) + 1n === numberOf(from)) {
      run.to = to;
      return;
    }
    if (run !== undefined) this.#close(run);
    this.#open.set(what, { what, from, to });
  }

  end(): void {
    for (const run of this.#open.values()) this.#close(run);
    this.#open.clear();
  }

  #close({ what, from, to }: Run): void {
    const seals = range('seal', from.seal, to.seal);
    const entries = range('entry', from.entry, to.entry);
    this.one(seals === '' ? entries : entries === '' ? seals : `${seals} (${entries})`, what);
  }
}

const numberOf = ({ seal, entry }: Place): bigint => seal ?? BigInt(entry!);

function range(
  noun: 'seal' | 'entry',
  from: bigint | string | undefined,
  to: bigint | string | undefined,
): string {
  if (from === undefined) return '';
  return from === to ? `${noun} ${from}` : `${noun === 'seal' ? 'seals' : 'entries'} ${from} to ${to}`;
}
