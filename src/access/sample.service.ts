import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import type { PeopleService } from '../people/people.service.ts';
import type { GrantRole } from '../people/permission.ts';
import { inParts } from '../db/acting.ts';
import { insertGrant } from './grant.repository.ts';
import { insertSampleSignIn, listSampleSignIns } from './session.repository.ts';

export interface SampleStaff {
  readonly key: string;
  readonly name: string;
  readonly role: GrantRole;
  /** null: the nation. */
  readonly divisionCode: string | null;
  readonly descriptionZh: string;
  readonly descriptionEn: string;
}

export type SampleService = ReturnType<typeof makeSampleService>;

/** People of the sample county that no roster brings, and the ways in. Built only where samples are on. */
export function makeSampleService({
  db,
  clock,
  people,
}: {
  db: Database;
  clock: Clock;
  people: PeopleService;
}) {
  const service = {
    /** Adds those that are missing, each with its grant and way in, in one transaction. */
    async ensureStaff(staff: readonly SampleStaff[]): Promise<void> {
      await db.transaction().execute(async (tx) => {
        const known = new Set((await listSampleSignIns(tx)).map((signIn) => signIn.key));
        for (const [index, each] of staff.entries()) {
          if (known.has(each.key)) continue;
          const ids = await people.addPeople(tx, 'sample', [
            {
              sourceId: each.key,
              name: each.name,
              staffNumber: null,
              identityHash: null,
              identityLast4: null,
            },
          ]);
          const personId = ids.get(each.key)!;
          await insertGrant(tx, {
            personId,
            role: each.role,
            scope:
              each.divisionCode === null ? { kind: 'nation' } : { kind: 'division', code: each.divisionCode },
            startsOn: chinaDay(clock.now()),
            endsOn: null,
            grantedBy: null,
            grantedAt: clock.now(),
            reason: 'sample county',
          });
          await insertSampleSignIn(tx, {
            key: each.key,
            personId,
            descriptionZh: each.descriptionZh,
            descriptionEn: each.descriptionEn,
            position: index + 10,
          });
        }
      });
    },

    /** A way in for somebody whom the roster brought. */
    async addSignIn(signIn: {
      key: string;
      personId: string;
      descriptionZh: string;
      descriptionEn: string;
      position: number;
    }): Promise<void> {
      await insertSampleSignIn(db, signIn);
    },
  };
  return inParts({ ensureStaff: 'keeper', addSignIn: 'keeper' }, service);
}
