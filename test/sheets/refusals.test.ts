import { describe, expect, it } from 'vitest';
import { openWorkbook, UnreadableSheet, type ReadLimits } from '../../src/sheets/read.ts';
import { readAll, relationships, sheet, sourceOf, workbookFiles, zipOf, type Parts } from './workbook.ts';

/** Why a workbook is refused, opened and read through; undefined when it is not. */
async function reasonOf(bytes: Buffer, limits?: Partial<ReadLimits>): Promise<string | undefined> {
  try {
    await readAll(bytes, limits);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnreadableSheet)) throw error;
    return error.reason;
  }
}

async function reasonOfParts(parts: Parts, limits?: Partial<ReadLimits>): Promise<string | undefined> {
  return reasonOf(await zipOf(workbookFiles(parts)), limits);
}

const contentTypes = (from: string, to: string): string =>
  String(workbookFiles({})['[Content_Types].xml']).replace(from, to);
const TYPES = '[Content_Types].xml';
const RELS = 'xl/_rels/workbook.xml.rels';
const SHEET = 'xl/worksheets/sheet1.xml';

describe('what is no workbook', () => {
  it('is told from one', async () => {
    expect(await reasonOf(Buffer.from('姓名,工号\n'))).toBe('NOT_A_ZIP');
    expect(await reasonOf(Buffer.alloc(0))).toBe('NOT_A_ZIP');
    expect(await reasonOf(await zipOf({ 'users.csv': 'a,b' }))).toBe('NO_WORKBOOK');
    expect(await reasonOfParts({ files: { '_rels/.rels': undefined } })).toBe('NO_WORKBOOK');
    expect(await reasonOfParts({ files: { 'xl/workbook.xml': undefined } })).toBe('NO_WORKBOOK');
    expect(
      await reasonOfParts({
        files: { 'xl/workbook.xml': '<w:document xmlns:w="http://schemas.openxmlformats.org/w"/>' },
      }),
    ).toBe('NO_WORKBOOK');
  });

  it('is an old workbook or an encrypted one', async () => {
    const old = Buffer.alloc(2048);
    Buffer.from('d0cf11e0a1b11ae1', 'hex').copy(old);
    old.writeUInt16LE(9, 30);
    old.writeUInt32LE(1, 48);
    expect(await reasonOf(old)).toBe('OLD_FORMAT');
    expect(await reasonOf(old.subarray(0, 8))).toBe('OLD_FORMAT');
    old.write('EncryptedPackage', 1024 + 256, 'utf16le');
    expect(await reasonOf(old)).toBe('ENCRYPTED');
    // A zip has a password of its own: here in the flags of its directory.
    const zip = await zipOf(workbookFiles({}));
    const at = zip.indexOf(Buffer.from('PK\u0001\u0002', 'latin1'));
    zip.writeUInt16LE(zip.readUInt16LE(at + 8) | 1, at + 8);
    expect(await reasonOf(zip)).toBe('ENCRYPTED');
  });

  it('is a binary workbook', async () => {
    const types = contentTypes(
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml',
      'application/vnd.ms-excel.sheet.binary.macroEnabled.main',
    );
    expect(await reasonOfParts({ files: { [TYPES]: types } })).toBe('BINARY_WORKBOOK');
  });
});

describe('macros', () => {
  it('are refused wherever they are told of', async () => {
    const macroType = contentTypes(
      'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml',
      'application/vnd.ms-excel.sheet.macroEnabled.main+xml',
    );
    const link = (type: string, target: string) =>
      relationships(['worksheet', 'worksheets/sheet1.xml'], [type, target]);
    expect(await reasonOfParts({ files: { [TYPES]: macroType } })).toBe('MACROS');
    expect(await reasonOfParts({ files: { 'xl/vbaProject.bin': 'x' } })).toBe('MACROS');
    expect(await reasonOfParts({ files: { 'xl/macrosheets/sheet1.xml': '<x/>' } })).toBe('MACROS');
    expect(await reasonOfParts({ files: { [RELS]: link('vbaProject', 'other.bin') } })).toBe('MACROS');
    expect(await reasonOfParts({ files: { [RELS]: link('xlMacrosheet', 'm.xml') } })).toBe('MACROS');
  });
});

describe('a content type', () => {
  it('that no part is of does not count: SheetJS tells of binary workbooks in each of its own', async () => {
    const types = contentTypes(
      '</Types>',
      '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/><Override PartName="/xl/none.bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>',
    );
    expect(await reasonOfParts({ files: { [TYPES]: types } })).toBeUndefined();
    expect(await reasonOfParts({ files: { [TYPES]: types, 'xl/none.bin': 'x' } })).toBe('BINARY_WORKBOOK');
  });
});

