import { makeDatabase, makePool } from '../db/database.ts';
import { startScratch } from '../db/embedded.ts';
import { migrate } from '../db/migrate.ts';
import { generateFiles, writeGenerated } from './generated.ts';

/* npm run generate: writes the committed files that are made from others, from a database migrated for the purpose. */

const server = await startScratch();
const pool = makePool(await server.url('generate'), { name: 'generate', size: 2 });
const db = makeDatabase(pool);
try {
  await migrate(db, pool);
  const stale = await writeGenerated(await generateFiles(db));
  console.log(stale.length === 0 ? 'Every generated file is up to date.' : `Written: ${stale.join(', ')}`);
} finally {
  await db.destroy();
  await server.stop();
}
