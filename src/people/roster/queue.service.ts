import type { Executor } from '../../db/database.ts';
import { insertDebt, insertJournalEntry } from '../../journal/journal.repository.ts';
import type { Viewer } from '../permission.ts';
import { insertRosterImport } from './import.repository.ts';

export const IMPORT_TASK = 'import-roster';

/** Writes an import down and owes it to the worker, in the caller's transaction. @returns its id. */
export async function queueImport(
  tx: Executor,
  viewer: Viewer,
  now: Date,
  given: Omit<Parameters<typeof insertRosterImport>[1], 'requestedBy' | 'createdAt'> & {
    /** What its files are called. */
    fileNames?: readonly string[];
  },
): Promise<string> {
  const id = await insertRosterImport(tx, { ...given, requestedBy: viewer.personId, createdAt: now });
  await insertJournalEntry(tx, {
    at: now,
    actor: `person:${viewer.personId}`,
    action: 'roster.request',
    subject: `roster-import:${id}`,
    detail: {
      division: given.divisionCode,
      source: given.source,
      ...(given.doubtId === undefined ? { files: given.fileNames ?? [] } : { doubt: given.doubtId }),
    },
  });
  await insertDebt(tx, { task: IMPORT_TASK, payload: { importId: id }, key: `${IMPORT_TASK}:${id}` });
  return id;
}
