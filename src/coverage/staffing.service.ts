import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Division, Unit } from '../regions/division.ts';
import { asUnit, type Organization } from '../regions/organization.ts';
import type { BelowCursor, RegionService } from '../regions/region.service.ts';
import { unitKey } from './coverage.ts';
import { listResearchers, listStaffingFacts, listStaffingGroups } from './staffing.repository.ts';
import {
  addStaffed,
  judgeStaffing,
  NO_COUNTIES,
  NO_STAFFING,
  type Researchers,
  type Staffed,
  type Staffing,
  type Standing,
} from './staffing.ts';
import { makeTargetService, type TargetInput } from './target.service.ts';
import { DEFAULT_TARGET, targetFor } from './target.ts';
import { actingAs, inParts } from '../db/acting.ts';

/**
 * Who may see numbers and not people is told how many organizations have their staff, and no number of people: a school has one or two,
 * and any sum of them, held against the coverage of the same people, would tell of a few.
 */
interface Question {
  readonly day: string;
  readonly peopleHidden: boolean;
}

export interface UnitStaffing extends Staffing, Researchers, Question {
  readonly unit: Division | Organization;
  /** The share of organizations that is to have its staff: above 0, at most 1. */
  readonly target: number;
}

export interface OrganizationStaffing extends Staffed {
  readonly organizationId: string;
  /** What it was judged by; null where it was never counted. */
  readonly students: number | null;
  readonly studentsOn: string | null;
  readonly peopleHidden: boolean;
}

/** Organizations looked at together when those that are short are listed: most are not. */
const BATCH = 1_000;

export type StaffingService = ReturnType<typeof makeStaffingService>;

export function makeStaffingService({
  db,
  clock,
  regions,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
}) {
  const targets = makeTargetService({ db, clock });
  const read = async (
    units: readonly (Division | Organization)[],
    question: Question,
  ): Promise<UnitStaffing[]> => {
    const keys = units.map((unit) => unitKey(asUnit(unit)));
    const policy = await targets.list({ measure: 'staffing' });
    const sums = new Map<string, Staffing>();
    for (const group of await listStaffingGroups(db, keys, question.day)) {
      const staffed = judgeStaffing(group);
      if (staffed !== undefined)
        sums.set(group.unit, addStaffed(sums.get(group.unit) ?? NO_STAFFING, staffed, group.organizations));
    }
    const researchers = await listResearchers(db, keys, question.day);
    return units.map((unit, at) => ({
      ...question,
      unit,
      ...(sums.get(keys[at]!) ?? NO_STAFFING),
      ...(researchers.get(keys[at]!) ?? NO_COUNTIES),
      target: targetFor(policy, unit, null, question.day) ?? DEFAULT_TARGET,
    }));
  };

  const service = {
    /** @throws NotFound, InvalidInput */
    async get(viewer: Viewer, input: { unit: Unit; day: string | null }): Promise<UnitStaffing> {
      const unit = await regions.findUnit(input.unit);
      if (unit === undefined || !may(viewer, 'coverage.read', unit)) throw new NotFound('The unit');
      const today = chinaDay(clock.now());
      const day = input.day ?? today;
      if (day > today)
        throw new InvalidInput('on', `${day} is in the future: who will be there then is not known.`);
      return (await read([unit], { day, peopleHidden: !may(viewer, 'people.read', unit) }))[0]!;
    },

    /** A page of the units right below: divisions in code order, then the organizations that stand right here. */
    async listChildren(
      { unit, day, peopleHidden }: UnitStaffing,
      page: { after: BelowCursor | undefined; limit: number },
    ): Promise<UnitStaffing[]> {
      if (!('level' in unit)) return [];
      return read(await regions.listBelow(unit.code, day, page), { day, peopleHidden });
    },

    /** The unit's organizations that stand so, in the order of their ids. */
    async listOrganizations(
      { unit, day, peopleHidden }: UnitStaffing,
      standing: Standing,
      page: { after: string | undefined; limit: number },
    ): Promise<OrganizationStaffing[]> {
      const found: OrganizationStaffing[] = [];
      let { after } = page;
      for (;;) {
        const batch = await listStaffingFacts(db, [unitKey(asUnit(unit))], day, { after, limit: BATCH });
        for (const facts of batch) {
          const staffed = judgeStaffing(facts);
          if (staffed?.standing !== standing) continue;
          const { organizationId, students, studentsOn } = facts;
          found.push({ ...staffed, organizationId, students, studentsOn, peopleHidden });
          if (found.length === page.limit) return found;
        }
        if (batch.length < BATCH) return found;
        after = batch.at(-1)!.organizationId;
      }
    },

    /**
     * Sets what share of organizations is to have its staff in a division and below, from a day on.
     * @throws NotFound; InvalidInput; Conflict TARGET_LOWERED where a jurisdiction above asks for more.
     */
    async setTarget(viewer: Viewer, input: TargetInput): Promise<UnitStaffing> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'target.set', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      await targets.set(viewer, { measure: 'staffing' }, division, input);
      const peopleHidden = !may(viewer, 'people.read', division);
      const asked = { day: chinaDay(clock.now()), peopleHidden };
      return (await actingAs('counter', async () => read([division], asked)))[0]!;
    },
  };
  return inParts({ get: 'counter', listChildren: 'counter', listOrganizations: 'counter' }, service);
}
