import { addDays, addMonths, chinaDay } from '../clock.ts';
import type { Scale } from '../courses/scale.ts';
import { InvalidInput } from '../errors.ts';

/** When the scale is asked: before the lessons, after the exam is passed, and months after that. */
export const efficacyWaves = ['before', 'after', 'month_3', 'month_6', 'month_12'] as const;
export type EfficacyWave = (typeof efficacyWaves)[number];

/** Of those after the pass: months since, and for how many days around that day it may be answered. */
const WINDOWS: readonly { wave: EfficacyWave; months: number; from: number; to: number }[] = [
  { wave: 'after', months: 0, from: 0, to: 60 },
  { wave: 'month_3', months: 3, from: -7, to: 60 },
  { wave: 'month_6', months: 6, from: -7, to: 60 },
  { wave: 'month_12', months: 12, from: -7, to: 60 },
];

/** The wave that is asked now. */
export interface DueWave {
  readonly wave: EfficacyWave;
  /** The last day; null: until a first activity is completed. */
  readonly until: string | null;
}

/**
 * What is asked now, from what has happened alone: nobody is written to, and nothing is scheduled. Before: until a first activity is
 * completed, after which an answer would no longer be one from before. undefined: nothing is.
 */
export function dueWave(facts: {
  readonly completed: number;
  readonly attempts: number;
  readonly passedAt: Date | undefined;
  readonly now: Date;
}): DueWave | undefined {
  const { passedAt, now } = facts;
  if (passedAt === undefined)
    return facts.completed === 0 && facts.attempts === 0 ? { wave: 'before', until: null } : undefined;
  const [passed, today] = [chinaDay(passedAt), chinaDay(now)];
  for (const { wave, months, from, to } of WINDOWS) {
    const day = addMonths(passed, months);
    if (today >= addDays(day, from) && today <= addDays(day, to)) return { wave, until: addDays(day, to) };
  }
  return undefined;
}

export interface ItemAnswer {
  readonly itemKey: string;
  /** 1 for the first of the scale's answers, the least. */
  readonly answer: number;
}

/** Answers in the order of the scale's items: all of them, each once. @throws InvalidInput naming the first that is not. */
export function readAnswers(scale: Scale, given: readonly ItemAnswer[]): number[] {
  const answers = new Map<string, number>();
  for (const [at, { itemKey, answer }] of given.entries()) {
    const path = `input.answers.${at}`;
    if (!scale.items.some((item) => item.key === itemKey))
      throw new InvalidInput(`${path}.itemKey`, `"${itemKey}" is not an item of this scale.`);
    if (answers.has(itemKey)) throw new InvalidInput(`${path}.itemKey`, `"${itemKey}" is answered twice.`);
    if (!Number.isInteger(answer) || answer < 1 || answer > scale.answers.length)
      throw new InvalidInput(`${path}.answer`, `From 1 to ${scale.answers.length}.`);
    answers.set(itemKey, answer);
  }
  const missing = scale.items.filter((item) => !answers.has(item.key)).length;
  if (missing > 0)
    throw new InvalidInput(
      'input.answers',
      `${missing} of ${scale.items.length} items are not answered: all are kept, or none.`,
    );
  return scale.items.map((item) => answers.get(item.key)!);
}

export function meanOf(answers: readonly number[]): number {
  return answers.reduce((sum, answer) => sum + answer, 0) / answers.length;
}
