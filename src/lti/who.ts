import type { Launch } from './launch.ts';
import type { LtiRegistration } from './registration.ts';

/** Why no link is made by itself. */
export const accountDoubts = [
  'no-claim',
  'nobody',
  'several',
  'name-differs',
  'taken',
  'unverified',
] as const;
export type AccountDoubt = (typeof accountDoubts)[number];

export interface Candidate {
  readonly personId: string;
  readonly name: string;
}

/** What the registration goes by: a staff number, or an e-mail address. undefined: the launch brought none. */
export function identifierOf(
  registration: Pick<LtiRegistration, 'personClaim' | 'customParameter'>,
  launch: Pick<Launch, 'personSourcedId' | 'custom' | 'email'>,
): string | undefined {
  const value =
    registration.personClaim === 'person_sourcedid'
      ? launch.personSourcedId
      : registration.personClaim === 'email'
        ? launch.email
        : Object.hasOwn(launch.custom, registration.customParameter!)
          ? launch.custom[registration.customParameter!]
          : undefined;
  return registration.personClaim === 'email' || value === undefined || value.length <= 64
    ? value
    : undefined;
}

/**
 * Whether the one person that an identifier leads to is surely who launched. Where both names are written in Chinese and differ, the number
 * is another's: numbers are given by each school anew. Names in Latin letters prove nothing either way.
 */
export function judgeMatch(
  candidates: readonly Candidate[],
  launch: Pick<Launch, 'names'>,
  { taken }: { taken: boolean },
): { personId: string } | { doubt: AccountDoubt } {
  const [candidate, other] = candidates;
  if (candidate === undefined) return { doubt: 'nobody' };
  if (other !== undefined) return { doubt: 'several' };
  const told = launch.names.map(plain).filter((name) => /\p{Script=Han}/u.test(name));
  const known = plain(candidate.name);
  if (told.length > 0 && /\p{Script=Han}/u.test(known) && !told.includes(known))
    return { doubt: 'name-differs' };
  // Another account of the same platform is this person already: one of the two is wrong.
  return taken ? { doubt: 'taken' } : { personId: candidate.personId };
}

/** Without blanks, and with one spelling for each character. */
export function plain(name: string): string {
  return name.normalize('NFKC').replaceAll(/\s/g, '');
}
