import { createHash, verify, X509Certificate } from 'node:crypto';
import { inflateSync } from 'node:zlib';
import { fromBER, OctetString } from 'asn1js';
import { Certificate, ContentInfo, SignedData } from 'pkijs';
import { parseCertificateNumber } from './number.ts';

/*
 * What a PDF proves by itself: whether its signature holds, covers all of it, and is one of the issuer's. Nothing of it is drawn or run.
 */

/** A certificate by whose key the issuer signs or has signed documents, DER. */
export type TrustedCertificate = Uint8Array;

/** `undefined`: not checked, for want of what stands before it. */
export type Check = boolean | undefined;

export interface PdfChecks {
  /** It is a PDF at all. */
  readonly pdf: boolean;
  /** It carries a signature. */
  readonly signed: Check;
  /** What the signature says was signed is what stands there, to the byte (CMS message digest over /ByteRange). */
  readonly unaltered: Check;
  /** The signature leaves nothing of the file out: nothing was appended afterwards, and nothing hides beside it. */
  readonly whole: Check;
  /** The signature is one of the key in the certificate that comes with it. */
  readonly signature: Check;
  /** That certificate is one of the issuer's. */
  readonly issuer: Check;
}

export interface CheckedPdf {
  readonly checks: PdfChecks;
  /** SHA-256 of the file, hex. */
  readonly digest: string;
  /** Who signed, as the certificate in it says; whoever makes one writes there what they like. */
  readonly signer: string | null;
  /** The certificate's number, if one can be read in it. */
  readonly number: string | undefined;
}

const NOTHING: PdfChecks = {
  pdf: false,
  signed: undefined,
  unaltered: undefined,
  whole: undefined,
  signature: undefined,
  issuer: undefined,
};
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47';
/** Enough for a certificate, and a bound for whatever else comes. */
const MOST_STREAMS = 200;
const MOST_INFLATED = 4 * 1024 * 1024;
const MOST_SIGNATURES = 10;

/** @param trusted none: whose signature it is stays unchecked. */
export function checkPdf(bytes: Buffer, trusted: readonly TrustedCertificate[]): CheckedPdf {
  const digest = sha256(bytes).toString('hex');
  const isPdf = bytes.subarray(0, 1024).includes('%PDF-') && bytes.lastIndexOf('%%EOF') !== -1;
  if (!isPdf) return { checks: NOTHING, digest, signer: null, number: undefined };
  const number = numberIn(bytes);
  const found = signaturesIn(bytes);
  if (found.length === 0)
    return { checks: { ...NOTHING, pdf: true, signed: false }, digest, signer: null, number };
  const judged = found.map((each) => judge(bytes, each, trusted));
  // Of several the issuer's own counts: what others have signed on top was appended to it.
  const best = judged.find(({ checks }) => checks.issuer === true) ?? judged.at(-1)!;
  const whole = best.checks.whole === true && found.length === 1;
  return { checks: { ...best.checks, whole }, signer: best.signer, digest, number };
}

interface SignatureInPdf {
  /** Where the covered bytes end, and where they go on. */
  readonly open: number;
  readonly close: number;
  readonly end: number;
  /** The /ByteRange leaves out the signature and nothing else. */
  readonly tight: boolean;
  readonly cms: Buffer;
}

/** ISO 32000-2, 12.8.1: /ByteRange [0 open close rest], between which stands /Contents in hexadecimal. */
function signaturesIn(bytes: Buffer): SignatureInPdf[] {
  const text = bytes.toString('latin1');
  const found: SignatureInPdf[] = [];
  for (const match of text.matchAll(
    /\/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]/g,
  )) {
    if (found.length === MOST_SIGNATURES) break;
    const [start, open, close, rest] = match.slice(1).map(Number) as [number, number, number, number];
    const end = close + rest;
    const hole = text.slice(open, close);
    const inside = start === 0 && open < close && end <= bytes.length;
    const hex = /^<([0-9A-Fa-f]*)>$/.exec(hole)?.[1];
    found.push({
      open,
      close,
      end,
      tight: inside && hex !== undefined,
      cms: inside && hex !== undefined ? Buffer.from(hex, 'hex') : Buffer.of(),
    });
  }
  return found;
}

