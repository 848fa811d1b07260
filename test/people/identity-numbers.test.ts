import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { zipOf } from '../sheets/workbook.ts';
import { isIdentityNumber } from '../../src/people/person.ts';
import type { Log } from '../../src/log.ts';
import { insertRosterImportFile, listRosterImportFiles } from '../../src/people/roster/import.repository.ts';
import { fileOf } from '../../src/people/roster/upload.ts';
import { makeSeals } from '../../src/people/sealing.ts';
import { openWorkbook } from '../../src/sheets/read.ts';
import { writeWorkbook } from '../../src/sheets/write.ts';
import { findInDatabase } from '../support/search.ts';
import { importRoster, startService, TestClock, type TestService } from '../support/service.ts';

/*
 * Identity numbers are matched and never kept. Marked numbers are imported in every place where somebody may put one, rightly and wrongly;
 * afterwards they stand nowhere: in no table, in no job, in no line of the log, in no answer.
 */

/** Numbers that check and belong to nobody: there is no area 439901. */
function identityNumber(index: number): string {
  const first = `43990119700101${String(index).padStart(3, '0')}`;
  return [...'0123456789X'].map((last) => `${first}${last}`).find(isIdentityNumber)!;
}
const numbers = Array.from({ length: 40 }, (_, index) => identityNumber(index));
const wide = (text: string): string =>
  text.replaceAll(/[\dX]/g, (each) => String.fromCodePoint(each.codePointAt(0)! + 0xfee0));
const grouped = (text: string): string => `${text.slice(0, 6)} ${text.slice(6, 14)} ${text.slice(14)}`;

const HEADER =
  'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,givenName,familyName,identifier,email,sms,phone,metadata.staffNumber,metadata.identityNumber,metadata.postRoles,metadata.postOrgs,metadata.postStarts';
const plain = {
  sourcedId: 'x',
  status: '',
  orgSourcedIds: 's1',
  role: 'teacher',
  username: 'u',
  givenName: '明',
  familyName: '王',
  identifier: '',
  email: '',
  sms: '',
  phone: '',
  staffNumber: '',
  identityNumber: '',
  postRoles: 'class_teacher',
  postOrgs: 's1',
  postStarts: '2020-09-01',
};
const row = (given: Partial<typeof plain>): string => {
  const all = { ...plain, ...given };
  return [
    all.sourcedId,
    all.status,
    '',
    'true',
    all.orgSourcedIds,
    all.role,
    all.username,
    all.givenName,
    all.familyName,
    all.identifier,
    all.email,
    all.sms,
    all.phone,
    all.staffNumber,
    all.identityNumber,
    all.postRoles,
    all.postOrgs,
    all.postStarts,
  ].join(',');
};

