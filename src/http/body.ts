import type { IncomingMessage } from 'node:http';
import { pipeline, Transform } from 'node:stream';

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
    // A caller that goes away ends the body with an error too; who reads the body hears of it.
    pipeline(request, this, () => undefined);
  }
}
