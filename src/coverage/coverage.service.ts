import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Role } from '../people/role.ts';
import type { Certification } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { covers, type Division, type Unit } from '../regions/division.ts';
import type { Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import type { Coverage } from './coverage.ts';
import { computeChildCoverage, computeCoverage } from './coverage.repository.ts';

export interface UnitCoverage extends Coverage {
  readonly certification: Certification;
  readonly roles: readonly Role[];
  readonly unit: Division | Organization;
  readonly day: string;
}

export type CoverageService = ReturnType<typeof makeCoverageService>;

export function makeCoverageService({
  db,
  clock,
  regions,
  programmes,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  programmes: ProgrammeService;
}) {
  const ask = async (
    viewer: Viewer,
    input: { certificationId: string; role: Role | null; unit: Unit; day: string | null },
  ) => {
    const unit =
      input.unit.kind === 'division'
        ? await regions.findDivision(input.unit.code)
        : await regions.findOrganization(input.unit.id);
    if (unit === undefined || !may(viewer, 'coverage.read', unit)) throw new NotFound('The unit');
    const [certification] = await programmes.listCertifications([input.certificationId]);
    if (certification === undefined || !inForce(certification, unit)) throw new NotFound('The certification');
    const today = chinaDay(clock.now());
    const day = input.day ?? today;
    if (day > today)
      throw new InvalidInput('on', `${day} is in the future: who will be covered then is not known.`);
    const roles = input.role === null ? certification.roles : [input.role];
    return { unit, certification, day, roles };
  };

  return {
    /** @param input.role null = all roles of the certification, each person once. @throws NotFound, InvalidInput */
    async get(
      viewer: Viewer,
      input: { certificationId: string; role: Role | null; unit: Unit; day: string | null },
    ): Promise<UnitCoverage> {
      const { unit, certification, day, roles } = await ask(viewer, input);
      return {
        certification,
        roles,
        unit,
        day,
        ...(await computeCoverage(db, { certificationId: certification.id, roles, unit: input.unit, day })),
      };
    },

    /** The units right below, in code or name order; those in which nobody holds the role are left out. */
    async listChildren(parent: UnitCoverage): Promise<UnitCoverage[]> {
      if (!('level' in parent.unit)) return [];
      const division = parent.unit;
      const question = {
        certificationId: parent.certification.id,
        roles: parent.roles,
        unit: { kind: 'division', code: division.code } as const,
        day: parent.day,
      };
      const below =
        division.level === 'province'
          ? 'prefecture_code'
          : division.level === 'prefecture'
            ? 'county_code'
            : 'organization';
      const parts = new Map(
        (await computeChildCoverage(db, question, below)).map((part) => [part.part, part]),
      );
      const units: (Division | Organization)[] =
        below === 'organization'
          ? (await regions.listOrganizations([...parts.keys()])).toSorted((a, b) =>
              a.name.localeCompare(b.name, 'zh-CN'),
            )
          : (await regions.listDivisions([...parts.keys()])).toSorted((a, b) => a.code.localeCompare(b.code));
      return units.map((unit) => ({ ...parent, unit, ...parts.get('level' in unit ? unit.code : unit.id)! }));
    },
  };
}

/** A certification counts in the units below its division, and in those above it, where it is one of theirs. */
function inForce(certification: Certification, unit: Division | Organization): boolean {
  if (covers({ kind: 'division', code: certification.divisionCode }, unit)) return true;
  return 'level' in unit && certification.divisionCode.startsWith(unit.code.replace(/(00)+$/, ''));
}
