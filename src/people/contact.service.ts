import { chinaDay, type Clock } from '../clock.ts';
import { inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotAllowed } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { RegionService } from '../regions/region.service.ts';
import {
  aboutPerson,
  contactKinds,
  maskContact,
  readContact,
  type Contact,
  type ContactKind,
} from './contact.ts';
import {
  deleteStrayContacts,
  listContactKeys,
  listContacts,
  listToReseal,
  replaceSealed,
  upsertOwnContact,
  type SealedContact,
} from './contact.repository.ts';
import { isSelf, may, type Viewer } from './permission.ts';
import { listPostsOn } from './person.repository.ts';
import type { Seals } from './sealing.ts';

/** Seals contacts anew: with the current key, and about the person. */
export const RESEAL_TASK = 'reseal-contacts';
const RESEALED_AT_ONCE = 1_000;

export type ContactService = ReturnType<typeof makeContactService>;

export function makeContactService({
  db,
  clock,
  seals,
  regions,
}: {
  db: Database;
  clock: Clock;
  seals: Seals;
  regions: RegionService;
}) {
  const open = ({ kind, sealed, about, toldBy }: SealedContact): Contact => ({
    kind,
    value: seals.contacts.open(sealed, about).toString('utf8'),
    toldBy,
  });

  const service = {
    /** In full: they are the viewer's own. */
    listOwn: async (viewer: Viewer): Promise<Contact[]> =>
      isSelf(viewer, viewer.personId) ? (await listContacts(db, [viewer.personId])).map(open) : [],

    /**
     * Masked, of people whom the viewer may read where they hold a post today, and of the viewer. Person's id → contacts; those whom the
     * viewer may not read are as if they had none.
     */
    async listMasked(viewer: Viewer, personIds: readonly string[]): Promise<Map<string, Contact[]>> {
      const posts = await listPostsOn(db, personIds, chinaDay(clock.now()));
      const places = new Map(
        (await regions.listOrganizations([...new Set(posts.map((post) => post.organizationId))])).map(
          (place) => [place.id, place],
        ),
      );
      const readable = new Set(
        posts
          .filter(({ organizationId }) => {
            const place = places.get(organizationId);
            return place !== undefined && may(viewer, 'people.read', place);
          })
          .map((post) => post.personId),
      );
      const contacts = await listContacts(
        db,
        personIds.filter((id) => readable.has(id) || isSelf(viewer, id)),
      );
      return new Map(
        [...Map.groupBy(contacts, (contact) => contact.personId)].map(([personId, its]) => [
          personId,
          its.map(open).map((contact) => ({ ...contact, value: maskContact(contact.kind, contact.value) })),
        ]),
      );
    },

    /**
     * Says how the viewer is to be reached; what is null is taken away, what is undefined stays. @throws InvalidInput for what is no
     * address and no mobile number.
     */
    async setOwn(
      viewer: Viewer,
      input: Readonly<Partial<Record<ContactKind, string | null>>>,
    ): Promise<Contact[]> {
      const { personId } = viewer;
      if (!isSelf(viewer, personId))
        throw new NotAllowed('An access token changes its owner’s contacts only with SELF.');
      const changes = contactKinds.flatMap((kind): { kind: ContactKind; value: string | null }[] => {
        const text = input[kind];
        if (text === undefined) return [];
        if (text === null) return [{ kind, value: null }];
        const value = readContact[kind](text);
        if (value === undefined)
          throw new InvalidInput(
            `input.${kind}`,
            kind === 'email' ? 'This is no e-mail address.' : 'This is no mobile number.',
          );
        return [{ kind, value }];
      });
      if (changes.length === 0) throw new InvalidInput('input', 'Say what is to change.');
      const at = clock.now();
      await db.transaction().execute(async (tx) => {
        for (const { kind, value } of changes) {
          const about = aboutPerson(personId, kind);
          await upsertOwnContact(tx, {
            personId,
            kind,
            sealed: value === null ? null : seals.contacts.seal(value, about),
            fingerprint: value === null ? null : seals.fingerprint(value, about),
            at,
          });
        }
        await insertJournalEntry(tx, {
          at,
          actor: `person:${personId}`,
          action: 'contacts.set',
          subject: `person:${personId}`,
          personId,
          detail: { kinds: changes.map(({ kind }) => kind) },
        });
      });
      return this.listOwn(viewer);
    },

    /** For reminders: how people are reached, in full. Person's id → contacts. Whoever calls it has asked whether it may. */
    async listInFull(personIds: readonly string[]): Promise<Map<string, Contact[]>> {
      const contacts = await listContacts(db, personIds);
      return new Map(
        [...Map.groupBy(contacts, (contact) => contact.personId)].map(([personId, its]) => [
          personId,
          its.map(open),
        ]),
      );
    },

    /** The ids of the keys that contacts still need. */
    listKeys: async (): Promise<Buffer[]> => listContactKeys(db),

    /** At the start: after a change of keys there is something to do. */
    oweReseal: async (): Promise<void> =>
      insertDebt(db, { task: RESEAL_TASK, payload: {}, key: RESEAL_TASK }),

    /** The worker's part: in small transactions, each of which leaves less to do. */
    async reseal(): Promise<void> {
      await deleteStrayContacts(db);
      for (;;) {
        const count = await db.transaction().execute(async (tx) => {
          const contacts = await listToReseal(tx, { old: seals.contacts.old, limit: RESEALED_AT_ONCE });
          if (contacts.length === 0) return 0;
          await replaceSealed(
            tx,
            contacts.map(({ personId, kind, sealed, about }) => ({
              personId,
              kind,
              sealed: seals.contacts.seal(seals.contacts.open(sealed, about), aboutPerson(personId, kind)),
            })),
          );
          return contacts.length;
        });
        if (count < RESEALED_AT_ONCE) return;
      }
    },
  };
  return inParts(
    { listInFull: 'keeper', listKeys: 'keeper', oweReseal: 'keeper', reseal: 'keeper' },
    service,
  );
}
