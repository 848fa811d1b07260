import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import {
  importRoster,
  IMPORT,
  smallRoster,
  startService,
  TestClock,
  type TestService,
} from '../support/service.ts';

const day = '2026-11-24T04:00:00Z';

async function zip(files: readonly { name: string; bytes: Buffer }[]): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const file of files) archive.addBuffer(file.bytes, file.name);
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

describe('importing a roster through GraphQL', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ clock: new TestClock(day) });
  });
  afterAll(async () => service.stop());

  const posts = async (sourceId: string) =>
    service.app.db
      .selectFrom('posts')
      .innerJoin('person_sources', 'person_sources.person_id', 'posts.person_id')
      .innerJoin('organizations', 'organizations.id', 'posts.organization_id')
      .select(['role', 'organizations.name', 'starts_on', 'ends_on'])
      .where('person_sources.source_id', '=', sourceId)
      .orderBy('starts_on')
      .execute();

  it('takes a faulty row out with file, line, column and reason, and the rest in', async () => {
    const result = await importRoster(
      service,
      smallRoster([
        { id: 'a1', family: '王', given: '一' },
        { id: 'a2', family: '', given: '二' },
        { id: 'a3', family: '李', given: '三', orgs: 'nowhere' },
      ]),
    );
    expect(result).toMatchObject({
      state: 'APPLIED',
      organizationsAdded: 3,
      peopleAdded: 2,
      postsAdded: 1,
      rowsRead: 6,
      rowsRefused: 2,
    });
    expect(result.refusals.nodes).toEqual([
      { file: 'users.csv', line: 3, column: 'familyName', value: '', reason: 'familyName is empty.' },
      {
        file: 'users.csv',
        line: 4,
        column: 'metadata.postOrgs',
        value: 'nowhere',
        reason: expect.stringContaining('without this post'),
      },
    ]);
  });

  it('changes nothing the second time', async () => {
    const files = smallRoster([{ id: 'b1', family: '赵', given: '一', identity: '430121199001011231' }]);
    const sure = await importRoster(service, files);
    expect(sure.peopleAdded).toBe(sure.rowsRefused === 0 ? 1 : 0);
    const again = await importRoster(service, files);
    expect(again).toMatchObject({
      organizationsAdded: 0,
      organizationsChanged: 0,
      peopleAdded: 0,
      peopleChanged: 0,
      postsAdded: 0,
      postsChanged: 0,
    });
  });

  it('ends a post that is no longer listed and begins the new one: a transfer keeps its history', async () => {
    await importRoster(
      service,
      smallRoster([{ id: 'c1', family: '钱', given: '一', orgs: 's1', starts: '2020-09-01' }]),
    );
    await importRoster(
      service,
      smallRoster([{ id: 'c1', family: '钱', given: '一', orgs: 's2', starts: '2026-11-01' }]),
    );
    expect(await posts('c1')).toEqual([
      { role: 'class_teacher', name: '星沙实验小学', starts_on: '2020-09-01', ends_on: '2026-11-23' },
      { role: 'class_teacher', name: '星沙第二中学', starts_on: '2026-11-01', ends_on: null },
    ]);
  });

  it('knows a person again by the identity number, never by the name', async () => {
    const identity = '11010519491231002X'; // the example of GB 11643
    await importRoster(
      service,
      smallRoster([
        { id: 'd1', family: '孙', given: '一', identity },
        { id: 'd2', family: '孙', given: '一' },
      ]),
    );
    const result = await importRoster(
      service,
      smallRoster([{ id: 'd9', family: '孙', given: '一', identity }]),
    );
    expect(result).toMatchObject({ peopleAdded: 0, rowsRefused: 0 });
    const { rows } = await service.database.pool.query(
      "select source_id from person_sources where person_id = (select person_id from person_sources where source_id = 'd1') order by 1",
    );
    expect(rows).toEqual([{ source_id: 'd1' }, { source_id: 'd9' }]);
    const swapped = await importRoster(
      service,
      smallRoster([{ id: 'd2', family: '孙', given: '一', identity }]),
    );
    expect(swapped.refusals.nodes[0].reason).toContain('two different people');
  });

  it('stores no identity number in the clear, and drops the upload when it is done', async () => {
    const { rows } = await service.database.pool.query(
      "select identity_last4, length(identity_hash) as bytes from people where identity_last4 = '002X'",
    );
    expect(rows).toEqual([{ identity_last4: '002X', bytes: 32 }]);
    expect(
      (await service.database.pool.query('select count(*)::int as files from roster_import_files')).rows[0]
        .files,
    ).toBe(0);
  });

  it('refuses organizations outside the division, and cycles of parents', async () => {
    const orgs = Buffer.from(
      'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.divisionCode\no1,,,外县小学,school,1,,430181\no2,,,甲,school,2,o3,\no3,,,乙,school,3,o2,\no4,,,丙,school,4,,999999',
    );
    const result = await importRoster(service, [{ name: 'orgs.csv', bytes: orgs }]);
    expect(result.organizationsAdded).toBe(0);
    expect(
      result.refusals.nodes.map((row: { line: number; column: string }) => [row.line, row.column]),
    ).toEqual([
      [2, 'metadata.divisionCode'],
      [3, 'parentSourcedId'],
      [4, 'parentSourcedId'],
      [5, 'metadata.divisionCode'],
    ]);
  });

  it('takes one zip', async () => {
    const result = await importRoster(service, [
      { name: 'roster.zip', bytes: await zip(smallRoster([{ id: 'e1', family: '周', given: '一' }])) },
    ]);
    expect(result).toMatchObject({ state: 'APPLIED', peopleAdded: 1 });
  });

  it.each([
    ['a zip that is none', 'roster.zip', Buffer.from('not a zip'), /it is not a zip file/],
    ['a cut-off zip', 'roster.zip', Buffer.from('PK\u0003\u0004....'), /can't be opened as a zip/],
    ['a text file', 'users.csv', Buffer.from('hello'), /lacks sourcedId/],
  ])('refuses %s whole and writes nothing', async (_name, name, bytes, reason) => {
    const before = (await service.database.pool.query('select count(*) from people')).rows[0].count;
    const result = await importRoster(service, [{ name, bytes }]);
    expect(result.state).toBe('REFUSED');
    expect(result.reason).toMatch(reason);
    expect((await service.database.pool.query('select count(*) from people')).rows[0].count).toBe(before);
  });

  it('tells in a dry run what it would do, and does nothing', async () => {
    const counts = async () =>
      (
        await service.database.pool.query(
          'select (select count(*)::int from people) as people, (select count(*)::int from posts) as posts, (select count(*)::int from organizations) as organizations, (select sum(people)::int from coverage_totals) + coalesce((select sum(change)::int from coverage_pending), 0) as counted',
        )
      ).rows[0];
    const before = await counts();
    const files = smallRoster([
      { id: 'dry1', family: '何', given: '一' },
      { id: 'dry2', family: '何', given: '二', starts: '45536' },
    ]);
    const dry = await importRoster(service, files, 'coordinator', { dryRun: true });
    expect(dry).toMatchObject({ state: 'CHECKED', peopleAdded: 1, postsAdded: 1, rowsRefused: 1 });
    expect(dry.refusals.nodes[0].reason).toMatch(/spreadsheet's inner number/);
    expect(await counts()).toEqual(before);
    expect(
      (await service.database.pool.query('select count(*)::int from roster_import_files')).rows[0].count,
    ).toBe(0);
    expect(await importRoster(service, files)).toMatchObject({ state: 'APPLIED', peopleAdded: 1 });
  });

  it('stops and asks when it would end more posts than it may', async () => {
    const ids = Array.from({ length: 12 }, (_each, index) => `g${index}`);
    const person = (id: string) => ({ id, family: '龚', given: id });
    await importRoster(service, smallRoster(ids.map(person)));
    const gone = ids.slice(0, 8).map((id) => ({ ...person(id), roles: '', orgs: '', starts: '' }));
    const files = smallRoster([...gone, ...ids.slice(8).map(person)]);
    const refused = await importRoster(service, files);
    expect(refused).toMatchObject({
      state: 'REFUSED',
      reason: expect.stringMatching(/would end 8 of 12 open posts \(67 %\)/),
    });
    const open = async () =>
      (
        await service.database.pool.query(
          `select count(*)::int from posts p join person_sources s using (person_id) where s.source_id like 'g%' and p.ends_on is null`,
        )
      ).rows[0].count;
    expect(await open()).toBe(12);
    expect(await importRoster(service, files, 'coordinator', { mostEnded: 0.7 })).toMatchObject({
      state: 'APPLIED',
      postsEnded: 8,
    });
    expect(await open()).toBe(4);
  });

  it('is for those who may import there: for others the division is not found', async () => {
    for (const [as, divisionCode, type] of [
      ['hr', '430121', 'NotFound'],
      ['coordinator', '430102', 'NotFound'],
      ['coordinator', '000000', 'NotFound'],
    ] as const) {
      const { data } = await service.upload(
        as,
        IMPORT,
        { input: { divisionCode, files: [null] } },
        smallRoster([]).slice(0, 1),
      );
      expect(data.importRoster.__typename).toBe(type);
    }
    const nobody = await service.upload(
      null,
      IMPORT,
      { input: { divisionCode: '430121', files: [null] } },
      smallRoster([]).slice(0, 1),
    );
    // Before a byte of the upload is read.
    expect(nobody).toMatchObject({ status: 401, title: 'NOT_SIGNED_IN' });
  });
});
