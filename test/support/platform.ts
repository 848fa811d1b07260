import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  createRemoteJWKSet,
  decodeProtectedHeader,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  jwtVerify,
  SignJWT,
  type CryptoKey,
  type JSONWebKeySet,
  type JWK,
} from 'jose';

import { PlatformServices } from './platform-services.ts';

const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
const TOOL = 'https://purl.imsglobal.org/spec/lti-tool-configuration';
export const MEMBERSHIP = 'http://purl.imsglobal.org/vocab/lis/v2/membership';

/** What the platform knows of a tool that was registered there. */
export interface KnownTool {
  readonly clientId: string;
  readonly deploymentId: string;
  readonly loginUrl: string;
  readonly redirectUris: readonly string[];
  readonly keySetUrl: string;
  readonly targetUrl: string;
  readonly scopes: readonly string[];
  readonly customParameters: Readonly<Record<string, string>>;
}

export interface PlatformUser {
  readonly sub: string;
  readonly name?: string;
  readonly givenName?: string;
  readonly familyName?: string;
  readonly email?: string;
  readonly emailVerified?: boolean;
  readonly personSourcedId?: string;
  readonly roles?: readonly string[];
}

export interface Link {
  readonly id: string;
  readonly title?: string;
  readonly custom?: Readonly<Record<string, unknown>>;
  readonly targetUrl?: string;
}

/** Something in what the tool did is against the specification. */
export class PlatformError extends Error {
  override name = 'PlatformError';
}

const must = (condition: boolean, what: string): void => {
  if (!condition) throw new PlatformError(what);
};

/**
 * A page of a course, with what is linked in a frame, which is made as high as the tool asks for; what it says is kept in `window.told`. Where `storage`
 * is on, the page itself keeps what the tool puts.
 */
const coursePage = (source: string, storage: boolean): string => `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><title>教学平台</title></head><body style="margin:0">
<p style="margin:8px">教学平台的课程页</p>
<iframe name="tool" title="课程" src="${source}" style="border:0;width:100%;height:700px" allow="fullscreen"></iframe>
<script>
var told = [];
window.addEventListener('message', function (event) {
  told.push(event.data);
  if (event.data.subject === 'lti.frameResize') document.querySelector('iframe').style.height = event.data.height + 'px';
});
</script>
${
  storage
    ? `<script>
var kept = {};
window.addEventListener('message', function (event) {
  var said = event.data;
  if (typeof said !== 'object' || said === null || !/^lti\\.(put|get)_data$/.test(said.subject)) return;
  var answer = { subject: said.subject + '.response', message_id: said.message_id, key: said.key };
  var mine = event.origin + ' ' + said.key;
  if (said.subject === 'lti.put_data') kept[mine] = answer.value = said.value;
  else answer.value = kept[mine];
  event.source.postMessage(answer, event.origin);
});
</script>`
    : ''
}
</body></html>`;

/**
 * A learning platform over real HTTP that is strict with the tool: what the specifications say a tool must do is checked, and anything else is an
 * error. Its registration comes by hand, or by itself (`/register`).
 */
export class TestPlatform {
  readonly issuer: string;
  /** By client_id. */
  readonly tools = new Map<string, KnownTool>();
  /** What it refused, and why: a test that ends with some has found a fault. */
  readonly complaints: string[] = [];
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** What a path answers instead. */
  readonly instead = new Map<string, (request: IncomingMessage, response: ServerResponse) => void>();
  /** Of the next registration; a real platform makes them up. */
  nextClientId: string | undefined;
  /** What time it is there. */
  now: () => Date = () => new Date();
  /** Whether a registration is told its deployment. */
  tellsDeployment = true;
  family = 'moodle';
  readonly registrationTokens = new Set<string>();
  readonly #server: Server;
  readonly #hints = new Map<string, { user: PlatformUser; link: Link; clientId: string }>();
  #keys: { kid: string; private: CryptoKey; public: CryptoKey }[] = [];

  /** Grades, members and deep links. */
  readonly services: PlatformServices;

  private constructor(server: Server, host: string) {
    this.#server = server;
    this.issuer = `http://${host}:${(server.address() as AddressInfo).port}`;
    this.services = new PlatformServices(this);
  }

