import type { Role } from '../people/role.ts';
import type { Place } from '../regions/division.ts';

/** Of what a target is: people covered, organizations that have their staff, or what an indicator counts. */
export type Measured =
  | { readonly measure: 'coverage'; readonly certificationId: string }
  | { readonly measure: 'staffing' }
  | { readonly measure: 'indicator'; readonly indicatorId: string };

/** What share of the holders of a role (null: of any of the certification's) is to be covered in a division and below, from a day on; of other measures the role is null. */
export interface Target {
  readonly divisionCode: string;
  readonly role: Role | null;
  /** Above 0, at most 1. */
  readonly rate: number;
  readonly startsOn: string;
}

/** The plan names no number for coverage training; where nobody has set one, everybody is to be covered. */
export const DEFAULT_TARGET = 1;

/**
 * The target of a unit on a day: of each division above it the one that began last, of these the highest, since a lower
 * jurisdiction may raise and never lower. One for any role also holds for each. undefined: nobody has set one.
 */
export function targetFor(
  targets: readonly Target[],
  place: Place,
  role: Role | null,
  day: string,
): number | undefined {
  const above = [place.provinceCode, place.prefectureCode, place.countyCode];
  const inForce = new Map<string, Target>();
  for (const target of targets) {
    if (!above.includes(target.divisionCode) || target.startsOn > day) continue;
    if (target.role !== null && target.role !== role) continue;
    const key = `${target.divisionCode} ${target.role ?? ''}`;
    const known = inForce.get(key);
    if (known === undefined || known.startsOn < target.startsOn) inForce.set(key, target);
  }
  return inForce.size === 0 ? undefined : Math.max(...[...inForce.values()].map((target) => target.rate));
}

/** People still to be covered until the target is reached. */
export function peopleToTarget({ covered, total }: { covered: number; total: number }, rate: number): number {
  // 0.95 × 40 is 38.00000000000001 to a computer, and 38 to everybody else.
  return Math.max(0, Math.ceil(rate * total - 1e-6) - covered);
}
