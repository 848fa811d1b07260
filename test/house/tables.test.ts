import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { readSource } from './source.ts';

/*
 * Only the owning room writes a table, and only in a repository: then a rule about a table is kept in one place. Any room may
 * read through a repository of its own.
 */

const shape = readFileSync(join(projectFolder, 'migrations/shape.txt'), 'utf8');
const tables = [...shape.matchAll(/^table (\w+)/gm)].map((match) => match[1]!);
const files = readSource(['src', 'schema']);

interface Write {
  readonly path: string;
  readonly room: string;
  readonly table: string;
}

const WRITES =
  /\b(?:insertInto|updateTable|deleteFrom|mergeInto)\(\s*'(\w+)|\b(?:insert into|update|delete from|merge into|truncate|copy)\s+(?:only\s+)?"?(\w+)"?/gi;

const writes: Write[] = files.flatMap(({ path, text }) =>
  [...text.matchAll(WRITES)]
    .map((match) => (match[1] ?? match[2])!)
    // The raw spelling also finds plain words.
    .filter((table) => tables.includes(table))
    .map((table) => ({ path, room: path.split('/')[1]!, table })),
);

describe('tables', () => {
  it('are all there, each with somebody who writes it', () => {
    expect(tables.length).toBeGreaterThan(25);
    expect([...new Set(writes.map((write) => write.table))].toSorted()).toEqual(tables.toSorted());
  });

  it('are written by one room each', () => {
    const rooms = Map.groupBy(writes, (write) => write.table);
    const shared = [...rooms]
      .map(([table, its]) => `${table}: ${[...new Set(its.map((write) => write.room))].join(', ')}`)
      .filter((line) => line.includes(','));
    expect(shared).toEqual([]);
  });

  it('are written in repositories', () => {
    const elsewhere = writes.filter((write) => !write.path.endsWith('.repository.ts'));
    // The worker's register is its own affair, on its own connections.
    expect([...new Set(elsewhere.map((write) => `${write.path}: ${write.table}`))]).toEqual([
      'src/journal/worker.ts: worker_instances',
    ]);
  });
});
