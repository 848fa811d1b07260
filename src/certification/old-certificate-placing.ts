import type { CourseService } from '../courses/course.service.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, type RefusedRow } from '../errors.ts';
import type { Viewer } from '../people/permission.ts';
import { said, UnreadableFile } from '../people/roster/said.ts';
import { fileOf, type IncomingFile } from '../people/roster/upload.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { Division } from '../regions/division.ts';
import { postFor, type groundsOf, type PlacesOf } from './issue-grounds.ts';
import {
  listCertificationIds,
  listStaffByNumber,
  standingKey,
  type StaffFound,
} from './issue-request.repository.ts';
import type { AskedRow } from './issue-request.ts';
import { MOST_ROWS, readOldCertificates, type OldColumn, type OldRow } from './old-certificate-rows.ts';
import { readTable } from './table.ts';
import { lastValidDay } from './validity.ts';

/** As many rows as there may be are far from it. */
const MOST_BYTES = 8 * 1024 * 1024;

/** @throws InvalidInput for what is no table. */
export async function readOldFile(
  file: IncomingFile,
  today: string,
): Promise<{ rows: OldRow[]; refused: RefusedRow[] }> {
  if (file.size > MOST_BYTES)
    throw new InvalidInput('input.file', `The file is larger than ${MOST_BYTES / 1024 / 1024} MB.`);
  const pieces: Uint8Array[] = [];
  for await (const piece of file.stream()) pieces.push(piece);
  try {
    const table = await readTable(fileOf({ name: file.name, bytes: Buffer.concat(pieces) }), MOST_ROWS);
    return readOldCertificates(table, today);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new InvalidInput('input.file', `${error.said['zh-CN']} ${error.message}`);
  }
}

/** What a row would be printed from, once it is known whom it is about. */
export type PrintFacts = Omit<Parameters<typeof groundsOf>[1], 'requestId'>;

/**
 * Who each row is about and what for, with every row that can't be placed.
 * @param faultOfDrawing why a row could not be printed.
 */
export async function placeOldRows(
  {
    db,
    courses,
    programmes,
    placesOf,
    faultOfDrawing,
    today,
  }: {
    db: Database;
    courses: CourseService;
    programmes: ProgrammeService;
    placesOf: PlacesOf;
    faultOfDrawing: (row: AskedRow, facts: PrintFacts) => Promise<string | undefined>;
    today: string;
  },
  viewer: Viewer,
  division: Division,
  rows: readonly OldRow[],
): Promise<{ known: AskedRow[]; unplaced: RefusedRow[] }> {
  const found = await listStaffByNumber(db, division.code, today, {
    staffNumbers: rows.flatMap((row) => row.staffNumber ?? []),
    sourceIds: rows.flatMap((row) => row.sourceId ?? []),
  });
  const above = [division.provinceCode, division.prefectureCode, division.countyCode].filter(
    (code) => code !== null,
  );
  const ids = await listCertificationIds(db, above, [...new Set(rows.map((row) => row.certification))]);
  const certifications = new Map(
    (await programmes.listCertifications([...ids.values()].flat())).map((each) => [each.id, each]),
  );
  const hours = new Map<string, number>();
  for (const { id, courseSlug } of certifications.values())
    hours.set(id, (await courses.findCurrent(db, courseSlug))?.manifest.classHours ?? 0);
  const places = await placesOf(
    viewer,
    found.map((each) => each.personId),
  );
  const known: AskedRow[] = [];
  const unplaced: RefusedRow[] = [];
  const seen = new Map<string, number>();
  for (const row of rows) {
    const before = unplaced.length;
    const refuse = (column: OldColumn, value: string | null, zh: string, en: string): void => {
      unplaced.push({ line: row.line, column, value, reason: said(en, zh) });
    };
    const [column, number]: [OldColumn, string] =
      row.staffNumber === null ? ['source_id', row.sourceId!] : ['staff_number', row.staffNumber];
    const people = found.filter((each) => isOf(each, row));
    const [person] = people;
    if (person === undefined || people.length > 1) {
      refuse(
        column,
        number,
        people.length > 1 ? '本地区有多人使用此编号。' : '本地区在岗人员中没有此编号。',
        people.length > 1 ? 'Several people there have it.' : 'Nobody who works there has it.',
      );
      continue;
    }
    if (plainName(person.name) !== plainName(row.name))
      refuse('name', row.name, '与花名册中的姓名不符。', 'The roster has another name.');
    if (person.personId === viewer.personId)
      refuse(column, number, '不能为本人登记证书。', 'Nobody records a certificate of their own.');
    const which = ids.get(row.certification) ?? [];
    const certification = which.length === 1 ? certifications.get(which[0]!) : undefined;
    if (certification === undefined) {
      refuse(
        'certification',
        row.certification,
        which.length > 1 ? '本地区有多个认证使用此代码。' : '本地区没有此代码的认证。',
        which.length > 1 ? 'Several certifications there have it.' : 'No certification there has it.',
      );
      continue;
    }
    const post = postFor(places.get(person.personId), certification, division.code);
    if (post === undefined)
      refuse(
        'certification',
        row.certification,
        '此人在本地区的岗位不属于该认证的对象。',
        'The person holds no post there that it is for.',
      );
    const last = lastValidDay(row.issuedOn, certification.validityMonths);
    const validUntil = row.validUntil ?? last;
    if (last !== null && validUntil !== null && validUntil > last)
      refuse(
        'valid_until',
        row.validUntil,
        `晚于该认证允许的 ${last}。`,
        `Later than the certification permits, ${last}.`,
      );
    if (validUntil !== null && validUntil < today)
      refuse(
        row.validUntil === null ? 'issued_on' : 'valid_until',
        row.validUntil ?? row.issuedOn,
        `已于 ${validUntil} 过期。`,
        `It has expired on ${validUntil}.`,
      );
    const most = hours.get(certification.id)!;
    if (row.classHours > most)
      refuse(
        'class_hours',
        String(row.classHours),
        `超过该认证课程的 ${most} 学时。`,
        `More than the ${most} class hours of the certification's course.`,
      );
    const key = standingKey(person.personId, certification.id);
    if (seen.has(key))
      refuse(
        column,
        number,
        `第 ${seen.get(key)} 行已有此人该认证的证书。`,
        `Line ${seen.get(key)} has a certificate of it for the same person.`,
      );
    seen.set(key, row.line);
    if (unplaced.length > before) continue;
    const placed: AskedRow = {
      line: row.line,
      personId: person.personId,
      certificationId: certification.id,
      completedOn: row.issuedOn,
      validUntil,
      classHours: row.classHours,
      evidence: row.reason,
      oldNumber: row.oldNumber,
      issuingBody: row.issuingBody,
    };
    const fault = await faultOfDrawing(placed, {
      person: { id: person.personId, name: person.name, staffNumber: person.staffNumber },
      certification,
      post: post!,
      period: 1,
      path: 'imported',
    });
    if (fault !== undefined) refuse('old_number', row.oldNumber, `证书无法排印：${fault}`, fault);
    else known.push(placed);
  }
  return { known, unplaced };
}

/** Both numbers must be the person's where both are given. */
function isOf(person: StaffFound, row: OldRow): boolean {
  return (
    (row.staffNumber === null || person.staffNumber === row.staffNumber) &&
    (row.sourceId === null || person.sourceIds.includes(row.sourceId))
  );
}

/** Names are compared without the spaces that forms put between two characters. */
function plainName(name: string): string {
  return name.normalize('NFKC').replaceAll(/\s/g, '');
}