describe('links to elsewhere', () => {
  it('are refused when they bring values', async () => {
    expect(await reasonOfParts({ files: { 'xl/externalLinks/externalLink1.xml': '<x/>' } })).toBe(
      'EXTERNAL_LINKS',
    );
    expect(await reasonOfParts({ files: { 'xl/connections.xml': '<connections/>' } })).toBe('EXTERNAL_LINKS');
    const rels = relationships(
      ['worksheet', 'worksheets/sheet1.xml'],
      ['externalLinkPath', 'file:///C:/a.xlsx', true],
    );
    expect(await reasonOfParts({ files: { [RELS]: rels } })).toBe('EXTERNAL_LINKS');
    const ofSheet = relationships(['oleObject', 'file:///C:/a.xlsx', true]);
    expect(await reasonOfParts({ files: { 'xl/worksheets/_rels/sheet1.xml.rels': ofSheet } })).toBe(
      'EXTERNAL_LINKS',
    );
  });

  it('are read over when a person would have to click them', async () => {
    const ofSheet = relationships(
      ['hyperlink', 'https://example.org/?a=1&amp;b=2', true],
      ['hyperlink', 'mailto:a@example.org', true],
      ['hyperlink', '../../../elsewhere.xlsx'],
      ['hyperlink', '#Sheet1!A1'],
      ['printerSettings', '../printerSettings/printerSettings1.bin'],
    );
    expect(
      await reasonOfParts({ files: { 'xl/worksheets/_rels/sheet1.xml.rels': ofSheet } }),
    ).toBeUndefined();
  });
});

describe('damage', () => {
  it('in the zip is found', async () => {
    const whole = await zipOf(workbookFiles({ rows: '<row><c><v>1</v></c></row>' }), false);
    expect(await reasonOf(whole)).toBeUndefined();
    expect(await reasonOf(whole.subarray(0, whole.length - 30))).toBe('DAMAGED');
    const changed = Buffer.from(whole);
    changed[whole.indexOf('<v>1</v>') + 3] = 0x32;
    expect(await reasonOf(changed)).toBe('DAMAGED');
    const packed = await zipOf(workbookFiles({ rows: '<row><c><v>1</v></c></row>'.repeat(500) }));
    packed.fill(0xff, packed.indexOf('xl/worksheets/sheet1.xml') + 30, packed.indexOf('xl/styles.xml') - 40);
    expect(await reasonOf(packed)).toBe('DAMAGED');
  });

  it.each([
    ['a tag that is not closed', '<row><c><v>1</v></c>'],
    ['an entity of its own', '<row><c><v>&x;</v></c></row>'],
    ['half a tag', '<row><c'],
    ['a text that is not there', '<row><c t="s"><v>7</v></c></row>'],
    ['a row before the one before it', '<row r="2"/><row r="1"/>'],
    ['a row 0', '<row r="0"/>'],
    ['a row after the last', '<row r="1048577"><c><v>1</v></c></row>'],
    ['a column after the last', '<row r="1"><c r="XFE1"><v>1</v></c></row>'],
    ['a cell without a column', '<row r="1"><c r="11"><v>1</v></c></row>'],
    ['a character that is none', '<row><c t="str"><v>\u0001</v></c></row>'],
    ['a prefix that stands for nothing', '<y:row/>'],
    ['too deep a tree', '<a>'.repeat(300) + '</a>'.repeat(300)],
  ])('in the XML is found: %s', async (_, rows) => {
    expect(await reasonOfParts({ rows })).toBe('DAMAGED');
  });

  it('in other ways is found', async () => {
    expect(await reasonOfParts({ files: { [SHEET]: undefined } })).toBe('DAMAGED');
    expect(await reasonOfParts({ files: { [SHEET]: '' } })).toBe('DAMAGED');
    expect(await reasonOfParts({ files: { [SHEET]: '<chartsheet/>' } })).toBe('DAMAGED');
    expect(await reasonOfParts({ files: { [RELS]: undefined } })).toBe('DAMAGED');
    expect(
      await reasonOfParts({ files: { [SHEET]: Buffer.from(sheet('\u4e2d'), 'utf16le').subarray(2) } }),
    ).toBe('DAMAGED');
    expect(
      await reasonOfParts({ files: { [SHEET]: Buffer.from(sheet('<row><c><v>é</v></c></row>'), 'latin1') } }),
    ).toBe('DAMAGED');
    const twice = await zipOf(workbookFiles({ files: { 'xl/worksheets/SHEET1.xml': sheet('') } }));
    expect(await reasonOf(twice)).toBe('DAMAGED');
  });

  it('a document type is refused, whatever it says', async () => {
    const doctype = '<!DOCTYPE worksheet [<!ENTITY a "aaaa">]>';
    expect(await reasonOfParts({ files: { [SHEET]: doctype + sheet('').slice(56) } })).toBe('DOCTYPE');
    const strings = `${doctype}<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"/>`;
    expect(await reasonOfParts({ files: { 'xl/sharedStrings.xml': strings } })).toBe('DOCTYPE');
  });
});

