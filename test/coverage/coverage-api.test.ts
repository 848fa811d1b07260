import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { peopleToTarget, targetFor, type Target } from '../../src/coverage/target.ts';
import {
  assignTeachers,
  finishActivities,
  importRoster,
  sitExam,
  smallRoster,
  startService,
  SUBMIT,
  until,
  type GraphqlAnswer,
  type Learner,
  type TestService,
} from '../support/service.ts';

const READ = `query ($certificationId: ID!, $unitId: ID!, $role: Role, $on: Date, $first: Int, $after: String) {
  coverage(certificationId: $certificationId, unitId: $unitId, role: $role, on: $on) {
    covered total gap rate target toTarget day roles byRole { role covered total target }
    children(first: 20) { nodes { unit { ... on Organization { name } } covered total } }
    uncovered(first: $first, after: $after) { nodes { person { staffNumber } organization { name } roles } pageInfo { hasNextPage endCursor } }
  } }`;
const SET = `mutation ($input: SetCoverageTargetInput!) { setCoverageTarget(input: $input) { __typename
  ... on SetCoverageTargetPayload { coverage { target toTarget } } ... on Refusal { code message } ... on InvalidInput { path } } }`;

describe('coverage through GraphQL', () => {
  let service: TestService;
  let certificationId: string;
  let unitId: string;
  let learners: Learner[];
  const read = async (more: Record<string, unknown> = {}, as = 'coordinator') =>
    service.ask(as, READ, { certificationId, unitId, role: 'CLASS_TEACHER', first: 100, ...more });
  const target = async (more: Record<string, unknown>, as = 'coordinator') =>
    (
      await service.ask(as, SET, {
        input: { certificationId, divisionCode: SAMPLE_COUNTY, rate: 0.5, startsOn: '2099-01-01', ...more },
      })
    ).data.setCoverageTarget;

  beforeAll(async () => {
    service = await startService();
    ({ certificationId, unitId, learners } = await assignTeachers(service, ['a1', 'a2', 'a3', 'a4']));
    await importRoster(
      service,
      smallRoster([
        { id: 'b1', family: '李', given: '一', orgs: 's2' },
        // Two schools, one role: one person in the county, one in each school.
        {
          id: 'b2',
          family: '李',
          given: '二',
          orgs: 's1,s2',
          roles: 'class_teacher,class_teacher',
          starts: '2024-09-01,2024-09-01',
          ends: ',',
        },
      ]),
    );
    const [first] = learners;
    await finishActivities(service, first!);
    const attempt = await sitExam(service, first!, { right: true });
    await service.ask(first!.key, SUBMIT, { id: attempt });
    await until(async () => ((await read()).data.coverage.covered === 1 ? true : undefined));
  });
  afterAll(async () => service.stop());

  it('counts people, in the unit, right below it and by role', async () => {
    const { coverage } = (await read()).data;
    expect(coverage).toMatchObject({ covered: 1, total: 6, gap: 5, target: 1, toTarget: 5 });
    expect(coverage.rate).toBeCloseTo(1 / 6);
    expect(coverage.byRole).toEqual([{ role: 'CLASS_TEACHER', covered: 1, total: 6, target: 1 }]);
    expect(coverage.children.nodes).toEqual([
      { unit: { name: '星沙第二中学' }, covered: 0, total: 2 },
      { unit: { name: '星沙实验小学' }, covered: 1, total: 5 },
      { unit: { name: '长沙县教育局' }, covered: 0, total: 0 },
    ]);
  });

  it('tells the same as a table, with as much hidden, page by page', async () => {
    const both = `query ($certificationId: ID!, $unitId: ID!, $after: String) { coverage(certificationId: $certificationId, unitId: $unitId) { roles
      children(first: 2, after: $after) { nodes { unit { ... on Organization { id } } covered total gap target toTarget byRole { role covered total gap target toTarget } } pageInfo { hasNextPage endCursor } }
      table(first: 2, after: $after) { nodes { unit { ... on Organization { id } } covered total gap target toTarget } pageInfo { hasNextPage endCursor } } } }`;
    await service.database.pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'auditor', '430121', '2020-01-01', 'test' from sample_sign_ins where key = 'hr' on conflict do nothing`,
    );
    for (const as of ['coordinator', 'hr']) {
      let after: string | null = null;
      let hidden = 0;
      for (let page = 0; page < 2; page += 1) {
        const { data } = await service.ask(as, both, { certificationId, unitId, after });
        const { roles, children, table } = data.coverage;
        expect(table.pageInfo).toEqual(children.pageInfo);
        expect(table.nodes).toEqual(
          children.nodes.map((child: Record<string, unknown> & { byRole: Record<string, unknown>[] }) => {
            expect(child.byRole.map((each) => each['role'])).toEqual(roles);
            const column = (name: string) => [child[name], ...child.byRole.map((each) => each[name])];
            return {
              unit: child['unit'],
              ...Object.fromEntries(
                ['covered', 'total', 'gap', 'target', 'toTarget'].map((name) => [name, column(name)]),
              ),
            };
          }),
        );
        hidden += table.nodes
          .flatMap((row: { total: (number | null)[] }) => row.total)
          .filter((n: number | null) => n === null).length;
        after = table.pageInfo.endCursor;
      }
      expect(hidden > 0).toBe(as === 'hr');
    }
    await service.database.pool.query(`delete from role_grants where role = 'auditor' and reason = 'test'`);
  });

  it('answers for a day before anybody was there, and refuses one to come', async () => {
    expect((await read({ on: '2024-08-31' })).data.coverage).toMatchObject({
      covered: 0,
      total: 0,
      rate: null,
    });
    expect((await read({ on: '2024-09-01' })).data.coverage).toMatchObject({ covered: 0, total: 6 });
    const { errors } = await read({ on: '2099-01-01' });
    expect(errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
  });

  it('tells how it went, and refuses more points than anybody would read', async () => {
    const trend = `query ($certificationId: ID!, $unitId: ID!, $from: Date!, $every: TrendStep!) {
      coverage(certificationId: $certificationId, unitId: $unitId) { trend(from: $from, every: $every) { day total } } }`;
    const { data } = await service.ask('coordinator', trend, {
      certificationId,
      unitId,
      from: '2024-07-31',
      every: 'MONTH',
    });
    expect(data.coverage.trend.slice(0, 3)).toEqual([
      { day: '2024-07-31', total: 0 },
      { day: '2024-08-31', total: 0 },
      { day: '2024-09-30', total: 6 },
    ]);
    const { errors } = await service.ask('coordinator', trend, {
      certificationId,
      unitId,
      from: '2020-01-01',
      every: 'DAY',
    });
    expect(errors?.[0]?.message).toMatch(/more than 60 points/);
  });

  it('lists who is not covered, each once, page by page, to those who may see people', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    for (;;) {
      const answer: GraphqlAnswer = await read({ first: 2, after });
      const { uncovered } = answer.data.coverage;
      seen.push(
        ...(uncovered.nodes as { person: { staffNumber: string }; organization: { name: string } }[]).map(
          (node) => `${node.person.staffNumber} ${node.organization.name}`,
        ),
      );
      after = uncovered.pageInfo.endCursor;
      if (uncovered.pageInfo.hasNextPage !== true) break;
    }
    expect(seen.toSorted()).toEqual([
      'a2 星沙实验小学',
      'a3 星沙实验小学',
      'a4 星沙实验小学',
      'b1 星沙第二中学',
      'b2 星沙实验小学',
    ]);
    expect((await read({ after: 'made up' })).errors?.[0]?.extensions?.code).toBe('INVALID_INPUT');
    // An auditor sees the numbers and not the people.
    await service.database.pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'auditor', '430121', '2020-01-01', 'test' from person_sources where source_id = 'b1'`,
    );
    const { data } = await read({}, 'sample:staff:b1');
    expect(data.coverage).toMatchObject({ total: 6, uncovered: null });
    // Two people in one school: told neither there, nor by what is left of the county's six, nor when the school is asked for.
    expect(data.coverage.children.nodes.map((node: { total: number | null }) => node.total)).toEqual([
      null,
      null,
      0,
    ]);
    for (const name of ['星沙第二中学', '星沙实验小学']) {
      const { rows } = await service.database.pool.query('select id from organizations where name = $1', [
        name,
      ]);
      const school = Buffer.from(`Organization:${rows[0].id}`).toString('base64');
      expect((await read({ unitId: school }, 'sample:staff:b1')).data.coverage).toMatchObject({
        total: null,
        rate: null,
        byRole: [{ total: null, covered: null }],
      });
      expect((await read({ unitId: school })).data.coverage.total).toBeGreaterThan(1);
    }
    expect((await read({}, 'hr')).data.coverage).toBeNull();
  });

  it('takes a target of those who may set it, and never one below what is asked for above', async () => {
    await service.database.pool.query(
      `insert into coverage_targets (division_code, certification_id, rate, starts_on, set_at) select '430000', id, 0.8, '2020-01-01', now() from certifications`,
    );
    expect((await read()).data.coverage).toMatchObject({ target: 0.8, toTarget: 4 });
    expect((await read({ on: '2019-12-31' })).data.coverage.target).toBe(1);
    expect(await target({ rate: 0.79 })).toMatchObject({ __typename: 'Conflict', code: 'TARGET_LOWERED' });
    expect(await target({ rate: 1.2 })).toMatchObject({ code: 'INVALID_INPUT', path: 'input.rate' });
    expect(await target({ startsOn: '2020-01-01', rate: 0.9 })).toMatchObject({ path: 'input.startsOn' });
    expect(await target({ divisionCode: '430102' })).toMatchObject({ __typename: 'NotFound' });
    expect(await target({ rate: 0.9 }, 'hr')).toMatchObject({ __typename: 'NotFound' });
    const today = (await read()).data.coverage.day as string;
    expect(await target({ rate: 0.95, startsOn: today })).toMatchObject({
      coverage: { target: 0.95, toTarget: 5 },
    });
    expect((await read()).data.coverage).toMatchObject({ target: 0.95, byRole: [{ target: 0.95 }] });
  });
});

