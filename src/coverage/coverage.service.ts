import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Role } from '../people/role.ts';
import type { Certification } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { covers, type Division, type Unit } from '../regions/division.ts';
import { asUnit, type Organization } from '../regions/organization.ts';
import type { BelowCursor, RegionService } from '../regions/region.service.ts';
import { unitKey, type Coverage, type RoleCoverage } from './coverage.ts';
import { countCoverage, listUncovered, readKept, type UncoveredPerson } from './coverage.repository.ts';
import { listRoleSets } from './ledger.repository.ts';
import type { CoverageLedger } from './ledger.service.ts';
import { makeTargetService } from './target.service.ts';
import { DEFAULT_TARGET, targetFor, type Target } from './target.ts';
import { hiddenAmong, rolesHiddenAmong } from './veil.ts';

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
  const roleSetOf = async (roles: readonly Role[]): Promise<number> => {
    const key = roles.toSorted().join();
    for (const begin of [false, true]) {
      if (knownSets.has(key)) break;
      // Planning owes this to a job; who asks before it has run waits for the count.
      if (begin) await ledger.addRoleSet(roles);
      for (const set of await listRoleSets(db)) knownSets.set(set.roles.join(), set.id);
    }
    return knownSets.get(key)!;
  };

  const read = async (
    units: readonly (Division | Organization)[],
    question: Question,
  ): Promise<UnitCoverage[]> => {
    const { certification, roles, day } = question;
    const any = await roleSetOf(roles);
    const each = await Promise.all(roles.map(async (role) => roleSetOf([role])));
    const keys = units.map((unit) => unitKey(asUnit(unit)));
    const asked = {
      certificationId: certification.id,
      roleSets: [...new Set([any, ...each])],
      units: keys,
    };
    const found = (await readKept(db, asked, day)) ?? (await countCoverage(db, asked, day));
    return units.map((unit, index) => {
      const numbers = found.get(keys[index]!);
      const target = (role: Role | null): number =>
        targetFor(question.targets, unit, role, day) ?? DEFAULT_TARGET;
      return {
        ...question,
        unit,
        ...(numbers?.get(any) ?? NOBODY),
        target: target(roles.length === 1 ? roles[0]! : null),
        hidden: false,
        byRole: roles.map((role, at) => ({
          role,
          ...(numbers?.get(each[at]!) ?? NOBODY),
          target: target(role),
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
    const keyOf = (unit: Division | Organization): string => unitKey(asUnit(unit));
    const index = new Map(siblings.map((unit, at) => [keyOf(unit.unit), at]));
    return units.map((unit) => {
      const at = index.get(keyOf(unit.unit))!;
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

  return {
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
      const [unit, [certification], policy] = await Promise.all([
        regions.findUnit(input.unit),
        programmes.listCertifications([input.certificationId]),
        targets.list({ measure: 'coverage', certificationId: input.certificationId }),
      ]);
      if (unit === undefined || !may(viewer, 'coverage.read', unit)) throw new NotFound('The unit');
      if (certification === undefined || !inForce(certification, unit))
        throw new NotFound('The certification');
      if (input.role !== null && !certification.roles.includes(input.role))
        throw new InvalidInput('role', `This certification is for ${certification.roles.join(', ')}.`);
      const today = chinaDay(clock.now());
      const day = input.day ?? today;
      if (day > today)
        throw new InvalidInput('on', `${day} is in the future: who will be covered then is not known.`);
      const roles = input.role === null ? certification.roles : [input.role];
      const veiled = !may(viewer, 'people.read', unit);
      const found = await read([unit], { certification, roles, day, targets: policy, veiled });
      return (veiled ? await veil(found, await parentOf(unit)) : found)[0]!;
    },

    /** A page of the units right below: divisions in code order, then the organizations that stand right here. */
    async listChildren(
      parent: UnitCoverage,
      page: { after: BelowCursor | undefined; limit: number },
    ): Promise<UnitCoverage[]> {
      if (!('level' in parent.unit)) return [];
      const below = await regions.listBelow(parent.unit.code, parent.day, page);
      return veil(await read(below, parent), parent.unit);
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
      return listUncovered(db, { certificationId: certification.id, roles, unit: place, day }, page);
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
      return (
        await read([division], {
          certification,
          roles,
          day: chinaDay(clock.now()),
          targets: await targets.list(measured),
          veiled: !may(viewer, 'people.read', division),
        })
      )[0]!;
    },
  };
}

/** A certification counts in the units below its division, and in those above it, where it is one of theirs. */
export function inForce(certification: Certification, unit: Division | Organization): boolean {
  if (covers({ kind: 'division', code: certification.divisionCode }, unit)) return true;
  return 'level' in unit && certification.divisionCode.startsWith(unit.code.replace(/(00)+$/, ''));
}
