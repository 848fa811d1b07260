import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Viewer } from '../../src/people/permission.ts';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { importRoster, smallRoster, startService, TestClock, type TestService } from '../support/service.ts';

const GIVE = `mutation ($input: GrantRoleInput!) { grantRole(input: $input) { __typename
  ... on GrantRolePayload { grant { id role state startsOn endsOn reason grantedBy { name } unit { ... on Division { code } ... on Organization { name } } person { staffNumber } } }
  ... on Refusal { code message } ... on InvalidInput { path } } }`;
const END = `mutation ($input: EndGrantInput!) { endGrant(input: $input) { __typename
  ... on EndGrantPayload { grant { state endsOn revokedAt endReason endedBy { name } } }
  ... on Refusal { code message } ... on InvalidInput { path } } }`;
const LIST = `query ($unitId: ID, $withEnded: Boolean!) { grants(unitId: $unitId, withEnded: $withEnded, first: 100) { nodes { id role state person { name } } } }`;

const gid = (type: string, id: string | number): string => Buffer.from(`${type}:${id}`).toString('base64');
const county = gid('Division', SAMPLE_COUNTY);
const province = gid('Division', '430000');

describe('a role that is granted', () => {
  let service: TestService;
  let clock: TestClock;
  const people: Record<string, string> = {};
  let schools: Record<string, string>;

  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  const give = async (as: string | null, input: Record<string, unknown>) =>
    (await service.ask(as, GIVE, { input: { reason: '分工', ...input } })).data.grantRole;
  const end = async (as: string | null, grantId: string, more: Record<string, unknown> = {}) =>
    (await service.ask(as, END, { input: { grantId, reason: '调岗', ...more } })).data.endGrant;
  const list = async (as: string | null, unitId: string | null, withEnded = false) =>
    (await service.ask(as, LIST, { unitId, withEnded })).data?.grants?.nodes ?? null;
  /** What only a coordinator of the county sees. */
  const sees = async (as: string): Promise<boolean> =>
    (await service.ask(as, 'query ($id: ID!) { node(id: $id) { id } }', { id: people['t5'] })).data.node !==
    null;
  const as = (staffNumber: string): string => `sample:staff:${staffNumber}`;
  const seed = async (staffNumber: string, role: string, divisionCode: string | null): Promise<string> =>
    gid(
      'RoleGrant',
      (
        await query(
          `insert into role_grants (person_id, role, division_code, starts_on, reason) select id, $2, $3, '2020-01-01', 'test' from people where staff_number = $1 returning id`,
          [staffNumber, role, divisionCode],
        )
      )[0]!['id']!,
    );

  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    await importRoster(
      service,
      smallRoster([
        ...['t1', 't2', 't3', 't4', 't5'].map((id) => ({ id, family: '王', given: '小明' })),
        { id: 't6', family: '李', given: '红', orgs: 's2' },
        { id: 't7', family: '李', given: '强' },
      ]),
    );
    for (const { id, number } of await query(
      'select id, staff_number as number from people where staff_number is not null',
    ))
      people[number!] = gid('Person', id!);
    schools = Object.fromEntries(
      (await query('select id, source_id from organizations')).map(({ id, source_id }) => [
        source_id!,
        gid('Organization', id!),
      ]),
    );
    // t1 works for the nation, t2 for the county, t3 for one school.
    await seed('t1', 'operator', null);
    await seed('t2', 'operator', SAMPLE_COUNTY);
    await query(
      `insert into role_grants (person_id, role, organization_id, starts_on, reason) select p.id, 'operator', o.id, '2020-01-01', 'test' from people p, organizations o where p.staff_number = 't3' and o.source_id = 's1'`,
    );
  });
  afterAll(async () => service.stop());

  it('gives its permissions from the moment it is given, and none before', async () => {
    expect(await sees(as('t4'))).toBe(false);
    expect(
      await give(as('t2'), { personId: people['t4'], role: 'COORDINATOR', unitId: county, reason: ' 新任 ' }),
    ).toEqual({
      __typename: 'GrantRolePayload',
      grant: {
        id: expect.any(String),
        role: 'COORDINATOR',
        state: 'HOLDING',
        startsOn: '2030-03-04',
        endsOn: null,
        reason: '新任',
        grantedBy: { name: '王小明' },
        unit: { code: SAMPLE_COUNTY },
        person: { staffNumber: 't4' },
      },
    });
    expect(await sees(as('t4'))).toBe(true);
  });

  it('is given within one’s own scope and never wider', async () => {
    const to = (unitId: string | null, who = 't5') => ({ personId: people[who], role: 'AUDITOR', unitId });
    // Above and beside: as if there were no such unit.
    for (const unitId of [province, gid('Division', '430102'), gid('Division', '439999')])
      expect(await give(as('t2'), to(unitId))).toMatchObject({ __typename: 'NotFound' });
    expect(await give(as('t2'), to(null))).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await give(as('t3'), to(county))).toMatchObject({ __typename: 'NotFound' });
    expect(await give(as('t3'), to(schools['s2']!))).toMatchObject({ __typename: 'NotFound' });
    // Within: a school by who works for the county or for the school, the province by who works for the nation.
    expect(await give(as('t3'), to(schools['s1']!))).toMatchObject({ __typename: 'GrantRolePayload' });
    expect(await give(as('t2'), to(schools['s2']!))).toMatchObject({ __typename: 'GrantRolePayload' });
    expect(await give(as('t1'), to(province))).toMatchObject({ __typename: 'GrantRolePayload' });
  });

  it('is given only to whom one’s scope reaches; others are as if they were not there', async () => {
    const input = (personId: string) => ({ personId, role: 'AUTHOR', unitId: schools['s1'] });
    // t6 works at the other school.
    const outside = await give(as('t3'), input(people['t6']!));
    expect(outside).toMatchObject({ __typename: 'NotFound' });
    expect(await give(as('t3'), input(gid('Person', 999_999_999)))).toEqual(outside);
    expect(await give(as('t2'), input(people['t6']!))).toMatchObject({ __typename: 'GrantRolePayload' });
    const find = async (who: string | null, staffNumber: string) =>
      (
        await service.ask(who, 'query ($n: String!) { staffMember(staffNumber: $n) { id } }', {
          n: staffNumber,
        })
      ).data.staffMember?.id ?? null;
    expect(await find(as('t2'), 't6')).toBe(people['t6']);
    // By now t6 holds a role at the school of t3.
    expect(await find(as('t3'), 't6')).toBe(people['t6']);
    // Another employer, out of reach, uses the same number.
    await query(`insert into people (name, staff_number) values ('同号', 't6')`);
    expect(await find(as('t2'), 't6')).toBe(people['t6']);
    expect(await find(as('t1'), 't6')).toBeNull();
    await query(`delete from people where name = '同号'`);
    for (const [who, number] of [
      [as('t2'), 'nobody'],
      ['coordinator', 't6'],
      [as('t6'), 't5'],
      [null, 't6'],
    ] as const)
      expect(await find(who, number)).toBeNull();
  });

  it('is given by nobody who holds no role that gives it, and by nobody to themselves', async () => {
    for (const who of ['coordinator', 'issuer', 'hr', as('t5'), as('t6')])
      expect(await give(who, { personId: people['t5'], role: 'ISSUER', unitId: county })).toMatchObject({
        __typename: 'NotFound',
      });
    expect(await give(null, { personId: people['t5'], role: 'ISSUER', unitId: county })).toMatchObject({
      code: 'NOT_SIGNED_IN',
    });
    for (const role of ['OPERATOR', 'ISSUER'])
      expect(await give(as('t2'), { personId: people['t2'], role, unitId: schools['s1'] })).toMatchObject({
        code: 'NOT_ALLOWED',
      });
  });

  it('has a reason, and days that make sense', async () => {
    const giveWith = async (more: Record<string, unknown>) =>
      give(as('t2'), { personId: people['t6'], role: 'HR_VERIFIER', unitId: county, ...more });
    for (const [more, path] of [
      [{ reason: ' \n' }, 'input.reason'],
      [{ reason: 'x'.repeat(201) }, 'input.reason'],
      [{ startsOn: '2030-03-03' }, 'input.startsOn'],
      [{ startsOn: '2030-05-01', endsOn: '2030-04-30' }, 'input.endsOn'],
      [{ endsOn: '2030-03-03' }, 'input.endsOn'],
      [{ personId: county }, 'input.personId'],
    ] as const)
      expect(await giveWith(more)).toMatchObject({ code: 'INVALID_INPUT', path });
  });

  it('is not given twice for the same days, even by two at the same moment', async () => {
    const input = { personId: people['t6'], role: 'ISSUER', unitId: county };
    const answers = await Promise.all(
      [as('t1'), as('t2'), as('t1'), as('t2')].map(async (who) =>
        give(who, { ...input, endsOn: '2030-03-31' }),
      ),
    );
    expect(answers.map((answer): string => answer.code ?? 'given').toSorted()).toEqual([
      'GRANT_OVERLAPS',
      'GRANT_OVERLAPS',
      'GRANT_OVERLAPS',
      'given',
    ]);
    // On the last day it holds still; the day after it may begin again; elsewhere or another it is another.
    expect(await give(as('t2'), { ...input, startsOn: '2030-03-31' })).toMatchObject({
      code: 'GRANT_OVERLAPS',
    });
    for (const more of [{ startsOn: '2030-04-01' }, { unitId: schools['s2'] }, { role: 'AUDITOR' }])
      expect(await give(as('t2'), { ...input, ...more })).toMatchObject({ __typename: 'GrantRolePayload' });
  });

  it('ends with its last day, or at once, and stays to be seen with who ended it and why', async () => {
    const hold = async (): Promise<string> =>
      (await give(as('t2'), { personId: people['t7'], role: 'COORDINATOR', unitId: county })).grant.id;
    const first = await hold();
    expect(await sees(as('t7'))).toBe(true);
    for (const [on, path] of [['2030-03-03', 'input.on']] as const)
      expect(await end(as('t2'), first, { on })).toMatchObject({ code: 'INVALID_INPUT', path });
    expect(await end(as('t2'), first, { reason: ' ' })).toMatchObject({ path: 'input.reason' });
    // Its last day is today: until midnight in China it holds.
    expect(await end(as('t2'), first, { on: '2030-03-04' })).toMatchObject({
      grant: { state: 'HOLDING', endsOn: '2030-03-04', revokedAt: null, endReason: '调岗' },
    });
    expect(await sees(as('t7'))).toBe(true);
    // It may still be ended at once.
    expect(await end(as('t2'), first)).toMatchObject({
      grant: { state: 'ENDED', endsOn: '2030-03-04', revokedAt: '2030-03-04T04:00:00.000Z' },
    });
    expect(await sees(as('t7'))).toBe(false);
    expect(await end(as('t2'), first)).toMatchObject({ code: 'GRANT_ENDED' });
    // The same day it may be given again.
    const second = await hold();
    expect(await sees(as('t7'))).toBe(true);
    await end(as('t2'), second, { on: '2030-03-04' });
    clock.move(12 * 60);
    expect(await sees(as('t7'))).toBe(false);
    const told = await list(as('t2'), county, true);
    expect(told.filter((grant: { id: string }) => [first, second].includes(grant.id))).toHaveLength(2);
    const now = await list(as('t2'), county);
    expect(now.filter((grant: { id: string }) => [first, second].includes(grant.id))).toEqual([]);
    const kept = await query(
      `select end_reason, ended_by is not null as by from role_grants where ended_at is not null`,
    );
    expect(kept).toEqual([
      { end_reason: '调岗', by: true },
      { end_reason: '调岗', by: true },
    ]);
  });

  it('that has not begun gives nothing yet, and can be called off', async () => {
    const { grant } = await give(as('t2'), {
      personId: people['t7'],
      role: 'COORDINATOR',
      unitId: county,
      startsOn: '2030-09-01',
    });
    expect(grant.state).toBe('PLANNED');
    expect(await sees(as('t7'))).toBe(false);
    expect(await end(as('t2'), grant.id, { on: '2030-05-01' })).toMatchObject({ path: 'input.on' });
    expect(await end(as('t2'), grant.id)).toMatchObject({ grant: { state: 'ENDED' } });
  });

  it('is laid down by oneself, and taken by nobody else who could not give it', async () => {
    const { grant } = await give(as('t2'), { personId: people['t4'], role: 'ISSUER', unitId: county });
    const missing = await end('coordinator', gid('RoleGrant', 999_999_999));
    expect(missing.__typename).toBe('NotFound');
    for (const who of ['coordinator', as('t3'), as('t7')]) expect(await end(who, grant.id)).toEqual(missing);
    // An auditor sees it and may not end it.
    await seed('t6', 'auditor', '430000');
    expect(await end(as('t6'), grant.id)).toMatchObject({ code: 'NOT_ALLOWED' });
    expect(await end(as('t4'), grant.id)).toMatchObject({ grant: { state: 'ENDED' } });
    const own = await service.ask(as('t4'), '{ viewer { grants { id state endedBy { staffNumber } } } }');
    expect(own.data.viewer.grants[0]).toEqual({
      id: grant.id,
      state: 'ENDED',
      endedBy: { staffNumber: 't4' },
    });
  });

  it('is listed to who may see it there, and of a person what one may see', async () => {
    expect(await list(as('t2'), province)).toBeNull();
    expect(await list(as('t2'), null)).toBeNull();
    for (const who of ['coordinator', 'hr', as('t4'), null]) expect(await list(who, county)).toBeNull();
    const inSchool = await list(as('t3'), schools['s1']!);
    expect(inSchool.map((grant: { role: string }) => grant.role).toSorted()).toEqual([
      'AUDITOR',
      'AUTHOR',
      'OPERATOR',
    ]);
    const inCounty = (await list(as('t2'), county)) as { id: string }[];
    expect(inCounty.length).toBeGreaterThan(inSchool.length);
    const all = (await list(as('t1'), null)) as { id: string }[];
    expect(all.length).toBeGreaterThan(inCounty.length);
    // Pages join without a gap.
    const page = async (after: string | null) =>
      (
        await service.ask(
          as('t1'),
          'query ($after: String) { grants(first: 3, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }',
          { after },
        )
      ).data.grants;
    const paged: string[] = [];
    for (let after: string | null = null; ;) {
      const { nodes, pageInfo } = await page(after);
      paged.push(...nodes.map((node: { id: string }) => node.id));
      if (pageInfo.hasNextPage !== true) break;
      after = pageInfo.endCursor;
    }
    expect(paged).toEqual(all.map(({ id }) => id));
    // A coordinator sees the person, and none of the roles.
    const ofPerson = async (who: string) =>
      (
        await service.ask(who, 'query ($id: ID!) { node(id: $id) { ... on Person { grants { role } } } }', {
          id: people['t4'],
        })
      ).data.node.grants.length;
    expect(await ofPerson('coordinator')).toBe(0);
    expect(await ofPerson(as('t4'))).toBe(2);
  });

  it('of the nation’s last operator is not ended, not even by two who end each other’s at once', async () => {
    const [mine] = (await service.ask(as('t1'), '{ viewer { grants { id role unit { __typename } } } }')).data
      .viewer.grants as { id: string }[];
    expect(await end(as('t1'), mine!.id)).toMatchObject({ code: 'LAST_OPERATOR' });
    // One for a while is no one for good.
    await give(as('t1'), {
      personId: people['t5'],
      role: 'OPERATOR',
      endsOn: '2030-12-31',
    });
    expect(await end(as('t1'), mine!.id)).toMatchObject({ code: 'LAST_OPERATOR' });
    const other = await give(as('t1'), { personId: people['t4'], role: 'OPERATOR' });
    // Both have been let in before either was ended.
    const { grants } = service.app.services;
    const idOf = (globalId: string): string => Buffer.from(globalId, 'base64').toString().split(':')[1]!;
    const operator = (who: string): Viewer => ({
      personId: idOf(people[who]!),
      grants: [{ role: 'operator', scope: { kind: 'nation' } }],
    });
    const ends = await Promise.allSettled([
      grants.end(operator('t1'), { grantId: idOf(other.grant.id), on: null, reason: '调岗' }),
      grants.end(operator('t4'), { grantId: idOf(mine!.id), on: null, reason: '调岗' }),
    ]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(ends.find((each) => each.status === 'rejected')?.reason).toMatchObject({ code: 'LAST_OPERATOR' });
    const [left] = await query(
      `select count(*)::int as n from role_grants where role = 'operator' and division_code is null and organization_id is null and revoked_at is null and ends_on is null`,
    );
    expect(left!['n']).toBe(1);
  });
});
