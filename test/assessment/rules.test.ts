import { describe, expect, it } from 'vitest';
import { allowanceOn, extraMinutes, type Accommodation } from '../../src/assessment/accommodation.ts';
import { readAnswer } from '../../src/assessment/answer.ts';
import { drawItems, type Drawable } from '../../src/assessment/draw.ts';
import { gradeAttempt, gradeItem, rationaleOf } from '../../src/assessment/grade.ts';
import { drawPractice, practisable, resultsByCompetency } from '../../src/assessment/practice.ts';
import { whyBlocked } from '../../src/assessment/standing.ts';

const text = (words: string) => ({ 'zh-CN': words, en: words });
const options = (right: string) =>
  ['a', 'b', 'c', 'd'].map((key) => ({
    key,
    correct: right.includes(key),
    text: text(key),
    rationale: text(key),
  }));
const own = (id: number) => ({
  id: String(id),
  key: `i-${id}`,
  competency: 'notice',
  difficulty: 1,
  mustPass: false,
  use: 'exam' as 'exam' | 'practice',
  stem: text('?'),
});
const single = (id: number, more: Partial<ReturnType<typeof own>> = {}): Drawable => ({
  ...own(id),
  ...more,
  kind: 'single',
  options: options('a'),
});
const part = (key: string) => ({ key, text: text(key), rationale: text(key) });
const ordering = (id: number, keys = ['one', 'two', 'three', 'four']): Drawable => ({
  ...own(id),
  kind: 'ordering',
  elements: keys.map(part),
});
const matching: Drawable = {
  ...own(90),
  kind: 'matching',
  pairs: [
    { ...part('p'), matches: 'x' },
    { ...part('q'), matches: 'y' },
    { ...part('r'), matches: 'x' },
  ],
  targets: ['x', 'y', 'z'].map((key) => ({ key, text: text(key) })),
};
const numeric: Drawable = {
  ...own(91),
  kind: 'numeric',
  answer: 0.3,
  tolerance: 0,
  rationale: text('so'),
  mistakes: [{ value: 30, tolerance: 1, rationale: text('percent') }],
};

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

  it.each([
    ['the right order', ['one', 'two', 'three', 'four'], 1],
    ['two neighbours the wrong way round', ['two', 'one', 'three', 'four'], 2 / 3],
    ['half of the pairs right', ['two', 'three', 'one', 'four'].toReversed(), 0],
    ['the reverse', ['four', 'three', 'two', 'one'], 0],
    ['nothing', [], 0],
  ])('ordering, %s', (_what, chosen, points) => {
    expect(gradeItem(ordering(1), chosen)).toBeCloseTo(points);
  });

  it('ordering by chance earns less than a fifth on average', () => {
    const orders = (keys: string[]): string[][] =>
      keys.length === 0
        ? [[]]
        : keys.flatMap((key) => orders(keys.filter((each) => each !== key)).map((rest) => [key, ...rest]));
    const all = orders(['one', 'two', 'three', 'four']);
    const mean = all.reduce((sum, order) => sum + gradeItem(ordering(1), order), 0) / all.length;
    expect(mean).toBeGreaterThan(0);
    expect(mean).toBeLessThan(0.2);
  });

  it.each([
    [['p=x', 'q=y', 'r=x'], 1],
    [['r=x', 'p=x'], 2 / 3],
    [['p=y', 'q=y', 'r=z'], 1 / 3],
    [['p=x', 'q=x', 'r=x'], 2 / 3],
    [[], 0],
  ])('matching %j: %d', (chosen, points) => {
    expect(gradeItem(matching, chosen)).toBeCloseTo(points);
  });

  it('a number within its tolerance, also where binary fractions are not quite decimal ones', () => {
    expect(gradeItem(numeric, [String(0.1 + 0.2)])).toBe(1);
    expect(gradeItem(numeric, ['0.31'])).toBe(0);
    const about = { ...numeric, answer: 14, tolerance: 1 } as Drawable;
    expect(['12.9', '13', '14', '15', '15.1'].map((chosen) => gradeItem(about, [chosen]))).toEqual([
      0, 1, 1, 1, 0,
    ]);
  });

  it('a mistake that is known is told what it is', () => {
    if (numeric.kind !== 'numeric') throw new Error('not a number');
    expect(rationaleOf(numeric, ['30.5']).en).toBe('percent');
    expect(rationaleOf(numeric, ['7']).en).toBe('so');
    expect(rationaleOf(numeric, []).en).toBe('so');
  });
});

