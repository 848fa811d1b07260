import type { Item } from './item.ts';
import { guess, guessItem, STEPS, type Guessing } from './guesser.ts';
import { textsOfParameters } from './check-content.ts';
import type { Manifest } from './manifest.ts';

/*
 * Whether what an exam asks stands in the lessons: a reader who understands nothing looks the answers up. Two neighbouring Chinese characters are
 * a term, as is usual where words are not apart; a rare one weighs more (inverse document frequency, Spärck Jones 1972). It can't judge what a
 * sentence means, so what it misses is told to the author and not called wrong (courses/README.md).
 */

/** So many Chinese characters are looked at together: about what a page of a lesson says. */
const PASSAGE_CHARACTERS = 350;
/**
 * So much of the weight of what is right, and why, in one passage, and the passage teaches it. Of the items of our eight courses some nine in ten have
 * less in the lessons of a course that is about something else.
 */
export const TAUGHT_SHARE = 0.3;

/** A piece of an activity that is read in one go. */
export interface Passage {
  readonly activityKey: string;
  readonly terms: ReadonlySet<string>;
}

export interface Taught {
  readonly isTaught: boolean;
  /** 0 to 1: what the best passage has of the answer; of several parts on average. */
  readonly share: number;
  /** Activity of that passage, for the first part; undefined: no passage has anything of it. */
  readonly activityKey: string | undefined;
}

/** @param parameters of an H5P content, in Chinese. */
export function passagesOf(activityKey: string, parameters: unknown): Passage[] {
  const texts = textsOfParameters(parameters).map(plain);
  const lengths = texts.map((text) => text.match(/\p{Script=Han}/gu)?.length ?? 0);
  const passages: Passage[] = [];
  for (let from = 0; from < texts.length;) {
    let to = from;
    for (let length = 0; to < texts.length && length < PASSAGE_CHARACTERS; to += 1) length += lengths[to]!;
    passages.push({ activityKey, terms: termsOf(texts.slice(from, to).join('\n')) });
    if (to === texts.length) break;
    // The next one begins half-way, so that nothing is cut in two.
    for (let length = 0; from < to - 1 && length < PASSAGE_CHARACTERS / 2; from += 1)
      length += lengths[from]!;
    if (lengths[from] === 0) from += 1;
  }
  return passages;
}

/** By key of an item. */
export function findTaught(items: readonly Item[], passages: readonly Passage[]): Map<string, Taught> {
  /** Term → where in `passages` it stands. */
  const places = new Map<string, number[]>();
  for (const [at, { terms }] of passages.entries())
    for (const term of terms) {
      const its = places.get(term);
      if (its === undefined) places.set(term, [at]);
      else its.push(at);
    }
  const look = (text: string): Pick<Taught, 'share' | 'activityKey'> => {
    const weights = new Float64Array(passages.length);
    let all = 0;
    for (const term of termsOf(text)) {
      const its = places.get(term) ?? [];
      const weight = Math.log((passages.length + 1) / (its.length + 0.5));
      all += weight;
      for (const at of its) weights[at]! += weight;
    }
    let best = -1;
    for (const [at, weight] of weights.entries()) if (weight > (best === -1 ? 0 : weights[best]!)) best = at;
    return best === -1
      ? { share: 0, activityKey: undefined }
      : { share: weights[best]! / all, activityKey: passages[best]!.activityKey };
  };
  return new Map(
    items.map((item) => {
      // What is ordered or matched may be taught piece by piece. One without a right answer has none, which its own check tells.
      const parts = answersOf(item).map((ways) =>
        ways.map(look).reduce((one, other) => (other.share > one.share ? other : one)),
      );
      const share = parts.reduce((sum, each) => sum + each.share, 0) / Math.max(1, parts.length);
      return [
        item.key,
        {
          share,
          activityKey: parts[0]?.activityKey,
          isTaught: share >= TAUGHT_SHARE || isFoundByOptions(item, look),
        },
      ];
    }),
  );
}

/** How somebody does in the exam who has what is taught right, and guesses the rest. */
export function readThrough(
  exam: Manifest['exam'],
  items: readonly Item[],
  taught: ReadonlyMap<string, Taught>,
): Guessing {
  return guess(exam, items, (item) =>
    taught.get(item.key)?.isTaught === true ? new Map([[STEPS, 1]]) : guessItem(item),
  );
}

/** Whether the lessons have more of every right option than of any wrong one. */
function isFoundByOptions(item: Item, look: (text: string) => { readonly share: number }): boolean {
  if (item.kind !== 'single' && item.kind !== 'multiple') return false;
  const shares = item.options.map(({ text, correct }) => ({ correct, share: look(text['zh-CN']).share }));
  const wrong = Math.max(...shares.filter(({ correct }) => !correct).map(({ share }) => share));
  return shares.every(({ correct, share }) => !correct || share > wrong);
}

/** Of each part of the answer what is right, and why; where that is told in more than one way, the best found counts. */
function answersOf(item: Item): string[][] {
  const said = (...texts: readonly { readonly 'zh-CN': string }[]): string =>
    texts.map((text) => text['zh-CN']).join('\n');
  switch (item.kind) {
    case 'single':
    case 'multiple':
      return right(item).map(({ text, rationale }) => [said(text, rationale)]);
    case 'true_false': {
      const rationales = right(item).map(({ rationale }) => rationale);
      return [[said(...rationales), said(item.stem, ...rationales)]];
    }
    case 'ordering':
      return item.elements.map(({ text, rationale }) => [said(text, rationale)]);
    case 'matching':
      return item.pairs.map(({ text, rationale, matches }) => {
        const targets = item.targets.filter(({ key }) => key === matches).map((target) => target.text);
        return [said(text, rationale, ...targets)];
      });
    case 'numeric':
      return [[said(item.rationale), said(item.stem, item.rationale)]];
  }
}

function right<T extends { readonly correct: boolean }>({
  options,
}: {
  readonly options: readonly T[];
}): T[] {
  return options.filter(({ correct }) => correct);
}

function plain(text: string): string {
  return text.replaceAll(/<[^>]*>|&#?\w+;/g, ' ');
}

function termsOf(text: string): Set<string> {
  const terms = new Set<string>();
  for (const [run] of text.matchAll(/\p{Script=Han}+/gu)) {
    const characters = [...run];
    for (let at = 0; at + 1 < characters.length; at += 1) terms.add(characters[at]! + characters[at + 1]!);
  }
  return terms;
}
