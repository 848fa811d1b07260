import { createHash, webcrypto } from 'node:crypto';
import * as asn1 from 'asn1js';
import {
  AttributeTypeAndValue,
  Attribute,
  Certificate,
  ContentInfo,
  CryptoEngine,
  EncapsulatedContentInfo,
  IssuerAndSerialNumber,
  SignedAndUnsignedAttributes,
  SignedData,
  SignerInfo,
} from 'pkijs';

/* Signed documents for tests, by a library and not by the service: of an issuer, and of others who would like to be one. */

const engine = new CryptoEngine({ name: 'node', crypto: webcrypto as unknown as Crypto });
const P256 = { name: 'ECDSA', namedCurve: 'P-256' };

export interface Signatory {
  readonly certificate: Buffer;
  sign(pdf: Buffer): Promise<Buffer>;
}

/** Somebody with a key and a certificate that they made themselves. */
export async function makeSignatory(name: string): Promise<Signatory> {
  const keys = (await webcrypto.subtle.generateKey(P256, true, ['sign', 'verify'])) as unknown as {
    readonly privateKey: CryptoKey;
    readonly publicKey: CryptoKey;
  };
  const certificate = new Certificate();
  certificate.version = 2;
  certificate.serialNumber = new asn1.Integer({ value: 7 });
  for (const side of [certificate.subject, certificate.issuer])
    side.typesAndValues.push(
      new AttributeTypeAndValue({ type: '2.5.4.3', value: new asn1.Utf8String({ value: name }) }),
    );
  certificate.notBefore.value = new Date('2020-01-01T00:00:00Z');
  certificate.notAfter.value = new Date('2040-01-01T00:00:00Z');
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey, engine);
  await certificate.sign(keys.privateKey, 'SHA-256', engine);
  const der = Buffer.from(certificate.toSchema(true).toBER());
  return {
    certificate: der,
    sign: async (pdf) => signWith(pdf, keys.privateKey, certificate, der),
  };
}

const ROOM = 4_000;

/** Puts a signature behind a document, over all of it. */
async function signWith(pdf: Buffer, key: CryptoKey, certificate: Certificate, der: Buffer): Promise<Buffer> {
  const before = Buffer.concat([pdf, Buffer.from('\n9 0 obj\n<< /Type /Sig /Contents ')]);
  const open = before.length;
  const close = open + 2 + 2 * ROOM;
  const rangeLength = '/ByteRange [0 0000000000 0000000000 0000000000]'.length;
  const tail = Buffer.from(`${' '.repeat(rangeLength + 1)}>>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n`);
  tail.write(` /ByteRange [0 ${open} ${close} ${tail.length}]`);
  const digest = createHash('sha256').update(before).update(tail).digest();
  const cms = await cmsOf(digest, key, certificate, der);
  const hole = Buffer.from(`<${cms.toString('hex').padEnd(2 * ROOM, '0')}>`);
  return Buffer.concat([before, hole, tail]);
}

async function cmsOf(digest: Buffer, key: CryptoKey, certificate: Certificate, der: Buffer): Promise<Buffer> {
  const octets = (bytes: Buffer) => new asn1.OctetString({ valueHex: Uint8Array.from(bytes).buffer });
  const named = new asn1.Sequence({
    value: [
      new asn1.Sequence({
        value: [new asn1.Sequence({ value: [octets(createHash('sha256').update(der).digest())] })],
      }),
    ],
  });
  const data = new SignedData({
    version: 1,
    encapContentInfo: new EncapsulatedContentInfo({ eContentType: '1.2.840.113549.1.7.1' }),
    signerInfos: [
      new SignerInfo({
        version: 1,
        sid: new IssuerAndSerialNumber({
          issuer: certificate.issuer,
          serialNumber: certificate.serialNumber,
        }),
        signedAttrs: new SignedAndUnsignedAttributes({
          type: 0,
          attributes: [
            new Attribute({
              type: '1.2.840.113549.1.9.3',
              values: [new asn1.ObjectIdentifier({ value: '1.2.840.113549.1.7.1' })],
            }),
            new Attribute({ type: '1.2.840.113549.1.9.4', values: [octets(digest)] }),
            new Attribute({ type: '1.2.840.113549.1.9.16.2.47', values: [named] }),
          ],
        }),
      }),
    ],
    certificates: [certificate],
  });
  await data.sign(key, 0, 'SHA-256', new ArrayBuffer(0), engine);
  return Buffer.from(
    new ContentInfo({ contentType: '1.2.840.113549.1.7.2', content: data.toSchema(true) }).toSchema().toBER(),
  );
}
