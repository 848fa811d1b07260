import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { makeWebFolder, registerPlatform, SCORE_SCOPES } from '../support/registered.ts';
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
import {
  LaunchClient,
  launchOf,
  MEMBERSHIP,
  TestPlatform,
  type Link,
  type PlatformUser,
  noComplaints,
} from '../support/platform.ts';

const GRADES = `query ($id: ID!) { node(id: $id) { ... on Assignment { platformGrades { id platformName linkTitle state score sentAt failure retryAt } } } }`;
const AGAIN = `mutation ($id: ID!) { sendLtiGradeAgain(input: { gradeId: $id }) { __typename
  ... on SendLtiGradeAgainPayload { grade { state } } ... on Refusal { code } } }`;
const FAILED = `query ($id: ID!) { node(id: $id) { ... on LtiRegistration { failedGrades { number state failure status retryAt } } } }`;
const SEND_FAILED = `mutation ($id: ID!) { sendFailedLtiGrades(input: { registrationId: $id }) { __typename
  ... on SendFailedLtiGradesPayload { count } ... on Refusal { code } } }`;
const RECORD = `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename } }`;

const COURSE: Link = { id: 'course-link', title: '守门人', custom: { xinqiao_course: 'core-gatekeeper' } };

describe('grades that platforms are told', () => {
  let service: TestService;
  let platform: TestPlatform;
  let other: TestPlatform;
  let learners: Learner[];
  let registrationId: string;
  let web: Awaited<ReturnType<typeof makeWebFolder>>;
  const clock = new TestClock(new Date().toISOString());

  beforeAll(async () => {
    [platform, other] = await Promise.all([TestPlatform.start(), TestPlatform.start()]);
    platform.now = other.now = () => clock.now();
    web = await makeWebFolder();
    service = await startService({
      clock,
      webFolder: web.folder,
      env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1' },
    });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4', 't5']));
    registrationId = await registerPlatform(service, platform, { scopes: SCORE_SCOPES });
    await registerPlatform(service, other, { scopes: SCORE_SCOPES });
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([platform.stop(), other.stop(), web.remove()]);
    noComplaints(platform, other);
  });
  beforeEach(() => platform.services.mishaps.splice(0));

  const names = ['王小明', '王小红', '王小刚', '王小丽', '王小强'];
  const user = (index: number, more: Partial<PlatformUser> = {}): PlatformUser => ({
    sub: `user-t${index + 1}`,
    name: names[index]!,
    personSourcedId: `t${index + 1}`,
    ...more,
  });
  const launch = async (
    who: PlatformUser,
    link: Link = COURSE,
    {
      on = platform,
      alter,
    }: { on?: TestPlatform; alter?: (claims: Record<string, unknown>) => Record<string, unknown> } = {},
  ): Promise<void> => {
    const answer = await new LaunchClient(service.app.publicUrl).open(on, 'xinqiao', who, link, {
      now: clock.now(),
      ...(alter === undefined ? {} : { alter }),
    });
    expect(launchOf(await answer.text())).toBeDefined();
  };
  const complete = async (learner: Learner, activityKey: string, verb = 'completed') =>
    service.ask(learner.key, RECORD, {
      input: {
        assignmentId: learner.assignmentId,
        activityKey,
        language: 'zh_CN',
        statements: [
          { verb: { id: `http://adlnet.gov/expapi/verbs/${verb}` }, object: { id: 'https://example.org/x' } },
        ],
      },
    });
  const gradesOf = async (learner: Learner, as = learner.key) =>
    ((await service.ask(as, GRADES, { id: learner.assignmentId })).data.node?.platformGrades ?? []) as {
      id: string;
      platformName: string;
      state: string;
      score: number | null;
      sentAt: string | null;
      failure: string | null;
      retryAt: string | null;
    }[];
  const settled = async (learner: Learner, state = 'SENT') =>
    until(async () => {
      const grades = await gradesOf(learner);
      return grades.length > 0 && grades.every((grade) => grade.state === state) ? grades : undefined;
    });
  const told = (index: number, lineItem = 'course-link', on = platform) =>
    on.services.scores.filter(
      (score) => score.lineItem === lineItem && score.userId === `user-t${index + 1}`,
    );

  it('are progress first, and then the best exam; each later than the one before, to the second', async () => {
    const learner = learners[0]!;
    await launch(user(0));
    await complete(learner, 'signs-practice', 'attempted');
    await until(async () => (told(0).length === 1 ? true : undefined));
    expect(told(0)[0]).toMatchObject({ activityProgress: 'Started', gradingProgress: 'NotReady' });
    expect(told(0)[0]).not.toHaveProperty('scoreGiven');
    // Of a module that is done the platform hears nothing new.
    await finishActivities(service, learner);
    await service.app.services.platformGrades.send();
    const failed = await sitExam(service, learner, { right: false });
    await service.ask(learner.key, SUBMIT, { id: failed });
    await until(async () => (told(0).at(-1)?.gradingProgress === 'FullyGraded' ? true : undefined));
    expect(told(0).at(-1)).toMatchObject({ scoreGiven: 0, scoreMaximum: 100, activityProgress: 'Submitted' });
    clock.move(60 * 48);
    const passed = await sitExam(service, learner, { right: true });
    await service.ask(learner.key, SUBMIT, { id: passed });
    await until(async () => (told(0).at(-1)?.activityProgress === 'Completed' ? true : undefined));
    expect(told(0).at(-1)).toMatchObject({ scoreGiven: 100, gradingProgress: 'FullyGraded' });
    const seconds = told(0).map(({ timestamp }) => Math.floor(Date.parse(timestamp) / 1000));
    expect(seconds).toEqual([...new Set(seconds)].toSorted((a, b) => a - b));
    expect(await settled(learner)).toMatchObject([
      { platformName: '长沙县教学平台', score: 100, failure: null },
    ]);
  });

  it('are the learner’s own to see, and theirs to have sent again', async () => {
    const learner = learners[0]!;
    const [grade] = await gradesOf(learner);
    expect(await gradesOf(learner, 't2')).toEqual([]);
    expect((await service.ask('t2', AGAIN, { id: grade!.id })).data.sendLtiGradeAgain.code).toBe('NOT_FOUND');
    const NODE = 'query ($id: ID!) { node(id: $id) { __typename } }';
    expect((await service.ask('operator', NODE, { id: grade!.id })).data.node).toBeNull();
    expect((await service.ask('t1', AGAIN, { id: grade!.id })).data.sendLtiGradeAgain.code).toBe(
      'SENT_JUST_NOW',
    );
    clock.move(2);
    const before = told(0).length;
    expect((await service.ask('t1', AGAIN, { id: grade!.id })).data.sendLtiGradeAgain).toEqual({
      __typename: 'SendLtiGradeAgainPayload',
      grade: { state: 'WAITING' },
    });
    await settled(learner);
    expect(told(0)).toHaveLength(before + 1);
    expect(told(0).at(-1)).toMatchObject({ scoreGiven: 100 });
  });

  it('are not lost, whatever the platform does for a while', async () => {
    const learner = learners[1]!;
    await launch(user(1));
    await until(async () => ((await gradesOf(learner)).length === 0 ? true : undefined));
    platform.services.mishaps.push(
      'drop',
      { status: 503 },
      { status: 500 },
      { status: 429, headers: { 'retry-after': '7200' } },
      { status: 408 },
    );
    await complete(learner, 'signs-practice', 'attempted');
    for (const [failure, least] of [
      ['UNREACHABLE', 20_000],
      ['BUSY', 40_000],
      ['BUSY', 80_000],
      // What the platform asks for is the least.
      ['BUSY', 7_200_000],
      ['BUSY', 300_000],
    ] as const) {
      const [grade] = await settled(learner, 'LATE');
      expect(grade!.failure).toBe(failure);
      const wait = Date.parse(grade!.retryAt!) - clock.now().getTime();
      expect(wait).toBeGreaterThanOrEqual(least);
      // Before its time nothing goes out, though something is learned.
      const left = platform.services.mishaps.length;
      await service.app.services.platformGrades.send();
      expect(platform.services.mishaps).toHaveLength(left);
      clock.move(wait / 60_000 + 0.01);
      await service.app.services.platformGrades.send();
    }
    expect(await settled(learner)).toMatchObject([{ failure: null, retryAt: null }]);
    expect(told(1)).toHaveLength(1);
  });

  it('ask for one new token where the old one is not taken, and go through', async () => {
    platform.tokens.clear();
    const asked = platform.asked.filter((path) => path === '/token').length;
    await complete(learners[1]!, 'signs-practice');
    await until(async () => (told(1).length === 2 ? true : undefined));
    await settled(learners[1]!);
    expect(platform.asked.filter((path) => path === '/token')).toHaveLength(asked + 1);
  });

  it('are taken for told where the platform has a later one', async () => {
    platform.services.mishaps.push({ status: 409 });
    const before = told(0).length;
    const [grade] = await gradesOf(learners[0]!);
    await service.ask('t1', AGAIN, { id: grade!.id }).then(async () => clock.move(2));
    await service.ask('t1', AGAIN, { id: grade!.id });
    await settled(learners[0]!);
    expect(told(0).length).toBeGreaterThanOrEqual(before);
    expect((await gradesOf(learners[0]!))[0]!.failure).toBeNull();
  });

  it('that are refused are shown to learner and operator, who sends them again', async () => {
    const learner = learners[2]!;
    await launch(user(2));
    // Nothing is on its way, so that what is refused is what comes next.
    await until(async () => ((await gradesOf(learner)).length === 0 ? true : undefined));
    platform.services.mishaps.push({ status: 403 });
    await complete(learner, 'signs-practice', 'attempted');
    expect(await settled(learner, 'FAILED')).toMatchObject([
      { failure: 'REFUSED', retryAt: null, sentAt: null },
    ]);
    clock.move(60 * 24);
    await service.app.services.platformGrades.send();
    expect(told(2)).toHaveLength(0);
    const shown = (await service.ask('operator', FAILED, { id: registrationId })).data.node.failedGrades;
    expect(shown).toMatchObject([{ state: 'FAILED', failure: 'REFUSED', status: 403, retryAt: null }]);
    expect((await service.ask('hr', FAILED, { id: registrationId })).data.node).toBeNull();
    expect(
      (await service.ask('coordinator', SEND_FAILED, { id: registrationId })).data.sendFailedLtiGrades.code,
    ).toBe('NOT_FOUND');
    expect(
      (await service.ask('operator', SEND_FAILED, { id: registrationId })).data.sendFailedLtiGrades,
    ).toEqual({
      __typename: 'SendFailedLtiGradesPayload',
      count: 1,
    });
    await settled(learner);
    expect(told(2)).toHaveLength(1);
    expect((await service.ask('operator', FAILED, { id: registrationId })).data.node.failedGrades).toEqual(
      [],
    );
  });

  it('have a line item for each module where the link asked for it, found again and not made twice', async () => {
    const learner = learners[3]!;
    const link = { id: 'columns', custom: { xinqiao_course: 'core-gatekeeper', xinqiao_columns: 'modules' } };
    await launch(user(3), link);
    await complete(learner, 'signs-practice', 'attempted');
    await settled(learner);
    const [column] = platform.services.columns;
    expect(column).toMatchObject({
      resourceLinkId: 'columns',
      resourceId: expect.stringMatching(/^core-gatekeeper\//),
    });
    await finishActivities(service, learner);
    await until(async () =>
      platform.services.scores.filter(({ scoreGiven, userId }) => userId === 'user-t4' && scoreGiven === 100)
        .length === platform.services.columns.length
        ? true
        : undefined,
    );
    // The course itself has no grade before the exam.
    expect(platform.services.gradeOf('columns', 'user-t4')).not.toHaveProperty('scoreGiven');
    // Another learner of the same link uses the same columns.
    const made = platform.services.columns.length;
    expect(made).toBeGreaterThan(1);
    await service.database.pool.query('delete from lti_line_items');
    await launch(user(2), link);
    await settled(learners[2]!);
    expect(platform.services.columns).toHaveLength(made);
  });

  it('of a link to one module tell of that module alone', async () => {
    const { rows } = await service.database.pool.query<{
      manifest: { modules: { key: string; activities: { key: string }[] }[] };
    }>(`select manifest from course_versions where slug = 'core-gatekeeper' and is_current`);
    const module = rows[0]!.manifest.modules.find(({ activities }) =>
      activities.some(({ key }) => key === 'signs-practice'),
    )!;
    await launch(user(3), {
      id: 'module',
      custom: { xinqiao_course: 'core-gatekeeper', xinqiao_module: module.key },
    });
    await until(async () => (told(3, 'module').length > 0 ? true : undefined));
    expect(told(3, 'module').at(-1)).toMatchObject({ scoreGiven: 100, activityProgress: 'Completed' });
  });

  it('go to nobody’s line item but the learner’s own: not for teachers of the course, nor past a link that was taken back', async () => {
    const learner = learners[4]!;
    await launch(user(4, { roles: [`${MEMBERSHIP}#Instructor`] }));
    await complete(learner, 'signs-practice', 'attempted');
    await service.app.services.platformGrades.send();
    expect(await gradesOf(learner)).toEqual([]);
    await launch(user(4));
    await settled(learner);
    const count = told(4).length;
    // The account turns out to be somebody else’s.
    await service.database.pool.query(
      `update lti_accounts set person_id = (select person_id from person_sources where source_id = 't2') where subject = 'user-t5'`,
    );
    await complete(learner, 'signs-practice');
    await service.app.services.platformGrades.send();
    expect(told(4)).toHaveLength(count);
    await service.database.pool.query(
      `update lti_accounts set person_id = (select person_id from person_sources where source_id = 't5') where subject = 'user-t5'`,
    );
  });

  it('are sent to no address that is not the platform’s, though a launch names it', async () => {
    const learner = learners[4]!;
    const AGS = 'https://purl.imsglobal.org/spec/lti-ags/claim/endpoint';
    await launch(
      user(4),
      { ...COURSE, id: 'foreign' },
      {
        on: other,
        alter: (claims) => ({
          ...claims,
          [AGS]: { ...(claims[AGS] as object), lineitem: `${platform.issuer}/lineitems/course-link?type=1` },
        }),
      },
    );
    await until(async () =>
      (await gradesOf(learner)).some(({ state, failure }) => state === 'FAILED' && failure === 'FOREIGN')
        ? true
        : undefined,
    );
    // Nor is a token asked for, which could be taken there.
    expect(other.asked).not.toContain('/token');
    expect(other.services.scores).toEqual([]);
  });
});
