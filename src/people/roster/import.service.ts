import { addDays, chinaDay, type Clock } from '../../clock.ts';
import type { Database, Executor } from '../../db/database.ts';
import { InvalidInput, NotFound } from '../../errors.ts';
import { insertDebt, insertJournalEntry } from '../../journal/journal.repository.ts';
import type { RegionService } from '../../regions/region.service.ts';
import type { HoldingsWatcher } from '../holdings.ts';
import { may, type Viewer } from '../permission.ts';
import { hashIdentityNumber, type Post } from '../person.ts';
import {
  insertPeople,
  insertPersonSources,
  insertPosts,
  listPeopleAt,
  listPeopleByIdentity,
  listPeopleBySource,
  listPostsOf,
  updatePeople,
  updatePosts,
} from '../person.repository.ts';
import { unpack, type NamedFile } from './archive.ts';
import { UnreadableFile } from './text.ts';
import {
  findRosterImport,
  finishRosterImport,
  insertRosterImport,
  listRosterImportFiles,
  listRosterRefusals,
  lockSource,
  type RosterImport,
  type RosterRefusal,
} from './import.repository.ts';
import { readOneRoster, type GivenRoster, type Refused } from './oneroster.ts';
import { planOrganizations, planPeople, planPosts } from './plan.ts';

export const IMPORT_TASK = 'import-roster';
/** A school year's end moves fewer. */
const USUALLY_ENDED = 0.2;
/** So few that a share of them says nothing. */
const FEW_POSTS = 5;
const MAX_UPLOAD_BYTES = 64 * 1024 * 1024;

/** Ends the transaction of a dry run. */
class TakenBack extends Error {}

export type RosterService = ReturnType<typeof makeRosterService>;

