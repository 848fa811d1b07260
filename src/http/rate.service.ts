import type { Context } from 'koa';
import type pg from 'pg';
import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible';
import type { Rates } from '../config.ts';
import type { Database } from '../db/database.ts';
import { RateLimited } from '../errors.ts';
import { countedAs } from '../network/address.ts';
import { currentOrigin } from '../origin.ts';
import type { Viewer } from '../people/permission.ts';
import { deleteRateWindows, makeRateStore, WINDOW_S } from './rate.repository.ts';

export type Bucket = keyof Rates;

export interface RateService {
  /**
   * Charges whoever asks: the viewer, or, for nobody, the address. Tells in the response how much is left.
   * @throws RateLimited
   */
  charge(ctx: Context, viewer: Viewer | undefined, units?: number): Promise<void>;
  /** Charges a bucket of its own beside that. @throws RateLimited */
  chargeFor(
    ctx: Context,
    bucket: 'signIn' | 'verification' | 'list' | 'export' | 'upload',
    viewer: Viewer | undefined,
    units?: number,
  ): Promise<void>;
  /** Of those who came once and not again. */
  forget(): Promise<void>;
}

/** Units that a process takes at once, as a part of the measure: it asks the database only when they are spent. */
const LEASES = 50;
/** Callers that a process knows at once; the oldest are asked for anew. */
const MOST_CALLERS = 50_000;

/** What this process may still spend for a caller, without asking. */
interface Lease {
  left: number;
  /** Units that nobody had taken when the database was last asked. */
  elsewhere: number;
  /** The database has nothing more to give in this window. */
  empty: boolean;
  /** Milliseconds since 1970. */
  until: number;
  asking: Promise<void> | undefined;
}

/**
 * A measure of units in each window of a minute, which holds over all processes that share the database. A process takes a fiftieth of it
 * at once. So no more than the measure is ever given out in a window; what other processes have taken and not spent, a fiftieth each at most, may
 * be missing from it. A window begins with its first request, so that two measures may fall together where two windows meet.
 */
export function makeRateService({
  db,
  pool,
  rates,
  now = Date.now,
}: {
  db: Database;
  pool: pg.Pool;
  rates: Rates;
  /** As the store counts too: windows are about real time. */
  now?: () => number;
}): RateService {
  const buckets = new Map(
    (Object.keys(rates) as Bucket[])
      .filter((name) => rates[name] > 0)
      .map((name) => [name, makeBucket(makeRateStore(pool, name, rates[name]), rates[name], now)]),
  );
  const spend = async (ctx: Context, name: Bucket, caller: string, units: number): Promise<void> => {
    const bucket = buckets.get(name);
    if (bucket === undefined) return;
    const { allowed, remaining, seconds } = await bucket(caller, units);
    // draft-ietf-httpapi-ratelimit-headers, sections 3 and 4.
    ctx.set('RateLimit-Policy', `"${name}";q=${rates[name]};w=${WINDOW_S}`);
    ctx.set('RateLimit', `"${name}";r=${allowed ? remaining : 0};t=${seconds}`);
    if (!allowed) throw new RateLimited(seconds);
  };
  const byAddress = (): string => countedAs(currentOrigin()?.address ?? '');
  return {
    async charge(ctx, viewer, units = 1) {
      if (viewer === undefined) await spend(ctx, 'address', byAddress(), units);
      else await spend(ctx, 'viewer', viewer.personId, units);
    },
    async chargeFor(ctx, bucket, viewer, units = 1) {
      await spend(
        ctx,
        bucket,
        bucket === 'signIn' || viewer === undefined ? byAddress() : viewer.personId,
        units,
      );
    },
    async forget() {
      await deleteRateWindows(db, now() - WINDOW_S * 1000);
    },
  };
}

interface Charged {
  readonly allowed: boolean;
  /** About. */
  readonly remaining: number;
  /** Until the window ends. */
  readonly seconds: number;
}

function makeBucket(store: RateLimiterAbstract, points: number, now: () => number) {
  const leases = new Map<string, Lease>();
  const least = Math.max(1, Math.floor(points / LEASES));

  const ask = async (caller: string, lease: Lease, units: number): Promise<void> => {
    const wanted = Math.max(units - lease.left, least);
    const take = (answer: RateLimiterRes): void => {
      const before = answer.consumedPoints - wanted;
      // What is left of a measure goes to the first that wants more than that; after it nobody gets any.
      const given = Math.min(wanted, Math.max(0, points - before));
      const at = now();
      // Of the window before nothing is carried over.
      lease.left = (at < lease.until ? lease.left : 0) + given;
      lease.elsewhere = answer.remainingPoints;
      lease.empty = given < wanted;
      lease.until = at + Math.max(1, answer.msBeforeNext);
    };
    try {
      take(await store.consume(caller, wanted));
    } catch (answer) {
      if (!(answer instanceof RateLimiterRes)) throw answer;
      take(answer);
    }
  };

  return async (caller: string, units: number): Promise<Charged> => {
    let lease = leases.get(caller);
    if (lease === undefined) {
      if (leases.size >= MOST_CALLERS) makeRoom(leases, now());
      lease = { left: 0, elsewhere: 0, empty: false, until: 0, asking: undefined };
      leases.set(caller, lease);
    }
    for (;;) {
      const at = now();
      if (at >= lease.until) Object.assign(lease, { left: 0, empty: false });
      if (lease.left >= units || lease.empty) break;
      // Those who come meanwhile wait for the same answer.
      const open = lease;
      open.asking ??= ask(caller, open, units).finally(() => {
        open.asking = undefined;
      });
      await open.asking;
    }
    const allowed = lease.left >= units;
    if (allowed) lease.left -= units;
    return {
      allowed,
      remaining: lease.left + lease.elsewhere,
      seconds: Math.max(1, Math.ceil((lease.until - now()) / 1000)),
    };
  };
}

function makeRoom(leases: Map<string, Lease>, at: number): void {
  for (const [caller, lease] of leases)
    if (lease.until <= at && lease.asking === undefined) leases.delete(caller);
  for (const caller of leases.keys()) {
    if (leases.size < MOST_CALLERS) break;
    leases.delete(caller);
  }
}
