import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import canonicalize from 'canonicalize';

/*
 * How the journal is sealed, so that somebody else can compute it too. Everything that is hashed is one JSON array as RFC 8785 (JSON
 * Canonicalization Scheme) writes it, in UTF-8, whose first element names the form; another form gets another name, and what was sealed
 * keeps the one it has. Whole numbers are strings of digits, instants `YYYY-MM-DDTHH:MM:SS.ffffffZ` (microseconds, UTC), hashes lower-case
 * hexadecimal, absent is null. The units an entry concerns come in the order in which it keeps them.
 *
 *   entry hash = SHA-256 of ["xinqiao-journal-entry-1", id, at, recorded_at, actor, action, subject, detail, [concerns…], person_id,
 *                             request_id, address]
 *   hash       = SHA-256 of ["xinqiao-journal-seal-1", seq, sealed_at, entry_id, entry hash, hash of the seal before]
 *   mac        = HMAC-SHA-256 of ["xinqiao-journal-seal-1", seq, hash]; at the head of ["xinqiao-journal-head-1", seq, hash]
 *
 * Before the first seal the hash is 64 zeros. Of PostgreSQL no text form is relied on but that of bigint: `detail` is read as JSON, and a
 * number in it as a double, as JavaScript wrote it.
 */

export const ENTRY_FORM = 'xinqiao-journal-entry-1';
export const SEAL_FORM = 'xinqiao-journal-seal-1';
export const HEAD_FORM = 'xinqiao-journal-head-1';

/** Before the first seal. */
export const NOTHING: Head = { seq: 0n, hash: '0'.repeat(64) };

/** An end of the chain: all that stands before it follows from it. */
export interface Head {
  readonly seq: bigint;
  /** Hexadecimal. */
  readonly hash: string;
}

/** An entry as it is hashed: text as the database gives it. */
export interface StoredEntry {
  readonly id: string;
  readonly at: string;
  readonly recordedAt: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  /** JSON. */
  readonly detail: string;
  readonly concerns: readonly string[];
  readonly personId: string | null;
  readonly requestId: string | null;
  readonly address: string | null;
}

export interface Seal extends Head {
  readonly entryId: string;
  readonly sealedAt: string;
  readonly entryHash: string;
  readonly mac: string;
}

/** Under which seals are made: one of its own, from the service's. */
export function sealKey(identityKey: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', identityKey, '', 'xinqiao journal seals', 32));
}

/** @throws for a detail that JSON can't have come from here: such an entry was not written by us. */
export function hashEntry(entry: StoredEntry): string {
  return sha256([
    ENTRY_FORM,
    entry.id,
    entry.at,
    entry.recordedAt,
    entry.actor,
    entry.action,
    entry.subject,
    JSON.parse(entry.detail) as unknown,
    entry.concerns,
    entry.personId,
    entry.requestId,
    entry.address,
  ]);
}

export function hashSeal(
  seal: Pick<Seal, 'seq' | 'sealedAt' | 'entryId' | 'entryHash'>,
  before: string,
): string {
  return sha256([SEAL_FORM, String(seal.seq), seal.sealedAt, seal.entryId, seal.entryHash, before]);
}

/** Seals an entry behind what was sealed last. */
export function sealEntry(entry: StoredEntry, before: Head, sealedAt: string, key: Uint8Array): Seal {
  const facts = { seq: before.seq + 1n, sealedAt, entryId: entry.id, entryHash: hashEntry(entry) };
  const hash = hashSeal(facts, before.hash);
  return { ...facts, hash, mac: macOf(SEAL_FORM, { seq: facts.seq, hash }, key) };
}

export function macOf(
  form: typeof SEAL_FORM | typeof HEAD_FORM,
  { seq, hash }: Head,
  key: Uint8Array,
): string {
  return createHmac('sha256', key)
    .update(canonicalize([form, String(seq), hash])!)
    .digest('hex');
}

export function isMacOf(
  mac: string,
  form: typeof SEAL_FORM | typeof HEAD_FORM,
  head: Head,
  key: Uint8Array,
): boolean {
  const [given, own] = [Buffer.from(mac, 'hex'), Buffer.from(macOf(form, head, key), 'hex')];
  return given.length === own.length && timingSafeEqual(given, own);
}

function sha256(content: readonly unknown[]): string {
  return createHash('sha256').update(canonicalize(content)!).digest('hex');
}
