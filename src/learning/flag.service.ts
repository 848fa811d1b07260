import { chinaDay, type Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { PeopleService } from '../people/people.service.ts';
import { isSelf, may, type Viewer } from '../people/permission.ts';
import { maskIdentities } from '../people/roster/roster.ts';
import type { Unit } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import { decideFlag, findFlag, listFlagsIn, listFlagsOf, type TimeFlag } from './flag.repository.ts';

const MOST_NOTE = 500;

export type FlagService = ReturnType<typeof makeFlagService>;

/** What looks odd in people's time: those whom it is about see it, and somebody of their unit judges it. */
export function makeFlagService({
  db,
  clock,
  regions,
  people,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  people: PeopleService;
}) {
  const mayJudge = async (viewer: Viewer, personId: string): Promise<boolean> => {
    const posts = await people.listPostsToday([personId]);
    const places = await regions.listOrganizations(posts.map((post) => post.organizationId));
    return places.some((place) => may(viewer, 'time.judge', place));
  };

  return {
    /** For rooms above, which have asked whose the assignment is. */
    listOf: async (executor: Executor, assignmentId: string): Promise<TimeFlag[]> =>
      listFlagsOf(executor, assignmentId),

    async find(viewer: Viewer, id: string): Promise<TimeFlag | undefined> {
      const flag = await findFlag(db, id);
      if (flag === undefined) return undefined;
      return isSelf(viewer, flag.personId) || (await mayJudge(viewer, flag.personId)) ? flag : undefined;
    },

    /** Of people who work in the unit or below it today. @throws NotFound for a unit that is not the viewer's to judge in. */
    async list(
      viewer: Viewer,
      unit: Unit,
      page: { state: TimeFlag['state'] | undefined; after: string | undefined; limit: number },
    ): Promise<TimeFlag[]> {
      const place =
        unit.kind === 'division'
          ? await regions.findDivision(unit.code)
          : await regions.findOrganization(unit.id);
      if (place === undefined || !may(viewer, 'time.judge', place)) throw new NotFound('The unit');
      return listFlagsIn(db, unit, { ...page, day: chinaDay(clock.now()) });
    },

    /**
     * Says what it was. The first outcome stands.
     * @throws NotFound when it is not there or not the viewer's to judge; NotAllowed about oneself; Conflict FLAG_DECIDED.
     */
    async judge(
      viewer: Viewer,
      input: { flagId: string; outcome: 'dismissed' | 'upheld'; note: string },
    ): Promise<TimeFlag> {
      const found = await findFlag(db, input.flagId);
      if (found === undefined || !(await mayJudge(viewer, found.personId))) throw new NotFound('The flag');
      if (found.personId === viewer.personId)
        throw new NotAllowed('Nobody judges a flag about themselves; ask another coordinator.');
      const note = maskIdentities(input.note.trim());
      if (note === '' || note.length > MOST_NOTE)
        throw new InvalidInput(
          'input.note',
          `Say what you found, in 1 to ${MOST_NOTE} characters; the learner reads it.`,
        );
      await db.transaction().execute(async (tx) => {
        const flag = await findFlag(tx, found.id, { lock: true });
        if (flag?.state !== 'open')
          throw new Conflict('FLAG_DECIDED', 'Somebody has decided this before; the first outcome stands.');
        const at = clock.now();
        await decideFlag(tx, { id: flag.id, state: input.outcome, by: viewer.personId, note, at });
        await insertJournalEntry(tx, {
          at,
          actor: `person:${viewer.personId}`,
          action: 'time-flag.judge',
          subject: `time-flag:${flag.id}`,
          // Why stands in the flag.
          detail: { outcome: input.outcome },
          personId: flag.personId,
        });
      });
      return (await findFlag(db, found.id))!;
    },
  };
}
