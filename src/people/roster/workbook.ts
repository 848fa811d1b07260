import { openWorkbook, type Cell, type Workbook } from '../../sheets/read.ts';
import { maskIdentities, type Given, type Roster } from './roster.ts';
import { RowRefused, type Row } from './row.ts';
import { said, UnreadableFile } from './said.ts';
import { ORGANIZATION_COLUMNS, plainTitle, STAFF_COLUMNS, type TemplateColumn } from './template.ts';
import { narrow } from './text.ts';
import { ofUnreadableSheet } from './unreadable.ts';
import type { Upload } from './upload.ts';
import { readOrganizationRow, readStaffRow, type Titles } from './workbook-rows.ts';

/*
 * A roster in a workbook, as template.ts has it and as bureaus keep theirs: the sheets are known by their titles, wherever these stand
 * among the first rows and in whatever order. Reading knows nothing of the database.
 */

/** Above the titles a form has its own name, its date, notes. */
const ROWS_ABOVE = 20;
/** A spreadsheet keeps fifteen digits of a number. */
const MAX_DIGITS = 15;

interface FoundSheet {
  readonly name: string;
  /** `[花名册.xlsx]教职工`, as spreadsheets write it. */
  readonly file: string;
  readonly headerLine: number;
  readonly header: readonly string[];
  /** Our columns → as the sheet calls them. */
  readonly titles: Titles;
}

/** Whether a file of an upload is a workbook, or was one before Excel 2007. */
export async function isWorkbook(file: Upload): Promise<boolean> {
  return (
    /\.(xls[xmb]?|et)$/i.test(file.name) ||
    (await file.read(0, 4)).subarray(0, 4).toString('hex') === 'd0cf11e0'
  );
}

/**
 * Opens a workbook and reads it through once. Its rows come from `read()`.
 * @throws UnreadableFile naming the file; from `read()` too.
 */
export async function openWorkbookRoster(file: Upload): Promise<Roster> {
  const workbook = await ofWorkbook(file, async () => openWorkbook(file));
  const { organizations, staff, rows } = await ofWorkbook(file, async () => findSheets(file, workbook));
  const none = `[${file.name}]`;
  return {
    rows,
    organizations: {
      file: organizations?.file ?? none,
      refColumn: organizations?.titles['code'] ?? ORGANIZATION_COLUMNS.code.title,
      parentColumn: organizations?.titles['parent'] ?? ORGANIZATION_COLUMNS.parent.title,
      divisionColumn: organizations?.titles['division'] ?? ORGANIZATION_COLUMNS.division.title,
    },
    people: {
      file: staff?.file ?? none,
      refColumn: staff?.titles['ref'] ?? STAFF_COLUMNS.ref.title,
      identityColumn: staff?.titles['identity'] ?? STAFF_COLUMNS.identity.title,
    },
    posts: {
      file: staff?.file ?? none,
      organizationColumn: staff?.titles['code'] ?? STAFF_COLUMNS.code.title,
    },
    repeats: true,
    saysAll: false,
    async *read() {
      if (organizations !== undefined) yield* readSheet(file, workbook, organizations, readOrganizationRow);
      if (staff !== undefined) yield* readSheet(file, workbook, staff, readStaffRow);
    },
  };
}

async function ofWorkbook<T>(file: Upload, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw ofUnreadableSheet(file.name, error);
  }
}

