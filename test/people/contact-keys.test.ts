import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { forViewer } from '../../src/people/acting.ts';
import { startApp, type App } from '../../src/app.ts';
import { ConfigError, readConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/service.ts';

describe('keys of contacts', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await makeTestDatabase();
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-keys-'));
    await database.pool.query(`insert into people (name) values ('王明')`);
  });
  afterAll(async () => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  const keyOf = (id: number): string => `k${id}:${Buffer.alloc(32, id).toString('base64')}`;
  const start = async (...keys: number[]): Promise<App> => {
    await writeFile(join(folder, 'contact.keys'), keys.map(keyOf).join('\n'));
    const config = readConfig({
      XINQIAO_DATA: folder,
      PORT: '0',
      CONTENT_PORT: '0',
      DATABASE_URL: database.url,
    });
    return startApp(config, silentLog);
  };
  const viewer = { personId: '1', grants: [] };

  it('are changed by a restart with a new one in front, and the old one may go once nothing needs it', async () => {
    let app = await start(1);
    await forViewer(viewer, async () => app.services.contacts.setOwn(viewer, { mobile: '13812345678' }));
    await app.stop();

    const failure = await start(2).then(
      () => undefined,
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(ConfigError);
    expect((failure as Error).message).toMatch(/^CONTACT_KEYS lacks the key "k1"/);

    app = await start(2, 1);
    await until(async () => {
      const keys = await app.services.contacts.listKeys();
      return keys.length === 1 && keys[0]!.toString('latin1').startsWith('k2') ? true : undefined;
    });
    await app.stop();

    app = await start(2);
    expect(await forViewer(viewer, async () => app.services.contacts.listOwn(viewer))).toMatchObject([
      { value: '13812345678' },
    ]);
    await database.pool
      .query(`insert into roster_imports (source, division_code, state, created_at) values ('x', '430121', 'checked', now());
      insert into roster_import_files (import_id, name, content) values (1, 'users.csv', convert_to('k9', 'UTF8') || '\\x000000000000'::bytea || '\\x00'::bytea)`);
    await app.stop();
    await expect(start(2)).rejects.toThrow('CONTACT_KEYS lacks the key "k9"');
  });
});
