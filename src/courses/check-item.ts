import {
  questionsOf,
  type ChoiceItem,
  type Item,
  type MatchingItem,
  type NumericItem,
  type WrittenItem,
} from './item.ts';
import type { Manifest } from './manifest.ts';
import type { Problem } from '../h5p/problem.ts';

/* What the course check proves of items and of the exam that is drawn from them; each problem with where and what. */

export function checkWrittenItem(
  written: WrittenItem,
  file: string,
  manifest: Manifest,
  problems: Problem[],
): void {
  if (!manifest.competencies.some((competency) => competency.key === written.competency))
    problems.push({
      where: `${file} ${written.key}`,
      what: `has the competency "${written.competency}", which course.yaml does not list.`,
    });
  for (const item of questionsOf(written)) {
    const where = `${file} ${item.key}`;
    if (item.use === 'practice' && item.mustPass)
      problems.push({ where, what: 'is for practice, which nobody can fail: it can’t be must-pass.' });
    switch (item.kind) {
      case 'ordering':
        duplicates(
          item.elements.map((element) => element.key),
          `${where} elements`,
          problems,
        );
        break;
      case 'matching':
        checkMatching(item, where, problems);
        break;
      case 'numeric':
        checkNumeric(item, where, problems);
        break;
      case 'single':
      case 'multiple':
      case 'true_false':
        checkChoice(item, where, problems);
    }
  }
}

function checkChoice(item: ChoiceItem, where: string, problems: Problem[]): void {
  const right = item.options.filter((option) => option.correct).length;
  const keys = item.options.map((option) => option.key);
  duplicates(keys, `${where} options`, problems);
  if (item.kind === 'multiple' ? right < 2 : right !== 1)
    problems.push({ where, what: `is ${item.kind} and has ${right} correct options.` });
  if (item.kind === 'true_false' && keys.toSorted().join() !== 'false,true')
    problems.push({ where, what: 'is true_false: its options must have the keys true and false.' });
}

function checkMatching(item: MatchingItem, where: string, problems: Problem[]): void {
  const targets = item.targets.map((target) => target.key);
  duplicates(
    item.pairs.map((pair) => pair.key),
    `${where} pairs`,
    problems,
  );
  duplicates(targets, `${where} targets`, problems);
  for (const pair of item.pairs)
    if (!targets.includes(pair.matches))
      problems.push({
        where: `${where} ${pair.key}`,
        what: `matches "${pair.matches}", which is not among its targets.`,
      });
}

function checkNumeric(item: NumericItem, where: string, problems: Problem[]): void {
  const known = [{ value: item.answer, tolerance: item.tolerance, name: 'the answer' }];
  for (const { value, tolerance } of item.mistakes) {
    const other = known.find((each) => Math.abs(each.value - value) <= each.tolerance + tolerance);
    if (other !== undefined)
      problems.push({
        where,
        what: `has the mistake ${value} ± ${tolerance}, which overlaps ${other.name}, ${other.value} ± ${other.tolerance}.`,
      });
    known.push({ value, tolerance, name: 'the mistake' });
  }
}

/**
 * Whether the bank can fill every part at once. Parts of one competency that name a difficulty never want the same item; one that names none
 * takes from what they leave, as `draw.ts` does it, so nothing that could be filled is refused.
 */
export function checkBlueprint(exam: Manifest['exam'], items: readonly Item[], problems: Problem[]): void {
  const where = 'course.yaml exam.blueprint';
  const nameOf = (part: Manifest['exam']['blueprint'][number]): string =>
    [
      `"${part.competency}"`,
      ...(part.difficulty === undefined ? [] : [`of difficulty ${part.difficulty}`]),
      ...(part.mustPass ? ['that are must-pass'] : []),
    ].join(' ');
  for (const name of repeated(exam.blueprint.map(nameOf)))
    problems.push({ where, what: `has two parts of ${name}; make them one.` });

  const left = items.filter((item) => item.use === 'exam' && item.vignette === undefined);
  for (const part of narrowFirst(exam.blueprint)) {
    const fitting = left.filter(
      (item) =>
        item.competency === part.competency &&
        item.mustPass === part.mustPass &&
        (part.difficulty === undefined || item.difficulty === part.difficulty),
    );
    if (fitting.length < part.count)
      problems.push({
        where,
        what: `asks for ${part.count} items of ${nameOf(part)} and the files hold ${fitting.length}${
          part.difficulty === undefined ? ' that no other part draws' : ''
        }: ${part.count - fitting.length} missing.`,
      });
    for (const item of fitting.slice(0, part.count)) left.splice(left.indexOf(item), 1);
  }

  const vignettes = [
    ...Map.groupBy(
      items.filter((item) => item.use === 'exam' && item.vignette !== undefined),
      (item) => item.vignette!.key,
    ).values(),
  ];
  for (const name of repeated(
    exam.vignettes.map((part) => `"${part.competency}" with ${part.questions} questions`),
  ))
    problems.push({ where: 'course.yaml exam.vignettes', what: `has two parts of ${name}; make them one.` });
  for (const { competency, count, questions } of exam.vignettes) {
    const there = vignettes.filter(
      (linked) => linked[0]!.competency === competency && linked.length === questions,
    ).length;
    if (there < count)
      problems.push({
        where: 'course.yaml exam.vignettes',
        what: `asks for ${count} vignettes of "${competency}" with ${questions} questions and the files hold ${there}: ${count - there} missing.`,
      });
  }
}

/** Parts that name a difficulty before those that do not: these can do with what is left. */
export function narrowFirst<T extends { readonly difficulty?: number | undefined }>(
  parts: readonly T[],
): T[] {
  return [
    ...parts.filter((part) => part.difficulty !== undefined),
    ...parts.filter((part) => part.difficulty === undefined),
  ];
}

export function duplicates(keys: readonly string[], where: string, problems: Problem[]): void {
  for (const key of repeated(keys)) problems.push({ where, what: `have the key "${key}" twice.` });
}

function repeated(values: readonly string[]): Set<string> {
  return new Set(values.filter((each, index) => values.indexOf(each) !== index));
}
