import { randomBytes } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { Pool } from 'pg';
import { newCertificateNumber, newVerificationCode } from '../../src/certification/number.ts';
import { sampleClaims } from '../../src/commands/preview-certificate.ts';
import { makePool } from '../../src/db/database.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { makeDataFolder, startProcess } from '../support/started-service.ts';
import { median, percentile, round, type Bench } from './frame.ts';

const VERIFY = `query ($number: String!, $code: String!) { verifyCertificate(number: $number, code: $code) { number state codeMatched holderName validUntil } }`;
/** The least that has to be done: found by its number, on as many connections. */
const BARE =
  'select claims, verification_code, valid_until, revoked_on, superseded_at from certificates where number = $1';
const NAMES = ['欧阳静怡', '王芳', '李伟', '买买提·吐尔逊', '张秀英', '刘洋'];

interface Printed {
  readonly number: string;
  readonly code: string;
  readonly name: string;
}

/** Over connections that are kept. */
function makeClient(url: string, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    close: (): void => agent.destroy(),
    async post(path: string, value: unknown): Promise<string> {
      const body = JSON.stringify(value);
      return new Promise((resolve, reject) => {
        const sent = request(
          `${url}${path}`,
          {
            agent,
            method: 'POST',
            headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
          },
        );
        sent.on('error', reject);
        sent.end(body);
      });
    },
  };
}

export const bench: Bench = {
  about:
    'certificates verified through HTTP by nobody in particular: by number and code with GraphQL, one in a call of the REST endpoint, and lists of 500 numbers with names; beside the bare lookup by number in the same PostgreSQL',
  options: { certificates: 20_000, atOnce: 16, seconds: 5, rows: 500, lists: 15 },
  async run({ certificates, atOnce, seconds, rows, lists }, say) {
    const folder = await makeDataFolder();
    const server = await startEmbedded(folder.path);
    const url = await server.url('bench');
    const pool = makePool(url, { name: 'bench', size: atOnce! });
    try {
      const home = await makeDataFolder();
      const service = await startProcess(home.path, {
        DATABASE_URL: url,
        XINQIAO_SAMPLES: 'staff',
        // All of it comes from one address.
        RATE_ADDRESS: '0',
        RATE_VERIFICATION: '0',
        RATE_LIST: '0',
      });
      try {
        const printed = await makeCertificates(pool, certificates!);
        await pool.query('vacuum analyze');
        const client = makeClient(service.url, atOnce!);
        const any = (): Printed => printed[Math.floor(Math.random() * printed.length)]!;
        const byCode = async (): Promise<void> => {
          const { number, code, name } = any();
          const answer = await client.post('/graphql', { query: VERIFY, variables: { number, code } });
          if (!answer.includes('"state":"VALID"') || !answer.includes(`"holderName":"${name}"`))
            throw new Error(answer.slice(0, 300));
        };
        const byRest = async (): Promise<void> => {
          const { number, name } = any();
          const answer = await client.post('/api/verify', { certificates: [{ number, name }] });
          if (!answer.includes('"nameAgrees":true')) throw new Error(answer.slice(0, 300));
        };
        const list = async (): Promise<number> => {
          const asked = Array.from({ length: rows! }, any).map(({ number, name }) => ({ number, name }));
          const started = performance.now();
          const answer = await client.post('/api/verify', { certificates: asked });
          const took = performance.now() - started;
          const { results } = JSON.parse(answer) as { results: { outcome: string; nameAgrees: boolean }[] };
          if (results.length !== rows || results.some(({ nameAgrees }) => !nameAgrees))
            throw new Error(answer.slice(0, 300));
          return took;
        };
        const bare = async (): Promise<void> => {
          const found = await pool.query({ name: 'bare', text: BARE, values: [any().number] });
          if (found.rowCount !== 1) throw new Error('not found');
        };
        say('by number and code');
        await rate(byCode, atOnce!, 2);
        const codes = await rate(byCode, atOnce!, seconds!);
        say('by the REST endpoint');
        await rate(byRest, atOnce!, 1);
        const rest = await rate(byRest, atOnce!, seconds!);
        say(`lists of ${rows}`);
        await list();
        const took: number[] = [];
        for (let each = 0; each < lists!; each += 1) took.push(await list());
        const floor = await rate(bare, atOnce!, seconds!);
        client.close();
        const row = (what: string, { perSecond, times }: Rate) => ({
          what,
          'a second': round(perSecond, 0),
          'p50 ms': percentile(times, 50).toFixed(2),
          'p95 ms': percentile(times, 95).toFixed(2),
        });
        return {
          rows: [
            row('by number and code, GraphQL', codes),
            row('one row, REST', rest),
            {
              what: `a list of ${rows}, REST`,
              'a second': round(1000 / median(took), 1),
              'p50 ms': median(took).toFixed(2),
              'p95 ms': percentile(took, 95).toFixed(2),
            },
            row('bare lookup', floor),
          ],
          figures: {
            perSecond: round(codes.perSecond, 0),
            restPerSecond: round(rest.perSecond, 0),
            list500Ms: round(median(took)),
            p95Ms: round(percentile(codes.times, 95)),
            ratio: round(codes.perSecond / floor.perSecond, 3),
          },
        };
      } finally {
        await service.stop();
        await home.remove();
      }
    } finally {
      await pool.end();
      await server.stop();
      await folder.remove();
    }
  },
};

