import { actingAs } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import type { Standings } from '../programmes/certification.ts';
import { listNextPeriods } from './renewal.repository.ts';
import { windowEnd } from './validity.ts';

/** Asked of all certificates, as the issuer: who may assign people need not be allowed to see theirs. Only periods come of it. */
export function makeStandings({ db }: { db: Database }): Standings {
  return {
    listNextPeriods: async ({ id, renewalMonths }, personIds, day) =>
      actingAs('issuer', async () =>
        listNextPeriods(db, id, personIds, {
          day,
          until: renewalMonths === null ? null : windowEnd(day, renewalMonths),
        }),
      ),
  };
}
