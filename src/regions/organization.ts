import type { Division, Place, Unit } from './division.ts';

/** `bureau`: an education bureau itself; `unspecified`: a roster that does not say. */
export const organizationKinds = [
  'unspecified',
  'bureau',
  'kindergarten',
  'primary',
  'junior',
  'senior',
  'nine_year',
  'twelve_year',
  'vocational',
  'special',
  'university',
] as const;
export type OrganizationKind = (typeof organizationKinds)[number];

export interface Organization extends Place {
  readonly id: string;
  readonly name: string;
  readonly kind: OrganizationKind;
  readonly divisionCode: string;
  readonly studentCount: number | null;
  readonly studentCountOn: string | null;
  /** Its last day; null while it is open. */
  readonly closedOn: string | null;
  /** The one that took it over. */
  readonly mergedIntoId: string | null;
}

/** What became of an organization, from a day on. Names or division codes before and after; after a merger, the other's id. */
export interface OrganizationChange {
  readonly kind: 'renamed' | 'moved' | 'closed' | 'reopened' | 'merged';
  readonly changedOn: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** What names a unit. */
export function asUnit(unit: Division | Organization): Unit {
  return 'level' in unit ? { kind: 'division', code: unit.code } : { kind: 'organization', id: unit.id };
}
