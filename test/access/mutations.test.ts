import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSource } from '../house/source.ts';
import { checkSwitch } from './check-switch.ts';
import { findChecks, idOf, nameOf, type Check, type Mutant } from './checks.ts';
import { listQuestions, type Question } from './matrix.ts';
import { survivors } from './survivors.ts';
import { makeWorld, type World } from './world.ts';

/*
 * Is each check of a permission needed, and would the matrix see it go? One after the other is switched off in the running service, and what
 * it refused before is asked again: something must answer otherwise.
 */

/** Enough of the matrix's columns that each check refuses one of them and lets one of them through. */
const ASKERS = [
  'nobody',
  'no-sample',
  't1',
  't2',
  'tb',
  'leaver',
  't3',
  'token-of-coordinator',
  'token-of-self',
  'token-without-self',
  'token-of-operator',
  'coordinator-430121',
  'coordinator-430102',
  'coordinator-school',
  'operator-430121',
  'operator-430102',
  'operator-nation',
  'issuer-430121',
  'issuer-430000',
  'hr_verifier-430121',
  'auditor-430121',
  'auditor-430102',
];
/** Of whom a field of an object is asked: most checks decide before it, and there are hundreds of fields. */
const ASKERS_OF_FIELDS = [
  'nobody',
  't1',
  't3',
  'token-without-self',
  'token-of-operator',
  'coordinator-430121',
  'coordinator-430102',
  'operator-430121',
  'issuer-430121',
  'auditor-430121',
];
/** So many of the cells that a check decided in are asked before it is said to make no difference. */
const MOST_ASKED = 80;

interface Asked {
  readonly question: Question;
  readonly viewer: string;
  readonly answer: string;
}

describe('without one check of a permission', () => {
  let world: World;
  const checks = readSource(['src', 'schema'])
    .filter(({ path }) => path.endsWith('.ts') && !path.startsWith('src/web/'))
    .flatMap(({ path, text }) => findChecks(path, text));
  /** Check and switch → where it would have mattered. */
  const decided = new Map<string, Asked[]>();
  const keyOf = (id: string, mutant: Mutant): string => `${id} → ${mutant}`;

  const ask = async ({ question, viewer }: Omit<Asked, 'answer'>, seen: World['seen']): Promise<string> => {
    let answer: string;
    try {
      const { cells } = await question.ask({ ...world, seen }, viewer, world.objects);
      answer = JSON.stringify(cells);
    } catch (error) {
      answer = `defect: ${String(error).replace(/[0-9a-f-]{36}/, '')}`;
    }
    if (question.changes) await world.undo.back();
    return answer;
  };

  beforeAll(async () => {
    world = await makeWorld();
    const questions = listQuestions();
    for (const question of questions)
      for (const viewer of question.rows[0]!.kind === 'Field' ? ASKERS_OF_FIELDS : ASKERS) {
        checkSwitch.touched.clear();
        const answer = await ask({ question, viewer }, world.seen);
        for (const [id, mutants] of checkSwitch.touched)
          for (const mutant of mutants) {
            const key = keyOf(id, mutant);
            decided.set(key, [...(decided.get(key) ?? []), { question, viewer, answer }]);
          }
      }
  }, 1_200_000);
  afterAll(async () => world?.stop());

  it('finds the checks', () => {
    expect(checks.length).toBeGreaterThan(80);
    expect(new Set(checks.map(idOf)).size).toBe(checks.length);
    expect([...decided.keys()].length).toBeGreaterThan(80);
  });

  it('something answers otherwise', async () => {
    /** Name → where it stands now. */
    const survived = new Map<string, string>();
    for (const check of checks)
      for (const mutant of check.mutants)
        if (!(await isSeen(check, mutant)))
          survived.set(nameOf(check, mutant), `${check.path}:${check.line}`);
    const unexplained = [...survived].filter(([name]) => survivors[name] === undefined);
    expect(
      unexplained.map(([name, place]) => `${place}  ${name}`),
      'Checks that nothing notices: give the matrix a row that needs them, or say in test/access/survivors.ts why none can.',
    ).toEqual([]);
    expect(
      Object.keys(survivors).filter((name) => !survived.has(name)),
      'These are noticed, or are gone: take them out of test/access/survivors.ts.',
    ).toEqual([]);
  }, 1_200_000);

  async function isSeen(check: Check, mutant: Mutant): Promise<boolean> {
    const id = idOf(check);
    const cells = decided.get(keyOf(id, mutant)) ?? [];
    // A field's type takes more asking than what it hangs on.
    const order = cells.toSorted((a, b) => a.question.rows.length - b.question.rows.length);
    checkSwitch.active = { id, mutant };
    try {
      // Nothing is known from before: what is seen may be another thing now.
      for (const cell of order.slice(0, MOST_ASKED))
        if ((await ask(cell, new Map())) !== cell.answer) return true;
      return false;
    } finally {
      checkSwitch.active = undefined;
    }
  }
});
