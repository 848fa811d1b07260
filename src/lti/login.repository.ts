import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared, preparedAlone } from '../db/prepared.ts';
import {
  meantBy,
  registrationColumns,
  toRegistration,
  type Meant,
  type RegistrationRow,
} from './registration.repository.ts';
import type { LtiRegistration } from './registration.ts';

export interface NewLogin {
  readonly stateHash: Buffer;
  readonly browserHash: Buffer;
  readonly nonceHash: Buffer;
  readonly sealed: Buffer;
  readonly expiresAt: Date;
}

/** One that is awaited back, with whom it was sent to. */
export interface Login {
  readonly registration: LtiRegistration;
  readonly browserHash: Buffer;
  readonly nonceHash: Buffer;
  readonly sealed: Buffer;
  readonly expiresAt: Date;
  readonly usedAt: Date | null;
}

type Row = RegistrationRow & {
  browser_hash: Buffer;
  nonce_hash: Buffer;
  sealed: Buffer;
  login_expires_at: Date;
  used_at: Date | null;
};
const columns = sql`l.browser_hash, l.nonce_hash, l.sealed, l.expires_at as login_expires_at, l.used_at, ${registrationColumns}`;
const toLogin = (row: Row): Login => ({
  registration: toRegistration(row),
  browserHash: row.browser_hash,
  nonceHash: row.nonce_hash,
  sealed: row.sealed,
  expiresAt: row.login_expires_at,
  usedAt: row.used_at,
});

/** Keeps a login of the registration that is meant, if it is one. @returns those that may be meant, at most two. */
export async function insertLogin(db: Executor, meant: Meant, login: NewLogin): Promise<LtiRegistration[]> {
  const { rows } = await sql<RegistrationRow>`
    ${preparedAlone} with meant as materialized (${meantBy(meant)}), begun as (
      insert into lti_logins (state_hash, browser_hash, nonce_hash, registration_id, sealed, expires_at)
      select ${login.stateHash}::bytea, ${login.browserHash}::bytea, ${login.nonceHash}::bytea, id, ${login.sealed}::bytea, ${login.expiresAt}::timestamptz
      from meant where (select count(*) from meant) = 1
    )
    select * from meant`.execute(db);
  return rows.map(toRegistration);
}

/**
 * Takes it, so that it is used once, however many come at the same moment: with its state from the browser that began it, in time, while the
 * registration is in force.
 */
export async function takeLogin(
  db: Executor,
  from: { stateHash: Buffer; browserHash: Buffer; now: Date },
): Promise<Login | undefined> {
  const { rows } = await sql<Row>`
    ${preparedAlone} update lti_logins l set used_at = ${from.now} from lti_registrations r
    where l.state_hash = ${from.stateHash} and l.browser_hash = ${from.browserHash} and l.used_at is null and l.expires_at > ${from.now}
      and r.id = l.registration_id and r.ended_at is null
    returning ${columns}`.execute(db);
  return rows[0] === undefined ? undefined : toLogin(rows[0]);
}

export async function findLogin(db: Executor, stateHash: Buffer): Promise<Login | undefined> {
  const { rows } = await sql<Row>`
    ${prepared} select ${columns} from lti_logins l join lti_registrations r on r.id = l.registration_id
    where l.state_hash = ${stateHash} and r.ended_at is null`.execute(db);
  return rows[0] === undefined ? undefined : toLogin(rows[0]);
}

/** Whether a nonce was sent with a login, and taken there. */
export async function findNonce(db: Executor, nonceHash: Buffer): Promise<{ used: boolean } | undefined> {
  const row = await db
    .selectFrom('lti_logins')
    .select('used_at')
    .where('nonce_hash', '=', nonceHash)
    .executeTakeFirst();
  return row === undefined ? undefined : { used: row.used_at !== null };
}

/** Those that nobody came back from, or came back from long ago. */
export async function deleteLogins(db: Executor, before: Date): Promise<void> {
  await db.deleteFrom('lti_logins').where('expires_at', '<=', before).execute();
}
