import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared, preparedAlone } from '../db/prepared.ts';
import type { Credit } from './credit.ts';
import type { CreditedTime } from './time.ts';
import type { OddStretch } from './odd.ts';

/** A page was opened: what its heartbeats will update is there, and the first stretch begins. @returns the stretch's id. */
export async function insertStretch(
  tx: Executor,
  given: { personId: string; assignmentId: string; activityKey: string; device: Buffer | null; at: Date },
): Promise<string> {
  await sql`
    insert into time_clocks (person_id, credited_until, fresh_from) values (${given.personId}::bigint, ${given.at}, ${given.at})
    on conflict do nothing`.execute(tx);
  await sql`
    insert into time_totals (assignment_id, activity_key) values (${given.assignmentId}::bigint, ${given.activityKey})
    on conflict do nothing`.execute(tx);
  const { rows } = await sql<{ id: string }>`
    insert into time_stretches (assignment_id, activity_key, began_at, ended_at, beat_at, active_at, running, device)
    values (${given.assignmentId}::bigint, ${given.activityKey}, ${given.at}, ${given.at}, ${given.at}, ${given.at}, true, ${given.device})
    returning id`.execute(tx);
  return rows[0]!.id;
}

export interface Beat {
  readonly personId: string;
  readonly assignmentId: string;
  readonly activityKey: string;
  readonly stretchId: string;
  /** Before this one. */
  readonly beats: number;
  readonly credit: Credit;
  readonly interactions: number;
  readonly ceilingMs: number;
  /** What is owed once the course has so much; undefined: it can't have it yet, or it was owed before. */
  readonly reached: { readonly neededMs: number; readonly task: string; readonly key: string } | undefined;
}

export interface BeatOutcome {
  /** What it added, after all caps. */
  readonly addedMs: number;
  /** Of the time that it told of, what was not counted for another page. */
  readonly freshMs: number;
  readonly activityMs: number;
  /** What the whole course has; only where it was looked whether something is owed. */
  readonly courseMs: number | undefined;
  /** The stretch that goes on: the same, or the next. */
  readonly stretchId: string;
}

/**
 * One heartbeat, in one statement. What is a matter between several is decided under a lock and by what is then there: whether the
 * heartbeat follows the last one of its stretch; what of its time was not counted for another page of the same person; and what the
 * activity's ceiling leaves. Each takes its own stretch first, then the person's clock, then the activity, so that no two wait for each
 * other. What most heartbeats don't need is left out of the statement: it is asked thousands of times a minute.
 * @returns undefined: it follows something else than the last one, and nothing was done.
 */
export async function recordBeat(db: Executor, beat: Beat): Promise<BeatOutcome | undefined> {
  const { credit, reached } = beat;
  const [from, to] = [new Date(credit.from), new Date(credit.to)];
  const [at, activeAt] = [new Date(credit.next.at), new Date(credit.next.activeAt)];
  const interval = credit.pace === 'running' && !credit.beginsAnew ? credit.to - credit.from : 0;
  const course =
    reached === undefined
      ? sql``
      : sql`, course as (
      select total.credited_ms + coalesce((select sum(o.credited_ms) from time_totals o
        where o.assignment_id = ${beat.assignmentId}::bigint and o.activity_key <> ${beat.activityKey}), 0) as course_ms from total
    ), debt as materialized (
      select owe(${reached.task}, json_build_object('assignmentId', ${beat.assignmentId}::text), ${reached.key}, null)
      from course where course_ms >= ${reached.neededMs}::bigint
    )`;
  const next = credit.beginsAnew
    ? sql`, next as (
      insert into time_stretches (assignment_id, activity_key, began_at, ended_at, beat_at, active_at, running, device)
      select ${beat.assignmentId}::bigint, ${beat.activityKey}, ${at}::timestamptz, ${at}::timestamptz, ${at}::timestamptz, ${activeAt}::timestamptz, true, grown.device
      from grown returning id
    )`
    : sql``;
  const { rows } = await sql<{
    last_ms: string;
    fresh_ms: string;
    credited_ms: string;
    course_ms: string | null;
    stretch_id: string;
  }>`${preparedAlone}
    with stretch as (
      select id from time_stretches where id = ${beat.stretchId}::bigint and beats = ${beat.beats}::integer for update
    ), clock as (
      update time_clocks c set fresh_from = greatest(c.credited_until, ${from}::timestamptz), credited_until = greatest(c.credited_until, ${to}::timestamptz)
      from stretch where c.person_id = ${beat.personId}::bigint
      returning greatest(0, extract(epoch from ${to}::timestamptz - c.fresh_from) * 1000)::bigint as fresh_ms
    ), total as (
      update time_totals t set last_ms = least(clock.fresh_ms, greatest(0, ${beat.ceilingMs}::bigint - t.credited_ms)),
        credited_ms = t.credited_ms + least(clock.fresh_ms, greatest(0, ${beat.ceilingMs}::bigint - t.credited_ms))
      from clock where t.assignment_id = ${beat.assignmentId}::bigint and t.activity_key = ${beat.activityKey}
      returning t.last_ms, t.credited_ms, clock.fresh_ms
    ), grown as (
      update time_stretches s set beats = s.beats + 1, beat_at = ${at}::timestamptz, active_at = ${activeAt}::timestamptz, ended_at = greatest(s.ended_at, ${to}::timestamptz),
        running = ${credit.next.running && !credit.beginsAnew}::boolean, credited_ms = s.credited_ms + total.last_ms,
        interactions = s.interactions + ${beat.interactions}::integer, interaction_squares = s.interaction_squares + ${beat.interactions ** 2}::bigint,
        interval_ms = s.interval_ms + ${interval}::bigint, interval_squares = s.interval_squares + ${interval ** 2}::double precision
      from total where s.id = ${beat.stretchId}::bigint
      returning s.id, s.device, total.last_ms, total.fresh_ms, total.credited_ms
    )${course}${next}
    select grown.last_ms, grown.fresh_ms, grown.credited_ms, ${credit.beginsAnew ? sql`(select id from next)` : sql`grown.id`} as stretch_id,
      ${reached === undefined ? sql`null::bigint` : sql`(select course_ms from course where (select count(*) from debt) >= 0)`} as course_ms
    from grown`.execute(db);
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        addedMs: Number(row.last_ms),
        freshMs: Number(row.fresh_ms),
        activityMs: Number(row.credited_ms),
        courseMs: row.course_ms === null ? undefined : Number(row.course_ms),
        stretchId: row.stretch_id,
      };
}

