import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '../../src/commands/sample/random.ts';
import {
  countedOf,
  effectOf,
  FEWEST_ANSWERING,
  isHidden,
  told,
  type AnsweringUnit,
} from '../../src/coverage/efficacy-change.ts';
import {
  assignTeachers,
  importRoster,
  smallRoster,
  startService,
  TestClock,
  type TestService,
} from '../support/service.ts';

describe('the standardized change', () => {
  /*
   * Five training studies of Carlson and Schmidt (1999), as Morris (2008) tells them; sizes and variances of the standardized mean change
   * with raw-score standardization as published at https://www.metafor-project.org/doku.php/analyses:morris2008.
   */
  it.each([
    [30.6, 38.5, 15.0, 20, 0.47, 0.5056, 0.0594],
    [23.5, 26.8, 3.1, 50, 0.64, 1.0481, 0.0254],
    [0.5, 0.7, 0.1, 9, 0.77, 1.8054, 0.2322],
    [53.4, 75.9, 14.5, 10, 0.89, 1.4181, 0.1225],
    [35.6, 36.0, 4.7, 14, 0.44, 0.0801, 0.0802],
  ])(
    'from %d to %d is as published',
    (meanBefore, meanAfter, sdBefore, people, correlation, size, variance) => {
      const effect = effectOf({ people, meanBefore, meanAfter, sdBefore, correlation })!;
      expect(effect.size).toBeCloseTo(size, 4);
      expect(((effect.high - effect.low) / 2 / 1.96) ** 2).toBeCloseTo(variance, 4);
      expect((effect.high + effect.low) / 2).toBeCloseTo(effect.size, 10);
    },
  );

  it('is smaller than nothing where people feel less sure, and nothing where nobody differed before', () => {
    const pairs = { people: 20, meanBefore: 3, meanAfter: 2.5, sdBefore: 0.5, correlation: 0.5 };
    expect(effectOf(pairs)!.size).toBeLessThan(-0.9);
    expect(effectOf({ ...pairs, sdBefore: 0 })).toBeUndefined();
    expect(effectOf({ ...pairs, correlation: null })).toBeUndefined();
  });

  it('keeps its correction for groups of any size', () => {
    const size = (people: number): number =>
      effectOf({ people, meanBefore: 0, meanAfter: 1, sdBefore: 1, correlation: 0 })!.size;
    // Hedges' approximation, 1 − 3 / (4m − 1).
    for (const people of [5, 10, 31, 1_000, 200_001])
      expect(size(people)).toBeCloseTo(1 - 3 / (4 * (people - 1) - 1), people < 10 ? 2 : 3);
  });
});

describe('a group', () => {
  it('grows by whole steps, so that nobody is told apart by coming or going', () => {
    expect([10, 11, 14, 15, 19, 20].map(countedOf)).toEqual([10, 10, 10, 15, 15, 20]);
  });

  const tree = (...schools: number[]): AnsweringUnit[] => [
    { key: '43', above: null, people: schools.reduce((sum, people) => sum + people, 0) },
    ...schools.map((people, at) => ({ key: `-${at + 1}`, above: '43', people })),
  ];
  const hiddenIn = (...schools: number[]): boolean[] =>
    tree(...schools).map(({ key }) => isHidden(tree(...schools), key));

  it('is told from ten people on', () => {
    expect(hiddenIn(10)).toEqual([false, false]);
    expect(hiddenIn(9)).toEqual([true, true]);
    expect(isHidden(tree(30), '-99')).toBe(true);
  });

  it('is not told where it would tell of the few who are left', () => {
    expect(hiddenIn(30, 12, 4)).toEqual([false, false, true, true]);
    expect(hiddenIn(30, 9, 3)).toEqual([false, false, true, true]);
    // What is not told above is not told below.
    const [county, ...schools] = tree(30, 12);
    const units = [
      { key: 'p', above: null, people: 50 },
      { ...county!, above: 'p' },
      { key: 'q', above: 'p', people: 8 },
      ...schools,
    ];
    expect(units.map(({ key }) => isHidden(units, key))).toEqual([false, true, true, true, true]);
  });

  it('leaves no remainder of a few, whatever the numbers', () => {
    const random = new Random(7);
    let hiddenSomething = 0;
    for (let round = 0; round < 1_000; round += 1) {
      const schools = Array.from({ length: random.between(1, 8) }, () => random.between(0, 25));
      const [above, ...hidden] = hiddenIn(...schools);
      if (above === true) continue;
      const left = schools.filter((_people, at) => hidden[at]).reduce((sum, people) => sum + people, 0);
      if (left > 0) hiddenSomething += 1;
      expect({ schools, safe: left === 0 || left >= FEWEST_ANSWERING }).toEqual({ schools, safe: true });
    }
    expect(hiddenSomething).toBeGreaterThan(300);
  });

  it('is told to one decimal', () => {
    expect([3.14159, -0.04, -0.25, 2.95].map(told)).toEqual([3.1, 0, -0.2, 3]);
    expect(Object.is(told(-0.01), 0)).toBe(true);
  });
});

