/** Chance from a seed (sfc32, seeded by splitmix32): the same seed gives the same numbers on any machine. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(seed: number) {
    let state = (seed ^ Math.floor(seed / 2 ** 32)) | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return mixed ^ (mixed >>> 15);
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    for (let round = 0; round < 12; round += 1) this.fraction();
  }

  /** At least 0, below 1. */
  fraction(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(from: readonly T[]): T {
    const value = from[Math.floor(this.fraction() * from.length)];
    if (value === undefined) throw new Error('There is nothing to pick from.');
    return value;
  }

  /** About 1, seldom below 1/e^(2·spread) or above e^(2·spread): how sizes of schools and counties vary. */
  factor(spread: number): number {
    // Twelve uniform numbers make a bell; Math.log and Math.cos may differ between engines, sums do not.
    let bell = -6;
    for (let part = 0; part < 12; part += 1) bell += this.fraction();
    const power = bell * spread;
    // e^x by its series, for the same reason as above.
    let term = 1;
    let sum = 1;
    for (let n = 1; n < 24; n += 1) sum += term *= power / n;
    return sum;
  }
}

/** `['王*7', '李']` → a table in which 王 stands seven times: picking from it is picking by frequency. */
export function table(words: string): readonly string[] {
  return words
    .trim()
    .split(/\s+/)
    .flatMap((word) => {
      const [text = '', weight = '1'] = word.split('*');
      return Array.from({ length: Number(weight) }, () => text);
    });
}

/**
 * Shares `total` out by weight, nobody getting less than their minimum.
 * @returns whole numbers that add up to `total`, unless the minimums alone are more.
 */
export function apportion(
  total: number,
  weights: readonly number[],
  minimum: (index: number) => number,
): number[] {
  const least = weights.map((_, index) => minimum(index));
  const above = weights.map((weight, index) => Math.max(weight - (least[index] ?? 0), 1e-6));
  const rest = Math.max(0, total - least.reduce((sum, each) => sum + each, 0));
  const scale = rest / above.reduce((sum, each) => sum + each, 0);
  const shares = above.map((each, index) => (least[index] ?? 0) + Math.floor(each * scale));
  let left = total - shares.reduce((sum, each) => sum + each, 0);
  const byRemainder = above
    .map((each, index) => ({ index, remainder: (each * scale) % 1 }))
    .sort((one, other) => other.remainder - one.remainder || one.index - other.index);
  for (const { index } of byRemainder) {
    if (left <= 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
    left -= 1;
  }
  return shares;
}
