import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { systemClock } from '../../src/clock.ts';
import { makeCoverageLedger } from '../../src/coverage/ledger.service.ts';
import { makeDatabase, makePool } from '../../src/db/database.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { silentLog } from '../../src/log.ts';
import { makeDataFolder, startProcess, type StartedService } from '../support/started-service.ts';
import { makeClient } from './client.ts';
import { median, percentile, round, type Bench } from './frame.ts';
import { makeProvince, PROVINCE } from './province.ts';

const CHILDREN = `query ($c: ID!, $u: ID!, $on: Date) { coverage(certificationId: $c, unitId: $u, on: $on) { covered total gap target toTarget
  children(first: 100) { nodes { unit { __typename ... on Division { code name } ... on Organization { name } } covered total byRole { role covered total gap rate target toTarget } } pageInfo { hasNextPage endCursor } } } }`;
/** The same as a table: a list of numbers for each unit in place of an object for each role. */
const TABLE = `query ($c: ID!, $u: ID!, $on: Date) { coverage(certificationId: $c, unitId: $u, on: $on) { roles covered total gap target toTarget
  table(first: 100) { nodes { unit { __typename ... on Division { code name } ... on Organization { name } } covered total gap target toTarget } pageInfo { hasNextPage endCursor } } } }`;
const UNCOVERED = `query ($c: ID!, $u: ID!) { coverage(certificationId: $c, unitId: $u) {
  uncovered(first: 50) { nodes { person { name staffNumber } organization { name } roles } pageInfo { hasNextPage endCursor } } } }`;

/** What it would take without keeping anything: one certification, by county and role, from posts and certificates. */
const FULL = `
  select o.county_code, p.role, count(distinct p.person_id) as total, count(distinct c.person_id) as covered
  from posts p join organizations o on o.id = p.organization_id
  left join (select distinct person_id from certificates where certification_id = $1 and valid_from <= $2 and (valid_until is null or valid_until >= $2)
    and (revoked_on is null or revoked_on > $2)) c on c.person_id = p.person_id
  where p.starts_on <= $2 and (p.ends_on is null or p.ends_on >= $2) group by 1, 2`;

/** Until the service’s code is compiled as it is in one that has run for a while. */
const WARM_UP = 200;

const globalId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');

export const bench: Bench = {
  about:
    'any unit’s children × role with targets and gaps through GraphQL over HTTP, against the full aggregate of one certification by county × role over the same data',
  options: { people: 1_000_000, requests: 400 },
  async run({ people, requests }, say) {
    const server = await startScratch();
    const folder = await makeDataFolder();
    let service: StartedService | undefined;
    try {
      const url = await server.url('bench');
      // A first start migrates, and brings divisions and staff.
      service = await startProcess(folder.path, {
        DATABASE_URL: url,
        XINQIAO_SAMPLES: 'staff',
        RATE_VIEWER: '900000000',
      });
      await service.stop();
      const pool = makePool(url, { name: 'bench', size: 2 });
      const db = makeDatabase(pool);
      const ledger = makeCoverageLedger({ db, clock: systemClock, log: silentLog });
      const made = await makeProvince(pool, people!);
      await pool.query('analyze');
      say(`${made.people} people, ${made.organizations} organizations, ${made.certificates} certificates`);
      await ledger.addRoleSet([
        'class_teacher',
        'young_pioneers_leader',
        'college_counselor',
        'graduate_tutor',
        'subject_teacher',
        'mental_health_teacher',
      ]);
      await ledger.advance();
      const started = performance.now();
      await ledger.rebuild();
      const rebuildSeconds = (performance.now() - started) / 1000;
      say(`counted from the start in ${rebuildSeconds.toFixed(1)} s`);
      await pool.query('vacuum analyze');
      await pool.query(
        `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'coordinator', '${PROVINCE}', '2020-01-01', 'bench' from sample_sign_ins where key = 'coordinator'`,
      );

      const full: number[] = [];
      for (let turn = 0; turn < 5; turn += 1)
        full.push(await timed(async () => pool.query(FULL, [1, new Date().toISOString().slice(0, 10)])));
      say(`full aggregate: ${median(full).toFixed(0)} ms`);

      service = await startProcess(folder.path, {
        DATABASE_URL: url,
        XINQIAO_SAMPLES: 'staff',
        RATE_VIEWER: '900000000',
      });
      await sleep(1_000);
      const client = makeClient(service.url, 'coordinator');
      const units = await unitsOf(pool);
      const c = globalId('Certification', '1');
      const ask = async (query: string, variables: Record<string, unknown>): Promise<void> => {
        const answer = await client.ask(query, variables);
        // Reading the answer is the client's time.
        if (!answer.startsWith('{"data":{"coverage":{')) throw new Error(answer.slice(0, 500));
      };
      const measure = async (
        query: string,
        count: number,
        more: () => Record<string, unknown> = () => ({}),
        warmUp = WARM_UP,
      ) => {
        const times: number[] = [];
        for (let turn = 0; turn < count + warmUp; turn += 1) {
          const unit = units[(turn * 7919) % units.length]!;
          const time = await timed(async () => ask(query, { c, u: unit, ...more() }));
          if (turn >= warmUp) times.push(time);
        }
        return times;
      };
      const children = await measure(CHILDREN, requests!);
      const table = await measure(TABLE, requests!);
      const province = await repeated(40, async () => ask(TABLE, { c, u: globalId('Division', PROVINCE) }));
      const uncovered = await measure(UNCOVERED, requests!);
      let back = 0;
      const asOf = await measure(
        TABLE,
        Math.ceil(requests! / 10),
        () => {
          back = (back + 97) % 1000;
          return { on: new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10) };
        },
        5,
      );
      client.close();
      await db.destroy();
      const row = (what: string, times: readonly number[]) => ({
        what,
        'median ms': median(times).toFixed(1),
        'p95 ms': percentile(times, 95).toFixed(1),
        'max ms': Math.max(...times).toFixed(1),
      });
      return {
        rows: [
          row('full aggregate by county × role, in the database', full),
          row('a unit’s children × role, as a table, over HTTP', table),
          row('… of the province', province),
          row('… as an object for each role', children),
          row('… on a day of the last three years', asOf),
          row('50 people not covered, over HTTP', uncovered),
        ],
        figures: {
          ratio: round(median(full) / percentile(table, 95), 1),
          p95Ms: round(percentile(table, 95)),
          objectsP95Ms: round(percentile(children, 95)),
          notCoveredP95Ms: round(percentile(uncovered, 95)),
          asOfP95Ms: round(percentile(asOf, 95)),
          fullMs: round(median(full)),
          rebuildSeconds: round(rebuildSeconds),
          organizations: made.organizations,
          certificates: made.certificates,
        },
      };
    } finally {
      await service?.stop();
      await server.stop();
      await folder.remove();
    }
  },
};

/** Every division of the province, and as many schools as counties. */
async function unitsOf(pool: Pool): Promise<string[]> {
  const divisions = await pool.query<{ code: string }>(
    `select code from divisions where province_code = '${PROVINCE}' order by code`,
  );
  const schools = await pool.query<{ id: string }>(`select id from organizations order by id limit 120`);
  return [
    ...divisions.rows.map((row) => globalId('Division', row.code)),
    ...schools.rows.map((row) => globalId('Organization', row.id)),
  ];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function repeated(times: number, work: () => Promise<unknown>): Promise<number[]> {
  const all: number[] = [];
  for (let turn = 0; turn < times; turn += 1) all.push(await timed(work));
  return all;
}
