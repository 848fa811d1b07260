/* Distinguished encoding rules (X.690), as far as a signature needs them. */

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest >>>= 8) bytes.unshift(rest & 0xff);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

/** A value with its tag and length. */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const length = content.reduce((sum, piece) => sum + piece.length, 0);
  return Buffer.concat([Buffer.from([tag]), lengthOf(length), ...content]);
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => tlv(0x30, ...content);
export const octets = (bytes: Uint8Array): Buffer => tlv(0x04, bytes);
export const integer = (value: number): Buffer => tlv(0x02, Buffer.from([value]));

/** A set, in the order that DER asks for (11.6). */
export function set(...content: readonly Uint8Array[]): Buffer {
  return tlv(0x31, ...content.toSorted((a, b) => Buffer.compare(a, b)));
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Buffer {
  const [first, second, ...rest] = dotted.split('.').map(Number);
  const bytes: number[] = [];
  for (const arc of [40 * first! + second!, ...rest]) {
    const group = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      group.unshift(0x80 | (left & 0x7f));
    bytes.push(...group);
  }
  return tlv(0x06, Buffer.from(bytes));
}

export interface Element {
  readonly tag: number;
  /** With tag and length. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

/** The elements that stand in a row. @throws Error for bytes that are none. */
export function elementsIn(bytes: Buffer): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < bytes.length;) {
    const tag = bytes[at]!;
    let length = bytes[at + 1] ?? Number.NaN;
    let begin = at + 2;
    if (length > 0x80) {
      const digits = length & 0x7f;
      if (digits > 4) throw new Error('An element is longer than can be.');
      length = bytes.readUIntBE(begin, digits);
      begin += digits;
    } else if (length === 0x80) throw new Error('An element without a length is no DER.');
    const end = begin + length;
    if (!(end <= bytes.length)) throw new Error('An element ends behind its bytes.');
    elements.push({ tag, whole: bytes.subarray(at, end), content: bytes.subarray(begin, end) });
    at = end;
  }
  return elements;
}
