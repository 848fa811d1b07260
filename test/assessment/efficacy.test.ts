import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dueWave, readAnswers } from '../../src/assessment/efficacy.ts';
import { addDays } from '../../src/clock.ts';
import type { Scale } from '../../src/courses/scale.ts';
import { findInDatabase } from '../support/search.ts';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';

const day = (text: string): Date => new Date(`${text}T04:00:00Z`);
const both = (zh: string) => ({ 'zh-CN': zh, en: zh });

describe('what is asked now', () => {
  const before = { completed: 0, attempts: 0, passedAt: undefined, now: day('2030-03-04') };

  it('is the time before, until a first activity is completed', () => {
    expect(dueWave(before)).toEqual({ wave: 'before', until: null });
    expect(dueWave({ ...before, completed: 1 })).toBeUndefined();
    expect(dueWave({ ...before, attempts: 1 })).toBeUndefined();
  });

  it('is each time after the pass, on the days that are its own', () => {
    const passedAt = day('2030-03-31');
    const asked = new Map<string, string[]>();
    for (let at = 0; at < 500; at += 1) {
      const today = addDays('2030-03-31', at);
      const due = dueWave({ completed: 6, attempts: 1, passedAt, now: day(today) });
      if (due !== undefined) asked.set(due.wave, [...(asked.get(due.wave) ?? []), today]);
    }
    expect([...asked].map(([wave, days]) => [wave, days[0], days.at(-1), days.length])).toEqual([
      ['after', '2030-03-31', '2030-05-30', 61],
      // Three months after 31 March is the last of June.
      ['month_3', '2030-06-23', '2030-08-29', 68],
      ['month_6', '2030-09-23', '2030-11-29', 68],
      ['month_12', '2031-03-24', '2031-05-30', 68],
    ]);
  });

  it('goes by the day in China', () => {
    // Half past midnight on 1 April there.
    const passedAt = new Date('2030-03-31T16:30:00Z');
    const due = (now: string) => dueWave({ completed: 6, attempts: 1, passedAt, now: new Date(now) });
    expect(due('2030-05-31T15:59:00Z')).toEqual({ wave: 'after', until: '2030-05-31' });
    expect(due('2030-05-31T16:00:00Z')).toBeUndefined();
  });
});

describe('answers', () => {
  const scale: Scale = {
    key: 's',
    version: 1,
    title: both('s'),
    introduction: both('s'),
    answers: ['1', '2', '3', '4', '5'].map(both),
    items: ['a', 'b', 'c', 'd'].map((key) => ({
      key,
      text: both(key),
      purpose: both(key),
      competency: 'c',
    })),
  };
  const given = (...answers: [string, number][]) => answers.map(([itemKey, answer]) => ({ itemKey, answer }));

  it('are kept in the order of the scale, however they come', () => {
    expect(readAnswers(scale, given(['d', 4], ['a', 1], ['c', 5], ['b', 2]))).toEqual([1, 2, 5, 4]);
  });

  it.each([
    ['of an item that is not asked', given(['x', 1]), /"x" is not an item/],
    ['given twice', given(['a', 1], ['a', 2]), /"a" is answered twice/],
    ['below the least', given(['a', 0]), /From 1 to 5/],
    ['above the most', given(['a', 6]), /From 1 to 5/],
    ['between two', given(['a', 1.5]), /From 1 to 5/],
    ['of some items alone', given(['a', 1], ['b', 2]), /2 of 4 items are not answered/],
    ['of none', [], /4 of 4 items/],
  ])('%s are refused', (_name, answers, why) => {
    expect(() => readAnswers(scale, answers)).toThrow(why);
  });
});