describe('identity numbers', () => {
  let service: TestService;
  const logged: string[] = [];
  const answers: string[] = [];
  const note =
    (level: string) =>
    (...what: unknown[]): void => {
      logged.push(JSON.stringify([level, ...what]));
    };
  const log: Log = {
    debug: note('debug'),
    info: note('info'),
    warn: note('warn'),
    error: note('error'),
  };

  const run = async (
    files: readonly { name: string; bytes: Uint8Array }[],
    more: Parameters<typeof importRoster>[3] = {},
  ) => {
    const result = await importRoster(service, files, 'coordinator', more);
    answers.push(JSON.stringify(result));
    if (typeof result.refusalsUrl === 'string') {
      const file = await service.fetch(new URL(result.refusalsUrl as string).pathname, 'coordinator');
      const bytes = new Uint8Array(await file.arrayBuffer());
      const workbook = await openWorkbook(fileOf({ name: 'refusals.xlsx', bytes }));
      for (const sheet of workbook.sheets)
        for await (const rows of workbook.rows(sheet.name)) answers.push(sheet.name, JSON.stringify(rows));
    }
    return result;
  };

  beforeAll(async () => {
    service = await startService({ clock: new TestClock('2026-11-24T04:00:00Z'), log });
    const [
      inColumn,
      asId,
      asStaffNumber,
      asIdentifier,
      inName,
      asOrg,
      asOrgId,
      inOrgName,
      asRole,
      asPostRole,
      asDay,
      asPostOrg,
      tooLong,
      asStatus,
      inMail,
      inPhone,
      inFileName,
      inSheetName,
      inHeader,
      inWideColumn,
      groupedColumn,
      mistyped,
      inDoubt,
      doubtOrg,
      malformed,
      headerTwice,
    ] = numbers as [string, ...string[]] & Record<number, string>;
    const orgs = [
      'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.divisionCode',
      'b1,,,长沙县教育局,district,430121,,430121',
      's1,,,星沙实验小学,school,1,b1,430121',
      `${asOrgId},,,甲小学,school,${asOrgId},b1,430121`,
      `s3,,,${inOrgName!}小学,school,3,${asOrg!},430121`,
      `s4,,,乙小学,school,4,b1,${asStatus!}`,
    ];
    const users = [
      HEADER,
      row({ sourcedId: 'a1', givenName: '一', identityNumber: inColumn }),
      row({ sourcedId: asId!, givenName: '二' }),
      row({ sourcedId: 'a3', givenName: '三', staffNumber: asStaffNumber! }),
      row({ sourcedId: 'a4', givenName: '四', identifier: asIdentifier! }),
      row({ sourcedId: 'a5', givenName: `五${inName!}` }),
      row({ sourcedId: 'a6', givenName: '六', postOrgs: asOrg! }),
      row({ sourcedId: 'a7', givenName: '七', postOrgs: asOrgId! }),
      row({ sourcedId: 'a8', givenName: '八', role: asRole! }),
      row({ sourcedId: 'a9', givenName: '九', postRoles: asPostRole! }),
      row({ sourcedId: 'a10', givenName: '十', postStarts: asDay! }),
      row({ sourcedId: 'a11', givenName: '甲', postStarts: `${asPostOrg!}-01-01` }),
      `${row({ sourcedId: 'a12', givenName: '乙' })},${tooLong!}`,
      row({ sourcedId: 'a13', givenName: '丙', status: asStatus! }),
      row({ sourcedId: 'a14', givenName: '丁', email: `${inMail!}@a.cn`, sms: inPhone! }),
      row({ sourcedId: 'a15', givenName: '戊', identityNumber: wide(inWideColumn!) }),
      row({ sourcedId: 'a16', givenName: '己', identityNumber: grouped(groupedColumn!) }),
      row({ sourcedId: 'a17', givenName: '庚', identityNumber: `${mistyped!}1` }),
      row({ sourcedId: 'a18', givenName: '辛', role: grouped(mistyped!) }),
      row({ sourcedId: 'a19', givenName: '壬', username: inColumn }),
    ];
    const bytes = (lines: readonly string[]): Buffer => Buffer.from(lines.join('\n'));
    const files = [
      { name: 'orgs.csv', bytes: bytes(orgs) },
      { name: 'users.csv', bytes: bytes(users) },
    ];
    // Tried first, so that the upload lies there while it is looked for.
    await run(files, { dryRun: true });
    await run(files);
    await run(files);
    await run(files.map((file) => ({ ...file, name: `${inFileName!}${file.name}` })));
    await run([
      files[0]!,
      {
        name: 'users.csv',
        bytes: bytes([`${HEADER},${inHeader!}`, `${row({ sourcedId: 'a20', role: 'x' })},`]),
      },
    ]);
    await run([files[0]!, { name: 'users.csv', bytes: bytes([`${headerTwice!},${headerTwice!}`, '1,2']) }]);
    await run([
      files[0]!,
      { name: 'users.csv', bytes: bytes([`${HEADER},${headerTwice!},${headerTwice!}`]) },
    ]);
    await run([files[0]!, { name: 'users.csv', bytes: bytes([HEADER, `"${malformed!}"x,${malformed!}"`]) }]);
    // A namesake at the same school, with a number and an organization of a number: it waits.
    const doubted = await run([
      files[0]!,
      {
        name: 'users.csv',
        bytes: bytes([
          HEADER,
          row({
            sourcedId: inDoubt!,
            givenName: '三',
            postRoles: '"class_teacher,class_teacher"',
            postOrgs: `"s1,${doubtOrg!}"`,
            postStarts: '"2020-09-01,2020-09-01"',
          }),
        ]),
      },
    ]);
    if (!JSON.stringify(doubted.refusals).includes('waits')) throw new Error('Nothing waits.');
    await run([
      {
        name: `花名册${inFileName!}.xlsx`,
        bytes: await buffer(
          writeWorkbook({
            language: 'zh-CN',
            sheets: [
              {
                name: `教${inSheetName!}`,
                columns: ['人员编号', '姓名', '学校标识码', '岗位', '身份证件号'].map((title) => ({
                  title,
                  format: 'text' as const,
                })),
                rows: [
                  ['w1', '李一', 's1', '班主任', inColumn],
                  ['w2', '李二', 's1', asRole!, mistyped!.slice(1)],
                  [wide(inPhone!), '李三', asOrg!, '班主任', ''],
                ],
              },
            ],
          }),
        ),
      },
    ]);
  });
  afterAll(async () => service.stop());

  it('were all understood or refused, so that there was something to keep', async () => {
    const { rows } = await service.database.pool.query(
      `select count(*)::int as hashes from people where identity_hash is not null`,
    );
    expect(rows[0].hashes).toBeGreaterThanOrEqual(4);
    const count = async (table: string): Promise<number> =>
      (await service.database.pool.query(`select count(*)::int as n from ${table}`)).rows[0].n;
    expect(await count('roster_refusals')).toBeGreaterThan(20);
    expect(await count('roster_refused_rows')).toBeGreaterThan(20);
    expect(await count('roster_doubts')).toBeGreaterThan(0);
    expect(await count('roster_import_files')).toBeGreaterThan(0);
    expect(answers.join('').length).toBeGreaterThan(5_000);
  });

  it('stand nowhere in the database afterwards, not even those that were mistyped', async () => {
    // All but the last four; in full width and in groups, too.
    const written = numbers.flatMap((number) => [
      number.slice(0, 17),
      wide(number).slice(0, 17),
      grouped(number).slice(0, 18),
    ]);
    expect(await findInDatabase(service.database.pool, ...written)).toEqual([]);
    // The search finds what is there: their last four characters.
    expect(await findInDatabase(service.database.pool, numbers[0]!.slice(-4))).toContain(
      'public.people.identity_last4',
    );
  });

  it('stand in no line of the log and in no answer', () => {
    const all = [...logged, ...answers].join('\n');
    for (const number of numbers) {
      expect(all).not.toContain(number.slice(0, 17));
      expect(all).not.toContain(wide(number).slice(0, 17));
    }
  });

  it('lie encrypted in an upload, which is read again as it came, whatever its size and wherever it is read', async () => {
    // Many blocks, in a zip, which is read from its end and in any order.
    const people = Array.from({ length: 3_000 }, (_, index) =>
      row({ sourcedId: `z${index}`, givenName: `名${index}`, staffNumber: `${index}` }),
    );
    const zip = await zipOf({
      'orgs.csv':
        'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.divisionCode\nb1,,,长沙县教育局,district,430121,,430121\ns1,,,星沙实验小学,school,1,b1,430121',
      'users.csv': [HEADER, ...people].join('\n'),
    });
    for (const [name, bytes] of [
      ['roster.zip', zip],
      ['users.csv', Buffer.from([HEADER, ...people].join('\n'))],
    ] as const) {
      const result = await importRoster(service, [{ name, bytes }], 'coordinator', { dryRun: true });
      expect(result).toMatchObject({ state: 'CHECKED', rowsRefused: 0 });
      expect(result.peopleAdded).toBe(3_000);
    }
    expect(await findInDatabase(service.database.pool, 'z2999', '名2998')).toEqual([]);
  });

  it('were they exchanged, block by block, an upload does not open', async () => {
    const { uploads } = makeSeals([{ id: 'test', key: Buffer.alloc(32, 1) }], Buffer.alloc(32));
    const { db } = service.database;
    const { id } = await db.selectFrom('roster_imports').select('id').orderBy('id').executeTakeFirstOrThrow();
    await db.deleteFrom('roster_import_files').execute();
    const bytes = Buffer.from(Array.from({ length: 2_500_000 }, (_, index) => index % 251));
    for (const [name, size] of [
      ['large', bytes.length],
      ['block', 48 * 1024],
      ['empty', 0],
    ] as const)
      await insertRosterImportFile(db, id, fileOf({ name, bytes: bytes.subarray(0, size) }), uploads);
    const files = await listRosterImportFiles(db, id, uploads);
    expect(files.map(({ name, size }) => [name, size])).toEqual([
      ['block', 48 * 1024],
      ['empty', 0],
      ['large', bytes.length],
    ]);
    const large = files[2]!;
    for (const [start, end] of [
      [0, 4],
      [2_499_990, 2_500_000],
      [48 * 1024 - 1, 48 * 1024],
      [1_000_000, 1_000_010],
      [1_032_190, 1_032_194],
    ] as const) {
      // At the end of a block it has no more at once.
      const piece = await large.read(start, end);
      expect(piece.length).toBeGreaterThan(0);
      expect(piece).toEqual(bytes.subarray(start, start + piece.length));
    }
    let at = 0;
    while (at < large.size) {
      const piece = await large.read(at, at + 65_536);
      expect(piece.equals(bytes.subarray(at, at + piece.length))).toBe(true);
      expect(piece.length).toBeGreaterThan(0);
      at += piece.length;
    }
    expect(await large.read(large.size, large.size + 1)).toHaveLength(0);

    await service.database.pool.query(`
      update roster_import_files f set content = other.content from roster_import_files other
      where f.import_id = other.import_id and f.name = 'large' and other.name = 'large' and f.position = 0 and other.position = 1`);
    const [, , exchanged] = await listRosterImportFiles(db, id, uploads);
    await expect(exchanged!.read(0, 4)).rejects.toThrow('unable to authenticate data');
  });
});
