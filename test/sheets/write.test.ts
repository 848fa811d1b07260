import { describe, expect, it } from 'vitest';
import { openWorkbook } from '../../src/sheets/read.ts';
import { writeWorkbook, type SheetToWrite, type WorkbookToWrite } from '../../src/sheets/write.ts';
import { bytesOf, partsOf, readAll, sourceOf } from './workbook.ts';

const written = async (
  sheet: Partial<SheetToWrite>,
  others: Partial<WorkbookToWrite> = {},
): Promise<Buffer> =>
  bytesOf(
    writeWorkbook({
      sheets: [{ name: '名单', columns: [{ title: '姓名' }], rows: [], ...sheet }],
      language: 'zh-CN',
      ...others,
    }),
  );

const xmlOf = async (bytes: Buffer, path: string): Promise<string> => (await partsOf(bytes)).get(path)!;
const SHEET = 'xl/worksheets/sheet1.xml';

describe('a workbook that was written', () => {
  it('is read as it was', async () => {
    const bytes = await written({
      columns: [
        { title: '工号', format: 'text' },
        { title: '姓名' },
        { title: '学时', format: 'number' },
        { title: '覆盖率', format: 'percent' },
        { title: '日期', format: 'date' },
      ],
      rows: [
        ['004301', '张三', 3, 0.855, '2024-09-01'],
        [4301, ' 两边\n换行 ', -0.5, null, '1900-02-28'],
        [null, '', 1e21, 'N/A', '2024-02-30'],
        ['110101199001011234', '𠮷<&>"\'', 0, 1, '2023-12-31', '更多'],
      ],
    });
    const [sheet] = await readAll(bytes);
    expect(sheet).toMatchObject({ name: '名单', state: 'visible' });
    expect([...sheet!.lines.values()]).toEqual([
      ['工号', '姓名', '学时', '覆盖率', '日期'],
      ['004301', '张三', '3', '0.855', '2024-09-01'],
      ['4301', ' 两边\n换行 ', '-0.5', '', '1900-02-28'],
      ['', '', '1000000000000000000000', 'N/A', '2024-02-30'],
      ['110101199001011234', '𠮷<&>"\'', '0', '1', '2023-12-31', '更多'],
    ]);
    expect(sheet!.cells.get(2)!.map((cell) => cell!.kind)).toEqual([
      'text',
      'text',
      'number',
      'number',
      'date',
    ]);
    expect(sheet!.cells.get(3)![4]).toEqual({ text: '1900-02-28', kind: 'text' });
  });

  it('has no formula, whatever a text looks like', async () => {
    const texts = ['=1+1', '+A1', '-A1', '@SUM(A1)', '\t=1', '=HYPERLINK("http://x")', '＝1'];
    const bytes = await written({ rows: texts.map((text) => [text]) });
    const xml = await xmlOf(bytes, SHEET);
    expect(xml).not.toContain('<f>');
    expect(xml.match(/<c [^>]*t="inlineStr"/g)).toHaveLength(texts.length + 1);
    const [sheet] = await readAll(bytes);
    expect([...sheet!.lines.values()].slice(1).flat()).toEqual(texts);
  });

  it('keeps characters that XML can’t carry, and texts that look like their escapes', async () => {
    const texts = [
      'a\u0000b',
      '\u0001\u001f\u000b',
      '一\r\n二',
      '_x0041_',
      '_x005F_x0041_',
      '\ufffe',
      '\ud800',
      'a\u0085',
    ];
    const bytes = await written({ rows: texts.map((text) => [text]) });
    expect(await xmlOf(bytes, SHEET)).toContain('_x0001__x001F__x000B_');
    const [sheet] = await readAll(bytes);
    // The database has no U+0000 and no half characters.
    expect([...sheet!.lines.values()].slice(1).flat()).toEqual([
      'a\ufffdb',
      '\u0001\u001f\u000b',
      '一\r\n二',
      '_x0041_',
      '_x005F_x0041_',
      '\ufffe',
      '\ufffd',
      'a\u0085',
    ]);
  });

  it('has texts no longer than a cell holds', async () => {
    const [sheet] = await readAll(await written({ rows: [[`${'a'.repeat(32_765)}𠮷𠮷`]] }));
    expect(sheet!.lines.get(2)).toEqual([`${'a'.repeat(32_765)}…`]);
  });

  it('is the same bytes for the same input', async () => {
    const make = () =>
      written(
        {
          columns: [{ title: '姓名', note: '必填' }],
          rows: Array.from({ length: 3000 }, (_, at) => [`教师${at}`]),
        },
        { creator: '心桥', title: '名单' },
      );
    expect((await make()).equals(await make())).toBe(true);
  });

  it('says who made it', async () => {
    const bytes = await written({}, { creator: 'A & B', title: '<名单>' });
    expect(await xmlOf(bytes, 'docprops/core.xml')).toContain(
      '<dc:title>&lt;名单&gt;</dc:title><dc:creator>A &amp; B</dc:creator><dc:language>zh-CN</dc:language>',
    );
  });

  it('tells of every part, and of none that is not there', async () => {
    const bytes = await written({ columns: [{ title: '姓名', note: '必填' }] });
    const parts = await partsOf(bytes);
    const types = parts.get('[content_types].xml')!;
    const told = [...types.matchAll(/PartName="\/([^"]+)"/g)].map((match) => match[1]!.toLowerCase());
    expect([...parts.keys()].filter((path) => !/\.(rels|vml)$|^\[/.test(path)).toSorted()).toEqual(
      told.toSorted(),
    );
    expect([...parts.keys()]).toEqual(
      expect.arrayContaining(['xl/worksheets/_rels/sheet1.xml.rels', 'xl/drawings/vmldrawing1.vml']),
    );
  });
});

describe('a column', () => {
  it('keeps what is typed into it in its format', async () => {
    const bytes = await written({
      columns: [
        { title: '代码', format: 'text', width: 20 },
        { title: '备注' },
        { title: '日期', format: 'date' },
      ],
      rows: [[null, 'x', null]],
    });
    const xml = await xmlOf(bytes, SHEET);
    const [style] = /<col min="1" max="1" width="20" style="(\d+)"/.exec(xml)!.slice(1);
    const styles = await xmlOf(bytes, 'xl/styles.xml');
    const formats = [...styles.split('<cellXfs')[1]!.matchAll(/<xf numFmtId="(\d+)"/g)].map(
      (match) => match[1],
    );
    expect(formats[Number(style)]).toBe('49');
    expect(xml).toContain('<row r="2"><c r="B2"');
    expect(xml).toContain('numberStoredAsText="1"');
    expect(xml).toContain('sqref="A1:A1048576"');
  });

  it('offers its choices: short ones in the rule, others from a hidden sheet', async () => {
    const long = Array.from({ length: 60 }, (_, at) => `第${at + 1}小学`);
    const bytes = await written({
      columns: [
        { title: '姓名' },
        { title: '性别', choices: ['男', '女"'] },
        { title: '学校', choices: long },
        { title: '范围', choices: ['甲,乙', '<丙>'] },
        { title: '学校2', choices: long },
      ],
      rows: [['张三', '男', '第1小学']],
    });
    const xml = await xmlOf(bytes, SHEET);
    expect(xml).toContain('<dataValidations count="4">');
    expect(xml).toMatch(/sqref="B2:B1048576"><formula1>&quot;男,女&quot;&quot;&quot;<\/formula1>/);
    expect(xml).toMatch(/sqref="C2:C1048576"><formula1>'选项'!\$A\$1:\$A\$60<\/formula1>/);
    expect(xml).toMatch(/sqref="D2:D1048576"><formula1>'选项'!\$B\$1:\$B\$2<\/formula1>/);
    expect(xml).toMatch(/sqref="E2:E1048576"><formula1>'选项'!\$A\$1:\$A\$60<\/formula1>/);
    const sheets = await readAll(bytes);
    expect(sheets.map(({ name, state }) => [name, state])).toEqual([
      ['名单', 'visible'],
      ['选项', 'hidden'],
    ]);
    expect(sheets[1]!.lines.get(2)).toEqual(['第2小学', '<丙>']);
    expect(sheets[1]!.lines.size).toBe(60);
  });

  it('tells its note and example in a comment, in the language of the workbook', async () => {
    const columns = [{ title: 'a' }, { title: 'b', note: '必填 & 唯一', example: '004301' }];
    const chinese = await xmlOf(await written({ columns }), 'xl/comments1.xml');
    expect(chinese).toContain('<comment ref="B1"');
    expect(chinese).toContain('必填 &amp; 唯一\n例：004301');
    const english = await xmlOf(await written({ columns }, { language: 'en' }), 'xl/comments1.xml');
    expect(english).toContain('\nExample: 004301');
  });
});

describe('the titles', () => {
  it('stay in sight and filter, when that is asked for', async () => {
    const columns = [{ title: 'a' }, { title: 'b' }];
    const bytes = await written({
      name: "教师's",
      columns,
      rows: [['1', '2'], ['3']],
      freezeHeader: true,
      autoFilter: true,
    });
    const xml = await xmlOf(bytes, SHEET);
    expect(xml).toContain('<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>');
    expect(xml).toContain('</sheetData><autoFilter ref="A1:B3"/>');
    expect(await xmlOf(bytes, 'xl/workbook.xml')).toContain(
      `<definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">'教师''s'!$A$1:$B$3</definedName>`,
    );
    const plain = await xmlOf(await written({ columns }), SHEET);
    expect(plain).not.toContain('<pane');
    expect(plain).not.toContain('<autoFilter');
  });
});

describe('a marked cell', () => {
  it('is filled, and its note is a comment with a box', async () => {
    const bytes = await written({
      columns: [{ title: '工号', format: 'text' }, { title: '姓名' }],
      rows: [
        ['1', { value: '张三', mark: true, note: '查无此人：\n请核对' }],
        [
          { value: null, mark: true },
          { value: 5, mark: true, note: '=1+1' },
        ],
      ],
    });
    const parts = await partsOf(bytes);
    const xml = parts.get(SHEET)!;
    const styles = parts.get('xl/styles.xml')!.split('<cellXfs')[1]!;
    const fills = [...styles.matchAll(/<xf [^>]*fillId="(\d+)"/g)].map((match) => match[1]);
    const styleOf = (cell: string) => Number(new RegExp(`r="${cell}" s="(\\d+)"`).exec(xml)![1]);
    expect(['A2', 'B2', 'A3', 'B3'].map((cell) => fills[styleOf(cell)])).toEqual(['0', '3', '3', '3']);
    expect(xml).toContain('<legacyDrawing r:id="rId1"/></worksheet>');
    expect(parts.get('xl/worksheets/_rels/sheet1.xml.rels')).toMatch(
      /Id="rId1" Type="[^"]+\/vmlDrawing" Target="\.\.\/drawings\/vmlDrawing1\.vml"/,
    );
    expect(
      [...parts.get('xl/comments1.xml')!.matchAll(/<comment ref="(\w+)"/g)].map((match) => match[1]),
    ).toEqual(['B2', 'B3']);
    const vml = parts.get('xl/drawings/vmldrawing1.vml')!;
    expect(
      [...vml.matchAll(/<x:Row>(\d+)<\/x:Row><x:Column>(\d+)</g)].map(([, row, column]) => [row, column]),
    ).toEqual([
      ['1', '1'],
      ['2', '1'],
    ]);
    const [sheet] = await readAll(bytes);
    expect([...sheet!.lines.values()].slice(1)).toEqual([
      ['1', '张三'],
      ['', '5'],
    ]);
  });

  it('is only filled when there are too many notes; boxes of all sheets have numbers of their own', async () => {
    const rows = Array.from({ length: 1500 }, (_, at) => [
      { value: at, mark: true as const, note: `第${at}行` },
    ]);
    const columns = [{ title: 'a' }];
    const bytes = await bytesOf(
      writeWorkbook({
        language: 'en',
        noteLimit: 2000,
        sheets: ['A', 'B', 'C'].map((name) => ({ name, columns, rows })),
      }),
    );
    const parts = await partsOf(bytes);
    const idsOf = (number: number) =>
      [...parts.get(`xl/drawings/vmldrawing${number}.vml`)!.matchAll(/id="_x0000_s(\d+)"/g)].map(
        (match) => match[1],
      );
    expect([idsOf(1).length, idsOf(2).length]).toEqual([1500, 500]);
    expect(new Set([...idsOf(1), ...idsOf(2)]).size).toBe(2000);
    expect(parts.get('xl/drawings/vmldrawing1.vml')).toContain('data="1,2"');
    expect(parts.get('xl/drawings/vmldrawing2.vml')).toContain('data="3"');
    expect(parts.has('xl/drawings/vmldrawing3.vml')).toBe(false);
    expect(parts.get('xl/worksheets/sheet3.xml')).not.toContain('legacyDrawing');
    expect((await readAll(bytes))[2]!.lines.size).toBe(1501);
  });
});

