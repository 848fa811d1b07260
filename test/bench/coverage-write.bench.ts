import { makeCertificateService } from '../../src/certification/certificate.service.ts';
import { makeIssuing } from '../../src/certification/issuing.service.ts';
import { developmentKey } from '../../src/certification/signature/development.ts';
import { fileSigner } from '../../src/certification/signature/key-file.ts';
import { randomBytes } from 'node:crypto';
import { startApp } from '../../src/app.ts';
import { systemClock } from '../../src/clock.ts';
import { readConfig } from '../../src/config.ts';
import { makePool } from '../../src/db/database.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { silentLog } from '../../src/log.ts';
import type { HoldingsWatcher } from '../../src/people/holdings.ts';
import { makeDataFolder } from '../support/started-service.ts';
import { median, percentile, round, type Bench } from './frame.ts';
import { makeProvince, PROVINCE } from './province.ts';

/** Issues and keeps no count of anything. */
const unwatched: HoldingsWatcher = {
  around: async (_tx, _people, change) => change(),
  added: async () => {},
};

export const bench: Bench = {
  about: 'issuing a certificate with coverage kept, against the same without it, in turn',
  options: { people: 100_000, certificates: 300 },
  async run({ people, certificates }, say) {
    const server = await startScratch();
    const folder = await makeDataFolder();
    const url = await server.url('bench');
    const config = readConfig({
      XINQIAO_DATA: folder.path,
      PORT: '0',
      CONTENT_PORT: '0',
      DATABASE_URL: url,
    });
    const app = await startApp(config, silentLog);
    const pool = makePool(url, { name: 'bench', size: 2 });
    try {
      const made = await makeProvince(pool, people!);
      await app.ledger.rebuild();
      const { rows } = await pool.query<{ id: string }>(
        `
        with certification as (
          insert into certifications (code, title_zh, title_en, course_slug, roles, validity_months, division_code, issuer_name, template, template_version, minimum_hours_share, created_at)
          values ('issue', '学生心理健康守门人', 'Gatekeeper', 'core-gatekeeper', array['class_teacher', 'young_pioneers_leader', 'subject_teacher'], 36, '${PROVINCE}', '教育厅', 'standard', 1, 0, now()) returning id
        ), cohort as (
          insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'issue', 'class_teacher', '${PROVINCE}', now() from certification returning id, certification_id
        )
        insert into assignments (certification_id, person_id, cohort_id, period, created_at)
        select c.certification_id, p.id, c.id, 1, now() from cohort c cross join (select id from people where name like '教师%' order by id limit $1) p returning id`,
        [certificates! * 2],
      );
      await pool.query(`
        insert into activity_progress (assignment_id, activity_key, started_at, completed_at)
        select a.id, activity ->> 'key', now(), now() from assignments a join certifications c on c.id = a.certification_id and c.code = 'issue'
        join course_versions v on v.slug = c.course_slug and v.is_current cross join jsonb_array_elements(v.manifest -> 'modules') module cross join jsonb_array_elements(module -> 'activities') activity`);
      await pool.query(`
        insert into attempts (assignment_id, number, seed, drawn, started_at, deadline, submitted_at, points, max_points, percent, passed, must_pass_missed)
        select a.id, 1, 'x', '[]', now(), now(), now(), 9, 10, 90, true, 0 from assignments a join certifications c on c.id = a.certification_id and c.code = 'issue'`);
      await pool.query('vacuum analyze');
      await app.ledger.addRoleSet(['class_teacher', 'young_pioneers_leader', 'subject_teacher']);
      say(`${made.people} people; ${rows.length} have earned a certificate`);

      const signer = await fileSigner({
        file: await developmentKey(folder.path),
        passwordFile: undefined,
        chainFile: undefined,
      });
      const parts = {
        ...app.services,
        clock: systemClock,
        random: randomBytes,
        credentialKeys: config.credentialKeys,
        issuer: { signer, timestamper: undefined },
        log: silentLog,
      };
      const serviceWith = (holdings: HoldingsWatcher) =>
        makeCertificateService({ ...parts, holdings, issuing: makeIssuing({ ...parts, holdings }) });
      const kept = serviceWith(app.ledger);
      const bare = serviceWith(unwatched);
      const times = { kept: [] as number[], bare: [] as number[] };
      const order = [
        ['kept', kept],
        ['bare', bare],
      ] as const;
      for (const [index, { id }] of rows.entries()) {
        const [name, service] = order[index % 2]!;
        const started = performance.now();
        await service.issue(id);
        // The first ones read the fonts and warm up.
        if (index >= 40) times[name].push(performance.now() - started);
      }
      const { rows: issued } = await pool.query<{ count: number }>(
        `select count(*)::int from certificates k join certifications c on c.id = k.certification_id and c.code = 'issue'`,
      );
      if (issued[0]?.count !== rows.length)
        throw new Error(`${issued[0]?.count} of ${rows.length} were issued`);
      const row = (what: string, values: readonly number[]) => ({
        what,
        'median ms': median(values).toFixed(2),
        'p95 ms': percentile(values, 95).toFixed(2),
        'sum ms': values.reduce((sum, value) => sum + value, 0).toFixed(0),
      });
      return {
        rows: [row('issue, coverage kept', times.kept), row('issue, not kept', times.bare)],
        figures: {
          ratio: round(median(times.kept) / median(times.bare)),
          keptMs: round(median(times.kept)),
          bareMs: round(median(times.bare)),
        },
      };
    } finally {
      await pool.end();
      await app.stop();
      await server.stop();
      await folder.remove();
    }
  },
};
