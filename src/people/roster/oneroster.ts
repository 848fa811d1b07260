import type { RosterFile } from './archive.ts';
import { openCsv, type Table } from './csv.ts';
import {
  CONTACT_COLUMNS,
  OTHER_ROLES,
  readOrganization,
  readPerson,
  readRole,
  readUser,
  type Mode,
} from './oneroster-rows.ts';
import type { Given, Roster } from './roster.ts';
import { RowRefused, type Row } from './row.ts';
import { ofFile, said, UnreadableFile } from './said.ts';
import { readEncoding, type Encoding } from './text.ts';

/*
 * OneRoster CSV binding (1EdTech): 1.1 final, section 4, where a user's row names organizations and role; and 1.2, where roles stand
 * in a file of their own with their first and last days. Extension columns are named `metadata.…`; ours are listed in README.md of
 * this folder. Reading knows nothing of the database.
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
type Version = '1.1' | '1.2';
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
      `文件中既没有 orgs.csv 也没有 users.csv（${files.map((file) => file.name).join('、')}）。`,
    );
  const said = open.has('manifest.csv') ? await readManifest(open.get('manifest.csv')!, open) : undefined;
  const version = said?.version ?? (open.has('roles.csv') ? '1.2' : '1.1');
  if (version === '1.2' && open.has('users.csv') !== open.has('roles.csv'))
    throw new UnreadableFile(
      'users.csv and roles.csv belong together in OneRoster 1.2, and one of them is missing.',
      'OneRoster 1.2 中 users.csv 和 roles.csv 须同时提供，现缺少其中一个。',
    );
  const rows = [...open].reduce(
    (sum, [name, { lines }]) => (name === 'manifest.csv' ? sum : sum + Math.max(0, lines - 1)),
    0,
  );
  return {
    rows,
    organizations: {
      file: 'orgs.csv',
      refColumn: 'sourcedId',
      parentColumn: 'parentSourcedId',
      divisionColumn: 'metadata.divisionCode',
    },
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
      `manifest.csv：oneroster.version 为 ${version ?? '空'}，只能读取 1.1 和 1.2。`,
    );
  const modes = new Map<string, string>();
  for (const name of version === '1.1' ? ['orgs', 'users'] : ['orgs', 'users', 'roles']) {
    const mode = properties.get(`file.${name}`) ?? 'absent';
    const given = open.has(`${name}.csv`);
    if (!['bulk', 'delta', 'absent'].includes(mode))
      throw new UnreadableFile(
        `manifest.csv: file.${name} is "${mode}"; it must be bulk, delta or absent.`,
        `manifest.csv：file.${name} 为“${mode}”，只能是 bulk、delta 或 absent。`,
      );
    if ((mode !== 'absent') !== given)
      throw new UnreadableFile(
        `manifest.csv says ${name}.csv is ${mode}, and it is ${given ? 'there' : 'not there'}.`,
        `manifest.csv 称 ${name}.csv 为 ${mode}，而该文件${given ? '存在' : '不存在'}。`,
      );
    if (given) modes.set(name, mode);
  }
  if (new Set(modes.values()).size > 1)
    throw new UnreadableFile(
      'manifest.csv: some files are bulk and some delta; send them apart.',
      'manifest.csv：部分文件为 bulk，部分为 delta，请分开提交。',
    );
  return { version, mode: [...modes.values()][0] === 'delta' ? 'delta' : 'bulk' };
}

async function named<T>(name: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof UnreadableFile ? ofFile(name, error) : error;
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
  const contacts =
    file === 'users.csv'
      ? CONTACT_COLUMNS.map((column) => table.header.indexOf(column)).filter((at) => at !== -1)
      : [];
  yield [{ kind: 'header', file, cells: table.header, secret, contacts }];
  try {
    for await (const rows of table.rows) {
      const batch: Given[] = [];
      for (const row of rows) {
        batch.push({ kind: 'row', line: row.line, cells: row.cells });
        try {
          if (row.fields.size === 0)
            throw new RowRefused(
              row,
              null,
              said('The row has more or fewer fields than the header.', '该行的列数与表头不符。'),
            );
          batch.push(...read(row));
        } catch (error) {
          if (!(error instanceof RowRefused)) throw error;
          const { column, value, reason } = error;
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
    throw error instanceof UnreadableFile ? ofFile(file, error) : error;
  }
}
