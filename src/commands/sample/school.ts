import type { OrganizationKind } from '../../regions/organization.ts';
import type { Role } from '../../people/role.ts';
import { apportion, type Random } from './random.ts';

/** A school as planned, before anybody works there. */
export interface School {
  readonly sourceId: string;
  readonly name: string;
  readonly kind: SchoolKind;
  readonly identifier: string;
  readonly parentSourceId: string;
  readonly divisionCode: string;
  readonly staff: number;
  readonly students: number;
  /** Of a university: whether it trains graduates and so has graduate tutors. */
  readonly graduates: boolean;
}

/** Who a school needs: one entry per person, each with the posts that the person holds there now. */
export interface Place {
  readonly posts: readonly { readonly role: Role; readonly workload: 'full' | 'part' }[];
}

interface KindFacts {
  readonly staff: number;
  readonly least: number;
  readonly studentsPerStaff: number;
  readonly classSize: number;
  readonly women: number;
  readonly mentalHealth: number;
  readonly mentalHealthFullTime: number;
  readonly pioneers: boolean;
  /** First digit of the school code. */
  readonly digit: number;
}

export type SchoolKind = Exclude<OrganizationKind, 'bureau' | 'unspecified'>;
/** The kinds that a county has by itself; where universities stand is decided for the whole roster. */
export type LocalKind = Exclude<SchoolKind, 'university'>;

/* Sizes and ratios lie near those of the yearly education statistics: pupils per teacher about 16 in primary, 13 in junior and
 * senior schools; classes of 40 to 50, of 28 in kindergartens. */
export const kinds: Readonly<Record<SchoolKind, KindFacts>> = {
  kindergarten: {
    staff: 12,
    least: 5,
    studentsPerStaff: 11,
    classSize: 28,
    women: 0.97,
    mentalHealth: 0,
    mentalHealthFullTime: 0,
    pioneers: false,
    digit: 1,
  },
  primary: {
    staff: 17,
    least: 5,
    studentsPerStaff: 17,
    classSize: 42,
    women: 0.74,
    mentalHealth: 0.78,
    mentalHealthFullTime: 0.25,
    pioneers: true,
    digit: 2,
  },
  junior: {
    staff: 42,
    least: 14,
    studentsPerStaff: 13.5,
    classSize: 46,
    women: 0.6,
    mentalHealth: 0.86,
    mentalHealthFullTime: 0.4,
    pioneers: false,
    digit: 3,
  },
  nine_year: {
    staff: 42,
    least: 18,
    studentsPerStaff: 15,
    classSize: 45,
    women: 0.66,
    mentalHealth: 0.85,
    mentalHealthFullTime: 0.35,
    pioneers: true,
    digit: 3,
  },
  senior: {
    staff: 110,
    least: 45,
    studentsPerStaff: 13,
    classSize: 50,
    women: 0.53,
    mentalHealth: 0.95,
    mentalHealthFullTime: 0.8,
    pioneers: false,
    digit: 3,
  },
  twelve_year: {
    staff: 120,
    least: 50,
    studentsPerStaff: 14,
    classSize: 44,
    women: 0.66,
    mentalHealth: 0.95,
    mentalHealthFullTime: 0.7,
    pioneers: true,
    digit: 3,
  },
  vocational: {
    staff: 75,
    least: 30,
    studentsPerStaff: 17,
    classSize: 45,
    women: 0.54,
    mentalHealth: 0.85,
    mentalHealthFullTime: 0.5,
    pioneers: false,
    digit: 3,
  },
  special: {
    staff: 24,
    least: 10,
    studentsPerStaff: 4,
    classSize: 10,
    women: 0.78,
    mentalHealth: 0.7,
    mentalHealthFullTime: 0.3,
    pioneers: false,
    digit: 5,
  },
  university: {
    staff: 260,
    least: 80,
    studentsPerStaff: 34,
    classSize: 0,
    women: 0.55,
    mentalHealth: 1,
    mentalHealthFullTime: 1,
    pioneers: false,
    digit: 4,
  },
};

const MIX: readonly (readonly [LocalKind, number])[] = [
  ['primary', 0.39],
  ['kindergarten', 0.353],
  ['junior', 0.09],
  ['nine_year', 0.08],
  ['senior', 0.047],
  ['vocational', 0.015],
  ['twelve_year', 0.012],
  ['special', 0.013],
];

/**
 * The schools of one county: so many, with so many staff in all.
 * @returns kind and size of each, the largest of a kind first (it takes the first name); the sizes add up to `staff`.
 */
