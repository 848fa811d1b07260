import { webcrypto } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BitString, Integer, Utf8String } from 'asn1js';
import { AttributeTypeAndValue, BasicConstraints, Certificate, Extension } from 'pkijs';
import { DEVELOPMENT_NAME } from './signer.ts';

/* The issuer's key where none is configured: made on the first start, by an authority whose own key nobody keeps. Never in production. */

const FILE = 'issuer-development.pem';

/** The file in the data folder, made where it is missing. @returns its path. */
export async function developmentKey(dataFolder: string): Promise<string> {
  const file = join(dataFolder, FILE);
  try {
    await readFile(file);
  } catch {
    await mkdir(dataFolder, { recursive: true });
    // Of two that start at once one makes it.
    await writeFile(file, await makeDevelopmentKey(), { mode: 0o600, flag: 'wx' }).catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EEXIST') throw error;
      },
    );
  }
  return file;
}

const P_256 = { name: 'ECDSA', namedCurve: 'P-256' };

export interface Authority {
  readonly certificate: Certificate;
  readonly key: CryptoKey;
}

/** A certificate of a new P-256 key. */
export async function makeCertificate(given: {
  readonly name: string;
  readonly from: Date;
  readonly to: Date;
  readonly authority: boolean;
  /** undefined: it vouches for itself. */
  readonly by?: Authority;
  readonly extensions?: readonly Extension[];
}): Promise<Authority> {
  const keys = (await webcrypto.subtle.generateKey(P_256, true, ['sign', 'verify'])) as CryptoKeyPair;
  const certificate = new Certificate();
  certificate.version = 2;
  const serial = webcrypto.getRandomValues(new Uint8Array(16));
  // Positive, and no leading zero (RFC 5280, 4.1.2.2).
  serial[0] = (serial[0]! & 0x3f) | 0x40;
  certificate.serialNumber = new Integer({ valueHex: serial.buffer });
  const name = (): AttributeTypeAndValue[] => [
    new AttributeTypeAndValue({ type: '2.5.4.3', value: new Utf8String({ value: given.name }) }),
  ];
  certificate.subject.typesAndValues = name();
  certificate.issuer.typesAndValues = given.by?.certificate.subject.typesAndValues ?? name();
  certificate.notBefore.value = given.from;
  certificate.notAfter.value = given.to;
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  certificate.extensions = [
    new Extension({
      extnID: '2.5.29.19',
      critical: true,
      extnValue: new BasicConstraints({ cA: given.authority }).toSchema().toBER(false),
    }),
    // keyUsage: keyCertSign, or digitalSignature and nonRepudiation.
    new Extension({
      extnID: '2.5.29.15',
      critical: true,
      extnValue: new BitString({
        valueHex: Uint8Array.from([given.authority ? 0x04 : 0xc0]).buffer,
        unusedBits: given.authority ? 2 : 6,
      }).toBER(false),
    }),
    ...(given.extensions ?? []),
  ];
  await certificate.sign(given.by?.key ?? keys.privateKey, 'SHA-256');
  return { certificate, key: keys.privateKey };
}

export function pemOf(certificate: Certificate): string {
  return pem('CERTIFICATE', Buffer.from(certificate.toSchema(true).toBER(false)));
}

export async function pemOfKey(key: CryptoKey): Promise<string> {
  return pem('PRIVATE KEY', Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)));
}

function pem(label: string, der: Buffer): string {
  return `-----BEGIN ${label}-----\n${der
    .toString('base64')
    .match(/.{1,64}/g)!
    .join('\n')}\n-----END ${label}-----\n`;
}

/** Key, certificate and its authority's. Long in force: development is not the place to learn that a year is over. */
async function makeDevelopmentKey(): Promise<string> {
  const from = new Date('2020-01-01T00:00:00Z');
  const to = new Date('2049-12-31T00:00:00Z');
  const authority = await makeCertificate({
    name: `${DEVELOPMENT_NAME}: authority`,
    from,
    to,
    authority: true,
  });
  const issuer = await makeCertificate({
    name: `${DEVELOPMENT_NAME}: issuer`,
    from,
    to,
    authority: false,
    by: authority,
  });
  return (await pemOfKey(issuer.key)) + pemOf(issuer.certificate) + pemOf(authority.certificate);
}
