import { dateOf, durationOf, plainNumber, shownBy, type Shown } from './number-format.ts';
import { checkContentTypes, readRelationships, type Relationship } from './package.ts';
import { UnreadableSheet } from './unreadable.ts';
import { parseXml, readXml, type Tag } from './xml.ts';
import { openZip, type Parts, type RandomAccess } from './zip.ts';

export type { RandomAccess } from './zip.ts';
export { UnreadableSheet, type Unreadable } from './unreadable.ts';

export interface Cell {
  /**
   * What a person sees, never empty: booleans as `TRUE` and `FALSE`, numbers without exponent, days as `YYYY-MM-DD`, with a time
   * `YYYY-MM-DDTHH:MM:SS`, times alone `HH:MM:SS`.
   */
  readonly text: string;
  readonly kind: 'text' | 'number' | 'date' | 'boolean' | 'error';
}

/** A row with something in it. */
export interface Row {
  /** 1-based, as Excel shows it. */
  readonly line: number;
  /** By 0-based column; nothing where the cell is empty. */
  readonly cells: readonly (Cell | undefined)[];
}

export interface SheetInfo {
  readonly name: string;
  readonly state: 'visible' | 'hidden' | 'veryHidden';
}

export interface Workbook {
  /** In the order of their tabs; only those with cells, no charts. */
  readonly sheets: readonly SheetInfo[];
  /** The rows of a sheet in batches of about 500, each time from its beginning. @throws UnreadableSheet as they come. */
  rows(sheetName: string): AsyncGenerator<Row[]>;
  /** The source stays open: it is its owner's. */
  close(): void;
}

export interface ReadLimits {
  /** Files in the zip. */
  readonly files: number;
  /** Unpacked bytes in all. */
  readonly bytes: number;
  /** Unpacked to packed bytes of a file larger than 10 MB. */
  readonly ratio: number;
  /** Shared strings are the one thing that is held in memory: so many of them … */
  readonly strings: number;
  /** … with so many characters in all. */
  readonly characters: number;
}

export const LIMITS: ReadLimits = {
  files: 1000,
  bytes: 1024 * 1024 * 1024,
  ratio: 200,
  strings: 4_000_000,
  characters: 64 * 1024 * 1024,
};

const LINKS = new Set([
  'http://schemas.openxmlformats.org/officeDocument/2006/relationships',
  'http://purl.oclc.org/ooxml/officeDocument/relationships',
]);
const MAX_LINE = 1_048_576;
const MAX_COLUMNS = 16_384;
/** Excel permits 31. */
const MAX_NAME = 255;
/** Excel permits 32,767; somebody else may permit more. */
const MAX_TEXT = 1_000_000;
/** Excel permits 65,490. */
const MAX_STYLES = 100_000;
const BATCH_ROWS = 500;
/** A sheet may be very wide. */
const BATCH_CELLS = 20_000;

/**
 * Opens a workbook (.xlsx, transitional or strict) as Excel, WPS and LibreOffice write it. Nothing is calculated: of a formula its stored
 * result is read. Rows stream; in memory are the shared strings, up to their limit.
 * @throws UnreadableSheet for what can't or may not be read; what the source throws comes as it is.
 */
export async function openWorkbook(
  source: RandomAccess,
  limits: Partial<ReadLimits> = {},
): Promise<Workbook> {
  const bounds = { ...LIMITS, ...limits };
  const parts = await openZip(source, bounds);
  try {
    return await readWorkbook(parts, bounds);
  } catch (error) {
    parts.close();
    throw error;
  }
}

async function readWorkbook(parts: Parts, limits: ReadLimits): Promise<Workbook> {
  await checkContentTypes(parts);
  const path = (await readRelationships(parts, '')).find((link) => link.type === 'officeDocument')?.target;
  if (path === undefined || !parts.has(path)) throw noWorkbook();
  const links = await readRelationships(parts, path);
  refuseLinks(parts, links);
  const { sheets, from1904 } = await readSheets(parts, path, links, limits);
  for (const sheet of sheets)
    if (parts.has(sheet.path)) refuseLinks(parts, await readRelationships(parts, sheet.path));
  const partOf = (type: string): string | undefined => links.find((link) => link.type === type)?.target;

  let shared: Promise<Shared> | undefined;
  const readShared = async (): Promise<Shared> => {
    const [strings, styles] = [partOf('sharedStrings'), partOf('styles')];
    return {
      from1904,
      strings: strings === undefined ? [] : await readStrings(parts, strings, limits),
      styles: styles === undefined ? [] : await readStyles(parts, styles),
    };
  };
  return {
    sheets: sheets.map(({ name, state }) => ({ name, state })),
    async *rows(sheetName) {
      const sheet = sheets.find(({ name }) => name === sheetName);
      if (sheet === undefined)
        throw new UnreadableSheet('NO_SUCH_SHEET', `it has no sheet named ${sheetName}`);
      shared ??= readShared();
      // What failed for the source's sake may be tried again.
      shared.catch(() => (shared = undefined));
      yield* readRows(parts, sheet.path, await shared);
    },
    close: () => parts.close(),
  };
}

