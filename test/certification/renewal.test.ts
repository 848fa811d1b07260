import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeSampleService } from '../../src/access/sample.service.ts';
import { makeRenewalService, type RenewalService } from '../../src/certification/renewal.service.ts';
import {
  lastValidDay,
  lastValidDayRenewed,
  windowEnd,
  windowOpensOn,
} from '../../src/certification/validity.ts';
import { addDays } from '../../src/clock.ts';
import { findAssignmentOf } from '../../src/lti/package.repository.ts';
import {
  allCourses,
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

const COUNTY = '430121';
const PLAN = `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) { __typename
  ... on PlanCertificationPayload { certification { id renewalMonths renewalCourseSlug } } ... on Refusal { code } ... on InvalidInput { path } } }`;
const ASSIGN = `mutation ($input: AssignCohortInput!) { assignCohort(input: $input) { __typename
  ... on AssignCohortPayload { assigned alreadyAssigned } ... on Refusal { code message } } }`;

describe('the validity of a renewal', () => {
  it('is counted on from the day after the former one, as long as that is valid', () => {
    expect(lastValidDayRenewed('2029-03-10', '2029-08-31', 36)).toBe('2032-08-31');
    expect(lastValidDayRenewed('2029-08-31', '2029-08-31', 36)).toBe('2032-08-31');
    // It has lapsed: from the day of issue.
    expect(lastValidDayRenewed('2029-09-02', undefined, 36)).toBe('2032-09-01');
    expect(lastValidDayRenewed('2029-09-02', undefined, null)).toBeNull();
  });

  it('loses no day over a leap year, whenever within the window it is earned', () => {
    // From 1 March 2025, over 29 February 2028, which is its last day, to the end of February 2031.
    expect(lastValidDay('2025-03-01', 36)).toBe('2028-02-29');
    expect(lastValidDay('2028-02-29', 36)).toBe('2031-02-28');
    expect(lastValidDay('2028-02-29', 48)).toBe('2032-02-28');
    expect(lastValidDay('2026-08-31', 6)).toBe('2027-02-28');
    expect(lastValidDay('2026-08-30', 7)).toBe('2027-03-29');
    for (const day of ['2027-08-31', '2028-02-28', '2028-02-29'])
      expect(lastValidDayRenewed(day, '2028-02-29', 36)).toBe('2031-02-28');
    // One that ends the day before is counted on from 29 February.
    expect(lastValidDayRenewed('2028-02-01', '2028-02-28', 48)).toBe('2032-02-28');
  });

  it('opens its window on the first day from which it can be reached', () => {
    expect(windowOpensOn('2029-08-31', 6)).toBe('2029-03-01');
    expect(windowOpensOn('2029-08-15', 6)).toBe('2029-02-15');
    expect(windowOpensOn('2028-02-29', 12)).toBe('2027-03-01');
    expect(windowOpensOn('2029-02-28', 6)).toBe('2028-08-28');
    for (let day = '2027-01-01'; day < '2029-03-01'; day = addDays(day, 1))
      for (const months of [1, 2, 6, 11, 12, 24]) {
        const opens = windowOpensOn(day, months);
        expect(windowEnd(opens, months) >= day).toBe(true);
        expect(windowEnd(addDays(opens, -1), months) < day).toBe(true);
      }
  });
});

describe('renewal', () => {
  let service: TestService;
  let clock: TestClock;
  let renewals: RenewalService;
  let unitId: string;
  const today = '2029-03-04';
  const names = Array.from({ length: 24 }, (_, at) => `t${at + 1}`);
  let plans = 0;
  let places = 0;

  const query = async (sql: string, values: unknown[] = []) =>
    (await service.database.pool.query(sql, values)).rows as Record<string, string>[];
  const gid = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');
  const localOf = (id: string): string => Buffer.from(id, 'base64').toString().split(':')[1]!;
  const personOf = async (name: string): Promise<string> =>
    (await query('select person_id as id from person_sources where source_id = $1', [name]))[0]!['id']!;

  const planInput = (more: object = {}) => ({
    code: `c${(plans += 1)}`,
    title: { zhCN: '守门人', en: 'Gatekeeper' },
    courseSlug: 'core-gatekeeper',
    roles: ['CLASS_TEACHER', 'YOUNG_PIONEERS_LEADER'],
    validityMonths: 36,
    renewalMonths: 6,
    divisionCode: COUNTY,
    issuerName: '长沙县教育局',
    minimumHoursShare: 0,
    ...more,
  });
  const plan = async (more: object = {}): Promise<string> => {
    const { data } = await service.ask('coordinator', PLAN, { input: planInput(more) });
    return localOf(data.planCertification.certification.id as string);
  };
  const assign = async (certificationId: string, more: object = {}) =>
    (
      await service.ask('coordinator', ASSIGN, {
        input: {
          certificationId: gid('Certification', certificationId),
          unitId,
          role: 'CLASS_TEACHER',
          ...more,
        },
      })
    ).data.assignCohort as { __typename: string; assigned: number; alreadyAssigned: number };
  /** A certificate that somebody holds, with the assignment by which it was earned. @returns its id. */
  const hold = async (
    certificationId: string,
    name: string,
    validUntil: string | null,
    { period = 1, revoked = false, path = 'earned' } = {},
  ): Promise<string> => {
    const number = `held-${(places += 1)}`;
    const [row] = await query(
      `with h as (insert into cohorts (certification_id, name, role, division_code, created_at) values ($1, 'before', 'class_teacher', '${COUNTY}', now()) returning id),
       a as (insert into assignments (certification_id, person_id, cohort_id, period, created_at) select $1, $2, id, $3, now() from h where $8 = 'earned' returning id),
       q as (insert into issue_requests (path, division_code, reason, requested_by, requested_at) select $8, '${COUNTY}', 'x', $2::bigint, now() where $8 <> 'earned' returning id)
       insert into certificates (number, verification_code, person_id, certification_id, assignment_id, request_id, path, period, claims, template, template_version, course_version_id,
         issued_at, valid_from, valid_until, revoked_at, revoked_on, revocation_reason, pdf_digest, status_list, status_position)
       select $6, $6, $2, $1, (select id from a), (select id from q), $8, $3, $9::jsonb, 'standard', 1, case when $8 = 'earned' then v.id end,
         '2026-03-05T04:00:00Z', '2026-03-05', $4::date, case when $5 then now() end, case when $5 then date '2027-01-01' end, case when $5 then 'x' end, $6, 90, $7
       from course_versions v where v.slug = 'core-gatekeeper' and v.is_current returning id`,
      [
        certificationId,
        await personOf(name),
        period,
        validUntil,
        revoked,
        number,
        places,
        path,
        JSON.stringify({
          certificationTitle: { 'zh-CN': '守门人', en: 'Gatekeeper' },
          holderName: '王小明',
          issuedOn: '2026-03-05',
          classHours: 6,
        }),
      ],
    );
    return row!['id']!;
  };
  /** Period and due day of everybody's assignments of a period after the first, by name. */
  const renewed = async (certificationId: string): Promise<Record<string, string>> =>
    Object.fromEntries(
      (
        await query(
          `select s.source_id as name, a.period || ' by ' || coalesce(a.due_on::text, '-') as what from assignments a join person_sources s using (person_id)
           where a.certification_id = $1 and a.period > 1 and not exists (select from certificates c where c.assignment_id = a.id) order by 1`,
          [certificationId],
        )
      ).map((row) => [row['name']!, row['what']!]),
    );

  beforeAll(async () => {
    // 23:59 in China, the day before.
    clock = new TestClock('2029-03-03T15:59:00Z');
    service = await startService({ clock, coursesFolder: allCourses });
    const { app } = service;
    renewals = makeRenewalService({
      db: app.db,
      clock,
      regions: app.services.regions,
      programmes: app.services.programmes,
    });
    await importRoster(
      service,
      smallRoster(
        names.map((id, at) => ({
          id,
          family: '王',
          given: `小${'明红刚丽强芳'[at % 6]}`,
          ...(id === 't20' ? { roles: 'young_pioneers_leader' } : {}),
        })),
      ),
    );
    unitId = (await service.ask(null, `{ division(code: "${COUNTY}") { id } }`)).data.division.id as string;
    const samples = makeSampleService({ db: service.database.db, clock, people: app.services.people });
    for (const [position, key] of names.entries())
      await samples.addSignIn({
        key,
        personId: await personOf(key),
        descriptionZh: '',
        descriptionEn: '',
        position,
      });
  });
  afterAll(async () => service.stop());

  it('opens on a day in China, and takes in what has lapsed', async () => {
    const certification = await plan();
    await hold(certification, 't1', '2029-09-03');
    await hold(certification, 't2', '2029-09-04');
    await hold(certification, 't3', '2029-09-05');
    await hold(certification, 't4', '2028-01-01');
    await hold(certification, 't5', null);
    expect(await renewals.assign()).toBe(2);
    expect(await renewed(certification)).toEqual({ t1: '2 by 2029-09-03', t4: '2 by 2029-03-03' });
    // Midnight in China.
    clock.move(1);
    expect(await renewals.assign()).toBe(1);
    expect(await renewed(certification)).toEqual({
      t1: '2 by 2029-09-03',
      t2: '2 by 2029-09-04',
      t4: '2 by 2029-03-03',
    });
    expect(await renewals.assign()).toBe(0);
    const [cohort] = await query(
      `select h.name, h.role, h.division_code, h.created_by, count(*)::text from cohorts h join assignments a on a.cohort_id = h.id
       where h.certification_id = $1 and h.name = '续期 2029-03-04' group by h.id`,
      [certification],
    );
    expect(cohort).toEqual({
      name: '续期 2029-03-04',
      role: 'class_teacher',
      division_code: COUNTY,
      created_by: null,
      count: '1',
    });
    const entries = await query(
      `select actor, subject, detail ->> 'assigned' as assigned, concerns::text from journal_entries where action = 'renewal.assign' and subject = $1 order by id`,
      [`certification:${certification}`],
    );
    expect(entries).toEqual([
      expect.objectContaining({ actor: 'worker:assign-renewals', assigned: '2' }),
      expect.objectContaining({ assigned: '1', concerns: '{430000,430100,430121}' }),
    ]);
  });

  it('passes over who holds no role there any more, what was revoked, and who has a later one', async () => {
    const certification = await plan();
    const soon = '2029-05-01';
    for (const name of ['t6', 't7', 't8', 't9', 't10', 't11', 't20']) await hold(certification, name, soon);
    await hold(certification, 't12', soon, { revoked: true });
    // Renewed by an assignment, by a certificate, and by one that was revoked.
    await query(
      `insert into assignments (certification_id, person_id, cohort_id, period, created_at) select $1, $2, max(id), 2, now() from cohorts`,
      [certification, await personOf('t9')],
    );
    await hold(certification, 't10', '2032-05-01', { period: 2 });
    await hold(certification, 't11', '2032-05-01', { period: 2, revoked: true });
    const [elsewhere] = await query(
      `insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code)
       select 'x', 'x', '别处', 'primary', code, province_code, prefecture_code, county_code from divisions where code = '430102' returning id`,
    );
    await query(`update posts set ends_on = $1 where person_id = $2`, ['2029-03-03', await personOf('t6')]);
    await query(`update posts set organization_id = $1 where person_id = $2`, [
      elsewhere!['id'],
      await personOf('t7'),
    ]);
    await query(`update posts set role = 'principal' where person_id = $1`, [await personOf('t8')]);
    // Nobody is assigned on their own without a window.
    const without = await plan({ renewalMonths: null });
    await hold(without, 't20', soon);
    expect(await renewals.assign()).toBe(1);
    expect(await renewed(without)).toEqual({});
    expect(await renewed(certification)).toEqual({ t9: '2 by -', t20: '2 by 2029-05-01' });
    expect(
      (
        await query(`select role from cohorts where certification_id = $1 and name like '续期%'`, [
          certification,
        ])
      ).map(({ role }) => role),
    ).toEqual(['young_pioneers_leader']);
    // Whoever comes back is taken in the next night.
    await query(`update posts set ends_on = null where person_id = $1`, [await personOf('t6')]);
    await query(`update posts set role = 'class_teacher' where person_id = $1`, [await personOf('t8')]);
    expect(await renewals.assign()).toBe(2);
    expect(await renewed(certification)).toMatchObject({ t6: '2 by 2029-05-01', t8: '2 by 2029-05-01' });
  });

  it('goes by the certificate in whose place another was superseded', async () => {
    const certification = await plan();
    const old = await hold(certification, 't1', '2029-05-01');
    await query(
      `update certificates set revoked_at = now(), revoked_on = '2029-01-01', revocation_reason = 'x', superseded_at = now() where id = $1`,
      [old],
    );
    await query(
      `insert into certificates (number, verification_code, person_id, certification_id, assignment_id, path, period, claims, template, template_version, course_version_id, issued_at, valid_from, valid_until, pdf_digest, status_list, status_position, supersedes)
       select number || 's', number || 's', person_id, certification_id, assignment_id, path, period, claims, template, template_version, course_version_id, issued_at, valid_from, valid_until, 'x', 91, id % 1000, id from certificates where id = $1`,
      [old],
    );
    expect(await renewals.assign()).toBe(1);
    expect(await renewed(certification)).toEqual({ t1: '2 by 2029-05-01' });
  });

  it('assigns each once, in batches, when two run at once and a coordinator assigns them too', async () => {
    const certification = await plan();
    // More than a batch: people of whom nothing else is known.
    await query(
      `with p as (insert into people (name) select '王' || n from generate_series(1, 1200) n returning id),
       o as (select id from organizations where source_id = 's1'),
       h as (insert into posts (person_id, organization_id, role, starts_on) select p.id, o.id, 'class_teacher', '2024-09-01' from p, o returning person_id),
       r as (insert into issue_requests (path, division_code, reason, requested_by, requested_at) select 'manual', '${COUNTY}', 'x', max(id), now() from p returning id)
       insert into certificates (number, verification_code, person_id, certification_id, request_id, path, period, claims, template, template_version, issued_at, valid_from, valid_until, pdf_digest, status_list, status_position)
       select 'b' || p.id, 'b' || p.id, p.id, $1, r.id, 'manual', 1, '{"certificationTitle": {}, "issuedOn": "2026-03-05"}', 'standard', 1, now(), '2026-03-05', '2029-04-01', 'x', 92, row_number() over () from p, r`,
      [certification],
    );
    const [one, two, given] = await Promise.all([
      renewals.assign(),
      renewals.assign(),
      assign(certification),
    ]);
    expect(given.__typename).toBe('AssignCohortPayload');
    const others = names.filter((name) => !['t7', 't20'].includes(name)).length;
    expect(one + two + given.assigned).toBe(1200 + others);
    const [counts] = await query(
      `select count(*)::text as rows, count(distinct person_id)::text as people from assignments where certification_id = $1 and period = 2`,
      [certification],
    );
    expect(counts).toEqual({ rows: '1200', people: '1200' });
    expect(
      await query('select from assignments where certification_id = $1 and period > 2', [certification]),
    ).toEqual([]);
    const cohorts = await query(
      `select name from cohorts where certification_id = $1 and name like '续期%'`,
      [certification],
    );
    expect(cohorts.length).toBeLessThanOrEqual(1);
    await query(
      `update posts set ends_on = '2029-03-01' where person_id in (select person_id from certificates where certification_id = $1)`,
      [certification],
    );
  });

  it('is written down batch by batch, of a thousand people at most', async () => {
    const certification = await plan();
    await query(`update posts set ends_on = null where ends_on = '2029-03-01'`);
    await query(
      `with r as (insert into issue_requests (path, division_code, reason, requested_by, requested_at) select 'manual', '${COUNTY}', 'x', min(id), now() from people returning id)
       insert into certificates (number, verification_code, person_id, certification_id, request_id, path, period, claims, template, template_version, issued_at, valid_from, valid_until, pdf_digest, status_list, status_position)
       select 'd' || p.id, 'd' || p.id, p.id, $1, r.id, 'manual', 1, '{"certificationTitle": {}, "issuedOn": "2026-03-05"}', 'standard', 1, now(), '2026-03-05', '2029-04-01', 'x', 93, row_number() over ()
       from people p, r where name ~ '^王\\d+$'`,
      [certification],
    );
    expect(await renewals.assign()).toBe(1200);
    expect(
      (
        await query(
          `select detail ->> 'assigned' as assigned from journal_entries where action = 'renewal.assign' and subject = $1 order by id`,
          [`certification:${certification}`],
        )
      ).map(({ assigned }) => assigned),
    ).toEqual(['1000', '200']);
    // One cohort for both.
    expect(await query(`select from cohorts where certification_id = $1`, [certification])).toHaveLength(1);
    await query(
      `delete from posts where person_id in (select person_id from certificates where certification_id = $1)`,
      [certification],
    );
  });

  it('is what a coordinator gives to whom the certificate does not cover for long', async () => {
    const certification = await plan();
    await hold(certification, 't1', '2029-05-01');
    await hold(certification, 't2', '2031-05-01');
    await hold(certification, 't3', '2031-05-01', { revoked: true });
    await hold(certification, 't4', '2028-05-01');
    // Not earned here: the first of them has no assignment, and gets one of the period of the certificate, as ever.
    await hold(certification, 't5', '2031-05-01', { path: 'manual' });
    await hold(certification, 't9', '2029-05-01', { path: 'manual' });
    const teachers = names.filter((name) => !['t7', 't20'].includes(name)).length;
    const given = await assign(certification, { dueOn: '2029-06-30' });
    expect(given).toMatchObject({ assigned: teachers - 1, alreadyAssigned: 1 });
    expect(await renewed(certification)).toEqual({
      t1: '2 by 2029-06-30',
      t3: '2 by 2029-06-30',
      t4: '2 by 2029-06-30',
      t9: '2 by 2029-06-30',
    });
    // All are at it now.
    expect(await assign(certification)).toMatchObject({ assigned: 0, alreadyAssigned: teachers });
    expect(await renewals.assign()).toBe(0);

    // Without a window what is valid is left alone until it has run out.
    const without = await plan({ renewalMonths: null });
    await hold(without, 't1', '2029-03-04');
    await hold(without, 't2', '2029-03-03');
    expect(await assign(without)).toMatchObject({ assigned: teachers - 1, alreadyAssigned: 1 });
    expect(await renewed(without)).toEqual({ t2: '2 by -' });
  });

  it('leads to the course for renewing, and a launch of that finds it', async () => {
    const certification = await plan({ renewalCourseSlug: 'ethics-and-own-strength' });
    await assign(certification);
    await hold(certification, 't2', '2029-05-01', { period: 2 });
    const assignments = async (key: string) => {
      const { data } = await service.ask(
        key,
        '{ viewer { assignments { id period certification { id } course { slug } } } }',
      );
      return (
        data.viewer.assignments as {
          id: string;
          period: number;
          certification: { id: string };
          course: { slug: string };
        }[]
      ).filter((each) => localOf(each.certification.id) === certification);
    };
    expect(await renewals.assign()).toBe(1);
    const own = await assignments('t2');
    expect(own.map(({ period, course }) => [period, course.slug])).toEqual([
      [1, 'core-gatekeeper'],
      [2, 'ethics-and-own-strength'],
      [3, 'ethics-and-own-strength'],
    ]);
    const find = async (course: string) =>
      findAssignmentOf(service.database.db, { personId: await personOf('t2'), course });
    expect(await find('ethics-and-own-strength')).toBe(localOf(own[2]!.id));
  });

  it('is told to its learner, and to nobody else', async () => {
    const certification = await plan();
    const held = await hold(certification, 't13', '2029-08-31');
    const revoked = await hold(certification, 't14', '2029-08-31', { revoked: true });
    const OPENS = 'query ($id: ID!) { node(id: $id) { ... on Certificate { renewalOpensOn } } }';
    const opens = async (as: string, id: string): Promise<unknown> =>
      (await service.ask(as, OPENS, { id: gid('Certificate', id) })).data.node;
    expect(await opens('t13', held)).toEqual({ renewalOpensOn: '2029-03-01' });
    expect(await opens('hr', held)).toEqual({ renewalOpensOn: '2029-03-01' });
    expect(await opens('t14', revoked)).toEqual({ renewalOpensOn: null });
    const without = await plan({ renewalMonths: null });
    expect(await opens('t13', await hold(without, 't13', '2029-08-31'))).toEqual({ renewalOpensOn: null });

    await renewals.assign();
    await assign(certification);
    const RENEWS =
      'query ($id: ID!) { node(id: $id) { ... on Assignment { period renews { id validUntil } certificate { id } state } } }';
    const assignmentOf = async (name: string, period: number): Promise<string> =>
      gid(
        'Assignment',
        (
          await query(
            'select id from assignments where certification_id = $1 and person_id = $2 and period = $3',
            [certification, await personOf(name), period],
          )
        )[0]!['id']!,
      );
    const second = await assignmentOf('t13', 2);
    const node = async (as: string, id: string): Promise<unknown> =>
      (await service.ask(as, RENEWS, { id })).data.node;
    expect(await node('t13', second)).toEqual({
      period: 2,
      renews: { id: gid('Certificate', held), validUntil: '2029-08-31' },
      certificate: null,
      state: 'ASSIGNED',
    });
    expect(await node('t13', await assignmentOf('t13', 1))).toMatchObject({ period: 1, renews: null });
    expect(await node('t14', await assignmentOf('t14', 2))).toMatchObject({ period: 2, renews: null });
    expect(await node('t1', second)).toBeNull();
    expect(await node('coordinator', second)).toBeNull();
  });

  it('is refused to be planned where it makes no sense', async () => {
    const refusal = async (more: object) => {
      const { data } = await service.ask('coordinator', PLAN, { input: planInput(more) });
      const { __typename, code, path } = data.planCertification as Record<string, string>;
      return [__typename, path ?? code];
    };
    for (const renewalMonths of [0, -1, 25, 36])
      expect(await refusal({ renewalMonths })).toEqual(['InvalidInput', 'input.renewalMonths']);
    for (const validityMonths of [null, 6, 5])
      expect(await refusal({ validityMonths })).toEqual(['InvalidInput', 'input.renewalMonths']);
    expect(await refusal({ renewalMonths: null, renewalCourseSlug: 'core-gatekeeper' })).toEqual([
      'InvalidInput',
      'input.renewalCourseSlug',
    ]);
    expect(await refusal({ renewalCourseSlug: 'nowhere' })).toEqual(['NotFound', 'NOT_FOUND']);
    const { data } = await service.ask('coordinator', PLAN, {
      input: planInput({
        validityMonths: 25,
        renewalMonths: 24,
        renewalCourseSlug: 'ethics-and-own-strength',
      }),
    });
    expect(data.planCertification.certification).toMatchObject({
      renewalMonths: 24,
      renewalCourseSlug: 'ethics-and-own-strength',
    });
    // The database promises it too.
    for (const values of [`null::int, 6, null`, `12, 12, null`, `36, 25, null`, `36, null::int, 'x'`])
      await expect(
        query(
          `insert into certifications (code, title_zh, title_en, course_slug, roles, validity_months, renewal_months, renewal_course_slug, division_code, issuer_name, template, template_version, created_at)
           select 'bad', 'x', 'x', 'x', '{class_teacher}', given.*, '${COUNTY}', 'x', 'standard', 1, now() from (select ${values}) given`,
        ),
      ).rejects.toThrow('check constraint');
  });

  it('is issued as a certificate of its own, with its hours, and counts once beside the former one', async () => {
    const certification = await plan();
    await hold(certification, 't15', '2029-08-31');
    await hold(certification, 't16', '2029-03-03');
    await hold(certification, 't17', '2029-08-31');
    const { ledger } = service.app;
    // What was put in by hand is counted.
    await ledger.rebuild();
    expect(await renewals.assign()).toBe(3);
    const covered = async (on?: string): Promise<number> => {
      const { data } = await service.ask(
        'coordinator',
        'query ($c: ID!, $u: ID!, $on: Date) { coverage(certificationId: $c, unitId: $u, on: $on) { covered } }',
        { c: gid('Certification', certification), u: unitId, on },
      );
      return data.coverage.covered as number;
    };
    const revoke = async (id: string): Promise<void> => {
      const { data } = await service.ask(
        'issuer',
        `mutation ($id: ID!) { revokeCertificate(input: { certificateId: $id, reason: "误发" }) { __typename } }`,
        { id },
      );
      expect(data.revokeCertificate.__typename).toBe('RevokeCertificatePayload');
    };
    /** What is kept agrees with what anybody would count. */
    const agrees = async (): Promise<void> => {
      await ledger.advance();
      await ledger.fold();
      expect(await ledger.rebuild()).toBe(0);
    };
    expect(await covered()).toBe(2);
    const earn = async (key: string) => {
      const [assignment] = await query(
        'select id from assignments where certification_id = $1 and person_id = $2 and period = 2',
        [certification, await personOf(key)],
      );
      const learner = { key, assignmentId: gid('Assignment', assignment!['id']!) };
      await finishActivities(service, learner);
      await service.ask(key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
      return until(async () => {
        const { data } = await service.ask(
          key,
          'query ($id: ID!) { node(id: $id) { ... on Assignment { state certificate { id validUntil issuedOn classHours log { entries { event } } } } } }',
          { id: learner.assignmentId },
        );
        return (
          (data.node.certificate as {
            id: string;
            validUntil: string;
            issuedOn: string;
            classHours: number;
          } | null) ?? undefined
        );
      });
    };
    // Half a year early: nothing of it is lost. What had lapsed is counted from the day.
    const early = await earn('t15');
    expect(early).toMatchObject({ issuedOn: today, validUntil: '2032-08-31' });
    const late = await earn('t16');
    expect(late).toMatchObject({ issuedOn: today, validUntil: '2032-03-03' });
    expect(
      await query('select valid_from::text, period::text from certificates where id = any($1) order by id', [
        [localOf(early.id), localOf(late.id)],
      ]),
    ).toEqual(Array.from({ length: 2 }, () => ({ valid_from: today, period: '2' })));
    expect(
      await query('select class_hours::float8 as hours from credit_records where certificate_id = $1', [
        localOf(early.id),
      ]),
    ).toEqual([{ hours: early.classHours }]);
    await service.app.services.transparency.sequence();
    expect(
      await query('select event from log_entries where certificate_id = $1', [localOf(early.id)]),
    ).toEqual([{ event: 'renew' }]);

    await agrees();
    // t15 holds two valid certificates of it.
    expect(await covered()).toBe(3);
    // Past days stay what they were: before t16's first one ran out, and before there was any.
    expect(await covered('2029-03-03')).toBe(3);
    expect(await covered('2026-03-04')).toBe(0);

    // Where the later one is revoked, the former still covers.
    await revoke((await earn('t17')).id);
    await agrees();
    expect(await covered()).toBe(3);

    // The former ones run out: t15 and t16 are covered by the later ones.
    clock.move((Date.parse('2029-09-01') - Date.parse(today)) / 60_000);
    await agrees();
    expect(await covered()).toBe(2);
    expect(await covered(today)).toBe(3);

    // The later one is revoked after the former has ended: nobody is covered by either any more.
    await revoke(early.id);
    await agrees();
    expect(await covered()).toBe(1);
    expect(await covered('2029-08-31')).toBe(3);
    // A coordinator may have it earned once more.
    expect(await assign(certification)).toMatchObject({ __typename: 'AssignCohortPayload' });
    expect(await renewed(certification)).toMatchObject({ t15: '3 by -', t17: '3 by -' });
  });
});
