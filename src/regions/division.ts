/** An administrative division by its GB/T 2260 code, with the codes above it (its own included). */
export interface Division {
  readonly code: string;
  readonly name: string;
  readonly level: 'province' | 'prefecture' | 'county';
  readonly parentCode: string | null;
  readonly provinceCode: string;
  readonly prefectureCode: string | null;
  readonly countyCode: string | null;
}

/** Where something stands in the tree: the codes above it, and the organization if it is one. */
export interface Place {
  readonly provinceCode: string | null;
  readonly prefectureCode: string | null;
  readonly countyCode: string | null;
  readonly organizationId?: string;
}

/** Where the nation itself stands: in no division, so that only its own scope covers it. */
export const NATION: Place = { provinceCode: null, prefectureCode: null, countyCode: null };

/** A part of the tree: everything, a division with all below it, or one organization. */
export type Scope =
  | { readonly kind: 'nation' }
  | { readonly kind: 'division'; readonly code: string }
  | { readonly kind: 'organization'; readonly id: string };

/** A scope that has people: what cohorts are taken from and coverage is asked of. */
export type Unit = Exclude<Scope, { kind: 'nation' }>;

export function covers(scope: Scope, place: Place): boolean {
  switch (scope.kind) {
    case 'nation':
      return true;
    case 'division':
      return [place.provinceCode, place.prefectureCode, place.countyCode].includes(scope.code);
    case 'organization':
      return place.organizationId === scope.id;
  }
}

/** A scope and where it stands itself; the nation stands nowhere. */
export interface PlacedScope {
  readonly scope: Scope;
  readonly place: Place | undefined;
}

/** What two scopes share: the narrower of two nested ones, undefined where they are apart. In a tree they never overlap otherwise. */
export function intersect(one: PlacedScope, other: PlacedScope): Scope | undefined {
  const holds = (outer: Scope, inner: PlacedScope): boolean =>
    outer.kind === 'nation' || (inner.place !== undefined && covers(outer, inner.place));
  if (holds(one.scope, other)) return other.scope;
  return holds(other.scope, one) ? one.scope : undefined;
}

/**
 * Divisions from pairs of code and name: `…0000` is a province, `…00` a prefecture, the rest counties. A county whose prefecture
 * code is not a division (those governed by the province itself) hangs below the province.
 */
export function divisionsFromCodes(names: ReadonlyMap<string, string>): Division[] {
  return [...names].map(([code, name]) => {
    const provinceCode = `${code.slice(0, 2)}0000`;
    if (code === provinceCode)
      return {
        code,
        name,
        level: 'province',
        parentCode: null,
        provinceCode,
        prefectureCode: null,
        countyCode: null,
      };
    const prefecture = `${code.slice(0, 4)}00`;
    if (code === prefecture)
      return {
        code,
        name,
        level: 'prefecture',
        parentCode: provinceCode,
        provinceCode,
        prefectureCode: code,
        countyCode: null,
      };
    const prefectureCode = names.has(prefecture) ? prefecture : null;
    return {
      code,
      name,
      level: 'county',
      parentCode: prefectureCode ?? provinceCode,
      provinceCode,
      prefectureCode,
      countyCode: code,
    };
  });
}
