import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { buildWeb } from '../../src/commands/build-web.ts';

/** The browser's pages, built once for the whole run. @returns their folder, for reading alone. */
export async function builtWeb(): Promise<string> {
  const folder = join(inject('runFolder'), 'web');
  const client = new pg.Client({
    connectionString: inject('databaseServer').replace('{database}', 'postgres'),
  });
  await client.connect();
  try {
    // Of two files that need them at once, one waits for the other here.
    await client.query('select pg_advisory_lock(2)');
    await buildWeb(folder);
  } finally {
    await client.end();
  }
  return folder;
}
