import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { TokenPermission } from '../people/permission.ts';
import type { Unit } from '../regions/division.ts';
import type { AccessToken } from './access-token.ts';

const columns = [
  'id',
  'person_id',
  'name',
  'permissions',
  'division_code',
  'organization_id',
  'created_at',
  'expires_at',
  'last_used_at',
  'revoked_at',
] as const;

export async function insertAccessToken(
  tx: Executor,
  token: Omit<AccessToken, 'id' | 'lastUsedAt' | 'revokedAt'> & { readonly tokenHash: Buffer },
): Promise<AccessToken> {
  const row = await tx
    .insertInto('access_tokens')
    .values({
      token_hash: token.tokenHash,
      person_id: token.personId,
      name: token.name,
      permissions: [...token.permissions],
      division_code: token.unit?.kind === 'division' ? token.unit.code : null,
      organization_id: token.unit?.kind === 'organization' ? token.unit.id : null,
      created_at: token.createdAt,
      expires_at: token.expiresAt,
    })
    .returning(columns)
    .executeTakeFirstOrThrow();
  return toToken(row);
}

/** One that is in force. */
export async function findAccessTokenByHash(
  db: Executor,
  tokenHash: Buffer,
  now: Date,
): Promise<AccessToken | undefined> {
  const row = await db
    .selectFrom('access_tokens')
    .select(columns)
    .where('token_hash', '=', tokenHash)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  return row === undefined ? undefined : toToken(row);
}

export async function findAccessToken(
  db: Executor,
  id: string,
  { lock = false }: { lock?: boolean } = {},
): Promise<AccessToken | undefined> {
  const query = db.selectFrom('access_tokens').select(columns).where('id', '=', id);
  const row = await (lock ? query.forUpdate() : query).executeTakeFirst();
  return row === undefined ? undefined : toToken(row);
}

/** Newest first, those that are over included. */
export async function listAccessTokensOf(db: Executor, personId: string): Promise<AccessToken[]> {
  const rows = await db
    .selectFrom('access_tokens')
    .select(columns)
    .where('person_id', '=', personId)
    .orderBy('id', 'desc')
    .limit(200)
    .execute();
  return rows.map(toToken);
}

/** How many of a person's are in force. Two that are made at once wait for each other. */
export async function countAccessTokens(tx: Executor, personId: string, now: Date): Promise<number> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`access-tokens:${personId}`}, 0))`.execute(tx);
  const row = await tx
    .selectFrom('access_tokens')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('person_id', '=', personId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

export async function revokeAccessToken(
  tx: Executor,
  id: string,
  revoked: { by: string; at: Date },
): Promise<void> {
  await tx
    .updateTable('access_tokens')
    .set({ revoked_at: revoked.at, revoked_by: revoked.by })
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    .execute();
}

/** Several services may see the same use: only the first of a minute writes. */
export async function touchAccessToken(db: Executor, id: string, now: Date, since: Date): Promise<void> {
  await db
    .updateTable('access_tokens')
    .set({ last_used_at: now })
    .where('id', '=', id)
    .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', since)]))
    .execute();
}

function toToken(row: {
  id: string;
  person_id: string;
  name: string;
  permissions: string[];
  division_code: string | null;
  organization_id: string | null;
  created_at: Date;
  expires_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}): AccessToken {
  const unit: Unit | null =
    row.division_code !== null
      ? { kind: 'division', code: row.division_code }
      : row.organization_id !== null
        ? { kind: 'organization', id: row.organization_id }
        : null;
  return {
    id: row.id,
    personId: row.person_id,
    name: row.name,
    permissions: row.permissions as TokenPermission[],
    unit,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    lastUsedAt: row.last_used_at,
    revokedAt: row.revoked_at,
  };
}
