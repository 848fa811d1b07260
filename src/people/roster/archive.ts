import { openZip, type Parts, type ZipLimits } from '../../sheets/zip.ts';
import { UnreadableFile } from './said.ts';
import type { Reopenable } from './text.ts';
import { ofUnreadableSheet } from './unreadable.ts';
import type { Upload } from './upload.ts';

/** A file of an upload. What is packed is unpacked each time it is read, and never held as a whole. */
export interface RosterFile extends Reopenable {
  readonly name: string;
}

/** A province's roster unpacks to about 200 MB. Text shrinks to a tenth or so; what shrinks far more was made to fill a disk. */
const LIMITS: ZipLimits = { files: 64, bytes: 1024 * 1024 * 1024, ratio: 200 };
const PIECE = 64 * 1024;

/**
 * The files of an upload: CSV files as they are, a zip opened. Nothing is written to disk, so a path in the zip leads nowhere;
 * one that points outside is refused all the same, since somebody made it on purpose.
 * @throws UnreadableFile; from `open()` too, for what is damaged.
 */
export async function unpack(files: readonly Upload[]): Promise<RosterFile[]> {
  const unpacked: RosterFile[] = [];
  for (const file of files) {
    if (await isZip(file)) unpacked.push(...(await unzip(file)));
    else if (file.name.toLowerCase().endsWith('.zip'))
      throw new UnreadableFile(`${file.name}: it is not a zip file`, `${file.name}：不是 zip 文件`);
    else unpacked.push({ name: baseName(file.name), open: () => pieces(file) });
  }
  const twice = unpacked.find(
    (file, index) => unpacked.findIndex((other) => other.name === file.name) !== index,
  );
  if (twice !== undefined)
    throw new UnreadableFile(`${twice.name}: it was given twice`, `${twice.name}：给了两次`);
  return unpacked;
}

async function isZip(file: Upload): Promise<boolean> {
  return (await file.read(0, 4)).subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1'));
}

async function* pieces(file: Upload): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.size;) {
    const piece = await file.read(at, Math.min(file.size, at + PIECE));
    if (piece.length === 0) return;
    yield piece;
    at += piece.length;
  }
}

function baseName(path: string): string {
  return path.split(/[/\\]/).at(-1) ?? path;
}

async function unzip(archive: Upload): Promise<RosterFile[]> {
  try {
    const parts = await openZip(archive, LIMITS);
    return parts.paths
      .filter((path) => !path.startsWith('__macosx/'))
      .map((path) => ({ name: baseName(path), open: () => openPart(archive, parts, path) }));
  } catch (error) {
    throw ofUnreadableSheet(archive.name, error);
  }
}

async function* openPart(archive: Upload, parts: Parts, path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* parts.open(path);
  } catch (error) {
    throw ofUnreadableSheet(archive.name, error);
  }
}
