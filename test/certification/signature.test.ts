import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBER, Integer, OctetString } from 'asn1js';
import {
  AlgorithmIdentifier,
  type Certificate,
  CertificateChainValidationEngine,
  ContentInfo,
  EncapsulatedContentInfo,
  ExtKeyUsage,
  Extension,
  IssuerAndSerialNumber,
  MessageImprint,
  PKIStatusInfo,
  SignedData,
  SignerInfo,
  TimeStampReq,
  TimeStampResp,
  TSTInfo,
} from 'pkijs';
import { afterAll, describe, expect, it } from 'vitest';
import { draw, type Drawing } from '../../src/certification/document.ts';
import { commandSigner } from '../../src/certification/signature/command-signer.ts';
import {
  developmentKey,
  makeCertificate,
  pemOf,
  pemOfKey,
} from '../../src/certification/signature/development.ts';
import { openSigner } from '../../src/certification/signature/issuer-key.ts';
import { certificatesIn, fileSigner } from '../../src/certification/signature/key-file.ts';
import { roomOf, signDocument } from '../../src/certification/signature/sign.ts';
import { checkChain, keySigner, type Signer } from '../../src/certification/signature/signer.ts';
import { makeTimestamper, type Timestamper } from '../../src/certification/signature/timestamp.ts';
import { readTemplate } from '../../src/certification/template.ts';
import { sampleClaims } from '../../src/commands/preview-certificate.ts';
import { makeOutbound } from '../../src/network/outbound.ts';
import { readPdf } from '../support/pdf.ts';

