/**
 * Which unknown numbers follow exactly from known ones and from sums: each equation is a sum, first, and what adds up to it. By
 * elimination; which values the numbers have does not matter.
 */
export function determined(equations: readonly (readonly string[])[], known: ReadonlySet<string>): string[] {
  const unknown = [...new Set(equations.flat())].filter((cell) => !known.has(cell));
  const rows = equations.map((equation) => {
    const row = unknown.map(() => 0);
    for (const [index, cell] of equation.entries()) {
      const column = unknown.indexOf(cell);
      if (column !== -1) row[column]! += index === 0 ? -1 : 1;
    }
    return row;
  });
  let rank = 0;
  for (const column of unknown.keys()) {
    const pivot = rows.findIndex((row, at) => at >= rank && Math.abs(row[column]!) > 1e-9);
    if (pivot === -1) continue;
    [rows[rank], rows[pivot]] = [rows[pivot]!, rows[rank]!];
    const [by, scale] = [rows[rank]!, rows[rank]![column]!];
    for (const each of unknown.keys()) by[each]! /= scale;
    for (const [at, row] of rows.entries()) {
      const factor = row[column]!;
      if (at === rank || Math.abs(factor) < 1e-9) continue;
      for (const each of unknown.keys()) row[each]! -= factor * by[each]!;
    }
    rank += 1;
  }
  return rows.flatMap((row) => {
    const left = [...row.keys()].filter((column) => Math.abs(row[column]!) > 1e-9);
    return left.length === 1 ? [unknown[left[0]!]!] : [];
  });
}
