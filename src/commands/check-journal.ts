import { parseArgs } from 'node:util';
import { ConfigError, findIdentityKey, readDatabaseUrl, readDataFolder } from '../config.ts';
import { checkServer, makeDatabase, makePool } from '../db/database.ts';
import { joinEmbedded } from '../db/embedded.ts';
import { checkJournal } from '../journal/check.service.ts';
import type { Head } from '../journal/seal.ts';

/*
 * npm run journal:check [-- --head <seq>:<hash> …]: reads the whole journal of DATABASE_URL, or of the embedded database, and says
 * whatever is not as it was sealed, a line for each. It ends with 0; 1 when something is wrong; 2 when it could not be read. The last line
 * is the head of the chain: kept somewhere else, and given with --head another time, it proves that nothing before it was touched.
 */

const FAULTY = 1;
const NOT_READ = 2;

try {
  const { values } = parseArgs({ options: { head: { type: 'string', multiple: true, default: [] } } });
  const heads = values.head.map(readHead);
  const url = readDatabaseUrl();
  const embedded = url === undefined ? await joinEmbedded(readDataFolder()) : undefined;
  try {
    const pool = makePool(url ?? (await embedded!.url('xinqiao')), { name: 'journal-check', size: 2 });
    const db = makeDatabase(pool);
    try {
      await checkServer(pool);
      const identityKey = findIdentityKey();
      if (identityKey === undefined)
        console.error('Without IDENTITY_KEY: whether the seals are the service’s own can’t be told.');
      const { entries, faults, head } = await checkJournal(db, {
        identityKey,
        heads,
        tell: ({ where, what }) => console.log(`${where}: ${what}`),
      });
      console.log(
        faults === 0
          ? `The journal is in order: ${entries} entries.`
          : `The journal is NOT in order: ${faults} faults in ${entries} entries.`,
      );
      console.log(head === undefined ? 'Nothing is sealed yet.' : `Head ${head.seq}:${head.hash}`);
      if (faults > 0) process.exitCode = FAULTY;
    } finally {
      await db.destroy();
    }
  } finally {
    await embedded?.stop();
  }
} catch (error) {
  console.error(`Not checked. ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = NOT_READ;
}

/** @throws ConfigError */
function readHead(text: string): Head {
  const [, seq, hash] = /^(\d{1,18}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (seq === undefined || hash === undefined)
    throw new ConfigError(`--head ${text} is not a head: the number of a seal, a colon, and its hash.`);
  return { seq: BigInt(seq), hash };
}
