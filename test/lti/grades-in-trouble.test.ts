import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeWebFolder, registerPlatform, SCORE_SCOPES } from '../support/registered.ts';
import {
  assignTeachers,
  startService,
  TestClock,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';
import { LaunchClient, launchOf, noComplaints, TestPlatform } from '../support/platform.ts';
import type { Mishap } from '../support/platform-services.ts';

const GRADES = `query ($id: ID!) { node(id: $id) { ... on Assignment { platformGrades { id linkTitle state failure retryAt } } } }`;
const AGAIN = `mutation ($id: ID!) { sendLtiGradeAgain(input: { gradeId: $id }) { __typename ... on Refusal { code } } }`;
const FAILED = `query ($id: ID!) { node(id: $id) { ... on LtiRegistration { failedGrades { state failure status } } } }`;
const SEND_FAILED = `mutation ($id: ID!) { sendFailedLtiGrades(input: { registrationId: $id }) { ... on SendFailedLtiGradesPayload { count } } }`;
const CHANGE = `mutation ($input: ChangeLtiRegistrationInput!) { changeLtiRegistration(input: $input) { __typename ... on Refusal { code message } } }`;
const RECORD = `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename } }`;

const NAMES = ['王小明', '王小红', '王小刚', '王小丽', '王小强'];
const HOUR = 60;

describe('grades of a platform in trouble', () => {
  let service: TestService;
  let platform: TestPlatform;
  let other: TestPlatform;
  let learners: Learner[];
  let registrationId: string;
  let web: Awaited<ReturnType<typeof makeWebFolder>>;
  const clock = new TestClock(new Date().toISOString());

  beforeAll(async () => {
    [platform, other, web] = await Promise.all([TestPlatform.start(), TestPlatform.start(), makeWebFolder()]);
    platform.now = other.now = () => clock.now();
    service = await startService({
      clock,
      webFolder: web.folder,
      env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1' },
    });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4', 't5']));
    registrationId = await registerPlatform(service, platform, { scopes: SCORE_SCOPES });
    await registerPlatform(service, other, { scopes: SCORE_SCOPES });
  });
  afterEach(() => {
    for (const each of [platform, other]) {
      each.services.mishaps.splice(0);
      each.services.mishapOf = () => undefined;
      each.services.release();
      each.instead.clear();
    }
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([platform.stop(), other.stop(), web.remove()]);
    noComplaints(platform, other);
  });

  const launch = async (
    index: number,
    link: string,
    { at = platform, columns = false } = {},
  ): Promise<void> => {
    const answer = await new LaunchClient(service.app.publicUrl).open(
      at,
      'xinqiao',
      { sub: `user-t${index + 1}`, name: NAMES[index]!, personSourcedId: `t${index + 1}` },
      {
        id: link,
        title: link,
        custom: { xinqiao_course: 'core-gatekeeper', ...(columns ? { xinqiao_columns: 'modules' } : {}) },
      },
      { now: clock.now() },
    );
    expect(launchOf(await answer.text())).toBeDefined();
  };
  const learn = async (index: number, verb = 'attempted'): Promise<unknown> =>
    service.ask(learners[index]!.key, RECORD, {
      input: {
        assignmentId: learners[index]!.assignmentId,
        activityKey: 'signs-practice',
        language: 'zh_CN',
        statements: [
          { verb: { id: `http://adlnet.gov/expapi/verbs/${verb}` }, object: { id: 'https://example.org/x' } },
        ],
      },
    });
  const gradesOf = async (index: number) =>
    ((await service.ask(learners[index]!.key, GRADES, { id: learners[index]!.assignmentId })).data.node
      ?.platformGrades ?? []) as {
      id: string;
      linkTitle: string;
      state: string;
      failure: string | null;
      retryAt: string | null;
    }[];
  const gradeOf = async (index: number, link: string) =>
    (await gradesOf(index)).find(({ linkTitle }) => linkTitle === link);
  const reaches = async (index: number, link: string, state: string) =>
    until(async () => {
      const grade = await gradeOf(index, link);
      return grade?.state === state ? grade : undefined;
    });
  /** Owes it again, as its learner may. */
  const again = async (index: number, link: string): Promise<void> => {
    clock.move(2);
    const { data } = await service.ask(learners[index]!.key, AGAIN, {
      id: (await gradeOf(index, link))!.id,
    });
    expect(data.sendLtiGradeAgain.__typename).toBe('SendLtiGradeAgainPayload');
  };
  const told = (index: number, link: string, on = platform) =>
    on.services.scores.filter(({ lineItem, userId }) => lineItem === link && userId === `user-t${index + 1}`)
      .length;
  const failed = async () =>
    (await service.ask('operator', FAILED, { id: registrationId })).data.node.failedGrades as {
      state: string;
      failure: string;
      status: number | null;
    }[];
  const tokensAsked = (): number => platform.asked.filter((path) => path === '/token').length;
  const answerToken = (status: number, body: string, headers: Record<string, string> = {}): void => {
    // The kept ones are past.
    clock.move(2 * HOUR);
    platform.instead.set('/token', (_request, response) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(body);
    });
  };
  const on =
    (link: string, mishap: Mishap, body = '') =>
    (pathname: string, said: string): Mishap | undefined =>
      pathname === `/lineitems/${link}/scores` && said.includes(body) ? mishap : undefined;

  it('of a line item that breaks put off no other line item, learner or platform', async () => {
    for (const index of [0, 1]) {
      await learn(index);
      await launch(index, 'sound');
      await launch(index, 'broken');
      await launch(index, 'elsewhere', { at: other });
      await reaches(index, 'broken', 'SENT');
    }
    platform.services.mishapOf = on('broken', { status: 500 });
    await learn(0, 'completed');
    await reaches(0, 'broken', 'LATE');
    await reaches(0, 'sound', 'SENT');
    await reaches(0, 'elsewhere', 'SENT');
    await learn(1, 'completed');
    await reaches(1, 'broken', 'LATE');
    await reaches(1, 'sound', 'SENT');
    expect([told(0, 'sound'), told(1, 'sound'), told(0, 'elsewhere', other)]).toEqual([2, 2, 2]);
    expect([told(0, 'broken'), told(1, 'broken')]).toEqual([1, 1]);
    // Often enough for waits of hours, and still nobody else waits.
    for (let time = 0; time < 6; time += 1) {
      clock.move(7 * HOUR);
      await service.app.services.platformGrades.send();
    }
    await again(1, 'sound');
    await reaches(1, 'sound', 'SENT');
    expect(told(1, 'sound')).toBe(3);
    platform.services.mishapOf = () => undefined;
    clock.move(8 * HOUR);
    await service.app.services.platformGrades.send();
    for (const index of [0, 1]) await reaches(index, 'broken', 'SENT');
    expect([told(0, 'broken'), told(1, 'broken')]).toEqual([2, 2]);
  });

  it('of one learner whom the platform chokes on put off nobody else at the same line item', async () => {
    const before = [told(0, 'sound'), told(1, 'sound')];
    platform.services.mishapOf = on('sound', { status: 500 }, 'user-t1"');
    await again(0, 'sound');
    await reaches(0, 'sound', 'LATE');
    await again(1, 'sound');
    await reaches(1, 'sound', 'SENT');
    platform.services.mishapOf = () => undefined;
    clock.move(HOUR);
    await service.app.services.platformGrades.send();
    await reaches(0, 'sound', 'SENT');
    expect([told(0, 'sound'), told(1, 'sound')]).toEqual(before.map((count) => count + 1));
  });

  it('go on from a module’s line item that breaks to those beside it', async () => {
    await learn(2, 'completed');
    // The first of its columns is not to be written to for now.
    platform.services.mishapOf = on('c1', { status: 503 });
    await launch(2, 'columns', { columns: true });
    await reaches(2, 'columns', 'LATE');
    expect(told(2, 'c1')).toBe(0);
    expect(told(2, 'columns')).toBe(1);
    platform.services.mishapOf = () => undefined;
    clock.move(HOUR);
    await service.app.services.platformGrades.send();
    await reaches(2, 'columns', 'SENT');
    expect([told(2, 'c1'), told(2, 'columns')]).toEqual([1, 1]);
  });

  it('of a platform that hangs hold up nobody else’s, who are told meanwhile', async () => {
    // Whichever of them comes first.
    for (const [hanging, stuck, sound, link] of [
      [platform, 'sound', other, 'elsewhere'],
      [other, 'elsewhere', platform, 'sound'],
    ] as const) {
      const before = [told(0, stuck, hanging), told(0, link, sound)];
      hanging.services.mishapOf = sound.services.mishapOf = () => ({ status: 503 });
      for (const each of [stuck, link]) {
        await again(0, each);
        await reaches(0, each, 'LATE');
      }
      hanging.services.mishapOf = () => 'hang';
      sound.services.mishapOf = () => undefined;
      clock.move(HOUR);
      const sending = service.app.services.platformGrades.send();
      await until(async () => (hanging.services.hanging > 0 ? true : undefined));
      await reaches(0, link, 'SENT');
      expect(await gradeOf(0, stuck)).toMatchObject({ state: 'LATE' });
      hanging.services.mishapOf = () => undefined;
      hanging.services.release();
      await sending;
      clock.move(HOUR);
      await service.app.services.platformGrades.send();
      await reaches(0, stuck, 'SENT');
      expect([told(0, stuck, hanging), told(0, link, sound)]).toEqual(before.map((count) => count + 1));
    }
  });

  it('wait for a token endpoint that is out of order, by themselves, and are told then', async () => {
    const count = told(0, 'sound');
    let taken = 0;
    for (const [status, body, headers, failure, least] of [
      [500, '', {}, 'BUSY', 20],
      [503, '{"error":"invalid_client"}', { 'retry-after': '1800' }, 'BUSY', 1_800],
      [429, '', { 'retry-after': '900' }, 'BUSY', 900],
      [400, '{"error":"temporarily_unavailable"}', {}, 'BUSY', 20],
      [200, '<h1>Maintenance</h1>', {}, 'TOKEN', 20],
    ] as const) {
      answerToken(status, body, headers);
      await again(0, 'sound');
      const grade = await reaches(0, 'sound', 'LATE');
      expect(grade.failure).toBe(failure);
      const wait = Date.parse(grade.retryAt!) - clock.now().getTime();
      expect(wait).toBeGreaterThanOrEqual(least * 1_000);
      expect(wait).toBeLessThan(8 * 3_600_000);
      platform.instead.clear();
      clock.move(wait / 60_000 + 0.01);
      await service.app.services.platformGrades.send();
      await reaches(0, 'sound', 'SENT');
      taken += 1;
      expect(told(0, 'sound')).toBe(count + taken);
    }
    clock.move(2 * HOUR);
    platform.instead.set('/token', (request) => void request.socket.destroy());
    await again(0, 'sound');
    expect((await reaches(0, 'sound', 'LATE')).failure).toBe('UNREACHABLE');
    platform.instead.clear();
    clock.move(HOUR);
    await service.app.services.platformGrades.send();
    await reaches(0, 'sound', 'SENT');
  });

  it('that get no token because it is refused are shown, not tried for ever, and go through once it is put right', async () => {
    for (const [status, body] of [
      [400, '{"error":"invalid_client"}'],
      [401, '{"error":"invalid_client"}'],
      [400, '{"error":"unauthorized_client"}'],
      [400, '{"error":"invalid_scope","error_description":"no"}'],
      [404, '<h1>Not found</h1>'],
      [200, '{"access_token":"t","token_type":"Bearer","scope":"something-else"}'],
    ] as const) {
      const before = [told(0, 'sound'), told(1, 'sound')];
      answerToken(status, body);
      for (const index of [0, 1]) {
        await again(index, 'sound');
        expect(await reaches(index, 'sound', 'FAILED')).toMatchObject({ failure: 'TOKEN', retryAt: null });
      }
      expect(await failed()).toEqual([
        { state: 'FAILED', failure: 'TOKEN', status },
        { state: 'FAILED', failure: 'TOKEN', status },
      ]);
      const asked = tokensAsked();
      clock.move(24 * HOUR);
      await service.app.services.platformGrades.send();
      expect(tokensAsked()).toBe(asked);
      platform.instead.clear();
      // By the learner alone, and by the operator for all.
      await again(0, 'sound');
      await reaches(0, 'sound', 'SENT');
      expect(
        (await service.ask('operator', SEND_FAILED, { id: registrationId })).data.sendFailedLtiGrades.count,
      ).toBe(1);
      await reaches(1, 'sound', 'SENT');
      expect([told(0, 'sound'), told(1, 'sound')]).toEqual(before.map((count) => count + 1));
      expect(await failed()).toEqual([]);
    }
  });

  it('ask for a refused token once, for however many learners', async () => {
    platform.services.mishapOf = () => ({ status: 503 });
    for (const index of [0, 1]) {
      await again(index, 'sound');
      await reaches(index, 'sound', 'LATE');
    }
    platform.services.mishapOf = () => undefined;
    answerToken(400, '{"error":"invalid_client"}');
    const asked = tokensAsked();
    await service.app.services.platformGrades.send();
    for (const index of [0, 1]) await reaches(index, 'sound', 'FAILED');
    expect(tokensAsked()).toBe(asked + 1);
  });

  it('are sent by themselves once the registration’s addresses are mended', async () => {
    const before = [told(0, 'sound'), told(1, 'sound')];
    platform.instead.clear();
    const change = async (input: object): Promise<void> => {
      const { data } = await service.ask('operator', CHANGE, { input: { registrationId, ...input } });
      expect(data.changeLtiRegistration).toEqual({ __typename: 'ChangeLtiRegistrationPayload' });
    };
    await change({ name: '县教学平台' });
    await service.app.services.platformGrades.send();
    expect([told(0, 'sound'), told(1, 'sound')]).toEqual(before);
    await change({ tokenUrl: platform.tokenUrl });
    for (const index of [0, 1]) await reaches(index, 'sound', 'SENT');
    expect([told(0, 'sound'), told(1, 'sound')]).toEqual(before.map((count) => count + 1));
  });

  it('that a new token does not help either are shown, and wait for somebody', async () => {
    platform.services.mishaps.push({ status: 401 }, { status: 401 });
    const [asked, count] = [tokensAsked(), told(0, 'sound')];
    await again(0, 'sound');
    expect(await reaches(0, 'sound', 'FAILED')).toMatchObject({ failure: 'TOKEN', retryAt: null });
    expect(tokensAsked()).toBeLessThanOrEqual(asked + 2);
    await again(0, 'sound');
    await reaches(0, 'sound', 'SENT');
    expect(told(0, 'sound')).toBe(count + 1);
  });

  it('leave a platform alone that is asked too often, for as long as it wants, and no longer than six hours or so', async () => {
    for (const [mishap, least, most] of [
      [{ status: 429, headers: { 'retry-after': '600' } }, 600, 750],
      // As Canvas may say it.
      [{ status: 403, headers: { 'x-rate-limit-remaining': '0.0' } }, 20, 500],
      [{ status: 429, headers: { 'retry-after': '999999999' } }, 21_600, 27_000],
    ] as const) {
      platform.services.mishaps.push(mishap);
      await again(0, 'sound');
      const grade = await reaches(0, 'sound', 'LATE');
      expect(grade.failure).toBe('BUSY');
      const wait = (Date.parse(grade.retryAt!) - clock.now().getTime()) / 1_000;
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(most);
      const asked = platform.services.asked.length;
      const elsewhere = told(0, 'elsewhere', other);
      const { rows } = await service.database.pool.query<{ id: string }>(
        `update lti_grades g set owed = true, again = true, changes = changes + 1 from lti_accounts a where a.id = g.account_id and a.subject in ('user-t1', 'user-t2') and g.owed = false returning g.id`,
      );
      expect(rows.length).toBeGreaterThan(2);
      await service.app.services.platformGrades.send();
      expect(platform.services.asked).toHaveLength(asked);
      // The other platform did not ask for it.
      expect(told(0, 'elsewhere', other)).toBe(elsewhere + 1);
      clock.move(wait / 60 + 0.01);
      await service.app.services.platformGrades.send();
      for (const index of [0, 1]) await reaches(index, 'sound', 'SENT');
    }
  });

  it('that a fault of ours stops let those behind it pass', async () => {
    await service.database.pool.query(
      `update lti_resource_links set line_item_url = 'no address' where resource_link_id = 'broken'`,
    );
    await service.database.pool.query(
      `update lti_grades g set owed = true, again = true from lti_accounts a where a.id = g.account_id and a.subject = 'user-t2'`,
    );
    const count = told(1, 'sound');
    await service.app.services.platformGrades.send();
    await until(async () => (told(1, 'sound') === count + 1 ? true : undefined));
    const { rows } = await service.database.pool.query<{ owed: boolean; waits: boolean }>(
      `select g.owed, g.retry_at is not null and g.failures > 0 as waits from lti_grades g join lti_resource_links k on k.id = g.resource_link_id where k.resource_link_id = 'broken'`,
    );
    expect(rows).toEqual([
      { owed: true, waits: true },
      { owed: true, waits: true },
    ]);
    await service.database.pool.query(
      `update lti_resource_links set line_item_url = $1 where resource_link_id = 'broken'`,
      [`${platform.issuer}/lineitems/broken?type=1`],
    );
    clock.move(HOUR);
    await service.app.services.platformGrades.send();
    for (const index of [0, 1]) await reaches(index, 'broken', 'SENT');
  });
});
