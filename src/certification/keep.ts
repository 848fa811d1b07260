import { deflateRawSync, inflateRawSync } from 'node:zlib';

/*
 * How an issued document is kept: not drawn again, but put together again. What it has in common with others is kept once; its own part is
 * packed against a dictionary, what other documents of the same kind say there. Unpacking gives the same bytes with any zlib, whereas drawing
 * or packing again would not. src/decisions/0027-certificates-on-paper.md
 */

/** What deflate can look back at. */
const REACH = 32 * 1024;

/** @param chain DER certificates: they stand in each signature, in hexadecimal digits. */
export function dictionaryOf(sample: Buffer, chain: readonly Buffer[]): Buffer {
  const digits = Buffer.from(chain.map((each) => each.toString('hex')).join(''));
  return Buffer.concat([digits, sample]).subarray(-REACH);
}

export function pack(own: Buffer, dictionary: Buffer): Buffer {
  return deflateRawSync(own, { dictionary, level: 9 });
}

export function unpack(packed: Buffer, dictionary: Buffer): Buffer {
  return inflateRawSync(packed, { dictionary });
}
