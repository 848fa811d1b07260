import type { Context } from 'koa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RateLimited } from '../../src/errors.ts';
import { makeRateService, type RateService } from '../../src/http/rate.service.ts';
import { withOrigin } from '../../src/origin.ts';
import type { Viewer } from '../../src/people/permission.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { startService, type TestService } from '../support/service.ts';

const NO_RATES = { viewer: 0, address: 0, signIn: 0, verification: 0, list: 0, export: 0, upload: 0 };

describe('a measure of units', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeTestDatabase();
  });
  afterAll(async () => database.drop());

  const make = (rates: Partial<typeof NO_RATES>): RateService =>
    makeRateService({ db: database.db, pool: database.pool, rates: { ...NO_RATES, ...rates } });
  const viewer = (personId: string): Viewer => ({ personId, grants: [] });
  const headers = new Map<string, string>();
  const ctx = { set: (name: string, value: string) => void headers.set(name, value) } as unknown as Context;
  /** How many of `times` are let through. */
  const count = async (times: number, charge: (at: number) => Promise<void>): Promise<number> => {
    const all = await Promise.allSettled(Array.from({ length: times }, async (_each, at) => charge(at)));
    for (const each of all) if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(RateLimited);
    return all.filter((each) => each.status === 'fulfilled').length;
  };
  const from = async (address: string, work: () => Promise<void>): Promise<void> =>
    withOrigin({ requestId: 'test', address }, work);

  it('is never given out twice, however many processes there are, and little of it is lost', async () => {
    const processes = [make({ viewer: 500 }), make({ viewer: 500 }), make({ viewer: 500 })];
    const given = await count(900, async (at) => processes[at % 3]!.charge(ctx, viewer('1')));
    expect(given).toBeLessThanOrEqual(500);
    // A fiftieth for each of the other two.
    expect(given).toBeGreaterThanOrEqual(480);
    await expect(processes[0]!.charge(ctx, viewer('1'))).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      retryAfter: expect.toSatisfy((seconds: number) => seconds >= 1 && seconds <= 60),
    });
    expect(headers.get('RateLimit-Policy')).toBe('"viewer";q=500;w=60');
    expect(headers.get('RateLimit')).toMatch(/^"viewer";r=0;t=\d+$/);
  });

  it('is each person’s own', async () => {
    const rates = make({ viewer: 20 });
    expect(await count(30, async () => rates.charge(ctx, viewer('2')))).toBe(20);
    expect(await count(30, async () => rates.charge(ctx, viewer('3')))).toBe(20);
  });

  it('is spent by what is large faster than by what is small', async () => {
    const rates = make({ viewer: 100 });
    expect(await count(10, async () => rates.charge(ctx, viewer('4'), 30))).toBe(3);
    expect(await count(20, async () => rates.charge(ctx, viewer('4'), 1))).toBe(10);
  });

  it('asks the database once for many', async () => {
    let asked = 0;
    const counting = new Proxy(database.pool, {
      get: (pool, name) =>
        name === 'query'
          ? async (...args: unknown[]) => {
              asked += 1;
              return (pool.query as (...each: unknown[]) => Promise<unknown>)(...args);
            }
          : (Reflect.get(pool, name) as unknown),
    });
    const rates = makeRateService({ db: database.db, pool: counting, rates: { ...NO_RATES, viewer: 1_000 } });
    for (let at = 0; at < 200; at += 1) await rates.charge(ctx, viewer('5'));
    expect(asked).toBe(10);
    // Who has no more is not looked up again.
    expect(await count(2_000, async () => rates.charge(ctx, viewer('5')))).toBe(800);
    const before = asked;
    expect(await count(2_000, async () => rates.charge(ctx, viewer('5')))).toBe(0);
    expect(asked).toBe(before);
  });

  it('is an address’s for who is not signed in, and an IPv6 household’s together', async () => {
    const rates = make({ address: 10 });
    const knock = async (address: string) =>
      count(8, async () => from(address, async () => rates.charge(ctx, undefined)));
    expect(await knock('203.0.113.1')).toBe(8);
    expect(await knock('203.0.113.2')).toBe(8);
    expect(await knock('2001:db8:0:1::1')).toBe(8);
    expect(await knock('2001:db8:0:1:ffff::2')).toBe(2);
    expect(await knock('2001:db8:0:2::1')).toBe(8);
  });

  it('begins anew with the next window', async () => {
    let ahead = 0;
    const rates = makeRateService({
      db: database.db,
      pool: database.pool,
      rates: { ...NO_RATES, viewer: 10 },
      now: () => Date.now() + ahead,
    });
    expect(await count(20, async () => rates.charge(ctx, viewer('6')))).toBe(10);
    await database.pool.query("update rate_windows set expire = 0 where key = 'viewer:6'");
    ahead = 61_000;
    expect(await count(5, async () => rates.charge(ctx, viewer('6')))).toBe(5);
  });

  it('forgets who has not come again, and counts by itself while the database is away', async () => {
    const rates = make({ viewer: 10 });
    await rates.charge(ctx, viewer('7'));
    await database.pool.query("update rate_windows set expire = 1 where key = 'viewer:7'");
    await rates.forget();
    const { rows } = await database.pool.query("select 1 from rate_windows where key = 'viewer:7'");
    expect(rows).toEqual([]);
    await database.pool.query('alter table rate_windows rename to rate_windows_away');
    const alone = make({ viewer: 10 });
    expect(await count(20, async () => alone.charge(ctx, viewer('8')))).toBe(10);
    await database.pool.query('alter table rate_windows_away rename to rate_windows');
  });
});

