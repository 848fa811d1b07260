import type { Manifest } from '../courses/manifest.ts';

export type Shortfall =
  | { readonly code: 'ACTIVITY_UNFINISHED'; readonly activityKey: string }
  | { readonly code: 'CONVERSATION_NOT_PASSED'; readonly activityKey: string }
  | { readonly code: 'EXAM_NOT_TAKEN'; readonly passMark: number }
  | {
      readonly code: 'EXAM_NOT_PASSED';
      readonly passMark: number;
      readonly bestPercent: number;
      /** The points were enough in the best attempt, and a must-pass item was missed in it. */
      readonly mustPassMissed: boolean;
    }
  | {
      readonly code: 'HOURS_MISSING';
      /** Class hours so far and needed. */
      readonly credited: number;
      readonly needed: number;
      readonly minutesToGo: number;
    };

/** What a learner still lacks for the certificate, every shortfall by name; an empty list = eligible. */
export function findShortfalls(facts: {
  manifest: Manifest;
  completed: ReadonlySet<string>;
  attempts: readonly { percent: number | null; passed: boolean | null }[];
  hours: {
    readonly time: { readonly totalMs: number };
    readonly neededMs: number;
    readonly credited: number;
    readonly needed: number;
  };
}): Shortfall[] {
  const { manifest, completed, attempts, hours } = facts;
  const shortfalls: Shortfall[] = manifest.modules
    .flatMap((module) => module.activities)
    .filter((activity) => !completed.has(activity.key))
    .map((activity) => ({
      // Of a graded conversation to come to an end is not enough.
      code:
        activity.kind === 'simulation' && activity.mode === 'graded'
          ? 'CONVERSATION_NOT_PASSED'
          : 'ACTIVITY_UNFINISHED',
      activityKey: activity.key,
    }));
  if (!attempts.some((attempt) => attempt.passed === true)) {
    const graded = attempts.flatMap((attempt) => attempt.percent ?? []);
    shortfalls.push(
      graded.length === 0
        ? { code: 'EXAM_NOT_TAKEN', passMark: manifest.exam.passMark }
        : {
            code: 'EXAM_NOT_PASSED',
            passMark: manifest.exam.passMark,
            bestPercent: Math.max(...graded),
            mustPassMissed: Math.max(...graded) >= manifest.exam.passMark,
          },
    );
  }
  if (hours.time.totalMs < hours.neededMs)
    shortfalls.push({
      code: 'HOURS_MISSING',
      credited: hours.credited,
      needed: hours.needed,
      minutesToGo: Math.ceil((hours.neededMs - hours.time.totalMs) / 60_000),
    });
  return shortfalls;
}
