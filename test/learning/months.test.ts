import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  startService,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';

const RECORD = `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename
  ... on RecordStatementsPayload { progress { state } refused { code } } ... on Refusal { code message } } }`;

describe('statements by month', () => {
  let service: TestService;
  let clock: TestClock;
  let learner: Learner;
  beforeAll(async () => {
    clock = new TestClock('2030-01-31T15:58:00Z');
    service = await startService({ clock, env: { RETENTION_DAYS: 'statements=60' } });
    learner = (await assignTeachers(service, ['t1'])).learners[0]!;
  });
  afterAll(async () => service.stop());

  const record = async (...statements: unknown[]) =>
    (
      await service.ask('t1', RECORD, {
        input: {
          assignmentId: learner.assignmentId,
          activityKey: 'signs-lesson',
          language: 'zh_CN',
          statements,
        },
      })
    ).data.recordStatements;
  const statement = (n: number, more: object = {}) => ({
    id: `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`,
    verb: { id: 'http://adlnet.gov/expapi/verbs/progressed' },
    object: { id: 'https://x.example/1' },
    ...more,
  });
  const query = async (sql: string) => (await service.database.pool.query(sql)).rows;
  const months = async () =>
    (
      await query(
        `select inhrelid::regclass::text as name from pg_inherits where inhparent = 'statements'::regclass and inhrelid::regclass::text like '%_203%' order by 1`,
      )
    ).map(({ name }) => name as string);
  const places = async () =>
    query(
      `select tableoid::regclass::text as month, count(*)::int as n from statements group by 1 order by 1`,
    );

  it('has room for this month and the next before anybody asks', async () => {
    expect(await months()).toEqual(['statements_2030_01', 'statements_2030_02']);
  });

  it('keeps each in its month by the calendar of China', async () => {
    await record(statement(1));
    clock.move(2);
    await record(statement(2));
    expect(await places()).toEqual([
      { month: 'statements_2030_01', n: 1 },
      { month: 'statements_2030_02', n: 1 },
    ]);
  });

  it('takes an id once, whatever the month it comes again in', async () => {
    clock.move(3 * 31 * 24 * 60);
    expect(await record(statement(1), statement(3))).toMatchObject({ refused: [] });
    expect(await record(statement(2, { result: { success: true } }))).toMatchObject({
      refused: [{ code: 'STATEMENT_CONFLICT' }],
    });
    // A month that no job has made ahead.
    expect(await places()).toEqual([
      { month: 'statements_2030_01', n: 1 },
      { month: 'statements_2030_02', n: 1 },
      { month: 'statements_2030_05', n: 1 },
    ]);
    await service.app.services.learning.keepMonths();
    expect((await months()).slice(-2)).toEqual(['statements_2030_05', 'statements_2030_06']);
  });

  it('makes a month once, however many ask for it', async () => {
    const { learning } = service.app.services;
    clock.move(90 * 24 * 60);
    await Promise.all([
      learning.keepMonths(),
      learning.keepMonths(),
      ...Array.from({ length: 4 }, async () =>
        service.database.pool.query(`select keep_statement_month('2030-08-01')`),
      ),
    ]);
    expect((await months()).slice(-2)).toEqual(['statements_2030_08', 'statements_2030_09']);
    clock.move(-90 * 24 * 60);
  });

  it('forgets a month as a whole, once all of it is over, and its ids with it', async () => {
    expect(clock.now().toISOString().slice(0, 7)).toBe('2030-05');
    const forgotten = await service.app.services.erasures.forgetWhatIsOver();
    expect(forgotten['statements']).toBe(2);
    expect((await months())[0]).toBe('statements_2030_05');
    expect(await places()).toEqual([{ month: 'statements_2030_05', n: 1 }]);
    expect(await query('select count(*)::int as n from statement_ids')).toEqual([{ n: 1 }]);
    expect((await service.app.services.erasures.forgetWhatIsOver())['statements']).toBe(0);
    // It is forgotten, so that it is new.
    expect(await record(statement(1))).toMatchObject({ refused: [] });
    expect(await places()).toEqual([{ month: 'statements_2030_05', n: 2 }]);
  });

  it('waits for nobody who is reading: the month goes another night', async () => {
    clock.move(120 * 24 * 60);
    const reader = await service.database.pool.connect();
    try {
      await reader.query('begin');
      await reader.query('select count(*) from statements');
      await service.app.services.erasures.forgetWhatIsOver();
      expect(await months()).toContain('statements_2030_05');
    } finally {
      await reader.query('rollback');
      reader.release();
    }
    await service.app.services.erasures.forgetWhatIsOver();
    expect(await months()).not.toContain('statements_2030_05');
    expect(await record(statement(9))).toMatchObject({ refused: [] });
  });
});
