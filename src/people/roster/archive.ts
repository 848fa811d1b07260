import type { Readable } from 'node:stream';
import { fromBuffer, type Entry, type ZipFile } from 'yauzl';
import { UnreadableFile, type Reopenable } from './text.ts';

export interface NamedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** A file of an upload. What is packed is unpacked each time it is read, and never held as a whole. */
export interface RosterFile extends Reopenable {
  readonly name: string;
}

const MAX_FILES = 64;
/** Unpacked bytes in all; a province's roster is about 200 MB. */
const MAX_BYTES = 1024 * 1024 * 1024;
/** Text shrinks to a tenth or so; what shrinks more than this was made to fill a disk. */
const MAX_RATIO = 200;
const SMALL = 10 * 1024 * 1024;
const PIECE = 64 * 1024;

/**
 * The files of an upload: CSV files as they are, a zip opened. Nothing is written to disk, so a path in the zip leads nowhere;
 * one that points outside is refused all the same, since somebody made it on purpose.
 * @throws UnreadableFile; from `open()` too, for what is damaged.
 */
export async function unpack(files: readonly NamedFile[]): Promise<RosterFile[]> {
  const unpacked: RosterFile[] = [];
  for (const file of files) {
    if (isZip(file.bytes)) unpacked.push(...(await unzip(file)));
    else if (file.name.toLowerCase().endsWith('.zip'))
      throw new UnreadableFile(`${file.name}: it is not a zip file`);
    else unpacked.push({ name: baseName(file.name), open: () => pieces(file.bytes) });
  }
  const twice = unpacked.find(
    (file, index) => unpacked.findIndex((other) => other.name === file.name) !== index,
  );
  if (twice !== undefined) throw new UnreadableFile(`${twice.name}: it was given twice`);
  return unpacked;
}

function isZip(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1'));
}

async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

async function unzip(archive: NamedFile): Promise<RosterFile[]> {
  const refuse = (why: string): UnreadableFile => new UnreadableFile(`${archive.name}: ${why}`);
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(
      archive.bytes,
      { lazyEntries: true, strictFileNames: true, autoClose: false },
      (error, opened) =>
        error === null ? resolve(opened) : reject(refuse(`it can't be opened as a zip (${error.message})`)),
    ),
  );
  const openEntry = async function* (entry: Entry): AsyncGenerator<Uint8Array> {
    try {
      const stream = await new Promise<Readable>((resolve, reject) =>
        zip.openReadStream(entry, (error, opened) => (error === null ? resolve(opened) : reject(error))),
      );
      yield* stream;
    } catch (error) {
      throw refuse(`${entry.fileName} is damaged (${(error as Error).message})`);
    }
  };
  const files: RosterFile[] = [];
  let total = 0;
  return new Promise((resolve, reject) => {
    zip.on('error', (error: Error) => reject(refuse(error.message)));
    zip.on('end', () => resolve(files));
    zip.on('entry', (entry) => {
      if (entry.fileName.endsWith('/') || entry.fileName.startsWith('__MACOSX/')) return zip.readEntry();
      if (entry.isEncrypted()) return reject(refuse('it is encrypted'));
      if (files.length >= MAX_FILES) return reject(refuse(`it holds more than ${MAX_FILES} files`));
      total += entry.uncompressedSize;
      // A size that is told too small ends the reading with an error: the stream is held to it.
      if (total > MAX_BYTES) return reject(refuse(`it unpacks to more than ${MAX_BYTES / 1024 / 1024} MB`));
      if (entry.uncompressedSize > SMALL && entry.uncompressedSize > MAX_RATIO * entry.compressedSize)
        return reject(refuse(`${entry.fileName} unpacks to more than ${MAX_RATIO} times its size`));
      files.push({ name: baseName(entry.fileName), open: () => openEntry(entry) });
      return zip.readEntry();
    });
    zip.readEntry();
  });
}
