import { grantRoles, permissionsOf, rolesGivenBy, type Permission } from './permission.ts';

/** What each permission is for, in the order of the table. */
const meanings: Readonly<Record<Permission, string>> = {
  'grant.give': 'give roles and end them, see who holds which',
  'grant.read': 'see who holds which role',
  'division.add': 'add divisions that the published list lacks',
  'roster.import': 'import rosters, decide doubts, rename and merge schools',
  'people.read': 'see people by name, and numbers that are about few',
  'people.erase': 'have what is held about people who have left erased',
  'certification.plan': 'plan certifications',
  'cohort.assign': 'assign cohorts',
  'time.judge': "judge what looks odd in people's time, never one's own",
  'accommodation.grant': 'give more time or attempts in exams, see why; never to oneself',
  'coverage.read': 'see coverage, staffing, indicators',
  'target.set': 'set targets',
  'indicator.define': 'define indicators',
  'indicator.import': 'import their values',
  'snapshot.take': 'take snapshots',
  'snapshot.sign': 'sign them or object, for the unit itself',
  'certificate.read': 'see certificates and download them',
  'certificate.issue': 'ask for certificates outside of the earned path; decide what another asked for',
  'certificate.revoke': "revoke certificates, never one's own",
  'credit.read': 'read the feed of credit records',
  'journal.read': 'read the journal',
  'access.revoke': "revoke people's access tokens",
  'item.analyze': 'see how exam items do, for the nation alone',
  'forwarding.read': 'see how statements are forwarded to a learning record store; for the nation alone',
  'content.author': 'upload H5P contents, take them out, upgrade their libraries',
  'lti.register': 'register learning platforms (LTI), end them; for the nation, change the keys',
  'lti.link': 'say who somebody on a learning platform is',
};

/** The table of roles and permissions as people read it; permissions.txt is made of it. */
export function describePermissions(): string {
  const permissions = Object.keys(meanings) as Permission[];
  const width = Math.max(...permissions.map((permission) => permission.length)) + 2;
  const row = (name: string, marks: readonly boolean[], meaning: string): string =>
    `${name.padEnd(width)}${grantRoles
      .map((role, index) => (marks[index] === true ? 'x' : '.').padEnd(role.length + 2))
      .join('')}${meaning}`;
  return [
    'Who may do what. Made by `npm run generate` from permission.ts.',
    '',
    'A role is granted in a scope: the nation, a division with all below it, or one organization. It holds there and nowhere else.',
    '',
    `${' '.repeat(width)}${grantRoles.map((role) => role.padEnd(role.length + 2)).join('')}`.trimEnd(),
    ...permissions.map((permission) =>
      row(
        permission,
        grantRoles.map((role) => permissionsOf[role].includes(permission)),
        meanings[permission],
      ),
    ),
    '',
    "Who may give which role, within one's own scope, never to oneself:",
    '',
    ...grantRoles.map((role) => `${role.padEnd(width)}${rolesGivenBy[role].join(', ') || 'none'}`),
    '',
    'teacher, in the scope self: whoever has a post, without any grant. One learns, sits exams, sees and downloads what is assigned to',
    'oneself and what one holds, sees the roles that were given to oneself, and may lay them down. No permission stands for it: services',
    'ask whose it is.',
    '',
  ].join('\n');
}
