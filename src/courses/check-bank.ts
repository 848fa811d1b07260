import { guess, type Guessing } from './guesser.ts';
import { partsOf, type Item } from './item.ts';
import { languages, type Language } from './language.ts';
import type { Manifest } from './manifest.ts';
import type { Findings } from './problem.ts';
import { tailAtLeast } from './statistics.ts';

/*
 * What gives an exam away to somebody who does not know: too few items, keys that are found by their length or their letter, luck. The limits
 * are told to authors in courses/README.md.
 */

/** For each item that an attempt draws. */
export const BANK_PER_DRAWN = 4;
/** Must-pass items and vignettes are few by nature: so many are asked for, and `BANK_PER_DRAWN` wished for. */
export const FEWEST_PER_DRAWN = 2;
/** What comes about by chance in fewer than one bank in a hundred is not put down to chance. */
export const SIGNIFICANCE = 0.01;
/** Who guesses may pass so often. */
export const MOST_LUCK = 0.01;
/** A key that is so many times as long as the longest other option, or the shortest other so many times as long as it. */
export const LENGTH_RATIO = 1.5;
/** Below so many more characters nobody sees it. English words are longer than Chinese ones. */
const LENGTH_SEEN: Readonly<Record<Language, number>> = { 'zh-CN': 5, en: 18 };

/** @param fileOf where an item stands. @returns what a guesser does in it. */
export function checkBank(
  exam: Manifest['exam'],
  items: readonly Item[],
  fileOf: (item: Item) => string,
  findings: Findings,
): Guessing {
  const drawn = items.filter((item) => item.use === 'exam');
  checkSize(exam, drawn, findings);
  for (const item of items) {
    const where = `${fileOf(item)} ${item.key}`;
    checkRationales(item, where, findings);
    for (const language of languages) checkLength(item, language, where, findings);
  }
  checkLengths(drawn, findings);
  checkLetters(drawn, findings);
  const guessing = guess(exam, items);
  if (guessing.passChance > MOST_LUCK)
    findings.problems.push({
      where: 'course.yaml exam passMark',
      what: `is reached by ${percent(guessing.passChance)} % of those who guess (${guessing.expectedPercent.toFixed(0)} % of the points on average), and may be by ${percent(MOST_LUCK)} % at the most: draw more items, fewer of two options, or raise it.`,
    });
  return guessing;
}

function checkSize(exam: Manifest['exam'], items: readonly Item[], findings: Findings): void {
  const loose = items.filter((item) => item.vignette === undefined);
  const judge = (where: string, name: string, drawn: number, there: number, isFew: boolean): void => {
    const asked = drawn * (isFew ? FEWEST_PER_DRAWN : BANK_PER_DRAWN);
    const what = `draws ${drawn} of ${there} ${name}: have ${drawn * BANK_PER_DRAWN} or more, so that two attempts differ and nobody can learn them by heart.`;
    // What can't even be filled has been told.
    if (there < drawn) return;
    if (there < asked) findings.problems.push({ where, what });
    else if (there < drawn * BANK_PER_DRAWN) findings.warnings.push({ where, what });
  };
  for (const cell of Map.groupBy(exam.blueprint, (part) => `${part.competency} ${part.mustPass}`).values()) {
    const [{ competency, mustPass }] = cell as [(typeof cell)[number]];
    const fitting = loose.filter((item) => item.competency === competency && item.mustPass === mustPass);
    const name = `"${competency}"${mustPass ? ' that are must-pass' : ''}`;
    const count = cell.reduce((sum, part) => sum + part.count, 0);
    judge('course.yaml exam.blueprint', `items of ${name}`, count, fitting.length, mustPass);
    for (const { difficulty, count: named } of cell)
      if (difficulty !== undefined && cell.length > 1)
        judge(
          'course.yaml exam.blueprint',
          `items of ${name} of difficulty ${difficulty}`,
          named,
          fitting.filter((item) => item.difficulty === difficulty).length,
          mustPass,
        );
  }
  for (const { competency, count, questions } of exam.vignettes) {
    const linked = Map.groupBy(
      items.filter((item) => item.vignette !== undefined && item.competency === competency),
      (item) => item.vignette!.key,
    );
    const fitting = [...linked.values()].filter((each) => each.length === questions);
    judge('course.yaml exam.vignettes', `vignettes of "${competency}"`, count, fitting.length, true);
  }
}

