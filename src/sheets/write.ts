import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { eachRow, valueOf, type CellToWrite, type RowsToWrite, type RowToWrite } from './cells.ts';
import { escape, fitting } from './escape.ts';
import { blocksOf, commentsXml, drawingVml, type Note } from './notes.ts';
import { plainNumber, serialOf } from './number-format.ts';
import { lettersOf, quoted, SheetNames } from './sheet-names.ts';
import { styleOf, stylesXml, TITLE_STYLE, type Format, type Language } from './styles.ts';

export type { CellToWrite, MarkedCell, RowsToWrite, RowToWrite } from './cells.ts';
export type { Format, Language } from './styles.ts';

export interface ColumnToWrite {
  readonly title: string;
  /** In characters; else as wide as its title. */
  readonly width?: number;
  /**
   * Also of the cells that are still empty: in a `text` column what a person types keeps its zeros, and numbers are written as text. In a
   * `date` column a text `YYYY-MM-DD` becomes a day; a `percent` is a fraction of 1. Without one it is as Excel sees fit.
   */
  readonly format?: Format;
  /** All that may stand in the column; Excel offers them. */
  readonly choices?: readonly string[];
  /** A comment on the title. */
  readonly note?: string;
  /** Told in that comment: a row of examples would come back with the others. */
  readonly example?: string;
}

export interface SheetToWrite {
  /** Cleaned to what Excel takes, and numbered if it is there already. */
  readonly name: string;
  /** At least one. */
  readonly columns: readonly ColumnToWrite[];
  /** Read once, as fast as the workbook is taken. */
  readonly rows: RowsToWrite;
  readonly freezeHeader?: boolean;
  readonly autoFilter?: boolean;
}

export interface WorkbookToWrite {
  /** At least one. */
  readonly sheets: readonly SheetToWrite[];
  /** Of what the workbook itself says, and its font. */
  readonly language: Language;
  readonly creator?: string;
  readonly title?: string;
  /** Rows of a sheet with its titles; what is more goes on in a further sheet. At most, and else, as many as Excel has. */
  readonly rowLimit?: number;
  /** Notes are held in memory: after so many cells are only marked. 10,000 if not told. */
  readonly noteLimit?: number;
}

const MAX_ROWS = 1_048_576;
const MAX_COLUMNS = 16_384;
const MAX_NOTES = 10_000;
const MAX_INLINE_CHOICES = 255;
const PIECE = 64 * 1024;
/** The same input makes the same bytes. The zip keeps local time, so this is the same day in every time zone. */
const ENTRY = { mtime: new Date(1980, 0, 1), mode: 0o100644, forceDosTimestamp: true };

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const TYPE = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

const WORDS = {
  'zh-CN': {
    choices: '选项',
    example: '例：',
    invalid: '不在选项中',
    choose: '请从下拉列表中选择。',
  },
  en: {
    choices: 'Choices',
    example: 'Example: ',
    invalid: 'Not a choice',
    choose: 'Please choose from the list.',
  },
} as const;

/**
 * A workbook (.xlsx) as a stream of bytes, written while it is read; the same input gives the same bytes. Text is always text: nothing in
 * a cell can become a formula. A text longer than a cell holds is cut. What the rows throw, the stream throws; when it is destroyed, the
 * rows are told to stop.
 * @throws RangeError for a workbook without sheets or columns.
 */
export function writeWorkbook(workbook: WorkbookToWrite): Readable {
  if (workbook.sheets.length === 0) throw new RangeError('A workbook has at least one sheet.');
  for (const { columns } of workbook.sheets)
    if (columns.length === 0 || columns.length > MAX_COLUMNS)
      throw new RangeError(`A sheet has 1 to ${MAX_COLUMNS} columns.`);
  return new Writer(workbook).start();
}

/** A sheet that has been written. */
interface Written {
  readonly name: string;
  /** Of the titles and rows, for the filter; undefined: it has none. */
  readonly filter: string | undefined;
  readonly hasNotes: boolean;
  readonly isHidden: boolean;
}

class Writer {
  readonly #workbook: WorkbookToWrite;
  readonly #zip = new ZipFile();
  readonly #output = this.#zip.outputStream as Readable;
  readonly #names = new SheetNames();
  readonly #written: Written[] = [];
  /** Choices that are too long to stand in their column's rule, by the sheet that lists them. */
  readonly #lists: (readonly string[])[] = [];
  #listSheet = '';
  #notesLeft: number;
  #block = 1;

