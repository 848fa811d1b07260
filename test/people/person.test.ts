import { describe, expect, it } from 'vitest';
import { isIdentityNumber, maskName } from '../../src/people/person.ts';

describe('identity numbers (GB 11643)', () => {
  it("accepts the standard's own examples and refuses a changed digit", () => {
    expect(isIdentityNumber('11010519491231002X')).toBe(true);
    expect(isIdentityNumber('440524188001010014')).toBe(true);
    expect(isIdentityNumber('440524188001010015')).toBe(false);
    expect(isIdentityNumber('44052418800101001')).toBe(false);
  });
});

describe('masking a name', () => {
  it.each([
    ['王小明', '王**'],
    ['李雷', '李*'],
    ['阿卜杜热西提·买买提', '阿****'],
    ['𠮷田', '𠮷*'],
  ])('%s → %s', (name, masked) => expect(maskName(name)).toBe(masked));
});
