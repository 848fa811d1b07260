import { z } from 'zod';
import { contentText, key, type ContentText } from './notation.ts';

/*
 * Items of an exam as their files are written, and as the service keeps them. In a file a vignette holds its questions; kept, each of them
 * is an item that knows its vignette.
 */

const rationale = contentText.describe(
  'Shown after the attempt: why it is so. About the deed, never about the person.',
);

const own = {
  key: key.describe('Unique in the course, and never used again for another question.'),
  difficulty: z.number().int().min(1).max(3),
  stem: contentText,
  mustPass: z
    .boolean()
    .default(false)
    .describe('Without full points for it the attempt fails, whatever the rest: safety, protection of data.'),
};
const common = {
  ...own,
  competency: key,
  use: z
    .enum(['exam', 'practice'])
    .default('exam')
    .describe('practice: never in an exam; offered to who was weak in the competency.'),
};

const choice = {
  options: z
    .array(
      z.strictObject({
        key: z.string().regex(/^[a-z]$|^true$|^false$/, 'one letter, or true / false'),
        text: contentText,
        correct: z.boolean().default(false),
        rationale: contentText.describe(
          'Shown after the attempt, for this option: why it is right or wrong.',
        ),
      }),
    )
    .min(2)
    .max(8),
};
const ordering = {
  elements: z
    .array(z.strictObject({ key, text: contentText, rationale }))
    .min(3)
    .max(7)
    .describe('In the right order; each attempt shows them in another.'),
};
const matching = {
  pairs: z
    .array(
      z.strictObject({
        key,
        text: contentText,
        matches: key.describe('Key of the target that it belongs to; two may belong to the same.'),
        rationale,
      }),
    )
    .min(2)
    .max(7),
  targets: z
    .array(z.strictObject({ key, text: contentText }))
    .min(3)
    .max(7)
    .describe('What they are matched to; there may be some to which none belongs.'),
};
const numeric = {
  answer: z.number(),
  tolerance: z.number().min(0).describe('How far from the answer is right as well; 0 = the very number.'),
  unit: contentText.optional().describe('Stands behind the field, so that nobody types it.'),
  rationale,
  mistakes: z
    .array(z.strictObject({ value: z.number(), tolerance: z.number().min(0), rationale }))
    .max(5)
    .default([])
    .describe('Wrong numbers that people come to, each with what is said about it.'),
};

const kinds = {
  single: z.literal('single'),
  multiple: z.literal('multiple'),
  true_false: z.literal('true_false'),
  ordering: z.literal('ordering'),
  matching: z.literal('matching'),
  numeric: z.literal('numeric'),
};

/** A question of a vignette: of its competency, and drawn with it. */
export const linkedItemSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...own, kind: kinds.single, ...choice }),
  z.strictObject({ ...own, kind: kinds.multiple, ...choice }),
  z.strictObject({ ...own, kind: kinds.true_false, ...choice }),
  z.strictObject({ ...own, kind: kinds.ordering, ...ordering }),
  z.strictObject({ ...own, kind: kinds.matching, ...matching }),
  z.strictObject({ ...own, kind: kinds.numeric, ...numeric }),
]);

export const itemSchema = z.discriminatedUnion('kind', [
  z.strictObject({ ...common, kind: kinds.single, ...choice }),
  z.strictObject({ ...common, kind: kinds.multiple, ...choice }),
  z.strictObject({ ...common, kind: kinds.true_false, ...choice }),
  z.strictObject({ ...common, kind: kinds.ordering, ...ordering }),
  z.strictObject({ ...common, kind: kinds.matching, ...matching }),
  z.strictObject({ ...common, kind: kinds.numeric, ...numeric }),
  z.strictObject({
    kind: z.literal('vignette'),
    key: common.key,
    competency: common.competency,
    use: common.use,
    story: contentText.describe(
      'What is told before its questions, and stays on the screen with each of them.',
    ),
    items: z
      .array(linkedItemSchema)
      .min(2, 'a vignette has at least two questions')
      .max(5)
      .describe('Drawn together, in this order.'),
  }),
]);

export const itemFileSchema = z.array(itemSchema).min(1);

/** An entry of a file. */
export type WrittenItem = z.infer<typeof itemSchema>;
type LinkedItem = z.infer<typeof linkedItemSchema>;
type Single<T> = T extends LinkedItem ? T & ItemPlace : never;

export interface Vignette {
  readonly key: string;
  readonly story: ContentText;
}
interface ItemPlace {
  readonly competency: string;
  readonly use: 'exam' | 'practice';
  readonly vignette?: Vignette;
}

/** One question, as it is drawn, answered and graded. */
export type Item = Single<LinkedItem>;
export type ItemKind = Item['kind'];
export type ChoiceItem = Extract<Item, { options: unknown }>;
export type OrderingItem = Extract<Item, { kind: 'ordering' }>;
export type MatchingItem = Extract<Item, { kind: 'matching' }>;
export type NumericItem = Extract<Item, { kind: 'numeric' }>;

/** The questions of a file's entry: of a vignette all of its own. */
export function questionsOf(written: WrittenItem): Item[] {
  if (written.kind !== 'vignette') return [written];
  const { key: vignetteKey, story, competency, use } = written;
  return written.items.map((item) => ({ ...item, competency, use, vignette: { key: vignetteKey, story } }));
}

/** The keys by which parts of an item are shown in an order of their own: options, elements, pairs; none of a number. */
export function partKeys(item: Item): string[] {
  return partsOf(item).map((part) => part.key);
}

/** What is shown of an item line by line. */
export interface ItemPart {
  readonly key: string;
  readonly text: ContentText;
  readonly rationale: ContentText;
  /** Of an option. */
  readonly correct?: boolean;
  /** Of a pair: the key of its target. */
  readonly matches?: string;
}

export function partsOf(item: Item): readonly ItemPart[] {
  switch (item.kind) {
    case 'ordering':
      return item.elements;
    case 'matching':
      return item.pairs;
    case 'numeric':
      return [];
    case 'single':
    case 'multiple':
    case 'true_false':
      return item.options;
  }
}
