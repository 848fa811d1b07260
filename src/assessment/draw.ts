import { createHash } from 'node:crypto';
import type { Manifest } from '../courses/manifest.ts';

/** What was drawn for an attempt: items in their order, each with the order of its options. */
export interface DrawnItem {
  readonly itemId: string;
  readonly options: readonly string[];
}

interface Drawable {
  readonly id: string;
  readonly competency: string;
  readonly kind: string;
  readonly options: readonly { readonly key: string }[];
}

/**
 * Draws an exam from the bank by its blueprint. The seed is kept with the attempt: the same seed and bank give the same drawing,
 * so that any attempt can be reconstructed.
 */
export function drawItems(
  bank: readonly Drawable[],
  blueprint: Manifest['exam']['blueprint'],
  seed: string,
): DrawnItem[] {
  const random = seededRandom(seed);
  const drawn = blueprint.flatMap(({ competency, count }) => {
    const fitting = bank
      .filter((item) => item.competency === competency)
      .toSorted((a, b) => Number(a.id) - Number(b.id));
    return shuffle(fitting, random).slice(0, count);
  });
  return shuffle(drawn, random).map((item) => ({
    itemId: item.id,
    // True stands before false wherever people look for it.
    options:
      item.kind === 'true_false'
        ? ['true', 'false']
        : shuffle(
            item.options.map((option) => option.key),
            random,
          ),
  }));
}

/** Numbers in [0, 1) from SHA-256 of seed and counter: unpredictable without the seed, repeatable with it. */
function seededRandom(seed: string): () => number {
  let counter = 0;
  return () => createHash('sha256').update(`${seed}:${counter++}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** Fisher–Yates. */
function shuffle<T>(values: readonly T[], random: () => number): T[] {
  const shuffled = [...values];
  for (let last = shuffled.length - 1; last > 0; last -= 1) {
    const other = Math.floor(random() * (last + 1));
    [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
  }
  return shuffled;
}
