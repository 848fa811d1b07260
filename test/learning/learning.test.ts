import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  startService,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';

const RECORD = `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename
  ... on RecordStatementsPayload { progress { state completedAt } refused { index code path message } } ... on Refusal { code message } ... on InvalidInput { path } ... on Conflict { retryAt } } }`;
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

  it('stores a statement once however often it is sent, as it first came, and says where another has its id', async () => {
    const before = await stored();
    const id = '5b9a1c1e-54e4-4d2b-9a57-0123456789ab';
    const first = { ...started, id, result: { response: 'first' } };
    for (const answer of await Promise.all(Array.from({ length: 5 }, async () => recorded([first, first]))))
      expect(answer.refused).toEqual([]);
    const second = { ...first, id: id.toUpperCase(), result: { response: 'second' } };
    expect((await recorded([completed, second])).refused).toEqual([
      {
        index: 1,
        code: 'STATEMENT_CONFLICT',
        path: 'input.statements.1.id',
        message: 'Another statement that came before has this id.',
      },
    ]);
    expect(await stored()).toBe(before + 2);
    const { rows } = await service.database.pool.query('select statement from statements where id = $1', [
      id,
    ]);
    expect(rows[0].statement).toMatchObject({
      result: { response: 'first' },
      actor: { account: { name: expect.stringMatching(/^person:\d+$/) } },
      authority: { account: { name: 'xinqiao' } },
    });
    // Two in one call: the first of them is the statement.
    const twice = { ...started, id: id.replace('5b', '6c') };
    expect((await recorded([twice, { ...twice, result: {} }, twice])).refused).toMatchObject([{ index: 1 }]);
    expect(await stored()).toBe(before + 3);
    // The same id from somebody else is another statement.
    await recorded([first], { assignmentId: learners[1]!.assignmentId }, 't2');
    expect(await stored()).toBe(before + 4);
  });

  it('refuses odd statements with where and why, and takes those that were sent with them', async () => {
    const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    const odd = [
      ['completed', ''],
      [{ object }, '.verb'],
      [{ verb: verb('x') }, '.object'],
      [{ ...started, id: 'x' }, '.id'],
      [{ ...started, result: { response: 'x\u0000' } }, ''],
      [{ ...started, result: { response: 'x'.repeat(70_000) } }, ''],
      [{ ...started, result: nested(55) }, ''],
      [{ ...started, verb: { id: 'http://adlnet.gov/expapi/verbs/voided' } }, '.verb.id'],
      [{ ...started, result: { score: { raw: '1' } } }, '.result.score.raw'],
    ] as const;
    const before = await stored();
    const { refused, progress } = await recorded(
      [started, ...odd.map(([statement]) => statement), completed],
      { activityKey: 'safety-lesson' },
    );
    expect(refused.map(({ path, code }: { path: string; code: string }) => [code, path])).toEqual(
      odd.map(([, path], index) => ['INVALID_STATEMENT', `input.statements.${index + 1}${path}`]),
    );
    expect(progress.state).toBe('COMPLETED');
    expect(await stored()).toBe(before + 2);
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
    expect(await stored()).toBe(before + 2);
    expect((await recorded(Array.from({ length: 100 }, () => started))).refused).toEqual([]);
  });

  it('stands a flood: what came is kept, the rest may come later, and others are not held up', async () => {
    clock.move(10);
    const many = Array.from({ length: 100 }, () => started);
    const base = { activityKey: 'listen-practice' };
    const before = await stored();
    for (let call = 0; call < 6; call += 1)
      expect(await recorded(many, base)).toMatchObject({ progress: { state: 'STARTED' } });
    const minute = (time: Date): number => Math.floor(time.getTime() / 60_000) * 60_000;
    expect(await recorded([completed], base)).toMatchObject({
      __typename: 'Conflict',
      code: 'TOO_MANY_STATEMENTS',
      retryAt: new Date(minute(clock.now()) + 60_000).toISOString(),
    });
    // Nor by a list of nothing but faults.
    expect(await recorded(['x'], base)).toMatchObject({ code: 'TOO_MANY_STATEMENTS' });
    expect(await stored()).toBe(before + 600);
    expect(
      (await recorded([started], { assignmentId: learners[1]!.assignmentId, ...base }, 't2')).__typename,
    ).toBe('RecordStatementsPayload');
    clock.move(1);
    expect(await recorded([completed], base)).toMatchObject({ progress: { state: 'COMPLETED' } });

    for (const [column, value] of [
      ['in_day', 20_000],
      ['bytes_in_day', 32 * 1024 * 1024],
    ]) {
      await service.database.pool.query(`update statement_counts set ${column} = $1`, [value]);
      clock.move(1);
      expect(await recorded([started], base)).toMatchObject({
        code: 'TOO_MANY_STATEMENTS',
        retryAt: '2030-03-04T16:00:00.000Z',
      });
      await service.database.pool.query(`update statement_counts set ${column} = 0`);
    }
  });

  it('takes what several learners send at one moment, each with their own answer, one of whom sends too much', async () => {
    clock.move(10);
    const base = { activityKey: 'listen-practice' };
    const of = (key: string) => ({ ...base, assignmentId: learners[key === 't1' ? 0 : 1]!.assignmentId });
    const id = '7d0a1c1e-54e4-4d2b-9a57-0123456789ab';
    const many = Array.from({ length: 100 }, () => started);
    for (let call = 0; call < 6; call += 1) await recorded(many, of('t1'));
    const before = await stored();
    const answers = await Promise.all([
      recorded([{ ...started, id }], of('t2'), 't2'),
      recorded([{ ...started, id }], of('t1'), 't1'),
      recorded([{ ...completed, id }], of('t2'), 't2'),
      // Another's, beside them.
      recorded([completed], of('t2'), 't1'),
      recorded([completed, 'x'], of('t2'), 't2'),
    ]);
    expect(answers).toMatchObject([
      { progress: { state: 'STARTED' }, refused: [] },
      { code: 'TOO_MANY_STATEMENTS' },
      { progress: { state: 'STARTED' }, refused: [{ index: 0, code: 'STATEMENT_CONFLICT' }] },
      NOT_FOUND,
      { progress: { state: 'COMPLETED' }, refused: [{ index: 1, code: 'INVALID_STATEMENT' }] },
    ]);
    expect(await stored()).toBe(before + 2);
    clock.move(1);
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

  it('says that a state fits no more where the content has changed, and lets the learner begin anew', async () => {
    const base = { activityKey: 'listen-lesson' };
    const look = async () => {
      const { data } = await service.ask(
        't1',
        `query ($id: ID!) { node(id: $id) { ... on Assignment { activities { activity { key } stateCleared(language: zh_CN) userState(language: zh_CN) { version data } } } } }`,
        { id: learners[0]!.assignmentId },
      );
      const { stateCleared, userState } = (
        data.node.activities as {
          activity: { key: string };
          stateCleared: boolean;
          userState: { version: number } | null;
        }[]
      ).find((each) => each.activity.key === base.activityKey)!;
      return { stateCleared, userState };
    };
    expect(await look()).toEqual({ stateCleared: false, userState: null });
    await save('{"page":7}', 0, base);
    expect(await look()).toMatchObject({ stateCleared: false, userState: { version: 1 } });
    await service.database.pool.query(
      `update user_states set content_hash = 'of-before' where data = '{"page":7}'`,
    );
    expect(await look()).toEqual({ stateCleared: true, userState: null });
    // A tab that still has it open must not bring it back.
    const [anew, old] = await Promise.all([save('{"page":1}', 0, base), save('{"page":8}', 1, base)]);
    expect(old.code ?? anew.code).toBe('STATE_MOVED_ON');
    expect((await look()).stateCleared).toBe(false);
  });

  it('refuses a state that is none', async () => {
    const base = { activityKey: 'signs-sort' };
    for (const [data, baseVersion, path] of [
      ['', 0, 'input.data'],
      ['{', 0, 'input.data'],
      [JSON.stringify('x'.repeat(131_071)), 0, 'input.data'],
      [JSON.stringify('字'.repeat(43_700)), 0, 'input.data'],
      ['{}', -1, 'input.baseVersion'],
    ] as const)
      expect(await save(data, baseVersion, base)).toMatchObject({ code: 'INVALID_INPUT', path });
    for (const data of ['null', '"\\u0000"', '"\\ud800"', '{"𠮷":[]}'])
      expect((await save(data, 0, { activityKey: 'listen-practice' })).code ?? 'saved').toMatch(
        /saved|STATE_MOVED_ON/,
      );
  });
});
