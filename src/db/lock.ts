import type { Part } from './acting.ts';

/*
 * The second lock: what each role of the database may do with each table, and which of its rows a viewer has at all. The services
 * judge permission first; where one forgets to, or a statement forgets its scope, nothing comes back. A table that is not here can't be
 * used by the service, and a test says so. Applied by `apply-lock.ts` when it has changed. src/decisions/0015-a-second-lock.md
 */

/**
 * Rights in SQL's order: r read, i insert, u update, d delete; `u(a,b)` updates only these columns. To lock rows takes the right to
 * update one of their columns, for which an id stands that is never changed.
 */
export interface TableLock {
  readonly viewer?: string;
  readonly gate?: string;
  readonly roster?: string;
  readonly counter?: string;
  readonly issuer?: string;
  readonly recorder?: string;
  readonly keeper?: string;
  /** Which rows a viewer has. undefined: the table is about nobody, and all rows are everybody's who has the right. */
  readonly sees?: string;
  /** Which rows a viewer may write, where that is not what is seen. */
  readonly writes?: string;
}

export const PARTS: readonly Part[] = ['gate', 'roster', 'counter', 'issuer', 'recorder', 'keeper'];

const me = '(select viewer_person())';
const units = (...permissions: string[]): string =>
  `(select viewer_units(${permissions.map((each) => `'${each}'`).join(', ')}))`;
/** Whether one of the viewer's units with a permission is, or is above, the organization `o`. */
const organizationIn = (...permissions: string[]): string =>
  `unit_keys(o.province_code, o.prefecture_code, o.county_code, o.id) && ${units(...permissions)}`;
const divisionIn = (column: string, ...permissions: string[]): string =>
  `division_keys(${column}) && ${units(...permissions)}`;
/** A division's code, or minus an organization's id. */
const unitIn = (column: string, ...permissions: string[]): string =>
  `case when ${column} > 0 then ${divisionIn(`lpad(${column}::text, 6, '0')`, ...permissions)}
    else exists (select from organizations o where o.id = -${column} and ${organizationIn(...permissions)}) end`;
/** Of a row that names a division, an organization or, with neither, the nation. */
const scopeIn = (...permissions: string[]): string =>
  `case when division_code is not null then ${divisionIn('division_code', ...permissions)}
    when organization_id is not null then exists (select from organizations o where o.id = organization_id and ${organizationIn(...permissions)})
    else array['*'] && ${units(...permissions)} end`;
/** Asked once in a statement, past the policies of assignments themselves, which look at everything that a coordinator may see. */
const ofAssignment = (table: string): string =>
  `${table}.assignment_id = any ((select viewer_assignments())::bigint[])`;
const ofImport = (table: string): string =>
  `exists (select from roster_imports i where i.id = ${table}.import_id)`;
const worksWhere = (table: string, ...permissions: string[]): string =>
  `exists (select from posts p join organizations o on o.id = p.organization_id where p.person_id = ${table}.person_id and ${organizationIn(...permissions)})`;

const open = (more: TableLock = {}): TableLock => ({
  viewer: 'r',
  gate: 'r',
  roster: 'r',
  counter: 'r',
  issuer: 'r',
  keeper: 'r',
  ...more,
});

