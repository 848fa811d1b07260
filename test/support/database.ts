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

/** A migrated, empty database of its own. */
export async function makeTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const urlOf = (database: string): string => inject('databaseServer').replace('{database}', database);
  const admin = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: urlOf('postgres') });
    await client.connect();
    try {
      // Two files that copy the template at once would be refused: they wait for each other here.
      await client.query('select pg_advisory_lock(1)');
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await admin(`create database ${name} template migrated`);
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
      await admin(`drop database ${name} with (force)`);
    },
  };
}
