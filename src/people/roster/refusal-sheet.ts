import type { Readable } from 'node:stream';
import { writeWorkbook, type CellToWrite, type RowToWrite } from '../../sheets/write.ts';
import type { Said } from './said.ts';

/** A row that was refused, as it stood in its file, with all that was wrong with it. */
export interface RefusedRow {
  readonly line: number;
  readonly cells: readonly string[];
  readonly refusals: readonly { readonly column: string | null; readonly reason: Said }[];
}

/** The refused rows of one file, read as they are written. */
export interface RefusedFile {
  readonly name: string;
  readonly header: readonly string[];
  readonly rows: AsyncIterable<RefusedRow>;
}

const WORDS = {
  'zh-CN': {
    title: '退回的行',
    line: '原行号',
    reason: '退回原因',
    none: '没有退回的行',
    empty: '（无标题）',
  },
  en: {
    title: 'Refused rows',
    line: 'Line',
    reason: 'Reason',
    none: 'No row was refused',
    empty: '(no title)',
  },
} as const;

/**
 * Refused rows as a workbook: a sheet per file with its own titles, the cells at fault marked and the reason in a note, and at the end the
 * line and all reasons. Where the file was a workbook, this one can be mended and imported as it is: the last two columns are read over.
 */
export function writeRefusals(files: readonly RefusedFile[], language: 'zh-CN' | 'en'): Readable {
  const words = WORDS[language];
  return writeWorkbook({
    language,
    title: words.title,
    creator: '心桥 Xinqiao',
    sheets:
      files.length === 0
        ? [{ name: words.title, columns: [{ title: words.none, width: 40 }], rows: [] }]
        : files.map(({ name, header, rows }) => ({
            name: sheetName(name),
            freezeHeader: true,
            columns: [
              ...header.map((title) => ({
                title: title === '' ? words.empty : title,
                format: 'text' as const,
                width: 18,
              })),
              { title: words.line, format: 'number' as const },
              { title: words.reason, format: 'text' as const, width: 80 },
            ],
            rows: rowsOf(rows, header, language),
          })),
  });
}

/** `[花名册.xlsx]教职工` is the sheet 教职工. */
function sheetName(file: string): string {
  return /^\[.*\](.+)$/.exec(file)?.[1] ?? file;
}

async function* rowsOf(
  rows: AsyncIterable<RefusedRow>,
  header: readonly string[],
  language: 'zh-CN' | 'en',
): AsyncGenerator<RowToWrite> {
  for await (const { line, cells, refusals } of rows) {
    const told = (column: string | null): string =>
      refusals
        .filter((refusal) => refusal.column === column)
        .map((refusal) => refusal.reason[language])
        .join('\n');
    const written: CellToWrite[] = header.map((title, at) => {
      const note = told(title);
      const value = cells[at] ?? '';
      return note === '' ? value : { value, mark: true, note };
    });
    // A row that is longer than its header stands as it is, beyond the columns.
    const beyond = cells.slice(header.length).join(' | ');
    yield [
      ...written,
      line,
      [
        ...refusals.map((refusal) => refusal.reason[language]),
        ...(beyond === '' ? [] : [`… ${beyond}`]),
      ].join('\n'),
    ];
  }
}
