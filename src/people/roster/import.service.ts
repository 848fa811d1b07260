import type { Readable } from 'node:stream';
import type { Pool } from 'pg';
import type { Clock } from '../../clock.ts';
import { withConnection, type Database } from '../../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../../errors.ts';
import { insertJournalEntry } from '../../journal/journal.repository.ts';
import type { RegionService } from '../../regions/region.service.ts';
import type { HoldingsWatcher } from '../holdings.ts';
import { may, type Viewer } from '../permission.ts';
import type { Seals } from '../sealing.ts';
import {
  findRosterImport,
  finishRosterImport,
  forgetRosterFiles,
  insertCancellation,
  insertRosterImportFile,
  listRefusedFiles,
  listRosterRefusals,
  listUploadKeys,
  lockSource,
  moveRosterImportFiles,
  type RosterImport,
  type RosterRefusal,
} from './import.repository.ts';
import { IMPORT_TASK, queueImport } from './queue.service.ts';
import { writeRefusals } from './refusal-sheet.ts';
import { maskIdentities } from './roster.ts';
import { Cancelled, makeImportRun } from './run.service.ts';
import { said, UnreadableFile } from './said.ts';
import type { IncomingFile } from './upload.ts';
import { inParts } from '../../db/acting.ts';

/** Now and then: uploads are not kept for ever. */
export const FORGET_FILES_TASK = 'forget-roster-files';
/** A school year's end moves fewer. */
const USUALLY_ENDED = 0.2;
const MAX_UPLOAD_BYTES = 64 * 1024 * 1024;

/** Nobody comes back for the files of an import that was checked, refused or cancelled longer ago. */
const KEEP_FILES_MS = 24 * 3_600_000;

export type RosterService = ReturnType<typeof makeRosterService>;

