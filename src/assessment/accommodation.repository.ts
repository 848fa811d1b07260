import type { Executor } from '../db/database.ts';
import type { Accommodation } from './accommodation.ts';

export async function insertAccommodation(
  tx: Executor,
  given: Omit<Accommodation, 'id' | 'revokedAt'>,
): Promise<string> {
  const { id } = await tx
    .insertInto('accommodations')
    .values({
      person_id: given.personId,
      certification_id: given.certificationId,
      extra_time_percent: given.extraTimePercent,
      extra_attempts: given.extraAttempts,
      reason: given.reason,
      starts_on: given.startsOn,
      ends_on: given.endsOn,
      granted_by: given.grantedBy,
      granted_at: given.grantedAt,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Once. @returns whether it was this call. */
export async function revokeAccommodationRow(
  tx: Executor,
  id: string,
  { by, at }: { by: string; at: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('accommodations')
    .set({ revoked_by: by, revoked_at: at })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

export async function findAccommodation(db: Executor, id: string): Promise<Accommodation | undefined> {
  const row = await db.selectFrom('accommodations').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toAccommodation(row);
}

/** Newest first. */
export async function listAccommodationsOf(
  db: Executor,
  personId: string,
  certificationId?: string,
): Promise<Accommodation[]> {
  const rows = await db
    .selectFrom('accommodations')
    .selectAll()
    .where('person_id', '=', personId)
    .$if(certificationId !== undefined, (query) => query.where('certification_id', '=', certificationId!))
    .orderBy('id', 'desc')
    .execute();
  return rows.map(toAccommodation);
}

function toAccommodation(row: {
  id: string;
  person_id: string;
  certification_id: string;
  extra_time_percent: number;
  extra_attempts: number;
  reason: string;
  starts_on: string;
  ends_on: string | null;
  granted_by: string;
  granted_at: Date;
  revoked_at: Date | null;
}): Accommodation {
  return {
    id: row.id,
    personId: row.person_id,
    certificationId: row.certification_id,
    extraTimePercent: row.extra_time_percent,
    extraAttempts: row.extra_attempts,
    reason: row.reason,
    startsOn: row.starts_on,
    endsOn: row.ends_on,
    grantedBy: row.granted_by,
    grantedAt: row.granted_at,
    revokedAt: row.revoked_at,
  };
}
