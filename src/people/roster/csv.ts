import { parse } from 'csv-parse/sync';
import { readText, UnreadableFile } from './text.ts';

/** A row as read: where it stands in the file, and its fields by column name. */
export interface Row {
  /** 1-based line on which the record begins, the header being line 1. */
  readonly line: number;
  readonly fields: ReadonlyMap<string, string>;
}

/**
 * Reads a CSV file of the OneRoster binding (RFC 4180, a header row) in UTF-8 or GB18030.
 * @throws UnreadableFile when it is no text of these, no CSV, or lacks one of `required`.
 */
export function readCsv(bytes: Uint8Array, required: readonly string[]): Row[] {
  const text = readText(bytes);
  let records: { record: string[]; info: { lines: number } }[];
  let first = 1;
  try {
    let previousEnd = 0;
    records = (
      parse(text, { info: true, bom: true, relax_column_count: true, skip_empty_lines: true }) as unknown as {
        record: string[];
        info: { lines: number };
      }[]
    ).map((each) => {
      // The parser tells the line a record ends on; with line breaks inside quotes it began earlier.
      const begins = Math.max(
        previousEnd + 1,
        each.info.lines -
          each.record.reduce((breaks, field) => breaks + (field.match(/\r\n|\n|\r/g)?.length ?? 0), 0),
      );
      previousEnd = each.info.lines;
      return { record: each.record, info: { lines: begins } };
    });
  } catch (error) {
    const where = (error as { lines?: number }).lines;
    throw new UnreadableFile(
      `it is not well-formed CSV${where === undefined ? '' : ` (line ${where})`}: ${(error as Error).message}`,
    );
  }
  const header = records[0]?.record.map((name) => name.trim());
  if (header === undefined) throw new UnreadableFile('it is empty');
  first = records[0]!.info.lines;
  const missing = required.filter((name) => !header.includes(name));
  if (missing.length > 0) throw new UnreadableFile(`its header (line ${first}) lacks ${missing.join(', ')}`);
  const twice = header.find((name, index) => name !== '' && header.indexOf(name) !== index);
  if (twice !== undefined) throw new UnreadableFile(`its header (line ${first}) has ${twice} twice`);
  return records.slice(1).map(({ record, info }) => {
    const fields = new Map<string, string>();
    // A row of another length can't be trusted in any of its columns: the importer refuses it by this mark.
    if (record.length === header.length)
      header.forEach((name, index) => fields.set(name, (record[index] ?? '').trim()));
    return { line: info.lines, fields };
  });
}

/** A list in one field, as the binding has it: values with commas between; an empty field is an empty list. */
export function listOf(field: string): string[] {
  return field === '' ? [] : field.split(',').map((value) => value.trim());
}
