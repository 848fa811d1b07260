import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import yazl from 'yazl';
import { writeRoster } from '../../src/commands/sample/roster.ts';
import { makeDatabase, makePool } from '../../src/db/database.ts';
import { startScratch } from '../../src/db/embedded.ts';
import { migrate } from '../../src/db/migrate.ts';
import { IMPORT, uploadOf } from '../support/service.ts';
import { makeDataFolder, startProcess, type StartedService } from '../support/started-service.ts';
import { round, type Bench } from './frame.ts';
import { PROVINCE } from './province.ts';

/** All that the rows of a roster are written into, in the order in which each finds what it refers to. */
const TABLES = [
  'organizations',
  'organization_student_counts',
  'people',
  'person_sources',
  'posts',
  'person_contacts',
];
const STATE = `query ($id: ID!) { node(id: $id) { ... on RosterImport { state reason(language: en) rowsRead rowsRefused peopleAdded postsAdded organizationsAdded
  progress { phase rowsDone rowsTotal rowsPerSecond secondsLeft } } } }`;

interface Asked {
  readonly state: string;
  readonly reason: string | null;
  readonly rowsRead: number;
  readonly rowsRefused: number;
  readonly peopleAdded: number;
  readonly postsAdded: number;
  readonly organizationsAdded: number;
  readonly progress: {
    phase: string;
    rowsDone: number;
    rowsTotal: number;
    secondsLeft: number | null;
  } | null;
}

export const bench: Bench = {
  about:
    'a province’s roster, uploaded as a zip through GraphQL until it is applied and coverage folded, against a bare COPY of the same rows into the same tables with their indexes; in turn, each into an empty database, the quickest turn of both',
  options: { people: 1_000_000, turns: 2 },
  async run({ people, turns }, say) {
    const server = await startScratch();
    const folder = await makeDataFolder();
    const files = await mkdtemp(join(tmpdir(), 'xinqiao-bench-'));
    try {
      const made = await writeRoster(
        { seed: 1, scope: { kind: 'province', code: PROVINCE, staff: people! }, today: '2026-09-01' },
        files,
      );
      const zip = await zipped(files);
      say(
        `${made.people} people, ${made.posts} posts, ${made.organizations} organizations; zip of ${round(zip.length / 2 ** 20, 1)} MB`,
      );
      const imports: Imported[] = [];
      const floors: number[] = [];
      for (let turn = 1; turn <= turns!; turn += 1) {
        const url = await server.url(`bench${turn}`);
        imports.push(await importOnce(url, folder.path, zip, say));
        if (turn === 1) await copyAllOut(url, files);
        floors.push(await copyAllIn(await server.url(`floor${turn}`), files));
        say(
          `turn ${turn}: import ${imports.at(-1)!.seconds.toFixed(1)} s, bare COPY ${floors.at(-1)!.toFixed(1)} s`,
        );
      }
      const { done, again } = imports[0]!;
      const seconds = Math.min(...imports.map((each) => each.seconds));
      const againSeconds = Math.min(...imports.map((each) => each.againSeconds));
      const floorSeconds = Math.min(...floors);
      const row = (what: string, took: number) => ({
        what,
        seconds: took.toFixed(1),
        'rows/s': Math.round(done.peopleAdded / took),
      });
      return {
        rows: [
          row('import, from the upload to folded coverage', seconds),
          row('the same file again, which changes nothing', againSeconds),
          row('bare COPY into the same tables', floorSeconds),
        ],
        figures: {
          ratio: round(floorSeconds / seconds),
          rowsPerSecond: Math.round(done.peopleAdded / seconds),
          peakMb: round(Math.max(...imports.map((each) => each.peakMb)), 0),
          againSeconds: round(againSeconds),
          againAdded: again.peopleAdded + again.postsAdded,
          people: done.peopleAdded,
          posts: done.postsAdded,
          organizations: done.organizationsAdded,
          refused: done.rowsRefused,
        },
      };
    } finally {
      await server.stop();
      await folder.remove();
      await rm(files, { recursive: true, force: true });
    }
  },
};

interface Imported {
  readonly done: Asked;
  readonly again: Asked;
  /** From the upload until coverage is folded. */
  readonly seconds: number;
  readonly againSeconds: number;
  readonly peakMb: number;
}

