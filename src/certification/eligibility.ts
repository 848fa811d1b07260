import type { Manifest } from '../courses/manifest.ts';

export type Shortfall =
  | { readonly code: 'ACTIVITY_UNFINISHED'; readonly activityKey: string }
  | { readonly code: 'EXAM_NOT_TAKEN'; readonly passMark: number }
  | {
      readonly code: 'EXAM_NOT_PASSED';
      readonly passMark: number;
      readonly bestPercent: number;
      /** The points were enough in the best attempt, and a must-pass item was missed in it. */
      readonly mustPassMissed: boolean;
    };

/** What a learner still lacks for the certificate, every shortfall by name; an empty list = eligible. */
export function findShortfalls(facts: {
  manifest: Manifest;
  completed: ReadonlySet<string>;
  attempts: readonly { percent: number | null; passed: boolean | null }[];
}): Shortfall[] {
  const { manifest, completed, attempts } = facts;
  const shortfalls: Shortfall[] = manifest.modules
    .flatMap((module) => module.activities)
    .filter((activity) => !completed.has(activity.key))
    .map((activity) => ({ code: 'ACTIVITY_UNFINISHED', activityKey: activity.key }));
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
  return shortfalls;
}
