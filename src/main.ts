import { join } from 'node:path';
import { ListenError, startApp, type App } from './app.ts';
import { buildWeb } from './commands/build-web.ts';
import { ensureSampleCounty, ensureSampleStaff } from './commands/sample/county.ts';
import { ConfigError, readConfig, type Config } from './config.ts';
import { DatabaseError } from './db/database.ts';
import { EmbeddedDatabaseError } from './db/embedded.ts';
import { makeLog } from './log.ts';

const started = performance.now();
let stopping = false;
let app: App | undefined;

try {
  const config = readConfig();
  const log = makeLog(config.logLevel);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping) return;
      stopping = true;
      // Still starting: what has been built by then is closed below.
      if (app !== undefined) void close(app);
    });
  }
  const webFolder = join(config.dataFolder, 'web');
  // Building the pages needs the processor, starting the database mostly waits: both at once.
  const [, built] = await Promise.all([buildWeb(webFolder), startApp(config, log, { webFolder })]);
  app = built;
  if (config.samples) await ensureSampleStaff(app);
  if (config.sampleCounty) await ensureSampleCounty(app);
  if (stopping) await close(app);
  else await welcome(config, app);
} catch (error) {
  fail(error);
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

function fail(error: unknown): never {
  const known =
    error instanceof ConfigError ||
    error instanceof ListenError ||
    error instanceof DatabaseError ||
    error instanceof EmbeddedDatabaseError;
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = known ? message : code === 'ENOSPC' ? 'There is no space left on the disk.' : message;
  process.stderr.write(`Xinqiao could not start. ${reason}\n`);
  if (!known && code === undefined) process.stderr.write(`${(error as Error).stack ?? ''}\n`);
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
