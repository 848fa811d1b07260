import type { OrganizationKind } from '../regions/organization.ts';

/*
 * Staffing 配备, item 14 of the action plan: each primary or secondary school has at least one mental-health teacher 心理健康教育教师,
 * full- or part-time (专兼职); a university at least one full-time (专职) for 4,000 students, and at least two; and research staff for
 * psychology 心理教研员 in each county.
 */

/** Students of a university for whom one full-time teacher is enough. */
const STUDENTS_PER_TEACHER = 4_000;
const FEWEST_AT_UNIVERSITY = 2;

/** Of whom nothing is asked: the item names schools and universities; a kindergarten is neither, and a bureau has no students. */
export const kindsNotJudged: readonly OrganizationKind[] = ['kindergarten', 'bureau'];

/** `unknown`: what is required can't be told, so neither can whether it is there. */
export type Standing = 'met' | 'short' | 'unknown';

/** What is known of an organization on a day. */
export interface StaffingFacts {
  readonly kind: OrganizationKind;
  /** As last counted up to the day, or first after it; null = never. */
  readonly students: number | null;
  /** Distinct people who hold the role of a mental-health teacher there, with any workload. */
  readonly anyLoad: number;
  /** Of these, who hold it full-time. */
  readonly fullTime: number;
}

export interface Staffed {
  readonly standing: Standing;
  /** In people; null where it can't be told. */
  readonly required: number | null;
  /** In people of the kind that counts: full-time at a university, any elsewhere. */
  readonly present: number;
  /** People to be found yet; 0 where it is met, and where it can't be told. */
  readonly peopleShort: number;
}

/** Whether an organization has the staff that is asked of it; undefined where nothing is. */
export function judgeStaffing({ kind, students, anyLoad, fullTime }: StaffingFacts): Staffed | undefined {
  if (kindsNotJudged.includes(kind)) return undefined;
  const present = kind === 'university' ? fullTime : anyLoad;
  const required = requiredStaff(kind, students);
  if (required === null) return { standing: 'unknown', required, present, peopleShort: 0 };
  const peopleShort = Math.max(0, required - present);
  return { standing: peopleShort === 0 ? 'met' : 'short', required, present, peopleShort };
}

function requiredStaff(kind: OrganizationKind, students: number | null): number | null {
  // It may be a university, or a bureau.
  if (kind === 'unspecified') return null;
  if (kind !== 'university') return 1;
  return students === null
    ? null
    : Math.max(FEWEST_AT_UNIVERSITY, Math.ceil(students / STUDENTS_PER_TEACHER));
}

/** Of a unit. The rate is organizations that have their staff ÷ organizations of which staff is asked: one that is unknown has not. */
export interface Staffing {
  readonly organizations: number;
  readonly met: number;
  readonly short: number;
  readonly unknown: number;
  /** In people, where it can be told. */
  readonly required: number;
  /** In people, wherever staff is asked. */
  readonly present: number;
  /** The shortages added up: what one school has too many does not help another. */
  readonly peopleShort: number;
}

export const NO_STAFFING: Staffing = {
  organizations: 0,
  met: 0,
  short: 0,
  unknown: 0,
  required: 0,
  present: 0,
  peopleShort: 0,
};

/** `sum` with so many organizations more that stand alike. */
export function addStaffed(sum: Staffing, staffed: Staffed, organizations = 1): Staffing {
  const add = (standing: Standing): number =>
    sum[standing] + (staffed.standing === standing ? organizations : 0);
  return {
    organizations: sum.organizations + organizations,
    met: add('met'),
    short: add('short'),
    unknown: add('unknown'),
    required: sum.required + organizations * (staffed.required ?? 0),
    present: sum.present + organizations * staffed.present,
    peopleShort: sum.peopleShort + organizations * staffed.peopleShort,
  };
}

/** Counties, and those of them where somebody holds the role of a researcher. */
export interface Researchers {
  readonly counties: number;
  readonly countiesWithResearcher: number;
}

export const NO_COUNTIES: Researchers = { counties: 0, countiesWithResearcher: 0 };
