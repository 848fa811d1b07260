import type { ConversationState } from '../courses/converse.ts';
import type { Executor } from '../db/database.ts';
import type { SimulationMove, SimulationRun, Verdict } from './simulation.ts';

export async function listRuns(
  db: Executor,
  assignmentId: string,
  activityKey: string,
): Promise<SimulationRun[]> {
  const rows = await db
    .selectFrom('simulation_runs')
    .selectAll()
    .where('assignment_id', '=', assignmentId)
    .where('activity_key', '=', activityKey)
    .orderBy('number', 'desc')
    .execute();
  return rows.map(toRun);
}

export async function findRun(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<SimulationRun | undefined> {
  const row = await db
    .selectFrom('simulation_runs')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : toRun(row);
}

export async function insertRun(
  tx: Executor,
  given: {
    assignmentId: string;
    activityKey: string;
    number: number;
    mode: SimulationRun['mode'];
    courseVersionId: string;
    seed: string;
    state: ConversationState;
    bestPoints: number;
    startedAt: Date;
  },
): Promise<SimulationRun> {
  const row = await tx
    .insertInto('simulation_runs')
    .values({
      assignment_id: given.assignmentId,
      activity_key: given.activityKey,
      number: given.number,
      mode: given.mode,
      course_version_id: given.courseVersionId,
      seed: given.seed,
      ...columnsOf(given.state),
      best_points: given.bestPoints,
      started_at: given.startedAt,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return toRun(row);
}

/** Appends a move to a run that the caller holds locked, and the verdict where it was the last. */
export async function insertMove(
  tx: Executor,
  given: {
    run: SimulationRun;
    turnKey: string;
    choiceKey: string;
    points: number;
    state: ConversationState;
    verdict: Verdict | undefined;
    at: Date;
  },
): Promise<void> {
  const { run, state, verdict } = given;
  const { stands_at: standsAt, ...after } = columnsOf(state);
  await tx
    .insertInto('simulation_moves')
    .values({
      run_id: run.id,
      number: run.moves + 1,
      turn_key: given.turnKey,
      choice_key: given.choiceKey,
      points: given.points,
      ...after,
      at: given.at,
    })
    .execute();
  await tx
    .updateTable('simulation_runs')
    .set({
      stands_at: standsAt,
      ...after,
      moves: run.moves + 1,
      points: run.points + given.points,
      ...(verdict === undefined
        ? {}
        : { finished_at: given.at, percent: verdict.percent, passed: verdict.passed }),
    })
    .where('id', '=', run.id)
    .execute();
}

export async function listMoves(db: Executor, runId: string): Promise<SimulationMove[]> {
  const rows = await db
    .selectFrom('simulation_moves')
    .selectAll()
    .where('run_id', '=', runId)
    .orderBy('number')
    .execute();
  return rows.map((row) => ({
    number: row.number,
    turnKey: row.turn_key,
    choiceKey: row.choice_key,
    points: row.points,
    state: { trust: row.trust, distress: row.distress, risk: row.risk, taken: row.taken },
  }));
}

function columnsOf(state: ConversationState) {
  return {
    stands_at: state.at,
    trust: state.trust,
    distress: state.distress,
    risk: state.risk,
    taken: [...state.taken],
  };
}

function toRun(row: {
  id: string;
  assignment_id: string;
  activity_key: string;
  number: number;
  mode: string;
  course_version_id: string;
  seed: string;
  stands_at: string;
  trust: number;
  distress: number;
  risk: number;
  taken: string[];
  moves: number;
  points: number;
  best_points: number;
  started_at: Date;
  finished_at: Date | null;
  percent: string | null;
  passed: boolean | null;
}): SimulationRun {
  return {
    id: row.id,
    assignmentId: row.assignment_id,
    activityKey: row.activity_key,
    number: row.number,
    mode: row.mode as SimulationRun['mode'],
    courseVersionId: row.course_version_id,
    seed: row.seed,
    state: {
      at: row.stands_at,
      trust: row.trust,
      distress: row.distress,
      risk: row.risk,
      taken: row.taken,
    },
    moves: row.moves,
    points: row.points,
    bestPoints: row.best_points,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    percent: row.percent === null ? null : Number(row.percent),
    passed: row.passed,
  };
}