  /** @param host the name by which a browser knows this machine: another than the service's makes it another site. */
  static async start({ host = 'localhost' }: { host?: string } = {}): Promise<TestPlatform> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const platform = new TestPlatform(server, host);
    await platform.addKey();
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      void platform.#answer(request, response).catch((error: unknown) => {
        platform.complaints.push(error instanceof Error ? error.message : String(error));
        response.writeHead(400, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: 'invalid_request' }));
      });
    });
    return platform;
  }

  get authUrl(): string {
    return `${this.issuer}/auth?here=1`;
  }
  get tokenUrl(): string {
    return `${this.issuer}/token`;
  }
  get keySetUrl(): string {
    return `${this.issuer}/jwks`;
  }
  get configurationUrl(): string {
    return `${this.issuer}/.well-known/openid-configuration`;
  }

  /** Another key, which signs from now on; those before stay published unless they are taken away. */
  async addKey({ alone = false }: { alone?: boolean } = {}): Promise<void> {
    const pair = await generateKeyPair('RS256', { extractable: true });
    const key = {
      kid: `key-${randomBytes(4).toString('hex')}`,
      private: pair.privateKey,
      public: pair.publicKey,
    };
    this.#keys = alone ? [key] : [...this.#keys, key];
  }

  async keySet(): Promise<JSONWebKeySet> {
    return {
      keys: await Promise.all(
        this.#keys.map(async ({ kid, public: key }): Promise<JWK> => ({
          ...(await exportJWK(key)),
          kid,
          alg: 'RS256',
          use: 'sig',
        })),
      ),
    };
  }

  async publicKeyPem(): Promise<string> {
    return exportSPKI(this.#keys.at(-1)!.public);
  }
  get kid(): string {
    return this.#keys.at(-1)!.kid;
  }

  know(tool: Omit<KnownTool, 'scopes' | 'customParameters'> & Partial<KnownTool>): KnownTool {
    const known = { scopes: [], customParameters: {}, ...tool };
    this.tools.set(known.clientId, known);
    return known;
  }

  /** What a browser is sent to the tool with (LTI 1.3, section 4.1). */
  initiation(
    clientId: string,
    user: PlatformUser,
    link: Link,
    more: Readonly<Record<string, string>> = {},
  ): Record<string, string> {
    const hint = randomBytes(12).toString('hex');
    this.#hints.set(hint, { user, link, clientId });
    const tool = this.tools.get(clientId)!;
    return {
      iss: this.issuer,
      login_hint: user.sub,
      target_link_uri: link.targetUrl ?? tool.targetUrl,
      lti_message_hint: hint,
      lti_deployment_id: tool.deploymentId,
      client_id: clientId,
      ...more,
    };
  }

  /** Where the tool sent the browser: an authentication request, looked at strictly (Security Framework, section 5.1.1.2). */
  authorize(parameters: URLSearchParams): {
    redirectUri: string;
    state: string;
    nonce: string;
    hint: { user: PlatformUser; link: Link; clientId: string };
  } {
    const one = (name: string): string => {
      const values = parameters.getAll(name);
      must(values.length === 1 && values[0] !== '', `${name} is to be there once.`);
      return values[0]!;
    };
    must(one('scope') === 'openid', 'scope is to be openid.');
    must(one('response_type') === 'id_token', 'response_type is to be id_token.');
    must(one('response_mode') === 'form_post', 'response_mode is to be form_post.');
    must(one('prompt') === 'none', 'prompt is to be none.');
    const hint = this.#hints.get(one('lti_message_hint'));
    must(hint !== undefined, 'lti_message_hint is not one that was given.');
    must(one('login_hint') === hint!.user.sub, 'login_hint is another’s.');
    must(one('client_id') === hint!.clientId, 'client_id is another’s.');
    const tool = this.tools.get(hint!.clientId)!;
    must(tool.redirectUris.includes(one('redirect_uri')), 'redirect_uri was not registered.');
    const [state, nonce] = [one('state'), one('nonce')];
    must(state.length >= 32 && nonce.length >= 22, 'state and nonce are to be hard to guess.');
    must(state !== nonce, 'state and nonce are to differ.');
    return { redirectUri: one('redirect_uri'), state, nonce, hint: hint! };
  }

  /** What a launch says (LTI 1.3, section 5.3). */
  claims(
    { user, link, clientId }: { user: PlatformUser; link: Link; clientId: string },
    nonce: string,
    now = new Date(),
  ): Record<string, unknown> {
    const tool = this.tools.get(clientId)!;
    const second = Math.floor(now.getTime() / 1000);
    return {
      iss: this.issuer,
      aud: clientId,
      sub: user.sub,
      iat: second,
      exp: second + 60,
      nonce,
      ...(user.name === undefined ? {} : { name: user.name }),
      ...(user.givenName === undefined ? {} : { given_name: user.givenName }),
      ...(user.familyName === undefined ? {} : { family_name: user.familyName }),
      ...(user.email === undefined ? {} : { email: user.email }),
      ...(user.emailVerified === undefined ? {} : { email_verified: user.emailVerified }),
      [`${CLAIM}message_type`]: 'LtiResourceLinkRequest',
      [`${CLAIM}version`]: '1.3.0',
      [`${CLAIM}deployment_id`]: tool.deploymentId,
      [`${CLAIM}target_link_uri`]: link.targetUrl ?? tool.targetUrl,
      [`${CLAIM}resource_link`]: { id: link.id, title: link.title ?? '培训课程' },
      [`${CLAIM}roles`]: user.roles ?? [`${MEMBERSHIP}#Learner`],
      [`${CLAIM}context`]: {
        id: 'course-1',
        title: '教师培训',
        type: ['http://purl.imsglobal.org/vocab/lis/v2/course#CourseOffering'],
      },
      [`${CLAIM}custom`]: link.custom ?? {},
      [`${CLAIM}lis`]: user.personSourcedId === undefined ? {} : { person_sourcedid: user.personSourcedId },
      [`${CLAIM}launch_presentation`]: {
        document_target: 'iframe',
        return_url: `${this.issuer}/back`,
        locale: 'zh-CN',
      },
      'https://purl.imsglobal.org/spec/lti-ags/claim/endpoint': {
        scope: tool.scopes.filter((scope) => scope.includes('/lti-ags/')),
        lineitems: `${this.issuer}/lineitems?type=1`,
        lineitem: `${this.issuer}/lineitems/${encodeURIComponent(link.id)}?type=1`,
      },
      'https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice': {
        context_memberships_url: `${this.issuer}/memberships`,
        service_versions: ['2.0'],
      },
    };
  }

  /** The same person, who is to choose what is linked (Deep Linking 2.0, section 4.4.1). */
  choosing(
    launch: Readonly<Record<string, unknown>>,
    settings: Readonly<Record<string, unknown>> = {},
  ): Record<string, unknown> {
    const { [`${CLAIM}resource_link`]: _link, [`${CLAIM}target_link_uri`]: _target, ...rest } = launch;
    return {
      ...rest,
      [`${CLAIM}message_type`]: 'LtiDeepLinkingRequest',
      [`${CLAIM}roles`]: [`${MEMBERSHIP}#Instructor`],
      'https://purl.imsglobal.org/spec/lti-dl/claim/deep_linking_settings': {
        deep_link_return_url: `${this.issuer}/deep-link`,
        accept_types: ['link', 'ltiResourceLink'],
        accept_presentation_document_targets: ['iframe', 'window'],
        accept_multiple: true,
        auto_create: true,
        data: 'csrftoken:c7fbba78',
        ...settings,
      },
    };
  }

  async sign(
    claims: Readonly<Record<string, unknown>>,
    { header = {}, key }: { header?: Record<string, unknown>; key?: CryptoKey | Uint8Array } = {},
  ): Promise<string> {
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'RS256', kid: this.kid, typ: 'JWT', ...header })
      .sign(key ?? this.#keys.at(-1)!.private);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url!, this.issuer);
    this.asked.push(url.pathname);
    const instead = this.instead.get(url.pathname);
    if (instead !== undefined) {
      instead(request, response);
      return;
    }
    const json = (body: unknown, status = 200): void => {
      response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
      response.end(JSON.stringify(body));
    };
    const html = (body: string): void => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(body);
    };
    if (await this.services.answer(request, response, url, async () => bodyOf(request))) return;
    switch (url.pathname) {
      case '/jwks':
        json(await this.keySet());
        return;
      case '/.well-known/openid-configuration': {
        // Not told to nobody, where there is a token: as Canvas does.
        const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
        if (this.registrationTokens.size > 0 && !this.registrationTokens.has(token))
          json({ error: 'unauthorized' }, 401);
        else json(this.configuration());
        return;
      }
      case '/register':
        await this.#register(request, json);
        return;
      case '/token':
        await this.#token(request, json);
        return;
      case '/auth': {
        const { redirectUri, state, nonce, hint } = this.authorize(url.searchParams);
        const token = await this.sign(this.claims(hint, nonce));
        html(`<!doctype html><title>…</title><form id="f" method="post" action="${redirectUri}">
<input type="hidden" name="state" value="${state}"><input type="hidden" name="id_token" value="${token}"></form>
<script>document.getElementById('f').submit();</script>`);
        return;
      }
      case '/course': {
        const source = url.searchParams.get('source') ?? '';
        html(coursePage(source.replaceAll('&', '&amp;'), url.searchParams.has('storage')));
        return;
      }
      default:
        json({ error: 'not_found' }, 404);
    }
  }

  /** What it says of itself (Dynamic Registration, section 3.4). */
  configuration(): Record<string, unknown> {
    return {
      issuer: this.issuer,
      authorization_endpoint: this.authUrl,
      token_endpoint: this.tokenUrl,
      jwks_uri: this.keySetUrl,
      registration_endpoint: `${this.issuer}/register`,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['RS256'],
      scopes_supported: [
        'openid',
        'https://purl.imsglobal.org/spec/lti-ags/scope/score',
        'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly',
      ],
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      claims_supported: ['sub', 'iss', 'name', 'given_name', 'family_name', 'email'],
      'https://purl.imsglobal.org/spec/lti-platform-configuration': {
        product_family_code: this.family,
        version: '5.0',
        messages_supported: [{ type: 'LtiResourceLinkRequest' }, { type: 'LtiDeepLinkingRequest' }],
        variables: ['Person.sourcedId'],
      },
    };
  }

  /** Section 3.5: what a tool must say of itself. */
  async #register(request: IncomingMessage, json: (body: unknown, status?: number) => void): Promise<void> {
    must(request.method === 'POST', 'A registration is posted.');
    must(request.headers['content-type'] === 'application/json', 'A registration is JSON.');
    if (this.registrationTokens.size > 0) {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
      must(
        this.registrationTokens.delete(token),
        'The registration token is not one that was given, or was used.',
      );
    }
    const said = JSON.parse(await bodyOf(request)) as Record<string, unknown>;
    must(said['application_type'] === 'web', 'application_type');
    must(sameList(said['response_types'], ['id_token']), 'response_types');
    must(sameList(said['grant_types'], ['client_credentials', 'implicit']), 'grant_types');
    must(said['token_endpoint_auth_method'] === 'private_key_jwt', 'token_endpoint_auth_method');
    const address = (name: string): string => {
      must(typeof said[name] === 'string' && URL.canParse(said[name]), name);
      return said[name] as string;
    };
    must(typeof said['client_name'] === 'string' && said['client_name'] !== '', 'client_name');
    must(typeof said['client_name#zh-CN'] === 'string', 'client_name#zh-CN');
    const scopes = (typeof said['scope'] === 'string' ? said['scope'] : '').split(' ').filter(Boolean);
    const offered = this.configuration()['scopes_supported'] as string[];
    must(
      scopes.every((scope) => offered.includes(scope)),
      'scope: more than is offered',
    );
    const tool = said[TOOL] as Record<string, unknown>;
    must(typeof tool === 'object' && tool !== null, TOOL);
    const targetUrl = tool['target_link_uri'] as string;
    must(new URL(targetUrl).host === tool['domain'], 'target_link_uri is not at the domain.');
    const messages = tool['messages'] as { type: string; target_link_uri?: string }[];
    must(
      messages.some(({ type }) => type === 'LtiResourceLinkRequest'),
      'messages',
    );
    must(
      messages.every(
        ({ target_link_uri: each }) => each === undefined || new URL(each).host === tool['domain'],
      ),
      'messages: target_link_uri',
    );
    must(Array.isArray(tool['claims']) && tool['claims'].includes('sub'), 'claims');
    const known = this.know({
      clientId: this.nextClientId ?? `client-${randomBytes(6).toString('hex')}`,
      deploymentId: `deployment-${randomBytes(3).toString('hex')}`,
      loginUrl: address('initiate_login_uri'),
      redirectUris: said['redirect_uris'] as string[],
      keySetUrl: address('jwks_uri'),
      targetUrl,
      scopes,
      customParameters: (tool['custom_parameters'] ?? {}) as Record<string, string>,
    });
    must(
      known.redirectUris.every((each) => new URL(each).host === tool['domain']),
      'redirect_uris: not at the domain',
    );
    json({
      ...said,
      client_id: known.clientId,
      [TOOL]: { ...tool, ...(this.tellsDeployment ? { deployment_id: known.deploymentId } : {}) },
    });
  }

  /** Security Framework, section 4.1.1: an access token for an assertion that the tool signed. Each assertion once. */
  readonly #assertions = new Set<string>();
  readonly tokens = new Map<string, { clientId: string; scopes: readonly string[] }>();
  async #token(request: IncomingMessage, json: (body: unknown, status?: number) => void): Promise<void> {
    must(request.method === 'POST', 'A token is asked for by POST.');
    must(
      request.headers['content-type'] === 'application/x-www-form-urlencoded',
      'A token is asked for with a form.',
    );
    const form = new URLSearchParams(await bodyOf(request));
    must(form.get('grant_type') === 'client_credentials', 'grant_type');
    must(
      form.get('client_assertion_type') === 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      'client_assertion_type',
    );
    const assertion = form.get('client_assertion') ?? '';
    const claimed = JSON.parse(Buffer.from(assertion.split('.')[1] ?? '', 'base64url').toString()) as Record<
      string,
      unknown
    >;
    const tool = this.tools.get(String(claimed['iss']));
    must(tool !== undefined, 'iss is not a client.');
    must(claimed['sub'] === claimed['iss'], 'sub is to be iss.');
    const { payload } = await jwtVerify(assertion, createRemoteJWKSet(new URL(tool!.keySetUrl)), {
      algorithms: ['RS256'],
      audience: this.tokenUrl,
      requiredClaims: ['iat', 'exp', 'jti'],
      maxTokenAge: '5 minutes',
      currentDate: this.now(),
    });
    must(decodeProtectedHeader(assertion).kid !== undefined, 'kid');
    must(!this.#assertions.has(payload.jti!), 'jti was used.');
    this.#assertions.add(payload.jti!);
    const scopes = (form.get('scope') ?? '').split(' ').filter(Boolean);
    must(scopes.length > 0 && scopes.every((scope) => tool!.scopes.includes(scope)), 'scope');
    const token = randomBytes(16).toString('hex');
    this.tokens.set(token, { clientId: tool!.clientId, scopes });
    json({ access_token: token, token_type: 'bearer', expires_in: 3600, scope: scopes.join(' ') });
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function sameList(value: unknown, wanted: readonly string[]): boolean {
  return (
    Array.isArray(value) &&
    JSON.stringify((value as string[]).toSorted((one, other) => (one < other ? -1 : 1))) ===
      JSON.stringify(wanted)
  );
}

/** A key of which the platform has published nothing. */
export async function strangersKey(): Promise<CryptoKey> {
  return (await generateKeyPair('RS256')).privateKey;
}

/** At the end of a file: whatever a platform refused is a fault of ours. */
export function noComplaints(...platforms: readonly TestPlatform[]): void {
  const complaints = platforms.flatMap((platform) => platform.complaints);
  if (complaints.length > 0) throw new PlatformError(complaints.join('; '));
}

/** A browser as far as launches matter: it keeps the tool's cookies, and goes where it is sent. */
export class LaunchClient {
  readonly #cookies = new Map<string, string>();
  readonly tool: string;
  constructor(tool: string) {
    this.tool = tool;
  }

  async send(path: string, init: RequestInit = {}): Promise<Response> {
    const response = await fetch(`${this.tool}${path}`, {
      redirect: 'manual',
      ...init,
      headers: {
        ...(init.headers as Record<string, string> | undefined),
        cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; '),
      },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '') this.#cookies.delete(name!);
      else this.#cookies.set(name!, value!);
    }
    return response;
  }

  cookie(name: string): string | undefined {
    return this.#cookies.get(name);
  }

  forgetCookies(): void {
    this.#cookies.clear();
  }

  async login(
    initiation: Readonly<Record<string, string>>,
    method: 'GET' | 'POST' = 'GET',
  ): Promise<Response> {
    const parameters = new URLSearchParams(initiation);
    return method === 'GET'
      ? this.send(`/lti/login?${parameters.toString()}`)
      : this.send('/lti/login', { method: 'POST', body: parameters });
  }

  async launch(
    form: Readonly<Record<string, string>>,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    return this.send('/lti/launch', { method: 'POST', body: new URLSearchParams(form), headers });
  }

  /** All the way to the page that the tool answers. */
  async open(
    platform: TestPlatform,
    clientId: string,
    user: PlatformUser,
    link: Link,
    {
      now,
      alter = (claims) => claims,
    }: { now?: Date; alter?: (claims: Record<string, unknown>) => Record<string, unknown> } = {},
  ): Promise<Response> {
    const sent = await this.login(platform.initiation(clientId, user, link));
    const to = sent.headers.get('location');
    if (to === null) return sent;
    const { state, nonce, hint } = platform.authorize(new URL(to).searchParams);
    return this.launch({ state, id_token: await platform.sign(alter(platform.claims(hint, nonce, now))) });
  }
}

/** What a page has that a launch came to; undefined for any other page. */
export function launchOf(html: string): Launched | undefined {
  const text = /<meta name="xinqiao-launch" content="([^"]+)"/.exec(html)?.[1];
  return text === undefined ? undefined : (JSON.parse(text.replaceAll('&quot;', '"')) as Launched);
}
export interface Launched {
  readonly token: string;
  readonly assignmentId: string | null;
  readonly activityKey: string | null;
  readonly missingCourse: Readonly<Record<'zh-CN' | 'en', string>> | null;
}