function judge(
  bytes: Buffer,
  { open, close, end, tight, cms }: SignatureInPdf,
  trusted: readonly TrustedCertificate[],
): { checks: PdfChecks; signer: string | null } {
  const checks = { ...NOTHING, pdf: true, signed: true };
  if (!tight) return { checks: { ...checks, whole: false, signature: false }, signer: null };
  const whole = end === bytes.length;
  const read = readSignature(cms);
  if (read === undefined) return { checks: { ...checks, whole, signature: false }, signer: null };
  const covered = createHash('sha256')
    .update(bytes.subarray(0, open))
    .update(bytes.subarray(close, end))
    .digest();
  return {
    checks: {
      ...checks,
      whole,
      unaltered: covered.equals(read.messageDigest),
      signature: read.holds,
      issuer:
        trusted.length === 0
          ? undefined
          : read.holds && trusted.some((each) => read.certificate.equals(Buffer.from(each))),
    },
    signer: read.signer,
  };
}

/** RFC 5652, 5.3 to 5.6, with the certificate named as RFC 5035 has it. undefined: it is no such signature. */
function readSignature(
  cms: Buffer,
): { messageDigest: Buffer; holds: boolean; certificate: Buffer; signer: string } | undefined {
  try {
    // Behind it the hole is filled with zeros.
    const parsed = fromBER(Uint8Array.from(cms).buffer);
    if (parsed.offset === -1) return undefined;
    const data = new SignedData({ schema: new ContentInfo({ schema: parsed.result }).content });
    const [info] = data.signerInfos;
    const attributes = info?.signedAttrs;
    if (info === undefined || attributes === undefined || data.signerInfos.length !== 1) return undefined;
    const valueOf = (type: string): unknown =>
      attributes.attributes.find((each) => each.type === type)?.values[0];
    const digest = valueOf(MESSAGE_DIGEST);
    if (!(digest instanceof OctetString)) return undefined;
    const named = valueOf(SIGNING_CERTIFICATE_V2) as { toBER(): ArrayBuffer } | undefined;
    const certificates = (data.certificates ?? []).flatMap((each) =>
      each instanceof Certificate ? [Buffer.from(each.toSchema().toBER())] : [],
    );
    // The one that the signature names by its digest; a name and number anybody can copy.
    const certificate =
      named === undefined
        ? undefined
        : certificates.find((each) => Buffer.from(named.toBER()).includes(sha256(each)));
    if (certificate === undefined) return undefined;
    const x509 = new X509Certificate(certificate);
    const signed = Buffer.from(attributes.encodedValue);
    // What is signed has the tag of a set (5.4).
    signed[0] = 0x31;
    const algorithm = x509.publicKey.asymmetricKeyType;
    const holds =
      (algorithm === 'ec' || algorithm === 'rsa') &&
      verify('sha256', signed, x509.publicKey, Buffer.from(info.signature.valueBlock.valueHexView));
    return {
      messageDigest: Buffer.from(digest.valueBlock.valueHexView),
      holds,
      certificate,
      signer: x509.subject.replaceAll('\n', ', '),
    };
  } catch {
    return undefined;
  }
}

/** Looks where writers put it: in plain text, in UTF-16, in compressed streams. */
function numberIn(bytes: Buffer): string | undefined {
  const numbers = (text: string): string | undefined => {
    for (const [candidate] of text.matchAll(/XQ\d{4}-[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/g)) {
      const number = parseCertificateNumber(candidate);
      if (number !== undefined) return number;
    }
    return undefined;
  };
  const plain = bytes.toString('latin1');
  const found = numbers(plain) ?? numbers(plain.replaceAll('\0', '')) ?? numbers(utf16In(plain));
  if (found !== undefined) return found;
  let left = MOST_INFLATED;
  let streams = 0;
  for (const match of plain.matchAll(/stream\r?\n/g)) {
    if (left <= 0 || streams === MOST_STREAMS) return undefined;
    streams += 1;
    try {
      const text = inflateSync(bytes.subarray(match.index + match[0].length), {
        maxOutputLength: left,
        finishFlush: 2,
      });
      left -= text.length;
      const number = numbers(text.toString('latin1'));
      if (number !== undefined) return number;
    } catch (error) {
      // Another filter; or more than is worth looking at, and then nothing more is.
      if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return undefined;
    }
  }
  return undefined;
}

/** Texts in hexadecimal with a byte order mark, as titles are. */
function utf16In(plain: string): string {
  return [...plain.matchAll(/<(FEFF[0-9A-F]{0,2000})>/gi)]
    .map(([, hex]) => Buffer.from(hex!.slice(4), 'hex').swap16().toString('utf16le'))
    .join('\n');
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
