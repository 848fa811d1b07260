import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { LOGIN_ROLE } from '../../src/db/apply-lock.ts';
import { makeDatabase, makePool, type Database } from '../../src/db/database.ts';
import type { Pool } from 'pg';

export interface TestDatabase {
  readonly url: string;
  /** For the role that the service signs in as, which owns nothing. */
  readonly serviceUrl: string;
  readonly db: Database;
  readonly pool: Pool;
  drop(): Promise<void>;
}

export const urlOf = (database: string): string => inject('databaseServer').replace('{database}', database);

/** Of files that do something of the same name at once, one waits for the other here. */
export async function oneAtATime<T>(what: number, act: (admin: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: urlOf('postgres') });
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [what]);
    return await act(client);
  } finally {
    await client.end();
  }
}

const COPYING = 1;

/** A database of its own: migrated and empty, or as the template is. */
export async function makeTestDatabase({
  name = `test_${randomUUID().replaceAll('-', '')}`,
  template = 'migrated',
} = {}): Promise<TestDatabase> {
  // Two files that copy the template at once would be refused. As files: through the log of changes it takes several times as much.
  await oneAtATime(COPYING, async (admin) =>
    admin.query(`create database ${name} template ${template} strategy file_copy`),
  );
  const url = urlOf(name);
  const pool = makePool(url, { name: 'test', size: 5 });
  const db = makeDatabase(pool);
  return {
    url,
    serviceUrl: url.replace('postgres@', `${LOGIN_ROLE}@`),
    db,
    pool,
    async drop() {
      await db.destroy();
      await oneAtATime(COPYING, async (admin) => admin.query(`drop database ${name} with (force)`));
    },
  };
}
