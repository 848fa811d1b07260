import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { makePool } from '../../src/db/database.ts';
import { startEmbedded } from '../../src/db/embedded.ts';
import { makeDataFolder, startProcess } from '../support/started-service.ts';
import { percentile, round, type Bench } from './frame.ts';

const LTI = 'https://purl.imsglobal.org/spec/lti/claim/';
const PEER = ['ltijs@5.9.9', 'ltijs-sequelize@2.4.4'];
interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A browser of one learner, with one connection that is kept alive, and cookies. */
function makeBrowser(subject: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let cookies = new Map<string, string>();
  return {
    subject,
    forget: (): void => void (cookies = new Map()),
    close: (): void => agent.destroy(),
    async go(url: string, form?: Readonly<Record<string, string>>): Promise<Answer> {
      const body = form === undefined ? undefined : new URLSearchParams(form).toString();
      return new Promise((resolve, reject) => {
        const sent = request(
          url,
          {
            agent,
            method: body === undefined ? 'GET' : 'POST',
            headers: {
              cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
              ...(body === undefined
                ? {}
                : {
                    'content-type': 'application/x-www-form-urlencoded',
                    'content-length': Buffer.byteLength(body),
                  }),
            },
          },
          (response) => {
            const chunks: Buffer[] = [];
            response.on('data', (chunk: Buffer) => chunks.push(chunk));
            response.on('end', () => {
              for (const line of response.headers['set-cookie'] ?? []) {
                const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!;
                cookies.set(name!, value!);
              }
              resolve({
                status: response.statusCode!,
                headers: response.headers,
                body: Buffer.concat(chunks).toString('utf8'),
              });
            });
          },
        );
        sent.on('error', reject);
        sent.end(body);
      });
    },
  };
}

const databaseOf = (url: string, name: string): string => url.replace(/\/bench(?=\?|$)/, `/${name}`);

