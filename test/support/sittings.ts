import type { Pool } from 'pg';

/** What somebody answered, as it is graded: item key → chosen options and points. */
export type Answers = Readonly<
  Record<string, { readonly chosen: readonly string[]; readonly points: number }>
>;

export interface Sitting {
  readonly answers: Answers;
  /** Of the learner's attempts; 1 when left out. */
  readonly number?: number;
  /** Not graded yet. */
  readonly open?: boolean;
}

/** A version of a course with these items and nothing else; the newest is the one that is served. */
export async function insertBank(
  pool: Pool,
  slug: string,
  version: string,
  items: readonly object[],
): Promise<void> {
  await pool.query('update course_versions set is_current = false where slug = $1', [slug]);
  await pool.query(
    `with v as (insert into course_versions (slug, version, digest, manifest, contents, is_current, synced_at) values ($1, $2, 'x', '{}', '{}', true, now()) returning id)
     insert into items (course_version_id, key, competency, body)
     select v.id, item ->> 'key', item ->> 'competency', item from v, jsonb_array_elements($3::jsonb) item`,
    [slug, version, JSON.stringify(items)],
  );
}

/**
 * Attempts as the service leaves them, each by somebody of their own, a minute after the one before: the service would need hours. Their
 * certification is Beijing's, where nobody in a test works.
 */
export async function insertSittings(
  pool: Pool,
  slug: string,
  version: string,
  sittings: readonly Sitting[],
): Promise<void> {
  await pool.query(
    `insert into certifications (code, title_zh, title_en, course_slug, roles, validity_months, division_code, issuer_name, template, template_version, created_at)
     values ($1, '证书', 'Certificate', $1, array['class_teacher'], 36, '110000', '教育厅', 'standard', 1, now()) on conflict do nothing`,
    [slug],
  );
  await pool.query(
    `insert into cohorts (certification_id, name, role, division_code, created_at)
     select id, 'sittings', 'class_teacher', '110000', now() from certifications where code = $1
       and not exists (select from cohorts c where c.certification_id = certifications.id)`,
    [slug],
  );
  const { rows } = await pool.query<{ id: string }>(
    `with p as (insert into people (name) select '教师' from generate_series(1, $3::int) returning id)
     insert into assignments (certification_id, person_id, cohort_id, period, course_version_id, created_at)
     select c.id, p.id, h.id, 1, v.id, now() from p, certifications c join cohorts h on h.certification_id = c.id, course_versions v
     where c.code = $1 and v.slug = $1 and v.version = $2 returning id`,
    [slug, version, sittings.length],
  );
  const { rows: items } = await pool.query<{ key: string; id: string }>(
    'select i.key, i.id from items i join course_versions v on v.id = i.course_version_id where v.slug = $1 and v.version = $2',
    [slug, version],
  );
  const idOf = new Map(items.map(({ key, id }) => [key, id]));
  await pool.query(
    `insert into attempts (assignment_id, number, seed, drawn, started_at, deadline, submitted_at, passed, must_pass_missed)
     select id, number, '', drawn, now(), now(), case when open then null else last.at + n * interval '1 minute' end, case when open then null else false end, case when open then null else 0 end
     from unnest($1::bigint[], $2::int[], $3::jsonb[], $4::boolean[]) with ordinality as s (id, number, drawn, open, n),
       (select coalesce(max(submitted_at), now()) as at from attempts) last`,
    [
      rows.map(({ id }) => id),
      sittings.map(({ number }) => number ?? 1),
      sittings.map(({ answers }) =>
        JSON.stringify(Object.keys(answers).map((key) => ({ itemId: idOf.get(key), options: [] }))),
      ),
      sittings.map(({ open }) => open ?? false),
    ],
  );
  const answers = sittings.flatMap(({ answers: given, open }, at) =>
    Object.entries(given).map(([key, answer]) => ({ at, key, open, ...answer })),
  );
  await pool.query(
    `insert into responses (attempt_id, item_id, chosen, saved_at, points)
     select t.id, item, coalesce(string_to_array(nullif(chosen, ''), ','), '{}'), now(), earned
     from unnest($1::bigint[], $2::bigint[], $3::text[], $4::float8[]) as r (assignment, item, chosen, earned)
     join attempts t on t.assignment_id = assignment`,
    [
      answers.map(({ at }) => rows[at]!.id),
      answers.map(({ key }) => idOf.get(key)),
      answers.map(({ chosen }) => chosen.join(',')),
      answers.map(({ points, open }) => (open === true ? null : points)),
    ],
  );
}

/** An item of `single` choice among a, b, c, d, of which a is right. */
export const singleItem = (key: string, more: object = {}) => ({
  key,
  kind: 'single',
  competency: 'notice',
  difficulty: 2,
  stem: { 'zh-CN': key, en: key },
  options: [...'abcd'].map((option) => ({
    key: option,
    text: { 'zh-CN': option, en: option },
    correct: option === 'a',
    rationale: { 'zh-CN': option, en: option },
  })),
  ...more,
});
