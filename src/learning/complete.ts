import type { CompletionRule } from '../courses/manifest.ts';
import type { TakenStatement } from './statement.ts';

/** Verbs by their last word: contents use ADL's, and vocabularies that borrow from it. */
const FINISHING = new Set(['completed', 'answered', 'passed', 'failed', 'mastered']);

function verbOf({ verb }: TakenStatement): string {
  return verb.slice(Math.max(verb.lastIndexOf('/'), verb.lastIndexOf('#')) + 1);
}

/** That it is over, whichever way it went: by a verb, or by a result that says so under any verb. */
function isEnd(statement: TakenStatement): boolean {
  return FINISHING.has(verbOf(statement)) || statement.result.completion === true;
}

/**
 * Whether a statement by itself completes its activity. Contents that finish twice complete once, since what is complete stays so; a part
 * that is answered completes nothing but by `answered-all`, which counts (see `answeredPart`).
 */
export function completes(rule: CompletionRule, statement: TakenStatement): boolean {
  if (!statement.ofWhole) return false;
  switch (rule.rule) {
    case 'viewed':
      return true;
    case 'completed':
    case 'answered-all':
      return isEnd(statement);
    case 'score':
      // Under any verb: many contents tell the score with "answered", some with a verb of their own.
      return statement.result.scaled !== undefined && statement.result.scaled >= rule.atLeast;
    case 'time':
      return false;
  }
}

/** The part of a content that a statement says was answered; undefined where it says none. Answered again, it is the same. */
export function answeredPart(statement: TakenStatement): string | undefined {
  return !statement.ofWhole && statement.about !== '' && isEnd(statement) ? statement.about : undefined;
}

/** Whoever is not heard of for longer than this was away; the time in between does not count. */
export const LONGEST_PAUSE_S = 120;