describe('an answer', () => {
  const read = (item: Drawable, ...chosen: string[]): unknown => {
    try {
      return readAnswer(item, chosen);
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('to a choice is keys of its options, each once', () => {
    expect(read(single(1), 'a', 'a')).toEqual(['a']);
    expect(read(single(1))).toEqual([]);
    expect(read(single(1), 'z')).toBe('"z" is not an option of this item.');
    expect(read(single(1), 'a', 'b')).toBe('This item takes one option.');
  });

  it('to an ordering is all elements, each once', () => {
    expect(read(ordering(1), 'two', 'one', 'four', 'three')).toEqual(['two', 'one', 'four', 'three']);
    expect(read(ordering(1), 'two', 'one', 'four')).toBe('Put all 4 elements into an order, each once.');
    expect(read(ordering(1), 'two', 'two', 'one', 'four')).toMatch(/each once/);
    expect(read(ordering(1), 'two', 'one', 'four', 'five')).toBe('"five" is not an element of this item.');
  });

  it('to a matching is pairs with targets, as many as were matched', () => {
    expect(read(matching, 'q=z')).toEqual(['q=z']);
    expect(read(matching, 'p=x', 'p=y')).toBe('"p" is matched twice.');
    expect(read(matching, 'p=w')).toBe('"p=w" names a target that this item does not have.');
    for (const bad of ['p', 'w=x', 'p=x=y', '=x', ''])
      expect(read(matching, bad)).toMatch(/is not of the form pair=target with a pair of this item\.$/);
  });

  it.each([
    ['12', ['12']],
    ['  12.50　', ['12.50']],
    ['１２．５', ['12.5']],
    ['－3', ['-3']],
    ['−3', ['-3']],
    ['   ', []],
  ])('of a number may be typed as %j', (typed, kept) => {
    expect(read(numeric, typed)).toEqual(kept);
  });

  it.each(['12,5', '1 2', '14天', '1e3', '0x10', 'NaN', 'Infinity', '.5', '5.', '²', '9'.repeat(16)])(
    'of a number is not %j',
    (typed) => {
      expect(read(numeric, typed)).toMatch(
        /is not a number: write digits, with a point for decimals, and no unit\.$/,
      );
    },
  );

  it('of a number is one', () => {
    expect(read(numeric, '1', '2')).toBe('This item takes one number.');
  });
});

describe('grading an attempt', () => {
  const items = (...points: number[]) => points.map((each) => ({ points: each, mustPass: false }));

  it('passes at the mark exactly, and a sum of thirds does not fall short by its last bit', () => {
    expect(gradeAttempt(items(1, 1, 1, 1, 0), 80)).toEqual({
      points: 4,
      maxPoints: 5,
      percent: 80,
      mustPassMissed: 0,
      passed: true,
    });
    expect(gradeAttempt(items(1 / 3, 1 / 3, 1 / 3), 100).percent).toBe(33.33);
    expect(
      gradeAttempt(items(...Array.from({ length: 10 }, (_each, index) => (index < 7 ? 1 : 1 / 3))), 80),
    ).toMatchObject({ percent: 80, passed: true });
    expect(gradeAttempt(items(1, 1, 1, 0.99, 0), 80).passed).toBe(false);
  });

  it('fails with a must-pass item that has not full points, whatever the rest', () => {
    const missed = [...items(...Array.from({ length: 19 }, () => 1)), { points: 0.5, mustPass: true }];
    expect(gradeAttempt(missed, 80)).toMatchObject({ percent: 97.5, mustPassMissed: 1, passed: false });
    expect(gradeAttempt([...items(1), { points: 1, mustPass: true }], 80).passed).toBe(true);
    expect(gradeAttempt([...items(0), { points: 1, mustPass: true }], 80)).toMatchObject({
      mustPassMissed: 0,
      passed: false,
    });
  });
});

describe('drawing an exam', () => {
  const bank: Drawable[] = Array.from({ length: 20 }, (_each, index) =>
    single(index + 1, {
      competency: index < 10 ? 'notice' : 'listen',
      difficulty: (index % 2) + 1,
    }),
  );
  bank[0] = {
    ...own(1),
    kind: 'true_false',
    options: options('a')
      .slice(0, 2)
      .map((option, index) => ({ ...option, key: ['false', 'true'][index]! })),
  };
  const parts = (
    ...counts: [competency: string, count: number, difficulty?: number | undefined, mustPass?: boolean][]
  ) => ({
    blueprint: counts.map(([competency, count, difficulty, mustPass = false]) => ({
      competency,
      count,
      mustPass,
      ...(difficulty === undefined ? {} : { difficulty }),
    })),
    vignettes: [],
  });
  const ids = (drawn: readonly { itemId: string }[]): number[] => drawn.map(({ itemId }) => Number(itemId));

  it('fills the blueprint, repeats itself for the same seed and differs for another', () => {
    const exam = parts(['notice', 10], ['listen', 3]);
    const drawn = drawItems(bank, exam, 'seed');
    expect(drawn).toHaveLength(13);
    expect(new Set(ids(drawn)).size).toBe(13);
    expect(ids(drawn).filter((id) => id > 10)).toHaveLength(3);
    expect(drawItems(bank.toReversed(), exam, 'seed')).toEqual(drawn);
    expect(drawItems(bank, exam, 'other')).not.toEqual(drawn);
  });

  it('draws every item about as often as any other, and keeps true before false', () => {
    const counts = new Map<string, number>();
    const orders = new Set<string>();
    for (let seed = 0; seed < 600; seed += 1) {
      for (const { itemId, options: order } of drawItems(bank, parts(['notice', 3]), String(seed))) {
        counts.set(itemId, (counts.get(itemId) ?? 0) + 1);
        if (itemId === '1') orders.add(order.join());
      }
    }
    expect([...orders]).toEqual(['true,false']);
    expect(counts.size).toBe(10);
    for (const count of counts.values()) expect(Math.abs(count - 180)).toBeLessThan(70);
  });

  it('fills a part that names a difficulty and one that does not, though they want the same items', () => {
    // Five of each difficulty: all five of the second, and five of what is left.
    for (const exam of [parts(['notice', 5], ['notice', 5, 2]), parts(['notice', 5, 2], ['notice', 5])])
      for (let seed = 0; seed < 20; seed += 1) {
        const drawn = ids(drawItems(bank, exam, String(seed)));
        expect(new Set(drawn).size).toBe(10);
      }
  });

  it('draws must-pass items where they are asked for and nowhere else, and none for practice', () => {
    const mixed = [
      ...bank,
      single(21, { mustPass: true }),
      single(22, { mustPass: true }),
      single(23, { use: 'practice' }),
    ];
    for (let seed = 0; seed < 20; seed += 1) {
      const drawn = ids(drawItems(mixed, parts(['notice', 9], ['notice', 1, undefined, true]), String(seed)));
      expect(drawn.filter((id) => id > 20)).toEqual([expect.toBeOneOf([21, 22])]);
      expect(drawn).not.toContain(23);
    }
  });

  it('draws for a resit what was not seen, and what was seen only where that does not suffice', () => {
    const exam = parts(['notice', 4]);
    const first = drawItems(bank, exam, 'first');
    const seen = new Set(first.map(({ itemId }) => itemId));
    const second = drawItems(bank, exam, 'second', seen);
    expect(second.filter(({ itemId }) => seen.has(itemId))).toEqual([]);
    for (const { itemId } of second) seen.add(itemId);
    const third = drawItems(bank, exam, 'third', seen);
    expect(third.filter(({ itemId }) => !seen.has(itemId))).toHaveLength(2);
    expect(third).toHaveLength(4);
    expect(drawItems(bank, exam, 'third', seen)).toEqual(third);
  });

  it('keeps the questions of a vignette together and in their order', () => {
    const story = (key: string) => ({ key, story: text(key) });
    const cases = [31, 32, 33, 34].map((id) => ({
      ...single(id),
      vignette: story(id < 33 ? 'first' : 'second'),
    }));
    const longer = [35, 36, 37].map((id) => ({ ...single(id), vignette: story('longer') }));
    const exam = { ...parts(['notice', 5]), vignettes: [{ competency: 'notice', count: 1, questions: 2 }] };
    const drawn = new Set<string>();
    for (let seed = 0; seed < 30; seed += 1) {
      const order = ids(drawItems([...bank, ...cases, ...longer], exam, String(seed)));
      expect(order).toHaveLength(7);
      const linked = order.filter((id) => id > 30);
      drawn.add(linked.join());
      expect(order.indexOf(linked[1]!)).toBe(order.indexOf(linked[0]!) + 1);
    }
    expect([...drawn].toSorted()).toEqual(['31,32', '33,34']);
    expect(
      ids(drawItems([...bank, ...cases], exam, 'x', new Set(['31', '32']))).filter((id) => id > 30),
    ).toEqual([33, 34]);
  });

  it('shows what is to be put in order never in its order, and shuffles pairs and targets', () => {
    for (let seed = 0; seed < 60; seed += 1) {
      const [drawn] = drawItems([ordering(1, ['one', 'two', 'three'])], parts(['notice', 1]), String(seed));
      expect(drawn!.options.toSorted()).toEqual(['one', 'three', 'two']);
      expect(drawn!.options).not.toEqual(['one', 'two', 'three']);
    }
    const [drawn] = drawItems([matching], parts(['notice', 1]), 'seed');
    expect(drawn!.options.toSorted()).toEqual(['p', 'q', 'r']);
    expect(drawn!.targets!.toSorted()).toEqual(['x', 'y', 'z']);
    expect(drawItems([numeric], parts(['notice', 1]), 'seed')).toEqual([{ itemId: '91', options: [] }]);
  });
});

describe('practice', () => {
  const graded = (competency: string, ...points: number[]) =>
    points.map((each) => ({ competency, points: each, mustPass: false }));

  it('is offered where an attempt was below the mark, or missed a must-pass item', () => {
    const results = resultsByCompetency(
      ['notice', 'listen', 'refer', 'unasked'],
      [
        ...graded('listen', 1, 0.5),
        ...graded('notice', 1, 1, 1, 1, 0),
        ...graded('refer', 1, 1, 1, 1, 1, 1),
        { competency: 'refer', points: 0.9, mustPass: true },
      ],
      80,
    );
    expect(results.map(({ key, percent, isWeak }) => [key, percent, isWeak])).toEqual([
      ['notice', 80, false],
      ['listen', 75, true],
      ['refer', 98.57, true],
    ]);
  });

  it('takes items for practice first, then what was seen, and never what an exam may still hold', () => {
    const bank = [
      ...[1, 2, 3, 4, 5].map((id) => single(id)),
      ...[6, 7].map((id) => single(id, { use: 'practice' })),
      single(8, { competency: 'listen', use: 'practice' }),
    ];
    const items = { seen: new Set(['1', '2', '3']), sitting: new Set(['3']) };
    expect(practisable(bank, 'notice', items).map(({ id }) => id)).toEqual(['6', '7', '1', '2']);
    const round = (number: number) =>
      drawPractice(bank, 'notice', items, { seed: 'seed', round: number }).map(({ item }) => item.id);
    expect(round(0).slice(0, 2).toSorted()).toEqual(['6', '7']);
    expect(new Set([...round(0), ...round(1)])).toEqual(new Set(['1', '2', '6', '7']));
    expect(round(0)).toEqual(round(0));
    expect(round(4)).toEqual(round(0));
    expect(drawPractice(bank, 'other', items, { seed: 'seed', round: 3 })).toEqual([]);
  });
});

describe('an accommodation', () => {
  const given = (more: Partial<Accommodation>): Accommodation => ({
    id: '1',
    personId: '1',
    certificationId: '1',
    extraTimePercent: 0,
    extraAttempts: 0,
    reason: 'x',
    startsOn: '2026-03-01',
    endsOn: null,
    grantedBy: '2',
    grantedAt: new Date(0),
    revokedAt: null,
    ...more,
  });

  it('holds on its days until it is revoked; of several the most counts, never the sum', () => {
    const several = [
      given({ extraTimePercent: 50, endsOn: '2026-03-31' }),
      given({ extraTimePercent: 25, extraAttempts: 1, startsOn: '2026-03-31' }),
      given({ extraTimePercent: 200, extraAttempts: 3, revokedAt: new Date(0) }),
    ];
    expect(allowanceOn(several, '2026-02-28')).toEqual({ extraTimePercent: 0, extraAttempts: 0 });
    expect(allowanceOn(several, '2026-03-30')).toEqual({ extraTimePercent: 50, extraAttempts: 0 });
    expect(allowanceOn(several, '2026-03-31')).toEqual({ extraTimePercent: 50, extraAttempts: 1 });
    expect(allowanceOn(several, '2026-04-01')).toEqual({ extraTimePercent: 25, extraAttempts: 1 });
    expect([extraMinutes(20, 25), extraMinutes(15, 10), extraMinutes(20, 0)]).toEqual([5, 2, 0]);
  });
});

describe('beginning an exam', () => {
  const exam = { resit: { afterHours: 24, attempts: 2 } };
  const now = new Date('2026-11-24T00:00:00Z');
  const failed = (number: number, hoursAgo: number) => ({
    number,
    submittedAt: new Date(now.getTime() - hoursAgo * 3_600_000),
    passed: false,
  });

  it('asks for the lessons first, one attempt at a time, and the resit rule', () => {
    const blocked = (facts: Partial<Parameters<typeof whyBlocked>[0]>) =>
      whyBlocked({ unfinished: 0, attempts: [], exam, extraAttempts: 0, now, ...facts })?.code;
    expect(blocked({})).toBeUndefined();
    expect(blocked({ unfinished: 1 })).toBe('LESSONS_UNFINISHED');
    expect(blocked({ attempts: [{ number: 1, submittedAt: null, passed: null }] })).toBe('ATTEMPT_OPEN');
    expect(blocked({ attempts: [{ number: 1, submittedAt: now, passed: true }] })).toBe('ALREADY_PASSED');
    expect(blocked({ attempts: [failed(1, 23)] })).toBe('RESIT_TOO_EARLY');
    expect(blocked({ attempts: [failed(1, 24)] })).toBeUndefined();
    const all = [failed(1, 90), failed(2, 30)];
    expect(blocked({ attempts: all })).toBe('NO_ATTEMPTS_LEFT');
    expect(blocked({ attempts: all, extraAttempts: 1 })).toBeUndefined();
  });
});
