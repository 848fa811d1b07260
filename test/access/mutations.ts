import { readSource } from '../house/source.ts';
import { checkSwitch } from './check-switch.ts';
import { findChecks, idOf, nameOf, type Check, type Mutant } from './checks.ts';
import type { Answer, Question } from './matrix.ts';
import type { World } from './world.ts';

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
/** Of whom it is noted for a field of an object: most checks decide before it, and there are hundreds of fields. */
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

export const checks = readSource(['src', 'schema'])
  .filter(({ path }) => path.endsWith('.ts') && !path.startsWith('src/web/'))
  .flatMap(({ path, text }) => findChecks(path, text));

/** Whose asking is noted; it must be alone meanwhile. */
export const askersOf = (question: Question): readonly string[] =>
  question.rows[0]!.kind === 'Field' ? ASKERS_OF_FIELDS : ASKERS;

const told = ({ cells }: Answer): string => JSON.stringify(cells);

/** Where each check would have mattered, noted while the matrix is asked. */
export class Decisions {
  /** Check and switch → askings. */
  readonly #decided = new Map<string, Asked[]>();
  readonly #keyOf = (id: string, mutant: Mutant): string => `${id} → ${mutant}`;

  get count(): number {
    return this.#decided.size;
  }

  /** @param ask may come to nothing, and then nothing is noted. */
  async note(question: Question, viewer: string, ask: () => Promise<Answer | undefined>): Promise<void> {
    checkSwitch.touched.clear();
    const answer = await ask();
    if (answer === undefined) return;
    for (const [id, mutants] of checkSwitch.touched)
      for (const mutant of mutants) {
        const key = this.#keyOf(id, mutant);
        const asked = { question, viewer, answer: told(answer) };
        this.#decided.set(key, [...(this.#decided.get(key) ?? []), asked]);
      }
  }

  /** Switches each check off in turn. @returns those whose absence nothing noticed: name → where it stands now. */
  async findSurvivors(world: World): Promise<Map<string, string>> {
    const survived = new Map<string, string>();
    for (const check of checks)
      for (const mutant of check.mutants)
        if (!(await this.#isSeen(world, check, mutant)))
          survived.set(nameOf(check, mutant), `${check.path}:${check.line}`);
    return survived;
  }

  async #isSeen(world: World, check: Check, mutant: Mutant): Promise<boolean> {
    const id = idOf(check);
    const cells = this.#decided.get(this.#keyOf(id, mutant)) ?? [];
    // A field's type takes more asking than what it hangs on.
    const order = cells.toSorted((a, b) => a.question.rows.length - b.question.rows.length);
    checkSwitch.active = { id, mutant };
    try {
      for (const { question, viewer, answer } of order.slice(0, MOST_ASKED)) {
        // Nothing is known from before: what is seen may be another thing now.
        const now = await question
          .ask({ ...world, seen: new Map() }, viewer, world.objects)
          .then(told, String);
        if (question.changes) await world.undo.back();
        if (now !== answer) return true;
      }
      return false;
    } finally {
      checkSwitch.active = undefined;
    }
  }
}
