import { covers, type Place, type Scope, type Unit } from '../regions/division.ts';

/** What one may do in a scope, besides what every teacher may do with their own courses. */
export type Permission =
  | 'division.add'
  | 'roster.import'
  | 'people.read'
  | 'people.erase'
  | 'certification.plan'
  | 'cohort.assign'
  | 'coverage.read'
  | 'target.set'
  | 'indicator.define'
  | 'indicator.import'
  | 'snapshot.take'
  | 'snapshot.sign'
  | 'certificate.read'
  | 'certificate.revoke'
  | 'credit.read'
  | 'journal.read';

export type GrantRole = 'operator' | 'coordinator' | 'issuer' | 'hr_verifier' | 'author' | 'auditor';

const permissionsOf: Readonly<Record<GrantRole, readonly Permission[]>> = {
  operator: ['division.add', 'roster.import', 'people.erase', 'coverage.read'],
  coordinator: [
    'roster.import',
    'people.read',
    'people.erase',
    'certification.plan',
    'cohort.assign',
    'coverage.read',
    'target.set',
    'indicator.define',
    'indicator.import',
    'snapshot.take',
    'snapshot.sign',
    'certificate.read',
  ],
  issuer: ['people.read', 'certificate.read', 'certificate.revoke', 'coverage.read'],
  hr_verifier: ['certificate.read', 'credit.read'],
  author: [],
  auditor: ['journal.read', 'coverage.read'],
};

export interface Grant {
  readonly role: GrantRole;
  readonly scope: Scope;
}

/** Who asks: a person with the grants that hold today. */
export interface Viewer {
  readonly personId: string;
  readonly grants: readonly Grant[];
}

/** Whether `viewer` may do `permission` at `place` (a division's own codes, or an organization's). */
export function may(viewer: Viewer, permission: Permission, place: Place): boolean {
  return viewer.grants.some(
    (grant) => permissionsOf[grant.role].includes(permission) && covers(grant.scope, place),
  );
}

/** Whether `viewer` may do it for the unit itself, by a grant for just this one: who works for what stands above it does not. */
export function mayFor(viewer: Viewer, permission: Permission, unit: Unit): boolean {
  return viewer.grants.some(
    ({ role, scope }) =>
      permissionsOf[role].includes(permission) &&
      (unit.kind === 'division'
        ? scope.kind === 'division' && scope.code === unit.code
        : scope.kind === 'organization' && scope.id === unit.id),
  );
}

/** The scopes in which `viewer` may do `permission`; for lists, which are cut to them. */
export function scopesOf(viewer: Viewer, permission: Permission): Scope[] {
  return viewer.grants
    .filter((grant) => permissionsOf[grant.role].includes(permission))
    .map((grant) => grant.scope);
}
