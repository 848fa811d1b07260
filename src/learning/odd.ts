import { chinaDay } from '../clock.ts';

/* What looks odd in somebody's time. A flag says so with its numbers, and a person judges: by itself it fails nobody. */

export const flagKinds = ['too_fast', 'machine_regular', 'shared_device', 'parallel_devices'] as const;
export type FlagKind = (typeof flagKinds)[number];

/** Completed in less than this share of the minutes that its author expects. */
export const FAST_SHARE = 0.2;
/** Heartbeats enough to tell something of how even they are. */
export const EVEN_BEATS = 30;
/** Standard deviation by mean. The service asks for heartbeats at uneven times, which alone makes 0.14. */
export const EVEN_SPREAD = 0.04;
/** So many people at one device in one day. */
export const MANY_PEOPLE = 4;
/** Two devices at work at once, for longer than it takes to change from one to the other. */
export const PARALLEL_MS = 120_000;
const PARALLEL_BEATS = 3;

export interface OddStretch {
  readonly activityKey: string;
  readonly beganAt: Date;
  readonly endedAt: Date;
  readonly creditedMs: number;
  readonly beats: number;
  readonly interactions: number;
  readonly interactionSquares: number;
  readonly intervalMs: number;
  readonly intervalSquares: number;
  /** Its keyed hash, in hex; null: it told none. */
  readonly device: string | null;
}

export interface OddFacts {
  /** Completed activities of the assignment. */
  readonly completed: readonly { readonly key: string; readonly minutes: number; readonly at: Date }[];
  /** Of the assignment. */
  readonly stretches: readonly OddStretch[];
  /** Of other assignments of the same person. */
  readonly elsewhere: readonly OddStretch[];
  /** How many people were at the devices of the assignment, by day. */
  readonly sharers: readonly { readonly day: string; readonly people: number }[];
}

export interface Oddity {
  readonly kind: FlagKind;
  /** The activity or the day: with the kind it is raised once. */
  readonly about: string;
  readonly detail: Readonly<Record<string, number>>;
}

export function findOddities(facts: OddFacts): Oddity[] {
  return [...tooFast(facts), ...machineRegular(facts), ...sharedDevice(facts), ...parallelDevices(facts)];
}

function tooFast({ completed, stretches }: OddFacts): Oddity[] {
  return completed.flatMap(({ key, minutes, at }) => {
    const spent = stretches
      .filter((stretch) => stretch.activityKey === key && stretch.beganAt <= at)
      .reduce(
        (sum, stretch) => sum + Math.min(stretch.creditedMs, at.getTime() - stretch.beganAt.getTime()),
        0,
      );
    return spent < minutes * 60_000 * FAST_SHARE
      ? [{ kind: 'too_fast', about: key, detail: { seconds: Math.round(spent / 1000), minutes } }]
      : [];
  });
}

function machineRegular({ stretches }: OddFacts): Oddity[] {
  const byDay = new Map<string, Oddity>();
  for (const stretch of stretches) {
    if (stretch.beats < EVEN_BEATS) continue;
    const intervals = spreadOf(stretch.intervalMs, stretch.intervalSquares, stretch.beats);
    const interactions = spreadOf(stretch.interactions, stretch.interactionSquares, stretch.beats);
    const spread = Math.min(intervals, interactions);
    if (spread >= EVEN_SPREAD) continue;
    const day = chinaDay(stretch.beganAt);
    byDay.set(day, {
      kind: 'machine_regular',
      about: day,
      detail: { beats: stretch.beats, spreadPercent: Math.round(spread * 1000) / 10 },
    });
  }
  return [...byDay.values()];
}

/** Standard deviation by mean; what never happened is not even. */
function spreadOf(sum: number, squares: number, count: number): number {
  const mean = sum / count;
  return mean === 0 ? Infinity : Math.sqrt(Math.max(0, squares / count - mean ** 2)) / mean;
}

function sharedDevice({ sharers }: OddFacts): Oddity[] {
  return sharers
    .filter(({ people }) => people >= MANY_PEOPLE)
    .map(({ day, people }) => ({ kind: 'shared_device', about: day, detail: { people } }));
}

function parallelDevices({ stretches, elsewhere }: OddFacts): Oddity[] {
  const byDay = new Map<string, number>();
  const lively = (each: OddStretch): boolean => each.device !== null && each.beats >= PARALLEL_BEATS;
  for (const one of stretches.filter(lively))
    for (const other of [...stretches, ...elsewhere].filter(lively)) {
      if (other.device === one.device) continue;
      const together =
        Math.min(one.endedAt.getTime(), other.endedAt.getTime()) -
        Math.max(one.beganAt.getTime(), other.beganAt.getTime());
      const day = chinaDay(one.beganAt);
      if (together > PARALLEL_MS) byDay.set(day, Math.max(byDay.get(day) ?? 0, together));
    }
  return [...byDay].map(([day, together]) => ({
    kind: 'parallel_devices',
    about: day,
    detail: { minutes: Math.floor(together / 60_000) },
  }));
}
