import { sql, type Kysely } from 'kysely';

/** Simulated conversations: each run, and each move in it. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table simulation_runs (
      id bigint generated always as identity primary key,
      assignment_id bigint not null references assignments,
      activity_key text not null,
      number integer not null check (number > 0),
      mode text not null check (mode in ('practice', 'graded')),
      course_version_id bigint not null references course_versions,
      seed text not null,
      stands_at text not null,
      trust integer not null check (trust between 0 and 100),
      distress integer not null check (distress between 0 and 100),
      risk integer not null check (risk between 0 and 100),
      taken text[] not null,
      moves integer not null default 0 check (moves >= 0),
      points integer not null default 0 check (points >= 0),
      best_points integer not null check (best_points >= points),
      started_at timestamptz not null,
      finished_at timestamptz,
      percent numeric check (percent between 0 and 100),
      passed boolean,
      unique (assignment_id, activity_key, number),
      check ((finished_at is null) = (passed is null) and (finished_at is null) = (percent is null))
    )`.execute(db);
  await sql`comment on column simulation_runs.course_version_id is 'The scenario is the one of activity_key at this version, whatever becomes of the course.'`.execute(
    db,
  );
  await sql`comment on column simulation_runs.seed is 'Choices are shown in the order that it gives for each turn.'`.execute(
    db,
  );
  await sql`comment on column simulation_runs.stands_at is 'Key of the turn that is shown, or of the ending.'`.execute(
    db,
  );
  await sql`comment on column simulation_runs.taken is 'Must-pass steps that have been taken.'`.execute(db);
  await sql`comment on column simulation_runs.best_points is 'Of the best way through the scenario, which percent is counted from.'`.execute(
    db,
  );
  await sql`create unique index simulation_runs_one_open on simulation_runs (assignment_id, activity_key) where finished_at is null`.execute(
    db,
  );
  await sql`
    create table simulation_moves (
      run_id bigint not null references simulation_runs,
      number integer not null check (number > 0),
      turn_key text not null,
      choice_key text not null,
      points integer not null check (points between 0 and 3),
      trust integer not null,
      distress integer not null,
      risk integer not null,
      taken text[] not null,
      at timestamptz not null,
      primary key (run_id, number)
    )`.execute(db);
  await sql`comment on table simulation_moves is 'What a teacher chose, turn by turn, and how the student of the story was after it. Never changed.'`.execute(
    db,
  );
}
