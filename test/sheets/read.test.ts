import { describe, expect, it } from 'vitest';
import { openWorkbook } from '../../src/sheets/read.ts';
import { readAll, readParts, relationships, sheet, sourceOf, workbookFiles, zipOf } from './workbook.ts';

describe('the text of a cell', () => {
  it('is a shared string, its runs joined and its reading aids left out', async () => {
    const { lines, cells } = await readParts({
      rows: '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c></row>',
      strings:
        '<si><t>工号</t><phoneticPr fontId="1" type="noConversion"/></si>' +
        '<si><r><rPr><b/></rPr><t>张</t></r><r><t xml:space="preserve"> 三</t></r></si>' +
        '<si><t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh><phoneticPr fontId="1"/></si>',
    });
    expect(lines.get(1)).toEqual(['工号', '张 三', '東京']);
    expect(cells.get(1)![0]).toEqual({ text: '工号', kind: 'text' });
  });

  it('is an inline string, a formula’s result, a truth value or an error', async () => {
    const { cells } = await readParts({
      rows:
        '<row r="1"><c r="A1" t="inlineStr"><is><r><t>直</t></r><r><t>接</t></r></is></c>' +
        '<c r="B1" t="str"><f>A1&amp;"!"</f><v>直接!</v></c><c r="C1"><f>1+1</f><v>2</v></c>' +
        '<c r="D1" t="b"><v>1</v></c><c r="E1" t="b"><v>0</v></c><c r="F1" t="e"><f>NA()</f><v>#N/A</v></c></row>',
    });
    expect(cells.get(1)).toEqual([
      { text: '直接', kind: 'text' },
      { text: '直接!', kind: 'text' },
      { text: '2', kind: 'number' },
      { text: 'TRUE', kind: 'boolean' },
      { text: 'FALSE', kind: 'boolean' },
      { text: '#N/A', kind: 'error' },
    ]);
  });

  it('has entities, escapes and marked blanks as they were typed', async () => {
    const { lines } = await readParts({
      rows: '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="s"><v>2</v></c><c r="D1" t="s"><v>3</v></c><c r="E1" t="s"><v>4</v></c></row>',
      strings:
        '<si><t>a&lt;b&amp;&#20013;&#x6587;</t></si><si><t xml:space="preserve"> 两边 </t></si><si><t> 两边 </t></si>' +
        '<si><t>一_x000D_\n二</t></si><si><t>_x005F_x0041_ _xD83D__xDE00_ _xD83D_ _x0000_<![CDATA[<c>]]></t></si>',
    });
    expect(lines.get(1)).toEqual([
      'a<b&中文',
      ' 两边 ',
      '两边',
      '一\r\n二',
      '_x0041_ \u{1f600} \ufffd \ufffd<c>',
    ]);
  });

  it('is a number without exponent and without noise', async () => {
    const numbers = {
      '0.30000000000000004': '0.3',
      '1E-7': '0.0000001',
      '-1.5E-3': '-0.0015',
      '1.1010119900101123E+17': '110101199001011000',
      '110101199001011234': '110101199001011000',
      '1E+21': '1000000000000000000000',
      '85.99': '85.99',
      '4.3012100000000002E8': '430121000',
      '-0': '0',
      '0.85': '0.85',
      '123456789012345': '123456789012345',
      '1.0': '1',
    };
    const { cells } = await readParts({
      rows: `<row r="1">${Object.keys(numbers)
        .map((value) => `<c><v>${value}</v></c>`)
        .join('')}</row>`,
    });
    expect(cells.get(1)).toEqual(Object.values(numbers).map((text) => ({ text, kind: 'number' })));
  });
});

