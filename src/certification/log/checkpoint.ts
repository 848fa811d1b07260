import { createHash, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { HASH_BYTES } from './tree.ts';

/*
 * What the log says of itself, signed: how many leaves it has and their root. Text after C2SP tlog-checkpoint, signatures after C2SP
 * signed-note with Ed25519.
 */

export interface Checkpoint {
  /** Which log: a name as of a host with a path, no scheme. */
  readonly origin: string;
  readonly size: number;
  readonly root: Buffer;
}

/** With which others check what a log signs. */
export interface VerifierKey {
  readonly name: string;
  readonly id: Buffer;
  readonly key: KeyObject;
}

const ED25519 = 1;
/** SubjectPublicKeyInfo of an Ed25519 key (RFC 8410, section 4) up to the key itself. */
const SPKI = Buffer.from('302a300506032b6570032100', 'hex');

function rawOf(key: KeyObject): Buffer {
  return createPublicKey(key).export({ type: 'spki', format: 'der' }).subarray(SPKI.length);
}

function keyIdOf(name: string, raw: Uint8Array): Buffer {
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Uint8Array.of(ED25519))
    .update(raw)
    .digest()
    .subarray(0, 4);
}

export function signCheckpoint(checkpoint: Checkpoint, key: KeyObject): string {
  const text = `${checkpoint.origin}\n${checkpoint.size}\n${checkpoint.root.toString('base64')}\n`;
  const signature = Buffer.concat([
    keyIdOf(checkpoint.origin, rawOf(key)),
    sign(null, Buffer.from(text), key),
  ]);
  return `${text}\n— ${checkpoint.origin} ${signature.toString('base64')}\n`;
}

/** `name+id+key`, as a monitor is given it. */
export function verifierKeyOf(name: string, key: KeyObject): string {
  const raw = rawOf(key);
  return `${name}+${keyIdOf(name, raw).toString('hex')}+${Buffer.concat([Uint8Array.of(ED25519), raw]).toString('base64')}`;
}

/** undefined: it is no such key, or its id is another's. */
export function parseVerifierKey(text: string): VerifierKey | undefined {
  const [, name, id, base64] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(text.trim()) ?? [];
  if (name === undefined) return undefined;
  const bytes = Buffer.from(base64!, 'base64');
  if (bytes.length !== 33 || bytes[0] !== ED25519) return undefined;
  const raw = bytes.subarray(1);
  const expected = keyIdOf(name, raw);
  if (expected.toString('hex') !== id) return undefined;
  try {
    const key = createPublicKey({ key: Buffer.concat([SPKI, raw]), type: 'spki', format: 'der' });
    return { name, id: expected, key };
  } catch {
    return undefined;
  }
}

export type OpenedCheckpoint =
  { readonly checkpoint: Checkpoint } | { readonly wrong: 'not a checkpoint' | 'another log' | 'not signed' };

/** Reads a checkpoint and checks that the key signed it; signatures of others beside are let be. */
export function openCheckpoint(note: string, key: VerifierKey): OpenedCheckpoint {
  const end = note.lastIndexOf('\n\n');
  const text = note.slice(0, end + 1);
  const [origin = '', sizeText = '', rootText = ''] = text.split('\n');
  const size = Number(sizeText);
  const root = Buffer.from(rootText, 'base64');
  if (
    end < 0 ||
    origin === '' ||
    !/^(0|[1-9]\d*)$/.test(sizeText) ||
    !Number.isSafeInteger(size) ||
    root.length !== HASH_BYTES ||
    root.toString('base64') !== rootText
  )
    return { wrong: 'not a checkpoint' };
  if (origin !== key.name) return { wrong: 'another log' };
  const signed = note
    .slice(end + 2)
    .split('\n')
    .some((line) => {
      const [, name, base64] = /^— (\S+) (\S+)$/.exec(line) ?? [];
      if (name !== key.name) return false;
      const bytes = Buffer.from(base64!, 'base64');
      return (
        bytes.length === 68 &&
        bytes.subarray(0, 4).equals(key.id) &&
        verify(null, Buffer.from(text), key.key, bytes.subarray(4))
      );
    });
  return signed ? { checkpoint: { origin, size, root } } : { wrong: 'not signed' };
}
