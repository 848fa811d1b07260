import { sql } from 'kysely';
import type { JWK } from 'jose';
import type { Executor } from '../db/database.ts';
import type { LtiKey } from './rotate.ts';

/** With the private key as it lies there. */
export interface SealedKey extends LtiKey {
  readonly publicJwk: JWK;
  readonly sealed: Buffer;
}

export async function listKeys(db: Executor): Promise<SealedKey[]> {
  const rows = await db.selectFrom('lti_keys').selectAll().orderBy('signs_from').execute();
  return rows.map((row) => ({
    kid: row.kid,
    publicJwk: row.public_jwk as JWK,
    sealed: row.sealed,
    createdAt: row.created_at,
    signsFrom: row.signs_from,
    publishedUntil: row.published_until,
  }));
}

/** For the length of the transaction nobody else makes one. */
export async function lockKeys(tx: Executor): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtext('lti keys'))`.execute(tx);
}

/** @param shownUntil of those before it. @returns its number. */
export async function insertKey(
  tx: Executor,
  key: Omit<SealedKey, 'publishedUntil'>,
  shownUntil: Date,
): Promise<string> {
  await tx
    .updateTable('lti_keys')
    .set({ published_until: shownUntil })
    .where('published_until', 'is', null)
    .execute();
  const { id } = await tx
    .insertInto('lti_keys')
    .values({
      kid: key.kid,
      public_jwk: JSON.stringify(key.publicJwk),
      sealed: key.sealed,
      created_at: key.createdAt,
      signs_from: key.signsFrom,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function replaceSealedKey(tx: Executor, kid: string, sealed: Buffer): Promise<void> {
  await tx.updateTable('lti_keys').set({ sealed }).where('kid', '=', kid).execute();
}

export async function deleteKeysBefore(tx: Executor, now: Date): Promise<void> {
  await tx.deleteFrom('lti_keys').where('published_until', '<', now).execute();
}
