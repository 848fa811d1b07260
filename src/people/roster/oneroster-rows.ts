import { organizationKinds, type OrganizationKind } from '../../regions/organization.ts';
import { isIdentityNumber } from '../person.ts';
import { roles, type Role } from '../role.ts';
import { listOf, type Row } from './csv.ts';
import {
  maskIdentities,
  maskIdentity,
  type Given,
  type GivenOrganization,
  type GivenPerson,
  type GivenPost,
} from './roster.ts';
import { narrow, readDay } from './text.ts';

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

/** Whether files tell of all there is, or of what has changed. */
export type Mode = 'bulk' | 'delta';

/** What a row reader throws to refuse its row. */
export class RowRefused extends Error {
  readonly column: string | null;
  readonly value: string | null;
  constructor(
    row: Row,
    column: string | null,
    reason: string,
    { secret = false }: { secret?: boolean } = {},
  ) {
    super(reason);
    this.column = column;
    const value = column === null ? null : (row.fields.get(column) ?? null);
    // A refusal is shown and downloaded: an identity number must not travel with it.
    this.value = value === null ? null : secret ? maskIdentity(value) : maskIdentities(value);
  }
}

function required(row: Row, column: string): string {
  const value = row.fields.get(column) ?? '';
  if (value === '') throw new RowRefused(row, column, `${column} is empty.`);
  if (value.length > 255) throw new RowRefused(row, column, `${column} is longer than 255 characters.`);
  return value;
}

function optional(row: Row, column: string): string | null {
  return (row.fields.get(column) ?? '') === '' ? null : required(row, column);
}

/** A code or a number, in its plain width. */
function plain(row: Row, column: string): string | null {
  const value = optional(row, column);
  return value === null ? null : narrow(value) || null;
}

function day(row: Row, column: string, text: string): string {
  const read = readDay(text);
  if (read !== undefined) return read;
  throw new RowRefused(
    row,
    column,
    /^\d{5}$/.test(narrow(text))
      ? `"${text}" is a spreadsheet's inner number for a day; format the column as text, YYYY-MM-DD.`
      : `"${text}" is not a day; write it as YYYY-MM-DD.`,
  );
}

/** Whether a row says that what it names is no more. */
function isDeleted(row: Row, mode: Mode): boolean {
  const status = row.fields.get('status') ?? '';
  if (status === 'tobedeleted' && mode === 'delta') return true;
  if (status !== '' && status !== 'active')
    throw new RowRefused(
      row,
      'status',
      mode === 'delta'
        ? `"${status}" is neither active nor tobedeleted.`
        : `"${status}": in a bulk file the status is empty or active.`,
    );
  return false;
}

export function readOrganization(row: Row, mode: Mode): GivenOrganization {
  const type = required(row, 'type');
  if (!ORG_TYPES.has(type))
    throw new RowRefused(row, 'type', `"${type}" is not a type of OneRoster (${[...ORG_TYPES].join(', ')}).`);
  const identifier = plain(row, 'identifier');
  const givenKind = optional(row, 'metadata.kind');
  if (givenKind !== null && !(organizationKinds as readonly string[]).includes(givenKind))
    throw new RowRefused(
      row,
      'metadata.kind',
      `"${givenKind}" is not a kind (${organizationKinds.join(', ')}).`,
    );
  const isSchool = type === 'school' || type === 'department';
  const divisionCode =
    plain(row, 'metadata.divisionCode') ??
    (!isSchool && identifier !== null && /^\d{6}$/.test(identifier) ? identifier : null);
  if (divisionCode !== null && !/^\d{6}$/.test(divisionCode))
    throw new RowRefused(
      row,
      'metadata.divisionCode',
      `"${divisionCode}" is not an administrative division code: six digits.`,
    );
  const students = plain(row, 'metadata.studentCount');
  if (students !== null && !/^\d{1,7}$/.test(students))
    throw new RowRefused(row, 'metadata.studentCount', `"${students}" is not a number of students.`);
  const studentsOn = optional(row, 'metadata.studentCountOn');
  return {
    line: row.line,
    sourceId: required(row, 'sourcedId'),
    name: required(row, 'name'),
    kind: (givenKind as OrganizationKind | null) ?? (isSchool ? 'unspecified' : 'bureau'),
    identifier,
    parentSourceId: optional(row, 'parentSourcedId'),
    divisionCode,
    studentCount: students === null ? null : Number(students),
    studentCountOn: studentsOn === null ? null : day(row, 'metadata.studentCountOn', studentsOn),
    closes: isDeleted(row, mode),
  };
}