export function planSchools(
  random: Random,
  schools: number,
  staff: number,
): { kind: LocalKind; staff: number }[] {
  const counts = apportion(
    schools,
    MIX.map(([, share]) => share * schools),
    () => 0,
  );
  const planned = MIX.flatMap(([kind], index) => Array.from({ length: counts[index] ?? 0 }, () => kind));
  // A small county has no room for a school that must be large.
  const needed = (): number => planned.reduce((sum, kind) => sum + kinds[kind].least, 0);
  while (needed() > staff * 0.85) {
    const largest = planned.reduce(
      (most, kind, index) => (kinds[kind].least > kinds[planned[most] ?? kind].least ? index : most),
      0,
    );
    if (planned[largest] === 'primary') break;
    planned[largest] = 'primary';
  }
  const weights = planned.map((kind) => kinds[kind].staff * random.factor(kind === 'primary' ? 0.65 : 0.35));
  const sizes = apportion(staff, weights, (index) => kinds[planned[index] ?? 'primary'].least);
  const inOrder = MIX.map(([kind]) => kind);
  return planned
    .map((kind, index) => ({ kind, staff: sizes[index] ?? 0 }))
    .sort((one, other) => inOrder.indexOf(one.kind) - inOrder.indexOf(other.kind) || other.staff - one.staff);
}

export function studentsOf(random: Random, kind: SchoolKind, staff: number): number {
  return Math.max(3, Math.round(staff * kinds[kind].studentsPerStaff * (0.85 + 0.3 * random.fraction())));
}

/** The posts of a school, one entry per member of staff, the head first. */
export function staffOf(random: Random, school: School): Place[] {
  return school.kind === 'university' ? universityStaff(random, school) : schoolStaff(random, school);
}

type Posts = { role: Role; workload: 'full' | 'part' }[];

function schoolStaff(random: Random, school: School): Place[] {
  const facts = kinds[school.kind];
  const people: Posts[] = Array.from({ length: school.staff }, () => []);
  const head = people[0];
  head?.push({ role: 'principal', workload: 'full' });

  const wantsCounsellor = random.chance(school.staff < 12 ? facts.mentalHealth / 2 : facts.mentalHealth);
  const fullTime = wantsCounsellor && random.chance(school.staff < 20 ? 0 : facts.mentalHealthFullTime);
  const specialist = fullTime ? people.at(-1) : undefined;
  specialist?.push({ role: 'mental_health_teacher', workload: 'full' });

  const teachers = people.slice(1, specialist === undefined ? undefined : -1);
  const classes = Math.max(1, Math.round(school.students / facts.classSize));
  teachers.forEach((posts, index) =>
    posts.push({ role: index < classes ? 'class_teacher' : 'subject_teacher', workload: 'full' }),
  );
  // Where there are more classes than teachers, the head leads one too.
  if (classes > teachers.length) head?.push({ role: 'class_teacher', workload: 'part' });

  // A second post beside the first one, for somebody who has only one.
  const beside = (role: Role, from: readonly Posts[]): void => {
    const free = from.filter((posts) => posts.length === 1);
    if (free.length > 0) random.pick(free).push({ role, workload: 'part' });
  };
  if (wantsCounsellor && !fullTime) beside('mental_health_teacher', teachers);
  if (facts.pioneers) {
    const subject = teachers.slice(classes);
    if (school.staff > 30 && subject.length > 6 && random.chance(0.3)) {
      const [post] = random.pick(subject.filter((posts) => posts.length === 1));
      if (post !== undefined) post.role = 'young_pioneers_leader';
    } else
      beside(
        'young_pioneers_leader',
        random.chance(0.7) || subject.length === 0 ? teachers.slice(0, classes) : subject,
      );
  }
  return people.map((posts) => ({ posts }));
}

function universityStaff(random: Random, school: School): Place[] {
  const needed = Math.max(2, Math.ceil(school.students / 4000));
  // One in six has not filled its posts yet.
  const mentalHealth = random.chance(0.17) ? needed - 1 : needed;
  const counselors = Math.ceil(school.students / 200);
  const left = Math.max(0, school.staff - 1 - mentalHealth - counselors);
  const tutors = school.graduates ? Math.round(left * 0.45) : 0;
  const order: (readonly [Role, number])[] = [
    ['principal', 1],
    ['college_counselor', counselors],
    ['mental_health_teacher', mentalHealth],
    ['graduate_tutor', tutors],
    ['subject_teacher', left - tutors],
  ];
  return order
    .flatMap(([role, count]) =>
      Array.from({ length: count }, (): Place => ({ posts: [{ role, workload: 'full' }] })),
    )
    .slice(0, school.staff);
}
