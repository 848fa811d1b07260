import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { makeContentStore } from '../../src/h5p/content-store.ts';
import { makeFileStore } from '../../src/h5p/file-store.ts';
import { packageLimits } from '../../src/h5p/limits.ts';
import { readWhole, type ObjectStore } from '../../src/h5p/object-store.ts';
import { readPackedFile, type H5pPackage } from '../../src/h5p/package.ts';
import { folderShelf } from '../../src/h5p/read-library.ts';
import { makeS3Store } from '../../src/h5p/s3-store.ts';
import { makeOutbound, type Outbound } from '../../src/network/outbound.ts';
import { startBucket, type TestBucket } from '../support/bucket.ts';
import { mediaPackage, pack } from './packages.ts';

let root: string;
let bucket: TestBucket;
let outbound: Outbound;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'xinqiao-store-'));
  bucket = await startBucket();
  outbound = makeOutbound({ allow: ['127.0.0.1'], ports: [443], allowHttp: false });
});
afterAll(async () => {
  await outbound.close();
  await bucket.stop();
  await rm(root, { recursive: true, force: true });
});

/** In chunks of no round size. */
async function* inChunks(bytes: Buffer, fail?: Error): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 99_991) yield bytes.subarray(at, at + 99_991);
  if (fail !== undefined) throw fail;
}
const noise = (size: number): Buffer => {
  const block = createHash('sha512').update(String(size)).digest();
  return Buffer.alloc(size, block);
};

describe.each<[string, () => ObjectStore]>([
  ['a folder', () => makeFileStore(join(root, 'store'))],
  ['a bucket', () => makeS3Store(bucket.config, outbound)],
])('a store in %s', (_name, make) => {
  it('gives back what was put, whole and in part, and says what is not there', async () => {
    const store = make();
    const small = Buffer.from('{"a":"你好"}');
    await store.put('blobs/ab/small', inChunks(small), small.length);
    // Several parts of an upload, and more pieces than one when it is read.
    const large = noise(17 * 1024 * 1024 + 5);
    await store.put('blobs/ab/large', inChunks(large), large.length);
    for (const fresh of [store, make()]) {
      expect(await fresh.has('blobs/ab/small')).toBe(true);
      expect(await fresh.has('blobs/ab/none')).toBe(false);
      expect(await fresh.open('blobs/ab/none')).toBeUndefined();
      const read = async (key: string, start?: number, end?: number): Promise<Buffer> =>
        readWhole((await fresh.open(key, start === undefined ? undefined : { start, end: end! }))!);
      expect((await read('blobs/ab/small')).toString()).toBe(small.toString());
      expect((await read('blobs/ab/large')).equals(large)).toBe(true);
      for (const [start, end] of [
        [0, 1],
        [1_048_575, 1_048_577],
        [5_000_000, 9_000_001],
        [large.length - 3, large.length],
      ] as const)
        expect((await read('blobs/ab/large', start, end)).equals(large.subarray(start, end))).toBe(true);
    }
  });

  it('keeps what came first under a key', async () => {
    const store = make();
    const [one, two] = [Buffer.from('one'), Buffer.from('two')];
    await store.put('blobs/ab/once', inChunks(one), 3);
    await store.put('blobs/ab/once', inChunks(two), 3);
    expect((await readWhole((await store.open('blobs/ab/once'))!)).toString()).toBe('one');
  });

  it('has nothing under a key whose bytes broke off', async () => {
    const store = make();
    for (const size of [1_000, 9 * 1024 * 1024]) {
      const key = `blobs/ab/broken-${size}`;
      const bytes = inChunks(noise(size), new Error('the line broke'));
      await expect(store.put(key, bytes, size)).rejects.toThrow('the line broke');
      expect(await store.has(key)).toBe(false);
    }
  });

  it('has a content whole or not at all, wherever storing it breaks off, and takes it the next time', async () => {
    const file = join(root, 'media.h5p');
    await writeFile(file, await pack({ ...mediaPackage(noise(50_000)), 'H5P.TestMedia-1.0/empty.css': '' }));
    const read = await readPackedFile(file, {
      shelf: folderShelf(join(root, 'none')),
      limits: packageLimits(16),
    });
    if ('problems' in read) throw new Error(JSON.stringify(read.problems));
    const its = read.package;
    const objects = make();
    const put = async (store: ReturnType<typeof makeContentStore>, from: H5pPackage): Promise<void> => {
      for (const source of from.libraries.values()) await store.putLibrary(source);
      await store.putContent(
        {
          hash: from.hash,
          title: from.title,
          language: from.language,
          main: from.main,
          files: from.files,
          libraries: Object.fromEntries(
            [...from.libraries].map(([folder, { library }]) => [folder, library.id]),
          ),
        },
        from.played,
        (path) => from.open(path),
      );
    };
    // Each try gets one write further than the one before, and breaks off in the middle of the next.
    for (let tries = 0, done = false; !done; tries += 1) {
      let left = Math.min(tries, 1);
      const failing: ObjectStore = {
        ...objects,
        put: async (key, bytes, size) => {
          if (await objects.has(key)) return;
          left -= 1;
          const half = inChunks(Buffer.from('half'), new Error('the power went'));
          await objects.put(key, left < 0 ? half : bytes, size);
        },
      };
      done = await put(makeContentStore(failing), its).then(
        () => true,
        () => false,
      );
      const found = await makeContentStore(objects).findContent(its.hash);
      expect({ tries, there: found !== undefined }).toEqual({ tries, there: done });
      expect(tries).toBeLessThan(20);
    }
    const store = makeContentStore(make());
    for (const [path, file] of [
      ['h5p.json', its.played.length],
      ['content/videos/FILM.MP4', 50_000],
      ['H5P.TestMedia-1.0/library.json', undefined],
      ['H5P.TestMedia-1.0/empty.css', 0],
    ] as const) {
      const found = await store.findFile(its.hash, path);
      expect(found).toBeDefined();
      expect(found!.size).toBe(file ?? found!.size);
      expect((await readWhole(await store.openBlob(found!))).length).toBe(found!.size);
    }
    expect(await store.findFile(its.hash, 'H5P.TestMedia-1.0/none.js')).toBeUndefined();
    await its.close();
  });

  it('takes the same from two at once', async () => {
    const bytes = noise(300_000);
    await Promise.all([1, 2].map(async () => make().put('blobs/cd/both', inChunks(bytes), bytes.length)));
    expect((await readWhole((await make().open('blobs/cd/both'))!)).equals(bytes)).toBe(true);
  });
});

