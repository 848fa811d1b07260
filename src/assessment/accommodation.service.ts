import { chinaDay, type Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { PeopleService } from '../people/people.service.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { covers } from '../regions/division.ts';
import type { Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import { allowanceOn, type Accommodation } from './accommodation.ts';
import {
  findAccommodation,
  insertAccommodation,
  listAccommodationsOf,
  revokeAccommodationRow,
} from './accommodation.repository.ts';

const MOST_REASON = 200;

export type AccommodationService = ReturnType<typeof makeAccommodationService>;

/** Given by coordinators where the person works; the person has what it gives, and its reason is between them. */
export function makeAccommodationService({
  db,
  clock,
  regions,
  people,
  programmes,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  people: PeopleService;
  programmes: ProgrammeService;
}) {
  const today = (): string => chinaDay(clock.now());

  /** Where the person works today and the viewer may give such; none for a stranger and for nobody, alike. */
  const placesOf = async (viewer: Viewer, personId: string): Promise<Organization[]> => {
    const posts = await people.listPostsToday([personId]);
    const places = await regions.listOrganizations(posts.map((post) => post.organizationId));
    return places.filter((place) => may(viewer, 'accommodation.grant', place));
  };

  return {
    /** What somebody has today. The caller has judged whose it is. */
    async allowanceOf(
      executor: Executor,
      personId: string,
      certificationId: string,
    ): Promise<{ extraTimePercent: number; extraAttempts: number }> {
      return allowanceOn(await listAccommodationsOf(executor, personId, certificationId), today());
    },

    /** With its reason: for who may give such where the person works today; undefined for all others. */
    async find(viewer: Viewer, id: string): Promise<Accommodation | undefined> {
      const found = await findAccommodation(db, id);
      return found !== undefined && (await placesOf(viewer, found.personId)).length > 0 ? found : undefined;
    },

    /** Newest first, those that are over as well; undefined for a person out of reach. */
    async listOf(viewer: Viewer, personId: string): Promise<Accommodation[] | undefined> {
      return (await placesOf(viewer, personId)).length === 0 ? undefined : listAccommodationsOf(db, personId);
    },

    /** @throws NotFound for a person or certification out of reach; NotAllowed for oneself; InvalidInput */
    async grant(
      viewer: Viewer,
      input: {
        personId: string;
        certificationId: string;
        extraTimePercent: number;
        extraAttempts: number;
        reason: string;
        startsOn: string | null;
        endsOn: string | null;
      },
    ): Promise<Accommodation> {
      const places = await placesOf(viewer, input.personId);
      if (places.length === 0) throw new NotFound('The person');
      const [certification] = await programmes.listCertifications([input.certificationId]);
      if (
        certification === undefined ||
        !places.some((place) => covers({ kind: 'division', code: certification.divisionCode }, place))
      )
        throw new NotFound('The certification');
      if (input.personId === viewer.personId)
        throw new NotAllowed('Nobody gives an accommodation to themselves; ask another coordinator.');
      const { extraTimePercent, extraAttempts } = input;
      if (extraTimePercent !== 0 && (extraTimePercent < 10 || extraTimePercent > 200))
        throw new InvalidInput('input.extraTimePercent', 'From 10 to 200 percent, or 0 for none.');
      if (extraAttempts < 0 || extraAttempts > 3)
        throw new InvalidInput('input.extraAttempts', 'From 0 to 3 attempts.');
      if (extraTimePercent === 0 && extraAttempts === 0)
        throw new InvalidInput('input.extraTimePercent', 'Give more time, or more attempts, or both.');
      const reason = input.reason.trim();
      if (reason === '' || reason.length > MOST_REASON)
        throw new InvalidInput('input.reason', `Say why, in 1 to ${MOST_REASON} characters.`);
      const startsOn = input.startsOn ?? today();
      if (startsOn < today()) throw new InvalidInput('input.startsOn', `${startsOn} has passed.`);
      if (input.endsOn !== null && input.endsOn < startsOn)
        throw new InvalidInput('input.endsOn', `Its last day comes before its first, ${startsOn}.`);

      const id = await db.transaction().execute(async (tx) => {
        const at = clock.now();
        const given = await insertAccommodation(tx, {
          personId: input.personId,
          certificationId: certification.id,
          extraTimePercent,
          extraAttempts,
          reason,
          startsOn,
          endsOn: input.endsOn,
          grantedBy: viewer.personId,
          grantedAt: at,
        });
        await insertJournalEntry(tx, {
          at,
          actor: `person:${viewer.personId}`,
          action: 'accommodation.grant',
          subject: `accommodation:${given}`,
          // The reason may be about somebody's health: it stays out of the journal.
          detail: {
            certification: certification.id,
            extraTimePercent,
            extraAttempts,
            startsOn,
            endsOn: input.endsOn,
          },
          personId: input.personId,
        });
        return given;
      });
      return (await findAccommodation(db, id))!;
    },

    /** For attempts that begin from now on. @throws NotFound; NotAllowed for one's own; Conflict ACCOMMODATION_REVOKED */
    async revoke(viewer: Viewer, id: string): Promise<Accommodation> {
      const found = await findAccommodation(db, id);
      if (found === undefined || (await placesOf(viewer, found.personId)).length === 0)
        throw new NotFound('The accommodation');
      if (found.personId === viewer.personId)
        throw new NotAllowed('Nobody decides on an accommodation of their own.');
      await db.transaction().execute(async (tx) => {
        const at = clock.now();
        if (!(await revokeAccommodationRow(tx, id, { by: viewer.personId, at })))
          throw new Conflict('ACCOMMODATION_REVOKED', 'This accommodation has been revoked before.');
        await insertJournalEntry(tx, {
          at,
          actor: `person:${viewer.personId}`,
          action: 'accommodation.revoke',
          subject: `accommodation:${id}`,
          detail: { certification: found.certificationId },
          personId: found.personId,
        });
      });
      return (await findAccommodation(db, id))!;
    },
  };
}
