import { chinaDay, type Clock } from '../clock.ts';
import { inParts } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { Log } from '../log.ts';
import { isQuery, type HoldingsWatcher } from '../people/holdings.ts';
import type { Role } from '../people/role.ts';
import {
  advanceTo,
  findKeptDay,
  foldPending,
  insertPending,
  insertPendingOf,
  insertRoleSet,
  listCounts,
  lockHoldings,
  lockPeople,
  rebuild,
} from './ledger.repository.ts';
import { differenceOf } from './ledger.ts';

/** Each night: what is kept is compared with what is counted. */
export const REBUILD_TASK = 'rebuild-coverage';

const FOLD_EVERY_MS = 500;

export type CoverageLedger = ReturnType<typeof makeCoverageLedger>;

/** Keeps the numbers of coverage as posts and certificates change: src/decisions/0008-coverage-is-kept.md. */
export function makeCoverageLedger({ db, clock, log }: { db: Database; clock: Clock; log: Log }) {
  const watcher: HoldingsWatcher = {
    async around(tx, people, change) {
      if (!isQuery(people) && people.length === 0) return change();
      await lockHoldings(tx, 'shared');
      await lockPeople(tx, people);
      if (isQuery(people)) {
        // However many: what they counted for is taken away, and what they count for is added.
        await insertPendingOf(tx, people, -1);
        const result = await change();
        await insertPendingOf(tx, people, 1);
        return result;
      }
      const before = await listCounts(tx, people);
      const result = await change();
      await insertPending(tx, differenceOf(before, await listCounts(tx, people)));
      return result;
    },
    async added(tx, people) {
      if (!isQuery(people) && people.length === 0) return;
      await lockHoldings(tx, 'shared');
      await insertPendingOf(tx, people, 1);
    },
  };

  const ledger = {
    ...watcher,

    fold: async (): Promise<void> => db.transaction().execute(async (tx) => foldPending(tx)),

    /**
     * Brings what is kept to today: what begins or ends by date counts from then on. Cheap when that was done before.
     * @returns the kept day, which is later than today only where a clock was set back.
     */
    async advance(): Promise<string> {
      const today = chinaDay(clock.now());
      const kept = await findKeptDay(db);
      if (today <= kept) return kept;
      await db.transaction().execute(async (tx) => {
        await lockHoldings(tx, 'alone');
        await advanceTo(tx, today);
      });
      return today;
    },

    /** Begins to count people who hold any of `roles`, each once. */
    addRoleSet: async (roles: readonly Role[]): Promise<void> =>
      db.transaction().execute(async (tx: Executor) => {
        await lockHoldings(tx, 'alone');
        await insertRoleSet(tx, roles.toSorted());
      }),

    /** Counts everything anew and reports whether what was kept agreed; it must. Changes of holdings wait meanwhile. */
    async rebuild(): Promise<number> {
      return db.transaction().execute(async (tx) => {
        await lockHoldings(tx, 'alone');
        const differences = await rebuild(tx);
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `worker:${REBUILD_TASK}`,
          action: 'coverage.rebuild',
          subject: 'coverage:all',
          detail: { differences },
        });
        if (differences > 0)
          log.error({ differences }, 'coverage as it was kept differed from what it is counted to be');
        return differences;
      });
    },

    /** Folds, and moves on at midnight, as long as the service runs. @returns how to stop. */
    startFolding(): () => Promise<void> {
      let working: Promise<void> | undefined;
      const work = async (): Promise<void> => {
        try {
          await ledger.advance();
          await ledger.fold();
        } catch (error) {
          log.warn({ error: String(error) }, 'coverage could not be folded; trying again');
        } finally {
          working = undefined;
        }
      };
      const timer = setInterval(() => {
        working ??= work();
      }, FOLD_EVERY_MS);
      timer.unref();
      return async () => {
        clearInterval(timer);
        await working;
      };
    },
  };
  // What `around` and `added` do is done in the transaction of whoever changes a holding.
  return inParts(
    {
      fold: 'counter',
      advance: 'counter',
      addRoleSet: 'counter',
      rebuild: 'counter',
      startFolding: 'counter',
    },
    ledger,
  );
}
