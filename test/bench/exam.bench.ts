import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { hashSecret } from '../../src/access/access-token.ts';
import { SESSION_PREFIX } from '../../src/access/session.ts';
import { makePool } from '../../src/db/database.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { SAVE } from '../support/service.ts';
import { makeDataFolder, startProcess, type StartedService } from '../support/started-service.ts';
import { makeClient } from './client.ts';
import { percentile, round, type Bench } from './frame.ts';

const COURSE = 'core-gatekeeper';
const COUNTY = '430121';
/** As many connections as the service has to its database. */
const CONNECTIONS = 20;
/** So many open their exams at once, before anything is measured. */
const OPENING = 8;
const START = `mutation ($id: ID!) { startAttempt(input: { assignmentId: $id }) { __typename
  ... on StartAttemptPayload { attempt { id items { key kind options { key } } } } ... on Refusal { code message } } }`;

interface Teacher {
  readonly assignmentId: string;
  readonly client: ReturnType<typeof makeClient>;
}

interface Sitting {
  readonly teacher: Teacher;
  readonly attemptId: string;
  /** Ways to answer each item, which alternate. */
  readonly items: readonly { readonly key: string; readonly ways: readonly (readonly string[])[] }[];
  /** Saves sent so far. */
  sent: number;
  /** Item key → what the service said it has saved, and when that was sent. */
  readonly saved: Map<string, { readonly chosen: readonly string[]; readonly sent: number }>;
  /** `key chosen` of saves without a good answer: they may have been kept all the same. */
  readonly unclear: Set<string>;
}

export const bench: Bench = {
  about:
    'teachers who sit an exam at once, each with a session and a connection of their own, saving an answer every so many seconds whatever the service does (latency counts from when a save was due); then as fast as they can over 20 connections, beside bare inserts of the same rows into the same PostgreSQL, a transaction each over 20 connections; fsync is on',
  options: { teachers: 2_000, everySeconds: 25, seconds: 60, burstSeconds: 5 },
  async run({ teachers, everySeconds, seconds, burstSeconds }, say) {
    const folder = await makeDataFolder();
    const server = await startEmbedded(folder.path);
    let service: StartedService | undefined;
    const url = await server.url('exam');
    const pool = makePool(url, { name: 'bench', size: CONNECTIONS });
    try {
      service = await startProcess(folder.path, {
        DATABASE_URL: url,
        XINQIAO_SAMPLES: 'staff',
        // All of them come from this machine.
        RATE_VIEWER: '0',
        RATE_ADDRESS: '0',
        MAX_CONNECTIONS_PER_ADDRESS: String(teachers! + 100),
      });
      const sittings = await openExams(service, await makeTeachers(pool, service.url, teachers!), say);
      await pool.query('vacuum analyze');

      say(`${teachers} saving every ${everySeconds} s, for ${seconds} s`);
      const paced = await saveAtPace(sittings, { everySeconds: everySeconds!, seconds: seconds! });
      say(`as fast as it goes, for ${burstSeconds} s`);
      const burst = await saveAtOnce(sittings, burstSeconds!);
      const lost = await countLost(pool, sittings);
      const bareInsertsPerSecond = await insertBare(pool, burstSeconds!);
      for (const { teacher } of sittings) teacher.client.close();

      const { latencies, errors } = paced;
      const told = (share: number): string => percentile(latencies, share).toFixed(1);
      const savesPerSecond = latencies.length / seconds!;
      return {
        rows: [
          {
            what: `saves by ${teachers} teachers at their pace`,
            'per second': savesPerSecond.toFixed(0),
            'p50 ms': told(50),
            'p95 ms': told(95),
            'p99 ms': told(99),
            'most ms': told(100),
            errors: errors.length,
            lost,
          },
          {
            what: `saves as fast as they go, ${CONNECTIONS} at once`,
            'per second': burst.perSecond.toFixed(0),
            errors: burst.errors.length,
          },
          { what: `bare inserts, ${CONNECTIONS} connections`, 'per second': bareInsertsPerSecond.toFixed(0) },
        ],
        figures: {
          ratio: round(burst.perSecond / bareInsertsPerSecond),
          p50Ms: round(percentile(latencies, 50)),
          p95Ms: round(percentile(latencies, 95)),
          p99Ms: round(percentile(latencies, 99)),
          lost,
          errors: errors.length + burst.errors.length,
          savesPerSecond: round(savesPerSecond),
          mostSavesPerSecond: round(burst.perSecond, 0),
          bareInsertsPerSecond: round(bareInsertsPerSecond, 0),
        },
      };
    } finally {
      await pool.end();
      await service?.stop();
      await server.stop();
      await folder.remove();
    }
  },
};

