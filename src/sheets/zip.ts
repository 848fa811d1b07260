import { pipeline, Readable } from 'node:stream';
import { callbackify } from 'node:util';
import { crc32, createInflateRaw } from 'node:zlib';
import {
  fromRandomAccessReader,
  getFileNameLowLevel,
  RandomAccessReader,
  validateFileName,
  type Entry,
  type ZipFile,
} from 'yauzl';
import { UnreadableSheet } from './unreadable.ts';

/** Bytes that can be read from anywhere: a file, a large object, a buffer. */
export interface RandomAccess {
  /** How many bytes there are. */
  readonly size: number;
  /** The bytes from `start` up to and without `end`; fewer when it has no more at once, none at the end. */
  read(start: number, end: number): Promise<Buffer>;
}

export interface ZipLimits {
  readonly files: number;
  /** Unpacked bytes in all. */
  readonly bytes: number;
  /** Unpacked to packed bytes of one file; small files may shrink by any rate. */
  readonly ratio: number;
}

/** A file in a zip, as its directory has it. */
export interface ZipEntry {
  readonly path: string;
  /** Unpacked, in bytes; held to when it is read. */
  readonly size: number;
  /** It is no file but says where another lies. */
  readonly isLink: boolean;
}

/** The files of a zip by their path, which is told without regard to case as the standard asks. */
export interface Parts {
  readonly paths: readonly string[];
  /** The same, as they are written. */
  readonly entries: readonly ZipEntry[];
  has(path: string): boolean;
  /** The bytes of a part as they are unpacked. @throws UnreadableSheet when it is damaged or not there. */
  open(path: string): AsyncGenerator<Uint8Array>;
  close(): void;
}

const SMALL = 10 * 1024 * 1024;
/** Compression methods 0 and 8 are what yauzl takes (APPNOTE.TXT, 4.4.5). */
const DEFLATED = 8;
/** As many bytes are asked for at once at least: the directory is read in pieces of a few dozen. */
const PIECE = 64 * 1024;

/**
 * The directory of a zip, held to the limits; what it tells of sizes is held to when a part is read.
 * @throws UnreadableSheet; what the source throws comes as it is.
 */
export async function openZip(source: RandomAccess, limits: ZipLimits): Promise<Parts> {
  await lookAtBeginning(source);
  const reader = new SourceReader(source);
  const zip = await new Promise<ZipFile>((resolve, reject) =>
    fromRandomAccessReader(
      reader,
      source.size,
      // Names are read here, so that one which leads outside is told from a damaged zip.
      { lazyEntries: true, autoClose: false, decodeStrings: false },
      (error, opened) => (error === null ? resolve(opened) : reject(reader.blame(error))),
    ),
  );
  const entries = await readEntries(zip, reader, limits);
  return {
    paths: [...entries.keys()],
    entries: [...entries.values()].map(({ path, entry }) => ({
      path,
      size: entry.uncompressedSize,
      // Unix' mode stands in the upper half (APPNOTE.TXT, 4.4.15).
      isLink: ((entry.externalFileAttributes >>> 16) & 0o170000) === 0o120000,
    })),
    has: (path) => entries.has(path.toLowerCase()),
    open: (path) => {
      if (!zip.isOpen) throw new Error('It has been closed.');
      const entry = entries.get(path.toLowerCase())?.entry;
      if (entry === undefined) throw new UnreadableSheet('DAMAGED', `${path} is missing`);
      return readEntry(zip, entry, path, reader);
    },
    close: () => zip.close(),
  };
}

async function lookAtBeginning(source: RandomAccess): Promise<void> {
  const beginning = await readUpTo(source, 0, 512);
  if (beginning.subarray(0, 8).equals(Buffer.from('d0cf11e0a1b11ae1', 'hex'))) {
    // An encrypted workbook is packed like an old one. Its directory mostly begins with what it holds.
    const sector = beginning.length < 52 ? 0 : beginning.readUInt32LE(48) + 1;
    const at = sector * 2 ** (beginning.length < 32 ? 9 : beginning.readUInt16LE(30));
    const directory = await readUpTo(source, at, at + 4096);
    if (directory.includes(Buffer.from('EncryptedPackage', 'utf16le')))
      throw new UnreadableSheet('ENCRYPTED', 'it is protected by a password; save it without one');
    throw new UnreadableSheet('OLD_FORMAT', 'it is an old workbook (.xls); save it as .xlsx');
  }
  if (!beginning.subarray(0, 4).equals(Buffer.from('PK\u0003\u0004', 'latin1')))
    throw new UnreadableSheet('NOT_A_ZIP', 'it is not a workbook (.xlsx)');
}

async function readUpTo(source: RandomAccess, start: number, end: number): Promise<Buffer> {
  const last = Math.min(end, source.size);
  const pieces: Buffer[] = [];
  for (let at = start; at < last;) {
    const piece = await source.read(at, last);
    if (piece.length === 0) break;
    pieces.push(piece);
    at += piece.length;
  }
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}

/** Reads for yauzl. */
class SourceReader extends RandomAccessReader {
  readonly #source: RandomAccess;
  #window: { readonly start: number; readonly bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) };
  #failure: { readonly error: unknown } | undefined;

