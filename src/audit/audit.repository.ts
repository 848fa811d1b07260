import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';

/** An entry of the journal, for somebody who may see it. */
export interface AuditedEntry {
  readonly id: string;
  readonly at: Date;
  readonly recordedAt: Date;
  /** `person:12`, or a part of the service as `worker:issue-certificate`. */
  readonly actor: string;
  /** Of a person who acted: an audit of what was done tells by whom. null for others, and who is erased. */
  readonly actorName: string | null;
  readonly action: string;
  /** `noun:id`. */
  readonly subject: string;
  readonly detail: unknown;
  readonly personId: string | null;
  readonly requestId: string | null;
  readonly address: string | null;
  /** null until it is sealed, a moment after the commit. */
  readonly seal: { readonly position: string; readonly hash: string; readonly sealedAt: Date } | null;
  readonly cursor: string;
}

export interface EntryFilter {
  /** Keys of units; undefined: of the whole nation. */
  readonly scopes: readonly string[] | undefined;
  /** Key of a unit. */
  readonly unit?: string | undefined;
  readonly id?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
  readonly subject?: string | undefined;
  readonly personId?: string | undefined;
  /** From this instant on. */
  readonly from?: Date | undefined;
  /** Before this one. */
  readonly until?: Date | undefined;
}

/** Where a page ended: microseconds since 1970, which a Date does not hold, and an id. */
export interface EntryPosition {
  readonly micros: string;
  readonly id: string;
}

export function toPosition(cursor: string): EntryPosition | undefined {
  const [, micros, id] = /^(\d{1,18})-(\d{1,18})$/.exec(cursor) ?? [];
  return micros === undefined || id === undefined ? undefined : { micros, id };
}

/** Entries newest first, after `after`. */
export async function listEntries(
  db: Executor,
  filter: EntryFilter,
  page: { after: EntryPosition | undefined; limit: number },
): Promise<AuditedEntry[]> {
  const { scopes, unit, id, actor, action, subject, personId, from, until } = filter;
  const conditions = [
    ...(scopes === undefined ? [] : [sql`e.concerns && ${scopes}::bigint[]`]),
    ...(unit === undefined ? [] : [sql`e.concerns @> array[${unit}::bigint]`]),
    ...(id === undefined ? [] : [sql`e.id = ${id}::bigint`]),
    ...(actor === undefined ? [] : [sql`e.actor = ${actor}`]),
    ...(action === undefined ? [] : [sql`e.action = ${action}`]),
    ...(subject === undefined ? [] : [sql`e.subject = ${subject}`]),
    ...(personId === undefined ? [] : [sql`e.person_id = ${personId}::bigint`]),
    ...(from === undefined ? [] : [sql`e.at >= ${from}`]),
    ...(until === undefined ? [] : [sql`e.at < ${until}`]),
    ...(page.after === undefined
      ? []
      : [
          sql`(e.at, e.id) < (timestamptz 'epoch' + ${page.after.micros}::bigint * interval '1 microsecond', ${page.after.id}::bigint)`,
        ]),
    sql`true`,
  ];
  const { rows } = await sql<{
    id: string;
    at: Date;
    recorded_at: Date;
    actor: string;
    action: string;
    subject: string;
    detail: unknown;
    person_id: string | null;
    request_id: string | null;
    address: string | null;
    seq: string | null;
    hash: string | null;
    sealed_at: Date | null;
    micros: string;
  }>`
    select e.id, e.at, e.recorded_at, e.actor, e.action, e.subject, e.detail, e.person_id, e.request_id, e.address,
      s.seq, encode(s.hash, 'hex') as hash, s.sealed_at, (extract(epoch from e.at) * 1000000)::bigint as micros
    from journal_entries e left join journal_seals s on s.entry_id = e.id
    where ${sql.join(conditions, sql` and `)}
    order by e.at desc, e.id desc limit ${page.limit}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    recordedAt: row.recorded_at,
    actor: row.actor,
    actorName: null,
    action: row.action,
    subject: row.subject,
    detail: row.detail,
    personId: row.person_id,
    requestId: row.request_id,
    address: row.address,
    seal: row.seq === null ? null : { position: row.seq, hash: row.hash!, sealedAt: row.sealed_at! },
    cursor: `${row.micros}-${row.id}`,
  }));
}

/** Person's id → name. */
export async function listNames(db: Executor, personIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await sql<{
    id: string;
    name: string;
  }>`select id, name from people where id = any(${personIds}::bigint[])`.execute(db);
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** Whether there is such an entry, since an instant. */
export async function hasEntry(
  db: Executor,
  { actor, action, subject, since }: { actor: string; action: string; subject: string; since: Date },
): Promise<boolean> {
  const { rows } =
    await sql`select from journal_entries where actor = ${actor} and action = ${action} and subject = ${subject} and at >= ${since} limit 1`.execute(
      db,
    );
  return rows.length > 0;
}
