import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  asAsked,
  findGaps,
  listQuestions,
  silent,
  withMissing,
  type Answer,
  type Cell,
  type Row,
} from './matrix.ts';
import { askersOf, checks, Decisions } from './mutations.ts';
import { idOf } from './checks.ts';
import { survivors } from './survivors.ts';
import { writeTable } from './table.ts';
import { viewers } from './viewers.ts';
import { gid, makeWorld, type World } from './world.ts';

const FILE = join(import.meta.dirname, 'matrix.txt');
/** So many ask at once. */
const AT_ONCE = 8;
/** What somebody who is refused may have touched: when a session or a token was last used is kept. The others are written a moment later, by whom the asking before was. */
const TOUCHED_BY_ASKING = ['sessions', 'access_tokens', 'verification_counts', 'sign_in_attempts'];
const REFUSED = new Set(['.', 'F', 'S']);

describe('who may see and do what', () => {
  let world: World;
  const table: { row: Row; cells: Cell[] }[] = [];
  /** What went wrong, a sentence each; all are told at once. */
  const wrong: string[] = [];
  const decisions = new Decisions();

  beforeAll(async () => {
    world = await makeWorld();
    for (const question of listQuestions()) {
      const answers = new Map<string, Answer>();
      const failed = (viewer: string, what: string): void => {
        wrong.push(`${question.rows[0]!.kind} ${question.rows[0]!.name}, asked as ${viewer}: ${what}`);
      };
      const ask = async (viewer: string): Promise<void> => {
        try {
          const answer = await question.ask(world, viewer, world.objects);
          answers.set(viewer, answer);
          if (!question.changes) return;
          const written = (await world.undo.back()).filter((name) => !TOUCHED_BY_ASKING.includes(name));
          if (answer.cells[0]!.letter !== '+' && written.length > 0)
            failed(viewer, `refused, and yet it changed ${written.join(', ')}`);
        } catch (error) {
          failed(viewer, String(error));
        }
      };
      const askMissing = async (viewer: string): Promise<void> => {
        const answer = answers.get(viewer);
        if (answer === undefined || question.about.length === 0 || !REFUSED.has(answer.cells[0]!.letter))
          return;
        const none = await question.ask(world, viewer, withMissing(world.objects, question.about));
        const told = asAsked(none.text, world.objects, question.about);
        if (told !== answer.text)
          failed(viewer, `refused otherwise than for what is not there\n    ${answer.text}\n    ${told}`);
      };
      const askers = askersOf(question);
      for (const viewer of askers)
        await decisions.note(question, viewer, async () => {
          await ask(viewer);
          return answers.get(viewer);
        });
      // One after the other where the world must be put right after each.
      const others = everybody.filter((viewer) => !askers.includes(viewer));
      await inTurns(others, question.changes ? 1 : AT_ONCE, ask);
      await inTurns(everybody, AT_ONCE, askMissing);
      question.rows.forEach((row, index) =>
        table.push({
          row,
          cells: viewers.map(({ key }) => answers.get(key)?.cells[index] ?? { letter: '?' }),
        }),
      );
    }
  }, 1_200_000);
  afterAll(async () => world?.stop());

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
    expect(quiet.toSorted()).toEqual(Object.keys(silent).toSorted());
  });

  it('is nothing for ids that are none', async () => {
    for (const id of [
      '',
      'x',
      gid('Person', '1 or 1=1'),
      gid('Nothing', '1'),
      gid('Person', '9'.repeat(40)),
      '💥',
    ])
      expect(
        (
          await world.service.ask(
            world.tokens.get('coordinator-nation')!,
            'query ($id: ID!) { node(id: $id) { id } }',
            { id },
          )
        ).data?.node ?? null,
      ).toBeNull();
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

  it('notices each check of a permission that is switched off', async () => {
    expect(checks.length).toBeGreaterThan(80);
    expect(new Set(checks.map(idOf)).size).toBe(checks.length);
    expect(decisions.count).toBeGreaterThan(80);
    const survived = await decisions.findSurvivors(world);
    expect(
      [...survived]
        .filter(([name]) => survivors[name] === undefined)
        .map(([name, place]) => `${place}  ${name}`),
      'Checks that nothing notices: give the matrix a row that needs them, or say in test/access/survivors.ts why none can.',
    ).toEqual([]);
    expect(
      Object.keys(survivors).filter((name) => !survived.has(name)),
      'These are noticed, or are gone: take them out of test/access/survivors.ts.',
    ).toEqual([]);
  }, 1_200_000);
});

const everybody = viewers.map(({ key }) => key);

async function inTurns(
  who: readonly string[],
  atOnce: number,
  ask: (viewer: string) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < who.length; at += atOnce)
    await Promise.all(who.slice(at, at + atOnce).map(async (viewer) => ask(viewer)));
}
