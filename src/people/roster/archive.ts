import type { Readable } from 'node:stream';
import { fromBuffer, type Entry, type ZipFile } from 'yauzl';
import { UnreadableFile } from './said.ts';
import type { Reopenable } from './text.ts';

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
      throw new UnreadableFile(`${file.name}: it is not a zip file`, `${file.name}：不是 zip 文件`);
    else unpacked.push({ name: baseName(file.name), open: () => pieces(file.bytes) });
  }
  const twice = unpacked.find(
    (file, index) => unpacked.findIndex((other) => other.name === file.name) !== index,
  );
  if (twice !== undefined)
    throw new UnreadableFile(`${twice.name}: it was given twice`, `${twice.name}：给了两次`);
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
  const refuse = (why: string, zh: string): UnreadableFile =>
    new UnreadableFile(`${archive.name}: ${why}`, `${archive.name}：${zh}`);
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromBuffer(
      archive.bytes,
      { lazyEntries: true, strictFileNames: true, autoClose: false },
      (error, opened) =>
        error === null
          ? resolve(opened)
          : reject(
              refuse(
                `it can't be opened as a zip (${error.message})`,
                `无法作为 zip 打开（${error.message}）`,
              ),
            ),
    ),
  );
  const openEntry = async function* (entry: Entry): AsyncGenerator<Uint8Array> {
    try {
      const stream = await new Promise<Readable>((resolve, reject) =>
        zip.openReadStream(entry, (error, opened) => (error === null ? resolve(opened) : reject(error))),
      );
      yield* stream;
    } catch (error) {
      const { message } = error as Error;
      throw refuse(`${entry.fileName} is damaged (${message})`, `${entry.fileName} 已损坏（${message}）`);
    }
  };
  const files: RosterFile[] = [];
  let total = 0;
  return new Promise((resolve, reject) => {
    zip.on('error', ({ message }: Error) => reject(refuse(message, `zip 文件有误（${message}）`)));
    zip.on('end', () => resolve(files));
    zip.on('entry', (entry) => {
      if (entry.fileName.endsWith('/') || entry.fileName.startsWith('__MACOSX/')) return zip.readEntry();
      if (entry.isEncrypted()) return reject(refuse('it is encrypted', '文件已加密'));
      if (files.length >= MAX_FILES)
        return reject(refuse(`it holds more than ${MAX_FILES} files`, `其中的文件超过 ${MAX_FILES} 个`));
      total += entry.uncompressedSize;
      // A size that is told too small ends the reading with an error: the stream is held to it.
      if (total > MAX_BYTES)
        return reject(
          refuse(
            `it unpacks to more than ${MAX_BYTES / 1024 / 1024} MB`,
            `解压后超过 ${MAX_BYTES / 1024 / 1024} MB`,
          ),
        );
      if (entry.uncompressedSize > SMALL && entry.uncompressedSize > MAX_RATIO * entry.compressedSize)
        return reject(
          refuse(
            `${entry.fileName} unpacks to more than ${MAX_RATIO} times its size`,
            `${entry.fileName} 解压后超过自身大小的 ${MAX_RATIO} 倍`,
          ),
        );
      files.push({ name: baseName(entry.fileName), open: () => openEntry(entry) });
      return zip.readEntry();
    });
    zip.readEntry();
  });
}
