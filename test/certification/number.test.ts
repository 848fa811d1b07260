import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  newCertificateNumber,
  newVerificationCode,
  parseCertificateNumber,
  parseVerificationCode,
} from '../../src/certification/number.ts';

describe('a certificate number', () => {
  const number = newCertificateNumber(2026, (bytes) =>
    Uint8Array.from({ length: bytes }, (_each, at) => at * 7),
  );

  it('is read back however people write it', () => {
    const bare = number.replaceAll('-', '');
    for (const written of [
      number,
      number.toLowerCase(),
      bare,
      ` ${number.replaceAll('-', ' ')} `,
      number.replaceAll('-', '—'),
      number.replaceAll('-', '\u00ad-\u200b'),
      number.replace(/[!-~]/g, (character) => String.fromCodePoint(character.codePointAt(0)! + 0xfee0)),
      number.replaceAll('0', 'O').replaceAll('1', 'l'),
    ])
      expect(parseCertificateNumber(written)).toBe(number);
  });

  it('is no longer one with any single character wrong, or two swapped', () => {
    const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
    const plain = number.replaceAll('-', '');
    let tried = 0;
    for (let at = 2; at < plain.length; at += 1) {
      for (const other of at < 6 ? '0123456789' : alphabet) {
        if (other === plain[at]) continue;
        expect(parseCertificateNumber(plain.slice(0, at) + other + plain.slice(at + 1))).toBeUndefined();
        tried += 1;
      }
      for (let next = at + 1; next < plain.length; next += 1) {
        const swapped = [...plain];
        [swapped[at], swapped[next]] = [swapped[next]!, swapped[at]!];
        const text = swapped.join('');
        const read = text === plain || !/^XQ\d{4}/.test(text) ? undefined : parseCertificateNumber(text);
        expect(read).toBeUndefined();
        tried += 1;
      }
    }
    expect(tried).toBeGreaterThan(450);
  });

  it('is refused when it is something else', () => {
    for (const text of [
      '',
      'XQ',
      '证书',
      'x'.repeat(10_000),
      `${number}0`,
      number.slice(1),
      'XQ2026-IIII-UUUU-0000',
      "' or 1=1",
    ])
      expect(parseCertificateNumber(text)).toBeUndefined();
  });

  it('and its code never come twice, and fit their alphabet', () => {
    const made = new Set<string>();
    for (let each = 0; each < 2_000; each += 1) {
      made.add(newCertificateNumber(2026, randomBytes));
      made.add(newVerificationCode(randomBytes));
    }
    expect(made.size).toBe(4_000);
    for (const each of made)
      expect(each).toMatch(/^(XQ\d{4}|[0-9A-HJKMNP-TV-Z]{4})(-[0-9A-HJKMNP-TV-Z]{4}){3}$/);
    expect(parseVerificationCode('abcd efgh jkmn pqrs')).toBe('ABCD-EFGH-JKMN-PQRS');
    expect(parseVerificationCode('abcd')).toBeUndefined();
  });
});
