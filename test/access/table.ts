import type { Cell, Row } from './matrix.ts';
import { groups, legend } from './viewers.ts';

const TITLES: Readonly<Record<Row['kind'], string>> = {
  Query: 'QUERIES',
  Mutation: 'MUTATIONS',
  Node: 'NODES, by their id',
  Field: 'FIELDS of objects, and of what mutations answer',
  Route: 'ROUTES',
};

/** The matrix as text: a line for each row, a letter for each viewer. */
export function writeTable(table: readonly { row: Row; cells: readonly Cell[] }[]): string {
  const width = Math.max(...table.map(({ row }) => row.name.length));
  const widths = groups.map(({ title, viewers }) => Math.max(title.length, viewers.length));
  const line = (name: string, parts: readonly string[], notes = ''): string =>
    `${name.padEnd(width)}  ${parts.map((part, at) => part.padEnd(widths[at]!)).join('  ')}  ${notes}`.trimEnd();
  const lines = [legend];
  for (const kind of Object.keys(TITLES) as Row['kind'][]) {
    lines.push('', '', TITLES[kind], '');
    lines.push(
      line(
        '',
        groups.map((group) => group.title),
      ),
    );
    lines.push(
      line(
        '',
        groups.map((group) => group.viewers.map((viewer) => viewer.letter).join('')),
      ),
    );
    let before = '';
    const rows = table.filter(({ row }) => row.kind === kind);
    if (kind === 'Field') rows.sort((a, b) => compare(typeOf(a.row), typeOf(b.row)));
    for (const { row, cells } of rows) {
      if (kind === 'Field' && typeOf(row) !== before) lines.push('');
      before = typeOf(row);
      let at = 0;
      const parts = groups.map(({ viewers }) =>
        cells
          .slice(at, (at += viewers.length))
          .map((cell) => cell.letter)
          .join(''),
      );
      const notes = [...new Set(cells.flatMap((cell) => cell.note ?? []))].toSorted();
      lines.push(line(row.name, parts, notes.join('  ')));
    }
  }
  return `${lines.join('\n')}\n`;
}

const typeOf = (row: Row): string => row.name.split('.')[0]!;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
