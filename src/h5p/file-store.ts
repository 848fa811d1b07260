import { randomUUID } from 'node:crypto';
import { open, mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ObjectStore } from './object-store.ts';

/** A folder, for one machine or a shared file system. Written beside, flushed and renamed: no reader ever meets half an object. */
export function makeFileStore(root: string): ObjectStore {
  const place = (key: string): string => {
    if (!/^[\w.-]+(?:\/[\w.-]+)*$/.test(key) || key.split('/').some((word) => /^\.+$/.test(word)))
      throw new Error(`No key: ${key}`);
    return join(root, key);
  };
  const has = async (key: string): Promise<boolean> =>
    stat(place(key)).then(
      () => true,
      () => false,
    );
  return {
    has,

    async put(key, bytes) {
      const final = place(key);
      if (await has(key)) return;
      const unfinished = join(root, 'unfinished', randomUUID());
      await mkdir(dirname(unfinished), { recursive: true });
      await mkdir(dirname(final), { recursive: true });
      try {
        const file = await open(unfinished, 'wx');
        // Closes the file, whatever comes of it.
        await pipeline(bytes, file.createWriteStream({ flush: true }));
        await rename(unfinished, final);
      } finally {
        await rm(unfinished, { force: true });
      }
    },

    async open(key, range) {
      let file;
      try {
        file = await open(place(key));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
      if (range !== undefined && range.end <= range.start) {
        await file.close();
        return (async function* () {})();
      }
      return file.createReadStream(range === undefined ? {} : { start: range.start, end: range.end - 1 });
    },
  };
}
