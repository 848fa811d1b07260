import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDays } from '../../src/clock.ts';
import { Random } from '../../src/commands/sample/random.ts';
import { makeCourseService } from '../../src/courses/course.service.ts';
import {
  makeCoverageService,
  type CoverageService,
  type UnitCoverage,
} from '../../src/coverage/coverage.service.ts';
import { makeCoverageLedger, type CoverageLedger } from '../../src/coverage/ledger.service.ts';
import { FEWEST_TOLD } from '../../src/coverage/veil.ts';
import { silentLog } from '../../src/log.ts';
import { makePeopleService } from '../../src/people/people.service.ts';
import type { Grant, GrantRole, Viewer } from '../../src/people/permission.ts';
import type { Role } from '../../src/people/role.ts';
import { makeProgrammeService } from '../../src/programmes/programme.service.ts';
import type { Unit } from '../../src/regions/division.ts';
import { makeRegionService } from '../../src/regions/region.service.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { determined } from '../support/linear.ts';
import { TestClock } from '../support/service.ts';

/*
 * What the coverage service answers, compared with what anybody would count by hand from the roster and the certificates; and what it
 * must not answer. How the kept numbers stay right is tested in ledger.test.ts.
 */

const TODAY = '2026-06-15';
const ROLES: Role[] = ['class_teacher', 'young_pioneers_leader', 'mental_health_teacher'];
const DIVISIONS: Record<string, [string, string | null]> = {
  '430000': ['province', null],
  '430100': ['prefecture', '430000'],
  '430121': ['county', '430100'],
  '430102': ['county', '430100'],
  '431900': ['prefecture', '430000'],
  // Governed by the province itself.
  '439001': ['county', '430000'],
};
const CODES = Object.keys(DIVISIONS);
/** Where the schools stand: three in a county, one in another, one right in a prefecture, two in a county without one. */
const PLACES = ['430121', '430121', '430121', '430102', '431900', '439001', '439001'];

interface Post {
  readonly person: number;
  readonly school: number;
  readonly role: Role;
  readonly from: string;
  readonly until: string | null;
}
interface Held {
  readonly person: number;
  readonly from: string;
  readonly until: string | null;
  readonly revoked: string | null;
}

const viewer = (role: GrantRole, ...scopes: Grant['scope'][]): Viewer => ({
  personId: '0',
  grants: scopes.map((scope) => ({ role, scope })),
});
const NATION: Grant['scope'] = { kind: 'nation' };

