import { spawn, type ChildProcess } from 'node:child_process';
import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFolder } from '../../src/config.ts';
import { IMPORT, IMPORT_STATE, until, uploadOf, type GraphqlAnswer } from './service.ts';

/** A service in a process of its own, as `npm start` makes it, on its own embedded database. */
export interface StartedService {
  readonly url: string;
  /** Seconds from the start of the process until it said that it is ready. */
  readonly seconds: number;
  readonly output: () => string;
  ask(as: string | null, query: string, variables?: Record<string, unknown>): Promise<GraphqlAnswer>;
  /** Uploads a roster for a division and waits until the worker has done it. @returns what it counted. */
  importRoster(
    as: string,
    divisionCode: string,
    files: readonly { name: string; bytes: Uint8Array }[],
    more?: { dryRun?: boolean },
  ): Promise<ImportedRoster>;
  fetch(path: string, as?: string): Promise<Response>;
  /** SIGTERM, and what it ended with. */
  stop(): Promise<number | null>;
  /** kill -9: no chance to clean up. */
  kill(): Promise<void>;
}

export interface ImportedRoster {
  readonly id: string;
  readonly state: 'APPLIED' | 'CHECKED' | 'REFUSED';
  readonly refusalsUrl: string | null;
  readonly reason: string | null;
  readonly rowsRefused: number;
  readonly organizationsAdded: number;
  readonly peopleAdded: number;
  readonly postsAdded: number;
}

export interface DataFolder {
  readonly path: string;
  remove(): Promise<void>;
}

/** @param pages the browser's pages, built; left out, a service builds them when it starts. */
export async function makeDataFolder(pages?: string): Promise<DataFolder> {
  const path = await mkdtemp(join(tmpdir(), 'xinqiao-test-'));
  // As root the database runs as another account, and where that can't pass it would live in a place of its own.
  await chmod(path, 0o711);
  if (pages !== undefined) await cp(pages, join(path, 'web'), { recursive: true });
  return { path, remove: async () => rm(path, { recursive: true, force: true }) };
}

/** @param env besides the data folder: e.g. which samples. @throws what the process said when it ends before it is ready. */
export async function startProcess(
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<StartedService> {
  const [port, contentPort] = await freePorts();
  const started = performance.now();
  // As people start it, and in a group of its own: a kill must reach the service behind npm too.
  const child = spawn('npm', ['start', '--silent'], {
    cwd: projectFolder,
    detached: true,
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      XINQIAO_DATA: folder,
      PORT: String(port),
      CONTENT_PORT: String(contentPort),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', () => {
      if (output.includes('Stop with Ctrl-C.')) resolve();
    });
    child.once('exit', (code) => reject(new Error(`The service ended with ${code}:\n${output}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  const headers = (as: string | null | undefined): Record<string, string> =>
    as === null || as === undefined ? {} : { authorization: `Bearer sample:${as}` };
  const ask: StartedService['ask'] = async (as, query, variables = {}) => {
    const answer = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers(as) },
      body: JSON.stringify({ query, variables }),
    });
    return (await answer.json()) as GraphqlAnswer;
  };
  return {
    url,
    seconds: (performance.now() - started) / 1000,
    output: () => output,
    ask,
    async importRoster(as, divisionCode, files, more = {}) {
      const body = uploadOf(
        IMPORT,
        { input: { divisionCode, files: files.map(() => null), ...more } },
        files,
      );
      const response = await fetch(`${url}/graphql`, { method: 'POST', headers: headers(as), body });
      const requested = (await response.json()) as GraphqlAnswer;
      const id = requested.data?.importRoster?.rosterImport?.id as string | undefined;
      if (id === undefined) throw new Error(JSON.stringify(requested));
      return until(async () => {
        const { data } = await ask(as, IMPORT_STATE, { id });
        return data.node.state === 'QUEUED' ? undefined : ({ ...data.node, id } as ImportedRoster);
      });
    },
    fetch: async (path, as) => fetch(`${url}${path}`, { headers: headers(as) }),
    stop: async () => end(child, 'SIGTERM'),
    async kill() {
      await end(child, 'SIGKILL');
    },
  };
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  // Who stops it politely tells npm, which tells the service.
  if (signal === 'SIGKILL') process.kill(-child.pid!, signal);
  else child.kill(signal);
  return ended;
}

export async function freePorts(): Promise<[number, number]> {
  const servers = [createServer(), createServer()];
  const ports = await Promise.all(
    servers.map(
      async (server) =>
        new Promise<number>((resolve) =>
          server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
        ),
    ),
  );
  await Promise.all(servers.map(async (server) => new Promise((resolve) => server.close(resolve))));
  return [ports[0]!, ports[1]!];
}
