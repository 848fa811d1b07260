import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { ZipFile } from 'yazl';
import { readXml } from '../../src/sheets/xml.ts';
import { openZip } from '../../src/sheets/zip.ts';
import {
  LIMITS,
  openWorkbook,
  type Cell,
  type RandomAccess,
  type ReadLimits,
} from '../../src/sheets/read.ts';

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006/relationships';
const SHEET_TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

export type Files = Record<string, string | Buffer>;

/** A zip of these files. */
export async function zipOf(files: Files, compress = true): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [path, content] of Object.entries(files))
    zip.addBuffer(Buffer.from(content), path, { compress });
  zip.end();
  return buffer(zip.outputStream);
}

/** A source over bytes that gives at most `piece` of them at once. */
export function sourceOf(bytes: Buffer, piece = Infinity): RandomAccess {
  return {
    size: bytes.length,
    read: async (start, end) => bytes.subarray(start, Math.min(end, start + piece)),
  };
}

export interface Parts {
  /** What stands in `sheetData` of the first sheet. */
  readonly rows?: string;
  readonly strings?: string;
  /** Children of `styleSheet`. */
  readonly styles?: string;
  readonly workbookPr?: string;
  /** Others by path; one that is undefined is left out. */
  readonly files?: Record<string, string | Buffer | undefined>;
}

/** The files of a workbook of one sheet as Excel writes it. */
export function workbookFiles({ rows = '', strings, styles, workbookPr = '', files = {} }: Parts): Files {
  const all: Record<string, string | Buffer | undefined> = {
    '[Content_Types].xml': `${HEAD}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${SHEET_TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${SHEET_TYPE}.worksheet+xml"/></Types>`,
    '_rels/.rels': relationships(['officeDocument', 'xl/workbook.xml']),
    'xl/workbook.xml': `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}">${workbookPr}<sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': relationships(
      ['worksheet', 'worksheets/sheet1.xml'],
      ['styles', 'styles.xml'],
      ['sharedStrings', 'sharedStrings.xml'],
    ),
    'xl/worksheets/sheet1.xml': sheet(rows),
    'xl/styles.xml': `${HEAD}<styleSheet xmlns="${MAIN}">${styles ?? '<cellXfs count="1"><xf numFmtId="0"/></cellXfs>'}</styleSheet>`,
    'xl/sharedStrings.xml': `${HEAD}<sst xmlns="${MAIN}">${strings ?? ''}</sst>`,
    ...files,
  };
  return Object.fromEntries(Object.entries(all).filter((file) => file[1] !== undefined)) as Files;
}

export function sheet(rows: string): string {
  return `${HEAD}<worksheet xmlns="${MAIN}" xmlns:r="${OFFICE}"><dimension ref="A1"/><sheetData>${rows}</sheetData><pageMargins left="0.7" right="0.7" top="0.75" bottom="0.75" header="0.3" footer="0.3"/></worksheet>`;
}

/** A part of relationships, each a type's last word and a target, with ids rId1, rId2, …; an external one has `true` at its end. */
export function relationships(...links: readonly (readonly [string, string, boolean?])[]): string {
  const each = links.map(
    ([type, target, external], at) =>
      `<Relationship Id="rId${at + 1}" Type="${OFFICE}/${type}" Target="${target}"${external === true ? ' TargetMode="External"' : ''}/>`,
  );
  return `${HEAD}<Relationships xmlns="${PACKAGE}">${each.join('')}</Relationships>`;
}

export interface ReadSheet {
  readonly name: string;
  readonly state: string;
  /** Texts by line, empty cells as ''. */
  readonly lines: Map<number, string[]>;
  readonly cells: Map<number, readonly (Cell | undefined)[]>;
}

/** All sheets of a workbook, read through. */
export async function readAll(
  source: RandomAccess | Buffer,
  limits?: Partial<ReadLimits>,
): Promise<ReadSheet[]> {
  const workbook = await openWorkbook(Buffer.isBuffer(source) ? sourceOf(source) : source, limits);
  const sheets: ReadSheet[] = [];
  for (const { name, state } of workbook.sheets) {
    const cells = new Map<number, readonly (Cell | undefined)[]>();
    for await (const rows of workbook.rows(name)) for (const row of rows) cells.set(row.line, row.cells);
    const lines = new Map(
      [...cells].map(([line, row]) => [line, Array.from(row, (cell) => cell?.text ?? '')]),
    );
    sheets.push({ name, state, lines, cells });
  }
  workbook.close();
  return sheets;
}

/** Lines of the only sheet of a workbook that is made of these parts. */
export async function readParts(parts: Parts): Promise<ReadSheet> {
  return (await readAll(await zipOf(workbookFiles(parts))))[0]!;
}

/** The files of a zip as text; each of them is well-formed XML, or this throws. */
export async function partsOf(bytes: Buffer): Promise<Map<string, string>> {
  const zip = await openZip(sourceOf(bytes), LIMITS);
  const parts = new Map<string, string>();
  for (const path of zip.paths) {
    await readXml(zip.open(path), path, { open: () => undefined });
    parts.set(path, await text(zip.open(path)));
  }
  return parts;
}

/** The bytes of a stream. */
export async function bytesOf(stream: Readable): Promise<Buffer> {
  return buffer(stream);
}
