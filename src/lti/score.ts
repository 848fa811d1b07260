/*
 * What a platform is told of somebody (Assignment and Grade Services 2.0, section 3.4). A grade is what the server graded: practice moves
 * progress alone.
 */

/** Of a hundred, whatever is told. */
export const SCORE_MAXIMUM = 100;

export interface Score {
  /** null: there is none yet. */
  readonly score: number | null;
  readonly activityProgress: 'Initialized' | 'Started' | 'InProgress' | 'Submitted' | 'Completed';
  readonly gradingProgress: 'NotReady' | 'FullyGraded';
}

export interface Done {
  readonly activityKey: string;
  readonly completedAt: Date | null;
}
export interface Sat {
  readonly submittedAt: Date | null;
  readonly percent: number | null;
  readonly passed: boolean | null;
}

/** Nothing that a platform need hear of. */
export const UNTOUCHED: Score = { score: null, activityProgress: 'Initialized', gradingProgress: 'NotReady' };

/**
 * Of a whole course: the best exam. One that was not passed is told below the pass mark even where its points were enough and a must-pass item was
 * missed: a platform knows points alone, and would call it passed.
 */
export function scoreOfCourse(
  progress: readonly Done[],
  attempts: readonly Sat[],
  { passMark }: { passMark: number },
): Score {
  const graded = attempts.filter(({ submittedAt, percent }) => submittedAt !== null && percent !== null);
  const passed = graded.filter((attempt) => attempt.passed === true);
  const best = Math.max(...(passed.length > 0 ? passed : graded).map(({ percent }) => percent!));
  if (passed.length > 0)
    return { score: best, activityProgress: 'Completed', gradingProgress: 'FullyGraded' };
  if (graded.length > 0)
    return {
      score: Math.max(0, Math.min(best, passMark - 1)),
      activityProgress: 'Submitted',
      gradingProgress: 'FullyGraded',
    };
  return progress.length === 0 && attempts.length === 0
    ? UNTOUCHED
    : {
        score: null,
        activityProgress: progress.some(({ completedAt }) => completedAt !== null) ? 'InProgress' : 'Started',
        gradingProgress: 'NotReady',
      };
}

/** Of a module, or of one activity: it is done or not. */
export function scoreOfActivities(keys: readonly string[], progress: readonly Done[]): Score {
  const begun = progress.filter(({ activityKey }) => keys.includes(activityKey));
  const done = begun.filter(({ completedAt }) => completedAt !== null).length;
  if (keys.length > 0 && done === keys.length)
    return { score: SCORE_MAXIMUM, activityProgress: 'Completed', gradingProgress: 'FullyGraded' };
  return begun.length === 0
    ? UNTOUCHED
    : {
        score: null,
        activityProgress: done > 0 ? 'InProgress' : 'Started',
        gradingProgress: 'NotReady',
      };
}

export function sameScore(a: Score, b: Score | undefined): boolean {
  return (
    b !== undefined &&
    a.score === b.score &&
    a.activityProgress === b.activityProgress &&
    a.gradingProgress === b.gradingProgress
  );
}

/** A platform orders scores by their timestamps, of which some keep no more than the second. */
export function nextTimestamp(now: Date, last: Date | null): Date {
  const second = Math.floor(now.getTime() / 1000) * 1000;
  return new Date(last === null ? second : Math.max(second, Math.floor(last.getTime() / 1000) * 1000 + 1000));
}

/** Where scores of a line item are posted: `/scores` belongs to the path, before whatever query there is (section 3.4.1). */
export function scoresUrl(lineItemUrl: string): string {
  const url = new URL(lineItemUrl);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/scores`;
  return url.href;
}
