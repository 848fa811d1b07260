import { setTimeout as sleep } from 'node:timers/promises';
import { systemClock } from '../../src/clock.ts';
import { makeCoverageLedger } from '../../src/coverage/ledger.service.ts';
import { makeDatabase, makePool } from '../../src/db/database.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { silentLog } from '../../src/log.ts';
import {
  makeDataFolder,
  startProcess,
  type DataFolder,
  type StartedService,
} from '../support/started-service.ts';
import { makeClient } from './client.ts';
import { median, percentile, round, type Bench } from './frame.ts';
import { makeProvince, PROVINCE } from './province.ts';

const PAGE = `query ($c: ID!, $u: ID!, $after: String) { coverage(certificationId: $c, unitId: $u) {
  uncovered(first: 50, after: $after) { nodes { person { name staffNumber } organization { name } roles } pageInfo { hasNextPage endCursor } } } }`;
const WARM_UP = 200;

const globalId = (type: string, id: string): string => Buffer.from(`${type}:${id}`).toString('base64');

export const bench: Bench = {
  about:
    'a page of 50 people through GraphQL over HTTP, by a coordinator of a county, with the policies of the second lock and on the same data without them',
  options: { people: 100_000, requests: 400 },
  async run({ people, requests }, say) {
    const server = await startScratch();
    const folders: DataFolder[] = [];
    const services: StartedService[] = [];
    const start = async (url: string): Promise<StartedService> => {
      const folder = await makeDataFolder();
      folders.push(folder);
      const service = await startProcess(folder.path, {
        DATABASE_URL: url,
        XINQIAO_SAMPLES: 'staff',
        RATE_VIEWER: '0',
      });
      services.push(service);
      return service;
    };
    try {
      const url = await server.url('locked');
      // A first start migrates, and brings divisions and staff.
      await (await start(url)).stop();
      const pool = makePool(url, { name: 'bench', size: 2 });
      const db = makeDatabase(pool);
      const made = await makeProvince(pool, people!);
      const ledger = makeCoverageLedger({ db, clock: systemClock, log: silentLog });
      await ledger.advance();
      await ledger.rebuild();
      // A coordinator of one county, whom the policies have something to keep from.
      const { rows: counties } = await pool.query<{ code: string }>(
        `select county_code as code from organizations where province_code = '${PROVINCE}' group by 1 having count(*) > 3 order by 1 limit 20`,
      );
      await pool.query(
        `insert into role_grants (person_id, role, division_code, starts_on, reason) select s.person_id, 'coordinator', code, '2020-01-01', 'bench' from sample_sign_ins s, unnest($1::text[]) code where key = 'coordinator'`,
        [counties.map(({ code }) => code)],
      );
      await pool.query('vacuum analyze');
      await db.destroy();
      const admin = makePool(await server.url('postgres'), { name: 'bench', size: 1 });
      await admin.query('create database unlocked template locked');
      await admin.end();
      const unlockedUrl = await server.url('unlocked');
      const unlocked = makePool(unlockedUrl, { name: 'bench', size: 1 });
      const { rows: tables } = await unlocked.query<{ name: string }>(
        `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity`,
      );
      for (const { name } of tables) await unlocked.query(`alter table ${name} disable row level security`);
      await unlocked.query('vacuum analyze');
      await unlocked.end();
      say(`${made.people} people, ${made.certificates} certificates; ${tables.length} tables with policies`);

      const both = {
        with: makeClient((await start(url)).url, 'coordinator'),
        without: makeClient((await start(unlockedUrl)).url, 'coordinator'),
      };
      await sleep(1_000);
      const c = globalId('Certification', '1');
      const times = { with: [] as number[], without: [] as number[] };
      for (let turn = 0; turn < requests! + WARM_UP; turn += 1) {
        const u = globalId('Division', counties[turn % counties.length]!.code);
        const answers: string[] = [];
        // In turns, and each first every other time: the machine is the same for both.
        for (const which of turn % 2 === 0
          ? (['with', 'without'] as const)
          : (['without', 'with'] as const)) {
          const started = performance.now();
          const answer = await both[which].ask(PAGE, { c, u });
          if (turn >= WARM_UP) times[which].push(performance.now() - started);
          answers.push(answer);
        }
        if (answers[0] !== answers[1] || !answers[0]!.includes('"staffNumber"'))
          throw new Error(
            `They answer differently: ${answers.map((each) => each.slice(0, 300)).join(' and ')}`,
          );
      }
      both.with.close();
      both.without.close();
      const row = (what: string, its: readonly number[]) => ({
        what,
        'median ms': median(its).toFixed(2),
        'p95 ms': percentile(its, 95).toFixed(2),
      });
      return {
        rows: [row('50 people, with policies', times.with), row('50 people, without', times.without)],
        figures: {
          ratio: round(median(times.with) / median(times.without)),
          p95Ratio: round(percentile(times.with, 95) / percentile(times.without, 95)),
          medianMs: round(median(times.with)),
          p95Ms: round(percentile(times.with, 95)),
        },
      };
    } finally {
      for (const service of services) await service.stop();
      await server.stop();
      for (const folder of folders) await folder.remove();
    }
  },
};
