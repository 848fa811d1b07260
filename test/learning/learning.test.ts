import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  startService,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';

const RECORD = `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename
  ... on RecordStatementsPayload { progress { state completedAt } } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const SAVE_STATE = `mutation ($input: SaveUserStateInput!) { saveUserState(input: $input) { __typename
  ... on SaveUserStatePayload { version } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const NOT_FOUND = { __typename: 'NotFound', code: 'NOT_FOUND', message: 'The assignment was not found.' };
const verb = (name: string) => ({ id: `http://adlnet.gov/expapi/verbs/${name}` });
const object = { id: 'https://x.example/1' };
const completed = { verb: verb('completed'), object };
const started = { verb: verb('attempted'), object };

describe('learning', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(service, ['t1', 't2']));
  });
  afterAll(async () => service.stop());

  const record = async (statements: unknown, more: Record<string, unknown> = {}, as: string | null = 't1') =>
    service.ask(as, RECORD, {
      input: {
        assignmentId: learners[0]!.assignmentId,
        activityKey: 'signs-lesson',
        language: 'zh_CN',
        statements,
        ...more,
      },
    });
  const recorded = async (...given: Parameters<typeof record>) =>
    (await record(...given)).data.recordStatements;
  const save = async (
    data: string,
    baseVersion: number,
    more: Record<string, unknown> = {},
    as: string | null = 't1',
  ) =>
    (
      await service.ask(as, SAVE_STATE, {
        input: {
          assignmentId: learners[0]!.assignmentId,
          activityKey: 'signs-lesson',
          language: 'zh_CN',
          data,
          baseVersion,
          ...more,
        },
      })
    ).data.saveUserState;
  const stored = async (): Promise<number> =>
    (await service.database.pool.query('select count(*)::int from statements')).rows[0].count as number;

  it('begins, is completed once, and never goes back', async () => {
    const at = (minutes: number): string =>
      new Date(Date.parse('2030-03-04T04:00:00Z') + minutes * 60_000).toISOString();
    const progress = async (statements: unknown[]) => (await recorded(statements)).progress;
    expect(await progress([])).toEqual({ state: 'STARTED', completedAt: null });
    clock.move(5);
    expect(await progress([started])).toEqual({ state: 'STARTED', completedAt: null });
    clock.move(5);
    expect(await progress([started, completed])).toEqual({ state: 'COMPLETED', completedAt: at(10) });
    clock.move(5);
    for (const later of [[], [started], [completed], [{ verb: verb('failed'), object }]])
      expect(await progress(later)).toEqual({ state: 'COMPLETED', completedAt: at(10) });
    expect((await save('{}', 0)).version).toBe(1);
    expect(await progress([])).toEqual({ state: 'COMPLETED', completedAt: at(10) });
  });

  it('stores a statement once however often it is sent, as it first came', async () => {
    const before = await stored();
    const id = '5b9a1c1e-54e4-4d2b-9a57-0123456789ab';
    const first = { ...started, id, result: { response: 'first' } };
    await Promise.all(Array.from({ length: 5 }, async () => recorded([first, first])));
    await recorded([{ ...first, id: id.toUpperCase(), result: { response: 'second' } }]);
    expect(await stored()).toBe(before + 1);
    const { rows } = await service.database.pool.query('select statement from statements where id = $1', [
      id,
    ]);
    expect(rows[0].statement).toMatchObject({
      result: { response: 'first' },
      actor: { account: { name: expect.stringMatching(/^person:\d+$/) } },
    });
    // The same id from somebody else is another statement.
    await recorded([first], { assignmentId: learners[1]!.assignmentId }, 't2');
    expect(await stored()).toBe(before + 2);
  });

  it('refuses odd statements with where and why, and then stores none of those sent with them', async () => {
    const before = await stored();
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    for (const [odd, path] of [
      ['completed', ''],
      [{ object }, '.verb.id'],
      [{ verb: verb('x') }, '.object'],
      [{ ...started, id: 'x' }, '.id'],
      [{ ...started, result: { response: 'x\u0000' } }, ''],
      [{ ...started, result: { response: 'x'.repeat(40_000) } }, ''],
      [{ ...started, result: nested(55) }, ''],
    ] as const) {
      const answer = await record([completed, odd]);
      expect(answer.data.recordStatements).toMatchObject({
        code: 'INVALID_INPUT',
        path: `input.statements.1${path}`,
      });
    }
    // Deeper than the door reads at all.
    expect(
      (await record([completed, { ...started, result: nested(2_000) }])).errors?.[0]?.extensions?.code,
    ).toBe('QUERY_TOO_LARGE');
    expect((await record([completed, null])).errors?.[0]?.message).toMatch(/null/);
    expect(await recorded(Array.from({ length: 101 }, () => started))).toMatchObject({
      code: 'INVALID_INPUT',
      path: 'input.statements',
      message: '100 statements at a time, at most.',
    });
    expect(await stored()).toBe(before);
    expect((await recorded(Array.from({ length: 100 }, () => started))).__typename).toBe(
      'RecordStatementsPayload',
    );
  });

  it('takes verbs that it does not know, without moving anything', async () => {
    const { progress } = await recorded(
      [{ verb: { id: 'https://w3id.org/xapi/acrossx/verbs/liked' }, object }],
      {
        activityKey: 'listen-lesson',
      },
    );
    expect(progress.completedAt).toBeNull();
  });

  it('is nobody’s but the learner’s, and of the activities of their own course', async () => {
    const before = await stored();
    const statements = [completed];
    for (const as of ['t2', 'coordinator', 'hr', 'issuer']) {
      expect(await recorded(statements, {}, as)).toEqual(NOT_FOUND);
      expect(await save('{}', 0, {}, as)).toEqual(NOT_FOUND);
    }
    expect(await recorded(statements, {}, null)).toMatchObject({ code: 'NOT_SIGNED_IN' });
    for (const activityKey of ['signs-lesson ', 'nothing', '', '__proto__'])
      for (const refused of [
        await recorded(statements, { activityKey }),
        await save('{}', 0, { activityKey }),
      ])
        expect(refused).toMatchObject({ code: 'NOT_FOUND', message: 'The activity was not found.' });
    expect(await stored()).toBe(before);
  });

  it('goes on where the last of several devices was, and refuses who did not see it', async () => {
    const base = { activityKey: 'safety-lesson' };
    const answers = await Promise.all(
      Array.from({ length: 4 }, async (_each, device) => save(JSON.stringify({ device }), 0, base)),
    );
    expect(answers.filter((answer) => answer.version === 1)).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'STATE_MOVED_ON')).toHaveLength(3);
    expect(await save('{"page":2}', 1, base)).toMatchObject({ version: 2 });
    for (const stale of [0, 1, 3, 2_147_483_647])
      expect(await save('{}', stale, base)).toMatchObject({ __typename: 'Conflict', code: 'STATE_MOVED_ON' });
    // Each language stands by itself.
    expect(await save('{}', 0, { ...base, language: 'en' })).toMatchObject({ version: 1 });
    const { data } = await service.ask(
      't1',
      `query ($id: ID!) { node(id: $id) { ... on Assignment { activities { activity { key } userState(language: zh_CN) { version data } } } } }`,
      { id: learners[0]!.assignmentId },
    );
    const activities = data.node.activities as { activity: { key: string }; userState: unknown }[];
    expect(activities.find((each) => each.activity.key === 'safety-lesson')?.userState).toEqual({
      version: 2,
      data: '{"page":2}',
    });
  });

  it('refuses a state that is none', async () => {
    const base = { activityKey: 'signs-sort' };
    for (const [data, baseVersion, path] of [
      ['', 0, 'input.data'],
      ['{', 0, 'input.data'],
      [JSON.stringify('x'.repeat(65_536)), 0, 'input.data'],
      ['{}', -1, 'input.baseVersion'],
    ] as const)
      expect(await save(data, baseVersion, base)).toMatchObject({ code: 'INVALID_INPUT', path });
    for (const data of ['null', '"\\u0000"', '"\\ud800"', '{"𠮷":[]}'])
      expect((await save(data, 0, { activityKey: 'listen-practice' })).code ?? 'saved').toMatch(
        /saved|STATE_MOVED_ON/,
      );
  });
});
