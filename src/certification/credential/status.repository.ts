import type { Executor } from '../../db/database.ts';
import type { StatusPurpose } from './status-list.ts';

/** undefined: there is no such list. */
export async function listSetPositions(
  db: Executor,
  list: number,
  purpose: StatusPurpose,
): Promise<number[] | undefined> {
  const known = await db
    .selectFrom('status_entries')
    .select('list')
    .where('list', '=', list)
    .limit(1)
    .executeTakeFirst();
  if (known === undefined) return undefined;
  const rows = await db
    .selectFrom('certificates')
    .select('status_position')
    .where('status_list', '=', list)
    .where('revoked_on', 'is not', null)
    .$if(purpose === 'refresh', (query) => query.where('superseded_at', 'is not', null))
    .orderBy('status_position')
    .execute();
  return rows.map((row) => row.status_position);
}

/** The newest one's number: they are numbered from 1 without gaps. */
export async function countLists(db: Executor): Promise<number> {
  const row = await db
    .selectFrom('status_entries')
    .select('list')
    .orderBy('list', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.list ?? 0;
}

/** Remembers keys that sign from now on. */
export async function insertCredentialKeys(
  db: Executor,
  keys: readonly { readonly kid: string; readonly thumbprint: string }[],
  at: Date,
): Promise<void> {
  await db
    .insertInto('credential_keys')
    .values(keys.map((key) => ({ ...key, first_used_at: at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function listCredentialKeys(
  db: Executor,
): Promise<{ readonly kid: string; readonly thumbprint: string }[]> {
  return db.selectFrom('credential_keys').select(['kid', 'thumbprint']).orderBy('first_used_at').execute();
}
