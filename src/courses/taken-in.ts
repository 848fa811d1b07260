import { createHash } from 'node:crypto';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { z } from 'zod';

/*
 * What the last start took in, kept beside the data: a course that lies on disk as it lay then need not be read and checked anew. It is a
 * memory and no record: without it everything is read.
 */

/** Of a course: what it was read from, and what came of it. */
const stampSchema = z.object({ source: z.string(), version: z.string(), digest: z.string() });
const stampsSchema = z.record(z.string(), stampSchema);
export type Stamp = z.infer<typeof stampSchema>;

export async function readStamps(file: string): Promise<Map<string, Stamp>> {
  try {
    return new Map(Object.entries(stampsSchema.parse(JSON.parse(await readFile(file, 'utf8')))));
  } catch {
    return new Map();
  }
}

/** All or nothing, so that a crash leaves what was there before. */
export async function writeStamps(file: string, stamps: ReadonlyMap<string, Stamp>): Promise<void> {
  const next = `${file}.next`;
  await writeFile(next, JSON.stringify(Object.fromEntries(stamps)));
  await rename(next, file);
}

/**
 * Digest of everything below some folders and files, by their names and bytes: whatever a course is made of, and the code that judges it.
 * @param without names of folders that are left out.
 * @throws Error where that can't be told.
 */
export async function digestOf(paths: readonly string[], without: readonly string[] = []): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths)
    for (const file of (await filesOf(path, without)).toSorted()) {
      const bytes = await readFile(file);
      hash.update(`${relative(path, file)}\0${bytes.length}\0`).update(bytes);
    }
  return hash.digest('hex');
}

/** @throws Error for a link, a pipe or the like: what is behind it may have no end. */
async function filesOf(path: string, without: readonly string[]): Promise<string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return [];
  if (found.isFile()) return [path];
  const files: string[] = [];
  for (const entry of await readdir(path, { withFileTypes: true })) {
    if (without.includes(entry.name)) continue;
    const below = join(path, entry.name);
    if (entry.isFile()) files.push(below);
    else if (entry.isDirectory()) files.push(...(await filesOf(below, without)));
    else throw new Error(`${below} is neither a file nor a folder.`);
  }
  return files;
}
