import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashSecret } from '../../src/access/access-token.ts';
import type { Log } from '../../src/log.ts';
import {
  assignTeachers,
  startService,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';
import {
  LaunchClient,
  launchOf,
  MEMBERSHIP,
  strangersKey,
  TestPlatform,
  type Link,
  type PlatformUser,
} from '../support/platform.ts';

const REGISTER = `mutation ($input: RegisterLtiPlatformInput!) { registerLtiPlatform(input: $input) { __typename
  ... on RegisterLtiPlatformPayload { registration { id deployments { deploymentId state } } } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const ACCOUNTS = `query ($state: LtiAccountState!) { ltiAccounts(divisionCode: "430121", state: $state) { nodes {
  id number subject doubt toldName toldIdentifier candidates { id name } person { id } } } }`;
const LINK = `mutation ($input: LinkLtiAccountInput!) { linkLtiAccount(input: $input) { __typename
  ... on LinkLtiAccountPayload { account { state person { name } toldName } } ... on Refusal { code } } }`;
const REFUSE = `mutation ($id: ID!) { refuseLtiAccount(input: { accountId: $id }) { __typename
  ... on RefuseLtiAccountPayload { account { state } } ... on Refusal { code } } }`;
const ME = '{ viewer { person { name } } }';

const COURSE: Link = { id: 'link-1', custom: { xinqiao_course: 'core-gatekeeper' } };

describe('launches of learning platforms', () => {
  let service: TestService;
  let platform: TestPlatform;
  let other: TestPlatform;
  let learners: Learner[];
  let webFolder: string;
  let url: string;
  let registrationId: string;
  const clock = new TestClock(new Date().toISOString());
  const lines: { reason?: string; id?: string; line: string }[] = [];
  const keep = (...[about, what]: unknown[]): void =>
    void lines.push({
      ...(typeof about === 'object' ? (about as { reason?: string; id?: string }) : {}),
      line: JSON.stringify([about, what]),
    });
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };

  const register = async (
    of: TestPlatform,
    more: Readonly<Record<string, unknown>> = {},
    clientId = 'xinqiao',
  ) => {
    const answer = await service.ask('operator', REGISTER, {
      input: {
        divisionCode: '430121',
        name: '长沙县教学平台',
        platform: 'MOODLE',
        issuer: of.issuer,
        clientId,
        authUrl: of.authUrl,
        tokenUrl: of.tokenUrl,
        keySetUrl: of.keySetUrl,
        deploymentIds: ['d1'],
        ...more,
      },
    });
    of.know({
      clientId,
      deploymentId: 'd1',
      loginUrl: `${url}/lti/login`,
      redirectUris: [`${url}/lti/launch`],
      keySetUrl: `${url}/lti/jwks.json`,
      targetUrl: `${url}/lti/launch`,
      scopes: ['https://purl.imsglobal.org/spec/lti-ags/scope/score'],
    });
    return answer.data.registerLtiPlatform as {
      __typename: string;
      registration: { id: string };
      code?: string;
      path?: string;
    };
  };

  beforeAll(async () => {
    webFolder = await mkdtemp(join(tmpdir(), 'xinqiao-lti-'));
    await writeFile(join(webFolder, 'index.html'), '<!doctype html><html><head></head><body></body></html>');
    [platform, other] = await Promise.all([TestPlatform.start(), TestPlatform.start()]);
    service = await startService({
      clock,
      log,
      webFolder,
      env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1', LOG_LEVEL: 'debug' },
    });
    url = service.app.publicUrl;
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4']));
    registrationId = (await register(platform)).registration.id;
    await register(other);
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([platform.stop(), other.stop()]);
    await rm(webFolder, { recursive: true, force: true });
    const complaints = [...platform.complaints, ...other.complaints];
    if (complaints.length > 0) throw new Error(complaints.join('\n'));
  });

  const lastReason = (): string | undefined =>
    lines.findLast(({ reason, line }) => reason !== undefined && line.includes('launch was refused'))?.reason;
  /** A page for a person, which tells an attacker nothing: and the reason in the log under its id. */
  const refused = async (response: Response): Promise<string> => {
    const html = await response.text();
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.headers.get('content-type')).toMatch(/text\/html/);
    expect(launchOf(html)).toBeUndefined();
    const id = /编号：([\w-]+)/.exec(html)?.[1];
    const line = lines.findLast((each) => each.id === id);
    expect(line?.reason).toBeDefined();
    expect(html).not.toContain(line!.reason!);
    return line!.reason!;
  };
  const teacher = (id: string, name: string, more: Partial<PlatformUser> = {}): PlatformUser => ({
    sub: `user-${id}`,
    name,
    personSourcedId: id,
    ...more,
  });
  const t1 = teacher('t1', '王小明');
  const open = async (user: PlatformUser, link: Link = COURSE, of = platform, clientId = 'xinqiao') =>
    new LaunchClient(url).open(of, clientId, user, link, { now: clock.now() });
  const waiting = async (state = 'WAITING') =>
    (await service.ask('coordinator', ACCOUNTS, { state })).data.ltiAccounts.nodes as {
      id: string;
      number: string;
      subject: string;
      doubt: string | null;
      toldName: string | null;
      toldIdentifier: string | null;
      candidates: { id: string; name: string }[];
      person: { id: string } | null;
    }[];

  describe('a teacher who comes from the platform', () => {
    it('is in their own assignment of the course, with a session that the page has', async () => {
      const response = await open(t1);
      const html = await response.text();
      expect(response.status).toBe(200);
      const arrived = launchOf(html)!;
      expect(arrived).toMatchObject({
        assignmentId: learners[0]!.assignmentId,
        activityKey: null,
        missingCourse: null,
      });
      expect((await service.ask(arrived.token, ME)).data.viewer.person.name).toBe('王小明');
      // Who may frame it: the platform, and nobody else.
      expect(response.headers.get('content-security-policy')).toContain(
        `frame-ancestors 'self' ${platform.issuer}`,
      );
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect((await service.fetch('/')).headers.get('content-security-policy')).toContain(
        "frame-ancestors 'self'",
      );
      expect((await service.fetch('/')).headers.get('content-security-policy')).not.toContain(
        platform.issuer,
      );
    });

    it('may be sent by POST, with an audience in a list, and to one of the activities', async () => {
      const client = new LaunchClient(url);
      const sent = await client.login(
        platform.initiation('xinqiao', t1, {
          id: 'link-2',
          custom: { xinqiao_course: 'core-gatekeeper', xinqiao_activity: 'signs-practice' },
        }),
        'POST',
      );
      const { state, nonce, hint } = platform.authorize(new URL(sent.headers.get('location')!).searchParams);
      const claims = { ...platform.claims(hint, nonce, clock.now()), aud: ['xinqiao'], azp: 'xinqiao' };
      const html = await (await client.launch({ state, id_token: await platform.sign(claims) })).text();
      expect(launchOf(html)).toMatchObject({
        assignmentId: learners[0]!.assignmentId,
        activityKey: 'signs-practice',
      });
    });

    it('may be named a course by the address of the link, and is told of one that is not theirs', async () => {
      const link = { id: 'link-3', targetUrl: `${url}/lti/launch?course=core-gatekeeper` };
      expect(launchOf(await (await open(t1, link)).text())).toMatchObject({
        assignmentId: learners[0]!.assignmentId,
      });
      const none = { id: 'link-4', custom: { xinqiao_course: 'no-such-course' } };
      expect(launchOf(await (await open(t1, none)).text())).toMatchObject({
        assignmentId: null,
        missingCourse: { 'zh-CN': 'no-such-course', en: 'no-such-course' },
      });
      expect(launchOf(await (await open(t1, { id: 'link-5' })).text())).toMatchObject({
        assignmentId: null,
        missingCourse: null,
      });
    });

    it('leaves what a grade needs later: the link, its services and who somebody is there', async () => {
      await open({ ...t1, roles: [`${MEMBERSHIP}#Learner`, 'Instructor'] });
      const { rows } = await service.database.pool.query(
        `select a.subject, l.roles, k.line_item_url, k.grade_scopes, s.id is not null as assigned, c.course_slug
         from lti_launches l join lti_accounts a on a.id = l.account_id join lti_resource_links k on k.id = l.resource_link_id
         join assignments s on s.id = l.assignment_id join certifications c on c.id = s.certification_id where k.resource_link_id = 'link-1'`,
      );
      expect(rows).toEqual([
        {
          subject: 'user-t1',
          roles: ['instructor', 'learner'],
          line_item_url: `${platform.issuer}/lineitems/link-1?type=1`,
          grade_scopes: ['https://purl.imsglobal.org/spec/lti-ags/scope/score'],
          assigned: true,
          course_slug: 'core-gatekeeper',
        },
      ]);
    });

    it('has a session that the page renews, and that ends where the platform’s registration does', async () => {
      const ended = await TestPlatform.start();
      const { registration } = await register(ended);
      const { token } = launchOf(await (await open(t1, COURSE, ended)).text())!;
      const RENEW =
        'mutation { renewLaunchedSession { __typename ... on RenewLaunchedSessionPayload { expiresAt } ... on Refusal { code } } }';
      clock.move(60);
      const renewed = (await service.ask(token, RENEW)).data.renewLaunchedSession;
      expect(Date.parse(renewed.expiresAt as string) - clock.now().getTime()).toBe(12 * 3_600_000);
      expect((await service.ask('t1', RENEW)).data.renewLaunchedSession).toMatchObject({
        code: 'NOT_LAUNCHED',
      });
      const end = `mutation ($id: ID!) { endLtiRegistration(input: { registrationId: $id }) { __typename } }`;
      expect(
        (await service.ask('coordinator', end, { id: registration.id })).data.endLtiRegistration,
      ).toEqual({
        __typename: 'NotFound',
      });
      await service.ask('operator', end, { id: registration.id });
      expect((await service.ask(token, ME)).data.viewer).toBeNull();
      expect(await refused(await open(t1, COURSE, ended))).toBe('issuer-unknown');
      await ended.stop();
    });
  });

  describe('who it is', () => {
    it('is the one person of the number in the division, on two platforms too; and nobody by halves', async () => {
      const found = launchOf(await (await open({ ...t1, sub: 'elsewhere' }, COURSE, other)).text())!;
      expect((await service.ask(found.token, ME)).data.viewer.person.name).toBe('王小明');

      const doubtful: [PlatformUser, string][] = [
        [teacher('t99', '张三'), 'NOBODY'],
        [{ sub: 'user-none', name: '李四' }, 'NO_CLAIM'],
        [{ sub: 'user-variable', name: '李四', personSourcedId: '$Person.sourcedId' }, 'NO_CLAIM'],
        [teacher('t2', '赵六'), 'NAME_DIFFERS'],
        [{ ...t1, sub: 'user-t1-again' }, 'TAKEN'],
      ];
      for (const [user, doubt] of doubtful) {
        const response = await open(user);
        const html = await response.text();
        expect(response.status).toBe(403);
        const account = (await waiting()).find(({ subject }) => subject === user.sub);
        expect(account).toMatchObject({ doubt, toldName: user.name, person: null });
        // By which number it is asked for.
        expect(html).toContain(`<strong>${account!.number}</strong>`);
      }
      // Names that are not written in Chinese prove nothing, and the parts of a name come in any order.
      for (const user of [
        teacher('t3', 'Wang Xiaogang'),
        { sub: 'user-t4', personSourcedId: 't4', givenName: '小丽', familyName: '王' },
      ])
        expect(launchOf(await (await open(user)).text())).toBeDefined();
    });

    it('is for a coordinator of the division to say, once; then the launch goes through', async () => {
      const account = (await waiting()).find(({ doubt }) => doubt === 'NAME_DIFFERS')!;
      expect(account.candidates.map(({ name }) => name)).toEqual(['王小红']);
      const input = { accountId: account.id, personId: account.candidates[0]!.id };
      expect((await service.ask('hr', LINK, { input })).data.linkLtiAccount.code).toBe('NOT_FOUND');
      expect((await service.ask('hr', ACCOUNTS, { state: 'WAITING' })).data.ltiAccounts).toBeNull();
      const taken = (await waiting()).find(({ doubt }) => doubt === 'TAKEN')!;
      expect(
        (
          await service.ask('coordinator', LINK, {
            input: { accountId: taken.id, personId: taken.candidates[0]!.id },
          })
        ).data.linkLtiAccount.code,
      ).toBe('PERSON_LINKED');
      const linked = await service.ask('coordinator', LINK, { input });
      expect(linked.data.linkLtiAccount).toEqual({
        __typename: 'LinkLtiAccountPayload',
        // What the platform told is of no more use.
        account: { state: 'LINKED', person: { name: '王小红' }, toldName: null },
      });
      expect((await service.ask('coordinator', LINK, { input })).data.linkLtiAccount.code).toBe(
        'ACCOUNT_LINKED',
      );
      const html = await (await open(teacher('t2', '赵六'))).text();
      const { token, assignmentId } = launchOf(html)!;
      expect(assignmentId).toBe(learners[1]!.assignmentId);
      // A wrong link is taken back, and what came by it is over.
      expect((await service.ask('coordinator', REFUSE, { id: account.id })).data.refuseLtiAccount).toEqual({
        __typename: 'RefuseLtiAccountPayload',
        account: { state: 'REFUSED' },
      });
      expect((await service.ask(token, ME)).data.viewer).toBeNull();
      expect(await refused(await open(teacher('t2', '赵六')))).toBe('account-refused');
    });

    it('is found as soon as a roster has brought them', async () => {
      const user = teacher('late', '王小芳');
      expect((await open(user)).status).toBe(403);
      await service.database.pool.query(
        `update people set staff_number = 'late' where id = (select person_id from person_sources where source_id = 't2')`,
      );
      await service.database.pool.query(
        `update people set name = '王小芳' where id = (select person_id from person_sources where source_id = 't2')`,
      );
      expect(launchOf(await (await open(user)).text())).toBeDefined();
    });

    it('by a custom parameter, or by an address of somebody of the name', async () => {
      const custom = await TestPlatform.start();
      await register(custom, { personClaim: 'CUSTOM', customParameter: 'staff' });
      expect(
        launchOf(
          await (
            await open({ sub: 'x1', name: '王小刚' }, { id: 'l', custom: { staff: 't3' } }, custom)
          ).text(),
        ),
      ).toBeDefined();
      const mail = await TestPlatform.start();
      await register(mail, { personClaim: 'EMAIL' });
      await service.ask(
        't3',
        `mutation { setOwnContacts(input: { email: "gang@school.example" }) { __typename } }`,
      );
      const gang = { sub: 'x2', name: '王小刚', email: 'Gang@school.example' };
      expect((await open({ ...gang, sub: 'x3', name: '王小丽' }, COURSE, mail)).status).toBe(403);
      expect((await open({ ...gang, sub: 'x4', emailVerified: false }, COURSE, mail)).status).toBe(403);
      expect(launchOf(await (await open(gang, COURSE, mail)).text())).toBeDefined();
      await Promise.all([custom.stop(), mail.stop()]);
    });
  });

  describe('a browser without cookies', () => {
    it('proves by the platform’s storage that it is the same one, or is offered a window of its own', async () => {
      const client = new LaunchClient(url);
      const sent = await client.login(
        platform.initiation('xinqiao', t1, COURSE, { lti_storage_target: '_parent' }),
      );
      const keeping = await sent.text();
      const said = (html: string, name: string): string =>
        new RegExp(`data-${name}="([^"]*)"`).exec(html)![1]!.replaceAll('&amp;', '&');
      expect(said(keeping, 'origin')).toBe(platform.issuer);
      const { state, nonce, hint } = platform.authorize(new URL(said(keeping, 'to')).searchParams);
      client.forgetCookies();
      const form = { state, id_token: await platform.sign(platform.claims(hint, nonce, clock.now())) };
      const fetching = await (await client.launch(form, { 'sec-fetch-dest': 'iframe' })).text();
      expect(launchOf(fetching)).toBeUndefined();
      expect(said(fetching, 'key')).toBe(said(keeping, 'key'));
      // Somebody who was told the state alone has nothing.
      expect(await refused(await client.launch({ ...form, browser: state }))).toBe('state-other-browser');
      const launched = await client.launch({ ...form, browser: said(keeping, 'value') });
      expect(launchOf(await launched.text())).toBeDefined();
    });

    it('begins again in the new window with all that the platform said; there a cookie must do', async () => {
      const client = new LaunchClient(url);
      const sent = await client.login(platform.initiation('xinqiao', t1, COURSE));
      const { state, nonce, hint } = platform.authorize(new URL(sent.headers.get('location')!).searchParams);
      client.forgetCookies();
      const form = { state, id_token: await platform.sign(platform.claims(hint, nonce, clock.now())) };
      const html = await (await client.launch(form, { 'sec-fetch-dest': 'iframe' })).text();
      const again = /class="go" href="([^"]+)"/.exec(html)![1]!.replaceAll('&amp;', '&');
      expect(again.startsWith(`${url}/lti/login?`)).toBe(true);
      const begun = await client.send(again.slice(url.length));
      platform.authorize(new URL(begun.headers.get('location')!).searchParams);
      expect(await refused(await client.launch(form, { 'sec-fetch-dest': 'document' }))).toBe(
        'state-not-bound',
      );
    });
  });

  it('keeps nothing of a login that nobody comes back from, however much a platform says', async () => {
    const rows = async (): Promise<unknown> =>
      (
        await service.database.pool.query(
          `select relname, (xpath('//n/text()', query_to_xml('select count(*) as n from ' || relname, false, true, '')))[1]::text as count
           from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relname ~ '^(lti_|sessions$)' order by 1`,
        )
      ).rows;
    const before = await rows();
    const client = new LaunchClient(url);
    for (const hint of ['short', 'x'.repeat(2_500), 'x'.repeat(6_000)]) {
      const sent = await client.login({
        ...platform.initiation('xinqiao', t1, COURSE),
        lti_message_hint: hint,
      });
      const to = sent.headers.get('location')!;
      // Web servers take that much. What is said is carried along twice while it fits.
      expect(to.length).toBeLessThan(8_000);
      const state = new URL(to).searchParams.get('state')!;
      expect(state.length > 2_500).toBe(hint.length === 2_500);
      expect(state).not.toContain('x'.repeat(20));
    }
    expect(await rows()).toEqual(before);
  });

  it('offers no window where too much was said, and says how it goes', async () => {
    const client = new LaunchClient(url);
    const sent = await client.login({
      ...platform.initiation('xinqiao', t1, COURSE),
      lti_message_hint: 'x'.repeat(6_000),
    });
    const state = new URL(sent.headers.get('location')!).searchParams.get('state')!;
    client.forgetCookies();
    const html = await (await client.launch({ state }, { 'sec-fetch-dest': 'iframe' })).text();
    expect(html).toContain('在新窗口中打开');
    expect(html).not.toContain('<a ');
  });

  it('goes by what the registration is now, whoever changed it', async () => {
    const changed = await TestPlatform.start();
    const { registration } = await register(changed);
    const began = async () => {
      const client = new LaunchClient(url);
      const sent = await client.login(changed.initiation('xinqiao', t1, COURSE));
      const { state, nonce, hint } = changed.authorize(new URL(sent.headers.get('location')!).searchParams);
      const token = await changed.sign(changed.claims(hint, nonce, clock.now()));
      return async () => client.launch({ state, id_token: token });
    };
    const [first, second, third] = [await began(), await began(), await began()];
    expect(launchOf(await (await first()).text())).toBeDefined();
    // Another process of the service: this one has the registration at hand.
    const id = Buffer.from(registration.id, 'base64').toString().split(':')[1];
    const pool = service.database.pool;
    await pool.query('update lti_registrations set key_set_url = $2 where id = $1', [
      id,
      `${other.issuer}/jwks`,
    ]);
    expect(await refused(await second())).toBe('key-unknown');
    await pool.query('update lti_registrations set key_set_url = $2 where id = $1', [
      id,
      `${changed.issuer}/jwks`,
    ]);
    expect(launchOf(await (await second()).text())).toBeDefined();
    await pool.query(
      'update lti_registrations set ended_at = registered_at, ended_by = (select min(id) from people) where id = $1',
      [id],
    );
    expect(await refused(await third())).toBe('issuer-unknown');
    await changed.stop();
  });

  describe('what is wrong is refused, each for its own reason', () => {
    /** As far as the platform’s answer, which the test then spoils. */
    const begun = async (of = platform, clientId = 'xinqiao') => {
      const client = new LaunchClient(url);
      const sent = await client.login(of.initiation(clientId, t1, COURSE));
      const { state, nonce, hint } = of.authorize(new URL(sent.headers.get('location')!).searchParams);
      return { client, state, nonce, claims: of.claims(hint, nonce, clock.now()) };
    };
    const spoiled = async (
      alter: (claims: Record<string, unknown>) => Record<string, unknown>,
      sign: Parameters<TestPlatform['sign']>[1] = {},
    ): Promise<string> => {
      const { client, state, claims } = await begun();
      return refused(await client.launch({ state, id_token: await platform.sign(alter(claims), sign) }));
    };
    /** A token that no library signs. */
    const crippled = async (
      header: Record<string, unknown>,
      of: TestPlatform,
      clientId = 'xinqiao',
      key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey,
    ): Promise<string> => {
      const { client, state, claims } = await begun(of, clientId);
      const text = [{ alg: 'RS256', ...header }, claims]
        .map((each) => Buffer.from(JSON.stringify(each)).toString('base64url'))
        .join('.');
      const signature = sign('RSA-SHA256', Buffer.from(text), key).toString('base64url');
      return refused(await client.launch({ state, id_token: `${text}.${signature}` }));
    };
    const LTI = 'https://purl.imsglobal.org/spec/lti/claim/';
    const seconds = (): number => Math.floor(clock.now().getTime() / 1000);

    it('the state: missing, made up, of another browser, shown again, too old', async () => {
      const first = await begun();
      const idToken = await platform.sign(first.claims);
      expect(await refused(await first.client.launch({ id_token: idToken }))).toBe('state-missing');
      expect(await refused(await first.client.launch({ state: 'x'.repeat(43), id_token: idToken }))).toBe(
        'state-unknown',
      );
      // Another browser that has a cookie of that name.
      const second = await begun();
      const name = `__Host-xinqiao-lti-${hashSecret(first.state).toString('hex').slice(0, 16)}`;
      const foreign = await fetch(`${url}/lti/launch`, {
        method: 'POST',
        headers: { cookie: `${name}=${'y'.repeat(43)}` },
        body: new URLSearchParams({ state: first.state, id_token: idToken }),
      });
      expect(await refused(foreign)).toBe('state-other-browser');
      const cookie = first.client.cookie(name)!;
      expect(
        launchOf(await (await first.client.launch({ state: first.state, id_token: idToken })).text()),
      ).toBeDefined();
      // The page is loaded again: its cookie is gone, or some browser has kept it.
      expect(await refused(await first.client.launch({ state: first.state, id_token: idToken }))).toBe(
        'state-used',
      );
      const again = await fetch(`${url}/lti/launch`, {
        method: 'POST',
        headers: { cookie: `${name}=${cookie}` },
        body: new URLSearchParams({ state: first.state, id_token: idToken }),
      });
      expect(await refused(again)).toBe('state-used');
      clock.move(11);
      expect(
        await refused(
          await second.client.launch({ state: second.state, id_token: await platform.sign(second.claims) }),
        ),
      ).toBe('state-expired');
    });

    it('is used once, however many come with it at the same moment', async () => {
      const { client, state, claims } = await begun();
      const idToken = await platform.sign(claims);
      const answers = await Promise.all(
        Array.from({ length: 8 }, async () => client.launch({ state, id_token: idToken })),
      );
      const codes = await Promise.all(answers.map(async (answer) => launchOf(await answer.text())));
      expect(codes.filter((code) => code !== undefined)).toHaveLength(1);
    });

    it('the nonce: missing, of nobody, of a launch before', async () => {
      expect(await spoiled(({ nonce: _nonce, ...rest }) => rest)).toBe('nonce-missing');
      expect(await spoiled((claims) => ({ ...claims, nonce: 'made-up' }))).toBe('nonce-unknown');
      const before = await begun();
      await before.client.launch({ state: before.state, id_token: await platform.sign(before.claims) });
      // The very token, in a login of its own.
      const { client, state } = await begun();
      expect(
        await refused(await client.launch({ state, id_token: await platform.sign(before.claims) })),
      ).toBe('nonce-used');
    });

    it('the signature: none, a shared secret, a stranger’s, a key that is not there', async () => {
      const { client, state, claims } = await begun();
      const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
      expect(
        await refused(await client.launch({ state, id_token: `${part({ alg: 'none' })}.${part(claims)}.` })),
      ).toBe('algorithm-refused');
      const secret = new TextEncoder().encode(await platform.publicKeyPem());
      expect(await spoiled((claims_) => claims_, { header: { alg: 'HS256' }, key: secret })).toBe(
        'algorithm-refused',
      );
      expect(await spoiled((claims_) => claims_, { key: await strangersKey() })).toBe('signature-wrong');
      expect(await spoiled((claims_) => claims_, { header: { kid: 'no-such-key' } })).toBe('key-unknown');
      // RFC 7515, section 4.1.11: whoever does not know an extension that is critical refuses.
      expect(await crippled({ crit: ['exp'] }, platform)).toBe('token-malformed');
      // Looked for once more, and then not for a while, whoever asks.
      const asked = platform.asked.filter((path) => path === '/jwks').length;
      for (let turn = 0; turn < 5; turn += 1)
        expect(await spoiled((claims_) => claims_, { header: { kid: `none-${turn}` } })).toBe('key-unknown');
      expect(platform.asked.filter((path) => path === '/jwks').length).toBeLessThanOrEqual(asked + 1);
      clock.move(1);
      await platform.addKey();
      const { client: next, state: nextState, claims: nextClaims } = await begun();
      expect(
        launchOf(
          await (await next.launch({ state: nextState, id_token: await platform.sign(nextClaims) })).text(),
        ),
      ).toBeDefined();
    });

    it('from whom, for whom, when', async () => {
      const wrong: [(claims: Record<string, unknown>) => Record<string, unknown>, string][] = [
        [(claims) => ({ ...claims, iss: 'https://evil.example' }), 'issuer-wrong'],
        [(claims) => ({ ...claims, iss: `${platform.issuer}/` }), 'issuer-wrong'],
        [({ iss: _iss, ...claims }) => claims, 'issuer-wrong'],
        [(claims) => ({ ...claims, aud: 'another' }), 'audience-wrong'],
        [(claims) => ({ ...claims, aud: ['another', 'third'], azp: 'another' }), 'audience-wrong'],
        [({ aud: _aud, ...claims }) => claims, 'audience-wrong'],
        [(claims) => ({ ...claims, aud: ['xinqiao', 'another'] }), 'party-missing'],
        [(claims) => ({ ...claims, aud: ['xinqiao', 'another'], azp: 'another' }), 'party-wrong'],
        [(claims) => ({ ...claims, azp: 'another' }), 'party-wrong'],
        [(claims) => ({ ...claims, exp: seconds() - 61 }), 'expired'],
        [(claims) => ({ ...claims, exp: 'soon' }), 'expiry-missing'],
        [({ exp: _exp, ...claims }) => claims, 'expiry-missing'],
        [(claims) => ({ ...claims, iat: seconds() + 120 }), 'issued-in-future'],
        [({ iat: _iat, ...claims }) => claims, 'issued-missing'],
        [(claims) => ({ ...claims, nbf: seconds() + 120 }), 'not-yet-valid'],
      ];
      for (const [alter, reason] of wrong) expect(await spoiled(alter)).toBe(reason);
    });

    it('the message: its type, version, deployment, target, link, subject', async () => {
      const wrong: [Record<string, unknown>, string][] = [
        [{ [`${LTI}message_type`]: 'LtiSubmissionReviewRequest' }, 'message-type'],
        [{ [`${LTI}version`]: '1.1' }, 'version-wrong'],
        [{ [`${LTI}deployment_id`]: undefined }, 'deployment-missing'],
        [{ [`${LTI}deployment_id`]: 'd9' }, 'deployment-unknown'],
        [{ [`${LTI}target_link_uri`]: undefined }, 'target-missing'],
        [{ [`${LTI}target_link_uri`]: 'https://evil.example/lti/launch' }, 'target-foreign'],
        [{ [`${LTI}target_link_uri`]: `${url}@evil.example/` }, 'target-foreign'],
        [{ [`${LTI}target_link_uri`]: `//evil.example/` }, 'target-foreign'],
        [{ [`${LTI}resource_link`]: {} }, 'resource-link-missing'],
        [{ sub: undefined }, 'subject-missing'],
        [{ [`${LTI}roles`]: undefined }, 'roles-missing'],
      ];
      for (const [alter, reason] of wrong)
        expect(await spoiled((claims) => ({ ...claims, ...alter }))).toBe(reason);
      // The deployment waits for an operator now.
      const SET = `mutation ($input: SetLtiDeploymentInput!) { setLtiDeployment(input: $input) { __typename
        ... on SetLtiDeploymentPayload { registration { deployments { deploymentId state } } } ... on Refusal { code } } }`;
      const input = { registrationId, deploymentId: 'd9', open: true };
      expect((await service.ask('coordinator', SET, { input })).data.setLtiDeployment.code).toBe('NOT_FOUND');
      expect(
        (await service.ask('operator', SET, { input })).data.setLtiDeployment.registration.deployments,
      ).toEqual([
        { deploymentId: 'd1', state: 'OPEN' },
        { deploymentId: 'd9', state: 'OPEN' },
      ]);
      const { client, state, claims } = await begun();
      const idToken = await platform.sign({ ...claims, [`${LTI}deployment_id`]: 'd9' });
      expect(launchOf(await (await client.launch({ state, id_token: idToken })).text())).toBeDefined();
      await service.ask('operator', SET, { input: { ...input, open: false } });
      expect(await spoiled((all) => ({ ...all, [`${LTI}deployment_id`]: 'd9' }))).toBe('deployment-closed');
    });

    it('two platforms with the same client_id are not mixed up', async () => {
      const { client, state, nonce, claims } = await begun();
      // A token of the other platform, signed by its own key, in answer to a login at this one.
      const foreign = await other.sign({ ...claims, iss: other.issuer, nonce });
      expect(await refused(await client.launch({ state, id_token: foreign }))).toBe('key-unknown');
      const second = await begun();
      const borrowed = await platform.sign({ ...second.claims, iss: other.issuer });
      expect(await refused(await second.client.launch({ state: second.state, id_token: borrowed }))).toBe(
        'issuer-wrong',
      );
    });

    it('what is too large, there twice, or no token at all', async () => {
      const { client, state, claims } = await begun();
      const large = await platform.sign({ ...claims, padding: 'x'.repeat(40_000) });
      expect(await refused(await client.launch({ state, id_token: large }))).toBe('token-oversized');
      expect(await refused(await client.launch({ state: 'x', id_token: 'y'.repeat(200_000) }))).toBe(
        'launch-oversized',
      );
      for (const [token, reason] of [
        ['', 'token-malformed'],
        ['not.a token', 'token-malformed'],
        ['a.b.c', 'token-malformed'],
      ] as const) {
        const next = await begun();
        expect(await refused(await next.client.launch({ state: next.state, id_token: token }))).toBe(reason);
      }
      const next = await begun();
      expect(await refused(await next.client.launch({ state: next.state }))).toBe('token-missing');
      const denied = await begun();
      expect(
        await refused(await denied.client.launch({ state: denied.state, error: 'login_required' })),
      ).toBe('platform-error');
      const twice = new URLSearchParams({ state });
      twice.append('state', 'another');
      expect(await refused(await client.send('/lti/launch', { method: 'POST', body: twice }))).toBe(
        'launch-parameter-repeated',
      );
    });

    it('the login: of an unknown issuer, of several, without a parameter, to somewhere else', async () => {
      const client = new LaunchClient(url);
      const good = platform.initiation('xinqiao', t1, COURSE);
      const login = async (alter: Record<string, string | undefined>): Promise<string> =>
        refused(
          await client.login(
            Object.fromEntries(
              Object.entries({ ...good, ...alter }).filter(([, value]) => value !== undefined),
            ) as Record<string, string>,
          ),
        );
      expect(await login({ iss: 'https://evil.example' })).toBe('issuer-unknown');
      expect(await login({ client_id: 'another' })).toBe('issuer-unknown');
      for (const name of ['iss', 'login_hint', 'target_link_uri'])
        expect(await login({ [name]: undefined })).toBe('login-parameter-missing');
      for (const target of [
        'https://evil.example/',
        `${url}@evil.example/`,
        `${url}.evil.example/`,
        'javascript:alert(1)',
        '/lti/launch',
        '//evil.example',
      ])
        expect(await login({ target_link_uri: target })).toBe('target-foreign');
      expect(await login({ login_hint: 'x'.repeat(8_001) })).toBe('login-oversized');
      expect(
        await refused(await client.send(`/lti/login?${new URLSearchParams(good).toString()}&iss=x`)),
      ).toBe('login-parameter-repeated');
      // The issuer alone names a platform as long as it has one client.
      const { client_id: _client, lti_deployment_id: _deployment, ...bare } = good;
      expect((await client.login(bare)).status).toBe(303);
      await register(platform, { deploymentIds: ['d2'] }, 'second');
      expect(await refused(await client.login(bare))).toBe('issuer-ambiguous');
      // The deployment tells which.
      const one = await client.login({ ...bare, lti_deployment_id: 'd2' });
      expect(new URL(one.headers.get('location')!).searchParams.get('client_id')).toBe('second');
    });

    it('a key set that is away, redirects, is slow, is nonsense, or has short keys', async () => {
      const broken = await TestPlatform.start();
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
      broken.instead.set('/short', (_request, response) =>
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(
            JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 's', alg: 'RS256' }] }),
          ),
      );
      await register(broken, { keySetUrl: `${broken.issuer}/short` }, 'short');
      expect(await crippled({ kid: 's' }, broken, 'short', privateKey)).toBe('key-set-wrong');
      for (const [index, [answer, reason]] of (
        [
          [(_request, response) => response.writeHead(500).end(), 'key-set-unreachable'],
          [
            (_request, response) =>
              response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
            'key-set-unreachable',
          ],
          [
            (_request, response) => {
              response.writeHead(200, { 'content-type': 'application/json' });
              response.write(`{"keys":[{"kty":"RSA","n":"${'A'.repeat(300_000)}`);
            },
            'key-set-unreachable',
          ],
          [
            (_request, response) =>
              response.writeHead(200, { 'content-type': 'application/json' }).end('{"keys":1}'),
            'key-set-wrong',
          ],
        ] as [Parameters<TestPlatform['instead']['set']>[1], string][]
      ).entries()) {
        const path = `/keys-${index}`;
        broken.instead.set(path, answer);
        await register(broken, { keySetUrl: `${broken.issuer}${path}` }, `client-${index}`);
        const { client, state, claims } = await begun(broken, `client-${index}`);
        expect(await refused(await client.launch({ state, id_token: await broken.sign(claims) }))).toBe(
          reason,
        );
      }
      await broken.stop();
    });
  });

  it('speaks English to who asks for it, and shows nothing to press', async () => {
    const response = await fetch(
      `${url}/lti/login?iss=https://nowhere.example&login_hint=x&target_link_uri=${url}`,
      {
        headers: { 'accept-language': 'en' },
      },
    );
    const html = await response.text();
    expect(html).toContain('is not registered here');
    expect(html).not.toMatch(/<a |<button|<form|<script/);
    expect(lastReason()).toBe('issuer-unknown');
  });

  it('writes no token, no secret and no name into the log', () => {
    const text = lines.map(({ line }) => line).join('\n');
    expect(text).toContain('launch was refused');
    expect(text).not.toMatch(/eyJ|王小明|user-t1|xqs_/);
  });
});
