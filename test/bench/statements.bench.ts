import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { makePool } from '../../src/db/database.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { makeDataFolder, startProcess } from '../support/started-service.ts';
import { bodyOf, makeClient } from './client.ts';
import { median, round, type Bench } from './frame.ts';

const RECORD = `mutation RecordStatements($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename
  ... on RecordStatementsPayload { progress { state secondsLeft } refused { index } } ... on Refusal { code message } } }`;
const BARE = `insert into bare_statements (assignment_id, id, activity_key, verb, part, statement, stored_at)
  select * from unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[])`;

const globalId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');

interface Row {
  readonly assignment_id: string;
  readonly activity_key: string;
  readonly verb: string;
  readonly part: string | null;
  readonly statement: unknown;
  readonly stored_at: Date;
}

/** What a question of a content says when it is answered: the size that such statements usually have. */
function statement(n: number): object {
  const id = 'http://127.0.0.1:8081/player/7d1f0b/zh-CN';
  return {
    id: randomUUID(),
    actor: { account: { name: 'x', homePage: 'http://127.0.0.1' }, objectType: 'Agent' },
    verb: { id: 'http://adlnet.gov/expapi/verbs/answered', display: { 'en-US': 'answered' } },
    object: {
      id: `${id}?subContentId=q${n % 7}`,
      objectType: 'Activity',
      definition: {
        name: { 'zh-CN': '练一练：看见信号' },
        description: { 'zh-CN': '小林连着两周趴在桌上，不交作业，也不再和朋友说话。您先做什么？' },
        type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
        interactionType: 'choice',
        choices: ['先观察一周', '找个安静的时候走近他', '在班上问他怎么了', '通知家长'].map(
          (text, index) => ({
            id: String(index),
            description: { 'zh-CN': text },
          }),
        ),
        correctResponsesPattern: ['1'],
        extensions: {
          'http://h5p.org/x-api/h5p-local-content-id': 1,
          'http://h5p.org/x-api/h5p-subContentId': `q${n % 7}`,
        },
      },
    },
    context: {
      contextActivities: {
        parent: [{ id, objectType: 'Activity' }],
        category: [{ id: 'http://h5p.org/libraries/H5P.XinqiaoQuestionSet-1.0', objectType: 'Activity' }],
      },
    },
    result: {
      response: '1',
      score: { min: 0, max: 1, raw: 1, scaled: 1 },
      success: true,
      completion: true,
      duration: 'PT8.4S',
    },
  };
}

