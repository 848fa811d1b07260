import { ConfigError, readDatabaseUrl } from '../config.ts';
import { checkServer, makeDatabase, makePool } from '../db/database.ts';
import { migrate } from '../db/migrate.ts';

/*
 * npm run migrate: brings the database at DATABASE_URL to the newest shape before a new release is started. A start does it
 * too; this is for operators who want it done, and seen, beforehand.
 */

try {
  const url = readDatabaseUrl();
  if (url === undefined)
    throw new ConfigError(
      'DATABASE_URL is not set. The embedded database is brought to the newest shape by `npm start`.',
    );
  const pool = makePool(url, { name: 'migrate', size: 2 });
  const db = makeDatabase(pool);
  try {
    await checkServer(pool);
    const done = await migrate(db, pool);
    console.log(done.length === 0 ? 'The database was up to date.' : `Migrated: ${done.join(', ')}.`);
  } finally {
    await db.destroy();
  }
} catch (error) {
  console.error(`Not migrated. ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