describe('days', () => {
  const dated = (rows: string, codes: readonly string[], workbookPr = '') =>
    readParts({
      rows,
      workbookPr,
      styles: `<numFmts>${codes.map((code, at) => `<numFmt numFmtId="${176 + at}" formatCode="${code}"/>`).join('')}</numFmts><cellStyleXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/>${codes.map((_, at) => `<xf numFmtId="${176 + at}"/>`).join('')}</cellXfs><dxfs><dxf><numFmt numFmtId="176" formatCode="General"/></dxf></dxfs>`,
    });

  it.each([14, 17, 22, 27, 31, 36, 45, 50, 57, 58])('are told by the built-in format %i', async (id) => {
    const { cells } = await readParts({
      rows: '<row r="1"><c r="A1" s="1"><v>45536</v></c><c r="B1" s="0"><v>45536</v></c></row>',
      styles: `<cellXfs><xf numFmtId="0"/><xf numFmtId="${id}" applyNumberFormat="1"/></cellXfs>`,
    });
    expect(cells.get(1)).toEqual([
      { text: '2024-09-01', kind: 'date' },
      { text: '45536', kind: 'number' },
    ]);
  });

  it.each([
    'yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@',
    '[$-804]yyyy年m月d日',
    '[DBNum1][$-804]yyyy&quot;年&quot;m&quot;月&quot;',
    'yyyy\\-mm\\-dd',
    'YYYY/M/D HH:MM',
    '[$-F800]dddd, mmmm dd, yyyy',
    'h:mm:ss.000 AM/PM',
    '[Red]d-mmm',
  ])('are told by the format %s', async (code) => {
    expect((await dated('<row r="1"><c s="1"><v>45536</v></c></row>', [code])).cells.get(1)).toEqual([
      { text: '2024-09-01', kind: 'date' },
    ]);
  });

  it.each([
    '0.00&quot;日&quot;',
    '#,##0\\d',
    '0日',
    '[Red]0.0',
    'General',
    'G/通用格式',
    '_(* #,##0_)',
    '@',
    '0.00E+00',
  ])('are not told by the format %s', async (code) => {
    expect((await dated('<row r="1"><c s="1"><v>45536</v></c></row>', [code])).cells.get(1)).toEqual([
      { text: '45536', kind: 'number' },
    ]);
  });

  it('count from 1900, with a day that never was, or from 1904; with a time when there is one', async () => {
    const serials = [
      '1',
      '59',
      '60',
      '61',
      '45536.5',
      '45536.999999',
      '0.75',
      '2958465',
      '2958466',
      '-1',
      '0',
    ];
    const rows = `<row>${serials.map((serial) => `<c s="1"><v>${serial}</v></c>`).join('')}</row>`;
    expect((await dated(rows, ['yyyy/m/d h:mm'])).lines.get(1)).toEqual([
      '1900-01-01',
      '1900-02-28',
      '1900-02-29',
      '1900-03-01',
      '2024-09-01T12:00:00',
      '2024-09-02',
      '18:00:00',
      '9999-12-31',
      '2958466',
      '-1',
      '0',
    ]);
    const from1904 = await dated(
      '<row><c s="1"><v>44074</v></c><c s="1"><v>0</v></c><c s="1"><v>2957004</v></c></row>',
      ['yyyy/m/d'],
      '<workbookPr date1904="true"/>',
    );
    expect(from1904.lines.get(1)).toEqual(['2024-09-01', '1904-01-01', '2957004']);
  });

  it('are read as the strict edition stores them', async () => {
    const { cells } = await readParts({
      rows: '<row><c t="d"><v>2024-09-01</v></c><c t="d"><v>2024-09-01T08:30:00.000</v></c><c t="d"><v>2024-09-01T00:00:00</v></c></row>',
    });
    expect(cells.get(1)!.map((cell) => cell!.text)).toEqual([
      '2024-09-01',
      '2024-09-01T08:30:00',
      '2024-09-01',
    ]);
  });

  it('lengths of time go on after a day, and codes keep the zeros that are shown', async () => {
    const { cells } = await dated(
      '<row><c s="1"><v>1.145833333</v></c><c s="1"><v>0.0625</v></c><c s="2"><v>4301</v></c><c s="2"><v>4301.5</v></c></row>',
      ['[h]:mm', '000000'],
    );
    expect(cells.get(1)).toEqual([
      { text: '27:30:00', kind: 'date' },
      { text: '1:30:00', kind: 'date' },
      { text: '004301', kind: 'number' },
      { text: '4301.5', kind: 'number' },
    ]);
  });
});

