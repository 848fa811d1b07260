import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { ContactService } from '../people/contact.service.ts';
import { isTaken, listByName, listByNumber, saveAccount } from './account.repository.ts';
import type { LtiRegistration } from './registration.ts';
import type { Claimed } from './roster.ts';
import { identifierOf, judgeMatch, plain, type AccountDoubt, type Candidate } from './who.ts';

/** Among whom an e-mail address is looked for: people of the name. */
const MOST_NAMESAKES = 50;

export type LtiIdentity = ReturnType<typeof makeLtiIdentity>;

/** Who somebody on a platform is, by a launch or by a roster: the same rule for both. For whoever acts as the gate. */
export function makeLtiIdentity({
  db,
  clock,
  contacts,
}: {
  db: Database;
  clock: Clock;
  contacts: ContactService;
}) {
  /** People that the claim of the registration leads to. */
  const listCandidates = async (
    registration: LtiRegistration,
    claimed: Claimed,
    identifier: string,
  ): Promise<Candidate[]> => {
    const among = {
      divisionCode: registration.divisionCode,
      day: chinaDay(clock.now()),
      limit: registration.personClaim === 'email' ? MOST_NAMESAKES : 2,
    };
    if (registration.personClaim !== 'email') return listByNumber(db, identifier, among);
    // Addresses are kept sealed, so they can't be looked for: those of people who are called so are opened and compared.
    const namesakes = await listByName(db, claimed.names.map(plain), among);
    const known = await contacts.listInFull(namesakes.map(({ personId }) => personId));
    const wanted = identifier.toLowerCase();
    return namesakes.filter(({ personId }) =>
      known.get(personId)?.some(({ kind, value }) => kind === 'email' && value.toLowerCase() === wanted),
    );
  };

  /** Who somebody is that is not linked: surely, or a doubt for a coordinator. Never by halves. */
  const identify = async (
    registration: LtiRegistration,
    claimed: Claimed,
  ): Promise<{ id: string; personId: string | null; refused: boolean }> => {
    const identifier = identifierOf(registration, claimed);
    const candidates =
      identifier === undefined ? [] : await listCandidates(registration, claimed, identifier);
    const doubt: AccountDoubt | undefined =
      identifier === undefined
        ? 'no-claim'
        : registration.personClaim === 'email' && claimed.emailVerified === false
          ? 'unverified'
          : undefined;
    return db.transaction().execute(async (tx) => {
      const [first] = candidates;
      const taken =
        first !== undefined &&
        (await isTaken(tx, {
          registrationId: registration.id,
          subject: claimed.subject,
          personId: first.personId,
        }));
      const judged = doubt === undefined ? judgeMatch(candidates, claimed, { taken }) : { doubt };
      const at = clock.now();
      const account = await saveAccount(tx, {
        registrationId: registration.id,
        subject: claimed.subject,
        personId: 'personId' in judged ? judged.personId : null,
        doubt: 'doubt' in judged ? judged.doubt : null,
        toldName: claimed.names[0] ?? null,
        toldIdentifier: identifier ?? null,
        at,
      });
      if (account.linkedNow)
        await insertJournalEntry(tx, {
          at,
          actor: 'worker:lti',
          action: 'lti-account.link',
          subject: `lti-account:${account.id}`,
          personId: account.personId!,
          detail: { by: registration.personClaim, registration: registration.id },
        });
      return { id: account.id, personId: account.personId, refused: account.state === 'refused' };
    });
  };

  return { identify };
}
