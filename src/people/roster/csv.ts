import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { RosterFile } from './archive.ts';
import { readText, UnreadableFile, type Encoding } from './text.ts';

/** A row as read: where it stands in the file, and its fields by column name. */
export interface Row {
  /** 1-based line on which the record begins, the header being line 1. */
  readonly line: number;
  /** Empty when the row has more or fewer fields than the header: then it can't be trusted in any of them. */
  readonly fields: ReadonlyMap<string, string>;
  /** As they stand there, for the header's columns and beyond. */
  readonly cells: readonly string[];
}

export interface Table {
  readonly header: readonly string[];
  readonly rows: AsyncGenerator<Row>;
}

interface Parsed {
  readonly record: string[];
  readonly info: { readonly lines: number };
}

/**
 * Opens a CSV file of the OneRoster binding (RFC 4180, a header row). The rows come as they are read.
 * @throws UnreadableFile when it is no CSV or lacks one of `required`; from the rows too.
 */
export async function openCsv(
  file: RosterFile,
  encoding: Encoding,
  required: readonly string[],
): Promise<Table> {
  const records = readRecords(file, encoding);
  const first = await records.next();
  if (first.done === true) throw new UnreadableFile('it is empty');
  const header = first.value.record.map((name) => name.trim());
  const { line } = first.value;
  const missing = required.filter((name) => !header.includes(name));
  const twice = header.find((name, index) => name !== '' && header.indexOf(name) !== index);
  if (missing.length > 0 || twice !== undefined) {
    await records.return(undefined);
    throw new UnreadableFile(
      missing.length > 0
        ? `its header (line ${line}) lacks ${missing.join(', ')}`
        : `its header (line ${line}) has ${twice} twice`,
    );
  }
  return { header, rows: readRows(records, header) };
}

async function* readRows(
  records: AsyncGenerator<{ record: string[]; line: number }>,
  header: readonly string[],
): AsyncGenerator<Row> {
  for await (const { record, line } of records) {
    const fields = new Map<string, string>();
    if (record.length === header.length)
      for (const [index, name] of header.entries()) fields.set(name, record[index]!.trim());
    yield { line, fields, cells: record };
  }
}

async function* readRecords(
  file: RosterFile,
  encoding: Encoding,
): AsyncGenerator<{ record: string[]; line: number }> {
  const parser = parse({ info: true, bom: true, relax_column_count: true, skip_empty_lines: true });
  const source = Readable.from(encoding === 'utf-8' ? file.open() : readText(file, encoding));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    let previousEnd = 0;
    for await (const { record, info } of parser as AsyncIterable<Parsed>) {
      // The parser tells the line a record ends on; with line breaks inside quotes it began earlier.
      let breaks = 0;
      for (const field of record)
        if (field.includes('\n') || field.includes('\r')) breaks += field.match(/\r\n|\n|\r/g)!.length;
      yield { record, line: Math.max(previousEnd + 1, info.lines - breaks) };
      previousEnd = info.lines;
    }
  } catch (error) {
    const { code, lines, message } = error as { code?: string; lines?: number; message: string };
    if (code?.startsWith('CSV_') !== true) throw error;
    throw new UnreadableFile(
      `it is not well-formed CSV${lines === undefined ? '' : ` (line ${lines})`}: ${message}`,
    );
  } finally {
    source.destroy();
  }
}

/** A list in one field, as the binding has it: values with commas between; an empty field is an empty list. */
export function listOf(field: string): string[] {
  return field === '' ? [] : field.split(',').map((value) => value.trim());
}