export const LOCK: Readonly<Record<string, TableLock>> = {
  // The tree, courses and rules: names of schools are public.
  divisions: open({ roster: 'riu', keeper: 'riu' }),
  organizations: open({ roster: 'riu' }),
  organization_changes: open({ roster: 'ri' }),
  organization_student_counts: open({ roster: 'riu' }),
  course_versions: open({ keeper: 'riud' }),
  items: open({ keeper: 'riud' }),
  certifications: open({
    viewer: 'ri',
    sees: 'true',
    writes: divisionIn('division_code', 'certification.plan'),
  }),
  indicators: open({
    viewer: 'riu(id)',
    sees: 'true',
    writes: `case when division_code is null then array['*'] && ${units('indicator.define')} else ${divisionIn('division_code', 'indicator.define', 'indicator.import')} end`,
  }),
  indicator_imports: open({
    viewer: 'ri',
    sees: 'true',
    writes: divisionIn('division_code', 'indicator.import'),
  }),
  indicator_values: open({
    viewer: 'ri',
    sees: 'true',
    writes:
      'exists (select from indicator_imports i where i.id = import_id and i.imported_by = (select viewer_actor()))',
  }),
  coverage_targets: open({
    viewer: 'riu',
    sees: 'true',
    writes: divisionIn('division_code', 'target.set'),
  }),
  coverage_role_sets: open({ counter: 'ri' }),

  // What is known of a library is nobody's secret. Courses on disk bring theirs by the keeper.
  h5p_libraries: open({
    viewer: 'ri',
    keeper: 'ri',
    sees: 'true',
    writes: `${units('content.author')} is not null`,
  }),
  h5p_contents: { viewer: 'ri', keeper: 'r', sees: divisionIn('division_code', 'content.author') },
  h5p_content_libraries: {
    viewer: 'ri',
    keeper: 'r',
    sees: 'exists (select from h5p_contents c where c.id = content_id)',
  },

  // Numbers are counted by the counter, who is asked once the viewer has been found to have coverage.read there.
  coverage_state: { roster: 'r', issuer: 'r', keeper: 'r', counter: 'ru' },
  coverage_totals: { counter: 'riud' },
  coverage_pending: { roster: 'ri', issuer: 'ri', keeper: 'ri', counter: 'rid' },

  people: {
    viewer: 'r',
    gate: 'r',
    roster: 'riu',
    counter: 'ru(id)',
    issuer: 'ru(id)',
    keeper: 'riud',
    // A post that the viewer has is a person whom the viewer has.
    sees: `id = (select viewer_actor()) or exists (select from posts p where p.person_id = people.id)
      or id = any((select array_agg(candidate) from roster_doubts, unnest(candidate_ids) candidate)::bigint[])`,
  },
  person_contacts: {
    viewer: 'riud',
    roster: 'riud',
    keeper: 'riud',
    sees: `person_id = ${me} or ${worksWhere('person_contacts', 'people.read')}`,
    writes: `person_id = ${me}`,
  },
  erasures: { keeper: 'riu' },
  person_sources: {
    viewer: 'r',
    sees: `person_id = ${me} or ${worksWhere('person_sources', 'people.read')}`,
    gate: 'r',
    issuer: 'r',
    roster: 'riu',
    keeper: 'rid',
  },
  posts: {
    viewer: 'r',
    gate: 'r',
    roster: 'riud',
    counter: 'r',
    issuer: 'r',
    keeper: 'rud',
    sees: `person_id = ${me} or exists (select from organizations o where o.id = organization_id
      and ${organizationIn('people.read', 'time.judge', 'certificate.read', 'certificate.revoke', 'cohort.assign', 'accommodation.grant', 'roster.import')})`,
  },

  // Who is to renew is found and assigned by the issuer.
  cohorts: {
    viewer: 'ri',
    issuer: 'ri',
    keeper: 'r',
    sees: `case when division_code is not null then ${divisionIn('division_code', 'cohort.assign')}
      else exists (select from organizations o where o.id = organization_id and ${organizationIn('cohort.assign')}) end`,
  },
  assignments: {
    viewer: 'riu(id,course_version_id)',
    gate: 'r',
    counter: 'r',
    issuer: 'riu(id)',
    recorder: 'r',
    keeper: 'ru(id)d',
    sees: `person_id = ${me} or exists (select from cohorts c where c.id = cohort_id)`,
  },
  activity_progress: {
    viewer: 'riu',
    issuer: 'riu',
    recorder: 'riu',
    keeper: 'rd',
    sees: ofAssignment('activity_progress'),
  },
  // By the recorder, in one statement for several learners, which asks of each assignment whose it is.
  statements: {
    viewer: 'r',
    recorder: 'ri',
    keeper: 'ru(assignment_id)d',
    sees: ofAssignment('statements'),
  },
  statement_ids: { recorder: 'ri', keeper: 'ru(digest)d' },
  statement_counts: { viewer: 'r', recorder: 'riu', keeper: 'rd', sees: ofAssignment('statement_counts') },
  forwarding_debts: { recorder: 'i', keeper: 'ru(refused_at,reason)d' },
  forwarding_state: { keeper: 'ru' },
  user_states: { viewer: 'riu', keeper: 'ru(assignment_id)d', sees: ofAssignment('user_states') },
  // What time is credited by is written by the issuer, as a grade is.
  time_clocks: { issuer: 'riu', keeper: 'rd' },
  time_totals: { viewer: 'r', issuer: 'riu', keeper: 'rd', sees: ofAssignment('time_totals') },
  time_stretches: { viewer: 'r', issuer: 'riu', keeper: 'ru(id)d', sees: ofAssignment('time_stretches') },
  time_flags: {
    viewer: 'ru(state,decided_by,decided_at,note)',
    issuer: 'ri',
    keeper: 'ru(id)d',
    sees: `person_id = ${me} or ${worksWhere('time_flags', 'time.judge')}`,
    writes: `person_id <> (select viewer_actor()) and ${worksWhere('time_flags', 'time.judge')}`,
  },
  // A grade is written by the issuer: nobody's browser reaches these columns.
  attempts: {
    viewer: 'ri(assignment_id,number,seed,drawn,started_at,deadline)u(id)',
    issuer: 'ru',
    keeper: 'rud',
    sees: ofAssignment('attempts'),
  },
  // Written where the person works; never about oneself.
  accommodations: {
    viewer: 'riu(id,revoked_by,revoked_at)',
    keeper: 'rd',
    sees: `person_id = ${me} or ${worksWhere('accommodations', 'accommodation.grant')}`,
    writes: `person_id <> (select viewer_actor()) and ${worksWhere('accommodations', 'accommodation.grant')}`,
  },
  responses: {
    viewer: 'ri(attempt_id,item_id,chosen,saved_at)u(chosen,saved_at)',
    issuer: 'riu',
    keeper: 'ru(item_id)d',
    sees: 'exists (select from attempts t where t.id = attempt_id)',
  },
  // The person, and whoever counts groups. Neither issuers nor coordinators, who work for an employer.
  efficacy_answers: {
    viewer: 'riu(scale_key,scale_version,answers,given_at)',
    counter: 'r',
    keeper: 'ru(wave)d',
    sees: ofAssignment('efficacy_answers'),
  },
  // A viewer begins a conversation; moves, points and the verdict are written by the issuer.
  simulation_runs: {
    viewer:
      'ri(assignment_id,activity_key,number,mode,course_version_id,seed,stands_at,trust,distress,risk,taken,best_points,started_at)',
    issuer: 'ru',
    keeper: 'rud',
    sees: ofAssignment('simulation_runs'),
  },
  simulation_moves: {
    viewer: 'r',
    issuer: 'ri',
    keeper: 'ru(number)d',
    sees: 'exists (select from simulation_runs r where r.id = run_id)',
  },

  certificates: {
    viewer: 'r',
    gate: 'r',
    roster: 'r',
    counter: 'r',
    issuer: 'riu',
    keeper: 'r',
    sees: `person_id = ${me} or ${worksWhere('certificates', 'certificate.read', 'certificate.revoke')}
      or exists (select from certifications c where c.id = certification_id and ${divisionIn('c.division_code', 'certificate.read', 'certificate.revoke')})`,
  },
  // No person is in them: what documents have in common, who signed them, which templates are frozen.
  certificate_document_parts: open({ issuer: 'ri' }),
  issuer_certificates: open({ issuer: 'ri' }),
  certificate_templates: open({ issuer: 'ri' }),
  certificate_documents: {
    viewer: 'r',
    issuer: 'ri',
    keeper: 'r',
    sees: 'exists (select from certificates c where c.id = certificate_id)',
  },
  // Which places are taken says nothing of whose they are.
  status_entries: { gate: 'r', issuer: 'ri' },
  credential_keys: { issuer: 'ri' },
  // What happens to a certificate is noted by a trigger, whoever does it; the log itself is open to all.
  log_pending: { keeper: 'rd' },
  log_entries: { gate: 'r', keeper: 'ri' },
  log_tiles: { gate: 'r', keeper: 'riu' },
  log_checkpoints: { gate: 'r', keeper: 'ri' },
  verification_counts: {
    viewer: 'r',
    gate: 'riu',
    keeper: 'r',
    sees: `exists (select from certificates c where c.id = certificate_id and c.person_id = ${me})`,
  },
  credit_records: {
    viewer: 'r',
    issuer: 'ri',
    keeper: 'r',
    sees: `person_id = ${me} or unit_keys(province_code, prefecture_code, county_code, organization_id) && ${units('credit.read')}`,
  },

  // Who asks and who decides are two, which the issuer sees to.
  issue_requests: { viewer: 'r', issuer: 'riu', keeper: 'r', sees: scopeIn('certificate.issue') },
  issue_request_rows: {
    viewer: 'r',
    issuer: 'riu(certificate_id,refusal,refusal_detail)',
    keeper: 'rd',
    sees: 'exists (select from issue_requests r where r.id = request_id)',
  },

  role_grants: {
    viewer: 'r',
    gate: 'riu',
    keeper: 'riu',
    sees: `person_id = ${me} or ${scopeIn('grant.read', 'grant.give')}`,
  },
  sessions: { gate: 'riu', keeper: 'ru(person_id)d' },
  access_tokens: { gate: 'riu', keeper: 'ru(person_id)d' },
  sign_in_attempts: { gate: 'rid', keeper: 'rd' },
  sample_sign_ins: { gate: 'r', keeper: 'rid' },

  // A launch is the gate's; who manages platforms, and who says who somebody there is, have theirs by where a registration belongs.
  lti_registrations: {
    viewer: 'riu',
    gate: 'riu(frame_origins)',
    issuer: 'r',
    keeper: 'r',
    sees: divisionIn('division_code', 'lti.register', 'lti.link'),
    writes: divisionIn('division_code', 'lti.register'),
  },
  lti_deployments: {
    viewer: 'riu(state)',
    gate: 'riu(state)',
    issuer: 'r',
    sees: 'exists (select from lti_registrations r where r.id = registration_id)',
    writes: `exists (select from lti_registrations r where r.id = registration_id and ${divisionIn('r.division_code', 'lti.register')})`,
  },
  lti_invitations: {
    viewer: 'ri',
    gate: 'ru(taken_at,registration_id)',
    keeper: 'r',
    sees: divisionIn('division_code', 'lti.register'),
  },
  lti_keys: { gate: 'riu(sealed,published_until)d' },
  lti_nonces: { gate: 'riu(launch)d' },
  lti_accounts: {
    viewer: 'ru(id,state,person_id,told_name,told_identifier,decided_by,decided_at)',
    gate: 'riu',
    issuer: 'r',
    keeper: 'ru(id)d',
    sees: `exists (select from lti_registrations r where r.id = registration_id and ${divisionIn('r.division_code', 'lti.link')})`,
  },
  lti_resource_links: { gate: 'riu', issuer: 'r', keeper: 'r' },
  lti_launches: { gate: 'riu', issuer: 'r', keeper: 'rd' },
  // What platforms are told: the issuer's, as what is told is. It is owed by triggers, whoever learns.
  lti_grades: { issuer: 'ru', keeper: 'rd' },
  lti_scores: { issuer: 'riu', keeper: 'rd' },
  lti_line_items: { issuer: 'riud' },
  lti_selections: { gate: 'rid' },
  lti_rosters: { gate: 'riu', keeper: 'ru(asked_by)' },
  lti_members: { gate: 'riu', keeper: 'rd' },
  package_attempts: { gate: 'ri', keeper: 'rd' },

  roster_imports: {
    viewer: 'riu(id)',
    roster: 'ru',
    keeper: 'r',
    sees: divisionIn('division_code', 'roster.import'),
  },
  roster_import_files: {
    viewer: 'riu(import_id)',
    roster: 'rd',
    keeper: 'rd',
    sees: ofImport('roster_import_files'),
  },
  roster_progress: { viewer: 'r', roster: 'riu', keeper: 'rd', sees: ofImport('roster_progress') },
  roster_cancellations: { viewer: 'ri', roster: 'r', keeper: 'rd', sees: ofImport('roster_cancellations') },
  roster_refusals: { viewer: 'r', roster: 'ri', keeper: 'ru(line)d', sees: ofImport('roster_refusals') },
  roster_refused_rows: {
    viewer: 'r',
    roster: 'ri',
    keeper: 'ru(line)d',
    sees: ofImport('roster_refused_rows'),
  },
  roster_doubts: {
    viewer: 'ru(id,state,person_id,reason,decided_by,decided_at)',
    roster: 'riu',
    keeper: 'rud',
    sees: divisionIn('division_code', 'roster.import'),
  },

  snapshots: {
    viewer: 'riu(id)',
    counter: 'ru',
    keeper: 'r',
    sees: `${unitIn('unit', 'coverage.read')} or exists (select from snapshot_units u where u.snapshot_id = snapshots.id)`,
    writes: unitIn('unit', 'snapshot.take'),
  },
  snapshot_units: {
    viewer: 'r',
    counter: 'ri',
    keeper: 'r',
    sees: unitIn('unit', 'coverage.read'),
  },
  snapshot_verdicts: {
    viewer: 'ri',
    counter: 'r',
    keeper: 'r',
    sees: unitIn('unit', 'coverage.read'),
    writes: `given_by = (select viewer_actor()) and ${unitIn('unit', 'snapshot.sign')}`,
  },

  // Nobody changes it. Whoever adds an entry has it queued for its seal by a trigger.
  journal_entries: {
    viewer: 'ri',
    gate: 'i',
    roster: 'i',
    counter: 'i',
    issuer: 'i',
    keeper: 'ri',
    sees: `array['*'] && ${units('journal.read')} or concerns && (select array_agg(unit::bigint) from unnest(viewer_units('journal.read')) unit where unit <> '*')`,
    writes: 'true',
  },
  journal_seals: {
    viewer: 'r',
    keeper: 'ri',
    sees: 'exists (select from journal_entries e where e.id = entry_id)',
  },
  journal_head: { keeper: 'riu' },
  journal_unsealed: { keeper: 'rd' },
  // Counts, and nothing else, by whoever knocks.
  rate_windows: { viewer: 'riud' },
  // The queue's own, on its own connection.
  worker_instances: {},
};

