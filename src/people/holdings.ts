import type { RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';

/** People by their ids, or by a query on the same transaction that gives them and gives the same ones after the change. */
export type People = readonly string[] | RawBuilder<unknown>;

export function isQuery(people: People): people is RawBuilder<unknown> {
  return !Array.isArray(people);
}

/**
 * Is told of every change of what people hold (posts, certificates), in the transaction of the change, so that what is counted
 * of them follows it. A room above implements it; who changes a post or a certificate calls it.
 */
export interface HoldingsWatcher {
  /** Runs `change`, which changes what these people hold; they wait for each other, so that no change is counted by halves. */
  around<T>(tx: Executor, people: People, change: () => Promise<T>): Promise<T>;
  /** These people are new: what they hold now was not counted before. */
  added(tx: Executor, people: People): Promise<void>;
}
