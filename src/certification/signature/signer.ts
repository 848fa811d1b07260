import { sign, verify, X509Certificate, type KeyObject } from 'node:crypto';
import { Refusal } from '../../errors.ts';

/**
 * Who signs for the issuer: a key in this process, or something that holds one elsewhere (an HSM, a key service). ECDSA on P-256 with SHA-256.
 */
export interface Signer {
  /** DER, the signer's own certificate first, then each one's issuer. */
  readonly chain: readonly Buffer[];
  /** @returns ECDSA-Sig-Value in DER, of SHA-256 of the bytes. */
  sign(bytes: Buffer): Promise<Buffer>;
  /** Ends what it holds open. */
  close(): Promise<void>;
}

/** A key or certificate that can't sign certificates: the message says which and why, and never what is secret. */
export class SignerError extends Error {
  override name = 'SignerError';
}

/** Signing is not possible now: nothing is issued, and the job is tried again. */
export class NotSigned extends Refusal {
  readonly code = 'NOT_SIGNED';
}

/** Who may never sign in production; the name stands in the certificates that a first start makes. */
export const DEVELOPMENT_NAME = 'Xinqiao development, not for use';

export function isDevelopment(chain: readonly Buffer[]): boolean {
  return chain.some((each) => each.includes(Buffer.from(DEVELOPMENT_NAME)));
}

/**
 * Checks what does not change from one signature to the next.
 * @throws SignerError: no certificate, one that is none, a key of another kind, a chain out of order, not in force on the day.
 */
export function checkChain(
  chain: readonly Buffer[],
  at: Date,
  { production }: { production: boolean },
): void {
  if (chain.length === 0) throw new SignerError('There is no certificate for the key of the issuer.');
  const certificates = chain.map((each) => {
    try {
      return new X509Certificate(each);
    } catch {
      throw new SignerError('A certificate of the chain can not be read.');
    }
  });
  if (production && isDevelopment(chain))
    throw new SignerError(
      'The certificate of the issuer is one that a first start made for development; it is refused with NODE_ENV=production.',
    );
  const [own] = certificates;
  const { asymmetricKeyType, asymmetricKeyDetails } = own!.publicKey;
  if (asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new SignerError(
      `The certificate "${subjectOf(own!)}" has a key of another kind; certificates are signed with P-256.`,
    );
  if (own!.ca)
    throw new SignerError(`"${subjectOf(own!)}" is an authority; it does not sign documents itself.`);
  for (const [index, certificate] of certificates.entries()) {
    if (at < certificate.validFromDate || at > certificate.validToDate)
      throw new SignerError(
        `The certificate "${subjectOf(certificate)}" is in force from ${day(certificate.validFromDate)} to ${day(certificate.validToDate)}, not on ${day(at)}.`,
      );
    const issuer = certificates[index + 1];
    if (issuer === undefined) continue;
    if (!issuer.ca || !certificate.checkIssued(issuer) || !certificate.verify(issuer.publicKey))
      throw new SignerError(
        `"${subjectOf(certificate)}" was not issued by the certificate behind it in the chain, "${subjectOf(issuer)}".`,
      );
  }
  const last = certificates.at(-1)!;
  if (certificates.length === 1 && !(last.checkIssued(last) && last.verify(last.publicKey)))
    throw new SignerError(
      `The certificates of those who issued "${subjectOf(last)}" are missing: give the whole chain, or who checks a signature can not follow it.`,
    );
}

function subjectOf(certificate: X509Certificate): string {
  return certificate.subject.replaceAll('\n', ', ');
}

function day(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** @throws SignerError when they do not belong together. */
export function keySigner(key: KeyObject, chain: readonly Buffer[]): Signer {
  const own = chain[0] === undefined ? undefined : new X509Certificate(chain[0]);
  if (own !== undefined && !own.checkPrivateKey(key))
    throw new SignerError(`The key of the issuer is not the one of its certificate "${subjectOf(own)}".`);
  return {
    chain,
    // A fifth of a millisecond; the thread pool would take longer to be asked.
    sign: async (bytes) => sign('sha256', bytes, { key, dsaEncoding: 'der' }),
    close: async () => undefined,
  };
}

/** Whether a signature is one of the certificate's key. */
export function isSignatureOf(certificate: Buffer, bytes: Buffer, signature: Buffer): boolean {
  const key = publicKeyOf(certificate);
  try {
    return verify('sha256', bytes, { key, dsaEncoding: 'der' }, signature);
  } catch {
    return false;
  }
}

const publicKeys = new WeakMap<Buffer, KeyObject>();

function publicKeyOf(certificate: Buffer): KeyObject {
  let key = publicKeys.get(certificate);
  if (key === undefined) publicKeys.set(certificate, (key = new X509Certificate(certificate).publicKey));
  return key;
}
