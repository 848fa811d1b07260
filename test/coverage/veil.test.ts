import { describe, expect, it } from 'vitest';
import { Random } from '../../src/commands/sample/random.ts';
import { FEWEST_TOLD, hiddenAmong } from '../../src/coverage/veil.ts';

describe('numbers of a few people', () => {
  it('are hidden, and with them the one that would give them away', () => {
    expect(hiddenAmong([30, 12, 40])).toEqual([false, false, false]);
    expect(hiddenAmong([30, 4, 40])).toEqual([true, true, false]);
    expect(hiddenAmong([30, 4, 3])).toEqual([false, true, true]);
    expect(hiddenAmong([30, 1, 2, 9])).toEqual([false, true, true, true]);
    expect(hiddenAmong([0, 3, 0])).toEqual([false, true, false]);
    expect(hiddenAmong([])).toEqual([]);
  });

  it('can never be had by taking what is told from the sum', () => {
    const random = new Random(5);
    let hiddenSomething = 0;
    for (let round = 0; round < 2_000; round += 1) {
      const totals = Array.from({ length: random.between(1, 12) }, () => random.between(0, 12));
      const hidden = hiddenAmong(totals);
      const left = totals.filter((_total, at) => hidden[at]);
      if (left.length > 0) hiddenSomething += 1;
      const sum = left.reduce((all, total) => all + total, 0);
      const others = totals.filter((total, at) => hidden[at] !== true && total > 0);
      // What remains is enough people and more than one number, or there was nothing more to hide.
      const safe = left.length === 0 || (left.length >= 2 && sum >= FEWEST_TOLD) || others.length === 0;
      expect({ totals, safe }).toEqual({ totals, safe: true });
      expect(totals.some((total, at) => total > 0 && total < FEWEST_TOLD && hidden[at] !== true)).toBe(false);
    }
    expect(hiddenSomething).toBeGreaterThan(500);
  });
});
