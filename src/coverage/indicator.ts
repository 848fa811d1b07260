import { covers, type Place } from '../regions/division.ts';

/** `count`: how many; `yes_no`: whether a unit has it; `share`: so many of so many. */
export const indicatorKinds = ['count', 'yes_no', 'share'] as const;
export type IndicatorKind = (typeof indicatorKinds)[number];
export const indicatorLevels = ['organization', 'county', 'prefecture', 'province'] as const;
export type IndicatorLevel = (typeof indicatorLevels)[number];

/** A number that is counted elsewhere and imported here. */
export interface Indicator {
  readonly id: string;
  /** Who defined it: it holds there and below. null = the nation. */
  readonly divisionCode: string | null;
  readonly code: string;
  readonly title: { readonly 'zh-CN': string; readonly en: string };
  /** What is counted, as it is written after a number: "sites". */
  readonly measure: { readonly 'zh-CN': string; readonly en: string };
  readonly kind: IndicatorKind;
  /** Units of this level report it; those above add it up. */
  readonly level: IndicatorLevel;
  /** Whether it counts people: then it is told to those only who may see people. */
  readonly countsPeople: boolean;
}

/** What the units that report an indicator say by a day, each its latest, added up. */
export interface IndicatorSum {
  /** Units that are to report. */
  readonly expected: number;
  /** Of these, who have. */
  readonly reported: number;
  /** A count's sum; units that say yes; the numerator of a share. */
  readonly numerator: number;
  /** Only of a share. */
  readonly denominator: number;
  /** The day of the oldest value among them. */
  readonly oldestOn: string | null;
}

export const NOTHING_REPORTED: IndicatorSum = {
  expected: 0,
  reported: 0,
  numerator: 0,
  denominator: 0,
  oldestOn: null,
};

/**
 * From 0 to 1; undefined for a count, and where there is nothing to take a share of. Who has not reported has not said yes; of a share,
 * only what was reported is known.
 */
export function indicatorRate(kind: IndicatorKind, sum: IndicatorSum): number | undefined {
  if (kind === 'count') return undefined;
  const whole = kind === 'yes_no' ? sum.expected : sum.denominator;
  return whole === 0 ? undefined : sum.numerator / whole;
}

/** Whether an indicator is asked of a unit: it was defined there or above. */
export function isAsked(indicator: Indicator, place: Place): boolean {
  return indicator.divisionCode === null || covers({ kind: 'division', code: indicator.divisionCode }, place);
}
