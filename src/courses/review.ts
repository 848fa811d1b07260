import { z } from 'zod';
import { text, type Text } from './notation.ts';

/*
 * Whether somebody whose profession it is has read a course and put their name to it. It is said wherever the course is offered and on the
 * certificates that are earned with it, so that nobody takes for reviewed what is not.
 */

const role = text.describe('Whose signature it takes, e.g. 临床心理专业人员 / a clinician.');

export const reviewSchema = z.discriminatedUnion('state', [
  z.strictObject({ role, state: z.literal('not-reviewed') }),
  z.strictObject({
    role,
    state: z.literal('reviewed'),
    by: text.describe('Who signed: name and institution, as they agreed to be named.'),
    on: z.iso.date().describe('The day.'),
    version: z
      .string()
      .regex(/^\d+\.\d+\.\d+$/, 'major.minor.patch')
      .describe(
        'What was read. It stays reviewed through corrections (the last number); with new content it is no longer.',
      ),
  }),
]);
export type Review = z.infer<typeof reviewSchema>;

/** Of a course that names nobody. */
export const unreviewed: Review = {
  role: { 'zh-CN': '临床专业人员', en: 'a clinician' },
  state: 'not-reviewed',
};

/** One sentence without a full stop, as it is shown and printed. */
export function describeReview(review: Review): Text {
  if (review.state === 'not-reviewed')
    return {
      'zh-CN': `尚未经${review.role['zh-CN']}审阅`,
      en: `Not yet reviewed by ${review.role.en}`,
    };
  const [year, month, day] = review.on.split('-').map(Number);
  return {
    'zh-CN': `已由${review.role['zh-CN']}${review.by['zh-CN']}审阅（${year}年${month}月${day}日）`,
    en: `Reviewed by ${review.by.en}, ${review.role.en}, on ${review.on}`,
  };
}

/** @returns what is wrong with it, of a course at that version. */
export function judgeReview(review: Review, version: string): string | undefined {
  if (review.state === 'not-reviewed') return undefined;
  const content = (each: string): string => each.split('.').slice(0, 2).join('.');
  return content(review.version) === content(version)
    ? undefined
    : `is of version ${review.version}, and this is ${version} with other content: have it read again, or say not-reviewed.`;
}