export const bench: Bench = {
  about:
    'statements a second through recordStatements of GraphQL over HTTP, in calls of 1 to 10 as the player sends them, by several learners at once, each on a connection of its own; beside bare inserts of the very same rows in the very same lots, on as many connections, into a table of the same columns, key and foreign key, in the same durable database',
  options: { learners: 8, calls: 400, rounds: 5 },
  async run({ learners, calls, rounds }, say) {
    const folder = await makeDataFolder();
    // As it would be kept: with fsync, unlike a test's.
    const server = await startEmbedded(folder.path);
    try {
      const url = await server.url('bench');
      const environment = {
        DATABASE_URL: url,
        XINQIAO_SAMPLES: 'staff',
        RATE_VIEWER: '0',
        RATE_ADDRESS: '0',
      };
      const home = await makeDataFolder();
      const service = await startProcess(home.path, environment);
      const pool = makePool(url, { name: 'bench', size: learners! });
      try {
        const ids = await prepare(pool, learners!);
        const clients = ids.map(({ key }) => makeClient(service.url, key));
        const sizes = Array.from({ length: calls! }, (_, call) => 1 + ((call * 7) % 10));
        const total = sizes.reduce((sum, size) => sum + size, 0) * learners!;
        let turn = 0;
        const body = (assignment: string, statements: readonly object[]): Buffer =>
          bodyOf(RECORD, {
            input: {
              assignmentId: globalId('Assignment', assignment),
              activityKey: 'signs-practice',
              language: 'zh_CN',
              statements,
            },
          });
        const ours = async (lots: readonly number[]): Promise<number> => {
          // Made beforehand, as the rows of the bare inserts are: it is the browsers' work.
          const work = ids.map(({ assignment }) =>
            lots.map((size) =>
              body(
                assignment,
                Array.from({ length: size }, () => statement((turn += 1))),
              ),
            ),
          );
          // A day's measure is not what is measured.
          await pool.query('truncate statement_counts');
          const started = performance.now();
          await Promise.all(
            clients.map(async (client, index) => {
              for (const [call, sent] of work[index]!.entries()) {
                const answer = await client.send(sent);
                if (!answer.includes('"refused":[]')) throw new Error(answer.slice(0, 500));
                if (call % 50 === 49)
                  await pool.query(
                    'update statement_counts set in_minute = 0, in_day = 0, bytes_in_day = 0 where assignment_id = $1',
                    [ids[index]!.assignment],
                  );
              }
            }),
          );
          return performance.now() - started;
        };
        const bare = async (lots: readonly number[], rows: Map<string, Row[]>): Promise<number> => {
          const connections = await Promise.all(ids.map(async () => pool.connect()));
          try {
            // Bound and planned beforehand, as a program that did nothing else would have it.
            const work = ids.map(({ assignment }) => {
              let at = 0;
              return lots.map((size) => {
                const its = rows.get(assignment)!.slice(at, (at += size));
                return [
                  its.map((row) => row.assignment_id),
                  its.map(() => randomUUID()),
                  its.map((row) => row.activity_key),
                  its.map((row) => row.verb),
                  its.map((row) => row.part),
                  its.map((row) => JSON.stringify(row.statement)),
                  its.map((row) => row.stored_at),
                ];
              });
            });
            const started = performance.now();
            await Promise.all(
              connections.map(async (connection, index) => {
                for (const values of work[index]!)
                  await connection.query({ name: 'bare', text: BARE, values });
              }),
            );
            return performance.now() - started;
          } finally {
            for (const connection of connections) connection.release();
          }
        };
        const stored = async (): Promise<Map<string, Row[]>> =>
          Map.groupBy(
            (
              await pool.query<Row>(
                'select assignment_id, activity_key, verb, part, statement, stored_at from statements order by stored_at desc limit $1',
                [total],
              )
            ).rows,
            (row) => row.assignment_id,
          );

        say('warming up');
        await ours(sizes);
        await bare(sizes, await stored());
        const times = { ours: [] as number[], bare: [] as number[] };
        for (let round = 0; round < rounds!; round += 1) {
          // In turns, and the very rows that the service has just stored.
          await sleep(200);
          times.ours.push(await ours(sizes));
          const rows = await stored();
          await sleep(200);
          times.bare.push(await bare(sizes, rows));
          say(`${round + 1} of ${rounds}`);
        }
        for (const client of clients) client.close();
        const rate = (its: readonly number[]): number => (total / median(its)) * 1000;
        const row = (what: string, its: readonly number[]) => ({
          what,
          'statements/s': Math.round(rate(its)),
          'calls/s': Math.round(((calls! * learners!) / median(its)) * 1000),
        });
        return {
          rows: [row('recordStatements', times.ours), row('bare inserts', times.bare)],
          figures: {
            // Of pairs, since the machine is never the same for long.
            ratio: round(median(times.ours.map((time, index) => times.bare[index]! / time))),
            statementsPerSecond: Math.round(rate(times.ours)),
            barePerSecond: Math.round(rate(times.bare)),
            meanPerCall: round(total / learners! / calls!),
          },
        };
      } finally {
        await pool.end();
        await service.stop();
        await home.remove();
      }
    } finally {
      await server.stop();
      await folder.remove();
    }
  },
};

/** Learners who are assigned the sample course, and the table for the bare inserts. */
async function prepare(
  pool: ReturnType<typeof makePool>,
  learners: number,
): Promise<{ key: string; assignment: string }[]> {
  await pool.query(`
    create table bare_statements (assignment_id bigint not null references assignments, id uuid not null, activity_key text not null, verb text not null,
      part text, statement jsonb not null, stored_at timestamptz not null, primary key (assignment_id, id, stored_at))`);
  await pool.query(
    `with p as (insert into people (name, staff_number, created_at) select '学员' || n, 'bench' || n, now() from generate_series(1, $1::int) n returning id),
       k as (insert into sample_sign_ins (key, person_id, description_zh, description_en, position) select 'bench' || row_number() over (), id, '', '', 1000 from p),
       c as (insert into certifications (code, title_zh, title_en, course_slug, roles, division_code, issuer_name, template, template_version, created_at)
         values ('bench', 'x', 'x', 'core-gatekeeper', '{class_teacher}', '430121', 'x', 'standard', 1, now()) returning id),
       o as (insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'bench', 'class_teacher', '430121', now() from c returning id)
     insert into assignments (certification_id, person_id, cohort_id, created_at) select c.id, p.id, o.id, now() from p, c, o`,
    [learners],
  );
  const { rows } = await pool.query<{ key: string; assignment: string }>(
    `select key, a.id as assignment from sample_sign_ins join assignments a using (person_id) where key like 'bench%' order by a.id`,
  );
  return rows;
}
