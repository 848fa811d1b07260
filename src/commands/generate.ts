import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeDatabase, makePool } from '../db/database.ts';
import { startEmbedded } from '../db/embedded.ts';
import { migrate } from '../db/migrate.ts';
import { generateFiles, writeGenerated } from './generated.ts';

/* npm run generate: writes the committed files that are made from others, from a database migrated for the purpose. */

const folder = await mkdtemp(join(tmpdir(), 'xinqiao-generate-'));
const server = await startEmbedded(folder, { durable: false });
const pool = makePool(await server.url('generate'), { name: 'generate', size: 2 });
const db = makeDatabase(pool);
try {
  await migrate(db, pool);
  const stale = await writeGenerated(await generateFiles(db));
  console.log(stale.length === 0 ? 'Every generated file is up to date.' : `Written: ${stale.join(', ')}`);
} finally {
  await db.destroy();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
}
