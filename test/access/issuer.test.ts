import { generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeIssuerService } from '../../src/access/issuer.service.ts';
import { readConfig } from '../../src/config.ts';
import type { Log } from '../../src/log.ts';
import { AUDIENCE, TestIssuer } from '../support/issuer.ts';
import { importRoster, smallRoster, startService, TestClock, type TestService } from '../support/service.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('tokens of an issuer', () => {
  let service: TestService;
  let issuer: TestIssuer;
  let neighbour: TestIssuer;
  let stranger: TestIssuer;
  // The provider's own tokens are of the machine's time.
  const clock = new TestClock(new Date().toISOString());
  const lines: string[] = [];
  const keep = (...said: unknown[]): void => void lines.push(JSON.stringify(said));
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };

  beforeAll(async () => {
    [issuer, neighbour, stranger] = await Promise.all([
      TestIssuer.start(),
      TestIssuer.start(),
      TestIssuer.start(),
    ]);
    const common = { name: { 'zh-CN': '统一认证', en: 'Sign-in' }, audiences: [AUDIENCE] };
    service = await startService({
      clock,
      log,
      env: {
        OIDC_ISSUERS: JSON.stringify([
          { ...common, key: 'one', issuer: issuer.url },
          { ...common, key: 'two', issuer: neighbour.url, divisionCode: '430102' },
        ]),
      },
    });
    await importRoster(
      service,
      smallRoster([
        { id: 't1', family: '王', given: '小明' },
        { id: 't2', family: '王', given: '小红' },
        { id: 't3', family: '王', given: '小刚', ends: '2025-07-31' },
      ]),
    );
  });
  afterAll(async () => {
    await service.stop();
    await Promise.all([issuer, neighbour, stranger].map(async (each) => each.stop()));
  });

  const nameOf = async (token: string): Promise<string | null> => {
    // As it comes in a header; the test service would take a short one for a sample's key.
    const { data } = await service.ask(token, '{ viewer { person { name } } }');
    return (data.viewer?.person.name as string | undefined) ?? null;
  };
  const sign = async (...given: Parameters<TestIssuer['sign']>): Promise<string> =>
    issuer.sign(given[0], { now: clock.now(), ...given[1] });

  it('say who somebody is: the provider’s own access token, and one like an ID token', async () => {
    expect(await nameOf(await issuer.accessToken())).toBe('王小明');
    expect(await nameOf(await sign({ staff_number: 't2' }))).toBe('王小红');
  });

  it('carry the grants of the person, and make no lasting tokens', async () => {
    const token = await sign();
    const { data } = await service.ask(
      token,
      `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { ... on Refusal { code } } }`,
      {
        input: {
          name: 'x',
          permissions: ['SELF'],
          expiresAt: new Date(clock.now().getTime() + 60_000).toISOString(),
        },
      },
    );
    expect(data.createAccessToken.code).toBe('NOT_ALLOWED');
    expect((await service.ask(token, '{ viewer { posts { role } } }')).data.viewer.posts).toHaveLength(1);
  });

  it('are nobody’s when anything about them is wrong', async () => {
    const good = await sign();
    expect(await nameOf(good)).toBe('王小明');
    const [header, payload, signature] = good.split('.') as [string, string, string];
    const { privateKey: otherKey } = await generateKeyPair('RS256');
    const ec = await generateKeyPair('ES384');
    const pem = new TextEncoder().encode(await issuer.publicKeyPem());
    const jwk = new TextEncoder().encode(JSON.stringify(await issuer.publicKeyJwk()));
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
    const kid = (JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string }).kid;
    const embedded = await generateKeyPair('RS256', { extractable: true });
    const wrong: Record<string, string> = {
      'a forged signature': `${header}.${payload}.${flipped}`,
      'claims changed after signing': `${header}.${part({ ...claims, staff_number: 't2' })}.${signature}`,
      'no signature': `${header}.${payload}.`,
      'alg none': `${part({ alg: 'none', typ: 'JWT' })}.${payload}.`,
      'alg None, with the signature left on': `${part({ alg: 'None', kid })}.${payload}.${signature}`,
      'another key under the same name': await sign({}, { key: otherKey }),
      'a key of its own in the header': await sign(
        {},
        {
          key: embedded.privateKey,
          header: {
            jwk: {
              kty: 'RSA',
              ...(await crypto.subtle.exportKey('jwk', embedded.publicKey)),
            },
          },
        },
      ),
      'HS256 with the public key as PEM': await sign({}, { key: pem, header: { alg: 'HS256' } }),
      'HS256 with the public key as JWK': await sign({}, { key: jwk, header: { alg: 'HS256' } }),
      'an algorithm that is not on the list': await new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES384', kid })
        .sign(ec.privateKey),
      'another audience': await sign({ aud: 'https://other.example' }),
      'an audience that only begins like ours': await sign({ aud: `${AUDIENCE}.evil.example` }),
      'no audience': await sign({ aud: undefined as never }),
      'an issuer that is not trusted': await stranger.accessToken(),
      'a trusted issuer’s name, under a stranger’s key': await stranger.sign(
        { iss: issuer.url },
        { now: clock.now() },
      ),
      'another trusted issuer’s name': await sign({ iss: neighbour.url }),
      'the issuer with a slash more': await sign({ iss: `${issuer.url}/` }),
      'no issuer': await sign({ iss: undefined as never }),
      'not yet valid': await sign({ from: 61 }),
      'issued in the future': await sign({ at: 61 }),
      'expired beyond the skew': await sign({ at: -600, in: -61 }),
      'no expiry': await sign({ exp: undefined as never }),
      'an expiry that is no number': await sign({ exp: '9999999999' as never }),
      'no subject': await sign({ sub: undefined as never }),
      'a type of another purpose': await sign({}, { header: { typ: 'logout+jwt' } }),
      'a security event': await sign({
        events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
      }),
      'a token bound to a key': await sign({ cnf: { jkt: 'x' } }),
      'a critical header that we do not know': await sign({}, { header: { crit: ['x'], x: 1 } }),
      'an unknown staff number': await sign({ staff_number: 'nobody' }),
      'a staff number that is a number': await sign({ staff_number: 1 }),
      'no staff number': await sign({ staff_number: undefined }),
    };
    const taken = [];
    for (const [what, token] of Object.entries(wrong)) if ((await nameOf(token)) !== null) taken.push(what);
    expect(taken).toEqual([]);
    const { errors } = await service.ask(wrong['a forged signature']!, 'mutation { signOut }');
    expect(errors?.[0]?.extensions?.code).toBe('NOT_SIGNED_IN');
    // Why stands in the log, and no token does.
    const all = lines.join('\n');
    for (const reason of [
      'Its issuer is unknown.',
      'ERR_JWT_EXPIRED exp',
      'ERR_JWS_SIGNATURE_VERIFICATION_FAILED',
    ])
      expect(all).toContain(reason);
    for (const token of Object.values(wrong)) expect(all).not.toContain(token.split('.')[1]);
    expect(await nameOf(good)).toBe('王小明');
  });

  it('are taken within the skew of the clocks', async () => {
    expect(await nameOf(await sign({ from: 59 }))).toBe('王小明');
    expect(await nameOf(await sign({ at: 59 }))).toBe('王小明');
    expect(await nameOf(await sign({ at: -600, in: -58 }))).toBe('王小明');
  });

  it('of a type that fits are taken', async () => {
    for (const typ of ['JWT', 'at+jwt', 'application/at+jwt'])
      expect(await nameOf(await sign({}, { header: { typ } }))).toBe('王小明');
  });

  it('with the staff number of two people are nobody’s', async () => {
    await service.database.pool.query(
      `insert into people (name, staff_number) values ('甲', 'twice'), ('乙', 'twice')`,
    );
    expect(await nameOf(await sign({ staff_number: 'twice' }))).toBeNull();
  });

  it('of an issuer bound to a division are for those alone who work there today', async () => {
    const from = async (staff_number: string) => neighbour.sign({ staff_number }, { now: clock.now() });
    expect(await nameOf(await from('t1'))).toBeNull();
    const at = async (division: string, name: string, ends: string | null) =>
      service.database.pool.query(
        `with o as (insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code)
           select 'x', gen_random_uuid(), '学校', 'primary', code, province_code, prefecture_code, county_code from divisions where code = $1 returning id),
         p as (insert into people (name, staff_number) values ($2, 't1') returning id)
         insert into posts (person_id, organization_id, role, starts_on, ends_on) select p.id, o.id, 'class_teacher', '2020-01-01', $3 from o, p`,
        [division, name, ends],
      );
    await at('430102', '邻居', null);
    expect(await nameOf(await from('t1'))).toBe('邻居');
    // Without a division the number is now that of two.
    expect(await nameOf(await sign({ staff_number: 't1' }))).toBeNull();
    await at('430102', '从前', '2021-01-01');
    expect(await nameOf(await from('t1'))).toBe('邻居');
    await at('430102', '又一', null);
    expect(await nameOf(await from('t1'))).toBeNull();
    await service.database.pool.query(
      `update people set staff_number = 'other' where name in ('邻居', '从前', '又一')`,
    );
    expect(await nameOf(await sign())).toBe('王小明');
  });

  const keysAsked = (): number => issuer.asked.filter((path) => path === '/jwks').length;

  it('under a new key are taken as soon as the keys are fetched again, which nobody can make happen all the time', async () => {
    expect(await nameOf(await sign())).toBe('王小明');
    const old = await sign();
    await issuer.rotate();
    clock.move(1);
    const before = keysAsked();
    expect(await nameOf(await sign())).toBe('王小明');
    expect(keysAsked()).toBe(before + 1);
    // The old key is gone from the set.
    expect(await nameOf(old)).toBeNull();
    const { privateKey } = await generateKeyPair('RS256');
    const made = await Promise.all(
      Array.from({ length: 10 }, async (_each, n) =>
        sign({}, { key: privateKey, header: { kid: `made-up-${n}` } }),
      ),
    );
    for (const token of made) expect(await nameOf(token)).toBeNull();
    expect(keysAsked()).toBe(before + 1);
    clock.move(1);
    await Promise.all(made.map(nameOf));
    expect(keysAsked()).toBe(before + 2);
  });

  it('are taken while their issuer is down, once its keys are known; a key that was taken back is forgotten soon', async () => {
    expect(await nameOf(await sign())).toBe('王小明');
    issuer.isDown = true;
    clock.move(60);
    const before = issuer.asked.length;
    expect(await nameOf(await sign())).toBe('王小明');
    expect(await nameOf(await sign())).toBe('王小明');
    // It was looked for, and not at every request.
    expect(issuer.asked.length - before).toBeGreaterThan(0);
    expect(issuer.asked.length - before).toBeLessThanOrEqual(2);
    clock.move(24 * 60);
    expect(await nameOf(await sign())).toBeNull();
    issuer.isDown = false;
    clock.move(1);
    const old = await sign();
    expect(await nameOf(old)).toBe('王小明');
    await issuer.rotate();
    clock.move(4);
    expect(await nameOf(old)).toBe('王小明');
    clock.move(6);
    expect(await nameOf(await sign({}, { header: { kid: 'key-2' } }))).toBeNull();
  });

  it('are not taken from an issuer that calls itself otherwise, or sends us elsewhere for its keys', async () => {
    const fresh = async (alter: TestIssuer['alter']): Promise<string | undefined> => {
      const liar = await TestIssuer.start();
      liar.alter = alter;
      const { issuers } = readConfig({
        IDENTITY_KEY: Buffer.alloc(32).toString('base64'),
        OIDC_ISSUERS: JSON.stringify([
          { key: 'liar', issuer: liar.url, name: { 'zh-CN': '骗', en: 'liar' }, audiences: [AUDIENCE] },
        ]),
      });
      const trusting = makeIssuerService({ db: service.database.db, clock, log, issuers, outbound: fetch });
      const viewer = await trusting.viewer(await liar.sign({ staff_number: 't2' }, { now: clock.now() }));
      await liar.stop();
      return viewer?.personId;
    };
    expect(await fresh((_path, body) => body)).toMatch(/^\d+$/);
    const said = (more: object) => (path: string, body: unknown) =>
      path.includes('well-known') ? { ...(body as object), ...more } : body;
    expect(await fresh(said({ issuer: issuer.url }))).toBeUndefined();
    expect(await fresh(said({ jwks_uri: 'file:///etc/passwd' }))).toBeUndefined();
  });
});
