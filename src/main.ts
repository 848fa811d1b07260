import { join } from 'node:path';
import { ListenError, startApp, type App } from './app.ts';
import { buildWeb } from './commands/build-web.ts';
import { ensureSampleCounty, ensureSampleStaff } from './commands/sample/county.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { DatabaseError } from './db/database.ts';
import { EmbeddedDatabaseError } from './db/embedded.ts';
import { makeLog } from './log.ts';
import { currentOrigin } from './origin.ts';

/** PostgreSQL's own code for it. */
const DISK_FULL = '53100';

const started = performance.now();
let stopping = false;
let app: App | undefined;
let failing = false;

// Whoever read what is printed may have gone; the service goes on without them.
process.stdout.on('error', () => {});

// A defect that nobody caught: the state is unknown, so the process ends, and its database with it.
for (const event of ['uncaughtException', 'unhandledRejection'] as const)
  process.on(event, (error: unknown) => void fail('Xinqiao has to stop.', error));

try {
  const config = readConfig();
  const log = makeLog(config.logLevel, {
    about: () => {
      const origin = currentOrigin();
      return origin === undefined ? {} : { requestId: origin.requestId };
    },
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping || failing) return;
      stopping = true;
      // Still starting: what has been built by then is closed below.
      if (app !== undefined) void close(app);
    });
  }
  const webFolder = join(config.dataFolder, 'web');
  // Building the pages needs the processor, starting the database mostly waits: both at once.
  const [pages, built] = await Promise.allSettled([
    buildWeb(webFolder),
    startApp(config, log, { webFolder }),
  ]);
  if (built.status === 'rejected') throw built.reason;
  app = built.value;
  if (pages.status === 'rejected') throw pages.reason;
  if (config.samples) await ensureSampleStaff(app);
  if (config.sampleCounty) await ensureSampleCounty(app);
  if (stopping) await close(app);
  else await welcome(config, app);
} catch (error) {
  // Told to stop while the samples come in, these are without a database: that is no failure, and `close` ends the process.
  if (!stopping || app === undefined) await fail('Xinqiao could not start.', error);
}

async function close(running: App): Promise<void> {
  say('Stopping …');
  await running.stop();
  say('Stopped.');
  process.exit(0);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Says why in one line, stops what runs, and ends the process. */
async function fail(what: string, error: unknown): Promise<void> {
  if (failing) return;
  failing = true;
  const known =
    error instanceof ConfigError ||
    error instanceof ListenError ||
    error instanceof DatabaseError ||
    error instanceof EmbeddedDatabaseError;
  const { code, message, stack } = error as NodeJS.ErrnoException;
  const failure = known ? undefined : app?.databaseFailure();
  const reason =
    failure !== undefined
      ? `The embedded PostgreSQL failed: ${failure}`
      : code === 'ENOSPC' || code === DISK_FULL
        ? 'There is no space left on the disk.'
        : message;
  process.stderr.write(`${what} ${reason}\n`);
  if (!known && failure === undefined && code === undefined) process.stderr.write(`${stack ?? ''}\n`);
  await app?.stop().catch(() => {});
  process.exit(1);
}

async function welcome(config: Config, running: App): Promise<void> {
  const lines = [`Xinqiao 心桥 is ready in ${((performance.now() - started) / 1000).toFixed(1)} s.`, ''];
  for (const course of running.courses.filter((each) => each.outcome === 'refused')) {
    lines.push(
      `  Course ${course.slug} was not taken in:`,
      ...course.problems.map((problem) => `    ${problem.where}: ${problem.what}`),
      '',
    );
  }
  const url = running.publicUrl;
  if (config.samples) {
    const signIns = await running.services.sessions.listSampleSignIns();
    const has = (key: string): boolean => signIns.some((signIn) => signIn.key === key);
    if (has('teacher')) lines.push(`  Teacher's page      ${url}/?sign-in=teacher`);
    if (has('coordinator'))
      lines.push(`  Coordinator         ${url}/graphql?as=coordinator   (GraphiQL, signed in)`);
    if (has('hr'))
      lines.push(
        `  HR's credit feed    curl -H 'Authorization: Bearer sample:hr' ${url}/feed/credit-records`,
      );
    lines.push(
      `  Verify certificate  ${url}/verify`,
      '',
      '  The sample county is made up; its ways in need no password and exist only here.',
    );
  } else {
    lines.push(
      `  Teacher's page      ${url}/`,
      `  GraphQL             ${url}/graphql`,
      `  Verify certificate  ${url}/verify`,
    );
  }
  lines.push('  Stop with Ctrl-C.');
  say(lines.join('\n'));
}
