import { spawn } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { smallRoster } from '../support/service.ts';
import { makeDataFolder, startProcess, type DataFolder } from '../support/started-service.ts';
import { builtWeb } from '../support/web.ts';

describe('npm run journal:check', () => {
  let folder: DataFolder;
  beforeEach(async () => {
    folder = await makeDataFolder(await builtWeb());
  });
  afterEach(async () => folder.remove());

  const check = async (...args: string[]): Promise<{ code: number | null; said: string }> => {
    const child = spawn('npm', ['run', '--silent', 'journal:check', '--', ...args], {
      cwd: projectFolder,
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', XINQIAO_DATA: folder.path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, said };
  };

  it('reads the embedded database beside the running service, and without it', async () => {
    expect(await check()).toMatchObject({
      code: 2,
      said: expect.stringMatching(/^Not checked\. There is no database in /) as string,
    });
    const service = await startProcess(folder.path, { XINQIAO_SAMPLES: 'staff' });
    try {
      await service.importRoster(
        'coordinator',
        '430121',
        smallRoster([{ id: 'a', family: '王', given: '明' }]),
      );
      const beside = await check();
      expect(beside).toMatchObject({
        code: 0,
        said: expect.stringMatching(
          /^The journal is in order: 2 entries\.\nHead 2:[0-9a-f]{64}\n$/,
        ) as string,
      });
      // The service is as it was.
      expect(
        (await service.ask('auditor', '{ journal { nodes { action } } }')).data.journal.nodes,
      ).toHaveLength(3);
      expect(await service.stop()).toBe(0);
      const after = await check('--head', beside.said.trim().split(' ').at(-1)!);
      expect(after).toMatchObject({
        code: 0,
        said: expect.stringMatching(/^The journal is in order: 3 entries\./) as string,
      });
    } finally {
      await service.kill();
    }
  });
});