/** That each has one is the format's to say; that it says something is not. */
function checkRationales(item: Item, where: string, findings: Findings): void {
  const parts = partsOf(item);
  const said = parts.map((part) => part.rationale['zh-CN']);
  const twice = said.findIndex((each, index) => said.indexOf(each) !== index);
  if (twice !== -1)
    findings.warnings.push({
      where: `${where} ${parts[twice]!.key}`,
      what: 'has the same rationale as another: say of each why.',
    });
  for (const part of parts)
    if (part.rationale['zh-CN'] === part.text['zh-CN'] || part.rationale['zh-CN'].length < 4)
      findings.problems.push({
        where: `${where} ${part.key}`,
        what: 'has a rationale that says nothing: why is it so?',
      });
}

interface Lengths {
  readonly right: readonly number[];
  readonly wrong: readonly number[];
}
function lengthsOf(item: Item, language: Language): Lengths | undefined {
  if (item.kind !== 'single' && item.kind !== 'multiple') return undefined;
  const lengths = item.options.map(({ text, correct }) => ({ correct, length: text[language]?.length }));
  if (lengths.some(({ length }) => length === undefined)) return undefined;
  return {
    right: lengths.filter(({ correct }) => correct).map(({ length }) => length!),
    wrong: lengths.filter(({ correct }) => !correct).map(({ length }) => length!),
  };
}

function checkLength(item: Item, language: Language, where: string, findings: Findings): void {
  const lengths = lengthsOf(item, language);
  if (lengths === undefined || lengths.right.length === 0 || lengths.wrong.length === 0) return;
  const apart = (short: number, long: number): boolean =>
    long > short * LENGTH_RATIO && long - short >= LENGTH_SEEN[language];
  const name = item.kind === 'single' ? 'its right option' : 'its right options';
  if (apart(Math.max(...lengths.wrong), Math.min(...lengths.right)))
    findings.problems.push({
      where,
      what: `gives ${name} away (${language}): ${Math.min(...lengths.right)} characters, and no other more than ${Math.max(...lengths.wrong)}.`,
    });
  if (apart(Math.max(...lengths.right), Math.min(...lengths.wrong)))
    findings.problems.push({
      where,
      what: `gives ${name} away (${language}): ${Math.max(...lengths.right)} characters, and no other fewer than ${Math.min(...lengths.wrong)}.`,
    });
}

function checkLengths(items: readonly Item[], findings: Findings): void {
  for (const language of languages) {
    const singles = items.flatMap((item) => {
      const lengths = item.kind === 'single' ? lengthsOf(item, language) : undefined;
      return lengths === undefined || lengths.right.length !== 1 ? [] : [lengths];
    });
    const chances = singles.map(({ wrong }) => 1 / (wrong.length + 1));
    for (const [name, isSo] of [
      ['longest', ({ right, wrong }: Lengths) => wrong.every((each) => each < right[0]!)],
      ['shortest', ({ right, wrong }: Lengths) => wrong.every((each) => each > right[0]!)],
    ] as const) {
      const count = singles.filter(isSo).length;
      if (count > 0 && tailAtLeast(chances, count) < SIGNIFICANCE)
        findings.problems.push({
          where: 'items',
          what: `have the ${name} option (${language}) as the right one in ${count} of ${singles.length} questions, more than chance would: it can be found unread.`,
        });
    }
  }
}

function checkLetters(items: readonly Item[], findings: Findings): void {
  for (const kind of ['single', 'true_false'] as const) {
    const keyed = items.flatMap((item) => {
      const right = item.kind === kind ? item.options.filter((option) => option.correct) : [];
      return right.length === 1
        ? [{ item: item as Extract<Item, { options: unknown }>, key: right[0]!.key }]
        : [];
    });
    const letters = new Set(keyed.map(({ key }) => key));
    for (const letter of letters) {
      const there = keyed.filter(({ item }) => item.options.some((option) => option.key === letter));
      const count = keyed.filter(({ key }) => key === letter).length;
      const chance = tailAtLeast(
        there.map(({ item }) => 1 / item.options.length),
        count,
      );
      // One of several letters stands out by chance more often than a single one would.
      if (chance * letters.size < SIGNIFICANCE)
        findings.problems.push({
          where: 'items',
          what: `have "${letter}" as the right answer in ${count} of ${keyed.length} questions, more than chance would.`,
        });
    }
  }
}

function percent(share: number): string {
  return (share * 100).toFixed(share < 0.1 ? 1 : 0);
}