/**
 * Class teachers of one school with sessions of their own, assigned, with every activity completed. By SQL: it is what an import, an
 * assignment, a sign-in and hours of lessons leave, and none of it is measured.
 */
async function makeTeachers(pool: Pool, url: string, count: number): Promise<Teacher[]> {
  const { rows: schools } = await pool.query<{ id: string }>(
    `insert into organizations (source, source_id, name, kind, division_code, province_code, prefecture_code, county_code)
     select 'bench', '1', '学校', 'primary', code, province_code, prefecture_code, county_code from divisions where code = $1 returning id`,
    [COUNTY],
  );
  const { rows: cohorts } = await pool.query<{ id: string; certification: string }>(
    `with c as (insert into certifications (code, title_zh, title_en, course_slug, roles, validity_months, division_code, issuer_name, template, template_version, created_at)
       values ('bench', '证书', 'Certificate', $1, array['class_teacher'], 36, $2, '教育局', 'standard', 1, now()) returning id)
     insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'bench', 'class_teacher', $2, now() from c
     returning id, certification_id as certification`,
    [COURSE, COUNTY],
  );
  const { rows: assigned } = await pool.query<{ id: string; person: string }>(
    `with p as (insert into people (name) select '教师' || n from generate_series(1, $1::int) n returning id),
       posts as (insert into posts (person_id, organization_id, role, workload, starts_on) select id, $2, 'class_teacher', 'full', '2020-09-01' from p)
     insert into assignments (certification_id, person_id, cohort_id, period, created_at) select $3, id, $4, 1, now() from p returning id, person_id as person`,
    [count, schools[0]!.id, cohorts[0]!.certification, cohorts[0]!.id],
  );
  await pool.query(
    `insert into activity_progress (assignment_id, activity_key, started_at, completed_at)
     select a.id, activity ->> 'key', now(), now() from assignments a, course_versions v,
       jsonb_array_elements(v.manifest -> 'modules') module, jsonb_array_elements(module -> 'activities') activity
     where v.slug = $1 and v.is_current`,
    [COURSE],
  );
  const tokens = assigned.map(() => `${SESSION_PREFIX}${randomBytes(32).toString('base64url')}`);
  await pool.query(
    `insert into sessions (token_hash, person_id, created_at, expires_at, way, last_used_at)
     select hash, person, now(), now() + interval '12 hours', 'sample', now() from unnest($1::bytea[], $2::bigint[]) as s (hash, person)`,
    [tokens.map((token) => hashSecret(token)), assigned.map(({ person }) => person)],
  );
  return assigned.map(({ id }, at) => ({
    assignmentId: Buffer.from(`Assignment:${id}`).toString('base64'),
    client: makeClient(url, tokens[at]!),
  }));
}

/** Through the API, so that what is drawn and what is owed is real. */
async function openExams(
  service: StartedService,
  teachers: readonly Teacher[],
  say: (line: string) => void,
): Promise<Sitting[]> {
  const sittings: Sitting[] = [];
  const waiting = [...teachers];
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: OPENING }, async () => {
      for (let teacher = waiting.pop(); teacher !== undefined; teacher = waiting.pop()) {
        const answer = await teacher.client.ask(START, { id: teacher.assignmentId });
        const started = (JSON.parse(answer) as Started).data?.startAttempt;
        if (started?.attempt === undefined)
          throw new Error(`An exam does not open: ${answer}\n${service.output()}`);
        const { id, items } = started.attempt;
        const answerable = items.flatMap(({ key, kind, options }) => {
          const ways = waysToAnswer(
            kind,
            options.map((option) => option.key),
          );
          return ways.length === 0 ? [] : [{ key, ways }];
        });
        sittings.push({
          teacher,
          attemptId: id,
          items: answerable,
          sent: 0,
          saved: new Map(),
          unclear: new Set(),
        });
      }
    }),
  );
  const took = (performance.now() - begun) / 1000;
  say(`${teachers.length} exams opened, ${(teachers.length / took).toFixed(0)} a second`);
  return sittings;
}

interface Started {
  readonly data?: {
    readonly startAttempt?: {
      readonly attempt?: {
        readonly id: string;
        readonly items: readonly {
          readonly key: string;
          readonly kind: string;
          readonly options: readonly { readonly key: string }[];
        }[];
      };
    };
  };
}

function waysToAnswer(kind: string, options: readonly string[]): string[][] {
  if (kind === 'NUMERIC') return [['1'], ['2']];
  if (kind === 'ORDERING') return [[...options], options.toReversed()];
  return ['SINGLE', 'MULTIPLE', 'TRUE_FALSE'].includes(kind) ? options.map((option) => [option]) : [];
}