describe('sheets', () => {
  it('have names that Excel takes', async () => {
    const names = [
      'a/b:c*?[x]',
      "'引号'",
      '',
      'History',
      '名单',
      '名单',
      'LIST',
      'list',
      '很'.repeat(40),
      '很'.repeat(41),
    ];
    const bytes = await bytesOf(
      writeWorkbook({
        language: 'zh-CN',
        sheets: names.map((name) => ({ name, columns: [{ title: 'a' }], rows: [] })),
      }),
    );
    expect((await readAll(bytes)).map(({ name }) => name)).toEqual([
      'a b c   x',
      '引号',
      'Sheet',
      'History_',
      '名单',
      '名单 (2)',
      'LIST',
      'list (2)',
      '很'.repeat(31),
      `${'很'.repeat(27)} (2)`,
    ]);
  });

  it('go on in a further one when they are full, with the titles again', async () => {
    const columns = [{ title: 'n', choices: ['1'], note: 'x' }];
    const rows = Array.from({ length: 9 }, (_, at) => [at]);
    const bytes = await written({ columns, rows, autoFilter: true }, { rowLimit: 4 });
    const sheets = await readAll(bytes);
    expect(sheets.map(({ name, lines }) => [name, [...lines.values()].flat()])).toEqual([
      ['名单', ['n', '0', '1', '2']],
      ['名单 (2)', ['n', '3', '4', '5']],
      ['名单 (3)', ['n', '6', '7', '8']],
    ]);
    const parts = await partsOf(bytes);
    expect(parts.get('xl/worksheets/sheet3.xml')).toContain('<autoFilter ref="A1:A4"/><dataValidations');
    expect(parts.get('xl/comments3.xml')).toContain('ref="A1"');
  });

  it('are at least one, with at least one column', () => {
    expect(() => writeWorkbook({ sheets: [], language: 'en' })).toThrow(RangeError);
    expect(() => writeWorkbook({ sheets: [{ name: 'a', columns: [], rows: [] }], language: 'en' })).toThrow(
      RangeError,
    );
  });
});

