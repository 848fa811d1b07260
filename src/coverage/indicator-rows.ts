import { parse } from 'csv-parse/sync';
import type { RefusedRow } from '../errors.ts';
import { said } from '../people/roster/said.ts';
import type { Indicator } from './indicator.ts';

/** More would be another kind of import. */
export const MOST_ROWS = 5_000;
const MOST = 1_000_000_000;

/** One value as a file gives it; whom it is about is not yet looked up. */
export interface GivenValue {
  readonly line: number;
  /** A division's code, or an organization's identifier (学校标识码). */
  readonly unit: string;
  readonly since: string | null;
  readonly day: string;
  readonly numerator: number;
  readonly denominator: number | null;
}

interface Parsed {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/**
 * Reads values from CSV text (RFC 4180): columns `unit`, `day` and, by the indicator's kind, `value`, or `numerator` and `denominator`;
 * `since` may stand beside. Other columns are passed over.
 * @param today no value is from a later day.
 */
export function readIndicatorRows(
  csv: string,
  indicator: Pick<Indicator, 'kind'>,
  today: string,
): { values: GivenValue[]; refused: RefusedRow[] } {
  const values: GivenValue[] = [];
  const refused: RefusedRow[] = [];
  let records: Parsed[];
  try {
    records = parse(csv, {
      info: true,
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as Parsed[];
  } catch (error) {
    const { code, lines, message } = error as { code?: string; lines?: number; message: string };
    if (code?.startsWith('CSV_') !== true) throw error;
    return {
      values,
      refused: [
        {
          line: lines ?? 1,
          column: null,
          value: null,
          reason: said(`It is no CSV: ${message}`, `不是 CSV 文件：${message}`),
        },
      ],
    };
  }
  const header = (records[0]?.record ?? []).map((name) => name.trim());
  const needed = ['unit', 'day', ...(indicator.kind === 'share' ? ['numerator', 'denominator'] : ['value'])];
  for (const column of needed)
    if (!header.includes(column))
      refused.push({
        line: 1,
        column,
        value: null,
        reason: said('The header lacks this column.', '表头缺少此列。'),
      });
  if (records.length - 1 > MOST_ROWS)
    refused.push({
      line: 1,
      column: null,
      value: null,
      reason: said(`More than ${MOST_ROWS} rows.`, `超过 ${MOST_ROWS} 行。`),
    });
  if (refused.length > 0) return { values, refused };

  const seen = new Map<string, number>();
  for (const { record, info } of records.slice(1)) {
    const line = info.lines;
    const before = refused.length;
    const refuse = (column: string | null, value: string | null, zh: string, en: string): void => {
      refused.push({ line, column, value, reason: said(en, zh) });
    };
    if (record.length !== header.length) {
      refuse(
        null,
        null,
        `此行有 ${record.length} 个字段，表头有 ${header.length} 个。`,
        `It has ${record.length} fields, and the header ${header.length}.`,
      );
      continue;
    }
    const field = (column: string): string => record[header.indexOf(column)]?.trim() ?? '';
    const day = (column: string): string => {
      const text = field(column);
      if (!isDay(text)) refuse(column, text, '不是日期（YYYY-MM-DD）。', 'Not a day, YYYY-MM-DD.');
      else if (text > today) refuse(column, text, '此日期尚未到来。', 'This day is yet to come.');
      return text;
    };
    const number = (column: string): number => {
      const text = field(column);
      const value = /^\d{1,10}$/.test(text) ? Number(text) : MOST + 1;
      if (value > MOST) refuse(column, text, '不是非负整数。', 'Not a whole number from 0.');
      return value;
    };
    const given = {
      line,
      unit: field('unit'),
      day: day('day'),
      since: field('since') === '' ? null : day('since'),
      ...measured(),
    };
    if (given.unit === '') refuse('unit', '', '未写明单位。', 'Whose value it is does not stand there.');
    if (given.since !== null && given.since > given.day)
      refuse('since', given.since, '时段的起始日晚于截止日。', 'The period begins after its last day.');
    const key = `${given.unit} ${given.day}`;
    if (seen.has(key))
      refuse(
        'unit',
        given.unit,
        `第 ${seen.get(key)} 行已有该单位当日的数值。`,
        `Line ${seen.get(key)} has a value for it and this day.`,
      );
    seen.set(key, line);
    if (refused.length === before) values.push(given);

    function measured(): { numerator: number; denominator: number | null } {
      switch (indicator.kind) {
        case 'count':
          return { numerator: number('value'), denominator: null };
        case 'yes_no': {
          const answer = yesNo.get(field('value').toLowerCase());
          if (answer === undefined)
            refuse('value', field('value'), '既非“是”也非“否”。', 'Neither yes nor no (是, 否, 1, 0).');
          return { numerator: answer ?? 0, denominator: 1 };
        }
        case 'share': {
          const [numerator, denominator] = [number('numerator'), number('denominator')];
          if (numerator <= MOST && numerator > denominator)
            refuse(
              'numerator',
              String(numerator),
              `大于分母 ${denominator}。`,
              `More than its denominator, ${denominator}.`,
            );
          return { numerator, denominator };
        }
      }
    }
  }
  return { values, refused };
}

const yesNo = new Map([
  ['yes', 1],
  ['是', 1],
  ['1', 1],
  ['no', 0],
  ['否', 0],
  ['0', 0],
]);

function isDay(text: string): boolean {
  return (
    /^\d{4}-\d{2}-\d{2}$/.test(text) &&
    !Number.isNaN(Date.parse(text)) &&
    new Date(text).toISOString().startsWith(text)
  );
}
