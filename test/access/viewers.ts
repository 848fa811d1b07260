import type { GrantRole } from '../../src/people/permission.ts';
import { addDays } from '../../src/clock.ts';

/*
 * The columns of the matrix. Everything that is asked belongs to the teacher t1 of the first school, or to county A.
 */

/** Told so that a role which is missing here does not compile. */
const NAMES: Readonly<Record<GrantRole, string>> = {
  operator: 'operator',
  coordinator: 'coordinator',
  issuer: 'issuer',
  hr_verifier: 'HR verifier',
  author: 'author',
  auditor: 'auditor',
};

export const COUNTY = '430121';
/** In the same prefecture, so that nothing is kept apart by a province alone. */
export const OTHER_COUNTY = '430102';
export const PROVINCE = '430000';
export const TODAY = '2027-03-04';

/** Where the grants of a role reach: a letter each, in this order. */
const SCOPES = [
  { letter: 'c', unit: COUNTY },
  { letter: 'p', unit: PROVINCE },
  { letter: 's', unit: 'school' },
  { letter: 'o', unit: OTHER_COUNTY },
  { letter: 'n', unit: 'nation' },
] as const;

export type Unit = (typeof SCOPES)[number]['unit'];

/** Somebody with one grant, and no post. */
export interface Granted {
  /** Their staff number. */
  readonly key: string;
  readonly role: GrantRole;
  readonly unit: Unit;
  readonly startsOn: string;
  readonly endsOn: string | null;
}

export interface Viewer {
  readonly key: string;
  /** Its letter in its group's column. */
  readonly letter: string;
  readonly granted?: Granted;
}

export interface Group {
  readonly title: string;
  readonly viewers: readonly Viewer[];
}

function granted(
  role: GrantRole,
  unit: Unit,
  more: { key: string; startsOn?: string; endsOn?: string },
): Granted {
  return { role, unit, startsOn: '2020-01-01', endsOn: null, ...more };
}

export const groups: readonly Group[] = [
  {
    title: 'nobody',
    viewers: [
      { key: 'nobody', letter: '-' },
      { key: 'garbage', letter: 'g' },
      { key: 'expired', letter: 'x' },
      { key: 'signed-out', letter: 'e' },
      { key: 'no-sample', letter: 'k' },
    ],
  },
  {
    title: 'teacher',
    viewers: [
      { key: 't1', letter: 'i' },
      { key: 't2', letter: 's' },
      { key: 'tb', letter: 'o' },
      { key: 'leaver', letter: 'l' },
      { key: 't3', letter: 't' },
    ],
  },
  ...Object.entries(NAMES).map(([role, title]) => ({
    title,
    viewers: SCOPES.map(({ letter, unit }) => {
      const key = `${role}-${unit}`;
      return { key, letter, granted: granted(role as GrantRole, unit, { key }) };
    }),
  })),
  {
    title: 'access token',
    viewers: [
      { key: 'token-of-coordinator', letter: 'c' },
      { key: 'token-of-self', letter: 'i' },
      { key: 'token-without-self', letter: 'w' },
      { key: 'token-of-operator', letter: 'o' },
      { key: 'token-expired', letter: 'x' },
      { key: 'token-revoked', letter: 'e' },
    ],
  },
  {
    title: 'not today',
    viewers: (
      [
        ['y', { endsOn: addDays(TODAY, -1) }],
        ['t', { startsOn: addDays(TODAY, 1) }],
      ] as const
    ).flatMap(([letter, dates]) =>
      (['coordinator', 'issuer'] as const).map((role) => {
        const key = `${role}-${letter === 'y' ? 'until-yesterday' : 'from-tomorrow'}`;
        return { key, letter, granted: granted(role, COUNTY, { key, ...dates }) };
      }),
    ),
  },
];

export const viewers: readonly Viewer[] = groups.flatMap((group) => group.viewers);

export const legend = `Who may see and do what: every query, mutation, node type, field and route, asked as everybody.
It is made by asking a running service; review it like code. After an intended change: UPDATE_MATRIX=1 npx vitest run test/access/matrix.test.ts
Everything asked for belongs to county ${COUNTY} and, where it has an owner, to a teacher of its first school.

who    nobody        - no token, g garbage for one, x an expired session, e an ended one (both of the county's coordinator),
                     k a way into the sample county that there is not
       teacher       i the owner, s another one of the same school, o one of another county, l one who has left the school,
                     t one of the same school who is an issuer of the county as well
       each role     by one grant and no post: c for the county, p for the province above, s for the school alone,
                     o for another county, n for the nation
       access token  c of the county's coordinator, for COVERAGE_READ in the county alone; i of the owner, for SELF;
                     w of the owner, for COVERAGE_READ by a grant that has ended since;
                     o of the nation's operator, for GRANT_GIVE in the county; x an expired and e a revoked one like c
       not today     a coordinator and an issuer of the county whose grant y ended yesterday, t begins tomorrow
answer + something        0 an empty list     . null       - what it is a field of is not to be had
       S NOT_SIGNED_IN    F NOT_FOUND         A NOT_ALLOWED
       I INVALID_INPUT and C another refusal: which, is told at the end of the row
       routes: + 2xx, > 3xx, S 401, A 403, F 404, I 400, C 409 and others
The test also holds: . S F are byte for byte the answers for what does not exist; whoever is refused has changed nothing.`;
