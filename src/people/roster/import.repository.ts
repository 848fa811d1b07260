import { sql } from 'kysely';
import type { Executor } from '../../db/database.ts';
import type { NamedFile } from './archive.ts';
import type { Refused } from './oneroster.ts';

export interface ImportCounts {
  readonly rowsRead: number;
  readonly rowsIgnored: number;
  readonly rowsRefused: number;
  readonly organizationsAdded: number;
  readonly organizationsChanged: number;
  readonly peopleAdded: number;
  readonly peopleChanged: number;
  readonly postsAdded: number;
  readonly postsChanged: number;
  /** Of the changed ones. */
  readonly postsEnded: number;
}

export interface RosterImport extends ImportCounts {
  readonly id: string;
  readonly source: string;
  readonly divisionCode: string;
  /** `checked`: it was a dry run, and nothing was written. */
  readonly state: 'queued' | 'applied' | 'checked' | 'refused';
  readonly dryRun: boolean;
  /** The share of open posts that it may end, 0 to 1. */
  readonly mostEnded: number;
  readonly requestedBy: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  /** Why the whole import was refused. */
  readonly reason: string | null;
}

export async function insertRosterImport(
  tx: Executor,
  given: {
    source: string;
    divisionCode: string;
    requestedBy: string | null;
    createdAt: Date;
    dryRun: boolean;
    mostEnded: number;
    files: readonly NamedFile[];
  },
): Promise<string> {
  const { id } = await tx
    .insertInto('roster_imports')
    .values({
      source: given.source,
      division_code: given.divisionCode,
      state: 'queued',
      requested_by: given.requestedBy,
      created_at: given.createdAt,
      dry_run: given.dryRun,
      most_ended: given.mostEnded,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  for (const file of given.files)
    await tx
      .insertInto('roster_import_files')
      .values({ import_id: id, name: file.name, content: file.bytes })
      .execute();
  return id;
}

export async function findRosterImport(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<RosterImport | undefined> {
  const row = await db
    .selectFrom('roster_imports')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    id: row.id,
    source: row.source,
    divisionCode: row.division_code,
    state: row.state as RosterImport['state'],
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    reason: row.reason,
    rowsRead: row.rows_read,
    rowsIgnored: row.rows_ignored,
    rowsRefused: row.rows_refused,
    organizationsAdded: row.organizations_added,
    organizationsChanged: row.organizations_changed,
    peopleAdded: row.people_added,
    peopleChanged: row.people_changed,
    postsAdded: row.posts_added,
    postsChanged: row.posts_changed,
    postsEnded: row.posts_ended,
    dryRun: row.dry_run,
    mostEnded: Number(row.most_ended),
  };
}

export async function listRosterImportFiles(db: Executor, importId: string): Promise<NamedFile[]> {
  const rows = await db
    .selectFrom('roster_import_files')
    .select(['name', 'content'])
    .where('import_id', '=', importId)
    .orderBy('name')
    .execute();
  return rows.map((row) => ({ name: row.name, bytes: row.content }));
}

/** Ends an import either way. The uploaded files hold identity numbers in the clear, so they go with it. */
export async function finishRosterImport(
  tx: Executor,
  id: string,
  end:
    | { state: 'applied' | 'checked'; counts: ImportCounts; refused: readonly Refused[]; at: Date }
    | { state: 'refused'; reason: string; at: Date },
): Promise<void> {
  await tx
    .updateTable('roster_imports')
    .set({
      state: end.state,
      finished_at: end.at,
      ...(end.state === 'refused'
        ? { reason: end.reason }
        : {
            rows_read: end.counts.rowsRead,
            rows_ignored: end.counts.rowsIgnored,
            rows_refused: end.counts.rowsRefused,
            organizations_added: end.counts.organizationsAdded,
            organizations_changed: end.counts.organizationsChanged,
            people_added: end.counts.peopleAdded,
            people_changed: end.counts.peopleChanged,
            posts_added: end.counts.postsAdded,
            posts_changed: end.counts.postsChanged,
            posts_ended: end.counts.postsEnded,
          }),
    })
    .where('id', '=', id)
    .execute();
  await tx.deleteFrom('roster_import_files').where('import_id', '=', id).execute();
  if (end.state !== 'refused' && end.refused.length > 0) {
    const text = (pick: (refused: Refused) => string | null) => sql`${end.refused.map(pick)}::text[]`;
    await sql`
      insert into roster_refusals (import_id, file, line, column_name, value, reason)
      select ${id}::bigint, * from unnest(${text((r) => r.file)}, ${end.refused.map((r) => r.line)}::int[], ${text((r) => r.column)}, ${text((r) => r.value)}, ${text((r) => r.reason)})`.execute(
      tx,
    );
  }
}

export interface RosterRefusal extends Refused {
  readonly id: string;
}

export async function listRosterRefusals(
  db: Executor,
  importId: string,
  page: { after: string | undefined; limit: number },
): Promise<RosterRefusal[]> {
  const rows = await db
    .selectFrom('roster_refusals')
    .selectAll()
    .where('import_id', '=', importId)
    .$if(page.after !== undefined, (query) => query.where('id', '>', page.after!))
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map((row) => ({
    id: row.id,
    file: row.file,
    line: row.line,
    column: row.column_name,
    value: row.value,
    reason: row.reason,
  }));
}

/** One import of a source at a time; the lock goes with the transaction. */
export async function lockSource(tx: Executor, source: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`roster:${source}`}, 0))`.execute(tx);
}
