import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput } from '../../errors.ts';
import { drawCareer, schoolYearOf } from './career.ts';
import { CsvFile } from './csv-file.ts';
import { IdentityNumbers } from './identity-number.ts';
import { drawName } from './names.ts';
import { countyOf, provinceOf, SchoolNames, universityName, type County, type Province } from './places.ts';
import { apportion, Random } from './random.ts';
import { kinds, planSchools, staffOf, studentsOf, type School, type SchoolKind } from './school.ts';

/*
 * A roster that looks like a bureau's own, as the CSV files of OneRoster 1.1 with our extension columns. Everybody in it is
 * made up. Works county by county: what stands in memory is one county's schools, never its staff.
 */

export interface RosterOptions {
  /** A whole number; the same options and seed give the same bytes. */
  readonly seed: number;
  readonly scope:
    | { readonly kind: 'county'; readonly code: string }
    | { readonly kind: 'province'; readonly code: string; readonly staff: number };
  /** `YYYY-MM-DD`; no post begins later. */
  readonly today: string;
}

export interface RosterCounts {
  readonly organizations: number;
  readonly people: number;
  readonly posts: number;
}

export const MOST_STAFF = 1_000_000;
const LEAST_STAFF_PER_COUNTY = 40;
/** A province of a million staff has 43 000 organizations. */
const STAFF_PER_ORGANIZATION = MOST_STAFF / 43_000;
const STAFF_PER_UNIVERSITY = 9_000;

const ORG_COLUMNS =
  'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.divisionCode,metadata.kind,metadata.studentCount,metadata.studentCountOn'.split(
    ',',
  );
const USER_COLUMNS =
  'sourcedId,status,dateLastModified,enabledUser,orgSourcedIds,role,username,userIds,givenName,familyName,middleName,identifier,email,sms,phone,agentSourcedIds,grades,password,metadata.staffNumber,metadata.identityNumber,metadata.postRoles,metadata.postOrgs,metadata.postStarts,metadata.postEnds,metadata.postLoads'.split(
    ',',
  );
const ABSENT =
  'academicSessions categories classes classResources courses courseResources demographics enrollments lineItems resources results'.split(
    ' ',
  );

/**
 * Writes manifest.csv, orgs.csv and users.csv into `folder`, which is made if need be; files of these names are overwritten.
 * @throws InvalidInput when the options make no roster.
 */
export async function writeRoster(options: RosterOptions, folder: string): Promise<RosterCounts> {
  check(options);
  const { scope } = options;
  const territory = scope.kind === 'county' ? countyOf(scope.code) : provinceOf(scope.code);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'manifest.csv'), manifest(territory.name, territory.code));
  await using stack = new AsyncDisposableStack();
  const orgs = await CsvFile.create(join(folder, 'orgs.csv'), ORG_COLUMNS);
  stack.defer(() => orgs.close());
  const users = await CsvFile.create(join(folder, 'users.csv'), USER_COLUMNS);
  stack.defer(() => users.close());

  const writer = new RosterWriter(options, orgs, users);
  if ('counties' in territory)
    await writeProvince(writer, territory, scope.kind === 'province' ? scope.staff : 0);
  else await writeCounty(writer, territory);
  return writer.counts;
}

function check({ seed, scope, today }: RosterOptions): void {
  if (!Number.isSafeInteger(seed) || seed < 0)
    throw new InvalidInput('seed', `The seed must be a whole number from 0 to ${Number.MAX_SAFE_INTEGER}.`);
  const real =
    /^\d{4}-\d{2}-\d{2}$/.test(today) &&
    !Number.isNaN(Date.parse(today)) &&
    new Date(today).toISOString().startsWith(today);
  if (!real || today < '1990' || today >= '2100')
    throw new InvalidInput('today', `"${today}" is not a day between 1990 and 2099; write it as YYYY-MM-DD.`);
  if (scope.kind !== 'province') return;
  const least = provinceOf(scope.code).counties.length * LEAST_STAFF_PER_COUNTY;
  if (!Number.isInteger(scope.staff) || scope.staff < least || scope.staff > MOST_STAFF) {
    throw new InvalidInput(
      'scope.staff',
      `The staff of ${provinceOf(scope.code).name} must be a whole number from ${least} to ${MOST_STAFF}.`,
    );
  }
}

