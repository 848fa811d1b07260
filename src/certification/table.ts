import type { LinedRecord } from '../people/roster/records.ts';
import { readRecords } from '../people/roster/records.ts';
import { ofFile, UnreadableFile } from '../people/roster/said.ts';
import { readEncoding } from '../people/roster/text.ts';
import { ofUnreadableSheet } from '../people/roster/unreadable.ts';
import type { Upload } from '../people/roster/upload.ts';
import { isWorkbook } from '../people/roster/workbook.ts';
import { openWorkbook } from '../sheets/read.ts';

/**
 * The records of a small table: CSV in UTF-8 or GB18030, or the first sheet of a workbook that has any. Lines are those of the file.
 * @param most more records than this and the header are not read.
 * @throws UnreadableFile
 */
export async function readTable(file: Upload, most: number): Promise<LinedRecord[]> {
  return (await isWorkbook(file)) ? readSheet(file, most) : readCsv(file, most);
}

async function readCsv(file: Upload, most: number): Promise<LinedRecord[]> {
  const text = {
    open: async function* () {
      yield await file.read(0, file.size);
    },
  };
  try {
    const records: LinedRecord[] = [];
    for await (const some of readRecords(text, (await readEncoding(text)).encoding)) {
      records.push(...some);
      if (records.length > most + 1) break;
    }
    return records;
  } catch (error) {
    throw error instanceof UnreadableFile ? ofFile(file.name, error) : error;
  }
}

async function readSheet(file: Upload, most: number): Promise<LinedRecord[]> {
  try {
    const workbook = await openWorkbook(file);
    try {
      for (const { name } of workbook.sheets) {
        const records: LinedRecord[] = [];
        for await (const rows of workbook.rows(name)) {
          for (const { line, cells } of rows)
            records.push({ line, record: Array.from(cells, (cell) => cell?.text ?? '') });
          if (records.length > most + 1) break;
        }
        if (records.length > 0) return records;
      }
      return [];
    } finally {
      workbook.close();
    }
  } catch (error) {
    throw ofUnreadableSheet(file.name, error);
  }
}
