import type { TestProject } from 'vitest/node';
import { makeDatabase, makePool } from '../../src/db/database.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/migrate.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Connection string with {database} in place of the name. */
    databaseServer: string;
  }
}

/** One PostgreSQL for the whole run, without fsync, with a migrated database that test files copy. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const server = await startScratch();
  const url = await server.url('migrated');
  const pool = makePool(url, { name: 'migrate', size: 2 });
  const db = makeDatabase(pool);
  await migrate(db, pool);
  await db.destroy();
  project.provide('databaseServer', url.replace('/migrated?', '/{database}?'));
  return async () => server.stop();
}
