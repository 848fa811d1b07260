import { z } from 'zod';
import { contentText, key } from './notation.ts';

/*
 * A simulated conversation as an author writes it: turns of a student, what a teacher may answer, and what that does to the student of
 * the story. It is run on the server turn by turn: no browser sees the tree or a number of it.
 */

export const moods = [
  'calm',
  'smiling',
  'guarded',
  'sad',
  'tearful',
  'anxious',
  'angry',
  'numb',
  'relieved',
] as const;

/** What moves in the student of the story, each from 0 to 100. */
export const gauges = ['trust', 'distress', 'risk'] as const;

const gauge = z.number().int().min(0).max(100);
const change = z.number().int().min(-100).max(100);

/** All of it must hold. */
const conditionSchema = z
  .strictObject({
    atLeast: z.strictObject({ trust: gauge, distress: gauge, risk: gauge }).partial().optional(),
    atMost: z.strictObject({ trust: gauge, distress: gauge, risk: gauge }).partial().optional(),
    taken: z.array(key).optional().describe('Must-pass steps that have been taken.'),
    notTaken: z.array(key).optional().describe('Must-pass steps that have not.'),
  })
  .describe('All that is named must hold, of the state after the choice.');

const goesSchema = z.strictObject({
  if: conditionSchema.optional().describe('Left out in the last, which is where it goes otherwise.'),
  to: key.describe('A turn, or an ending.'),
});

export const choiceSchema = z.strictObject({
  key: z.string().regex(/^[a-z]$/, 'one letter'),
  say: contentText.describe('What the teacher says or does.'),
  changes: z
    .strictObject({ trust: change, distress: change, risk: change })
    .partial()
    .default({})
    .describe('Added to the state, which stays within 0 to 100.'),
  takes: z.array(key).default([]).describe('Must-pass steps that are taken by it.'),
  points: z
    .number()
    .int()
    .min(0)
    .max(3)
    .describe('How good it is: 3 what a trained teacher would do, 2 helpful, 1 little help, 0 harmful.'),
  coach: contentText.describe('Why: said after the turn in practice, and beside it in the replay.'),
  next: z
    .union([key, z.array(goesSchema).min(1)])
    .describe('A turn or an ending; or the first of several whose condition holds.'),
});

export const turnSchema = z.strictObject({
  key,
  narration: contentText.optional().describe('What is seen: where, what the student does.'),
  says: contentText.optional().describe('The words of the student; a turn has these, a narration, or both.'),
  mood: z.enum(moods),
  choices: z.array(choiceSchema).min(2).max(5),
});

export const endingSchema = z.strictObject({
  key,
  title: contentText,
  text: contentText.describe('What became of it.'),
  mood: z.enum(moods),
  passes: z.boolean().describe('Whether a conversation that ends here can be passed.'),
});

export const scenarioSchema = z.strictObject({
  $schema: z.string().optional(),
  key: key.describe('Unique in the course, and never used again for another conversation.'),
  title: contentText,
  setting: contentText.describe(
    'What the teacher knows before the first word: when, where, what has happened.',
  ),
  student: z.strictObject({
    name: contentText.describe('Of the story; nobody real.'),
    age: z.number().int().min(5).max(35),
    look: z.enum(['girl', 'boy', 'young-woman', 'young-man']),
  }),
  competency: key,
  start: z.strictObject({ trust: gauge, distress: gauge, risk: gauge }),
  mustPass: z
    .array(z.strictObject({ key, title: contentText }))
    .min(1)
    .describe(
      'Steps without which it is not passed, whatever the points: e.g. asking about safety, staying, referring.',
    ),
  passMark: z.number().int().min(1).max(100).describe('Percent of the points of the best way through.'),
  first: key.describe('The turn that it begins with.'),
  turns: z.array(turnSchema).min(3),
  endings: z.array(endingSchema).min(2),
});

export type Scenario = z.infer<typeof scenarioSchema>;
export type Turn = z.infer<typeof turnSchema>;
export type Choice = z.infer<typeof choiceSchema>;
export type Ending = z.infer<typeof endingSchema>;
export type Mood = (typeof moods)[number];
export type Gauge = (typeof gauges)[number];
/** Of the student of the story: each from 0 to 100. */
export type StudentState = Readonly<Record<Gauge, number>>;
