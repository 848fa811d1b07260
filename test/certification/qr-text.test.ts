import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createCanvas, type Canvas } from '@napi-rs/canvas';
import { create as createQr } from 'qrcode';
import { beforeAll, describe, expect, it } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { signCompact } from '../../src/certification/credential/jws.ts';
import { signingKey } from '../../src/certification/credential/did.ts';
import { qrClaims, qrText } from '../../src/certification/credential/qr-text.ts';
import { statusListCredential, type StatusPurpose } from '../../src/certification/credential/status-list.ts';
import type { CertificateClaims } from '../../src/certification/document.ts';
import { newCredentialKeys, parseCredentialKeys } from '../../src/config.ts';
import { checkToken, readToken, type OfflineFile } from '../../src/web/verification/signed-claims.ts';

const NUMBER = 'XQ2026-7K3M-9QXR-4TWA';
const CODE = 'ABCD-EFGH-JKMN-PQRS';
const PAGE = `https://xinqiao.changsha.edu.example.cn/verify/${NUMBER}`;
const STATUS = { list: 12, position: 131_071 };
/** As long as they come. */
const claims: CertificateClaims = {
  number: NUMBER,
  holderName: '买买提·阿卜杜克热木·阿不都热西提',
  organizationName: '湖南省长沙市长沙县星沙街道实验小学',
  roleTitle: { 'zh-CN': '班主任', en: 'Class teacher' },
  certificationTitle: { 'zh-CN': '湖南省中小学班主任学生心理健康守门人培训', en: 'Gatekeeper training' },
  courseTitle: null,
  classHours: 7.5,
  percent: 83.33,
  issuerName: '湖南省教育厅教师工作与师范教育处',
  issuedOn: '2026-11-24',
  validFrom: '2026-11-24',
  validUntil: '2029-11-23',
  evidence: { 'zh-CN': '依据', en: 'evidence' },
  evidenceGrade: 'A',
  verificationUrl: `${PAGE}#code=${CODE}`,
};
const keys = parseCredentialKeys(newCredentialKeys('202611241159'), 'keys');
const key = signingKey(keys, 'ES256');
const stranger = signingKey(parseCredentialKeys(newCredentialKeys('202611241159'), 'keys'), 'ES256');

const list = (positions: number[], purpose: StatusPurpose, by = key, at = '2026-11-24T08:00:00Z'): string =>
  signCompact(
    statusListCredential({
      url: 'https://x/status/12',
      issuer: 'did:web:x',
      purpose,
      positions,
      at: new Date(at),
    }),
    by,
    { kid: `did:web:x#${by.kid}` },
  );
const file = (revoked: number[] = [], superseded: number[] = [], by = key): OfflineFile => ({
  keys: [{ kid: key.kid, jwk: key.publicJwk }],
  lists: { 12: { revocation: list(revoked, 'revocation', by), refresh: list(superseded, 'refresh', by) } },
});
const text = qrText(PAGE, qrClaims(claims, STATUS, CODE), key);
const token = readToken(new URL(text).hash)!;
const check = async (
  given: string,
  {
    number = NUMBER,
    from = file(),
    on = '2026-12-01',
  }: { number?: string; from?: OfflineFile; on?: string } = {},
) => checkToken(given, number, from, on);

