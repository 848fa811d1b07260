import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  openCheckpoint,
  parseVerifierKey,
  signCheckpoint,
  verifierKeyOf,
} from '../../src/certification/log/checkpoint.ts';
import { logEntry, readLogEntry } from '../../src/certification/log/entry.ts';
import { lookAtLog, type ReadLog, type Seen } from '../../src/certification/log/monitor.ts';
import {
  bundleOf,
  entriesIn,
  hashesIn,
  isKept,
  parseTilePath,
  placeOf,
  tilePath,
  widthOf,
} from '../../src/certification/log/tile.ts';
import {
  Edge,
  EMPTY_ROOT,
  inclusionProof,
  leafHash,
  nodeHash,
  rootByInclusion,
  subtreesOf,
  type Subtree,
} from '../../src/certification/log/tree.ts';

/** The trees that certificate-transparency implementations test each other with: eight leaves, and the root after each. */
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
];
const ROOTS = [
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
];

/** MTH of RFC 9162, 2.1.1, as it is written there. */
function rootOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return EMPTY_ROOT;
  if (leaves.length === 1) return leafHash(leaves[0]!);
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return nodeHash(rootOf(leaves.slice(0, k)), rootOf(leaves.slice(k)));
}

/** PATH of RFC 9162, 2.1.3.1, as it is written there. */
function pathOf(m: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return [];
  let k = 1;
  while (k * 2 < leaves.length) k *= 2;
  return m < k
    ? [...pathOf(m, leaves.slice(0, k)), rootOf(leaves.slice(k))]
    : [...pathOf(m - k, leaves.slice(k)), rootOf(leaves.slice(0, k))];
}

const CERTIFICATE = {
  verificationCode: 'ABCD-EFGH-JKMN-PQRS',
  claims: { b: 1, a: '王' },
  pdfDigest: 'ab'.repeat(32),
};
const at = new Date('2030-03-04T04:00:00Z');
const entryOf = (n: number): Buffer =>
  Buffer.from(logEntry('issue', at, { ...CERTIFICATE, number: `XQ2030-${n}` }));

