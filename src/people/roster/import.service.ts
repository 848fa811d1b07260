import { createSecretKey } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { addDays, chinaDay, type Clock } from '../../clock.ts';
import { withConnection, type Database, type Executor } from '../../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../../errors.ts';
import { insertDebt, insertJournalEntry } from '../../journal/journal.repository.ts';
import type { RegionService } from '../../regions/region.service.ts';
import type { HoldingsWatcher } from '../holdings.ts';
import { may, type Viewer } from '../permission.ts';
import { hashIdentityNumber } from '../person.ts';
import { listPeopleAt } from '../person.repository.ts';
import { unpack, type NamedFile } from './archive.ts';
import {
  findRosterImport,
  finishRosterImport,
  forgetRosterFiles,
  insertCancellation,
  insertRosterImport,
  listRosterImportFiles,
  listRosterRefusals,
  lockImport,
  lockSource,
  moveRosterImportFiles,
  tellProgress,
  type ImportCounts,
  type Progress,
  type RosterImport,
  type RosterRefusal,
} from './import.repository.ts';
import {
  analyzePeople,
  applyPeople,
  applyPostsOfKnown,
  applyPostsOfNew,
  changedPeople,
  matchPeople,
  matchPosts,
  newPeople,
  readPlan,
  stagePlaces,
  type Place,
  type Plan,
} from './matching.repository.ts';
import { openOneRoster } from './oneroster.ts';
import { planOrganizations } from './place.ts';
import { maskIdentity, type Given, type GivenOrganization, type Roster } from './roster.ts';
import {
  analyzeStaging,
  createStaging,
  keepRefusals,
  listBareRefusals,
  stageRefusals,
  StagingWriter,
} from './staging.repository.ts';
import { UnreadableFile } from './text.ts';

export const IMPORT_TASK = 'import-roster';
/** Now and then: uploads are not kept for ever. */
export const FORGET_FILES_TASK = 'forget-roster-files';
/** A school year's end moves fewer. */
const USUALLY_ENDED = 0.2;
/** So few that a share of them says nothing. */
const FEW_POSTS = 5;
const MAX_UPLOAD_BYTES = 64 * 1024 * 1024;

/** Nobody comes back for the files of an import that was checked, refused or cancelled longer ago. */
const KEEP_FILES_MS = 24 * 3_600_000;
/** Rows written in one statement. */
const PIECE = 25_000;
const TELL_EVERY_MS = 400;

/** Somebody asked for the import to stop. */
class Cancelled extends Error {}

export type RosterService = ReturnType<typeof makeRosterService>;

