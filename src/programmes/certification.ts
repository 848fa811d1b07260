import type { Role } from '../people/role.ts';
import type { Text } from '../courses/manifest.ts';

/** The rule: who must hold what, for how long. `divisionCode` set it; it holds there and below. */
export interface Certification {
  readonly id: string;
  readonly code: string;
  readonly title: Text;
  readonly courseSlug: string;
  readonly roles: readonly Role[];
  /** null = a certificate does not expire. */
  readonly validityMonths: number | null;
  readonly divisionCode: string;
  readonly issuerName: string;
  readonly template: string;
  readonly templateVersion: number;
}

/** People assigned together, by role and unit. */
export interface Cohort {
  readonly id: string;
  readonly certificationId: string;
  readonly name: string;
  readonly role: Role;
  readonly divisionCode: string | null;
  readonly organizationId: string | null;
  readonly dueOn: string | null;
}

/** One person's duty to earn a certification in a period (1 = the first time). */
export interface Assignment {
  readonly id: string;
  readonly certificationId: string;
  readonly personId: string;
  readonly cohortId: string;
  readonly period: number;
  readonly dueOn: string | null;
  readonly courseVersionId: string | null;
}
