import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, validate } from 'graphql';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../schema/schema.ts';
import * as contract from '../../src/commands/roster/contract.ts';
import { describeProgress, StatusLine, visible, widthOf } from '../../src/commands/roster/screen.ts';
import { projectFolder } from '../../src/config.ts';
import { smallRoster, startService, until, type TestService } from '../support/service.ts';

interface Command {
  readonly process: ChildProcess;
  said(): string;
  readonly end: Promise<{ code: number | null; out: string; err: string }>;
}

/** As `npm run roster:import` runs it. */
function start(args: readonly string[], env: Readonly<Record<string, string>>): Command {
  const child = spawn(process.execPath, ['src/commands/import-roster.ts', ...args], {
    cwd: projectFolder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return {
    process: child,
    said: () => err,
    end: new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err }))),
  };
}

describe('npm run roster:import', () => {
  let service: TestService;
  let folder: string;
  const proxies: Server[] = [];
  beforeAll(async () => {
    service = await startService();
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-upload-'));
  });
  afterEach(() => {
    for (const proxy of proxies.splice(0)) proxy.close();
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  /** A folder of these files. */
  const folderOf = async (files: readonly { name: string; bytes: Uint8Array }[]): Promise<string> => {
    const path = await mkdtemp(join(folder, 'roster-'));
    for (const file of files) await writeFile(join(path, file.name), file.bytes);
    return path;
  };
  const command = (
    args: readonly string[],
    { as = 'sample:coordinator', server = service.app.publicUrl }: { as?: string; server?: string } = {},
  ): Command => start([...args, '--division', '430121', '--server', server], { XINQIAO_TOKEN: as });
  const run = async (...args: Parameters<typeof command>) => command(...args).end;
  const imports = async () =>
    (
      await service.database.pool.query(
        'select (select count(*)::int from roster_imports) as imports, (select count(*)::int from roster_import_files) as files',
      )
    ).rows[0] as { imports: number; files: number };
  /** As if another import of the source were at work: those that come have to wait. */
  const hold = async (): Promise<() => Promise<void>> => {
    const other = await service.database.pool.connect();
    await other.query("select pg_advisory_lock(hashtextextended('roster:division:430121', 0))");
    return async () => {
      await other.query("select pg_advisory_unlock(hashtextextended('roster:division:430121', 0))");
      other.release();
    };
  };
  /** A way to the service where each piece on its way there is passed on, cut off or left lying. @returns its origin. */
  const proxy = async (judge: (piece: Buffer, sent: number) => 'pass' | 'cut' | 'stall'): Promise<string> => {
    const server = createServer((client: Socket) => {
      const { hostname, port } = new URL(service.app.publicUrl);
      const there = connect(Number(port), hostname);
      let sent = 0;
      const cut = (): void => {
        client.destroy();
        there.destroy();
      };
      client.on('data', (piece: Buffer) => {
        sent += piece.length;
        const judged = judge(piece, sent);
        if (judged === 'cut') cut();
        else if (judged === 'stall') client.pause();
        else there.write(piece);
      });
      there.on('data', (piece: Buffer) => client.write(piece));
      for (const socket of [client, there]) socket.on('error', cut).on('close', cut);
    });
    proxies.push(server);
    const port = await new Promise<number>((resolve) =>
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port)),
    );
    return `http://127.0.0.1:${port}`;
  };

  it('asks for what the contract has', () => {
    for (const query of [contract.MAY, contract.IMPORT, contract.CANCEL, contract.STATE, contract.RESULT])
      expect(validate(schema, parse(query))).toEqual([]);
  });

  it('takes a folder in, and tells what was added', async () => {
    const path = await folderOf([
      ...smallRoster([{ id: 'a1', family: '王', given: '一' }]),
      { name: 'notes.txt', bytes: Buffer.from('not for upload') },
      { name: 'demographics.csv', bytes: Buffer.from('not for upload') },
      { name: '~$open.xlsx', bytes: Buffer.from('x') },
    ]);
    await mkdir(join(path, 'old.xlsx'));
    const { code, out, err } = await run([path]);
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('Packing orgs.csv, users.csv\n') });
    expect(out).toMatch(/^Import \S+ for 430121: it went in\.\n/);
    expect(out).toContain('  organizations  3 added, 0 changed\n');
    expect(out).toContain('  people         1 added, 0 changed, 0 left out of the file\n');
    expect(out).toContain('  refused        0 rows\n');
    const again = await run([path]);
    expect(again.out).toContain('  people         0 added, 0 changed');
  });

  it('takes a zip and single files as they are', async () => {
    const [orgs, users] = smallRoster([{ id: 'b1', family: '王', given: '二' }]);
    const path = await folderOf([orgs!, users!]);
    expect((await run([join(path, 'orgs.csv'), join(path, 'users.csv')])).code).toBe(0);
    const broken = join(await folderOf([{ name: 'roster.zip', bytes: Buffer.from('no zip') }]), 'roster.zip');
    const { code, out } = await run([broken]);
    expect(code).toBe(1);
    expect(out).toMatch(/refused whole, nothing was written\.\nroster\.zip: it is not a zip file/);
  });

  it('tells the first twenty refused rows as a table, and that there are more', async () => {
    const people = Array.from({ length: 25 }, (_each, index) => ({
      id: `c${index}`,
      family: index === 0 ? '李' : '',
      given: '三',
      ...(index === 1 ? { family: '张', starts: '\u001B[31m红' } : {}),
    }));
    const path = await folderOf(smallRoster(people));
    const { code, out } = await run([path]);
    expect(code).toBe(3);
    expect(out).toContain('  refused        24 rows\n');
    const lines = out.split('\n');
    const head = lines.findIndex((line) => line.startsWith('file '));
    expect(lines[head]).toMatch(/^file +line {2}column +value +reason$/);
    expect(lines.slice(head + 1, -2)).toHaveLength(20);
    expect(lines[head + 2]).toMatch(/^users\.csv {2}4 +familyName +familyName is empty\.$/);
    // What a file says is no command to the terminal.
    expect(lines[head + 1]).toMatch(/metadata\.postStarts +\uFFFD\[31m红/);
    expect(lines.at(-2)).toMatch(/… and more/);
    // Columns stand below each other, Chinese being twice as wide.
    const reasonAt = (line: string, reason: string): number => widthOf(line.slice(0, line.indexOf(reason)));
    expect(reasonAt(lines[head + 2]!, 'familyName is empty')).toBe(reasonAt(lines[head]!, 'reason'));
  });

  it('tells in a dry run what would be, and says so', async () => {
    const path = await folderOf(smallRoster([{ id: 'd1', family: '赵', given: '一' }]));
    const { code, out, err } = await run([path, '--dry-run']);
    expect(code).toBe(0);
    expect(out).toContain('checked. This is what it would do; nothing was written.');
    expect(out).toContain('  people         1 added');
    expect(err).toContain('without --dry-run');
    expect((await run([path, '--dry-run'])).out).toContain('  people         1 added');
  });

  it('passes on whose numbering it is, who has left and how many may', async () => {
    const person = (id: string) => ({ id, family: '孙', given: id });
    const all = Array.from({ length: 8 }, (_each, index) => person(`e${index}`));
    const source = ['--source', 'school-system'];
    expect((await run([await folderOf(smallRoster(all)), ...source])).code).toBe(0);
    const less = await folderOf(smallRoster(all.slice(0, 1)));
    const refused = await run([less, ...source, '--end-missing']);
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/refused whole.*\nIt would end 7 of 8 open posts/);
    const ended = await run([less, ...source, '--end-missing', '--most-ended', '0.9']);
    expect(ended.code).toBe(0);
    expect(ended.out).toContain('7 left out of the file');
    expect(ended.out).toContain('7 of these ended');
    const { rows } = await service.database.pool.query(
      'select distinct source from roster_imports order by 1',
    );
    expect(rows.map((row) => row.source)).toEqual(['division:430121', 'division:430121/school-system']);
  });

  it('tells how far it is', async () => {
    const release = await hold();
    const path = await folderOf(smallRoster([]));
    const waiting = command([path]);
    await until(async () => (waiting.said().includes('Waiting for its turn\n') ? true : undefined));
    await service.database.pool.query(
      `insert into roster_progress (import_id, phase, rows_done, rows_total, phase_began_at, told_at)
       select max(id), 'matching', 4000, 10000, '2026-01-01T00:00:00Z', '2026-01-01T00:00:02Z' from roster_imports`,
    );
    await until(async () =>
      waiting
        .said()
        .includes('Comparing with what is known: 4,000 of 10,000 rows, 2,000 rows/s, 3 s left of this\n')
        ? true
        : undefined,
    );
    await release();
    expect((await waiting.end).code).toBe(0);
    expect(waiting.said()).toContain('Uploading: ');
  });

  it('asks the import to stop at Ctrl-C and waits for it, however often npm passes the same one on', async () => {
    const release = await hold();
    const path = await folderOf(smallRoster([{ id: 'f1', family: '周', given: '一' }]));
    const waiting = command([path]);
    await until(async () => (waiting.said().includes('Waiting for its turn') ? true : undefined));
    waiting.process.kill('SIGINT');
    waiting.process.kill('SIGINT');
    await until(async () => (waiting.said().includes('Asked it to stop') ? true : undefined));
    await release();
    const { code, out } = await waiting.end;
    expect(code).toBe(1);
    expect(out).toContain('stopped, nothing was written.');
    const { rows } = await service.database.pool.query("select from person_sources where source_id = 'f1'");
    expect(rows).toEqual([]);
  });

  it('leaves at once at the second Ctrl-C, and says what goes on', async () => {
    const release = await hold();
    const waiting = command([await folderOf(smallRoster([]))]);
    await until(async () => (waiting.said().includes('Waiting for its turn') ? true : undefined));
    waiting.process.kill('SIGINT');
    await until(async () => (waiting.said().includes('Asked it to stop') ? true : undefined));
    await sleep(500);
    waiting.process.kill('SIGINT');
    expect(await waiting.end).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringMatching(/Left\. What becomes of import \S+ tells GraphQL\.\n$/),
    });
    await release();
  });

  it('goes on when the service was away for a moment', async () => {
    const release = await hold();
    let away = false;
    const server = await proxy(() => (away ? 'cut' : 'pass'));
    const waiting = command([await folderOf(smallRoster([]))], { server });
    await until(async () => (waiting.said().includes('Waiting for its turn') ? true : undefined));
    away = true;
    await until(async () => (waiting.said().includes('Asking again') ? true : undefined));
    away = false;
    await release();
    expect((await waiting.end).code).toBe(0);
  });

  describe('an upload that is cut off', () => {
    const bulky = async () => folderOf([{ name: '教师.xlsx', bytes: randomBytes(8 * 1024 * 1024) }]);

    it('halfway was not taken in, and it says so', async () => {
      const before = await imports();
      const server = await proxy((_piece, sent) => (sent > 2 * 1024 * 1024 ? 'cut' : 'pass'));
      const { code, out, err } = await run([await bulky()], { server });
      expect({ code, out }).toEqual({ code: 1, out: '' });
      expect(err).toMatch(
        /ended in the middle .*not complete, so nothing was taken in\. Run the command again\.\n$/,
      );
      expect(await imports()).toEqual(before);
    });

    it('after its last byte may have been, and it says so', async () => {
      // The end of a body whose length was not told.
      const server = await proxy((piece) =>
        piece.toString('latin1').endsWith('\r\n0\r\n\r\n') ? 'cut' : 'pass',
      );
      const { code, err } = await run([await folderOf(smallRoster([]))], { server });
      expect(code).toBe(1);
      expect(err).toMatch(
        /may have been taken in\. Run the command again: the same files twice change nothing\.\n$/,
      );
    });

    it('by Ctrl-C was not', async () => {
      const before = await imports();
      let stalled = false;
      const server = await proxy((_piece, sent) => {
        stalled ||= sent > 100_000;
        return stalled ? 'stall' : 'pass';
      });
      const sending = command([await bulky()], { server });
      await until(async () => (stalled ? true : undefined));
      await sleep(300);
      sending.process.kill('SIGINT');
      expect(await sending.end).toMatchObject({
        code: 1,
        err: expect.stringMatching(/Stopped before the upload was complete: nothing was taken in\.\n$/),
      });
      expect(await imports()).toEqual(before);
    });

    it('by the service, since it is too large, is told with the limit', async () => {
      const { code, err } = await run([
        await folderOf([{ name: 'a.xlsx', bytes: Buffer.alloc(70 * 1024 * 1024) }]),
      ]);
      expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('larger than 65 MB') });
    });
  });

  describe('says in one line', () => {
    it.each([
      ['that there is no such folder', ['nowhere'], 2, /^There is no file or folder nowhere\.\n$/],
      [
        'that there is nothing to read',
        ['migrations'],
        2,
        /^There is nothing to read in migrations: neither manifest\.csv.*\n$/,
      ],
      [
        'that two files have one name',
        ['package.json', './package.json'],
        2,
        /^package\.json is given twice\.\n$/,
      ],
      ['what is missing', [], 2, /^The folder or the files are missing\. Usage: .*\n$/],
      [
        'that a share is none',
        ['x', '--most-ended', '30'],
        2,
        /^--most-ended must be a share from 0 to 1, not "30"\. Usage/,
      ],
      [
        'that an option is unknown',
        ['x', '--division-code', '430121'],
        2,
        /^Unknown option '--division-code'\. Usage/,
      ],
    ])('%s', async (_name, args, code, said) => {
      const ended = await run(args);
      expect({ code: ended.code, out: ended.out }).toEqual({ code, out: '' });
      expect(ended.err).toMatch(said);
    });

    it('that there is no token, and no division', async () => {
      expect(await start(['schema', '--division', '430121'], {}).end).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^XINQIAO_TOKEN is not set.*\n$/),
      });
      expect(await start(['schema'], { XINQIAO_TOKEN: 'x' }).end).toMatchObject({
        code: 2,
        err: expect.stringMatching(/^--division is missing.*\n$/),
      });
    });

    it('that nobody is signed in with the token, or may not import there', async () => {
      const path = await folderOf(smallRoster([]));
      const before = await imports();
      const nobody = await run([path], { as: 'made-up' });
      expect(nobody).toMatchObject({ code: 1, err: expect.stringMatching(/does not know the token.*\n$/) });
      expect(nobody.err).not.toContain('made-up');
      expect(await run([path], { as: 'sample:hr' })).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^赵明 may not import for 430121.*\n$/),
      });
      expect(await imports()).toEqual(before);
    });

    it('that the service is not there, or another one is', async () => {
      const path = await folderOf(smallRoster([]));
      const gone = createServer();
      const port = await new Promise<number>((resolve) =>
        gone.listen(0, '127.0.0.1', () => resolve((gone.address() as { port: number }).port)),
      );
      await new Promise((resolve) => gone.close(resolve));
      // The address is that of the service's own settings where --server says nothing.
      expect(
        await start([path, '--division', '430121'], { XINQIAO_TOKEN: 'x', PORT: String(port) }).end,
      ).toMatchObject({
        code: 1,
        err: expect.stringMatching(/^There is no answer at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED.*\n$/),
      });
      expect(await run([path], { server: service.app.contentUrl })).toMatchObject({ code: 1, out: '' });
    });
  });
});

