import type { Executor } from '../db/database.ts';
import type { Role } from '../people/role.ts';
import type { Target } from './target.ts';

export async function listTargets(db: Executor, certificationId: string): Promise<Target[]> {
  const rows = await db
    .selectFrom('coverage_targets')
    .select(['division_code', 'role', 'rate', 'starts_on'])
    .where('certification_id', '=', certificationId)
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
  target: Target & { certificationId: string; setBy: string; setAt: Date },
): Promise<void> {
  await tx
    .insertInto('coverage_targets')
    .values({
      division_code: target.divisionCode,
      certification_id: target.certificationId,
      role: target.role,
      rate: target.rate,
      starts_on: target.startsOn,
      set_by: target.setBy,
      set_at: target.setAt,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['division_code', 'certification_id', 'role', 'starts_on'])
        .doUpdateSet({ rate: target.rate, set_by: target.setBy, set_at: target.setAt }),
    )
    .execute();
}
