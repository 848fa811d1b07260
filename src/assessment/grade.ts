import type { ContentText } from '../courses/notation.ts';

/*
 * How answers are graded; written for teachers and authors in courses/README.md, which must say the same. An answer here is one that
 * `answer.ts` has read.
 */

/** An item as grading needs it. */
export type Gradable =
  | {
      readonly kind: 'single' | 'multiple' | 'true_false';
      readonly options: readonly { readonly key: string; readonly correct: boolean }[];
    }
  | { readonly kind: 'ordering'; readonly elements: readonly { readonly key: string }[] }
  | {
      readonly kind: 'matching';
      readonly pairs: readonly { readonly key: string; readonly matches: string }[];
    }
  | { readonly kind: 'numeric'; readonly answer: number; readonly tolerance: number };

/** Points of one item, from 0 to 1; none for no answer. */
export function gradeItem(item: Gradable, chosen: readonly string[]): number {
  if (chosen.length === 0) return 0;
  switch (item.kind) {
    case 'ordering':
      return gradeOrder(
        item.elements.map((element) => element.key),
        chosen,
      );
    case 'matching':
      return (
        item.pairs.filter((pair) => chosen.includes(`${pair.key}=${pair.matches}`)).length / item.pairs.length
      );
    case 'numeric':
      return isWithin(Number(chosen[0]), item.answer, item.tolerance) ? 1 : 0;
    case 'single':
    case 'multiple':
    case 'true_false':
      return gradeChoice(item, chosen);
  }
}

/**
 * One right option: all or nothing. Several: each right one chosen earns its share, each wrong one chosen loses a share as large, and nothing
 * goes below 0, so that ticking everything earns nothing.
 */
function gradeChoice(item: Extract<Gradable, { options: unknown }>, chosen: readonly string[]): number {
  const right = item.options.filter((option) => option.correct).map((option) => option.key);
  const hits = chosen.filter((key) => right.includes(key)).length;
  const misses = chosen.length - hits;
  if (item.kind !== 'multiple') return hits === 1 && misses === 0 ? 1 : 0;
  return Math.max(0, hits - misses) / right.length;
}

/**
 * Of all pairs of elements, the share p that stands in the right order. Any order at all has half of them right on average, so p counts
 * from there: max(0, 2p − 1).
 */
function gradeOrder(right: readonly string[], chosen: readonly string[]): number {
  const places = right.map((key) => chosen.indexOf(key));
  if (places.includes(-1)) return 0;
  let inOrder = 0;
  let pairs = 0;
  for (const [index, place] of places.entries())
    for (const later of places.slice(index + 1)) {
      pairs += 1;
      if (place < later) inOrder += 1;
    }
  return Math.max(0, (2 * inOrder) / pairs - 1);
}

/** What is said about a number: of the mistake that it is, or of the item. */
export function rationaleOf(
  item: {
    readonly rationale: ContentText;
    readonly mistakes: readonly {
      readonly value: number;
      readonly tolerance: number;
      readonly rationale: ContentText;
    }[];
  },
  chosen: readonly string[],
): ContentText {
  const mistake =
    chosen.length === 0
      ? undefined
      : item.mistakes.find(({ value, tolerance }) => isWithin(Number(chosen[0]), value, tolerance));
  return (mistake ?? item).rationale;
}

/** 0.1 + 0.2 is no further from 0.3 than nothing. */
function isWithin(value: number, answer: number, tolerance: number): boolean {
  return Math.abs(value - answer) <= tolerance + 1e-9 * Math.max(1, Math.abs(answer));
}

export interface GradedItem {
  readonly points: number;
  readonly mustPass: boolean;
}

export interface Grade {
  readonly points: number;
  readonly maxPoints: number;
  /** 0–100, two decimals, rounded down: a pass mark is reached or it is not. */
  readonly percent: number;
  /** Must-pass items without full points; any fails the attempt, whatever the rest. */
  readonly mustPassMissed: number;
  readonly passed: boolean;
}

export function gradeAttempt(items: readonly GradedItem[], passMark: number): Grade {
  const percent = percentOf(items);
  const mustPassMissed = items.filter((item) => item.mustPass && !isFull(item.points)).length;
  return {
    points: items.reduce((sum, item) => sum + item.points, 0),
    maxPoints: items.length,
    percent,
    mustPassMissed,
    passed: percent >= passMark && mustPassMissed === 0,
  };
}

export function percentOf(items: readonly { readonly points: number }[]): number {
  const total = items.reduce((sum, item) => sum + item.points, 0);
  // Thirds added up may fall short of a whole by the last bit; nobody fails by that.
  return items.length === 0 ? 0 : Math.floor((total / items.length) * 10_000 + 1e-6) / 100;
}

export const isFull = (points: number): boolean => points > 1 - 1e-9;