describe('the line that tells how far an import is', () => {
  it('is written over on a terminal, and never wider than it', () => {
    const written: string[] = [];
    const line = new StatusLine({ isTTY: true, columns: 12, write: (text) => written.push(text) });
    line.show('a', '正在读取文件正在');
    line.show('a', 'short\u001B[2J');
    line.say('It stays.');
    expect(written).toEqual([
      '\r\u001B[2K正在读取文…',
      '\r\u001B[2Kshort\uFFFD[2J',
      '\r\u001B[2K',
      'It stays.\n',
    ]);
  });

  it('comes now and then elsewhere', () => {
    const written: string[] = [];
    let now = 0;
    const line = new StatusLine({ write: (text) => written.push(text) }, () => now);
    for (; now < 12_000; now += 1000) line.show('reading', `${now}`);
    line.show('writing', 'another');
    expect(written).toEqual(['0\n', '5000\n', '10000\n', 'another\n']);
  });

  it('leaves out what is not known yet', () => {
    expect(
      describeProgress({
        phase: 'READING',
        rowsDone: 0,
        rowsTotal: 5,
        rowsPerSecond: null,
        secondsLeft: null,
      }),
    ).toBe('Reading the files: 0 of 5 rows');
    expect(visible('a\u202Eb\nc')).toBe('a\uFFFDb\uFFFDc');
  });
});
