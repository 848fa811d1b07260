import type { Role } from '../people/role.ts';
import type { Manifest } from '../courses/manifest.ts';
import type { Text } from '../courses/notation.ts';

/** The rule: who must hold what, for how long. `divisionCode` set it; it holds there and below. */
export interface Certification {
  readonly id: string;
  readonly code: string;
  readonly title: Text;
  /** The course of the first period. */
  readonly courseSlug: string;
  readonly roles: readonly Role[];
  /** null = a certificate does not expire. */
  readonly validityMonths: number | null;
  /** The recertification window: so many months before a certificate runs out its holder is assigned anew; null = nobody is on their own. */
  readonly renewalMonths: number | null;
  /** The course of every later period; null = the same one. */
  readonly renewalCourseSlug: string | null;
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

/** How people stand with a certification. The certification room implements it. */
export interface Standings {
  /**
   * For which period each of these people is to have an assignment on a day in China: their latest one, or the one after it once the
   * certificate of that is revoked, has expired, or is within the window. From 1 on.
   * @returns by person's id, all of them.
   */
  listNextPeriods(
    certification: Pick<Certification, 'id' | 'renewalMonths'>,
    personIds: readonly string[],
    day: string,
  ): Promise<ReadonlyMap<string, number>>;
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

/** One person's duty to earn a certification in a period (1 = the first time, from 2 on it renews). */
export interface Assignment {
  readonly id: string;
  readonly certificationId: string;
  readonly personId: string;
  readonly cohortId: string;
  readonly period: number;
  readonly dueOn: string | null;
  readonly courseVersionId: string | null;
}

/** Somebody who is to renew a certificate. */
export interface Renewal {
  readonly personId: string;
  /** The new one, from 2 on. */
  readonly period: number;
  readonly dueOn: string;
  /** Of the certification's roles the first that the person holds. */
  readonly role: Role;
}

/** The course that leads to a certification in a period. */
export function courseSlugIn(
  certification: Pick<Certification, 'courseSlug' | 'renewalCourseSlug'>,
  period: number,
): string {
  return (period > 1 ? certification.renewalCourseSlug : null) ?? certification.courseSlug;
}
