import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { actingAs } from '../db/acting.ts';
import { Conflict, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Person } from '../people/person.ts';
import type { PeopleService } from '../people/people.service.ts';
import type { Division } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import type { SessionService } from '../access/session.service.ts';
import type { AccountState, LtiAccount } from './account.ts';
import {
  decideAccount,
  findAccount,
  findInDivision,
  isTaken,
  listByName,
  listByNumber,
  listAccounts,
} from './account.repository.ts';
import { ltiData } from './personal-data.repository.ts';
import type { LtiRegistration } from './registration.ts';
import { listRegistrations } from './registration.repository.ts';
import { plain } from './who.ts';

/** Whom to offer for an account that waits. */
const MOST_OFFERED = 20;

export type LtiAccountService = ReturnType<typeof makeLtiAccountService>;

/** Who somebody on a platform is, where the launch alone did not tell: coordinators of the registration's division say so. */
export function makeLtiAccountService({
  db,
  clock,
  regions,
  people,
  sessions,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  people: PeopleService;
  sessions: SessionService;
}) {
  const placeOf = async (
    account: LtiAccount,
  ): Promise<{ registration: LtiRegistration; division: Division }> => {
    const [registration] = await listRegistrations(db, [account.registrationId]);
    return {
      registration: registration!,
      division: (await regions.findDivision(registration!.divisionCode))!,
    };
  };
  /** @throws NotFound for one that is not the viewer's to decide. */
  const decidable = async (viewer: Viewer, id: string) => {
    const account = await findAccount(db, id);
    const place = account === undefined ? undefined : await placeOf(account);
    if (account === undefined || place === undefined || !may(viewer, 'lti.link', place.division))
      throw new NotFound('The account');
    return { account, ...place };
  };
  const decide = async (
    viewer: Viewer,
    id: string,
    { personId, division }: { personId: string | null; division: Division },
  ): Promise<void> => {
    const at = clock.now();
    await db.transaction().execute(async (tx) => {
      const account = await findAccount(tx, id, { lock: true });
      if (personId !== null && account?.accountState === 'linked')
        throw new Conflict('ACCOUNT_LINKED', 'It is linked already: refuse it first, to link it anew.');
      if (
        personId !== null &&
        (await isTaken(tx, { registrationId: account!.registrationId, subject: account!.subject, personId }))
      )
        throw new Conflict(
          'PERSON_LINKED',
          'Another account of this platform is linked to this person already: refuse that one first.',
        );
      await decideAccount(tx, id, { personId, by: viewer.personId, at });
      await insertJournalEntry(tx, {
        at,
        actor: `person:${viewer.personId}`,
        action: personId === null ? 'lti-account.refuse' : 'lti-account.link',
        subject: `lti-account:${id}`,
        units: [division],
        ...(personId === null ? {} : { personId }),
      });
    });
  };

  return {
    /** What this room holds about people. */
    personalData: ltiData,

    async find(viewer: Viewer, id: string): Promise<LtiAccount | undefined> {
      const account = await findAccount(db, id);
      return account !== undefined && may(viewer, 'lti.link', (await placeOf(account)).division)
        ? account
        : undefined;
    },

    /** Those of a state in a division and below it, the oldest first; undefined where that is not the viewer's. */
    async listOf(
      viewer: Viewer,
      { divisionCode, state }: { divisionCode: string; state: AccountState },
      page: { after: string | undefined; limit: number },
    ): Promise<LtiAccount[] | undefined> {
      const division = await regions.findDivision(divisionCode);
      return division !== undefined && may(viewer, 'lti.link', division)
        ? listAccounts(db, { divisionCode, state }, page)
        : undefined;
    },

    /** Who of the registration's division has the number or the name that the platform told. For an account that may be seen. */
    async listCandidates(viewer: Viewer, account: LtiAccount): Promise<Person[]> {
      const { registration, division } = await placeOf(account);
      if (!may(viewer, 'people.read', division)) return [];
      const among = {
        divisionCode: registration.divisionCode,
        day: chinaDay(clock.now()),
        limit: MOST_OFFERED,
      };
      const found = [
        ...(account.toldIdentifier === null ? [] : await listByNumber(db, account.toldIdentifier, among)),
        ...(account.toldName === null ? [] : await listByName(db, [plain(account.toldName)], among)),
      ];
      return people.listByIds([...new Set(found.map(({ personId }) => personId))].slice(0, MOST_OFFERED));
    },

    /**
     * @throws NotFound for an account that is not the viewer's to decide, or somebody who does not work in the registration's division today;
     * Conflict ACCOUNT_LINKED, PERSON_LINKED.
     */
    async link(viewer: Viewer, input: { accountId: string; personId: string }): Promise<LtiAccount> {
      const { registration, division } = await decidable(viewer, input.accountId);
      // Also somebody with a grant alone, whom a coordinator does not see as a person: the gate knows all who work there.
      const person = await actingAs('gate', async () =>
        findInDivision(db, input.personId, {
          divisionCode: registration.divisionCode,
          day: chinaDay(clock.now()),
        }),
      );
      if (person === undefined) throw new NotFound('The person');
      await decide(viewer, input.accountId, { personId: person.personId, division });
      return (await findAccount(db, input.accountId))!;
    },

    /**
     * Whoever it is stays out until somebody links the account after all. One that was linked is so no more, and sessions that came from
     * the platform are over. @throws NotFound
     */
    async refuse(viewer: Viewer, accountId: string): Promise<LtiAccount> {
      const { account, registration, division } = await decidable(viewer, accountId);
      await decide(viewer, accountId, { personId: null, division });
      if (account.personId !== null) await sessions.endLaunched(account.personId, registration.issuer);
      return (await findAccount(db, accountId))!;
    },
  };
}
