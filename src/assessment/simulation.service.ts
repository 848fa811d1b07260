import type { Clock } from '../clock.ts';
import { beginConversation, converse, findEnding, findTurn } from '../courses/converse.ts';
import type { CourseVersion } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { SimulationActivity } from '../courses/manifest.ts';
import type { Ending, Mood, Scenario } from '../courses/scenario.ts';
import type { ContentText } from '../courses/notation.ts';
import { walkScenario } from '../courses/walk-scenario.ts';
import { actingAs } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound, TurnMovedOn } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { LearningService } from '../learning/learning.service.ts';
import type { Viewer } from '../people/permission.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { simulationData } from './simulation-data.repository.ts';
import { findRun, insertMove, insertRun, listMoves, listRuns } from './simulation.repository.ts';
import {
  judgeConversation,
  shownChoices,
  whyRunBlocked,
  type SimulationBlocked,
  type SimulationMove,
  type SimulationRun,
} from './simulation.ts';

/** A run as its learner may see it: what was and what is, and nothing of what could be. */
export interface SeenRun {
  readonly run: SimulationRun;
  readonly title: ContentText;
  readonly setting: ContentText;
  readonly student: Scenario['student'];
  readonly passMark: number;
  /** null: it has ended. */
  readonly turn: SeenTurn | null;
  readonly moves: readonly SeenMove[];
  readonly ending: Pick<Ending, 'title' | 'text' | 'mood'> | null;
  /** null until it has ended. */
  readonly mustPass: readonly { readonly title: ContentText; readonly taken: boolean }[] | null;
}

export interface SeenTurn {
  readonly number: number;
  readonly narration: ContentText | null;
  readonly says: ContentText | null;
  readonly mood: Mood;
  /** In the order of this run: a choice is named by its place. */
  readonly choices: readonly { readonly key: string; readonly say: ContentText }[];
}

export interface SeenMove {
  readonly number: number;
  readonly narration: ContentText | null;
  readonly says: ContentText | null;
  readonly mood: Mood;
  readonly said: ContentText;
  /** null in a graded run that has not ended. */
  readonly coach: ContentText | null;
  /** What it was worth and what it did; null until the run has ended. */
  readonly replay: {
    readonly points: number;
    readonly trust: number;
    readonly distress: number;
    readonly steps: readonly ContentText[];
  } | null;
}

/** Of a few courses at the versions that people are on. */
const MOST_KNOWN = 200;

export type SimulationService = ReturnType<typeof makeSimulationService>;