export function makeRosterService({
  db,
  clock,
  identityKey,
  regions,
  holdings,
}: {
  db: Database;
  clock: Clock;
  identityKey: Buffer;
  regions: RegionService;
  holdings: HoldingsWatcher;
}) {
  const visible = async (viewer: Viewer, id: string): Promise<RosterImport | undefined> => {
    const found = await findRosterImport(db, id);
    const division = found === undefined ? undefined : await regions.findDivision(found.divisionCode);
    return division !== undefined && may(viewer, 'roster.import', division) ? found : undefined;
  };

  return {
    /**
     * Takes an upload in and queues it; the worker applies it. The files are kept with the import until then, so a crash in
     * between loses nothing.
     * @param input.source whose numbering the sourcedIds belong to, where a division has several.
     * @throws NotFound for a division that is not known or not the viewer's to import.
     */
    async request(
      viewer: Viewer,
      input: {
        divisionCode: string;
        source: string | null;
        files: readonly NamedFile[];
        dryRun?: boolean;
        mostEnded?: number | null;
      },
    ): Promise<RosterImport> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'roster.import', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      if (input.files.length === 0)
        throw new InvalidInput('input.files', 'Give one zip file, or orgs.csv and users.csv.');
      if (input.files.reduce((sum, file) => sum + file.bytes.length, 0) > MAX_UPLOAD_BYTES)
        throw new InvalidInput(
          'input.files',
          `The files are larger than ${MAX_UPLOAD_BYTES / 1024 / 1024} MB together.`,
        );
      const twice = input.files.find(
        (file, index) => input.files.findIndex((other) => other.name === file.name) !== index,
      );
      if (twice !== undefined) throw new InvalidInput('input.files', `${twice.name} was given twice.`);
      const mostEnded = input.mostEnded ?? USUALLY_ENDED;
      if (!(mostEnded >= 0 && mostEnded <= 1))
        throw new InvalidInput('input.mostEnded', 'A share from 0 to 1, e.g. 0.2.');
      // Within the division's own: nobody renames the people of a neighbour by naming its source.
      const source = `division:${division.code}${input.source === null ? '' : `/${input.source}`}`;
      if (source.length > 100) throw new InvalidInput('input.source', 'It is longer than 100 characters.');

      const id = await db.transaction().execute(async (tx) => {
        const created = await insertRosterImport(tx, {
          source,
          divisionCode: division.code,
          requestedBy: viewer.personId,
          createdAt: clock.now(),
          dryRun: input.dryRun ?? false,
          mostEnded,
          files: input.files,
        });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'roster.request',
          subject: `roster-import:${created}`,
          detail: { division: division.code, source, files: input.files.map((file) => file.name) },
        });
        await insertDebt(tx, {
          task: IMPORT_TASK,
          payload: { importId: created },
          key: `${IMPORT_TASK}:${created}`,
        });
        return created;
      });
      return (await findRosterImport(db, id))!;
    },

    async find(viewer: Viewer, id: string): Promise<RosterImport | undefined> {
      return visible(viewer, id);
    },

    async listRefusals(
      viewer: Viewer,
      importId: string,
      page: { after: string | undefined; limit: number },
    ): Promise<RosterRefusal[]> {
      return (await visible(viewer, importId)) === undefined ? [] : listRosterRefusals(db, importId, page);
    },

    /**
     * The worker's part: applies a queued import in one transaction, or refuses it whole; a dry run does the same and takes it back.
     * Done already: does nothing.
     */
    async apply(importId: string): Promise<void> {
      let checked: Awaited<ReturnType<typeof write>> | undefined;
      try {
        await db.transaction().execute(async (tx) => {
          const queued = await findRosterImport(tx, importId, { lock: true });
          if (queued === undefined || queued.state !== 'queued') return;
          await lockSource(tx, queued.source);
          const roster = readOneRoster(await unpack(await listRosterImportFiles(tx, importId)));
          const result = await write(tx, queued, roster);
          if (queued.dryRun) {
            checked = result;
            throw new TakenBack();
          }
          await finishRosterImport(tx, importId, { state: 'applied', ...result, at: clock.now() });
          await insertJournalEntry(tx, {
            at: clock.now(),
            actor: `worker:${IMPORT_TASK}`,
            action: 'roster.apply',
            subject: `roster-import:${importId}`,
            detail: { ...result.counts },
          });
        });
      } catch (error) {
        if (!(error instanceof UnreadableFile || error instanceof TakenBack)) throw error;
        const { message } = error;
        // What was written is taken back by now; only what is to be told remains.
        await db.transaction().execute(async (tx) => {
          const queued = await findRosterImport(tx, importId, { lock: true });
          if (queued?.state !== 'queued') return;
          await finishRosterImport(
            tx,
            importId,
            checked === undefined
              ? { state: 'refused', reason: message, at: clock.now() }
              : { state: 'checked', ...checked, at: clock.now() },
          );
        });
      }
    },
  };

  async function write(tx: Executor, queued: RosterImport, roster: GivenRoster) {
    const { source } = queued;
    const scope = (await regions.findDivision(queued.divisionCode, tx))!;
    const today = chinaDay(clock.now());

    const codes = [
      ...new Set([
        scope.code,
        ...roster.organizations.flatMap((organization) => organization.divisionCode ?? []),
      ]),
    ];
    const divisions = new Map(
      (await regions.listDivisions(codes, tx)).map((division) => [division.code, division]),
    );
    const known = await regions.listKnownOrganizations(
      tx,
      source,
      roster.organizations.map((organization) => organization.sourceId),
    );
    const organizationPlan = planOrganizations(roster.organizations, { scope, divisions, known });
    const moved = organizationPlan.organizations.flatMap((organization) => {
      const before = known.get(organization.sourceId);
      return before !== undefined && before.divisionCode !== organization.division.code ? [before.id] : [];
    });
    const organizations = await holdings.around(tx, await listPeopleAt(tx, moved), async () =>
      regions.upsertOrganizations(tx, source, organizationPlan.organizations),
    );

    const hashes = roster.people.flatMap((person) =>
      person.identityNumber === null
        ? []
        : hashIdentityNumber(person.identityNumber, identityKey).toString('hex'),
    );
    const peoplePlan = planPeople(roster.people, {
      bySource: await listPeopleBySource(
        tx,
        source,
        roster.people.map((person) => person.sourceId),
      ),
      byIdentity: await listPeopleByIdentity(tx, hashes),
      identityKey,
    });
    const inserted = await insertPeople(tx, source, peoplePlan.insert);
    await insertPersonSources(tx, source, peoplePlan.link);
    await updatePeople(tx, peoplePlan.update);

    const personIds = new Map([...peoplePlan.known, ...inserted]);
    // The file's own organizations too: a post at one of them that a row no longer lists has ended.
    const postOrganizations = [
      ...new Set([
        ...roster.organizations.map((organization) => organization.sourceId),
        ...roster.people.flatMap((person) => person.posts.map((post) => post.organizationSourceId)),
      ]),
    ];
    const organizationIds = new Map(
      [...(await regions.listKnownOrganizations(tx, source, postOrganizations))].map(
        ([sourceId, organization]) => [sourceId, organization.id],
      ),
    );
    const held: ReadonlyMap<string, readonly Post[]> = Map.groupBy(
      await listPostsOf(tx, [...peoplePlan.known.values()]),
      (post) => post.personId,
    );
    const postsPlan = planPosts(peoplePlan.people, {
      personIds,
      organizationIds,
      held,
      today,
      yesterday: addDays(today, -1),
    });
    const { posts: ended, of: open } = postsPlan.ended;
    if (ended > FEW_POSTS && ended > queued.mostEnded * open && !queued.dryRun)
      throw new UnreadableFile(
        `It would end ${ended} of ${open} open posts (${Math.round((ended / open) * 100)} %), and may end ${Math.round(queued.mostEnded * 100)} %. If that is meant, send it again with mostEnded ${Math.ceil((ended / open) * 100) / 100}.`,
      );
    const newcomers = new Set(inserted.values());
    const changed = [...postsPlan.insert, ...postsPlan.update]
      .map((post) => post.personId)
      .filter((id) => !newcomers.has(id));
    await holdings.around(tx, [...new Set(changed)], async () => {
      await insertPosts(tx, postsPlan.insert);
      await updatePosts(tx, postsPlan.update);
    });
    await holdings.added(tx, [...newcomers]);

    const refused: Refused[] = [
      ...roster.refused,
      ...organizationPlan.refused,
      ...peoplePlan.refused,
      ...postsPlan.refused,
    ].sort((a, b) => a.file.localeCompare(b.file) || a.line - b.line);
    return {
      refused,
      counts: {
        rowsRead: roster.rowsRead,
        rowsIgnored: roster.rowsIgnored,
        rowsRefused: new Set(refused.map((row) => `${row.file}:${row.line}`)).size,
        organizationsAdded: organizations.added,
        organizationsChanged: organizations.changed,
        peopleAdded: peoplePlan.insert.length,
        peopleChanged: peoplePlan.update.length,
        postsAdded: postsPlan.insert.length,
        postsChanged: postsPlan.update.length,
        postsEnded: ended,
      },
    };
  }
}
