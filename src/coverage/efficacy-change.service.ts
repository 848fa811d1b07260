import { efficacyWaves, type EfficacyWave } from '../assessment/efficacy.ts';
import { chinaDay, type Clock } from '../clock.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Scale } from '../courses/scale.ts';
import { inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Certification } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { Division, Unit } from '../regions/division.ts';
import { asUnit, type Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import { unitKey } from './coverage.ts';
import { inForce } from './coverage.service.ts';
import { countAnswering, summarizePairs } from './efficacy-change.repository.ts';
import { countedOf, effectOf, isHidden, told, type Effect } from './efficacy-change.ts';

/** How sure a group feels, one time and another. */
export interface EfficacyChange {
  readonly certification: Certification;
  readonly unit: Division | Organization;
  readonly scale: Scale;
  readonly from: EfficacyWave;
  readonly to: EfficacyWave;
  /** undefined: too few answered both times, or their answers would follow from this and another question. */
  readonly numbers:
    | {
        readonly people: number;
        readonly meanBefore: number;
        readonly meanAfter: number;
        readonly meanChange: number;
        readonly effect: Effect | undefined;
      }
    | undefined;
}

export type EfficacyChangeService = ReturnType<typeof makeEfficacyChangeService>;

export function makeEfficacyChangeService({
  db,
  clock,
  regions,
  courses,
  programmes,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  courses: CourseService;
  programmes: ProgrammeService;
}) {
  const service = {
    /**
     * Of people who hold one of the certification's roles in the unit today and answered the scale that its course asks now, both times.
     * Whoever asks is told of groups alone, also who may see people.
     * @throws NotFound, InvalidInput
     */
    async get(
      viewer: Viewer,
      input: { certificationId: string; unit: Unit; from: EfficacyWave; to: EfficacyWave },
    ): Promise<EfficacyChange> {
      const unit = await regions.findUnit(input.unit);
      if (unit === undefined || !may(viewer, 'coverage.read', unit)) throw new NotFound('The unit');
      const [certification] = await programmes.listCertifications([input.certificationId]);
      if (certification === undefined || !inForce(certification, unit))
        throw new NotFound('The certification');
      if (efficacyWaves.indexOf(input.from) >= efficacyWaves.indexOf(input.to))
        throw new InvalidInput('to', 'It comes after `from`.');
      const scale = (await courses.findCurrent(db, certification.courseSlug))?.scale;
      if (scale === undefined || scale === null) throw new NotFound('The scale');

      const { from, to } = input;
      const asked = {
        certificationId: certification.id,
        roles: certification.roles,
        day: chinaDay(clock.now()),
        scaleKey: scale.key,
        scaleVersion: scale.version,
        from,
        to,
      };
      const found = { certification, unit, scale, from, to };
      const key = unitKey(asUnit(unit));
      // One moment for both: who answers in between must not be told apart by it.
      return db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute(async (tx) => {
          const units = unit.provinceCode === null ? [] : await countAnswering(tx, asked, unit.provinceCode);
          if (isHidden(units, key)) return { ...found, numbers: undefined };
          const counted = countedOf(units.find((each) => each.key === key)!.people);
          const pairs = await summarizePairs(tx, asked, asUnit(unit), counted);
          const effect = effectOf(pairs);
          const [meanBefore, meanAfter] = [told(pairs.meanBefore), told(pairs.meanAfter)];
          return {
            ...found,
            numbers: {
              people: pairs.people,
              meanBefore,
              meanAfter,
              // Of what is told, since anything finer would tell more.
              meanChange: told(meanAfter - meanBefore),
              effect:
                effect === undefined
                  ? undefined
                  : { size: told(effect.size), low: told(effect.low), high: told(effect.high) },
            },
          };
        });
    },
  };
  return inParts({ get: 'counter' }, service);
}
