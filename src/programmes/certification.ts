import type { Role } from '../people/role.ts';
import type { Manifest } from '../courses/manifest.ts';
import type { Text } from '../courses/notation.ts';

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
  /** How much of the course's declared time must be in the time ledger before a certificate is issued; 0 to 1. */
  readonly minimumHoursShare: number;
  /** How long a class hour is there. */
  readonly classHourMinutes: number;
}

/**
 * Tries whether certificates of a certification could be printed, before anybody learns for it. The certification room implements it.
 * @throws InvalidInput naming what can not.
 */
export type Proof = (
  planned: Pick<Certification, 'title' | 'issuerName' | 'template' | 'templateVersion' | 'divisionCode'> & {
    readonly course: Pick<Manifest, 'title' | 'classHours' | 'review'>;
  },
) => Promise<void>;

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
