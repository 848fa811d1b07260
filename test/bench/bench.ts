import { readdir } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './frame.ts';

/* npm run bench -- <name> [option=value …]: see README.md beside this. */

const all = (await readdir(import.meta.dirname))
  .filter((file) => file.endsWith('.bench.ts'))
  .map((file) => file.replace('.bench.ts', ''))
  .sort();
const [name, ...rest] = process.argv.slice(2);
const options = Object.fromEntries(rest.map((each) => each.split('=', 2) as [string, string | undefined]));
if (name === undefined || !all.includes(name)) {
  console.error(
    `${name === undefined ? 'Which bench?' : `There is no bench "${name}".`} npm run bench -- <${all.join('|')}> [option=value …]`,
  );
  process.exit(2);
}

const { bench } = (await import(join(import.meta.dirname, `${name}.bench.ts`))) as { bench: Bench };
const wrong = Object.entries(options).filter(
  ([option, value]) => !(option in bench.options) || !/^[1-9]\d*$/.test(value ?? ''),
);
if (wrong.length > 0) {
  const known = Object.entries(bench.options).map(([option, usual]) => `${option}=${usual}`);
  console.error(
    `"${wrong[0]!.join('=')}" is no option of ${name}. It takes whole numbers: ${known.join(' ')}`,
  );
  process.exit(2);
}

const [cpu] = cpus();
console.log(`${name}: ${bench.about}`);
console.log(
  `${cpus().length} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GB, Node.js ${process.version}\n`,
);
const given = Object.fromEntries(
  Object.entries(bench.options).map(([option, usual]) => [option, Number(options[option] ?? usual)]),
);
const { rows, figures } = await bench.run(given, (line) => console.error(`  … ${line}`));
printTable(rows);
console.log(JSON.stringify({ bench: name, ...figures, ...given }));

function printTable(lines: readonly Readonly<Record<string, string | number>>[]): void {
  const columns = Object.keys(lines[0] ?? {});
  const table = [columns, ...lines.map((line) => columns.map((column) => String(line[column] ?? '')))];
  const widths = columns.map((_column, at) => Math.max(...table.map((cells) => cells[at]!.length)));
  for (const cells of table)
    console.log(
      cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join('  '),
    );
  console.log();
}
