import { Readable } from 'node:stream';
import { ZipFile } from 'yazl';
import type { Clock } from '../clock.ts';
import { NotAllowed } from '../errors.ts';
import { inPart, iterateAs } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { isSelf, type Viewer } from './permission.ts';
import { drawJson, drawPage } from './personal-data-page.ts';
import type { PersonalDataKeeper } from './personal-data.ts';
import { eachRow } from './personal-data.repository.ts';

/** What this room holds itself. */
export { makePeopleData } from './personal-data.repository.ts';

export type PersonalDataService = ReturnType<typeof makePersonalDataService>;

/** All that is held about a person, for the person: article 45 of the Personal Information Protection Law. */
export function makePersonalDataService({
  db,
  clock,
  keepers,
}: {
  db: Database;
  clock: Clock;
  keepers: readonly PersonalDataKeeper[];
}) {
  const service = {
    /**
     * The viewer's own data as a zip that is made while it is sent: data.json, index.html and the certificates. It is read in small queries,
     * so that a slow line holds nothing up.
     */
    async openExport(viewer: Viewer): Promise<Readable> {
      const { personId } = viewer;
      if (!isSelf(viewer, personId))
        throw new NotAllowed('An access token takes out what is held about its owner only with SELF.');
      const at = clock.now();
      await insertJournalEntry(db, {
        at,
        actor: `person:${personId}`,
        action: 'person.export',
        subject: `person:${personId}`,
        personId,
      });
      const parts = () =>
        keepers
          .flatMap((keeper) => keeper.parts)
          .map((part) => ({ name: part.name, rows: eachRow(db, part, personId) }));
      const zip = new ZipFile();
      const options = { mtime: at };
      const output = zip.outputStream as Readable;
      zip.on('error', (error: Error) => output.destroy(error));
      const add = (name: string, open: () => Readable): void =>
        zip.addReadStreamLazy(name, options, (use) => use(null, open()));
      add('data.json', () => Readable.from(iterateAs('keeper', drawJson(parts(), at))));
      add('index.html', () => Readable.from(iterateAs('keeper', drawPage(parts(), at))));
      for (const keeper of keepers)
        for (const file of (await keeper.listFiles?.(db, personId)) ?? [])
          add(file.name, () =>
            Readable.from(
              iterateAs(
                'keeper',
                (async function* () {
                  yield await file.open();
                })(),
              ),
            ),
          );
      zip.end();
      return output;
    },
  };
  return inPart('keeper', service);
}
