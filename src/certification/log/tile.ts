import { HASH_BYTES, type Subtree } from './tree.ts';

/*
 * The tree cut into files that never change once they are full (C2SP tlog-tiles): a tile holds the hashes of up to 256 whole subtrees
 * that stand beside one another, and each level of tiles begins eight levels of the tree higher. A plain file server can serve them.
 */

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;
/** 2^52 leaves: 63 bits are the format's own limit, and none of this is asked for. */
const MAX_TILE_LEVEL = 6;

/** `level` and `index` of tiles, not of the tree. */
export interface Tile {
  readonly level: number;
  readonly index: number;
}

/** Where the hash of a subtree stands; only every eighth level of the tree is kept, the others follow from it. */
export function placeOf({ level, index }: Subtree): { tile: Tile; from: number; count: number } {
  const within = level % TILE_HEIGHT;
  const count = 2 ** within;
  const first = index * count;
  return {
    tile: { level: Math.floor(level / TILE_HEIGHT), index: Math.floor(first / TILE_WIDTH) },
    from: first % TILE_WIDTH,
    count,
  };
}

/** Whether a subtree is kept as it is. */
export function isKept({ level }: Subtree): boolean {
  return level % TILE_HEIGHT === 0;
}

/** How many hashes a tile has in a tree of `size` leaves; 0: it is not there. */
export function widthOf({ level, index }: Tile, size: number): number {
  const whole = Math.floor(size / TILE_WIDTH ** level);
  return Math.min(TILE_WIDTH, Math.max(0, whole - index * TILE_WIDTH));
}

/** What is asked for below `/tile/`: a tile of hashes, or with `entries` a bundle of entries, and of how many. */
export interface TileAddress {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/** `0/x001/x234/067.p/8`. undefined: none of the form, or one that is written otherwise than it should be. */
export function parseTilePath(path: string): TileAddress | undefined {
  const [, top, groups, last, width] =
    /^(entries|\d)\/((?:x\d{3}\/){0,4})(\d{3})(?:\.p\/([1-9]\d{0,2}))?$/.exec(path) ?? [];
  if (top === undefined) return undefined;
  const level = top === 'entries' ? ('entries' as const) : Number(top);
  const index = Number(`${groups!.replaceAll(/[x/]/g, '')}${last!}`);
  const count = width === undefined ? TILE_WIDTH : Number(width);
  if ((level !== 'entries' && level > MAX_TILE_LEVEL) || (width !== undefined && count >= TILE_WIDTH))
    return undefined;
  const address: TileAddress = { level, index, width: count };
  return tilePath(address) === path ? address : undefined;
}

export function tilePath({ level, index, width }: TileAddress): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g)!;
  const path = groups.map((group, at) => (at < groups.length - 1 ? `x${group}` : group)).join('/');
  return `${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** The hashes of a tile, one behind another. */
export function hashesIn(bytes: Uint8Array): Buffer[] {
  const hashes: Buffer[] = [];
  for (let at = 0; at + HASH_BYTES <= bytes.length; at += HASH_BYTES)
    hashes.push(Buffer.from(bytes.subarray(at, at + HASH_BYTES)));
  return hashes;
}

/** Each entry behind its length in two bytes. */
export function bundleOf(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** undefined: it ends in the middle of an entry. */
export function entriesIn(bundle: Uint8Array): Buffer[] | undefined {
  const bytes = Buffer.from(bundle);
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 2 > bytes.length) return undefined;
    const end = at + 2 + bytes.readUInt16BE(at);
    if (end > bytes.length) return undefined;
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  return entries;
}
