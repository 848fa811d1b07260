import { describe, expect, it } from 'vitest';
import { Random } from '../../src/commands/sample/random.ts';
import { FEWEST_TOLD, hiddenAmong, rolesHiddenAmong } from '../../src/coverage/veil.ts';
import { determined } from '../support/linear.ts';

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

describe('roles of a unit', () => {
  const told = (rows: readonly (readonly number[])[]): boolean[] => {
    const totals = rows.map((row) => row.reduce((sum, people) => sum + people, 0));
    const hidden = hiddenAmong(totals);
    return rolesHiddenAmong(rows.map((byRole, at) => ({ total: totals[at]!, hidden: hidden[at]!, byRole })));
  };

  it('are hidden where one is held by a few, and with them those of another unit', () => {
    expect(
      told([
        [20, 30],
        [40, 20],
        [30, 0],
      ]),
    ).toEqual([false, false, false]);
    expect(
      told([
        [20, 3],
        [40, 20],
        [30, 0],
      ]),
    ).toEqual([true, true, false]);
    expect(
      told([
        [20, 3],
        [40, 0],
        [30, 2],
        [9, 9],
      ]),
    ).toEqual([true, false, true, false]);
    // The hidden ones together must be enough in each role, or nobody.
    expect(
      told([
        [20, 3],
        [40, 0],
        [30, 1],
        [9, 90],
      ]),
    ).toEqual([true, false, true, true]);
    expect(told([])).toEqual([]);
  });

  it('are as the total where there is one role', () => {
    const random = new Random(3);
    for (let round = 0; round < 300; round += 1) {
      const rows = Array.from({ length: random.between(1, 8) }, () => [random.between(0, 12)]);
      expect(told(rows)).toEqual(hiddenAmong(rows.map(([people]) => people!)));
    }
  });

  it('follow from no sums of what is told', () => {
    const random = new Random(4);
    let hiddenSome = 0;
    for (let round = 0; round < 400; round += 1) {
      const roles = random.between(2, 4);
      const rows = Array.from({ length: random.between(2, 6) }, () =>
        Array.from({ length: roles }, () => random.pick([0, 0, 1, 3, 6, 12, 30])),
      );
      const sums = Array.from({ length: roles }, (_each, role) =>
        rows.reduce((sum, row) => sum + row[role]!, 0),
      );
      // Else the unit above does not tell its roles.
      if (sums.some((sum) => sum > 0 && sum < FEWEST_TOLD)) continue;
      const totals = rows.map((row) => row.reduce((sum, people) => sum + people, 0));
      const [hiddenTotals, hiddenRoles] = [hiddenAmong(totals), told(rows)];
      const values = new Map<string, number>();
      const known = new Set<string>();
      const note = (cell: string, value: number, hidden: boolean): void => {
        values.set(cell, value);
        if (!hidden) known.add(cell);
      };
      const equations: string[][] = [];
      for (const [at, row] of rows.entries()) {
        note(`total ${at}`, totals[at]!, hiddenTotals[at]!);
        for (const [role, people] of row.entries()) note(`${role} ${at}`, people, hiddenRoles[at]!);
        equations.push([`total ${at}`, ...row.map((_people, role) => `${role} ${at}`)]);
      }
      note(
        'total',
        totals.reduce((sum, total) => sum + total, 0),
        false,
      );
      equations.push(['total', ...rows.map((_row, at) => `total ${at}`)]);
      for (const [role, sum] of sums.entries()) {
        note(`${role}`, sum, false);
        equations.push([`${role}`, ...rows.map((_row, at) => `${role} ${at}`)]);
      }
      if (known.size < values.size) hiddenSome += 1;
      const found = determined(equations, known).filter((cell) => {
        const value = values.get(cell)!;
        return value > 0 && value < FEWEST_TOLD;
      });
      expect({ rows, found }).toEqual({ rows, found: [] });
    }
    expect(hiddenSome).toBeGreaterThan(150);
  });
});
