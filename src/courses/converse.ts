import { gauges, type Choice, type Ending, type Gauge, type Scenario, type Turn } from './scenario.ts';

/** How a conversation stands: with the student of the story, and with the must-pass steps. */
export interface ConversationState extends Readonly<Record<Gauge, number>> {
  /** Key of the turn that is shown, or of the ending. */
  readonly at: string;
  /** Must-pass steps that have been taken, in the scenario's order. */
  readonly taken: readonly string[];
}

export function beginConversation(scenario: Scenario): ConversationState {
  return { at: scenario.first, ...scenario.start, taken: [] };
}

export function findTurn(scenario: Scenario, key: string): Turn | undefined {
  return scenario.turns.find((turn) => turn.key === key);
}

export function findEnding(scenario: Scenario, key: string): Ending | undefined {
  return scenario.endings.find((ending) => ending.key === key);
}

/** Where a choice leads. @returns undefined where none of its conditions holds, which the course check rules out. */
export function converse(
  scenario: Scenario,
  state: ConversationState,
  choice: Choice,
): ConversationState | undefined {
  const moved = Object.fromEntries(
    gauges.map((gauge) => [gauge, within(state[gauge] + (choice.changes[gauge] ?? 0))]),
  ) as Record<Gauge, number>;
  const taken = scenario.mustPass
    .map((step) => step.key)
    .filter((key) => state.taken.includes(key) || choice.takes.includes(key));
  const branch = branchOf(choice, { ...moved, taken });
  return branch === undefined ? undefined : { at: branch.to, ...moved, taken };
}

export type Branch = Extract<Choice['next'], readonly unknown[]>[number];

/** The ways that a choice may lead, one that is always open included. */
export function branchesOf(choice: Choice): readonly Branch[] {
  return typeof choice.next === 'string' ? [{ to: choice.next }] : choice.next;
}

/** The first whose condition holds. */
export function branchOf(choice: Choice, after: Omit<ConversationState, 'at'>): Branch | undefined {
  return branchesOf(choice).find(({ if: condition }) => {
    if (condition === undefined) return true;
    const { atLeast = {}, atMost = {}, taken = [], notTaken = [] } = condition;
    return (
      gauges.every(
        (gauge) => after[gauge] >= (atLeast[gauge] ?? 0) && after[gauge] <= (atMost[gauge] ?? 100),
      ) &&
      taken.every((key) => after.taken.includes(key)) &&
      !notTaken.some((key) => after.taken.includes(key))
    );
  });
}

/** Of the points of the best way: 0 to 100, two decimals, rounded down. */
export function percentOf(points: number, best: number): number {
  return best === 0 ? 0 : Math.floor((points / best) * 10_000 + 1e-6) / 100;
}

function within(value: number): number {
  return Math.min(100, Math.max(0, value));
}
