import { addDays, chinaDay, type Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { divisionsFromCodes, type Division } from '../regions/division.ts';
import type { Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import type { HoldingsWatcher } from './holdings.ts';
import { may, scopesOf, type Viewer } from './permission.ts';
import { listPeopleAt } from './person.repository.ts';
import { listSources, transferPosts } from './reorganization.repository.ts';
import { tryLockSource } from './roster/import.repository.ts';
import { inParts } from '../db/acting.ts';

const MOST_DIVISIONS = 5_000;
const MOST_MERGED = 100;

export type ReorganizationService = ReturnType<typeof makeReorganizationService>;

/** What a jurisdiction does with its schools: it renames and merges them, from a day on. History stays as it was. */
export function makeReorganizationService({
  db,
  clock,
  regions,
  holdings,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  holdings: HoldingsWatcher;
}) {
  /** @throws NotFound where one of them is not there or not the viewer's; Conflict IMPORT_RUNNING */
  const lock = async (tx: Executor, viewer: Viewer, ids: readonly string[]): Promise<Organization[]> => {
    const found = new Map((await regions.lockOrganizations(tx, ids)).map((each) => [each.id, each]));
    const organizations = ids.map((id) => {
      const organization = found.get(id);
      if (organization === undefined || !may(viewer, 'roster.import', organization))
        throw new NotFound('The organization');
      return organization;
    });
    // An import that is being applied has looked at them already.
    for (const source of await listSources(tx, ids))
      if (!(await tryLockSource(tx, source)))
        throw new Conflict('IMPORT_RUNNING', 'A roster import is being applied there; try again after it.');
    return organizations;
  };
  const standing = (organization: Organization, path: string): void => {
    if (organization.closedOn !== null)
      throw new Conflict(
        'ORGANIZATION_CLOSED',
        `${path}: ${organization.name} closed on ${organization.closedOn}.`,
      );
  };
  /** @throws InvalidInput: neither in the future nor before what is known to have become of them. */
  const checkDay = async (tx: Executor, ids: readonly string[], on: string): Promise<void> => {
    const today = chinaDay(clock.now());
    if (on > today)
      throw new InvalidInput('input.on', `${on} is in the future: tell of it when it has come about.`);
    const last = [...(await regions.listOrganizationChanges(ids, tx)).values()]
      .flat()
      .reduce((latest, change) => (change.changedOn > latest ? change.changedOn : latest), '');
    if (on < last)
      throw new InvalidInput(
        'input.on',
        `A later change, of ${last}, is known already; tell of them in order.`,
      );
  };

  const service = {
    /**
     * Adds divisions that the published list lacks, such as development zones that keep a roster of their own: all of them or none.
     * Those that are there already under the same name stay as they are.
     * @returns those that are new, in code order.
     * @throws NotAllowed unless the viewer may for the whole nation; InvalidInput naming the entry.
     */
    async addDivisions(
      viewer: Viewer,
      given: readonly { code: string; name: string }[],
    ): Promise<Division[]> {
      if (!scopesOf(viewer, 'division.add').some((scope) => scope.kind === 'nation'))
        throw new NotAllowed('Only an operator of the whole service adds divisions.');
      if (given.length === 0 || given.length > MOST_DIVISIONS)
        throw new InvalidInput('input.divisions', `Give 1 to ${MOST_DIVISIONS} divisions.`);
      return db.transaction().execute(async (tx) => {
        const known = new Map((await regions.listAllDivisions(tx)).map((each) => [each.code, each]));
        const names = new Map([...known.values()].map(({ code, name }) => [code, name]));
        given.forEach(({ code, name: text }, index) => {
          const path = `input.divisions.${index}`;
          const name = text.trim();
          if (!/^[1-9]\d{5}$/.test(code))
            throw new InvalidInput(
              `${path}.code`,
              `${code} is not an administrative division code: six digits.`,
            );
          if (name === '' || name.length > 100)
            throw new InvalidInput(`${path}.name`, 'A name of 1 to 100 characters.');
          const before = names.get(code);
          if (before !== undefined && before !== name)
            throw new InvalidInput(`${path}.name`, `${code} is ${before}.`);
          names.set(code, name);
        });
        const added: Division[] = [];
        for (const division of divisionsFromCodes(names)) {
          const before = known.get(division.code);
          const index = given.findIndex(({ code }) => code === division.code);
          if (division.parentCode !== null && !names.has(division.parentCode))
            throw new InvalidInput(
              `input.divisions.${index}.code`,
              `${division.code} would stand below ${division.parentCode}, which is not there; add that as well.`,
            );
          // Schools and their numbers hang on where a division stands.
          if (before !== undefined && before.parentCode !== division.parentCode)
            throw new InvalidInput(
              'input.divisions',
              `${division.parentCode} would move ${before.code} (${before.name}), which stands below ${before.parentCode}.`,
            );
          if (before === undefined) added.push(division);
        }
        added.sort((a, b) => (a.code < b.code ? -1 : 1));
        if (added.length === 0) return [];
        await regions.addDivisions(tx, added);
        // One each: the auditor of one division need not know of the others.
        for (const division of added)
          await insertJournalEntry(tx, {
            at: clock.now(),
            actor: `person:${viewer.personId}`,
            action: 'division.add',
            subject: `division:${division.code}`,
            units: [division],
          });
        return added;
      });
    },

    /** @param input.on the first day of the new name. @throws NotFound; InvalidInput; Conflict ORGANIZATION_CLOSED */
    async rename(
      viewer: Viewer,
      input: { organizationId: string; name: string; on: string },
    ): Promise<Organization> {
      const name = input.name.trim();
      if (name === '' || name.length > 255)
        throw new InvalidInput('input.name', 'A name of 1 to 255 characters.');
      return db.transaction().execute(async (tx) => {
        const [organization] = await lock(tx, viewer, [input.organizationId]);
        standing(organization!, 'input.organizationId');
        await checkDay(tx, [organization!.id], input.on);
        if (name === organization!.name) return organization!;
        await regions.renameOrganization(tx, organization!.id, { name, on: input.on });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'organization.rename',
          subject: `organization:${organization!.id}`,
          detail: { before: organization!.name, after: name, on: input.on },
          units: [organization!],
        });
        return { ...organization!, name };
      });
    },

    /**
     * Merges organizations into one that goes on: their last day is the day before `on`, and everybody's posts go on there from then.
     * @returns the one that goes on, and how many people came to it.
     * @throws NotFound; InvalidInput; Conflict ORGANIZATION_CLOSED
     */
    async merge(
      viewer: Viewer,
      input: { organizationIds: readonly string[]; intoId: string; on: string },
    ): Promise<{ organization: Organization; people: number }> {
      const ids = [...new Set(input.organizationIds)];
      if (ids.length === 0 || ids.length > MOST_MERGED)
        throw new InvalidInput('input.organizationIds', `Name at least one, and ${MOST_MERGED} at most.`);
      if (ids.includes(input.intoId))
        throw new InvalidInput('input.intoId', 'An organization can’t be merged into itself.');
      return db.transaction().execute(async (tx) => {
        const all = await lock(tx, viewer, [...ids, input.intoId]);
        const into = all.at(-1)!;
        all.forEach((each) => standing(each, each === into ? 'input.intoId' : 'input.organizationIds'));
        await checkDay(
          tx,
          all.map((each) => each.id),
          input.on,
        );
        const people = await holdings.around(tx, await listPeopleAt(tx, ids), async () => {
          await regions.mergeOrganizations(tx, ids, { intoId: into.id, on: input.on });
          return transferPosts(tx, ids, { intoId: into.id, on: input.on });
        });
        for (const organization of all.slice(0, -1))
          await insertJournalEntry(tx, {
            at: clock.now(),
            actor: `person:${viewer.personId}`,
            action: 'organization.merge',
            subject: `organization:${organization.id}`,
            detail: { into: into.id, lastDay: addDays(input.on, -1) },
            units: [organization, into],
          });
        return { organization: into, people };
      });
    },
  };
  return inParts({ addDivisions: 'roster', rename: 'roster', merge: 'roster' }, service);
}
