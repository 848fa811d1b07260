import type { Log } from '../log.ts';

export type Aside = ReturnType<typeof makeAside>;

/** How coarse a last use is: what is written down of it is written once in so long. */
export const USE_MS = 60_000;

/** Small writes that no request waits for, such as when a token was last used. One that fails is lost, and does no harm. */
export function makeAside({ log }: { log: Log }) {
  const open = new Set<Promise<void>>();
  return {
    run(work: () => Promise<void>): void {
      const done = work()
        .catch((error: unknown) => log.debug({ error: String(error) }, 'a write aside was lost'))
        .finally(() => open.delete(done));
      open.add(done);
    },
    /** Waits for what is under way; before the database closes. */
    async settle(): Promise<void> {
      await Promise.all(open);
    },
  };
}
