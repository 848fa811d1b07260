import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Role } from '../people/role.ts';
import type { Certification } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { covers, type Division, type Place, type Unit } from '../regions/division.ts';
import { asUnit, type Organization } from '../regions/organization.ts';
import type { BelowCursor, RegionService } from '../regions/region.service.ts';
import { unitKey, type Coverage, type RoleCoverage } from './coverage.ts';
import {
  countCoverage,
  listUncovered,
  readKept,
  type CoverageNumbers,
  type UncoveredPerson,
} from './coverage.repository.ts';
import { listRoleSets } from './ledger.repository.ts';
import type { CoverageLedger } from './ledger.service.ts';
import { makeTargetService } from './target.service.ts';
import { DEFAULT_TARGET, targetFor, type Target } from './target.ts';
import { coverageData } from './personal-data.repository.ts';
import { hiddenAmong, rolesHiddenAmong } from './veil.ts';
import { actingAs, inParts } from '../db/acting.ts';

/** What is asked of every unit alike. */
interface Question {
  readonly certification: Certification;
  readonly roles: readonly Role[];
  readonly day: string;
  /** All of the certification's, wherever they hold. */
  readonly targets: readonly Target[];
  /** Whether the asker may see numbers and not people: then those of a few people are hidden. */
  readonly veiled: boolean;
}

export interface UnitCoverage extends Question, Coverage, Aimed {
  readonly unit: Division | Organization;
  /** Of each of the roles by itself. */
  readonly byRole: readonly (RoleCoverage & Aimed)[];
}

/** How it stands to the target that holds for it, and whether it may be told. */
export interface Aimed {
  /** Above 0, at most 1. */
  readonly target: number;
  /** The numbers must not be told: too few people, or such a number would follow from this one. */
  readonly hidden: boolean;
}

/** More units than stand below any division. */
const EVERYBODY = 100_000;
const NOBODY: Coverage = { covered: 0, total: 0 };

export type CoverageService = ReturnType<typeof makeCoverageService>;