/** The same numbers every time, from 0 to below 1 (mulberry32). */
function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A log as files, kept the way the service keeps it. */
class Files {
  readonly #key = generateKeyPairSync('ed25519').privateKey;
  readonly entries: Buffer[] = [];
  readonly tiles = new Map<string, Buffer[]>();
  edge = new Edge();
  readonly origin = 'example.org/log';
  readonly verifier = parseVerifierKey(verifierKeyOf(this.origin, this.#key))!;
  note = '';

  add(entry: Buffer): void {
    this.entries.push(entry);
    this.edge.append(leafHash(entry), (subtree, hash) => {
      if (!isKept(subtree)) return;
      const { tile, from } = placeOf(subtree);
      const name = `${tile.level}/${tile.index}`;
      this.tiles.set(name, [...(this.tiles.get(name) ?? []).slice(0, from), hash]);
    });
    this.sign();
  }

  sign(): void {
    const { size } = this.edge;
    this.note = signCheckpoint({ origin: this.origin, size, root: this.edge.root() }, this.#key);
  }

  subtree = async (subtree: Subtree): Promise<Buffer> => {
    const { tile, from, count } = placeOf(subtree);
    let hashes = this.tiles.get(`${tile.level}/${tile.index}`)!.slice(from, from + count);
    while (hashes.length > 1)
      hashes = hashes.flatMap((hash, n) => (n % 2 === 0 ? [nodeHash(hash, hashes[n + 1]!)] : []));
    return hashes[0]!;
  };

  read: ReadLog = async (path) => {
    if (path === 'checkpoint') return Buffer.from(this.note);
    const address = parseTilePath(path.replace('tile/', ''))!;
    const { level, index, width } = address;
    return level === 'entries'
      ? bundleOf(this.entries.slice(index * 256, index * 256 + width))
      : Buffer.concat(this.tiles.get(`${level}/${index}`)!.slice(0, width));
  };
}

describe('the tree', () => {
  it('has the roots and proofs that others have', async () => {
    const leaves = LEAVES.map((hex) => Buffer.from(hex, 'hex'));
    const files = new Files();
    expect(files.edge.root().toString('hex')).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    for (const [n, leaf] of leaves.entries()) {
      files.add(leaf);
      expect(files.edge.root().toString('hex')).toBe(ROOTS[n]);
      for (let m = 0; m <= n; m += 1) {
        const proof = await inclusionProof(m, n + 1, files.subtree);
        expect(proof).toEqual(pathOf(m, leaves.slice(0, n + 1)));
        expect(rootByInclusion(leafHash(leaves[m]!), m, n + 1, proof)!.toString('hex')).toBe(ROOTS[n]);
      }
    }
  });

  it('proves every leaf of trees of any size, over full tiles and across their levels, and nothing else', async () => {
    const files = new Files();
    const random = numbersFrom(7);
    for (let n = 0; n < 66_000; n += 1) {
      // What is signed and copied of each state is not looked at here.
      const entry = Buffer.from(String(n));
      files.entries.push(entry);
      files.edge.append(leafHash(entry), (subtree, hash) => {
        if (!isKept(subtree)) return;
        const { tile } = placeOf(subtree);
        const name = `${tile.level}/${tile.index}`;
        if (!files.tiles.has(name)) files.tiles.set(name, []);
        files.tiles.get(name)!.push(hash);
      });
    }
    for (const size of [1, 2, 255, 256, 257, 4_096, 65_535, 65_536, 65_537, 66_000]) {
      const edge = new Edge(size, await Promise.all(subtreesOf(size).map(files.subtree)));
      for (let round = 0; round < 12; round += 1) {
        const index = Math.floor(random() * size);
        const proof = await inclusionProof(index, size, files.subtree);
        const leaf = leafHash(files.entries[index]!);
        expect(rootByInclusion(leaf, index, size, proof)).toEqual(edge.root());
        if (proof.length === 0) continue;
        const wrong = Math.floor(random() * proof.length);
        const changed = proof.map((hash, n) => (n === wrong ? leafHash(hash) : hash));
        expect(rootByInclusion(leaf, index, size, changed)).not.toEqual(edge.root());
        expect(rootByInclusion(leaf, index, size, proof.slice(1))).not.toEqual(edge.root());
        expect(rootByInclusion(leaf, (index + 1) % size, size, proof)).not.toEqual(edge.root());
      }
    }
    // The levels above have what the level below makes.
    expect(files.tiles.get('2/0')).toHaveLength(widthOf({ level: 2, index: 0 }, 66_000));
    expect(files.tiles.get('1/1')).toHaveLength(1);
  });

  it('has tiles under the names of C2SP tlog-tiles', () => {
    // From the specification: https://c2sp.org/tlog-tiles
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 0, width: 8 })).toBe('entries/000.p/8');
    expect(parseTilePath('0/x001/x234/067.p/255')).toEqual({ level: 0, index: 1_234_067, width: 255 });
    for (const path of [
      '0/000.p/256',
      '0/000.p/0',
      '0/x000/001',
      '0/1',
      '7/000',
      '../000',
      '0/000.p/08',
      'data/000',
      '0/000/',
    ])
      expect(parseTilePath(path), `of ${path}`).toBeUndefined();
    expect(entriesIn(bundleOf([Buffer.from('a'), Buffer.of(), Buffer.from('bcd')]))!.map(String)).toEqual([
      'a',
      '',
      'bcd',
    ]);
    expect(entriesIn(Buffer.of(0, 3, 1))).toBeUndefined();
    expect(entriesIn(Buffer.of(0))).toBeUndefined();
    expect(hashesIn(Buffer.alloc(64))).toHaveLength(2);
  });

  it('goes on only from an edge that fits', () => {
    expect(() => new Edge(3, [Buffer.alloc(32)])).toThrow('3 leaves is not 1 hashes');
    expect(() => new Edge(-1, [])).toThrow(RangeError);
  });
});