describe('rows', () => {
  it('are numbered as Excel shows them; those without anything are left out', async () => {
    const { lines } = await readParts({
      rows: '<row r="2"><c r="B2"><v>1</v></c><c r="D2"><v>2</v></c></row><row r="4"/><row r="5"><c r="A5" s="1"/><c r="B5" t="s"/></row><row r="1048576"><c r="XFD1048576"><v>3</v></c></row>',
    });
    expect([...lines.keys()]).toEqual([2, 1_048_576]);
    expect(lines.get(2)).toEqual(['', '1', '', '2']);
    expect(lines.get(1_048_576)).toHaveLength(16_384);
  });

  it('are counted on where they do not say where they are', async () => {
    const { lines } = await readParts({
      rows: '<row><c><v>1</v></c><c><v>2</v></c></row><row r="4"><c r="C4"><v>3</v></c><c><v>4</v></c></row><row><c><v>5</v></c></row>',
    });
    expect([...lines]).toEqual([
      [1, ['1', '2']],
      [4, ['', '', '3', '4']],
      [5, ['5']],
    ]);
  });

  it('come in batches, each time from the beginning, and may be left before the end', async () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => `<row><c><v>${at}</v></c></row>`).join('');
    const workbook = await openWorkbook(sourceOf(await zipOf(workbookFiles({ rows }))));
    for await (const batch of workbook.rows('Sheet1')) {
      expect(batch.length).toBeGreaterThanOrEqual(500);
      break;
    }
    const sizes: number[] = [];
    for await (const batch of workbook.rows('Sheet1')) sizes.push(batch.length);
    expect(sizes.length).toBeGreaterThan(5);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(20_000);
    workbook.close();
  });

  it.each([1, 7, 1000])('are the same when the source gives %i bytes at once', async (piece) => {
    const files = workbookFiles({
      rows: '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>心桥𠮷</t></is></c></row>',
      strings: '<si><t>教师&amp;学生</t></si>',
    });
    for (const compress of [true, false]) {
      const [only] = await readAll(sourceOf(await zipOf(files, compress), piece));
      expect(only!.lines.get(1)).toEqual(['教师&学生', '心桥𠮷']);
    }
  });
});