export function makeRosterService({
  db,
  pool,
  clock,
  identityKey,
  seals,
  regions,
  holdings,
}: {
  db: Database;
  /** The database's own: an import needs a connection to itself. */
  pool: Pool;
  clock: Clock;
  identityKey: Buffer;
  seals: Seals;
  regions: RegionService;
  holdings: HoldingsWatcher;
}) {
  const run = makeImportRun({ db, clock, identityKey, seals, regions, holdings });
  const visible = async (viewer: Viewer, id: string): Promise<RosterImport | undefined> => {
    const found = await findRosterImport(db, id);
    const division = found === undefined ? undefined : await regions.findDivision(found.divisionCode);
    return division !== undefined && may(viewer, 'roster.import', division) ? found : undefined;
  };

  const service = {
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
        files: readonly IncomingFile[];
        dryRun?: boolean;
        mostEnded?: number | null;
        endMissing?: boolean | null;
      },
    ): Promise<RosterImport> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'roster.import', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      if (input.files.length === 0)
        throw new InvalidInput(
          'input.files',
          'Give one workbook (.xlsx), one zip file, or orgs.csv and users.csv.',
        );
      if (input.files.reduce((sum, file) => sum + file.size, 0) > MAX_UPLOAD_BYTES)
        throw new InvalidInput(
          'input.files',
          `The files are larger than ${MAX_UPLOAD_BYTES / 1024 / 1024} MB together.`,
        );
      // A file may be named after somebody's number, and its name is kept.
      const files = input.files.map((file) => ({
        name: maskIdentities(file.name),
        size: file.size,
        stream: () => file.stream(),
      }));
      const twice = files.find(
        (file, index) => files.findIndex((other) => other.name === file.name) !== index,
      );
      if (twice !== undefined) throw new InvalidInput('input.files', `${twice.name} was given twice.`);
      const mostEnded = shareOf(input.mostEnded);
      // Within the division's own: nobody renames the people of a neighbour by naming its source.
      const source = `division:${division.code}${input.source === null ? '' : `/${input.source}`}`;
      if (source.length > 100) throw new InvalidInput('input.source', 'It is longer than 100 characters.');

      const id = await db.transaction().execute(async (tx) => {
        const queued = await queueImport(tx, viewer, clock.now(), division, {
          source,
          dryRun: input.dryRun ?? false,
          mostEnded,
          endMissing: input.endMissing ?? null,
          files: files.length,
        });
        for (const file of files) await insertRosterImportFile(tx, queued, file, seals.uploads);
        return queued;
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

    /** The rows that an import refused, as a workbook to mend; undefined for an import that is not there or not the viewer's. */
    async openRefusals(
      viewer: Viewer,
      importId: string,
      language: 'zh-CN' | 'en',
    ): Promise<Readable | undefined> {
      if ((await visible(viewer, importId)) === undefined) return undefined;
      return writeRefusals(await listRefusedFiles(db, importId), language);
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
        const division = (await regions.findDivision(locked.divisionCode, tx))!;
        const created = await queueImport(tx, viewer, clock.now(), division, {
          source: locked.source,
          dryRun: input.dryRun,
          mostEnded: shareOf(input.mostEnded ?? locked.mostEnded),
          endMissing: input.endMissing ?? locked.endMissing,
        });
        await moveRosterImportFiles(tx, id, created);
        return created;
      });
      return (await findRosterImport(db, repeated))!;
    },

    /**
     * Asks an import to stop; it writes nothing then. One that is over stays as it is, as does one that takes in what was decided: it could
     * not be repeated. @throws NotFound
     */
    async cancel(viewer: Viewer, id: string): Promise<RosterImport> {
      if ((await visible(viewer, id)) === undefined) throw new NotFound('The import');
      await db.transaction().execute(async (tx) => {
        const found = await findRosterImport(tx, id);
        if (found?.state !== 'queued' || found.doubtId !== null || found.cancelRequested) return;
        await insertCancellation(tx, id, { requestedBy: viewer.personId, requestedAt: clock.now() });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'roster.cancel',
          subject: `roster-import:${id}`,
          units: await regions.listDivisions([found.divisionCode], tx),
        });
      });
      return (await findRosterImport(db, id))!;
    },

    /** The ids of the keys that uploads still need. */
    listUploadKeys: async (): Promise<Buffer[]> => listUploadKeys(db),

    /** The worker's part, now and then. */
    async forgetFiles(): Promise<void> {
      await forgetRosterFiles(db, new Date(clock.now().getTime() - KEEP_FILES_MS));
    },

    /**
     * The worker's part: applies a queued import in one transaction, or refuses it whole. Done already: does nothing; while another
     * worker is at it, waits and then looks. A crash leaves nothing of it, and it begins anew.
     */
    async apply(importId: string): Promise<void> {
      let end: Parameters<typeof finishRosterImport>[2];
      try {
        await withConnection(pool, async (tx, client) => {
          const asked = await findRosterImport(tx, importId);
          if (asked?.state !== 'queued') return;
          await lockSource(tx, asked.source);
          // As it is now that nobody else can be at it.
          const queued = await findRosterImport(tx, importId);
          if (queued?.state !== 'queued') return;
          const counts = await run(tx, client, queued);
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
              units: await regions.listDivisions([queued.divisionCode], tx),
            });
        });
        return;
      } catch (error) {
        if (error instanceof Cancelled) end = { state: 'cancelled', at: clock.now() };
        else if (error instanceof UnreadableFile)
          end = {
            state: 'refused',
            // It may tell of what stood where a header should be.
            reason: said(maskIdentities(error.said.en), maskIdentities(error.said['zh-CN'])),
            at: clock.now(),
          };
        else throw error;
      }
      // What was written is taken back by now; only what is to be told remains.
      await db.transaction().execute(async (tx) => {
        const queued = await findRosterImport(tx, importId, { lock: true });
        if (queued?.state === 'queued') await finishRosterImport(tx, importId, end);
      });
    },
  };
  return inParts({ forgetFiles: 'keeper', listUploadKeys: 'keeper', apply: 'roster' }, service);
}

/** @throws InvalidInput */
function shareOf(given: number | null | undefined): number {
  const share = given ?? USUALLY_ENDED;
  if (!(share >= 0 && share <= 1))
    throw new InvalidInput('input.mostEnded', 'A share from 0 to 1, e.g. 0.2.');
  return share;
}
