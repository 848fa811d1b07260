import { Readable } from 'node:stream';
import { parse } from 'csv-parse';
import type { RosterFile } from './archive.ts';
import type { Row } from './row.ts';
import { UnreadableFile } from './said.ts';
import { readText, type Encoding } from './text.ts';

export interface Table {
  readonly header: readonly string[];
  /** As many at once as have been read. */
  readonly rows: AsyncGenerator<Row[]>;
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
  const begun = await records.next();
  if (begun.done === true) throw new UnreadableFile('it is empty', '文件是空的');
  const [first, ...others] = begun.value;
  const header = first!.record.map((name) => name.trim());
  const { line } = first!;
  const missing = required.filter((name) => !header.includes(name));
  const twice = header.find((name, index) => name !== '' && header.indexOf(name) !== index);
  if (missing.length > 0 || twice !== undefined) {
    await records.return(undefined);
    throw missing.length > 0
      ? new UnreadableFile(
          `its header (line ${line}) lacks ${missing.join(', ')}`,
          `表头（第 ${line} 行）缺少 ${missing.join('、')}`,
        )
      : new UnreadableFile(
          `its header (line ${line}) has ${twice} twice`,
          `表头（第 ${line} 行）中 ${twice} 出现两次`,
        );
  }
  return { header, rows: readRows(others, records, header) };
}

async function* readRows(
  first: readonly LinedRecord[],
  others: AsyncGenerator<LinedRecord[]>,
  header: readonly string[],
): AsyncGenerator<Row[]> {
  const columns = new Map(header.map((name, at) => [name, at]));
  // A row is read in a few of its columns, so none is looked at before it is asked for.
  const toRow = ({ record, line }: LinedRecord): Row => ({
    line,
    cells: record,
    fields: {
      size: record.length === header.length ? header.length : 0,
      get: (name) => {
        const at = columns.get(name);
        return at === undefined || record.length !== header.length ? undefined : record[at]!.trim();
      },
    },
  });
  yield first.map(toRow);
  for await (const records of others) yield records.map(toRow);
}

interface LinedRecord {
  readonly record: string[];
  readonly line: number;
}

async function* readRecords(file: RosterFile, encoding: Encoding): AsyncGenerator<LinedRecord[]> {
  const parser = parse({ info: true, bom: true, relax_column_count: true, skip_empty_lines: true });
  const source = Readable.from(encoding === 'utf-8' ? file.open() : readText(file, encoding));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    let previousEnd = 0;
    for await (const first of parser as AsyncIterable<Parsed>) {
      const records: LinedRecord[] = [];
      // All that the parser has ready: waiting for each row by itself would take longer than reading it.
      for (let parsed: Parsed | null = first; parsed !== null; parsed = parser.read() as Parsed | null) {
        const { record, info } = parsed;
        // The parser tells the line a record ends on; with line breaks inside quotes it began earlier.
        let breaks = 0;
        for (const field of record)
          if (field.includes('\n') || field.includes('\r')) breaks += field.match(/\r\n|\n|\r/g)!.length;
        records.push({ record, line: Math.max(previousEnd + 1, info.lines - breaks) });
        previousEnd = info.lines;
      }
      yield records;
    }
  } catch (error) {
    const { code, lines, message } = error as { code?: string; lines?: number; message: string };
    if (code?.startsWith('CSV_') !== true) throw error;
    throw new UnreadableFile(
      `it is not well-formed CSV${lines === undefined ? '' : ` (line ${lines})`}: ${message}`,
      `CSV 格式有误${lines === undefined ? '' : `（第 ${lines} 行）`}：${message}`,
    );
  } finally {
    source.destroy();
  }
}

/** A list in one field, as the binding has it: values with commas between; an empty field is an empty list. */
export function listOf(field: string): string[] {
  return field === '' ? [] : field.split(',').map((value) => value.trim());
}