function noWorkbook(): UnreadableSheet {
  return new UnreadableSheet('NO_WORKBOOK', 'it is a zip, but no workbook is in it');
}

/** Refuses what brings values from elsewhere, or runs. */
function refuseLinks(parts: Parts, links: readonly Relationship[]): void {
  if (links.some(({ type }) => /^(vbaProject|xl(Intl)?Macrosheet)$/i.test(type)))
    throw new UnreadableSheet('MACROS', 'it contains macros; save it as .xlsx, without macros');
  if (
    links.some(({ type, external }) => type === 'connections' || external) ||
    parts.paths.some((path) => /^xl\/(externallinks\/|connections\.xml$)/.test(path))
  )
    throw new UnreadableSheet(
      'EXTERNAL_LINKS',
      'it takes values from other workbooks or from a database; break the links and save it again',
    );
}

interface Sheet extends SheetInfo {
  readonly path: string;
}

async function readSheets(
  parts: Parts,
  path: string,
  links: readonly Relationship[],
  limits: ReadLimits,
): Promise<{ sheets: Sheet[]; from1904: boolean }> {
  const sheets: Sheet[] = [];
  let from1904 = false;
  let root: boolean | undefined;
  await readXml(parts.open(path), path, {
    open: (tag) => {
      const name = tag.own;
      root ??= name === 'workbook';
      // Other programs' zips are built alike and hold a document or slides.
      if (!root) throw noWorkbook();
      if (name === 'workbookPr') from1904 = isTrue(tag.attributes['date1904']);
      if (name !== 'sheet') return;
      const id = linkOf(tag);
      const link = links.find((each) => each.id === id);
      if (link === undefined)
        throw new UnreadableSheet('DAMAGED', `${path} is damaged (a sheet is not told where)`);
      if (link.type !== 'worksheet') return;
      const state = tag.attributes['state'];
      const called = unescape(tag.attributes['name'] ?? '');
      if (called.length > MAX_NAME || sheets.length >= limits.files)
        throw new UnreadableSheet('TOO_LARGE', 'it has too many sheets, or one with too long a name');
      sheets.push({
        name: called,
        state: state === 'hidden' || state === 'veryHidden' ? state : 'visible',
        path: link.target,
      });
    },
  });
  if (sheets.length === 0) throw noWorkbook();
  return { sheets, from1904 };
}

/** The id of the relationship that an element refers to. */
function linkOf({ attributes, namespaces }: Tag): string | undefined {
  const name = Object.keys(attributes).find((name) => {
    const [prefix, local] = name.split(':', 2);
    return local === 'id' && LINKS.has(namespaces.get(prefix!) ?? '');
  });
  return name === undefined ? undefined : attributes[name];
}

function isTrue(value: string | undefined): boolean {
  return value === '1' || value === 'true';
}

/** What the cells of all sheets refer to. */
interface Shared {
  readonly strings: readonly string[];
  readonly styles: readonly Shown[];
  readonly from1904: boolean;
}

async function readStyles(parts: Parts, path: string): Promise<Shown[]> {
  const formats = new Map<number, Shown>();
  const ids: number[] = [];
  let section = '';
  await readXml(parts.open(path), path, {
    open: (tag) => {
      const name = tag.own;
      if (/^(numFmts|cellXfs|cellStyleXfs|dxfs)$/.test(name)) section = name;
      if (ids.length > MAX_STYLES || formats.size > MAX_STYLES)
        throw new UnreadableSheet('TOO_LARGE', `it has more than ${MAX_STYLES} styles`);
      const id = Number(tag.attributes['numFmtId'] ?? 0);
      if (name === 'numFmt' && section === 'numFmts')
        formats.set(id, shownBy(id, tag.attributes['formatCode'] ?? ''));
      if (name === 'xf' && section === 'cellXfs') ids.push(id);
    },
  });
  return ids.map((id) => formats.get(id) ?? shownBy(id, undefined));
}

