import {
  beginConversation,
  branchesOf,
  branchOf,
  converse,
  findEnding,
  findTurn,
  type Branch,
  type ConversationState,
} from './converse.ts';
import { readingMinutes } from './hours.ts';
import { gauges, type Choice, type Gauge, type Scenario, type Turn } from './scenario.ts';

/** As many states as a conversation may have: more than an author could ever look over. */
export const MOST_STATES = 20_000;
/** To think about what to say, besides the reading. */
const TURN_MINUTES = 0.5;

/** What follows from a state, over all ways to an end. */
interface Ahead {
  readonly ways: number;
  readonly shortest: number;
  readonly longest: number;
  readonly minutes: number;
  readonly most: number;
  readonly least: number;
  /** Of ways to an ending that passes, with all must-pass steps taken; undefined: there is none. */
  readonly mostPassing: number | undefined;
  readonly leastPassing: number | undefined;
  /** Of all others. */
  readonly mostFailing: number | undefined;
}

export interface Move {
  readonly turn: string;
  readonly choice: string;
}

/** Everything that can happen in a conversation, over all its states. */
export interface Ways extends Ahead {
  readonly states: number;
  readonly turns: ReadonlySet<string>;
  readonly endings: ReadonlySet<string>;
  readonly branches: ReadonlySet<Branch>;
  readonly steps: ReadonlySet<string>;
  /** The way with the most points that can be passed, or with the most. */
  readonly bestWay: readonly Move[];
  /** The way with the fewest points, and of these the shortest. */
  readonly worstWay: readonly Move[];
}

export type Walked =
  | { readonly ways: Ways }
  | { readonly deadEnds: readonly { readonly turn: Turn; readonly choice: Choice; readonly state: string }[] }
  | { readonly tooLarge: true };

/**
 * Walks every way through a scenario that has no loop and whose `next`s all exist. States from which the same can follow are one, so that
 * the number of ways does not matter; a gauge that no condition asks for makes no difference to what can follow.
 */
export function walkScenario(scenario: Scenario): Walked {
  const asked = gaugesAskedFor(scenario);
  const known = new Map<string, Ahead | null>();
  const turns = new Set<string>();
  const endings = new Set<string>();
  const branches = new Set<Branch>();
  const steps = new Set<string>();
  const deadEnds: { turn: Turn; choice: Choice; state: string }[] = [];
  // Each is met in hundreds of states.
  const reading = new Map<Turn | Choice, number>();
  const minutesOf = (its: Turn | Choice): number => {
    let minutes = reading.get(its);
    if (minutes === undefined) {
      minutes =
        'coach' in its
          ? readingMinutes([its.coach])
          : readingMinutes([its.narration, its.says, ...its.choices.map(({ say }) => say)]);
      reading.set(its, minutes);
    }
    return minutes;
  };
  const keyOf = (state: ConversationState): string =>
    [state.at, ...asked.map((gauge) => state[gauge]), ...state.taken].join(' ');

  const ahead = (state: ConversationState): Ahead | null => {
    const key = keyOf(state);
    const before = known.get(key);
    if (before !== undefined) return before;
    if (known.size >= MOST_STATES) throw new TooLarge();
    for (const step of state.taken) steps.add(step);
    const ending = findEnding(scenario, state.at);
    let found: Ahead | null;
    if (ending !== undefined) {
      endings.add(ending.key);
      const passes = canPass(scenario, state);
      found = {
        ways: 1,
        shortest: 0,
        longest: 0,
        minutes: readingMinutes([ending.title, ending.text]),
        most: 0,
        least: 0,
        mostPassing: passes ? 0 : undefined,
        leastPassing: passes ? 0 : undefined,
        mostFailing: passes ? undefined : 0,
      };
    } else {
      const turn = findTurn(scenario, state.at)!;
      turns.add(turn.key);
      found = null;
      for (const choice of turn.choices) {
        const next = converse(scenario, state, choice);
        if (next === undefined) {
          if (!deadEnds.some((each) => each.choice === choice))
            deadEnds.push({
              turn,
              choice,
              state: gauges.map((gauge) => `${gauge} ${state[gauge]}`).join(', '),
            });
          continue;
        }
        branches.add(branchOf(choice, next)!);
        const after = ahead(next);
        if (after !== null) found = joined(found, behind(choice, after, minutesOf(choice)));
      }
      if (found !== null) {
        found = { ...found, minutes: found.minutes + minutesOf(turn) + TURN_MINUTES };
      }
    }
    known.set(key, found);
    return found;
  };

  const start = beginConversation(scenario);
  let all: Ahead | null;
  try {
    all = ahead(start);
  } catch (error) {
    if (error instanceof TooLarge) return { tooLarge: true };
    throw error;
  }
  if (deadEnds.length > 0 || all === null) return { deadEnds };
  const minutes = all.minutes + readingMinutes([scenario.title, scenario.setting]);
  return {
    ways: {
      ...all,
      minutes,
      states: known.size,
      turns,
      endings,
      branches,
      steps,
      bestWay: wayFrom(start, isBetter),
      worstWay: wayFrom(start, isWorse),
    },
  };

  function wayFrom(from: ConversationState, better: (one: Ahead, other: Ahead) => boolean): Move[] {
    const way: Move[] = [];
    let state = from;
    for (let turn = findTurn(scenario, state.at); turn !== undefined; turn = findTurn(scenario, state.at)) {
      const here = turn.choices.map((choice) => {
        const next = converse(scenario, state, choice)!;
        return { choice, next, after: behind(choice, known.get(keyOf(next))!, minutesOf(choice)) };
      });
      const taken = here.reduce((one, other) => (better(other.after, one.after) ? other : one));
      way.push({ turn: turn.key, choice: taken.choice.key });
      state = taken.next;
    }
    return way;
  }
}

