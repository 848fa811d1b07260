/* What of a bank of items could be chance, computed exactly. */

/** Chance of at least `count` successes where each trial has its own chance of one. */
export function tailAtLeast(chances: readonly number[], count: number): number {
  let exactly = [1];
  for (const chance of chances) {
    const next = Array.from({ length: exactly.length + 1 }, () => 0);
    for (const [successes, probability] of exactly.entries()) {
      next[successes]! += probability * (1 - chance);
      next[successes + 1]! += probability * chance;
    }
    exactly = next;
  }
  return exactly.slice(count).reduce((sum, probability) => sum + probability, 0);
}

export function choose(from: number, count: number): number {
  if (count < 0 || count > from) return 0;
  let ways = 1;
  for (let index = 1; index <= count; index += 1) ways = (ways * (from - count + index)) / index;
  return ways;
}