const folder = mkdtempSync(join(tmpdir(), 'xinqiao-signature-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

const template = await readTemplate('standard', 1);
const years = { from: new Date('2026-01-01T00:00:00Z'), to: new Date('2029-01-01T00:00:00Z') };
const today = new Date('2026-11-24T04:00:00Z');
const root = await makeCertificate({ name: 'Root of the province', ...years, authority: true });
const middle = await makeCertificate({ name: 'Bureaus', ...years, authority: true, by: root });
const bureau = await makeCertificate({ name: 'Bureau', ...years, authority: false, by: middle });
const pems = [bureau, middle, root].map(({ certificate }) => pemOf(certificate));
const keyPem = await pemOfKey(bureau.key);
writeFileSync(path('bureau.pem'), keyPem + pems.join(''));
writeFileSync(path('key.pem'), keyPem);
writeFileSync(path('chain.pem'), pems.join(''));
const signer = await fileSigner({ file: path('bureau.pem'), passwordFile: undefined, chainFile: undefined });

const drawFor = (by: Signer, timestamper?: Timestamper): Drawing =>
  draw(template, sampleClaims, { room: roomOf(by, timestamper) });
const signedBy = async (by: Signer, timestamper?: Timestamper): Promise<Buffer> =>
  (await signDocument(drawFor(by, timestamper), by, timestamper)).bytes;

/** Takes a signed PDF apart by what it says itself. */
function takeApart(pdf: Buffer): { covered: Buffer; cms: Buffer; signed: SignedData } {
  const [, a, b, c, d] = /\/ByteRange \[(\d+) (\d+) (\d+) (\d+)\]/.exec(pdf.toString('latin1'))!.map(Number);
  expect([a, c! + d!]).toEqual([0, pdf.length]);
  const digits = pdf.toString('latin1', b! + 1, c! - 1);
  expect([pdf[b!], pdf[c! - 1], /^[0-9a-f]+$/.test(digits)]).toEqual([0x3c, 0x3e, true]);
  const padded = Buffer.from(digits, 'hex');
  const { offset, result } = fromBER(Uint8Array.from(padded).buffer);
  const cms = padded.subarray(0, offset);
  expect(padded.subarray(offset).every((byte) => byte === 0)).toBe(true);
  return {
    covered: Buffer.concat([pdf.subarray(a, b), pdf.subarray(c)]),
    cms,
    signed: new SignedData({ schema: new ContentInfo({ schema: result }).content }),
  };
}

/** By the independent library, to an authority that is trusted. */
async function isValid(pdf: Buffer, trusted: Certificate): Promise<boolean> {
  const { covered, signed } = takeApart(pdf);
  const right = await signed.verify({ signer: 0, data: Uint8Array.from(covered).buffer }).catch(() => false);
  const engine = new CertificateChainValidationEngine({
    trustedCerts: [trusted],
    certs: signed.certificates as Certificate[],
    checkDate: today,
  });
  return right && (await engine.verify()).result;
}

describe('the signature of a certificate', () => {
  it('is valid to an independent verifier, up to the authority, and to nobody else’s', async () => {
    const pdf = await signedBy(signer);
    expect(await isValid(pdf, root.certificate)).toBe(true);
    const other = await makeCertificate({ name: 'Root of the province', ...years, authority: true });
    expect(await isValid(pdf, other.certificate)).toBe(false);
    expect(pdf.length).toBeLessThan(60_000);
    expect((await readPdf(pdf)).text).toContain(sampleClaims.holderName);
  });

  it('is broken by one changed byte, wherever it is', async () => {
    const pdf = await signedBy(signer);
    const places = [200, Math.floor(pdf.length / 3), pdf.indexOf('startxref'), pdf.length - 2];
    for (const at of places) {
      const altered = Buffer.from(pdf);
      altered[at] = altered[at]! ^ 1;
      expect(await isValid(altered, root.certificate), `at ${at}`).toBe(false);
    }
  });

  it('is of the baseline B-B: its attributes are those that PAdES asks for, and no others', async () => {
    const pdf = await signedBy(signer);
    const { signed, covered } = takeApart(pdf);
    const text = pdf.toString('latin1');
    expect(text).toContain('/SubFilter /ETSI.CAdES.detached');
    expect(text).toContain('/M (D:20261124040000Z)');
    const [info] = signed.signerInfos;
    const attributes = info!.signedAttrs!.attributes;
    expect(attributes.map(({ type }) => type).toSorted()).toEqual([
      '1.2.840.113549.1.9.16.2.47',
      '1.2.840.113549.1.9.3',
      '1.2.840.113549.1.9.4',
    ]);
    const digest = attributes.find(({ type }) => type.endsWith('.9.4'))!.values[0] as OctetString;
    expect(Buffer.from(digest.valueBlock.valueHexView)).toEqual(
      createHash('sha256').update(covered).digest(),
    );
    expect(info!.unsignedAttrs).toBeUndefined();
    expect(signed.certificates).toHaveLength(3);
  });

  it('is accepted by the tools of others, as far as they are here', async () => {
    const pdf = await signedBy(signer);
    const { covered, cms } = takeApart(pdf);
    const { png } = await readPdf(pdf);
    const files = { 'a.pdf': pdf, 'a.bin': covered, 'a.der': cms, 'a.png': png, 'root.pem': pems[2]! };
    for (const [name, bytes] of Object.entries(files)) writeFileSync(path(name), bytes);
    const checks: readonly (readonly [tool: string, args: readonly string[], says: string])[] = [
      [
        'openssl',
        `cms -verify -cades -binary -inform DER -in ${path('a.der')} -content ${path('a.bin')} -CAfile ${path('root.pem')} -purpose any -attime ${today.getTime() / 1000} -out /dev/null`.split(
          ' ',
        ),
        'Verification successful',
      ],
      ['pdfsig', ['-nocert', path('a.pdf')], 'Signature is Valid'],
      ['qpdf', ['--check', path('a.pdf')], 'No syntax or stream encoding errors'],
      ['pdftotext', [path('a.pdf'), '-'], sampleClaims.number],
      ['zbarimg', ['-q', '--raw', path('a.png')], sampleClaims.verificationUrl],
    ];
    const absent: string[] = [];
    const contradicted = checks.flatMap(([tool, args, says]) => {
      const { error, stdout, stderr } = spawnSync(tool, args, { encoding: 'utf8' });
      if (error !== undefined) absent.push(tool);
      return error !== undefined || `${stdout}${stderr}`.includes(says) ? [] : [{ tool, stdout, stderr }];
    });
    // oxlint-disable-next-line no-console
    if (absent.length > 0) console.warn(`Not on this machine, and so not asked: ${absent.join(', ')}`);
    expect(contradicted).toEqual([]);
  });

  it('is of PDF/A-3b, with the credential as an attachment that says how it is related', async () => {
    const drawing = draw(template, sampleClaims, { credential: 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln', room: 0 });
    const text = drawing.bytes.toString('latin1');
    expect(text).toContain('<pdfaid:part>3</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>');
    expect(text).toContain('/OutputIntents');
    expect(text).toContain('/AFRelationship /Data');
    expect(text).toContain('/Subtype /application#2fvc#2bjwt');
    const { getDocument } = await import('pdfjs-dist/legacy/build/pdf.mjs');
    const document = await getDocument({ data: Uint8Array.from(drawing.bytes), verbosity: 0 }).promise;
    const files = Object.values(
      (await document.getAttachments()) as Record<string, { filename: string; content: Uint8Array }>,
    );
    expect(files.map(({ filename, content }) => [filename, Buffer.from(content).toString()])).toEqual([
      ['credential.jwt', 'eyJhbGciOiJFUzI1NiJ9.e30.c2ln'],
    ]);
    const { info, metadata } = await document.getMetadata();
    expect((info as { Title: string }).Title).toContain(sampleClaims.number);
    expect(metadata.get('dc:title')).toContain(sampleClaims.number);
    expect(await document.getMarkInfo()).toMatchObject({ Marked: true });
  });
});

describe('a key of the issuer', () => {
  const open = async (
    file: string,
    more: { passwordFile?: string; chainFile?: string } = {},
  ): Promise<Signer> =>
    openSigner(
      { kind: 'file', file, passwordFile: more.passwordFile, chainFile: more.chainFile },
      { dataFolder: folder, production: true, at: today },
    );

  it('may lie in PEM, with its chain in the same file or in another', async () => {
    expect((await open(path('bureau.pem'))).chain).toHaveLength(3);
    expect(
      await isValid(
        await signedBy(await open(path('key.pem'), { chainFile: path('chain.pem') })),
        root.certificate,
      ),
    ).toBe(true);
  });

  it.runIf(spawnSync('openssl', ['version']).status === 0)(
    'may lie in PKCS#12, under a password',
    async () => {
      writeFileSync(path('password'), '长沙 secret\n');
      execFileSync('openssl', [
        'pkcs12',
        '-export',
        '-in',
        path('bureau.pem'),
        '-out',
        path('bureau.p12'),
        '-passout',
        `file:${path('password')}`,
      ]);
      const by = await open(path('bureau.p12'), { passwordFile: path('password') });
      expect(await isValid(await signedBy(by), root.certificate)).toBe(true);
      writeFileSync(path('wrong'), 'wrong');
      await expect(open(path('bureau.p12'), { passwordFile: path('wrong') })).rejects.toThrow(
        /can't be read as PKCS#12/,
      );
    },
  );

  it('is made on the first start, for nobody else to read, and stays', async () => {
    const file = await developmentKey(path('new'));
    const before = readFileSync(file, 'utf8');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(readFileSync(await developmentKey(path('new')), 'utf8')).toBe(before);
    const config = { kind: 'development' } as const;
    const by = await openSigner(config, { dataFolder: path('new'), production: false, at: today });
    expect(by.chain).toHaveLength(2);
    await expect(
      openSigner(config, { dataFolder: path('new'), production: true, at: today }),
    ).rejects.toThrow('it is refused with NODE_ENV=production');
    // Nor does it help to name it as one's own.
    await expect(open(file)).rejects.toThrow('it is refused with NODE_ENV=production');
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    [
      'of another certificate',
      async () => keySigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey, signer.chain),
      /not the one of its certificate "CN=Bureau"/,
    ],
    ['without a certificate', async () => open(path('key.pem')), /There is no certificate/],
    [
      'whose chain is missing',
      async () => checkChain(signer.chain.slice(0, 1), today, { production: true }),
      /certificates of those who issued "CN=Bureau" are missing/,
    ],
    [
      'whose chain has a gap',
      async () => checkChain([signer.chain[0]!, signer.chain[2]!], today, { production: true }),
      /was not issued by the certificate behind it/,
    ],
    [
      'that has expired',
      async () => checkChain(signer.chain, new Date('2029-06-01'), { production: true }),
      /in force from 2026-01-01 to 2029-01-01, not on 2029-06-01/,
    ],
    [
      'that is of an authority',
      async () => checkChain(signer.chain.slice(1), today, { production: true }),
      /is an authority/,
    ],
    ['that is not there', async () => open(path('nothing.pem')), /nothing\.pem can't be read: ENOENT/],
    [
      'that is something else',
      async () => {
        writeFileSync(path('junk'), 'junk');
        return open(path('junk'));
      },
      /can't be read as PKCS#12/,
    ],
    [
      'of RSA',
      async () => {
        const made = generateKeyPairSync('rsa', { modulusLength: 2048 });
        return keySigner(made.privateKey, signer.chain);
      },
      /not the one of its certificate/,
    ],
  ])('%s is refused, with the reason', async (_name, attempt, message) => {
    await expect(attempt()).rejects.toThrow(message);
  });
});

describe('a key that another program holds', () => {
  /** A program as an HSM's owner would write it, in a process of its own. */
  const program = path('hsm.mjs');
  writeFileSync(
    program,
    `import { createInterface } from 'node:readline';
import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';
import { sign, createPrivateKey } from 'node:crypto';
const [, , mode] = process.argv;
const key = createPrivateKey(readFileSync(${JSON.stringify(path('key.pem'))}));
createInterface({ input: process.stdin }).on('line', (line) => {
  if (mode === 'refuses') return console.log('error the PIN 1234 is wrong');
  if (mode === 'dies') process.exit(3);
  if (mode === 'silent') return;
  if (mode === 'nonsense') return console.log('<html>');
  if (mode === 'another') return console.log(Buffer.from('3006020101020101', 'hex').toString('base64'));
  console.log(rawSign(Buffer.from(line, 'base64')).toString('base64'));
});
function rawSign(digest) { return p256(digest); }
// ECDSA over a digest that is given, with plain numbers.
function p256(digest) {
  const p = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n, n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
  const jwk = key.export({ format: 'jwk' });
  const big = (text) => BigInt('0x' + Buffer.from(text, 'base64url').toString('hex'));
  const d = big(jwk.d), z = BigInt('0x' + digest.toString('hex'));
  const mod = (a, m) => ((a % m) + m) % m;
  const inv = (a, m) => { let [x, y, u, v] = [mod(a, m), m, 1n, 0n]; while (x > 1n) { const q = y / x; [x, y, u, v] = [y % x, x, v - q * u, u]; if (x === 0n) break; } return mod(u, m); };
  const G = [0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n, 0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n];
  const add = (P, Q) => { if (!P) return Q; if (!Q) return P; if (P[0] === Q[0] && mod(P[1] + Q[1], p) === 0n) return null;
    const l = P[0] === Q[0] ? mod((3n * P[0] * P[0] - 3n) * inv(2n * P[1], p), p) : mod((Q[1] - P[1]) * inv(Q[0] - P[0], p), p);
    const x = mod(l * l - P[0] - Q[0], p); return [x, mod(l * (P[0] - x) - P[1], p)]; };
  let k = BigInt('0x' + Buffer.from(webcrypto.getRandomValues(new Uint8Array(32))).toString('hex')) % n, R = null, B = G;
  for (let i = k; i > 0n; i >>= 1n) { if (i & 1n) R = add(R, B); B = add(B, B); }
  const r = mod(R[0], n), s = mod(inv(k, n) * (z + r * d), n);
  const int = (v) => { let h = v.toString(16); if (h.length % 2) h = '0' + h; let b = Buffer.from(h, 'hex'); if (b[0] & 0x80) b = Buffer.concat([Buffer.from([0]), b]); return Buffer.concat([Buffer.from([2, b.length]), b]); };
  const both = Buffer.concat([int(r), int(s)]);
  return Buffer.concat([Buffer.from([0x30, both.length]), both]);
}
`,
  );
  const by = (mode: string, timeoutMs = 20_000): Signer =>
    commandSigner([process.execPath, program, mode], certificatesIn(pems.join(''), 'chain.pem'), {
      timeoutMs,
    });

  it('signs what is asked of it, many at once, in one process', async () => {
    const held = by('signs');
    const all = await Promise.all([1, 2, 3].map(async () => signedBy(held)));
    for (const pdf of all) expect(await isValid(pdf, root.certificate)).toBe(true);
    await held.close();
  });

  it.each([
    ['refuses', 'said that it could not'],
    ['dies', 'has ended (3)'],
    ['silent', 'does not answer'],
    ['nonsense', 'gave no signature'],
    ['another', 'not of its certificate’s key'],
  ])('that %s signs nothing, and the reason holds no secret', async (mode, message) => {
    const held = by(mode, mode === 'silent' ? 1_500 : 20_000);
    const attempt = signedBy(held);
    await expect(attempt).rejects.toMatchObject({ code: 'NOT_SIGNED' });
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.not.toThrow('1234');
    await held.close();
  });

  it('that can not be started is told', async () => {
    const held = commandSigner([path('no-such-program')], signer.chain);
    await expect(signedBy(held)).rejects.toThrow('can not be started: ENOENT');
  });
});

describe('a timestamp', async () => {
  const usage = new Extension({
    extnID: '2.5.29.37',
    critical: true,
    extnValue: new ExtKeyUsage({ keyPurposes: ['1.3.6.1.5.5.7.3.8'] }).toSchema().toBER(false),
  });
  const authority = await makeCertificate({
    name: 'Time',
    ...years,
    authority: false,
    by: root,
    extensions: [usage],
  });
  let mode = 'right';
  /** An authority as a peer of its own, by the library. */
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    const reply = async (): Promise<void> => {
      const body = await answer(Buffer.concat(chunks));
      response.writeHead(mode === 'broken' ? 500 : 200, { 'content-type': 'application/timestamp-reply' });
      response.end(body);
    };
    request.on('end', () => void reply());
  });
  const answer = async (body: Buffer): Promise<Buffer> => {
    const asked = TimeStampReq.fromBER(Uint8Array.from(body).buffer);
    if (mode === 'refuses')
      return Buffer.from(new TimeStampResp({ status: new PKIStatusInfo({ status: 2 }) }).toSchema().toBER());
    const imprint = asked.messageImprint;
    const info = new TSTInfo({
      version: 1,
      policy: '1.2.3.4',
      messageImprint:
        mode === 'another'
          ? new MessageImprint({
              hashAlgorithm: new AlgorithmIdentifier({ algorithmId: '2.16.840.1.101.3.4.2.1' }),
              hashedMessage: new OctetString({ valueHex: new ArrayBuffer(32) }),
            })
          : imprint,
      serialNumber: new Integer({ value: 7 }),
      genTime: today,
      ...(mode === 'replayed' ? { nonce: new Integer({ value: 5 }) } : { nonce: asked.nonce! }),
    });
    const content = info.toSchema().toBER();
    const signed = new SignedData({
      version: 3,
      encapContentInfo: new EncapsulatedContentInfo({
        eContentType: '1.2.840.113549.1.9.16.1.4',
        eContent: new OctetString({ valueHex: content }),
      }),
      signerInfos: [
        new SignerInfo({
          version: 1,
          sid: new IssuerAndSerialNumber({
            issuer: authority.certificate.issuer,
            serialNumber: authority.certificate.serialNumber,
          }),
        }),
      ],
      certificates: [authority.certificate],
    });
    const key = mode === 'forged' ? bureau.key : authority.key;
    await signed.sign(key, 0, 'SHA-256', content);
    return Buffer.from(
      new TimeStampResp({
        status: new PKIStatusInfo({ status: 0 }),
        timeStampToken: new ContentInfo({
          contentType: '1.2.840.113549.1.7.2',
          content: signed.toSchema(true),
        }),
      })
        .toSchema()
        .toBER(),
    );
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const outbound = makeOutbound({ allow: ['127.0.0.1'], ports: [], allowHttp: true });
  afterAll(async () => {
    await outbound.close();
    server.close();
  });
  const stamper = (required: boolean): Timestamper =>
    makeTimestamper({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      required,
      outbound,
      random: (bytes) => webcrypto.getRandomValues(new Uint8Array(bytes)),
    });

  it('of an authority stands beside the signature, over it', async () => {
    mode = 'right';
    const timestamper = stamper(true);
    const { bytes, profile, untimed } = await signDocument(drawFor(signer, timestamper), signer, timestamper);
    expect([profile, untimed]).toEqual(['B-T', undefined]);
    expect(await isValid(bytes, root.certificate)).toBe(true);
    const [info] = takeApart(bytes).signed.signerInfos;
    const [attribute] = info!.unsignedAttrs!.attributes;
    expect(attribute!.type).toBe('1.2.840.113549.1.9.16.2.14');
    const token = new SignedData({ schema: new ContentInfo({ schema: attribute!.values[0] }).content });
    expect(
      await token.verify({ signer: 0, data: info!.signature.valueBlock.valueHexView.slice().buffer }),
    ).toBe(true);
  });

  it.each([
    ['broken', 'it answered 500'],
    ['refuses', 'it refused with status 2'],
    ['another', 'its token is of something else'],
    ['replayed', 'its token answers another question'],
    ['forged', 'its token is not signed by the certificate in it'],
  ])('that is %s is none: refused, or gone on without and told, as is configured', async (how, message) => {
    mode = how;
    const must = stamper(true);
    await expect(signDocument(drawFor(signer, must), signer, must)).rejects.toThrow(message);
    const may = stamper(false);
    const signed = await signDocument(drawFor(signer, may), signer, may);
    expect(signed.profile).toBe('B-B');
    expect(signed.untimed).toContain(message);
    expect(await isValid(signed.bytes, root.certificate)).toBe(true);
  });
});
