/** One thing that is measured, beside a peer or a floor in the same run. */
export interface Bench {
  /** What is measured against what, in one sentence. */
  readonly about: string;
  /** Whole numbers that may be set on the command line, with what they usually are. */
  readonly options: Readonly<Record<string, number>>;
  /** @param say progress, to the error stream. */
  run(options: Readonly<Record<string, number>>, say: (line: string) => void): Promise<Report>;
}

export interface Report {
  /** For people: one object a row, all with the same columns. */
  readonly rows: readonly Readonly<Record<string, string | number>>[];
  /** For machines. `ratio` = ours ÷ the peer's or the floor's, of what the bench is about. */
  readonly figures: Readonly<Record<string, number>> & { readonly ratio: number };
}

/** The middle one; of an even count, the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** The value below which `share` percent of them lie (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((share / 100) * sorted.length) - 1)]!;
}
