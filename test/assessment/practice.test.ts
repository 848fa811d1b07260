import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  drawThese,
  finishActivities,
  itemBodies,
  rightAnswer,
  sitExam,
  START,
  startService,
  SUBMIT,
  TestClock,
  wrongAnswer,
  type ItemBody,
  type Learner,
  type TestService,
} from '../support/service.ts';

const RESULT = `query ($id: ID!, $round: Int!) { node(id: $id) { ... on Attempt { state percent passed mustPassMissed
  items { key kind points correct mustPass rationale rightOrder rightNumber tolerance options { key isRight rightTarget rationale } }
  competencies(language: en) { key title items percent isWeak }
  notice: practice(competency: "notice-signs", round: $round) { ...Practised } listen: practice(competency: "listen-and-refer", round: $round) { ...Practised } } } }
  fragment Practised on AttemptItem { key competency points correct options { key isRight rationale } }`;
const CHECK = `mutation ($input: CheckPracticeInput!) { checkPractice(input: $input) { __typename
  ... on CheckPracticePayload { item { key chosen points correct options { key isRight rationale } } } ... on Refusal { code message } } }`;

describe('after an attempt', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let bodies: Map<string, ItemBody>;
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3']));
    for (const learner of learners) await finishActivities(service, learner);
    bodies = await itemBodies(service);
  });
  afterAll(async () => service.stop());

  const sit = async (learner: Learner, right: boolean | ((item: ItemBody) => boolean)): Promise<string> => {
    const id = await sitExam(service, learner, { right });
    await service.ask(learner.key, SUBMIT, { id });
    return id;
  };
  const resultOf = async (learner: Learner, id: string, round = 0) =>
    (await service.ask(learner.key, RESULT, { id, round })).data.node;
  const check = async (as: string, attemptId: string, itemKey: string, chosen: string[]) =>
    (await service.ask(as, CHECK, { input: { attemptId, itemKey, chosen } })).data.checkPractice;

  it('a must-pass item that was missed fails it whatever the rest, and the shortfall says so', async () => {
    const [learner] = learners;
    const id = await sit(learner!, (item) => !(item.mustPass && item.competency === 'notice-signs'));
    const result = await resultOf(learner!, id);
    expect(result).toMatchObject({ state: 'GRADED', percent: 92.85, passed: false, mustPassMissed: 1 });
    const missed = result.items.filter((item: { correct: boolean }) => !item.correct);
    expect(missed).toMatchObject([{ mustPass: true }]);
    const { data } = await service.ask(
      learner!.key,
      'query ($id: ID!) { node(id: $id) { ... on Assignment { state shortfalls(language: en) { code text } } } }',
      { id: learner!.assignmentId },
    );
    expect(data.node.shortfalls).toEqual([
      {
        code: 'EXAM_NOT_PASSED',
        text: 'Best exam result 92.85%, which is enough; but a must-pass question (safety, protection of data) was missed, so sit it once more',
      },
    ]);
    expect((await service.database.pool.query('select count(*)::int as n from certificates')).rows).toEqual([
      { n: 0 },
    ]);
  });

  it('offers a few items of each weak competency and none of a strong one', async () => {
    const [learner] = learners;
    const { rows } = await service.database.pool.query('select id from attempts order by id limit 1');
    const id = Buffer.from(`Attempt:${rows[0].id as string}`).toString('base64');
    const result = await resultOf(learner!, id);
    const [notice, listen] = result.competencies;
    expect(notice).toMatchObject({ key: 'notice-signs', items: 5, percent: 80, isWeak: true });
    expect(listen).toMatchObject({
      key: 'listen-and-refer',
      items: 5,
      percent: 100,
      isWeak: false,
    });
    expect(result.listen).toEqual([]);
    const keys = result.notice.map((item: { key: string }) => item.key) as string[];
    expect(keys.toSorted()).toEqual(['pr-cheerful', 'pr-hoodie', 'pr-sign-places']);
    expect(JSON.stringify(result.notice)).not.toMatch(
      /"isRight":(true|false)|"rationale":"|"correct":(true|false)|"points":\d/,
    );
    const later = (await resultOf(learner!, id, 1)).notice as { key: string }[];
    const seen = (await resultOf(learner!, id)).items.map((item: { key: string }) => item.key) as string[];
    for (const item of later) expect(seen).toContain(item.key);
  });

  it('tells at once what is right, and keeps nothing of it', async () => {
    const [learner] = learners;
    const { rows } = await service.database.pool.query('select id from attempts order by id limit 1');
    const id = Buffer.from(`Attempt:${rows[0].id as string}`).toString('base64');
    const counts = async () =>
      (
        await service.database.pool.query(
          'select (select count(*) from responses) as responses, (select count(*) from journal_entries) as entries',
        )
      ).rows;
    const before = await counts();
    const body = bodies.get('pr-hoodie')!;
    expect((await check(learner!.key, id, 'pr-hoodie', rightAnswer(body))).item).toMatchObject({
      points: 1,
      correct: true,
    });
    const wrong = (await check(learner!.key, id, 'pr-hoodie', wrongAnswer(body))).item;
    expect(wrong).toMatchObject({ points: 0, correct: false, chosen: wrongAnswer(body) });
    expect(wrong.options.filter((option: { isRight: boolean }) => option.isRight)).toHaveLength(1);
    expect(await counts()).toEqual(before);

    expect((await check(learner!.key, id, 'pr-hoodie', [])).code).toBe('INVALID_INPUT');
    expect((await check(learner!.key, id, 'pr-hoodie', ['z'])).code).toBe('INVALID_INPUT');
    for (const stranger of ['t2', 'coordinator', 'hr'])
      expect((await check(stranger, id, 'pr-hoodie', ['a'])).code).toBe('NOT_FOUND');
  });

  it('gives away no item that an exam may still hold', async () => {
    const learner = learners[1]!;
    const first = await sit(learner, false);
    const { items, competencies } = await resultOf(learner, first);
    const seen = new Set((items as { key: string }[]).map(({ key }) => key));
    expect(competencies.every(({ isWeak }: { isWeak: boolean }) => isWeak)).toBe(true);
    for (const [key, body] of bodies) {
      const answer = await check(learner.key, first, key, rightAnswer(body));
      const isOffered = seen.has(key) || key.startsWith('pr-');
      expect({ key, code: answer.code }).toEqual({ key, code: isOffered ? undefined : 'INVALID_INPUT' });
    }
  });

  it('a resit draws other items, and while it is sat nothing is told about those in it', async () => {
    const learner = learners[1]!;
    clock.move(24 * 60);
    const second = await sit(learner, false);
    clock.move(24 * 60);
    const { data } = await service.ask(learner.key, START, { id: learner.assignmentId });
    const third = data.startAttempt.attempt as { id: string; items: { key: string }[] };
    const drawn = (
      await service.database.pool.query('select drawn from attempts where assignment_id = $1 order by id', [
        Buffer.from(learner.assignmentId, 'base64').toString().split(':')[1],
      ])
    ).rows.map(({ drawn: items }) => new Set((items as { itemId: string }[]).map(({ itemId }) => itemId)));
    expect([...drawn[1]!].filter((id) => drawn[0]!.has(id))).toEqual([]);

    // The bank has enough for three attempts: that some items come again is made so.
    const seen = (await resultOf(learner, second)).items as { key: string }[];
    const drawnAgain = [...third.items.slice(3), ...seen.slice(0, 3)].map(({ key }) => key);
    await drawThese(service, third.id, drawnAgain);
    const sitting = new Set(drawnAgain);
    const review = (await resultOf(learner, second)).items as { key: string; correct: boolean | null }[];
    const first = (
      await service.database.pool.query('select id from attempts where number = 1 and assignment_id = $1', [
        Buffer.from(learner.assignmentId, 'base64').toString().split(':')[1],
      ])
    ).rows[0].id as string;
    const firstId = Buffer.from(`Attempt:${first}`).toString('base64');
    const all = [...review, ...((await resultOf(learner, firstId)).items as typeof review)];
    const again = all.filter(({ key }) => sitting.has(key));
    expect(again).toHaveLength(3);
    for (const item of again)
      expect(JSON.stringify(item)).not.toMatch(
        /"(isRight|correct|mustPass)":(true|false)|"(rationale|rightTarget)":"|"points":\d|"rightOrder":\[/,
      );
    for (const item of all.filter(({ key }) => !sitting.has(key))) expect(item.correct).toBe(false);
    for (const { key } of again)
      expect((await check(learner.key, firstId, key, rightAnswer(bodies.get(key)!))).code).toBe(
        'INVALID_INPUT',
      );
    expect((await check(learner.key, third.id, 'pr-hoodie', ['a'])).code).toBe('ATTEMPT_OPEN');
  });

  it('passed, nothing is weak; its key is told by kind', async () => {
    const learner = learners[2]!;
    const id = await sit(learner, true);
    const result = await resultOf(learner, id);
    expect(result).toMatchObject({ percent: 100, passed: true, mustPassMissed: 0 });
    for (const { isWeak } of result.competencies) expect(isWeak).toBe(false);
    expect([...result.notice, ...result.listen]).toEqual([]);
    for (const item of result.items as {
      key: string;
      kind: string;
      rightOrder: string[] | null;
      rightNumber: number | null;
      options: { key: string; isRight: boolean | null; rightTarget: string | null }[];
    }[]) {
      const right = rightAnswer(bodies.get(item.key)!);
      const told =
        item.kind === 'ORDERING'
          ? item.rightOrder!
          : item.kind === 'NUMERIC'
            ? [String(item.rightNumber)]
            : item.kind === 'MATCHING'
              ? item.options.map(({ key, rightTarget }) => `${key}=${rightTarget}`)
              : item.options.filter(({ isRight }) => isRight).map(({ key }) => key);
      expect(told.toSorted()).toEqual(right.toSorted());
    }
  });
});
