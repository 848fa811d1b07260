import { sql, type RawBuilder } from 'kysely';
import { chinaDay } from '../clock.ts';
import { preparedAlone } from '../db/prepared.ts';
import type { Executor } from '../db/database.ts';
import { currentOrigin } from '../origin.ts';
import { concernKeys, type JournalEntry } from './journal.ts';

/**
 * Call it in the transaction of the change it tells of; only what changes nothing, as an export, is written down by itself. Where it comes
 * from is the request or job that is at work. It is sealed a moment after the commit: src/decisions/0013-the-journal-is-chained.md.
 */
export async function insertJournalEntry(tx: Executor, entry: JournalEntry): Promise<void> {
  const origin = currentOrigin();
  await sql`${preparedAlone}
    insert into journal_entries (at, actor, action, subject, detail, concerns, person_id, request_id, address)
    values (${entry.at}, ${entry.actor}, ${entry.action}, ${entry.subject}, ${JSON.stringify(entry.detail ?? {})}::jsonb, ${concernsOf(entry)},
      ${entry.personId ?? null}::bigint, ${origin?.requestId ?? null}, ${origin?.address ?? null})`.execute(
    tx,
  );
}

/** The units it names, and those of the posts that its person holds that day. */
function concernsOf({ at, units = [], personId }: JournalEntry): RawBuilder<unknown> {
  const given = sql`${concernKeys(units)}::bigint[]`;
  if (personId === undefined) return given;
  const day = chinaDay(at);
  return sql`array(
    select unnest(${given}) union
    select person_concerns(${personId}::bigint, ${day}::date) order by 1)`;
}

/**
 * Writes down what is owed, in the transaction of the change that owes it: a rollback leaves nothing, a commit is delivered at
 * least once. `key` makes it one debt however often it is written before it is paid.
 */
export async function insertDebt(
  tx: Executor,
  debt: { task: string; payload: Readonly<Record<string, string>>; key: string; notBefore?: Date },
): Promise<void> {
  await sql`${preparedAlone} select owe(${debt.task}, ${JSON.stringify(debt.payload)}::json, ${debt.key}, ${debt.notBefore ?? null}::timestamptz)`.execute(
    tx,
  );
}
