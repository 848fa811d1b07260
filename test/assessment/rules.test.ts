import { describe, expect, it } from 'vitest';
import { drawItems } from '../../src/assessment/draw.ts';
import { gradeAttempt, gradeItem } from '../../src/assessment/grade.ts';
import { whyBlocked } from '../../src/assessment/standing.ts';

const options = (right: string) => ['a', 'b', 'c', 'd'].map((key) => ({ key, correct: right.includes(key) }));

describe('grading an item', () => {
  it.each([
    ['single', 'b', ['b'], 1],
    ['single', 'b', ['a'], 0],
    ['single', 'b', ['a', 'b'], 0],
    ['single', 'b', [], 0],
    ['multiple', 'ab', ['a', 'b'], 1],
    ['multiple', 'ab', ['a'], 0.5],
    ['multiple', 'ab', ['a', 'b', 'c'], 0.5],
    ['multiple', 'ab', ['a', 'b', 'c', 'd'], 0],
    ['multiple', 'ab', ['c', 'd'], 0],
    ['multiple', 'abc', ['a', 'b'], 2 / 3],
  ] as const)('%s with %s right, %j chosen: %d', (kind, right, chosen, points) => {
    expect(gradeItem({ kind, options: options(right) }, chosen)).toBeCloseTo(points);
  });
});

describe('grading an attempt', () => {
  it('passes at the mark exactly, and a sum of thirds does not fall short by its last bit', () => {
    expect(gradeAttempt([1, 1, 1, 1, 0], 80)).toEqual({ points: 4, maxPoints: 5, percent: 80, passed: true });
    expect(gradeAttempt([1 / 3, 1 / 3, 1 / 3], 100).percent).toBe(33.33);
    expect(
      gradeAttempt(
        Array.from({ length: 10 }, (_each, index) => (index < 7 ? 1 : 1 / 3)),
        80,
      ),
    ).toMatchObject({ percent: 80, passed: true });
    expect(gradeAttempt([1, 1, 1, 0.99, 0], 80).passed).toBe(false);
  });
});

describe('drawing an exam', () => {
  const bank = Array.from({ length: 20 }, (_each, index) => ({
    id: String(index + 1),
    competency: index < 10 ? 'notice' : 'listen',
    kind: index === 0 ? 'true_false' : 'single',
    options: index === 0 ? [{ key: 'false' }, { key: 'true' }] : options('a'),
  }));
  const blueprint = [
    { competency: 'notice', count: 10 },
    { competency: 'listen', count: 3 },
  ];

  it('fills the blueprint, repeats itself for the same seed and differs for another', () => {
    const drawn = drawItems(bank, blueprint, 'seed');
    expect(drawn).toHaveLength(13);
    expect(new Set(drawn.map((item) => item.itemId)).size).toBe(13);
    expect(drawn.filter((item) => Number(item.itemId) > 10)).toHaveLength(3);
    expect(drawItems(bank.toReversed(), blueprint, 'seed')).toEqual(drawn);
    expect(drawItems(bank, blueprint, 'other')).not.toEqual(drawn);
  });

  it('draws every item about as often as any other, and keeps true before false', () => {
    const counts = new Map<string, number>();
    const orders = new Set<string>();
    for (let seed = 0; seed < 600; seed += 1) {
      for (const { itemId, options: order } of drawItems(
        bank,
        [{ competency: 'notice', count: 3 }],
        String(seed),
      )) {
        counts.set(itemId, (counts.get(itemId) ?? 0) + 1);
        if (itemId === '1') orders.add(order.join());
      }
    }
    expect([...orders]).toEqual(['true,false']);
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 180)).toBeLessThan(70);
  });
});

describe('beginning an exam', () => {
  const exam = {
    items: [],
    blueprint: [],
    passMark: 80,
    minutes: 20,
    resit: { afterHours: 24, attempts: 2 },
  };
  const now = new Date('2026-11-24T00:00:00Z');
  const failed = (number: number, hoursAgo: number) => ({
    number,
    submittedAt: new Date(now.getTime() - hoursAgo * 3_600_000),
    passed: false,
  });

  it('asks for the lessons first, one attempt at a time, and the resit rule', () => {
    const blocked = (facts: Partial<Parameters<typeof whyBlocked>[0]>) =>
      whyBlocked({ unfinished: 0, attempts: [], exam, now, ...facts })?.code;
    expect(blocked({})).toBeUndefined();
    expect(blocked({ unfinished: 1 })).toBe('LESSONS_UNFINISHED');
    expect(blocked({ attempts: [{ number: 1, submittedAt: null, passed: null }] })).toBe('ATTEMPT_OPEN');
    expect(blocked({ attempts: [{ number: 1, submittedAt: now, passed: true }] })).toBe('ALREADY_PASSED');
    expect(blocked({ attempts: [failed(1, 23)] })).toBe('RESIT_TOO_EARLY');
    expect(blocked({ attempts: [failed(1, 24)] })).toBeUndefined();
    expect(blocked({ attempts: [failed(1, 90), failed(2, 30)] })).toBe('NO_ATTEMPTS_LEFT');
  });
});
