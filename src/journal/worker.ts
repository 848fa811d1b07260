import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Logger,
  makeWorkerUtils,
  run,
  type TaskList,
  type WorkerEvents,
  type WorkerUtils,
} from 'graphile-worker';
import type pg from 'pg';
import type { Log } from '../log.ts';
import { withOrigin } from '../origin.ts';

export interface RunningWorker {
  /** Finishes the jobs in hand and takes no more. */
  stop(): Promise<void>;
}

/** A job's work. It may run more than once for one debt, so it must be idempotent. */
export type Task = (payload: Readonly<Record<string, string>>) => Promise<void>;

export interface WorkerOptions {
  /** Jobs at once. */
  readonly concurrency?: number;
  /** What is owed by the clock: lines of a crontab, times in UTC. Of several instances one does it. */
  readonly crontab?: string;
}

/** First half of the two-part advisory lock that each worker instance holds while it lives. */
const LIVENESS_LOCK = 0x78_71; // 'xq'
const LOOK_FOR_DEAD_MS = 15_000;
const TRY_AGAIN_MS = 1_000;

/**
 * Works off the queue. A killed process can't give its jobs back, and the queue itself would wait four hours for it; so each
 * instance holds a session lock that dies with it, and every instance looks, at its start and now and then, for others whose
 * lock is free and hands their jobs on. An instance that loses its database is replaced by a new one as soon as there is one again.
 */
export async function startWorker(
  pool: pg.Pool,
  tasks: Readonly<Record<string, Task>>,
  log: Log,
  { concurrency = 4, crontab = '' }: WorkerOptions = {},
): Promise<RunningWorker> {
  const start = async (): Promise<Instance> => startInstance(pool, tasks, log, { concurrency, crontab });
  let instance = await start();
  const stopping = new AbortController();
  const supervised = (async () => {
    for (;;) {
      await instance.ended;
      while (!stopping.signal.aborted) {
        try {
          instance = await start();
          log.warn('the worker lost its database and has begun again');
          break;
        } catch {
          await sleep(TRY_AGAIN_MS, undefined, { signal: stopping.signal }).catch(() => {});
        }
      }
      if (stopping.signal.aborted) return;
    }
  })();
  return {
    async stop() {
      stopping.abort();
      await instance.stop();
      await supervised;
      // One that was just being started when the word came.
      await instance.stop();
    },
  };
}

interface Instance {
  /** Resolves when it works no more, for whatever reason. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

async function startInstance(
  pool: pg.Pool,
  tasks: Readonly<Record<string, Task>>,
  log: Log,
  { concurrency, crontab }: Required<WorkerOptions>,
): Promise<Instance> {
  const instance = Math.floor(Math.random() * 2 ** 31);
  const life = await pool.connect();
  const lifeEnded = new Promise<void>((resolve) => {
    life.on('error', () => resolve());
    life.on('end', () => resolve());
  });
  try {
    await life.query('select pg_advisory_lock($1, $2)', [LIVENESS_LOCK, instance]);
    const utils = await makeWorkerUtils({ pgPool: pool, logger: queueLog(log) });
    await handOnJobsOfTheDead(pool, utils, instance);

    const events = new EventEmitter() as WorkerEvents;
    // Jobs are locked in the name of the pool. It is told before the first job is taken, and no job runs before it is written down.
    let registered: Promise<unknown> = Promise.resolve();
    let poolId = '';
    events.on('pool:create', ({ workerPool }) => {
      poolId = workerPool.id;
      registered = pool.query(
        'insert into worker_instances (instance, pool_id, started_at) values ($1, $2, now())',
        [instance, workerPool.id],
      );
      // Awaited below; until then a failure must not count as unhandled.
      registered.catch(() => {});
    });
    events.on('job:error', ({ job, error }) =>
      log.warn(
        { task: job.task_identifier, job: job.id, attempt: job.attempts, error: String(error) },
        'a job failed and will be tried again',
      ),
    );
    events.on('job:failed', ({ job, error }) =>
      log.error({ task: job.task_identifier, job: job.id, error: String(error) }, 'a job failed for good'),
    );
    const taskList: TaskList = Object.fromEntries(
      Object.entries(tasks).map(([name, task]) => [
        name,
        async (payload: unknown, { job }) => {
          await registered;
          await withOrigin({ requestId: `job:${job.id}`, address: null }, async () =>
            task(payload as Record<string, string>),
          );
        },
      ]),
    );
    const runner = await run({
      pgPool: pool,
      taskList,
      concurrency,
      noHandleSignals: true,
      pollInterval: 1_000,
      events,
      logger: queueLog(log),
      crontab,
      // In batches (of no delay) a lost connection stops the worker in order; one by one it would be a rejection that nobody handles.
      preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
    });
    const runnerEnded = runner.promise.catch((error: unknown) =>
      log.error({ error: String(error) }, 'the worker stopped'),
    );
    await registered;

    const timer = setInterval(
      () =>
        void handOnJobsOfTheDead(pool, utils, instance).catch((error: unknown) =>
          log.warn({ error: String(error) }, 'could not look for dead workers'),
        ),
      LOOK_FOR_DEAD_MS,
    );
    timer.unref();
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> =>
      (stopped ??= (async () => {
        clearInterval(timer);
        await runner.stop().catch(() => {});
        await runnerEnded;
        // What it could not finish is for others; without a database they find it by the lock.
        await utils
          .forceUnlockWorkers([poolId])
          .then(async () => pool.query('delete from worker_instances where instance = $1', [instance]))
          .catch(() => {});
        await utils.release();
        life.release(true);
      })());
    // Without its lock others take it for dead, and without its runner nothing is done: either way it is over.
    const ended = Promise.race([lifeEnded, runnerEnded]).then(stop);
    return { ended, stop };
  } catch (error) {
    life.release(true);
    throw error;
  }
}

/** Gives back the jobs that processes held which are no more. */
async function handOnJobsOfTheDead(pool: pg.Pool, utils: WorkerUtils, myself: number): Promise<void> {
  const { rows } = await pool.query<{ instance: number; pool_id: string }>(
    'select instance, pool_id from worker_instances where instance <> $1',
    [myself],
  );
  for (const other of rows) {
    const client = await pool.connect();
    try {
      const { rows: lock } = await client.query<{ free: boolean }>(
        'select pg_try_advisory_lock($1, $2) as free',
        [LIVENESS_LOCK, other.instance],
      );
      if (lock[0]?.free !== true) continue;
      await utils.forceUnlockWorkers([other.pool_id]);
      await client.query('delete from worker_instances where instance = $1', [other.instance]);
      await client.query('select pg_advisory_unlock($1, $2)', [LIVENESS_LOCK, other.instance]);
    } finally {
      client.release();
    }
  }
  // A process killed between taking its first job and registering: nobody claims the job.
  const { rows: unclaimed } = await pool.query<{ locked_by: string }>(`
    select distinct locked_by from graphile_worker.jobs where locked_at < now() - interval '1 minute'
    and not exists (select 1 from worker_instances where locked_by = pool_id)`);
  if (unclaimed.length > 0) await utils.forceUnlockWorkers(unclaimed.map((row) => row.locked_by));
}

function queueLog(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') log.error(message);
    else if (level === 'warning') log.warn(message);
    else log.debug(message);
  });
}
