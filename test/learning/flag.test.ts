import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';

const OPEN = `mutation ($input: OpenSittingInput!) { openSitting(input: $input) { ... on OpenSittingPayload { sitting { proof } } ... on Refusal { code } } }`;
const FLAG = 'id kind text(language: en) about state note person { name } decidedBy { name }';
const FLAGS = `query ($unitId: ID!, $state: TimeFlagState, $after: String) { timeFlags(unitId: $unitId, state: $state, first: 2, after: $after) { nodes { ${FLAG} } pageInfo { hasNextPage endCursor } } }`;
const OWN = `query ($id: ID!) { node(id: $id) { ... on Assignment { time { flags { ${FLAG} } } certificate { evidenceGrade } } } }`;
const JUDGE = `mutation ($input: JudgeTimeFlagInput!) { judgeTimeFlag(input: $input) { __typename
  ... on JudgeTimeFlagPayload { flag { ${FLAG} } } ... on Refusal { code message } ... on InvalidInput { path } } }`;

interface Flag {
  readonly id: string;
  readonly kind: string;
}

describe('a flag', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let unitId: string;
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T00:00:00Z');
    service = await startService({ clock });
    ({ learners, unitId } = await assignTeachers(service, ['t1', 't2', 't3', 't4', 't5'], {
      minimumHoursShare: 0.5,
    }));
    // Its own job would come due in half an hour by the clock of the database.
    await finishActivities(service, learners[0]!);
  });
  afterAll(async () => service.stop());

  const local = (id: string): string => Buffer.from(id, 'base64').toString().split(':')[1]!;
  const look = async (learner: Learner): Promise<void> =>
    service.app.services.time.look(local(learner.assignmentId));
  const flagsOf = async (learner: Learner) =>
    (await service.ask(learner.key, OWN, { id: learner.assignmentId })).data.node.time.flags as Flag[];
  const judge = async (as: string, flagId: string, more: Record<string, unknown> = {}) =>
    (
      await service.ask(as, JUDGE, {
        input: { flagId, outcome: 'UPHELD', note: '两次登录不是本人', ...more },
      })
    ).data.judgeTimeFlag;
  const seen = async (as: string, variables: Record<string, unknown> = {}) =>
    (await service.ask(as, FLAGS, { unitId, ...variables })).data.timeFlags;

  it('is raised once, with its numbers, and the learner and their coordinator see it', async () => {
    const [learner] = learners as [Learner];
    await look(learner);
    await look(learner);
    const own = await flagsOf(learner);
    expect(own).toHaveLength(14);
    expect(own.at(-1)).toMatchObject({
      kind: 'TOO_FAST',
      text: 'Completed in 0 s what is expected to take 9 min',
      state: 'OPEN',
      note: null,
      decidedBy: null,
      person: { name: '王小明' },
    });
    const first = await seen('coordinator');
    expect(first.nodes).toEqual(own.slice(0, 2));
    const second = await seen('coordinator', { after: first.pageInfo.endCursor });
    expect(second.nodes).toEqual(own.slice(2, 4));
    expect((await seen('coordinator', { state: 'UPHELD' })).nodes).toEqual([]);
  });

  it('is nobody else’s: not a colleague’s, HR’s or an issuer’s', async () => {
    const [flag] = (await flagsOf(learners[0]!)) as [Flag];
    const unknown = Buffer.from('TimeFlag:999999').toString('base64');
    for (const stranger of ['t2', 'hr', 'issuer', 'operator', 'auditor']) {
      expect(await seen(stranger)).toBeNull();
      for (const id of [flag.id, unknown]) {
        expect(
          (await service.ask(stranger, 'query ($id: ID!) { node(id: $id) { id } }', { id })).data.node,
        ).toBeNull();
        expect(await judge(stranger, id)).toEqual({
          __typename: 'NotFound',
          code: 'NOT_FOUND',
          message: 'The flag was not found.',
        });
      }
    }
    // The learner sees it, and does not judge it.
    expect((await judge('t1', flag.id)).code).toBe('NOT_FOUND');
  });

  it('is judged with a note that the learner reads, and the first outcome stands', async () => {
    const [flag, other] = (await flagsOf(learners[0]!)) as [Flag, Flag];
    for (const note of ['', '  ', 'x'.repeat(501)])
      expect(await judge('coordinator', flag.id, { note })).toMatchObject({ path: 'input.note' });
    expect((await judge('coordinator', flag.id)).flag).toMatchObject({
      state: 'UPHELD',
      note: '两次登录不是本人',
      decidedBy: { name: '林静' },
    });
    expect((await judge('coordinator', flag.id, { outcome: 'DISMISSED' })).code).toBe('FLAG_DECIDED');
    const answers = await Promise.all(
      ['DISMISSED', 'UPHELD', 'DISMISSED'].map(async (outcome) =>
        judge('coordinator', other.id, { outcome }),
      ),
    );
    expect(answers.filter(({ code }) => code === 'FLAG_DECIDED')).toHaveLength(2);
    expect((await flagsOf(learners[0]!))[0]).toMatchObject({ state: 'UPHELD', note: '两次登录不是本人' });
    const { rows } = await service.database.pool.query(
      `select action, detail from journal_entries where subject = $1 order by id`,
      [`time-flag:${local(flag.id)}`],
    );
    expect(rows).toEqual([
      { action: 'time-flag.raise', detail: { kind: 'too_fast' } },
      { action: 'time-flag.judge', detail: { outcome: 'upheld' } },
    ]);
    // A second look raises nothing anew.
    await look(learners[0]!);
    expect(await flagsOf(learners[0]!)).toHaveLength(14);
  });

  it('is not judged by whom it is about, coordinator though they are', async () => {
    const [, learner] = learners as [Learner, Learner];
    await finishActivities(service, learner);
    await look(learner);
    await service.database.pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'coordinator', '430121', '2020-01-01', 'test' from person_sources where source_id = 't2'`,
    );
    const [flag] = (await flagsOf(learner)) as [Flag];
    expect((await judge('t2', flag.id)).code).toBe('NOT_ALLOWED');
    expect(
      (await judge('t2', (await flagsOf(learners[0]!))[2]!.id, { outcome: 'DISMISSED' })).flag.state,
    ).toBe('DISMISSED');
  });

  it('is raised where four people learn in one browser on one day; another day is another', async () => {
    const open = async (learner: Learner) =>
      service.ask(learner.key, OPEN, {
        input: { assignmentId: learner.assignmentId, activityKey: 'exam', device: 'browser-number-1' },
      });
    for (const learner of learners.slice(0, 3)) await open(learner);
    clock.move(24 * 60);
    await open(learners[3]!);
    await look(learners[3]!);
    expect(await flagsOf(learners[3]!)).toEqual([]);
    for (const learner of learners.slice(0, 3)) await open(learner);
    await look(learners[3]!);
    expect(await flagsOf(learners[3]!)).toMatchObject([
      { kind: 'SHARED_DEVICE', about: '2030-03-05', text: '4 people learned in one browser on one day' },
    ]);
  });

  it('lowers the grade of evidence once it is upheld, and fails nobody', async () => {
    const learner = learners[0]!;
    await service.database.pool.query(
      `insert into time_totals (assignment_id, activity_key, credited_ms) values ($1, 'x', 400 * 60000)`,
      [local(learner.assignmentId)],
    );
    await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
    const { certificate } = await until(async () => {
      const { data } = await service.ask(learner.key, OWN, { id: learner.assignmentId });
      return data.node.certificate === null ? undefined : data.node;
    });
    expect(certificate).toEqual({ evidenceGrade: 'B' });
  });
});
