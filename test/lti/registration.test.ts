import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registrationRequest } from '../../src/lti/configuration.ts';
import { platformOf } from '../../src/lti/platforms.ts';
import { systemClock } from '../../src/clock.ts';
import type { Log } from '../../src/log.ts';
import { makeKeySets } from '../../src/lti/key-set.ts';
import { makeServiceTokens } from '../../src/lti/service-token.ts';
import { makeOutbound } from '../../src/network/outbound.ts';
import { LaunchClient, launchOf, TestPlatform } from '../support/platform.ts';
import { importRoster, smallRoster, startService, TestClock, type TestService } from '../support/service.ts';

const INVITE = `mutation ($input: InviteLtiPlatformInput!) { inviteLtiPlatform(input: $input) { __typename
  ... on InviteLtiPlatformPayload { url expiresAt } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const REGISTER = `mutation ($input: RegisterLtiPlatformInput!) { registerLtiPlatform(input: $input) { __typename
  ... on RegisterLtiPlatformPayload { registration { id } } ... on Refusal { code message } ... on InvalidInput { path } } }`;
const CHANGE = `mutation ($input: ChangeLtiRegistrationInput!) { changeLtiRegistration(input: $input) { __typename
  ... on ChangeLtiRegistrationPayload { registration { name personClaim customParameter tokenUrl keySetUrl } } ... on Refusal { code } ... on InvalidInput { path } } }`;
const LIST = `{ ltiRegistrations(divisionCode: "430121") { id name platform issuer clientId way personClaim customParameter endedAt
  division { code } deployments { deploymentId state } } }`;
const ROTATE =
  'mutation { rotateLtiKey { __typename ... on RotateLtiKeyPayload { kid signsFrom } ... on Refusal { code } } }';
const TEACHER = { sub: 'u1', name: '王小明', personSourcedId: 't1' };

describe('registering a learning platform', () => {
  let service: TestService;
  let platform: TestPlatform;
  let url: string;
  const clock = new TestClock(new Date().toISOString());
  const reasons: { id: string; reason: string; detail?: string }[] = [];
  const lines: string[] = [];
  const keep = (...said: unknown[]): void => {
    lines.push(JSON.stringify(said));
    const [about] = said as [{ id: string; reason: string }];
    if (typeof about === 'object' && 'reason' in about) reasons.push(about);
  };
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };

  beforeAll(async () => {
    service = await startService({ clock, log, env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1' } });
    url = service.app.publicUrl;
    await importRoster(service, smallRoster([{ id: 't1', family: '王', given: '小明' }]));
    // Keys are the whole service's.
    await service.database.pool.query(
      `insert into role_grants (person_id, role, starts_on, reason) select person_id, 'operator', '2020-01-01', 'test' from sample_sign_ins where key = 'hr'`,
    );
  });
  beforeEach(async () => {
    platform = await TestPlatform.start();
    return async () => {
      await platform.stop();
    };
  });
  afterAll(async () => service.stop());

  const invite = async (more: Readonly<Record<string, unknown>> = {}): Promise<string> => {
    const { data } = await service.ask('operator', INVITE, {
      input: { divisionCode: '430121', name: '县平台', ...more },
    });
    return data.inviteLtiPlatform.url as string;
  };
  /** As a platform's page opens it. */
  const opened = async (
    invitation: string,
    configurationUrl = platform.configurationUrl,
    token?: string,
  ): Promise<Response> => {
    const address = new URL(invitation);
    address.searchParams.set('openid_configuration', configurationUrl);
    if (token !== undefined) address.searchParams.set('registration_token', token);
    return fetch(address);
  };
  const refused = async (response: Response): Promise<string> => {
    const html = await response.text();
    expect(response.status).toBe(400);
    expect(html).not.toContain('org.imsglobal.lti.close');
    const id = /编号：([\w-]+)/.exec(html)![1];
    return reasons.findLast((each) => each.id === id)!.reason;
  };
  const list = async () =>
    (await service.ask('operator', LIST)).data.ltiRegistrations as {
      id: string;
      issuer: string;
      clientId: string;
    }[];
  const ofPlatform = async () => (await list()).filter(({ issuer }) => issuer === platform.issuer);

  it('says what a product wants besides, or its tool is seen nowhere and is told of nobody', () => {
    const TOOL = 'https://purl.imsglobal.org/spec/lti-tool-configuration';
    const PRIVACY = 'https://canvas.instructure.com/lti/privacy_level';
    const said = (key: string, personClaim: 'person_sourcedid' | 'email') =>
      registrationRequest('https://xinqiao.example', {
        platform: platformOf(key),
        scopes: [],
        personClaim,
        customParameter: null,
      })[TOOL] as Record<string, unknown> & { messages: Record<string, unknown>[] };
    const canvas = said('canvas', 'person_sourcedid');
    expect(canvas[PRIVACY]).toBe('name_only');
    expect(said('canvas', 'email')[PRIVACY]).toBe('public');
    expect(canvas.messages).toMatchObject([
      { type: 'LtiResourceLinkRequest' },
      { type: 'LtiDeepLinkingRequest', placements: ['link_selection', 'assignment_selection'] },
    ]);
    const moodle = said('moodle', 'person_sourcedid');
    expect(JSON.stringify(moodle)).not.toMatch(/canvas|placements/);
  });

  it('takes one address, pasted once: then launches work', async () => {
    platform.registrationTokens.add('platform-token');
    const response = await opened(await invite(), platform.configurationUrl, 'platform-token');
    const html = await response.text();
    expect(html).toContain('org.imsglobal.lti.close');
    expect(html).toContain('县平台');
    const [tool] = [...platform.tools.values()];
    expect(await ofPlatform()).toEqual([
      {
        id: expect.any(String) as string,
        name: '县平台',
        platform: 'MOODLE',
        issuer: platform.issuer,
        clientId: tool!.clientId,
        way: 'DYNAMIC',
        personClaim: 'PERSON_SOURCEDID',
        customParameter: null,
        endedAt: null,
        division: { code: '430121' },
        deployments: [{ deploymentId: tool!.deploymentId, state: 'OPEN' }],
      },
    ]);
    // As the tool said of itself, to the letter.
    const sent = await new LaunchClient(url).login(
      platform.initiation(tool!.clientId, TEACHER, { id: 'l1' }),
    );
    expect(() => platform.authorize(new URL(sent.headers.get('location')!).searchParams)).not.toThrow();
    expect(platform.complaints).toEqual([]);
  });

  it('asks the platform for the parameter by which it is to find people', async () => {
    await opened(await invite({ personClaim: 'CUSTOM', customParameter: 'staff_number' }));
    expect([...platform.tools.values()][0]!.customParameters).toEqual({
      staff_number: '$Person.sourcedId',
    });
  });

  it('lets an invitation in once, of many at the same moment and afterwards; not one too old or made up', async () => {
    const invitation = await invite();
    const answers = await Promise.all(Array.from({ length: 5 }, async () => opened(invitation)));
    const pages = await Promise.all(answers.map(async (answer) => answer.text()));
    expect(pages.filter((html) => html.includes('org.imsglobal.lti.close'))).toHaveLength(1);
    expect(await ofPlatform()).toHaveLength(1);
    expect(await refused(await opened(invitation))).toBe('invitation-used');
    expect(await refused(await opened(`${url}/lti/register/${'x'.repeat(43)}`))).toBe('invitation-unknown');
    const late = await invite();
    clock.move(8 * 24 * 60);
    expect(await refused(await opened(late))).toBe('invitation-expired');
    // Kept as a hash: whoever reads the table can register nothing.
    const { rows } = await service.database.pool.query(
      'select string_agg(to_jsonb(i)::text, null) as all from lti_invitations i',
    );
    expect(rows[0].all).not.toContain(invitation.split('/').at(-1));
  });

  it('refuses what is not the platform it says it is, and keeps the invitation for another try', async () => {
    const invitation = await invite();
    const answering = (path: string, body: unknown, status = 200, type = 'application/json'): string => {
      platform.instead.set(path, (_request, response) => {
        response.writeHead(status, { 'content-type': type });
        response.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
      return `${platform.issuer}${path}`;
    };
    const good = platform.configuration();
    const wrong: [string, string][] = [
      ['not an address', 'configuration-url'],
      ['http://10.0.0.1/.well-known/openid-configuration', 'configuration-url'],
      ['https://169.254.169.254/latest/meta-data', 'configuration-url'],
      ['file:///etc/passwd', 'configuration-url'],
      [`${platform.issuer}/nothing-here`, 'configuration-unreachable'],
      [answering('/html', '<html>', 200, 'text/html'), 'configuration-unreachable'],
      [answering('/half', '{"issuer":'), 'configuration-unreachable'],
      [answering('/empty', {}), 'configuration-malformed'],
      [answering('/other', { ...good, issuer: 'https://lms.elsewhere.example' }), 'configuration-issuer'],
      [answering('/query', { ...good, issuer: `${platform.issuer}/?x=1` }), 'configuration-issuer'],
      [
        answering('/alg', { ...good, id_token_signing_alg_values_supported: ['HS256'] }),
        'configuration-lacks',
      ],
      [answering('/private', { ...good, jwks_uri: 'https://192.168.0.1/jwks' }), 'configuration-address'],
      [
        answering('/metadata', { ...good, token_endpoint: 'http://169.254.169.254/token' }),
        'configuration-address',
      ],
      [
        answering('/refuses', { ...good, registration_endpoint: answering('/no', { error: 'x' }, 403) }),
        'registration-failed',
      ],
      [
        answering('/clientless', { ...good, registration_endpoint: answering('/nameless', {}) }),
        'registration-malformed',
      ],
    ];
    for (const [address, reason] of wrong)
      expect([address, await refused(await opened(invitation, address))]).toEqual([address, reason]);
    // A gigabyte, however it comes.
    platform.instead.set('/large', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(2 ** 30) });
      response.write('{');
    });
    platform.instead.set('/endless', (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        if (!response.destroyed) response.write(' '.repeat(65_536), () => setImmediate(more));
      };
      more();
    });
    platform.instead.set('/away', (_request, response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end(),
    );
    for (const path of ['/large', '/endless', '/away'])
      expect(await refused(await opened(invitation, `${platform.issuer}${path}`))).toBe(
        'configuration-unreachable',
      );
    expect(await ofPlatform()).toEqual([]);
    expect(await (await opened(invitation)).text()).toContain('org.imsglobal.lti.close');
    // The same client once more is another registration, which there is already.
    platform.nextClientId = [...platform.tools.keys()][0]!;
    expect(await refused(await opened(await invite()))).toBe('registration-taken');
    expect(lines.join('\n')).not.toMatch(/lti\/register\/[\w-]{20}/);
  });

  it('takes a deployment that was not told when an operator says so; of Open edX the first', async () => {
    platform.tellsDeployment = false;
    platform.family = 'openedx';
    await opened(await invite());
    const [tool] = [...platform.tools.values()];
    const client = new LaunchClient(url);
    const response = await client.open(platform, tool!.clientId, TEACHER, { id: 'l1' }, { now: clock.now() });
    // The pages are not built here; that it came so far shows that it was let in.
    expect(response.status).toBe(500);
    const second = { ...tool!, deploymentId: 'another' };
    platform.know(second);
    const refusal = await client.open(platform, tool!.clientId, TEACHER, { id: 'l1' }, { now: clock.now() });
    expect(refusal.status).toBe(403);
    expect(launchOf(await refusal.text())).toBeUndefined();
    expect(await ofPlatform()).toMatchObject([
      { deployments: [{ state: 'OPEN' }, { deploymentId: 'another', state: 'WAITING' }] },
    ]);
  });

  it('by hand: says what is wrong with what was entered, and writes nothing then', async () => {
    const good = {
      divisionCode: '430121',
      name: '平台',
      issuer: platform.issuer,
      clientId: 'c1',
      authUrl: platform.authUrl,
      tokenUrl: platform.tokenUrl,
      keySetUrl: platform.keySetUrl,
    };
    const register = async (alter: Readonly<Record<string, unknown>>, as = 'operator') =>
      (await service.ask(as, REGISTER, { input: { ...good, ...alter } })).data.registerLtiPlatform as {
        code?: string;
        path?: string;
        registration?: { id: string };
      };
    for (const [alter, path] of [
      [{ name: ' ' }, 'input.name'],
      [{ issuer: 'with blank' }, 'input.issuer'],
      [{ clientId: '' }, 'input.clientId'],
      [{ authUrl: 'javascript:alert(1)' }, 'input.authUrl'],
      [{ keySetUrl: 'https://127.0.0.2/jwks' }, 'input.keySetUrl'],
      [{ keySetUrl: 'https://lms.example:22/jwks' }, 'input.keySetUrl'],
      [{ tokenUrl: 'https://user:secret@lms.example/token' }, 'input.tokenUrl'],
      [{ deploymentIds: [''] }, 'input.deploymentIds'],
      [{ frameOrigins: ['https://lms.example/path'] }, 'input.frameOrigins'],
      [{ frameOrigins: ["https://lms.example; script-src 'unsafe-inline'"] }, 'input.frameOrigins'],
      [{ personClaim: 'CUSTOM' }, 'input.customParameter'],
      [{ customParameter: 'x' }, 'input.customParameter'],
      [{ personClaim: 'CUSTOM', customParameter: '<x>' }, 'input.customParameter'],
    ] as const)
      expect([alter, await register(alter)]).toMatchObject([alter, { code: 'INVALID_INPUT', path }]);
    expect(await register({ divisionCode: '999999' })).toMatchObject({ code: 'NOT_FOUND' });
    for (const as of ['coordinator', 'issuer'])
      expect(await register({}, as)).toMatchObject({ code: 'NOT_FOUND' });
    expect(await ofPlatform()).toEqual([]);
    const id = (await register({})).registration!.id;
    expect(await register({})).toMatchObject({ code: 'REGISTERED' });
    // A coordinator of the division sees it, whoever has nothing to do with it does not.
    const node = `query ($id: ID!) { node(id: $id) { ... on LtiRegistration { name } } }`;
    expect((await service.ask('coordinator', node, { id })).data.node).toEqual({ name: '平台' });
    expect((await service.ask('issuer', node, { id })).data.node).toBeNull();
    const change = async (input: Readonly<Record<string, unknown>>) =>
      (await service.ask('operator', CHANGE, { input: { registrationId: id, ...input } })).data
        .changeLtiRegistration as Record<string, unknown>;
    expect(await change({})).toMatchObject({ code: 'INVALID_INPUT' });
    expect(await change({ keySetUrl: 'https://10.1.1.1/' })).toMatchObject({ path: 'input.keySetUrl' });
    expect(await change({ name: '新名', tokenUrl: null })).toMatchObject({
      registration: { name: '新名', tokenUrl: null, keySetUrl: platform.keySetUrl },
    });
  });

  it('keeps its own keys: the next is shown before it signs, and the one before after it', async () => {
    const shown = async (): Promise<string[]> =>
      ((await (await service.fetch('/lti/jwks.json')).json()) as { keys: { kid: string }[] }).keys.map(
        ({ kid }) => kid,
      );
    const signs = async (): Promise<string> => {
      const token = await service.app.services.platformKeys.sign({ exp: 1 });
      return (JSON.parse(Buffer.from(token.split('.')[0]!, 'base64url').toString()) as { kid: string }).kid;
    };
    const [first] = await shown();
    expect(await signs()).toBe(first);
    // Of a county is not enough.
    expect((await service.ask('operator', ROTATE)).data.rotateLtiKey.code).toBe('NOT_ALLOWED');
    const { kid } = (await service.ask('hr', ROTATE)).data.rotateLtiKey as { kid: string };
    expect((await service.ask('hr', ROTATE)).data.rotateLtiKey.code).toBe('KEY_IS_NEW');
    expect(await shown()).toEqual([first, kid]);
    expect(await signs()).toBe(first);
    clock.move(2 * 24 * 60);
    expect(await signs()).toBe(kid);
    expect(await shown()).toEqual([first, kid]);
    clock.move(8 * 24 * 60);
    expect(await shown()).toEqual([kid]);
    // What is too old goes, and a new one comes by itself.
    clock.move(80 * 24 * 60);
    await service.app.services.platformKeys.keep();
    expect((await shown()).length).toBe(2);
    // Public parts alone are told, and private ones lie sealed.
    const text = await (await service.fetch('/lti/jwks.json')).text();
    expect(text).not.toMatch(/"(?:d|p|q|dp|dq|qi)":/);
    const { rows } = await service.database.pool.query<{ sealed: Buffer }>('select sealed from lti_keys');
    for (const { sealed } of rows) expect(sealed.toString('latin1')).not.toContain('PRIVATE KEY');
  });

  it('gets tokens for a platform’s services by what it signs, once for as long as they are good', async () => {
    await opened(await invite());
    const [tool] = [...platform.tools.values()];
    const outbound = makeOutbound({ allow: ['localhost'], ports: [443], allowHttp: false });
    const tokens = makeServiceTokens({
      outbound,
      keys: service.app.services.platformKeys,
      clock: systemClock,
      random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    });
    const registration = {
      id: '1',
      clientId: tool!.clientId,
      tokenUrl: platform.tokenUrl,
      tokenAudience: null,
    };
    const scope = ['https://purl.imsglobal.org/spec/lti-ags/scope/score'];
    // The service's clock of this test stands far ahead of the platform's.
    const asked = await Promise.allSettled([
      tokens.get(registration, scope),
      tokens.get(registration, scope),
    ]);
    expect(asked.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    const token = await tokens.get(registration, scope);
    expect(platform.tokens.get(token)).toMatchObject({ clientId: tool!.clientId, scopes: scope });
    expect(platform.tokens.size).toBe(1);
    tokens.forget(registration, scope);
    expect(await tokens.get(registration, scope)).not.toBe(token);
    await expect(tokens.get(registration, ['everything'])).rejects.toThrow('400');
    await outbound.close();
  });

  it('gives up on a key set that does not come', async () => {
    platform.instead.set('/slow', () => undefined);
    const outbound = makeOutbound({ allow: ['localhost'], ports: [443], allowHttp: false });
    const sets = makeKeySets({ outbound, clock: systemClock, timeoutMs: 100 });
    await expect(sets.keyOf(`${platform.issuer}/slow`, { alg: 'RS256' })).rejects.toMatchObject({
      reason: 'key-set-unreachable',
      detail: 'TIMED_OUT',
    });
    await outbound.close();
  });
});
