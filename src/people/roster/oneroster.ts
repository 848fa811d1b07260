import { organizationKinds, type OrganizationKind } from '../../regions/organization.ts';
import { isIdentityNumber } from '../person.ts';
import { roles, type Role } from '../role.ts';
import type { RosterFile } from './archive.ts';
import { narrow, readDay, readEncoding, UnreadableFile, type Encoding } from './text.ts';
import { listOf, openCsv, type Row, type Table } from './csv.ts';
import {
  maskIdentity,
  type Given,
  type GivenOrganization,
  type GivenPerson,
  type GivenPost,
  type Roster,
} from './roster.ts';

/*
 * OneRoster CSV binding (1EdTech): 1.1 final, section 4, where a user's row names organizations and role; and 1.2, where roles stand
 * in a file of their own with their first and last days. Extension columns are named `metadata.…`; ours are listed in README.md of
 * this folder. Reading a row knows nothing of the database.
 */

const ORG_COLUMNS = [
  'sourcedId',
  'status',
  'dateLastModified',
  'name',
  'type',
  'identifier',
  'parentSourcedId',
];
const USER_COLUMNS = {
  '1.1': [
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
  ],
  '1.2': [
    'sourcedId',
    'status',
    'dateLastModified',
    'enabledUser',
    'username',
    'givenName',
    'familyName',
    'identifier',
  ],
} as const;
const ROLE_COLUMNS = [
  'sourcedId',
  'status',
  'dateLastModified',
  'userSourcedId',
  'roleType',
  'role',
  'beginDate',
  'endDate',
  'orgSourcedId',
];
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
const OTHER_ROLES = new Set(['student', 'parent', 'guardian', 'relative']);
/** What a role of the standard says of a post; the others say nothing of what this service counts. */
const ROLE_OF: Readonly<Record<string, Role>> = { teacher: 'subject_teacher', principal: 'principal' };

type Version = '1.1' | '1.2';
type Mode = 'bulk' | 'delta';

interface OpenFile {
  readonly file: RosterFile;
  readonly encoding: Encoding;
  readonly lines: number;
}

/**
 * Opens a roster and reads it through once for how it is written. Its rows come from `read()`.
 * @throws UnreadableFile naming the file, when one of them is not what it says or a needed one is missing; from `read()` too.
 */
export async function openOneRoster(files: readonly RosterFile[]): Promise<Roster> {
  const open = new Map<string, OpenFile>();
  for (const name of ['manifest.csv', 'orgs.csv', 'users.csv', 'roles.csv']) {
    const file = files.find((each) => each.name === name);
    if (file !== undefined) open.set(name, { file, ...(await named(name, async () => readEncoding(file))) });
  }
  if (!open.has('orgs.csv') && !open.has('users.csv'))
    throw new UnreadableFile(
      `Neither orgs.csv nor users.csv is among the files (${files.map((file) => file.name).join(', ')}).`,
    );
  const said = open.has('manifest.csv') ? await readManifest(open.get('manifest.csv')!, open) : undefined;
  const version = said?.version ?? (open.has('roles.csv') ? '1.2' : '1.1');
  if (version === '1.2' && open.has('users.csv') !== open.has('roles.csv'))
    throw new UnreadableFile(
      'users.csv and roles.csv belong together in OneRoster 1.2, and one of them is missing.',
    );
  const rows = [...open].reduce(
    (sum, [name, { lines }]) => (name === 'manifest.csv' ? sum : sum + Math.max(0, lines - 1)),
    0,
  );
  return {
    rows,
    organizations: { file: 'orgs.csv' },
    people: { file: 'users.csv', refColumn: 'sourcedId', identityColumn: 'metadata.identityNumber' },
    posts:
      version === '1.1'
        ? { file: 'users.csv', organizationColumn: 'metadata.postOrgs' }
        : { file: 'roles.csv', organizationColumn: 'orgSourcedId' },
    repeats: false,
    // Only who says so has listed everybody.
    saysAll: said?.mode === 'bulk' && open.has('orgs.csv') && open.has('users.csv'),
    read: () => readFiles(open, version, said?.mode ?? 'bulk'),
  };
}