const STATE = `{ due { wave until declined } given { wave mean answers { itemKey answer } } }`;
const READ = `query ($id: ID!) { node(id: $id) { ... on Assignment { efficacy(language: zh_CN) { scale { title introduction version answers items { key text purpose } } due { wave until declined } given { wave mean answers { itemKey answer } } } } } }`;
const change = (name: 'answer' | 'decline' | 'withdraw'): string => {
  const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Efficacy`;
  return `mutation ($input: ${type}Input!) { ${name}Efficacy(input: $input) { __typename ... on ${type}Payload { efficacy ${STATE} } ... on Refusal { code message } ... on InvalidInput { path } } }`;
};

describe('the self-efficacy scale', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let keys: string[];

  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4']));
    keys = (await read(learners[0]!)).scale.items.map((item: { key: string }) => item.key);
  });
  afterAll(async () => service.stop());

  const read = async (learner: Learner, as = learner.key) =>
    (await service.ask(as, READ, { id: learner.assignmentId })).data.node?.efficacy;
  const all = (answer: number) => keys.map((itemKey) => ({ itemKey, answer }));
  const answer = async (
    learner: Learner,
    wave: string,
    answers: readonly unknown[] = all(3),
    as: string | null = learner.key,
  ) =>
    (
      await service.ask(as, change('answer'), {
        input: { assignmentId: learner.assignmentId, wave, answers },
      })
    ).data.answerEfficacy;
  const other = async (
    name: 'decline' | 'withdraw',
    learner: Learner,
    wave: string,
    as: string | null = learner.key,
  ) =>
    (await service.ask(as, change(name), { input: { assignmentId: learner.assignmentId, wave } })).data[
      `${name}Efficacy`
    ];
  const rows = async (): Promise<unknown[]> =>
    (
      await service.database.pool.query(
        'select assignment_id, wave, answers from efficacy_answers order by assignment_id, wave',
      )
    ).rows;
  const pass = async (learner: Learner): Promise<void> => {
    await finishActivities(service, learner);
    const { data } = await service.ask(learner.key, SUBMIT, {
      id: await sitExam(service, learner, { right: true }),
    });
    expect(data.submitAttempt.attempt.passed).toBe(true);
  };

  it('is offered before the lessons, with what each item is for and who sees the answers', async () => {
    const { scale, due, given } = await read(learners[0]!);
    expect(due).toEqual({ wave: 'BEFORE', until: null, declined: false });
    expect(given).toEqual([]);
    expect(scale.items.length).toBeGreaterThanOrEqual(8);
    expect(scale.answers).toHaveLength(5);
    expect(scale.introduction).toContain('只有您自己看得到');
    for (const item of scale.items) expect(item.purpose.length).toBeGreaterThan(10);
  });

  it.each([
    ['not all items', () => all(3).slice(1), /^input\.answers$/],
    ['an item that is not asked', () => [...all(3), { itemKey: 'made-up', answer: 3 }], /itemKey$/],
    ['an item twice', () => [...all(3), { itemKey: keys[0]!, answer: 3 }], /itemKey$/],
    ['an answer that there is not', () => all(6), /answers\.0\.answer$/],
  ])('refuses %s, and keeps nothing', async (_name, answers, path) => {
    const refused = await answer(learners[0]!, 'BEFORE', answers());
    expect(refused).toMatchObject({
      __typename: 'InvalidInput',
      path: expect.stringMatching(path),
    });
    expect(await rows()).toEqual([]);
  });

  it('is answered once, also when two pages answer at the same moment', async () => {
    const [learner] = learners;
    expect(await answer(learner!, 'AFTER')).toMatchObject({ code: 'EFFICACY_NOT_DUE' });
    const answers = await Promise.all(
      [1, 2, 3, 4].map(async (each) => answer(learner!, 'BEFORE', all(each))),
    );
    const kept = answers.filter((each) => each.__typename === 'AnswerEfficacyPayload');
    expect(kept).toHaveLength(1);
    expect(answers.filter((each) => each.code === 'ALREADY_ANSWERED')).toHaveLength(3);
    expect(kept[0].efficacy.due).toBeNull();
    expect((await read(learner!)).given).toEqual(kept[0].efficacy.given);
    expect(await answer(learner!, 'BEFORE', all(5))).toMatchObject({ code: 'ALREADY_ANSWERED' });
    expect(await other('decline', learner!, 'BEFORE')).toMatchObject({ code: 'ALREADY_ANSWERED' });
  });

  it('may be declined with one word, is then not offered, and blocks nothing', async () => {
    const learner = learners[1]!;
    expect((await other('decline', learner, 'BEFORE')).efficacy).toEqual({
      due: { wave: 'BEFORE', until: null, declined: true },
      given: [],
    });
    // Saying it again is no harm.
    expect((await other('decline', learner, 'BEFORE')).efficacy.due.declined).toBe(true);
    await pass(learner);
    expect(await answer(learner, 'BEFORE')).toMatchObject({ code: 'EFFICACY_NOT_DUE' });
    expect((await read(learner)).due).toEqual({ wave: 'AFTER', until: '2030-05-03', declined: false });
  });

  it('is not asked of the time before once a lesson is done', async () => {
    const learner = learners[2]!;
    await finishActivities(service, learner);
    expect((await read(learner)).due).toBeNull();
    for (const refused of [await answer(learner, 'BEFORE'), await other('decline', learner, 'BEFORE')])
      expect(refused).toMatchObject({ __typename: 'Conflict', code: 'EFFICACY_NOT_DUE' });
  });

  it('is asked again after the pass and months later, and shows the learner the change', async () => {
    const [learner] = learners;
    await pass(learner!);
    expect((await answer(learner!, 'AFTER', all(4))).efficacy.due).toBeNull();
    clock.move(100 * 24 * 60);
    expect((await read(learner!)).due).toMatchObject({ wave: 'MONTH_3' });
    const { efficacy } = await answer(
      learner!,
      'MONTH_3',
      all(5).map((each, at) => (at === 0 ? { ...each, answer: 1 } : each)),
    );
    expect(efficacy.given.map((each: { wave: string }) => each.wave)).toEqual(['BEFORE', 'AFTER', 'MONTH_3']);
    expect(efficacy.given[1].mean).toBe(4);
    expect(efficacy.given[2].answers[0]).toEqual({ itemKey: keys[0], answer: 1 });
    expect(efficacy.given[2].mean).toBeCloseTo(5 - 4 / keys.length);
  });

  it('is nobody else’s to see, answer, decline or take back: it looks as if it were not there', async () => {
    const [learner] = learners;
    const kept = await rows();
    const missing = { key: '', assignmentId: Buffer.from('Assignment:999999').toString('base64') };
    const NOT_FOUND = {
      __typename: 'NotFound',
      code: 'NOT_FOUND',
      message: 'The assignment was not found.',
    };
    for (const stranger of ['t2', 'coordinator', 'hr', 'issuer', 'operator'])
      for (const target of [learner!, missing]) {
        expect(await read(target, stranger)).toBeUndefined();
        expect(await answer(target, 'MONTH_3', all(1), stranger)).toEqual(NOT_FOUND);
        expect(await other('decline', target, 'MONTH_3', stranger)).toEqual(NOT_FOUND);
        expect(await other('withdraw', target, 'MONTH_3', stranger)).toEqual(NOT_FOUND);
      }
    expect((await answer(learner!, 'MONTH_3', all(1), null)).code).toBe('NOT_SIGNED_IN');
    expect(await rows()).toEqual(kept);
  });

  it('writes nothing of it into the journal or any other table', async () => {
    const { rows: entries } = await service.database.pool.query(
      `select action from journal_entries where action ~ 'efficacy' or detail::text ~ 'efficacy|month_3|confidence'`,
    );
    expect(entries).toEqual([]);
    expect(await findInDatabase(service.database.pool, 'month_3')).toEqual(['public.efficacy_answers.wave']);
  });

  it('may be taken back at any time, by which the answers are gone', async () => {
    const [learner] = learners;
    clock.move(400 * 24 * 60);
    const { efficacy } = await other('withdraw', learner!, 'AFTER');
    expect(efficacy.given.map((each: { wave: string }) => each.wave)).toEqual(['BEFORE', 'MONTH_3']);
    const { rows: left } = await service.database.pool.query(
      `select answers from efficacy_answers where wave = 'after' and answers is not null`,
    );
    expect(left).toEqual([]);
    // Again, or where nothing was answered, changes nothing.
    const kept = await rows();
    expect((await other('withdraw', learner!, 'AFTER')).__typename).toBe('WithdrawEfficacyPayload');
    expect((await other('withdraw', learner!, 'MONTH_6')).__typename).toBe('WithdrawEfficacyPayload');
    expect(await rows()).toEqual(kept);
    // It is long over: what was taken back is not asked again.
    expect(await answer(learner!, 'AFTER')).toMatchObject({ code: 'EFFICACY_NOT_DUE' });
  });

  it('compares no answers of another version of the scale', async () => {
    const [learner] = learners;
    await service.database.pool.query(`update efficacy_answers set scale_version = 2 where wave = 'before'`);
    const { given } = await read(learner!);
    expect(given.map((each: { wave: string }) => each.wave)).toEqual(['MONTH_3']);
  });

  it('is not there for a course that has none', async () => {
    const learner = learners[3]!;
    await service.database.pool.query('update course_versions set scale = null');
    expect(await read(learner)).toBeNull();
    expect(await answer(learner, 'BEFORE')).toMatchObject({ code: 'NOT_FOUND' });
  });
});
