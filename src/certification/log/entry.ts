import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/*
 * What stands in the log: that a certificate was issued or ended, and when. Which one tells only its number together with the verification
 * code beside the QR code, 80 bits that nobody guesses: who has the document finds its entries, and nobody else learns whose they are.
 */

/** `recorded`: issued before there was a log; `restored`: its end was taken back, which the service never does. */
export const LOG_EVENTS = ['issue', 'renew', 'supersede', 'revoke', 'recorded', 'restored'] as const;
export type LogEvent = (typeof LOG_EVENTS)[number];

/** Of a certificate, as frozen at issue. */
export interface Logged {
  readonly number: string;
  readonly verificationCode: string;
  readonly claims: object;
  /** SHA-256, hex. */
  readonly pdfDigest: string;
}

export interface LogEntry {
  readonly v: 1;
  readonly event: LogEvent;
  /** By the clock of the service; when it came into the log, its place says. */
  readonly at: string;
  readonly certificate: string;
  readonly claims: string;
  readonly document: string;
}

function digest(name: string, salt: string, what: string): string {
  return createHash('sha256').update(`xinqiao-log ${name}\n${salt}\n${what}`).digest('hex');
}

/** In the canonical form of JSON (RFC 8785). */
export function logEntry(event: LogEvent, at: Date, of: Logged): string {
  const entry: LogEntry = {
    v: 1,
    event,
    at: at.toISOString(),
    certificate: digest('certificate', of.verificationCode, of.number),
    claims: digest('claims', of.verificationCode, canonicalize(of.claims)!),
    document: of.pdfDigest,
  };
  return canonicalize(entry)!;
}

const HEX = /^[0-9a-f]{64}$/;

/** Whether bytes are an entry, in their one form. @returns undefined: they are not. */
export function readLogEntry(bytes: Uint8Array): LogEntry | undefined {
  const text = Buffer.from(bytes).toString('utf8');
  let entry: Partial<Record<keyof LogEntry, unknown>>;
  try {
    entry = JSON.parse(text) as typeof entry;
    if (typeof entry !== 'object' || entry === null || canonicalize(entry) !== text) return undefined;
  } catch {
    return undefined;
  }
  const { v, event, at, certificate, claims, document, ...rest } = entry;
  const digests = [certificate, claims, document];
  return v === 1 &&
    Object.keys(rest).length === 0 &&
    LOG_EVENTS.some((each) => each === event) &&
    typeof at === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(at) &&
    !Number.isNaN(Date.parse(at)) &&
    digests.every((each) => typeof each === 'string' && HEX.test(each))
    ? (entry as LogEntry)
    : undefined;
}
