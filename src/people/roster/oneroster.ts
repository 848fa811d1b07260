import { organizationKinds, type OrganizationKind } from '../../regions/organization.ts';
import { isIdentityNumber } from '../person.ts';
import { roles, type Role } from '../role.ts';
import type { NamedFile } from './archive.ts';
import { narrow, readDay, UnreadableFile } from './text.ts';
import { listOf, readCsv, type Row } from './csv.ts';

/*
 * OneRoster 1.1 CSV binding (1EdTech, final 1.1, section 4). Extension columns are named `metadata.…`; ours are listed in
 * README.md of this folder. Reading a row does no I/O and knows nothing of the database.
 */

export interface Refused {
  readonly file: string;
  readonly line: number;
  readonly column: string | null;
  readonly value: string | null;
  readonly reason: string;
}

export interface GivenOrganization {
  readonly line: number;
  readonly sourceId: string;
  readonly name: string;
  readonly kind: OrganizationKind;
  readonly identifier: string | null;
  readonly parentSourceId: string | null;
  readonly divisionCode: string | null;
  readonly studentCount: number | null;
  readonly studentCountOn: string | null;
}

export interface GivenPost {
  readonly organizationSourceId: string;
  readonly role: Role;
  readonly workload: 'full' | 'part';
  /** null: the file does not say; the importer takes the post already held, or the day of the import. */
  readonly startsOn: string | null;
  readonly endsOn: string | null;
}

export interface GivenPerson {
  readonly line: number;
  readonly sourceId: string;
  readonly name: string;
  readonly staffNumber: string | null;
  readonly identityNumber: string | null;
  readonly posts: readonly GivenPost[];
}

export interface GivenRoster {
  readonly organizations: readonly GivenOrganization[];
  readonly people: readonly GivenPerson[];
  readonly refused: readonly Refused[];
  readonly rowsRead: number;
  /** Students and parents: read over, and never stored. */
  readonly rowsIgnored: number;
}

const ORG_COLUMNS = [
  'sourcedId',
  'status',
  'dateLastModified',
  'name',
  'type',
  'identifier',
  'parentSourcedId',
];
const USER_COLUMNS = [
  'sourcedId',
  'status',
  'dateLastModified',
  'enabledUser',
  'orgSourcedIds',
  'role',
  'username',
  'givenName',
  'familyName',
  'identifier',
];
const ORG_TYPES = new Set(['department', 'school', 'district', 'local', 'state', 'national']);
const STAFF_ROLES = new Set(['teacher', 'administrator', 'aide', 'proctor']);
const OTHER_ROLES = new Set(['student', 'parent', 'guardian', 'relative']);

/** @throws UnreadableFile naming the file, when one of them is not what it says or a needed one is missing. */
export function readOneRoster(files: readonly NamedFile[]): GivenRoster {
  const manifest = files.find((file) => file.name === 'manifest.csv');
  if (manifest !== undefined) checkManifest(manifest, files);
  const orgs = rowsOf(files, 'orgs.csv', ORG_COLUMNS);
  const users = rowsOf(files, 'users.csv', USER_COLUMNS);
  if (orgs === undefined && users === undefined)
    throw new UnreadableFile(
      `Neither orgs.csv nor users.csv is among the files (${files.map((file) => file.name).join(', ')}).`,
    );

  const refused: Refused[] = [];
  let rowsIgnored = 0;
  const organizations = readRows('orgs.csv', orgs ?? [], refused, readOrganization);
  const people = readRows('users.csv', users ?? [], refused, (row) => {
    if (OTHER_ROLES.has(row.fields.get('role') ?? '')) {
      rowsIgnored += 1;
      return undefined;
    }
    return readPerson(row);
  });
  return {
    organizations,
    people,
    refused,
    rowsRead: (orgs?.length ?? 0) + (users?.length ?? 0),
    rowsIgnored,
  };
}

