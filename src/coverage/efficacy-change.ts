import { hiddenAmong } from './veil.ts';

/** A group is told of from so many people on, and in steps of so many. */
export const FEWEST_ANSWERING = 10;
export const STEP = 5;

/** How many of the people who answered both times are counted: whole steps, those who came first. The others wait until there are enough of them. */
export function countedOf(people: number): number {
  return people - (people % STEP);
}

/** Of people who answered both times; each with the mean of their answers. */
export interface Pairs {
  readonly people: number;
  readonly meanBefore: number;
  readonly meanAfter: number;
  /** Sample standard deviation. */
  readonly sdBefore: number;
  /** Of the two means over people; null where either does not vary. */
  readonly correlation: number | null;
}

/** In standard deviations from before; with the 95 % interval. */
export interface Effect {
  readonly size: number;
  readonly low: number;
  readonly high: number;
}

const Z95 = 1.959_963_984_540_054;

/**
 * Standardized mean change with raw-score standardization (Becker 1988), without its bias in small groups, and its large-sample
 * variance: https://www.metafor-project.org/doku.php/analyses:morris2008 has the formulas and worked examples. How much people differed before
 * is the measure, since training may change how much they differ after. undefined where nobody differed.
 */
export function effectOf({
  people,
  meanBefore,
  meanAfter,
  sdBefore,
  correlation,
}: Pairs): Effect | undefined {
  if (people < 3 || sdBefore === 0 || correlation === null) return undefined;
  const size = (unbiasing(people - 1) * (meanAfter - meanBefore)) / sdBefore;
  const error = Math.sqrt((2 * (1 - correlation)) / people + size ** 2 / (2 * people));
  return { size, low: size - Z95 * error, high: size + Z95 * error };
}

/** c(m) = √(2/m) · Γ(m/2) / Γ((m−1)/2) */
function unbiasing(m: number): number {
  // Γ(m/2) / Γ((m−1)/2), from m = 2 on: two of them in a row give (m−1)/2.
  let ratio = 1 / Math.sqrt(Math.PI);
  for (let at = 2; at < m; at += 1) ratio = (at - 1) / 2 / ratio;
  return Math.sqrt(2 / m) * ratio;
}

/** A unit and how many there answered both times; `above` is the unit that it stands right below, null for a province. */
export interface AnsweringUnit {
  readonly key: string;
  readonly above: string | null;
  readonly people: number;
}

/**
 * Whether nothing may be told of a unit: too few answered, there or in what would be left of a unit above if this one were taken
 * from it. Decided from the top, among all that stand beside, so that no two questions give more than one.
 */
export function isHidden(units: readonly AnsweringUnit[], key: string): boolean {
  const unit = units.find((each) => each.key === key);
  if (unit === undefined || unit.people < FEWEST_ANSWERING) return true;
  if (unit.above === null) return false;
  const beside = units.filter((each) => each.above === unit.above);
  const hidden = hiddenAmong(
    beside.map((each) => each.people),
    FEWEST_ANSWERING,
  );
  return hidden[beside.indexOf(unit)] === true || isHidden(units, unit.above);
}

/** As it is told: to one decimal, which is all that a few dozen people can carry, and too coarse to work anybody out of it. */
export function told(value: number): number {
  // No minus before nothing.
  return Math.round(value * 10) / 10 + 0;
}
