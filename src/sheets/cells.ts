/* What is written, into a workbook or as CSV. */

export type Value = string | number | null;

/** A cell to look at: filled pale red, with a comment that says why. */
export interface MarkedCell {
  readonly value: Value;
  readonly mark: true;
  readonly note?: string;
}

export type CellToWrite = Value | MarkedCell;

/** By column. Those that are missing at the end are empty. */
export type RowToWrite = readonly CellToWrite[];

export type RowsToWrite = Iterable<RowToWrite> | AsyncIterable<RowToWrite>;

/** The value of a cell, marked or not; an empty text is nothing. @throws RangeError for a number that is none. */
export function valueOf(cell: CellToWrite | undefined): Value {
  const value = cell !== null && typeof cell === 'object' ? cell.value : cell;
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError(`${value} is no number`);
  return value === undefined || value === '' ? null : value;
}

/** Rows one by one, whichever way they come. */
export async function* eachRow(rows: RowsToWrite): AsyncGenerator<RowToWrite> {
  yield* rows;
}
