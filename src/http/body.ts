import type { IncomingMessage } from 'node:http';
import { finished, Transform } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';

/** For the answer to arrive; who has not stopped sending by then is cut off. */
const LINGER_MS = 5_000;

/** A request's body that ends with an error once it is longer than `limit` bytes, whatever its headers say. */
export class LimitedBody extends Transform {
  exceeded = false;
  #left: number;

  constructor(request: IncomingMessage, limit: number) {
    super({
      transform: (chunk: Buffer, _encoding, done) => {
        this.#left -= chunk.length;
        this.exceeded = this.#left < 0;
        if (this.exceeded) done(new Error('The body is too large.'));
        else done(null, chunk);
      },
    });
    this.#left = limit;
    // Who reads the body hears of it; where nobody does it is no defect.
    this.on('error', () => undefined);
    // A caller that goes away ends the body with an error too.
    finished(request, { writable: false }, (error) => {
      if (error !== undefined && error !== null) this.destroy(error);
    });
    // No pipeline: the request outlives a body that was too large, since what is left of it has to be read away.
    request.pipe(this);
  }
}

/** Whether a request says itself that its body is longer than `limit` bytes. */
export function announcesMore(request: IncomingMessage, limit: number): boolean {
  return Number(request.headers['content-length'] ?? 0) > limit;
}

/**
 * A response's body for a request that is still being sent: closing the connection now would take the answer away from a caller who has
 * not read it yet. So the rest is read and dropped until the caller stops, for a few seconds at most.
 */
export async function* lingering(text: string, request: IncomingMessage): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
  const waiting = new AbortController();
  const stopped = new Promise<void>((resolve) => finished(request, { writable: false }, () => resolve()));
  request.resume();
  await Promise.race([
    stopped,
    sleep(LINGER_MS, undefined, { signal: waiting.signal }).catch(() => undefined),
  ]);
  waiting.abort();
}

/**
 * Reads away what is left of a request that has been answered: until it has gone, the next one on its connection would wait. Who goes on
 * sending is cut off after a while.
 */
export function readAway(request: IncomingMessage): void {
  if (request.destroyed || (request.complete && request.readableLength === 0)) return;
  const late = setTimeout(() => request.destroy(), LINGER_MS);
  late.unref();
  finished(request, { writable: false }, () => clearTimeout(late));
  // Whoever it was piped to reads no more, and would hold it up.
  request.unpipe();
  request.resume();
}
