import type { Executor } from '../../db/database.ts';
import { insertDebt, insertJournalEntry } from '../../journal/journal.repository.ts';
import type { Division } from '../../regions/division.ts';
import type { Viewer } from '../permission.ts';
import { insertRosterImport } from './import.repository.ts';

export const IMPORT_TASK = 'import-roster';

/** Writes an import down and owes it to the worker, in the caller's transaction. @returns its id. */
export async function queueImport(
  tx: Executor,
  viewer: Viewer,
  now: Date,
  division: Division,
  given: Omit<Parameters<typeof insertRosterImport>[1], 'requestedBy' | 'createdAt' | 'divisionCode'> & {
    /** How many it is made of. */
    files?: number;
  },
): Promise<string> {
  const id = await insertRosterImport(tx, {
    ...given,
    divisionCode: division.code,
    requestedBy: viewer.personId,
    createdAt: now,
  });
  await insertJournalEntry(tx, {
    at: now,
    actor: `person:${viewer.personId}`,
    action: 'roster.request',
    subject: `roster-import:${id}`,
    detail: {
      division: division.code,
      source: given.source,
      // What they are called may name somebody.
      ...(given.doubtId === undefined ? { files: given.files ?? 0 } : { doubt: given.doubtId }),
    },
    units: [division],
  });
  await insertDebt(tx, { task: IMPORT_TASK, payload: { importId: id }, key: `${IMPORT_TASK}:${id}` });
  return id;
}
