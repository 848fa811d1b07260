import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { organizationKinds } from '../../src/regions/organization.ts';
import { fileOf } from '../../src/people/roster/upload.ts';
import { openRoster } from '../../src/people/roster/open.ts';
import type { Given } from '../../src/people/roster/roster.ts';
import {
  ORGANIZATION_COLUMNS,
  roleOf,
  roleWords,
  STAFF_COLUMNS,
  kindOf,
  kindWords,
} from '../../src/people/roster/template.ts';
import { roles } from '../../src/people/role.ts';
import { openWorkbook } from '../../src/sheets/read.ts';
import { writeWorkbook, type CellToWrite, type Format } from '../../src/sheets/write.ts';
import { workbookFiles, zipOf } from '../sheets/workbook.ts';
import { importRoster, startService, type TestService } from '../support/service.ts';

type Table = readonly (readonly CellToWrite[])[];

/** A workbook of sheets as somebody fills them in: rows of cells, titles and all. */
async function book(sheets: Readonly<Record<string, Table>>, format: Format = 'text'): Promise<Buffer> {
  return buffer(
    writeWorkbook({
      language: 'zh-CN',
      sheets: Object.entries(sheets).map(([name, [titles, ...rows]]) => {
        const width = Math.max(titles!.length, ...rows.map((row) => row.length));
        return {
          name,
          columns: Array.from({ length: width }, (_, at) => ({ title: titleOf(titles![at]), format })),
          rows,
        };
      }),
    }),
  );
}
const titleOf = (cell: CellToWrite | undefined): string => (typeof cell === 'string' ? cell : '');
const upload = (bytes: Buffer, name = '花名册.xlsx') => [{ name, bytes }];

async function read(bytes: Buffer, name?: string): Promise<Given[]> {
  const roster = await openRoster(upload(bytes, name).map(fileOf));
  const all: Given[] = [];
  for await (const batch of roster.read()) all.push(...batch);
  return all;
}
const said = (all: readonly Given[]) => ({
  organizations: all.flatMap((given) => (given.kind === 'organization' ? [given.organization] : [])),
  people: all.flatMap((given) => (given.kind === 'person' ? [given.person] : [])),
  posts: all.flatMap((given) => (given.kind === 'post' ? [given] : [])),
  refused: all.flatMap((given) => (given.kind === 'refused' ? [given.refused] : [])),
});

const titles = (columns: Readonly<Record<string, { title: string }>>): string[] =>
  Object.values(columns).map((column) => column.title);
const ORGANIZATIONS = titles(ORGANIZATION_COLUMNS);
const STAFF = titles(STAFF_COLUMNS);
const school = ['2143012101', '星沙实验小学', '小学', '430121', '', '1200', '2026-09-01'];
const identity = '11010519491231002X';
const staff = (more: Partial<Record<keyof typeof STAFF_COLUMNS, CellToWrite>> = {}): CellToWrite[] =>
  (Object.keys(STAFF_COLUMNS) as (keyof typeof STAFF_COLUMNS)[]).map(
    (key) =>
      more[key] ??
      (
        { ref: 'G1', name: '王小明', code: '2143012101', role: '班主任', startsOn: '2025-09-01' } as Record<
          string,
          string
        >
      )[key] ??
      '',
  );

describe('the words of the template', () => {
  it('has one for every role and every kind, and none for two', () => {
    expect(new Set(roleWords.map((word) => roleOf(word)?.role))).toEqual(new Set(roles));
    expect(new Set(kindWords.map(kindOf))).toEqual(new Set(organizationKinds));
    for (const columns of [STAFF_COLUMNS, ORGANIZATION_COLUMNS]) {
      const all = Object.values(columns).flatMap((column) => [column.title, ...column.alsoCalled]);
      expect(new Set(all).size).toBe(all.length);
    }
    expect(roleOf('兼职心理教师')).toEqual({ role: 'mental_health_teacher', workload: 'part' });
    expect(roleOf('专职')).toBeUndefined();
  });
});