describe('a checkpoint', () => {
  // The example of https://c2sp.org/signed-note, whose key Go's sumdb/note uses too.
  const GO_KEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';

  it('reads the verifier keys of others, and no key whose id is not its own', () => {
    expect(parseVerifierKey(GO_KEY)?.name).toBe('PeterNeumann');
    expect(parseVerifierKey(GO_KEY.replace('c74f', 'c74e'))).toBeUndefined();
    for (const text of ['', 'a+b+c', GO_KEY.replace('ARpc', 'AxpC')])
      expect(parseVerifierKey(text)).toBeUndefined();
  });

  it('is refused when it is of another log, of another key, changed, or none', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const other = generateKeyPairSync('ed25519').privateKey;
    const origin = 'example.org/log';
    const key = parseVerifierKey(verifierKeyOf(origin, privateKey))!;
    const checkpoint = { origin, size: 3, root: Buffer.alloc(32, 7) };
    const note = signCheckpoint(checkpoint, privateKey);
    expect(openCheckpoint(note, key)).toEqual({ checkpoint });
    // A witness may have signed beside.
    const [text, own] = note.split('\n\n');
    const witness = signCheckpoint({ ...checkpoint, origin: 'witness.example' }, other).split('\n\n')[1]!;
    expect(openCheckpoint(`${text}\n\n${witness}${own}`, key)).toEqual({ checkpoint });
    expect(openCheckpoint(`${text}\n\n${witness}`, key)).toEqual({ wrong: 'not signed' });
    expect(openCheckpoint(signCheckpoint(checkpoint, other), key)).toEqual({ wrong: 'not signed' });
    expect(openCheckpoint(note.replace('\n3\n', '\n4\n'), key)).toEqual({ wrong: 'not signed' });
    expect(openCheckpoint(signCheckpoint({ ...checkpoint, origin: 'else/log' }, privateKey), key)).toEqual({
      wrong: 'another log',
    });
    for (const none of ['', 'hello', note.replace('\n3\n', '\n03\n'), note.replace('\n3\n', '\n-3\n')])
      expect(openCheckpoint(none, key)).toEqual({ wrong: 'not a checkpoint' });
  });
});

describe('an entry', () => {
  it('says what happened and not to whom, and has one form only', () => {
    const text = entryOf(1).toString();
    expect(text).not.toMatch(/XQ2030|王|ABCD/);
    expect(readLogEntry(entryOf(1))).toMatchObject({
      v: 1,
      event: 'issue',
      at: '2030-03-04T04:00:00.000Z',
      document: 'ab'.repeat(32),
    });
    // Another code, another entry: without it nobody finds the one of a number.
    expect(logEntry('issue', at, { ...CERTIFICATE, number: 'XQ2030-1', verificationCode: 'x' })).not.toBe(
      text,
    );
    for (const wrong of [
      ` ${text}`,
      text.replace('issue', 'withdraw'),
      text.replace('"v":1', '"v":2'),
      text.replace('}', ',"z":1}'),
      text.replace(/"at":"[^"]*"/, '"at":"yesterday"'),
      'null',
      '[]',
      'x',
    ])
      expect(readLogEntry(Buffer.from(wrong)), `of ${wrong}`).toBeUndefined();
  });
});

