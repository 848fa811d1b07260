import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startEmbedded, type EmbeddedDatabase } from '../../src/db/embedded.ts';
import { makeDataFolder, type DataFolder } from '../support/started-service.ts';

describe('the embedded database', () => {
  let folder: DataFolder;
  let server: EmbeddedDatabase | undefined;
  beforeEach(async () => {
    folder = await makeDataFolder();
    server = await startEmbedded(folder.path, { durable: false });
  });
  afterEach(async () => {
    await server?.stop();
    await folder.remove();
  });
  const log = async (): Promise<string> => {
    const below = await readdir(folder.path, { recursive: true });
    return join(
      folder.path,
      below.find((path) => path.endsWith('postgres.log'))!,
    );
  };

  it('has not failed because somebody came while it was starting, or was sent away', async () => {
    // A start of ours comes early, but not always; these are the server's own words.
    await appendFile(
      await log(),
      '2026-11-27 15:23:58.542 UTC [18285] FATAL:  the database system is starting up\n',
    );
    const client = new pg.Client({ connectionString: await server!.url('postgres') });
    client.on('error', () => {});
    await client.connect();
    await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
    expect(server!.lastFailure()).toBeUndefined();
  });

  it('tells what it failed of', async () => {
    await appendFile(
      await log(),
      '2026-11-27 15:23:58.542 UTC [7] PANIC:  could not locate a valid checkpoint record\n2026-11-27 15:23:59 UTC [8] FATAL:  the database system is starting up\n',
    );
    expect(server!.lastFailure()).toContain('could not locate a valid checkpoint record');
    await appendFile(await log(), 'ERROR:  could not extend file: No space left on device\n');
    expect(server!.lastFailure()).toBe('there is no space left on the disk');
  });
});
