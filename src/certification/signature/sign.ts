import type { Drawing } from '../document.ts';
import { coveredBy, fill } from '../person.ts';
import { frameOf, roomFor, sha256, signedAttributes, signedData, type CmsFrame } from './cms.ts';
import { isSignatureOf, NotSigned, type Signer } from './signer.ts';
import type { Timestamper } from './timestamp.ts';

/** Of ETSI EN 319 142-1: a signature, or one with its time confirmed. */
export type Profile = 'B-B' | 'B-T';

export interface Signed {
  readonly bytes: Buffer;
  readonly profile: Profile;
  /** Why there is no timestamp where one was to be had. */
  readonly untimed: string | undefined;
}

const frames = new WeakMap<Signer, { frame: CmsFrame; room: number }>();

function known(signer: Signer): { frame: CmsFrame; room: number } {
  let found = frames.get(signer);
  if (found === undefined) {
    const frame = frameOf(signer.chain);
    frames.set(signer, (found = { frame, room: roomFor(frame) }));
  }
  return found;
}

/** How many bytes to leave free for a signature. */
export function roomOf(signer: Signer, timestamper: Timestamper | undefined): number {
  return known(signer).room + (timestamper?.room ?? 0);
}

/**
 * Signs a document that was drawn with room for it: PAdES baseline (EN 319 142-1, 6.3), B-B, and B-T with a timestamp.
 * @throws NotSigned: the signer can't, gave a signature of another key, or there is no timestamp where one is required.
 */
export async function signDocument(
  drawing: Drawing,
  signer: Signer,
  timestamper?: Timestamper,
): Promise<Signed> {
  const { bytes, hole } = drawing;
  if (hole === undefined) throw new Error('The document was drawn without room for a signature.');
  const { frame } = known(signer);
  const attributes = signedAttributes(frame, sha256(...coveredBy(bytes, hole)));
  const signature = await signer.sign(attributes);
  // A tenth of a millisecond against a signer that was configured with another key's certificate, or has a fault.
  if (!isSignatureOf(signer.chain[0]!, attributes, signature))
    throw new NotSigned('What signs for the issuer gave a signature that is not of its certificate’s key.');
  let timestamp: Buffer | undefined;
  let untimed: string | undefined;
  if (timestamper !== undefined)
    try {
      timestamp = await timestamper.stamp(signature);
    } catch (error) {
      if (timestamper.required || !(error instanceof NotSigned)) throw error;
      untimed = error.message;
    }
  fill(bytes, hole, signedData(frame, attributes, signature, timestamp));
  return { bytes, profile: timestamp === undefined ? 'B-B' : 'B-T', untimed };
}