interface Rate {
  readonly perSecond: number;
  readonly times: readonly number[];
}

async function rate(work: () => Promise<void>, atOnce: number, seconds: number): Promise<Rate> {
  const times: number[] = [];
  const begun = performance.now();
  const end = begun + seconds * 1000;
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let now = performance.now(); now < end;) {
        await work();
        const then = performance.now();
        times.push(then - now);
        now = then;
      }
    }),
  );
  return { perSecond: (times.length * 1000) / (performance.now() - begun), times };
}

/** Valid ones that say what certificates say. By SQL: to draw and sign them is not what is measured. */
async function makeCertificates(pool: Pool, count: number): Promise<Printed[]> {
  const printed = Array.from({ length: count }, (_each, index) => ({
    number: newCertificateNumber(2026, randomBytes),
    code: newVerificationCode(randomBytes),
    name: NAMES[index % NAMES.length]!,
  }));
  const claims = printed.map(({ number, name }) =>
    JSON.stringify({ ...sampleClaims, number, holderName: name }),
  );
  await pool.query(
    `with c as (
       insert into certifications (code, title_zh, title_en, course_slug, roles, validity_months, division_code, issuer_name, template, template_version, created_at)
       values ('bench', '守门人', 'Gatekeeper', 'core-gatekeeper', array['class_teacher'], 36, '430121', '县教育局', 'standard', 2, now()) returning id
     ), o as (
       insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'bench', 'class_teacher', '430121', now() from c returning id
     ), p as (
       insert into people (name) select name from unnest($1::text[]) with ordinality as given (name, at) order by at returning id
     ), a as (
       insert into assignments (certification_id, person_id, cohort_id, period, created_at) select c.id, p.id, o.id, 1, now() from p, c, o returning id, person_id, certification_id
     )
     insert into certificates (number, verification_code, person_id, certification_id, assignment_id, period, claims, template, template_version, course_version_id, issued_at, valid_from, valid_until, pdf_digest, status_list, status_position)
     select g.number, g.code, a.person_id, a.certification_id, a.id, 1, g.claims, 'standard', 2, v.id, now(), current_date, current_date + 1095, g.number, 1 + g.at / 131072, g.at % 131072
     from (select *, row_number() over (order by id) as at from a) a
     join unnest($2::text[], $3::text[], $4::jsonb[]) with ordinality as g (number, code, claims, at) using (at)
     cross join (select id from course_versions where slug = 'core-gatekeeper' and is_current) v`,
    [
      printed.map(({ name }) => name),
      printed.map(({ number }) => number),
      printed.map(({ code }) => code),
      claims,
    ],
  );
  await pool.query('truncate log_pending');
  return printed;
}
