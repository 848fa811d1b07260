import type { GrantRole } from '../people/permission.ts';
import type { Place, Scope } from '../regions/division.ts';

/** A role that was given to a person in a scope. It is never deleted: it ends. */
export interface RoleGrant {
  readonly id: string;
  readonly personId: string;
  readonly role: GrantRole;
  readonly scope: Scope;
  /** Where its scope stands, to ask who may give or see it. */
  readonly place: Place;
  readonly startsOn: string;
  /** Last day, inclusive; null = until it is ended. */
  readonly endsOn: string | null;
  /** null: at the shell. */
  readonly grantedBy: string | null;
  /** null: before it was written down. */
  readonly grantedAt: Date | null;
  readonly reason: string;
  /** When somebody decided that it ends, by whom and why; null unless somebody did. */
  readonly endedAt: Date | null;
  readonly endedBy: string | null;
  readonly endReason: string | null;
  /** Ended at once: since then it holds no more, whatever its last day. */
  readonly revokedAt: Date | null;
}

export type GrantState = 'planned' | 'holding' | 'ended';

type Dates = Pick<RoleGrant, 'startsOn' | 'endsOn' | 'revokedAt'>;

export function grantStateOn(grant: Dates, day: string): GrantState {
  if (grant.revokedAt !== null || (grant.endsOn !== null && grant.endsOn < day)) return 'ended';
  return grant.startsOn > day ? 'planned' : 'holding';
}

/** Whether one grant holds on every day from `from` on that the other would still hold on. */
export function standsInFor(other: Dates, grant: Dates, from: string): boolean {
  return (
    other.revokedAt === null &&
    other.startsOn <= (grant.startsOn > from ? grant.startsOn : from) &&
    (other.endsOn === null || (grant.endsOn !== null && other.endsOn >= grant.endsOn))
  );
}
