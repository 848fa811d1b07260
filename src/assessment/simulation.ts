import { createHash } from 'node:crypto';
import { percentOf, type ConversationState } from '../courses/converse.ts';
import type { SimulationActivity } from '../courses/manifest.ts';
import type { Choice, Scenario, Turn } from '../courses/scenario.ts';
import { canPass } from '../courses/walk-scenario.ts';

/** One conversation of a learner, from the first turn to an ending. The scenario is frozen with the course version. */
export interface SimulationRun {
  readonly id: string;
  readonly assignmentId: string;
  readonly activityKey: string;
  readonly number: number;
  readonly mode: SimulationActivity['mode'];
  readonly courseVersionId: string;
  readonly seed: string;
  readonly state: ConversationState;
  /** How many moves have been made. */
  readonly moves: number;
  readonly points: number;
  readonly bestPoints: number;
  readonly startedAt: Date;
  readonly finishedAt: Date | null;
  /** 0–100. */
  readonly percent: number | null;
  readonly passed: boolean | null;
}

export interface SimulationMove {
  readonly number: number;
  readonly turnKey: string;
  readonly choiceKey: string;
  readonly points: number;
  /** After it. */
  readonly state: Omit<ConversationState, 'at'>;
}

export interface Verdict {
  /** 0–100, two decimals, rounded down. */
  readonly percent: number;
  readonly passed: boolean;
}

/** The ending must be one that passes, every must-pass step taken whatever the points, and the pass mark reached. */
export function judgeConversation(
  scenario: Scenario,
  end: ConversationState,
  earned: { readonly points: number; readonly bestPoints: number },
): Verdict {
  const percent = percentOf(earned.points, earned.bestPoints);
  return { percent, passed: canPass(scenario, end) && percent >= scenario.passMark };
}

/**
 * A turn's choices in the order in which a run shows them: by a hash of its seed, the turn and the choice, so that it is the same
 * on every device and tells nothing of the order in which they were written.
 */
export function shownChoices(turn: Turn, seed: string): Choice[] {
  const rank = (choice: Choice): string =>
    createHash('sha256').update(`${seed}:${turn.key}:${choice.key}`).digest('hex');
  return turn.choices
    .map((choice) => [rank(choice), choice] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([, choice]) => choice);
}

/** Why no run can begin now; undefined = one can. */
export interface SimulationBlocked {
  readonly code: 'RUN_OPEN' | 'ALREADY_PASSED' | 'NO_RUNS_LEFT' | 'RETRY_TOO_EARLY';
  readonly message: string;
  readonly retryAt?: Date;
}

/** The rule for beginning a conversation: one at a time; practice as often as one likes, a graded one by its resit rule. */
export function whyRunBlocked(facts: {
  readonly activity: SimulationActivity;
  readonly runs: readonly Pick<SimulationRun, 'mode' | 'finishedAt' | 'passed'>[];
  readonly now: Date;
}): SimulationBlocked | undefined {
  const { activity, runs, now } = facts;
  if (runs.some((run) => run.finishedAt === null))
    return { code: 'RUN_OPEN', message: 'A conversation is open; go on with it first.' };
  if (activity.mode === 'practice') return undefined;
  const graded = runs.filter((run) => run.mode === 'graded');
  if (graded.some((run) => run.passed === true))
    return { code: 'ALREADY_PASSED', message: 'This conversation has been passed.' };
  const { resit } = activity;
  if (resit === undefined) return undefined;
  if (graded.length >= resit.attempts)
    return {
      code: 'NO_RUNS_LEFT',
      message: `All ${resit.attempts} tries have been used; ask your training coordinator.`,
    };
  const last = Math.max(...graded.map((run) => run.finishedAt!.getTime()));
  const retryAt = new Date(last + resit.afterHours * 3_600_000);
  if (graded.length > 0 && retryAt > now)
    return { code: 'RETRY_TOO_EARLY', message: `The next try opens at ${retryAt.toISOString()}.`, retryAt };
  return undefined;
}
