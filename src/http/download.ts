import type { Readable } from 'node:stream';
import type { Context } from 'koa';

const TYPES: Readonly<Record<string, string>> = {
  csv: 'text/csv; charset=utf-8',
  zip: 'application/zip',
  h5p: 'application/zip',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** Answers with a file that is made while it is sent; its type follows from the name's ending. */
export function download(ctx: Context, fileName: string, body: Readable): void {
  ctx.set({
    'Content-Type': TYPES[fileName.split('.').at(-1) ?? ''] ?? 'application/octet-stream',
    'Content-Disposition': attachment(fileName),
  });
  ctx.body = body;
}

/** A download under a name in any language (RFC 6266), with one in ASCII for clients that don't read it. */
function attachment(fileName: string): string {
  const safe = fileName
    .toWellFormed()
    .replaceAll(/[\p{Cc}\p{Cf}\ufffd/\\:*?"<>|]/gu, '_')
    .replace(/^[.\s]+/, '');
  const ascii = safe.replaceAll(/[^\w.-]+/g, '_').replace(/^_+(?=.)/, '');
  const encoded = encodeURIComponent(safe).replaceAll(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded}`;
}