export function makeRosterService({
  db,
  pool,
  clock,
  identityKey,
  regions,
  holdings,
}: {
  db: Database;
  /** The database's own: an import needs a connection to itself. */
  pool: Pool;
  clock: Clock;
  identityKey: Buffer;
  regions: RegionService;
  holdings: HoldingsWatcher;
}) {
  // Made once: making it for each number would take longer than hashing it.
  const key = createSecretKey(identityKey);
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
        endMissing?: boolean | null;
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
      const mostEnded = shareOf(input.mostEnded);
      // Within the division's own: nobody renames the people of a neighbour by naming its source.
      const source = `division:${division.code}${input.source === null ? '' : `/${input.source}`}`;
      if (source.length > 100) throw new InvalidInput('input.source', 'It is longer than 100 characters.');

      const id = await db.transaction().execute(async (tx) =>
        queue(tx, viewer, {
          source,
          divisionCode: division.code,
          dryRun: input.dryRun ?? false,
          mostEnded,
          endMissing: input.endMissing ?? null,
          files: input.files,
        }),
      );
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
     * Does an import again that was checked, refused or cancelled, with the files it was given: the way on from a dry run.
     * @returns the new one; the files go over to it. @throws NotFound; Conflict NO_FILES where they are gone; InvalidInput
     */
    async repeat(
      viewer: Viewer,
      id: string,
      input: { dryRun: boolean; mostEnded: number | null; endMissing: boolean | null },
    ): Promise<RosterImport> {
      const before = await visible(viewer, id);
      if (before === undefined) throw new NotFound('The import');
      const repeated = await db.transaction().execute(async (tx) => {
        const locked = await findRosterImport(tx, id, { lock: true });
        if (locked?.hasFiles !== true || locked.state === 'queued')
          throw new Conflict(
            'NO_FILES',
            locked?.state === 'queued'
              ? 'It is not finished yet.'
              : 'Its files are gone: they are kept until it is applied, and for a day. Upload them again.',
          );
        const created = await queue(tx, viewer, {
          source: locked.source,
          divisionCode: locked.divisionCode,
          dryRun: input.dryRun,
          mostEnded: shareOf(input.mostEnded ?? locked.mostEnded),
          endMissing: input.endMissing ?? locked.endMissing,
          files: [],
        });
        await moveRosterImportFiles(tx, id, created);
        return created;
      });
      return (await findRosterImport(db, repeated))!;
    },

    /** Asks an import to stop; it writes nothing then. One that is over stays as it is. @throws NotFound */
    async cancel(viewer: Viewer, id: string): Promise<RosterImport> {
      if ((await visible(viewer, id)) === undefined) throw new NotFound('The import');
      await db.transaction().execute(async (tx) => {
        const found = await findRosterImport(tx, id);
        if (found?.state !== 'queued' || found.cancelRequested) return;
        await insertCancellation(tx, id, { requestedBy: viewer.personId, requestedAt: clock.now() });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'roster.cancel',
          subject: `roster-import:${id}`,
          detail: {},
        });
      });
      return (await findRosterImport(db, id))!;
    },

    /** The worker's part, now and then. */
    async forgetFiles(): Promise<void> {
      await forgetRosterFiles(db, new Date(clock.now().getTime() - KEEP_FILES_MS));
    },

    /**
     * The worker's part: applies a queued import in one transaction, or refuses it whole. Done already, or being done by another
     * worker: does nothing. A crash leaves nothing of it, and it begins anew.
     */
    async apply(importId: string): Promise<void> {
      let end: Parameters<typeof finishRosterImport>[2];
      try {
        await withConnection(pool, async (tx, client) => {
          const queued = await findRosterImport(tx, importId);
          if (queued?.state !== 'queued' || !(await lockImport(tx, importId))) return;
          await lockSource(tx, queued.source);
          const counts = await carryOut(tx, client, queued);
          await finishRosterImport(tx, importId, {
            state: queued.dryRun ? 'checked' : 'applied',
            counts,
            at: clock.now(),
          });
          if (!queued.dryRun)
            await insertJournalEntry(tx, {
              at: clock.now(),
              actor: `worker:${IMPORT_TASK}`,
              action: 'roster.apply',
              subject: `roster-import:${importId}`,
              detail: { ...counts },
            });
        });
        return;
      } catch (error) {
        if (error instanceof Cancelled) end = { state: 'cancelled', at: clock.now() };
        else if (error instanceof UnreadableFile)
          end = { state: 'refused', reason: error.message, at: clock.now() };
        else throw error;
      }
      // What was written is taken back by now; only what is to be told remains.
      await db.transaction().execute(async (tx) => {
        const queued = await findRosterImport(tx, importId, { lock: true });
        if (queued?.state === 'queued') await finishRosterImport(tx, importId, end);
      });
    },
  };

  async function queue(
    tx: Executor,
    viewer: Viewer,
    given: Omit<Parameters<typeof insertRosterImport>[1], 'requestedBy' | 'createdAt'>,
  ): Promise<string> {
    const id = await insertRosterImport(tx, {
      ...given,
      requestedBy: viewer.personId,
      createdAt: clock.now(),
    });
    await insertJournalEntry(tx, {
      at: clock.now(),
      actor: `person:${viewer.personId}`,
      action: 'roster.request',
      subject: `roster-import:${id}`,
      detail: {
        division: given.divisionCode,
        source: given.source,
        files: given.files.map((file) => file.name),
      },
    });
    await insertDebt(tx, { task: IMPORT_TASK, payload: { importId: id }, key: `${IMPORT_TASK}:${id}` });
    return id;
  }

  /** Reads, compares, and (unless it is a dry run) writes. @throws UnreadableFile, Cancelled */
  async function carryOut(tx: Executor, client: ClientBase, queued: RosterImport): Promise<ImportCounts> {
    const { source } = queued;
    const today = chinaDay(clock.now());
    const yesterday = addDays(today, -1);
    const tell = teller(queued.id);

    const roster = await openOneRoster(await unpack(await listRosterImportFiles(tx, queued.id)));
    await createStaging(tx);
    const read = await stage(client, roster, tell);
    await tell('matching', 0, read.rowsRead);
    await analyzeStaging(tx);
    const places = await planPlaces(tx, queued, roster, read.organizations, yesterday);
    await stageRefusals(tx, places.refused);
    const endMissing = (queued.endMissing ?? roster.saysAll) && read.everyRowIsAboutSomebody;
    await stagePlaces(tx, source, places.listed);
    await matchPeople(tx, source, roster);
    await tell('matching', Math.floor(read.rowsRead / 2), read.rowsRead);
    await matchPosts(tx, source, roster, { today, yesterday, endMissing });
    const plan = await readPlan(tx, endMissing);
    if (!queued.dryRun) {
      refuseManyEnds(plan, queued.mostEnded);
      await write(tx, source, { places, plan, today, tell });
    }
    await stageBareRows(client, roster, await listBareRefusals(tx));
    return {
      rowsRead: read.rowsRead,
      rowsIgnored: read.rowsIgnored,
      rowsRefused: await keepRefusals(tx, queued.id),
      organizationsAdded: places.insert.length,
      organizationsChanged: places.update.length,
      peopleAdded: plan.peopleAdded,
      peopleChanged: plan.peopleChanged,
      peopleMissing: plan.peopleMissing,
      postsAdded: plan.postsAdded,
      postsChanged: plan.postsChanged,
      postsEnded: plan.postsEnded,
    };
  }

  /** Tells how far it is, not more often than anybody looks. @throws Cancelled */
  function teller(importId: string): Tell {
    let toldAt = 0;
    let toldPhase: string | undefined;
    return async (phase, rowsDone, rowsTotal) => {
      if (phase === toldPhase && performance.now() - toldAt < TELL_EVERY_MS && rowsDone < rowsTotal) return;
      toldAt = performance.now();
      toldPhase = phase;
      if (await tellProgress(db, importId, { phase, rowsDone, rowsTotal, toldAt: clock.now() }))
        throw new Cancelled();
    };
  }

  /** Reads the files into the staging tables. */
  async function stage(client: ClientBase, roster: Roster, tell: Tell) {
    const staging = new StagingWriter(client);
    const organizations: GivenOrganization[] = [];
    let rowsRead = 0;
    let rowsIgnored = 0;
    let everyRowIsAboutSomebody = true;
    let header: Extract<Given, { kind: 'header' }> | undefined;
    let row: Extract<Given, { kind: 'row' }> | undefined;
    await tell('reading', 0, roster.rows);
    for await (const batch of roster.read()) {
      for (const given of batch)
        switch (given.kind) {
          case 'header':
            header = given;
            staging.refusedRow(given.file, 1, given.cells);
            break;
          case 'row':
            row = given;
            rowsRead += 1;
            break;
          case 'organization':
            organizations.push(given.organization);
            break;
          case 'person':
            staging.person(
              given.person,
              given.person.identityNumber === null
                ? undefined
                : hashIdentityNumber(given.person.identityNumber, key),
            );
            break;
          case 'post':
            staging.post(given.ref, given.line, given.post);
            break;
          case 'ignored':
            rowsIgnored += 1;
            break;
          case 'refused':
            staging.refuse(given.refused);
            staging.refusedRow(given.refused.file, given.refused.line, maskedCells(row!, header!));
            if (given.ref === null) everyRowIsAboutSomebody = false;
            else if (given.ref !== undefined) staging.spare(given.ref);
            break;
        }
      if (staging.isFull) {
        await staging.flush();
        await tell('reading', rowsRead, roster.rows);
      }
    }
    await staging.end();
    return { organizations, rowsRead, rowsIgnored, everyRowIsAboutSomebody };
  }

  /** Rows whose refusal was found by comparing: they are read once more, for what stood in them. */
  async function stageBareRows(
    client: ClientBase,
    roster: Roster,
    bare: ReadonlyMap<string, ReadonlySet<number>>,
  ): Promise<void> {
    if (bare.size === 0) return;
    const staging = new StagingWriter(client);
    let header: Extract<Given, { kind: 'header' }> | undefined;
    for await (const batch of roster.read()) {
      for (const given of batch) {
        if (given.kind === 'header') header = given;
        if (given.kind === 'row' && bare.get(header!.file)?.has(given.line) === true)
          staging.refusedRow(header!.file, given.line, maskedCells(given, header!));
      }
      if (staging.isFull) await staging.flush();
    }
    await staging.end();
  }

  /** Where the organizations of the file stand, and which of them are new. */
  async function planPlaces(
    tx: Executor,
    queued: RosterImport,
    roster: Roster,
    given: readonly GivenOrganization[],
    yesterday: string,
  ) {
    const scope = (await regions.findDivision(queued.divisionCode, tx))!;
    const codes = [
      ...new Set([scope.code, ...given.flatMap((organization) => organization.divisionCode ?? [])]),
    ];
    const divisions = new Map(
      (await regions.listDivisions(codes, tx)).map((division) => [division.code, division]),
    );
    const known = await regions.listKnownOrganizations(
      tx,
      queued.source,
      given.map((organization) => organization.sourceId),
    );
    const plan = planOrganizations(given, {
      scope,
      divisions,
      known,
      file: roster.organizations.file,
      yesterday,
    });
    const ids = await regions.takeOrganizationIds(tx, plan.insert.length);
    const insert = plan.insert.map((organization, index) => ({ ...organization, id: ids[index]! }));
    const listed: Place[] = [...insert, ...plan.update, ...plan.unchanged].map((organization) => ({
      id: organization.id,
      sourceId: organization.sourceId,
      isListed: true,
      closes: 'closedOn' in organization && organization.closedOn !== null,
    }));
    return {
      insert,
      update: plan.update,
      refused: plan.refused,
      listed,
      /** They stand elsewhere from now on, and their people with them. */
      moved: plan.update
        .filter(({ sourceId, division }) => known.get(sourceId)!.divisionCode !== division.code)
        .map(({ id }) => id),
    };
  }

  async function write(
    tx: Executor,
    source: string,
    {
      places,
      plan,
      today,
      tell,
    }: { places: Awaited<ReturnType<typeof planPlaces>>; plan: Plan; today: string; tell: Tell },
  ): Promise<void> {
    await holdings.around(tx, await listPeopleAt(tx, places.moved), async () =>
      regions.saveOrganizations(tx, source, [...places.insert, ...places.update]),
    );
    const rows = plan.lastPerson + plan.lastPost;
    for (let at = 0; at < plan.lastPerson; at += PIECE) {
      await tell('writing', at, rows);
      await applyPeople(tx, source, at, at + PIECE);
    }
    for (let at = 0; at < plan.lastPost; at += PIECE) {
      await tell('writing', plan.lastPerson + at, rows);
      await applyPostsOfNew(tx, today, at, at + PIECE);
    }
    await tell('counting', 0, rows);
    if (plan.peopleAdded > PIECE) await analyzePeople(tx);
    await holdings.around(tx, changedPeople, async () => applyPostsOfKnown(tx, today));
    if (plan.peopleAdded > 0) await holdings.added(tx, newPeople);
    await tell('counting', rows, rows);
  }
}

