import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  importRoster,
  smallRoster,
  startService,
  TestClock,
  type TestService,
} from '../support/service.ts';

const MERGE = `mutation ($input: MergeOrganizationsInput!) { mergeOrganizations(input: $input) {
  ... on MergeOrganizationsPayload { peopleTransferred organization { name } } ... on Refusal { code message } } }`;
const RENAME = `mutation ($input: RenameOrganizationInput!) { renameOrganization(input: $input) {
  ... on RenameOrganizationPayload { organization { name changes { kind changedOn before after } } } ... on Refusal { code message } } }`;
const COVERAGE = `query ($certificationId: ID!, $unitId: ID!, $on: Date) { coverage(certificationId: $certificationId, unitId: $unitId, on: $on) {
  total children(first: 10) { nodes { total unit { ... on Organization { name } } } } } }`;

const wang = { id: 't1', family: '王', given: '小明' };
const li = { id: 't2', family: '李', given: '小红', orgs: 's2' };
/** At both of them, as the file says: in s2 since 2020. */
const zhao = {
  id: 't3',
  family: '赵',
  given: '小刚',
  roles: 'class_teacher,class_teacher',
  orgs: 's1,s2',
  starts: '2025-09-01,2020-09-01',
};

describe('reorganizing schools', () => {
  let service: TestService;
  let certificationId: string;
  let county: string;
  const school: Record<string, string> = {};

  const posts = async () =>
    (
      await service.database.pool.query(
        `select s.source_id || ' ' || o.source_id || ' ' || p.starts_on || ' ' || coalesce(p.ends_on::text, '…') as post
         from posts p join organizations o on o.id = p.organization_id join person_sources s using (person_id) order by 1`,
      )
    ).rows.map((row) => row.post as string);
  const children = async (on: string | null) => {
    const { data } = await service.ask('coordinator', COVERAGE, { certificationId, unitId: county, on });
    return [
      data.coverage.total,
      ...data.coverage.children.nodes.map(
        (each: { total: number; unit: { name: string } }) => `${each.unit.name} ${each.total}`,
      ),
    ];
  };

  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2026-09-20T04:00:00Z') });
    ({ certificationId, unitId: county } = await assignTeachers(service, ['t1']));
    await importRoster(service, smallRoster([wang, li, zhao]));
    for (const { id, source_id: sourceId } of (
      await service.database.pool.query('select id, source_id from organizations')
    ).rows)
      school[sourceId] = Buffer.from(`Organization:${id}`).toString('base64');
  });
  afterAll(async () => service.stop());

  it('renames one, and keeps what it was called', async () => {
    const input = { organizationId: school['s1'], name: '星沙第一小学', on: '2026-09-10' };
    const { data } = await service.ask('coordinator', RENAME, { input });
    expect(data.renameOrganization.organization).toEqual({
      name: '星沙第一小学',
      changes: [{ kind: 'RENAMED', changedOn: '2026-09-10', before: '星沙实验小学', after: '星沙第一小学' }],
    });
    const refused = async (more: object) =>
      (await service.ask('coordinator', RENAME, { input: { ...input, name: 'x', ...more } })).data
        .renameOrganization.message;
    expect(await refused({ on: '2026-09-21' })).toContain('in the future');
    expect(await refused({ on: '2026-09-09' })).toContain('2026-09-10');
    expect(await refused({ name: '  ' })).toContain('1 to 255');
  });

  it('merges one into another: history stays, people go on, and a file that still names it is understood', async () => {
    const bad = async (more: object) =>
      (
        await service.ask('coordinator', MERGE, {
          input: { organizationIds: [school['s2']], intoId: school['s1'], on: '2026-09-15', ...more },
        })
      ).data.mergeOrganizations.message;
    expect(await bad({ intoId: school['s2'] })).toContain('into itself');
    expect(await bad({ on: '2026-12-01' })).toContain('in the future');
    expect(await bad({ on: '2026-09-01' })).toContain('2026-09-10');
    expect(await bad({ organizationIds: [] })).toContain('at least one');
    const many = Array.from({ length: 101 }, (_, at) =>
      Buffer.from(`Organization:${at + 1}`).toString('base64'),
    );
    expect(await bad({ organizationIds: many })).toContain('100 at most');
    expect((await posts()).length).toBe(4);

    const { data } = await service.ask('coordinator', MERGE, {
      input: { organizationIds: [school['s2']], intoId: school['s1'], on: '2026-09-15' },
    });
    expect(data.mergeOrganizations).toEqual({ peopleTransferred: 2, organization: { name: '星沙第一小学' } });
    const merged = [
      't1 s1 2024-09-01 …',
      't2 s1 2026-09-15 …',
      't2 s2 2024-09-01 2026-09-14',
      't3 s1 2025-09-01 …',
      't3 s2 2020-09-01 2026-09-14',
    ];
    expect(await posts()).toEqual(merged);
    await service.app.ledger.fold();
    expect(await children('2026-09-14')).toEqual([3, '星沙第二中学 2', '星沙第一小学 2', '长沙县教育局 0']);
    expect(await children(null)).toEqual([3, '星沙第一小学 3', '长沙县教育局 0']);
    expect(await service.app.ledger.rebuild()).toBe(0);
    expect(
      (
        await service.ask(
          null,
          `query ($id: ID!) { node(id: $id) { ... on Organization { closedOn mergedInto { name } changes { kind into { name } } } } }`,
          { id: school['s2'] },
        )
      ).data.node,
    ).toEqual({
      closedOn: '2026-09-14',
      mergedInto: { name: '星沙第一小学' },
      changes: [{ kind: 'MERGED', into: { name: '星沙第一小学' } }],
    });
    expect(await bad({})).toContain('closed on 2026-09-14');

    // The bureau's own system has not heard of it yet; nor does it know the new name.
    const again = await importRoster(service, smallRoster([wang, li, zhao]));
    expect(again).toMatchObject({
      state: 'APPLIED',
      postsAdded: 0,
      postsChanged: 0,
      organizationsChanged: 1,
    });
    expect(await posts()).toEqual(merged);
    const more = await importRoster(
      service,
      smallRoster([
        wang,
        li,
        zhao,
        { id: 't4', family: '钱', given: '多', orgs: 's2', starts: '2019-09-01' },
      ]),
    );
    expect(more).toMatchObject({ state: 'APPLIED', postsAdded: 1, rowsRefused: 0 });
    // Since it is about the one that goes on, it can't have begun there before.
    expect(await posts()).toContain('t4 s1 2026-09-15 …');
    expect(await service.app.ledger.rebuild()).toBe(0);
  });

  it('does not take those of the one that goes on for missing where a file lists everybody at one that is no more', async () => {
    const [orgs, users] = smallRoster([
      li,
      { ...zhao, roles: 'class_teacher', orgs: 's2', starts: '2020-09-01' },
    ]);
    const lines = orgs!.bytes.toString().split('\n');
    const listed = Buffer.from(lines.filter((line) => !line.startsWith('s1')).join('\n'));
    const only = await importRoster(service, [{ name: 'orgs.csv', bytes: listed }, users!], 'coordinator', {
      endMissing: true,
      mostEnded: 1,
    });
    expect(only).toMatchObject({ state: 'APPLIED', peopleMissing: 0, rowsRefused: 0 });
    expect(await posts()).toContain('t1 s1 2024-09-01 …');
  });

  it('ends the posts of one that closes though it has taken another over', async () => {
    // And whoever comes to one that it took over does not begin there either.
    const [orgs, users] = smallRoster([{ id: 't7', family: '孙', given: '一', orgs: 's2' }]);
    const gone = Buffer.from(orgs!.bytes.toString().replace('\ns1,,', '\ns1,tobedeleted,'));
    const manifest = 'propertyName,value\noneroster.version,1.1\nfile.orgs,delta\nfile.users,delta';
    const files = [
      { name: 'manifest.csv', bytes: Buffer.from(manifest) },
      { name: 'orgs.csv', bytes: gone },
      users!,
    ];
    expect(await importRoster(service, files, 'coordinator', { mostEnded: 1 })).toMatchObject({
      state: 'APPLIED',
      organizationsChanged: 1,
    });
    expect((await posts()).filter((post) => post.endsWith('…'))).toEqual([]);
    expect(await service.app.ledger.rebuild()).toBe(0);
    // For what follows.
    await importRoster(service, smallRoster([wang, li, zhao]));
  });

  it('adds divisions that the published list lacks, all or none, for an operator of the whole service', async () => {
    const add = async (divisions: object[], as = 'coordinator') =>
      (
        await service.ask(
          as,
          `mutation ($input: AddDivisionsInput!) { addDivisions(input: $input) { ... on AddDivisionsPayload { added { code level parent { name } } } ... on Refusal { code message } ... on InvalidInput { path } } }`,
          { input: { divisions } },
        )
      ).data.addDivisions;
    const zone = { code: '430171', name: '长沙高新技术产业开发区' };
    expect(await add([zone])).toMatchObject({ code: 'NOT_ALLOWED' });
    await service.database.pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'operator', division_code, '2020-01-01', 'test' from sample_sign_ins, (values (null), ('430100')) as scopes (division_code)
       where (key = 'coordinator') = (division_code is null) and key in ('coordinator', 'hr')`,
    );
    // Of a prefecture is not of all.
    expect(await add([zone], 'hr')).toMatchObject({ code: 'NOT_ALLOWED' });
    for (const [bad, path] of [
      [{ code: '43017', name: 'x' }, 'input.divisions.1.code'],
      [{ code: '430172', name: ' ' }, 'input.divisions.1.name'],
      [{ code: '430121', name: '别的县' }, 'input.divisions.1.name'],
      [{ code: '990101', name: 'x' }, 'input.divisions.1.code'],
    ] as const)
      expect(await add([zone, bad])).toMatchObject({ code: 'INVALID_INPUT', path });
    expect(await add([zone, { code: '430121', name: '长沙县' }])).toEqual({
      added: [{ code: '430171', level: 'COUNTY', parent: { name: '长沙市' } }],
    });
    expect(await add([zone])).toEqual({ added: [] });
    expect(await add([{ code: '419000', name: '会移走别人的' }])).toMatchObject({ code: 'INVALID_INPUT' });
  });

  it('answers however many rename the same one at the same moment', async () => {
    const answers = await Promise.all(
      Array.from({ length: 25 }, async () =>
        service.ask('coordinator', RENAME, {
          input: { organizationId: school['s1'], name: '星沙小学', on: '2026-09-20' },
        }),
      ),
    );
    const names = answers.map(({ data }) => data.renameOrganization.organization?.name);
    expect(names.filter((name) => name === '星沙小学').length).toBeGreaterThan(0);
  });

  it.each([
    ['', 'division:430121'],
    [' whose files speak of one that it took over', 'division:430121/other'],
  ])('waits for an import that is being applied%s', async (_name, source) => {
    const { rows } = await service.database.pool.query(
      `insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code, closed_on, merged_into_id, merged_on)
       select 'division:430121/other', gen_random_uuid()::text, 'x', 'primary', division_code, province_code, prefecture_code, county_code, '2026-09-17', id, '2026-09-18'
       from organizations where source_id = 's1' returning id`,
    );
    expect(rows).toHaveLength(1);
    const client = await service.database.pool.connect();
    await client.query('begin');
    await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`roster:${source}`]);
    const input = { organizationId: school['s1'], name: 'y', on: '2026-09-20' };
    expect((await service.ask('coordinator', RENAME, { input })).data.renameOrganization.code).toBe(
      'IMPORT_RUNNING',
    );
    await client.query('rollback');
    client.release();
  });
});
