import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { freePorts, makeDataFolder, startProcess, type DataFolder } from '../support/started-service.ts';
import { until } from '../support/service.ts';
import { builtWeb } from '../support/web.ts';

interface Ended {
  readonly code: number | null;
  readonly said: string;
}

/** Runs the start until it ends, or is told to: after so many milliseconds, or when that is over. */
async function run(
  env: Readonly<Record<string, string>>,
  {
    stopAfter,
    nodeArguments = [],
  }: { stopAfter?: number | (() => Promise<unknown>); nodeArguments?: readonly string[] } = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [...nodeArguments, 'src/start.mjs'], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', CONTENT_PORT: '0', XINQIAO_SAMPLES: 'staff', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  if (stopAfter !== undefined) {
    await (typeof stopAfter === 'number' ? sleep(stopAfter) : stopAfter());
    child.kill('SIGTERM');
  }
  return { code: await ended, said };
}

describe('npm start', () => {
  let folder: DataFolder;
  beforeEach(async () => {
    folder = await makeDataFolder(await builtWeb());
  });
  afterEach(async () => folder.remove());

  it('says in one line which port is taken, and how to choose another', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    const { code, said } = await run({ XINQIAO_DATA: folder.path, PORT: String(port) });
    server.close();
    expect(code).toBe(1);
    expect(said).toBe(
      `Xinqiao could not start. Can't listen on 127.0.0.1:${port}: port ${port} is taken (is Xinqiao running already?). Choose another with PORT=….\n`,
    );
  });

  it('leaves alone a service that runs on the same data', async () => {
    const first = await startProcess(folder.path, { XINQIAO_SAMPLES: 'staff' });
    const { code, said } = await run({ XINQIAO_DATA: folder.path });
    expect(code).toBe(1);
    expect(said).toBe(
      `Xinqiao could not start. Another Xinqiao is running on ${folder.path}. Stop it first, or set XINQIAO_DATA to a folder of its own.\n`,
    );
    expect((await first.fetch('/readyz')).status).toBe(200);
    expect(await first.stop()).toBe(0);
  });

  it('says in one line that the data folder can not be written', async () => {
    const file = join(folder.path, 'in-the-way');
    await writeFile(file, '');
    const { code, said } = await run({ XINQIAO_DATA: join(file, 'data') });
    expect(code).toBe(1);
    expect(said).toMatch(
      /^Xinqiao could not start\. The data folder .*in-the-way\/data can't be written: .*\n$/,
    );
  });

  it('says in one line that DATABASE_URL does not answer', async () => {
    const { code, said } = await run({
      XINQIAO_DATA: folder.path,
      DATABASE_URL: 'postgres://xinqiao:secret@127.0.0.1:1/xinqiao',
    });
    expect(code).toBe(1);
    expect(said).toMatch(/^Xinqiao could not start\. .*DATABASE_URL.*\n$/);
    expect(said).not.toContain('secret');
  });

  it('says in one line that Node.js is too old', async () => {
    const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{node:'20.11.0'}})`;
    const { code, said } = await run({ XINQIAO_DATA: folder.path }, { nodeArguments: ['--import', old] });
    expect(code).toBe(1);
    expect(said).toMatch(/^Xinqiao runs on Node\.js 24 or newer.*\n$/);
  });

  it('stops cleanly when it is told to before it is ready', async () => {
    // Its pages are still to be built.
    await rm(join(folder.path, 'web'), { recursive: true });
    for (const stopAfter of [150, 900]) {
      const { code, said } = await run({ XINQIAO_DATA: folder.path }, { stopAfter });
      expect({ code, said }).toMatchObject({ code: expect.toBeOneOf([0, null]) });
    }
    // What was left behind is good to go on with, and nothing runs that would hold it.
    const again = await startProcess(folder.path, { XINQIAO_SAMPLES: 'staff' });
    expect(await again.stop()).toBe(0);
  });

  it('stops cleanly, and its database with it, when it is told to while the sample county comes in', async () => {
    const [port] = await freePorts();
    const answers = async () =>
      until(async () => {
        const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
        return answer?.status === 200 ? true : undefined;
      }, 60);
    const { code, said } = await run(
      { XINQIAO_DATA: folder.path, XINQIAO_SAMPLES: '1', PORT: String(port) },
      { stopAfter: answers },
    );
    expect({ code, said }).toEqual({ code: 0, said: 'Stopping …\nStopped.\n' });
    const left = await readdir(join(folder.path, 'database/postgres'));
    expect(left).toContain('PG_VERSION');
    expect(left).not.toContain('postmaster.pid');
  });
});
