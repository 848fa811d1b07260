import { covers, type Place, type Scope, type Unit } from '../regions/division.ts';

/** What one may do in a scope, besides what every teacher may do with their own courses. */
export const permissions = [
  'grant.give',
  'grant.read',
  'division.add',
  'roster.import',
  'people.read',
  'people.erase',
  'certification.plan',
  'cohort.assign',
  'time.judge',
  'accommodation.grant',
  'coverage.read',
  'target.set',
  'indicator.define',
  'indicator.import',
  'snapshot.take',
  'snapshot.sign',
  'certificate.read',
  'certificate.issue',
  'certificate.revoke',
  'credit.read',
  'journal.read',
  'access.revoke',
  'item.analyze',
  'forwarding.read',
  'content.author',
  'lti.register',
  'lti.link',
] as const;
export type Permission = (typeof permissions)[number];

/** Roles that are granted. Being a teacher is none of them: whoever has a post does what is their own, see permission-table.ts. */
export const grantRoles = ['operator', 'coordinator', 'issuer', 'hr_verifier', 'author', 'auditor'] as const;
export type GrantRole = (typeof grantRoles)[number];

/** The table of roles and permissions; permissions.txt shows it. */
export const permissionsOf: Readonly<Record<GrantRole, readonly Permission[]>> = {
  operator: [
    'grant.give',
    'grant.read',
    'division.add',
    'roster.import',
    'coverage.read',
    'people.erase',
    'access.revoke',
    'forwarding.read',
    'lti.register',
  ],
  coordinator: [
    'roster.import',
    'people.read',
    'people.erase',
    'certification.plan',
    'cohort.assign',
    'time.judge',
    'accommodation.grant',
    'coverage.read',
    'target.set',
    'indicator.define',
    'indicator.import',
    'snapshot.take',
    'snapshot.sign',
    'certificate.read',
    'lti.link',
  ],
  issuer: ['people.read', 'certificate.read', 'certificate.issue', 'certificate.revoke', 'coverage.read'],
  hr_verifier: ['certificate.read', 'credit.read'],
  author: ['item.analyze', 'content.author'],
  auditor: ['grant.read', 'journal.read', 'coverage.read'],
};

/**
 * Which roles one may give who holds a role, within its scope and no wider. Only an operator gives any: whoever plans or issues should
 * not choose who watches them.
 */
export const rolesGivenBy: Readonly<Record<GrantRole, readonly GrantRole[]>> = {
  operator: grantRoles,
  coordinator: [],
  issuer: [],
  hr_verifier: [],
  author: [],
  auditor: [],
};

export interface Grant {
  readonly role: GrantRole;
  readonly scope: Scope;
  /** What an access token leaves of the scope; undefined: all of it. */
  readonly within?: Scope;
}

/** What an access token may be given: permissions, and to act as the teacher oneself (own courses, exams, certificates). */
export type TokenPermission = Permission | 'self';

export interface Narrowing {
  readonly tokenId: string;
  readonly permissions: readonly TokenPermission[];
}

/** How a request came to be somebody's; decides what it may do about sessions and tokens. */
export type Via = 'session' | 'sample' | 'issuer' | 'token';

/** Who asks: a person with the grants that hold today. */
export interface Viewer {
  readonly personId: string;
  readonly grants: readonly Grant[];
  /** Set where an access token stands for less than its owner; its grants are cut to the token's unit already. */
  readonly narrowed?: Narrowing;
  readonly via?: Via;
  /** The session that the request came in, where it came in one. */
  readonly sessionId?: string;
}

const leaves = ({ narrowed }: Viewer, permission: TokenPermission): boolean =>
  narrowed === undefined || narrowed.permissions.includes(permission);

/** The grants that carry `permission`. */
const grantsFor = (viewer: Viewer, permission: Permission): readonly Grant[] =>
  leaves(viewer, permission)
    ? viewer.grants.filter(({ role }) => permissionsOf[role].includes(permission))
    : [];

/** Whether `viewer` may do `permission` at `place` (a division's own codes, or an organization's). */
export function may(viewer: Viewer, permission: Permission, place: Place): boolean {
  return grantsFor(viewer, permission).some(({ scope, within }) => covers(within ?? scope, place));
}

/**
 * Whether `viewer` may do it for the unit itself, by a grant for just this one: who works for what stands above it does not. Nor does an
 * access token that is cut to a part of the unit.
 */
export function mayFor(viewer: Viewer, permission: Permission, unit: Unit): boolean {
  return grantsFor(viewer, permission).some(
    ({ scope, within }) => isUnit(scope, unit) && (within === undefined || isUnit(within, unit)),
  );
}

/** The scopes in which `viewer` may do `permission`; for lists, which are cut to them. */
export function scopesOf(viewer: Viewer, permission: Permission): Scope[] {
  return grantsFor(viewer, permission).map(({ scope, within }) => within ?? scope);
}

/** Whether `viewer` acts as the person: asks for what is theirs as a teacher. An access token does so only with `self`. */
export function isSelf(viewer: Viewer, personId: string): boolean {
  return viewer.personId === personId && leaves(viewer, 'self');
}

/** A viewer who is less: `permissions` alone, and of each grant what lies in the unit, as `cut` says. */
export function narrow(
  viewer: Viewer,
  narrowing: Narrowing,
  cut: (scope: Scope) => Scope | undefined,
): Viewer {
  return {
    ...viewer,
    grants: viewer.grants.flatMap((grant) => {
      const within = cut(grant.within ?? grant.scope);
      return within === undefined ? [] : [{ ...grant, within }];
    }),
    narrowed: narrowing,
  };
}

const isUnit = (scope: Scope, unit: Unit): boolean =>
  unit.kind === 'division'
    ? scope.kind === 'division' && scope.code === unit.code
    : scope.kind === 'organization' && scope.id === unit.id;
/** Whether `viewer` may give `role` at `place`, or end it there; of the nation's place only who works for all of it may. */
export function mayGive(viewer: Viewer, role: GrantRole, place: Place): boolean {
  return (
    may(viewer, 'grant.give', place) &&
    viewer.grants.some((grant) => rolesGivenBy[grant.role].includes(role) && covers(grant.scope, place))
  );
}
