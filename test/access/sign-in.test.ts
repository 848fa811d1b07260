import { createHash } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { returnPath } from '../../src/access/sign-in.ts';
import type { Log } from '../../src/log.ts';
import { CLIENT, TestIssuer } from '../support/issuer.ts';
import { importRoster, smallRoster, startService, TestClock, type TestService } from '../support/service.ts';

/** As far as a browser matters here: it keeps cookies by host and port, and follows nothing by itself. */
class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();

  cookies(url: string): Map<string, string> {
    const { host } = new URL(url);
    const its = this.#cookies.get(host) ?? new Map<string, string>();
    this.#cookies.set(host, its);
    return its;
  }

  async get(url: string): Promise<Response> {
    const its = this.cookies(url);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...its].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
      if (value === '' || /max-age=0|expires=Thu, 01 Jan 1970/i.test(line)) its.delete(name!);
      else its.set(name!, value!);
    }
    return response;
  }

  /** Follows redirects as long as `on` says. */
  async follow(
    url: string,
    on: (next: string) => boolean = () => true,
  ): Promise<{ url: string; response: Response }> {
    let at = url;
    for (let hops = 0; hops < 12; hops++) {
      const response = await this.get(at);
      const next = response.headers.get('location');
      if (next === null) return { url: at, response };
      at = new URL(next, at).href;
      if (!on(at)) return { url: at, response };
    }
    throw new Error('There is no end of redirects.');
  }
}

const attribute = (html: string, name: string): string | undefined =>
  new RegExp(`data-${name}="([^"]*)"`).exec(html)?.[1]?.replaceAll('&amp;', '&');

describe('where to go after the sign-in', () => {
  const origin = 'https://xinqiao.example';
  it.each([
    ['/', '/'],
    ['/assignments/QXNz?x=1#y', '/assignments/QXNz?x=1#y'],
    ['/graphql', '/graphql'],
    ['/sign-internals', '/sign-internals'],
  ])('%s is taken', (asked, path) => expect(returnPath(asked, origin)).toBe(path));
  it.each([
    undefined,
    '',
    'https://evil.example',
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '\t//evil.example',
    '/.//evil.example',
    '/x/..//evil.example',
    '/%2e//evil.example',
    'javascript:alert(1)',
    ' /x',
    'x',
    '/sign-in',
    '/sign-in/one',
    '/sign-in?returnTo=/x',
    `/${'x'.repeat(1_000)}`,
  ])('%.40j is not: it is the first page instead', (asked) => expect(returnPath(asked, origin)).toBe('/'));
});