async function findSheets(
  file: Upload,
  workbook: Workbook,
): Promise<{ organizations: FoundSheet | undefined; staff: FoundSheet | undefined; rows: number }> {
  const found = new Map<'organizations' | 'staff', FoundSheet>();
  const almost: { kind: 'organizations' | 'staff'; text: string }[] = [];
  let rows = 0;
  for (const { name } of workbook.sheets) {
    const sheet = await findTitles(file, workbook, name);
    if (sheet === undefined) continue;
    if (sheet.missing.length > 0) {
      almost.push({ kind: sheet.kind, text: `${name}: ${sheet.missing.join('、')}` });
      continue;
    }
    if (sheet.twice !== undefined)
      throw new UnreadableFile(
        `${file.name}: the sheet ${name} has ${sheet.twice} twice.`,
        `${file.name}：工作表“${name}”中“${sheet.twice}”出现两次。`,
      );
    const other = found.get(sheet.kind);
    if (other !== undefined)
      throw new UnreadableFile(
        `${file.name}: the sheets ${other.name} and ${name} hold the same kind of rows; put them into one.`,
        `${file.name}：工作表“${other.name}”和“${name}”内容类型相同，请合并成一张表。`,
      );
    found.set(sheet.kind, sheet.found);
    rows += sheet.rows;
  }
  // One of which a title was changed would else be left out without a word.
  const lost = almost.filter(({ kind }) => !found.has(kind)).map(({ text }) => text);
  if (found.size > 0 && lost.length === 0)
    return { organizations: found.get('organizations'), staff: found.get('staff'), rows };
  const needed = (columns: Readonly<Record<string, TemplateColumn>>): string =>
    Object.values(columns)
      .filter(({ isRequired }) => isRequired === true)
      .map(({ title }) => title)
      .join('、');
  throw lost.length > 0
    ? new UnreadableFile(
        `${file.name}: columns are missing (${lost.join('; ')}).`,
        `${file.name}：缺少必需的列（${lost.join('；')}）。`,
      )
    : new UnreadableFile(
        `${file.name}: no sheet has the titles of the template (${needed(ORGANIZATION_COLUMNS)}, or ${needed(STAFF_COLUMNS)}) among its first ${ROWS_ABOVE} rows.`,
        `${file.name}：没有一张工作表在前 ${ROWS_ABOVE} 行内有模板的标题（${needed(ORGANIZATION_COLUMNS)}；或 ${needed(STAFF_COLUMNS)}）。`,
      );
}

interface FoundTitles {
  readonly kind: 'organizations' | 'staff';
  readonly found: FoundSheet;
  readonly missing: readonly string[];
  readonly twice: string | undefined;
}

/** Where the titles stand in a sheet; undefined where it has nothing to do with a roster. */
async function findTitles(
  file: Upload,
  workbook: Workbook,
  name: string,
): Promise<(FoundTitles & { rows: number }) | undefined> {
  let best: FoundTitles | undefined;
  let rows = 0;
  let isTop = true;
  for await (const batch of workbook.rows(name)) {
    rows += batch.length;
    // Who wants to know how many there are reads on.
    if (!isTop) continue;
    for (const row of batch) {
      if (row.line > ROWS_ABOVE) break;
      const header = Array.from(row.cells, (cell) => cell?.text.trim() ?? '');
      let isOfStaff = false;
      for (const [kind, columns] of [
        ['staff', STAFF_COLUMNS],
        ['organizations', ORGANIZATION_COLUMNS],
      ] as const) {
        // Staff with the name of their school beside them are no list of schools.
        if (isOfStaff) continue;
        const { titles, twice } = titlesOf(header, columns);
        isOfStaff = kind === 'staff' && titles['ref'] !== undefined && titles['name'] !== undefined;
        const missing = Object.entries<TemplateColumn>(columns)
          .filter(([key, column]) => column.isRequired === true && titles[key] === undefined)
          .map(([, column]) => column.title);
        // Two of them by chance are likely, as a name and a code are on every form; and whoever lists how people are reached means nothing by it.
        const telling = Object.keys(titles).filter((key) => key !== 'email' && key !== 'mobile');
        const isSo = missing.length === 0 || telling.length >= 3;
        if (isSo && (best === undefined || missing.length < best.missing.length))
          best = {
            kind,
            missing,
            twice,
            found: {
              name,
              file: maskIdentities(`[${file.name}]${name}`),
              headerLine: row.line,
              header,
              titles,
            },
          };
      }
    }
    isTop = false;
    if (best === undefined) return undefined;
  }
  return best === undefined ? undefined : { ...best, rows };
}

