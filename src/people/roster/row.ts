import { isIdentityNumber } from '../person.ts';
import { maskIdentities, maskIdentity } from './roster.ts';
import { said, type Said } from './said.ts';
import { narrow, readDay } from './text.ts';

/** A row as read: where it stands in the file, and its fields by column name. */
export interface Row {
  /** 1-based line on which the record begins, as an editor or a spreadsheet shows it. */
  readonly line: number;
  /** Empty when the row has more or fewer fields than the header: then it can't be trusted in any of them. */
  readonly fields: { readonly size: number; get(column: string): string | undefined };
  /** As they stand there, for the header's columns and beyond. */
  readonly cells: readonly string[];
}

/** What a row reader throws to refuse its row. */
export class RowRefused extends Error {
  readonly column: string | null;
  readonly value: string | null;
  readonly reason: Said;
  constructor(row: Row, column: string | null, reason: Said, { secret = false }: { secret?: boolean } = {}) {
    super(reason.en);
    this.reason = reason;
    this.column = column;
    const value = column === null ? null : (row.fields.get(column) ?? null);
    // A refusal is shown and downloaded: an identity number must not travel with it.
    this.value = value === null ? null : secret ? maskIdentity(value) : maskIdentities(value);
  }
}

/** What stands in a column that may not be empty. @throws RowRefused */
export function required(row: Row, column: string): string {
  const value = optional(row, column);
  if (value === null) throw new RowRefused(row, column, said(`${column} is empty.`, `${column} 为空。`));
  return value;
}

/** What stands in a column; null: nothing. @throws RowRefused for more than a name or a code has. */
export function optional(row: Row, column: string): string | null {
  const value = row.fields.get(column) ?? '';
  if (value === '') return null;
  if (value.length > 255)
    throw new RowRefused(
      row,
      column,
      said(`${column} is longer than 255 characters.`, `${column} 超过 255 个字符。`),
    );
  return value;
}

/** A code or a number, in its plain width. */
export function plain(row: Row, column: string): string | null {
  const value = optional(row, column);
  return value === null ? null : narrow(value) || null;
}

export function day(row: Row, column: string, text: string): string {
  const read = readDay(text);
  if (read !== undefined) return read;
  throw new RowRefused(
    row,
    column,
    /^\d{5}$/.test(narrow(text))
      ? said(
          `"${text}" is a spreadsheet's inner number for a day; format the column as text, YYYY-MM-DD.`,
          `“${text}”是表格软件内部的日期数值，请把该列设为文本，写成 YYYY-MM-DD。`,
        )
      : said(`"${text}" is not a day; write it as YYYY-MM-DD.`, `“${text}”不是日期，请写成 YYYY-MM-DD。`),
  );
}

/** A day, where the column holds one. */
export function optionalDay(row: Row, column: string): string | null {
  const text = optional(row, column);
  return text === null ? null : day(row, column, text);
}

/** @throws RowRefused where a post would end before it begins. */
export function checkDays(
  row: Row,
  column: string,
  startsOn: string | null,
  endsOn: string | null,
  entry?: number,
): void {
  if (startsOn === null || endsOn === null || endsOn >= startsOn) return;
  throw new RowRefused(
    row,
    column,
    said(
      `${entry === undefined ? 'It' : `Entry ${entry}`} ends (${endsOn}) before it begins (${startsOn}).`,
      `${entry === undefined ? '' : `第 ${entry} 项的`}结束日期（${endsOn}）早于开始日期（${startsOn}）。`,
    ),
  );
}

/** An administrative division code. @throws RowRefused */
export function checkDivisionCode(row: Row, column: string, code: string | null): void {
  if (code !== null && !/^\d{6}$/.test(code))
    throw new RowRefused(
      row,
      column,
      said(
        `"${code}" is not an administrative division code: six digits.`,
        `“${code}”不是行政区划代码：应为六位数字。`,
      ),
    );
}

/** How many students. @throws RowRefused */
export function optionalCount(row: Row, column: string): number | null {
  const text = plain(row, column);
  if (text !== null && !/^\d{1,7}$/.test(text))
    throw new RowRefused(
      row,
      column,
      said(`"${text}" is not a number of students.`, `“${text}”不是学生人数。`),
    );
  return text === null ? null : Number(text);
}

/** An identity number, where the column holds one. @throws RowRefused, in which it is masked */
export function optionalIdentityNumber(row: Row, column: string): string | null {
  const number = plain(row, column)?.toUpperCase() ?? null;
  if (number !== null && !isIdentityNumber(number))
    throw new RowRefused(
      row,
      column,
      said(
        'It is not an identity number: 18 characters of which the last checks the others.',
        '不是有效的居民身份证号：应为 18 位，且末位校验码正确。',
      ),
      { secret: true },
    );
  return number;
}

/** The refusal of a value that is none of those which may stand there. @param what what it should be, in English. @param zh the same in Chinese. */
export function notOneOf(
  row: Row,
  column: string,
  value: string,
  what: string,
  zh: string,
  all: readonly string[],
): RowRefused {
  return new RowRefused(
    row,
    column,
    said(`"${value}" is not ${what} (${all.join(', ')}).`, `“${value}”不是${zh}（${all.join('、')}）。`),
  );
}
