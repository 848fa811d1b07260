import type { Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { findKnown, listMeant, type Known, type Meant } from './registration.repository.ts';

/** How long a change that another process of the service made may go unseen by a login. A launch sees it at once. */
const KEPT_MS = 10_000;
/** Of one entry for each issuer, and client or deployment, that is in force. */
const MOST_KEPT = 10_000;

export type KnownRegistrations = ReturnType<typeof makeKnownRegistrations>;

/**
 * Registrations at hand, so that a login asks the database nothing. Only those in force are kept: one that is new is found at once. What is
 * decided by one is decided by its version (`Known.version`), which the statement of a launch compares with the row.
 */
export function makeKnownRegistrations({ db, clock }: { db: Database; clock: Clock }) {
  const kept = new Map<string, { readonly known: Known; readonly until: number }>();
  /** What was being read when one was changed is not kept. */
  let changes = 0;
  const keep = async (key: string, find: () => Promise<readonly Known[]>): Promise<readonly Known[]> => {
    const now = clock.now().getTime();
    const at = kept.get(key);
    if (at !== undefined && at.until > now) return [at.known];
    const before = changes;
    const found = await find();
    kept.delete(key);
    if (found.length === 1 && changes === before) {
      if (kept.size >= MOST_KEPT) kept.clear();
      kept.set(key, { known: found[0]!, until: now + KEPT_MS });
    }
    return found;
  };
  const forget = (): void => {
    changes += 1;
    kept.clear();
  };
  return {
    /** Those in force that a login may mean, at most two. */
    async meant(meant: Meant): Promise<readonly Known[]> {
      // Where the client is named the deployment tells nothing more, and anybody may name any number of them.
      const { issuer, clientId } = meant;
      const deploymentId = clientId === null ? meant.deploymentId : null;
      return keep(JSON.stringify([issuer, clientId, deploymentId]), async () => listMeant(db, meant));
    },

    /** One in force. */
    async find(id: string): Promise<Known | undefined> {
      return (await keep(id, async () => findKnown(db, id)))[0];
    },

    /** Whether nobody has changed or ended it meanwhile. */
    async isCurrent({ registration, version }: Known): Promise<boolean> {
      return (await findKnown(db, registration.id))[0]?.version === version;
    },

    /** After a change of one. */
    forget,

    /** What changes some of them, in a transaction. */
    async change<T>(work: (tx: Executor) => Promise<T>): Promise<T> {
      try {
        return await db.transaction().execute(work);
      } finally {
        forget();
      }
    },
  };
}
