import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALL_SCOPES, makeWebFolder, registerPlatform } from '../support/registered.ts';
import { assignTeachers, startService, TestClock, until, type TestService } from '../support/service.ts';
import { LaunchClient, launchOf, MEMBERSHIP, noComplaints, TestPlatform } from '../support/platform.ts';
import type { Member } from '../support/platform-services.ts';

const ROSTERS = `query ($id: ID!) { node(id: $id) { ... on LtiRegistration { contexts { contextId title } rosters { id title isKept readAt failure linked waiting gone } } } }`;
const READ = `mutation ($input: ReadLtiRosterInput!) { readLtiRoster(input: $input) { __typename
  ... on ReadLtiRosterPayload { roster { id } } ... on Refusal { code } } }`;
const ASSIGN = `mutation ($input: AssignLtiRosterInput!) { assignLtiRoster(input: $input) { __typename
  ... on AssignLtiRosterPayload { assigned alreadyAssigned cohort { name } } ... on Refusal { code message } } }`;
const GIVE_UP = `mutation ($id: ID!) { giveUpLtiRoster(input: { rosterId: $id }) { __typename
  ... on GiveUpLtiRosterPayload { roster { isKept } } ... on Refusal { code } } }`;
const ACCOUNTS = `{ ltiAccounts(divisionCode: "430121", state: WAITING) { nodes { subject doubt } } }`;

const LEARNER = [`${MEMBERSHIP}#Learner`];
const member = (index: number, name: string, more: Partial<Member> = {}): Member => ({
  user_id: `user-t${index}`,
  roles: LEARNER,
  name,
  lis_person_sourcedid: `t${index}`,
  ...more,
});