type Tell = (phase: Progress['phase'], rowsDone: number, rowsTotal: number) => Promise<void>;

/** @throws InvalidInput */
function shareOf(given: number | null | undefined): number {
  const share = given ?? USUALLY_ENDED;
  if (!(share >= 0 && share <= 1))
    throw new InvalidInput('input.mostEnded', 'A share from 0 to 1, e.g. 0.2.');
  return share;
}

/** @throws UnreadableFile */
function refuseManyEnds({ postsEnded: ended, postsOpen: open }: Plan, most: number): void {
  if (ended > FEW_POSTS && ended > most * open)
    throw new UnreadableFile(
      `It would end ${ended} of ${open} open posts (${Math.round((ended / open) * 100)} %), and may end ${Math.round(most * 100)} %. If that is meant, send it again with mostEnded ${Math.ceil((ended / open) * 100) / 100}.`,
    );
}

/** Cells that may be kept and shown. */
function maskedCells(
  row: Extract<Given, { kind: 'row' }>,
  header: Extract<Given, { kind: 'header' }>,
): string[] {
  // A row of another length may have its identity number anywhere.
  return row.cells.map((cell, index) =>
    index === header.secret || (header.secret !== -1 && row.cells.length !== header.cells.length)
      ? maskIdentity(cell)
      : cell,
  );
}
