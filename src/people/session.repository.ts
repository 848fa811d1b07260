import type { Executor } from '../db/database.ts';
import type { Grant, GrantRole } from './permission.ts';

export async function insertSession(
  db: Executor,
  session: { tokenHash: Buffer; personId: string; createdAt: Date; expiresAt: Date },
): Promise<void> {
  await db
    .insertInto('sessions')
    .values({
      token_hash: session.tokenHash,
      person_id: session.personId,
      created_at: session.createdAt,
      expires_at: session.expiresAt,
    })
    .execute();
}

/** The person whose session this is, while it lasts. */
export async function findSessionPerson(
  db: Executor,
  tokenHash: Buffer,
  now: Date,
): Promise<string | undefined> {
  const row = await db
    .selectFrom('sessions')
    .select('person_id')
    .where('token_hash', '=', tokenHash)
    .where('expires_at', '>', now)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row?.person_id;
}

export async function endSession(db: Executor, tokenHash: Buffer, now: Date): Promise<void> {
  await db
    .updateTable('sessions')
    .set({ ended_at: now })
    .where('token_hash', '=', tokenHash)
    .where('ended_at', 'is', null)
    .execute();
}

export async function listGrants(db: Executor, personId: string, day: string): Promise<Grant[]> {
  const rows = await db
    .selectFrom('role_grants')
    .select(['role', 'division_code', 'organization_id'])
    .where('person_id', '=', personId)
    .where('starts_on', '<=', day)
    .where((eb) => eb.or([eb('ends_on', 'is', null), eb('ends_on', '>=', day)]))
    .execute();
  return rows.map((row) => ({
    role: row.role as GrantRole,
    scope:
      row.division_code !== null
        ? { kind: 'division', code: row.division_code }
        : row.organization_id !== null
          ? { kind: 'organization', id: row.organization_id }
          : { kind: 'nation' },
  }));
}

export async function insertGrant(
  tx: Executor,
  grant: { personId: string; role: GrantRole; divisionCode: string; startsOn: string; reason: string },
): Promise<void> {
  await tx
    .insertInto('role_grants')
    .values({
      person_id: grant.personId,
      role: grant.role,
      division_code: grant.divisionCode,
      starts_on: grant.startsOn,
      reason: grant.reason,
    })
    .execute();
}

export interface SampleSignIn {
  readonly key: string;
  readonly personId: string;
  readonly descriptionZh: string;
  readonly descriptionEn: string;
}

export async function listSampleSignIns(db: Executor): Promise<SampleSignIn[]> {
  const rows = await db.selectFrom('sample_sign_ins').selectAll().orderBy('position').execute();
  return rows.map((row) => ({
    key: row.key,
    personId: row.person_id,
    descriptionZh: row.description_zh,
    descriptionEn: row.description_en,
  }));
}

export async function insertSampleSignIn(
  tx: Executor,
  signIn: SampleSignIn & { position: number },
): Promise<void> {
  await tx
    .insertInto('sample_sign_ins')
    .values({
      key: signIn.key,
      person_id: signIn.personId,
      description_zh: signIn.descriptionZh,
      description_en: signIn.descriptionEn,
      position: signIn.position,
    })
    .execute();
}
