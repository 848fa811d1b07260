import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yazl from 'yazl';
import {
  importEnd,
  importRoster,
  IMPORT,
  smallRoster,
  startService,
  TestClock,
  type TestService,
} from '../support/service.ts';

const day = '2026-11-24T04:00:00Z';

const REPEAT = `mutation ($input: RepeatRosterImportInput!) { repeatRosterImport(input: $input) { __typename
  ... on RepeatRosterImportPayload { rosterImport { id } } ... on Conflict { code } } }`;

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

  const repeat = async (id: string) => {
    const { data } = await service.ask('coordinator', REPEAT, { input: { rosterImportId: id } });
    return importEnd(service, data.repeatRosterImport.rosterImport.id);
  };
  const posts = async (sourceId: string) =>
    service.database.db
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
    ['a cut-off zip', 'roster.zip', Buffer.from('PK\u0003\u0004....'), /it is damaged/],
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
    // The way on: the same files, without another upload.
    expect(dry.hasFiles).toBe(true);
    const applied = await repeat(dry.id);
    expect(applied).toMatchObject({ state: 'APPLIED', peopleAdded: 1, postsAdded: 1, hasFiles: false });
    const { data } = await service.ask('coordinator', REPEAT, { input: { rosterImportId: dry.id } });
    expect(data.repeatRosterImport).toMatchObject({ __typename: 'Conflict', code: 'NO_FILES' });
  });

  it('drops the files of an import that nobody came back for', async () => {
    const dry = await importRoster(service, smallRoster([]), 'coordinator', { dryRun: true });
    await service.app.services.roster.forgetFiles();
    expect((await importEnd(service, dry.id)).hasFiles).toBe(true);
    (service.clock as TestClock).move(24 * 60 + 1);
    await service.app.services.roster.forgetFiles();
    (service.clock as TestClock).move(-24 * 60 - 1);
    expect((await importEnd(service, dry.id)).hasFiles).toBe(false);
  });

  it('stops when it is asked to, with nothing written, and can be repeated', async () => {
    const files = smallRoster([{ id: 'stop1', family: '停', given: '一' }]);
    // Another import of the source is at work, so this one has to wait.
    const other = await service.database.pool.connect();
    await other.query("select pg_advisory_lock(hashtextextended('roster:division:430121', 0))");
    const queued = await service.upload(
      'coordinator',
      IMPORT,
      { input: { divisionCode: '430121', files: files.map(() => null) } },
      files,
    );
    const { id } = queued.data.importRoster.rosterImport as { id: string };
    const cancel = async (as: string) =>
      (
        await service.ask(
          as,
          `mutation ($input: CancelRosterImportInput!) { cancelRosterImport(input: $input) { __typename ... on CancelRosterImportPayload { rosterImport { cancelRequested } } } }`,
          { input: { rosterImportId: id } },
        )
      ).data.cancelRosterImport;
    expect(await cancel('hr')).toEqual({ __typename: 'NotFound' });
    expect(await cancel('coordinator')).toMatchObject({ rosterImport: { cancelRequested: true } });
    await other.query("select pg_advisory_unlock(hashtextextended('roster:division:430121', 0))");
    other.release();
    expect(await importEnd(service, id)).toMatchObject({
      state: 'CANCELLED',
      progress: null,
      hasFiles: true,
    });
    const { rows } = await service.database.pool.query(
      "select count(*)::int from person_sources where source_id = 'stop1'",
    );
    expect(rows[0].count).toBe(0);
    expect(await repeat(id)).toMatchObject({ state: 'APPLIED', peopleAdded: 1 });
  });

  it('takes the first of two rows with one sourcedId, and of two with one identity number', async () => {
    const identity = '110101199003072316';
    const result = await importRoster(
      service,
      smallRoster([
        { id: 'w1', family: '吴', given: '一' },
        { id: 'w1', family: '吴', given: '二' },
        { id: 'w2', family: '吴', given: '三', identity },
        { id: 'w3', family: '吴', given: '四', identity },
      ]),
    );
    expect(result).toMatchObject({ peopleAdded: 2, postsAdded: 2, rowsRefused: 2 });
    expect(result.refusals.nodes).toMatchObject([
      { line: 3, column: 'sourcedId', value: 'w1' },
      { line: 5, column: 'metadata.identityNumber', value: null, reason: expect.stringContaining('line 4') },
    ]);
    const { rows } = await service.database.pool.query(
      'select line, cells from roster_refused_rows where import_id = (select max(import_id) from roster_refused_rows) order by line',
    );
    expect(rows.map((row) => row.line)).toEqual([1, 3, 5]);
    expect(rows[2].cells).toContain('**************2316');
    expect(JSON.stringify(rows)).not.toContain(identity);
  });

  describe('people whom a file leaves out', () => {
    const open = async (like: string) =>
      (
        await service.database.pool.query(
          `select s.source_id from posts p join person_sources s using (person_id) where s.source_id like $1 and p.ends_on is null order by 1`,
          [like],
        )
      ).rows.map((row) => row.source_id as string);
    const person = (id: string) => ({ id, family: '齐', given: id });
    const declared = (mode: string, files: { name: string; bytes: Uint8Array }[]) => [
      ...files,
      {
        name: 'manifest.csv',
        bytes: Buffer.from(
          `propertyName,value\noneroster.version,1.1\nfile.orgs,${mode}\nfile.users,${mode}`,
        ),
      },
    ];
    const more = { mostEnded: 1 };

    it('stay where the file does not say that it lists everybody', async () => {
      await importRoster(service, smallRoster([person('m1'), person('m2')]));
      expect(await importRoster(service, smallRoster([person('m1')]))).toMatchObject({ peopleMissing: 0 });
      expect(await open('m_')).toEqual(['m1', 'm2']);
    });

    it('have left where it does, except whose row was refused', async () => {
      const faulty = { ...person('m3'), starts: '45536' };
      await importRoster(service, smallRoster([person('m3')]));
      const result = await importRoster(
        service,
        declared('bulk', smallRoster([person('m1'), faulty])),
        'coordinator',
        more,
      );
      expect(result.peopleMissing).toBeGreaterThan(0);
      expect(await open('m_')).toEqual(['m1', 'm3']);
    });

    it('stay where a row can not be told whom it is about', async () => {
      await importRoster(service, smallRoster([person('m4')]));
      const result = await importRoster(
        service,
        declared('bulk', smallRoster([person('m1'), { ...person('') }])),
        'coordinator',
        more,
      );
      expect(result).toMatchObject({ peopleMissing: 0, rowsRefused: 1 });
      expect(await open('m_')).toEqual(['m1', 'm3', 'm4']);
    });

    it('of a school from which nobody is in the file stay', async () => {
      await importRoster(service, smallRoster([{ ...person('n1'), orgs: 's2' }]));
      await importRoster(service, declared('bulk', smallRoster([person('m1')])), 'coordinator', more);
      expect(await open('n_')).toEqual(['n1']);
      expect(await open('m_')).toEqual(['m1']);
    });

    it('leave with their school when a delta says that it is no more', async () => {
      const [orgs, users] = smallRoster([person('m1')]);
      const closed = Buffer.from(orgs!.bytes.toString().replace('\ns2,,', '\ns2,tobedeleted,'));
      const result = await importRoster(
        service,
        declared('delta', [{ name: 'orgs.csv', bytes: closed }, users!]),
        'coordinator',
        more,
      );
      expect(result).toMatchObject({ state: 'APPLIED', organizationsChanged: 1 });
      expect(await open('n_')).toEqual([]);
      const { rows } = await service.database.pool.query(
        "select closed_on from organizations where source_id = 's2'",
      );
      expect(rows).toEqual([{ closed_on: '2026-11-23' }]);
    });

    it('leave by a delta that says so', async () => {
      const [orgs, users] = smallRoster([person('m1')]);
      const gone = Buffer.from(users!.bytes.toString().replace('\nm1,,', '\nm1,tobedeleted,'));
      const result = await importRoster(
        service,
        declared('delta', [orgs!, { name: 'users.csv', bytes: gone }]),
      );
      expect(result).toMatchObject({ state: 'APPLIED', postsEnded: 1 });
      expect(await open('m_')).toEqual([]);
    });
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

  it('leaves coverage as it is counted from the start, after all of this', async () => {
    expect(await service.app.ledger.rebuild()).toBe(0);
  });

  it('takes an upload as large as it says it does', async () => {
    const result = await importRoster(service, [
      ...smallRoster([{ id: 'big1', family: '大', given: '一' }]),
      { name: 'demographics.csv', bytes: Buffer.alloc(40 * 1024 * 1024, 'x') },
    ]);
    expect(result).toMatchObject({ state: 'APPLIED', peopleAdded: 1 });
  });

  it('keeps no identity number that stands in a column of another name', async () => {
    const [orgs, users] = smallRoster([{ id: 'leak1', family: '', given: '漏' }]);
    const leaking = Buffer.from(users!.bytes.toString().replaceAll(',leak1,', ',110101199003072316,'));
    await importRoster(service, [orgs!, { name: 'users.csv', bytes: leaking }]);
    const { rows } = await service.database.pool.query('select cells from roster_refused_rows');
    expect(JSON.stringify(rows)).toContain('2316');
    expect(JSON.stringify(rows)).not.toContain('110101199003072316');
  });

  it('refuses a zip that unpacks to many times its size, and one that leads outside', async () => {
    const bomb = await zip([{ name: 'users.csv', bytes: Buffer.alloc(40 * 1024 * 1024) }]);
    expect(await importRoster(service, [{ name: 'roster.zip', bytes: bomb }])).toMatchObject({
      state: 'REFUSED',
      reason: expect.stringMatching(/users.csv unpacks to more than 200 times its size/),
    });
    const inside = await zip([{ name: 'aa/users.csv', bytes: Buffer.from('x') }]);
    const outside = Buffer.from(inside.toString('latin1').replaceAll('aa/users', '../users'), 'latin1');
    expect(await importRoster(service, [{ name: 'roster.zip', bytes: outside }])).toMatchObject({
      state: 'REFUSED',
      reason: expect.stringMatching(/roster.zip: .*\.\.\/users/),
    });
  });

  describe('a post whose first day nobody says', () => {
    const dated = (id: string, more: object = {}) => ({ id, family: '时', given: id, starts: '', ...more });
    const days = async (id: string) =>
      (await posts(id)).map((post) => `${post.starts_on}–${post.ends_on ?? ''}`);
    const nothing = { state: 'APPLIED', postsAdded: 0, postsChanged: 0, rowsRefused: 0 };

    it('is known of its last day, where that is past', async () => {
      const file = smallRoster([dated('u1', { ends: '2026-06-30' })]);
      expect(await importRoster(service, file)).toMatchObject({ state: 'APPLIED', postsAdded: 1 });
      expect(await days('u1')).toEqual(['2026-06-30–2026-06-30']);
      expect(await importRoster(service, file)).toMatchObject(nothing);
      // Held from today on, as far as is known; and then ended before.
      await importRoster(service, smallRoster([dated('u2')]));
      const over = smallRoster([dated('u2', { ends: '2026-06-30' })]);
      expect(await importRoster(service, over)).toMatchObject({ state: 'APPLIED' });
      expect(await days('u2')).toEqual(['2026-06-30–2026-06-30', '2026-11-24–2026-11-24']);
      expect(await importRoster(service, over)).toMatchObject(nothing);
    });

    it('is the same on another day, also where its last day is told', async () => {
      const file = smallRoster([dated('u3', { ends: '2027-06-30' }), dated('u4')]);
      await importRoster(service, file);
      (service.clock as TestClock).move(24 * 60);
      expect(await importRoster(service, file)).toMatchObject(nothing);
      await importRoster(service, smallRoster([dated('u3', { ends: '2027-07-31' }), dated('u4')]));
      expect(await days('u3')).toEqual(['2026-11-24–2027-07-31']);
    });

    it('ends on the day on which it began, where a delta says so that day', async () => {
      const delta = (status: string) => [
        smallRoster([])[0]!,
        {
          name: 'manifest.csv',
          bytes: Buffer.from(
            'propertyName,value\noneroster.version,1.2\nfile.orgs,delta\nfile.users,delta\nfile.roles,delta',
          ),
        },
        {
          name: 'users.csv',
          bytes: Buffer.from(
            'sourcedId,status,dateLastModified,enabledUser,username,givenName,familyName,identifier\nu5,active,2026-11-24T00:00:00Z,true,u5,日,时,u5',
          ),
        },
        {
          name: 'roles.csv',
          bytes: Buffer.from(
            `sourcedId,status,dateLastModified,userSourcedId,roleType,role,beginDate,endDate,orgSourcedId\nr5,${status},2026-11-24T00:00:00Z,u5,primary,teacher,,,s1`,
          ),
        },
      ];
      expect(await importRoster(service, delta('active'))).toMatchObject({
        state: 'APPLIED',
        postsAdded: 1,
      });
      expect(await importRoster(service, delta('tobedeleted'))).toMatchObject({
        state: 'APPLIED',
        postsEnded: 1,
      });
      expect(await days('u5')).toEqual(['2026-11-25–2026-11-25']);
    });
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

  it('never keeps an identity number in the clear, also where the source uses them for ids', async () => {
    const identity = '43012119850412006X';
    const wide = identity.replaceAll(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0));
    const files = (id: string) => smallRoster([{ id, family: '钟', given: '隐' }]);
    expect(await importRoster(service, files(identity))).toMatchObject({
      rowsRefused: 0,
      peopleAdded: 1,
      postsAdded: 1,
    });
    // The same person, and known by the number when another id comes with it.
    expect(await importRoster(service, files(wide))).toMatchObject({
      peopleAdded: 0,
      peopleChanged: 0,
      postsAdded: 0,
    });
    expect(
      await importRoster(service, smallRoster([{ id: 'zhong', family: '钟', given: '隐', identity }])),
    ).toMatchObject({ rowsRefused: 0, peopleAdded: 0, postsAdded: 0 });
    const { rows } = await service.database.pool.query(
      `select p.staff_number, p.identity_last4, array_agg(s.source_id order by s.source_id) as ids from people p join person_sources s on s.person_id = p.id where p.name = '钟隐' group by p.id`,
    );
    expect(rows).toEqual([
      {
        staff_number: 'zhong',
        identity_last4: '006X',
        ids: [expect.stringMatching(/^\*{14}006X#[0-9a-f]{32}$/), 'zhong'],
      },
    ]);
    const dump = await service.database.pool.query(
      `select count(*)::int as n from (select p::text as t from people p union all select s::text from person_sources s union all select r::text from roster_refusals r union all select j::text from journal_entries j) all_text where t like '%${identity}%' or t like '%${wide}%'`,
    );
    expect(dump.rows).toEqual([{ n: 0 }]);
  });

  it('leaves of a known school what a file does not say: where it stands, its kind, its students', async () => {
    const orgs = (text: string) => [{ name: 'orgs.csv', bytes: Buffer.from(text) }];
    const head = 'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId';
    const more = 'metadata.divisionCode,metadata.kind,metadata.studentCount,metadata.studentCountOn';
    await importRoster(
      service,
      orgs(`${head},${more}\nq9,,,全县第九小学,school,9,,430121,primary,700,2026-09-01`),
    );
    const state = async () =>
      (
        await service.database.pool.query(
          `select name, kind, division_code, student_count, student_count_on from organizations where source_id = 'q9'`,
        )
      ).rows[0];
    await importRoster(service, orgs(`${head}\nq9,,,第九小学,school,9,`));
    expect(await state()).toEqual({
      name: '第九小学',
      kind: 'primary',
      division_code: '430121',
      student_count: 700,
      student_count_on: '2026-09-01',
    });
  });
});
