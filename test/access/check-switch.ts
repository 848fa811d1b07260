import { isDeepStrictEqual } from 'node:util';
import type { Mutant } from './checks.ts';

/*
 * What the wrapped checks call while the service runs.
 */

const NOBODY = { personId: '0', grants: [] };
const VALUES: Readonly<Record<Mutant, unknown>> = {
  true: true,
  false: false,
  nation: [{ kind: 'nation' }],
  somebody: NOBODY,
};

export class CheckSwitch {
  /** What is switched now. */
  active: { readonly id: string; readonly mutant: Mutant } | undefined;
  /** Check → the switches that would have made a difference since this was last emptied. */
  readonly touched = new Map<string, Set<Mutant>>();

  value(id: string, answer: unknown): unknown {
    return answer instanceof Promise
      ? answer.then((each: unknown) => this.#answer(id, each))
      : this.#answer(id, answer);
  }

  viewer(id: string, ask: () => unknown): unknown {
    const nobody = (error: unknown): unknown => {
      this.#touch(id, 'somebody');
      if (this.active?.id === id) return NOBODY;
      throw error;
    };
    try {
      const answer = ask();
      return answer instanceof Promise ? answer.catch(nobody) : answer;
    } catch (error) {
      return nobody(error);
    }
  }

  #answer(id: string, answer: unknown): unknown {
    const possible: readonly Mutant[] = Array.isArray(answer) ? ['nation'] : ['true', 'false'];
    for (const mutant of possible) if (!isDeepStrictEqual(answer, VALUES[mutant])) this.#touch(id, mutant);
    return this.active?.id === id ? VALUES[this.active.mutant] : answer;
  }

  #touch(id: string, mutant: Mutant): void {
    const known = this.touched.get(id);
    if (known === undefined) this.touched.set(id, new Set([mutant]));
    else known.add(mutant);
  }
}

export const checkSwitch = new CheckSwitch();
Object.assign(globalThis, { checkSwitch });
