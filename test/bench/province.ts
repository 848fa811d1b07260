import type { Pool } from 'pg';

/*
 * A province for measuring: as many people as asked for, 23 to an organization, spread over the real counties of Hunan, with posts
 * over twelve years and three certifications. Made inside the database, since only its size and shape matter here.
 */

export interface Province {
  readonly people: number;
  readonly organizations: number;
  readonly certificates: number;
}

export const PROVINCE = '430000';

/** Of 100 posts. A tenth of the people hold two. */
const ROLE_OF = `case when n % 100 < 33 then 'class_teacher' when n % 100 < 86 then 'subject_teacher' when n % 100 < 91 then 'young_pioneers_leader'
  when n % 100 < 94 then 'mental_health_teacher' when n % 100 < 97 then 'college_counselor' else 'graduate_tutor' end`;

/** @param pool of a migrated database that has the divisions. */
export async function makeProvince(pool: Pool, people: number): Promise<Province> {
  const organizations = Math.max(1, Math.round(people / 23.25));
  await pool.query(
    `
    insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code, student_count, student_count_on)
    select 'bench', n::text, '学校' || n, 'primary', d.code, d.province_code, d.prefecture_code, d.county_code, 900, '2026-09-01'
    from generate_series(1, $1::int) n
    join (select *, row_number() over (order by code) as at, count(*) over () as of from divisions where province_code = '${PROVINCE}' and level = 'county') d on d.at = n % d.of + 1`,
    [organizations],
  );
  await pool.query(
    `insert into people (name, staff_number) select '教师' || n, n::text from generate_series(1, $1::int) n`,
    [people],
  );
  await pool.query(
    `
    insert into posts (person_id, organization_id, role, workload, starts_on, ends_on)
    select p.id, o.id, ${ROLE_OF}, 'full', '2012-09-01'::date + (365 * (n % 12))::int, case when n % 17 = 0 then '2025-07-01'::date + (n % 400)::int end
    from (select id, row_number() over (order by id) as n from people) p
    join (select id, row_number() over (order by id) as at from organizations) o on o.at = least((p.n - 1) / 23 + 1, $1::int)`,
    [organizations],
  );
  await pool.query(`
    insert into posts (person_id, organization_id, role, workload, starts_on)
    select person_id, organization_id, 'young_pioneers_leader', 'part', '2026-03-01' from posts where person_id % 10 = 0 and role <> 'young_pioneers_leader' and ends_on is null`);
  await pool.query(`
    insert into certifications (code, title_zh, title_en, course_slug, roles, validity_months, division_code, issuer_name, template, template_version, created_at)
    select 'bench-' || n, '证书' || n, 'Certificate ' || n, 'core-gatekeeper', array['class_teacher', 'young_pioneers_leader', 'college_counselor', 'graduate_tutor', 'subject_teacher', 'mental_health_teacher'], 36, '${PROVINCE}', '教育厅', 'standard', 1, now()
    from generate_series(1, 3) n`);
  await pool.query(
    `insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'bench', 'class_teacher', '${PROVINCE}', now() from certifications`,
  );
  await pool.query(
    `insert into course_versions (slug, version, digest, manifest, contents, is_current, synced_at) values ('bench', '1', 'x', '{}', '{}', true, now())`,
  );
  await pool.query(`
    insert into assignments (certification_id, person_id, cohort_id, period, created_at)
    select h.certification_id, p.id, h.id, 1, now() from people p cross join cohorts h`);
  const { rowCount } = await pool.query(`
    insert into certificates (number, verification_code, person_id, certification_id, assignment_id, period, claims, template, template_version, course_version_id, issued_at, valid_from, valid_until, pdf_digest, status_list, status_position)
    select 'B' || a.id, 'B' || a.id, a.person_id, a.certification_id, a.id, 1, '{}', 'standard', 1, v.id, now(), d.day, d.day + 1095, 'x', 1000 + a.id / 131072, a.id % 131072
    from assignments a cross join (select min(id) as id from course_versions where slug = 'bench') v
    cross join lateral (select '2023-09-01'::date + (a.person_id * 7 % 1100)::int as day) d`);
  // They were issued over years, and have long had their places in the log: nothing is to be sequenced beside what is measured.
  await pool.query('truncate log_pending');
  return { people, organizations, certificates: rowCount ?? 0 };
}
