import type { Item } from './item.ts';
import type { Manifest } from './manifest.ts';
import { choose } from './statistics.ts';

/*
 * How somebody does in the exam who answers every question and knows nothing: each option is as likely as the others, each order, each match; a
 * number is never guessed. Computed exactly over everything that can be drawn in a first attempt, with the rules by which it is graded
 * (courses/README.md; a test holds both together).
 */

/** Points → how likely. Without full points where they must be had, the sum may be below 1: the rest has failed. */
export type Distribution = ReadonlyMap<number, number>;

export interface Guessing {
  /** 0 to 100. */
  readonly expectedPercent: number;
  /** 0 to 1. */
  readonly passChance: number;
}

/** Points are added as whole steps, so that sums that are equal are one. */
export const STEPS = 2520;

/** @param answer the points that an answer to an item brings; who knows nothing, when left out. */
export function guess(
  exam: Manifest['exam'],
  items: readonly Item[],
  answer: (item: Item) => Distribution = guessItem,
): Guessing {
  const drawn = items.filter((item) => item.use === 'exam');
  const all = (of: (item: Item) => Distribution): Distribution =>
    [...partSums(exam, drawn, of)].reduce(sum, new Map([[0, 1]]));
  const points = all(answer);
  const count =
    exam.blueprint.reduce((total, part) => total + part.count, 0) +
    exam.vignettes.reduce((total, part) => total + part.count * part.questions, 0);
  const passing = all((item) => (item.mustPass ? fullOnly(answer(item)) : answer(item)));
  let expected = 0;
  let pass = 0;
  for (const [steps, chance] of points) expected += (steps / STEPS) * chance;
  for (const [steps, chance] of passing)
    if ((steps / STEPS / count) * 100 >= exam.passMark - 1e-9) pass += chance;
  return { expectedPercent: (expected / count) * 100, passChance: pass };
}

/** Of each part that is drawn for itself, the points that it brings. */
function* partSums(
  exam: Manifest['exam'],
  items: readonly Item[],
  of: (item: Item) => Distribution,
): Generator<Distribution> {
  const loose = items.filter((item) => item.vignette === undefined);
  const cells = Map.groupBy(exam.blueprint, (part) => `${part.competency} ${part.mustPass}`);
  for (const parts of cells.values()) {
    const [{ competency, mustPass }] = parts as [(typeof parts)[number]];
    const fitting = loose.filter((item) => item.competency === competency && item.mustPass === mustPass);
    const open = parts.find((part) => part.difficulty === undefined)?.count ?? 0;
    const groups = [...Map.groupBy(fitting, (item) => item.difficulty)].map(([difficulty, group]) => ({
      drawnAs: drawnFrom(group.map(of)),
      size: group.length,
      named: parts.find((part) => part.difficulty === difficulty)?.count ?? 0,
    }));
    // What names a difficulty is drawn first; the rest comes from what it leaves, of every difficulty alike.
    const left = groups.reduce((total, { size, named }) => total + size - named, 0);
    yield* [mixed(groups, open, choose(left, open))];
  }
  const vignettes = [
    ...Map.groupBy(
      items.filter((item) => item.vignette !== undefined),
      (item) => item.vignette!.key,
    ).values(),
  ];
  for (const { competency, count, questions } of exam.vignettes) {
    const fitting = vignettes.filter(
      (linked) => linked[0]!.competency === competency && linked.length === questions,
    );
    yield drawnFrom(fitting.map((linked) => linked.map(of).reduce(sum)))[count] ?? new Map();
  }
}

function mixed(
  groups: readonly { drawnAs: readonly Distribution[]; size: number; named: number }[],
  open: number,
  all: number,
): Distribution {
  const [group, ...others] = groups;
  if (group === undefined) return open === 0 ? new Map([[0, all === 0 ? 0 : 1 / all]]) : new Map();
  const total = new Map<number, number>();
  for (let more = 0; more <= Math.min(open, group.size - group.named); more += 1) {
    const here = group.drawnAs[group.named + more] ?? new Map<number, number>();
    const weight = choose(group.size - group.named, more);
    for (const [steps, chance] of sum(here, mixed(others, open - more, all)))
      total.set(steps, (total.get(steps) ?? 0) + chance * weight);
  }
  return total;
}

/** For each count, the points of so many drawn from these, each choice of them as likely. */
function drawnFrom(each: readonly Distribution[]): Distribution[] {
  const sums: Map<number, number>[] = [new Map([[0, 1]])];
  for (const one of each)
    for (let count = sums.length; count >= 1; count -= 1) {
      const into = sums[count] ?? new Map<number, number>();
      for (const [steps, chance] of sum(sums[count - 1]!, one))
        into.set(steps, (into.get(steps) ?? 0) + chance);
      sums[count] = into;
    }
  return sums.map((map, count) => {
    const ways = choose(each.length, count);
    return new Map([...map].map(([steps, chance]) => [steps, chance / ways]));
  });
}

function sum(one: Distribution, other: Distribution): Map<number, number> {
  const total = new Map<number, number>();
  for (const [a, p] of one) for (const [b, q] of other) total.set(a + b, (total.get(a + b) ?? 0) + p * q);
  return total;
}

function fullOnly(points: Distribution): Distribution {
  return new Map([...points].filter(([steps]) => steps === STEPS));
}

/** What one item brings who guesses, in steps of which `STEPS` are its full points. */
export function guessItem(item: Item): Distribution {
  switch (item.kind) {
    case 'single':
    case 'true_false':
      return all(1 / item.options.length);
    case 'multiple': {
      const right = item.options.filter((option) => option.correct).length;
      const wrong = item.options.length - right;
      const chances = new Map<number, number>();
      for (let hits = 0; hits <= right; hits += 1)
        for (let misses = 0; misses <= wrong; misses += 1)
          add(
            chances,
            Math.max(0, hits - misses) / right,
            (choose(right, hits) * choose(wrong, misses)) / 2 ** (right + wrong),
          );
      return chances;
    }
    case 'ordering': {
      const pairs = choose(item.elements.length, 2);
      const chances = new Map<number, number>();
      for (const [inversions, chance] of inversionsOf(item.elements.length).entries())
        add(chances, Math.max(0, (2 * (pairs - inversions)) / pairs - 1), chance);
      return chances;
    }
    case 'matching': {
      const chances = new Map<number, number>();
      const right = 1 / item.targets.length;
      for (let hits = 0; hits <= item.pairs.length; hits += 1)
        add(
          chances,
          hits / item.pairs.length,
          choose(item.pairs.length, hits) * right ** hits * (1 - right) ** (item.pairs.length - hits),
        );
      return chances;
    }
    case 'numeric':
      return all(0);
  }
}

function all(chance: number): Distribution {
  return new Map([
    [0, 1 - chance],
    [STEPS, chance],
  ]);
}

function add(chances: Map<number, number>, points: number, chance: number): void {
  const steps = Math.round(points * STEPS);
  chances.set(steps, (chances.get(steps) ?? 0) + chance);
}

/** How likely each number of pairs in the wrong order is, of so many elements in an order at random. */
function inversionsOf(elements: number): number[] {
  let chances = [1];
  for (let element = 2; element <= elements; element += 1) {
    const next = Array.from({ length: chances.length + element - 1 }, () => 0);
    for (const [inversions, chance] of chances.entries())
      for (let more = 0; more < element; more += 1) next[inversions + more]! += chance / element;
    chances = next;
  }
  return chances;
}