describe('a roster in a workbook', () => {
  it('is read as the template has it', async () => {
    const all = said(
      await read(
        await book({
          学校: [ORGANIZATIONS, school],
          教职工: [
            STAFF,
            staff({ identity, staffNumber: '0007', workload: '兼职', endsOn: '2026-06-30' }),
            staff({ role: '少先队辅导员' }),
          ],
          填写说明: [['填写说明'], ['1. …']],
        }),
      ),
    );
    expect(all.refused).toEqual([]);
    expect(all.organizations).toEqual([
      {
        line: 2,
        sourceId: '2143012101',
        name: '星沙实验小学',
        kind: 'primary',
        identifier: '2143012101',
        parentSourceId: null,
        divisionCode: '430121',
        studentCount: 1200,
        studentCountOn: '2026-09-01',
        closes: false,
        unsaid: [],
      },
    ]);
    expect(all.people[0]).toMatchObject({
      line: 2,
      ref: 'G1',
      name: '王小明',
      staffNumber: '0007',
      identityNumber: identity,
    });
    expect(all.posts.map(({ post }) => [post.role, post.workload, post.startsOn, post.endsOn])).toEqual([
      ['class_teacher', 'part', '2025-09-01', '2026-06-30'],
      ['young_pioneers_leader', 'full', '2025-09-01', null],
    ]);
  });

  it('is read as bureaus have it: a name above, other titles in another order, notes beside, numbers, days, full width', async () => {
    const rows = [
      '<row r="1"><c r="A1" t="inlineStr"><is><t>长沙县2026年教职工花名册</t></is></c></row>',
      `<row r="3">${['序号', '教师 姓名*', '单位代码（必填）', '职工号', '岗位类型', '任职时间', '备注']
        .map((title, at) => `<c r="${'ABCDEFG'[at]}3" t="inlineStr"><is><t>${title}</t></is></c>`)
        .join('')}</row>`,
      // A school's code as a number, a day as Excel keeps it, digits in full width, a name with a wide space.
      '<row r="4"><c r="A4"><v>1</v></c><c r="B4" t="inlineStr"><is><t>王\u3000明</t></is></c><c r="C4"><v>2143012101</v></c><c r="D4" t="inlineStr"><is><t>００１２</t></is></c><c r="E4" t="inlineStr"><is><t>专职心理教师</t></is></c><c r="F4" s="1"><v>45901</v></c><c r="J4" t="inlineStr"><is><t>已核对</t></is></c></row>',
      '<row r="5"><c r="J5" t="inlineStr"><is><t>以上</t></is></c></row>',
      '<row r="6"><c r="B6" t="inlineStr"><is><t>阿卜杜热西提·买买提</t></is></c><c r="C6" t="inlineStr"><is><t>2143012101</t></is></c><c r="D6"><v>13</v></c><c r="E6" t="inlineStr"><is><t>班主任</t></is></c><c r="F6" t="inlineStr"><is><t>2024年9月1日</t></is></c></row>',
    ].join('');
    const bytes = await zipOf(
      workbookFiles({
        rows,
        styles: '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>',
      }),
    );
    const all = said(await read(bytes));
    expect(all.refused).toEqual([]);
    expect(all.people.map((person) => [person.line, person.ref, person.name, person.staffNumber])).toEqual([
      [4, '0012', '王明', '0012'],
      [6, '13', '阿卜杜热西提·买买提', '13'],
    ]);
    expect(
      all.posts.map(({ post }) => [post.organizationSourceId, post.role, post.workload, post.startsOn]),
    ).toEqual([
      ['2143012101', 'mental_health_teacher', 'full', '2025-09-01'],
      ['2143012101', 'class_teacher', 'full', '2024-09-01'],
    ]);
  });

  it.each<[Parameters<typeof staff>[0], string, RegExp, string]>([
    [{ ref: '' }, '人员编号', /empty/, '为空'],
    [{ name: '' }, '姓名', /empty/, '为空'],
    [{ identity: '110105194912310021' }, '身份证件号', /checks the others/, '校验码'],
    [{ code: '' }, '学校标识码', /empty/, '为空'],
    [{ role: '门卫' }, '岗位', /not a role/, '不是岗位'],
    [{ workload: '临时' }, '专兼职', /not a workload/, '不是专兼职'],
    [{ startsOn: '2025-02-30' }, '任职开始日期', /not a day/, '不是日期'],
    [{ startsOn: '45901' }, '任职开始日期', /inner number/, '内部的日期数值'],
    [{ endsOn: '2025-08-31' }, '任职结束日期', /before it begins/, '早于开始日期'],
  ])('refuses a row of staff with %o, in both languages', async (more, column, en, zh) => {
    const { refused, people } = said(
      await read(await book({ 教职工: [STAFF, staff(more), staff({ ref: 'G2' })] })),
    );
    expect(people.map((person) => person.ref)).toEqual(['G2']);
    expect(refused).toMatchObject([{ file: '[花名册.xlsx]教职工', line: 2, column }]);
    expect(refused[0]!.reason.en).toMatch(en);
    expect(refused[0]!.reason['zh-CN']).toContain(zh);
    expect(JSON.stringify(refused)).not.toContain('110105194912310021');
  });

  it.each<[string, number, string, RegExp]>([
    ['办学类型', 2, '驾校', /not a kind/],
    ['行政区划代码', 3, '4301', /six digits/],
    ['在校学生数', 5, '约一千', /number of students/],
    ['学生数统计日期', 6, '去年', /not a day/],
    ['学校名称', 1, '', /empty/],
  ])('refuses a school with a faulty %s', async (column, at, value, en) => {
    const { refused } = said(await read(await book({ 学校: [ORGANIZATIONS, school.with(at, value)] })));
    expect(refused).toMatchObject([{ file: '[花名册.xlsx]学校', line: 2, column, value }]);
    expect(refused[0]!.reason.en).toMatch(en);
  });

  it('refuses a long number whose last digits are lost, masked, and a cell with an error', async () => {
    const cell = (at: string, text: string) => `<c r="${at}" t="inlineStr"><is><t>${text}</t></is></c>`;
    const rows =
      `<row r="1">${['人员编号', '姓名', '身份证号', '学校代码', '岗位'].map((title, at) => cell(`${'ABCDE'[at]}1`, title)).join('')}</row>` +
      `<row r="2">${cell('A2', 'G1')}${cell('B2', '王明')}<c r="C2"><v>110105194912310020</v></c>${cell('D2', '1')}${cell('E2', '班主任')}</row>` +
      `<row r="3">${cell('A3', 'G2')}${cell('B3', '李明')}<c r="D3" t="e"><v>#N/A</v></c>${cell('E3', '班主任')}</row>`;
    const { refused, people } = said(await read(await zipOf(workbookFiles({ rows }))));
    expect(people).toEqual([]);
    expect(refused).toMatchObject([
      { line: 2, column: '身份证号', reason: { en: expect.stringMatching(/last of which are lost/) } },
      {
        line: 3,
        column: '学校代码',
        value: '#N/A',
        reason: { 'zh-CN': expect.stringContaining('公式错误') },
      },
    ]);
    expect(refused[0]!.value).toMatch(/^\*+\d{4}$/);
  });

  it('is read with columns that have no title, or the same one, whatever stands in them', async () => {
    const titles = ['', '', '备注', ...STAFF, '', '备注'];
    const row = (more: Parameters<typeof staff>[0]) => ['', '一', '甲', ...staff(more), '', '乙'];
    const { people, posts, refused } = said(
      await read(await book({ 教职工: [titles, row({}), row({ ref: 'G2', identity, role: '门卫' })] })),
    );
    expect(people.map((person) => [person.ref, person.name])).toEqual([['G1', '王小明']]);
    expect(posts.map(({ post }) => [post.organizationSourceId, post.startsOn])).toEqual([
      ['2143012101', '2025-09-01'],
    ]);
    expect(refused).toMatchObject([{ line: 3, column: '岗位' }]);
    const given = (await read(await book({ 教职工: [titles, row({})] }))).find(({ kind }) => kind === 'row');
    expect(given).toMatchObject({ cells: row({}) });
  });

  it('reads over rows of which our columns say nothing: numbered in advance, or below the table', async () => {
    const sheet = [
      ['序号', ...STAFF, '备注'],
      ['1', ...staff(), ''],
      ['2', ...STAFF.map(() => ''), ''],
      ['填表人：张三', ...STAFF.map(() => ''), '2026年9月1日'],
    ];
    const all = await read(await book({ 教职工: sheet }));
    expect(said(all).refused).toEqual([]);
    expect(all.filter(({ kind }) => kind === 'row').length).toBe(1);
  });

  it('tells whom a refused row is about as it would have been read', async () => {
    const all = await read(await book({ 教职工: [STAFF, staff({ ref: 'Ｇ１', role: '门卫' })] }));
    expect(all.at(-1)).toMatchObject({ kind: 'refused', ref: 'G1' });
  });

  it('reads over another sheet that has one of our titles twice', async () => {
    const { people } = said(
      await read(
        await book({
          通讯录: [
            ['姓名', '电话', '姓名', '电话'],
            ['甲', '1', '乙', '2'],
          ],
          教职工: [STAFF, staff()],
        }),
      ),
    );
    expect(people.length).toBe(1);
  });

  it.each<[string, () => Promise<Buffer>, RegExp, string]>([
    [
      'x.xlsx',
      async () =>
        book({
          学校: [ORGANIZATIONS, school],
          教职工: [STAFF.filter((title) => title !== '岗位'), []],
        }),
      /columns are missing \(教职工: 岗位\)/,
      '缺少必需的列（教职工: 岗位）',
    ],
    [
      'x.xlsx',
      // With the school's name beside it a sheet of staff has all that one of schools needs.
      async () => book({ 教职工: [[...STAFF.filter((title) => title !== '岗位'), '学校名称'], []] }),
      /columns are missing \(教职工: 岗位\)/,
      '缺少必需的列',
    ],
    [
      '花名册.xls',
      async () => Buffer.from('d0cf11e0a1b11ae1'.padEnd(4096, '0'), 'hex'),
      /花名册.xls/,
      '另存为',
    ],
    ['x.xlsx', async () => Buffer.from('not a workbook'), /x.xlsx/, '不是 .xlsx 工作簿'],
    ['x.xlsx', async () => book({ 教职工: [['姓名', '电话']] }), /no sheet has the titles/, '没有一张工作表'],
    [
      'x.xlsx',
      async () => book({ 教职工: [STAFF.filter((title) => title !== '岗位')] }),
      /columns are missing \(教职工: 岗位\)/,
      '缺少必需的列',
    ],
    ['x.xlsx', async () => book({ 一中: [STAFF], 二中: [STAFF] }), /same kind of rows/, '请合并成一张表'],
    ['x.xlsx', async () => book({ 教职工: [[...STAFF, '姓名']] }), /has 姓名 twice/, '出现两次'],
    [
      'x.xlsm',
      async () =>
        zipOf(
          workbookFiles({
            files: {
              'xl/_rels/workbook.xml.rels':
                '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId9" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" Target="vbaProject.bin"/></Relationships>',
            },
          }),
        ),
      /macros/,
      '含有宏',
    ],
  ])('refuses %s whole: %#', async (name, bytes, en, zh) => {
    const error = await read(await bytes(), name).catch((each: unknown) => each);
    expect(error).toMatchObject({ name: 'UnreadableFile', message: expect.stringMatching(en) });
    expect((error as { said: Record<string, string> }).said['zh-CN']).toContain(zh);
  });
});