/** The roster into an empty database, and the same once more. */
async function importOnce(
  url: string,
  folder: string,
  zip: Buffer,
  say: (line: string) => void,
): Promise<Imported> {
  let service: StartedService | undefined;
  const pool = makePool(url, { name: 'bench', size: 2 });
  try {
    // A first start migrates and builds the pages, which is not what is measured.
    service = await startProcess(folder, { DATABASE_URL: url, XINQIAO_SAMPLES: 'staff' });
    await service.stop();
    service = await startProcess(folder, { DATABASE_URL: url, XINQIAO_SAMPLES: 'staff' });
    await pool.query(
      `insert into role_grants (person_id, role, division_code, starts_on, reason) select person_id, 'coordinator', '${PROVINCE}', '2020-01-01', 'bench' from sample_sign_ins where key = 'coordinator'`,
    );
    const begun = performance.now();
    const done = await importZip(service, zip, say);
    const applied = (performance.now() - begun) / 1000;
    for (;;) {
      const { rows } = await pool.query<{ left: boolean }>(
        'select exists (select from coverage_pending) as left',
      );
      if (rows[0]?.left !== true) break;
      await sleep(50);
    }
    const seconds = (performance.now() - begun) / 1000;
    say(`applied in ${applied.toFixed(1)} s, folded ${(seconds - applied).toFixed(1)} s later`);
    const againBegun = performance.now();
    const again = await importZip(service, zip, say);
    const againSeconds = (performance.now() - againBegun) / 1000;
    say(
      `the same file again: ${againSeconds.toFixed(1)} s, ${again.peopleAdded} people and ${again.postsAdded} posts added`,
    );
    return { done, again, seconds, againSeconds, peakMb: await peakMemory(folder) };
  } finally {
    await service?.stop();
    await pool.end();
  }
}

async function copyAllOut(url: string, files: string): Promise<void> {
  const pool = makePool(url, { name: 'bench', size: 2 });
  for (const table of ['divisions', ...TABLES]) await copyOut(pool, table, join(files, `${table}.copy`));
  await pool.end();
}

/** The same rows into the same tables of an empty database. @returns seconds, without the divisions, which a service has from its start. */
async function copyAllIn(url: string, files: string): Promise<number> {
  const pool = makePool(url, { name: 'bench', size: 2 });
  await migrate(makeDatabase(pool), pool);
  await copyIn(pool, 'divisions', join(files, 'divisions.copy'));
  const begun = performance.now();
  for (const table of TABLES) await copyIn(pool, table, join(files, `${table}.copy`));
  const seconds = (performance.now() - begun) / 1000;
  await pool.end();
  return seconds;
}

async function zipped(folder: string): Promise<Buffer> {
  const archive = new yazl.ZipFile();
  for (const name of await readdir(folder)) archive.addFile(join(folder, name), name);
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function importZip(service: StartedService, zip: Buffer, say: (line: string) => void): Promise<Asked> {
  const answer = await fetch(`${service.url}/graphql`, {
    method: 'POST',
    headers: { authorization: 'Bearer sample:coordinator' },
    body: uploadOf(IMPORT, { input: { divisionCode: PROVINCE, files: [null] } }, [
      { name: 'roster.zip', bytes: zip },
    ]),
  });
  const asked = (await answer.json()) as { data?: { importRoster: { rosterImport?: { id: string } } } };
  const id = asked.data?.importRoster.rosterImport?.id;
  if (id === undefined) throw new Error(JSON.stringify(asked));
  let told = '';
  const begun = performance.now();
  for (;;) {
    const { data } = await service.ask('coordinator', STATE, { id });
    const node = data.node as Asked;
    if (node.state === 'APPLIED') return node;
    if (node.state !== 'QUEUED') throw new Error(`${node.state}: ${node.reason ?? ''}`);
    if (node.progress !== null && node.progress.phase !== told) {
      told = node.progress.phase;
      say(`${((performance.now() - begun) / 1000).toFixed(1)} s: ${told}`);
    }
    await sleep(200);
  }
}

/** The most that the service's process ever held, in MB; 0 where the system does not tell. */
async function peakMemory(dataFolder: string): Promise<number> {
  let peak = 0;
  for (const id of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(id)) continue;
    const [environ, status] = await Promise.all(
      ['environ', 'status'].map(async (file) => readFile(`/proc/${id}/${file}`, 'utf8').catch(() => '')),
    );
    if (!environ!.split('\0').includes(`XINQIAO_DATA=${dataFolder}`)) continue;
    const kilobytes = Number(/^VmHWM:\s+(\d+) kB$/m.exec(status!)?.[1] ?? 0);
    peak = Math.max(peak, kilobytes / 1024);
  }
  return peak;
}

async function copyOut(pool: Pool, table: string, file: string): Promise<void> {
  const client = await pool.connect();
  await pipeline(client.query(copyTo(`copy ${table} to stdout`)), createWriteStream(file));
  client.release();
}

async function copyIn(pool: Pool, table: string, file: string): Promise<void> {
  const client = await pool.connect();
  await pipeline(createReadStream(file), client.query(copyFrom(`copy ${table} from stdin`)));
  client.release();
}
