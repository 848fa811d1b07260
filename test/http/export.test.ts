import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  getNamedType,
  isEnumType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  type GraphQLEnumType,
} from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/schema.ts';
import { projectFolder } from '../../src/config.ts';
import { enumLabel } from '../../src/http/export/words.ts';
import type { SessionService } from '../../src/access/session.service.ts';
import type { Organization } from '../../src/regions/organization.ts';
import type { RegionService } from '../../src/regions/region.service.ts';
import { readAll } from '../sheets/workbook.ts';
import {
  assignTeachers,
  finishActivities,
  importRoster,
  sitExam,
  smallRoster,
  startService,
  SUBMIT,
  TestClock,
  until,
  type TestService,
} from '../support/service.ts';

const CHILDREN = `query Schools($certificationId: ID!, $unitId: ID!, $after: String) {
  coverage(certificationId: $certificationId, unitId: $unitId, role: CLASS_TEACHER) {
    covered
    children(first: 2, after: $after) {
      nodes { __typename unit { ... on Division { name code } ... on Organization { name kind } } day covered total gap rate target hidden roles }
      pageInfo { hasNextPage endCursor }
    } } }`;
const BY_ROLE = `query ($certificationId: ID!, $unitId: ID!, $after: String) {
  coverage(certificationId: $certificationId, unitId: $unitId) {
    children(first: 2, after: $after) {
      nodes { unit { ...name ... on Division { constructor: code } } total byRole { role covered total } }
      pageInfo { hasNextPage endCursor }
    } } } fragment name on Unit { ... on Organization { name } }`;
const UNCOVERED = `query ($certificationId: ID!, $unitId: ID!, $after: String) {
  coverage(certificationId: $certificationId, unitId: $unitId) {
    uncovered(first: 2, after: $after) {
      nodes { person { id name staffNumber } organization { name } roles type: __typename }
      pageInfo { hasNextPage endCursor }
    } } }`;
const SCHOOLS = `query ($after: String) { division(code: "430121") { organizations(first: 100, after: $after) {
  nodes { name kind } pageInfo { hasNextPage endCursor } } } }`;
const NOWHERE = Buffer.from('Division:999999').toString('base64');