  constructor(source: RandomAccess) {
    super();
    this.#source = source;
  }

  /** What to throw when yauzl has failed: the source's own error if there was one. */
  blame(error: Error): unknown {
    return this.#failure === undefined
      ? new UnreadableSheet('DAMAGED', `it is damaged (${error.message})`)
      : this.#failure.error;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null, bytesRead: number) => void,
  ): void {
    callbackify(async () => {
      try {
        return (await this.#fill(position, length)).copy(buffer, offset);
      } catch (error) {
        throw this.#fail(error);
      }
    })(callback);
  }

  async #fill(start: number, length: number): Promise<Buffer> {
    const from = start - this.#window.start;
    if (from < 0 || from + length > this.#window.bytes.length) {
      this.#window = {
        start,
        bytes: await readUpTo(this.#source, start, start + Math.max(length, PIECE)),
      };
      return this.#window.bytes.subarray(0, length);
    }
    return this.#window.bytes.subarray(from, from + length);
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(this.#pieces(start, end), { objectMode: false });
  }

  async *#pieces(start: number, end: number): AsyncGenerator<Buffer> {
    for (let at = start; at < end;) {
      const piece = await this.#source.read(at, Math.min(end, at + PIECE)).catch((error: unknown) => {
        throw this.#fail(error);
      });
      // yauzl counts and finds that some are missing.
      if (piece.length === 0) return;
      yield piece;
      at += piece.length;
    }
  }

  #fail(error: unknown): Error {
    this.#failure ??= { error };
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function readEntries(
  zip: ZipFile,
  reader: SourceReader,
  limits: ZipLimits,
): Promise<Map<string, { path: string; entry: Entry }>> {
  const entries = new Map<string, { path: string; entry: Entry }>();
  let total = 0;
  return new Promise((resolve, reject) => {
    const tooLarge = (why: string): void => reject(new UnreadableSheet('TOO_LARGE', why));
    zip.on('error', (error: Error) => reject(reader.blame(error)));
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: Entry) => {
      const name = getFileNameLowLevel(
        entry.generalPurposeBitFlag,
        entry.fileNameRaw,
        entry.extraFields,
        false,
      );
      // Nothing is written to disk, so such a path leads nowhere; but somebody made it on purpose.
      if (validateFileName(name) !== null || name.includes('\0'))
        return reject(new UnreadableSheet('OUTSIDE_PATH', `a path in it leads outside (${name})`));
      if (entry.isEncrypted())
        return reject(new UnreadableSheet('ENCRYPTED', 'it is encrypted; save it without a password'));
      if (name.endsWith('/')) return zip.readEntry();
      const key = name.toLowerCase();
      // Two programs could read two workbooks from it.
      if (entries.has(key))
        return reject(new UnreadableSheet('DAMAGED', `it is damaged (${name} is in it twice)`));
      total += entry.uncompressedSize;
      if (entries.size >= limits.files) return tooLarge(`it holds more than ${limits.files} files`);
      if (total > limits.bytes) return tooLarge(`it unpacks to more than ${limits.bytes} bytes`);
      if (entry.uncompressedSize > SMALL && entry.uncompressedSize > limits.ratio * entry.compressedSize)
        return tooLarge(`${name} unpacks to more than ${limits.ratio} times its size`);
      entries.set(key, { path: name, entry });
      return zip.readEntry();
    });
    zip.readEntry();
  });
}

async function* readEntry(
  zip: ZipFile,
  entry: Entry,
  path: string,
  reader: SourceReader,
): AsyncGenerator<Uint8Array> {
  let sum = 0;
  const damaged = (error: Error): unknown => {
    const blamed = reader.blame(error);
    return blamed instanceof UnreadableSheet
      ? new UnreadableSheet('DAMAGED', `${path} is damaged (${error.message})`)
      : blamed;
  };
  const isDeflated = entry.compressionMethod === DEFLATED;
  const packed = await new Promise<Readable>((resolve, reject) =>
    zip.openReadStream(entry, isDeflated ? { decompress: false } : {}, (error, opened) =>
      error === null ? resolve(opened) : reject(damaged(error)),
    ),
  );
  // Unpacked here and not by yauzl, which does so in pieces so small that waiting for them takes longer than unpacking.
  const stream = isDeflated
    ? pipeline(packed, createInflateRaw({ chunkSize: PIECE }), () => undefined)
    : packed;
  let length = 0;
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  try {
    for (;;) {
      const chunk = await chunks.next().catch((error: unknown) => {
        throw damaged(error as Error);
      });
      if (chunk.done === true) break;
      length += chunk.value.length;
      // What the directory says was held to the limits; so it must be true.
      if (length > entry.uncompressedSize) throw damaged(new Error('it unpacks to more than it says'));
      sum = crc32(chunk.value, sum);
      yield chunk.value;
    }
  } finally {
    stream.destroy();
  }
  if (length < entry.uncompressedSize) throw damaged(new Error('it unpacks to less than it says'));
  if (sum !== entry.crc32) throw new UnreadableSheet('DAMAGED', `${path} is damaged (its checksum differs)`);
}
