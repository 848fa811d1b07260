import { describe, expect, it } from 'vitest';
import { maskContact, readEmail, readMobile } from '../../src/people/contact.ts';
import { keyIdOf, makeFingerprint, makeSeal, SEAL_BYTES, UnknownKey } from '../../src/people/sealing.ts';

const FORGED = 'unable to authenticate data';
const [one, two] = [
  { id: '2026', key: Buffer.alloc(32, 1) },
  { id: '2027', key: Buffer.alloc(32, 2) },
];

describe('sealing', () => {
  it('opens to the same, with any of the keys, and about the same thing alone', () => {
    const before = makeSeal([one], 'contacts');
    const after = makeSeal([two, one], 'contacts');
    const sealed = before.seal('13812345678', 'person:1:mobile');
    expect(sealed).toHaveLength(11 + SEAL_BYTES);
    expect(sealed.toString('latin1')).not.toContain('138');
    expect(after.open(sealed, 'person:1:mobile').toString()).toBe('13812345678');
    for (const about of ['person:2:mobile', 'person:1:email'])
      expect(() => after.open(sealed, about)).toThrow(FORGED);
    expect(() => makeSeal([two], 'contacts').open(sealed, 'person:1:mobile')).toThrow(UnknownKey);
    expect(() => makeSeal([one], 'uploads').open(sealed, 'person:1:mobile')).toThrow(FORGED);
    expect(keyIdOf(sealed)).toBe('2026');
    expect(after.old).toEqual([sealed.subarray(0, 8)]);
    expect(after.seal('', 'x').subarray(0, 8)).toEqual(after.current);
  });

  it('opens nothing that was changed in any of its bytes', () => {
    const seal = makeSeal([one], 'contacts');
    const sealed = seal.seal('a@b.cn', 'x');
    for (let at = 8; at < sealed.length; at += 1) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      expect(() => seal.open(changed, 'x')).toThrow(FORGED);
    }
    expect(() => seal.open(sealed.subarray(0, -1), 'x')).toThrow(FORGED);
  });

  it('never uses a nonce twice, past those it takes at once', () => {
    const seal = makeSeal([one], 'contacts');
    const nonces = new Set<string>();
    for (let count = 0; count < 10_000; count += 1)
      nonces.add(seal.seal('', '').subarray(8, 20).toString('hex'));
    expect(nonces.size).toBe(10_000);
  });

  it('knows a value again without telling it, and about the same thing alone', () => {
    const fingerprint = makeFingerprint(Buffer.alloc(32, 1), 'contacts');
    expect(fingerprint('13812345678', 'a')).toBe(fingerprint('13812345678', 'a'));
    expect(fingerprint('13812345678', 'a')).not.toBe(fingerprint('13812345678', 'b'));
    expect(fingerprint('13812345678', 'a')).not.toBe(
      makeFingerprint(Buffer.alloc(32, 2), 'contacts')('13812345678', 'a'),
    );
  });
});

describe('contacts', () => {
  it.each([
    ['13812345678', '13812345678'],
    ['+86 138-1234-5678', '13812345678'],
    ['0086 138 1234 5678', '13812345678'],
    ['１３８１２３４５６７８', '13812345678'],
    ['+852 9123 4567', '+85291234567'],
    ['0731-84012345', undefined],
    ['12345678901', undefined],
    ['1381234567', undefined],
    ['', undefined],
    ['无', undefined],
  ])('reads the mobile number %j as %j', (text, mobile) => expect(readMobile(text)).toBe(mobile));

  it.each([
    ['zhang@school.cn', 'zhang@school.cn'],
    [' Zhang.San@mail.school.edu.cn ', 'Zhang.San@mail.school.edu.cn'],
    ['ｚhang＠school.cn', 'zhang@school.cn'],
    ['张三@学校.中国', '张三@学校.中国'],
    ['zhang@school', undefined],
    ['zhang@@school.cn', undefined],
    ['a b@school.cn', undefined],
    ['@school.cn', undefined],
    [`${'a'.repeat(250)}@b.cn`, undefined],
    ['', undefined],
  ])('reads the address %j as %j', (text, email) => expect(readEmail(text)).toBe(email));

  it('are masked so that they are known again and of no use', () => {
    expect(maskContact('mobile', '13812345678')).toBe('138****5678');
    expect(maskContact('email', 'zhang@school.cn')).toBe('z***@school.cn');
  });
});
