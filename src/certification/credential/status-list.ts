import { gunzipSync, gzipSync } from 'node:zlib';
import { CREDENTIALS_CONTEXT } from './contexts.ts';

/** A place in a list of states. */
export interface StatusEntry {
  /** From 1. */
  readonly list: number;
  /** From 0. */
  readonly position: number;
}

/** What a set bit means: it is revoked (or another took its place); another took its place. */
export type StatusPurpose = 'revocation' | 'refresh';

/** W3C Bitstring Status List 1.0, section 3.3: the least that hides who is meant among the others. */
export const LIST_LENGTH = 131_072;

/** How long a list may be relied on. */
export const LIST_VALID_MINUTES = 15;

/** The first bit is the leftmost of the first byte. @returns multibase base64url (`u…`) of the gzipped bits. */
export function encodeList(positions: Iterable<number>): string {
  const bits = new Uint8Array(LIST_LENGTH / 8);
  for (const position of positions) bits[position >> 3]! |= 0x80 >> (position & 7);
  return `u${gzipSync(bits).toString('base64url')}`;
}

/** @throws for what is no list. */
export function decodeList(encoded: string): (position: number) => boolean {
  if (!encoded.startsWith('u')) throw new Error('The list is not in base64url.');
  const bits = gunzipSync(Buffer.from(encoded.slice(1), 'base64url'), { maxOutputLength: 1 << 24 });
  return (position) => (bits[position >> 3]! & (0x80 >> (position & 7))) !== 0;
}

export function statusListUrl(publicUrl: string, list: number, purpose: StatusPurpose): string {
  return `${publicUrl}/status/${list}${purpose === 'revocation' ? '' : `-${purpose}`}`;
}

/** Unsigned. */
export function statusListCredential(given: {
  url: string;
  issuer: string;
  purpose: StatusPurpose;
  positions: Iterable<number>;
  at: Date;
}) {
  return {
    '@context': [CREDENTIALS_CONTEXT],
    id: given.url,
    type: ['VerifiableCredential', 'BitstringStatusListCredential'],
    issuer: given.issuer,
    validFrom: toSeconds(given.at),
    validUntil: toSeconds(new Date(given.at.getTime() + LIST_VALID_MINUTES * 60_000)),
    credentialSubject: {
      id: `${given.url}#list`,
      type: 'BitstringStatusList',
      statusPurpose: given.purpose,
      encodedList: encodeList(given.positions),
    },
  };
}

/** XML Schema's dateTimeStamp. */
export function toSeconds(at: Date): string {
  return at.toISOString().replace(/\.\d+Z$/, 'Z');
}