/** What policies call; made anew with them. All are stable for a statement, and asked once in it. */
export const FUNCTIONS = `
create or replace function viewer_person() returns bigint language sql stable parallel safe as
  $$ select (nullif(current_setting('xinqiao.viewer', true), '')::jsonb ->> 'person')::bigint $$;
create or replace function viewer_actor() returns bigint language sql stable parallel safe as
  $$ select (nullif(current_setting('xinqiao.viewer', true), '')::jsonb ->> 'actor')::bigint $$;
-- What is to be earned by the viewer.
create or replace function viewer_assignments() returns bigint[] language plpgsql stable security definer set search_path = public, pg_temp as
  $$ begin return array(select id from assignments where person_id = viewer_person()); end $$;
create or replace function viewer_units(variadic permissions text[]) returns text[] language sql stable parallel safe as
  $$ select array_agg(unit) from unnest(permissions) permission,
    jsonb_array_elements_text(nullif(current_setting('xinqiao.viewer', true), '')::jsonb -> 'units' -> permission) unit $$;
create or replace function unit_keys(province text, prefecture text, county text, organization bigint) returns text[] language sql immutable parallel safe as
  $$ select array['*', province, prefecture, county, '-' || organization] $$;
create or replace function division_keys(code text) returns text[] language sql immutable parallel safe as
  $$ select array['*', code, left(code, 4) || '00', left(code, 2) || '0000'] $$;
-- What is owed goes into the queue through this alone.
create or replace function owe(task text, payload json, key text, not_before timestamptz) returns void language sql security definer
  set search_path = graphile_worker, pg_temp as
  $$ select graphile_worker.add_job(task, payload, job_key => key, run_at => not_before, max_attempts => 25) $$;
alter function queue_journal_entry() security definer set search_path = public, pg_temp;
alter function queue_log_event() security definer set search_path = public, pg_temp;
-- Whoever learns owes grades, and sees none of the platforms.
alter function owe_lti_grades() security definer set search_path = public, pg_temp;
alter function owe_lti_grades_of_link() security definer set search_path = public, pg_temp;
-- Whom an entry concerns is asked of all posts, whoever writes it.
create or replace function person_concerns(person bigint, day date) returns setof bigint language sql stable security definer set search_path = public, pg_temp as
  $$ select key from posts join organizations o on o.id = posts.organization_id
    cross join lateral unnest(array[o.province_code::bigint, o.prefecture_code::bigint, o.county_code::bigint, -o.id]) as key
    where posts.person_id = person and posts.starts_on <= day and (posts.ends_on is null or posts.ends_on >= day) and key is not null
    union
    -- Who works for a bureau may hold no post at all.
    select key from role_grants g left join organizations o on o.id = g.organization_id left join divisions d on d.code = coalesce(g.division_code, o.county_code, o.prefecture_code, o.province_code)
    cross join lateral unnest(array[d.province_code::bigint, d.prefecture_code::bigint, d.county_code::bigint, -o.id]) as key
    where g.person_id = person and g.starts_on <= day and (g.ends_on is null or g.ends_on >= day) and g.revoked_at is null and key is not null $$;
-- Only an owner makes and drops tables: a month's statements are one. Months are China's.
create or replace function keep_statement_month(day date) returns void language plpgsql security definer set search_path = public, pg_temp as
  $$ declare month timestamp := date_trunc('month', day::timestamp); name text := 'statements_' || to_char(month, 'YYYY_MM'); begin
    if to_regclass(name) is not null then return; end if;
    perform pg_advisory_xact_lock(hashtext('statement months'));
    execute format('create table %I partition of statements for values from (%L) to (%L)', name,
      month at time zone 'Asia/Shanghai', (month + interval '1 month') at time zone 'Asia/Shanghai');
  -- Somebody else made it while this one waited.
  exception when duplicate_table then null; end $$;
-- It gives up rather than let everybody wait behind it.
create or replace function drop_statement_months(before timestamptz) returns void language plpgsql security definer set search_path = public, pg_temp set lock_timeout = '2s' as
  $$ declare old regclass; begin
    for old in select inhrelid::regclass from pg_inherits where inhparent = 'statements'::regclass
      and (to_timestamp(right(inhrelid::regclass::text, 7), 'YYYY_MM')::timestamp + interval '1 month') at time zone 'Asia/Shanghai' <= before
    loop execute format('drop table %s', old); end loop;
  exception when lock_not_available then null; end $$;
-- Only an owner analyzes; an import has to before it goes on.
create or replace function refresh_statistics() returns void language plpgsql security definer set search_path = public, pg_temp as
  $$ begin analyze people; analyze person_sources; analyze posts; end $$;
`;