async function* readFiles(
  open: ReadonlyMap<string, OpenFile>,
  version: Version,
  mode: Mode,
): AsyncGenerator<Given[]> {
  const table = async (name: string, columns: readonly string[]): Promise<Table | undefined> => {
    const { file, encoding } = open.get(name) ?? {};
    return file === undefined ? undefined : named(name, async () => openCsv(file, encoding!, columns));
  };
  yield* readTable('orgs.csv', await table('orgs.csv', ORG_COLUMNS), (row) => [
    { kind: 'organization', organization: readOrganization(row, mode) },
  ]);
  if (version === '1.1') {
    yield* readTable('users.csv', await table('users.csv', USER_COLUMNS['1.1']), (row) =>
      OTHER_ROLES.has(row.fields.get('role') ?? '') ? [{ kind: 'ignored' }] : readUser(row, mode),
    );
    return;
  }
  // Roles first: they tell who of the users is staff, and nobody else's name is kept even for a moment.
  const staff = new Set<string>();
  yield* readTable('roles.csv', await table('roles.csv', ROLE_COLUMNS), (row) => {
    if (OTHER_ROLES.has(row.fields.get('role') ?? '')) return [{ kind: 'ignored' }];
    const read = readRole(row);
    staff.add(read.ref);
    return read.post === undefined ? [] : [{ kind: 'post', ref: read.ref, post: read.post, line: row.line }];
  });
  yield* readTable('users.csv', await table('users.csv', USER_COLUMNS['1.2']), (row) => {
    const person = readPerson(row, mode);
    // In a delta a user may come without a role: then only what is known of them changes, and nobody new goes in.
    if (staff.has(person.ref)) return [{ kind: 'person', person: { ...person, complete: mode === 'bulk' } }];
    return mode === 'delta'
      ? [{ kind: 'person', person: { ...person, complete: false, onlyKnown: true } }]
      : [{ kind: 'ignored' }];
  });
}

async function readManifest(
  manifest: OpenFile,
  open: ReadonlyMap<string, OpenFile>,
): Promise<{ version: Version; mode: Mode }> {
  const properties = new Map<string, string>();
  await named('manifest.csv', async () => {
    const { rows } = await openCsv(manifest.file, manifest.encoding, ['propertyName', 'value']);
    for await (const batch of rows)
      for (const { fields } of batch)
        properties.set(fields.get('propertyName') ?? '', fields.get('value') ?? '');
  });
  const version = properties.get('oneroster.version');
  if (version !== '1.1' && version !== '1.2')
    throw new UnreadableFile(
      `manifest.csv: oneroster.version is ${version ?? 'missing'}; 1.1 and 1.2 are read.`,
    );
  const modes = new Map<string, string>();
  for (const name of version === '1.1' ? ['orgs', 'users'] : ['orgs', 'users', 'roles']) {
    const mode = properties.get(`file.${name}`) ?? 'absent';
    const given = open.has(`${name}.csv`);
    if (!['bulk', 'delta', 'absent'].includes(mode))
      throw new UnreadableFile(`manifest.csv: file.${name} is "${mode}"; it must be bulk, delta or absent.`);
    if ((mode !== 'absent') !== given)
      throw new UnreadableFile(
        `manifest.csv says ${name}.csv is ${mode}, and it is ${given ? 'there' : 'not there'}.`,
      );
    if (given) modes.set(name, mode);
  }
  if (new Set(modes.values()).size > 1)
    throw new UnreadableFile('manifest.csv: some files are bulk and some delta; send them apart.');
  return { version, mode: [...modes.values()][0] === 'delta' ? 'delta' : 'bulk' };
}

async function named<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof UnreadableFile && !error.message.startsWith(name)
      ? new UnreadableFile(`${name}: ${error.message}.`)
      : error;
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
    this.value = value !== null && secret ? maskIdentity(value) : value;
  }
}

async function* readTable(
  file: string,
  table: Table | undefined,
  read: (row: Row) => Given[],
): AsyncGenerator<Given[]> {
  if (table === undefined) return;
  const refColumn = file === 'roles.csv' ? 'userSourcedId' : 'sourcedId';
  const secret = table.header.indexOf('metadata.identityNumber');
  yield [{ kind: 'header', file, cells: table.header, secret }];
  try {
    for await (const rows of table.rows) {
      const batch: Given[] = [];
      for (const row of rows) {
        batch.push({ kind: 'row', line: row.line, cells: row.cells });
        try {
          if (row.fields.size === 0)
            throw new RowRefused(row, null, 'The row has more or fewer fields than the header.');
          batch.push(...read(row));
        } catch (error) {
          if (!(error instanceof RowRefused)) throw error;
          const { column, value, message: reason } = error;
          batch.push({
            kind: 'refused',
            refused: { file, line: row.line, column, value, reason },
            ref: file === 'orgs.csv' ? undefined : row.fields.get(refColumn) || null,
          });
        }
      }
      yield batch;
    }
  } catch (error) {
    throw error instanceof UnreadableFile ? new UnreadableFile(`${file}: ${error.message}.`) : error;
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

function readOrganization(row: Row, mode: Mode): GivenOrganization {
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

function readUser(row: Row, mode: Mode): Given[] {
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

function readPerson(row: Row, mode: Mode): GivenPerson {
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
function readRole(row: Row): { ref: string; post: GivenPost | undefined } {
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