describe('writing', () => {
  it('streams a large sheet', async () => {
    async function* rows() {
      for (let at = 0; at < 200_000; at += 1)
        yield [`1101${String(at).padStart(14, '0')}`, `教师${at}`, at, '2024-09-01'];
    }
    const columns = [
      { title: '证件号', format: 'text' as const },
      { title: '姓名' },
      { title: '序' },
      { title: '日', format: 'date' as const },
    ];
    const bytes = await written({ columns, rows: rows() });
    const workbook = await openWorkbook(sourceOf(bytes));
    let count = 0;
    let last: readonly (string | undefined)[] = [];
    for await (const batch of workbook.rows('名单')) {
      count += batch.length;
      last = batch.at(-1)!.cells.map((cell) => cell?.text);
    }
    expect(count).toBe(200_001);
    expect(last).toEqual(['110100000000199999', '教师199999', '199999', '2024-09-01']);
  });

  it('fails as its rows fail', async () => {
    async function* rows() {
      yield ['a'];
      await Promise.resolve();
      throw new TypeError('no more');
    }
    await expect(written({ rows: rows() })).rejects.toThrow(TypeError);
    await expect(written({ rows: [[Number.NaN]] })).rejects.toThrow(RangeError);
  });

  it('tells the rows to stop when nobody wants it any more', async () => {
    const stopped = Promise.withResolvers<number>();
    async function* rows() {
      let given = 0;
      try {
        for (;;) yield [`${(given += 1)}`.repeat(5), Math.sin(given)];
      } finally {
        stopped.resolve(given);
      }
    }
    const stream = writeWorkbook({
      language: 'en',
      sheets: [{ name: 'a', columns: [{ title: 'a' }], rows: rows() }],
    });
    for await (const chunk of stream) if ((chunk as Buffer).length > 1000) break;
    expect(await stopped.promise).toBeGreaterThan(10);
  });
});
