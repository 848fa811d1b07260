import type { LinedRecord } from '../people/roster/records.ts';
import { InvalidInput } from '../errors.ts';
import { parseCertificateNumber } from './number.ts';

/** A row of a list of certificates to verify, as it was given. */
export interface GivenRow {
  /** As the file has it, from 1. */
  readonly line: number;
  readonly number: string;
  /** undefined: none was given, and none is compared. */
  readonly name: string | undefined;
}

const NUMBER_TITLES = new Set(['number', 'certificatenumber', '编号', '证书编号', '证书号', '证书号码']);
const NAME_TITLES = new Set(['name', 'holder', 'holdername', '姓名', '持证人', '持证人姓名', '教师姓名']);
/** Rows in which a column without a title is looked for. */
const LOOK = 20;
const MOST_CHARACTERS = 100;

function plain(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[\s_\p{Cf}]/gu, '');
}

/**
 * Finds numbers and names in a table: by the titles of its columns, or, without such, by what looks like numbers of ours.
 * @throws InvalidInput where there is no column of numbers.
 */
export function readRows(records: readonly LinedRecord[]): GivenRow[] {
  const rows = records.filter(({ record }) => record.some((cell) => cell.trim() !== ''));
  const titles = (rows[0]?.record ?? []).map(plain);
  let numberAt = titles.findIndex((title) => NUMBER_TITLES.has(title));
  let nameAt = titles.findIndex((title) => NAME_TITLES.has(title));
  const titled = numberAt !== -1;
  if (!titled) {
    const looksLikeNumber = (cell: string): boolean => parseCertificateNumber(cell) !== undefined;
    const width = Math.max(0, ...rows.slice(0, LOOK).map(({ record }) => record.length));
    const columns = Array.from({ length: width }, (_each, at) =>
      rows.slice(0, LOOK).map(({ record }) => record[at]?.trim() ?? ''),
    );
    numberAt = columns.findIndex((cells) => cells.some(looksLikeNumber));
    if (numberAt === -1)
      throw new InvalidInput(
        'file',
        'No column of certificate numbers was found: give one the title 证书编号 or "number", and for names 姓名 or "name".',
      );
    nameAt = columns.findIndex(
      (cells, at) =>
        at !== numberAt && cells.some((cell) => cell !== '' && /^[\p{L}\p{M}·•.' -]+$/u.test(cell)),
    );
  }
  return rows.slice(titled ? 1 : 0).map(({ line, record }) => {
    const name = nameAt === -1 ? '' : (record[nameAt]?.trim() ?? '');
    return {
      line,
      number: (record[numberAt]?.trim() ?? '').slice(0, MOST_CHARACTERS),
      name: name === '' ? undefined : name.slice(0, MOST_CHARACTERS),
    };
  });
}

/** Whether two spellings are one name: width, case, spaces and the kinds of middle dot do not matter; nothing else is forgiven. */
export function sameName(given: string, known: string): boolean {
  const form = (name: string): string =>
    name
      .normalize('NFKC')
      .toLowerCase()
      .replaceAll(/[\s\p{Cf}]/gu, '')
      .replaceAll(/[•‧∙・･.]/g, '·');
  return form(given) === form(known);
}
