import { z } from 'zod';
import { contentText, key } from './notation.ts';

/** A self-efficacy scale as an author writes it: asked before a course, after it, and months later. Nobody is judged by it. */
export const scaleSchema = z.strictObject({
  $schema: z.string().optional(),
  key: key.describe('With the version, what answers are compared within.'),
  version: z
    .number()
    .int()
    .min(1)
    .describe('Raised with any change of an item: answers of different versions are never compared.'),
  title: contentText,
  introduction: contentText.describe('What it is for, who sees the answers, that nothing depends on them.'),
  answers: z.array(contentText).min(4).max(7).describe('From the least to the most; the first counts 1.'),
  items: z
    .array(
      z.strictObject({
        key,
        text: contentText.describe('In the first person: I can …'),
        purpose: contentText.describe(
          'What it is asked for; shown to whoever wants to know, and to authors.',
        ),
        competency: key,
      }),
    )
    .min(4)
    .max(20),
});

export type Scale = z.infer<typeof scaleSchema>;
