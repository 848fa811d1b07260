import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';

/** Who acts: a person, or a named part of the service itself (`worker:issue-certificate`). */
export interface JournalEntry {
  readonly at: Date;
  readonly actor: string;
  /** `noun.verb`, e.g. `certificate.revoke`. */
  readonly action: string;
  /** `noun:id`. */
  readonly subject: string;
  /** Facts that help to understand the entry later; never a secret, never a name where an id does. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** Call it in the transaction of the change it tells of; only what changes nothing, as an export, is written down by itself. */
export async function insertJournalEntry(tx: Executor, entry: JournalEntry): Promise<void> {
  await tx
    .insertInto('journal_entries')
    .values({
      at: entry.at,
      actor: entry.actor,
      action: entry.action,
      subject: entry.subject,
      detail: JSON.stringify(entry.detail ?? {}),
    })
    .execute();
}

/**
 * Writes down what is owed, in the transaction of the change that owes it: a rollback leaves nothing, a commit is delivered at
 * least once. `key` makes it one debt however often it is written before it is paid.
 */
export async function insertDebt(
  tx: Executor,
  debt: { task: string; payload: Readonly<Record<string, string>>; key: string; notBefore?: Date },
): Promise<void> {
  await sql`select owe(${debt.task}, ${JSON.stringify(debt.payload)}::json, ${debt.key}, ${debt.notBefore ?? null}::timestamptz)`.execute(
    tx,
  );
}
