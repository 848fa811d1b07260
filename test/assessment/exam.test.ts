import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawItems } from '../../src/assessment/draw.ts';
import {
  answerKeys,
  assignTeachers,
  finishActivities,
  itemBodies,
  rightAnswer,
  wrongAnswer,
  SAVE,
  sitExam,
  START,
  startService,
  SUBMIT,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

describe('sitting an exam', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  beforeAll(async () => {
    // Ahead of the database's own clock: what is owed at a later time must not come due during the test.
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4', 't5', 't6']));
    for (const learner of learners.slice(0, 5)) await finishActivities(service, learner);
  });
  afterAll(async () => service.stop());

  const attemptOf = async (learner: Learner, id: string) =>
    (
      await service.ask(
        learner.key,
        'query ($id: ID!) { node(id: $id) { ... on Attempt { state percent passed items { chosen points correct options { key isRight rationale } } } } }',
        { id },
      )
    ).data.node;

  it('opens after the lessons', async () => {
    const { data } = await service.ask('t6', START, { id: learners[5]!.assignmentId });
    expect(data.startAttempt).toMatchObject({ __typename: 'Conflict', code: 'LESSONS_UNFINISHED' });
  });

  it('never shows the key before it is graded, and the rationale afterwards', async () => {
    const [learner] = learners;
    const id = await sitExam(service, learner!, { right: true });
    const open = await attemptOf(learner!, id);
    expect(JSON.stringify(open)).not.toMatch(
      /"isRight":(true|false)|"rationale":"|"correct":(true|false)|"points":\d/,
    );
    const { data } = await service.ask(learner!.key, SUBMIT, { id });
    expect(data.submitAttempt.attempt).toEqual({ percent: 100, passed: true, state: 'GRADED' });
    const graded = await attemptOf(learner!, id);
    expect(graded.items).toHaveLength(14);
    for (const item of graded.items) {
      expect(item.correct).toBe(true);
      for (const option of item.options) expect(option.rationale.length).toBeGreaterThan(3);
    }
  });

  it('refuses a second submission: the first result stands', async () => {
    const learner = learners[1]!;
    const id = await sitExam(service, learner, { right: false });
    await service.ask(learner.key, SUBMIT, { id });
    const keys = await answerKeys(service);
    const [key, right] = [...keys][0]!;
    for (const answer of [
      await service.ask(learner.key, SUBMIT, { id }),
      await service.ask(learner.key, SAVE, { input: { attemptId: id, itemKey: key, chosen: right } }),
    ]) {
      expect(['ATTEMPT_CLOSED', 'INVALID_INPUT']).toContain(
        (answer.data.submitAttempt ?? answer.data.saveResponse).code,
      );
    }
    expect((await attemptOf(learner, id)).passed).toBe(false);
  });

  it('grades once when it is submitted from several devices at the same moment', async () => {
    const learner = learners[2]!;
    const id = await sitExam(service, learner, { right: true });
    const answers = await Promise.all(
      Array.from({ length: 8 }, async () => service.ask(learner.key, SUBMIT, { id })),
    );
    expect(
      answers.filter(({ data }) => data.submitAttempt.__typename === 'SubmitAttemptPayload'),
    ).toHaveLength(1);
    expect(answers.filter(({ data }) => data.submitAttempt.code === 'ATTEMPT_CLOSED')).toHaveLength(7);
    await until(async () =>
      (await service.database.pool.query('select count(*)::int as n from certificates')).rows[0].n === 2
        ? true
        : undefined,
    );
  });

  it('starts one attempt when it is started twice at the same moment', async () => {
    const learner = learners[3]!;
    const answers = await Promise.all(
      Array.from({ length: 5 }, async () => service.ask(learner.key, START, { id: learner.assignmentId })),
    );
    const codes = answers.map(({ data }): string => data.startAttempt.code ?? 'started');
    expect(codes.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'ATTEMPT_OPEN',
      'ATTEMPT_OPEN',
      'ATTEMPT_OPEN',
      'ATTEMPT_OPEN',
      'started',
    ]);
  });

  it('tells another person that there is no such attempt or assignment', async () => {
    const learner = learners[3]!;
    const { data } = await service.ask(
      learner.key,
      'query ($id: ID!) { node(id: $id) { ... on Assignment { exam { openAttempt { id items { key } } } } } }',
      { id: learner.assignmentId },
    );
    const { id, items } = data.node.exam.openAttempt;
    const unknown = Buffer.from('Attempt:999999').toString('base64');
    for (const stranger of ['t5', 'coordinator', 'hr', 'issuer']) {
      for (const target of [id, unknown]) {
        expect(
          (await service.ask(stranger, 'query ($id: ID!) { node(id: $id) { id } }', { id: target })).data
            .node,
        ).toBeNull();
        expect(
          (
            await service.ask(stranger, SAVE, {
              input: { attemptId: target, itemKey: items[0].key, chosen: ['a'] },
            })
          ).data.saveResponse,
        ).toEqual({ __typename: 'NotFound', code: 'NOT_FOUND', message: 'The attempt was not found.' });
        expect((await service.ask(stranger, SUBMIT, { id: target })).data.submitAttempt).toEqual({
          __typename: 'NotFound',
          code: 'NOT_FOUND',
          message: 'The attempt was not found.',
        });
      }
      expect((await service.ask(stranger, START, { id: learner.assignmentId })).data.startAttempt.code).toBe(
        'NOT_FOUND',
      );
    }
    expect((await service.ask(null, SUBMIT, { id })).data.submitAttempt.code).toBe('NOT_SIGNED_IN');
  });

  it('keeps of answers from two devices the one that came later, and grades every one it acknowledged', async () => {
    const learner = learners[3]!;
    const { data } = await service.ask(
      learner.key,
      'query ($id: ID!) { node(id: $id) { ... on Assignment { exam { openAttempt { id items { key } } } } } }',
      { id: learner.assignmentId },
    );
    const { id, items } = data.node.exam.openAttempt as { id: string; items: { key: string }[] };
    const bodies = await itemBodies(service);
    const save = async (key: string, chosen: string[]): Promise<string> =>
      (await service.ask(learner.key, SAVE, { input: { attemptId: id, itemKey: key, chosen } })).data
        .saveResponse.__typename as string;
    const chosenNow = async (key: string): Promise<string[]> =>
      (
        await service.database.pool.query(
          'select chosen from responses r join items i on i.id = r.item_id where i.key = $1 and attempt_id = $2',
          [key, Buffer.from(id, 'base64').toString().split(':')[1]],
        )
      ).rows[0].chosen as string[];

    const [{ key }] = items as [{ key: string }];
    const two = [rightAnswer(bodies.get(key)!), wrongAnswer(bodies.get(key)!)];
    expect(await Promise.all(two.map(async (chosen) => save(key, chosen)))).toEqual([
      'SaveResponsePayload',
      'SaveResponsePayload',
    ]);
    expect(two).toContainEqual(await chosenNow(key));
    await save(key, two[1]!);
    await save(key, two[1]!);
    expect(await chosenNow(key)).toEqual(two[1]);

    // All at once with handing in: what was acknowledged counts, what was refused does not.
    const racing = items.map(async (item) => save(item.key, rightAnswer(bodies.get(item.key)!)));
    await service.ask(learner.key, SUBMIT, { id });
    const outcomes = await Promise.all(racing);
    const graded = await attemptOf(learner, id);
    const before = [...items.keys()].map((at) => (at === 0 ? two[1]! : []));
    for (const [at, outcome] of outcomes.entries()) {
      const saved = outcome === 'SaveResponsePayload';
      expect({ at, ...graded.items[at] }).toMatchObject({
        at,
        points: saved ? 1 : 0,
        chosen: saved ? rightAnswer(bodies.get(items[at]!.key)!) : before[at],
      });
    }
  });

  it('can draw any attempt again from its seed and what was drawn before', async () => {
    const { rows } = await service.database.pool.query(
      `select t.seed, t.drawn, a.course_version_id, v.manifest -> 'exam' as exam from attempts t
       join assignments a on a.id = t.assignment_id join course_versions v on v.id = a.course_version_id where t.number = 1`,
    );
    expect(rows.length).toBeGreaterThan(2);
    for (const { seed, drawn, course_version_id: version, exam } of rows) {
      const bank = await service.app.services.courses.listItems(service.database.db, version as string);
      expect(drawItems(bank, exam as Parameters<typeof drawItems>[1], seed as string)).toEqual(drawn);
    }
  });

  it('refuses answers to items that were not drawn and options that are not there', async () => {
    const learner = learners[4]!;
    const id = await sitExam(service, learner, { right: false });
    const keys = [...(await answerKeys(service)).keys()];
    const { data } = await service.ask(
      learner.key,
      'query ($id: ID!) { node(id: $id) { ... on Attempt { items { key kind } } } }',
      { id },
    );
    const drawn = data.node.items as { key: string; kind: string }[];
    const notDrawn = keys.find((key) => !drawn.some((item) => item.key === key))!;
    const code = async (itemKey: string, chosen: string[]) =>
      (await service.ask(learner.key, SAVE, { input: { attemptId: id, itemKey, chosen } })).data.saveResponse
        .code;
    expect(await code(notDrawn, ['a'])).toBe('INVALID_INPUT');
    expect(await code(drawn[0]!.key, ['z'])).toBe('INVALID_INPUT');
    const single = drawn.find((item) => item.kind === 'SINGLE')!;
    expect(await code(single.key, ['a', 'b'])).toBe('INVALID_INPUT');
  });

  it('refuses what comes after the time; the worker grades what was saved, and the resit waits', async () => {
    const learner = learners[4]!;
    const { data } = await service.ask(
      learner.key,
      'query ($id: ID!) { node(id: $id) { ... on Assignment { exam { openAttempt { id items { key } } } } } }',
      { id: learner.assignmentId },
    );
    const { id, items } = data.node.exam.openAttempt;
    clock.move(28.5);
    expect(
      (await service.ask(learner.key, SAVE, { input: { attemptId: id, itemKey: items[0].key, chosen: [] } }))
        .data.saveResponse.code,
    ).toBe('ATTEMPT_CLOSED');
    expect((await service.ask(learner.key, SUBMIT, { id })).data.submitAttempt.code).toBe('ATTEMPT_CLOSED');
    await service.app.services.exams.closeOverdue(Buffer.from(id, 'base64').toString().split(':')[1]!);
    expect(await attemptOf(learner, id)).toMatchObject({ state: 'GRADED', passed: false });
    const resit = (
      await service.ask(
        learner.key,
        'mutation ($id: ID!) { startAttempt(input: { assignmentId: $id }) { ... on Conflict { code retryAt } } }',
        { id: learner.assignmentId },
      )
    ).data.startAttempt;
    expect(resit).toEqual({ code: 'RESIT_TOO_EARLY', retryAt: '2030-03-05T04:28:30.000Z' });
    clock.move(24 * 60);
    expect(
      (await service.ask(learner.key, START, { id: learner.assignmentId })).data.startAttempt.__typename,
    ).toBe('StartAttemptPayload');
  });

  it('owes the closing of an attempt from the moment it begins', async () => {
    const { rows } = await service.database.pool.query(
      "select key, run_at from graphile_worker.jobs where task_identifier = 'close-attempt' order by id limit 1",
    );
    expect(rows[0].key).toMatch(/^close-attempt:\d+$/);
    expect(rows[0].run_at.toISOString()).toBe('2030-03-04T04:28:16.000Z');
  });
});
