/** Something that an author must mend: where, and what. */
export interface Problem {
  /** File, and where in it. */
  readonly where: string;
  readonly what: string;
}

/** Many hold one mistake a hundred times; nobody reads more. */
const MAX_TOLD = 200;

/** What was found in one pass. A warning stands in nobody's way: other H5P players take it too. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: Problem[] = [];

  problem(where: string, what: string): void {
    if (this.problems.length < MAX_TOLD) this.problems.push({ where, what });
  }

  warn(where: string, what: string): void {
    if (this.warnings.length < MAX_TOLD) this.warnings.push({ where, what });
  }
}
