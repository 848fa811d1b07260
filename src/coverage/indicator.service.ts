import { chinaDay, type Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound, RowsRefused, type RefusedRow } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { may, type Viewer } from '../people/permission.ts';
import { said } from '../people/roster/said.ts';
import { covers, type Division, type Unit } from '../regions/division.ts';
import { asUnit, type Organization } from '../regions/organization.ts';
import type { BelowCursor, RegionService } from '../regions/region.service.ts';
import { unitKey } from './coverage.ts';
import { readIndicatorRows, type GivenValue } from './indicator-rows.ts';
import {
  findIndicator,
  insertIndicator,
  insertIndicatorValues,
  listByIdentifier,
  listHolding,
  listIndicators,
  listIndicatorValues,
  lockIndicator,
  sumIndicators,
  type IndicatorValue,
  type NewValue,
} from './indicator.repository.ts';
import { isAsked, NOTHING_REPORTED, type Indicator, type IndicatorSum } from './indicator.ts';
import { makeTargetService, type TargetInput } from './target.service.ts';
import { targetFor } from './target.ts';

interface Question {
  readonly indicator: Indicator;
  readonly day: string;
  /** Whether the asker may not see people. */
  readonly veiled: boolean;
}

export interface UnitIndicator extends IndicatorSum, Question {
  readonly unit: Division | Organization;
  /** Above 0, at most 1; null where nobody has set one. */
  readonly target: number | null;
  /** It counts people, and the asker may not see people: nothing of it is told. */
  readonly hidden: boolean;
}

export interface Imported {
  readonly indicator: Indicator;
  readonly rowsRead: number;
  /** Values for a unit and day that had none. */
  readonly added: number;
  /** Values that took the place of another. */
  readonly superseded: number;
  /** Rows that say what was known. */
  readonly unchanged: number;
}

export type IndicatorService = ReturnType<typeof makeIndicatorService>;