export const bench: Bench = {
  about:
    'complete launches: login, ID token, session, and the first page with it, one after another by a browser that keeps its connection; beside a tool made with ltijs and its SQL store, and beside the least that a launch can be, on the same PostgreSQL, in turns, with the platform’s key at hand',
  options: { launches: 200, warmUp: 40, atOnce: 8, rounds: 3 },
  async run({ launches, warmUp, atOnce, rounds }, say) {
    const folder = await makeDataFolder();
    const home = await makeDataFolder();
    const peerFolder = await mkdtemp(join(tmpdir(), 'xinqiao-ltijs-'));
    const server = await startEmbedded(folder.path);
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'k', alg: 'RS256', use: 'sig' };
    const platform = createServer((_request, response) => {
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk] }));
    });
    await new Promise<void>((resolve) => platform.listen(0, '127.0.0.1', resolve));
    const issuer = `http://127.0.0.1:${(platform.address() as AddressInfo).port}`;
    const others: ChildProcess[] = [];
    try {
      say('installing ltijs');
      await writeFile(join(peerFolder, 'package.json'), '{"private":true}');
      await promisify(execFile)('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...PEER], {
        cwd: peerFolder,
      });
      const url = await server.url('bench');
      const service = await startProcess(home.path, {
        DATABASE_URL: url,
        XINQIAO_SAMPLES: 'staff',
        RATE_VIEWER: '0',
        RATE_ADDRESS: '0',
        OUTBOUND_ALLOW: '127.0.0.1',
      });
      try {
        const pool = makePool(url, { name: 'bench', size: 1 });
        for (const name of ['ltijs', 'floor']) await pool.query(`create database ${name}`);
        // Everybody is known already, as after the first day.
        await pool.query(
          `with r as (insert into lti_registrations (division_code, name, platform, issuer, client_id, auth_url, key_set_url, person_claim, way, registered_at)
             values ('430121', 'bench', 'other', $1, 'bench', $1 || '/auth', $1 || '/keys', 'person_sourcedid', 'manual', now()) returning id),
           p as (insert into people (name) select '王' || n from generate_series(1, $2::int) n returning id),
           d as (insert into lti_deployments (registration_id, deployment_id, state, created_at) select id, 'd1', 'open', now() from r)
           insert into lti_accounts (registration_id, subject, state, person_id, created_at, seen_at)
             select r.id, 'u' || row_number() over (order by p.id), 'linked', p.id, now(), now() from r, p`,
          [issuer, atOnce],
        );
        await pool.end();
        const port = (platform.address() as AddressInfo).port + 1;
        const floor = `http://127.0.0.1:${port + 1}`;
        /** Another tool, in a process of its own. */
        const begun = async (file: string, ...given: readonly string[]): Promise<void> => {
          const child = spawn(process.execPath, [join(import.meta.dirname, file), ...given], {
            stdio: ['ignore', 'pipe', 'inherit'],
            env: { ...process.env, NODE_ENV: 'production' },
          });
          others.push(child);
          await new Promise<void>((resolve, reject) => {
            child.stdout.on('data', (chunk: Buffer) => {
              if (chunk.toString().includes('ready')) resolve();
            });
            child.once('exit', (code) => reject(new Error(`${file} ended with ${code}.`)));
          });
        };
        await begun(
          'ltijs-tool.cjs',
          peerFolder,
          databaseOf(url, 'ltijs'),
          String(port),
          issuer,
          Buffer.from(publicKey.export({ format: 'pem', type: 'spki' })).toString('base64'),
        );
        await begun(
          'launch-floor.ts',
          databaseOf(url, 'floor'),
          String(port + 1),
          issuer,
          JSON.stringify(jwk),
        );

        const token = (subject: string, nonce: string, target: string): string => {
          const now = Math.floor(Date.now() / 1000);
          const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
          const text = `${part({ alg: 'RS256', kid: 'k', typ: 'JWT' })}.${part({
            iss: issuer,
            aud: 'bench',
            sub: subject,
            iat: now,
            exp: now + 60,
            nonce,
            name: '王明',
            [`${LTI}message_type`]: 'LtiResourceLinkRequest',
            [`${LTI}version`]: '1.3.0',
            [`${LTI}deployment_id`]: 'd1',
            [`${LTI}target_link_uri`]: target,
            [`${LTI}resource_link`]: { id: 'l1', title: 'x' },
            [`${LTI}roles`]: ['http://purl.imsglobal.org/vocab/lis/v2/membership#Learner'],
            [`${LTI}context`]: { id: 'c1', title: 'x' },
            [`${LTI}custom`]: {},
          })}`;
          return `${text}.${sign('RSA-SHA256', Buffer.from(text), privateKey).toString('base64url')}`;
        };
        type Browser = ReturnType<typeof makeBrowser>;
        const begin = async (browser: Browser, login: string, target: string) => {
          browser.forget();
          const sent = await browser.go(
            `${login}?${new URLSearchParams({ iss: issuer, login_hint: browser.subject, target_link_uri: target, lti_message_hint: 'h', client_id: 'bench' }).toString()}`,
          );
          const to = new URL(String(sent.headers['location']));
          return { state: to.searchParams.get('state')!, nonce: to.searchParams.get('nonce')! };
        };
        const sides = {
          ours: async (browser: Browser): Promise<void> => {
            const target = `${service.url}/lti/launch`;
            const { state, nonce } = await begin(browser, `${service.url}/lti/login`, target);
            const page = await browser.go(target, { state, id_token: token(browser.subject, nonce, target) });
            if (!page.body.includes('&quot;token&quot;:&quot;xqs_'))
              throw new Error(`${page.status} ${page.body}`);
          },
          ltijs: async (browser: Browser): Promise<void> => {
            const target = `http://127.0.0.1:${port}/app`;
            const { state, nonce } = await begin(browser, `http://127.0.0.1:${port}/login`, target);
            const launched = await browser.go(target, {
              state,
              id_token: token(browser.subject, nonce, target),
            });
            const page = await browser.go(new URL(String(launched.headers['location']), target).href);
            if (!page.body.includes('session of'))
              throw new Error(`${launched.status} ${page.body.slice(0, 300)}`);
          },
          floor: async (browser: Browser): Promise<void> => {
            const { state, nonce } = await begin(browser, `${floor}/login`, floor);
            const page = await browser.go(floor, { state, id_token: token(browser.subject, nonce, floor) });
            if (!page.body.startsWith('session ')) throw new Error(`${page.status} ${page.body}`);
          },
        };
        type Side = keyof typeof sides;
        // There and back, so that none always comes after the same.
        const inTurn = (turn: number): readonly Side[] =>
          turn % 2 === 0 ? ['ours', 'ltijs', 'floor'] : ['floor', 'ltijs', 'ours'];
        /** Of a side: how long each launch took, and all of them together, ms. */
        const one = { ours: [] as number[], ltijs: [] as number[], floor: [] as number[] };
        const many = { ours: [] as number[], ltijs: [] as number[], floor: [] as number[] };
        const took = { ours: 0, ltijs: 0, floor: 0 };
        const subjects = Array.from({ length: atOnce! }, (_, index) => `u${index + 1}`);
        const browsers = {
          ours: subjects.map(makeBrowser),
          ltijs: subjects.map(makeBrowser),
          floor: subjects.map(makeBrowser),
        };
        const open = async (side: Side, browser: Browser, times?: number[]): Promise<void> => {
          const started = performance.now();
          await sides[side](browser);
          times?.push(performance.now() - started);
        };
        for (let turn = 0; turn < launches! + warmUp!; turn += 1)
          for (const side of inTurn(turn))
            await open(side, browsers[side][0]!, turn < warmUp! ? undefined : one[side]);
        for (let lap = 0; lap < rounds! + 1; lap += 1)
          for (const side of inTurn(lap)) {
            const started = performance.now();
            await Promise.all(
              browsers[side].map(async (browser) => {
                for (let turn = 0; turn < launches! / atOnce!; turn += 1)
                  await open(side, browser, lap === 0 ? undefined : many[side]);
              }),
            );
            if (lap > 0) took[side] += performance.now() - started;
          }
        for (const browser of Object.values(browsers).flat()) browser.close();
        const row = (what: string, its: readonly number[], perSecond: number) => ({
          what,
          'launches/s': round(perSecond, 1),
          'p50 ms': percentile(its, 50).toFixed(2),
          'p95 ms': percentile(its, 95).toFixed(2),
        });
        return {
          rows: [
            row('Xinqiao, one after another', one.ours, 1000 / percentile(one.ours, 50)),
            row('ltijs, one after another', one.ltijs, 1000 / percentile(one.ltijs, 50)),
            row('the least there can be, one after another', one.floor, 1000 / percentile(one.floor, 50)),
            row(`Xinqiao, ${atOnce} at once`, many.ours, (many.ours.length / took.ours) * 1000),
            row(`ltijs, ${atOnce} at once`, many.ltijs, (many.ltijs.length / took.ltijs) * 1000),
            row(
              `the least there can be, ${atOnce} at once`,
              many.floor,
              (many.floor.length / took.floor) * 1000,
            ),
          ],
          figures: {
            ratio: round(percentile(one.ltijs, 50) / percentile(one.ours, 50)),
            ratioOfFloor: round(percentile(one.ltijs, 50) / percentile(one.floor, 50)),
            p50Ms: round(percentile(one.ours, 50)),
            p95Ms: round(percentile(one.ours, 95)),
            ratioAtOnce: round(percentile(many.ltijs, 50) / percentile(many.ours, 50)),
            perSecond: round((many.ours.length / took.ours) * 1000, 1),
          },
        };
      } finally {
        await service.stop();
      }
    } finally {
      for (const each of others) each.kill();
      platform.closeAllConnections();
      platform.close();
      await server.stop();
      await folder.remove();
      await home.remove();
      await rm(peerFolder, { recursive: true, force: true });
    }
  },
};
