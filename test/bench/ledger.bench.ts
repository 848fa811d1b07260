import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { actingAs } from '../../src/db/acting.ts';
import { makeDatabase, makePool, type Database } from '../../src/db/database.ts';
import { startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { VIEWER_ROLE } from '../../src/db/apply-lock.ts';
import { makeTimeService } from '../../src/learning/time.service.ts';
import { silentLog } from '../../src/log.ts';
import { forViewer } from '../../src/people/acting.ts';
import type { Viewer } from '../../src/people/permission.ts';
import { makeDataFolder } from '../support/started-service.ts';
import { median, round, type Bench } from './frame.ts';
import { makeProvince, PROVINCE } from './province.ts';

const START = Date.parse('2030-03-04T00:00:00Z');
const ROUNDS = 4;

export const bench: Bench = {
  about:
    'heartbeats taken by the service (proof, claims, every cap, one statement each), against bare inserts of a row like a stretch, one statement each on the same connections, in turn',
  options: { people: 10_000, sittings: 1_000, beats: 8, atOnce: 32 },
  async run({ people, sittings, beats, atOnce }, say) {
    const server = await startScratch();
    const folder = await makeDataFolder();
    const url = await server.url('bench');
    const app = await startApp(
      readConfig({ XINQIAO_DATA: folder.path, PORT: '0', CONTENT_PORT: '0', DATABASE_URL: url }),
      silentLog,
    );
    const pool = makePool(url, { name: 'bench', size: 2 });
    const serving = makePool(url, { name: 'bench-serving', size: 20, role: VIEWER_ROLE });
    const db = makeDatabase(serving);
    try {
      await makeProvince(pool, people!);
      const { rows } = await pool.query<{ id: string; person_id: string }>(
        `
        with certification as (
          insert into certifications (code, title_zh, title_en, course_slug, roles, division_code, issuer_name, template, template_version, created_at)
          values ('time', '学生心理健康守门人', 'Gatekeeper', 'core-gatekeeper', array['class_teacher'], '${PROVINCE}', '教育厅', 'standard', 1, now()) returning id
        ), cohort as (
          insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'time', 'class_teacher', '${PROVINCE}', now() from certification returning id, certification_id
        )
        insert into assignments (certification_id, person_id, cohort_id, period, created_at)
        select c.certification_id, p.id, c.id, 1, now() from cohort c cross join (select id from people where name like '教师%' order by id limit $1) p returning id, person_id`,
        [sittings],
      );
      // A row like a stretch, with its index and its key to the assignment, and nothing to be decided.
      await pool.query(`
        create table bare_beats (id bigint generated always as identity primary key, assignment_id bigint not null references assignments, activity_key text not null,
          at timestamptz not null, credited_ms bigint not null, interactions integer not null, visible boolean not null);
        create index on bare_beats (assignment_id, activity_key);
        grant insert, select on bare_beats to xinqiao_issuer; grant usage on all sequences in schema public to xinqiao_issuer`);

      let now = START;
      const time = makeTimeService({
        db,
        clock: { now: () => new Date(now) },
        random: randomBytes,
        identityKey: randomBytes(32),
        programmes: app.services.programmes,
        reachedTask: 'issue-certificate',
      });
      const { manifest } = (await app.services.courses.findCurrent(app.db, 'core-gatekeeper'))!;
      const activityKey = manifest.modules[0]!.activities[0]!.key;
      const viewers = rows.map((row): Viewer => ({ personId: row.person_id, grants: [] }));
      let proofs: string[] = [];
      await eachAtOnce(rows, atOnce!, async ({ id }, index) => {
        const { proof } = await forViewer(viewers[index], async () =>
          time.open(viewers[index]!, { assignmentId: id, activityKey, device: null }),
        );
        proofs[index] = proof;
      });
      await pool.query('vacuum analyze');
      say(`${rows.length} pages are open`);

      const took = { ours: [] as number[], bare: [] as number[] };
      const beat = async (): Promise<void> => {
        now += 20_000;
        const next: string[] = [];
        const started = performance.now();
        await eachAtOnce(rows, atOnce!, async (_row, index) => {
          const ticket = await forViewer(viewers[index], async () =>
            time.beat(viewers[index]!, { proof: proofs[index]!, visible: true, interactions: index % 7 }),
          );
          if (ticket.addedMs !== 20_000) throw new Error(`A heartbeat added ${ticket.addedMs} ms`);
          next[index] = ticket.proof;
        });
        took.ours.push(performance.now() - started);
        proofs = next;
      };
      const insert = async (): Promise<void> => {
        const started = performance.now();
        await eachAtOnce(rows, atOnce!, async ({ id }, index) =>
          forViewer(viewers[index], async () =>
            actingAs('issuer', async () => insertBare(db, id, activityKey, new Date(now), index % 7)),
          ),
        );
        took.bare.push(performance.now() - started);
      };
      for (let round = 0; round < beats!; round++) {
        // Whoever comes second finds the caches warm.
        for (const work of round % 2 === 0 ? [beat, insert] : [insert, beat]) await work();
        if ((round + 1) % ROUNDS === 0) say(`${round + 1} of ${beats} rounds`);
      }
      const { rows: kept } = await pool.query<{ ms: string }>(
        'select sum(credited_ms) as ms from time_totals',
      );
      if (Number(kept[0]!.ms) !== rows.length * beats! * 20_000)
        throw new Error(`The ledger has ${kept[0]!.ms} ms`);

      const rate = (ms: readonly number[]): number => (rows.length * 1000) / median(ms);
      const [ours, bare] = [rate(took.ours), rate(took.bare)];
      return {
        rows: [
          { what: 'heartbeats', 'a second': ours.toFixed(0), 'ms each at once': (1000 / ours).toFixed(3) },
          { what: 'bare inserts', 'a second': bare.toFixed(0), 'ms each at once': (1000 / bare).toFixed(3) },
        ],
        figures: {
          ratio: round2(ours / bare),
          beatsPerSecond: Math.round(ours),
          insertsPerSecond: Math.round(bare),
          sittings: rows.length,
        },
      };
    } finally {
      await pool.end();
      await db.destroy();
      await app.stop();
      await server.stop();
      await folder.remove();
    }
  },
};

const round2 = (value: number): number => round(value, 2);

async function insertBare(
  db: Database,
  assignmentId: string,
  activityKey: string,
  at: Date,
  interactions: number,
): Promise<void> {
  await sql`/* prepared alone */ insert into bare_beats (assignment_id, activity_key, at, credited_ms, interactions, visible)
    values (${assignmentId}::bigint, ${activityKey}, ${at}::timestamptz, 20000, ${interactions}::integer, true)`.execute(
    db,
  );
}

/** Runs `work` for each, so many at a time. */
async function eachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let index = next++; index < items.length; index = next++) await work(items[index]!, index);
    }),
  );
}
