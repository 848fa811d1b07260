import { itemsPerAttempt } from './course.ts';
import type { Manifest } from './manifest.ts';
import type { ContentText } from './notation.ts';

/*
 * Class hours that a course's content supports. The formula is published in courses/README.md: a course may declare fewer, and
 * the check refuses more.
 */

export const CLASS_HOUR_MINUTES = 45;
const CHINESE_CHARACTERS_PER_MINUTE = 300;
const PRACTICE_QUESTION_MINUTES = 1;
const CARD_MINUTES = 1 / 6;
const EXAM_ITEM_MINUTES = 1;

/** What can be counted in one H5P content, whatever its type. */
export interface ContentMeasure {
  readonly characters: number;
  readonly questions: number;
  readonly cards: number;
}

/**
 * Counts what there is to read and to answer in a content's parameters: Chinese characters to read; questions in a `questions`
 * list; cards in a `cards` list beside `levels`. Works on any content type's parameters, since it goes by what they hold.
 */
export function measureContent(parameters: unknown): ContentMeasure {
  let characters = 0;
  let questions = 0;
  let cards = 0;
  const visit = (value: unknown, key: string): void => {
    if (typeof value === 'string') {
      // Interface words are the library's, not something to study.
      if (key !== 'l10n') characters += countCharacters(value);
    } else if (Array.isArray(value)) {
      for (const each of value) visit(each, key);
    } else if (typeof value === 'object' && value !== null) {
      const its = value as Record<string, unknown>;
      if (Array.isArray(its['questions'])) questions += its['questions'].length;
      if (Array.isArray(its['cards']) && Array.isArray(its['levels'])) cards += its['cards'].length;
      // What is answered or sorted is paid by the piece; its words are not paid again as reading.
      const paid = new Set(['l10n', 'questions', ...(Array.isArray(its['levels']) ? ['cards'] : [])]);
      for (const [name, each] of Object.entries(its)) if (!paid.has(name)) visit(each, name);
    }
  };
  visit(parameters, '');
  return { characters, questions, cards };
}

/** Minutes to read texts, by their Chinese. */
export function readingMinutes(texts: readonly (ContentText | undefined)[]): number {
  const characters = texts.reduce((sum, text) => sum + countCharacters(text?.['zh-CN'] ?? ''), 0);
  return characters / CHINESE_CHARACTERS_PER_MINUTE;
}

/** The time ledger counts up to so many times the minutes that an activity's author expects. */
export const CEILING_FACTOR = 1.5;

/** Minutes that the time ledger can count for one learner at the most: no learner could earn hours beyond them. */
export function countableMinutes(manifest: Manifest): number {
  return manifest.modules
    .flatMap((module) => module.activities)
    .reduce((sum, { minutes }) => sum + minutes * CEILING_FACTOR, manifest.exam.minutes);
}

/**
 * Minutes that the zh-CN contents and one drawing of the exam support.
 * @param conversations the minutes of each conversation's longest way (`walk-scenario.ts`).
 */
export function supportedMinutes(
  manifest: Manifest,
  measures: readonly ContentMeasure[],
  conversations: readonly number[] = [],
): number {
  const talking = conversations.reduce((sum, minutes) => sum + minutes, 0);
  return measures.reduce(
    (sum, { characters, questions, cards }) =>
      sum +
      characters / CHINESE_CHARACTERS_PER_MINUTE +
      questions * PRACTICE_QUESTION_MINUTES +
      cards * CARD_MINUTES,
    itemsPerAttempt(manifest.exam) * EXAM_ITEM_MINUTES + talking,
  );
}

function countCharacters(text: string): number {
  return text.match(/\p{Script=Han}/gu)?.length ?? 0;
}