  constructor(workbook: WorkbookToWrite) {
    this.#workbook = workbook;
    this.#notesLeft = workbook.noteLimit ?? MAX_NOTES;
  }

  start(): Readable {
    const fail = (error: Error): void => void this.#output.destroy(error);
    this.#zip.on('error', fail);
    this.#write().catch(fail);
    return this.#output;
  }

  async #write(): Promise<void> {
    const { sheets, language, creator = '', title = '' } = this.#workbook;
    await this.#add('_rels/.rels', [
      relationshipsXml([
        [`${OFFICE}/officeDocument`, 'xl/workbook.xml'],
        [`${PACKAGE}/relationships/metadata/core-properties`, 'docProps/core.xml'],
      ]),
    ]);
    await this.#add('docProps/core.xml', [
      `${HEAD}<cp:coreProperties xmlns:cp="${PACKAGE}/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>${escape(title)}</dc:title><dc:creator>${escape(creator)}</dc:creator><dc:language>${language}</dc:language></cp:coreProperties>`,
    ]);
    await this.#add('xl/styles.xml', [stylesXml(language)]);
    const names = sheets.map(({ name }) => this.#names.give(name));
    this.#listSheet = this.#names.give(WORDS[language].choices);
    for (const [at, sheet] of sheets.entries()) await this.#addSheet(sheet, names[at]!);
    if (this.#lists.length > 0) await this.#addLists();
    await this.#addWorkbook();
    this.#zip.end();
  }

  /** Adds a part and waits until it is written. */
  async #add(path: string, pieces: Iterable<string> | AsyncIterable<string>): Promise<void> {
    if (this.#output.destroyed) throw new Error('The workbook is no longer wanted.');
    const stream = Readable.from(pieces, { objectMode: false });
    const stop = (): void => void stream.destroy();
    this.#output.once('close', stop);
    this.#zip.addReadStream(stream, path, ENTRY);
    await finished(stream);
    this.#output.off('close', stop);
  }

  async #addSheet(sheet: SheetToWrite, name: string): Promise<void> {
    const rows = eachRow(sheet.rows);
    try {
      // The titles and one row at least, or it would never end.
      const limit = Math.max(2, Math.min(this.#workbook.rowLimit ?? MAX_ROWS, MAX_ROWS));
      const validations = this.#validationsXml(sheet.columns);
      let next = await rows.next();
      for (let part = 1; part === 1 || next.done !== true; part += 1) {
        const number = this.#written.length + 1;
        const notes: Note[] = [];
        const sheetName = part === 1 ? name : this.#names.give(sheet.name, part);
        let lines = 1;
        // Up to the limit; the first row that is too many stays for the next part.
        const take = async (): Promise<RowToWrite | undefined> => {
          if (lines >= limit || next.done === true) return undefined;
          const row = next.value;
          lines += 1;
          next = await rows.next();
          return row;
        };
        const filter = (): string | undefined =>
          sheet.autoFilter === true ? `A1:${lettersOf(sheet.columns.length - 1)}${lines}` : undefined;
        await this.#add(
          `xl/worksheets/sheet${number}.xml`,
          this.#sheetXml({ sheet, take, notes, filter, validations, isFirst: number === 1 }),
        );
        this.#written.push({
          name: sheetName,
          filter: filter(),
          hasNotes: notes.length > 0,
          isHidden: false,
        });
        if (notes.length > 0) await this.#addNotes(number, notes);
      }
    } finally {
      await rows.return(undefined);
    }
  }

  async *#sheetXml({
    sheet,
    take,
    notes,
    filter,
    validations,
    isFirst,
  }: {
    readonly sheet: SheetToWrite;
    readonly take: () => Promise<RowToWrite | undefined>;
    /** Gets those of the sheet. */
    readonly notes: Note[];
    readonly filter: () => string | undefined;
    readonly validations: string;
    readonly isFirst: boolean;
  }): AsyncGenerator<string> {
    const { columns } = sheet;
    const formats = columns.map(({ format }) => format ?? 'number');
    const letters = columns.map((_, at) => lettersOf(at));
    let xml = `${HEAD}<worksheet xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheetViews><sheetView${isFirst ? ' tabSelected="1"' : ''} workbookViewId="0">`;
    if (sheet.freezeHeader === true)
      xml +=
        '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/><selection pane="bottomLeft" activeCell="A2" sqref="A2"/>';
    xml += `</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/><cols>${columns
      .map(
        (column, at) =>
          `<col min="${at + 1}" max="${at + 1}" width="${widthOf(column)}" style="${styleOf(formats[at]!, false)}" customWidth="1"/>`,
      )
      .join('')}</cols><sheetData><row r="1">`;
    for (const [at, column] of columns.entries()) {
      xml += textCell(`${letters[at]}1`, TITLE_STYLE, column.title);
      this.#takeNote(notes, 0, at, this.#titleNote(column));
    }
    xml += '</row>';
    let line = 1;
    for (let row = await take(); row !== undefined; row = await take()) {
      line += 1;
      if (row.length > MAX_COLUMNS) throw new RangeError(`A row has at most ${MAX_COLUMNS} cells.`);
      xml += `<row r="${line}">`;
      for (const [at, cell] of row.entries()) {
        const marked = cell !== null && typeof cell === 'object' ? cell : undefined;
        xml += cellXml(`${(letters[at] ??= lettersOf(at))}${line}`, formats[at] ?? 'number', cell);
        if (marked !== undefined) this.#takeNote(notes, line - 1, at, marked.note);
      }
      xml += '</row>';
      if (xml.length < PIECE) continue;
      yield xml;
      xml = '';
    }
    xml += '</sheetData>';
    const range = filter();
    if (range !== undefined) xml += `<autoFilter ref="${range}"/>`;
    xml += validations;
    // No green corners on codes that are digits only.
    const texts = letters
      .filter((_, at) => formats[at] === 'text')
      .map((letter) => `${letter}1:${letter}${MAX_ROWS}`);
    if (texts.length > 0)
      xml += `<ignoredErrors><ignoredError sqref="${texts.join(' ')}" numberStoredAsText="1"/></ignoredErrors>`;
    if (notes.length > 0) xml += '<legacyDrawing r:id="rId1"/>';
    yield `${xml}</worksheet>`;
  }

  #titleNote({ note, example }: ColumnToWrite): string {
    const told = example === undefined ? '' : WORDS[this.#workbook.language].example + example;
    return [note ?? '', told].filter((text) => text !== '').join('\n');
  }

  #takeNote(notes: Note[], row: number, column: number, text: string | undefined): void {
    if (text === undefined || text === '' || this.#notesLeft <= 0) return;
    this.#notesLeft -= 1;
    notes.push({ row, column, text });
  }

  async #addNotes(number: number, notes: readonly Note[]): Promise<void> {
    await this.#add(
      `xl/comments${number}.xml`,
      commentsXml(notes, this.#workbook.creator ?? this.#workbook.title ?? ''),
    );
    await this.#add(`xl/drawings/vmlDrawing${number}.vml`, drawingVml(notes, this.#block));
    this.#block += blocksOf(notes);
    await this.#add(`xl/worksheets/_rels/sheet${number}.xml.rels`, [
      relationshipsXml([
        [`${OFFICE}/vmlDrawing`, `../drawings/vmlDrawing${number}.vml`],
        [`${OFFICE}/comments`, `../comments${number}.xml`],
      ]),
    ]);
  }

  /** The rules of columns with choices; long ones are put on the list sheet. */
  #validationsXml(columns: readonly ColumnToWrite[]): string {
    const words = WORDS[this.#workbook.language];
    const rules = columns.flatMap(({ choices }, at) => {
      if (choices === undefined || choices.length === 0) return [];
      const letter = lettersOf(at);
      return [
        `<dataValidation type="list" allowBlank="1" showErrorMessage="1" errorTitle="${words.invalid}" error="${words.choose}" sqref="${letter}2:${letter}${MAX_ROWS}"><formula1>${escape(this.#choicesFormula(choices))}</formula1></dataValidation>`,
      ];
    });
    return rules.length === 0
      ? ''
      : `<dataValidations count="${rules.length}">${rules.join('')}</dataValidations>`;
  }

  #choicesFormula(choices: readonly string[]): string {
    const inline = choices.join(',').replaceAll('"', '""');
    // In the rule itself a comma divides, and blanks around a choice are lost.
    if (inline.length <= MAX_INLINE_CHOICES && !choices.some((choice) => /^\s|[,\r\n]|\s$|^$/.test(choice)))
      return `"${inline}"`;
    let at = this.#lists.findIndex((list) => list.join('\n') === choices.join('\n'));
    if (at === -1) at = this.#lists.push(choices) - 1;
    const letter = lettersOf(at);
    return `${quoted(this.#listSheet)}!$${letter}$1:$${letter}$${choices.length}`;
  }

  async #addLists(): Promise<void> {
    const lists = this.#lists;
    const xml = function* (): Generator<string> {
      yield `${HEAD}<worksheet xmlns="${MAIN}"><sheetData>`;
      const length = Math.max(...lists.map((list) => list.length));
      for (let line = 1; line <= length; line += 1)
        yield `<row r="${line}">${lists.map((list, at) => cellXml(`${lettersOf(at)}${line}`, 'text', list[line - 1] ?? null)).join('')}</row>`;
      yield '</sheetData></worksheet>';
    };
    await this.#add(`xl/worksheets/sheet${this.#written.length + 1}.xml`, xml());
    this.#written.push({ name: this.#listSheet, filter: undefined, hasNotes: false, isHidden: true });
  }

  /** Last come the parts that tell of all others: only now it is known how many there are. */
  async #addWorkbook(): Promise<void> {
    const each = (toXml: (sheet: Written, number: number) => string): string =>
      this.#written.map((sheet, at) => toXml(sheet, at + 1)).join('');
    const filters = each(({ name, filter }, number) =>
      filter === undefined
        ? ''
        : `<definedName name="_xlnm._FilterDatabase" localSheetId="${number - 1}" hidden="1">${escape(quoted(name))}!${filter.replaceAll(/([A-Z]+)(\d+)/g, '$$$1$$$2')}</definedName>`,
    );
    await this.#add('xl/workbook.xml', [
      `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><workbookPr/><bookViews><workbookView/></bookViews><sheets>${each(
        ({ name, isHidden }, number) =>
          `<sheet name="${escape(name)}" sheetId="${number}"${isHidden ? ' state="hidden"' : ''} r:id="rId${number}"/>`,
      )}</sheets>${filters === '' ? '' : `<definedNames>${filters}</definedNames>`}</workbook>`,
    ]);
    await this.#add('xl/_rels/workbook.xml.rels', [
      relationshipsXml([
        ...this.#written.map((_, at): Link => [`${OFFICE}/worksheet`, `worksheets/sheet${at + 1}.xml`]),
        [`${OFFICE}/styles`, 'styles.xml'],
      ]),
    ]);
    const override = (path: string, type: string): string =>
      `<Override PartName="${path}" ContentType="${type}"/>`;
    await this.#add('[Content_Types].xml', [
      `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Default Extension="vml" ContentType="application/vnd.openxmlformats-officedocument.vmlDrawing"/>` +
        override('/docProps/core.xml', 'application/vnd.openxmlformats-package.core-properties+xml') +
        override('/xl/workbook.xml', `${TYPE}.sheet.main+xml`) +
        override('/xl/styles.xml', `${TYPE}.styles+xml`) +
        each(
          ({ hasNotes }, number) =>
            override(`/xl/worksheets/sheet${number}.xml`, `${TYPE}.worksheet+xml`) +
            (hasNotes ? override(`/xl/comments${number}.xml`, `${TYPE}.comments+xml`) : ''),
        ) +
        '</Types>',
    ]);
  }
}