describe('rosters of platforms', () => {
  let service: TestService;
  let platform: TestPlatform;
  let web: Awaited<ReturnType<typeof makeWebFolder>>;
  let registrationId: string;
  let certificationId: string;
  let rosterId: string;
  const clock = new TestClock(new Date().toISOString());

  beforeAll(async () => {
    [platform, web] = await Promise.all([TestPlatform.start(), makeWebFolder()]);
    platform.now = () => clock.now();
    service = await startService({
      clock,
      webFolder: web.folder,
      env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1' },
    });
    ({ certificationId } = await assignTeachers(service, ['t1', 't2', 't3', 't4']));
    registrationId = await registerPlatform(service, platform, { scopes: ALL_SCOPES });
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([platform.stop(), web.remove()]);
    noComplaints(platform);
  });

  const rosters = async (as = 'coordinator') =>
    (await service.ask(as, ROSTERS, { id: registrationId })).data.node as {
      contexts: { contextId: string; title: string }[];
      rosters: {
        id: string;
        readAt: string | null;
        failure: string | null;
        linked: number;
        waiting: number;
        gone: number;
        isKept: boolean;
      }[];
    };
  const read = async (as = 'coordinator', contextId = 'course-1') =>
    (await service.ask(as, READ, { input: { registrationId, contextId } })).data.readLtiRoster;
  /** Read again, at a later moment. */
  const again = async () => {
    clock.move(1);
    const at = clock.now().toISOString();
    await read();
    return until(async () => {
      const [roster] = (await rosters()).rosters;
      return roster?.readAt === at || (roster?.failure ?? null) !== null ? roster : undefined;
    });
  };

  it('are of courses that launches named, and for coordinators of the division to ask for', async () => {
    expect((await rosters()).contexts).toEqual([]);
    expect(await read()).toEqual({ __typename: 'NotFound', code: 'NOT_FOUND' });
    const answer = await new LaunchClient(service.app.publicUrl).open(
      platform,
      'xinqiao',
      { sub: 'user-t1', name: '王小明', personSourcedId: 't1' },
      { id: 'link', custom: { xinqiao_course: 'core-gatekeeper' } },
      { now: clock.now() },
    );
    expect(launchOf(await answer.text())).toBeDefined();
    expect((await rosters()).contexts).toEqual([{ contextId: 'course-1', title: '教师培训' }]);
    // An operator registers platforms, and is no coordinator of people.
    expect((await rosters('operator')).contexts).toEqual([]);
    for (const as of ['operator', 'hr', 't1']) expect((await read(as)).code).toBe('NOT_FOUND');
  });

  it('are read page by page: learners are matched as launches are, and whoever is not sure waits', async () => {
    platform.services.members = [
      member(1, '王小明'),
      // Short names of roles mean the same.
      member(2, '王小红', { roles: ['Learner'] }),
      member(3, '赵六'),
      member(9, '张三'),
      member(4, '王小丽', { roles: [`${MEMBERSHIP}#Instructor`] }),
      member(8, '孙八', { status: 'Inactive' }),
    ];
    const asked = await read();
    rosterId = asked.roster.id;
    const roster = await until(async () => (await rosters()).rosters.find(({ readAt }) => readAt !== null));
    expect(roster).toMatchObject({ linked: 2, waiting: 2, gone: 0, failure: null, isKept: true });
    const waiting = (await service.ask('coordinator', ACCOUNTS)).data.ltiAccounts.nodes;
    expect(waiting).toEqual([
      { subject: 'user-t3', doubt: 'NAME_DIFFERS' },
      { subject: 'user-t9', doubt: 'NOBODY' },
    ]);
    // Of whoever teaches there, or is there no more, nothing is kept.
    const { rows } = await service.database.pool.query(
      `select subject from lti_accounts where subject in ('user-t4', 'user-t8')`,
    );
    expect(rows).toEqual([]);
  });

  it('are read by their differences where the platform keeps count', async () => {
    platform.services.differences = [
      member(2, '王小红', { status: 'Deleted' }),
      member(4, '王小丽'),
      member(1, '王小明', { roles: [`${MEMBERSHIP}#Instructor`] }),
    ];
    const before = platform.asked.length;
    expect(await again()).toMatchObject({ linked: 1, waiting: 2, gone: 2 });
    expect(platform.asked.slice(before).filter((path) => path === '/memberships')).toHaveLength(2);
    // All of it again where its count is gone.
    platform.services.mishaps.push({ status: 404 });
    platform.services.offersDifferences = false;
    platform.services.members = [member(1, '王小明'), member(2, '王小红')];
    expect(await again()).toMatchObject({ linked: 2, waiting: 0, gone: 3, failure: null });
  });

  it('are a cohort, of those who hold the role', async () => {
    const input = { rosterId, certificationId, role: 'CLASS_TEACHER' };
    expect((await service.ask('coordinator', ASSIGN, { input })).data.assignLtiRoster).toEqual({
      __typename: 'AssignLtiRosterPayload',
      assigned: 0,
      alreadyAssigned: 2,
      cohort: { name: '教师培训' },
    });
    expect((await service.ask('hr', ASSIGN, { input })).data.assignLtiRoster.code).toBe('NOT_FOUND');
  });

  it('say why they could not be read, and go on being tried', async () => {
    platform.services.mishaps.push({ status: 403 });
    expect(await again()).toMatchObject({ failure: 'REFUSED', linked: 2 });
    for (const page of [
      { link: '<http://127.0.0.1:9/memberships?page=1>; rel="next"', failure: 'FOREIGN' },
      { link: '', failure: 'MALFORMED' },
    ]) {
      await service.database.pool.query('update lti_rosters set failure = null, failed_at = null');
      platform.instead.set('/memberships', (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', link: page.link });
        response.end(page.link === '' ? '{"members":"none"}' : '{"members":[]}');
      });
      expect(await again()).toMatchObject({ failure: page.failure, linked: 2 });
    }
    platform.instead.clear();
    await service.database.pool.query('update lti_rosters set failure = null, failed_at = null');
    expect(await again()).toMatchObject({ failure: null, linked: 2 });
  });

  it('are read each day until somebody gives them up', async () => {
    clock.move(24 * 60);
    const at = clock.now().toISOString();
    await service.app.services.platformRosters.keep();
    await until(async () => ((await rosters()).rosters[0]!.readAt === at ? true : undefined));
    expect((await service.ask('hr', GIVE_UP, { id: rosterId })).data.giveUpLtiRoster.code).toBe('NOT_FOUND');
    expect((await service.ask('coordinator', GIVE_UP, { id: rosterId })).data.giveUpLtiRoster).toEqual({
      __typename: 'GiveUpLtiRosterPayload',
      roster: { isKept: false },
    });
    clock.move(24 * 60);
    await service.app.services.platformRosters.read(
      Buffer.from(rosterId, 'base64').toString().split(':')[1]!,
    );
    expect((await rosters()).rosters[0]!.readAt).toBe(at);
  });
});
