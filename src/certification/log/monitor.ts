import { openCheckpoint, type Checkpoint, type VerifierKey } from './checkpoint.ts';
import { readLogEntry, type LogEvent } from './entry.ts';
import { entriesIn, hashesIn, TILE_WIDTH, tilePath, type TileAddress } from './tile.ts';
import { Edge, leafHash } from './tree.ts';

/** Whence a log is read: an address, or a folder with the same files. @throws Error where it can't be. */
export type ReadLog = (path: string) => Promise<Buffer>;

/** What a monitor keeps between two looks. */
export interface Seen {
  /** The last checkpoint, as it was signed: evidence against the log, should it ever say otherwise. */
  readonly note: string;
  /** Right edge of its tree; without it the log is read from its beginning. */
  readonly edge: readonly Buffer[] | undefined;
}

export type Look =
  | {
      readonly outcome: 'consistent';
      readonly checkpoint: Checkpoint;
      /** Leaves that came since. */
      readonly added: number;
      readonly events: ReadonlyMap<LogEvent, number>;
      readonly seen: Seen;
    }
  | { readonly outcome: 'broken'; readonly why: string; readonly note: string };

/**
 * Whether a log has only grown since it was last seen. Every leaf since is read, must be well formed, and together with the edge of the
 * tree before must lead to the root that the log has signed now: no other leaves do. So nothing that was seen can have been changed or left out.
 * @throws Error where the log can't be read.
 */
export async function lookAtLog(read: ReadLog, key: VerifierKey, seen: Seen | undefined): Promise<Look> {
  const note = (await read('checkpoint')).toString('utf8');
  const broken = (why: string): Look => ({ outcome: 'broken', why, note });
  const opened = openCheckpoint(note, key);
  if ('wrong' in opened)
    return broken(
      {
        'not a checkpoint': 'What it gives as its checkpoint is none.',
        'another log': `Its checkpoint is of another log than ${key.name}.`,
        'not signed': 'Its checkpoint is not signed with the key of the log.',
      }[opened.wrong],
    );
  const now = opened.checkpoint;
  let before: Checkpoint | undefined;
  if (seen !== undefined) {
    const kept = openCheckpoint(seen.note, key);
    if ('wrong' in kept)
      throw new Error(`The checkpoint that was kept can not be used: it is ${kept.wrong}.`);
    before = kept.checkpoint;
    if (now.size < before.size)
      return broken(`It was rolled back: it had ${before.size} leaves, and now says it has ${now.size}.`);
    if (now.size === before.size && !now.root.equals(before.root))
      return broken(`It was forked: with ${now.size} leaves it has signed two different roots.`);
  }
  const edge =
    before === undefined || seen?.edge === undefined ? new Edge() : new Edge(before.size, seen.edge);
  if (seen?.edge !== undefined && before !== undefined && !edge.root().equals(before.root))
    throw new Error('The edge that was kept is not that of the checkpoint beside it.');
  const from = edge.size;
  const events = new Map<LogEvent, number>();
  while (edge.size < now.size) {
    const index = Math.floor(edge.size / TILE_WIDTH);
    const width = Math.min(TILE_WIDTH, now.size - index * TILE_WIDTH);
    const bundle: TileAddress = { level: 'entries', index, width };
    const entries = entriesIn(await read(`tile/${tilePath(bundle)}`));
    const hashes = hashesIn(await read(`tile/${tilePath({ ...bundle, level: 0 })}`));
    if (entries?.length !== width || hashes.length !== width)
      return broken(`Leaves from ${index * TILE_WIDTH} on are missing: ${width} should be there.`);
    for (let at = edge.size - index * TILE_WIDTH; at < width; at += 1) {
      const entry = readLogEntry(entries[at]!);
      if (entry === undefined) return broken(`Leaf ${edge.size} is not well formed.`);
      const hash = leafHash(entries[at]!);
      if (!hash.equals(hashes[at]!)) return broken(`Leaf ${edge.size} is not the one in its tile.`);
      if (edge.size >= (before?.size ?? 0)) events.set(entry.event, (events.get(entry.event) ?? 0) + 1);
      edge.append(hash);
      if (edge.size === before?.size && !edge.root().equals(before.root))
        return broken(
          `It was rewritten: its first ${before.size} leaves are no longer those that were seen.`,
        );
    }
  }
  if (!edge.root().equals(now.root))
    return broken(
      from === 0
        ? 'Its leaves do not lead to the root that it has signed.'
        : `It was rewritten: from its ${from} leaves at the last look, those that came since do not lead to the root that it has signed now.`,
    );
  return {
    outcome: 'consistent',
    checkpoint: now,
    added: now.size - (before?.size ?? 0),
    events,
    seen: { note, edge: edge.roots },
  };
}
