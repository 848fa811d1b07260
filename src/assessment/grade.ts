/** An item and what was chosen, as grading needs them. */
export interface Gradable {
  readonly kind: 'single' | 'multiple' | 'true_false';
  readonly options: readonly { readonly key: string; readonly correct: boolean }[];
}

/**
 * Points of one item, from 0 to 1. One right option: all or nothing. Several: each right one chosen earns its share, each wrong
 * one chosen loses a share as large, and nothing goes below 0, so that ticking everything earns nothing.
 */
export function gradeItem(item: Gradable, chosen: readonly string[]): number {
  const right = item.options.filter((option) => option.correct).map((option) => option.key);
  const hits = chosen.filter((key) => right.includes(key)).length;
  const misses = chosen.length - hits;
  if (item.kind !== 'multiple') return hits === 1 && misses === 0 ? 1 : 0;
  return Math.max(0, hits - misses) / right.length;
}

export interface Grade {
  readonly points: number;
  readonly maxPoints: number;
  /** 0–100, two decimals, rounded down: a pass mark is reached or it is not. */
  readonly percent: number;
  readonly passed: boolean;
}

export function gradeAttempt(points: readonly number[], passMark: number): Grade {
  const total = points.reduce((sum, each) => sum + each, 0);
  // Thirds added up may fall short of a whole by the last bit; nobody fails by that.
  const percent = points.length === 0 ? 0 : Math.floor((total / points.length) * 10_000 + 1e-6) / 100;
  return { points: total, maxPoints: points.length, percent, passed: percent >= passMark };
}