async function readStrings(parts: Parts, path: string, limits: ReadLimits): Promise<string[]> {
  const strings: string[] = [];
  let characters = 0;
  const text = new TextCollector(path);
  await readXml(parts.open(path), path, {
    open: (tag) => {
      if (tag.own === 'si') text.begin(tag);
      else text.open(tag);
    },
    close: (name) => {
      if (name !== 'si') return text.close(name);
      const string = text.end();
      characters += string.length;
      if (strings.length >= limits.strings || characters > limits.characters)
        throw new UnreadableSheet(
          'TOO_MANY_STRINGS',
          `it has more than ${limits.strings} texts or ${limits.characters} characters; divide it`,
        );
      strings.push(detached(string));
    },
    text: (piece) => text.add(piece),
  });
  return strings;
}

/** A string of its own memory. What is cut out of a larger one keeps that alive, and whoever keeps a few texts would keep the part. */
function detached(string: string): string {
  // Short ones are copied as they are cut out.
  if (string.length < 13) return string;
  return Buffer.from(string, 'utf8').toString('utf8');
}

/** Gathers the text of a shared or inline string: runs of different looks joined, without the reading aids above characters. */
class TextCollector {
  readonly #path: string;
  #isOpen = false;
  #text = '';
  #piece = '';
  #isText = false;
  #reading = 0;
  #keepsAll = false;
  #keeps = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** At the element that holds the string. */
  begin(tag: Tag): void {
    this.#isOpen = true;
    this.#text = '';
    this.#reading = 0;
    this.#keepsAll = tag.attributes['xml:space'] === 'preserve';
  }