const READ = `query ($certificationId: ID!, $unitId: ID!, $from: EfficacyWave, $to: EfficacyWave) { efficacyChange(certificationId: $certificationId, unitId: $unitId, from: $from, to: $to) {
  certification { code } unit { ... on Organization { name } ... on Division { code } } from to scale { version }
  numbers { people meanBefore meanAfter meanChange effect { size low high } } } }`;

describe('the change of a unit', () => {
  let service: TestService;
  let certificationId: string;
  let unitId: string;
  let schools: string[];

  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  /** So many more class teachers of a school, with the same answer to every item before and after. */
  const answer = async (
    school: string,
    pairs: readonly (readonly [before: number | null, after: number | null])[],
    more: { at?: string; version?: number } = {},
  ): Promise<void> => {
    for (const [before, after] of pairs) {
      const [made] = await query(
        `with p as (insert into people (name) values ('王小某') returning id), h as (
           insert into posts (person_id, organization_id, role, starts_on) select id, $1, 'class_teacher', '2024-09-01' from p)
         insert into assignments (certification_id, person_id, cohort_id, created_at) select $2, p.id, (select min(id) from cohorts), now() from p returning id`,
        [school, local(certificationId)],
      );
      for (const [wave, given] of [
        ['before', before],
        ['after', after],
      ] as const)
        if (given !== null)
          await query(
            `insert into efficacy_answers (assignment_id, wave, scale_key, scale_version, answers, given_at) values ($1, $2, 'gatekeeper-confidence', $3, $4, $5)`,
            [
              made!['id'],
              wave,
              more.version ?? 1,
              Array.from({ length: 10 }, () => given),
              more.at ?? '2030-03-01T00:00:00Z',
            ],
          );
    }
  };
  const local = (id: string): string => Buffer.from(id, 'base64').toString().split(':')[1]!;
  const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');
  const read = async (unit = unitId, as: string | null = 'coordinator', more: object = {}) =>
    service.ask(as, READ, { certificationId, unitId: unit, from: 'BEFORE', to: 'AFTER', ...more });
  const numbers = async (unit = unitId, as = 'coordinator') =>
    (await read(unit, as)).data.efficacyChange.numbers;
  const school = (at: number): string => gid('Organization', schools[at]!);

  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2030-03-04T04:00:00Z') });
    ({ certificationId, unitId } = await assignTeachers(service, ['t1']));
    await importRoster(service, smallRoster([{ id: 'x1', family: '李', given: '一', orgs: 's2' }]));
    schools = (
      await query(`select id from organizations where source_id in ('s1', 's2') order by source_id`)
    ).map((row) => row['id']!);
  });
  afterAll(async () => service.stop());

  it('is told of ten people who answered both times, and of nobody less', async () => {
    await answer(schools[0]!, [
      [2, 3],
      [2, 4],
      [3, 4],
      [3, 3],
      [4, 5],
      [2, 3],
      [3, 5],
      [1, 3],
      [3, 4],
    ]);
    // Not who answered once, declined, or answered another version.
    await answer(schools[0]!, [
      [5, null],
      [null, 5],
    ]);
    await answer(schools[0]!, [[5, 5]], { version: 2 });
    expect(await numbers()).toBeNull();
    await answer(schools[0]!, [[2, 4]]);
    expect((await read()).data.efficacyChange).toEqual({
      certification: { code: expect.any(String) },
      unit: { code: '430121' },
      from: 'BEFORE',
      to: 'AFTER',
      scale: { version: 1 },
      // By hand: means 2.5 and 3.8, SD before 0.85, correlation 0.66.
      numbers: {
        people: 10,
        meanBefore: 2.5,
        meanAfter: 3.8,
        meanChange: 1.3,
        effect: { size: 1.4, low: 0.6, high: 2.2 },
      },
    });
    expect(await numbers(school(0))).toEqual(await numbers());
  });

  it('waits for five more, and takes those who came first', async () => {
    const before = await numbers();
    await answer(
      schools[0]!,
      [
        [1, 1],
        [1, 1],
        [1, 1],
        [1, 1],
      ],
      { at: '2030-03-02T00:00:00Z' },
    );
    expect(await numbers()).toEqual(before);
    await answer(schools[0]!, [[1, 1]], { at: '2030-03-02T00:00:00Z' });
    expect(await numbers()).toMatchObject({ people: 15, meanBefore: 2, meanAfter: 2.9, meanChange: 0.9 });
  });

  it('is not told of a school beside one where few answered, since theirs would follow', async () => {
    await answer(
      schools[1]!,
      [
        [5, 5],
        [5, 5],
        [5, 5],
      ],
      { at: '2030-03-03T00:00:00Z' },
    );
    expect(await numbers()).toMatchObject({ people: 15 });
    expect(await numbers(school(0))).toBeNull();
    expect(await numbers(school(1))).toBeNull();
    await answer(
      schools[1]!,
      Array.from({ length: 7 }, () => [5, 5] as const),
      { at: '2030-03-03T00:00:00Z' },
    );
    expect(await numbers(school(0))).toMatchObject({ people: 15 });
    // Nobody there differs: there is nothing to measure by.
    expect(await numbers(school(1))).toEqual({
      people: 10,
      meanBefore: 5,
      meanAfter: 5,
      meanChange: 0,
      effect: null,
    });
  });

  it('is of those who hold a role there today, and each is one wherever else they work', async () => {
    await query(
      `insert into posts (person_id, organization_id, role, starts_on)
       select person_id, $2, 'class_teacher', '2029-09-01' from posts where organization_id = $1 and person_id in (select person_id from assignments a join efficacy_answers e on e.assignment_id = a.id)`,
      [schools[1], schools[0]],
    );
    expect(await numbers()).toMatchObject({ people: 25 });
    await query(`update posts set ends_on = '2030-03-03' where starts_on = '2029-09-01'`);
    expect(await numbers(school(0))).toMatchObject({ people: 15 });
  });

  it('is told to who may see numbers there, and is not there for others', async () => {
    await query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'auditor', '430121', '2020-01-01', 'test' from sample_sign_ins where key = 'hr'`,
    );
    expect(await numbers(unitId, 'hr')).toEqual(await numbers());
    for (const as of ['t1', 'sample:staff:x1'])
      expect((await read(unitId, as)).data.efficacyChange).toBeNull();
    expect((await read(gid('Division', '430000'))).data.efficacyChange).toBeNull();
    expect((await read(gid('Organization', '99999'))).data.efficacyChange).toBeNull();
    expect(
      (await read(unitId, 'coordinator', { certificationId: gid('Certification', '99999') })).data
        .efficacyChange,
    ).toBeNull();
    expect((await read(unitId, null)).errors?.[0]?.extensions?.code).toBe('NOT_SIGNED_IN');
  });

  it('goes from an earlier time to a later one', async () => {
    for (const [from, to] of [
      ['AFTER', 'BEFORE'],
      ['AFTER', 'AFTER'],
    ])
      expect((await read(unitId, 'coordinator', { from, to })).errors?.[0]?.extensions?.code).toBe(
        'INVALID_INPUT',
      );
    expect(
      (await read(unitId, 'coordinator', { from: 'AFTER', to: 'MONTH_12' })).data.efficacyChange.numbers,
    ).toBeNull();
  });
});
