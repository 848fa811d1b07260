import type { Problem } from '../h5p/problem.ts';

/** What a check of a course gathers in one pass. */
export interface Findings {
  readonly problems: Problem[];
  /** What stands in nobody's way, and an author should look at. */
  readonly warnings: Problem[];
}
