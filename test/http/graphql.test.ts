import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnumType, isInputObjectType, isInterfaceType, isIntrospectionType, isObjectType } from 'graphql';
import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/schema.ts';
import type { Log } from '../../src/log.ts';
import { startService, type TestService } from '../support/service.ts';

describe('the GraphQL door', () => {
  let service: TestService;
  const logged: string[] = [];
  const keep = (...said: unknown[]): void => void logged.push(JSON.stringify(said));
  const log: Log = { debug: keep, info: keep, warn: keep, error: keep };
  beforeAll(async () => {
    service = await startService({ log });
  });
  afterAll(async () => service.stop());

  const audits = serverAudits({ url: async () => `${service.app.publicUrl}/graphql`, fetchFn: fetch });

  it('is audited by all of graphql-http', () => {
    expect(audits.length).toBeGreaterThanOrEqual(61);
  });

  it.each(audits.map((audit) => ({ name: audit.name, audit })))('$name', async ({ audit }) => {
    const result = await audit.fn();
    expect(result).toMatchObject({ status: 'ok' });
  });

  const codeOf = async (query: string): Promise<string | undefined> =>
    (await service.ask('coordinator', query)).errors?.[0]?.extensions?.code;

  it('refuses a query that is too deep, too wide, too costly or too long', async () => {
    const nested = (levels: number): string => (levels === 0 ? 'code' : `children { ${nested(levels - 1)} }`);
    expect(await codeOf(`{ division(code: "430000") { ${nested(16)} } }`)).toBe('QUERY_TOO_LARGE');
    const flood = Array.from(
      { length: 500 },
      (_each, index) => `a${index}: division(code: "430121") { name }`,
    );
    expect(await codeOf(`{ ${flood.join(' ')} }`)).toBe('QUERY_TOO_LARGE');
    expect(
      await codeOf(
        `{ division(code: "430000") { children { organizations(first: 100) { nodes { division { organizations(first: 100) { nodes { name } } } } } } } }`,
      ),
    ).toBe('QUERY_TOO_LARGE');
    expect(await codeOf(`{ viewer { person { name } } } # ${'x'.repeat(21_000)}`)).toBe('QUERY_TOO_LARGE');
  });

  it('is not asked around its limits by fragments or variables', async () => {
    const fragments = Array.from(
      { length: 12 },
      (_each, index) =>
        `fragment f${index} on Division { ${index === 11 ? 'code' : `children { ...f${index + 1} }`} }`,
    );
    expect(
      await codeOf(
        `{ division(code: "430000") { children { children { children { ...f0 } } } } } ${fragments.join(' ')}`,
      ),
    ).toBe('QUERY_TOO_LARGE');
  });

  it('reads a body of 2 MB at most', async () => {
    const response = await fetch(`${service.app.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ __typename }', variables: { filler: 'x'.repeat(3_000_000) } }),
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ title: 'BODY_TOO_LARGE' });
  });

  /** Yoga answers what names a quality; the plain kind of question goes straight to the executor. */
  const ask = async (body: string, accept: string) => {
    const response = await fetch(`${service.app.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept, authorization: 'Bearer sample:coordinator' },
      body,
    });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: (await response.text()).replace(/id: [\w-]{36}/, 'id'),
    };
  };
  it.each([
    { query: '{ viewer { person { name } posts { role } } }' },
    { query: 'query A { __typename } query B { viewer { person { name } } }', operationName: 'B' },
    { query: 'query A { __typename } query B { __typename }' },
    { query: 'query ($code: String!) { division(code: $code) { name } }', variables: { code: '430000' } },
    { query: 'query ($code: String!) { division(code: $code) { name } }', variables: {} },
    { query: 'query ($code: String!) { division(code: $code) { name } }', variables: { code: 7 } },
    {
      query: 'query ($code: String!) { division(code: $code) { name } }',
      variables: null,
      operationName: null,
    },
    { query: '{ coverage(certificationId: "x", unitId: "y") { covered } }' },
    { query: 'mutation { signOut }', operationName: 'none' },
    { query: '{ nothing }' },
    { query: '{ viewer { ' },
    { query: '' },
    { query: 'subscription { x }' },
    { query: '{ __typename }', extensions: {} },
    { query: '{ __typename }', other: 1 },
    { variables: {} },
    { query: 7 },
    { query: '{ __typename }', variables: [] },
  ])('answers the same, plainly asked or not: %j', async (body) => {
    const plain = await ask(JSON.stringify(body), 'application/json');
    expect(await ask(JSON.stringify(body), 'application/json;q=0.9')).toEqual(plain);
    expect(await ask(JSON.stringify(body), 'application/json')).toEqual(plain);
  });

  it('answers what is no JSON the same, plainly asked or not', async () => {
    for (const text of ['', '{', '"{ __typename }"', 'null', '[]'])
      expect(await ask(text, 'application/json')).toEqual(await ask(text, 'application/json;q=0.9'));
  });

  it('is there for others when a caller leaves in the middle of a question', async () => {
    const { port, hostname } = new URL(service.app.publicUrl);
    const socket = connect(Number(port), hostname);
    socket.write(
      'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"query":',
    );
    await sleep(50);
    const before = logged.length;
    socket.destroy();
    expect((await ask('{"query":"{ __typename }"}', 'application/json')).status).toBe(200);
    expect(logged.slice(before).join()).not.toContain('defect');
  });

  it('takes no list of queries at once', async () => {
    const response = await fetch(`${service.app.publicUrl}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([{ query: '{ __typename }' }, { query: '{ __typename }' }]),
    });
    expect(response.status).toBe(400);
  });

  it('tells a defect by an id alone, and the log everything but the token', async () => {
    await service.database.pool.query('alter table certifications rename to certifications_away');
    const answer = await service.ask('coordinator', '{ certifications(first: 5) { nodes { id } } }');
    await service.database.pool.query('alter table certifications_away rename to certifications');
    const [error] = answer.errors!;
    expect(error!.extensions?.code).toBe('INTERNAL');
    expect(JSON.stringify(answer)).not.toMatch(/relation|certifications_away|node_modules|\.ts/);
    const id = /tell the operator this id: ([\w-]+)/.exec(error!.message)?.[1];
    const entry = logged.find((line) => line.includes(id!));
    expect(entry).toMatch(/relation .*certifications/);
    expect(logged.join()).not.toContain('sample:coordinator');
  });

  it('does not know a made-up or an ended session from none', async () => {
    const ask = async (authorization: string) =>
      (
        await fetch(`${service.app.publicUrl}/graphql`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization },
          body: JSON.stringify({ query: '{ viewer { person { name } } }' }),
        })
      ).text();
    const { data } = await service.ask(
      null,
      `mutation { signInSample(input: { key: "hr" }) { ... on SignInSamplePayload { token } } }`,
    );
    const { token } = data.signInSample;
    const nobody = await ask('');
    expect(await ask(`Bearer ${token}`)).toContain('赵明');
    await service.ask(token, 'mutation { signOut }');
    for (const authorization of [
      `Bearer ${token}`,
      'Bearer made-up',
      'Basic aHI6',
      'Bearer sample:nobody',
      'Bearer ',
    ])
      expect(await ask(authorization)).toBe(nobody);
  });

  it('shows GraphiQL to a browser, under a policy of its own', async () => {
    const response = await fetch(`${service.app.publicUrl}/graphql?as=hr`, {
      headers: { accept: 'text/html' },
    });
    expect(response.headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'nonce-[\w+/=]{24}'.*frame-ancestors 'none'/,
    );
    expect(await response.text()).toContain('Bearer sample:hr');
    const odd = await fetch(`${service.app.publicUrl}/graphql?as=${encodeURIComponent('"><script>')}`, {
      headers: { accept: 'text/html' },
    });
    const text = await odd.text();
    expect(text).not.toContain('"><script>');
    // Scripts run by their nonce alone, and each page has another.
    const nonceOf = (answer: Response): string =>
      /script-src 'nonce-([^']+)';/.exec(answer.headers.get('content-security-policy')!)![1]!;
    expect(text.split(`<script nonce="${nonceOf(odd)}">`)).toHaveLength(2);
    expect(nonceOf(response)).not.toBe(nonceOf(odd));
  });
});

describe('the contract', () => {
  it('says of every element what it is for', () => {
    // Relay's own, which the plugin describes or which need no words.
    const ofRelay = /^(Node|PageInfo|.*Connection|.*Edge)$/;
    const bare: string[] = [];
    let read = 0;
    const look = (where: string, description: string | null | undefined): void => {
      read += 1;
      if ((description ?? '').trim().length < 3) bare.push(where);
    };
    for (const type of Object.values(schema.getTypeMap())) {
      if (
        isIntrospectionType(type) ||
        ofRelay.test(type.name) ||
        ['String', 'Int', 'Float', 'Boolean', 'ID'].includes(type.name)
      )
        continue;
      if (!type.name.endsWith('Result')) look(type.name, type.description);
      if (isEnumType(type)) continue;
      if (isObjectType(type) || isInterfaceType(type)) {
        for (const field of Object.values(type.getFields())) {
          if (field.name === 'id' || (type.name === 'Query' && /^nodes?$/.test(field.name))) continue;
          look(`${type.name}.${field.name}`, field.description);
          for (const arg of field.args)
            if (!['first', 'last', 'after', 'before', 'language', 'input'].includes(arg.name))
              look(`${type.name}.${field.name}(${arg.name})`, arg.description);
        }
      } else if (isInputObjectType(type))
        for (const field of Object.values(type.getFields()))
          look(`${type.name}.${field.name}`, field.description);
    }
    expect(read).toBeGreaterThan(150);
    expect(bare).toEqual([]);
  });
});