function checkManifest(manifest: NamedFile, files: readonly NamedFile[]): void {
  const properties = new Map(
    named('manifest.csv', () => readCsv(manifest.bytes, ['propertyName', 'value'])).map((row) => [
      row.fields.get('propertyName'),
      row.fields.get('value'),
    ]),
  );
  const version = properties.get('oneroster.version');
  if (version !== '1.1')
    throw new UnreadableFile(`manifest.csv: oneroster.version is ${version ?? 'missing'}; only 1.1 is read.`);
  for (const name of ['orgs', 'users']) {
    const mode = properties.get(`file.${name}`) ?? 'absent';
    const given = files.some((file) => file.name === `${name}.csv`);
    if (mode === 'delta')
      throw new UnreadableFile(`manifest.csv: file.${name} is delta; only bulk files are read.`);
    if (mode !== 'bulk' && mode !== 'absent')
      throw new UnreadableFile(`manifest.csv: file.${name} is "${mode}"; it must be bulk or absent.`);
    if ((mode === 'bulk') !== given)
      throw new UnreadableFile(
        `manifest.csv says ${name}.csv is ${mode}, and it is ${given ? 'there' : 'not there'}.`,
      );
  }
}

function rowsOf(files: readonly NamedFile[], name: string, columns: readonly string[]): Row[] | undefined {
  const file = files.find((each) => each.name === name);
  return file === undefined ? undefined : named(name, () => readCsv(file.bytes, columns));
}

function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof UnreadableFile ? new UnreadableFile(`${name}: ${error.message}.`) : error;
  }
}

/** What a row reader throws to refuse its row. */
class RowRefused extends Error {
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
    this.value =
      value !== null && secret ? `${'*'.repeat(Math.max(0, value.length - 4))}${value.slice(-4)}` : value;
  }
}

function readRows<T extends { sourceId: string }>(
  file: string,
  rows: readonly Row[],
  refused: Refused[],
  read: (row: Row) => T | undefined,
): T[] {
  const seen = new Map<string, number>();
  const good: T[] = [];
  for (const row of rows) {
    try {
      if (row.fields.size === 0)
        throw new RowRefused(row, null, 'The row has more or fewer fields than the header.');
      const value = read(row);
      if (value === undefined) continue;
      const before = seen.get(value.sourceId);
      if (before !== undefined)
        throw new RowRefused(
          row,
          'sourcedId',
          `The same sourcedId stands on line ${before}; the first one is taken.`,
        );
      seen.set(value.sourceId, row.line);
      good.push(value);
    } catch (error) {
      if (!(error instanceof RowRefused)) throw error;
      refused.push({ file, line: row.line, column: error.column, value: error.value, reason: error.message });
    }
  }
  return good;
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

function readOrganization(row: Row): GivenOrganization {
  const type = required(row, 'type');
  if (!ORG_TYPES.has(type))
    throw new RowRefused(
      row,
      'type',
      `"${type}" is not a type of OneRoster 1.1 (${[...ORG_TYPES].join(', ')}).`,
    );
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
  };
}

function readPerson(row: Row): GivenPerson {
  const sourceId = required(row, 'sourcedId');
  const role = required(row, 'role');
  if (!STAFF_ROLES.has(role)) throw new RowRefused(row, 'role', `"${role}" is not a role of OneRoster 1.1.`);
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
    sourceId,
    name: nameOf(row),
    staffNumber: plain(row, 'metadata.staffNumber') ?? plain(row, 'identifier'),
    identityNumber,
    posts: row.fields.get('metadata.postRoles') === undefined ? plainPosts(row, role) : datedPosts(row),
  };
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
    if (!(roles as readonly string[]).includes(role))
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
    const load = loads[index] ?? '';
    if (!['', 'full', 'part'].includes(load))
      throw new RowRefused(row, 'metadata.postLoads', `"${load}" is neither full nor part.`);
    return {
      organizationSourceId,
      role: role as Role,
      workload: load === 'part' ? 'part' : 'full',
      startsOn,
      endsOn,
    };
  });
}
