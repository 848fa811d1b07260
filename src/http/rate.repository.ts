import type pg from 'pg';
import { RateLimiterMemory, RateLimiterPostgres, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Executor } from '../db/database.ts';

/** Seconds that a measure is given for. */
export const WINDOW_S = 60;

/** Units of one bucket, counted in the database for all processes; by this one alone while the database does not answer. */
export function makeRateStore(pool: pg.Pool, bucket: string, points: number): RateLimiterAbstract {
  return new RateLimiterPostgres({
    storeClient: pool,
    storeType: 'pool',
    tableName: 'rate_windows',
    // By a migration.
    tableCreated: true,
    clearExpiredByTimeout: false,
    keyPrefix: bucket,
    points,
    duration: WINDOW_S,
    insuranceLimiter: new RateLimiterMemory({ keyPrefix: bucket, points, duration: WINDOW_S }),
  });
}

/** @param before milliseconds since 1970 */
export async function deleteRateWindows(db: Executor, before: number): Promise<void> {
  await db.deleteFrom('rate_windows').where('expire', '<', String(before)).execute();
}
