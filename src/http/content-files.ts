import { readFile, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Context, Middleware } from 'koa';
import { ByteCache } from '../h5p/byte-cache.ts';
import type { ContentStore } from '../h5p/content-store.ts';
import { readWhole } from '../h5p/object-store.ts';

/*
 * Files of the content origin, so that they come well over a slow line: texts packed, media in the pieces that a player asks for, all of them kept by the
 * browser under an address that changes when they do.
 */

const PACKS = /\.(?:js|mjs|css|json|svg|xml|txt|csv|md|vtt|srt|html|map|ttf|otf|eot|wasm|gltf)$/i;
/** Too little to gain below; too much to hold above. */
const PACKED_BYTES = { least: 300, most: 4 * 1024 * 1024 };
const packs = new ByteCache(32 * 1024 * 1024);
const packers = {
  br: async (bytes: Buffer): Promise<Buffer> =>
    promisify(brotliCompress)(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: 6, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
    }),
  gzip: async (bytes: Buffer): Promise<Buffer> => promisify(gzip)(bytes),
};

const FOR_EVER = 'public, max-age=31536000, immutable';

export interface Served {
  /** Names the bytes: others have another. */
  readonly tag: string;
  readonly path: string;
  readonly size: number;
  readonly cacheControl: string;
  open(range?: { readonly start: number; readonly end: number }): Promise<AsyncIterable<Uint8Array>>;
}

/** A drawing or a document that is opened by itself has nothing to run. In a page it is a picture, which this does not touch. */
const ALONE = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'";

/** Whole or the part that is asked for, packed where it gains by it. */
export async function send(ctx: Context, served: Served): Promise<void> {
  const { path, size } = served;
  const packable = PACKS.test(path) && size >= PACKED_BYTES.least && size <= PACKED_BYTES.most;
  ctx.type = extname(path) === '' ? 'application/octet-stream' : extname(path).toLowerCase();
  ctx.set('Cache-Control', served.cacheControl);
  if (packable) ctx.vary('Accept-Encoding');
  if (/\.(?:svg|xml)$/i.test(path)) ctx.set('Content-Security-Policy', ALONE);
  const encoding = packable ? ctx.acceptsEncodings('br', 'gzip', 'identity') : 'identity';
  const packer = encoding === 'br' || encoding === 'gzip' ? encoding : undefined;
  const etag = packer === undefined ? `"${served.tag}"` : `"${served.tag}-${packer}"`;
  ctx.set('ETag', etag);
  ctx.status = 200;
  if (ctx.fresh) {
    ctx.status = 304;
    return;
  }
  if (packer !== undefined) {
    const key = `${packer} ${served.tag}`;
    let packed = packs.get(key);
    if (packed === undefined) {
      packed = await packers[packer](await readWhole(await served.open()));
      packs.set(key, packed);
    }
    ctx.set('Content-Encoding', packer);
    ctx.length = packed.length;
    if (ctx.method !== 'HEAD') ctx.body = packed;
    return;
  }
  ctx.set('Accept-Ranges', 'bytes');
  const range = rangeOf(ctx, size, etag);
  if (range === 'none') {
    ctx.status = 416;
    ctx.set('Content-Range', `bytes */${size}`);
    ctx.remove('Cache-Control');
    ctx.body = '';
    return;
  }
  if (range !== undefined) {
    ctx.status = 206;
    ctx.set('Content-Range', `bytes ${range.start}-${range.end - 1}/${size}`);
  }
  ctx.length = range === undefined ? size : range.end - range.start;
  if (ctx.method === 'HEAD') return;
  const type = ctx.type;
  const length = ctx.length;
  ctx.body = Readable.from(await served.open(range), { objectMode: false });
  // Koa takes a stream to be of unknown kind and length.
  ctx.type = type;
  ctx.length = length;
}

/**
 * One range of bytes (RFC 9110, 14.1.2). Several at once no player asks for: such a request gets the whole, as it may.
 * @returns undefined: the whole; `none`: nothing of it is there.
 */
function rangeOf(
  ctx: Context,
  size: number,
  etag: string,
): { start: number; end: number } | 'none' | undefined {
  const match = /^bytes=(?:(\d{1,15})-(\d{1,15})?|-(\d{1,15}))$/.exec(ctx.get('range'));
  const condition = ctx.get('if-range');
  if (match === null || (condition !== '' && condition !== etag)) return undefined;
  const [, first, last, suffix] = match;
  if (suffix !== undefined) {
    if (Number(suffix) === 0 || size === 0) return 'none';
    return { start: Math.max(0, size - Number(suffix)), end: size };
  }
  const start = Number(first);
  const end = last === undefined ? size : Math.min(size, Number(last) + 1);
  if (last !== undefined && Number(last) < start) return undefined;
  return start >= size ? 'none' : { start, end };
}

function isRead(ctx: Context, prefix: string): boolean {
  return (ctx.method === 'GET' || ctx.method === 'HEAD') && ctx.path.startsWith(`${prefix}/`);
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** `/contents/<hash>/<path>`: a content's own files, and those of its libraries as if they lay beside. They never change. */
export function contentFiles(prefix: string, store: ContentStore, otherwise: Middleware): Middleware {
  const middleware: Middleware = async (ctx, next) => {
    if (!isRead(ctx, prefix)) return next();
    const path = decoded(ctx.path.slice(prefix.length + 1));
    const slash = path?.indexOf('/') ?? -1;
    const file =
      path === undefined || slash === -1
        ? undefined
        : await store.findFile(path.slice(0, slash), path.slice(slash + 1));
    if (path === undefined || file === undefined) return otherwise(ctx, next);
    return send(ctx, {
      tag: file.blob.slice(0, 32),
      path,
      size: file.size,
      cacheControl: FOR_EVER,
      open: async (range) => store.openBlob(file, range),
    });
  };
  return Object.assign(middleware, { prefix });
}

/** The files below a folder of ours that are small enough to be held. @param maxAge 0: asked for again each time; forever: the prefix changes with them. */
export function smallFiles(
  prefix: string,
  folder: string,
  { maxAge }: { maxAge: 0 | 'forever' },
): Middleware & { readonly prefix: string } {
  const middleware: Middleware = async (ctx, next) => {
    if (!isRead(ctx, prefix)) return next();
    const path = decoded(ctx.path.slice(prefix.length + 1));
    // No file of ours has another name.
    if (path === undefined || !/^[\w-][\w.-]*(?:\/[\w-][\w.-]*)*$/.test(path)) return next();
    const found = await stat(join(folder, path)).catch(() => undefined);
    if (found?.isFile() !== true) return next();
    return send(ctx, {
      tag: `${prefix.slice(1)}-${found.size.toString(36)}-${Math.floor(found.mtimeMs).toString(36)}-${Buffer.from(path).toString('base64url')}`,
      path,
      size: found.size,
      cacheControl: maxAge === 0 ? 'no-cache' : FOR_EVER,
      open: async (range) => {
        const bytes = await readFile(join(folder, path));
        return (async function* () {
          yield range === undefined ? bytes : bytes.subarray(range.start, range.end);
        })();
      },
    });
  };
  return Object.assign(middleware, { prefix });
}
