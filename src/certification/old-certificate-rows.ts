import type { RefusedRow } from '../errors.ts';
import type { LinedRecord } from '../people/roster/records.ts';
import { said, type Said } from '../people/roster/said.ts';
import { plainTitle } from '../people/roster/template.ts';
import { narrow, readDay } from '../people/roster/text.ts';

/** Each is tried before another looks at it. */
export const MOST_ROWS = 5_000;

/** One old certificate as a file gives it; whom it is about is not yet looked up. */
export interface OldRow {
  readonly line: number;
  /** One of the two names the person. */
  readonly staffNumber: string | null;
  readonly sourceId: string | null;
  /** As a check. */
  readonly name: string;
  /** Code of the certification. */
  readonly certification: string;
  readonly issuedOn: string;
  /** null: as long as the certification says. */
  readonly validUntil: string | null;
  readonly oldNumber: string;
  readonly issuingBody: string;
  readonly reason: string;
  readonly classHours: number;
}

/** Columns by their English name, and what else they may be called. */
export const OLD_COLUMNS = {
  staff_number: ['工号', '职工号', '教工号'],
  source_id: ['人员编号', '人员标识'],
  name: ['姓名'],
  certification: ['认证代码', '认证编码'],
  issued_on: ['发证日期', '颁发日期'],
  valid_until: ['有效期至', '有效期止'],
  old_number: ['原证书编号', '证书编号'],
  issuing_body: ['发证机关', '发证机构', '颁发单位'],
  reason: ['理由', '登记理由', '说明'],
  class_hours: ['学时'],
} as const;
export type OldColumn = keyof typeof OLD_COLUMNS;
const NEEDED: readonly OldColumn[] = [
  'name',
  'certification',
  'issued_on',
  'old_number',
  'issuing_body',
  'reason',
];
/** A certificate's line for where it comes from has room for no more. */
const LONGEST = { name: 100, old_number: 60, issuing_body: 60, reason: 500 } as const;

/**
 * Reads old certificates from a table whose first record is the header. Columns that it does not know are passed over; every fault is
 * told, not just the first.
 * @param today no certificate is of a later day.
 */
export function readOldCertificates(
  records: readonly LinedRecord[],
  today: string,
): { rows: OldRow[]; refused: RefusedRow[] } {
  const rows: OldRow[] = [];
  const refused: RefusedRow[] = [];
  const titles = (records[0]?.record ?? []).map(plainTitle);
  const headerLine = records[0]?.line ?? 1;
  const place = new Map<OldColumn, number>();
  const refuseHeader = (column: string, reason: Said): void => {
    refused.push({ line: headerLine, column, value: null, reason });
  };
  for (const [column, others] of Object.entries(OLD_COLUMNS) as [OldColumn, readonly string[]][]) {
    const names = [column, ...others].map(plainTitle);
    const at = titles.flatMap((title, index) => (names.includes(title) ? [index] : []));
    if (at.length > 1)
      refuseHeader(column, said('The header has this column twice.', '表头中此列出现两次。'));
    if (at.length > 0) place.set(column, at[0]!);
  }
  for (const column of NEEDED)
    if (!place.has(column))
      refuseHeader(
        column,
        said('The header lacks this column.', `表头缺少此列（${OLD_COLUMNS[column][0]}）。`),
      );
  if (!place.has('staff_number') && !place.has('source_id'))
    refuseHeader(
      'staff_number',
      said('The header lacks it, and source_id too.', '表头既无工号也无人员编号。'),
    );
  const given = records.slice(1).filter(({ record }) => record.some((field) => field.trim() !== ''));
  if (given.length > MOST_ROWS)
    refused.push({
      line: headerLine,
      column: null,
      value: null,
      reason: said(
        `More than ${MOST_ROWS} rows; give several files.`,
        `超过 ${MOST_ROWS} 行，请分成几个文件。`,
      ),
    });
  if (refused.length > 0) return { rows, refused };

  const seen = new Map<string, number>();
  for (const { record, line } of given) {
    const before = refused.length;
    const field = (column: OldColumn): string => record[place.get(column) ?? -1]?.trim() ?? '';
    const refuse = (column: OldColumn | null, zh: string, en: string): void => {
      refused.push({ line, column, value: column === null ? null : field(column), reason: said(en, zh) });
    };
    if (record.length > titles.length && record.slice(titles.length).some((each) => each.trim() !== '')) {
      refuse(null, '此行的字段多于表头。', 'It has more fields than the header.');
      continue;
    }
    const text = (column: keyof typeof LONGEST): string => {
      const value = field(column);
      if (value === '') refuse(column, '未填写。', 'It is empty.');
      if (value.length > LONGEST[column])
        refuse(column, `超过 ${LONGEST[column]} 个字。`, `More than ${LONGEST[column]} characters.`);
      return value;
    };
    const day = (column: 'issued_on' | 'valid_until'): string | null => {
      if (field(column) === '') return null;
      const value = readDay(field(column));
      if (value === undefined) refuse(column, '不是日期（YYYY-MM-DD）。', 'Not a day, YYYY-MM-DD.');
      return value ?? null;
    };
    const staffNumber = narrow(field('staff_number')) || null;
    const sourceId = narrow(field('source_id')) || null;
    if (staffNumber === null && sourceId === null)
      refuse(
        place.has('staff_number') ? 'staff_number' : 'source_id',
        '未写明是谁。',
        'Whose it is does not stand there.',
      );
    const issuedOn = day('issued_on');
    if (field('issued_on') === '') refuse('issued_on', '未填写。', 'It is empty.');
    if (issuedOn !== null && issuedOn > today)
      refuse('issued_on', '此日期尚未到来。', 'This day is yet to come.');
    const validUntil = day('valid_until');
    if (validUntil !== null && issuedOn !== null && validUntil < issuedOn)
      refuse('valid_until', '早于发证日期。', 'It comes before the day of issue.');
    const hoursText = field('class_hours');
    const classHours = hoursText === '' ? 0 : /^\d{1,3}(\.5)?$/.test(hoursText) ? Number(hoursText) : -1;
    if (classHours < 0)
      refuse('class_hours', '不是学时数（整数或半学时）。', 'Not a number of class hours, whole or half.');
    const certification = narrow(field('certification'));
    if (certification === '') refuse('certification', '未填写。', 'It is empty.');
    const row = {
      line,
      staffNumber,
      sourceId,
      name: text('name'),
      certification,
      validUntil,
      oldNumber: text('old_number'),
      issuingBody: text('issuing_body'),
      reason: text('reason'),
      classHours,
    };
    const key = JSON.stringify([row.issuingBody, row.oldNumber]);
    if (row.oldNumber !== '' && seen.has(key))
      refuse(
        'old_number',
        `第 ${seen.get(key)} 行已有此证书编号。`,
        `Line ${seen.get(key)} has this number.`,
      );
    seen.set(key, line);
    if (refused.length === before) rows.push({ ...row, issuedOn: issuedOn! });
  }
  return { rows, refused };
}
