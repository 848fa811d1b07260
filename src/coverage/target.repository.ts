import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Role } from '../people/role.ts';
import type { Measured, Target } from './target.ts';

export async function listTargets(db: Executor, measured: Measured): Promise<Target[]> {
  const { certification_id, indicator_id } = columnsOf(measured);
  const rows = await db
    .selectFrom('coverage_targets')
    .modifyFront(prepared)
    .select(['division_code', 'role', 'rate', 'starts_on'])
    .where('measure', '=', measured.measure)
    .where('certification_id', certification_id === null ? 'is' : '=', certification_id)
    .where('indicator_id', indicator_id === null ? 'is' : '=', indicator_id)
    .orderBy('starts_on')
    .execute();
  return rows.map((row) => ({
    divisionCode: row.division_code,
    role: row.role as Role | null,
    rate: Number(row.rate),
    startsOn: row.starts_on,
  }));
}

/** One that begins on the same day replaces the earlier one. */
export async function upsertTarget(
  tx: Executor,
  measured: Measured,
  target: Target & { setBy: string; setAt: Date },
): Promise<void> {
  await tx
    .insertInto('coverage_targets')
    .values({
      division_code: target.divisionCode,
      measure: measured.measure,
      ...columnsOf(measured),
      role: target.role,
      rate: target.rate,
      starts_on: target.startsOn,
      set_by: target.setBy,
      set_at: target.setAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['division_code', 'measure', 'certification_id', 'indicator_id', 'role', 'starts_on'])
        .doUpdateSet({ rate: target.rate, set_by: target.setBy, set_at: target.setAt }),
    )
    .execute();
}

function columnsOf(measured: Measured): { certification_id: string | null; indicator_id: string | null } {
  return {
    certification_id: measured.measure === 'coverage' ? measured.certificationId : null,
    indicator_id: measured.measure === 'indicator' ? measured.indicatorId : null,
  };
}
