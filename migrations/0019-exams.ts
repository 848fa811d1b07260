import { sql, type Kysely } from 'kysely';

/** Must-pass items, accommodations, and what exams and items say since there are more kinds of them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`update items set body = '{"use": "exam", "mustPass": false}' || body`.execute(db);
  await sql`
    update course_versions set manifest = jsonb_set(manifest, '{exam}',
      '{"vignettes": [], "presentation": "one"}' || (manifest -> 'exam') || jsonb_build_object('blueprint', (
        select coalesce(jsonb_agg('{"mustPass": false}' || part order by place), '[]')
        from jsonb_array_elements(manifest -> 'exam' -> 'blueprint') with ordinality as parts (part, place))))`.execute(
    db,
  );

  await sql`alter table attempts add column must_pass_missed integer`.execute(db);
  await sql`update attempts set must_pass_missed = 0 where submitted_at is not null`.execute(db);
  await sql`
    alter table attempts
      add check ((submitted_at is null) = (must_pass_missed is null)),
      add check (must_pass_missed >= 0),
      add check (not passed or must_pass_missed = 0)`.execute(db);
  await sql`comment on column attempts.must_pass_missed is 'Must-pass items without full points: any of them fails the attempt.'`.execute(
    db,
  );
  await sql`comment on column attempts.drawn is 'Item ids with the order of what they show, as drawn from the seed and what the assignment''s earlier attempts had drawn.'`.execute(
    db,
  );

  await sql`
    create table accommodations (
      id bigint generated always as identity primary key,
      person_id bigint not null references people,
      certification_id bigint not null references certifications,
      extra_time_percent integer not null,
      extra_attempts integer not null,
      reason text not null check (btrim(reason) <> ''),
      starts_on date not null,
      ends_on date,
      granted_by bigint not null references people,
      granted_at timestamptz not null,
      revoked_by bigint references people,
      revoked_at timestamptz,
      check (extra_time_percent = 0 or extra_time_percent between 10 and 200),
      check (extra_attempts between 0 and 3),
      check (extra_time_percent > 0 or extra_attempts > 0),
      check (ends_on >= starts_on),
      check (granted_by <> person_id),
      check ((revoked_by is null) = (revoked_at is null))
    )`.execute(db);
  await sql`comment on table accommodations is 'More time or attempts for a person in the exam of a certification, given by a coordinator. Of several that hold, the most counts.'`.execute(
    db,
  );
  await sql`comment on column accommodations.reason is 'For coordinators alone, and the person.'`.execute(db);
  await sql`create index on accommodations (person_id)`.execute(db);
}
