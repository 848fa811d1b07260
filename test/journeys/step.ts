import type { StartedService } from '../support/started-service.ts';

/** Does a step of a journey and tells what was seen in it. */
export type Step = <T>(name: string, see: () => Promise<readonly [saw: string, value: T]>) => Promise<T>;

export function expectThat(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Data of an answer without errors. */
export async function askWell(
  run: StartedService,
  as: string | null,
  query: string,
  variables?: Record<string, unknown>,
  // What is read of it is checked by what is expected of it.
  // oxlint-disable-next-line typescript/no-explicit-any
): Promise<any> {
  const answer = await run.ask(as, query, variables);
  expectThat(answer.errors === undefined, JSON.stringify(answer.errors));
  return answer.data;
}
