import { EventEmitter } from 'node:events';
import { Logger, makeWorkerUtils, run, type TaskList, type WorkerEvents } from 'graphile-worker';
import type pg from 'pg';
import type { Log } from '../log.ts';

export interface RunningWorker {
  /** Finishes the jobs in hand and takes no more. */
  stop(): Promise<void>;
}

/** A job's work. It may run more than once for one debt, so it must be idempotent. */
export type Task = (payload: Readonly<Record<string, string>>) => Promise<void>;

/** First half of the two-part advisory lock that each worker instance holds while it lives. */
const LIVENESS_LOCK = 0x78_71; // 'xq'

/**
 * Works off the queue. A killed process can't give its jobs back, and the queue itself would wait four hours for it; so each
 * instance holds a session lock that dies with it, and every instance looks, at its start and now and then, for others whose
 * lock is free and hands their jobs on.
 */
export async function startWorker(
  pool: pg.Pool,
  tasks: Readonly<Record<string, Task>>,
  log: Log,
  { concurrency = 4 }: { concurrency?: number } = {},
): Promise<RunningWorker> {
  const instance = Math.floor(Math.random() * 2 ** 31);
  const life = await pool.connect();
  life.on('error', () => {});
  await life.query('select pg_advisory_lock($1, $2)', [LIVENESS_LOCK, instance]);

  const utils = await makeWorkerUtils({ pgPool: pool, logger: queueLog(log) });
  const handOn = async (): Promise<void> => {
    const { rows } = await pool.query<{ instance: number; pool_id: string }>(
      'select instance, pool_id from worker_instances where instance <> $1',
      [instance],
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
  };
  const handOnUnregistered = async (): Promise<void> => {
    // A process killed between taking its first job and registering: nobody claims the job.
    const { rows } = await pool.query<{ locked_by: string }>(`
      select distinct locked_by from graphile_worker.jobs where locked_at < now() - interval '1 minute'
      and not exists (select 1 from worker_instances where locked_by = pool_id)`);
    if (rows.length > 0) await utils.forceUnlockWorkers(rows.map((row) => row.locked_by));
  };
  await handOn();
  await handOnUnregistered();

  const events = new EventEmitter() as WorkerEvents;
  // Jobs are locked in the name of the pool. It is told before the first job is taken, and no job runs before it is written down.
  let registered: Promise<unknown> = Promise.resolve();
  events.on('pool:create', ({ workerPool }) => {
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
      async (payload: unknown) => {
        await registered;
        await task(payload as Record<string, string>);
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
    parsedCronItems: [],
  });
  await registered;

  const timer = setInterval(
    () =>
      void handOn()
        .then(handOnUnregistered)
        .catch((error: unknown) => log.warn({ error: String(error) }, 'could not look for dead workers')),
    15_000,
  );
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      await runner.stop();
      await utils.release();
      await pool.query('delete from worker_instances where instance = $1', [instance]);
      life.release(true);
    },
  };
}

function queueLog(log: Log): Logger {
  return new Logger(() => (level, message) => {
    if (level === 'error') log.error(message);
    else if (level === 'warning') log.warn(message);
    else log.debug(message);
  });
}