describe('a workbook over HTTP', () => {
  let service: TestService;
  beforeAll(async () => {
    service = await startService();
  });
  afterAll(async () => service.stop());

  const get = async (path: string, as?: string) =>
    fetch(
      `${service.app.publicUrl}${path}`,
      as === undefined ? {} : { headers: { authorization: `Bearer sample:${as}` } },
    );
  const open = async (response: Response) => {
    const bytes = Buffer.from(await response.arrayBuffer());
    return {
      bytes,
      workbook: await openWorkbook({
        size: bytes.length,
        read: async (from, to) => bytes.subarray(from, to),
      }),
    };
  };
  const rowsOf = async ({ workbook }: Awaited<ReturnType<typeof open>>, sheet: string) => {
    const rows: string[][] = [];
    for await (const batch of workbook.rows(sheet))
      for (const row of batch) rows.push(Array.from(row.cells, (cell) => cell?.text ?? ''));
    return rows;
  };

  it('gives the template to whoever asks, and takes it back as it is', async () => {
    const response = await get('/roster-template.xlsx');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-disposition')).toContain(encodeURIComponent('花名册导入模板.xlsx'));
    const template = await open(response);
    expect(template.workbook.sheets.map((sheet) => sheet.name).slice(0, 3)).toEqual([
      '学校',
      '教职工',
      '填写说明',
    ]);
    expect(await rowsOf(template, '教职工')).toEqual([STAFF]);
    expect(await importRoster(service, upload(template.bytes))).toMatchObject({
      state: 'APPLIED',
      rowsRead: 0,
    });
  });

  it('imports it, tells what is refused in a workbook of its own, and takes that when it is mended', async () => {
    const first = await importRoster(
      service,
      upload(
        await book({
          学校: [ORGANIZATIONS, school, school.with(0, '2143012102').with(1, '外省小学').with(3, '110101')],
          教职工: [
            STAFF,
            staff({ identity }),
            staff({ role: '少先队辅导员', workload: '兼职' }),
            staff({ ref: 'G2', name: '=HYPERLINK("http://x")', role: '门卫' }),
            staff({ ref: 'G3', identity: '110105194912310021' }),
            staff({ ref: 'G4', name: '赵强', code: '9' }),
          ],
        }),
      ),
    );
    expect(first).toMatchObject({
      state: 'APPLIED',
      rowsRead: 7,
      rowsRefused: 4,
      organizationsAdded: 1,
      peopleAdded: 2,
      postsAdded: 2,
    });
    const { data } = await service.ask(
      'coordinator',
      'query ($id: ID!) { node(id: $id) { ... on RosterImport { refusalsUrl } } }',
      {
        id: first.id,
      },
    );
    const path = new URL(data.node.refusalsUrl).pathname;
    expect((await get(path)).status).toBe(401);
    const [stranger, nothing] = [
      await get(path, 'hr'),
      await get('/roster-imports/999999/refusals.xlsx', 'hr'),
    ];
    expect([stranger.status, await stranger.text()]).toEqual([nothing.status, await nothing.text()]);
    expect(stranger.status).toBe(404);

    const response = await get(path, 'coordinator');
    expect(response.headers.get('cache-control')).toContain('no-store');
    const refused = await open(response);
    expect(
      refused.workbook.sheets.filter((sheet) => sheet.state === 'visible').map((sheet) => sheet.name),
    ).toEqual(['学校', '教职工']);
    const [header, ...rows] = await rowsOf(refused, '教职工');
    expect(header).toEqual([...STAFF, '原行号', '退回原因']);
    expect(rows.map((row) => [row[0], row[1], row[2], row[5], row.at(-2), row.at(-1)])).toEqual([
      ['G2', '=HYPERLINK("http://x")', '', '门卫', '4', expect.stringContaining('“门卫”不是岗位')],
      [
        'G3',
        '王小明',
        '**************0021',
        '班主任',
        '5',
        expect.stringContaining('不是有效的居民身份证号'),
      ],
      ['G4', '赵强', '', '班主任', '6', expect.stringContaining('没有编号为“9”的单位')],
    ]);
    expect(refused.bytes.includes('110105194912310021')).toBe(false);
    // Marked, with the reason as a note.
    const zip = await openZipText(refused.bytes);
    expect(zip).toContain('不是岗位');
    expect(zip).not.toContain('<f>');

    const english = await open(await get(`${path}?language=en`, 'coordinator'));
    expect((await rowsOf(english, '教职工'))[0]!.slice(-2)).toEqual(['Line', 'Reason']);

    // Mended and sent back as it is, with its two columns more.
    const mended = rows.map((row) => row.with(1, '李红').with(2, '').with(4, '2143012101').with(5, '班主任'));
    expect(await importRoster(service, upload(await book({ 教职工: [header!, ...mended] })))).toMatchObject({
      state: 'APPLIED',
      rowsRefused: 0,
      peopleAdded: 2,
      peopleChanged: 1,
      postsAdded: 3,
    });
    const again = await importRoster(service, upload(await book({ 教职工: [header!, ...mended] })));
    expect(again).toMatchObject({
      rowsRefused: 0,
      peopleAdded: 0,
      peopleChanged: 0,
      postsAdded: 0,
      postsChanged: 0,
    });
  });

  it('tells no identity number, in whatever column and width it stands', async () => {
    const wide = '１１０１０５１９４９１２３１００２Ｘ';
    const result = await importRoster(
      service,
      upload(
        await book({
          学校: [ORGANIZATIONS, school.with(0, 'x').with(2, identity)],
          教职工: [
            [...STAFF, '备注'],
            [...staff({ ref: 'G20', role: identity }), wide],
            [...staff({ ref: 'G21', startsOn: identity }), `身份证${wide}`],
            staff({ ref: 'G22', code: identity }),
          ],
        }),
      ),
    );
    expect(result).toMatchObject({ state: 'APPLIED', rowsRefused: 4 });
    const { rows } = await service.database.pool.query(
      `select (select json_agg(r) from roster_refusals r where value like '%002X') as refusals, (select json_agg(c.cells) from roster_refused_rows c) as cells`,
    );
    expect(rows[0].refusals.length).toBe(4);
    expect(JSON.stringify(rows)).toContain('**************002X');
    expect(JSON.stringify(rows)).not.toContain(identity);
    expect(JSON.stringify(rows)).not.toContain(wide);
  });

  it('keeps of a school what a sheet has no column for', async () => {
    const known = async () =>
      (
        await service.database.pool.query(
          `select name, kind, student_count, student_count_on from organizations where source_id = '31'`,
        )
      ).rows[0];
    await importRoster(service, upload(await book({ 学校: [ORGANIZATIONS, school.with(0, '31')] })));
    const kept = { kind: 'primary', student_count: 1200, student_count_on: '2026-09-01' };
    expect(await known()).toEqual({ name: '星沙实验小学', ...kept });
    const short = ['学校标识码', '学校名称', '行政区划代码'];
    await importRoster(service, upload(await book({ 学校: [short, ['31', '星沙小学', '430121']] })));
    expect(await known()).toEqual({ name: '星沙小学', ...kept });
    // A column that is there and empty says so.
    await importRoster(
      service,
      upload(
        await book({
          学校: [
            [...short, '在校学生数'],
            ['31', '星沙小学', '430121', ''],
          ],
        }),
      ),
    );
    expect(await known()).toMatchObject({ kind: 'primary', student_count: null });
  });

  it('says that rows of one person must agree', async () => {
    const result = await importRoster(
      service,
      upload(
        await book({
          教职工: [
            STAFF,
            staff({ ref: 'G9', name: '钱进' }),
            staff({ ref: 'G9', name: '李四', role: '校长' }),
          ],
        }),
      ),
    );
    expect(result).toMatchObject({ rowsRefused: 1, postsAdded: 1 });
    expect(result.refusals.nodes[0]).toMatchObject({ line: 3, column: '人员编号', value: 'G9' });
    // What is refused of it does not end.
    const two = (name: string) => [
      STAFF,
      staff({ ref: 'G10', name: '孙行' }),
      staff({ ref: 'G10', name, role: '校长' }),
    ];
    await importRoster(service, upload(await book({ 教职工: two('孙行') })));
    expect(await importRoster(service, upload(await book({ 教职工: two('孙形') })))).toMatchObject({
      rowsRefused: 1,
      postsEnded: 0,
      postsChanged: 0,
    });
    // A number that stands on one of them is the person's.
    await importRoster(
      service,
      upload(
        await book({
          教职工: [
            STAFF,
            staff({ ref: 'G11', name: '周全' }),
            staff({ ref: 'G11', name: '周全', role: '校长', identity: '440524188001010014' }),
          ],
        }),
      ),
    );
    expect(
      (await service.database.pool.query(`select identity_last4 from people where name = '周全'`)).rows,
    ).toEqual([{ identity_last4: '0014' }]);
  });
});

/** All parts of a workbook, one after another. */
async function openZipText(bytes: Buffer): Promise<string> {
  const { openZip } = await import('../../src/sheets/zip.ts');
  const { LIMITS } = await import('../../src/sheets/read.ts');
  const parts = await openZip(
    { size: bytes.length, read: async (from, to) => bytes.subarray(from, to) },
    LIMITS,
  );
  let all = '';
  for (const path of parts.paths)
    for await (const piece of parts.open(path)) all += Buffer.from(piece).toString('utf8');
  return all;
}
