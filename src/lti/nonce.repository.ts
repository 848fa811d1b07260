import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';

/** The use of a login's nonce, by one launch. */
export interface NonceUse {
  readonly nonceHash: Buffer;
  /** Of what is the launch's alone, so that it may come twice with its own. */
  readonly launch: Buffer;
  /** When its login is over, so that nobody may come with it any more. */
  readonly expiresAt: Date;
}

/**
 * Uses a nonce for each row of `given`: a row, or none where another launch has used it, however many come at the same moment. A part of the
 * launch's statement.
 */
export function usedNonce(
  { nonceHash, launch, expiresAt }: NonceUse,
  given: RawBuilder<unknown>,
): RawBuilder<unknown> {
  return sql`
    insert into lti_nonces as known (nonce_hash, launch, expires_at)
    select ${nonceHash}::bytea, ${launch}::bytea, ${expiresAt}::timestamptz from ${given}
    on conflict (nonce_hash) do update set launch = excluded.launch where known.launch = excluded.launch
    returning 1`;
}

/** @returns whether it was not used before. */
export async function useNonce(db: Executor, use: NonceUse): Promise<boolean> {
  const { rows } = await usedNonce(use, sql`(values (1)) one`).execute(db);
  return rows.length > 0;
}

export async function isNonceUsed(db: Executor, nonceHash: Buffer): Promise<boolean> {
  const row = await db
    .selectFrom('lti_nonces')
    .select('nonce_hash')
    .where('nonce_hash', '=', nonceHash)
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteNonces(db: Executor, before: Date): Promise<void> {
  await db.deleteFrom('lti_nonces').where('expires_at', '<=', before).execute();
}
