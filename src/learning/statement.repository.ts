import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { preparedAlone } from '../db/prepared.ts';
import { LONGEST_PAUSE_S } from './complete.ts';
import type { TakenStatement } from './statement.ts';

/** First half of a two-part advisory lock. */
const STATEMENTS_LOCK = 0x78_71_73; // 'xqs'

/** What became of a call's statements. */
export interface Recorded {
  readonly startedAt: Date;
  readonly completedAt: Date | null;
  readonly seconds: number;
  /** Ids that came before and say the same. */
  readonly repeated: readonly string[];
  /** Ids that came before and said something else. */
  readonly conflicting: readonly string[];
}

export interface Limits {
  readonly perMinute: number;
  readonly perDay: number;
  readonly bytesPerDay: number;
}

/** What completes an activity, told so that the database can judge it in the same statement. */
export interface Judging {
  /** Ids that complete it if they are taken now, or were before. */
  readonly completing: readonly string[];
  /** By id: the part of the content that was answered. */
  readonly parts: ReadonlyMap<string, string>;
  /** So many different parts complete it. */
  readonly enoughParts: number | undefined;
  /** So many seconds that it was open complete it. */
  readonly enoughSeconds: number | undefined;
}

/** What one player sent at once for one activity. */
export interface StatementCall {
  readonly assignmentId: string;
  /** Whose the assignment has to be; of anybody else nothing is taken. */
  readonly personId: string;
  readonly activityKey: string;
  readonly statements: readonly TakenStatement[];
  readonly judging: Judging;
  /** As many came, whatever became of them. */
  readonly sent: number;
  readonly at: Date;
  /** `at` in China. */
  readonly day: string;
}

/**
 * Stores the statements of several calls, each id once in all months, and moves progress: one statement of SQL, so that it is one way to the
 * database and back, and all of it or nothing. Calls of one assignment follow each other, by the row that counts them.
 * @param calls each of another assignment.
 * @returns by assignment; of a call that is not there nothing was taken, since too much came.
 */