describe('a workbook as it is written', () => {
  it('by Excel: with what only newer versions read, a theme, printer settings and a link', async () => {
    const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n';
    const { lines } = await readParts({
      strings:
        '<si><t>工号</t><phoneticPr fontId="1" type="noConversion"/></si><si><t>主页</t></si><si><t xml:space="preserve">多行_x000D_\n文本</t></si>',
      styles:
        '<numFmts count="1"><numFmt numFmtId="176" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;;@"/></numFmts><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"><alignment vertical="center"/></xf></cellStyleXfs><cellXfs count="3"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"><alignment vertical="center"/></xf><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="176" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/></cellXfs><cellStyles count="1"><cellStyle name="常规" xfId="0" builtinId="0"/></cellStyles><dxfs count="0"/>',
      files: {
        'xl/worksheets/sheet1.xml': `${head}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" mc:Ignorable="x14ac xr" xmlns:x14ac="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" xmlns:xr="http://schemas.microsoft.com/office/spreadsheetml/2014/revision" xr:uid="{00000000-0001-0000-0000-000000000000}"><dimension ref="A1:C2"/><sheetViews><sheetView tabSelected="1" workbookViewId="0"><selection activeCell="C2" sqref="C2"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="14.25" x14ac:dyDescent="0.2"/><cols><col min="1" max="1" width="9" style="1"/></cols><sheetData><row r="1" spans="1:3" x14ac:dyDescent="0.2"><c r="A1" s="1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" s="2"/></row><row r="2" spans="1:3" ht="28.5" x14ac:dyDescent="0.2"><c r="A2" s="1" t="s"><v>2</v></c><c r="B2" t="e"><f>VLOOKUP(A2,A:A,2,0)</f><v>#REF!</v></c><c r="C2" s="2"><v>45536</v></c></row></sheetData><phoneticPr fontId="1" type="noConversion"/><hyperlinks><hyperlink ref="B1" r:id="rId1" xr:uid="{00000000-0004-0000-0000-000000000000}"/></hyperlinks><pageSetup paperSize="9" orientation="portrait" r:id="rId2"/></worksheet>`,
        'xl/worksheets/_rels/sheet1.xml.rels': relationships(
          ['hyperlink', 'https://example.org/', true],
          ['printerSettings', '../printerSettings/printerSettings1.bin'],
        ),
        'xl/printerSettings/printerSettings1.bin': 'x',
        'xl/theme/theme1.xml': '<a:theme xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"/>',
      },
    });
    expect([...lines]).toEqual([
      [1, ['工号', '主页']],
      [2, ['多行\r\n文本', '#REF!', '2024-09-01']],
    ]);
  });

  it('by LibreOffice: every string marked, all cells told, targets relative, ids of its own', async () => {
    const head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
    const [only] = await readAll(
      await zipOf(
        workbookFiles({
          strings: '<si><t xml:space="preserve">姓名</t></si><si><t xml:space="preserve">李四</t></si>',
          files: {
            'docProps/app.xml': `${head}<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/extended-properties"><Application>LibreOffice/24.2</Application></Properties>`,
            '_rels/.rels': relationships(
              ['officeDocument', 'xl/workbook.xml'],
              ['extended-properties', 'docProps/app.xml'],
            ),
            'xl/workbook.xml': `${head}<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><fileVersion appName="Calc"/><workbookPr backupFile="false" showObjects="all" date1904="false"/><workbookProtection/><bookViews><workbookView firstSheet="0" activeTab="0"/></bookViews><sheets><sheet name="名单" sheetId="1" state="visible" r:id="rId1"/></sheets><calcPr iterateCount="100" refMode="A1" iterate="false" iterateDelta="0.001"/></workbook>`,
            'xl/worksheets/sheet1.xml': `${head}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:xdr="http://schemas.openxmlformats.org/drawingml/2006/spreadsheetDrawing" xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"><sheetPr filterMode="false"><pageSetUpPr fitToPage="false"/></sheetPr><dimension ref="A1:A2"/><cols><col collapsed="false" customWidth="false" hidden="false" outlineLevel="0" max="1025" min="1" style="0" width="11.52"/></cols><sheetData><row r="1" customFormat="false" ht="12.8" hidden="false" customHeight="false" outlineLevel="0" collapsed="false"><c r="A1" s="0" t="s"><v>0</v></c></row><row r="2" customFormat="false" ht="12.8"><c r="A2" s="0" t="s"><v>1</v></c><c r="B2" s="0" t="n"><v>3</v></c><c r="C2" s="0" t="str"><f aca="false">A2</f><v>李四</v></c><c r="D2" s="0" t="b"><f aca="false">TRUE()</f><v>1</v></c></row></sheetData></worksheet>`,
          },
        }),
      ),
    );
    expect(only!.name).toBe('名单');
    expect([...only!.lines]).toEqual([
      [1, ['姓名']],
      [2, ['李四', '3', '李四', 'TRUE']],
    ]);
  });

  it('by WPS: extensions of its own with elements called alike', async () => {
    const { lines } = await readParts({
      strings: '<si><t>学校</t></si>',
      files: {
        'xl/worksheets/sheet1.xml':
          '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:etc="http://www.wps.cn/officeDocument/2017/etCustomData"><sheetPr/><dimension ref="A1"/><sheetFormatPr defaultColWidth="9" defaultRowHeight="13.5" outlineLevelCol="1"/><sheetData><row r="1" spans="1:2"><c r="A1" t="s"><v>0</v></c><c r="B1" s="0"><etc:v>9</etc:v><v>7</v></c></row></sheetData><extLst><ext uri="{x}"><x14:row><x14:c><x14:v>8</x14:v></x14:c></x14:row></ext></extLst></worksheet>',
      },
    });
    expect([...lines]).toEqual([[1, ['学校', '7']]]);
  });

  it('with prefixed elements, absolute targets and paths in another case', async () => {
    const x = 'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
    const [only] = await readAll(
      await zipOf(
        workbookFiles({
          files: {
            '_rels/.rels': relationships(['officeDocument', '/xl/Workbook.xml']),
            'xl/workbook.xml': `<x:workbook ${x} xmlns:rel="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><x:sheets><x:sheet name="A" sheetId="1" rel:id="rId1"/></x:sheets></x:workbook>`,
            'xl/_rels/workbook.xml.rels': relationships(
              ['worksheet', '/xl/worksheets/sheet1.xml'],
              ['sharedStrings', '/xl/sharedStrings.xml'],
            ),
            'xl/sharedStrings.xml': `<x:sst ${x}><x:si><x:t>共享</x:t></x:si></x:sst>`,
            'xl/styles.xml': undefined,
            'xl/worksheets/sheet1.xml': `<x:worksheet ${x}><x:sheetData><x:row r="1"><x:c r="A1" t="s"><x:v>0</x:v></x:c></x:row></x:sheetData></x:worksheet>`,
          },
        }),
      ),
    );
    expect([...only!.lines]).toEqual([[1, ['共享']]]);
  });

  it('in the strict edition, with its parts in another folder, in UTF-16', async () => {
    const main = 'xmlns="http://purl.oclc.org/ooxml/spreadsheetml/main"';
    const office = 'http://purl.oclc.org/ooxml/officeDocument/relationships';
    const links = (type: string, target: string) =>
      `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="a" Type="${office}/${type}" Target="${target}"/></Relationships>`;
    const [only] = await readAll(
      await zipOf({
        '[Content_Types].xml': workbookFiles({})['[Content_Types].xml']!,
        '_rels/.rels': links('officeDocument', 'book/w.xml'),
        'book/w.xml': `<workbook ${main} conformance="strict" xmlns:r="${office}"><workbookPr/><sheets><sheet name="严" sheetId="1" r:id="a"/></sheets></workbook>`,
        'book/_rels/w.xml.rels': links('worksheet', '../s.xml'),
        's.xml': Buffer.from(
          `\ufeff<?xml version="1.0" encoding="UTF-16"?><worksheet ${main}><sheetData><row><c t="inlineStr"><is><t>格</t></is></c></row></sheetData></worksheet>`,
          'utf16le',
        ),
      }),
    );
    expect(only).toMatchObject({ name: '严', lines: new Map([[1, ['格']]]) });
  });

  it('with several sheets, hidden ones and a chart', async () => {
    const sheets = await readAll(
      await zipOf(
        workbookFiles({
          files: {
            'xl/workbook.xml':
              '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="甲 &amp; 乙" sheetId="3" r:id="rId2"/><sheet name="图" sheetId="2" r:id="rId3"/><sheet name="b" sheetId="1" state="hidden" r:id="rId1"/><sheet name="c" sheetId="4" state="veryHidden" r:id="rId4"/></sheets></workbook>',
            'xl/_rels/workbook.xml.rels': relationships(
              ['worksheet', 'worksheets/sheet1.xml'],
              ['worksheet', 'worksheets/sheet2.xml'],
              ['chartsheet', 'chartsheets/sheet1.xml'],
              ['worksheet', './worksheets/../worksheets/sheet3.xml'],
            ),
            'xl/worksheets/sheet1.xml': sheet('<row><c><v>1</v></c></row>'),
            'xl/worksheets/sheet2.xml': sheet('<row><c><v>2</v></c></row>'),
            'xl/worksheets/sheet3.xml': sheet(''),
          },
        }),
      ),
    );
    expect(sheets.map(({ name, state, lines }) => [name, state, [...lines.values()]])).toEqual([
      ['甲 & 乙', 'visible', [['2']]],
      ['b', 'hidden', [['1']]],
      ['c', 'veryHidden', []],
    ]);
  });
});
