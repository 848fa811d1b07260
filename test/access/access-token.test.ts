import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatToken, isWellFormedToken } from '../../src/access/access-token.ts';
import { assignTeachers, startService, TestClock, until, type TestService } from '../support/service.ts';

const CREATE = `mutation ($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { __typename
  ... on CreateAccessTokenPayload { token accessToken { id name permissions unit { ... on Division { code } } expiresAt lastUsedAt } }
  ... on Refusal { code message } ... on InvalidInput { path } } }`;
const REVOKE = `mutation ($id: ID!) { revokeAccessToken(input: { accessTokenId: $id }) { __typename ... on RevokeAccessTokenPayload { accessToken { revokedAt } } ... on Refusal { code } } }`;
const TARGET = `mutation ($input: SetCoverageTargetInput!) { setCoverageTarget(input: $input) { __typename } }`;
const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');
const COUNTY = gid('Division', '430121');

describe('the text of an access token', () => {
  const token = formatToken(Buffer.alloc(32, 7));
  it('is known by its looks, and a mistyped one by its checksum', () => {
    expect(token).toMatch(/^xqp_[\w-]{49}$/);
    expect(isWellFormedToken(token)).toBe(true);
    for (let at = 4; at < token.length; at++) {
      const other = token[at] === 'A' ? 'B' : 'A';
      expect(isWellFormedToken(`${token.slice(0, at)}${other}${token.slice(at + 1)}`)).toBe(false);
    }
    for (const wrong of ['', 'xqp_', token.slice(0, -1), `${token}A`, token.replace('xqp_', 'XQP_')])
      expect(isWellFormedToken(wrong)).toBe(false);
  });
});

