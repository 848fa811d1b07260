import { getIntrospectionQuery } from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeLog } from '../../src/log.ts';
import { startService, type TestService } from '../support/service.ts';

const many = (count: number, each: (index: number) => string, between = ' '): string =>
  Array.from({ length: count }, (_each, index) => each(index)).join(between);

describe('what is too much, or from the wrong place', () => {
  let service: TestService;
  let logged = '';
  beforeAll(async () => {
    service = await startService({
      log: makeLog('debug', { to: { write: (line: string) => void (logged += line) } }),
      env: { CORS_ORIGINS: 'https://console.example', LOG_LEVEL: 'debug' },
    });
  });
  afterAll(async () => service.stop());

  const door = (): string => `${service.app.publicUrl}/graphql`;
  const post = async (body: string, headers: Record<string, string> = {}) =>
    fetch(door(), {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sample:coordinator', ...headers },
      body,
    });
  interface Told {
    readonly status: number;
    readonly code: string | undefined;
    readonly message: string | undefined;
  }
  const told = async (response: Response): Promise<Told> => {
    const body = (await response.json()) as {
      errors?: { message: string; extensions?: { code?: string } }[];
      title?: string;
      detail?: string;
    };
    return {
      status: response.status,
      code: body.errors?.[0]?.extensions?.code ?? body.title,
      message: body.errors?.[0]?.message ?? body.detail,
    };
  };
  /** By both ways through the door, which must answer the same. */
  const ask = async (query: string, variables?: unknown): Promise<Told> => {
    const body = JSON.stringify({ query, variables });
    const plain = await told(await post(body, { accept: 'application/json' }));
    expect(await told(await post(body, { accept: 'application/json;q=0.9' }))).toEqual(plain);
    return plain;
  };

  const nested = (depth: number, width: number): string =>
    depth === 0 ? 'code' : many(width, () => `children { ${nested(depth - 1, width)} }`);
  const fragments = (count: number, body: (index: number) => string): string =>
    `{ division(code: "430000") { ...f0 } } ${many(count, (index) => `fragment f${index} on Division { ${body(index)} }`)}`;

  it.each([
    ['10,000 aliases', `{ ${many(10_000, (index) => `a${index}: __typename`)} }`],
    ['300 aliases', `{ division(code: "430000") { ${many(300, (index) => `a${index}: name`)} } }`],
    ['5 MB of query', `{ ${' '.repeat(1_900_000)} __typename }`],
    ['the same field again and again', `{ division(code: "430000") { ${many(1_900, () => 'code')} } }`],
    ['the same fields in one another', `{ division(code: "430000") { ${nested(8, 2)} } }`],
    ['many fields at the top', `{ ${many(51, (index) => `a${index}: __typename`)} }`],
    ['many changes at once', `mutation { ${many(11, (index) => `a${index}: signOut`)} }`],
    ['many directives', `{ __typename ${many(60, () => '@skip(if: false)')} }`],
    ['many words', `{ ${many(2_100, () => 'x')} }`],
    ['brackets in brackets', `{ node(id: ${'['.repeat(5_000)}${']'.repeat(5_000)}) { id } }`],
    [
      'fields in fields',
      `{ division(code: "430000") { ${'children {'.repeat(25)} code ${'}'.repeat(25)} } }`,
    ],
    [
      'fragments that double each other',
      fragments(30, (index) =>
        index === 29 ? 'code' : `...f${index + 1} a${index}: parent { ...f${index + 1} }`,
      ),
    ],
    [
      'fragments that double each other and lead nowhere',
      fragments(40, (index) => (index === 39 ? '...away' : `...f${index + 1} ...f${index + 1}`)),
    ],
    ['many fragments', fragments(60, () => 'code')],
    [
      'a bomb of introspection',
      `{ ${many(45, (index) => `a${index}: __schema { types { fields { args { name } } } }`)} }`,
    ],
    [
      'introspection in introspection',
      `{ __schema { types { ${'fields { type { '.repeat(7)} name ${'} }'.repeat(7)} } } }`,
    ],
  ])('refuses %s by its size', async (_what, query) => {
    const before = process.cpuUsage();
    const answer = await ask(query);
    expect(answer).toMatchObject({ status: 200, code: 'QUERY_TOO_LARGE' });
    expect(answer.message).toMatch(/at most|too large|too many times/);
    // Roughly: what took seconds, or the whole stack, before it was looked at by its size.
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000_000).toBeLessThan(5);
  });

  it.each([
    ['one fragment in itself', '{ ...a } fragment a on Query { ...a }'],
    ['two in each other', '{ ...a } fragment a on Query { ...b } fragment b on Query { x: __typename ...a }'],
    [
      'a long circle',
      fragments(40, (index) => `children { ...f${(index + 1) % 40} } ...f${(index + 2) % 40}`),
    ],
    ['a circle that nobody spreads', '{ __typename } fragment a on Query { ...a }'],
  ])('refuses a circle of fragments: %s', async (_what, query) => {
    expect(await ask(query)).toMatchObject({ status: 200, code: 'GRAPHQL_VALIDATION_FAILED' });
  });

  it('leaves introspection to introspection’s own rule where it is small and deep', async () => {
    const deep = '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }';
    expect(await ask(deep)).toMatchObject({ message: 'Maximum introspection depth exceeded' });
  });

  const deep = (levels: number, open = '[', inner = '', close = ']'): string =>
    open.repeat(levels) + inner + close.repeat(levels);
  it.each([
    ['lists in lists', `{"code": ${deep(70)}}`, 200],
    ['objects in objects', `{"code": ${deep(70, '{"a":', '1', '}')}}`, 200],
    ['a long list', JSON.stringify({ code: Array.from({ length: 3_000 }, () => 'x') }), 200],
    [
      'many values',
      JSON.stringify({ code: Array.from({ length: 60 }, () => Array.from({ length: 1_000 }, () => 1)) }),
      200,
    ],
    [
      'many values that nobody asked for',
      JSON.stringify({ more: { ...many(60_000, () => 'x').split(' ') } }),
      200,
    ],
    // Before it is read at all.
    ['a megabyte of brackets', `{"code": "430000", "more": ${deep(900_000)}}`, 400],
    ['a megabyte of open brackets', `{"code": ${'['.repeat(1_800_000)}`, 400],
  ])('refuses variables with %s', async (_what, variables, status) => {
    const body = `{"query":"query ($code: String!) { division(code: $code) { name } }","variables":${variables}}`;
    const before = process.cpuUsage();
    const plain = await told(await post(body, { accept: 'application/json' }));
    expect(plain).toMatchObject({ status, code: 'QUERY_TOO_LARGE' });
    expect(await told(await post(body, { accept: 'application/json;q=0.9' }))).toEqual(plain);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1_000_000).toBeLessThan(5);
  });

  it('takes brackets in texts for what they are', async () => {
    const variables = { code: `430000${'['.repeat(1_000)}\\"${'{'.repeat(1_000)}` };
    const query = 'query ($code: String!) { division(code: $code) { name } }';
    expect(await ask(query, variables)).toMatchObject({ status: 200, code: undefined });
  });

  it('reads no body of 10 MB, no part of an upload beyond 1 MB but its files, and no list of questions', async () => {
    const large = JSON.stringify({ query: '{ __typename }', variables: { x: 'x'.repeat(10_000_000) } });
    expect(await told(await post(large))).toMatchObject({ status: 413, code: 'BODY_TOO_LARGE' });
    const form = new FormData();
    form.set('operations', large);
    form.set('map', '{}');
    const upload = async (body: FormData): Promise<Told> =>
      told(
        await fetch(door(), {
          method: 'POST',
          headers: { authorization: 'Bearer sample:coordinator' },
          body,
        }),
      );
    expect(await upload(form)).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    const parts = new FormData();
    for (let index = 0; index < 2_000; index += 1) parts.set(`part${index}`, 'x');
    expect(await upload(parts)).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    const list = JSON.stringify([{ query: '{ __typename }' }, { query: '{ __typename }' }]);
    for (const accept of ['application/json', 'application/json;q=0.9'])
      expect(await told(await post(list, { accept }))).toEqual({
        status: 400,
        code: 'BAD_REQUEST',
        message: 'Batching is not supported.',
      });
  });

  it('takes an upload whose map makes no sense for no defect', async () => {
    for (const map of ['7', '{"0": 7}', '{"0": [7]}', '[]', '{"0": ["variables.input.__proto__.x"]}']) {
      const form = new FormData();
      form.set('operations', JSON.stringify({ query: '{ __typename }', variables: {} }));
      form.set('map', map);
      const response = await fetch(door(), {
        method: 'POST',
        headers: { authorization: 'Bearer sample:coordinator' },
        body: form,
      });
      expect({ map, status: response.status }).toEqual({ map, status: response.status === 200 ? 200 : 400 });
      await response.body?.cancel();
    }
  });

  it('counts ids by their number', async () => {
    const ids = (count: number) => Array.from({ length: count }, () => 'RGl2aXNpb246NDMwMDAw');
    const query =
      'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Division { name code parent { name } } } }';
    expect((await ask(query, { ids: ids(100) })).code).toBeUndefined();
    expect(await ask(query, { ids: ids(1_900) })).toMatchObject({ code: 'QUERY_TOO_LARGE' });
  });

  it('answers what the usual tools ask', async () => {
    const query = getIntrospectionQuery({ specifiedByUrl: true, oneOf: true, inputValueDeprecation: true });
    const response = await post(JSON.stringify({ query }));
    const { data, errors } = (await response.json()) as { data: object; errors?: unknown };
    expect(errors).toBeUndefined();
    expect(data).toHaveProperty('__schema.types.100.name');
  });

  it('refuses the same at the door of tables', async () => {
    const response = await fetch(`${service.app.publicUrl}/export`, {
      method: 'POST',
      headers: { authorization: 'Bearer sample:coordinator', 'content-type': 'application/json' },
      body: JSON.stringify({
        format: 'csv',
        query: `{ division(code: "1") { ${many(1_900, () => 'code')} } }`,
      }),
    });
    expect(await told(response)).toMatchObject({ status: 400, code: 'QUERY_TOO_LARGE' });
  });

  describe('another site’s page', () => {
    const MUTATION = 'mutation { signInSample(input: { key: "hr" }) { __typename } }';
    const sessions = async (): Promise<number> =>
      (await service.database.pool.query('select count(*)::int as n from sessions')).rows[0].n as number;

    it('gets nothing done by a form, whatever type it sends', async () => {
      const before = await sessions();
      for (const [type, body] of [
        ['application/x-www-form-urlencoded', `query=${encodeURIComponent(MUTATION)}`],
        ['text/plain', JSON.stringify({ query: MUTATION })],
        ['text/plain;charset=UTF-8', JSON.stringify({ query: MUTATION })],
        ['application/graphql', MUTATION],
        ['', JSON.stringify({ query: MUTATION })],
      ] as const) {
        const response = await fetch(door(), {
          method: 'POST',
          headers: { origin: 'https://evil.example', ...(type === '' ? {} : { 'content-type': type }) },
          body: Buffer.from(body),
        });
        expect({ type, ...(await told(response)) }).toMatchObject({
          type,
          status: 415,
          code: 'UNSUPPORTED_TYPE',
        });
      }
      const form = new FormData();
      form.set('operations', JSON.stringify({ query: MUTATION }));
      form.set('map', '{}');
      const multipart = await fetch(door(), {
        method: 'POST',
        headers: { origin: 'https://evil.example' },
        body: form,
      });
      expect(await told(multipart)).toMatchObject({ status: 401, code: 'NOT_SIGNED_IN' });
      expect(await sessions()).toBe(before);
    });

    it('changes nothing by an address', async () => {
      const before = await sessions();
      for (const accept of ['*/*', 'application/json', 'application/graphql-response+json']) {
        const response = await fetch(`${door()}?query=${encodeURIComponent(MUTATION)}`, {
          headers: { accept },
        });
        expect(response.status).toBe(405);
        await response.body?.cancel();
      }
      expect(await sessions()).toBe(before);
    });

    it('is let in by nobody but the operator, and never with cookies', async () => {
      const preflight = async (origin: string) =>
        (
          await fetch(door(), {
            method: 'OPTIONS',
            headers: {
              origin,
              'access-control-request-method': 'POST',
              'access-control-request-headers': 'authorization, content-type',
            },
          })
        ).headers;
      const allowed = await preflight('https://console.example');
      expect(allowed.get('access-control-allow-origin')).toBe('https://console.example');
      expect(allowed.get('access-control-allow-headers')).toMatch(/Authorization, Content-Type/);
      expect(allowed.get('access-control-allow-credentials')).toBeNull();
      for (const origin of ['https://evil.example', 'null', 'https://console.example.evil.example']) {
        expect((await preflight(origin)).get('access-control-allow-origin')).toBeNull();
        const answer = await post('{"query":"{ __typename }"}', { origin });
        expect(answer.headers.get('access-control-allow-origin')).toBeNull();
      }
      for (const accept of ['application/json', 'application/json;q=0.9']) {
        const answer = await post('{"query":"{ __typename }"}', {
          origin: 'https://console.example',
          accept,
        });
        expect(answer.headers.get('access-control-allow-origin')).toBe('https://console.example');
        expect(answer.headers.get('vary')).toMatch(/origin/i);
      }
    });
  });

  it('sends the headers that keep both origins to themselves, with whatever it answers', async () => {
    const { publicUrl, contentUrl } = service.app;
    const answers = await Promise.all([
      fetch(`${publicUrl}/`),
      fetch(`${publicUrl}/nothing`),
      fetch(`${publicUrl}/assets/nothing.js`),
      fetch(`${publicUrl}/feed/credit-records`),
      fetch(`${publicUrl}/roster-template.xlsx`),
      fetch(`${publicUrl}/graphql`, { method: 'POST', body: 'x' }),
      fetch(`${publicUrl}/graphql`, { method: 'DELETE' }),
      fetch(`${publicUrl}/%E0%A4%A`),
      post('{"query":"{ __typename }"}'),
      post('{"query":"{ nothing }"}'),
      post('x'.repeat(3_000_000)),
      fetch(`${contentUrl}/`),
      fetch(`${contentUrl}/h5p/nothing`),
      fetch(`${contentUrl}/h5p/main.bundle.js`),
      fetch(`${contentUrl}/player-files/player.js`),
    ]);
    for (const { url, headers, body } of answers) {
      expect({
        url,
        sniff: headers.get('x-content-type-options'),
        part: headers.get('cross-origin-resource-policy'),
        id: headers.get('x-request-id'),
        policy: headers.get('content-security-policy'),
        permissions: headers.get('permissions-policy'),
        banner: headers.get('server') ?? headers.get('x-powered-by'),
        cookie: headers.get('set-cookie'),
      }).toEqual({
        url,
        sniff: 'nosniff',
        part: 'same-origin',
        id: expect.stringMatching(/^[\da-f-]{36}$/),
        policy: expect.stringMatching(/^default-src 'none'.*frame-ancestors /),
        permissions: expect.stringContaining('camera=()'),
        banner: null,
        cookie: null,
      });
      await body?.cancel();
    }
    expect(answers[4].headers.get('content-security-policy')).toContain('sandbox');
    expect(answers[4].headers.get('content-disposition')).toMatch(/^attachment/);
  });

  it('tells a defect by the id of its request, in the header, the answer and the log', async () => {
    await service.database.pool.query('alter table certifications rename to certifications_away');
    const response = await post(JSON.stringify({ query: '{ certifications(first: 5) { nodes { id } } }' }));
    await service.database.pool.query('alter table certifications_away rename to certifications');
    const id = response.headers.get('x-request-id')!;
    expect(await response.text()).toContain(`tell the operator this id: ${id}`);
    expect(logged.split('\n').filter((line) => line.includes(id))).not.toEqual([]);
  });

  it('writes nothing into its log that somebody gave in', async () => {
    logged = '';
    const marks = [
      'markword',
      '11010519491231002X',
      '13800138000',
      'someone@example.org',
      'secrettoken1234567890',
      'eyJhbGciOi.eyJzdWIiOiI.c2lnbmF0dXJl',
    ];
    const broken = ['certifications', 'sessions', 'divisions', 'certificates'];
    for (const table of broken)
      await service.database.pool.query(`alter table ${table} rename to ${table}_away`);
    try {
      for (const mark of marks) {
        const text = encodeURIComponent(mark);
        const headers = {
          authorization: `Bearer ${mark}`,
          cookie: `session=${mark}`,
          'x-forwarded-for': mark,
          'x-request-id': mark,
          referer: `https://lms.example/?token=${text}`,
          'user-agent': mark,
        };
        const query = `query ($code: String!) { division(code: $code) { name } verifyCertificate(number: "${mark}", code: "${mark}") { state } }`;
        await post(JSON.stringify({ query, variables: { code: mark } }), headers);
        await post(JSON.stringify({ query, variables: { code: mark } }));
        await post(`{"query": "${mark}`, headers);
        await post(JSON.stringify({ query: `{ certifications(after: "${mark}") { nodes { id } } }` }));
        for (const path of [
          `/graphql?query=${text}`,
          `/certificates/${text}.pdf`,
          `/feed/credit-records?after=${text}`,
          `/${text}?code=${text}`,
        ])
          await fetch(`${service.app.publicUrl}${path}`, { headers }).then(async (each) => each.text());
        const form = new FormData();
        form.set(
          'operations',
          JSON.stringify({ query: `{ node(id: "${mark}") { id } }`, variables: { file: null } }),
        );
        form.set('map', '{"0": ["variables.file"]}');
        form.set('0', new Blob([mark]), `${mark}.csv`);
        await fetch(door(), { method: 'POST', headers: { authorization: `Bearer ${mark}` }, body: form });
      }
    } finally {
      for (const table of broken)
        await service.database.pool.query(`alter table ${table}_away rename to ${table}`);
    }
    // It did say something: each of these was a defect.
    expect(logged.split('\n').filter((line) => line.includes('defect')).length).toBeGreaterThan(10);
    for (const mark of marks) expect(logged).not.toContain(mark);
  });
});
