import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buffer } from 'node:stream/consumers';
import { forViewer } from '../../src/people/acting.ts';
import type { Viewer } from '../../src/people/permission.ts';
import { makeContactService } from '../../src/people/contact.service.ts';
import { makeSeals } from '../../src/people/sealing.ts';
import { makeSampleService } from '../../src/access/sample.service.ts';
import { writeWorkbook } from '../../src/sheets/write.ts';
import { findInDatabase } from '../support/search.ts';
import { importRoster, startService, until, type TestService } from '../support/service.ts';

const SET = `mutation ($input: SetOwnContactsInput!) { setOwnContacts(input: $input) { __typename
  ... on SetOwnContactsPayload { contacts { kind value toldBy } } ... on Refusal { code message } } }`;
const OWN = '{ viewer { contacts { kind value toldBy } } }';

interface Given {
  id: string;
  email?: string;
  sms?: string;
  phone?: string;
  identity?: string;
  org?: string;
}
const roster = (people: readonly Given[]) => [
  {
    name: 'orgs.csv',
    bytes: Buffer.from(
      'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.divisionCode\nb1,,,长沙县教育局,district,430121,,430121\ns1,,,星沙实验小学,school,1,b1,430121',
    ),
  },
  {
    name: 'users.csv',
    bytes: Buffer.from(
      [
        'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName,identifier,email,sms,phone,metadata.identityNumber',
        ...people.map(
          ({ id, email = '', sms = '', phone = '', identity = '', org = 's1' }) =>
            `${id},,,true,${org},teacher,${id},明${id},王,${id},${email},${sms},${phone},${identity}`,
        ),
      ].join('\n'),
    ),
  },
];

/** The template's sheet of staff, with a few of its columns. */
const sheet = async (titles: readonly string[], rows: readonly string[][]): Promise<Buffer> =>
  buffer(
    writeWorkbook({
      language: 'zh-CN',
      sheets: [
        { name: '教职工', columns: titles.map((title) => ({ title, format: 'text' as const })), rows },
      ],
    }),
  );

