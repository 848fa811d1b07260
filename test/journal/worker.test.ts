import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePool } from '../../src/db/database.ts';
import { insertDebt } from '../../src/journal/journal.repository.ts';
import { startWorker, type RunningWorker, type Task } from '../../src/journal/worker.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { projectFolder } from '../../src/config.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/service.ts';

/** As the worker's own; see src/journal/worker.ts. */
const LIVENESS_LOCK = 0x78_71;

describe('what is owed', () => {
  let database: TestDatabase;
  let done: string[];
  const workers: RunningWorker[] = [];
  const children: ChildProcess[] = [];
  const logged: string[] = [];
  const note = (fields: unknown, message?: string) => void logged.push(message ?? String(fields));
  const log: Log = { ...silentLog, warn: note, error: note };

  beforeEach(async () => {
    database = await makeTestDatabase();
    done = [];
    logged.length = 0;
  });
  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    for (const worker of workers.splice(0)) await worker.stop();
    await database.drop();
  });

  const owe = async (
    name: string,
    more: { key?: string; task?: string; notBefore?: Date } = {},
  ): Promise<void> =>
    database.db
      .transaction()
      .execute(async (tx) => insertDebt(tx, { task: 'hold', payload: { name }, key: name, ...more }));
  const work = async (tasks: Record<string, Task> = {}, concurrency = 2): Promise<RunningWorker> => {
    const worker = await startWorker(
      database.pool,
      { hold: async ({ name }) => void done.push(name!), ...tasks },
      log,
      { concurrency },
    );
    workers.push(worker);
    return worker;
  };
  const jobs = async () =>
    (
      await database.pool.query(
        'select key, attempts, last_error, locked_by is not null as taken from graphile_worker.jobs order by id',
      )
    ).rows as { key: string; attempts: number; last_error: string | null; taken: boolean }[];
  const paid = async (...names: string[]): Promise<void> => {
    await until(async () => ((await jobs()).length === 0 ? true : undefined));
    expect(done.toSorted()).toEqual(names);
  };
  const instances = async (): Promise<number> =>
    (await database.pool.query('select count(*)::int from worker_instances')).rows[0].count as number;
  /** A job that a process of this name has taken. */
  const take = async (key: string, by: string, ago = '5 seconds'): Promise<void> => {
    await database.pool.query(
      `update graphile_worker._private_jobs set locked_by = $2, locked_at = now() - $3::interval, attempts = 1 where key = $1`,
      [key, by, ago],
    );
  };

  describe('is written down', () => {
    it('with the change that owes it, or not at all', async () => {
      await work();
      await expect(
        database.db.transaction().execute(async (tx) => {
          await insertDebt(tx, { task: 'hold', payload: { name: 'undone' }, key: 'undone' });
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      let seenInside = 0;
      await database.db.transaction().execute(async (tx) => {
        await insertDebt(tx, { task: 'hold', payload: { name: 'done' }, key: 'done' });
        // Nobody works on what is not committed.
        await sleep(100);
        seenInside = done.length + (await jobs()).length;
      });
      expect(seenInside).toBe(0);
      await paid('done');
    });

    it('once for its key, with what was said last, and once more after it was paid', async () => {
      await owe('first', { key: 'k' });
      await Promise.all(Array.from({ length: 5 }, async () => owe('second', { key: 'k' })));
      await owe('other', { key: 'l' });
      expect((await jobs()).map((job) => job.key).toSorted()).toEqual(['k', 'l']);
      await work();
      await paid('other', 'second');
      await owe('third', { key: 'k' });
      await paid('other', 'second', 'third');
    });

    it('once more when it is owed again while it is being paid', async () => {
      const gate = Promise.withResolvers<void>();
      await work({
        slow: async ({ name }) => {
          await gate.promise;
          done.push(name!);
        },
      });
      await owe('before', { key: 'k', task: 'slow' });
      await until(async () => ((await jobs())[0]?.taken === true ? true : undefined));
      await owe('while', { key: 'k', task: 'slow' });
      gate.resolve();
      await paid('before', 'while');
      expect(done).toEqual(['before', 'while']);
    });

    it('for later, and is left until then', async () => {
      await owe('later', { notBefore: new Date(Date.now() + 3_600_000) });
      await owe('now');
      await work();
      await until(async () => (done.includes('now') ? true : undefined));
      await sleep(100);
      expect(done).toEqual(['now']);
      await database.pool.query('update graphile_worker._private_jobs set run_at = now()');
      await paid('later', 'now');
    });
  });

  describe('and fails', () => {
    it('is tried again while others go on, and what went wrong can be seen', async () => {
      let broken = true;
      await work(
        {
          faulty: async ({ name }) => {
            if (broken) throw new Error('the printer is on fire');
            done.push(name!);
          },
        },
        1,
      );
      await owe('faulty', { task: 'faulty' });
      await until(async () => ((await jobs())[0]?.last_error ? true : undefined));
      for (const name of ['a', 'b', 'c']) await owe(name);
      await until(async () => (done.length === 3 ? true : undefined));
      const [job] = await jobs();
      expect(job).toMatchObject({ key: 'faulty', attempts: 1, taken: false });
      expect(job!.last_error).toContain('the printer is on fire');
      expect(logged).toContain('a job failed and will be tried again');
      broken = false;
      await database.pool.query('update graphile_worker._private_jobs set run_at = now()');
      await paid('a', 'b', 'c', 'faulty');
    });

    it('for good after its last attempt is kept, and told as an error', async () => {
      await work({
        faulty: async () => {
          throw new Error('never');
        },
      });
      await owe('faulty', { task: 'faulty', notBefore: new Date(Date.now() + 3_600_000) });
      await database.pool.query(
        'update graphile_worker._private_jobs set attempts = max_attempts - 1, run_at = now()',
      );
      await until(async () => (logged.includes('a job failed for good') ? true : undefined));
      await until(async () => ((await jobs())[0]?.taken === false ? true : undefined));
      expect((await jobs())[0]).toMatchObject({ key: 'faulty', attempts: 25 });
    });
  });

  describe('and was in the hands of a process', () => {
    it('that was killed is handed on when another starts', async () => {
      const child = spawn(process.execPath, ['test/support/stuck-worker.ts', database.url], {
        cwd: projectFolder,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      let said = '';
      child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
      for (const name of ['a', 'b', 'c']) await owe(name);
      await until(async () => (said.split('\n').length > 2 ? true : undefined));
      expect((await jobs()).filter((job) => job.taken)).toHaveLength(2);
      const exit = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exit;
      // The database hears of it a moment later.
      await until(async () => {
        const { rows } = await database.pool.query(
          `select 1 from pg_stat_activity where application_name = 'stuck'`,
        );
        return rows.length === 0 ? true : undefined;
      });
      await work();
      await paid('a', 'b', 'c');
      expect(await instances()).toBe(1);
    });

    it('that is no more, but for its entry, is handed on', async () => {
      await owe('a');
      await take('a', 'pool-of-the-dead');
      await database.pool.query(`insert into worker_instances values (77, 'pool-of-the-dead', now())`);
      await work();
      await paid('a');
      expect(await instances()).toBe(1);
    });

    it('that lives is left to it', async () => {
      await owe('a');
      await take('a', 'pool-of-the-living');
      await database.pool.query(`insert into worker_instances values (78, 'pool-of-the-living', now())`);
      const life = await database.pool.connect();
      await life.query('select pg_advisory_lock($1, 78)', [LIVENESS_LOCK]);
      await work();
      await owe('b');
      await until(async () => (done.length === 1 ? true : undefined));
      expect(done).toEqual(['b']);
      expect((await jobs())[0]).toMatchObject({ key: 'a', taken: true });
      life.release(true);
      await until(async () => {
        const { rows } = await database.pool.query(
          `select 1 from pg_locks where locktype = 'advisory' and objid = 78 and database = (select oid from pg_database where datname = current_database())`,
        );
        return rows.length === 0 ? true : undefined;
      });
      await work();
      await paid('a', 'b');
    });

    it('that died before it could enter itself is handed on after a minute', async () => {
      await owe('a');
      await owe('b');
      await take('a', 'nobody', '61 seconds');
      await take('b', 'somebody-just-starting', '20 seconds');
      await work();
      // A job that is done leaves the queue a moment later.
      await until(async () => ((await jobs()).length === 1 ? true : undefined));
      expect(done).toEqual(['a']);
      expect((await jobs()).map((job) => `${job.key} ${job.taken}`)).toEqual(['b true']);
    });

    it('that is told to stop is finished first, and its entry goes', async () => {
      const gate = Promise.withResolvers<void>();
      const worker = await work({
        slow: async ({ name }) => {
          await gate.promise;
          done.push(name!);
        },
      });
      await owe('a', { task: 'slow' });
      await until(async () => ((await jobs())[0]?.taken === true ? true : undefined));
      const stopping = worker.stop();
      await owe('b');
      await sleep(50);
      gate.resolve();
      await stopping;
      expect(done).toEqual(['a']);
      expect(await instances()).toBe(0);
      expect((await jobs()).map((job) => `${job.key} ${job.taken}`)).toEqual(['b false']);
    });

    it('whose database went away goes on when there is one again', async () => {
      const pool = makePool(database.url, { name: 'lossy', size: 6 });
      const worker = await startWorker(pool, { hold: async ({ name }) => void done.push(name!) }, log);
      await owe('a');
      // Done and out of the queue: a loss in between would rightly do it once more.
      await paid('a');
      await database.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lossy'`,
      );
      await until(async () =>
        logged.includes('the worker lost its database and has begun again') ? true : undefined,
      );
      await owe('b');
      await paid('a', 'b');
      expect(await instances()).toBe(1);
      await worker.stop();
      await pool.end();
    });
  });
});
