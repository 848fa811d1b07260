import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findFaults } from '../../src/assessment/analysis.ts';
import { feldtInterval } from '../../src/assessment/psychometrics.ts';
import { startService, type TestService } from '../support/service.ts';
import { insertBank, insertSittings, singleItem, type Answers, type Sitting } from '../support/sittings.ts';
import { lsat, published } from './lsat.ts';

const ANALYSIS = `query ($slug: String!, $version: String, $across: Boolean! = false, $misbehaving: Boolean! = false, $first: Int = 20, $after: String) {
  itemAnalysis(courseSlug: $slug, version: $version, acrossVersions: $across) {
    course { slug version } acrossVersions attempts enough
    alpha { value low high } reliabilityAsDrawn { value }
    items(first: $first, after: $after, misbehaving: $misbehaving) { pageInfo { hasNextPage endCursor } nodes {
      key competency difficulty answers enough exposure facility discrimination { value low high } unanswered high low
      options { key isRight chosen chosenHigh chosenLow } faults { code option } } } } }`;

/** Right is a, of one point; anything else none. */
const answer = (chosen: string) => ({
  chosen: chosen === '' ? [] : [chosen],
  points: chosen === 'a' ? 1 : 0,
});
const answers = (given: Readonly<Record<string, string>>): Answers =>
  Object.fromEntries(Object.entries(given).map(([key, chosen]) => [key, answer(chosen)]));
const times = <T>(count: number, make: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => make(at));

