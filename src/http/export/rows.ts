import { isEnumType } from 'graphql';
import type { CellToWrite } from '../../sheets/cells.ts';
import type { Format, Language } from '../../sheets/styles.ts';
import type { Column, Plan } from './plan.ts';
import { enumLabel, WORDS } from './words.ts';

/** What a path leads to in an answer; null where something on the way is. */
export function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const key of path) {
    // An alias may be called like something that every object has.
    if (at === null || typeof at !== 'object' || !Object.hasOwn(at, key)) return null;
    at = (at as Readonly<Record<string, unknown>>)[key];
  }
  return at ?? null;
}

/** The rows of a node: one, or one for each element of the plan's list. A node whose list is empty keeps its own row. */
export function* rowsOf(plan: Plan, node: unknown, language: Language): Generator<CellToWrite[]> {
  const elements = plan.list === undefined ? [] : valueAt(node, plan.list);
  const inList = plan.list?.length ?? 0;
  for (const element of Array.isArray(elements) && elements.length > 0 ? elements : [null])
    yield plan.columns.map((column) =>
      cellOf(
        column,
        column.isInList ? valueAt(element, column.path.slice(inList)) : valueAt(node, column.path),
        language,
      ),
    );
}

/** How a workbook is to show a column. Shares are fractions of 1. */
export function formatOf({ type, fieldName }: Column): Format {
  if (type.name === 'Int') return 'number';
  if (type.name === 'Float') return fieldName === 'rate' || fieldName === 'target' ? 'percent' : 'number';
  return type.name === 'Date' ? 'date' : 'text';
}

function cellOf(column: Column, value: unknown, language: Language): CellToWrite {
  if (!Array.isArray(value)) return leafOf(column, value, language);
  return value
    .flat()
    .map((each) => leafOf(column, each, language))
    .filter((each) => each !== null)
    .join(WORDS[language].separator);
}

function leafOf({ type }: Column, value: unknown, language: Language): string | number | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? WORDS[language].yes : WORDS[language].no;
  if (typeof value !== 'string') return JSON.stringify(value);
  if (isEnumType(type)) return enumLabel(type.name, value, language);
  return type.name === 'DateTime' ? chinaTime(value) : value;
}

/** An instant as clocks in China show it, `YYYY-MM-DD HH:MM:SS`. */
function chinaTime(instant: string): string {
  return new Date(Date.parse(instant) + 8 * 3_600_000).toISOString().slice(0, 19).replace('T', ' ');
}
