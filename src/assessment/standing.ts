import type { Manifest } from '../courses/manifest.ts';

export interface AttemptFacts {
  readonly number: number;
  readonly submittedAt: Date | null;
  readonly passed: boolean | null;
}

/** Why no attempt can begin now; undefined = one can. */
export type Blocked =
  | { readonly code: 'LESSONS_UNFINISHED'; readonly message: string }
  | { readonly code: 'ATTEMPT_OPEN'; readonly message: string }
  | { readonly code: 'ALREADY_PASSED'; readonly message: string }
  | { readonly code: 'NO_ATTEMPTS_LEFT'; readonly message: string }
  | { readonly code: 'RESIT_TOO_EARLY'; readonly message: string; readonly retryAt: Date };

/**
 * The rule for beginning an exam: lessons first, one attempt at a time, and the resit rule of the course.
 * @param facts.extraAttempts what an accommodation adds.
 */
export function whyBlocked(facts: {
  unfinished: number;
  attempts: readonly AttemptFacts[];
  exam: Pick<Manifest['exam'], 'resit'>;
  extraAttempts: number;
  now: Date;
}): Blocked | undefined {
  const { attempts, exam } = facts;
  const allowed = exam.resit.attempts + facts.extraAttempts;
  if (attempts.some((attempt) => attempt.passed === true))
    return { code: 'ALREADY_PASSED', message: 'The exam has been passed.' };
  if (attempts.some((attempt) => attempt.submittedAt === null))
    return { code: 'ATTEMPT_OPEN', message: 'An attempt is open; finish it first.' };
  if (facts.unfinished > 0)
    return {
      code: 'LESSONS_UNFINISHED',
      message: `${facts.unfinished} activities are still to be finished before the exam.`,
    };
  if (attempts.length >= allowed)
    return {
      code: 'NO_ATTEMPTS_LEFT',
      message: `All ${allowed} attempts have been used; ask your training coordinator.`,
    };
  const last = attempts.reduce<Date | undefined>(
    (latest, attempt) =>
      attempt.submittedAt !== null && (latest === undefined || attempt.submittedAt > latest)
        ? attempt.submittedAt
        : latest,
    undefined,
  );
  if (last !== undefined) {
    const retryAt = new Date(last.getTime() + exam.resit.afterHours * 3_600_000);
    if (retryAt > facts.now)
      return {
        code: 'RESIT_TOO_EARLY',
        message: `The next attempt opens at ${retryAt.toISOString()}.`,
        retryAt,
      };
  }
  return undefined;
}
