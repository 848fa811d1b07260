import type { Expression } from 'kysely';
import { chinaDay, type Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import type { Division, Unit } from './division.ts';
import {
  divisionsIn,
  findDivision,
  listAllDivisions,
  listChildDivisions,
  listDivisions,
  upsertDivisions,
} from './division.repository.ts';
import type { Organization, OrganizationChange } from './organization.ts';
import {
  findOrganization,
  listOrganizationChanges,
  listOrganizations,
  listOrganizationsBySource,
  listOrganizationsOf,
  lockOrganizations,
  mergeOrganizations,
  organizationsOf,
  renameOrganization,
  saveOrganizations,
  takeOrganizationIds,
  type KnownOrganization,
  type OrganizationPage,
  type RosterOrganization,
} from './organization.repository.ts';
import { inParts } from '../db/acting.ts';

/** Where a page of units ended: a division's code, or an organization. */
export type BelowCursor =
  { readonly level: 'division'; readonly code: string } | { readonly id: string; readonly name: string };

/** A select of one column. */
export type Ids = Expression<unknown>;

export interface BelowPage {
  readonly after: BelowCursor | undefined;
  readonly limit: number;
}

/** Below a county there are none. */
const hasDivisions = (code: string): boolean => code.endsWith('00');
const amongDivisions = ({ after }: BelowPage): boolean => after === undefined || 'level' in after;
const organizationPage = ({ after, limit }: BelowPage): OrganizationPage => ({
  after: after === undefined || 'level' in after ? undefined : after,
  limit,
});

export type RegionService = ReturnType<typeof makeRegionService>;

/** The tree. Names of divisions and schools are public: reading them asks no permission, writing is for the roster import. */
export function makeRegionService({ db, clock }: { db: Database; clock: Clock }) {
  const service = {
    findDivision: async (code: string, executor: Executor = db): Promise<Division | undefined> =>
      findDivision(executor, code),
    listDivisions: async (codes: readonly string[], executor: Executor = db): Promise<Division[]> =>
      listDivisions(executor, codes),
    findUnit: async (unit: Unit): Promise<Division | Organization | undefined> =>
      unit.kind === 'division' ? findDivision(db, unit.code) : findOrganization(db, unit.id),
    listChildDivisions: async (parentCode: string | null): Promise<Division[]> =>
      listChildDivisions(db, parentCode),
    /**
     * A page of the units right below a division: divisions in code order, then the organizations that stood in it directly on a day
     * (as the tree is today).
     */
    async listBelow(code: string, day: string, page: BelowPage): Promise<(Division | Organization)[]> {
      const { after, limit } = page;
      const [divisions, organizations] = await Promise.all([
        amongDivisions(page) && hasDivisions(code) ? listChildDivisions(db, code) : [],
        listOrganizationsOf(db, code, day, organizationPage(page)),
      ]);
      return [
        ...divisions.filter(
          (division) => after === undefined || !('level' in after) || division.code > after.code,
        ),
        ...organizations,
      ].slice(0, limit);
    },
    /**
     * What `listBelow` finds, as parts of a statement: for what is kept of each unit, which is then asked in the same message. Divisions
     * are all there are, also where a page has fewer.
     */
    idsBelow(code: string, day: string, page: BelowPage): { codes: Ids; organizationIds: Ids } {
      const parent = amongDivisions(page) && hasDivisions(code) ? code : '';
      return {
        codes: divisionsIn(db, parent).select('code'),
        organizationIds: organizationsOf(db, code, day, organizationPage(page)).select('id'),
      };
    },
    findOrganization: async (id: string): Promise<Organization | undefined> => findOrganization(db, id),
    listOrganizations: async (ids: readonly string[]): Promise<Organization[]> => listOrganizations(db, ids),
    listOrganizationsOf: async (
      divisionCode: string,
      page: { after: { name: string; id: string } | undefined; limit: number },
    ): Promise<Organization[]> => listOrganizationsOf(db, divisionCode, chinaDay(clock.now()), page),
    listOrganizationChanges: async (
      ids: readonly string[],
      executor: Executor = db,
    ): Promise<Map<string, OrganizationChange[]>> => listOrganizationChanges(executor, ids),

    async listKnownOrganizations(
      tx: Executor,
      source: string,
      sourceIds: readonly string[],
    ): Promise<Map<string, KnownOrganization>> {
      return new Map(
        (await listOrganizationsBySource(tx, source, sourceIds)).map((organization) => [
          organization.sourceId,
          organization,
        ]),
      );
    },

    /** In the import's own transaction, as is the next. */
    takeOrganizationIds: async (tx: Executor, count: number): Promise<string[]> =>
      takeOrganizationIds(tx, count),
    saveOrganizations: async (
      tx: Executor,
      source: string,
      organizations: readonly RosterOrganization[],
    ): Promise<void> => saveOrganizations(tx, source, organizations, chinaDay(clock.now())),

    /** In the transaction of whoever reorganizes, who has asked whether the viewer may; as are the next. */
    lockOrganizations: async (tx: Executor, ids: readonly string[]): Promise<Organization[]> =>
      lockOrganizations(tx, ids),
    renameOrganization: async (
      tx: Executor,
      id: string,
      change: { name: string; on: string },
    ): Promise<void> => renameOrganization(tx, id, change),
    mergeOrganizations: async (
      tx: Executor,
      ids: readonly string[],
      merger: { intoId: string; on: string },
    ): Promise<void> => mergeOrganizations(tx, ids, merger),

    /** All there are, in code order. */
    listAllDivisions: async (tx: Executor): Promise<Division[]> => listAllDivisions(tx),
    /** In the transaction of whoever adds them, who has checked them. */
    addDivisions: async (tx: Executor, divisions: readonly Division[]): Promise<void> =>
      upsertDivisions(tx, divisions),

    /** Brings the table to the published list: what is new, and what is called otherwise. */
    syncDivisions: async (divisions: readonly Division[]): Promise<void> => upsertDivisions(db, divisions),
  };
  // Who holds a post in a school that has closed is nobody's to see; whether anybody does, is.
  return inParts({ listBelow: 'counter', listOrganizationsOf: 'counter', syncDivisions: 'keeper' }, service);
}
