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
}

/** What names a unit. */
export function asUnit(unit: Division | Organization): Unit {
  return 'level' in unit ? { kind: 'division', code: unit.code } : { kind: 'organization', id: unit.id };
}
