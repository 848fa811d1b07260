import type { Clock } from '../../clock.ts';
import type { Database, Executor } from '../../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../../errors.ts';
import { insertJournalEntry } from '../../journal/journal.repository.ts';
import type { Division } from '../../regions/division.ts';
import type { RegionService } from '../../regions/region.service.ts';
import { may, type Viewer } from '../permission.ts';
import {
  decideDoubt,
  findDoubt,
  listDoubts,
  listIdentityEnds,
  type RosterDoubt,
} from './doubt.repository.ts';
import { findRosterImport, type RosterImport } from './import.repository.ts';
import { queueImport } from './queue.service.ts';
import { maskIdentities } from './roster.ts';

export type DoubtService = ReturnType<typeof makeDoubtService>;

/** Rows of rosters that wait until somebody has decided whom they are about. */
export function makeDoubtService({
  db,
  clock,
  regions,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
}) {
  // Within a transaction by its own connection: many at once would else hold all there are and wait for one more.
  const findVisible = async (
    viewer: Viewer,
    divisionCode: string,
    executor: Executor = db,
  ): Promise<Division | undefined> => {
    const division = await regions.findDivision(divisionCode, executor);
    return division !== undefined && may(viewer, 'roster.import', division) ? division : undefined;
  };

  return {
    async find(viewer: Viewer, id: string): Promise<RosterDoubt | undefined> {
      const doubt = await findDoubt(db, id);
      return doubt !== undefined && (await findVisible(viewer, doubt.divisionCode)) !== undefined
        ? doubt
        : undefined;
    },

    /** Those of a division and below it; none for whoever may not import there. */
    async list(
      viewer: Viewer,
      divisionCode: string,
      page: Parameters<typeof listDoubts>[2],
    ): Promise<RosterDoubt[] | undefined> {
      return (await findVisible(viewer, divisionCode)) === undefined
        ? undefined
        : listDoubts(db, divisionCode, page);
    },

    /** The last four characters of the candidates' identity numbers, for the doubt's own viewer. Person's id → characters. */
    listIdentityEnds: async (doubt: RosterDoubt): Promise<Map<string, string | null>> =>
      listIdentityEnds(db, doubt.candidateIds),

    /**
     * Decides whom a row is about; it is taken in by an import of its own, and rows like it are understood from then on.
     * @param input.personId one of the candidates; null: somebody new.
     * @throws NotFound; InvalidInput; Conflict DOUBT_DECIDED
     */
    async decide(
      viewer: Viewer,
      input: { doubtId: string; personId: string | null; reason: string },
    ): Promise<{ doubt: RosterDoubt; rosterImport: RosterImport }> {
      const importId = await db.transaction().execute(async (tx) => {
        const doubt = await findDoubt(tx, input.doubtId, { lock: true });
        const division = doubt === undefined ? undefined : await findVisible(viewer, doubt.divisionCode, tx);
        if (doubt === undefined || division === undefined) throw new NotFound('The doubt');
        if (doubt.state !== 'open')
          throw new Conflict(
            'DOUBT_DECIDED',
            doubt.state === 'decided'
              ? 'Somebody has decided it already.'
              : 'A later file has left no doubt about it.',
          );
        const reason = maskIdentities(input.reason.trim());
        if (reason === '' || reason.length > 500)
          throw new InvalidInput('input.reason', 'Say why, in 1 to 500 characters.');
        if (input.personId === null && doubt.kind === 'identity_of_another')
          throw new InvalidInput(
            'input.personId',
            'The identity number is that of somebody known, so it can’t be somebody new: choose one of the candidates.',
          );
        if (input.personId !== null && !doubt.candidateIds.includes(input.personId))
          throw new InvalidInput('input.personId', 'That is none of the candidates.');
        await decideDoubt(tx, doubt.id, {
          personId: input.personId,
          reason,
          decidedBy: viewer.personId,
          decidedAt: clock.now(),
        });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'roster.decide',
          subject: `roster-doubt:${doubt.id}`,
          // Why stands in the doubt.
          detail: { person: input.personId },
          units: [division],
          ...(input.personId === null ? {} : { personId: input.personId }),
        });
        return queueImport(tx, viewer, clock.now(), division, {
          source: doubt.source,
          dryRun: false,
          mostEnded: 1,
          endMissing: false,
          doubtId: doubt.id,
        });
      });
      return {
        doubt: (await findDoubt(db, input.doubtId))!,
        rosterImport: (await findRosterImport(db, importId))!,
      };
    },
  };
}
