import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { Conflict, InvalidInput } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { Viewer } from '../people/permission.ts';
import type { Role } from '../people/role.ts';
import type { Division } from '../regions/division.ts';
import { listTargets, upsertTarget } from './target.repository.ts';
import { targetFor, type Measured, type Target } from './target.ts';

export interface TargetInput {
  readonly divisionCode: string;
  readonly rate: number;
  readonly startsOn: string;
}

export type TargetService = ReturnType<typeof makeTargetService>;

/** Targets of whatever is measured, by the same law: dated, and raised downwards only. */
export function makeTargetService({ db, clock }: { db: Database; clock: Clock }) {
  return {
    list: async (measured: Measured): Promise<Target[]> => listTargets(db, measured),

    /**
     * Sets what share is to be reached in a division and below, from a day on. The caller has asked whether the viewer may.
     * @param role null = of any.
     * @throws InvalidInput; Conflict TARGET_LOWERED where a jurisdiction above asks for more.
     */
    async set(
      viewer: Viewer,
      measured: Measured,
      division: Division,
      { rate, startsOn }: TargetInput,
      role: Role | null = null,
    ): Promise<void> {
      if (!(rate > 0 && rate <= 1))
        throw new InvalidInput('input.rate', 'A share above 0 and at most 1, e.g. 0.95.');
      if (startsOn < chinaDay(clock.now()))
        throw new InvalidInput(
          'input.startsOn',
          `${startsOn} has passed: a target is never changed afterwards.`,
        );
      await db.transaction().execute(async (tx) => {
        const above = (await listTargets(tx, measured)).filter(
          (target) => target.divisionCode !== division.code,
        );
        const least = targetFor(above, division, role, startsOn) ?? 0;
        if (rate < least)
          throw new Conflict(
            'TARGET_LOWERED',
            `A jurisdiction above asks for ${least}; a lower one may raise that and never lower it.`,
          );
        const target = { divisionCode: division.code, role, rate, startsOn };
        await upsertTarget(tx, measured, { ...target, setBy: viewer.personId, setAt: clock.now() });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'target.set',
          subject: `division:${division.code}`,
          detail: {
            ...(measured.measure === 'coverage' ? { certification: measured.certificationId } : {}),
            ...(measured.measure === 'indicator' ? { indicator: measured.indicatorId } : {}),
            measure: measured.measure,
            role,
            rate,
            startsOn,
          },
          units: [division],
        });
      });
    },
  };
}
