import { setTimeout as sleep } from 'node:timers/promises';
import { startApp } from '../../src/app.ts';
import { readConfig } from '../../src/config.ts';
import { makePool } from '../../src/db/database.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { silentLog } from '../../src/log.ts';
import type { Viewer } from '../../src/people/permission.ts';
import { makeDataFolder } from '../support/started-service.ts';
import { percentile, round, type Bench } from './frame.ts';
import { makeProvince, PROVINCE } from './province.ts';

export const bench: Bench = {
  about:
    'a file of old certificates issued in lots by the worker, against as many requests of one row, one after the other',
  options: { people: 20_000, rows: 2_000, single: 200 },
  async run({ people, rows, single }, say) {
    const server = await startScratch();
    const folder = await makeDataFolder();
    const url = await server.url('bench');
    const app = await startApp(
      readConfig({ XINQIAO_DATA: folder.path, PORT: '0', CONTENT_PORT: '0', DATABASE_URL: url }),
      silentLog,
    );
    const pool = makePool(url, { name: 'bench', size: 2 });
    const { issueRequests } = app.services;
    try {
      const made = await makeProvince(pool, people!);
      await app.ledger.rebuild();
      await pool.query(`
        insert into certifications (code, title_zh, title_en, course_slug, roles, validity_months, division_code, issuer_name, template, template_version, minimum_hours_share, created_at)
        values ('old', '学生心理健康守门人', 'Gatekeeper', 'core-gatekeeper', array['class_teacher', 'young_pioneers_leader', 'subject_teacher'], 36, '${PROVINCE}', '教育厅', 'standard', 1, 0, now())`);
      await app.ledger.addRoleSet(['class_teacher', 'young_pioneers_leader', 'subject_teacher']);
      const { rows: staff } = await pool.query<{ id: string }>(
        `select distinct p.person_id as id from posts p where p.role in ('class_teacher', 'young_pioneers_leader', 'subject_teacher') and p.ends_on is null order by 1 limit $1`,
        [rows! + single! + 2],
      );
      const [asker, approver, ...holders] = staff.map(({ id }) => id);
      await pool.query(
        `insert into role_grants (person_id, role, division_code, starts_on, reason) values ($1, 'issuer', '${PROVINCE}', '2020-01-01', 'bench')`,
        [approver],
      );
      const viewer: Viewer = {
        personId: approver!,
        grants: [{ role: 'issuer', scope: { kind: 'division', code: PROVINCE } }],
      };
      const request = async (ids: readonly string[]): Promise<string> => {
        const { rows: added } = await pool.query<{ id: string }>(
          `insert into issue_requests (path, division_code, reason, requested_by, requested_at, rows_total) values ('imported', '${PROVINCE}', 'bench', $1, now(), $2) returning id`,
          [asker, ids.length],
        );
        await pool.query(
          `insert into issue_request_rows (request_id, line, person_id, certification_id, completed_on, valid_until, class_hours, evidence, old_number, issuing_body)
           select $1, n + 1, id, (select id from certifications where code = 'old'), current_date - 100, current_date + 900, 0, '省级班', 'A-' || id, '湖南省教师培训中心'
           from unnest($2::bigint[]) with ordinality as given (id, n)`,
          [added[0]!.id, ids],
        );
        return added[0]!.id;
      };
      await pool.query('vacuum analyze');
      say(`${made.people} people`);
      const inLots = async (ids: readonly string[]) => {
        const requestId = await request(ids);
        const started = performance.now();
        const cpu = process.cpuUsage();
        await issueRequests.approve(viewer, { requestId, remark: null });
        const answered = performance.now() - started;
        let issued: number | undefined;
        while (issued === undefined) {
          await sleep(50);
          const { rows: over } = await pool.query<{ issued: number }>(
            `select rows_issued as issued from issue_requests where id = $1 and state = 'approved'`,
            [requestId],
          );
          issued = over[0]?.issued;
        }
        if (issued !== ids.length) throw new Error(`Only ${issued} were issued.`);
        const { user, system } = process.cpuUsage(cpu);
        return {
          answered,
          perSecond: (ids.length * 1000) / (performance.now() - started),
          cpuMs: (user + system) / 1000 / ids.length,
        };
      };
      const requests: string[] = [];
      for (const id of holders.slice(rows)) requests.push(await request([id]));
      // Fonts and shared pages are read by the first of them.
      await issueRequests.approve(viewer, { requestId: requests.pop()!, remark: null });
      say(`${rows} in lots`);
      const lots = await inLots(holders.slice(0, rows));
      say(`${requests.length} one by one`);
      const waits: number[] = [];
      const started = performance.now();
      for (const requestId of requests) {
        const asked = performance.now();
        await issueRequests.approve(viewer, { requestId, remark: null });
        waits.push(performance.now() - asked);
      }
      const oneByOne = (requests.length * 1000) / (performance.now() - started);
      return {
        rows: [
          {
            what: 'in lots, by the worker',
            'certificates a second': round(lots.perSecond, 1),
            'answered after ms': round(lots.answered, 0),
          },
          {
            what: 'one by one',
            'certificates a second': round(oneByOne, 1),
            'answered after ms': round(percentile(waits, 50), 0),
          },
        ],
        figures: {
          perSecond: round(lots.perSecond, 1),
          // Of the service alone, each: what a machine that does other things too has to give.
          cpuMs: round(lots.cpuMs, 1),
          answeredMs: round(lots.answered, 0),
          singlePerSecond: round(oneByOne, 1),
          singleMs: round(percentile(waits, 50), 1),
          ratio: round(lots.perSecond / oneByOne, 2),
        },
      };
    } finally {
      await pool.end();
      await app.stop();
      await folder.remove();
      await server.stop();
    }
  },
};