describe('a service with small measures', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({
      env: {
        TRUSTED_PROXIES: '127.0.0.1',
        RATE_VIEWER: '60',
        RATE_ADDRESS: '20',
        RATE_SIGN_IN: '5',
        RATE_VERIFICATION: '5',
        RATE_EXPORT: '2',
        RATE_UPLOAD: '2',
        GRAPHQL_INTROSPECTION: 'signed-in',
        GRAPHIQL: '0',
      },
    });
  });
  afterAll(async () => service.stop());

  const ask = async (address: string, query: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${service.app.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-forwarded-for': address, ...headers },
      body: JSON.stringify({ query }),
    });
    const { data, errors } = (await response.json()) as {
      data?: Record<string, unknown>;
      errors?: { message: string; extensions?: { code?: string } }[];
    };
    return {
      status: response.status,
      headers: response.headers,
      data,
      code: errors?.[0]?.extensions?.code,
      message: errors?.[0]?.message,
    };
  };
  const until429 = async (
    most: number,
    work: () => Promise<{ status: number; headers: Headers; code?: string | undefined }>,
  ) => {
    for (let done = 0; done < most; done += 1) {
      const answer = await work();
      if (answer.status !== 429) continue;
      expect(answer.headers.get('retry-after')).toMatch(/^[1-9]\d?$/);
      expect(answer.headers.get('ratelimit')).toMatch(/^"\w+";r=0;t=\d+$/);
      expect(answer.headers.get('ratelimit-policy')).toMatch(/^"\w+";q=\d+;w=60$/);
      expect(answer.code).toBe('RATE_LIMITED');
      return done;
    }
    return most;
  };

  it('counts nobody by address, at every door, and lets others on', async () => {
    expect(await until429(40, async () => ask('203.0.113.1', '{ __typename }'))).toBe(20);
    const page = await fetch(`${service.app.publicUrl}/verify`, {
      headers: { 'x-forwarded-for': '203.0.113.1' },
    });
    expect(page.status).toBe(429);
    expect(await page.json()).toMatchObject({ title: 'RATE_LIMITED' });
    // A token that is nobody's does not help.
    expect((await ask('203.0.113.1', '{ __typename }', { authorization: 'Bearer made-up' })).status).toBe(
      429,
    );
    const feed = await fetch(`${service.app.publicUrl}/feed/credit-records`, {
      headers: { 'x-forwarded-for': '203.0.113.1', authorization: 'Bearer made-up' },
    });
    expect(feed.status).toBe(429);
    expect((await ask('203.0.113.2', '{ __typename }')).status).toBe(200);
    // Colleagues behind the same address are signed in.
    expect((await ask('203.0.113.1', '{ __typename }', { authorization: 'Bearer sample:hr' })).status).toBe(
      200,
    );
    expect(
      (await fetch(`${service.app.publicUrl}/healthz`, { headers: { 'x-forwarded-for': '203.0.113.1' } }))
        .status,
    ).toBe(200);
  });

  it('counts each attempt to sign in, also several in one question', async () => {
    const attempt = (key: string): string => `signInSample(input: { key: "${key}" }) { __typename }`;
    for (const accept of ['application/json', 'application/json;q=0.9']) {
      const address = accept === 'application/json' ? '203.0.113.11' : '203.0.113.12';
      expect(
        (
          await ask(address, `mutation { a: ${attempt('x')} b: ${attempt('y')} c: ${attempt('z')} }`, {
            accept,
          })
        ).status,
      ).toBe(200);
      expect(
        await until429(9, async () =>
          ask(address, `mutation { ...f } fragment f on Mutation { ${attempt('x')} }`, { accept }),
        ),
      ).toBe(2);
    }
  });

  it('counts look-ups of certificates by who is not signed in', async () => {
    const query = '{ verifyCertificate(number: "XQ2026-0000-0000-0000") { __typename } }';
    expect(await until429(9, async () => ask('203.0.113.21', query))).toBe(5);
    expect((await ask('203.0.113.21', query, { authorization: 'Bearer sample:hr' })).status).toBe(200);
  });

  it('counts exports and uploads of a person', async () => {
    const exported = await until429(9, async () => {
      const response = await fetch(`${service.app.publicUrl}/export`, {
        method: 'POST',
        headers: { authorization: 'Bearer sample:hr', 'content-type': 'application/json' },
        body: JSON.stringify({ format: 'csv', query: '{ division(code: "430000") { children { name } } }' }),
      });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        code: response.status === 429 ? (JSON.parse(text) as { title: string }).title : undefined,
      };
    });
    expect(exported).toBe(2);
    const uploaded = await until429(9, async () => {
      const form = new FormData();
      form.set('operations', JSON.stringify({ query: '{ __typename }' }));
      form.set('map', '{}');
      const response = await fetch(`${service.app.publicUrl}/graphql`, {
        method: 'POST',
        headers: { authorization: 'Bearer sample:hr' },
        body: form,
      });
      const { title } = (await response.json()) as { title?: string };
      return { status: response.status, headers: response.headers, code: title };
    });
    expect(uploaded).toBe(2);
  });

  it('charges a large question more than a small one', async () => {
    const as = { authorization: 'Bearer sample:coordinator' };
    const large =
      '{ division(code: "430000") { children { organizations(first: 50) { nodes { name kind studentCount } } } } }';
    const times = await until429(60, async () => ask('203.0.113.31', large, as));
    expect(times).toBeGreaterThan(2);
    expect(times).toBeLessThan(40);
  });

  it('tells the contract to who is signed in, and others not even by its suggestions', async () => {
    const query = '{ __schema { queryType { name } } }';
    const signedIn = { authorization: 'Bearer sample:issuer' };
    // The text is known by now; who asks is judged each time.
    expect((await ask('203.0.113.41', query, signedIn)).data).toBeTruthy();
    for (const accept of ['application/json', 'application/json;q=0.9']) {
      expect(await ask('203.0.113.41', query, { accept })).toMatchObject({
        code: 'INTROSPECTION_OFF',
        data: undefined,
      });
      expect(await ask('203.0.113.41', '{ a: __type(name: "Query") { name } }', { accept })).toMatchObject({
        code: 'INTROSPECTION_OFF',
      });
      expect((await ask('203.0.113.41', '{ certificationz { id } }', { accept })).message).toBe(
        'Cannot query field "certificationz" on type "Query".',
      );
      expect((await ask('203.0.113.41', '{ __typename }', { accept })).data).toEqual({ __typename: 'Query' });
    }
  });

  it('shows no GraphiQL', async () => {
    const response = await fetch(`${service.app.publicUrl}/graphql`, {
      headers: { accept: 'text/html', 'x-forwarded-for': '203.0.113.51' },
    });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.text()).not.toContain('<script');
  });
});
