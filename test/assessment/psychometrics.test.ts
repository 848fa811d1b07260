import { describe, expect, it } from 'vitest';
import {
  alpha,
  betaBelow,
  correlation,
  feldtInterval,
  fQuantile,
  logGamma,
  reliabilityAsDrawn,
  type ScoreSums,
} from '../../src/assessment/psychometrics.ts';
import { lsat, published } from './lsat.ts';

interface Answer {
  readonly item: number;
  readonly points: number;
}

/** From what each person has answered, as the definitions say. */
function sumsOf(people: readonly (readonly Answer[])[]): ScoreSums {
  const byItem = Map.groupBy(people.flat(), ({ item }) => item);
  const means = new Map(
    [...byItem].map(([item, answers]) => [item, mean(answers.map((each) => each.points))]),
  );
  const sums = people.map((answers) => {
    const d = answers.map(({ item, points }) => points - means.get(item)!);
    const squares = total(d.map((each) => each ** 2));
    const score = mean(answers.map(({ points }) => points));
    return [
      answers.length,
      answers.length * (answers.length - 1),
      squares,
      total(d) ** 2 - squares,
      score,
      score ** 2,
    ];
  });
  const [answers, pairs, deviationSquares, deviationProducts, scores, scoreSquares] = [0, 1, 2, 3, 4, 5].map(
    (at) => total(sums.map((each) => each[at]!)),
  ) as [number, number, number, number, number, number];
  return {
    attempts: people.length,
    answers,
    pairs,
    deviationSquares,
    deviationProducts,
    scores,
    scoreSquares,
  };
}
const total = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0);
const mean = (values: readonly number[]): number => total(values) / values.length;
const complete = (matrix: readonly (readonly number[])[]): Answer[][] =>
  matrix.map((row) => row.map((points, item) => ({ item, points })));
const pearson = (x: readonly number[], y: readonly number[]) =>
  correlation({
    n: x.length,
    x: total(x),
    y: total(y),
    xx: total(x.map((each) => each ** 2)),
    yy: total(y.map((each) => each ** 2)),
    xy: total(x.map((each, at) => each * y[at]!)),
  });

describe('the distributions behind the intervals', () => {
  it('have gammas and betas that can be written down', () => {
    expect(logGamma(0.5)).toBeCloseTo(Math.log(Math.PI) / 2, 13);
    expect(logGamma(11)).toBeCloseTo(Math.log(3_628_800), 12);
    // P(at least 2 of 4 at 1/2) = 11/16; a beta of 1 and 1 is uniform.
    expect(betaBelow(0.5, 2, 3)).toBeCloseTo(11 / 16, 14);
    expect(betaBelow(0.37, 1, 1)).toBeCloseTo(0.37, 14);
  });

  it.each([
    // Printed tables of F.
    [0.95, 3, 10, 3.71],
    [0.975, 10, 20, 2.77],
    [0.95, 1, 10, 4.96],
    [0.99, 5, 18, 4.25],
    [0.975, 5, 18, 3.38],
  ])('have the F of the tables: %d at %d and %d is %d', (p, one, other, expected) => {
    expect(fQuantile(p, one, other)).toBeCloseTo(expected, 2);
    // Turned over, it is the other way round.
    expect(fQuantile(1 - p, other, one) * fQuantile(p, one, other)).toBeCloseTo(1, 9);
  });
});

