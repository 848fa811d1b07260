import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  randomFillSync,
} from 'node:crypto';

/** A key that contacts and uploads are encrypted with. Of several the first seals, and all of them open. */
export interface SealingKey {
  /** Up to eight characters; it stands in front of whatever was sealed. */
  readonly id: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** A key that something was sealed with is not among those given. */
export class UnknownKey extends Error {
  override name = 'UnknownKey';
  readonly id: string;
  constructor(id: string) {
    super(`It was sealed with the key "${id}", which CONTACT_KEYS does not have.`);
    this.id = id;
  }
}

const ID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** By how much what is sealed is longer than what it holds. */
export const SEAL_BYTES = ID_BYTES + NONCE_BYTES + TAG_BYTES;
/** Chance is asked for that many nonces at once: once for each would take as long as sealing. */
const NONCES = 4096;

/**
 * AES-256-GCM (NIST SP 800-38D) with a random nonce: the key's id, the nonce, the text, the tag. `about` is not kept and not secret; what was
 * sealed about one thing does not open as if it were about another.
 */
export interface Seal {
  seal(plain: Buffer | string, about: string): Buffer;
  /** @throws UnknownKey; Error where it was changed, or is about something else. */
  open(sealed: Buffer, about: string): Buffer;
  /** The first bytes of what the current key has sealed. */
  readonly current: Buffer;
  /** The same of all other keys: what begins so is to be sealed anew. */
  readonly old: readonly Buffer[];
}

/** @param purpose what is sealed; keys of two purposes have nothing to do with each other. */
export function makeSeal(keys: readonly SealingKey[], purpose: string): Seal {
  const derived = new Map(
    keys.map(({ id, key }) => [
      id,
      createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `xinqiao ${purpose}`, 32))),
    ]),
  );
  const [current, ...old] = keys.map(({ id }) => prefixOf(id));
  if (current === undefined) throw new Error('There is no key to seal with.');
  const currentKey = derived.get(keys[0]!.id)!;
  const nonces = Buffer.alloc(NONCES * NONCE_BYTES);
  let next = NONCES;
  return {
    current,
    old,
    seal(plain, about) {
      if (next === NONCES) {
        randomFillSync(nonces);
        next = 0;
      }
      const nonce = nonces.subarray(next * NONCE_BYTES, (next + 1) * NONCE_BYTES);
      next += 1;
      const cipher = createCipheriv('aes-256-gcm', currentKey, nonce);
      cipher.setAAD(Buffer.from(about));
      const text = typeof plain === 'string' ? cipher.update(plain, 'utf8') : cipher.update(plain);
      const end = cipher.final();
      return Buffer.concat([current, nonce, text, end, cipher.getAuthTag()]);
    },
    open(sealed, about) {
      const id = keyIdOf(sealed);
      const key = derived.get(id);
      if (key === undefined) throw new UnknownKey(id);
      const decipher = createDecipheriv(
        'aes-256-gcm',
        key,
        sealed.subarray(ID_BYTES, ID_BYTES + NONCE_BYTES),
        { authTagLength: TAG_BYTES },
      );
      decipher.setAAD(Buffer.from(about));
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      return Buffer.concat([
        decipher.update(sealed.subarray(ID_BYTES + NONCE_BYTES, -TAG_BYTES)),
        decipher.final(),
      ]);
    },
  };
}

function prefixOf(id: string): Buffer {
  const prefix = Buffer.alloc(ID_BYTES);
  prefix.write(id, 'latin1');
  return prefix;
}

/** Which key something was sealed with. */
export function keyIdOf(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(0, ID_BYTES)).toString('latin1').replaceAll('\0', '');
}

/** Tells whether two values are the same without keeping them: hexadecimal, under a key that only the service has. */
export type Fingerprint = (value: string, about: string) => string;

/** @param key may be the one that identity numbers are hashed with: what is made of it here has nothing to do with those hashes. */
export function makeFingerprint(key: Buffer, purpose: string): Fingerprint {
  const derived = createSecretKey(Buffer.from(hkdfSync('sha256', key, '', `xinqiao ${purpose}`, 32)));
  return (value, about) =>
    createHmac('sha256', derived).update(`${about}\0${value}`).digest('hex').slice(0, 32);
}

/** All that is sealed, each with keys of its own. */
export interface Seals {
  readonly uploads: Seal;
  readonly contacts: Seal;
  /** Of contacts. */
  readonly fingerprint: Fingerprint;
}

export function makeSeals(keys: readonly SealingKey[], identityKey: Buffer): Seals {
  return {
    uploads: makeSeal(keys, 'uploads'),
    contacts: makeSeal(keys, 'contacts'),
    fingerprint: makeFingerprint(identityKey, 'contacts'),
  };
}
