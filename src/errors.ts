/**
 * Refusals: what the service expects to have to say no to. Each has a stable `code` that clients may switch on, a message for
 * a person, and is mapped once per door. Anything else that is thrown is a defect: logged, masked and given an id.
 */
export abstract class Refusal extends Error {
  abstract readonly code: string;
  override get name(): string {
    return this.constructor.name;
  }
}

/** Nobody is signed in, or the session has ended. */
export class NotSignedIn extends Refusal {
  readonly code = 'NOT_SIGNED_IN';
  constructor(message = 'Sign in first: this needs a session.') {
    super(message);
  }
}

/** Told alike for an object that does not exist and for one that the viewer may not see. */
export class NotFound extends Refusal {
  readonly code = 'NOT_FOUND';
  constructor(what: string) {
    super(`${what} was not found.`);
  }
}

/** The viewer may see the object but not do this with it. */
export class NotAllowed extends Refusal {
  readonly code = 'NOT_ALLOWED';
}

/** The input is not of the shape or range that is asked for. `path` is the input field, dotted. */
export class InvalidInput extends Refusal {
  readonly code = 'INVALID_INPUT';
  readonly path: string;
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}

/** The state of the thing does not permit this now; `code` says which rule, e.g. `ATTEMPT_CLOSED`. */
export class Conflict extends Refusal {
  readonly code: string;
  /** When it may be tried again, where the rule is about time. */
  readonly retryAt: Date | undefined;
  constructor(code: string, message: string, retryAt?: Date) {
    super(message);
    this.code = code;
    this.retryAt = retryAt;
  }
}

/** Another page or device has made a move in this conversation: what is now, is its run. */
export class TurnMovedOn extends Refusal {
  readonly code = 'TURN_MOVED_ON';
  readonly runId: string;
  constructor(runId: string) {
    super('The conversation has gone on: this turn is over, and what was chosen first stands.');
    this.runId = runId;
  }
}

/** Too much was asked within a time; it can be asked again later. */
export class RateLimited extends Refusal {
  readonly code = 'RATE_LIMITED';
  /** Seconds. */
  readonly retryAfter: number;
  constructor(retryAfter: number) {
    super(`Too much was asked for within a minute; try again in ${retryAfter} s.`);
    this.retryAfter = retryAfter;
  }
}

/** A row that can't be taken, and why. */
export interface RefusedRow {
  /** 1-based; the header is line 1. */
  readonly line: number;
  /** null when the whole row is meant. */
  readonly column: string | null;
  readonly value: string | null;
  /** For a person. */
  readonly reason: { readonly 'zh-CN': string; readonly en: string };
}

/** What is wrong with a package, and where. */
export interface PackageProblem {
  readonly where: string;
  readonly what: string;
}

/** A package was refused whole, for all of this. */
export class PackageRefused extends Refusal {
  readonly code = 'PACKAGE_REFUSED';
  readonly problems: readonly PackageProblem[];
  constructor(problems: readonly PackageProblem[]) {
    const [first] = problems;
    super(
      `The package was not taken in. ${first === undefined ? '' : `${first.where} ${first.what}`}${problems.length > 1 ? ` And ${problems.length - 1} more.` : ''}`.trim(),
    );
    this.problems = problems;
  }
}

/** A table was refused whole for these of its rows. */
export class RowsRefused extends Refusal {
  readonly code = 'ROWS_REFUSED';
  readonly rows: readonly RefusedRow[];
  constructor(rows: readonly RefusedRow[]) {
    super(`Nothing was taken in: ${rows.length} ${rows.length === 1 ? 'place is' : 'places are'} faulty.`);
    this.rows = rows;
  }
}
