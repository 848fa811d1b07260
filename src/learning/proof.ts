import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { Standing } from './credit.ts';

/** What a page must have to tell of itself once more; only the answer to what it told before gives it. */
export interface Proof extends Standing {
  readonly personId: string;
  readonly assignmentId: string;
  readonly activityKey: string;
  readonly stretchId: string;
  /** Heartbeats of the stretch before. */
  readonly beats: number;
  readonly ceilingMs: number;
  readonly neededMs: number;
  /** How much the course still lacked of it, as of `at`. null: none is asked for, or what is owed for it was owed before. */
  readonly lacksMs: number | null;
}

const MOST_CHARACTERS = 1_000;

/** Keys of the ledger, made from the service's own. */
export function timeKeys(identityKey: Uint8Array): { readonly proofs: Buffer; readonly devices: Buffer } {
  const derive = (what: string): Buffer => Buffer.from(hkdfSync('sha256', identityKey, '', what, 32));
  return { proofs: derive('xinqiao time proofs'), devices: derive('xinqiao time devices') };
}

export function writeProof(proof: Proof, key: Uint8Array): string {
  const body = Buffer.from(
    JSON.stringify([
      proof.personId,
      proof.assignmentId,
      proof.activityKey,
      proof.stretchId,
      proof.beats,
      proof.at,
      proof.activeAt,
      proof.running,
      proof.ceilingMs,
      proof.neededMs,
      proof.lacksMs,
    ]),
  ).toString('base64url');
  return `${body}.${signatureOf(body, key)}`;
}

/** undefined: it is none that this service gave. */
export function readProof(text: string, key: Uint8Array): Proof | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const [body = '', signature = '', ...more] = text.split('.');
  const expected = Buffer.from(signatureOf(body, key));
  const given = Buffer.from(signature);
  if (more.length > 0 || given.length !== expected.length || !timingSafeEqual(given, expected))
    return undefined;
  const [
    personId,
    assignmentId,
    activityKey,
    stretchId,
    beats,
    at,
    activeAt,
    running,
    ceilingMs,
    neededMs,
    lacksMs,
  ] = JSON.parse(Buffer.from(body, 'base64url').toString()) as [
    string,
    string,
    string,
    string,
    number,
    number,
    number,
    boolean,
    number,
    number,
    number | null,
  ];
  return {
    personId,
    assignmentId,
    activityKey,
    stretchId,
    beats,
    at,
    activeAt,
    running,
    ceilingMs,
    neededMs,
    lacksMs,
  };
}

/** 16 bytes of a keyed hash: the same browser is known again, and nothing of it can be told. */
export function hashDevice(device: string, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(device).digest().subarray(0, 16);
}

function signatureOf(body: string, key: Uint8Array): string {
  return createHmac('sha256', key).update(body).digest('base64url');
}
