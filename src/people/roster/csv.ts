import type { RosterFile } from './archive.ts';
import { readRecords, type LinedRecord } from './records.ts';
import type { Row } from './row.ts';
import { UnreadableFile } from './said.ts';
import type { Encoding } from './text.ts';

export interface Table {
  readonly header: readonly string[];
  /** As many at once as have been read. */
  readonly rows: AsyncGenerator<Row[]>;
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

/** A list in one field, as the binding has it: values with commas between; an empty field is an empty list. */
export function listOf(field: string): string[] {
  return field === '' ? [] : field.split(',').map((value) => value.trim());
}