describe('item analysis', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
    await service.database.pool.query(
      `insert into role_grants (person_id, role, starts_on, reason, division_code)
       select person_id, 'author', '2020-01-01', 'test', case key when 'issuer' then '430121' end from sample_sign_ins where key in ('auditor', 'issuer')`,
    );
  });
  afterAll(async () => service.stop());

  const author = 'auditor';
  const bank = async (slug: string, keys: readonly string[], version = '1.0.0'): Promise<void> =>
    insertBank(
      service.database.pool,
      slug,
      version,
      keys.map((key) => singleItem(key)),
    );
  const sit = async (slug: string, sittings: readonly Sitting[], version = '1.0.0'): Promise<void> =>
    insertSittings(service.database.pool, slug, version, sittings);
  const analyze = async (
    slug: string,
    more: Readonly<Record<string, unknown>> = {},
    as: string | null = author,
  ) => (await service.ask(as, ANALYSIS, { slug, ...more })).data.itemAnalysis;
  // Of answers that a test reads as it expects them.
  // oxlint-disable-next-line typescript/no-explicit-any
  const nodesOf = (analysis: any): any[] => analysis.items.nodes;
  // oxlint-disable-next-line typescript/no-explicit-any
  const itemOf = (analysis: any, key: string): any => nodesOf(analysis).find((node) => node.key === key);

  it('gives LSAT section VI the numbers that were published of it', async () => {
    await bank('lsat', ['q1', 'q2', 'q3', 'q4', 'q5']);
    await sit(
      'lsat',
      lsat.map((row) => ({
        answers: answers(Object.fromEntries(row.map((right, at) => [`q${at + 1}`, right === 1 ? 'a' : 'b']))),
      })),
    );
    const analysis = await analyze('lsat');
    expect(analysis).toMatchObject({
      course: { slug: 'lsat', version: '1.0.0' },
      attempts: 1_000,
      enough: true,
    });
    const nodes = nodesOf(analysis);
    expect(nodes.map((node) => Number(node.facility.toFixed(4)))).toEqual(published.facility);
    expect(nodes.map((node) => Number(node.discrimination.value.toFixed(4)))).toEqual(
      published.discrimination,
    );
    expect(analysis.alpha.value).toBeCloseTo(published.alpha, 4);
    const { low, high } = feldtInterval(analysis.alpha.value, 1_000, 5);
    expect(analysis.alpha.low).toBeCloseTo(low, 12);
    expect(analysis.alpha.high).toBeCloseTo(high, 12);
    expect(analysis.reliabilityAsDrawn.value).toBeCloseTo(analysis.alpha.value, 9);
    expect(nodes[0]).toMatchObject({
      exposure: 1,
      unanswered: 0,
      options: [
        { key: 'a', isRight: true, chosen: 924 },
        { key: 'b', isRight: false, chosen: 76 },
        { key: 'c', isRight: false, chosen: 0 },
        { key: 'd', isRight: false, chosen: 0 },
      ],
    });
  });

  it('agrees with the definitions, told one by one, where each attempt draws its own items and earns parts of points', async () => {
    const keys = times(12, (at) => `p${String(at).padStart(2, '0')}`);
    let state = 7;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const rows = times(90, () => {
      const ability = random();
      const drawn = keys.toSorted(() => random() - 0.5).slice(0, 5);
      return new Map(
        drawn.map((key) => [key, Math.round(3 * Math.min(1, ability * 0.6 + random() * 0.6)) / 3]),
      );
    });
    await bank('drawn', keys);
    await sit(
      'drawn',
      rows.map((row) => ({
        answers: Object.fromEntries([...row].map(([key, points]) => [key, { chosen: ['b'], points }])),
      })),
    );
    const analysis = await analyze('drawn');
    const mean = (values: readonly number[]): number =>
      values.reduce((sum, value) => sum + value, 0) / values.length;
    const meanOf = new Map(
      keys.map((key) => [key, mean(rows.flatMap((row) => (row.has(key) ? [row.get(key)!] : [])))]),
    );
    const off = (row: ReadonlyMap<string, number>, key: string): number => row.get(key)! - meanOf.get(key)!;
    for (const key of keys) {
      const who = rows.filter((row) => row.has(key));
      const x = who.map((row) => row.get(key)!);
      const y = who.map((row) =>
        mean([...row.keys()].filter((each) => each !== key).map((each) => off(row, each))),
      );
      const [mx, my] = [mean(x), mean(y)];
      const products = mean(x.map((each, at) => (each - mx) * (y[at]! - my)));
      const r =
        products /
        Math.sqrt(mean(x.map((each) => (each - mx) ** 2)) * mean(y.map((each) => (each - my) ** 2)));
      const told = itemOf(analysis, key);
      expect(told.answers).toBe(who.length);
      expect(told.exposure).toBeCloseTo(who.length / 90, 12);
      expect(told.enough).toBe(who.length >= 30);
      expect(told.facility ?? mx).toBeCloseTo(mx, 9);
      expect(told.discrimination?.value ?? r).toBeCloseTo(r, 9);
    }
    expect(nodesOf(analysis).filter(({ enough }) => enough as boolean).length).toBeGreaterThan(6);
    const variances = rows.flatMap((row) => [...row.keys()].map((key) => off(row, key) ** 2));
    const covariances = rows.flatMap((row) =>
      [...row.keys()].flatMap((one) =>
        [...row.keys()].filter((other) => other !== one).map((other) => off(row, one) * off(row, other)),
      ),
    );
    const [v, c] = [mean(variances), mean(covariances)];
    expect(analysis.alpha.value).toBeCloseTo((5 * c) / (v + 4 * c), 9);
    const scores = rows.map((row) => mean([...row.values()]));
    expect(analysis.reliabilityAsDrawn.value).toBeCloseTo(
      c / mean(scores.map((score) => (score - mean(scores)) ** 2)),
      9,
    );
  });

  it('lets questions of one vignette not speak for each other', async () => {
    const of = (key: string) => singleItem(key, { vignette: { key: 'v', story: { 'zh-CN': '', en: '' } } });
    await insertBank(service.database.pool, 'vignette', '1.0.0', [
      of('v1'),
      of('v2'),
      singleItem('q1'),
      singleItem('q2'),
      singleItem('spare', { use: 'practice' }),
    ]);
    // Who gets one question of the vignette gets the other, and that says nothing of the rest.
    await sit(
      'vignette',
      times(40, (at) => {
        const [story, rest] = [at % 2 === 0 ? 'a' : 'b', at % 4 < 2 ? 'a' : 'b'];
        return { answers: answers({ v1: story, v2: story, q1: rest, q2: rest }) };
      }),
    );
    const analysis = await analyze('vignette');
    expect(nodesOf(analysis).map((node) => node.key)).toEqual(['q1', 'q2', 'v1', 'v2']);
    expect(itemOf(analysis, 'v1').discrimination.value).toBeCloseTo(0, 9);
    // Of three others one goes with it and two do not: the covariances 1, 0 and 0 of the variances 1 and 5 × ½.
    expect(itemOf(analysis, 'q1').discrimination.value).toBeCloseTo(1 / Math.sqrt(5), 9);
    // Of the five pairs that stand for themselves one goes together: 4 × ⅕ ÷ (1 + 3 × ⅕).
    expect(analysis.alpha.value).toBeCloseTo(0.5, 9);
  });

  it('tells no number before 30 attempts, and says how far it is', async () => {
    await bank('few', ['q1', 'q2', 'q3']);
    await sit(
      'few',
      times(25, (at) => ({ answers: answers({ q1: 'a', q2: at % 2 === 0 ? 'a' : 'b' }) })),
    );
    const nothing = {
      enough: false,
      facility: null,
      discrimination: null,
      unanswered: null,
      high: null,
      low: null,
      options: null,
      faults: [],
    };
    const before = await analyze('few');
    expect(before).toMatchObject({ attempts: 25, enough: false, alpha: null, reliabilityAsDrawn: null });
    expect(itemOf(before, 'q1')).toMatchObject({ answers: 25, exposure: null, ...nothing });
    // Another five do not draw q2.
    await sit(
      'few',
      times(5, (at) => ({ answers: answers({ q1: 'a', q3: at === 0 ? 'a' : 'b' }) })),
    );
    const after = await analyze('few');
    expect(after).toMatchObject({ attempts: 30, enough: true });
    expect(itemOf(after, 'q1')).toMatchObject({ answers: 30, enough: true, exposure: 1, facility: 1 });
    expect(itemOf(after, 'q1').discrimination).toBeNull();
    expect(itemOf(after, 'q2')).toMatchObject({ answers: 25, exposure: 25 / 30, ...nothing });
    expect(itemOf(after, 'q3')).toMatchObject({ answers: 5, exposure: 5 / 30, ...nothing });
  });

  it('counts no resit, nothing open and nothing blank; what was left open in an attempt counts as no points', async () => {
    await bank('first', ['q1', 'q2']);
    const wrong = answers({ q1: 'b', q2: 'b' });
    await sit('first', [
      ...times(30, (at) => ({ answers: answers({ q1: 'a', q2: at < 6 ? '' : 'a' }) })),
      ...times(10, () => ({ answers: wrong, number: 2 })),
      ...times(10, () => ({ answers: wrong, open: true })),
      ...times(10, () => ({ answers: answers({ q1: '', q2: '' }) })),
    ]);
    const analysis = await analyze('first');
    expect(analysis.attempts).toBe(30);
    expect(itemOf(analysis, 'q1')).toMatchObject({ facility: 1, unanswered: 0 });
    expect(itemOf(analysis, 'q2')).toMatchObject({ facility: 0.8, unanswered: 6 });
  });

  it('changes by five attempts at once, so that no one’s answers show in a change', async () => {
    await bank('fives', ['q1', 'q2']);
    await sit(
      'fives',
      times(30, (at) => ({
        answers: answers({ q1: at % 2 === 0 ? 'a' : 'b', q2: at % 3 === 0 ? 'a' : 'c' }),
      })),
    );
    const before = await analyze('fives');
    for (let added = 1; added <= 4; added += 1) {
      await sit('fives', [{ answers: answers({ q1: 'd', q2: 'd' }) }]);
      expect(await analyze('fives')).toEqual(before);
    }
    await sit('fives', [{ answers: answers({ q1: 'd', q2: 'd' }) }]);
    const after = await analyze('fives');
    expect(after.attempts).toBe(35);
    expect(itemOf(after, 'q1').options[3]).toMatchObject({ key: 'd', chosen: 5 });
  });

  it('counts other versions in where asked, for items that are letter for letter the same', async () => {
    const given = answers({ q1: 'a', q2: 'b' });
    await bank('grown', ['q1', 'q2']);
    await sit(
      'grown',
      times(30, () => ({ answers: given })),
    );
    await insertBank(service.database.pool, 'grown', '1.1.0', [
      singleItem('q1'),
      singleItem('q2', { stem: { 'zh-CN': '改过', en: 'changed' } }),
    ]);
    await sit(
      'grown',
      times(30, () => ({ answers: given })),
      '1.1.0',
    );
    const alone = await analyze('grown');
    expect(alone).toMatchObject({ course: { version: '1.1.0' }, acrossVersions: false, attempts: 30 });
    expect(nodesOf(alone).map((node) => node.answers)).toEqual([30, 30]);
    const across = await analyze('grown', { across: true });
    expect(across).toMatchObject({ acrossVersions: true, attempts: 60 });
    expect(nodesOf(across).map((node) => [node.key, node.answers])).toEqual([
      ['q1', 60],
      ['q2', 30],
    ]);
    expect(await analyze('grown', { version: '1.0.0' })).toMatchObject({
      course: { version: '1.0.0' },
      attempts: 30,
    });
  });

  it('lists what misbehaves, with the reasons, page by page', async () => {
    await bank('faulty', ['broken', 'easy', 'good', 'hard', 'like', 'same']);
    // Who is strong gets "good" right and is drawn to d in "broken"; the weak find a there.
    await sit(
      'faulty',
      times(40, (at) => {
        const strong = at < 20;
        return {
          answers: answers({
            broken: strong ? 'd' : 'a',
            easy: 'a',
            ...Object.fromEntries(
              ['good', 'like', 'same'].map((key) => [key, strong ? 'a' : ['b', 'c', 'd'][at % 3]!]),
            ),
            hard: at === 0 ? 'a' : ['b', 'c', 'd'][at % 3]!,
          }),
        };
      }),
    );
    const analysis = await analyze('faulty', { misbehaving: true });
    const faults = Object.fromEntries(
      nodesOf(analysis).map((node) => [
        node.key,
        (node.faults as { code: string; option: string | null }[]).map(({ code, option }) =>
          option === null ? code : `${code} ${option}`,
        ),
      ]),
    );
    expect(faults['broken']).toEqual([
      'NEGATIVE_DISCRIMINATION',
      'DISTRACTOR_UNUSED b',
      'DISTRACTOR_UNUSED c',
      'DISTRACTOR_BEATS_KEY d',
    ]);
    expect(faults['easy']).toEqual([
      'TOO_EASY',
      'DISTRACTOR_UNUSED b',
      'DISTRACTOR_UNUSED c',
      'DISTRACTOR_UNUSED d',
    ]);
    expect(faults['hard']).toContain('TOO_HARD');
    expect(Object.keys(faults)).toEqual(['broken', 'easy', 'hard']);
    expect(itemOf(await analyze('faulty'), 'good').faults).toEqual([]);
    const first = await analyze('faulty', { first: 2 });
    expect(nodesOf(first).map(({ key }) => key)).toEqual(['broken', 'easy']);
    const second = await analyze('faulty', { first: 2, after: first.items.pageInfo.endCursor });
    expect(nodesOf(second).map(({ key }) => key)).toEqual(['good', 'hard']);
    expect(second.items.pageInfo.hasNextPage).toBe(true);
    const { errors } = await service.ask(author, ANALYSIS, { slug: 'faulty', after: 'nowhere' });
    expect(errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
  });

  it('is for authors of the nation: others are told the same as of a course that is not there', async () => {
    const none = await service.ask(author, ANALYSIS, { slug: 'nowhere' });
    expect(none).toEqual({ data: { itemAnalysis: null } });
    expect(await service.ask(author, ANALYSIS, { slug: 'lsat', version: '9.9.9' })).toEqual(none);
    // The issuer is an author of the county.
    for (const as of ['coordinator', 'operator', 'issuer'])
      expect(await service.ask(as, ANALYSIS, { slug: 'lsat' })).toEqual(none);
    const nobody = await service.ask(null, ANALYSIS, { slug: 'lsat' });
    expect(nobody.errors?.[0]?.extensions?.code).toBe('NOT_SIGNED_IN');
  });
});