describe('a store in a folder', () => {
  it('has nothing under a key after a kill -9 in the middle of its bytes', async () => {
    const folder = join(root, 'killed');
    const module = join(projectFolder, 'src/h5p/file-store.ts');
    const code = `import { makeFileStore } from ${JSON.stringify(module)};
      await makeFileStore(${JSON.stringify(folder)}).put('blobs/ab/x', (async function* () {
        for (let n = 0; ; n += 1) { yield Buffer.alloc(70_000); if (n === 3) process.stdout.write('writing'); await new Promise((go) => setTimeout(go, 5)); }
      })(), 1);`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const store = makeFileStore(folder);
    expect(await store.has('blobs/ab/x')).toBe(false);
    expect(await readdir(join(folder, 'unfinished'))).toHaveLength(1);
    await store.put('blobs/ab/x', inChunks(Buffer.from('whole')), 5);
    expect((await readWhole((await store.open('blobs/ab/x'))!)).toString()).toBe('whole');
  });

  it.each(['../x', 'a/../../x', '/etc/passwd', 'a//b', '', 'a\\b'])('has no key “%s”', async (key) => {
    const store = makeFileStore(join(root, 'store'));
    await expect(store.has(key)).rejects.toThrow('No key');
  });
});

describe('a store in a bucket', () => {
  it('says so when its keys are wrong, or nobody answers', async () => {
    const wrong = makeS3Store({ ...bucket.config, secretAccessKey: 'wrong' }, outbound);
    await expect(wrong.put('blobs/ab/y', inChunks(Buffer.from('y')), 1)).rejects.toThrow(
      /The storage answered 403/,
    );
    const gone = makeS3Store({ ...bucket.config, endpoint: 'http://127.0.0.1:9' }, outbound);
    await expect(gone.open('blobs/ab/y')).rejects.toThrow('did not answer');
    const none = makeS3Store({ ...bucket.config, bucket: 'no-such-bucket' }, outbound);
    await expect(none.put('blobs/ab/y', inChunks(Buffer.from('y')), 1)).rejects.toThrow(
      /The storage answered 404/,
    );
  });
});
