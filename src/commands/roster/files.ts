import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ZipFile } from 'yazl';

/** Those of OneRoster that a service reads. */
const ONEROSTER = ['manifest.csv', 'orgs.csv', 'users.csv', 'roles.csv'];

/** The message is for the person at the shell. */
export class NothingToRead extends Error {
  override name = 'NothingToRead';
}

export interface Found {
  readonly path: string;
  readonly name: string;
  readonly bytes: number;
}

/** What is uploaded. */
export interface Outgoing {
  readonly name: string;
  readonly bytes: number;
  /** @throws NothingToRead, while it is read */
  open(): AsyncIterable<Uint8Array>;
}

/**
 * The files that are meant: of a folder those of OneRoster and workbooks that lie right in it, and whatever is named by itself.
 * @throws NothingToRead naming the path
 */
export async function findFiles(paths: readonly string[]): Promise<Found[]> {
  const found: Found[] = [];
  for (const path of paths) {
    const at = await stat(path).catch((error: NodeJS.ErrnoException) => {
      throw new NothingToRead(
        error.code === 'ENOENT' || error.code === 'ENOTDIR'
          ? `There is no file or folder ${path}`
          : `${path} can't be read: ${error.message}`,
      );
    });
    if (at.isDirectory()) found.push(...(await findInFolder(path)));
    else if (at.isFile()) found.push({ path, name: basename(path), bytes: at.size });
    else throw new NothingToRead(`${path} is neither a file nor a folder`);
  }
  const twice = found.find(({ name }, index) => found.findIndex((other) => other.name === name) !== index);
  if (twice !== undefined) throw new NothingToRead(`${twice.name} is given twice`);
  const empty = found.find((file) => file.bytes === 0);
  if (empty !== undefined) throw new NothingToRead(`${empty.path} is empty`);
  return found;
}

async function findInFolder(folder: string): Promise<Found[]> {
  const names = await readdir(folder).catch((error: Error) => {
    throw new NothingToRead(`${folder} can't be read: ${error.message}`);
  });
  const found: Found[] = [];
  for (const name of names.toSorted()) {
    // What begins so is kept by a spreadsheet program while it has the workbook open.
    if (!ONEROSTER.includes(name) && !(name.toLowerCase().endsWith('.xlsx') && !name.startsWith('~$')))
      continue;
    const path = join(folder, name);
    const at = await stat(path);
    if (at.isFile()) found.push({ path, name, bytes: at.size });
  }
  if (found.length === 0)
    throw new NothingToRead(
      `There is nothing to read in ${folder}: neither ${ONEROSTER.slice(0, -1).join(', ')} and ${ONEROSTER.at(-1)} nor a workbook (.xlsx)${
        names.some((name) => name.toLowerCase().endsWith('.zip'))
          ? '. A zip that lies in it is named by itself'
          : ''
      }`,
    );
  return found;
}

/** Text shrinks to a fifth or so: files of OneRoster go as one zip, anything else as it is. @throws NothingToRead */
export async function pack(found: readonly Found[]): Promise<Outgoing[]> {
  const text = found.filter((file) => ONEROSTER.includes(file.name));
  const rest = found.filter((file) => !text.includes(file));
  return [...(text.length === 0 ? [] : [await zip(text)]), ...rest.map(asItIs)];
}

function asItIs({ path, name, bytes }: Found): Outgoing {
  return {
    name,
    bytes,
    async *open() {
      try {
        yield* createReadStream(path) as AsyncIterable<Uint8Array>;
      } catch (error) {
        throw new NothingToRead(`${path} can't be read: ${(error as Error).message}`);
      }
    },
  };
}

async function zip(files: readonly Found[]): Promise<Outgoing> {
  const archive = new ZipFile();
  const chunks: Uint8Array[] = [];
  // Its own stream does not hear of a file that can't be read.
  const failed = new Promise<never>((_resolve, reject) => {
    archive.on('error', (error: Error) => reject(new NothingToRead(`It can't be read: ${error.message}`)));
  });
  for (const file of files) archive.addFile(file.path, file.name);
  archive.end();
  const packed = (async () => {
    for await (const chunk of archive.outputStream) chunks.push(chunk as Uint8Array);
  })();
  await Promise.race([packed, failed]);
  return {
    name: 'roster.zip',
    bytes: chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    async *open() {
      yield* chunks;
    },
  };
}
