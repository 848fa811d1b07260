import { createHash } from 'node:crypto';
import { narrowFirst } from '../courses/check-item.ts';
import { partKeys, type Item } from '../courses/item.ts';
import type { Manifest } from '../courses/manifest.ts';

/** What was drawn for an attempt: items in their order, each with the order of its options, elements or pairs. */
export interface DrawnItem {
  readonly itemId: string;
  readonly options: readonly string[];
  /** Of a matching item: the order of its targets. */
  readonly targets?: readonly string[];
}

export type Drawable = Item & { readonly id: string };

/**
 * Draws an exam from the bank by its blueprint. The seed is kept with the attempt: the same seed, bank and earlier attempts give the same
 * drawing, so that any attempt can be reconstructed.
 * @param seen items of earlier attempts: they come only where there are not enough others.
 */
export function drawItems(
  bank: readonly Drawable[],
  { blueprint, vignettes }: Pick<Manifest['exam'], 'blueprint' | 'vignettes'>,
  seed: string,
  seen: ReadonlySet<string> = new Set(),
): DrawnItem[] {
  const random = seededRandom(seed);
  const forExam = bank.filter((item) => item.use === 'exam').toSorted((a, b) => Number(a.id) - Number(b.id));
  const unseenFirst = <T extends { readonly id: string }>(items: readonly T[]): T[] =>
    shuffle(items, random).toSorted((a, b) => Number(seen.has(a.id)) - Number(seen.has(b.id)));

  const taken = new Set<string>();
  const singles = narrowFirst(blueprint).flatMap(({ competency, difficulty, mustPass, count }) => {
    const fitting = forExam.filter(
      (item) =>
        item.vignette === undefined &&
        !taken.has(item.id) &&
        item.competency === competency &&
        item.mustPass === mustPass &&
        (difficulty === undefined || item.difficulty === difficulty),
    );
    const drawn = unseenFirst(fitting).slice(0, count);
    for (const item of drawn) taken.add(item.id);
    return drawn.map((item) => [item]);
  });

  const linked = [
    ...Map.groupBy(
      // As they stand in the file: a later question may build on an earlier one.
      forExam.filter((item) => item.vignette !== undefined),
      (item) => item.vignette!.key,
    ).values(),
  ].map((items) => ({ id: items[0]!.id, items }));
  const cases = vignettes.flatMap(({ competency, count, questions }) =>
    unseenFirst(
      linked.filter(({ items }) => items.length === questions && items[0]!.competency === competency),
    ).slice(0, count),
  );

  return shuffle([...singles, ...cases.map(({ items }) => items)], random)
    .flat()
    .map((item) => arrange(item, random));
}

/** The order in which an item's parts are shown. */
export function arrange(item: Drawable, random: () => number): DrawnItem {
  const keys = partKeys(item);
  // True stands before false wherever people look for it.
  if (item.kind === 'true_false') return { itemId: item.id, options: ['true', 'false'] };
  if (item.kind === 'matching')
    return {
      itemId: item.id,
      options: shuffle(keys, random),
      targets: shuffle(
        item.targets.map((target) => target.key),
        random,
      ),
    };
  const options = shuffle(keys, random);
  // What is to be put in order is never so already.
  if (item.kind === 'ordering' && options.every((key, index) => key === keys[index]))
    options.push(options.shift()!);
  return { itemId: item.id, options };
}

/** Numbers in [0, 1) from SHA-256 of seed and counter: unpredictable without the seed, repeatable with it. */
export function seededRandom(seed: string): () => number {
  let counter = 0;
  return () => createHash('sha256').update(`${seed}:${counter++}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** Fisher–Yates. */
export function shuffle<T>(values: readonly T[], random: () => number): T[] {
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}
