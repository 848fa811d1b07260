import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { importRoster, smallRoster, startService, TestClock, type TestService } from '../support/service.ts';

/* What the random files of test/coverage/ledger.test.ts brought to light, each by itself. */

describe('a roster that comes again', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2026-09-20T04:00:00Z') });
  });
  afterAll(async () => service.stop());

  const posts = async (sourceId: string) =>
    (
      await service.database.pool.query(
        `select o.source_id || ' ' || p.starts_on || ' ' || coalesce(p.ends_on::text, '…') as post
         from posts p join organizations o on o.id = p.organization_id join person_sources s using (person_id) where s.source_id = $1 order by 1`,
        [sourceId],
      )
    ).rows.map((row) => row.post as string);
  const twice = async (files: ReturnType<typeof smallRoster>) => {
    const first = await importRoster(service, files, 'coordinator', { mostEnded: 1 });
    expect(first).toMatchObject({ state: 'APPLIED', rowsRefused: 0 });
    const again = await importRoster(service, files, 'coordinator', { mostEnded: 1 });
    expect(again).toMatchObject({
      state: 'APPLIED',
      organizationsChanged: 0,
      postsAdded: 0,
      postsChanged: 0,
    });
    return first;
  };

  it('knows a post without a first day that was over before of its last day alone', async () => {
    const person = { id: 'a1', family: '王', given: '一', starts: '', ends: '2020-08-31' };
    expect(await twice(smallRoster([person]))).toMatchObject({ peopleAdded: 1, postsAdded: 1 });
  });

  it('does not end a post before it began', async () => {
    const person = { id: 'b1', family: '王', given: '二', starts: '2024-09-01' };
    await importRoster(service, smallRoster([person]));
    await twice(smallRoster([{ ...person, starts: '', ends: '2020-08-31' }]));
    expect(await posts('b1')).toEqual(['s1 2020-08-31 2020-08-31', 's1 2024-09-01 2026-09-19']);
  });

  it('keeps a post of no first day one post, on whatever day it comes', async () => {
    const person = { id: 'c1', family: '王', given: '三', starts: '', ends: '2026-12-31' };
    await twice(smallRoster([person]));
    (service.clock as TestClock).move(60 * 24);
    await twice(smallRoster([person]));
    expect(await posts('c1')).toEqual(['s1 2026-09-20 2026-12-31']);
    await twice(smallRoster([{ ...person, ends: '' }]));
    expect(await posts('c1')).toEqual(['s1 2026-09-20 …']);
  });

  it('takes a post of no first day that is over for another than the one that begins today', async () => {
    const roles = 'class_teacher,class_teacher';
    const person = { id: 'd1', family: '王', given: '四', roles, orgs: 's1,s1' };
    await twice(smallRoster([{ ...person, starts: ',2026-09-21', ends: '2020-08-31,' }]));
    expect(await posts('d1')).toEqual(['s1 2020-08-31 2020-08-31', 's1 2026-09-21 …']);
  });

  it('joins what it says of two schools that are one by now, for people who are new too', async () => {
    const ids = new Map(
      (await service.database.pool.query('select id, source_id from organizations')).rows.map((row) => [
        row.source_id as string,
        Buffer.from(`Organization:${row.id}`).toString('base64'),
      ]),
    );
    const { data } = await service.ask(
      'coordinator',
      `mutation ($input: MergeOrganizationsInput!) { mergeOrganizations(input: $input) { __typename } }`,
      { input: { organizationIds: [ids.get('s2')], intoId: ids.get('s1'), on: '2026-09-10' } },
    );
    expect(data.mergeOrganizations.__typename).toBe('MergeOrganizationsPayload');
    const roles = 'class_teacher,class_teacher';
    const both = { family: '王', given: '五', roles, orgs: 's1,s2' };
    await twice(
      smallRoster([
        { ...both, id: 'e1', starts: '2026-09-01,2026-09-15' },
        { ...both, id: 'e2', given: '六', starts: '2026-09-15,2020-09-01', ends: '2026-12-31,2027-06-30' },
      ]),
    );
    expect(await posts('e1')).toEqual(['s1 2026-09-01 …']);
    // What it says of the one that goes on stays as it is said; at the other one the first days are those of the merger at most.
    expect(await posts('e2')).toEqual(['s1 2026-09-10 2027-06-30', 's1 2026-09-15 2026-12-31']);
    expect(await service.app.ledger.rebuild()).toBe(0);
  });

  it('takes nobody in at a school that it says is no more', async () => {
    const [orgs, users] = smallRoster([{ id: 'f1', family: '王', given: '七', orgs: 's3' }]);
    const more = (status: string) =>
      Buffer.from(
        `${orgs!.bytes.toString()}\ns3,${status},,星沙第三小学,school,4301210003,b1,430121,primary,,`,
      );
    const manifest = Buffer.from(
      'propertyName,value\noneroster.version,1.1\nfile.orgs,delta\nfile.users,delta',
    );
    const files = (status: string) => [
      { name: 'orgs.csv', bytes: more(status) },
      users!,
      { name: 'manifest.csv', bytes: manifest },
    ];
    await importRoster(service, files('active'));
    expect(await posts('f1')).toEqual(['s3 2024-09-01 …']);
    await twice(files('tobedeleted'));
    expect(await posts('f1')).toEqual(['s3 2024-09-01 2026-09-20']);
    expect(await service.app.ledger.rebuild()).toBe(0);
  });
});
