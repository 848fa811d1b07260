import { createHash } from 'node:crypto';
import { elementsIn, integer, octets, oid, sequence, set, tlv } from './der.ts';

/*
 * The signature of a document: CMS (RFC 5652) of the shape that PAdES B-B asks for (EN 319 142-1, 6.3), ECDSA with SHA-256. Put together
 * by hand because it is the same 1.5 kB each time but for a digest and a signature, and a library takes longer than signing itself.
 * The tests check it with one.
 */

const SIGNED_DATA = oid('1.2.840.113549.1.7.2');
const DATA = oid('1.2.840.113549.1.7.1');
const CONTENT_TYPE = oid('1.2.840.113549.1.9.3');
const MESSAGE_DIGEST = oid('1.2.840.113549.1.9.4');
const SIGNING_CERTIFICATE_V2 = oid('1.2.840.113549.1.9.16.2.47');
const TIME_STAMP_TOKEN = oid('1.2.840.113549.1.9.16.2.14');
const SHA_256 = sequence(oid('2.16.840.1.101.3.4.2.1'));
const ECDSA_WITH_SHA_256 = sequence(oid('1.2.840.10045.4.3.2'));

export function sha256(...pieces: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest();
}

/** The parts of a certificate by which a signature names it (RFC 5280, 4.1). */
export function nameOf(certificate: Buffer): { issuer: Buffer; serial: Buffer } {
  const tbs = elementsIn(elementsIn(elementsIn(certificate)[0]!.content)[0]!.content);
  // Versions from 2 on begin with a tagged version.
  const [serial, , issuer] = tbs[0]!.tag === 0xa0 ? tbs.slice(1) : tbs;
  return { serial: serial!.whole, issuer: issuer!.whole };
}

/** What is alike in all signatures of one certificate. */
export interface CmsFrame {
  readonly certificates: Buffer;
  readonly signer: Buffer;
  readonly signingCertificate: Buffer;
}

/** @param chain DER, the signer's own certificate first. */
export function frameOf(chain: readonly Buffer[]): CmsFrame {
  const { issuer, serial } = nameOf(chain[0]!);
  // RFC 5035, 3: SHA-256 is the default and is not named. [4] is a directory name (RFC 5280, 4.2.1.6).
  const issuerSerial = sequence(sequence(tlv(0xa4, issuer)), serial);
  const certificate = sequence(octets(sha256(chain[0]!)), issuerSerial);
  return {
    certificates: tlv(0xa0, ...chain),
    signer: sequence(issuer, serial),
    signingCertificate: sequence(SIGNING_CERTIFICATE_V2, set(sequence(sequence(certificate)))),
  };
}

/**
 * What is signed (RFC 5652, 5.4), as a SET. There is no signing time: PAdES keeps it in the PDF (EN 319 142-1, 6.3 note).
 * @param digest SHA-256 of what the /ByteRange covers.
 */
export function signedAttributes(frame: CmsFrame, digest: Buffer): Buffer {
  return set(
    sequence(CONTENT_TYPE, set(DATA)),
    sequence(MESSAGE_DIGEST, set(octets(digest))),
    frame.signingCertificate,
  );
}

/** @param signature of the attributes, an ECDSA-Sig-Value in DER. @param timestamp a TimeStampToken (RFC 3161) of the signature. */
export function signedData(
  frame: CmsFrame,
  attributes: Buffer,
  signature: Buffer,
  timestamp?: Buffer,
): Buffer {
  // In the message they are tagged [0]; what is signed has the tag of a set.
  const tagged = Buffer.from(attributes);
  tagged[0] = 0xa0;
  const signerInfo = sequence(
    integer(1),
    frame.signer,
    SHA_256,
    tagged,
    ECDSA_WITH_SHA_256,
    octets(signature),
    ...(timestamp === undefined ? [] : [tlv(0xa1, sequence(TIME_STAMP_TOKEN, set(timestamp)))]),
  );
  return sequence(
    SIGNED_DATA,
    tlv(0xa0, sequence(integer(1), set(SHA_256), sequence(DATA), frame.certificates, set(signerInfo))),
  );
}

/** How many bytes a signature takes at most, without a timestamp: DER of an ECDSA signature is up to 72 bytes. */
export function roomFor(frame: CmsFrame): number {
  return signedData(frame, signedAttributes(frame, Buffer.alloc(32)), Buffer.alloc(72)).length + 8;
}
