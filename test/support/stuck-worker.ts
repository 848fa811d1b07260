import { setInterval } from 'node:timers';
import { makePool } from '../../src/db/database.ts';
import { startWorker } from '../../src/journal/worker.ts';
import { silentLog } from '../../src/log.ts';

/* A process that takes jobs of the task `hold` and never ends one: to be killed. Its argument is the database. */

const pool = makePool(process.argv[2]!, { name: 'stuck', size: 4 });
setInterval(() => {}, 60_000);
await startWorker(
  pool,
  {
    hold: async ({ name }) => {
      process.stdout.write(`${name}\n`);
      return new Promise<void>(() => {});
    },
  },
  silentLog,
  { concurrency: 2 },
);
