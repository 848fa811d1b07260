import { Readable } from 'node:stream';
import { eachRow, valueOf, type CellToWrite, type RowsToWrite, type RowToWrite } from './cells.ts';
import { plainNumber } from './number-format.ts';

export interface CsvToWrite {
  readonly columns: readonly { readonly title: string }[];
  readonly rows: RowsToWrite;
}

const PIECE = 64 * 1024;

/**
 * A table as CSV that spreadsheets open as it is: UTF-8 with its mark, CRLF, quoted as RFC 4180 has it, the titles first. A text that a
 * spreadsheet would take for a formula gets an apostrophe before it, as OWASP advises; who reads the file by a program must know.
 * Marks and notes have no place in it. What the rows throw, the stream throws.
 */
export function writeCsv(table: CsvToWrite): Readable {
  return Readable.from(lines(table), { objectMode: false });
}

async function* lines({ columns, rows }: CsvToWrite): AsyncGenerator<Buffer> {
  const width = columns.length;
  let text = `\ufeff${line(
    columns.map(({ title }) => title),
    width,
  )}`;
  for await (const row of eachRow(rows)) {
    text += line(row, width);
    if (text.length < PIECE) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function line(row: RowToWrite, width: number): string {
  const fields: string[] = [];
  for (let at = 0; at < Math.max(width, row.length); at += 1) fields.push(field(row[at]));
  return `${fields.join(',')}\r\n`;
}

function field(cell: CellToWrite | undefined): string {
  const value = valueOf(cell);
  if (value === null) return '';
  if (typeof value === 'number') return plainNumber(value);
  const text = /^[=+\-@\t\r\n＝＋－＠]/.test(value) ? `'${value}` : value;
  // Semicolons and tabs divide fields where a computer is set up so: then what follows one would begin a field.
  return /[",;\t\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
