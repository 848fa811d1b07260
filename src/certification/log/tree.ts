import { createHash } from 'node:crypto';

/*
 * The Merkle tree of RFC 9162, section 2.1, over SHA-256: a leaf and a node are hashed behind different bytes, so that neither can be
 * taken for the other.
 */

export const HASH_BYTES = 32;
/** The root of a tree without leaves. */
export const EMPTY_ROOT: Buffer = createHash('sha256').digest();

export function leafHash(entry: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(0)).update(entry).digest();
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return createHash('sha256').update(Uint8Array.of(1)).update(left).update(right).digest();
}

/** A whole subtree: `level` 0 is a leaf, and `index` counts the subtrees of its level from the left. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** The whole subtrees that `size` leaves make, from the left, the largest first: one for each 1 of the number. */
export function subtreesOf(size: number): Subtree[] {
  const found: Subtree[] = [];
  let before = 0;
  for (let level = Math.floor(Math.log2(Math.max(size, 1))) + 1; level >= 0; level -= 1) {
    const width = 2 ** level;
    if (before + width > size) continue;
    found.push({ level, index: before / width });
    before += width;
  }
  return found;
}

/** What is known of a tree by its right edge alone: enough to go on with it, and to tell its root. */
export class Edge {
  size: number;
  readonly #roots: Buffer[];

  /** @param roots of `subtreesOf(size)`, in that order. */
  constructor(size = 0, roots: readonly Uint8Array[] = []) {
    if (!Number.isSafeInteger(size) || size < 0 || subtreesOf(size).length !== roots.length)
      throw new RangeError(`The right edge of a tree of ${size} leaves is not ${roots.length} hashes.`);
    this.size = size;
    this.#roots = roots.map((root) => Buffer.from(root));
  }

  get roots(): readonly Buffer[] {
    return this.#roots;
  }

  /** @param made is told of each subtree that is whole now, the leaf first. */
  append(leaf: Buffer, made?: (subtree: Subtree, hash: Buffer) => void): void {
    let hash = leaf;
    let index = this.size;
    made?.({ level: 0, index }, hash);
    for (let level = 1; index % 2 === 1; level += 1) {
      hash = nodeHash(this.#roots.pop()!, hash);
      index = (index - 1) / 2;
      made?.({ level, index }, hash);
    }
    this.#roots.push(hash);
    this.size += 1;
  }

  root(): Buffer {
    if (this.size === 0) return EMPTY_ROOT;
    return this.#roots.reduceRight((right, left) => nodeHash(left, right));
  }
}

/** How to have the hash of a whole subtree. */
export type ReadSubtree = (subtree: Subtree) => Promise<Uint8Array>;

/** Root of the leaves from `start` to before `end`, of which the left one begins a subtree at least as large as they are. */
async function rootOf(start: number, end: number, read: ReadSubtree): Promise<Buffer> {
  const count = end - start;
  const level = Math.floor(Math.log2(count));
  if (2 ** level === count) return Buffer.from(await read({ level, index: start / count }));
  const middle = start + 2 ** level;
  return nodeHash(await rootOf(start, middle, read), await rootOf(middle, end, read));
}

/** The largest power of two below `count`, which is where a tree divides. */
function divides(count: number): number {
  return 2 ** (Math.ceil(Math.log2(count)) - 1);
}

/** PATH(index, D_size) of RFC 9162, 2.1.3.1, from the leaf up. */
export async function inclusionProof(index: number, size: number, read: ReadSubtree): Promise<Buffer[]> {
  if (index < 0 || index >= size) throw new RangeError(`There is no leaf ${index} among ${size}.`);
  const path: Buffer[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + divides(end - start);
    if (index < middle) {
      path.push(await rootOf(middle, end, read));
      end = middle;
    } else {
      path.push(await rootOf(start, middle, read));
      start = middle;
    }
  }
  return path.toReversed();
}

/** RFC 9162, 2.1.3.2. @returns the root that the proof leads to; undefined: it is no proof for such a tree. */
export function rootByInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
): Buffer | undefined {
  if (index < 0 || index >= size) return undefined;
  let [node, last] = [index, size - 1];
  let hash: Buffer = Buffer.from(leaf);
  for (const sibling of proof) {
    if (last === 0) return undefined;
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node /= 2;
        last = Math.floor(last / 2);
      }
    } else hash = nodeHash(hash, sibling);
    node = Math.floor(node / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 ? hash : undefined;
}