describe('a monitor', () => {
  const grown = (count: number): Files => {
    const files = new Files();
    for (let n = 0; n < count; n += 1) files.add(entryOf(n));
    return files;
  };
  const look = async (files: Files, seen?: Seen) => lookAtLog(files.read, files.verifier, seen);
  const seenOf = async (files: Files, before?: Seen): Promise<Seen> => {
    const found = await look(files, before);
    if (found.outcome !== 'consistent') throw new Error(found.why);
    return found.seen;
  };

  it('follows a log as it grows, from any size to any other, reading only what is new', async () => {
    const random = numbersFrom(3);
    const files = grown(0);
    files.sign();
    let seen = await seenOf(files);
    while (files.entries.length < 700) {
      const added = Math.floor(random() * 90);
      for (let n = 0; n < added; n += 1) files.add(entryOf(files.entries.length));
      const found = await look(files, seen);
      expect(found).toMatchObject({ outcome: 'consistent', added });
      if (found.outcome === 'consistent') ({ seen } = found);
    }
    const first = files.entries[0]!;
    files.entries[0] = Buffer.from('what was read before is not read again');
    expect(await look(files, seen)).toMatchObject({ outcome: 'consistent', added: 0 });
    files.entries[0] = first;
    // From a checkpoint alone, without its edge, by reading all.
    expect(await look(files, { note: seen.note, edge: undefined })).toMatchObject({
      outcome: 'consistent',
    });
  });

  it('notices whatever is changed, dropped, put in, forked or rolled back', async () => {
    const files = grown(300);
    const seen = await seenOf(files);
    const keep = { entries: [...files.entries], note: files.note };
    /** Everything made anew over these entries, and signed with the right key, as only the operator could. */
    const rewrite = (entries: readonly Buffer[]): void => {
      files.entries.length = 0;
      files.tiles.clear();
      files.edge = new Edge();
      for (const entry of entries) files.add(entry);
    };
    const why = async (from: Seen | undefined = seen): Promise<string> => {
      const found = await look(files, from);
      return found.outcome === 'broken' ? found.why : 'nothing';
    };
    const withMore = (entries: Buffer[]): Buffer[] => [...entries, entryOf(900), entryOf(901)];

    rewrite(withMore(keep.entries));
    expect(await why()).toBe('nothing');
    rewrite(withMore(keep.entries.with(12, entryOf(999))));
    expect(await why()).toMatch('It was rewritten: from its 300 leaves');
    expect(await why({ note: seen.note, edge: undefined })).toMatch('It was rewritten: its first 300 leaves');
    rewrite(withMore(withMore(keep.entries).toSpliced(12, 1)));
    expect(await why()).toMatch('It was rewritten');
    rewrite(withMore(keep.entries.toSpliced(12, 0, entryOf(998))));
    expect(await why()).toMatch('It was rewritten');
    rewrite(keep.entries.with(299, entryOf(999)));
    expect(await why()).toMatch('It was forked: with 300 leaves');
    rewrite(keep.entries.slice(0, 299));
    expect(await why()).toMatch('It was rolled back: it had 300 leaves, and now says it has 299');
    // One who serves files without the key.
    rewrite(withMore(keep.entries));
    files.entries[301] = entryOf(5);
    expect(await why()).toBe('Leaf 301 is not the one in its tile.');
    files.tiles.get('0/1')![45] = leafHash(entryOf(5));
    expect(await why()).toMatch('It was rewritten');
    files.entries[301] = Buffer.from('{}');
    expect(await why()).toBe('Leaf 301 is not well formed.');
    files.entries.length = 301;
    expect(await why()).toMatch('Leaves from 256 on are missing');
    rewrite(keep.entries);
    expect(await lookAtLog(files.read, grown(1).verifier, undefined)).toMatchObject({
      why: 'Its checkpoint is not signed with the key of the log.',
    });
    files.note = 'closed for today';
    expect(await why()).toBe('What it gives as its checkpoint is none.');
  });

  it('does not go on from what was not kept as it was', async () => {
    const files = grown(5);
    const seen = await seenOf(files);
    await expect(look(files, { ...seen, edge: seen.edge!.toReversed() })).rejects.toThrow(
      'not that of the checkpoint',
    );
    await expect(look(files, { ...seen, note: 'x' })).rejects.toThrow('can not be used');
  });
});
