/** Something that an author must mend: where, and what. */
export interface Problem {
  /** File inside the course folder, and where in it. */
  readonly where: string;
  readonly what: string;
}