describe('what would be too much', () => {
  it('is a file that shrank too well', async () => {
    const bomb = `<row><c t="str"><v>${' '.repeat(20 * 1024 * 1024)}</v></c></row>`;
    expect(await reasonOfParts({ rows: bomb })).toBe('TOO_LARGE');
    // Where the rate would be permitted, the text of one cell is still too long to be held.
    expect(await reasonOfParts({ rows: bomb }, { ratio: 10_000 })).toBe('DAMAGED');
  });

  it('is a text in many runs, or with other things in between', async () => {
    const run = `<t>${'长'.repeat(5000)}</t>`.repeat(300);
    expect(await reasonOfParts({ strings: `<si>${run}</si>` })).toBe('DAMAGED');
    expect(await reasonOfParts({ rows: `<row><c t="inlineStr"><is>${run}</is></c></row>` })).toBe('DAMAGED');
    const value = `${'长'.repeat(5000)}<f/>`.repeat(300);
    expect(await reasonOfParts({ rows: `<row><c t="str"><v>${value}</v></c></row>` })).toBe('DAMAGED');
    // What belongs to no text is not kept.
    expect(await reasonOfParts({ rows: `<row><c>${run}</c></row>` })).toBeUndefined();
  });

  it('is too many bytes, told or untold', async () => {
    const files = workbookFiles({ files: { 'xl/media/image1.png': Buffer.alloc(200_000) } });
    const zip = await zipOf(files);
    expect(await reasonOf(zip, { bytes: 200_000 })).toBe('TOO_LARGE');
    expect(await reasonOf(zip, { bytes: 300_000 })).toBeUndefined();
    const rows = '<row><c><v>1</v></c></row>'.repeat(10_000);
    const lying = await zipOf(workbookFiles({ rows }));
    const at = lying.lastIndexOf('xl/worksheets/sheet1.xml') - 46;
    lying.writeUInt32LE(1000, at + 24);
    expect(await reasonOf(lying)).toBe('DAMAGED');
  });

  it('is too many files', async () => {
    const files = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`xl/media/${at}.png`, 'x']));
    expect(await reasonOfParts({ files })).toBe('TOO_LARGE');
  });

  it('is too many shared strings, or too long ones', async () => {
    const strings = '<si><t>一二三四</t></si>'.repeat(100);
    const rows = '<row><c t="s"><v>99</v></c></row>';
    expect(await reasonOfParts({ rows, strings }, { strings: 100, characters: 400 })).toBeUndefined();
    expect(await reasonOfParts({ rows, strings }, { strings: 99 })).toBe('TOO_MANY_STRINGS');
    expect(await reasonOfParts({ rows, strings }, { characters: 399 })).toBe('TOO_MANY_STRINGS');
  });
});

describe('paths', () => {
  it('that lead outside are refused', async () => {
    const zip = await zipOf(workbookFiles({ files: { 'xx/yyyyyyy.xml': 'x' } }));
    for (const path of ['../yyyyyyy.xml', '/x/yyyyyyy.xml', 'C:/yyyyyyy.xml', '..\\yyyyyyy.xml']) {
      const renamed = Buffer.from(zip.toString('latin1').replaceAll('xx/yyyyyyy.xml', path), 'latin1');
      expect(await reasonOf(renamed)).toBe('OUTSIDE_PATH');
    }
    for (const target of ['../../etc/passwd', '/../x.xml', '../../../xl/worksheets/sheet1.xml'])
      expect(await reasonOfParts({ files: { [RELS]: relationships(['worksheet', target]) } })).toBe(
        'OUTSIDE_PATH',
      );
  });
});

describe('a sheet', () => {
  it('that is not there is refused', async () => {
    const workbook = await openWorkbook(sourceOf(await zipOf(workbookFiles({}))));
    await expect(workbook.rows('Sheet2').next()).rejects.toMatchObject({
      name: 'UnreadableSheet',
      reason: 'NO_SUCH_SHEET',
    });
  });
});

describe('the source', () => {
  it('fails with its own error, not as a damaged workbook', async () => {
    const bytes = await zipOf(workbookFiles({ rows: '<row><c><v>1</v></c></row>'.repeat(50_000) }), false);
    let working = true;
    const source = {
      size: bytes.length,
      read: async (start: number, end: number) => {
        if (!working) throw new RangeError('the connection is gone');
        return bytes.subarray(start, end);
      },
    };
    const workbook = await openWorkbook(source);
    const rows = workbook.rows('Sheet1');
    await rows.next();
    working = false;
    await expect(
      (async () => {
        for await (const batch of rows) expect(batch.length).toBeGreaterThan(0);
      })(),
    ).rejects.toThrow(RangeError);
    await expect(openWorkbook(source)).rejects.toThrow(RangeError);
  });

  it('that ends too early is a damaged workbook', async () => {
    const bytes = await zipOf(workbookFiles({}));
    const source = { ...sourceOf(bytes.subarray(0, 300)), size: bytes.length };
    await expect(openWorkbook(source)).rejects.toMatchObject({ reason: 'DAMAGED' });
  });
});
