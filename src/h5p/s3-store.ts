import { createHash } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import type { BucketConfig } from '../config.ts';
import type { Outbound, OutboundRequest, OutboundResponse } from '../network/outbound.ts';
import { ByteCache } from './byte-cache.ts';
import type { ObjectStore } from './object-store.ts';

/** Parts of a multipart upload have at least 5 MiB but for the last, and a part is all that is held of an object. */
const PART = 8 * 1024 * 1024;
/** What is read at once. */
const PIECE = 1024 * 1024;
const CACHE = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/** The storage did not do as it was asked. */
export class StorageError extends Error {
  override name = 'StorageError';
}

/**
 * A bucket, for services on several machines. Objects never change, so what was read lately is kept in memory. An upload that is broken off leaves
 * no object: S3 shows one when its last part is acknowledged.
 */
export function makeS3Store(settings: BucketConfig, outbound: Outbound): ObjectStore {
  const cache = new ByteCache(CACHE);
  const urlOf = (key: string, query = ''): string =>
    [
      settings.endpoint,
      settings.bucket,
      ...settings.prefix.split('/').filter((word) => word !== ''),
      ...key.split('/'),
    ]
      .map((word, index) => (index === 0 ? word : encodeURIComponent(word)))
      .join('/') + query;

  const ask = async (
    method: NonNullable<OutboundRequest['method']>,
    url: string,
    { body, range, maxBytes = PIECE + 1 }: { body?: Uint8Array; range?: string; maxBytes?: number } = {},
  ): Promise<OutboundResponse> => {
    const signed = await new AwsV4Signer({
      method,
      url,
      headers: {
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
        ...(range === undefined ? {} : { range }),
      },
      accessKeyId: settings.accessKeyId,
      secretAccessKey: settings.secretAccessKey,
      service: 's3',
      region: settings.region,
    }).sign();
    return outbound.fetch(signed.url.href, {
      method,
      headers: Object.fromEntries(signed.headers),
      ...(body === undefined ? {} : { body }),
      timeoutMs: TIMEOUT_MS,
      maxBytes,
    });
  };
  const must = (answer: OutboundResponse, what: string): OutboundResponse => {
    if (answer.status >= 200 && answer.status < 300) return answer;
    const code = /<Code>(\w{1,60})<\/Code>/.exec(answer.body.toString())?.[1];
    throw new StorageError(
      `The storage answered ${answer.status}${code === undefined ? '' : ` ${code}`} when asked to ${what}.`,
    );
  };

  const putInParts = async (key: string, pieces: AsyncIterable<Buffer>): Promise<void> => {
    const begun = must(await ask('POST', urlOf(key, '?uploads=')), 'begin an upload');
    const id = /<UploadId>([^<]+)<\/UploadId>/.exec(begun.body.toString())?.[1];
    if (id === undefined) throw new StorageError('The storage began an upload without a name.');
    const upload = `uploadId=${encodeURIComponent(id)}`;
    try {
      const tags: string[] = [];
      for await (const piece of pieces) {
        const answer = must(
          await ask('PUT', urlOf(key, `?partNumber=${tags.length + 1}&${upload}`), { body: piece }),
          'take a part',
        );
        tags.push(answer.headers.get('etag') ?? '');
      }
      const parts = tags.map(
        (tag, index) => `<Part><PartNumber>${index + 1}</PartNumber><ETag>${tag}</ETag></Part>`,
      );
      const body = Buffer.from(`<CompleteMultipartUpload>${parts.join('')}</CompleteMultipartUpload>`);
      const done = must(await ask('POST', urlOf(key, `?${upload}`), { body }), 'end an upload');
      // It may answer 200 before it knows.
      if (done.body.includes('<Error>'))
        throw new StorageError('The storage could not put the parts together.');
    } catch (error) {
      await ask('DELETE', urlOf(key, `?${upload}`)).catch(() => undefined);
      throw error;
    }
  };

  const has = async (key: string): Promise<boolean> => {
    const answer = await ask('HEAD', urlOf(key));
    if (answer.status === 404) return false;
    must(answer, 'tell of an object');
    return true;
  };

  /** One piece, `index * PIECE` on; undefined where there is no such object. */
  const readPiece = async (key: string, index: number): Promise<Buffer | undefined> => {
    const name = `${index} ${key}`;
    const kept = cache.get(name);
    if (kept !== undefined) return kept;
    const start = index * PIECE;
    const answer = await ask('GET', urlOf(key), { range: `bytes=${start}-${start + PIECE - 1}` });
    if (answer.status === 404) return undefined;
    // Nothing stands there: the object ended just before, or is empty.
    const piece = answer.status === 416 ? Buffer.alloc(0) : must(answer, 'read an object').body;
    cache.set(name, piece);
    return piece;
  };

  return {
    has,

    async put(key, bytes, size) {
      if (await has(key)) return;
      const pieces = inParts(bytes);
      if (size > PART) return putInParts(key, pieces);
      const whole: Buffer[] = [];
      for await (const piece of pieces) whole.push(piece);
      must(await ask('PUT', urlOf(key), { body: Buffer.concat(whole) }), 'take an object');
      return undefined;
    },

    async open(key, range) {
      const start = range?.start ?? 0;
      const first = await readPiece(key, Math.floor(start / PIECE));
      if (first === undefined) return undefined;
      return (async function* () {
        const end = range?.end ?? Number.POSITIVE_INFINITY;
        for (let at = start; at < end;) {
          const index = Math.floor(at / PIECE);
          const piece = index === Math.floor(start / PIECE) ? first : await readPiece(key, index);
          if (piece === undefined) throw new StorageError('An object went while it was read.');
          const part = piece.subarray(at - index * PIECE, end - index * PIECE);
          if (part.length > 0) yield part;
          at += part.length;
          if (piece.length < PIECE) return;
        }
      })();
    },
  };
}

async function* inParts(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let waiting: Buffer[] = [];
  let size = 0;
  for await (const chunk of bytes) {
    waiting.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    size += chunk.length;
    if (size < PART) continue;
    yield Buffer.concat(waiting);
    [waiting, size] = [[], 0];
  }
  if (size > 0) yield Buffer.concat(waiting);
}
