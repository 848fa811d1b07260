import { deflateSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { checkPdf } from '../../src/certification/check-pdf.ts';
import { newCertificateNumber } from '../../src/certification/number.ts';
import { makeSignatory, type Signatory } from '../support/sign-pdf.ts';

const NUMBER = newCertificateNumber(2030, (count) => new Uint8Array(count).fill(9));
const PAGE = Buffer.from(
  `%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Title (${NUMBER}) >>\nendobj\n2 0 obj\n<< /Type /Page /Said (90) >>\nendobj\n`,
);
const GOOD = { pdf: true, signed: true, unaltered: true, whole: true, signature: true, issuer: true };

describe('a document that is checked by itself', () => {
  let issuer: Signatory;
  let other: Signatory;
  let signed: Buffer;
  const check = (bytes: Buffer, trusted: readonly Uint8Array[] = [issuer.certificate]) =>
    checkPdf(bytes, trusted);
  /** Some bytes of the file, put in place of as many others. */
  const changed = (find: string, put: string): Buffer => {
    const at = signed.indexOf(find);
    expect(at).toBeGreaterThan(0);
    const bytes = Buffer.from(signed);
    bytes.write(put, at, 'latin1');
    return bytes;
  };

  beforeAll(async () => {
    [issuer, other] = await Promise.all([makeSignatory('长沙县教育局'), makeSignatory('长沙县教育局')]);
    signed = await issuer.sign(PAGE);
  });

  it('is the issuer’s when it is signed by one of their certificates, also an earlier one', () => {
    expect(check(signed, [other.certificate, issuer.certificate])).toMatchObject({
      checks: GOOD,
      signer: 'CN=长沙县教育局',
      number: NUMBER,
    });
  });

  it('shows where trust broke', async () => {
    // One byte of the page.
    expect(check(changed('(90)', '(91)')).checks).toEqual({ ...GOOD, unaltered: false });
    // A byte of what is signed within the signature, and of the signature itself.
    const hex = signed.toString('latin1');
    const attribute = hex.indexOf('2a864886f70d010904');
    expect(attribute).toBeGreaterThan(0);
    const inside = Buffer.from(signed);
    const at = attribute + '2a864886f70d0109043122042'.length + 6;
    inside[at] = inside[at] === 0x31 ? 0x32 : 0x31;
    expect(check(inside).checks).toMatchObject({ signature: false });
    // An update on top: what was signed is still there, to the byte.
    const update = Buffer.concat([
      signed,
      Buffer.from('2 0 obj\n<< /Type /Page /Said (100) >>\nendobj\n%%EOF\n'),
    ]);
    expect(check(update).checks).toEqual({ ...GOOD, whole: false });
    // Another's signature on top of the issuer's, over all of it.
    expect(check(await other.sign(signed)).checks).toEqual({ ...GOOD, whole: false });
    // A look-alike: the same name, a key of their own.
    expect(check(await other.sign(PAGE))).toMatchObject({
      checks: { ...GOOD, issuer: false },
      signer: 'CN=长沙县教育局',
    });
    // The page of another document under this one's signature.
    const swapped = Buffer.concat([
      Buffer.from(PAGE.toString('latin1').replace('Said (90)', 'Said (99)'), 'latin1'),
      signed.subarray(PAGE.length),
    ]);
    expect(check(swapped).checks).toEqual({ ...GOOD, unaltered: false });
    expect(check(PAGE.length > 0 ? Buffer.concat([PAGE, Buffer.from('%%EOF')]) : PAGE).checks).toMatchObject({
      pdf: true,
      signed: false,
      issuer: undefined,
    });
  });

  it('does not take a range that leaves out more than the signature', () => {
    // From within the page on: what stands between may be changed at will.
    const [, open] = /ByteRange \[0 (\d+) /.exec(signed.toString('latin1'))!;
    const shorter = String(Number(open) - 40).padStart(open!.length, '0');
    expect(check(changed(`[0 ${open}`, `[0 ${shorter}`)).checks).toMatchObject({
      whole: false,
      signature: false,
    });
    expect(check(changed('[0 ', '[1 ')).checks).toMatchObject({ whole: false, signature: false });
    expect(check(changed(`[0 ${open}`, `[0 ${'9'.repeat(open!.length)}`)).checks).toMatchObject({
      whole: false,
    });
    // A signature that is none.
    const at = Number(open) + 1;
    const garbled = Buffer.from(signed);
    garbled.fill('0', at, at + 400);
    expect(check(garbled).checks).toMatchObject({ signed: true, signature: false });
  });

  it('leaves open whose signature it is where no issuer is known', () => {
    expect(check(signed, []).checks).toEqual({ ...GOOD, issuer: undefined });
  });

  it('says of what is no PDF only that', () => {
    for (const bytes of [
      Buffer.of(),
      Buffer.from('hello'),
      Buffer.from('%PDF-1.7 without an end'),
      Buffer.alloc(100_000, 7),
    ])
      expect(check(bytes)).toMatchObject({ checks: { pdf: false, signed: undefined }, number: undefined });
  });

  it('finds the number in plain text, in UTF-16 and in a compressed stream, and is not led on by one that unpacks without end', () => {
    const wrap = (inner: Buffer): Buffer =>
      Buffer.concat([Buffer.from('%PDF-1.7\n'), inner, Buffer.from('\n%%EOF')]);
    const utf16 = Buffer.from(`\ufeff${NUMBER}`, 'utf16le').swap16();
    for (const inner of [
      Buffer.from(NUMBER),
      utf16,
      Buffer.from(`<${utf16.toString('hex').toUpperCase()}>`),
      Buffer.concat([
        Buffer.from('stream\n'),
        deflateSync(Buffer.from(`no ${NUMBER}`)),
        Buffer.from('\nendstream'),
      ]),
    ])
      expect(check(wrap(inner)).number, `in ${inner.toString('latin1')}`).toBe(NUMBER);
    const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024));
    expect(check(wrap(Buffer.concat([Buffer.from('stream\n'), bomb]))).number).toBeUndefined();
    // With a wrong check character it is none.
    expect(
      check(wrap(Buffer.from(NUMBER.slice(0, -1) + (NUMBER.endsWith('0') ? '1' : '0')))).number,
    ).toBeUndefined();
  });
});