  open(tag: Tag): void {
    if (tag.own === 'rPh') this.#reading += 1;
    if (tag.own !== 't' || this.#reading > 0 || !this.#isOpen) return;
    this.#isText = true;
    this.#piece = '';
    const space = tag.attributes['xml:space'];
    this.#keeps = space === undefined ? this.#keepsAll : space === 'preserve';
  }

  close(name: string): void {
    if (name === 'rPh') this.#reading -= 1;
    if (name !== 't' || !this.#isText) return;
    this.#isText = false;
    // Excel drops what surrounds a text that is not marked.
    this.#text += this.#keeps ? this.#piece : this.#piece.replaceAll(/^[ \t\r\n]+|[ \t\r\n]+$/g, '');
  }

  add(piece: string): void {
    if (!this.#isText) return;
    this.#piece += piece;
    if (this.#text.length + this.#piece.length > MAX_TEXT) throw tooLong(this.#path);
  }

  end(): string {
    this.#isOpen = false;
    this.#isText = false;
    return unescape(this.#text);
  }
}

function tooLong(path: string): UnreadableSheet {
  return new UnreadableSheet('DAMAGED', `${path} is damaged (a text in it is too long)`);
}

/**
 * Characters that XML has no way to write stand as `_x000D_`. What no database takes, U+0000 and half a character, becomes U+FFFD.
 */
function unescape(text: string): string {
  if (!text.includes('_x')) return text;
  return text
    .replaceAll(/_x([0-9A-Fa-f]{4})_/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
    .replaceAll('\0', '\ufffd')
    .toWellFormed();
}

async function* readRows(parts: Parts, path: string, shared: Shared): AsyncGenerator<Row[]> {
  const reader = new RowReader(path, shared);
  const handlers = {
    open: (tag: Tag) => reader.open(tag),
    close: (name: string) => reader.close(name),
    text: (text: string) => reader.text(text),
  };
  const pieces = parseXml(parts.open(path), path, handlers);
  try {
    while ((await pieces.next()).done !== true) if (reader.isFull()) yield reader.take();
    if (!reader.isEmpty()) yield reader.take();
  } finally {
    await pieces.return(undefined);
  }
}

/** Puts rows together from the tags of a sheet. */
class RowReader {
  readonly #path: string;
  readonly #shared: Shared;
  readonly #string: TextCollector;
  #rows: Row[] = [];
  #cellsRead = 0;
  #line = 0;
  #cells: (Cell | undefined)[] = [];
  #isEmptyRow = true;
  #column = -1;
  #type = '';
  #style = 0;
  #value = '';
  #isValue = false;
  #inline: string | undefined;
  #root: string | undefined;

  constructor(path: string, shared: Shared) {
    this.#path = path;
    this.#shared = shared;
    this.#string = new TextCollector(path);
  }

  isFull(): boolean {
    return this.#rows.length >= BATCH_ROWS || this.#cellsRead >= BATCH_CELLS;
  }

  isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  take(): Row[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#cellsRead = 0;
    return rows;
  }

  open(tag: Tag): void {
    const name = tag.own;
    this.#root ??= name;
    if (this.#root !== 'worksheet') throw this.#damaged('it is no sheet');
    switch (name) {
      case 'row':
        return this.#openRow(tag);
      case 'c':
        return this.#openCell(tag);
      case 'v':
        this.#isValue = true;
        return;
      case 'is':
        return this.#string.begin(tag);
      default:
        return this.#string.open(tag);
    }
  }

  close(name: string): void {
    switch (name) {
      case 'row':
        if (!this.#isEmptyRow) this.#rows.push({ line: this.#line, cells: this.#cells });
        return;
      case 'c':
        return this.#closeCell();
      case 'v':
        this.#isValue = false;
        return;
      case 'is':
        this.#inline = this.#string.end();
        return;
      default:
        return this.#string.close(name);
    }
  }

  text(text: string): void {
    if (!this.#isValue) return this.#string.add(text);
    this.#value += text;
    if (this.#value.length > MAX_TEXT) throw tooLong(this.#path);
  }

  #openRow(tag: Tag): void {
    const told = tag.attributes['r'];
    const line = told === undefined ? this.#line + 1 : /^\d{1,7}$/.test(told) ? Number(told) : 0;
    if (line <= this.#line || line > MAX_LINE) throw this.#damaged(`there is no row ${told ?? line} there`);
    this.#line = line;
    this.#cells = [];
    this.#isEmptyRow = true;
    this.#column = -1;
  }

  #openCell(tag: Tag): void {
    const told = tag.attributes['r'];
    this.#column = told === undefined ? this.#column + 1 : columnOf(told);
    if (this.#column < 0 || this.#column >= MAX_COLUMNS)
      throw this.#damaged(`there is no cell ${told ?? ''}`);
    this.#type = tag.attributes['t'] ?? 'n';
    this.#style = Number(tag.attributes['s'] ?? 0);
    this.#value = '';
    this.#inline = undefined;
  }

  #closeCell(): void {
    const cell = this.#toCell();
    if (cell === undefined || cell.text === '') return;
    this.#cells[this.#column] = cell;
    this.#isEmptyRow = false;
    this.#cellsRead += 1;
  }

  #toCell(): Cell | undefined {
    const value = this.#value;
    switch (this.#type) {
      case 'inlineStr':
        return { text: detached(this.#inline ?? unescape(value)), kind: 'text' };
      case 's': {
        if (value.trim() === '') return undefined;
        const text = this.#shared.strings[Number(value)];
        if (text === undefined) throw this.#damaged(`there is no text ${value}`);
        return { text, kind: 'text' };
      }
      case 'str':
        return { text: detached(unescape(value)), kind: 'text' };
      case 'b':
        return value.trim() === ''
          ? undefined
          : { text: isTrue(value.trim()) ? 'TRUE' : 'FALSE', kind: 'boolean' };
      case 'e':
        return { text: value.trim(), kind: 'error' };
      case 'd':
        return isoDate(value.trim());
      default:
        return value.trim() === '' ? undefined : this.#toNumber(value.trim());
    }
  }

  #toNumber(value: string): Cell {
    const number = Number(value);
    if (!Number.isFinite(number)) return { text: value, kind: 'text' };
    const shown = this.#shared.styles[this.#style];
    if (shown?.as === 'date' || shown?.as === 'duration') {
      const text = shown.as === 'date' ? dateOf(number, this.#shared.from1904) : durationOf(number);
      if (text !== undefined) return { text, kind: 'date' };
    }
    const text = plainNumber(number);
    return {
      text: shown?.as === 'padded' && /^\d+$/.test(text) ? text.padStart(shown.digits, '0') : text,
      kind: 'number',
    };
  }

  #damaged(why: string): UnreadableSheet {
    return new UnreadableSheet('DAMAGED', `${this.#path} is damaged (${why})`);
  }
}

/** 0-based column of a reference such as `AB12`; -1 for none. */
function columnOf(reference: string): number {
  const letters = /^([A-Za-z]{1,3})\d*$/.exec(reference)?.[1]?.toUpperCase() ?? '';
  let column = 0;
  for (const letter of letters) column = column * 26 + letter.charCodeAt(0) - 64;
  return column - 1;
}

/** As the strict edition stores a day. */
function isoDate(value: string): Cell {
  const match = /^(\d{4}-\d{2}-\d{2})?T?(\d{2}:\d{2}:\d{2})?(?:\.\d+)?Z?$/.exec(value);
  const [, day, time] = match ?? [];
  if (day === undefined && time === undefined) return { text: value, kind: 'text' };
  if (day === undefined) return { text: time!, kind: 'date' };
  return { text: time === undefined || time === '00:00:00' ? day : `${day}T${time}`, kind: 'date' };
}