type Link = readonly [type: string, target: string];

function relationshipsXml(links: readonly Link[]): string {
  const each = links.map(
    ([type, target], at) => `<Relationship Id="rId${at + 1}" Type="${type}" Target="${target}"/>`,
  );
  return `${HEAD}<Relationships xmlns="${PACKAGE}/relationships">${each.join('')}</Relationships>`;
}

function textCell(reference: string, style: number, text: string): string {
  return `<c r="${reference}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escape(fitting(text))}</t></is></c>`;
}

function cellXml(reference: string, format: Format, cell: CellToWrite | undefined): string {
  const isMarked = cell !== null && typeof cell === 'object';
  const style = styleOf(format, isMarked);
  const value = valueOf(cell);
  // An empty cell looks as its column does.
  if (value === null) return isMarked ? `<c r="${reference}" s="${style}"/>` : '';
  if (typeof value === 'string') {
    const serial = format === 'date' ? serialOf(value) : undefined;
    return serial === undefined
      ? textCell(reference, style, value)
      : `<c r="${reference}" s="${style}"><v>${serial}</v></c>`;
  }
  return format === 'text'
    ? textCell(reference, style, plainNumber(value))
    : `<c r="${reference}" s="${style}"><v>${value === 0 ? 0 : value}</v></c>`;
}

/** Chinese characters are twice as wide as letters. */
function widthOf({ title, width }: ColumnToWrite): number {
  if (width !== undefined) return Math.min(Math.max(width, 1), 255);
  const longest = Math.max(...title.split('\n').map((line) => line.replaceAll(/[^\0-\u02ff]/g, 'xx').length));
  return Math.min(Math.max(longest + 4, 10), 60);
}