function manifest(name: string, code: string): string {
  const lines = [
    ['propertyName', 'value'],
    ['manifest.version', '1.0'],
    ['oneroster.version', '1.1'],
    ...[
      ...ABSENT.map((file) => [`file.${file}`, 'absent']),
      ['file.orgs', 'bulk'],
      ['file.users', 'bulk'],
    ].sort(([one = ''], [other = '']) => (one < other ? -1 : 1)),
    ['source.systemName', `${name}教师管理信息系统（样例）`],
    ['source.systemCode', `sample-${code}`],
  ];
  return lines.map((line) => `${line.join(',')}\r\n`).join('');
}

/** About 60 schools and a college, about 2 000 staff. */
async function writeCounty(writer: RosterWriter, county: County): Promise<void> {
  const { random } = writer;
  const bureau = writer.bureau(county.code, `${county.fullName}教育局`, 'district', null);
  const college = random.between(105, 135);
  await writer.county(county, bureau, random.between(58, 62), random.between(1_850, 1_980), [
    {
      staff: college,
      name: universityName(random, new Set(), provinceOf(county.provinceCode).shortName, true),
      parent: bureau,
      graduates: true,
    },
  ]);
}

async function writeProvince(writer: RosterWriter, province: Province, staff: number): Promise<void> {
  const { random } = writer;
  const { counties } = province;
  const department = writer.bureau(province.code, province.bureauName, 'state', null);
  const bureaus = new Map(
    province.prefectures.map(({ code, name }) => [
      code,
      writer.bureau(code, `${name}教育局`, 'local', department),
    ]),
  );

  // Universities stand in districts, four in ten of them in the capital (the first prefecture).
  const capital = province.prefectures[0]?.code;
  const districts = counties.filter((county) => county.urban);
  const inCapital = districts.filter((county) => county.prefectureCode === capital);
  const names = new Set<string>();
  const universities = new Map<string, University[]>();
  let universityStaff = 0;
  for (let index = 0; index < Math.round(staff / STAFF_PER_UNIVERSITY); index += 1) {
    const seats =
      inCapital.length > 0 && random.chance(0.4) ? inCapital : districts.length > 0 ? districts : counties;
    const seat = random.pick(seats);
    const graduates = random.chance(0.45);
    const size = Math.min(
      900,
      Math.max(kinds.university.least, Math.round(kinds.university.staff * random.factor(0.45))),
    );
    const place =
      graduates && random.chance(0.6)
        ? province.shortName
        : (province.prefectures
            .find((each) => each.code === seat.prefectureCode)
            ?.name.replace(/(市|地区|盟)$/, '') ?? province.shortName);
    universities.set(seat.code, [
      ...(universities.get(seat.code) ?? []),
      { staff: size, name: universityName(random, names, place, graduates), parent: department, graduates },
    ]);
    universityStaff += size;
  }

  const weights = counties.map((county) => {
    const kind = county.name.includes('自治') ? 0.6 : county.name.endsWith('市') ? 1.3 : 1;
    return kind * (county.prefectureCode === capital ? 1.6 : 1) * random.factor(0.45);
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const rest = staff - universityStaff;
  const staffs = apportion(
    rest,
    weights.map((weight) => (weight / total) * rest),
    () => LEAST_STAFF_PER_COUNTY,
  );
  const countyBureaus = counties.filter((county) => !bureaus.has(county.code)).length;
  const universityCount = [...universities.values()].reduce((sum, each) => sum + each.length, 0);
  const schools =
    Math.round(staff / STAFF_PER_ORGANIZATION) - 1 - bureaus.size - countyBureaus - universityCount;
  const schoolCounts = apportion(
    Math.max(schools, 2 * counties.length),
    staffs.map((each) => (each / rest) * schools),
    () => 2,
  );
  for (const [index, county] of counties.entries()) {
    const above =
      county.prefectureCode === null ? department : (bureaus.get(county.prefectureCode) ?? department);
    const bureau =
      bureaus.get(county.code) ?? writer.bureau(county.code, `${county.fullName}教育局`, 'district', above);
    await writer.county(
      county,
      bureau,
      schoolCounts[index] ?? 2,
      staffs[index] ?? LEAST_STAFF_PER_COUNTY,
      universities.get(county.code) ?? [],
    );
  }
}

interface University {
  readonly staff: number;
  readonly name: string;
  readonly parent: string;
  readonly graduates: boolean;
}

class RosterWriter {
  readonly random: Random;
  readonly #options: RosterOptions;
  readonly #orgs: CsvFile;
  readonly #users: CsvFile;
  readonly #identityNumbers: IdentityNumbers;
  readonly #studentsCountedOn: string;
  #organizations = 0;
  #people = 0;
  #posts = 0;
  #lastSchoolCode = 0;

  constructor(options: RosterOptions, orgs: CsvFile, users: CsvFile) {
    this.random = new Random(options.seed);
    this.#options = options;
    this.#orgs = orgs;
    this.#users = users;
    this.#identityNumbers = new IdentityNumbers(options.scope.code, Date.parse(options.today));
    this.#studentsCountedOn = `${schoolYearOf(options.today)}-09-01`;
  }

  get counts(): RosterCounts {
    return { organizations: this.#organizations, people: this.#people, posts: this.#posts };
  }

  /** @returns its sourcedId. */
  bureau(code: string, name: string, type: 'state' | 'local' | 'district', parent: string | null): string {
    const sourceId = `org-${code}`;
    this.#orgs.row([sourceId, '', '', name, type, code, parent ?? '', code, 'bureau', '', '']);
    this.#organizations += 1;
    return sourceId;
  }

  /** Writes the schools of a county and everybody who works there. */
  async county(
    county: County,
    bureau: string,
    schools: number,
    staff: number,
    universities: readonly University[],
  ): Promise<void> {
    const { random } = this;
    const names = new SchoolNames(county, schools, random);
    const planned = planSchools(random, schools, staff).map(({ kind, staff: size }) =>
      this.#school(county, bureau, kind, size, names.next(kind, size), false),
    );
    for (const { staff: size, name, parent, graduates } of universities)
      planned.push(this.#school(county, parent, 'university', size, name, graduates));
    for (const school of planned) {
      this.#orgs.row([
        school.sourceId,
        '',
        '',
        school.name,
        'school',
        school.identifier,
        school.parentSourceId,
        school.divisionCode,
        school.kind,
        school.students,
        this.#studentsCountedOn,
      ]);
      this.#organizations += 1;
    }
    await this.#orgs.settle();
    const byKind = Map.groupBy(planned, (school) => school.kind);
    for (const school of planned) {
      const elsewhere =
        school.kind === 'university' ? [] : (byKind.get(school.kind) ?? []).filter((each) => each !== school);
      for (const place of staffOf(random, school)) this.#person(county, school, place, elsewhere);
      await this.#users.settle();
    }
  }

  #school(
    county: County,
    parent: string,
    kind: SchoolKind,
    staff: number,
    name: string,
    graduates: boolean,
  ): School {
    this.#lastSchoolCode += 1;
    const identifier = `${kinds[kind].digit}1${county.provinceCode.slice(0, 2)}${String(this.#lastSchoolCode).padStart(6, '0')}`;
    return {
      sourceId: `org-${identifier}`,
      name,
      kind,
      identifier,
      parentSourceId: parent,
      divisionCode: county.code,
      staff,
      students: studentsOf(this.random, kind, staff),
      graduates,
    };
  }

  #person(
    county: County,
    school: School,
    place: ReturnType<typeof staffOf>[number],
    elsewhere: readonly School[],
  ): void {
    const { random } = this;
    const { scope, today } = this.#options;
    const career = drawCareer(random, today, school, place, elsewhere);
    this.#people += 1;
    this.#posts += career.posts.length;
    const name = drawName(
      random,
      { female: career.female, bornIn: career.birthday.getUTCFullYear(), provinceCode: county.provinceCode },
      { extensionB: scope.kind === 'province' && this.#people % 4_999 === 777 },
    );
    const staffNumber = String((scope.kind === 'county' ? 10_000 : 1_000_000) + this.#people);
    const current = new Set(
      career.posts.filter((post) => post.endsOn === null).map((post) => post.organizationSourceId),
    );
    const list = (of: (post: (typeof career.posts)[number]) => string): string =>
      career.posts.map(of).join(',');
    this.#users.row([
      `staff-${county.provinceCode.slice(0, 2)}-${staffNumber}`,
      '',
      '',
      'true',
      [...current].join(','),
      place.posts[0]?.role === 'principal' ? 'administrator' : 'teacher',
      `t${staffNumber}`,
      `{staff:${staffNumber}}`,
      name.given,
      name.family,
      '',
      staffNumber,
      `t${staffNumber}@school.example`,
      '',
      '',
      '',
      '',
      '',
      staffNumber,
      this.#identityNumbers.next(career.birthday, career.female),
      list((post) => post.role),
      list((post) => post.organizationSourceId),
      list((post) => post.startsOn),
      list((post) => post.endsOn ?? ''),
      list((post) => post.workload),
    ]);
  }
}
