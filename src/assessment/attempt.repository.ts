import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { preparedAlone } from '../db/prepared.ts';
import type { DrawnItem } from './draw.ts';
import type { Grade } from './grade.ts';

export interface Attempt {
  readonly id: string;
  readonly assignmentId: string;
  readonly number: number;
  /** What the drawing came from; never told. */
  readonly seed: string;
  readonly drawn: readonly DrawnItem[];
  readonly startedAt: Date;
  readonly deadline: Date;
  readonly submittedAt: Date | null;
  /** 0–100. */
  readonly percent: number | null;
  readonly passed: boolean | null;
  readonly mustPassMissed: number | null;
}

export async function listAttempts(db: Executor, assignmentId: string): Promise<Attempt[]> {
  return (
    await db
      .selectFrom('attempts')
      .selectAll()
      .where('assignment_id', '=', assignmentId)
      .orderBy('number', 'desc')
      .execute()
  ).map(toAttempt);
}

export async function findAttempt(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<Attempt | undefined> {
  const row = await db
    .selectFrom('attempts')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : toAttempt(row);
}

export async function insertAttempt(
  tx: Executor,
  given: {
    assignmentId: string;
    number: number;
    seed: string;
    drawn: readonly DrawnItem[];
    startedAt: Date;
    deadline: Date;
  },
): Promise<Attempt> {
  const row = await tx
    .insertInto('attempts')
    .values({
      assignment_id: given.assignmentId,
      number: given.number,
      seed: given.seed,
      drawn: JSON.stringify(given.drawn),
      started_at: given.startedAt,
      deadline: given.deadline,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toAttempt(row);
}

export interface Response {
  readonly itemId: string;
  readonly chosen: readonly string[];
  readonly points: number | null;
}

export async function listResponses(db: Executor, attemptId: string): Promise<Response[]> {
  const rows = await db
    .selectFrom('responses')
    .select(['item_id', 'chosen', 'points'])
    .where('attempt_id', '=', attemptId)
    .execute();
  return rows.map((row) => ({
    itemId: row.item_id,
    chosen: row.chosen,
    points: row.points === null ? null : Number(row.points),
  }));
}

/**
 * Saves an answer in one statement, for which nothing else has to be read first: thousands do so at once. The attempt's row is held meanwhile,
 * so that no answer comes in behind the grading; of two answers to an item the one that comes later stays.
 * @returns `gone` also where the attempt is not among the viewer's rows.
 */
export async function saveResponseRow(
  db: Executor,
  given: { attemptId: string; itemId: string; chosen: readonly string[]; at: Date; graceMs: number },
): Promise<'saved' | 'graded' | 'late' | 'gone'> {
  const earliest = new Date(given.at.getTime() - given.graceMs);
  const { rows } = await sql<{ graded: boolean | null; saved: boolean }>`${preparedAlone}
    with held as (
      select id, submitted_at, deadline from attempts where id = ${given.attemptId}::bigint for share
    ), saved as (
      insert into responses (attempt_id, item_id, chosen, saved_at)
      select id, ${given.itemId}::bigint, ${[...given.chosen]}::text[], ${given.at}::timestamptz
      from held where submitted_at is null and deadline >= ${earliest}::timestamptz
      on conflict (attempt_id, item_id) do update set chosen = excluded.chosen, saved_at = excluded.saved_at
      returning 1
    )
    select (select submitted_at is not null from held) as graded, exists (select from saved) as saved`.execute(
    db,
  );
  const { graded, saved } = rows[0]!;
  if (saved) return 'saved';
  if (graded === null) return 'gone';
  return graded ? 'graded' : 'late';
}

/** Writes the grade once; the points of each item stand beside its response, unanswered ones included. */
export async function gradeAttemptRow(
  tx: Executor,
  given: { attemptId: string; grade: Grade; items: readonly { itemId: string; points: number }[]; at: Date },
): Promise<void> {
  await sql`
    insert into responses (attempt_id, item_id, chosen, saved_at, points)
    select ${given.attemptId}::bigint, item_id, '{}', ${given.at}::timestamptz, points from unnest(${given.items.map((i) => i.itemId)}::bigint[], ${given.items.map((i) => i.points)}::numeric[]) as graded (item_id, points)
    on conflict (attempt_id, item_id) do update set points = excluded.points`.execute(tx);
  await tx
    .updateTable('attempts')
    .set({
      submitted_at: given.at,
      points: given.grade.points,
      max_points: given.grade.maxPoints,
      percent: given.grade.percent,
      passed: given.grade.passed,
      must_pass_missed: given.grade.mustPassMissed,
    })
    .where('id', '=', given.attemptId)
    .where('submitted_at', 'is', null)
    .execute();
}

function toAttempt(row: {
  id: string;
  assignment_id: string;
  number: number;
  seed: string;
  drawn: unknown;
  started_at: Date;
  deadline: Date;
  submitted_at: Date | null;
  percent: string | null;
  passed: boolean | null;
  must_pass_missed: number | null;
}): Attempt {
  return {
    id: row.id,
    assignmentId: row.assignment_id,
    number: row.number,
    seed: row.seed,
    drawn: row.drawn as DrawnItem[],
    startedAt: row.started_at,
    deadline: row.deadline,
    submittedAt: row.submitted_at,
    percent: row.percent === null ? null : Number(row.percent),
    passed: row.passed,
    mustPassMissed: row.must_pass_missed,
  };
}
