import type { Readable } from 'node:stream';
import type { Context } from 'koa';

const TYPES: Readonly<Record<string, string>> = {
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
  csv: 'text/csv; charset=utf-8',
};

/** Answers with a file that is made while it is sent. Its name may be of any script (RFC 6266); the ASCII one is for old clients. */
export function download(ctx: Context, name: string, body: Readable): void {
  const plain = name.replaceAll(/[^\w.-]+/g, '').replace(/^[.-]+/, '');
  ctx.set(
    'Content-Disposition',
    `attachment; filename="${plain.includes('.') ? plain : `file.${plain}`}"; filename*=UTF-8''${encodeURIComponent(name).replaceAll(/['()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`)}`,
  );
  ctx.type = TYPES[name.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
  ctx.body = body;
}
