import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { Random } from '../../src/commands/sample/random.ts';
import { addStaffed, judgeStaffing, NO_STAFFING } from '../../src/coverage/staffing.ts';
import type { OrganizationKind } from '../../src/regions/organization.ts';
import { importRoster, smallRoster, startService, TestClock, type TestService } from '../support/service.ts';

const READ = `query ($unitId: ID!, $on: Date, $standing: StaffingStanding! = SHORT, $first: Int, $after: String) { staffing(unitId: $unitId, on: $on) {
  day counties countiesWithResearcher total met short unknown rate target toTarget required present peopleShort
  children(first: 100) { nodes { unit { __typename ... on Organization { name } ... on Division { code } } total met present } }
  organizations(standing: $standing, first: $first, after: $after) { nodes { organization { name } standing required present peopleShort students studentsOn } pageInfo { hasNextPage endCursor } } } }`;
const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');

describe('the staff that is asked', () => {
  const judge = (kind: OrganizationKind, students: number | null, anyLoad: number, fullTime = 0) =>
    judgeStaffing({ kind, students, anyLoad, fullTime });

  it('is one person at a school, full- or part-time, however many students', () => {
    expect(judge('primary', 90_000, 1)).toEqual({ standing: 'met', required: 1, present: 1, peopleShort: 0 });
    expect(judge('vocational', null, 0)).toEqual({
      standing: 'short',
      required: 1,
      present: 0,
      peopleShort: 1,
    });
  });

  it('is one full-time person for 4,000 students at a university, and at least two', () => {
    const required = (students: number) => judge('university', students, 9, 9)!.required;
    expect([0, 4_000, 8_000, 8_001, 40_000].map(required)).toEqual([2, 2, 2, 3, 10]);
    expect(judge('university', 12_001, 7, 1)).toEqual({
      standing: 'short',
      required: 4,
      present: 1,
      peopleShort: 3,
    });
  });

  it('can not be told for a university that was not counted nor for who knows what', () => {
    expect(judge('university', null, 5, 5)).toMatchObject({ standing: 'unknown', required: null });
    expect(judge('unspecified', 100, 1)).toMatchObject({ standing: 'unknown', required: null });
  });

  it('is nobody at kindergartens and bureaus', () => {
    expect([judge('kindergarten', 100, 0), judge('bureau', null, 0)]).toEqual([undefined, undefined]);
  });
});