export function makeCoverageService({
  db,
  clock,
  regions,
  programmes,
  ledger,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  programmes: ProgrammeService;
  ledger: CoverageLedger;
}) {
  const targets = makeTargetService({ db, clock });
  // A set that was once begun is kept for ever, so what is known of them only grows.
  const knownSets = new Map<string, number>();
  const keyOf = (roles: readonly Role[]): string => roles.toSorted().join();
  const roleSetOf = async (roles: readonly Role[]): Promise<number> => {
    const key = keyOf(roles);
    for (const begin of [false, true]) {
      if (knownSets.has(key)) break;
      // Planning owes this to a job; who asks before it has run waits for the count.
      if (begin) await ledger.addRoleSet(roles);
      for (const set of await listRoleSets(db)) knownSets.set(set.roles.join(), set.id);
    }
    return knownSets.get(key)!;
  };

  /** Of all the roles together, and of each by itself. */
  const roleSetsOf = async (
    roles: readonly Role[],
  ): Promise<{ any: number; each: number[]; all: number[] }> => {
    const any = await roleSetOf(roles);
    const each = await Promise.all(roles.map(async (role) => roleSetOf([role])));
    return { any, each, all: [...new Set([any, ...each])] };
  };

  /** @param early what is kept of these units, where it was asked for in the same message as they. */
  const read = async (
    units: readonly (Division | Organization)[],
    question: Question,
    early?: { readonly kept: CoverageNumbers | undefined },
  ): Promise<UnitCoverage[]> => {
    const { certification, roles, day } = question;
    const isKnown = [roles, ...roles.map((role) => [role])].every((set) => knownSets.has(keyOf(set)));
    const { any, each, all } = await roleSetsOf(roles);
    const keys = units.map((unit) => unitKey(asUnit(unit)));
    const asked = { certificationId: certification.id, roleSets: all, units: keys };
    // A set that was begun only now is not in what was read before.
    const kept = early !== undefined && isKnown ? early.kept : await readKept(db, asked, day);
    const found = kept ?? (await countCoverage(db, asked, day));
    const aims = aimsOf(question);
    return units.map((unit, index) => {
      const numbers = found.get(keys[index]!);
      const aim = aims(unit);
      return {
        ...question,
        unit,
        ...(numbers?.get(any) ?? NOBODY),
        target: aim.ofAll,
        hidden: false,
        byRole: roles.map((role, at) => ({
          role,
          ...(numbers?.get(each[at]!) ?? NOBODY),
          target: aim.ofEach[at]!,
          hidden: false,
        })),
      };
    });
  };

  /**
   * Hides what must not be told of `units`, which stand right below `above` (undefined: a province). It is decided among all that stand
   * there, for all roles of the certification and from the top, so that the answer is the same however it is asked for.
   */
  const veil = async (
    units: readonly UnitCoverage[],
    above: Division | undefined,
  ): Promise<UnitCoverage[]> => {
    const [first] = units;
    if (first?.veiled !== true) return [...units];
    const whole: Question = { ...first, roles: first.certification.roles };
    let parent: UnitCoverage | undefined;
    let places = units.map((unit) => unit.unit);
    if (above !== undefined) {
      const higher = above.parentCode === null ? undefined : await regions.findDivision(above.parentCode);
      [parent] = await veil(await read([above], whole), higher);
      places = await regions.listBelow(above.code, first.day, { after: undefined, limit: EVERYBODY });
    }
    const siblings = await read(places, whole);
    // What is hidden above would follow from what stands below.
    const totals = hiddenAmong(siblings.map((unit) => unit.total)).map(
      (hidden) => hidden || parent?.hidden === true,
    );
    const roles = rolesHiddenAmong(
      siblings.map((unit, at) => ({
        total: unit.total,
        hidden: totals[at]!,
        byRole: unit.byRole.map((role) => role.total),
      })),
    ).map((hidden) => hidden || parent?.byRole.some((role) => role.hidden) === true);
    const index = new Map(siblings.map(({ unit }, at) => [unitKey(asUnit(unit)), at]));
    return units.map((unit) => {
      const at = index.get(unitKey(asUnit(unit.unit)))!;
      const ofOneRole = unit.roles.length < whole.roles.length;
      return {
        ...unit,
        hidden: ofOneRole ? roles[at]! : totals[at]!,
        byRole: unit.byRole.map((role) => ({ ...role, hidden: roles[at]! })),
      };
    });
  };
  const parentOf = async (unit: Division | Organization): Promise<Division | undefined> => {
    const code = 'level' in unit ? unit.parentCode : unit.divisionCode;
    return code === null ? undefined : regions.findDivision(code);
  };

  const service = {
    /** What this room holds about people. */
    personalData: coverageData,
    roleSetOf,

    /** Whether what is told of a unit to who may not see people leaves out its total, and its roles. */
    async veilOf(
      unit: Division | Organization,
      certification: Certification,
      day: string,
    ): Promise<{ hidden: boolean; rolesHidden: boolean }> {
      const asked = { certification, roles: certification.roles, day, targets: [], veiled: true };
      const [found] = await veil(await read([unit], asked), await parentOf(unit));
      return { hidden: found!.hidden, rolesHidden: found!.byRole.some((role) => role.hidden) };
    },

    /** @param input.role null = all roles of the certification, each person once. @throws NotFound, InvalidInput */
    async get(
      viewer: Viewer,
      input: { certificationId: string; role: Role | null; unit: Unit; day: string | null },
    ): Promise<UnitCoverage> {
      const { certificationId } = input;
      const today = chinaDay(clock.now());
      const day = input.day ?? today;
      const asked = { certificationId, units: [unitKey(input.unit)], roleSets: undefined };
      // All at once; whether the viewer may have it is judged before any of it is told.
      const [unit, [certification], policy, kept] = await Promise.all([
        regions.findUnit(input.unit),
        programmes.listCertifications([certificationId]),
        targets.list({ measure: 'coverage', certificationId }),
        readKept(db, asked, day),
      ]);
      if (unit === undefined || !may(viewer, 'coverage.read', unit)) throw new NotFound('The unit');
      if (certification === undefined || !inForce(certification, unit))
        throw new NotFound('The certification');
      if (input.role !== null && !certification.roles.includes(input.role))
        throw new InvalidInput('role', `This certification is for ${certification.roles.join(', ')}.`);
      if (day > today)
        throw new InvalidInput('on', `${day} is in the future: who will be covered then is not known.`);
      const roles = input.role === null ? certification.roles : [input.role];
      const veiled = !may(viewer, 'people.read', unit);
      const found = await read([unit], { certification, roles, day, targets: policy, veiled }, { kept });
      return (veiled ? await veil(found, await parentOf(unit)) : found)[0]!;
    },

    /** A page of the units right below: divisions in code order, then the organizations that stand right here. */
    async listChildren(
      parent: UnitCoverage,
      page: { after: BelowCursor | undefined; limit: number },
    ): Promise<UnitCoverage[]> {
      if (!('level' in parent.unit)) return [];
      const asked = {
        certificationId: parent.certification.id,
        roleSets: (await roleSetsOf(parent.roles)).all,
        units: regions.idsBelow(parent.unit.code, parent.day, page),
      };
      // At once, so that they go in one message.
      const [below, kept] = await Promise.all([
        regions.listBelow(parent.unit.code, parent.day, page),
        readKept(db, asked, parent.day),
      ]);
      return veil(await read(below, parent, { kept }), parent.unit);
    },

    /** The same on other days: how it went. @throws InvalidInput */
    async listTrend(parent: UnitCoverage, days: readonly string[]): Promise<UnitCoverage[]> {
      const points: UnitCoverage[] = [];
      const above = parent.veiled ? await parentOf(parent.unit) : undefined;
      for (const day of days)
        points.push(...(await veil(await read([parent.unit], { ...parent, day }), above)));
      return points;
    },

    /** Who is not covered; undefined for a viewer who may not see people there. */
    async listUncovered(
      viewer: Viewer,
      { unit, certification, roles, day }: UnitCoverage,
      page: Parameters<typeof listUncovered>[2],
    ): Promise<UncoveredPerson[] | undefined> {
      if (!may(viewer, 'people.read', unit)) return undefined;
      const place = 'level' in unit ? { ...asUnit(unit), level: unit.level } : asUnit(unit);
      const asked = { certificationId: certification.id, roles, unit: place, day };
      // Who it is comes from the counter, as all numbers do; what is told of them, each is looked up for the viewer.
      return actingAs('counter', async () => listUncovered(db, asked, page));
    },

    /**
     * Sets what share is to be covered in a division and below, from a day on.
     * @param input.role null = of any of the certification's roles.
     * @throws NotFound; InvalidInput; Conflict TARGET_LOWERED where a jurisdiction above asks for more.
     */
    async setTarget(
      viewer: Viewer,
      input: {
        certificationId: string;
        divisionCode: string;
        role: Role | null;
        rate: number;
        startsOn: string;
      },
    ): Promise<UnitCoverage> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'target.set', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      const [certification] = await programmes.listCertifications([input.certificationId]);
      if (certification === undefined || !inForce(certification, division))
        throw new NotFound('The certification');
      if (input.role !== null && !certification.roles.includes(input.role))
        throw new InvalidInput('input.role', `This certification is for ${certification.roles.join(', ')}.`);
      const measured = { measure: 'coverage', certificationId: certification.id } as const;
      await targets.set(viewer, measured, division, input, input.role);
      const roles = input.role === null ? certification.roles : [input.role];
      const question = {
        certification,
        roles,
        day: chinaDay(clock.now()),
        targets: await targets.list(measured),
        veiled: !may(viewer, 'people.read', division),
      };
      return (await actingAs('counter', async () => read([division], question)))[0]!;
    },
  };
  return inParts(
    {
      roleSetOf: 'counter',
      veilOf: 'counter',
      get: 'counter',
      listChildren: 'counter',
      listTrend: 'counter',
    },
    service,
  );
}

/** The targets of a place: of all roles together, and of each. Many stand in the same county, so it is worked out once for each. */
function aimsOf({ targets, roles, day }: Question) {
  const known = new Map<string, { readonly ofAll: number; readonly ofEach: readonly number[] }>();
  return (place: Place) => {
    const key = `${place.provinceCode} ${place.prefectureCode} ${place.countyCode}`;
    let aim = known.get(key);
    if (aim === undefined) {
      const target = (role: Role | null): number => targetFor(targets, place, role, day) ?? DEFAULT_TARGET;
      aim = { ofAll: target(roles.length === 1 ? roles[0]! : null), ofEach: roles.map(target) };
      known.set(key, aim);
    }
    return aim;
  };
}

/** A certification counts in the units below its division, and in those above it, where it is one of theirs. */
export function inForce(certification: Certification, unit: Division | Organization): boolean {
  if (covers({ kind: 'division', code: certification.divisionCode }, unit)) return true;
  return 'level' in unit && certification.divisionCode.startsWith(unit.code.replace(/(00)+$/, ''));
}
