import { describe, expect, it } from 'vitest';
import {
  isSelf,
  may,
  mayFor,
  narrow,
  scopesOf,
  type TokenPermission,
  type Viewer,
} from '../../src/people/permission.ts';
import { intersect, type Place, type PlacedScope, type Scope } from '../../src/regions/division.ts';

const division = (code: string): Scope => ({ kind: 'division', code });
const organization = (id: string): Scope => ({ kind: 'organization', id });
const nation: Scope = { kind: 'nation' };

const hunan: Place = { provinceCode: '430000', prefectureCode: null, countyCode: null };
const changsha: Place = { ...hunan, prefectureCode: '430100' };
const county: Place = { ...changsha, countyCode: '430121' };
const neighbour: Place = { ...changsha, countyCode: '430102' };
const school: Place = { ...county, organizationId: '7' };
const places: Record<string, Place> = {
  '430000': hunan,
  '430100': changsha,
  '430121': county,
  '430102': neighbour,
  '7': school,
};
const placed = (scope: Scope): PlacedScope => ({
  scope,
  place: scope.kind === 'nation' ? undefined : places[scope.kind === 'division' ? scope.code : scope.id],
});

describe('what two scopes share', () => {
  it.each([
    [nation, division('430121'), division('430121')],
    [division('430000'), division('430121'), division('430121')],
    [division('430121'), organization('7'), organization('7')],
    [organization('7'), organization('7'), organization('7')],
    [nation, nation, nation],
    [division('430121'), division('430102'), undefined],
    [division('430102'), organization('7'), undefined],
  ])('%o and %o: %o, whichever comes first', (one, other, shared) => {
    expect(intersect(placed(one), placed(other))).toEqual(shared);
    expect(intersect(placed(other), placed(one))).toEqual(shared);
  });
});

describe('a viewer who was narrowed', () => {
  const owner: Viewer = {
    personId: '1',
    grants: [
      { role: 'coordinator', scope: division('430100') },
      { role: 'hr_verifier', scope: division('430102') },
    ],
  };
  const token = (unit: Scope, ...permissions: TokenPermission[]): Viewer =>
    narrow(owner, { tokenId: '9', permissions }, (scope) => intersect(placed(scope), placed(unit)));

  it('may what both the grant and the token permit, where both hold', () => {
    const viewer = token(division('430121'), 'coverage.read');
    expect(may(viewer, 'coverage.read', county)).toBe(true);
    expect(may(viewer, 'coverage.read', school)).toBe(true);
    // The owner may; the token was not given it, or not there.
    expect(may(owner, 'people.read', county)).toBe(true);
    expect(may(viewer, 'people.read', county)).toBe(false);
    expect(may(owner, 'coverage.read', neighbour)).toBe(true);
    expect(may(viewer, 'coverage.read', neighbour)).toBe(false);
    expect(may(viewer, 'coverage.read', changsha)).toBe(false);
  });

  it('gets nothing from a token that names more than the owner may', () => {
    expect(may(token(division('430121'), 'credit.read'), 'credit.read', county)).toBe(false);
    expect(may(token(division('430000'), 'coverage.read'), 'coverage.read', hunan)).toBe(false);
    expect(may(token(division('430000'), 'coverage.read'), 'coverage.read', county)).toBe(true);
    expect(may(token(division('430121'), 'journal.read'), 'journal.read', county)).toBe(false);
  });

  it('lists in the narrower of the two, and not at all where they are apart', () => {
    const everything = ['coverage.read', 'credit.read'] as const;
    expect(scopesOf(token(organization('7'), ...everything), 'coverage.read')).toEqual([organization('7')]);
    expect(scopesOf(token(organization('7'), ...everything), 'credit.read')).toEqual([]);
    expect(scopesOf(token(division('430000'), ...everything), 'credit.read')).toEqual([division('430102')]);
    expect(scopesOf(token(division('430000'), 'credit.read'), 'coverage.read')).toEqual([]);
  });

  it('signs for a unit only by a grant for just this unit that is left whole', () => {
    const changshaItself = { kind: 'division', code: '430100' } as const;
    expect(mayFor(owner, 'snapshot.sign', changshaItself)).toBe(true);
    expect(mayFor(token(division('430000'), 'snapshot.sign'), 'snapshot.sign', changshaItself)).toBe(true);
    expect(mayFor(token(division('430000'), 'coverage.read'), 'snapshot.sign', changshaItself)).toBe(false);
    const below = token(division('430121'), 'snapshot.sign');
    expect(mayFor(below, 'snapshot.sign', changshaItself)).toBe(false);
    // A token for the county makes nobody sign for it whose grant is for what stands above.
    expect(mayFor(below, 'snapshot.sign', { kind: 'division', code: '430121' })).toBe(false);
  });

  it('is the person themselves only with SELF', () => {
    expect(isSelf(owner, '1')).toBe(true);
    expect(isSelf(owner, '2')).toBe(false);
    expect(isSelf(token(division('430121'), 'coverage.read'), '1')).toBe(false);
    expect(isSelf(token(division('430121'), 'self'), '1')).toBe(true);
    expect(isSelf(token(division('430121'), 'self'), '2')).toBe(false);
  });
});