describe('an item misbehaves', () => {
  const option = (key: string, chosen: number, chosenHigh: number) => ({
    key,
    isRight: key === 'a' || key === 'b',
    chosen,
    chosenHigh,
    chosenLow: 0,
  });
  const fine = {
    answers: 200,
    facility: 0.6,
    discrimination: { value: 0.3, low: 0.2, high: 0.4 },
    options: [option('a', 100, 40), option('b', 60, 20), option('c', 40, 20)],
  };
  const codes = (of: Parameters<typeof findFaults>[0]): string[] => findFaults(of).map(({ code }) => code);

  it('not while it is within the limits, the limits included', () => {
    expect(codes(fine)).toEqual([]);
    expect(codes({ ...fine, facility: 0.95 })).toEqual([]);
    expect(codes({ ...fine, facility: 0.25 })).toEqual([]);
    expect(codes({ ...fine, discrimination: { value: 0.1, low: 0, high: 0.2 } })).toEqual([]);
    expect(codes({ ...fine, discrimination: undefined, options: [] })).toEqual([]);
    expect(codes({ ...fine, options: [...fine.options, option('d', 2, 0)] })).toEqual([]);
  });

  it('beyond them', () => {
    expect(codes({ ...fine, facility: 0.951 })).toEqual(['TOO_EASY']);
    expect(codes({ ...fine, facility: 0.249 })).toEqual(['TOO_HARD']);
    const weak = { value: 0.099, low: 0, high: 0.2 };
    expect(codes({ ...fine, discrimination: weak })).toEqual(['WEAK_DISCRIMINATION']);
    const wrong = { value: -0.01, low: -0.1, high: 0.1 };
    expect(codes({ ...fine, discrimination: wrong })).toEqual(['NEGATIVE_DISCRIMINATION']);
    expect(findFaults({ ...fine, options: [...fine.options, option('d', 1, 0)] })).toEqual([
      { code: 'DISTRACTOR_UNUSED', option: 'd' },
    ]);
    // More than chose b, the right one that they found less.
    expect(findFaults({ ...fine, options: [...fine.options, option('d', 40, 21)] })).toEqual([
      { code: 'DISTRACTOR_BEATS_KEY', option: 'd' },
    ]);
  });
});
