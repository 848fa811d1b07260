import type { Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { InvalidInput, NotAllowed } from '../errors.ts';
import { scopesOf, type Viewer } from '../people/permission.ts';
import type { Organization } from '../regions/organization.ts';
import { divisionsOf, fromCursor, organizationsOf, type CreditRecord } from './credit-record.ts';
import {
  insertCreditRecord,
  insertMoved,
  insertWithdrawal,
  listCreditRecords,
} from './credit-record.repository.ts';
import { titleData } from './personal-data.repository.ts';

export type TitleService = ReturnType<typeof makeTitleService>;

export function makeTitleService({ db, clock }: { db: Database; clock: Clock }) {
  return {
    /** What this room holds about people. */
    personalData: titleData,
    /** In the transaction that issues the certificate. */
    recordEarned: async (
      tx: Executor,
      given: {
        certificateId: string;
        personId: string;
        classHours: number;
        earnedOn: string;
        organization: Organization | undefined;
      },
    ): Promise<void> => insertCreditRecord(tx, { ...given, kind: 'earned', at: clock.now() }),

    /** In the transaction that revokes it. */
    recordWithdrawn: async (tx: Executor, certificateId: string): Promise<void> =>
      insertWithdrawal(tx, { certificateId, at: clock.now() }),

    /** In the transaction in which one certificate takes the place of another: the hours are withdrawn from the one and booked on the other. */
    async recordMoved(tx: Executor, given: { from: string; to: string }): Promise<void> {
      await insertWithdrawal(tx, { certificateId: given.from, at: clock.now() });
      await insertMoved(tx, { ...given, at: clock.now() });
    },

    /**
     * The feed: credit records in the viewer's scopes after a cursor, oldest first, at most `limit` (1–500).
     * @throws NotAllowed without any grant to read credit records; InvalidInput for a cursor that is none of ours.
     */
    async listFeed(
      viewer: Viewer,
      page: { after: string | undefined; limit: number },
    ): Promise<CreditRecord[]> {
      const scopes = scopesOf(viewer, 'credit.read');
      if (scopes.length === 0) throw new NotAllowed('Reading credit records needs a grant as HR verifier.');
      const after = page.after === undefined ? undefined : fromCursor(page.after);
      if (page.after !== undefined && after === undefined)
        throw new InvalidInput('after', 'This cursor is not one that the feed gave.');
      return listCreditRecords(db, {
        divisions: divisionsOf(scopes),
        organizations: organizationsOf(scopes),
        after,
        limit: page.limit,
      });
    },
  };
}
