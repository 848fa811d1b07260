/** Something that an author must mend: where, and what. */
export interface Problem {
  /** File inside the course folder, and where in it. */
  readonly where: string;
  readonly what: string;
}

/** What a check gathers in one pass. */
export interface Findings {
  readonly problems: Problem[];
  /** What stands in nobody's way, and an author should look at. */
  readonly warnings: Problem[];
}
