import { arrange, seededRandom, shuffle, type Drawable, type DrawnItem } from './draw.ts';
import { isFull, percentOf } from './grade.ts';

/*
 * After an attempt, what to practise instead of sitting all of it again. Practice never certifies, and nothing of it is kept.
 */

/** How many items are offered at a time. */
const PRACTICE_ITEMS = 3;

export interface CompetencyResult {
  readonly key: string;
  readonly items: number;
  readonly points: number;
  /** As of an attempt. */
  readonly percent: number;
  /** Below the pass mark, or a must-pass item of it was missed. */
  readonly isWeak: boolean;
}

/** How an attempt went, by competency, in the order of the course. */
export function resultsByCompetency(
  competencies: readonly string[],
  graded: readonly { readonly competency: string; readonly points: number; readonly mustPass: boolean }[],
  passMark: number,
): CompetencyResult[] {
  return competencies.flatMap((key) => {
    const items = graded.filter((item) => item.competency === key);
    if (items.length === 0) return [];
    const percent = percentOf(items);
    return [
      {
        key,
        items: items.length,
        points: items.reduce((sum, item) => sum + item.points, 0),
        percent,
        isWeak: percent < passMark || items.some((item) => item.mustPass && !isFull(item.points)),
      },
    ];
  });
}

/**
 * What may be practised in a competency: the items for practice first, then those of exams that this learner has sat and seen the answers
 * of. An item of an exam that they have not seen stays for the exam.
 * @param seen items of the learner's graded attempts. @param sitting items of an attempt that is open: not a word about them.
 */
export function practisable(
  bank: readonly Drawable[],
  competency: string,
  { seen, sitting }: { seen: ReadonlySet<string>; sitting: ReadonlySet<string> },
): Drawable[] {
  const fitting = bank.filter((item) => item.competency === competency && !sitting.has(item.id));
  return [
    ...fitting.filter((item) => item.use === 'practice'),
    ...fitting.filter((item) => item.use === 'exam' && seen.has(item.id)),
  ];
}

/**
 * A few of them, the same for the same seed and round; each round goes on where the last one ended, and begins again at the end.
 * @param seed of the attempt.
 */
export function drawPractice(
  bank: readonly Drawable[],
  competency: string,
  items: { seen: ReadonlySet<string>; sitting: ReadonlySet<string> },
  { seed, round }: { seed: string; round: number },
): { item: Drawable; drawn: DrawnItem }[] {
  const random = seededRandom(`${seed}:practice:${competency}`);
  const all = practisable(bank, competency, items).toSorted((a, b) => Number(a.id) - Number(b.id));
  const inOrder = [
    ...shuffle(
      all.filter((item) => item.use === 'practice'),
      random,
    ),
    ...shuffle(
      all.filter((item) => item.use === 'exam'),
      random,
    ),
  ];
  const arranged = inOrder.map((item) => ({ item, drawn: arrange(item, random) }));
  const count = Math.min(PRACTICE_ITEMS, arranged.length);
  return Array.from(
    { length: count },
    (_each, index) => arranged[(round * PRACTICE_ITEMS + index) % arranged.length]!,
  );
}
