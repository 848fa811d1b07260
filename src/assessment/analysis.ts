import type { Estimate } from './psychometrics.ts';

/** So many answers to an item, or attempts of an exam, before a number is told of it: chance says most about fewer. */
export const ENOUGH = 30;
/** Above this share of the points it tells nobody from anybody. */
export const TOO_EASY = 0.95;
/** Below it most of them guess. */
export const TOO_HARD = 0.25;
/** Below it who does well on the rest hardly does better on it. */
export const WEAK = 0.1;
/** A wrong option that fewer than this share choose is chosen by nobody. */
export const NOBODY = 0.01;

export type FaultCode =
  | 'TOO_EASY'
  | 'TOO_HARD'
  | 'NEGATIVE_DISCRIMINATION'
  | 'WEAK_DISCRIMINATION'
  | 'DISTRACTOR_UNUSED'
  | 'DISTRACTOR_BEATS_KEY';

/** Why an item misbehaves; `option` where it is by one. */
export interface Fault {
  readonly code: FaultCode;
  readonly option: string | null;
}

export interface OptionStatistics {
  readonly key: string;
  readonly isRight: boolean;
  /** How many chose it; of several options, each chosen one counts. */
  readonly chosen: number;
  /** Of them, those in the high and in the low group. */
  readonly chosenHigh: number;
  readonly chosenLow: number;
}

/** How an item does. Numbers are null while there are not enough answers. */
export interface ItemStatistics {
  readonly item: AnalyzedItem;
  /** Answers counted: attempts in which it was drawn. */
  readonly answers: number;
  readonly enough: boolean;
  /** Share of the counted attempts in which it was drawn. */
  readonly exposure: number | null;
  /** Mean points, 0 to 1. */
  readonly facility: number | null;
  /** null also where it can't be told: everybody has the same points. */
  readonly discrimination: Estimate | null;
  /** Counted, but left open; no points. */
  readonly unanswered: number | null;
  /** Sizes of the groups that do best and worst on the rest. */
  readonly high: number | null;
  readonly low: number | null;
  /** null for an item without options to choose from. */
  readonly options: readonly OptionStatistics[] | null;
  readonly faults: readonly Fault[];
}

/** What the analysis needs of an item, whatever its kind. */
export interface AnalyzedItem {
  readonly id: string;
  readonly key: string;
  readonly kind: string;
  readonly competency: string;
  readonly difficulty: number;
  /** `practice`: in no exam. */
  readonly use?: string;
  readonly options?: readonly { readonly key: string; readonly correct?: boolean }[];
}

/** Answers to one item, added up. */
export interface Counts {
  readonly itemId: string;
  readonly answers: number;
  readonly unanswered: number;
  readonly facility: number;
  readonly discrimination: Estimate | undefined;
  readonly high: number;
  readonly low: number;
  /** Chosen key → how many, of all, of the high and of the low group. */
  readonly chosen: ReadonlyMap<string, readonly [all: number, high: number, low: number]>;
}

/** Kinds whose answer is a choice among options; of others, no option is right or wrong by itself. */
const CHOICES = ['single', 'multiple', 'true_false'];

function optionsOf(item: AnalyzedItem): readonly { readonly key: string; readonly isRight: boolean }[] {
  return CHOICES.includes(item.kind)
    ? (item.options ?? []).map(({ key, correct }) => ({ key, isRight: correct === true }))
    : [];
}

/** @param attempts how many were counted in all. */
export function describeItem(
  item: AnalyzedItem,
  counts: Counts | undefined,
  attempts: number,
): ItemStatistics {
  const exposure = attempts < ENOUGH ? null : (counts?.answers ?? 0) / attempts;
  if (counts === undefined || counts.answers < ENOUGH)
    return {
      item,
      answers: counts?.answers ?? 0,
      enough: false,
      exposure,
      facility: null,
      discrimination: null,
      unanswered: null,
      high: null,
      low: null,
      options: null,
      faults: [],
    };
  const options = optionsOf(item).map(({ key, isRight }) => {
    const [chosen, chosenHigh, chosenLow] = counts.chosen.get(key) ?? [0, 0, 0];
    return { key, isRight, chosen, chosenHigh, chosenLow };
  });
  return {
    item,
    answers: counts.answers,
    enough: true,
    exposure,
    facility: counts.facility,
    discrimination: counts.discrimination ?? null,
    unanswered: counts.unanswered,
    high: counts.high,
    low: counts.low,
    options: options.length === 0 ? null : options,
    faults: findFaults({ ...counts, options }),
  };
}

/** Signs that somebody should read the item again; none of them proves it bad. */
export function findFaults(of: {
  readonly answers: number;
  readonly facility: number;
  readonly discrimination: Estimate | undefined;
  readonly options: readonly OptionStatistics[];
}): Fault[] {
  const faults: Fault[] = [];
  const add = (code: FaultCode, option: string | null = null): number => faults.push({ code, option });
  if (of.facility > TOO_EASY) add('TOO_EASY');
  if (of.facility < TOO_HARD) add('TOO_HARD');
  if (of.discrimination !== undefined && of.discrimination.value < WEAK)
    add(of.discrimination.value < 0 ? 'NEGATIVE_DISCRIMINATION' : 'WEAK_DISCRIMINATION');
  // Of several right options, the one that the best find least.
  const right = of.options.filter(({ isRight }) => isRight).map(({ chosenHigh }) => chosenHigh);
  for (const { key, isRight, chosen, chosenHigh } of of.options) {
    if (isRight) continue;
    if (chosen < NOBODY * of.answers) add('DISTRACTOR_UNUSED', key);
    if (right.length > 0 && chosenHigh > Math.min(...right)) add('DISTRACTOR_BEATS_KEY', key);
  }
  return faults;
}
