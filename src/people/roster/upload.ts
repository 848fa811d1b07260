import type { RandomAccess } from '../../sheets/zip.ts';

/** A file as it comes in: read once, piece by piece. */
export interface IncomingFile {
  readonly name: string;
  /** In bytes. */
  readonly size: number;
  stream(): AsyncIterable<Uint8Array>;
}

/** A file that was taken in: any part of it can be read, and none of it has to be held. */
export interface Upload extends RandomAccess {
  readonly name: string;
}

/** A file that is in memory already. */
export function fileOf({ name, bytes }: { name: string; bytes: Uint8Array }): IncomingFile & Upload {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    name,
    size: buffer.length,
    stream: async function* () {
      yield buffer;
    },
    read: async (start, end) => buffer.subarray(start, end),
  };
}

/** Bytes in pieces of one size, the last one shorter; for none at all, one empty piece. */
export async function* inPieces(bytes: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let length = 0;
  let given = 0;
  for await (const chunk of bytes) {
    for (let at = 0; at < chunk.length;) {
      const part = Buffer.from(
        chunk.buffer,
        chunk.byteOffset + at,
        Math.min(size - length, chunk.length - at),
      );
      waiting.push(part);
      length += part.length;
      at += part.length;
      if (length < size) continue;
      yield Buffer.concat(waiting);
      given += 1;
      [waiting, length] = [[], 0];
    }
  }
  if (length > 0 || given === 0) yield Buffer.concat(waiting);
}