/** @returns our columns that a row of titles has, and one that it has twice, so that it can't be told which is meant. */
function titlesOf(
  header: readonly string[],
  columns: Readonly<Record<string, TemplateColumn>>,
): { titles: Titles; twice: string | undefined } {
  const titles: Record<string, string> = {};
  let twice: string | undefined;
  const plain = header.map(plainTitle);
  for (const [key, column] of Object.entries(columns)) {
    const names = [column.title, ...column.alsoCalled].map(plainTitle);
    const at = names.map((each) => plain.indexOf(each)).find((index) => index !== -1);
    if (at === undefined) continue;
    if (plain.indexOf(plain[at]!, at + 1) !== -1) twice ??= header[at];
    titles[key] = header[at]!;
  }
  // Where nobody has a number for the whole region, the employer's own is what there is.
  if (columns === STAFF_COLUMNS && titles['ref'] === undefined && titles['staffNumber'] !== undefined)
    titles['ref'] = titles['staffNumber'];
  return { titles, twice };
}

async function* readSheet(
  file: Upload,
  workbook: Workbook,
  sheet: FoundSheet,
  read: (row: Row, titles: Titles) => Given[],
): AsyncGenerator<Given[]> {
  const secret = sheet.titles['identity'] === undefined ? -1 : sheet.header.indexOf(sheet.titles['identity']);
  const columns = new Map(sheet.header.map((title, at) => [title, at]));
  const ours = Object.values(sheet.titles).map((title) => columns.get(title)!);
  const contacts = [sheet.titles['email'], sheet.titles['mobile']].flatMap((title) =>
    title === undefined ? [] : [columns.get(title)!],
  );
  yield [{ kind: 'header', file: sheet.file, cells: sheet.header, secret, contacts }];
  try {
    for await (const batch of workbook.rows(sheet.name)) {
      const given: Given[] = [];
      for (const { line, cells } of batch) {
        if (line <= sheet.headerLine) continue;
        const row = toRow(line, cells, sheet.header.length, columns);
        // What stands beside or below the table is none of its rows, nor is one that was only numbered in advance.
        if (ours.every((at) => row.cells[at] === '')) continue;
        given.push({ kind: 'row', line, cells: row.cells });
        try {
          given.push(...read(row, sheet.titles));
        } catch (error) {
          if (!(error instanceof RowRefused)) throw error;
          const { column, value, reason } = error;
          given.push({
            kind: 'refused',
            refused: { file: sheet.file, line, column, value, reason },
            ref: sheet.titles['ref'] === undefined ? undefined : refOf(row, sheet.titles['ref']),
          });
        }
      }
      yield given;
    }
  } catch (error) {
    throw ofUnreadableSheet(file.name, error);
  }
}

function refOf(row: Row, column: string): string | null {
  try {
    const ref = row.fields.get(column) ?? '';
    return narrow(ref) || ref || null;
  } catch {
    return null;
  }
}

function toRow(
  line: number,
  cells: readonly (Cell | undefined)[],
  width: number,
  columns: ReadonlyMap<string, number>,
): Row {
  const texts = Array.from({ length: width }, (_, at) => cells[at]?.text.trim() ?? '');
  return {
    line,
    cells: texts,
    fields: {
      size: texts.length,
      get: (column) => {
        const at = columns.get(column);
        if (at === undefined) return undefined;
        const cell = cells[at];
        const refuse = (en: string, zh: string): RowRefused =>
          new RowRefused(
            { line, cells: texts, fields: { size: 0, get: () => texts[at]! } },
            column,
            said(en, zh),
            // It may be an identity number.
            { secret: cell?.kind === 'number' },
          );
        if (cell?.kind === 'error')
          throw refuse('The cell holds an error of a formula.', '单元格里是公式错误。');
        if (cell?.kind === 'number' && cell.text.replaceAll(/\D/g, '').length > MAX_DIGITS)
          throw refuse(
            `It is kept as a number of more than ${MAX_DIGITS} digits, the last of which are lost; format the column as text and enter it anew.`,
            `以数值保存，超过 ${MAX_DIGITS} 位的末几位已丢失；请把该列设为文本后重新填写。`,
          );
        return texts[at]!;
      },
    },
  };
}
