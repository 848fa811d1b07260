import { spawn } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { makeDataFolder } from '../support/started-service.ts';

/** Runs `npm run grant` as npm would. */
async function grant(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, ['src/commands/grant.ts', ...args], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { code: await new Promise((resolve) => child.once('exit', resolve)), said };
}

describe('npm run grant', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeTestDatabase();
  });
  afterAll(async () => database.drop());

  it('gives the first operator of a fresh database, and writes down that it was done at the shell', async () => {
    const env = { DATABASE_URL: database.url };
    const args = ['operator', '--staff-number', 'A017', '--reason', '首任管理员'];
    const nobody = await grant(env, args);
    expect(nobody).toEqual({ code: 1, said: 'One person with the number A017 was not found.\n' });
    const { code, said } = await grant(env, [...args, '--name', '王芳']);
    expect(said).toMatch(/^A017 \(added\) is operator of the whole nation from \d{4}-\d\d-\d\d on\.\n$/);
    expect(code).toBe(0);
    const again = await grant(env, args);
    expect(again).toMatchObject({ code: 1, said: expect.stringContaining('holds this role there') });
    const { rows } = await database.pool.query(
      `select p.name, g.role, g.reason, g.granted_by, g.granted_at is not null as dated from role_grants g join people p on p.id = g.person_id`,
    );
    expect(rows).toEqual([
      { name: '王芳', role: 'operator', reason: '首任管理员', granted_by: null, dated: true },
    ]);
    const journal = await database.pool.query('select actor, action from journal_entries order by id');
    expect(journal.rows).toEqual([
      { actor: 'command:grant', action: 'person.add' },
      { actor: 'command:grant', action: 'grant.give' },
    ]);
  });

  it('says in one line what is wrong with how it was asked', async () => {
    const env = { DATABASE_URL: database.url };
    for (const [args, about] of [
      [[], 'Name one role'],
      [['teacher', '--staff-number', 'A017', '--reason', 'x'], 'Name one role'],
      [['operator', '--reason', 'x'], '--staff-number is missing'],
      [['operator', '--staff-number', 'A017', '--division', '430121', '--organization', '1'], 'not both'],
      [['operator', '--staff-number', 'A017', '--ends-on', '2026-02-30'], '--ends-on must be a day'],
    ] as const)
      expect(await grant(env, args)).toMatchObject({ code: 2, said: expect.stringContaining(about) });
    expect(
      await grant(env, ['auditor', '--staff-number', 'A017', '--division', '999999', '--reason', 'x']),
    ).toEqual({ code: 1, said: 'The unit was not found.\n' });
    expect(await grant(env, ['auditor', '--staff-number', 'A017'])).toMatchObject({
      code: 1,
      said: expect.stringContaining('Say why'),
    });
    expect(
      (
        await grant({ DATABASE_URL: 'postgres://x:secret@127.0.0.1:1/x' }, [
          'auditor',
          '--staff-number',
          'A',
          '--reason',
          'x',
        ])
      ).said,
    ).not.toContain('secret');
  });

  it('works on the embedded database, made anew, and leaves it stopped', async () => {
    const folder = await makeDataFolder();
    try {
      const env = { XINQIAO_DATA: folder.path };
      for (const name of ['A1', 'A2'])
        expect(
          await grant(env, ['operator', '--staff-number', name, '--name', '王芳', '--reason', 'x']),
        ).toMatchObject({ code: 0 });
    } finally {
      await folder.remove();
    }
  });
});