describe('what a QR code says', () => {
  it('is an address with the signed claims where no server sees them', async () => {
    expect(text.split('#')[0]).toBe(PAGE);
    expect(await check(token)).toEqual({
      outcome: 'VALID',
      kid: key.kid,
      listAt: '2026-11-24T08:00:00Z',
      claims: {
        number: NUMBER,
        holderName: claims.holderName,
        title: claims.certificationTitle['zh-CN'],
        issuerName: claims.issuerName,
        issuedOn: '2026-11-24',
        validFrom: '2026-11-24',
        validUntil: '2029-11-23',
        classHours: 7.5,
        evidenceGrade: 'A',
        percent: 83.33,
        code: CODE,
        status: STATUS,
      },
    });
  });

  it('tells each state in its own word', async () => {
    const { position } = STATUS;
    expect(await check(token, { on: '2029-11-23' })).toMatchObject({ outcome: 'VALID' });
    expect(await check(token, { on: '2029-11-24' })).toMatchObject({ outcome: 'EXPIRED' });
    expect(await check(token, { on: '2026-11-23' })).toMatchObject({ outcome: 'NOT_YET' });
    expect(await check(token, { from: file([position]) })).toMatchObject({ outcome: 'REVOKED' });
    expect(await check(token, { from: file([position], [position]) })).toMatchObject({
      outcome: 'SUPERSEDED',
    });
    expect(await check(token, { from: file([position - 1, 0]) })).toMatchObject({ outcome: 'VALID' });
    // Revoked it stays, also when it would have expired by now.
    expect(await check(token, { from: file([position]), on: '2031-01-01' })).toMatchObject({
      outcome: 'REVOKED',
    });
  });

  it('says what is not known: no list, one that somebody else signed, no keys at all', async () => {
    const { lists: _lists, ...bare } = file();
    expect(await check(token, { from: { ...bare, lists: {} } })).toMatchObject({
      outcome: 'VALID',
      listAt: undefined,
    });
    expect(await check(token, { from: file([], [], stranger) })).toMatchObject({ listAt: undefined });
    expect(await checkToken(token, NUMBER, undefined, '2026-12-01')).toMatchObject({
      outcome: 'NO_KEYS',
      claims: undefined,
    });
  });

  it('is believed in nothing when it was altered, signed by somebody else, or put under another number', async () => {
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const altered = Buffer.from(
      Buffer.from(payload, 'base64url').toString().replace('83.33', '98.33'),
    ).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none', kid: key.kid })).toString('base64url');
    for (const forged of [
      `${header}.${altered}.${signature}`,
      `${header}.${payload}.${'A'.repeat(86)}`,
      `${none}.${payload}.${signature}`,
      new URL(qrText(PAGE, qrClaims(claims, STATUS, CODE), stranger)).hash.slice(1),
    ])
      expect(await check(forged)).toMatchObject({ outcome: 'FORGED', claims: undefined });
    // Signed by the right key, and no claims.
    expect(await check(signCompact({ x: 'y'.repeat(80) }, key, { kid: key.kid }))).toMatchObject({
      outcome: 'FORGED',
    });
    const elsewhere = { ...stranger, kid: 'p9' };
    expect(
      await check(new URL(qrText(PAGE, qrClaims(claims, STATUS, CODE), elsewhere)).hash.slice(1)),
    ).toMatchObject({ outcome: 'UNKNOWN_KEY', claims: undefined });
    expect(await check(token, { number: 'XQ2026-7K3M-9QXR-4TWB' })).toMatchObject({
      outcome: 'OTHER_NUMBER',
    });
    // However an address was typed, it is the same number.
    expect(await check(token, { number: ' xq2026 7k3m–9qxr 4twa' })).toMatchObject({ outcome: 'VALID' });
  });

  it('is told apart from the codes of older certificates, and from noise', () => {
    expect(readToken(`#${token}`)).toBe(token);
    for (const other of [`#code=${CODE}`, '#', '', '#a.b.c', `#${token}x`, `#${'x'.repeat(9_000)}`])
      expect(readToken(other)).toBeUndefined();
  });
});

describe('the QR code on paper', () => {
  beforeAll(async () => {
    const wasm = await readFile(
      createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm'),
    );
    prepareZXingModule({ overrides: { wasmBinary: Uint8Array.from(wasm).buffer } });
  });
  const { modules, version } = createQr(text, { errorCorrectionLevel: 'M' });
  const DPI = 300;
  /** The smallest that a template may have, with the paper round it. */
  const printed = (): Canvas => {
    const side = (22 / 25.4) * DPI;
    const canvas = createCanvas(Math.round(side * 1.3), Math.round(side * 1.3));
    const context = canvas.getContext('2d');
    context.fillStyle = '#fff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#111827';
    const module = side / modules.size;
    for (let row = 0; row < modules.size; row += 1)
      for (let column = 0; column < modules.size; column += 1)
        // A printer has whole dots.
        if (modules.get(row, column) !== 0) {
          const [x, y] = [Math.round(column * module), Math.round(row * module)];
          context.fillRect(
            side * 0.15 + x,
            side * 0.15 + y,
            Math.round((column + 1) * module) - x,
            Math.round((row + 1) * module) - y,
          );
        }
    return canvas;
  };
  /** Held at an angle, turned, out of focus, in poor light, seen with twice the dots of the print. */
  const photographed = (blur: number): Canvas => {
    const paper = printed();
    const flat = createCanvas(paper.width * 2, paper.height * 2);
    const turned = flat.getContext('2d');
    turned.fillStyle = '#fff';
    turned.fillRect(0, 0, flat.width, flat.height);
    turned.translate(flat.width / 2, flat.height / 2);
    turned.rotate(0.14);
    turned.scale(1.7, 1.7);
    turned.drawImage(paper, -paper.width / 2, -paper.height / 2);
    const tilted = createCanvas(flat.width, flat.height);
    const slices = tilted.getContext('2d');
    // Farther away on the right: every few columns are a little smaller than those before.
    for (let x = 0; x < flat.width; x += 4) {
      const share = 1 - (0.2 * x) / flat.width;
      slices.drawImage(
        flat,
        x,
        0,
        4,
        flat.height,
        x,
        (flat.height * (1 - share)) / 2,
        4,
        flat.height * share,
      );
    }
    const photo = createCanvas(flat.width, flat.height);
    const context = photo.getContext('2d');
    context.fillStyle = '#b9b4a8';
    context.fillRect(0, 0, photo.width, photo.height);
    context.filter = `blur(${blur}px) brightness(0.75) contrast(0.8)`;
    context.drawImage(tilted, 0, 0);
    return photo;
  };
  const readFrom = async (canvas: Canvas): Promise<string | undefined> => {
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return (await readBarcodes(pixels as unknown as ImageData, { formats: ['QRCode'] }))[0]?.text;
  };

  it('has modules that can be told apart: at most version 20, with the longest names', () => {
    expect(text.length).toBeGreaterThan(400);
    expect(version).toBeLessThanOrEqual(20);
  });

  it('is read from a print of 300 dpi', async () => {
    expect(await readFrom(printed())).toBe(text);
  });

  it('is read from a picture taken at an angle and out of focus', async () => {
    expect(await readFrom(photographed(1.1))).toBe(text);
  });
});