describe('staffing through GraphQL', () => {
  let service: TestService;
  const county = gid('Division', SAMPLE_COUNTY);
  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  const read = async (more: Record<string, unknown> = {}, as: string | null = 'coordinator') =>
    service.ask(as, READ, { unitId: county, first: 100, ...more });
  const addOrganization = async (
    name: string,
    kind: OrganizationKind,
    more: { students?: [string, number][]; closedOn?: string; code?: string } = {},
  ): Promise<string> => {
    const [row] = await query(
      `insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code, closed_on)
       select 's', $1, $1, $2, code, province_code, prefecture_code, county_code, $3 from divisions where code = $4 returning id`,
      [name, kind, more.closedOn ?? null, more.code ?? SAMPLE_COUNTY],
    );
    for (const [on, students] of more.students ?? [])
      await query('insert into organization_student_counts values ($1, $2, $3)', [row!['id'], on, students]);
    return row!['id']!;
  };
  const addTeacher = async (organization: string, workload: 'full' | 'part', from: string, until?: string) =>
    query(
      `with p as (insert into people (name) values ('x') returning id) insert into posts (person_id, organization_id, role, workload, starts_on, ends_on)
       select id, $1, 'mental_health_teacher', $2, $3, $4 from p`,
      [organization, workload, from, until ?? null],
    );

  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2027-03-04T04:00:00Z') });
    await importRoster(
      service,
      smallRoster([
        { id: 'm1', family: '王', given: '心', roles: 'mental_health_teacher' },
        { id: 't1', family: '王', given: '小' },
      ]),
    );
    const university = await addOrganization('大学', 'university', {
      students: [
        ['2025-09-01', 7_000],
        ['2026-09-01', 8_500],
      ],
    });
    for (let count = 0; count < 2; count += 1) await addTeacher(university, 'full', '2024-09-01');
    await addTeacher(university, 'part', '2024-09-01');
    await addOrganization('新大学', 'university');
    await addOrganization('幼儿园', 'kindergarten');
    await addOrganization('旧校', 'primary', { closedOn: '2026-08-31' });
  });
  afterAll(async () => service.stop());

  it('tells how many organizations and how many people are lacking, on any day', async () => {
    const { data } = await read();
    expect(data.staffing).toMatchObject({
      day: '2027-03-04',
      total: 4,
      met: 1,
      short: 2,
      unknown: 1,
      rate: 0.25,
      target: 1,
      toTarget: 3,
      required: 5,
      present: 3,
      peopleShort: 2,
    });
    expect(data.staffing.organizations.nodes).toEqual([
      {
        organization: { name: '星沙第二中学' },
        standing: 'SHORT',
        required: 1,
        present: 0,
        peopleShort: 1,
        students: 900,
        studentsOn: '2026-09-01',
      },
      {
        organization: { name: '大学' },
        standing: 'SHORT',
        required: 3,
        present: 2,
        peopleShort: 1,
        students: 8_500,
        studentsOn: '2026-09-01',
      },
    ]);
    // Before the second count two were enough, and the old school was open still.
    expect((await read({ on: '2026-08-31' })).data.staffing).toMatchObject({
      total: 5,
      met: 2,
      short: 2,
      peopleShort: 2,
    });
    // Before the first count it is the first that is known; nobody was there yet.
    expect((await read({ on: '2024-08-31' })).data.staffing).toMatchObject({ present: 0, peopleShort: 5 });
    expect((await read({ on: '2099-01-01' })).errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
  });

  it('tells in which counties there is a researcher', async () => {
    expect((await read()).data.staffing).toMatchObject({ counties: 1, countiesWithResearcher: 0 });
    const [bureau] = await query(`select id from organizations where kind = 'bureau'`);
    await query(
      `with p as (insert into people (name) values ('x') returning id) insert into posts (person_id, organization_id, role, starts_on, ends_on)
       select id, $1, 'county_researcher', '2026-01-01', '2026-12-31' from p`,
      [bureau!['id']],
    );
    expect((await read({ on: '2026-12-31' })).data.staffing).toMatchObject({
      counties: 1,
      countiesWithResearcher: 1,
    });
    expect((await read()).data.staffing.countiesWithResearcher).toBe(0);
  });

  it('keeps a student count for its day when a roster brings another', async () => {
    const [before] = await query(
      `select students, counted_on from organization_student_counts join organizations o on o.id = organization_id where o.source_id = 's1'`,
    );
    expect(before).toEqual({ students: 1200, counted_on: '2026-09-01' });
    const [orgs, users] = smallRoster([]);
    const changed = Buffer.from(
      orgs!.bytes.toString().replace('primary,1200,2026-09-01', 'primary,1300,2027-02-01'),
    );
    await importRoster(service, [{ name: 'orgs.csv', bytes: changed }, users!]);
    expect(
      await query(
        `select students from organization_student_counts join organizations o on o.id = organization_id where o.source_id = 's1' order by counted_on`,
      ),
    ).toEqual([{ students: 1200 }, { students: 1300 }]);
  });

  it('tells the same right below, and lists page by page', async () => {
    const { children } = (await read()).data.staffing;
    expect(children.nodes).toContainEqual({
      unit: { __typename: 'Organization', name: '星沙实验小学' },
      total: 1,
      met: 1,
      present: 1,
    });
    expect(children.nodes.filter((node: { total: number }) => node.total === 0)).toHaveLength(2);
    const first = (await read({ first: 1 })).data.staffing.organizations;
    expect(first.pageInfo.hasNextPage).toBe(true);
    const second = (await read({ first: 1, after: first.pageInfo.endCursor })).data.staffing.organizations;
    expect([first.nodes[0].organization.name, second.nodes[0].organization.name]).toEqual([
      '星沙第二中学',
      '大学',
    ]);
    expect((await read({ standing: 'UNKNOWN' })).data.staffing.organizations.nodes).toMatchObject([
      { organization: { name: '新大学' }, required: null, students: null },
    ]);
    expect((await read({ after: 'x' })).errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
  });

  it('tells numbers of people to nobody who may not see people, and nothing to strangers', async () => {
    await query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'auditor', '430121', '2020-01-01', 'test' from person_sources where source_id = 'm1'`,
    );
    const { data } = await read({}, 'sample:staff:m1');
    expect(data.staffing).toMatchObject({
      met: 1,
      short: 2,
      required: null,
      present: null,
      peopleShort: null,
    });
    for (const node of data.staffing.organizations.nodes)
      expect(node).toMatchObject({ present: null, peopleShort: null });
    for (const node of data.staffing.children.nodes) expect(node.present).toBeNull();
    const nowhere = await read({ unitId: gid('Division', '430999') }, 'hr');
    expect(nowhere.data.staffing).toBeNull();
    expect(await read({}, 'hr')).toEqual(nowhere);
    expect((await read({}, null)).errors?.[0]?.extensions?.code).toBe('NOT_SIGNED_IN');
  });

  it('is what anybody would count by hand', async () => {
    const random = new Random(11);
    const kinds: OrganizationKind[] = ['primary', 'university', 'bureau', 'unspecified', 'special'];
    const day = '2026-05-05';
    const places = ['430102', '430181', '430121'];
    const added: { code: string; facts: Parameters<typeof judgeStaffing>[0] }[] = [];
    await query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'coordinator', '430000', '2020-01-01', 'test' from person_sources where source_id = 't1'`,
    );
    const of = async (code: string) =>
      read({ unitId: gid('Division', code), on: day }, 'sample:staff:t1').then(({ data }) => ({
        ...data.staffing,
        organizations: data.staffing.total,
      }));
    const start = new Map<string, Record<string, number>>();
    for (const code of ['430000', '430100', ...places]) start.set(code, await of(code));
    for (let at = 0; at < 40; at += 1) {
      const kind = random.pick(kinds);
      const students = random.chance(0.3) ? null : random.between(0, 20_000);
      const code = random.pick(places);
      const id = await addOrganization(`r${at}`, kind, {
        code,
        students: students === null ? [] : [['2026-01-01', students]],
      });
      const loads = Array.from({ length: random.between(0, 4) }, () =>
        random.pick(['full', 'part'] as const),
      );
      for (const load of loads) await addTeacher(id, load, '2026-01-01', '2026-05-05');
      // Gone the day before.
      await addTeacher(id, 'full', '2026-01-01', '2026-05-04');
      added.push({
        code,
        facts: {
          kind,
          students,
          anyLoad: loads.length,
          fullTime: loads.filter((load) => load === 'full').length,
        },
      });
    }
    for (const code of ['430000', '430100', ...places]) {
      let sum = NO_STAFFING;
      for (const each of added) {
        const staffed = judgeStaffing(each.facts);
        if (staffed !== undefined && (each.code === code || !places.includes(code)))
          sum = addStaffed(sum, staffed);
      }
      const now = await of(code);
      const more = Object.fromEntries(
        Object.keys(sum).map((key) => [key, now[key] - start.get(code)![key]!]),
      );
      expect({ code, ...more }).toEqual({ code, ...sum });
    }
  });
});