/** Where a stretch stands after its last heartbeat. */
export async function findStanding(
  db: Executor,
  stretchId: string,
): Promise<{ beats: number; at: Date; activeAt: Date; running: boolean; activityMs: number } | undefined> {
  const { rows } = await sql<{
    beats: number;
    beat_at: Date;
    active_at: Date;
    running: boolean;
    credited_ms: string;
  }>`
    select s.beats, s.beat_at, s.active_at, s.running, t.credited_ms from time_stretches s join time_totals t using (assignment_id, activity_key)
    where s.id = ${stretchId}::bigint`.execute(db);
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        beats: row.beats,
        at: row.beat_at,
        activeAt: row.active_at,
        running: row.running,
        activityMs: Number(row.credited_ms),
      };
}

export async function findCreditedTime(db: Executor, assignmentId: string): Promise<CreditedTime> {
  const { rows } = await sql<{ activity_key: string; credited_ms: string }>`${prepared}
    select activity_key, credited_ms from time_totals where assignment_id = ${assignmentId}::bigint order by activity_key`.execute(
    db,
  );
  const byActivity = new Map(rows.map((row) => [row.activity_key, Number(row.credited_ms)]));
  return { totalMs: [...byActivity.values()].reduce((sum, each) => sum + each, 0), byActivity };
}

/** A stretch as evidence, of any assignment of a person. */
export interface Stretch extends OddStretch {
  readonly assignmentId: string;
}

export async function listStretches(db: Executor, personId: string): Promise<Stretch[]> {
  const { rows } = await sql<{
    assignment_id: string;
    activity_key: string;
    began_at: Date;
    ended_at: Date;
    credited_ms: string;
    beats: number;
    interactions: number;
    interaction_squares: string;
    interval_ms: string;
    interval_squares: number;
    device: string | null;
  }>`
    select s.assignment_id, s.activity_key, s.began_at, s.ended_at, s.credited_ms, s.beats, s.interactions, s.interaction_squares, s.interval_ms, s.interval_squares,
      encode(s.device, 'hex') as device
    from time_stretches s join assignments a on a.id = s.assignment_id where a.person_id = ${personId}::bigint order by s.began_at, s.id`.execute(
    db,
  );
  return rows.map((row) => ({
    assignmentId: row.assignment_id,
    activityKey: row.activity_key,
    beganAt: row.began_at,
    endedAt: row.ended_at,
    creditedMs: Number(row.credited_ms),
    beats: row.beats,
    interactions: row.interactions,
    interactionSquares: Number(row.interaction_squares),
    intervalMs: Number(row.interval_ms),
    intervalSquares: row.interval_squares,
    device: row.device,
  }));
}

/** On which days how many people were at the devices that an assignment was learned on. */
export async function listSharers(
  db: Executor,
  assignmentId: string,
): Promise<{ day: string; people: number }[]> {
  const { rows } = await sql<{ day: string; people: number }>`
    with used as (
      select distinct device, (began_at at time zone 'Asia/Shanghai')::date as day from time_stretches where assignment_id = ${assignmentId}::bigint and device is not null
    )
    select u.day::text as day, max(n.people)::int as people from used u cross join lateral (
      select count(distinct a.person_id) as people from time_stretches s join assignments a on a.id = s.assignment_id
      where s.device = u.device and s.began_at >= u.day::timestamp at time zone 'Asia/Shanghai' and s.began_at < (u.day + 1)::timestamp at time zone 'Asia/Shanghai') n
    group by u.day order by u.day`.execute(db);
  return rows;
}
