import type { Clock } from '../clock.ts';

/** Fetched anew after so long. What an issuer takes back, such as a stolen key, is then forgotten. */
const FRESH_MS = 10 * 60_000;
/** While it can't be fetched, what is known serves for so long. */
const STALE_MS = 24 * 3_600_000;
/** Between two tries, whoever asks for them. */
const COOL_DOWN_MS = 30_000;

export interface Kept<T> {
  /** @throws what `load` threw when nothing usable is known. */
  get(): Promise<T>;
  /** For somebody who misses something in what is known. undefined: it was fetched just now, and is what there is. */
  renew(): Promise<T | undefined>;
}

/** A document of another server's, kept over its short absences, and fetched by one request at a time. */
export function makeKept<T>(load: () => Promise<T>, clock: Clock): Kept<T> {
  let known: { value: T; at: number } | undefined;
  let triedAt = -Infinity;
  let failure: unknown;
  let pending: Promise<T> | undefined;

  const age = (since: number): number => clock.now().getTime() - since;
  const fetchAgain = async (): Promise<T> => {
    pending ??= (async () => {
      triedAt = clock.now().getTime();
      try {
        const value = await load();
        known = { value, at: triedAt };
        return value;
      } catch (error) {
        failure = error;
        throw error;
      } finally {
        pending = undefined;
      }
    })();
    return pending;
  };

  return {
    async get() {
      if (known !== undefined && age(known.at) < FRESH_MS) return known.value;
      const usable = known !== undefined && age(known.at) < STALE_MS ? known : undefined;
      if (pending === undefined && age(triedAt) < COOL_DOWN_MS) {
        if (usable !== undefined) return usable.value;
        throw failure;
      }
      try {
        return await fetchAgain();
      } catch (error) {
        if (usable !== undefined) return usable.value;
        throw error;
      }
    },
    async renew() {
      if (pending === undefined && age(triedAt) < COOL_DOWN_MS) return undefined;
      return fetchAgain().catch(() => undefined);
    },
  };
}