export function readUser(row: Row, mode: Mode): Given[] {
  const role = required(row, 'role');
  if (!STAFF_ROLES.has(role)) throw new RowRefused(row, 'role', `"${role}" is not a role of OneRoster.`);
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
  const identityNumber = plain(row, 'metadata.identityNumber')?.toUpperCase() ?? null;
  if (identityNumber !== null && !isIdentityNumber(identityNumber)) {
    throw new RowRefused(
      row,
      'metadata.identityNumber',
      'It is not an identity number: 18 characters of which the last checks the others.',
      { secret: true },
    );
  }
  return {
    line: row.line,
    ref,
    name: nameOf(row),
    staffNumber: plain(row, 'metadata.staffNumber') ?? plain(row, 'identifier'),
    identityNumber,
    leaves: isDeleted(row, mode),
    complete: true,
    onlyKnown: false,
  };
}

/** A row of roles.csv (1.2). @returns no post for a role that is not counted here. */
export function readRole(row: Row): { ref: string; post: GivenPost | undefined } {
  const ref = required(row, 'userSourcedId');
  const given = required(row, 'role');
  if (!STAFF_ROLES.has(given)) throw new RowRefused(row, 'role', `"${given}" is not a role of OneRoster.`);
  const ours = optional(row, 'metadata.postRole');
  if (ours !== null && !isRole(ours))
    throw new RowRefused(row, 'metadata.postRole', `"${ours}" is not a role (${roles.join(', ')}).`);
  const role = ours ?? ROLE_OF[given];
  if (role === undefined) return { ref, post: undefined };
  const dayOf = (column: string): string | null => {
    const text = optional(row, column);
    return text === null ? null : day(row, column, text);
  };
  const [startsOn, endsOn] = [dayOf('beginDate'), dayOf('endDate')];
  if (startsOn !== null && endsOn !== null && endsOn < startsOn)
    throw new RowRefused(row, 'endDate', `It ends (${endsOn}) before it begins (${startsOn}).`);
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

function isRole(text: string): text is Role {
  return (roles as readonly string[]).includes(text);
}

function loadOf(row: Row, column: string, load: string): GivenPost['workload'] {
  if (!['', 'full', 'part'].includes(load))
    throw new RowRefused(row, column, `"${load}" is neither full nor part.`);
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
        `It has ${values.length} entries where metadata.postRoles has ${postRoles.length}.`,
      );
    return values;
  };
  const organizations = parallel('metadata.postOrgs');
  const starts = parallel('metadata.postStarts');
  const ends = parallel('metadata.postEnds');
  const loads = parallel('metadata.postLoads');
  return postRoles.map((role, index) => {
    if (!isRole(role))
      throw new RowRefused(row, 'metadata.postRoles', `"${role}" is not a role (${roles.join(', ')}).`);
    const organizationSourceId = organizations[index] ?? '';
    if (organizationSourceId === '')
      throw new RowRefused(row, 'metadata.postOrgs', `Entry ${index + 1} is empty.`);
    const startsOn =
      starts[index] === '' || starts[index] === undefined
        ? null
        : day(row, 'metadata.postStarts', starts[index]);
    const endsOn =
      ends[index] === '' || ends[index] === undefined ? null : day(row, 'metadata.postEnds', ends[index]);
    if (startsOn !== null && endsOn !== null && endsOn < startsOn)
      throw new RowRefused(
        row,
        'metadata.postEnds',
        `Entry ${index + 1} ends (${endsOn}) before it begins (${startsOn}).`,
      );
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