export async function recordStatements(
  db: Executor,
  calls: readonly StatementCall[],
  { forwards, limits }: { forwards: boolean; limits: Limits },
): Promise<Map<string, Recorded>> {
  // The texts of statements are JSON already.
  const rowsOf = ({ assignmentId, statements, judging }: StatementCall): string =>
    statements
      .map(
        ({ id, verb, digest, text }) =>
          `{"a":${assignmentId},"id":"${id}","verb":${JSON.stringify(verb)},"digest":${digest},"part":${JSON.stringify(judging.parts.get(id) ?? null)},"body":${text}}`,
      )
      .join(',');
  const rows = calls.map(rowsOf);
  const heads = calls.map((call, index) => ({
    a: call.assignmentId,
    person_id: call.personId,
    activity_key: call.activityKey,
    sent: call.sent,
    bytes: rows[index]!.length,
    at: call.at,
    minute: new Date(Math.floor(call.at.getTime() / 60_000) * 60_000),
    day: call.day,
    completing: call.judging.completing,
    enough_parts: call.judging.enoughParts,
    enough_seconds: call.judging.enoughSeconds,
  }));
  /** Seconds since it was last seen, unless that was a pause, or nobody counts them. */
  const passed = (at: RawBuilder<unknown>, seenAt: RawBuilder<unknown>) => {
    const seconds = sql`extract(epoch from ${at} - ${seenAt})`;
    return sql`case when ${seconds} between 0 and ${LONGEST_PAUSE_S}::int then floor(${seconds})::int else 0 end`;
  };
  const owed = forwards
    ? sql`, owed as (
      insert into forwarding_debts (assignment_id, statement_id, stored_at) select t.a, t.id, c.at from taken t join call c using (a)
    )`
    : sql``;
  // Looked for where it counts alone: every month since the assignment began has to be asked.
  const enoughParts = calls.some(({ judging }) => judging.enoughParts !== undefined)
    ? sql`or case when c.enough_parts is null then false else c.enough_parts <= (select count(distinct part) from (
          select s.part from statements s where s.assignment_id = c.a and s.activity_key = c.activity_key and s.part is not null
            and s.stored_at >= (select created_at from assignments where id = c.a)
          union all select g.part from given g join taken t using (a, id) where g.a = c.a) parts) end`
    : sql``;
  // What is there already is looked up by scalar and lateral queries, each by its index: how many rows a list has can't be known when it is planned.
  const { rows: answers } = await sql<{
    a: string;
    started_at: Date;
    completed_at: Date | null;
    seconds: number;
    repeated: string[] | null;
    conflicting: string[] | null;
  }>`${preparedAlone}
    with call as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(heads)}::jsonb) as h(a bigint, person_id bigint, activity_key text, sent int, bytes bigint,
        at timestamptz, minute timestamptz, day date, completing uuid[], enough_parts int, enough_seconds int)
    ), given as materialized (
      select * from jsonb_to_recordset(${`[${rows.filter((its) => its !== '').join(',')}]`}::jsonb) as g(a bigint, id uuid, verb text, digest bigint, part text, body jsonb)
    ), charged as (
      insert into statement_counts as c (assignment_id, minute, in_minute, day, in_day, bytes_in_day)
      select a, minute, sent, day, sent, bytes from call where (select x.person_id from assignments x where x.id = a) = person_id
      -- Two lots that meet wait for each other in one order.
      order by a
      on conflict (assignment_id) do update set
        minute = excluded.minute, day = excluded.day,
        in_minute = case when c.minute = excluded.minute then c.in_minute else 0 end + excluded.in_minute,
        in_day = case when c.day = excluded.day then c.in_day else 0 end + excluded.in_day,
        bytes_in_day = case when c.day = excluded.day then c.bytes_in_day else 0 end + excluded.bytes_in_day
      where case when c.minute = excluded.minute then c.in_minute else 0 end + excluded.in_minute <= ${limits.perMinute}::int
        and case when c.day = excluded.day then c.in_day else 0 end + excluded.in_day <= ${limits.perDay}::int
        and case when c.day = excluded.day then c.bytes_in_day else 0 end + excluded.bytes_in_day <= ${limits.bytesPerDay}::bigint
      returning assignment_id as a
    ), taken as (
      insert into statement_ids (assignment_id, id, digest, stored_at)
      select a, g.id, g.digest, c.at from given g join charged using (a) join call c using (a)
      on conflict do nothing returning assignment_id as a, id
    ), stored as (
      insert into statements (assignment_id, id, activity_key, verb, part, statement, stored_at)
      select a, id, c.activity_key, g.verb, g.part, g.body, c.at from given g join taken using (a, id) join call c using (a)
    ) ${owed}, known as (
      select g.a, g.id, coalesce((select i.digest in (g.digest, 0) from statement_ids i where i.assignment_id = g.a and i.id = g.id), true) as same
      from given g where not exists (select from taken t where t.a = g.a and t.id = g.id)
    ), judged as (
      select c.a, c.activity_key, c.at, c.enough_seconds, b.*,
        exists (select from unnest(c.completing) id where not exists (select from known k where k.a = c.a and k.id = id and not k.same))
          or coalesce(b.seconds + ${passed(sql`c.at`, sql`b.seen_at`)} >= c.enough_seconds, false) ${enoughParts} as completed
      from charged join call c using (a) left join lateral (
        select started_at, completed_at, seconds, seen_at from activity_progress p where p.assignment_id = c.a and p.activity_key = c.activity_key offset 0
      ) b on true
    ), moved as (
      insert into activity_progress as p (assignment_id, activity_key, started_at, completed_at, seen_at)
      select a, activity_key, at, case when completed then at end, case when enough_seconds is not null then at end
      from judged
      -- Most calls move nothing.
      where started_at is null or (completed_at is null and (completed or enough_seconds is not null))
      order by a
      -- By the row as it is when it is locked: of two tabs at once one counts.
      on conflict (assignment_id, activity_key) do update set completed_at = coalesce(p.completed_at, excluded.completed_at),
        seconds = p.seconds + ${passed(sql`excluded.seen_at`, sql`p.seen_at`)}, seen_at = greatest(p.seen_at, excluded.seen_at)
      returning assignment_id as a, started_at, completed_at, seconds
    )
    select j.a, coalesce(m.started_at, j.started_at) as started_at, coalesce(m.completed_at, j.completed_at) as completed_at, coalesce(m.seconds, j.seconds) as seconds,
      (select array_agg(id::text) from known k where k.a = j.a and same) as repeated, (select array_agg(id::text) from known k where k.a = j.a and not same) as conflicting
    from judged j left join moved m using (a)`.execute(db);
  return new Map(
    answers.map((answer) => [
      answer.a,
      {
        startedAt: answer.started_at,
        completedAt: answer.completed_at,
        seconds: answer.seconds,
        repeated: answer.repeated ?? [],
        conflicting: answer.conflicting ?? [],
      },
    ]),
  );
}

/** Lets one call of each assignment go on at a time, for what has to see what the one before it stored. */
export async function lockStatements(tx: Executor, assignmentIds: readonly string[]): Promise<void> {
  await sql`select pg_advisory_xact_lock(${STATEMENTS_LOCK}, lock) from (
    select distinct hashtext(id) as lock from unnest(${assignmentIds}::text[]) id order by lock) locks`.execute(
    tx,
  );
}

/** How many came in the latest minute that any did, for telling when more may come. */
export async function findCount(
  db: Executor,
  assignmentId: string,
): Promise<{ minute: Date; inMinute: number } | undefined> {
  const row = await db
    .selectFrom('statement_counts')
    .select(['minute', 'in_minute'])
    .where('assignment_id', '=', assignmentId)
    .executeTakeFirst();
  return row === undefined ? undefined : { minute: row.minute, inMinute: row.in_minute };
}

/** Makes room for the statements of the month that `day` is in, where there is none. */
export async function keepMonth(db: Executor, day: string): Promise<void> {
  await sql`select keep_statement_month(${day}::date)`.execute(db);
}
