import { readEmail, readMobile } from '../contact.ts';
import { contactsFrom } from './oneroster-rows.ts';
import type { Given } from './roster.ts';
import {
  checkDays,
  checkDivisionCode,
  notOneOf,
  optional,
  optionalCount,
  optionalDay,
  optionalIdentityNumber,
  plain,
  required,
  type Row,
} from './row.ts';
import { kindOf, kindWords, plainTitle, roleOf, roleWords, workloadOf } from './template.ts';
import { narrow } from './text.ts';

/* The rows of a workbook, each judged by itself: see workbook.ts. */

/** Our columns → as the sheet calls them. */
export type Titles = Readonly<Record<string, string>>;

/** A column that the sheet may lack: then it is empty in every row. */
function has<T>(titles: Titles, key: string, read: (column: string) => T): T | null {
  const column = titles[key];
  return column === undefined ? null : read(column);
}

export function readOrganizationRow(row: Row, titles: Titles): Given[] {
  const word = has(titles, 'kind', (column) => optional(row, column));
  const kind = word === null ? 'unspecified' : kindOf(plainTitle(word));
  if (kind === undefined)
    throw notOneOf(row, titles['kind']!, word!, 'a kind of school', '办学类型', kindWords);
  const divisionCode = has(titles, 'division', (column) => plain(row, column));
  if (divisionCode !== null) checkDivisionCode(row, titles['division']!, divisionCode);
  const code = codeOf(row, titles['code']!);
  return [
    {
      kind: 'organization',
      organization: {
        line: row.line,
        sourceId: code,
        name: required(row, titles['name']!),
        kind,
        identifier: code,
        parentSourceId: has(titles, 'parent', (column) => plain(row, column)),
        divisionCode,
        studentCount: has(titles, 'students', (column) => optionalCount(row, column)),
        studentCountOn: has(titles, 'studentsOn', (column) => optionalDay(row, column)),
        closes: false,
        unsaid: UNSAID.filter(([title]) => titles[title] === undefined).map(([, field]) => field),
      },
    },
  ];
}

const UNSAID = [
  ['kind', 'kind'],
  ['students', 'studentCount'],
  ['studentsOn', 'studentCountOn'],
] as const;

export function readStaffRow(row: Row, titles: Titles): Given[] {
  const ref = codeOf(row, titles['ref']!);
  const identityNumber = has(titles, 'identity', (column) => optionalIdentityNumber(row, column));
  const word = required(row, titles['role']!);
  const told = roleOf(plainTitle(word));
  if (told === undefined) throw notOneOf(row, titles['role']!, word, 'a role', '岗位', roleWords);
  const load = has(titles, 'workload', (column) => optional(row, column));
  const workload = load === null ? (told.workload ?? 'full') : workloadOf(narrow(load));
  if (workload === undefined)
    throw notOneOf(row, titles['workload']!, load!, 'a workload', '专兼职', ['专职', '兼职']);
  const startsOn = has(titles, 'startsOn', (column) => optionalDay(row, column));
  const endsOn = has(titles, 'endsOn', (column) => optionalDay(row, column));
  if (endsOn !== null) checkDays(row, titles['endsOn']!, startsOn, endsOn);
  return [
    {
      kind: 'person',
      person: {
        line: row.line,
        ref,
        name: nameOf(required(row, titles['name']!)),
        staffNumber: has(titles, 'staffNumber', (column) => plain(row, column)),
        identityNumber,
        leaves: false,
        complete: true,
        onlyKnown: false,
        ...contactsFrom(
          readEmail(has(titles, 'email', (column) => optional(row, column)) ?? ''),
          readMobile(has(titles, 'mobile', (column) => optional(row, column)) ?? ''),
        ),
      },
    },
    {
      kind: 'post',
      ref,
      line: row.line,
      post: {
        organizationSourceId: codeOf(row, titles['code']!),
        role: told.role,
        workload,
        startsOn,
        endsOn,
        ends: false,
      },
    },
  ];
}

/** A code in its plain width, which must be there. */
function codeOf(row: Row, column: string): string {
  return narrow(required(row, column)) || required(row, column);
}

/** Forms put a space between the characters of short names. */
function nameOf(text: string): string {
  return /^[\p{Script=Han}\s·]+$/u.test(text) ? text.replaceAll(/\s/g, '') : text.replaceAll(/\s+/g, ' ');
}
