import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { preparedAlone } from '../db/prepared.ts';
import { LONGEST_PAUSE_S } from './complete.ts';
import type { TakenStatement } from './statement.ts';

/** First half of a two-part advisory lock. */
const STATEMENTS_LOCK = 0x78_71_73; // 'xqs'

/** What became of a call's statements; undefined: nothing of it was taken, since too much came. */
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

/**
 * Stores a call's statements, each id once in all months, and moves progress: one statement of SQL, so that it is one way to the database and
 * back, and all of it or nothing. Calls of one assignment follow each other, by the row that counts them.
 */
export async function recordStatements(
  db: Executor,
  given: {
    assignmentId: string;
    activityKey: string;
    statements: readonly TakenStatement[];
    judging: Judging;
    forwards: boolean;
    limits: Limits;
    /** As many came, whatever became of them. */
    sent: number;
    at: Date;
    day: string;
  },
): Promise<Recorded | undefined> {
  const { statements, limits, judging } = given;
  const { enoughSeconds } = judging;
  const byTime = enoughSeconds !== undefined;
  /** Seconds since it was last seen, unless that was a pause. */
  const passed = (seenAt: RawBuilder<unknown>) => {
    const seconds = sql`extract(epoch from ${given.at}::timestamptz - ${seenAt})`;
    return sql`case when ${seconds} between 0 and ${LONGEST_PAUSE_S}::int then floor(${seconds})::int else 0 end`;
  };
  const seenAt = byTime ? sql`${given.at}::timestamptz` : sql`null::timestamptz`;
  // By the row as it is when it is locked: of two tabs at once one counts.
  const counted = byTime
    ? sql`, seconds = p.seconds + ${passed(sql`p.seen_at`)}, seen_at = greatest(p.seen_at, excluded.seen_at)`
    : sql``;
  const enoughTime = byTime
    ? sql`or exists (select from before b where b.seconds + ${passed(sql`b.seen_at`)} >= ${enoughSeconds}::int)`
    : sql``;
  // The texts are JSON already.
  const rows = `[${statements
    .map(
      ({ id, verb, digest, text }) =>
        `{"id":"${id}","verb":${JSON.stringify(verb)},"digest":${digest},"part":${JSON.stringify(judging.parts.get(id) ?? null)},"body":${text}}`,
    )
    .join(',')}]`;
  const owed = given.forwards
    ? sql`, owed as (
      insert into forwarding_debts (assignment_id, statement_id, stored_at)
      select ${given.assignmentId}::bigint, id, ${given.at}::timestamptz from taken
    )`
    : sql``;
  // Looked for where it counts alone: every month since the assignment began has to be asked.
  const enoughParts =
    judging.enoughParts === undefined
      ? sql``
      : sql`or ${judging.enoughParts}::int <= (select count(distinct part) from (
          select s.part from statements s where s.assignment_id = ${given.assignmentId}::bigint and s.activity_key = ${given.activityKey}::text and s.part is not null
            and s.stored_at >= (select created_at from assignments where id = ${given.assignmentId}::bigint)
          union all select g.part from given g join taken using (id)) parts)`;
  const minute = new Date(Math.floor(given.at.getTime() / 60_000) * 60_000);
  const { rows: answers } = await sql<{
    started_at: Date;
    completed_at: Date | null;
    seconds: number;
    repeated: string[] | null;
    conflicting: string[] | null;
  }>`${preparedAlone}
    with given as (
      select g.* from jsonb_to_recordset(${rows}::jsonb) as g(id uuid, verb text, digest bigint, part text, body jsonb)
    ), charged as (
      insert into statement_counts as c (assignment_id, minute, in_minute, day, in_day, bytes_in_day)
      values (${given.assignmentId}::bigint, ${minute}::timestamptz, ${given.sent}::int, ${given.day}::date, ${given.sent}::int, ${rows.length}::bigint)
      on conflict (assignment_id) do update set
        minute = excluded.minute, day = excluded.day,
        in_minute = case when c.minute = excluded.minute then c.in_minute else 0 end + excluded.in_minute,
        in_day = case when c.day = excluded.day then c.in_day else 0 end + excluded.in_day,
        bytes_in_day = case when c.day = excluded.day then c.bytes_in_day else 0 end + excluded.bytes_in_day
      where case when c.minute = excluded.minute then c.in_minute else 0 end + excluded.in_minute <= ${limits.perMinute}::int
        and case when c.day = excluded.day then c.in_day else 0 end + excluded.in_day <= ${limits.perDay}::int
        and case when c.day = excluded.day then c.bytes_in_day else 0 end + excluded.bytes_in_day <= ${limits.bytesPerDay}::bigint
      returning assignment_id
    ), taken as (
      insert into statement_ids (assignment_id, id, digest, stored_at)
      select c.assignment_id, g.id, g.digest, ${given.at}::timestamptz from given g, charged c
      on conflict do nothing returning id
    ), stored as (
      insert into statements (assignment_id, id, activity_key, verb, part, statement, stored_at)
      select ${given.assignmentId}::bigint, g.id, ${given.activityKey}::text, g.verb, g.part, g.body, ${given.at}::timestamptz from given g join taken using (id)
    ) ${owed}, known as (
      select g.id, coalesce(i.digest in (g.digest, 0), true) as same from given g
      left join statement_ids i on i.assignment_id = ${given.assignmentId}::bigint and i.id = g.id
      where not exists (select from taken t where t.id = g.id)
    ), before as (
      select started_at, completed_at, seconds, seen_at from activity_progress
      where assignment_id = ${given.assignmentId}::bigint and activity_key = ${given.activityKey}::text
    ), judged as (
      select exists (select from unnest(${judging.completing}::uuid[]) c where not exists (select from known k where k.id = c and not k.same))
        ${enoughTime} ${enoughParts} as completed
    ), moved as (
      insert into activity_progress as p (assignment_id, activity_key, started_at, completed_at, seen_at)
      select c.assignment_id, ${given.activityKey}::text, ${given.at}::timestamptz, case when j.completed then ${given.at}::timestamptz end, ${seenAt}
      from charged c, judged j
      -- Most calls move nothing.
      where not exists (select from before) or (${byTime ? sql`true` : sql`j.completed`} and (select completed_at from before) is null)
      on conflict (assignment_id, activity_key) do update set completed_at = coalesce(p.completed_at, excluded.completed_at)${counted}
      returning started_at, completed_at, seconds
    )
    select coalesce(m.started_at, b.started_at) as started_at, coalesce(m.completed_at, b.completed_at) as completed_at, coalesce(m.seconds, b.seconds) as seconds,
      (select array_agg(id::text) from known where same) as repeated, (select array_agg(id::text) from known where not same) as conflicting
    from charged left join moved m on true left join before b on true`.execute(db);
  const [answer] = answers;
  return answer === undefined
    ? undefined
    : {
        startedAt: answer.started_at,
        completedAt: answer.completed_at,
        seconds: answer.seconds,
        repeated: answer.repeated ?? [],
        conflicting: answer.conflicting ?? [],
      };
}

/** Lets one call of an assignment go on at a time, for what has to see what the one before it stored. */
export async function lockStatements(tx: Executor, assignmentId: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${STATEMENTS_LOCK}, hashtext(${assignmentId}))`.execute(tx);
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
