import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { registrationColumns, toRegistration, type RegistrationRow } from './registration.repository.ts';
import type { LtiRegistration } from './registration.ts';

export async function insertSelection(
  db: Executor,
  given: { codeHash: Buffer; registrationId: string; sealed: Buffer; expiresAt: Date },
): Promise<void> {
  await db
    .insertInto('lti_selections')
    .values({
      code_hash: given.codeHash,
      registration_id: given.registrationId,
      sealed: given.sealed,
      expires_at: given.expiresAt,
    })
    .execute();
}

/** Takes it out, so that it is answered once; of a registration in force. */
export async function takeSelection(
  db: Executor,
  codeHash: Buffer,
  now: Date,
): Promise<{ registration: LtiRegistration; sealed: Buffer } | undefined> {
  const { rows } = await sql<RegistrationRow & { sealed: Buffer }>`
    delete from lti_selections s using lti_registrations r
    where s.code_hash = ${codeHash} and s.expires_at > ${now} and r.id = s.registration_id and r.ended_at is null
    returning s.sealed, ${registrationColumns}`.execute(db);
  const [row] = rows;
  return row === undefined ? undefined : { registration: toRegistration(row), sealed: row.sealed };
}

export async function deleteSelections(db: Executor, before: Date): Promise<void> {
  await db.deleteFrom('lti_selections').where('expires_at', '<=', before).execute();
}
