import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inject } from 'vitest';
import { startApp, type App } from '../../src/app.ts';
import { systemClock, type Clock } from '../../src/clock.ts';
import { sampleCertification, sampleStaff, SAMPLE_COUNTY } from '../../src/commands/sample/county.ts';
import { projectFolder, readConfig } from '../../src/config.ts';
import type { Item } from '../../src/courses/item.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { makeSampleService } from '../../src/access/sample.service.ts';
import { playBest } from './conversation.ts';
import { makeTestDatabase, oneAtATime, type TestDatabase } from './database.ts';

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  #now: Date;
  constructor(now: string) {
    this.#now = new Date(now);
  }
  now(): Date {
    return new Date(this.#now);
  }
  move(minutes: number): void {
    this.#now = new Date(this.#now.getTime() + minutes * 60_000);
  }
}

export interface GraphqlAnswer {
  // What a test reads of an answer is checked by what it expects of it.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
  readonly errors?: readonly {
    message: string;
    path?: readonly (string | number)[];
    extensions?: { code?: string };
  }[];
}

export interface TestService {
  readonly app: App;
  readonly database: TestDatabase;
  readonly clock: TestClock | Clock;
  /** Asks over HTTP, as a sample person or as nobody. */
  ask(as: string | null, query: string, variables?: Record<string, unknown>): Promise<GraphqlAnswer>;
  /** Uploads as a GraphQL multipart request. */
  upload(
    as: string | null,
    query: string,
    variables: Record<string, unknown>,
    files: readonly { name: string; bytes: Uint8Array }[],
  ): Promise<GraphqlAnswer>;
  fetch(path: string, as?: string): Promise<Response>;
  stop(): Promise<void>;
}

const TIGHT = [
  'RATE_ADDRESS',
  'RATE_SIGN_IN',
  'RATE_VERIFICATION',
  'RATE_LIST',
  'RATE_EXPORT',
  'RATE_UPLOAD',
];

const whereItLies = (folder: string, database: TestDatabase): Record<string, string> => ({
  XINQIAO_DATA: folder,
  PORT: '0',
  CONTENT_PORT: '0',
  DATABASE_URL: database.url,
  SERVICE_DATABASE_URL: database.serviceUrl,
});

const STARTING = 3;
const beforeFolder = (): string => join(inject('runFolder'), 'started-before');

/** A service with `core-gatekeeper`, started and stopped once for the whole run: whoever goes on from there has the course already. @returns its database. */
async function startedBefore(): Promise<string> {
  const name = 'started_before';
  await oneAtATime(STARTING, async (admin) => {
    const there = await admin.query('select from pg_database where datname = $1', [name]);
    if (there.rowCount !== 0) return;
    const database = await makeTestDatabase({ name });
    const config = readConfig(whereItLies(beforeFolder(), database));
    const app = await startApp(config, silentLog, { coursesFolder: inject('coreCourses') });
    await app.stop();
    await database.db.destroy();
  });
  return name;
}

export const allCourses = join(projectFolder, 'courses');

