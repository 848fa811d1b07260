import { sql } from 'kysely';

const MARK = '/* prepared */';

/**
 * In front of a read that is asked again and again: each connection then parses and plans it once, which takes longer than such a
 * statement runs, and those that are asked at the same moment go together. For reads of a few rows by an index, in one fixed text (lists
 * as arrays, columns by name): the plan is made without a look at the values, and a migration may not change what columns come back
 * while it is kept.
 * With Kysely: `.modifyFront(prepared)`; in a template: `` sql`${prepared} select …` ``.
 */
export const prepared = sql.raw<never>(MARK);

const MARK_ALONE = '/* prepared alone */';

/**
 * The same for a write: it goes in a transaction of its own, never together with others. One of those that failed would take it back after
 * it was told to be done.
 */
export const preparedAlone = sql.raw<never>(MARK_ALONE);

export function isPrepared(text: string): boolean {
  return text.includes(MARK) || isAlone(text);
}

export function isAlone(text: string): boolean {
  return text.includes(MARK_ALONE);
}

const names = new Map<string, string>();

/** Under which a connection keeps it; there are as many as there are such statements in the code. */
export function preparedName(text: string): string {
  let name = names.get(text);
  if (name === undefined) names.set(text, (name = `prepared ${names.size + 1}`));
  return name;
}
