import { sql, type Kysely } from 'kysely';

/** Statements by month, each id once whatever the month; how many came; what a learning record store is still owed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table statements rename to statements_before`.execute(db);
  await sql`alter index statements_pkey rename to statements_before_pkey`.execute(db);
  await sql`
    create table statements (
      assignment_id bigint not null references assignments,
      id uuid not null,
      activity_key text not null,
      verb text not null,
      part text,
      statement jsonb not null,
      stored_at timestamptz not null,
      primary key (assignment_id, id, stored_at)
    ) partition by range (stored_at)`.execute(db);
  await sql`comment on table statements is 'xAPI statements as the player emitted them, with the actor the server knows. Claims: they show progress and never certify. Partitioned by month in China (statements_2026_09), so that a month that is over goes as a whole.'`.execute(
    db,
  );
  await sql`comment on column statements.part is 'The part of the content that the statement says was answered, by its activity id.'`.execute(
    db,
  );
  await sql`
    create table statement_ids (
      assignment_id bigint not null,
      id uuid not null,
      digest bigint not null,
      stored_at timestamptz not null,
      primary key (assignment_id, id)
    )`.execute(db);
  await sql`comment on table statement_ids is 'That an id is taken once over all months, which no partitioned table can promise.'`.execute(
    db,
  );
  await sql`comment on column statement_ids.digest is 'Of all that the content said: whether another of this id says the same. 0: from before it was kept.'`.execute(
    db,
  );
  // They come in the order of time, and are forgotten in it.
  await sql`create index on statement_ids using brin (stored_at)`.execute(db);
  // Also for the service, as it goes: see src/db/lock.ts.
  await sql`
    do $$
    declare month timestamp;
    begin
      for month in
        select generate_series(date_trunc('month', min(day)), date_trunc('month', max(day)), '1 month') from (
          select stored_at at time zone 'Asia/Shanghai' as day from statements_before
          union all select now() at time zone 'Asia/Shanghai' union all select now() at time zone 'Asia/Shanghai' + interval '1 month') days
      loop
        execute format('create table %I partition of statements for values from (%L) to (%L)', 'statements_' || to_char(month, 'YYYY_MM'),
          month at time zone 'Asia/Shanghai', (month + interval '1 month') at time zone 'Asia/Shanghai');
      end loop;
    end $$`.execute(db);
  await sql`insert into statement_ids (assignment_id, id, digest, stored_at) select assignment_id, id, 0, stored_at from statements_before order by stored_at`.execute(
    db,
  );
  await sql`insert into statements (assignment_id, id, activity_key, verb, statement, stored_at) select assignment_id, id, activity_key, verb, statement, stored_at from statements_before order by stored_at`.execute(
    db,
  );
  await sql`drop table statements_before`.execute(db);

  await sql`
    create unlogged table statement_counts (
      assignment_id bigint primary key references assignments,
      minute timestamptz not null,
      in_minute integer not null,
      day date not null,
      in_day integer not null,
      bytes_in_day bigint not null
    ) with (fillfactor = 70)`.execute(db);
  await sql`comment on table statement_counts is 'How many statements came for an assignment in the latest minute and day that any came, so that a flood is noticed.'`.execute(
    db,
  );

  await sql`alter table activity_progress add column seen_at timestamptz, add column seconds integer not null default 0`.execute(
    db,
  );
  await sql`comment on column activity_progress.seconds is 'Open with somebody at it, for an activity that is done by time; of others it stays 0.'`.execute(
    db,
  );

  await sql`
    create table forwarding_debts (
      id bigint generated always as identity primary key,
      assignment_id bigint not null references assignments,
      statement_id uuid not null,
      stored_at timestamptz not null,
      refused_at timestamptz,
      reason text
    )`.execute(db);
  await sql`comment on table forwarding_debts is 'Statements that the learning record store has not taken yet; written with them, gone once it has. Refused ones stay, with its reason, and are not sent again.'`.execute(
    db,
  );
  await sql`create index on forwarding_debts (id) where refused_at is null`.execute(db);
  await sql`create index on forwarding_debts (assignment_id)`.execute(db);
  await sql`
    create table forwarding_state (
      one boolean primary key default true check (one),
      last_sent_at timestamptz,
      last_error text,
      failed_at timestamptz,
      failures integer not null default 0,
      retry_at timestamptz
    )`.execute(db);
  await sql`comment on table forwarding_state is 'How forwarding to the learning record store goes: one row.'`.execute(
    db,
  );
  await sql`insert into forwarding_state default values`.execute(db);
}