export function makeIndicatorService({
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
    { indicator, day, veiled }: Question,
  ): Promise<UnitIndicator[]> => {
    const keys = units.map((unit) => unitKey(asUnit(unit)));
    const [sums, policy] = await Promise.all([
      sumIndicators(db, [indicator.id], keys, day),
      targets.list({ measure: 'indicator', indicatorId: indicator.id }),
    ]);
    return units.map((unit, at) => ({
      indicator,
      day,
      veiled,
      unit,
      ...(sums.get(keys[at]!)?.get(indicator.id) ?? NOTHING_REPORTED),
      target: targetFor(policy, unit, null, day) ?? null,
      hidden: veiled && indicator.countsPeople,
    }));
  };
  const getAsked = async (id: string, division: Division): Promise<Indicator> => {
    const indicator = await findIndicator(db, id);
    if (indicator === undefined || !isAsked(indicator, division)) throw new NotFound('The indicator');
    return indicator;
  };

  return {
    find: async (id: string): Promise<Indicator | undefined> => findIndicator(db, id),

    /** Of every indicator that is asked there. @throws NotFound, InvalidInput */
    async list(viewer: Viewer, input: { unit: Unit; day: string | null }): Promise<UnitIndicator[]> {
      const unit = await regions.findUnit(input.unit);
      if (unit === undefined || !may(viewer, 'coverage.read', unit)) throw new NotFound('The unit');
      const today = chinaDay(clock.now());
      const day = input.day ?? today;
      if (day > today)
        throw new InvalidInput('on', `${day} is in the future: what will be reported then is not known.`);
      const above = [unit.provinceCode, unit.prefectureCode, unit.countyCode].filter((code) => code !== null);
      const veiled = !may(viewer, 'people.read', unit);
      const found: UnitIndicator[] = [];
      for (const indicator of await listIndicators(db, above))
        found.push(...(await read([unit], { indicator, day, veiled })));
      return found;
    },

    /** A page of the units right below: divisions in code order, then the organizations that stand right here. */
    async listChildren(
      parent: UnitIndicator,
      page: { after: BelowCursor | undefined; limit: number },
    ): Promise<UnitIndicator[]> {
      if (!('level' in parent.unit)) return [];
      return read(await regions.listBelow(parent.unit.code, parent.day, page), parent);
    },

    /** What the unit itself ever reported. */
    async listValues(
      { indicator, unit, hidden }: UnitIndicator,
      page: Parameters<typeof listIndicatorValues>[2],
    ): Promise<IndicatorValue[]> {
      if (hidden) return [];
      return listIndicatorValues(db, { indicatorId: indicator.id, unit: unitKey(asUnit(unit)) }, page);
    },

    /** @throws NotFound, InvalidInput; Conflict CODE_TAKEN */
    async define(
      viewer: Viewer,
      input: Omit<Indicator, 'id'> & { divisionCode: string },
    ): Promise<Indicator> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'indicator.define', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      if (!/^[a-z][a-z0-9-]{1,49}$/.test(input.code))
        throw new InvalidInput('input.code', 'From 2 to 50 of a to z, 0 to 9 and -, a letter first.');
      for (const field of ['title', 'measure'] as const)
        if (Object.values(input[field]).some((text) => text.trim() === '' || text.length > 200))
          throw new InvalidInput(`input.${field}`, 'From 1 to 200 characters in each language.');
      const id = await db.transaction().execute(async (tx) => {
        const known = await listIndicators(tx, [
          division.provinceCode,
          ...(division.prefectureCode === null ? [] : [division.prefectureCode]),
          ...(division.countyCode === null ? [] : [division.countyCode]),
        ]);
        const created = known.some((other) => other.code === input.code)
          ? undefined
          : await insertIndicator(tx, { ...input, createdBy: viewer.personId, createdAt: clock.now() });
        if (created === undefined)
          throw new Conflict('CODE_TAKEN', `There is an indicator ${input.code} here or above.`);
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'indicator.define',
          subject: `indicator:${created}`,
          detail: { code: input.code, division: division.code },
          units: [division],
        });
        return created;
      });
      return (await findIndicator(db, id))!;
    },

    /**
     * Takes in values of units in a division: all or none. The same again changes nothing; another value for a unit and day takes the place
     * of the one before, which is kept.
     * @param input.source who says so, for a person.
     * @throws NotFound, InvalidInput; RowsRefused
     */
    async importValues(
      viewer: Viewer,
      input: { indicatorId: string; divisionCode: string; source: string; csv: string },
    ): Promise<Imported> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'indicator.import', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      const indicator = await getAsked(input.indicatorId, division);
      const source = input.source.trim();
      if (source === '' || source.length > 200)
        throw new InvalidInput('input.source', 'Who says so, in 1 to 200 characters.');
      const { values: given, refused } = readIndicatorRows(input.csv, indicator, chinaDay(clock.now()));
      const { values, unplaced } = await place(given, indicator, division);
      const faults = [...refused, ...unplaced].toSorted((a, b) => a.line - b.line);
      if (faults.length > 0) throw new RowsRefused(faults);

      return db.transaction().execute(async (tx) => {
        await lockIndicator(tx, indicator.id);
        const known = await listHolding(tx, indicator.id, values);
        const before = (value: NewValue): NewValue | undefined => known.get(`${value.unit} ${value.day}`);
        const changed = values.filter((value) => {
          const other = before(value);
          return (
            other === undefined ||
            (['since', 'numerator', 'denominator'] as const).some((field) => other[field] !== value[field])
          );
        });
        const superseded = changed.filter((value) => before(value) !== undefined).length;
        const counts = {
          rowsRead: values.length,
          added: changed.length - superseded,
          superseded,
          unchanged: values.length - changed.length,
        };
        if (changed.length > 0) {
          const id = await insertIndicatorValues(
            tx,
            {
              indicatorId: indicator.id,
              divisionCode: division.code,
              source,
              importedBy: viewer.personId,
              importedAt: clock.now(),
            },
            changed,
          );
          await insertJournalEntry(tx, {
            at: clock.now(),
            actor: `person:${viewer.personId}`,
            action: 'indicator.import',
            subject: `indicator-import:${id}`,
            detail: { indicator: indicator.id, division: division.code, ...counts },
            units: [division],
          });
        }
        return { indicator, ...counts };
      });
    },

    /**
     * Sets what share is to be reached in a division and below, from a day on.
     * @throws NotFound; InvalidInput; Conflict TARGET_LOWERED where a jurisdiction above asks for more.
     */
    async setTarget(viewer: Viewer, input: TargetInput & { indicatorId: string }): Promise<UnitIndicator> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'target.set', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      const indicator = await getAsked(input.indicatorId, division);
      if (indicator.kind === 'count')
        throw new InvalidInput('input.indicatorId', 'A count has no share that could be a target.');
      await targets.set(viewer, { measure: 'indicator', indicatorId: indicator.id }, division, input);
      const veiled = !may(viewer, 'people.read', division);
      return (await read([division], { indicator, day: chinaDay(clock.now()), veiled }))[0]!;
    },
  };

  /** Finds the units that values are about: of the indicator's level, in the division. */
  async function place(
    given: readonly GivenValue[],
    { level }: Indicator,
    division: Division,
  ): Promise<{ values: NewValue[]; unplaced: RefusedRow[] }> {
    const names = [...new Set(given.map((value) => value.unit))];
    const found = new Map<string, string[]>();
    if (level === 'organization')
      for (const [name, units] of await listByIdentifier(db, division.code, names)) found.set(name, units);
    else
      for (const unit of await regions.listDivisions(names))
        if (unit.level === level && covers({ kind: 'division', code: division.code }, unit))
          found.set(unit.code, [unit.code]);
    const values: NewValue[] = [];
    const unplaced: RefusedRow[] = [];
    for (const value of given) {
      const units = found.get(value.unit) ?? [];
      if (units.length === 1) values.push({ ...value, unit: units[0]! });
      else
        unplaced.push({
          line: value.line,
          column: 'unit',
          value: value.unit,
          reason:
            units.length > 1
              ? said(
                  `${units.length} organizations in ${division.code} have this identifier.`,
                  `${division.name}内有 ${units.length} 个机构使用此标识码。`,
                )
              : level === 'organization'
                ? said(
                    `No organization in ${division.code} has this identifier.`,
                    `${division.name}内没有使用此标识码的机构。`,
                  )
                : said(
                    `No ${level} in ${division.code} has this code.`,
                    `${division.name}内没有此级别、此代码的区划。`,
                  ),
        });
    }
    return { values, unplaced };
  }
}