describe('signing in with a browser', () => {
  let service: TestService;
  let issuer: TestIssuer;
  let other: TestIssuer;
  let url: string;
  const clock = new TestClock(new Date().toISOString());
  const lines: string[] = [];
  const keep = (...said: unknown[]): void => void lines.push(JSON.stringify(said));
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };

  beforeAll(async () => {
    [issuer, other] = await Promise.all([TestIssuer.start(), TestIssuer.start()]);
    const common = { clientId: CLIENT.id, clientSecret: CLIENT.secret, scopes: ['staff'] };
    service = await startService({
      clock,
      log,
      env: {
        OIDC_ISSUERS: JSON.stringify([
          { ...common, key: 'one', issuer: issuer.url, name: { 'zh-CN': '湖南<教育>', en: 'Hunan' } },
          { ...common, key: 'two', issuer: other.url, name: { 'zh-CN': '湖北', en: 'Hubei' } },
          {
            key: 'programs',
            issuer: 'https://programs.example',
            name: { 'zh-CN': '程序', en: 'programs' },
            audiences: ['x'],
          },
        ]),
      },
    });
    url = service.app.publicUrl;
    for (const each of [issuer, other]) {
      each.redirectUri = `${url}/sign-in/callback`;
      await each.configure();
    }
    await importRoster(service, smallRoster([{ id: 't1', family: '王', given: '小明' }]));
  });
  beforeEach(() => {
    issuer.account = 't1';
    issuer.alter = undefined;
    issuer.isDown = false;
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([issuer, other].map(async (each) => each.stop()));
  });

  /** To the callback, without going there. */
  const untilCallback = async (browser: Browser, start = '/sign-in/one'): Promise<string> =>
    (await browser.follow(`${url}${start}`, (next) => !next.startsWith(`${url}/sign-in/callback`))).url;
  const failure = async (response: Response) => {
    const html = await response.text();
    expect(html).not.toContain('data-token');
    expect(html).toMatch(/没能登录/);
    expect(html).toMatch(/Request id<\/span>: [\w-]{8,}/);
    return {
      status: response.status,
      kind: /请重新登录/.test(html) ? 'EXPIRED' : /没有与之对应的人员/.test(html) ? 'UNKNOWN' : 'FAILED',
    };
  };
  const EXPIRED = { status: 409, kind: 'EXPIRED' };
  const FAILED = { status: 409, kind: 'FAILED' };

  it('offers the issuers by which one can, and no others', async () => {
    const response = await fetch(`${url}/sign-in?returnTo=/assignments/x`);
    const html = await response.text();
    expect([...html.matchAll(/href="(\/sign-in\/[^"]*)"/g)].map((match) => match[1])).toEqual([
      '/sign-in/one?returnTo=%2Fassignments%2Fx',
      '/sign-in/two?returnTo=%2Fassignments%2Fx',
    ]);
    expect(html).toContain('湖南&lt;教育&gt;');
    expect((await service.ask(null, '{ identityProviders { name(language: en) url } }')).data).toEqual({
      identityProviders: [
        { name: 'Hunan', url: '/sign-in/one' },
        { name: 'Hubei', url: '/sign-in/two' },
      ],
    });
    for (const key of ['three', 'programs'])
      expect((await fetch(`${url}/sign-in/${key}`, { redirect: 'manual' })).status).toBe(404);
  });

  it('ends in a session of the person, which no address and no log ever tells', async () => {
    lines.length = 0;
    const browser = new Browser();
    const begun = await browser.get(`${url}/sign-in/one?returnTo=/assignments/x`);
    const [cookie] = begun.headers.getSetCookie();
    expect(cookie).toMatch(
      /^xinqiao-sign-in-[\da-f]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax$/,
    );
    const asked = new URL(begun.headers.get('location')!);
    expect(asked.origin).toBe(issuer.url);
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      response_type: 'code',
      client_id: CLIENT.id,
      scope: 'openid staff',
      redirect_uri: `${url}/sign-in/callback`,
      code_challenge_method: 'S256',
    });
    const { url: last, response } = await browser.follow(asked.href);
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const html = await response.text();
    const token = attribute(html, 'token')!;
    expect(attribute(html, 'to')).toBe(`${url}/assignments/x`);
    expect(last).not.toContain(token);
    // The one script of the page is the one that its policy allows.
    const [, script] = /<script>([^]*?)<\/script>/.exec(html)!;
    const policy = response.headers.get('content-security-policy')!;
    expect(policy).toContain(`script-src 'sha256-${createHash('sha256').update(script!).digest('base64')}'`);
    expect(policy).not.toContain('unsafe');
    expect(browser.cookies(url).size).toBe(0);

    const { data } = await service.ask(
      token,
      '{ viewer { person { name } sessions { way issuer current } } }',
    );
    expect(data.viewer).toEqual({
      person: { name: '王小明' },
      sessions: [{ way: 'OIDC', issuer: issuer.url, current: true }],
    });
    const everything = JSON.stringify([
      lines,
      (await service.database.pool.query('select s::text from sessions s')).rows,
      (await service.database.pool.query('select j::text from journal_entries j')).rows,
    ]);
    expect(everything).not.toContain(token);
    expect(everything).toContain('session.begin');
    await service.ask(token, 'mutation { signOut }');
    expect((await service.ask(token, '{ viewer { person { name } } }')).data.viewer).toBeNull();
  });

  it('keeps nothing in the database that a thief of it could go on with', async () => {
    const browser = new Browser();
    const begun = await browser.get(`${url}/sign-in/one`);
    const asked = new URL(begun.headers.get('location')!);
    const [secret] = browser.cookies(url).values();
    const rows = JSON.stringify(
      (await service.database.pool.query('select a::text from sign_in_attempts a')).rows,
    );
    for (const value of [secret, asked.searchParams.get('state'), asked.searchParams.get('nonce')])
      expect(rows).not.toContain(value);
  });

  it('takes the claims that an issuer tells at its userinfo endpoint alone', async () => {
    issuer.conformIdTokenClaims = true;
    await issuer.configure();
    const before = issuer.asked.filter((path) => path === '/me').length;
    const { response } = await new Browser().follow(`${url}/sign-in/one`);
    expect(attribute(await response.text(), 'token')).toBeDefined();
    expect(issuer.asked.filter((path) => path === '/me').length).toBe(before + 1);
    issuer.conformIdTokenClaims = false;
    await issuer.configure();
  });

  it('lets two tabs of a browser sign in at the same time', async () => {
    const browser = new Browser();
    const [first, second] = [await untilCallback(browser), await untilCallback(browser)];
    for (const callback of [first, second])
      expect(attribute(await (await browser.get(callback)).text(), 'token')).toBeDefined();
  });

  it('takes a callback once, in the browser that began, and within ten minutes', async () => {
    const browser = new Browser();
    const callback = await untilCallback(browser);
    // Another browser, which an attacker sends the link: no session, neither the attacker's nor one's own.
    expect(await failure(await new Browser().get(callback))).toEqual(EXPIRED);
    const strange = new Browser();
    for (const name of browser.cookies(url).keys()) strange.cookies(url).set(name, 'A'.repeat(43));
    expect(await failure(await strange.get(callback))).toEqual(EXPIRED);

    const kept = [...browser.cookies(url)];
    expect(attribute(await (await browser.get(callback)).text(), 'token')).toBeDefined();
    for (const [name, value] of kept) browser.cookies(url).set(name, value);
    expect(await failure(await browser.get(callback))).toEqual(EXPIRED);

    const late = await untilCallback(browser);
    clock.move(10);
    expect(await failure(await browser.get(late))).toEqual(EXPIRED);
  });

  it('that two requests bring back at the same moment makes one session', async () => {
    const browser = new Browser();
    const callback = await untilCallback(browser);
    const kept = [...browser.cookies(url)];
    const copies = Array.from({ length: 5 }, () => {
      const copy = new Browser();
      for (const [name, value] of kept) copy.cookies(url).set(name, value);
      return copy;
    });
    const pages = await Promise.all(copies.map(async (copy) => (await copy.get(callback)).text()));
    expect(pages.filter((html) => attribute(html, 'token') !== undefined)).toHaveLength(1);
  });

  it('fails when something about the answer is changed on the way', async () => {
    const changed = async (change: (query: URLSearchParams) => void) => {
      const browser = new Browser();
      const callback = new URL(await untilCallback(browser));
      change(callback.searchParams);
      return failure(await browser.get(callback.href));
    };
    expect(await changed((query) => query.set('state', 'x'))).toEqual(EXPIRED);
    expect(await changed((query) => query.delete('state'))).toEqual(EXPIRED);
    expect(await changed((query) => query.append('state', 'x'))).toEqual(EXPIRED);
    expect(await changed((query) => query.set('code', 'made-up'))).toEqual(FAILED);
    expect(await changed((query) => query.delete('code'))).toEqual(FAILED);
    // RFC 9207: the answer of another issuer, or of none.
    expect(await changed((query) => query.set('iss', other.url))).toEqual(FAILED);
    expect(await changed((query) => query.delete('iss'))).toEqual(FAILED);
    expect(
      await changed((query) => {
        query.delete('code');
        query.set('error', 'access_denied');
        query.set('error_description', '<script>alert(1)</script>');
      }),
    ).toEqual(FAILED);
  });

  it('fails with the code of another attempt: neither nonce nor code verifier go with it', async () => {
    const [mine, theirs] = [new Browser(), new Browser()];
    const [callback, stolen] = [new URL(await untilCallback(mine)), new URL(await untilCallback(theirs))];
    callback.searchParams.set('code', stolen.searchParams.get('code')!);
    expect(await failure(await mine.get(callback.href))).toEqual(FAILED);
  });

  it('fails when the ID token has another nonce', async () => {
    const browser = new Browser();
    const begun = await browser.get(`${url}/sign-in/one`);
    const asked = new URL(begun.headers.get('location')!);
    asked.searchParams.set('nonce', 'of another attempt');
    const { url: callback } = await browser.follow(
      asked.href,
      (next) => !next.startsWith(`${url}/sign-in/callback`),
    );
    expect(await failure(await browser.get(callback))).toEqual(FAILED);
  });

  it('fails when the ID token’s signature is not by the keys that the issuer publishes', async () => {
    const browser = new Browser();
    const callback = await untilCallback(browser);
    clock.move(11);
    const attempts = await service.database.pool.query(
      `update sign_in_attempts set expires_at = $1 returning issuer`,
      [new Date(clock.now().getTime() + 60_000)],
    );
    expect(attempts.rowCount).toBeGreaterThan(0);
    const keys = (await (await fetch(`${other.url}/jwks`)).json()) as unknown;
    issuer.alter = (path, body) => (path === '/jwks' ? keys : body);
    expect(await failure(await browser.get(callback))).toEqual(FAILED);
    issuer.alter = undefined;
    clock.move(11);
    expect(
      attribute(await (await new Browser().follow(`${url}/sign-in/one`)).response.text(), 'token'),
    ).toBeDefined();
  });

  it('says so when the issuer knows somebody whom we do not', async () => {
    issuer.account = 'nobody';
    const { response } = await new Browser().follow(`${url}/sign-in/one`);
    expect(await failure(response)).toEqual({ status: 409, kind: 'UNKNOWN' });
  });

  it('says so when the issuer is away, at the start and at the end', async () => {
    const browser = new Browser();
    const callback = await untilCallback(browser);
    issuer.isDown = true;
    expect(await failure(await browser.get(callback))).toEqual(FAILED);
    clock.move(25 * 60);
    expect(await failure(await browser.get(`${url}/sign-in/one`))).toEqual(FAILED);
    issuer.isDown = false;
    clock.move(1);
    await untilCallback(browser);
    // Back to the provider's time.
    clock.move(-25 * 60 - 1);
  });

  it('never leads to another origin', async () => {
    for (const asked of ['https://evil.example', '//evil.example', '/\\evil.example', '/.//evil.example']) {
      const { response } = await new Browser().follow(
        `${url}/sign-in/one?returnTo=${encodeURIComponent(asked)}`,
      );
      expect(attribute(await response.text(), 'to')).toBe(`${url}/`);
      expect(
        await (await fetch(`${url}/sign-in?returnTo=${encodeURIComponent(asked)}`)).text(),
      ).not.toContain('evil');
    }
  });

  it('is in force as long as its issuer is trusted', async () => {
    const { response } = await new Browser().follow(`${url}/sign-in/one`);
    const token = attribute(await response.text(), 'token')!;
    const isNobody = async () =>
      (await service.ask(token, '{ viewer { person { name } } }')).data.viewer === null;
    expect(await isNobody()).toBe(false);
    await service.database.pool.query(
      `update sessions set issuer = 'https://no-longer.example' where way = 'oidc'`,
    );
    expect(await isNobody()).toBe(true);
  });
});

describe('one issuer, on a service behind https', () => {
  it('is gone to straight away, with a cookie that only this host over https can have set', async () => {
    const issuer = await TestIssuer.start();
    const service = await startService({
      env: {
        PUBLIC_URL: 'https://xinqiao.example',
        PORT: '0',
        OIDC_ISSUERS: JSON.stringify([
          { key: 'one', issuer: issuer.url, name: { 'zh-CN': '一', en: 'one' }, clientId: CLIENT.id },
        ]),
      },
    });
    const at = service.app.publicUrl.replace('https://xinqiao.example', 'http://127.0.0.1');
    const chosen = await fetch(`${at}/sign-in?returnTo=/x`, { redirect: 'manual' });
    expect(chosen.status).toBe(303);
    expect(chosen.headers.get('location')).toBe(`${service.app.publicUrl}/sign-in/one?returnTo=%2Fx`);
    const begun = await fetch(`${at}/sign-in/one`, { redirect: 'manual' });
    expect(begun.headers.getSetCookie()[0]).toMatch(
      /^__Host-xinqiao-sign-in-[\da-f]{16}=[\w-]{43}; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/,
    );
    await service.stop();
    await issuer.stop();
  });
});
