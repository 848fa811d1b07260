import { z } from 'zod';
import { roles } from '../people/role.ts';
import { languages } from './language.ts';
import { key, path, text } from './notation.ts';

const activity = {
  key: key.describe('Stays the same across versions: progress is kept by it.'),
  title: text,
  minutes: z
    .number()
    .int()
    .min(1)
    .max(120)
    .describe('How long a teacher should expect to need; shown, never credited as such.'),
};

/** Short for the two rules that take nothing more. */
const completionSchema = z
  .union([
    z.enum(['viewed', 'completed']),
    z.discriminatedUnion('rule', [
      z.strictObject({ rule: z.literal('viewed').describe('Opening it is enough.') }),
      z.strictObject({
        rule: z.literal('completed').describe('The content as a whole says that it was finished.'),
      }),
      z.strictObject({
        rule: z
          .literal('answered-all')
          .describe('So many of its parts were answered, or the content itself says that it was finished.'),
        questions: z.number().int().min(1).max(500).describe('How many parts can be answered.'),
      }),
      z.strictObject({
        rule: z.literal('score').describe('The content as a whole reports at least this score, once.'),
        atLeast: z.number().min(0).max(1).describe('Share of the points: 0.6 is 60%.'),
      }),
      z.strictObject({
        rule: z
          .literal('time')
          .describe('It was open so long with somebody at it; pauses of over two minutes do not count.'),
        minutes: z.number().min(0.5).max(120),
      }),
    ]),
  ])
  .describe(
    'When it counts as done. completed: the content says that it was finished (lessons, question sets, sorting); viewed: opening it is enough.',
  );
type Completion = z.infer<typeof completionSchema>;
export type CompletionRule = Exclude<Completion, string>;

/** The rule in full. */
export function completionOf({ complete }: H5pActivity): CompletionRule {
  return typeof complete === 'string' ? { rule: complete } : complete;
}

export const activitySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    ...activity,
    kind: z.literal('h5p'),
    content: z
      .strictObject({ 'zh-CN': path, en: path.optional() })
      .describe(
        'For each language of the course: a `.h5p` as an editor exports it, or the folder of an unpacked one (h5p.json, content/content.json).',
      ),
    complete: completionSchema,
  }),
  z.strictObject({
    ...activity,
    kind: z.literal('simulation'),
    scenario: path.describe('Scenario file (YAML), in the course folder.'),
    mode: z
      .enum(['practice', 'graded'])
      .describe(
        'practice: a coach speaks after each turn, and coming to any end completes it; graded: no coach, and it is completed when it is passed.',
      ),
    resit: z
      .strictObject({
        afterHours: z.number().int().min(0).describe('Cooling-off between a failed graded run and the next.'),
        attempts: z.number().int().min(1).describe('Graded runs in all, the first included.'),
      })
      .optional()
      .describe('Of a graded one; as often as one likes when left out.'),
  }),
]);

export const moduleSchema = z.strictObject({
  key,
  title: text,
  summary: text,
  activities: z.array(activitySchema).min(1),
});

export const examSchema = z.strictObject({
  items: z.array(path).min(1).describe('Item files (YAML), in the course folder.'),
  blueprint: z
    .array(
      z.strictObject({
        competency: key,
        difficulty: z
          .number()
          .int()
          .min(1)
          .max(3)
          .optional()
          .describe('Only of this one; any when left out.'),
        mustPass: z
          .boolean()
          .default(false)
          .describe('Draws from the must-pass items, which no other part draws from.'),
        count: z.number().int().min(1),
      }),
    )
    .min(1)
    .describe(
      'How many items of each competency are drawn for an attempt. Questions of vignettes are not among them.',
    ),
  vignettes: z
    .array(
      z.strictObject({
        competency: key,
        count: z.number().int().min(1),
        questions: z
          .number()
          .int()
          .min(2)
          .max(5)
          .describe('Only vignettes with just so many questions, so that all attempts are equally long.'),
      }),
    )
    .default([])
    .describe('How many vignettes of each competency are drawn, each with all its questions.'),
  presentation: z
    .enum(['one', 'all'])
    .default('one')
    .describe('one: a question at a time, forth and back at will; all: on one page.'),
  passMark: z.number().int().min(1).max(100).describe('Percent of the points.'),
  minutes: z.number().int().min(1).max(240).describe('Time limit, counted by the server.'),
  resit: z.strictObject({
    afterHours: z.number().int().min(0).describe('Cooling-off between a failed attempt and the next.'),
    attempts: z.number().int().min(1).describe('Attempts in all, the first included.'),
  }),
});

export const manifestSchema = z.strictObject({
  $schema: z.string().optional(),
  slug: key.describe('The folder name, and the course for ever.'),
  version: z.string().regex(/^\d+\.\d+\.\d+$/, 'major.minor.patch'),
  languages: z
    .array(z.enum(languages))
    .refine((all) => all.includes('zh-CN'), 'zh-CN is always among them')
    .refine((all) => new Set(all).size === all.length, 'each once')
    .default([...languages])
    .describe(
      'What the course is in. Titles and summaries are in both languages all the same; everything else is complete in each of these.',
    ),
  title: text,
  summary: text,
  audience: z.array(z.enum(roles)).min(1),
  classHours: z
    .number()
    .min(0.5)
    .max(40)
    .describe('Declared class hours (45 minutes); the course check refuses more than the content supports.'),
  competencies: z.array(z.strictObject({ key, title: text })).min(1),
  modules: z.array(moduleSchema).min(1),
  scale: path
    .optional()
    .describe(
      'Self-efficacy scale (YAML), in the course folder: asked before, after, and 3, 6 and 12 months later.',
    ),
  exam: examSchema,
});

export type Manifest = z.infer<typeof manifestSchema>;
export type Activity = z.infer<typeof activitySchema>;
export type H5pActivity = Extract<Activity, { kind: 'h5p' }>;
export type SimulationActivity = Extract<Activity, { kind: 'simulation' }>;
