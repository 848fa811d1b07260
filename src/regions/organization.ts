import type { Place } from './division.ts';

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
