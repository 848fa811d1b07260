import { randomFillSync } from 'node:crypto';

const POOL_BYTES = 4096;

/**
 * Bytes of the system's own generator, drawn by the pool: asking it takes longer than whatever needs a few of them. What was given out is
 * wiped from the pool.
 */
export function makeRandom(): (bytes: number) => Buffer {
  const pool = Buffer.alloc(POOL_BYTES);
  let at = POOL_BYTES;
  return (bytes) => {
    if (bytes > POOL_BYTES) return randomFillSync(Buffer.alloc(bytes));
    if (at + bytes > POOL_BYTES) {
      randomFillSync(pool);
      at = 0;
    }
    const part = pool.subarray(at, at + bytes);
    const drawn = Buffer.from(part);
    part.fill(0);
    at += bytes;
    return drawn;
  };
}
