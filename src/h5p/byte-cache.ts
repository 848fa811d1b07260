/** Bytes that are asked for again, up to so many; what was asked for longest ago goes first. */
export class ByteCache {
  readonly #most: number;
  readonly #kept = new Map<string, Buffer>();
  #size = 0;

  /** @param most in bytes. */
  constructor(most: number) {
    this.#most = most;
  }

  get(key: string): Buffer | undefined {
    const found = this.#kept.get(key);
    if (found === undefined) return undefined;
    // To the end of the order.
    this.#kept.delete(key);
    this.#kept.set(key, found);
    return found;
  }

  set(key: string, bytes: Buffer): void {
    if (bytes.length > this.#most / 8) return;
    const before = this.#kept.get(key);
    if (before !== undefined) {
      this.#kept.delete(key);
      this.#size -= before.length;
    }
    this.#kept.set(key, bytes);
    this.#size += bytes.length;
    for (const [oldest, its] of this.#kept) {
      if (this.#size <= this.#most) break;
      this.#kept.delete(oldest);
      this.#size -= its.length;
    }
  }
}
