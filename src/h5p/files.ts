import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openZip } from '../sheets/zip.ts';
import { UnreadableSheet } from '../sheets/unreadable.ts';
import { inMegabytes, PATH_LIMITS, type PackageLimits } from './limits.ts';
import { isLeftBehind } from './extension.ts';
import type { Findings } from './problem.ts';

/** The files of a package, packed or not; none of what editors and systems leave behind. */
export interface PackageFiles {
  /** In bytes, by the path as it is written. */
  readonly sizes: ReadonlyMap<string, number>;
  /** @throws DamagedPackage */
  open(path: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

/** It can't be read at all, or not to its end; the message follows the name of the file. */
export class DamagedPackage extends Error {
  override name = 'DamagedPackage';
}

/** A packed package on disk. @throws DamagedPackage for one that can't be read, or is made to do harm. */
export async function openPackedFile(file: string, limits: PackageLimits): Promise<PackageFiles> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const zip = await openZip(
      {
        size,
        read: async (start, end) => {
          const buffer = Buffer.alloc(end - start);
          const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
          return buffer.subarray(0, bytesRead);
        },
      },
      limits,
    );
    const link = zip.entries.find((entry) => entry.isLink);
    if (link !== undefined)
      throw new DamagedPackage(`holds a link to another file (${link.path}), which is not followed.`);
    return {
      sizes: new Map(
        zip.entries.filter(({ path }) => !isLeftBehind(path)).map(({ path, size: bytes }) => [path, bytes]),
      ),
      open: (path) => named(zip.open(path)),
      close: async () => {
        zip.close();
        await handle.close();
      },
    };
  } catch (error) {
    await handle.close();
    throw inOurWords(error);
  }
}

async function* named(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* bytes;
  } catch (error) {
    throw inOurWords(error);
  }
}

function inOurWords(error: unknown): unknown {
  if (!(error instanceof UnreadableSheet)) return error;
  if (error.reason === 'NOT_A_ZIP' || error.reason === 'OLD_FORMAT')
    return new DamagedPackage('is not an H5P package: it is no zip.');
  if (error.reason === 'ENCRYPTED') return new DamagedPackage('is encrypted; save it without a password.');
  return new DamagedPackage(`can't be taken: ${error.message}.`);
}

/** A package that lies unpacked in a folder. */
export async function openFolder(folder: string, findings: Findings, prefix: string): Promise<PackageFiles> {
  const sizes = new Map<string, number>();
  const walk = async (below: string): Promise<void> => {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
        throw error;
      },
    );
    for (const entry of entries) {
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (isLeftBehind(path)) continue;
      if (entry.isDirectory()) await walk(path);
      else if (entry.isFile()) sizes.set(path, (await stat(join(folder, path))).size);
      else findings.problem(`${prefix}/${path}`, 'is a link or no file at all, which is not followed.');
    }
  };
  await walk('');
  return {
    sizes: new Map([...sizes].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    open: (path) => createReadStream(join(folder, path)),
    close: async () => undefined,
  };
}

/** What is wrong with the paths and sizes of a package, whatever stands in the files. */
export function checkFiles(
  files: PackageFiles,
  at: (path: string) => string,
  limits: PackageLimits,
  findings: Findings,
): void {
  let total = 0;
  const known = new Map<string, string>();
  for (const [path, size] of files.sizes) {
    const segments = path.split('/');
    if (
      Buffer.byteLength(path) > PATH_LIMITS.bytes ||
      segments.length > PATH_LIMITS.depth ||
      segments.some((segment) => Buffer.byteLength(segment) > PATH_LIMITS.segment)
    )
      findings.problem(at(path.slice(0, 100)), 'has a path that is too long or lies too deep.');
    if (/[\p{Cc}\\\ufffd]/u.test(path) || segments.some((segment) => ['', '.', '..'].includes(segment)))
      findings.problem(at(path), 'has a path with characters that no file should have.');
    const other = known.get(path.normalize('NFC').toLowerCase());
    if (other !== undefined)
      findings.problem(at(path), `is written like ${other} but for case: on many systems they are one file.`);
    known.set(path.normalize('NFC').toLowerCase(), path);
    if (size > limits.fileBytes)
      findings.problem(
        at(path),
        `has ${inMegabytes(size)}; a file may have ${inMegabytes(limits.fileBytes)}.`,
      );
    total += size;
  }
  if (files.sizes.size > limits.files)
    findings.problem(at(''), `holds ${files.sizes.size} files; ${limits.files} is the most.`);
  if (total > limits.bytes)
    findings.problem(
      at(''),
      `holds ${inMegabytes(total)} unpacked; ${inMegabytes(limits.bytes)} is the most.`,
    );
}
