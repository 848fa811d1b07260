import { createHash } from 'node:crypto';
import type { Role } from '../people/role.ts';
import type { Coverage } from './coverage.ts';
import type { IndicatorKind, IndicatorSum } from './indicator.ts';
import type { Researchers, Staffing } from './staffing.ts';
import type { Measured, Target } from './target.ts';
import type { Place } from '../regions/division.ts';
import { hiddenAmong, rolesHiddenAmong } from './veil.ts';

/*
 * What a snapshot holds of a unit, and its digest: src/decisions/0010-snapshots.md says how anybody computes it again.
 */

export const FORMAT = 'xinqiao-snapshot-1';

export type SnapshotLevel = 'province' | 'prefecture' | 'county' | 'organization';

/** A line of a unit's content. Each is one canonical JSON object; these are all that there are. */
export type FrozenRow =
  | {
      readonly kind: 'unit';
      readonly format: string;
      /** See `unitKey`. */
      readonly unit: string;
      readonly level: SnapshotLevel;
      readonly name: string;
      readonly day: string;
      readonly certification: { readonly id: string; readonly code: string; readonly division: string };
      /** So that who is told the digest and not the numbers can't try which numbers have it. */
      readonly salt: string;
    }
  | ({ readonly kind: 'policy' } & FrozenPolicy)
  | ({ readonly kind: 'coverage'; readonly role: Role | null; readonly target: number } & Coverage)
  | ({ readonly kind: 'staffing'; readonly target: number } & Staffing &
      Researchers & { readonly students: number | null; readonly studentsOn: string | null })
  | ({
      readonly kind: 'indicator';
      readonly indicator: string;
      readonly code: string;
      readonly indicatorKind: IndicatorKind;
      readonly countsPeople: boolean;
      readonly target: number | null;
    } & IndicatorSum)
  | { readonly kind: 'child'; readonly unit: string; readonly digest: string };

/** A target that held for the unit on the day. */
export interface FrozenPolicy {
  readonly measure: Measured['measure'];
  /** The id of the indicator. */
  readonly indicator: string | null;
  readonly division: string;
  readonly role: Role | null;
  readonly rate: number;
  readonly startsOn: string;
}

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** RFC 8785 (JSON Canonicalization Scheme): no spaces, keys in the order of their UTF-16 code units, numbers as ECMAScript writes them. */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const keys = Object.keys(value).toSorted((a, b) => (a < b ? -1 : 1));
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key]!)}`).join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

export function contentOf(rows: readonly FrozenRow[]): string {
  return rows.map((row) => `${canonicalJson(row as unknown as Json)}\n`).join('');
}

export function rowsOf(content: string): FrozenRow[] {
  return content
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as FrozenRow);
}

/** SHA-256 over the UTF-8 bytes, in lower-case hexadecimal. */
export function digestOf(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The targets of one measure that hold in a division on a day: of each division above it, itself included, and role the one that began last. */
export function policyOf(
  targets: readonly Target[],
  measured: Measured,
  place: Place,
  day: string,
): FrozenPolicy[] {
  const above = [place.provinceCode, place.prefectureCode, place.countyCode].filter((code) => code !== null);
  const held = new Map<string, Target>();
  for (const target of targets) {
    if (!above.includes(target.divisionCode) || target.startsOn > day) continue;
    const key = `${target.divisionCode} ${target.role ?? ''}`;
    if ((held.get(key)?.startsOn ?? '') < target.startsOn) held.set(key, target);
  }
  return [...held.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, target]) => ({
      measure: measured.measure,
      indicator: measured.measure === 'indicator' ? measured.indicatorId : null,
      division: target.divisionCode,
      role: target.role,
      rate: target.rate,
      startsOn: target.startsOn,
    }));
}

/** A unit as it is to be frozen: its own rows, without those of the units right below. */
export interface UnitToFreeze {
  /** See `unitKey`. */
  readonly unit: string;
  /** undefined for the one that the snapshot is of. */
  readonly parent: string | undefined;
  readonly rows: readonly FrozenRow[];
}

export interface FrozenUnit {
  readonly unit: string;
  readonly parent: string | null;
  readonly content: string;
  readonly digest: string;
  /** Whether there is anybody to sign for. */
  readonly signs: boolean;
  readonly hidden: boolean;
  readonly rolesHidden: boolean;
}

/** Divisions in code order, then organizations in the order of their ids. */
export function compareUnits(a: string, b: string): number {
  const [isPlaceA, isPlaceB] = [a.startsWith('-'), b.startsWith('-')];
  if (isPlaceA !== isPlaceB) return isPlaceA ? 1 : -1;
  return isPlaceA ? Number(b) - Number(a) : Number(a) - Number(b);
}

/**
 * Freezes a tree from its leaves up: each unit's digest is of its own rows and of the digests right below it, so that it is the same in
 * every snapshot that tells the same of it. What is hidden is decided from the top down, as coverage does.
 * @param root whether the total and the roles of the whole are hidden.
 */
export function freeze(
  units: readonly UnitToFreeze[],
  root: { readonly hidden: boolean; readonly rolesHidden: boolean },
): FrozenUnit[] {
  const below = Map.groupBy(units, (unit) => unit.parent);
  const childrenOf = (unit: UnitToFreeze): UnitToFreeze[] => below.get(unit.unit) ?? [];
  for (const children of below.values()) children.sort((a, b) => compareUnits(a.unit, b.unit));
  const frozen: FrozenUnit[] = [];
  const visit = (
    unit: UnitToFreeze,
    { hidden, rolesHidden }: { hidden: boolean; rolesHidden: boolean },
  ): { digest: string; signs: boolean } => {
    const children = childrenOf(unit);
    const numbers = children.map(coverageOf);
    const hiddenTotals = hiddenAmong(numbers.map(({ total }) => total)).map((each) => each || hidden);
    const hiddenRoles = rolesHiddenAmong(
      numbers.map((each, at) => ({ ...each, hidden: hiddenTotals[at]! })),
    ).map((each) => each || rolesHidden);
    const done = children.map((child, at) => ({
      unit: child.unit,
      ...visit(child, { hidden: hiddenTotals[at]!, rolesHidden: hiddenRoles[at]! }),
    }));
    const content = contentOf([
      ...unit.rows,
      ...done.map(({ unit: key, digest }) => ({ kind: 'child' as const, unit: key, digest })),
    ]);
    const digest = digestOf(content);
    const signs = hasAnybody(unit) || done.some((child) => child.signs);
    frozen.push({
      unit: unit.unit,
      parent: unit.parent ?? null,
      content,
      digest,
      signs,
      hidden,
      rolesHidden,
    });
    return { digest, signs };
  };
  visit(below.get(undefined)![0]!, root);
  return frozen;
}

function coverageOf({ rows }: UnitToFreeze): { total: number; byRole: number[] } {
  const byRole: number[] = [];
  let whole = 0;
  for (const row of rows)
    if (row.kind === 'coverage') {
      if (row.role === null) whole = row.total;
      else byRole.push(row.total);
    }
  return { total: whole, byRole };
}

function hasAnybody({ rows }: UnitToFreeze): boolean {
  return rows.some(
    (row) => (row.kind === 'coverage' && row.total > 0) || (row.kind === 'staffing' && row.organizations > 0),
  );
}
