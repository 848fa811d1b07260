import { CEILING_FACTOR, CLASS_HOUR_MINUTES } from '../courses/hours.ts';
import type { Manifest } from '../courses/manifest.ts';

/*
 * Time that the server counts, by the rules that are published to teachers (web/learner/about-time.tsx, decision 21). Lengths are in
 * milliseconds unless they say otherwise.
 */

/** In the ledger the exam is an activity beside those of the course. */
export const EXAM_KEY = 'exam';

/** How often a page tells that it is there, in seconds: drawn anew each time between the two. */
export const BEAT_SECONDS = { least: 15, most: 25 } as const;
/** A pause between two heartbeats counts whole up to this: two may be lost on a bad line. */
export const GAP_MS = 75_000;
/** After a longer pause so much of it counts: the page was there at its beginning. */
export const TAIL_MS = 20_000;
/** So long somebody may read without touching anything. */
export const IDLE_MS = 180_000;

/** The most that can be credited to an activity; undefined: the course has none of this key. The exam has its time limit. */
export function ceilingOf(manifest: Manifest, activityKey: string): number | undefined {
  const activity = manifest.modules
    .flatMap((module) => module.activities)
    .find((each) => each.key === activityKey);
  if (activity !== undefined) return activity.minutes * CEILING_FACTOR * 60_000;
  return activityKey === EXAM_KEY ? manifest.exam.minutes * 60_000 : undefined;
}

/** The time that a course declares, and its content supports. */
export function declaredTime(manifest: Pick<Manifest, 'classHours'>): number {
  return manifest.classHours * CLASS_HOUR_MINUTES * 60_000;
}

/** What a certification asks of hours. */
export interface HoursPolicy {
  /** Of the declared time, 0 to 1. */
  readonly minimumHoursShare: number;
  /** How long a class hour is. */
  readonly classHourMinutes: number;
}

/** How much must be in the ledger before a certificate is issued. */
export function neededTime(manifest: Pick<Manifest, 'classHours'>, policy: HoursPolicy): number {
  return Math.ceil(declaredTime(manifest) * policy.minimumHoursShare);
}

/** Class hours, rounded down to a tenth: what was earned, and never more than the course declares. */
export function creditedHours(
  manifest: Pick<Manifest, 'classHours'>,
  policy: HoursPolicy,
  creditedMs: number,
): number {
  // In tenths of an hour, so that 0.3 is not 0.29999999999999998.
  const tenths = Math.floor((creditedMs * 10) / (policy.classHourMinutes * 60_000));
  return Math.min(manifest.classHours, tenths / 10);
}

/** Time of one assignment. */
export interface CreditedTime {
  readonly totalMs: number;
  readonly byActivity: ReadonlyMap<string, number>;
}
