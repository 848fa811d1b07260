import type { Executor } from '../db/database.ts';

export interface SignInAttempt {
  readonly stateHash: Buffer;
  readonly browserHash: Buffer;
  readonly issuer: string;
  readonly returnTo: string;
  readonly expiresAt: Date;
}

/** Those that nobody came back from go. */
export async function insertSignInAttempt(db: Executor, attempt: SignInAttempt, now: Date): Promise<void> {
  await db.deleteFrom('sign_in_attempts').where('expires_at', '<=', now).execute();
  await db
    .insertInto('sign_in_attempts')
    .values({
      state_hash: attempt.stateHash,
      browser_hash: attempt.browserHash,
      issuer: attempt.issuer,
      return_to: attempt.returnTo,
      expires_at: attempt.expiresAt,
    })
    .execute();
}

/** Takes an attempt out, so that it is used once, however many come at the same moment. From another browser it is not there. */
export async function takeSignInAttempt(
  db: Executor,
  from: { stateHash: Buffer; browserHash: Buffer; now: Date },
): Promise<{ issuer: string; returnTo: string } | undefined> {
  const row = await db
    .deleteFrom('sign_in_attempts')
    .where('state_hash', '=', from.stateHash)
    .where('browser_hash', '=', from.browserHash)
    .where('expires_at', '>', from.now)
    .returning(['issuer', 'return_to'])
    .executeTakeFirst();
  return row === undefined ? undefined : { issuer: row.issuer, returnTo: row.return_to };
}
