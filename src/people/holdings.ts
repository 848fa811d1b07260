import type { Executor } from '../db/database.ts';

/**
 * Is told of every change of what people hold (posts, certificates), in the transaction of the change, so that what is counted
 * of them follows it. A room above implements it; who changes a post or a certificate calls it.
 */
export interface HoldingsWatcher {
  /** Runs `change`, which changes what these people hold; they wait for each other, so that no change is counted by halves. */
  around<T>(tx: Executor, personIds: readonly string[], change: () => Promise<T>): Promise<T>;
  /** These people are new: what they hold now was not counted before. */
  added(tx: Executor, personIds: readonly string[]): Promise<void>;
}
