/** Why a grade has not reached a platform. */
export const gradeFailures = ['unreachable', 'busy', 'token', 'refused', 'foreign'] as const;
export type GradeFailure = (typeof gradeFailures)[number];

export type GradeState = 'waiting' | 'sent' | 'late' | 'failed';

/** What a platform is to be told of somebody at one of its links, as they see it. */
export interface LtiGrade {
  readonly id: string;
  readonly assignmentId: string;
  /** What people know the platform by. */
  readonly platformTitle: string;
  readonly contextTitle: string | null;
  readonly linkTitle: string | null;
  readonly gradeState: GradeState;
  /** When the platform took the last of it. */
  readonly sentAt: Date | null;
  /** The link's own score as it was told last; null: none was. */
  readonly score: number | null;
  readonly failure: GradeFailure | null;
  /** What the platform answered, where it did. */
  readonly failureStatus: number | null;
  readonly failedAt: Date | null;
  readonly retryAt: Date | null;
}

/** late: it did not work and is tried again by itself, at its time; failed: the platform said no, and would again. */
export function gradeState(row: {
  owed: boolean;
  failedAt: Date | null;
  retryAt: Date | null;
  sentAt: Date | null;
}): GradeState {
  if (row.owed) return row.failedAt !== null && row.retryAt !== null ? 'late' : 'waiting';
  if (row.failedAt !== null) return 'failed';
  return row.sentAt === null ? 'waiting' : 'sent';
}

/** So many in a row of one link's, or of one platform's, did not get through: the rest has its turn in a minute, and none of it is put off for longer. */
export const MOST_FAILURES_OF_LINK = 3;
export const MOST_FAILURES_OF_PLATFORM = 10;

const FIRST_WAIT_S = 30;
const LONGEST_WAIT_S = 6 * 3_600;

/**
 * How long to leave a platform alone, in seconds: what it asks for, or twice as long each time; never quite the same, so that all that it missed does not
 * come at one moment.
 * @param failures in a row, this one too. @param chance from 0 to 1.
 */
export function waitSeconds(failures: number, asked: number | undefined, chance: number): number {
  const usual = Math.min(FIRST_WAIT_S * 2 ** Math.min(failures - 1, 20), LONGEST_WAIT_S);
  // What it asks for is the least.
  return asked === undefined
    ? usual * (0.75 + chance / 2)
    : Math.min(Math.max(asked, 1), LONGEST_WAIT_S) * (1 + chance / 4);
}
