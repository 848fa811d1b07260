import pg from 'pg';
import { startEmbedded } from '../../src/db/embedded.ts';

/* The least that any service on this database does before it can answer: see start.bench.ts. */

const server = await startEmbedded(process.argv[2]!);
const client = new pg.Client({ connectionString: await server.url('postgres') });
await client.connect();
await client.query('select 1');
console.log('ready');
process.once('SIGTERM', () => {
  void client
    .end()
    .then(async () => server.stop())
    .then(() => process.exit(0));
});