describe('contacts of staff', () => {
  let service: TestService;
  const query = async <T = Record<string, unknown>>(sql: string, values: unknown[] = []): Promise<T[]> =>
    (await service.database.pool.query(sql, values)).rows as T[];
  const personId = async (id: string): Promise<string> =>
    (await query<{ id: string }>('select person_id as id from person_sources where source_id = $1', [id]))[0]!
      .id;
  const signIn = async (id: string): Promise<void> =>
    makeSampleService({
      db: service.database.db,
      clock: service.clock,
      people: service.app.services.people,
    }).addSignIn({
      key: id,
      personId: await personId(id),
      descriptionZh: '',
      descriptionEn: '',
      position: 1,
    });
  const own = async (as: string) => (await service.ask(as, OWN)).data.viewer.contacts;
  const settled = async () =>
    until(async () =>
      (await query('select from person_contacts where source_id is not null')).length === 0
        ? true
        : undefined,
    );

  beforeAll(async () => {
    service = await startService();
    const imported = await importRoster(
      service,
      roster([
        { id: 'k1', email: 'wang@school.cn', sms: '138 1234 5678', phone: '0731-84012345' },
        { id: 'k2', phone: '13987654321' },
        { id: 'k3', email: 'not an address', phone: '0731-84012345' },
        { id: 'k4' },
      ]),
    );
    if (imported.peopleAdded !== 4) throw new Error(JSON.stringify(imported));
    for (const id of ['k1', 'k2', 'k3', 'k4']) await signIn(id);
  });
  afterAll(async () => service.stop());

  it('come with a roster: the mobile number wherever it stands, and what is none is left out', async () => {
    expect(await own('k1')).toEqual([
      { kind: 'EMAIL', value: 'wang@school.cn', toldBy: 'ROSTER' },
      { kind: 'MOBILE', value: '13812345678', toldBy: 'ROSTER' },
    ]);
    expect(await own('k2')).toEqual([{ kind: 'MOBILE', value: '13987654321', toldBy: 'ROSTER' }]);
    expect(await own('k3')).toEqual([]);
  });

  it('stand nowhere in the clear', async () => {
    for (const secret of ['13812345678', '12345678', 'wang@school.cn', '13987654321'])
      expect(await findInDatabase(service.database.pool, secret)).toEqual([]);
    // The search finds what is there.
    expect(await findInDatabase(service.database.pool, '星沙实验小学')).toContain(
      'public.organizations.name',
    );
  });

  it('are soon encrypted about the person, so that a row put beside another person does not open', async () => {
    await settled();
    expect(await own('k1')).toHaveLength(2);
    const [k1, k4] = [await personId('k1'), await personId('k4')];
    await query(
      `insert into person_contacts (person_id, kind, sealed, fingerprint, told_by, changed_at) select $2, kind, sealed, fingerprint, told_by, changed_at from person_contacts where person_id = $1 and kind = 'email'`,
      [k1, k4],
    );
    const { errors } = await service.ask('k4', OWN);
    expect(errors?.[0]?.extensions?.code).toBe('INTERNAL');
    await query('delete from person_contacts where person_id = $1', [k4]);
  });

  it('change nothing when the same file comes again, and follow one that says otherwise', async () => {
    await settled();
    const rows = async () =>
      query('select person_id, kind, sealed, changed_at, xmin::text from person_contacts order by 1, 2');
    const before = await rows();
    await importRoster(
      service,
      roster([
        { id: 'k1', email: 'wang@school.cn', sms: '13812345678' },
        { id: 'k2', phone: '13987654321' },
      ]),
    );
    expect(await rows()).toEqual(before);
    await importRoster(service, roster([{ id: 'k2', phone: '13900000000' }, { id: 'k1' }]));
    expect(await own('k2')).toEqual([{ kind: 'MOBILE', value: '13900000000', toldBy: 'ROSTER' }]);
    // A file that does not say takes nothing away.
    expect(await own('k1')).toHaveLength(2);
    // Nor does one that is only tried.
    await importRoster(service, roster([{ id: 'k2', phone: '13911111111' }]), 'coordinator', {
      dryRun: true,
    });
    expect(await own('k2')).toMatchObject([{ value: '13900000000' }]);
  });

  it('are one’s own to change, against any roster, and to take away', async () => {
    const set = async (input: object) => (await service.ask('k2', SET, { input })).data.setOwnContacts;
    expect(await set({ mobile: '+86 136 0000 1111', email: 'me@mail.cn' })).toEqual({
      __typename: 'SetOwnContactsPayload',
      contacts: [
        { kind: 'EMAIL', value: 'me@mail.cn', toldBy: 'PERSON' },
        { kind: 'MOBILE', value: '13600001111', toldBy: 'PERSON' },
      ],
    });
    await importRoster(service, roster([{ id: 'k2', phone: '13900000000', email: 'other@mail.cn' }]));
    expect(await own('k2')).toMatchObject([{ value: 'me@mail.cn' }, { value: '13600001111' }]);
    await set({ mobile: null });
    await importRoster(service, roster([{ id: 'k2', phone: '13900000000' }]));
    expect(await own('k2')).toEqual([{ kind: 'EMAIL', value: 'me@mail.cn', toldBy: 'PERSON' }]);
    expect(await set({ mobile: '12' })).toMatchObject({ __typename: 'InvalidInput', code: 'INVALID_INPUT' });
    expect(await set({})).toMatchObject({ __typename: 'InvalidInput' });
    expect((await service.ask(null, SET, { input: { email: null } })).data.setOwnContacts.code).toBe(
      'NOT_SIGNED_IN',
    );
    expect(await findInDatabase(service.database.pool, '13600001111')).toEqual([]);
  });

  it('are masked for coordinators of the place, and not there for anybody else', async () => {
    const id = Buffer.from(`Person:${await personId('k1')}`).toString('base64');
    const seen = async (as: string) =>
      (
        await service.ask(as, 'query ($id: ID!) { node(id: $id) { ... on Person { contacts { value } } } }', {
          id,
        })
      ).data.node;
    expect(await seen('coordinator')).toEqual({
      contacts: [{ value: 'w***@school.cn' }, { value: '138****5678' }],
    });
    expect(await seen('k1')).toEqual(await seen('coordinator'));
    for (const as of ['k2', 'hr']) expect(await seen(as)).toBeNull();
    const hr: Viewer = {
      personId: await personId('k2'),
      grants: [{ role: 'hr_verifier', scope: { kind: 'nation' } }],
    };
    const both = [await personId('k1'), await personId('k2')];
    const masked = await forViewer(hr, async () => service.app.services.contacts.listMasked(hr, both));
    expect([...masked.keys()]).toEqual([await personId('k2')]);
  });

  it('come with the template as well, one row for each post', async () => {
    const bytes = await sheet(
      ['人员编号', '姓名', '学校标识码', '岗位', '电子邮箱', '手机号'],
      [
        ['w1', '李一', 's1', '班主任', '', ''],
        ['w1', '李一', 's1', '任课教师', 'li@school.cn', '13711112222'],
        ['w2', '李二', 's1', '没有这个岗位', 'er@school.cn', '13722223333'],
        ['w3', '李三', 's1', '班主任', '无', '84012345'],
      ],
    );
    const result = await importRoster(service, [{ name: '花名册.xlsx', bytes }]);
    expect(result).toMatchObject({ state: 'APPLIED', rowsRefused: 1, peopleAdded: 2 });
    await signIn('w1');
    expect(await own('w1')).toMatchObject([{ value: 'li@school.cn' }, { value: '13711112222' }]);
    // The refused row is kept as it stood, but for what would let somebody use it.
    for (const secret of ['13722223333', 'er@school.cn', '13711112222'])
      expect(await findInDatabase(service.database.pool, secret)).toEqual([]);
    const [row] = await query<{ cells: string[] }>(
      `select cells from roster_refused_rows where 'w2' = any(cells)`,
    );
    expect(row!.cells).toEqual(['w2', '李二', 's1', '没有这个岗位', 'e***@school.cn', '137****3333']);
  });

  it('are those of the first row of somebody who stands in several, and the same sheet again changes nothing', async () => {
    const bytes = await sheet(
      ['人员编号', '姓名', '学校标识码', '岗位', '手机号'],
      [
        ['w8', '李八', 's1', '班主任', '13788880001'],
        ['w8', '李八', 's1', '任课教师', '13788880002'],
      ],
    );
    for (let time = 0; time < 3; time += 1) {
      await importRoster(service, [{ name: '花名册.xlsx', bytes }]);
      const people = [await personId('w8')];
      expect((await service.app.services.contacts.listInFull(people)).get(people[0]!)).toMatchObject([
        { value: '13788880001' },
      ]);
    }
  });

  it('go with the person when the source’s number is decided to be another’s', async () => {
    await importRoster(service, roster([{ id: 'k5', phone: '13755556666', identity: '11010519491231002X' }]));
    const [k4, k5] = [await personId('k4'), await personId('k5')];
    // Both at once: the worker, which the import has set to sealing, would take what is still theirs for settled.
    await query(
      `with decided as (update person_sources set person_id = $1 where source_id = 'k5')
       update person_contacts set source = 'division:430121', source_id = 'k5' where person_id = $2`,
      [k4, k5],
    );
    expect(await service.app.services.contacts.listInFull([k4, k5])).toEqual(new Map());
    await service.app.services.contacts.reseal();
    expect(await query('select from person_contacts where person_id = $1', [k5])).toEqual([]);
  });

  it('are encrypted anew with another key, in any number of goes, and open with the old one until then', async () => {
    await query('delete from person_contacts');
    const keys = [1, 2].map((each) => ({ id: `k${each}`, key: Buffer.alloc(32, each) }));
    const make = (used: typeof keys) =>
      makeContactService({
        db: service.database.db,
        clock: service.clock,
        seals: makeSeals(used, Buffer.alloc(32)),
        regions: service.app.services.regions,
      });
    const old = make([keys[0]!]);
    const viewer = { personId: await personId('k1'), grants: [] };
    await old.setOwn(viewer, { email: 'a@b.cn', mobile: '13800000000' });
    const both = make([keys[1]!, keys[0]!]);
    expect(await both.listOwn(viewer)).toMatchObject([{ value: 'a@b.cn' }, { value: '13800000000' }]);
    expect((await both.listKeys()).map(String)).toEqual([expect.stringContaining('k1')]);
    await both.setOwn(viewer, { email: 'c@d.cn' });
    expect(await both.listKeys()).toHaveLength(2);
    await Promise.all([both.reseal(), both.reseal()]);
    await both.reseal();
    expect((await both.listKeys()).map(String)).toEqual([expect.stringContaining('k2')]);
    expect(await make([keys[1]!]).listOwn(viewer)).toMatchObject([
      { value: 'c@d.cn' },
      { value: '13800000000' },
    ]);
  });
});
