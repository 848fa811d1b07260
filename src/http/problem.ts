import type { Context, Middleware } from 'koa';
import { randomUUID } from 'node:crypto';
import {
  Conflict,
  InvalidInput,
  NotAllowed,
  NotFound,
  NotSignedIn,
  RateLimited,
  Refusal,
} from '../errors.ts';
import { describeError, type Log } from '../log.ts';
import { currentOrigin } from '../origin.ts';

/** HTTP status of a refusal. */
export function statusOf(refusal: Refusal): number {
  if (refusal instanceof NotSignedIn) return 401;
  if (refusal instanceof NotFound) return 404;
  if (refusal instanceof NotAllowed) return 403;
  if (refusal instanceof InvalidInput) return 400;
  if (refusal instanceof Conflict) return 409;
  if (refusal instanceof RateLimited) return 429;
  return 422;
}

/** A problem response (RFC 9457). */
export function problem(ctx: Context, status: number, code: string, detail: string): void {
  ctx.status = status;
  if (status === 401) ctx.set('WWW-Authenticate', 'Bearer');
  ctx.body = problemText(status, code, detail);
  ctx.type = 'application/problem+json';
}

export function problemText(status: number, code: string, detail: string): string {
  return JSON.stringify({ type: 'about:blank', title: code, status, detail });
}

/** A defect's id is its request's: by it the log has all that happened, and the caller is told nothing else. */
export function logDefect(log: Log, error: unknown, what: string): string {
  const id = currentOrigin()?.requestId ?? randomUUID();
  log.error({ id, ...describeError(error) }, what);
  return id;
}

/** Refusals become problem responses; a defect is logged under an id, which is all that the caller is told. */
export function problemResponses(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next();
      if (ctx.status === 404 && (ctx.body === undefined || ctx.body === null))
        problem(ctx, 404, 'NOT_FOUND', 'There is nothing at this address.');
    } catch (error) {
      if (error instanceof Refusal) {
        if (error instanceof RateLimited) ctx.set('Retry-After', String(error.retryAfter));
        problem(ctx, statusOf(error), error.code, error.message);
        return;
      }
      const id = logDefect(log, error, 'defect');
      problem(ctx, 500, 'INTERNAL', `Something went wrong on our side; tell the operator this id: ${id}`);
    }
  };
}
