import { sql, type Kysely } from 'kysely';

/** Time that is counted by the server, what looks odd in it, and how much of it a certification asks for. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table certifications
      add column minimum_hours_share numeric not null default 0.5 check (minimum_hours_share between 0 and 1),
      add column class_hour_minutes integer not null default 45 check (class_hour_minutes between 30 and 60)`.execute(
    db,
  );
  await sql`comment on column certifications.minimum_hours_share is 'How much of the course''s declared time must be in the time ledger before a certificate is issued.'`.execute(
    db,
  );
  await sql`comment on column certifications.class_hour_minutes is 'How long a class hour is in this jurisdiction.'`.execute(
    db,
  );

  // Every heartbeat writes one row of each of these three, and no indexed column of them: room for such updates in each page.
  await sql`
    create table time_clocks (
      person_id bigint primary key references people,
      credited_until timestamptz not null,
      fresh_from timestamptz not null
    ) with (fillfactor = 50)`.execute(db);
  await sql`comment on table time_clocks is 'Up to when a person''s time has been counted, whatever page it was counted for: no second counts twice.'`.execute(
    db,
  );
  await sql`comment on column time_clocks.fresh_from is 'From when the last heartbeat''s time was not counted before; told back within its own statement.'`.execute(
    db,
  );
  await sql`
    create table time_totals (
      assignment_id bigint not null references assignments,
      activity_key text not null,
      credited_ms bigint not null default 0 check (credited_ms >= 0),
      last_ms bigint not null default 0,
      primary key (assignment_id, activity_key)
    ) with (fillfactor = 50)`.execute(db);
  await sql`comment on table time_totals is 'Time credited to an activity, never above its ceiling. The exam is an activity here.'`.execute(
    db,
  );
  await sql`comment on column time_totals.last_ms is 'What the last heartbeat added; told back within its own statement.'`.execute(
    db,
  );
  await sql`
    create table time_stretches (
      id bigint generated always as identity primary key,
      assignment_id bigint not null references assignments,
      activity_key text not null,
      began_at timestamptz not null,
      ended_at timestamptz not null,
      credited_ms bigint not null default 0 check (credited_ms >= 0),
      beats integer not null default 0,
      beat_at timestamptz not null,
      active_at timestamptz not null,
      running boolean not null,
      interactions integer not null default 0,
      interaction_squares bigint not null default 0,
      interval_ms bigint not null default 0,
      interval_squares double precision not null default 0,
      device bytea,
      check (ended_at >= began_at)
    ) with (fillfactor = 50)`.execute(db);
  await sql`comment on table time_stretches is 'Evidence: one unbroken stretch of a page that was open, seen and used, as heartbeats told; it grows while it lasts.'`.execute(
    db,
  );
  for (const [column, comment] of [
    ['ended_at', 'The end of what was counted so far.'],
    [
      'credited_ms',
      'What of it counts: less than its length where the activity was full, or another page had the same time.',
    ],
    ['beats', 'Heartbeats so far; the next one must prove that it follows this one.'],
    ['active_at', 'The last heartbeat that told of a touch, a key or scrolling.'],
    ['running', 'Whether time runs: false once the page was hidden or nobody used it.'],
    ['interaction_squares', 'Sum of squares; with the sum and beats it tells how even they are.'],
    ['interval_ms', 'Sum of the times between heartbeats that were counted whole.'],
    ['device', 'Keyed hash of the number that the browser gave itself; null where it keeps none.'],
  ] as const)
    await sql`comment on column time_stretches.${sql.ref(column)} is ${sql.lit(comment)}`.execute(db);
  await sql`create index on time_stretches (assignment_id, activity_key)`.execute(db);
  await sql`create index on time_stretches (device, began_at) where device is not null`.execute(db);

  await sql`
    create table time_flags (
      id bigint generated always as identity primary key,
      person_id bigint not null references people,
      assignment_id bigint not null references assignments,
      kind text not null check (kind in ('too_fast', 'machine_regular', 'shared_device', 'parallel_devices')),
      about text not null,
      detail jsonb not null,
      raised_at timestamptz not null,
      state text not null default 'open' check (state in ('open', 'dismissed', 'upheld')),
      decided_by bigint references people,
      decided_at timestamptz,
      note text,
      unique (assignment_id, kind, about),
      check ((state = 'open') = (decided_by is null) and (decided_by is null) = (decided_at is null) and (decided_by is null) = (note is null))
    )`.execute(db);
  await sql`comment on table time_flags is 'What looks odd in somebody''s time, for a person to judge. By itself it changes nothing.'`.execute(
    db,
  );
  await sql`comment on column time_flags.about is 'An activity''s key or a day: with kind and assignment it is raised once.'`.execute(
    db,
  );
  await sql`comment on column time_flags.detail is 'The numbers behind it.'`.execute(db);
  await sql`create index on time_flags (person_id)`.execute(db);
  await sql`create index on time_flags (decided_by) where decided_by is not null`.execute(db);
}
