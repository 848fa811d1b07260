import { addDays } from '../../clock.ts';
import type { Role } from '../../people/role.ts';
import type { Random } from './random.ts';
import { kinds, type Place, type School, type SchoolKind } from './school.ts';

export interface DatedPost {
  readonly role: Role;
  readonly organizationSourceId: string;
  readonly workload: 'full' | 'part';
  readonly startsOn: string;
  readonly endsOn: string | null;
}

export interface Career {
  readonly female: boolean;
  readonly birthday: Date;
  readonly posts: readonly DatedPost[];
}

/** The year in which the school year of `today` began. */
export function schoolYearOf(today: string): number {
  const year = Number(today.slice(0, 4));
  return today.slice(5) >= '09-01' ? year : year - 1;
}

/** Share of staff whose file shows a post that ended and another that followed it. */
const MOVED = 0.067;

/** Somebody who fills this place: gender, age, and how they came to it. */
export function drawCareer(
  random: Random,
  today: string,
  school: School,
  place: Place,
  elsewhere: readonly School[],
): Career {
  const year = schoolYearOf(today);
  const main = place.posts[0]?.role ?? 'subject_teacher';
  const young =
    place.posts.some((post) => post.role === 'young_pioneers_leader') || main === 'college_counselor';
  const age =
    main === 'principal' ? random.between(36, 57) : young ? random.between(23, 38) : teacherAge(random);
  const female = random.chance(shareOfWomen(school.kind, main, age)) && !(age > 55 && random.chance(0.9));
  const born = year - age;
  const birthday = new Date(Date.UTC(born, random.between(0, 7), random.between(1, 28)));
  // Those born before 1978 mostly left a normal school at 19, later ones a college at 22 or more.
  const hired = Math.min(year, born + (born < 1978 ? 19 + random.between(0, 3) : 22 + random.between(0, 2)));

  const moved = year - hired >= 2 && random.chance(MOVED);
  const longest = Math.min(year - hired, usualYears(main));
  const since = moved
    ? year - random.between(0, Math.min(9, year - hired - 1))
    : year - skewed(random, longest);
  const startsOn = startIn(random, since, today);
  const posts: DatedPost[] = [];
  if (moved) {
    const before = elsewhere.length > 0 && random.chance(0.7) ? random.pick(elsewhere) : school;
    const sameRole = before !== school && main !== 'young_pioneers_leader' && random.chance(0.7);
    const role = sameRole || main === 'subject_teacher' ? main : 'subject_teacher';
    posts.push({
      role: before === school && role === main ? otherRole(school.kind) : role,
      organizationSourceId: before.sourceId,
      workload: 'full',
      startsOn: startIn(random, random.between(hired, since - 1), today, { onlySeptember: true }),
      endsOn: addDays(startsOn, -1),
    });
  }
  place.posts.forEach(({ role, workload }, index) => {
    const began =
      index === 0
        ? startsOn
        : startIn(random, year - skewed(random, Math.min(year - since, usualYears(role))), today);
    posts.push({
      role,
      organizationSourceId: school.sourceId,
      workload,
      startsOn: began < startsOn ? startsOn : began,
      endsOn: null,
    });
  });
  return { female, birthday, posts };
}

/** What a subject teacher may have been before, in the same house. */
function otherRole(kind: SchoolKind): Role {
  return kind === 'university' ? 'college_counselor' : 'class_teacher';
}

function teacherAge(random: Random): number {
  const drawn = random.fraction();
  if (drawn < 0.2) return random.between(22, 28);
  if (drawn < 0.56) return random.between(29, 40);
  if (drawn < 0.86) return random.between(41, 51);
  return random.between(52, 59);
}

function shareOfWomen(kind: SchoolKind, role: Role, age: number): number {
  const women = kinds[kind].women - (kind !== 'kindergarten' && age > 45 ? 0.18 : 0);
  if (role === 'principal') return kind === 'kindergarten' ? 0.94 : women * 0.5;
  if (role === 'young_pioneers_leader' || role === 'mental_health_teacher') return Math.max(women, 0.85);
  return women;
}

/** How long people usually stay in a post of this role. */
function usualYears(role: Role): number {
  return role === 'subject_teacher' || role === 'graduate_tutor' ? 34 : role === 'principal' ? 9 : 7;
}

/** 0 … `most`, the small ones likelier. */
function skewed(random: Random, most: number): number {
  return Math.min(most, Math.floor(random.fraction() * (0.3 + 0.7 * random.fraction()) * (most + 1)));
}

/** Nine in ten posts begin on 1 September; the others any time of that school year. Never after today. */
function startIn(
  random: Random,
  year: number,
  today: string,
  { onlySeptember = false }: { onlySeptember?: boolean } = {},
): string {
  const september = `${year}-09-01`;
  if (onlySeptember || random.chance(0.9)) return september;
  const other = random.chance(0.5) ? `${year + 1}-03-01` : addDays(september, random.between(1, 300));
  return other > today ? september : other;
}
