/**
 * Where bytes lie that never change: an object is put whole or not at all, and once there it stays as it is. Keys are words of a-z, 0-9, `-`, `.`,
 * `_` and capitals, with slashes between.
 */
export interface ObjectStore {
  has(key: string): Promise<boolean>;
  /**
   * Puts an object; one of that key that is there already stays. A crash in the middle leaves nothing under the key.
   * @param bytes taken once. @param size how many there are.
   */
  put(key: string, bytes: AsyncIterable<Uint8Array>, size: number): Promise<void>;
  /** The bytes of an object, from `start` up to and without `end`; undefined where there is no such object. */
  open(
    key: string,
    range?: { readonly start: number; readonly end: number },
  ): Promise<AsyncIterable<Uint8Array> | undefined>;
}

export async function readWhole(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
