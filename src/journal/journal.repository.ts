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
  await sql`${preparedAlone} ${entryInsert({ ...entry, detail: JSON.stringify(entry.detail ?? {}) })}`.execute(
    tx,
  );
}

type InSql = string | RawBuilder<unknown>;

interface EntryInSql extends Pick<JournalEntry, 'at' | 'action' | 'units'> {
  readonly actor: InSql;
  readonly subject: InSql;
  /** JSON. */
  readonly detail: InSql;
  readonly personId?: InSql;
}

/** To be a part of the statement that makes what it tells of, for what only that statement knows: in SQL, over the rows of `from`. */
export function entryInsert(entry: EntryInSql, from: RawBuilder<unknown> = sql``): RawBuilder<unknown> {
  const origin = currentOrigin();
  return sql`
    insert into journal_entries (at, actor, action, subject, detail, concerns, person_id, request_id, address)
    select ${entry.at}::timestamptz, ${entry.actor}::text, ${entry.action}::text, ${entry.subject}::text, ${entry.detail}::jsonb, ${concernsOf(entry)},
      ${entry.personId ?? null}::bigint, ${origin?.requestId ?? null}::text, ${origin?.address ?? null}::text ${from}`;
}

/** The units it names, and those of the posts that its person holds that day. */
function concernsOf({ at, units = [], personId }: EntryInSql): RawBuilder<unknown> {
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