/** The next answer, and whether it is saved. The service is asked once more where it has just let go of a connection that was idle. */
async function save(sitting: Sitting): Promise<string | undefined> {
  const { teacher, attemptId, items, saved } = sitting;
  const number = sitting.sent;
  sitting.sent += 1;
  const { key, ways } = items[number % items.length]!;
  const chosen = ways[Math.floor(number / items.length) % ways.length]!;
  const ask = async (): Promise<string> =>
    teacher.client.ask(SAVE, { input: { attemptId, itemKey: key, chosen } });
  try {
    const answer = await ask().catch(async (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? ask() : Promise.reject(error),
    );
    if (!answer.includes('"SaveResponsePayload"')) {
      sitting.unclear.add(`${key} ${chosen.join()}`);
      return answer;
    }
    if ((saved.get(key)?.sent ?? -1) < number) saved.set(key, { chosen, sent: number });
    return undefined;
  } catch (error) {
    sitting.unclear.add(`${key} ${chosen.join()}`);
    return String(error);
  }
}

/** Each at a place of its own in the round, so that saves are spread evenly; a save that is late makes no other later. */
async function saveAtPace(
  sittings: readonly Sitting[],
  { everySeconds, seconds }: { everySeconds: number; seconds: number },
): Promise<{ latencies: number[]; errors: string[] }> {
  const total = Math.floor((sittings.length * seconds) / everySeconds);
  const between = (everySeconds * 1000) / sittings.length;
  const latencies: number[] = [];
  const errors: string[] = [];
  const running: Promise<void>[] = [];
  const saveDue = async (sitting: Sitting, due: number): Promise<void> => {
    const error = await save(sitting);
    latencies.push(performance.now() - due);
    if (error !== undefined) errors.push(error);
  };
  const begun = performance.now();
  for (let at = 0; at < total; at += 1) {
    const due = begun + at * between;
    const wait = due - performance.now();
    if (wait > 1) await sleep(wait);
    running.push(saveDue(sittings[at % sittings.length]!, due));
  }
  await Promise.all(running);
  if (errors.length > 0) console.error(errors[0]);
  return { latencies, errors };
}

/** By one teacher a connection, each next save when the last one is answered. */
async function saveAtOnce(
  sittings: readonly Sitting[],
  seconds: number,
): Promise<{ perSecond: number; errors: string[] }> {
  const errors: string[] = [];
  let saves = 0;
  const begun = performance.now();
  const end = begun + seconds * 1000;
  await Promise.all(
    sittings.slice(0, CONNECTIONS).map(async (sitting) => {
      while (performance.now() < end) {
        const error = await save(sitting);
        saves += 1;
        if (error !== undefined) errors.push(error);
      }
    }),
  );
  return { perSecond: saves / ((performance.now() - begun) / 1000), errors };
}

/** Answers that the service said it has saved, and that are not in the database. */
async function countLost(pool: Pool, sittings: readonly Sitting[]): Promise<number> {
  const { rows } = await pool.query<{ attempt: string; key: string; chosen: string[] }>(
    `select r.attempt_id as attempt, i.key, r.chosen from responses r join items i on i.id = r.item_id`,
  );
  const kept = new Map(rows.map(({ attempt, key, chosen }) => [`${attempt} ${key}`, chosen.join()]));
  return sittings
    .flatMap(({ attemptId, saved, unclear }) =>
      [...saved].map(([key, { chosen }]) => {
        const id = Buffer.from(attemptId, 'base64').toString().split(':')[1]!;
        const found = kept.get(`${id} ${key}`);
        return found === chosen.join() || (found !== undefined && unclear.has(`${key} ${found}`));
      }),
    )
    .filter((isKept) => !isKept).length;
}

/** Per second: the rows that were saved, into a table that has their columns, their key and nothing else. */
async function insertBare(pool: Pool, seconds: number): Promise<number> {
  const { rows } = await pool.query<{
    attempt_id: string;
    item_id: string;
    chosen: string[];
    saved_at: Date;
  }>('select attempt_id, item_id, chosen, saved_at from responses');
  await pool.query(
    'create table bare (attempt_id bigint, item_id bigint, chosen text[] not null, saved_at timestamptz not null, points numeric, primary key (attempt_id, item_id))',
  );
  let inserted = 0;
  const begun = performance.now();
  const end = begun + seconds * 1000;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = await pool.connect();
      while (performance.now() < end) {
        const at = inserted;
        inserted += 1;
        const row = rows[at % rows.length]!;
        // The same rows again are those of another attempt.
        const again = BigInt(Math.floor(at / rows.length)) * 1_000_000n;
        await client.query({
          name: 'bare',
          text: 'insert into bare (attempt_id, item_id, chosen, saved_at) values ($1, $2, $3, $4)',
          values: [String(BigInt(row.attempt_id) + again), row.item_id, row.chosen, row.saved_at],
        });
      }
      client.release();
    }),
  );
  return inserted / ((performance.now() - begun) / 1000);
}