describe('item and exam, by published examples', () => {
  it('LSAT section VI: corrected point-biserials and KR-20 as in Rizopoulos (2006)', () => {
    expect(lsat).toHaveLength(1_000);
    const told = [0, 1, 2, 3, 4].map((item) =>
      pearson(
        lsat.map((row) => row[item]!),
        lsat.map((row) => total(row) - row[item]!),
      ),
    );
    expect(told.map((each) => Number(each!.value.toFixed(4)))).toEqual(published.discrimination);
    const reliability = alpha(sumsOf(complete(lsat)))!;
    expect(reliability.value).toBeCloseTo(published.alpha, 4);
    // KR-20 by its own formula: all items are 0 or 1.
    const variance = mean(lsat.map((row) => total(row) ** 2)) - mean(lsat.map(total)) ** 2;
    const kr20 = (5 / 4) * (1 - total(published.facility.map((p) => p * (1 - p))) / variance);
    expect(reliability.value).toBeCloseTo(kr20, 12);
  });

  it('Feldt’s interval: 0.9044 to 0.9212 for 0.913 of 20 items and 873 people (C. Evans, MRC CBU statistics wiki)', () => {
    const { low, high } = feldtInterval(0.913, 873, 20);
    expect([low.toFixed(7), high.toFixed(7)]).toEqual(['0.9044024', '0.9211588']);
  });

  it('Shrout & Fleiss (1979), four judges of six targets: ICC(3,k), which is alpha, is 0.91 from 0.676 on', () => {
    const ratings = [
      [9, 2, 5, 8],
      [6, 1, 3, 2],
      [8, 4, 6, 8],
      [7, 1, 2, 6],
      [10, 5, 6, 9],
      [6, 2, 4, 7],
    ];
    const told = alpha(sumsOf(complete(ratings)))!;
    expect(told.value).toBeCloseTo(0.91, 2);
    expect(told.low).toBeCloseTo(0.676, 3);
  });

  it('Fisher’s z: a correlation of 0.5 among 28 lies between 0.156 and 0.736', () => {
    // atanh(0.5) ± 1.96 ÷ √25
    const told = correlation({ n: 28, x: 0, y: 0, xx: 28, yy: 28, xy: 14 })!;
    expect(told.value).toBeCloseTo(0.5, 12);
    expect(told.low).toBeCloseTo(Math.tanh(0.549306 - 0.391993), 5);
    expect(told.high).toBeCloseTo(Math.tanh(0.549306 + 0.391993), 5);
  });
});

describe('what can not be told', () => {
  it('a correlation where all have the same points, or with hardly anybody', () => {
    expect(pearson([1, 1, 1, 1, 1], [0.1, 0.2, 0.3, 0.2, 0.1])).toBeUndefined();
    expect(pearson([0.1 + 0.2, 0.3, 0.3, 0.3, 0.3], [1, 2, 3, 4, 5])).toBeUndefined();
    expect(pearson([1, 0, 1], [1, 2, 3])).toBeUndefined();
  });

  it('a reliability of one item, of two people, or where all have the same score', () => {
    const none = [
      complete(lsat.map((row) => row.slice(0, 1))),
      complete(lsat.slice(0, 2)),
      complete(Array.from({ length: 50 }, () => [1, 0, 1])),
    ];
    for (const people of none) {
      expect(alpha(sumsOf(people))).toBeUndefined();
      expect(reliabilityAsDrawn(sumsOf(people))).toBeUndefined();
    }
  });
});

describe('exams that are drawn', () => {
  /** Numbers that are the same each time: mulberry32. */
  let state = 1;
  const random = (): number => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  /** 10 of 30 items: ability has variance 1, what an answer adds by chance 4; items differ by what is given. */
  const spread = Array.from({ length: 30 }, (_, item) => (item - 14.5) / 8);
  const sitting = (differ: number): Answer[] => {
    const ability = normal();
    const items = spread.map((_, item) => item).toSorted(() => random() - 0.5);
    return items
      .slice(0, 10)
      .map((item) => ({ item, points: ability + differ * spread[item]! + 2 * normal() }));
  };
  const many = (people: number, differ: number) =>
    sumsOf(Array.from({ length: people }, () => sitting(differ)));

  it('have the alpha of the model, 10 ÷ (10 + 4), however much items differ; as drawn they are worse by the luck of the draw', () => {
    const [alike, apart] = [many(4_000, 0), many(4_000, 1.5)];
    expect(alpha(alike)!.value).toBeCloseTo(10 / 14, 1);
    expect(alpha(apart)!.value).toBeCloseTo(10 / 14, 1);
    expect(reliabilityAsDrawn(alike)!.value).toBeCloseTo(10 / 14, 1);
    expect(reliabilityAsDrawn(apart)!.value).toBeLessThan(alpha(apart)!.value - 0.05);
  });

  it('are told with intervals that hold the truth about as often as they say', () => {
    let held = 0;
    for (let turn = 0; turn < 200; turn += 1) {
      const told = alpha(many(150, 1.5))!;
      if (told.low <= 10 / 14 && told.high >= 10 / 14) held += 1;
    }
    expect(held / 200).toBeGreaterThan(0.9);
    expect(held / 200).toBeLessThan(0.99);
  });

  it('where all sit the same items, are what they are by either measure', () => {
    const sums = sumsOf(complete(lsat));
    expect(reliabilityAsDrawn(sums)!.value).toBeCloseTo(alpha(sums)!.value, 12);
  });
});
