import { organizationKinds, type OrganizationKind } from '../../regions/organization.ts';
import { readEmail, readMobile } from '../contact.ts';
import { roles, type Role } from '../role.ts';
import { listOf } from './csv.ts';
import type { Given, GivenOrganization, GivenPerson, GivenPost } from './roster.ts';
import {
  checkDays,
  checkDivisionCode,
  day,
  notOneOf,
  optional,
  optionalCount,
  optionalDay,
  optionalIdentityNumber,
  plain,
  required,
  RowRefused,
  type Row,
} from './row.ts';
import { said } from './said.ts';

/* The rows of OneRoster's files, each judged by itself: see oneroster.ts. */

const ORG_TYPES = new Set(['department', 'school', 'district', 'local', 'state', 'national']);
const STAFF_ROLES = new Set([
  'teacher',
  'administrator',
  'aide',
  'proctor',
  'counselor',
  'districtAdministrator',
  'principal',
  'siteAdministrator',
  'systemAdministrator',
]);
export const OTHER_ROLES = new Set(['student', 'parent', 'guardian', 'relative']);
/** What a role of the standard says of a post; the others say nothing of what this service counts. */
const ROLE_OF: Readonly<Record<string, Role>> = { teacher: 'subject_teacher', principal: 'principal' };

/** Our columns, which files of other makers lack. */
const UNSAID = [
  ['metadata.kind', 'kind'],
  ['metadata.studentCount', 'studentCount'],
  ['metadata.studentCountOn', 'studentCountOn'],
] as const;

/** Whether files tell of all there is, or of what has changed. */
export type Mode = 'bulk' | 'delta';

/** Whether a row says that what it names is no more. */
function isDeleted(row: Row, mode: Mode): boolean {
  const status = row.fields.get('status') ?? '';
  if (status === 'tobedeleted' && mode === 'delta') return true;
  if (status !== '' && status !== 'active')
    throw new RowRefused(
      row,
      'status',
      mode === 'delta'
        ? said(
            `"${status}" is neither active nor tobedeleted.`,
            `“${status}”既不是 active 也不是 tobedeleted。`,
          )
        : said(
            `"${status}": in a bulk file the status is empty or active.`,
            `“${status}”：bulk 文件中 status 应为空或 active。`,
          ),
    );
  return false;
}

export function readOrganization(row: Row, mode: Mode): GivenOrganization {
  const type = required(row, 'type');
  if (!ORG_TYPES.has(type))
    throw notOneOf(row, 'type', type, 'a type of OneRoster', 'OneRoster 的 type', [...ORG_TYPES]);
  const identifier = plain(row, 'identifier');
  const givenKind = optional(row, 'metadata.kind');
  if (givenKind !== null && !(organizationKinds as readonly string[]).includes(givenKind))
    throw notOneOf(row, 'metadata.kind', givenKind, 'a kind', '办学类型', organizationKinds);
  const isSchool = type === 'school' || type === 'department';
  const divisionCode =
    plain(row, 'metadata.divisionCode') ??
    (!isSchool && identifier !== null && /^\d{6}$/.test(identifier) ? identifier : null);
  checkDivisionCode(row, 'metadata.divisionCode', divisionCode);
  return {
    line: row.line,
    sourceId: required(row, 'sourcedId'),
    name: required(row, 'name'),
    kind: (givenKind as OrganizationKind | null) ?? (isSchool ? 'unspecified' : 'bureau'),
    identifier,
    parentSourceId: optional(row, 'parentSourcedId'),
    divisionCode,
    studentCount: optionalCount(row, 'metadata.studentCount'),
    studentCountOn: optionalDay(row, 'metadata.studentCountOn'),
    closes: isDeleted(row, mode),
    unsaid: UNSAID.filter(([column]) => row.fields.get(column) === undefined).map(([, field]) => field),
  };
}

export function readUser(row: Row, mode: Mode): Given[] {
  const role = required(row, 'role');
  checkStaffRole(row, role);
  const person = readPerson(row, mode);
  const posts = person.leaves
    ? []
    : row.fields.get('metadata.postRoles') === undefined
      ? plainPosts(row, role)
      : datedPosts(row);
  return [
    { kind: 'person', person },
    ...posts.map((post) => ({ kind: 'post' as const, ref: person.ref, post, line: row.line })),
  ];
}

export function readPerson(row: Row, mode: Mode): GivenPerson {
  const ref = required(row, 'sourcedId');
  const identityNumber = optionalIdentityNumber(row, 'metadata.identityNumber');
  return {
    line: row.line,
    ref,
    name: nameOf(row),
    staffNumber: plain(row, 'metadata.staffNumber') ?? plain(row, 'identifier'),
    identityNumber,
    leaves: isDeleted(row, mode),
    complete: true,
    onlyKnown: false,
    ...contactsOf(row),
  };
}

/** The columns of the standard that say how to reach somebody. */
export const CONTACT_COLUMNS = ['email', 'sms', 'phone'] as const;