/** The whole service on a database of its own, with the sample staff (coordinator, hr, issuers, operator) and nothing else. */
export async function startService({
  clock = systemClock,
  log = silentLog,
  webFolder,
  coursesFolder = inject('coreCourses'),
  env = {},
  outbound,
  over,
}: {
  clock?: Clock;
  log?: Log;
  webFolder?: string;
  /** Ours with `core-gatekeeper` alone when left out; `allCourses` is the whole of it. */
  coursesFolder?: string;
  /** Besides where it lies: e.g. limits. */
  env?: Readonly<Record<string, string>>;
  outbound?: typeof fetch;
  /** The database of another, which keeps it: as that one started again with something changed, or a second beside it. */
  over?: TestService;
} = {}): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'xinqiao-service-'));
  // A key of the test's own would be another than the one it was started with before.
  const goesOn =
    coursesFolder === inject('coreCourses') && !Object.keys(env).some((name) => /_KEYS?$/.test(name));
  const database =
    over?.database ?? (await makeTestDatabase(goesOn ? { template: await startedBefore() } : {}));
  if (goesOn) await cp(beforeFolder(), folder, { recursive: true });
  const config = readConfig({
    ...whereItLies(folder, database),
    // A test does in a second what a person does in an hour.
    ...Object.fromEntries(TIGHT.map((name) => [name, '0'])),
    ...env,
  });
  const app = await startApp(config, log, {
    clock,
    ...(webFolder === undefined ? {} : { webFolder }),
    coursesFolder,
    ...(outbound === undefined ? {} : { outbound }),
  });
  await makeSampleService({ db: app.db, clock, people: app.services.people }).ensureStaff(sampleStaff);
  const headers = (as: string | null): Record<string, string> =>
    as === null
      ? {}
      : { authorization: `Bearer ${as.includes(':') || as.length > 30 ? as : `sample:${as}`}` };
  return {
    app,
    database,
    clock,
    async ask(as, query, variables = {}) {
      const answer = await fetch(`${app.publicUrl}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers(as) },
        body: JSON.stringify({ query, variables }),
      });
      return (await answer.json()) as GraphqlAnswer;
    },
    async upload(as, query, variables, files) {
      const body = uploadOf(query, variables, files);
      const answer = await fetch(`${app.publicUrl}/graphql`, { method: 'POST', headers: headers(as), body });
      return (await answer.json()) as GraphqlAnswer;
    },
    fetch: async (path, as) => fetch(`${app.publicUrl}${path}`, { headers: headers(as ?? null) }),
    async stop() {
      await app.stop();
      if (over === undefined) await database.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A GraphQL multipart request (its specification, jaydenseric's) with its files at `input.files`, or its one at `input.file` where that is there. */
export function uploadOf(
  query: string,
  variables: Record<string, unknown>,
  files: readonly { name: string; bytes: Uint8Array }[],
): FormData {
  const form = new FormData();
  form.set('operations', JSON.stringify({ query, variables }));
  const isOne = 'file' in (variables['input'] as object);
  const places = files.map((_file, index) => [
    index,
    [isOne ? 'variables.input.file' : `variables.input.files.${index}`],
  ]);
  form.set('map', JSON.stringify(Object.fromEntries(places)));
  for (const [index, file] of files.entries())
    form.set(String(index), new Blob([new Uint8Array(file.bytes)]), file.name);
  return form;
}

export const IMPORT = `mutation ($input: ImportRosterInput!) { importRoster(input: $input) { __typename
  ... on ImportRosterPayload { rosterImport { id state } } ... on Refusal { code message } } }`;

export const IMPORT_STATE = `query ($id: ID!) { node(id: $id) { ... on RosterImport { state reason(language: en) rowsRead rowsIgnored rowsRefused organizationsAdded organizationsChanged
  peopleAdded peopleChanged peopleMissing postsAdded postsChanged postsEnded hasFiles refusalsUrl progress { phase } refusals(first: 100) { nodes { file line column value reason(language: en) } } } } }`;

/** Imports as the sample coordinator and waits until the worker has done it. */
export async function importRoster(
  service: TestService,
  files: readonly { name: string; bytes: Uint8Array }[],
  as = 'coordinator',
  more: { dryRun?: boolean; mostEnded?: number; endMissing?: boolean } = {},
) {
  const requested = await service.upload(
    as,
    IMPORT,
    { input: { divisionCode: SAMPLE_COUNTY, files: files.map(() => null), ...more } },
    files,
  );
  const id = requested.data?.importRoster?.rosterImport?.id as string | undefined;
  if (id === undefined) throw new Error(JSON.stringify(requested));
  return { ...(await importEnd(service, id, as)), id };
}

/** Waits until an import is over. */
export async function importEnd(service: TestService, id: string, as = 'coordinator') {
  return until(async () => {
    const { data } = await service.ask(as, IMPORT_STATE, { id });
    return data.node.state === 'QUEUED' ? undefined : data.node;
  });
}

/** Asks again and again until there is an answer. */
export async function until<T>(ask: () => Promise<T | undefined>, seconds = 20): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`Nothing came within ${seconds} s.`);
    await sleep(25);
  }
}

/** A small roster in OneRoster 1.1 CSV: one school, and teachers by name. */
export function smallRoster(
  people: readonly {
    id: string;
    family: string;
    given: string;
    roles?: string;
    orgs?: string;
    starts?: string;
    ends?: string;
    identity?: string;
  }[],
) {
  const orgs = [
    'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.divisionCode,metadata.kind,metadata.studentCount,metadata.studentCountOn',
    'b1,,,长沙县教育局,district,430121,,430121,,,',
    's1,,,星沙实验小学,school,4301210001,b1,430121,primary,1200,2026-09-01',
    's2,,,星沙第二中学,school,4301210002,b1,430121,junior,900,2026-09-01',
  ].join('\n');
  const users = [
    'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,metadata.staffNumber,metadata.identityNumber,metadata.postRoles,metadata.postOrgs,metadata.postStarts,metadata.postEnds,metadata.postLoads',
    ...people.map((person) => {
      const q = (text: string): string => `"${text}"`;
      return [
        person.id,
        '',
        '',
        'true',
        q(person.orgs ?? 's1'),
        'teacher',
        person.id,
        '',
        person.given,
        person.family,
        '',
        person.id,
        '',
        '',
        '',
        '',
        '',
        '',
        person.id,
        person.identity ?? '',
        q(person.roles ?? 'class_teacher'),
        q(person.orgs ?? 's1'),
        q(person.starts ?? '2024-09-01'),
        q(person.ends ?? ''),
        '',
      ].join(',');
    }),
  ].join('\n');
  return [
    { name: 'orgs.csv', bytes: Buffer.from(orgs) },
    { name: 'users.csv', bytes: Buffer.from(users) },
  ];
}

export interface Learner {
  readonly key: string;
  readonly assignmentId: string;
}

/** Small roster, certification and cohort by the coordinator's own steps; each teacher gets a sample way in named by their id. */
export async function assignTeachers(
  service: TestService,
  ids: readonly string[],
  // A test does in a second what takes a teacher an hour.
  { minimumHoursShare = 0 } = {},
): Promise<{ certificationId: string; unitId: string; learners: Learner[] }> {
  await importRoster(
    service,
    smallRoster(ids.map((id, index) => ({ id, family: '王', given: `小${'明红刚丽强芳'[index] ?? '华'}` }))),
  );
  const planned = await service.ask(
    'coordinator',
    `mutation ($input: PlanCertificationInput!) { planCertification(input: $input) { __typename ... on PlanCertificationPayload { certification { id } } ... on Refusal { message } } }`,
    {
      input: {
        code: sampleCertification.code,
        title: { zhCN: sampleCertification.title['zh-CN'], en: sampleCertification.title.en },
        courseSlug: sampleCertification.courseSlug,
        roles: ['CLASS_TEACHER'],
        validityMonths: 36,
        renewalMonths: sampleCertification.renewalMonths,
        divisionCode: SAMPLE_COUNTY,
        issuerName: sampleCertification.issuerName,
        minimumHoursShare,
      },
    },
  );
  const certificationId = planned.data.planCertification.certification.id as string;
  const unitId = (await service.ask(null, `{ division(code: "${SAMPLE_COUNTY}") { id } }`)).data.division
    .id as string;
  await service.ask(
    'coordinator',
    `mutation ($input: AssignCohortInput!) { assignCohort(input: $input) { __typename } }`,
    { input: { certificationId, unitId, role: 'CLASS_TEACHER' } },
  );
  const samples = makeSampleService({
    db: service.database.db,
    clock: service.clock,
    people: service.app.services.people,
  });
  const learners: Learner[] = [];
  for (const [index, id] of ids.entries()) {
    const row = await service.database.db
      .selectFrom('person_sources')
      .select('person_id')
      .where('source_id', '=', id)
      .executeTakeFirstOrThrow();
    await samples.addSignIn({
      key: id,
      personId: row.person_id,
      descriptionZh: '',
      descriptionEn: '',
      position: index,
    });
    const { data } = await service.ask(id, `{ viewer { assignments { id } } }`);
    learners.push({ key: id, assignmentId: data.viewer.assignments[0].id });
  }
  return { certificationId, unitId, learners };
}

/** Says of every content that it was completed, as the player would, and plays the conversations well. */
export async function finishActivities(service: Pick<TestService, 'ask'>, learner: Learner): Promise<void> {
  const { data } = await service.ask(
    learner.key,
    `query ($id: ID!) { node(id: $id) { ... on Assignment { activities { state activity { key kind } } } } }`,
    { id: learner.assignmentId },
  );
  for (const { state, activity } of data.node.activities as {
    state: string;
    activity: { key: string; kind: string };
  }[]) {
    if (activity.kind === 'SIMULATION') {
      // One that was passed can't be had again.
      if (state !== 'COMPLETED') await playBest(service, learner.key, learner.assignmentId, activity.key);
      continue;
    }
    await service.ask(
      learner.key,
      `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename ... on Refusal { message } } }`,
      {
        input: {
          assignmentId: learner.assignmentId,
          activityKey: activity.key,
          language: 'zh_CN',
          statements: [
            {
              verb: { id: 'http://adlnet.gov/expapi/verbs/completed' },
              object: { id: 'https://example.org/x' },
            },
          ],
        },
      },
    );
  }
}

export const START = `mutation ($id: ID!) { startAttempt(input: { assignmentId: $id }) { __typename ... on StartAttemptPayload { attempt { id deadline items { key kind options { key text rationale isRight } } } } ... on Refusal { code message } } }`;
export const SAVE = `mutation ($input: SaveResponseInput!) { saveResponse(input: $input) { __typename ... on Refusal { code message } } }`;
export const SUBMIT = `mutation ($id: ID!) { submitAttempt(input: { attemptId: $id }) { __typename ... on SubmitAttemptPayload { attempt { percent passed state } } ... on Refusal { code message } } }`;

/** What answers an item, as far as a test needs it. */
export type ItemBody = Pick<Item, 'kind' | 'competency' | 'mustPass' | 'vignette'> & {
  readonly options?: readonly { key: string; correct: boolean }[];
  readonly elements?: readonly { key: string }[];
  readonly pairs?: readonly { key: string; matches: string }[];
  readonly answer?: number;
};

export function rightAnswer({ options = [], elements, pairs, answer }: ItemBody): string[] {
  if (elements !== undefined) return elements.map(({ key }) => key);
  if (pairs !== undefined) return pairs.map(({ key, matches }) => `${key}=${matches}`);
  if (answer !== undefined) return [String(answer)];
  return options.filter(({ correct }) => correct).map(({ key }) => key);
}

/** One that earns nothing. */
export function wrongAnswer({ options = [], elements, pairs, answer }: ItemBody): string[] {
  if (elements !== undefined) return elements.map(({ key }) => key).toReversed();
  if (pairs !== undefined)
    return pairs.map(
      ({ key, matches }) => `${key}=${pairs.find((pair) => pair.matches !== matches)!.matches}`,
    );
  if (answer !== undefined) return [String(answer + 1_000)];
  return [options.find(({ correct }) => !correct)!.key];
}

/** All items of the sample's course by key, from the database: what no learner can ask for. Other courses may use the same keys. */
export async function itemBodies(service: Pick<TestService, 'database'>): Promise<Map<string, ItemBody>> {
  const items = await service.database.db
    .selectFrom('items')
    .innerJoin('course_versions', 'course_versions.id', 'items.course_version_id')
    .where('course_versions.slug', '=', sampleCertification.courseSlug)
    .select(['items.key', 'items.body'])
    .execute();
  return new Map(items.map((item) => [item.key, item.body as unknown as ItemBody]));
}

/** The right answers. */
export async function answerKeys(service: Pick<TestService, 'database'>): Promise<Map<string, string[]>> {
  return new Map([...(await itemBodies(service))].map(([key, body]) => [key, rightAnswer(body)]));
}

/** Gives an attempt in which nothing was saved yet these items, in this order: which a seed would draw is chance. */
export async function drawThese(
  service: Pick<TestService, 'database'>,
  attemptId: string,
  keys: readonly string[],
): Promise<void> {
  const { rowCount } = await service.database.pool.query(
    `update attempts set drawn = (
       select jsonb_agg(jsonb_build_object('itemId', i.id::text,
         'options', (select coalesce(jsonb_agg(part ->> 'key' order by place desc), '[]') from
           jsonb_array_elements(coalesce(i.body -> 'options', i.body -> 'elements', i.body -> 'pairs', '[]')) with ordinality as parts (part, place)),
         'targets', (select jsonb_agg(target ->> 'key') from jsonb_array_elements(i.body -> 'targets') target)) order by array_position($2, i.key))
       from items i where i.key = any($2))
     where id = $1`,
    [Buffer.from(attemptId, 'base64').toString().split(':')[1], keys],
  );
  if (rowCount !== 1) throw new Error('There is no such attempt.');
}

/** One item of each kind, and a case of two questions. */
export const EVERY_KIND = [
  'lr-refuses',
  'st-first-talk',
  'st-which-reply',
  'st-how-many-days',
  'ns-where-look',
  'ns-no-diagnosis',
  'mp-list-of-names',
  'mp-bell-rings',
  'vg-staircase-reply',
  'vg-staircase-tonight',
];

/**
 * Starts an attempt and answers it, rightly or wrongly.
 * @param right or which of its items rightly.
 * @param draw instead of what the seed draws.
 * @returns the attempt's id, not yet submitted.
 */
export async function sitExam(
  service: TestService,
  learner: Learner,
  { right, draw }: { right: boolean | ((item: ItemBody) => boolean); draw?: readonly string[] },
): Promise<string> {
  const { data } = await service.ask(learner.key, START, { id: learner.assignmentId });
  if (data.startAttempt.__typename !== 'StartAttemptPayload') throw new Error(JSON.stringify(data));
  const bodies = await itemBodies(service);
  const { id, items } = data.startAttempt.attempt as { id: string; items: { key: string }[] };
  if (draw !== undefined) await drawThese(service, id, draw);
  for (const key of draw ?? items.map((item) => item.key)) {
    const body = bodies.get(key)!;
    const isRight = typeof right === 'boolean' ? right : right(body);
    const chosen = isRight ? rightAnswer(body) : wrongAnswer(body);
    const saved = await service.ask(learner.key, SAVE, { input: { attemptId: id, itemKey: key, chosen } });
    if (saved.data.saveResponse.__typename !== 'SaveResponsePayload') throw new Error(JSON.stringify(saved));
  }
  return id;
}
