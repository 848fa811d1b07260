import type { AccountDoubt } from './who.ts';

export const accountStates = ['waiting', 'linked', 'refused'] as const;
export type AccountState = (typeof accountStates)[number];

/** Somebody on a platform, and who it is here. */
export interface LtiAccount {
  readonly id: string;
  readonly registrationId: string;
  /** `sub`: what the platform calls them by. */
  readonly subject: string;
  readonly accountState: AccountState;
  readonly personId: string | null;
  readonly doubt: AccountDoubt | null;
  /** What the platform said of them, while it waits. */
  readonly toldName: string | null;
  readonly toldIdentifier: string | null;
  readonly createdAt: Date;
  readonly seenAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
}
