import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { permissions, type TokenPermission } from '../people/permission.ts';
import type { Unit } from '../regions/division.ts';

/** What a program shows instead of a session. The token itself is told once; only its hash is kept. */
export interface AccessToken {
  readonly id: string;
  readonly personId: string;
  readonly name: string;
  readonly permissions: readonly TokenPermission[];
  /** null: only SELF, which has no place. */
  readonly unit: Unit | null;
  readonly createdAt: Date;
  readonly expiresAt: Date;
  /** null: never. Up to a minute old. */
  readonly lastUsedAt: Date | null;
  readonly revokedAt: Date | null;
}

export const tokenPermissions = [...permissions, 'self'] as const satisfies readonly TokenPermission[];

export const MAX_TOKEN_DAYS = 366;
export const MAX_TOKENS = 50;
export const TOKEN_PREFIX = 'xqp_';

/** `xqp_`, 256 bits, and a CRC-32 of these characters: scanners for secrets know it by its looks, and a typo needs no look-up. */
export function formatToken(secret: Uint8Array): string {
  const body = Buffer.from(secret).toString('base64url');
  return `${TOKEN_PREFIX}${body}${checksumOf(body)}`;
}

export function isWellFormedToken(token: string): boolean {
  const [, body, checksum] = /^xqp_([\w-]{43})([\w-]{6})$/.exec(token) ?? [];
  return body !== undefined && checksumOf(body) === checksum;
}

/** 256 random bits need no salt and no slow hash: nobody can try them. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

function checksumOf(body: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64url');
}
