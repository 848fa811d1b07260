import { chinaDay, type Clock } from '../clock.ts';
import { inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { Certification } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { Division } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import { listDue, lockRenewing, type After } from './renewal.repository.ts';
import { windowEnd } from './validity.ts';

/** Each night: whose certificate ends within the window is assigned the next period. */
export const RENEW_TASK = 'assign-renewals';

/** Assigned in one transaction. */
const BATCH = 1_000;

export type RenewalService = ReturnType<typeof makeRenewalService>;

/** Assigns people anew as their certificates run out: src/decisions/0033-renewal.md. */
export function makeRenewalService({
  db,
  clock,
  regions,
  programmes,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  programmes: ProgrammeService;
}) {
  /** @returns how many were assigned, and where to go on; no more where `next` is undefined. */
  const assignBatch = async (
    certification: Certification,
    division: Division,
    window: { day: string; until: string },
    after: After | undefined,
  ): Promise<{ assigned: number; next: After | undefined }> =>
    db.transaction().execute(async (tx) => {
      // Another run would make a cohort of the same day. It waits, and finds who has been assigned.
      await lockRenewing(tx);
      const due = await listDue(tx, certification, window, { after, limit: BATCH });
      if (due.length === 0) return { assigned: 0, next: undefined };
      const { cohortIds, assigned } = await programmes.assignRenewals(tx, certification, due, window.day);
      await insertJournalEntry(tx, {
        at: clock.now(),
        actor: `worker:${RENEW_TASK}`,
        action: 'renewal.assign',
        subject: `certification:${certification.id}`,
        detail: { cohorts: cohortIds, people: due.length, assigned },
        units: [division],
      });
      return { assigned, next: due.length < BATCH ? undefined : due.at(-1)!.after };
    });

  const service = {
    /**
     * The worker's part: gives everybody whose certificate ends within its certification's window today, or has lapsed, an assignment of
     * the next period, if they still hold a role that it is for. Run again, or twice at once, it finds them assigned.
     * @returns how many were assigned.
     */
    async assign(): Promise<number> {
      const day = chinaDay(clock.now());
      let total = 0;
      for (const certification of await programmes.listRenewed()) {
        const division = (await regions.findDivision(certification.divisionCode))!;
        const window = { day, until: windowEnd(day, certification.renewalMonths!) };
        let after: After | undefined;
        do {
          const { assigned, next } = await assignBatch(certification, division, window, after);
          total += assigned;
          after = next;
        } while (after !== undefined);
      }
      return total;
    },
  };
  return inParts({ assign: 'issuer' }, service);
}