describe('coverage', () => {
  let database: TestDatabase;
  let coverage: CoverageService;
  let ledger: CoverageLedger;
  let certificationId: string;
  const schools: string[] = [];
  const clock = new TestClock(`${TODAY}T04:00:00Z`);

  beforeAll(async () => {
    database = await makeTestDatabase();
    const { db } = database;
    const regions = makeRegionService({ db, clock });
    const people = makePeopleService({ db, clock, regions });
    const courses = makeCourseService({
      db,
      clock,
      coursesFolder: '/nowhere',
      h5p: { keep: async () => undefined, holds: async () => true },
    });
    const programmes = makeProgrammeService({
      db,
      clock,
      regions,
      people,
      courses,
      proof: async () => {},
      latestTemplate: async () => 1,
      standings: { listNextPeriods: async () => new Map() },
    });
    ledger = makeCoverageLedger({ db, clock, log: silentLog });
    coverage = makeCoverageService({ db, clock, regions, programmes, ledger });
    for (const [code, [level, parent]] of Object.entries(DIVISIONS))
      await database.pool.query(
        `insert into divisions (code, name, level, parent_code, province_code, prefecture_code, county_code) values ($1, $1, $2, $3, '430000', $4, $5)`,
        [
          code,
          level,
          parent,
          level === 'prefecture' ? code : level === 'county' && parent !== '430000' ? parent : null,
          level === 'county' ? code : null,
        ],
      );
    for (const code of PLACES)
      schools.push(
        (
          await database.pool.query(
            `insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code)
             select 's', gen_random_uuid()::text, 'x', 'primary', code, province_code, prefecture_code, county_code from divisions where code = $1 returning id`,
            [code],
          )
        ).rows[0].id as string,
      );
    const { rows } = await database.pool.query(
      `insert into certifications (code, title_zh, title_en, course_slug, roles, division_code, issuer_name, template, template_version, created_at)
       values ('c', 'x', 'x', 'x', $1, '430000', 'x', 'standard', 1, now()) returning id`,
      [ROLES],
    );
    certificationId = rows[0].id;
    await database.pool.query(`
      insert into course_versions (slug, version, digest, manifest, contents, is_current, synced_at) values ('x', '1', 'x', '{}', '{}', true, now());
      insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'x', 'class_teacher', '430000', now() from certifications`);
  });
  afterAll(async () => database.drop());

  /** Puts a roster and certificates in place of those before, and counts them anew. */
  const replace = async (posts: readonly Post[], certificates: readonly Held[]): Promise<void> => {
    const { pool } = database;
    for (const table of ['log_pending', 'certificates', 'assignments', 'posts', 'people'])
      await pool.query(`delete from ${table}`);
    const most = Math.max(0, ...posts.map((post) => post.person)) + 1;
    await pool.query(
      `insert into people (id, name) overriding system value select n, 'p' from generate_series(1, $1::int) n`,
      [most],
    );
    for (const post of posts)
      await pool.query(
        'insert into posts (person_id, organization_id, role, workload, starts_on, ends_on) values ($1, $2, $3, $4, $5, $6) on conflict do nothing',
        [post.person + 1, schools[post.school], post.role, 'full', post.from, post.until],
      );
    for (const [index, held] of certificates.entries())
      await pool.query(
        `with a as (insert into assignments (certification_id, person_id, cohort_id, period, created_at) select certification_id, $1, id, $2, now() from cohorts returning *)
         insert into certificates (number, verification_code, person_id, certification_id, assignment_id, period, claims, template, template_version, course_version_id,
           issued_at, valid_from, valid_until, revoked_on, revoked_at, revocation_reason, pdf_digest, status_list, status_position)
         select $2::text, $2::text, a.person_id, a.certification_id, a.id, a.period, '{}', 'standard', 1, v.id, now(), $3, $4, $5::date,
           case when $5::date is null then null else now() end, case when $5::date is null then null else 'x' end, 'x', 1000, a.id from a, course_versions v`,
        [held.person + 1, index + 1, held.from, held.until, held.revoked],
      );
    await ledger.rebuild();
    await ledger.advance();
  };

  const inside = (school: number, unit: Unit): boolean => {
    if (unit.kind === 'organization') return schools[school] === unit.id;
    const [code, parent] = [PLACES[school]!, DIVISIONS[PLACES[school]!]![1]];
    return [code, parent, '430000'].includes(unit.code);
  };
  const on = (day: string, { from, until }: { from: string; until: string | null }): boolean =>
    from <= day && (until === null || day <= until);
  /** By the words of the definition. */
  const oracle = (
    posts: readonly Post[],
    certificates: readonly Held[],
    unit: Unit,
    roles: readonly Role[],
    day: string,
  ) => {
    const holders = new Set(
      posts
        .filter((post) => roles.includes(post.role) && inside(post.school, unit) && on(day, post))
        .map((post) => post.person),
    );
    const uncovered = [...holders].filter(
      (person) =>
        !certificates.some(
          (held) => held.person === person && on(day, held) && (held.revoked === null || day < held.revoked),
        ),
    );
    return { total: holders.size, covered: holders.size - uncovered.length, uncovered };
  };
  const units = (): Unit[] => [
    ...CODES.map((code): Unit => ({ kind: 'division', code })),
    ...schools.map((id): Unit => ({ kind: 'organization', id })),
  ];
  const get = async (as: Viewer, unit: Unit, role: Role | null = null, day: string | null = null) =>
    coverage.get(as, { certificationId, role, unit, day });
  const idOf = (each: Pick<UnitCoverage, 'unit'>): string =>
    'level' in each.unit ? each.unit.code : each.unit.id;

  it.each([1, 2, 3])('is what anybody would count, for every unit, role and day (seed %i)', async (seed) => {
    const random = new Random(seed);
    const day = (): string => addDays(TODAY, random.between(-400, 100));
    const posts: Post[] = [];
    const certificates: Held[] = [];
    for (let person = 0; person < 50; person += 1) {
      // Several posts, at several schools, one after the other or at once.
      for (let each = random.between(1, 3); each > 0; each -= 1) {
        const from = day();
        const until = random.chance(0.4) ? addDays(from, random.between(0, 300)) : null;
        posts.push({
          person,
          school: random.between(0, schools.length - 1),
          role: random.pick(ROLES),
          from,
          until,
        });
        // A transfer: the next day, elsewhere.
        if (until !== null && random.chance(0.5))
          posts.push({
            person,
            school: random.between(0, schools.length - 1),
            role: random.pick(ROLES),
            from: addDays(until, 1),
            until: null,
          });
      }
      for (let each = random.between(0, 2); each > 0; each -= 1) {
        const from = day();
        certificates.push({
          person,
          from,
          until: random.chance(0.3) ? null : addDays(from, random.between(0, 250)),
          revoked: random.chance(0.3) ? addDays(from, random.between(0, 100)) : null,
        });
      }
    }
    await replace(posts, certificates);
    const coordinator = viewer('coordinator', NATION);
    let compared = 0;
    for (const when of [TODAY, addDays(TODAY, -1), addDays(TODAY, -120), addDays(TODAY, -390)])
      for (const unit of units()) {
        const answer = await get(coordinator, unit, null, when);
        const { uncovered, ...expected } = oracle(posts, certificates, unit, ROLES, when);
        expect({ when, ...answer }).toMatchObject({
          when,
          unit: answer.unit,
          ...expected,
          hidden: false,
        });
        for (const { role, ...numbers } of answer.byRole) {
          const { uncovered: _, ...ofRole } = oracle(posts, certificates, unit, [role], when);
          expect({ when, unit, role, ...numbers }).toMatchObject(ofRole);
          compared += ofRole.total > 0 ? 1 : 0;
        }
        const listed = await coverage.listUncovered(coordinator, answer, { after: undefined, limit: 1_000 });
        expect(listed!.map(({ personId }) => Number(personId) - 1).toSorted((a, b) => a - b)).toEqual(
          uncovered.toSorted((a, b) => a - b),
        );
        for (const child of await coverage.listChildren(answer, { after: undefined, limit: 100 })) {
          const below: Unit =
            'level' in child.unit
              ? { kind: 'division', code: child.unit.code }
              : { kind: 'organization', id: child.unit.id };
          const { uncovered: _, ...numbers } = oracle(posts, certificates, below, ROLES, when);
          expect({ when, child: idOf(child), ...child }).toMatchObject(numbers);
        }
      }
    expect(compared).toBeGreaterThan(60);
    // On the day itself: the kept numbers, and the same counted anew.
    const [kept, role] = [await get(coordinator, { kind: 'division', code: '430000' }), ROLES[0]!];
    expect(await get(coordinator, { kind: 'division', code: '430000' }, role)).toMatchObject({
      total: kept.byRole[0]!.total,
      covered: kept.byRole[0]!.covered,
      roles: [role],
    });
  });

  it('begins and ends with the days of posts and certificates, their last ones included', async () => {
    const base = { school: 0, role: ROLES[0]!, from: '2026-01-01', until: '2026-05-31' };
    await replace(
      [
        { ...base, person: 0 },
        { ...base, person: 0, school: 3, from: '2026-06-01', until: null },
        // Two roles at one school: one person.
        { ...base, person: 1, until: null },
        { ...base, person: 1, role: ROLES[1]!, until: null },
      ],
      [
        { person: 0, from: '2026-02-01', until: '2026-06-10', revoked: null },
        { person: 1, from: '2026-02-01', until: null, revoked: '2026-03-01' },
      ],
    );
    const told = async (unit: Unit, day: string): Promise<string> => {
      const { covered, total, byRole } = await get(viewer('coordinator', NATION), unit, null, day);
      return `${covered}/${total} ${byRole.map((each) => `${each.covered}/${each.total}`).join(' ')}`;
    };
    const [first, fourth]: Unit[] = [schools[0]!, schools[3]!].map((id) => ({ kind: 'organization', id }));
    const prefecture: Unit = { kind: 'division', code: '430100' };
    expect(await told(first!, '2025-12-31')).toBe('0/0 0/0 0/0 0/0');
    expect(await told(first!, '2026-01-01')).toBe('0/2 0/2 0/1 0/0');
    expect(await told(first!, '2026-02-01')).toBe('2/2 2/2 1/1 0/0');
    expect(await told(first!, '2026-02-28')).toBe('2/2 2/2 1/1 0/0');
    expect(await told(first!, '2026-03-01')).toBe('1/2 1/2 0/1 0/0');
    expect(await told(first!, '2026-05-31')).toBe('1/2 1/2 0/1 0/0');
    // The transfer: here no more, there from the next day, in the prefecture all the while.
    expect(await told(first!, '2026-06-01')).toBe('0/1 0/1 0/1 0/0');
    expect(await told(fourth!, '2026-05-31')).toBe('0/0 0/0 0/0 0/0');
    expect(await told(fourth!, '2026-06-01')).toBe('1/1 1/1 0/0 0/0');
    for (const day of ['2026-05-31', '2026-06-01', '2026-06-10'])
      expect(await told(prefecture, day)).toBe('1/2 1/2 0/1 0/0');
    expect(await told(prefecture, '2026-06-11')).toBe('0/2 0/2 0/1 0/0');
    await expect(
      get(viewer('coordinator', NATION), prefecture, null, addDays(TODAY, 1)),
    ).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      path: 'on',
    });
  });

  it('is told of the viewer’s own part of the tree, and of nothing beside or above it', async () => {
    const seen = async (as: Viewer): Promise<string> => {
      const answers: string[] = [];
      for (const unit of units()) {
        const name = unit.kind === 'division' ? unit.code : `school ${schools.indexOf(unit.id)}`;
        answers.push(
          await get(as, unit).then(
            () => name,
            (error: Error) => error.message,
          ),
        );
      }
      return answers.filter((answer) => answer !== 'The unit was not found.').join(' ');
    };
    const county: Grant['scope'] = { kind: 'division', code: '430121' };
    expect(await seen(viewer('coordinator', county))).toBe('430121 school 0 school 1 school 2');
    expect(await seen(viewer('coordinator', { kind: 'division', code: '430100' }))).toBe(
      '430100 430102 430121 school 0 school 1 school 2 school 3',
    );
    expect(await seen(viewer('coordinator', { kind: 'division', code: '439001' }))).toBe(
      '439001 school 5 school 6',
    );
    expect(await seen(viewer('coordinator', { kind: 'organization', id: schools[4]! }))).toBe('school 4');
    expect(await seen(viewer('auditor', county, { kind: 'division', code: '431900' }))).toBe(
      '430121 431900 school 0 school 1 school 2 school 4',
    );
    for (const role of ['hr_verifier', 'author'] as const) expect(await seen(viewer(role, NATION))).toBe('');
    expect(await seen({ personId: '0', grants: [] })).toBe('');
  });

  it.each([1, 2, 3, 4])(
    'lets no number of a few people follow from all that an auditor may ask (seed %i)',
    async (seed) => {
      const random = new Random(seed * 100);
      const posts: Post[] = [];
      // One role each, so that the roles add up to the total.
      for (const school of schools.keys())
        for (const role of ROLES)
          for (let each = random.pick([0, 0, 1, 2, 4, 6, 9, 20]); each > 0; each -= 1)
            posts.push({ person: posts.length, school, role, from: '2026-01-01', until: null });
      await replace(posts, []);
      const auditor = viewer('auditor', NATION);
      const known = new Map<string, number>();
      const hidden = new Set<string>();
      const note = (cell: string, total: number, isHidden: boolean): void => {
        // However it is asked for, it is told or it is not.
        expect({ cell, told: isHidden ? known.has(cell) : hidden.has(cell) }).toEqual({ cell, told: false });
        if (isHidden) hidden.add(cell);
        else known.set(cell, total);
      };
      const noteAll = (answer: UnitCoverage): void => {
        const of = answer.roles.length === 1 ? answer.roles[0]! : 'total';
        note(`${of} ${idOf(answer)}`, answer.total, answer.hidden);
        for (const { role, total, hidden } of answer.byRole) note(`${role} ${idOf(answer)}`, total, hidden);
      };
      const equations: string[][] = [];
      for (const unit of units())
        for (const role of [null, ...ROLES]) {
          const answer = await get(auditor, unit, role);
          noteAll(answer);
          expect(
            await coverage.listUncovered(auditor, answer, { after: undefined, limit: 10 }),
          ).toBeUndefined();
          for (const point of await coverage.listTrend(answer, [TODAY])) noteAll(point);
          const children = await coverage.listChildren(answer, { after: undefined, limit: 100 });
          for (const child of children) noteAll(child);
          const of = role ?? 'total';
          if (children.length > 0)
            equations.push([`${of} ${idOf(answer)}`, ...children.map((child) => `${of} ${idOf(child)}`)]);
          if (role === null)
            equations.push([`total ${idOf(answer)}`, ...ROLES.map((each) => `${each} ${idOf(answer)}`)]);
        }
      const totalOf = (cell: string): number => {
        const [of, id] = cell.split(' ') as [Role | 'total', string];
        const unit: Unit = CODES.includes(id) ? { kind: 'division', code: id } : { kind: 'organization', id };
        return oracle(posts, [], unit, of === 'total' ? ROLES : [of], TODAY).total;
      };
      const few = [...known.keys(), ...determined(equations, new Set(known.keys()))].filter(
        (cell) => totalOf(cell) > 0 && totalOf(cell) < FEWEST_TOLD,
      );
      expect(few).toEqual([]);
      expect(hidden.size).toBeGreaterThan(0);
      expect(known.get('total 430000')).toBe(posts.length);
      // Who may see the people is told everything.
      for (const unit of units()) expect((await get(viewer('issuer', NATION), unit)).hidden).toBe(false);
    },
  );
});