describe('the target of a unit', () => {
  const place = { provinceCode: '430000', prefectureCode: '430100', countyCode: '430121' };
  const set = (
    divisionCode: string,
    rate: number,
    startsOn: string,
    role: Target['role'] = null,
  ): Target => ({
    divisionCode,
    rate,
    startsOn,
    role,
  });

  it('is the latest of each jurisdiction above, and of these the highest', () => {
    const targets = [
      set('430000', 0.9, '2026-01-01'),
      set('430000', 0.7, '2026-06-01'),
      set('430121', 0.8, '2026-03-01'),
      set('430102', 1, '2026-01-01'),
      set('430100', 0.95, '2026-03-01', 'class_teacher'),
    ];
    expect(targetFor(targets, place, null, '2025-12-31')).toBeUndefined();
    expect(targetFor(targets, place, null, '2026-03-01')).toBe(0.9);
    expect(targetFor(targets, place, null, '2026-06-01')).toBe(0.8);
    expect(targetFor(targets, place, 'class_teacher', '2026-06-01')).toBe(0.95);
    expect(targetFor(targets, place, 'college_counselor', '2026-06-01')).toBe(0.8);
  });

  it('is told in whole people, without the last bit of a product making one more', () => {
    expect(peopleToTarget({ covered: 0, total: 40 }, 0.95)).toBe(38);
    expect(peopleToTarget({ covered: 0, total: 100 }, 0.07)).toBe(7);
    expect(peopleToTarget({ covered: 5, total: 7 }, 0.8)).toBe(1);
    expect(peopleToTarget({ covered: 7, total: 7 }, 0.8)).toBe(0);
  });
});
