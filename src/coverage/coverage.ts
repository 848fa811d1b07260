import type { Role } from '../people/role.ts';
import type { Unit } from '../regions/division.ts';

/**
 * Coverage rate 覆盖率 of a certification, for a role, in a unit, on a day:
 * numerator = distinct people who hold the role there on that day and hold a certificate that is valid on that day;
 * denominator = distinct people who hold the role there on that day.
 */
export interface Coverage {
  readonly covered: number;
  readonly total: number;
}

export interface RoleCoverage extends Coverage {
  readonly role: Role;
}

/** From 0 to 1; undefined where nobody holds the role: nothing of nothing is neither all nor none. */
export function rateOf({ covered, total }: Coverage): number | undefined {
  return total === 0 ? undefined : covered / total;
}

/** The gap in people, which is what a coordinator can act on. */
export function gapOf({ covered, total }: Coverage): number {
  return total - covered;
}

/** A unit as the kept numbers name it: a division's code, or minus an organization's id. */
export function unitKey(unit: Unit): string {
  return unit.kind === 'division' ? unit.code : `-${unit.id}`;
}

/** The unit that a key names. */
export function unitOfKey(key: string): Unit {
  return key.startsWith('-')
    ? { kind: 'organization', id: key.slice(1) }
    : { kind: 'division', code: key.padStart(6, '0') };
}
