import type { Context, Middleware } from 'koa';
import { randomUUID } from 'node:crypto';
import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn, Refusal } from '../errors.ts';
import type { Log } from '../log.ts';

/** HTTP status of a refusal. */
export function statusOf(refusal: Refusal): number {
  if (refusal instanceof NotSignedIn) return 401;
  if (refusal instanceof NotFound) return 404;
  if (refusal instanceof NotAllowed) return 403;
  if (refusal instanceof InvalidInput) return 400;
  if (refusal instanceof Conflict) return 409;
  return 422;
}

/** A problem response (RFC 9457). */
export function problem(ctx: Context, status: number, code: string, detail: string): void {
  ctx.status = status;
  if (status === 401) ctx.set('WWW-Authenticate', 'Bearer');
  ctx.body = JSON.stringify({ type: 'about:blank', title: code, status, detail });
  ctx.type = 'application/problem+json';
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
        problem(ctx, statusOf(error), error.code, error.message);
        return;
      }
      const id = randomUUID();
      log.error(
        { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        'defect',
      );
      problem(ctx, 500, 'INTERNAL', `Something went wrong on our side; tell the operator this id: ${id}`);
    }
  };
}
