/** More time or attempts for one person in the exam of a certification. */
export interface Accommodation {
  readonly id: string;
  readonly personId: string;
  readonly certificationId: string;
  /** Of the exam's minutes: 0, or 10 to 200. */
  readonly extraTimePercent: number;
  /** 0 to 3. */
  readonly extraAttempts: number;
  readonly reason: string;
  readonly startsOn: string;
  /** Last day, inclusive; null: until it is revoked. */
  readonly endsOn: string | null;
  readonly grantedBy: string;
  readonly grantedAt: Date;
  readonly revokedAt: Date | null;
}

/** What holds on a day: of several the most of each, never their sum. */
export function allowanceOn(
  accommodations: readonly Accommodation[],
  day: string,
): { extraTimePercent: number; extraAttempts: number } {
  const holding = accommodations.filter((each) => holdsOn(each, day));
  return {
    extraTimePercent: Math.max(0, ...holding.map((each) => each.extraTimePercent)),
    extraAttempts: Math.max(0, ...holding.map((each) => each.extraAttempts)),
  };
}

export function holdsOn(
  { startsOn, endsOn, revokedAt }: Pick<Accommodation, 'startsOn' | 'endsOn' | 'revokedAt'>,
  day: string,
): boolean {
  return revokedAt === null && startsOn <= day && (endsOn === null || day <= endsOn);
}

/** Whole minutes, rounded up. */
export function extraMinutes(minutes: number, extraTimePercent: number): number {
  return Math.ceil((minutes * extraTimePercent) / 100);
}