/** Of two ways that go on from a turn: that which can be passed before that which can't, then by points, then the shorter. */
function isBetter(one: Ahead, other: Ahead): boolean {
  if (one.mostPassing !== undefined || other.mostPassing !== undefined) {
    const by = (one.mostPassing ?? -1) - (other.mostPassing ?? -1);
    return by > 0 || (by === 0 && one.shortest < other.shortest);
  }
  return one.most > other.most || (one.most === other.most && one.shortest < other.shortest);
}

function isWorse(one: Ahead, other: Ahead): boolean {
  return one.least < other.least || (one.least === other.least && one.shortest < other.shortest);
}

/** Whether a conversation that ended so is passed, if its points suffice. */
export function canPass(scenario: Scenario, end: ConversationState): boolean {
  return findEnding(scenario, end.at)?.passes === true && end.taken.length === scenario.mustPass.length;
}

class TooLarge extends Error {
  override name = 'TooLarge';
}

function gaugesAskedFor(scenario: Scenario): Gauge[] {
  const named = scenario.turns
    .flatMap((turn) => turn.choices.flatMap(branchesOf))
    .flatMap((branch) => [branch.if?.atLeast ?? {}, branch.if?.atMost ?? {}]);
  return gauges.filter((gauge) => named.some((bounds) => bounds[gauge] !== undefined));
}

/** A choice, and what follows from where it leads. */
function behind(choice: Choice, after: Ahead, minutes: number): Ahead {
  const more = (points: number | undefined): number | undefined =>
    points === undefined ? undefined : points + choice.points;
  return {
    ways: after.ways,
    shortest: after.shortest + 1,
    longest: after.longest + 1,
    minutes: after.minutes + minutes,
    most: after.most + choice.points,
    least: after.least + choice.points,
    mostPassing: more(after.mostPassing),
    leastPassing: more(after.leastPassing),
    mostFailing: more(after.mostFailing),
  };
}

function joined(one: Ahead | null, other: Ahead): Ahead {
  if (one === null) return other;
  return {
    ways: one.ways + other.ways,
    shortest: Math.min(one.shortest, other.shortest),
    longest: Math.max(one.longest, other.longest),
    minutes: Math.max(one.minutes, other.minutes),
    most: Math.max(one.most, other.most),
    least: Math.min(one.least, other.least),
    mostPassing: either(Math.max, one.mostPassing, other.mostPassing),
    leastPassing: either(Math.min, one.leastPassing, other.leastPassing),
    mostFailing: either(Math.max, one.mostFailing, other.mostFailing),
  };
}

function either(
  choose: (...values: number[]) => number,
  ...values: (number | undefined)[]
): number | undefined {
  const there = values.filter((value) => value !== undefined);
  return there.length === 0 ? undefined : choose(...there);
}