describe('tables as files', () => {
  let service: TestService;
  let ids: { certificationId: string; unitId: string };

  const post = async (as: string | null, body: unknown, more: RequestInit = {}): Promise<Response> =>
    fetch(`${service.app.publicUrl}/export`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(as === null ? {} : { authorization: `Bearer ${as.includes(':') ? as : `sample:${as}`}` }),
      },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...more,
    });
  /** The lines of a CSV, without its mark. */
  const csv = async (query: string, more: Record<string, unknown> = {}, as = 'coordinator') => {
    const response = await post(as, { query, variables: ids, format: 'csv', ...more });
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) throw new Error(`${response.status} ${bytes.toString()}`);
    expect(bytes.subarray(0, 3)).toEqual(Buffer.from('\ufeff'));
    return bytes.subarray(3).toString().trimEnd().split('\r\n');
  };
  const refusal = async (body: unknown, as: string | null = 'coordinator') => {
    const response = await post(as, body);
    expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    const { title, detail } = (await response.json()) as { title: string; detail: string };
    return { status: response.status, title, detail };
  };

  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2030-03-04T04:00:00Z') });
    const prepared = await assignTeachers(service, ['a1', 'a2', 'a3', 'a4']);
    ids = { certificationId: prepared.certificationId, unitId: prepared.unitId };
    const roster = smallRoster([
      { id: 'b1', family: 'Wang', given: '@SUM(A1)', orgs: 's2' },
      { id: 'b2', family: '李', given: '二', orgs: 's3' },
    ]);
    const orgs = `${Buffer.from(roster[0]!.bytes).toString()}\ns3,,,"=HYPERLINK(""http://x"")",school,4301210003,b1,430121,senior,,`;
    const { rowsRefused } = await importRoster(service, [
      { name: 'orgs.csv', bytes: Buffer.from(orgs) },
      roster[1]!,
    ]);
    if (rowsRefused !== 0) throw new Error('The roster was not taken.');
    const [first] = prepared.learners;
    await finishActivities(service, first!);
    await service.ask(first!.key, SUBMIT, { id: await sitExam(service, first!, { right: true }) });
    await until(async () => {
      const { data } = await service.ask(
        'coordinator',
        'query ($certificationId: ID!, $unitId: ID!) { coverage(certificationId: $certificationId, unitId: $unitId) { covered } }',
        ids,
      );
      return data.coverage.covered === 1 ? true : undefined;
    });
    // Sees the numbers and not the people.
    await service.database.pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'auditor', '430121', '2020-01-01', 'test' from person_sources where source_id = 'b2'`,
    );
  });
  afterAll(async () => service.stop());

  it('have every page of the connection, in words, and nothing that could be a formula', async () => {
    expect(await csv(CHILDREN)).toEqual([
      '地区或单位,行政区划代码,单位类型,日期,已覆盖人数,应培训人数,缺口,覆盖率,目标,数字不公开,岗位',
      `"'=HYPERLINK(""http://x"")",,高级中学,2030-03-04,0,1,1,0,1,否,班主任`,
      '星沙第二中学,,初级中学,2030-03-04,0,1,1,0,1,否,班主任',
      '星沙实验小学,,小学,2030-03-04,1,4,3,0.25,1,否,班主任',
      '长沙县教育局,,教育行政部门,2030-03-04,0,0,0,,1,否,班主任',
    ]);
  });

  it('come as a workbook with numbers, shares and days as what they are', async () => {
    const response = await post('coordinator', {
      query: CHILDREN,
      variables: ids,
      format: 'xlsx',
      language: 'en',
      name: '覆盖率 "一"/二',
      titles: { total: 'Teachers' },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
    );
    expect(response.headers.get('cache-control')).toBe('private, no-store');
    const disposition = response.headers.get('content-disposition')!;
    expect(disposition).toMatch(/^attachment; filename="[\w.-]+\.xlsx"; filename\*=UTF-8''[\w%.-]+\.xlsx$/);
    expect(decodeURIComponent(disposition.split("''")[1]!)).toBe('覆盖率 _一__二 2030-03-04.xlsx');
    const [sheet] = await readAll(Buffer.from(await response.arrayBuffer()));
    expect(sheet!.name).toBe('覆盖率 "一" 二');
    expect([...sheet!.lines.values()].filter((_line, at) => at !== 2 && at < 4)).toEqual([
      [
        'Unit',
        'Division code',
        'Kind of organization',
        'Day',
        'Covered',
        'Teachers',
        'Gap',
        'Coverage',
        'Target',
        'Not told',
        'Roles',
      ],
      [
        '=HYPERLINK("http://x")',
        '',
        'Senior secondary school',
        '2030-03-04',
        '0',
        '1',
        '1',
        '0',
        '1',
        'No',
        'Class teacher',
      ],
      ['星沙实验小学', '', 'Primary school', '2030-03-04', '1', '4', '3', '0.25', '1', 'No', 'Class teacher'],
    ]);
    expect(sheet!.cells.get(4)!.map((cell) => cell?.kind)).toEqual([
      'text',
      undefined,
      'text',
      'date',
      'number',
      'number',
      'number',
      'number',
      'number',
      'text',
      'text',
    ]);
  });

  it('make a row of each element of one list below, and repeat what stands beside it', async () => {
    const lines = await csv(BY_ROLE);
    expect(lines[0]).toBe('地区或单位,unit.constructor,应培训人数,岗位,已覆盖人数,分岗位 / 应培训人数');
    expect(lines[3]).toBe('星沙实验小学,,4,班主任,1,4');
    expect(lines.length).toBe(5);
  });

  it('are made of one object or one list too', async () => {
    const coverage = (fields: string) =>
      `query ($certificationId: ID!, $unitId: ID!) { coverage(certificationId: $certificationId, unitId: $unitId) { ${fields} } }`;
    expect(await csv(coverage('total rate certification { title }'), { language: 'en' })).toEqual([
      'To be trained,Coverage,Certification',
      expect.stringMatching(/^6,0\.1666666666666\d+,/),
    ]);
    const trend = await csv(
      coverage('unit { ... on Division { name } } trend(from: "2030-01-04") { day total }'),
    );
    expect(trend).toEqual([
      '地区或单位,日期,应培训人数',
      '长沙县,2030-01-04,6',
      '长沙县,2030-02-04,6',
      '长沙县,2030-03-04,6',
    ]);
    expect(await csv('{ courses { slug version } }')).toHaveLength(
      1 + (await service.ask(null, '{ courses { slug } }')).data.courses.length,
    );
  });

  it('are found under whatever aliases a query gives, and say instants in China’s time and yes or no', async () => {
    const named = `query ($certificationId: ID!, $unitId: ID!, $after: String) { c: coverage(certificationId: $certificationId, unitId: $unitId) {
      below: children(first: 1, after: $after) { rows: nodes { where: unit { ... on Organization { label: name } } n: total } page: pageInfo { more: hasNextPage end: endCursor } } } }`;
    const lines = await csv(named, { titles: { n: '=人数' } });
    expect(lines[0]).toBe("where.label,'=人数");
    expect(lines).toHaveLength(5);

    const { rows } = await service.database.pool.query('select max(id) as id from roster_imports');
    const id = Buffer.from(`RosterImport:${rows[0].id}`).toString('base64');
    expect(
      await csv(
        'query ($id: ID!) { node(id: $id) { ... on RosterImport { createdAt dryRun state reason } } }',
        {
          variables: { id },
        },
      ),
    ).toEqual(['创建时间,仅试算,状态,原因', '2030-03-04 12:00:00,否,已导入,']);
  });

  it('come as the README shows', async () => {
    const readme = await readFile(join(projectFolder, 'README.md'), 'utf8');
    const [, body] = /\/export .*?-d '(\{.*?\})'$/ms.exec(readme)!;
    const response = await post('coordinator', body);
    expect(response.status).toBe(200);
    const [sheet] = await readAll(Buffer.from(await response.arrayBuffer()));
    expect(sheet!.lines.size).toBe(5);
    expect(sheet!.name).toBe('学校');
  });

  it('tell of people to those who may see them', async () => {
    const lines = await csv(UNCOVERED, { language: 'en' });
    expect(lines[0]).toBe('Id,Name,Staff number,Organization,Roles,type');
    expect(
      lines
        .slice(1)
        .map((line) => line.split(',').slice(1).join(','))
        .toSorted(),
    ).toEqual(
      [
        "'@SUM(A1) Wang,b1,星沙第二中学,Class teacher,UncoveredPerson",
        '王小红,a2,星沙实验小学,Class teacher,UncoveredPerson',
        '王小刚,a3,星沙实验小学,Class teacher,UncoveredPerson',
        '王小丽,a4,星沙实验小学,Class teacher,UncoveredPerson',
        `李二,b2,"'=HYPERLINK(""http://x"")",Class teacher,UncoveredPerson`,
      ].toSorted(),
    );
  });

  it('keep the veil: the numbers of few are empty, and who is not covered is as if it were not there', async () => {
    const lines = await csv(CHILDREN, {}, 'sample:staff:b2');
    expect(lines.slice(1)).toEqual([
      `"'=HYPERLINK(""http://x"")",,高级中学,2030-03-04,,,,,1,是,班主任`,
      '星沙第二中学,,初级中学,2030-03-04,,,,,1,是,班主任',
      '星沙实验小学,,小学,2030-03-04,,,,,1,是,班主任',
      '长沙县教育局,,教育行政部门,2030-03-04,0,0,0,,1,否,班主任',
    ]);
    const answer = await refusal({ query: UNCOVERED, variables: ids, format: 'csv' }, 'sample:staff:b2');
    expect(answer).toMatchObject({ status: 404, title: 'NOT_FOUND' });
  });

  it('are to a stranger as if they were not there, and to nobody behind the sign-in', async () => {
    for (const format of ['csv', 'xlsx']) {
      const body = { query: CHILDREN, variables: ids, format };
      const yours = await refusal(body, 'hr');
      expect(yours).toMatchObject({ status: 404, title: 'NOT_FOUND' });
      expect(await refusal({ ...body, variables: { ...ids, unitId: NOWHERE } }, 'hr')).toEqual(yours);
      expect(await refusal({ ...body, variables: { ...ids, unitId: NOWHERE } })).toEqual(yours);
      expect(await refusal(body, null)).toMatchObject({ status: 401, title: 'NOT_SIGNED_IN' });
      expect(await refusal(body, 'sample:made-up')).toMatchObject({ status: 401 });
    }
  });

  it.each([
    ['a mutation', 'mutation { signOut }', 'INVALID_INPUT', /Only a query can be exported.*mutation/],
    [
      'two connections',
      `query ($after: String) { certifications(after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } a: division(code: "430121") { organizations(after: $after) { nodes { id } } } }`,
      'INVALID_INPUT',
      /has 2: certifications, a\.organizations/,
    ],
    [
      'no $after',
      '{ certifications { nodes { id } pageInfo { hasNextPage endCursor } } }',
      'INVALID_INPUT',
      /declare \$after: String/,
    ],
    [
      'a page that begins elsewhere',
      'query ($after: String, $x: String) { certifications(after: $x) { nodes { id } pageInfo { hasNextPage endCursor } } division(code: $after) { id } }',
      'GRAPHQL_VALIDATION_FAILED',
      /\$after/,
    ],
    [
      'no pageInfo',
      'query ($after: String) { certifications(after: $after) { nodes { id } } }',
      'INVALID_INPUT',
      /Select pageInfo of certifications once/,
    ],
    [
      'half of pageInfo',
      'query ($after: String) { certifications(after: $after) { nodes { id } pageInfo { endCursor } } }',
      'INVALID_INPUT',
      /Select hasNextPage of certifications\.pageInfo once/,
    ],
    [
      'no nodes',
      'query ($after: String) { certifications(after: $after) { edges { node { id } } pageInfo { hasNextPage endCursor } } }',
      'INVALID_INPUT',
      /Select nodes of certifications once/,
    ],
    [
      'a connection within a list',
      'query ($after: String) { division(code: "430000") { children { organizations(after: $after) { nodes { name } pageInfo { hasNextPage endCursor } } } } }',
      'INVALID_INPUT',
      /division\.children\.organizations stands within a list/,
    ],
    [
      'two lists',
      '{ viewer { posts { role } assignments { id } } }',
      'INVALID_INPUT',
      /one list of objects.*posts and assignments/,
    ],
    [
      'a list in a list',
      '{ courses { modules { key activities { key } } } }',
      'INVALID_INPUT',
      /modules and modules\.activities/,
    ],
    [
      'several fields on top',
      '{ viewer { person { name } } courses { slug } }',
      'INVALID_INPUT',
      /one top-level field/,
    ],
    ['nothing to show', '{ viewer { __typename } }', 'INVALID_INPUT', /select/i],
    [
      'a field that is not there',
      '{ viewer { nmae } }',
      'GRAPHQL_VALIDATION_FAILED',
      /nmae.*line 1, column 12/,
    ],
    ['no syntax', '{ viewer {', 'GRAPHQL_PARSE_FAILED', /Syntax Error.*line 1/],
    ['no query', '', 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    [
      'too many characters',
      `{ viewer { person { name } } } # ${'x'.repeat(20_000)}`,
      'QUERY_TOO_LARGE',
      /20000 characters/,
    ],
    [
      'what costs too much',
      `{ division(code: "430000") { ${Array.from({ length: 420 }, (_each, at) => `a${at}: name`).join(' ')} } }`,
      'QUERY_TOO_LARGE',
      /too large by its aliases/,
    ],
    [
      'fragments that grow without end',
      `{ division(code: "430000") { ...f0 } } ${Array.from({ length: 20 }, (_each, at) => `fragment f${at} on Division { a${at}: parent { ${at === 19 ? 'name' : `...f${at + 1}`} } b${at}: parent { ${at === 19 ? 'name' : `...f${at + 1}`} } }`).join(' ')}`,
      'QUERY_TOO_LARGE',
      /too large by its fields/,
    ],
  ])('refuse %s and say why', async (_what, query, title, detail) => {
    const answer = await refusal({ query, format: 'csv' });
    expect(answer).toMatchObject({ status: 400, title });
    expect(answer.detail).toMatch(detail);
  });

  it('refuse a request that is not one and say why', async () => {
    const query = '{ courses { slug } }';
    expect(await refusal({ query, format: 'pdf' })).toMatchObject({
      status: 400,
      detail: expect.stringMatching(/^format: .*csv/),
    });
    expect(await refusal({ query })).toMatchObject({ detail: expect.stringMatching(/^format: /) });
    expect(await refusal({ query, format: 'csv', title: {} })).toMatchObject({
      detail: expect.stringContaining('"title"'),
    });
    expect(await refusal({ query, format: 'csv', titles: { slgu: 'x' } })).toMatchObject({
      detail: 'There is no column slgu; there are slug.',
    });
    expect(await refusal('{')).toMatchObject({ status: 400, detail: 'The body is not JSON.' });
    expect(await refusal({ query, format: 'csv', operationName: 'x' })).toMatchObject({
      detail: 'There is no operation x in the query.',
    });
    expect(await refusal({ query: CHILDREN, format: 'csv' })).toMatchObject({
      status: 400,
      detail: expect.stringContaining('$certificationId'),
    });
    expect(await refusal({ query: SCHOOLS, variables: { after: 'made up' }, format: 'csv' })).toMatchObject({
      status: 400,
      title: 'INVALID_INPUT',
      detail: expect.stringContaining('cursor'),
    });
    expect(await refusal({ query, format: 'csv', variables: { x: 'x'.repeat(3_000_000) } })).toMatchObject({
      status: 413,
    });
    expect(
      (await post('coordinator', { query, format: 'csv' }, { headers: { 'content-type': 'text/plain' } }))
        .status,
    ).toBe(401);
    expect((await fetch(`${service.app.publicUrl}/export`)).status).toBe(405);
  });

  it('leave out what a directive skips, and take one of several operations', async () => {
    const query = `query A($no: Boolean = false) { courses { slug version @include(if: $no) classHours @skip(if: true) } } query B { viewer { person { name } } }`;
    expect((await csv(query, { operationName: 'A', variables: { no: false } }))[0]).toBe('课程代号');
    expect((await csv(query, { operationName: 'A', variables: { no: true } }))[0]).toBe('课程代号,版本');
    expect(await csv(query, { operationName: 'B', variables: null })).toEqual(['姓名', '林静']);
  });

  it('are written down: who, what and about what', async () => {
    await csv(CHILDREN);
    const { rows } = await service.database.pool.query(
      `select actor, subject, detail from journal_entries where action = 'table.export' order by id desc limit 1`,
    );
    expect(rows[0]).toEqual({
      actor: expect.stringMatching(/^person:\d+$/),
      subject: 'table:all',
      detail: {
        table: 'coverage.children',
        operation: 'Schools',
        format: 'csv',
        about: [expect.stringMatching(/^Certification:\d+$/), 'Division:430121'],
      },
    });
  });

  describe('of a county without end', () => {
    let asked = 0;
    let failAt = Infinity;
    let real: RegionService;
    beforeAll(() => {
      real = service.app.services.regions;
      const listOrganizationsOf: RegionService['listOrganizationsOf'] = async (_code, { limit }) => {
        asked += 1;
        if (asked === failAt) throw new Error('the disk is on fire');
        return Array.from({ length: limit }, (_each, at) => school(`${asked}-${at}`));
      };
      Object.assign(service.app.services, { regions: { ...real, listOrganizationsOf } });
    });
    afterEach(() => {
      asked = 0;
      failAt = Infinity;
    });
    afterAll(() => void Object.assign(service.app.services, { regions: real }));
    const school = (name: string): Organization =>
      ({
        id: '1',
        // Long, and nothing that a zip makes short.
        name: `${name} ${randomBytes(300).toString('base64')}`,
        kind: 'primary',
        divisionCode: '430121',
        studentCount: null,
      }) as Organization;

    it.each(['csv', 'xlsx'])('break off visibly when a page fails (%s)', async (format) => {
      failAt = 30;
      const response = await post('coordinator', { query: SCHOOLS, format });
      expect(response.status).toBe(200);
      await expect(response.arrayBuffer()).rejects.toThrow(/terminated|aborted|closed|fetch failed/);
      expect(asked).toBe(30);
    });

    it('break off when the session ends', async () => {
      const { sessions } = service.app.services;
      const viewer: SessionService['viewer'] = async (token) =>
        asked < 20 ? sessions.viewer(token) : undefined;
      Object.assign(service.app.services, { sessions: { ...sessions, viewer } });
      try {
        const response = await post('coordinator', { query: SCHOOLS, format: 'csv' });
        await expect(response.arrayBuffer()).rejects.toThrow(/terminated|aborted|closed/);
        expect(asked).toBe(20);
      } finally {
        Object.assign(service.app.services, { sessions });
      }
    });

    it('are a problem response when the first page fails', async () => {
      failAt = 1;
      expect(await refusal({ query: SCHOOLS, format: 'csv' })).toMatchObject({
        status: 500,
        title: 'INTERNAL',
        detail: expect.stringContaining('tell the operator this id'),
      });
    });

    it.each(['csv', 'xlsx'])(
      'are asked no faster than they are read, and no more when nobody reads (%s)',
      async (format) => {
        const gone = new AbortController();
        const response = await post('coordinator', { query: SCHOOLS, format }, { signal: gone.signal });
        expect(response.status).toBe(200);
        const settled = async (): Promise<number> => {
          for (;;) {
            const before = asked;
            await sleep(400);
            if (asked === before) return asked;
          }
        };
        // Buffers on the way fill, and then it rests.
        const resting = await settled();
        const reader = response.body!.getReader();
        for (let taken = 0; taken < 4_000_000;) taken += (await reader.read()).value!.length;
        await until(async () => (asked > resting ? true : undefined));
        gone.abort();
        const stopped = await settled();
        await sleep(300);
        expect(asked).toBe(stopped);
      },
    );
  });
});

describe('words of exports', () => {
  const enums = new Set<GraphQLEnumType>();
  for (const type of Object.values(schema.getTypeMap())) {
    if (isIntrospectionType(type) || !(isObjectType(type) || isInterfaceType(type))) continue;
    for (const field of Object.values(type.getFields())) {
      const named = getNamedType(field.type);
      if (isEnumType(named)) enums.add(named);
    }
  }

  it('are there in both languages for every value that can be answered', () => {
    expect(enums.size).toBeGreaterThan(12);
    const missing = [...enums].flatMap((type) =>
      type
        .getValues()
        .flatMap(({ name }) =>
          (['zh-CN', 'en'] as const)
            .filter((language) => enumLabel(type.name, name, language) === name)
            .map((language) => `${type.name}.${name} in ${language}`),
        ),
    );
    expect(missing).toEqual([]);
  });
});