/** Conversations are run here, turn by turn: no browser has the tree, and what it sends is a choice of those that it was shown. */
export function makeSimulationService({
  db,
  clock,
  random,
  courses,
  programmes,
  learning,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  courses: CourseService;
  programmes: ProgrammeService;
  learning: LearningService;
}) {
  /** Points of the best way by course version and activity: both never change. */
  const best = new Map<string, number>();
  const bestPointsOf = (course: CourseVersion, activityKey: string): number => {
    const key = `${course.id} ${activityKey}`;
    const known = best.get(key);
    if (known !== undefined) return known;
    const walked = walkScenario(course.scenarios[activityKey]!);
    if (!('ways' in walked)) throw new Error(`The scenario of ${key} was never checked.`);
    best.set(key, walked.ways.most);
    return walked.ways.most;
  };

  /** Scenarios by course version and activity: they never change once somebody learns by them, and each move needs one. */
  const known = new Map<string, Scenario>();
  const scenarioOf = async (executor: Executor, run: SimulationRun): Promise<Scenario> => {
    const key = `${run.courseVersionId} ${run.activityKey}`;
    const before = known.get(key);
    if (before !== undefined) return before;
    const [course] = await courses.listVersions(executor, [run.courseVersionId]);
    const scenario = course!.scenarios[run.activityKey]!;
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(key, scenario);
    return scenario;
  };

  const own = async (viewer: Viewer, id: string): Promise<SimulationRun | undefined> => {
    const run = await findRun(db, id);
    return run !== undefined && (await programmes.findOwnAssignment(viewer, run.assignmentId)) !== undefined
      ? run
      : undefined;
  };

  const blockedNow = async (
    executor: Executor,
    assignment: Assignment,
    activity: SimulationActivity,
  ): Promise<SimulationBlocked | undefined> =>
    whyRunBlocked({
      activity,
      runs: await listRuns(executor, assignment.id, activity.key),
      now: clock.now(),
    });

  return {
    /** What this room holds about people in conversations. */
    personalData: simulationData,
    /** Newest first; of an assignment that has been found to be the viewer's own. */
    listRuns: async (assignment: Assignment, activityKey: string): Promise<SimulationRun[]> =>
      listRuns(db, assignment.id, activityKey),
    whyBlocked: async (
      assignment: Assignment,
      activity: SimulationActivity,
    ): Promise<SimulationBlocked | undefined> => blockedNow(db, assignment, activity),
    findOwn: own,

    /** Of a run that has been found to be the viewer's own. */
    async see(run: SimulationRun): Promise<SeenRun> {
      const scenario = await scenarioOf(db, run);
      return seeRun(scenario, run, await listMoves(db, run.id));
    },

    /** @throws Conflict with a code of `SimulationBlocked` */
    async start(
      viewer: Viewer,
      input: { assignmentId: string; activityKey: string },
    ): Promise<SimulationRun> {
      const assignment = await programmes.findOwnAssignment(viewer, input.assignmentId);
      if (assignment === undefined) throw new NotFound('The assignment');
      return db.transaction().execute(async (tx) => {
        // Of two starts at once the second waits here, and then finds the run open.
        await programmes.getAssignment(tx, assignment.id, { lock: true });
        const course = await programmes.courseOf(tx, assignment);
        const activity = findSimulation(course, input.activityKey);
        if (activity === undefined) throw new NotFound('The activity');
        const blocked = await blockedNow(tx, assignment, activity);
        if (blocked !== undefined) throw new Conflict(blocked.code, blocked.message, blocked.retryAt);
        await programmes.pinCourse(tx, assignment.id, course.id);
        const at = clock.now();
        const scenario = course.scenarios[activity.key]!;
        const run = await insertRun(tx, {
          assignmentId: assignment.id,
          activityKey: activity.key,
          number: (await listRuns(tx, assignment.id, activity.key)).length + 1,
          mode: activity.mode,
          courseVersionId: course.id,
          seed: Buffer.from(random(16)).toString('hex'),
          state: beginConversation(scenario),
          bestPoints: bestPointsOf(course, activity.key),
          startedAt: at,
        });
        await learning.recordProgress(tx, {
          assignmentId: assignment.id,
          activityKey: activity.key,
          completed: false,
          at,
        });
        if (run.mode === 'graded')
          await insertJournalEntry(tx, {
            at,
            actor: `person:${viewer.personId}`,
            action: 'simulation.start',
            subject: `simulation-run:${run.id}`,
            personId: assignment.personId,
          });
        return run;
      });
    },

    /**
     * Makes a move in the viewer's own run. What was chosen first stands: a move for a turn that is over is refused.
     * @param input.turn the number of the turn that the viewer looks at.
     * @param input.choice its place among the choices shown, as a text.
     * @throws TurnMovedOn, InvalidInput
     */
    async move(
      viewer: Viewer,
      input: { runId: string; turn: number; choice: string },
    ): Promise<SimulationRun> {
      if ((await own(viewer, input.runId)) === undefined) throw new NotFound('The conversation');
      // Points and verdicts are written by the issuer: nobody's browser reaches these columns.
      return actingAs('issuer', async () =>
        db.transaction().execute(async (tx) => {
          const run = (await findRun(tx, input.runId, { lock: true }))!;
          if (run.finishedAt !== null || run.moves + 1 !== input.turn) throw new TurnMovedOn(run.id);
          const scenario = await scenarioOf(tx, run);
          const turn = findTurn(scenario, run.state.at)!;
          const shown = shownChoices(turn, run.seed);
          const choice = shown.find((_each, index) => placeOf(index) === input.choice);
          if (choice === undefined)
            throw new InvalidInput('input.choice', `This turn has the choices 1 to ${shown.length}.`);
          const state = converse(scenario, run.state, choice)!;
          const verdict =
            findEnding(scenario, state.at) === undefined
              ? undefined
              : judgeConversation(scenario, state, {
                  points: run.points + choice.points,
                  bestPoints: run.bestPoints,
                });
          const at = clock.now();
          await insertMove(tx, {
            run,
            turnKey: turn.key,
            choiceKey: choice.key,
            points: choice.points,
            state,
            verdict,
            at,
          });
          if (verdict !== undefined) {
            if (run.mode === 'practice' || verdict.passed)
              await learning.recordProgress(tx, {
                assignmentId: run.assignmentId,
                activityKey: run.activityKey,
                completed: true,
                at,
              });
            if (run.mode === 'graded')
              await insertJournalEntry(tx, {
                at,
                actor: `person:${viewer.personId}`,
                action: 'simulation.grade',
                subject: `simulation-run:${run.id}`,
                detail: { percent: verdict.percent, passed: verdict.passed },
                personId: (await programmes.getAssignment(tx, run.assignmentId)).personId,
              });
          }
          return (await findRun(tx, run.id))!;
        }),
      );
    },
  };
}

function findSimulation(course: CourseVersion, key: string): SimulationActivity | undefined {
  return course.manifest.modules
    .flatMap((module) => module.activities)
    .find((each): each is SimulationActivity => each.kind === 'simulation' && each.key === key);
}

function placeOf(index: number): string {
  return String(index + 1);
}

function seeRun(scenario: Scenario, run: SimulationRun, moves: readonly SimulationMove[]): SeenRun {
  const ended = run.finishedAt !== null;
  const turn = ended ? undefined : findTurn(scenario, run.state.at);
  const ending = ended ? findEnding(scenario, run.state.at) : undefined;
  return {
    run,
    title: scenario.title,
    setting: scenario.setting,
    student: scenario.student,
    passMark: scenario.passMark,
    turn:
      turn === undefined
        ? null
        : {
            number: run.moves + 1,
            narration: turn.narration ?? null,
            says: turn.says ?? null,
            mood: turn.mood,
            choices: shownChoices(turn, run.seed).map((choice, index) => ({
              key: placeOf(index),
              say: choice.say,
            })),
          },
    moves: moves.map((move, index): SeenMove => {
      const at = findTurn(scenario, move.turnKey)!;
      const choice = at.choices.find((each) => each.key === move.choiceKey)!;
      const before = moves[index - 1]?.state ?? { ...scenario.start, taken: [] };
      return {
        number: move.number,
        narration: at.narration ?? null,
        says: at.says ?? null,
        mood: at.mood,
        said: choice.say,
        coach: ended || run.mode === 'practice' ? choice.coach : null,
        replay: ended
          ? {
              points: move.points,
              trust: move.state.trust - before.trust,
              distress: move.state.distress - before.distress,
              steps: scenario.mustPass
                .filter(({ key }) => move.state.taken.includes(key) && !before.taken.includes(key))
                .map(({ title }) => title),
            }
          : null,
      };
    }),
    ending: ending === undefined ? null : { title: ending.title, text: ending.text, mood: ending.mood },
    mustPass: ended
      ? scenario.mustPass.map(({ key, title }) => ({ title, taken: run.state.taken.includes(key) }))
      : null,
  };
}
