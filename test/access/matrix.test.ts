import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asAsked, findGaps, listQuestions, silent, withMissing, type Cell, type Row } from './matrix.ts';
import { writeTable } from './table.ts';
import { viewers } from './viewers.ts';
import { makeWorld, type World } from './world.ts';

const FILE = join(import.meta.dirname, 'matrix.txt');
/** So many ask at once. */
const AT_ONCE = 8;
/** What somebody who is refused may have touched: when a session was last used is kept. */
const TOUCHED_BY_ASKING = ['sessions'];
const REFUSED = new Set(['.', 'F', 'S']);

describe('who may see and do what', () => {
  let world: World;
  const table: { row: Row; cells: Cell[] }[] = [];
  /** What went wrong, a sentence each; all are told at once. */
  const wrong: string[] = [];

  beforeAll(async () => {
    world = await makeWorld();
    for (const question of listQuestions()) {
      const answers = new Map<string, readonly Cell[]>();
      const ask = async (viewer: string): Promise<void> => {
        const where = `${question.rows[0]!.kind} ${question.rows[0]!.name}, asked as ${viewer}`;
        try {
          const { cells, text } = await question.ask(world, viewer, world.objects);
          answers.set(viewer, cells);
          const isRefused = REFUSED.has(cells[0]!.letter);
          if (question.changes) {
            const written = await world.undo.back();
            const changed = written.filter((name) => !TOUCHED_BY_ASKING.includes(name));
            if (cells[0]!.letter !== '+' && changed.length > 0)
              wrong.push(`${where}: refused, and yet it changed ${changed.join(', ')}`);
          }
          if (!isRefused || question.about.length === 0) return;
          const none = await question.ask(world, viewer, withMissing(world.objects, question.about));
          const told = asAsked(none.text, world.objects, question.about);
          if (told !== text)
            wrong.push(`${where}: refused otherwise than for what is not there\n    ${text}\n    ${told}`);
        } catch (error) {
          wrong.push(`${where}: ${String(error)}`);
        }
      };
      if (question.changes) for (const { key } of viewers) await ask(key);
      else
        for (let at = 0; at < viewers.length; at += AT_ONCE)
          await Promise.all(viewers.slice(at, at + AT_ONCE).map(async ({ key }) => ask(key)));
      question.rows.forEach((row, index) =>
        table.push({ row, cells: viewers.map(({ key }) => answers.get(key)?.[index] ?? { letter: '?' }) }),
      );
    }
  }, 240_000);
  afterAll(async () => world?.service.stop());

  it('is asked of every query, mutation, node type, field and route that there is', () => {
    expect(findGaps(world)).toEqual([]);
  });

  it('tells whoever is refused the same as of what is not there, and lets them change nothing', () => {
    expect(wrong).toEqual([]);
  });

  it('is asked of something in each row: somebody is told it', () => {
    const quiet = table
      .filter(({ cells }) => !cells.some(({ letter }) => '+>'.includes(letter)))
      .map(({ row }) => `${row.kind} ${row.name}`);
    expect(quiet).toEqual(Object.keys(silent));
  });

  it('is as in matrix.txt', () => {
    const now = writeTable(table);
    if (process.env['UPDATE_MATRIX'] === '1') writeFileSync(FILE, now);
    const before = existsSync(FILE) ? readFileSync(FILE, 'utf8') : '';
    // Line by line, so that what differs is what is shown.
    expect(
      now.split('\n'),
      'Look at each line that differs. If it is meant: UPDATE_MATRIX=1 npx vitest run test/access/matrix.test.ts',
    ).toEqual(before.split('\n'));
  });
});