/** What is no address and no mobile number is no reason to refuse a row: it is left out. */
function contactsOf(row: Row): Pick<GivenPerson, 'contacts'> {
  const email = row.fields.get('email') ?? '';
  const sms = row.fields.get('sms') ?? '';
  const phone = row.fields.get('phone') ?? '';
  if (email === '' && sms === '' && phone === '') return NO_CONTACTS;
  return contactsFrom(readEmail(email), readMobile(sms) ?? readMobile(phone));
}
const NO_CONTACTS = {};

export function contactsFrom(
  email: string | undefined,
  mobile: string | undefined,
): Pick<GivenPerson, 'contacts'> {
  return email === undefined && mobile === undefined
    ? NO_CONTACTS
    : {
        contacts: {
          ...(email === undefined ? {} : { email }),
          ...(mobile === undefined ? {} : { mobile }),
        },
      };
}

/** A row of roles.csv (1.2). @returns no post for a role that is not counted here. */
export function readRole(row: Row): { ref: string; post: GivenPost | undefined } {
  const ref = required(row, 'userSourcedId');
  const given = required(row, 'role');
  checkStaffRole(row, given);
  const ours = optional(row, 'metadata.postRole');
  if (ours !== null && !isRole(ours)) throw notOneOf(row, 'metadata.postRole', ours, 'a role', '岗位', roles);
  const role = ours ?? ROLE_OF[given];
  if (role === undefined) return { ref, post: undefined };
  const [startsOn, endsOn] = [optionalDay(row, 'beginDate'), optionalDay(row, 'endDate')];
  checkDays(row, 'endDate', startsOn, endsOn);
  return {
    ref,
    post: {
      organizationSourceId: required(row, 'orgSourcedId'),
      role,
      workload: loadOf(row, 'metadata.postLoad', optional(row, 'metadata.postLoad') ?? ''),
      startsOn,
      endsOn,
      ends: isDeleted(row, 'delta'),
    },
  };
}

function checkStaffRole(row: Row, role: string): void {
  if (!STAFF_ROLES.has(role))
    throw new RowRefused(
      row,
      'role',
      said(`"${role}" is not a role of OneRoster.`, `“${role}”不是 OneRoster 的 role。`),
    );
}

function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

function loadOf(row: Row, column: string, load: string): GivenPost['workload'] {
  if (!['', 'full', 'part'].includes(load))
    throw new RowRefused(
      row,
      column,
      said(`"${load}" is neither full nor part.`, `“${load}”既不是 full（专职）也不是 part（兼职）。`),
    );
  return load === 'part' ? 'part' : 'full';
}

/** Family name first and nothing between, as Chinese names are written; a name in Latin letters keeps its spaces. */
function nameOf(row: Row): string {
  const family = required(row, 'familyName');
  const given = required(row, 'givenName');
  return /^[\x20-\u024f]+$/.test(family + given)
    ? [given, optional(row, 'middleName'), family].filter((part) => part !== null).join(' ')
    : `${family}${given}`;
}

/** A file of another maker, without our columns: a teacher teaches at each of the organizations, since an unknown day. */
function plainPosts(row: Row, role: string): GivenPost[] {
  if (role !== 'teacher') return [];
  return listOf(required(row, 'orgSourcedIds')).map((organizationSourceId) => ({
    organizationSourceId,
    role: 'subject_teacher',
    workload: 'full',
    startsOn: null,
    endsOn: null,
    ends: false,
  }));
}

function datedPosts(row: Row): GivenPost[] {
  const postRoles = listOf(row.fields.get('metadata.postRoles') ?? '');
  const parallel = (column: string): string[] => {
    const values = listOf(row.fields.get(column) ?? '');
    if (values.length === 0) return postRoles.map(() => '');
    if (values.length !== postRoles.length)
      throw new RowRefused(
        row,
        column,
        said(
          `It has ${values.length} entries where metadata.postRoles has ${postRoles.length}.`,
          `有 ${values.length} 项，而 metadata.postRoles 有 ${postRoles.length} 项。`,
        ),
      );
    return values;
  };
  const organizations = parallel('metadata.postOrgs');
  const starts = parallel('metadata.postStarts');
  const ends = parallel('metadata.postEnds');
  const loads = parallel('metadata.postLoads');
  return postRoles.map((role, index) => {
    if (!isRole(role)) throw notOneOf(row, 'metadata.postRoles', role, 'a role', '岗位', roles);
    const organizationSourceId = organizations[index] ?? '';
    if (organizationSourceId === '')
      throw new RowRefused(
        row,
        'metadata.postOrgs',
        said(`Entry ${index + 1} is empty.`, `第 ${index + 1} 项为空。`),
      );
    const startsOn =
      starts[index] === '' || starts[index] === undefined
        ? null
        : day(row, 'metadata.postStarts', starts[index]);
    const endsOn =
      ends[index] === '' || ends[index] === undefined ? null : day(row, 'metadata.postEnds', ends[index]);
    checkDays(row, 'metadata.postEnds', startsOn, endsOn, index + 1);
    return {
      organizationSourceId,
      role,
      workload: loadOf(row, 'metadata.postLoads', loads[index] ?? ''),
      startsOn,
      endsOn,
      ends: false,
    };
  });
}