describe('access tokens', () => {
  let service: TestService;
  let certificationId: string;
  const clock = new TestClock('2030-03-04T04:00:00Z');
  const inADay = '2030-03-05T04:00:00Z';

  beforeAll(async () => {
    service = await startService({ clock });
    ({ certificationId } = await assignTeachers(service, ['t1', 't2', 't3', 't4', 't5', 't6']));
  });
  afterAll(async () => service.stop());

  const create = async (as: string, input: object) =>
    (await service.ask(as, CREATE, { input: { name: 'nightly report', expiresAt: inADay, ...input } })).data
      .createAccessToken;
  const make = async (as: string, input: object): Promise<{ token: string; id: string }> => {
    const made = await create(as, input);
    expect(made.__typename).toBe('CreateAccessTokenPayload');
    return { token: made.token, id: made.accessToken.id };
  };
  const covered = async (token: string) =>
    service.ask(token, `{ coverage(certificationId: "${certificationId}", unitId: "${COUNTY}") { total } }`);
  const isNobody = async (token: string): Promise<boolean> =>
    (await service.ask(token, '{ viewer { person { name } } }')).data.viewer === null;

  it('are told once, and kept as a hash that does not tell them', async () => {
    const { token } = await make('coordinator', { permissions: ['COVERAGE_READ'], unitId: COUNTY });
    expect(isWellFormedToken(token)).toBe(true);
    const dump = JSON.stringify(
      (
        await service.database.pool.query('select t::text, encode(token_hash, $1) from access_tokens t', [
          'escape',
        ])
      ).rows,
    );
    const journal = JSON.stringify(
      (await service.database.pool.query('select j::text from journal_entries j')).rows,
    );
    for (const text of [dump, journal]) expect(text).not.toContain(token.slice(4, 40));
    expect(journal).toContain('access-token.create');
  });

  it('do what they were given, where they were given it, and nothing else of what their owner may', async () => {
    const { token } = await make('coordinator', { permissions: ['COVERAGE_READ'], unitId: COUNTY });
    expect((await covered(token)).data.coverage).toEqual({ total: 6 });
    const person = (
      await service.database.pool.query(`select person_id as id from person_sources where source_id = 't1'`)
    ).rows[0].id as string;
    const ask = async (as: string) =>
      (await service.ask(as, `{ node(id: "${gid('Person', person)}") { id } }`)).data.node;
    expect(await ask('coordinator')).not.toBeNull();
    expect(await ask(token)).toBeNull();
    const target = {
      input: { certificationId, divisionCode: '430121', rate: 0.9, startsOn: '2031-01-01' },
    };
    expect((await service.ask(token, TARGET, target)).data.setCoverageTarget.__typename).toBe('NotFound');
    expect((await service.ask('coordinator', TARGET, target)).data.setCoverageTarget.__typename).toBe(
      'SetCoverageTargetPayload',
    );
  });

  it('for one school reach that school alone', async () => {
    const schools = (
      await service.database.pool.query(
        `select id from organizations where source_id in ('s1', 's2') order by source_id`,
      )
    ).rows as { id: string }[];
    const { token } = await make('coordinator', {
      permissions: ['COVERAGE_READ'],
      unitId: gid('Organization', schools[0]!.id),
    });
    const at = async (unitId: string) =>
      (
        await service.ask(
          token,
          `{ coverage(certificationId: "${certificationId}", unitId: "${unitId}") { total } }`,
        )
      ).data?.coverage ?? null;
    expect(await at(gid('Organization', schools[0]!.id))).toEqual({ total: 6 });
    expect(await at(gid('Organization', schools[1]!.id))).toBeNull();
    expect(await at(COUNTY)).toBeNull();
  });

  it('lose their power with the grant of their owner, at once', async () => {
    const { token } = await make('coordinator', { permissions: ['COVERAGE_READ'], unitId: COUNTY });
    const hold = async (until: string | null) =>
      service.database.pool.query(
        `update role_grants set starts_on = '2020-01-01', ends_on = $1 where person_id = (select person_id from sample_sign_ins where key = 'coordinator')`,
        [until],
      );
    await hold('2030-03-03');
    expect((await covered(token)).data?.coverage ?? null).toBeNull();
    await hold(null);
    expect((await covered(token)).data.coverage).toEqual({ total: 6 });
  });

  it('are the teacher themselves only with SELF', async () => {
    const mine = `{ viewer { person { name } posts { role } assignments { id } certificates { id } accessTokens { name } sessions { id } } }`;
    const { token } = await make('t1', { permissions: ['SELF'] });
    const { data } = await service.ask(token, mine);
    expect(data.viewer.assignments).toHaveLength(1);
    expect(data.viewer.posts).toHaveLength(1);
    expect(data.viewer.accessTokens).toHaveLength(1);
    const assignment = data.viewer.assignments[0].id as string;

    await service.database.pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'auditor', '430121', '2020-01-01', 'test' from person_sources where source_id = 't1'`,
    );
    const other = await make('t1', { permissions: ['COVERAGE_READ'], unitId: COUNTY });
    expect((await service.ask(other.token, mine)).data.viewer).toEqual({
      person: data.viewer.person,
      posts: [],
      assignments: [],
      certificates: [],
      accessTokens: [],
      sessions: [],
    });
    const node = `query ($id: ID!) { node(id: $id) { id } }`;
    expect((await service.ask(token, node, { id: assignment })).data.node).toEqual({ id: assignment });
    expect((await service.ask(other.token, node, { id: assignment })).data.node).toBeNull();
    const state = (as: string) =>
      service.ask(
        as,
        `mutation { saveUserState(input: { assignmentId: "${assignment}", activityKey: "x", language: en, baseVersion: 0, data: "{}" }) { __typename ... on Refusal { message } } }`,
      );
    expect((await state(other.token)).data.saveUserState.message).toMatch(/assignment/);
    expect((await state(token)).data.saveUserState.message).toMatch(/activity/);
  });

  it('make no tokens and end no sessions', async () => {
    const { token } = await make('coordinator', {
      permissions: ['COVERAGE_READ', 'SELF'],
      unitId: COUNTY,
    });
    const refused = await create(token, { permissions: ['COVERAGE_READ'], unitId: COUNTY });
    expect(refused.code).toBe('NOT_ALLOWED');
    const signIn = await service.ask(
      null,
      `mutation { signInSample(input: { key: "coordinator" }) { ... on SignInSamplePayload { token } } }`,
    );
    const session = signIn.data.signInSample.token as string;
    const [{ id }] = (await service.ask(session, '{ viewer { sessions { id } } }')).data.viewer.sessions;
    const end = await service.ask(
      token,
      `mutation ($id: ID!) { endSession(input: { sessionId: $id }) { __typename } }`,
      { id },
    );
    expect(end.data.endSession.__typename).toBe('NotFound');
    expect((await service.ask(token, `mutation { endOtherSessions { __typename } }`)).data).toEqual({
      endOtherSessions: { __typename: 'NotAllowed' },
    });
    await service.ask(token, 'mutation { signOut }');
    expect(await isNobody(session)).toBe(false);
    expect(await isNobody(token)).toBe(false);
    // Made in a real session it is the same as in the sample's.
    expect((await create(session, { permissions: ['SELF'] })).__typename).toBe('CreateAccessTokenPayload');
  });

  it.each([
    [{ permissions: [] }, 'input.permissions'],
    [{ permissions: ['COVERAGE_READ'] }, 'input.unitId'],
    [{ permissions: ['SELF'], unitId: COUNTY }, 'input.unitId'],
    [{ permissions: ['COVERAGE_READ', 'CREDIT_READ'], unitId: COUNTY }, 'input.permissions'],
    [{ permissions: ['SELF'], name: ' ' }, 'input.name'],
    [{ permissions: ['SELF'], name: 'x'.repeat(101) }, 'input.name'],
    [{ permissions: ['SELF'], expiresAt: '2030-03-04T04:00:00Z' }, 'input.expiresAt'],
    [{ permissions: ['SELF'], expiresAt: '2031-03-05T04:00:01Z' }, 'input.expiresAt'],
  ])('are refused when asked for as %o', async (input, path) => {
    expect(await create('coordinator', input)).toMatchObject({ code: 'INVALID_INPUT', path });
  });

  it('may last for 366 days', async () => {
    const { token } = await make('coordinator', {
      permissions: ['SELF'],
      expiresAt: '2031-03-05T04:00:00Z',
    });
    expect(await isNobody(token)).toBe(false);
  });

  it('may be had where one’s grant reaches, not beside', async () => {
    const permissions = ['COVERAGE_READ'];
    expect((await create('coordinator', { permissions, unitId: gid('Division', '430102') })).code).toBe(
      'NOT_FOUND',
    );
    // Wider than the grant: what is left is the grant's own scope.
    const { token } = await make('coordinator', { permissions, unitId: gid('Division', '430000') });
    expect((await covered(token)).data.coverage).toEqual({ total: 6 });
  });

  it('that are unknown or mistyped are nobody’s', async () => {
    expect(await isNobody(formatToken(Buffer.alloc(32, 1)))).toBe(true);
    const { token } = await make('coordinator', { permissions: ['SELF'] });
    expect(await isNobody(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)).toBe(true);
    expect(await isNobody(token)).toBe(false);
  });

  it('are revoked at once and for good, by their owner', async () => {
    const { token, id } = await make('coordinator', { permissions: ['SELF'] });
    expect((await service.ask('t2', REVOKE, { id })).data.revokeAccessToken.code).toBe('NOT_FOUND');
    expect(await isNobody(token)).toBe(false);
    const first = (await service.ask('coordinator', REVOKE, { id })).data.revokeAccessToken;
    expect(first.accessToken.revokedAt).toBe('2030-03-04T04:00:00.000Z');
    expect(await isNobody(token)).toBe(true);
    clock.move(1);
    expect((await service.ask('coordinator', REVOKE, { id })).data.revokeAccessToken).toEqual(first);
  });

  it('are seen and revoked by an operator where the owner works, and by no other', async () => {
    const { token, id } = await make('t2', { permissions: ['SELF'] });
    const owner = (
      await service.database.pool.query(`select person_id as id from person_sources where source_id = 't2'`)
    ).rows[0].id as string;
    const grant = async (key: string, division: string) =>
      service.database.pool.query(
        `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'operator', $2, '2020-01-01', 'test' from sample_sign_ins where key = $1`,
        [key, division],
      );
    await grant('hr', '430100');
    await grant('issuer', '430102');
    const list = async (as: string | null) =>
      (
        await service.ask(as, 'query ($id: ID!) { accessTokens(personId: $id) { id owner { name } } }', {
          id: gid('Person', owner),
        })
      ).data.accessTokens;
    for (const as of ['issuer', 'coordinator', 't1', null]) expect(await list(as)).toBeNull();
    expect(await list('hr')).toEqual([{ id, owner: { name: '王小红' } }]);
    expect((await service.ask('issuer', REVOKE, { id })).data.revokeAccessToken.code).toBe('NOT_FOUND');
    expect(await isNobody(token)).toBe(false);
    expect((await service.ask('hr', REVOKE, { id })).data.revokeAccessToken.__typename).toBe(
      'RevokeAccessTokenPayload',
    );
    expect(await isNobody(token)).toBe(true);
    // A coordinator holds no post; the grant tells where they work.
    const coordinators = await make('coordinator', { permissions: ['SELF'] });
    expect((await service.ask('hr', REVOKE, { id: coordinators.id })).data.revokeAccessToken.__typename).toBe(
      'RevokeAccessTokenPayload',
    );
    const journal = await service.database.pool.query(
      `select actor, subject, detail from journal_entries where action = 'access-token.revoke' and person_id = $1::bigint`,
      [owner],
    );
    expect(journal.rows).toHaveLength(1);
  });

  it('say when they were last used, once a minute', async () => {
    const { token, id } = await make('coordinator', { permissions: ['SELF'] });
    const lastUse = async () =>
      (
        await service.ask(
          'coordinator',
          'query ($id: ID!) { node(id: $id) { ... on AccessToken { lastUsedAt } } }',
          {
            id,
          },
        )
      ).data.node.lastUsedAt as string | null;
    expect(await lastUse()).toBeNull();
    const first = clock.now().toISOString();
    await isNobody(token);
    await until(async () => ((await lastUse()) === first ? true : undefined));
    const version = async () =>
      (
        await service.database.pool.query(`select xmin::text from access_tokens where id = $1`, [
          Buffer.from(id, 'base64').toString().split(':')[1],
        ])
      ).rows[0].xmin as string;
    const written = await version();
    clock.move(0.5);
    await isNobody(token);
    clock.move(0.5);
    await isNobody(token);
    await until(async () => ((await lastUse()) === clock.now().toISOString() ? true : undefined));
    expect(await version()).not.toBe(written);
    // The use after half a minute was not written: it would have pushed this one out.
  });

  it('are at most fifty, however many are asked for at once', async () => {
    const asked = await Promise.all(
      Array.from({ length: 60 }, async () => create('issuer', { permissions: ['SELF'] })),
    );
    const codes = asked.map((answer) => answer.code ?? 'made');
    expect(codes.filter((code) => code === 'made')).toHaveLength(50);
    expect(codes.filter((code) => code === 'TOO_MANY_TOKENS')).toHaveLength(10);
  });

  it('expire by themselves', async () => {
    const { token } = await make('coordinator', {
      permissions: ['SELF'],
      expiresAt: new Date(clock.now().getTime() + 3_600_000).toISOString(),
    });
    clock.move(59);
    expect(await isNobody(token)).toBe(false);
    clock.move(1);
    expect(await isNobody(token)).toBe(true);
  });
});
