import { sql } from 'kysely';
import type { Executor } from '../../db/database.ts';
import { SEAL_BYTES, type Seal } from '../sealing.ts';
import type { RefusedFile, RefusedRow } from './refusal-sheet.ts';
import type { Refused } from './roster.ts';
import { said, type Said } from './said.ts';
import { inPieces, type IncomingFile, type Upload } from './upload.ts';

/** What is encrypted in one go, and read at once. It comes as text of twice the length, which is soon forgotten when it is short. */
const BLOCK = 48 * 1024;
const SEALED_BLOCK = BLOCK + SEAL_BYTES;
/** Of about a megabyte. */
const BLOCKS_IN_PIECE = 21;

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
  /** Whose posts ended because the file leaves them out. */
  readonly peopleMissing: number;
}

/** How far an import is. */
export interface Progress {
  readonly phase: 'reading' | 'matching' | 'writing' | 'counting';
  readonly rowsDone: number;
  /** At most. */
  readonly rowsTotal: number;
  readonly phaseBeganAt: Date;
  readonly toldAt: Date;
}

export interface RosterImport extends ImportCounts {
  readonly id: string;
  readonly source: string;
  readonly divisionCode: string;
  /** `checked`: it was a dry run, and nothing was written. */
  readonly state: 'queued' | 'applied' | 'checked' | 'refused' | 'cancelled';
  readonly dryRun: boolean;
  /** Whether whoever the file leaves out has left; null: as the file itself says. */
  readonly endMissing: boolean | null;
  /** While it is being worked on. */
  readonly progress: Progress | null;
  readonly cancelRequested: boolean;
  /** Whether the files are still there, so that it can be repeated. */
  readonly hasFiles: boolean;
  /** Not of files: it takes in one row that waited (RosterDoubt), as it was decided. */
  readonly doubtId: string | null;
  /** The share of open posts that it may end, 0 to 1. */
  readonly mostEnded: number;
  readonly requestedBy: string | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  /** Why the whole import was refused. */
  readonly reason: Said | null;
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
    endMissing: boolean | null;
    doubtId?: string;
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
      end_missing: given.endMissing,
      doubt_id: given.doubtId ?? null,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Keeps a file of an import as it streams in, encrypted block by block: at no time does it lie anywhere in the clear. */
export async function insertRosterImportFile(
  tx: Executor,
  importId: string,
  file: IncomingFile,
  seal: Seal,
): Promise<void> {
  let position = 0;
  let index = 0;
  let sealed: Buffer[] = [];
  const insert = async (): Promise<void> => {
    await tx
      .insertInto('roster_import_files')
      .values({ import_id: importId, name: file.name, position, content: Buffer.concat(sealed) })
      .execute();
    position += 1;
    sealed = [];
  };
  for await (const block of inPieces(file.stream(), BLOCK)) {
    sealed.push(seal.seal(block, aboutBlock(file.name, index)));
    index += 1;
    if (sealed.length === BLOCKS_IN_PIECE) await insert();
  }
  if (sealed.length > 0) await insert();
}

/** Not of the import: the files of one go over to another. */
function aboutBlock(name: string, index: number): string {
  return `upload:${name}\0${index}`;
}

/** The ids of keys that uploads are encrypted with. */
export async function listUploadKeys(db: Executor): Promise<Buffer[]> {
  const { rows } = await sql<{
    key: Buffer;
  }>`select distinct substring(content from 1 for 8) as key from roster_import_files`.execute(db);
  return rows.map((row) => row.key);
}

/** What one import was given goes over to another. */
export async function moveRosterImportFiles(tx: Executor, from: string, to: string): Promise<void> {
  await tx.updateTable('roster_import_files').set({ import_id: to }).where('import_id', '=', from).execute();
}

export async function findRosterImport(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<RosterImport | undefined> {
  const row = await db
    .selectFrom('roster_imports')
    .selectAll()
    .select((eb) => [
      eb.exists(eb.selectFrom('roster_import_files').where('import_id', '=', id)).as('has_files'),
      eb.exists(eb.selectFrom('roster_cancellations').where('import_id', '=', id)).as('cancel_requested'),
    ])
    .where('id', '=', id)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const progress =
    row.state === 'queued'
      ? await db.selectFrom('roster_progress').selectAll().where('import_id', '=', id).executeTakeFirst()
      : undefined;
  return {
    id: row.id,
    source: row.source,
    divisionCode: row.division_code,
    state: row.state as RosterImport['state'],
    requestedBy: row.requested_by,
    createdAt: row.created_at,
    finishedAt: row.finished_at,
    reason: row.reason === null ? null : said(row.reason, row.reason_zh ?? row.reason),
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
    endMissing: row.end_missing,
    doubtId: row.doubt_id,
    peopleMissing: row.people_missing,
    hasFiles: Boolean(row.has_files),
    cancelRequested: Boolean(row.cancel_requested),
    progress:
      progress === undefined
        ? null
        : {
            phase: progress.phase as Progress['phase'],
            rowsDone: progress.rows_done,
            rowsTotal: progress.rows_total,
            phaseBeganAt: progress.phase_began_at,
            toldAt: progress.told_at,
          },
  };
}

/** The files of an import, read and decrypted where they lie. */
export async function listRosterImportFiles(db: Executor, importId: string, seal: Seal): Promise<Upload[]> {
  const { rows } = await sql<{ name: string; size: string }>`
    select name, sum(octet_length(content) - ${SEAL_BYTES}::int * ceil(octet_length(content) / ${SEALED_BLOCK}::numeric))::bigint as size
    from roster_import_files where import_id = ${importId}::bigint group by name order by name`.execute(db);
  const block = async (name: string, index: number): Promise<Buffer> => {
    const { rows: found } = await sql<{ sealed: Buffer }>`
      select substring(content from ${(index % BLOCKS_IN_PIECE) * SEALED_BLOCK + 1}::int for ${SEALED_BLOCK}::int) as sealed
      from roster_import_files where import_id = ${importId}::bigint and name = ${name} and position = ${Math.floor(index / BLOCKS_IN_PIECE)}::int`.execute(
      db,
    );
    return found[0] === undefined ? Buffer.alloc(0) : seal.open(found[0].sealed, aboutBlock(name, index));
  };
  return rows.map(({ name, size: sizeText }) => {
    const size = Number(sizeText);
    type Held = { readonly index: number; readonly bytes: Promise<Buffer> };
    // Who reads on finds the rest of the block, and the next one, there already.
    let held: Held | undefined;
    let ahead: Held | undefined;
    const fetch = (index: number): Held => {
      const bytes = block(name, index);
      // Whoever asks for it hears of the failure; nobody may ask.
      bytes.catch(() => {});
      return { index, bytes };
    };
    return {
      name,
      size,
      read: async (start, end) => {
        if (start >= size) return Buffer.alloc(0);
        const index = Math.floor(start / BLOCK);
        if (held?.index !== index) {
          held = ahead?.index === index ? ahead : fetch(index);
          ahead = (index + 1) * BLOCK < size ? fetch(index + 1) : undefined;
        }
        return (await held.bytes).subarray(start - index * BLOCK, end - index * BLOCK);
      },
    };
  });
}

/** Ends an import, whichever way. What was applied needs its files no more. */
export async function finishRosterImport(
  tx: Executor,
  id: string,
  end:
    | { state: 'applied' | 'checked'; counts: ImportCounts; at: Date }
    | { state: 'refused'; reason: Said; at: Date }
    | { state: 'cancelled'; at: Date },
): Promise<void> {
  await tx
    .updateTable('roster_imports')
    .set({
      state: end.state,
      finished_at: end.at,
      ...(end.state === 'refused' ? { reason: end.reason.en, reason_zh: end.reason['zh-CN'] } : {}),
      ...('counts' in end
        ? {
            rows_read: end.counts.rowsRead,
            rows_ignored: end.counts.rowsIgnored,
            rows_refused: end.counts.rowsRefused,
            organizations_added: end.counts.organizationsAdded,
            organizations_changed: end.counts.organizationsChanged,
            people_added: end.counts.peopleAdded,
            people_changed: end.counts.peopleChanged,
            people_missing: end.counts.peopleMissing,
            posts_added: end.counts.postsAdded,
            posts_changed: end.counts.postsChanged,
            posts_ended: end.counts.postsEnded,
          }
        : {}),
    })
    .where('id', '=', id)
    .execute();
  if (end.state === 'applied')
    await tx.deleteFrom('roster_import_files').where('import_id', '=', id).execute();
}

/** Files of imports that were over by then: they hold identity numbers, and nobody has come back for them. */
export async function forgetRosterFiles(db: Executor, finishedBefore: Date): Promise<void> {
  await sql`
    delete from roster_import_files f using roster_imports i
    where i.id = f.import_id and i.state <> 'queued' and i.finished_at < ${finishedBefore}`.execute(db);
}

/** Tells how far it is. To be called outside of the import's transaction. @returns whether somebody wants it to stop. */
export async function tellProgress(
  db: Executor,
  importId: string,
  { phase, rowsDone, rowsTotal, toldAt }: Omit<Progress, 'phaseBeganAt'>,
): Promise<boolean> {
  const { rows } = await sql<{ stop: boolean }>`
    insert into roster_progress as told (import_id, phase, rows_done, rows_total, phase_began_at, told_at)
    values (${importId}::bigint, ${phase}, ${rowsDone}::int, ${rowsTotal}::int, ${toldAt}, ${toldAt})
    on conflict (import_id) do update set phase = excluded.phase, rows_done = excluded.rows_done, rows_total = excluded.rows_total, told_at = excluded.told_at,
      phase_began_at = case when told.phase = excluded.phase and told.rows_done <= excluded.rows_done then told.phase_began_at else excluded.phase_began_at end
    returning exists (select from roster_cancellations c where c.import_id = told.import_id) as stop`.execute(
    db,
  );
  return rows[0]!.stop;
}

export async function insertCancellation(
  tx: Executor,
  importId: string,
  by: { requestedBy: string; requestedAt: Date },
): Promise<void> {
  await tx
    .insertInto('roster_cancellations')
    .values({ import_id: importId, requested_by: by.requestedBy, requested_at: by.requestedAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
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
    reason: said(row.reason, row.reason_zh ?? row.reason),
  }));
}

/** Held shared by each import while it is being applied, and alone by whoever erases people: none of them is taken for somebody known meanwhile. */
const IMPORTS_LOCK = 0x78_71_72_69; // 'xqri'

/** @returns false: an import is being applied. The lock goes with the transaction. */
export async function tryLockImports(tx: Executor): Promise<boolean> {
  const { rows } = await sql<{
    got: boolean;
  }>`select pg_try_advisory_xact_lock(${IMPORTS_LOCK}) as got`.execute(tx);
  return rows[0]!.got;
}

/** One import of a source at a time; the lock goes with the transaction. */
export async function lockSource(tx: Executor, source: string): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${IMPORTS_LOCK})`.execute(tx);
  await sql`select pg_advisory_xact_lock(hashtextextended(${`roster:${source}`}, 0))`.execute(tx);
}

/** @returns false: somebody else has it. */
export async function tryLockSource(tx: Executor, source: string): Promise<boolean> {
  const { rows } = await sql<{
    got: boolean;
  }>`select pg_try_advisory_xact_lock(hashtextextended(${`roster:${source}`}, 0)) as got`.execute(tx);
  return rows[0]!.got;
}

const REFUSED_AT_ONCE = 500;

/** The files of which rows were refused, each with its header and, as they are asked for, its refused rows. */
export async function listRefusedFiles(db: Executor, importId: string): Promise<RefusedFile[]> {
  const files = await db
    .selectFrom('roster_refusals as r')
    .leftJoin('roster_refused_rows as header', (join) =>
      join
        .onRef('header.import_id', '=', 'r.import_id')
        .onRef('header.file', '=', 'r.file')
        // Kept as line 1, wherever it stood.
        .on('header.line', '=', 1),
    )
    .select(['r.file', 'header.cells'])
    .distinctOn('r.file')
    .where('r.import_id', '=', importId)
    .orderBy('r.file')
    .execute();
  return files.map(({ file, cells }) => ({
    name: file,
    header: cells ?? [],
    rows: eachRefusedRow(db, importId, file),
  }));
}

async function* eachRefusedRow(db: Executor, importId: string, file: string): AsyncGenerator<RefusedRow> {
  for (let after = 0; ;) {
    const { rows } = await sql<{
      line: number;
      cells: string[] | null;
      refusals: { column: string | null; reason: string; reason_zh: string | null }[];
    }>`
      select r.line, s.cells, json_agg(json_build_object('column', r.column_name, 'reason', r.reason, 'reason_zh', r.reason_zh) order by r.id) as refusals
      from roster_refusals r left join roster_refused_rows s on s.import_id = r.import_id and s.file = r.file and s.line = r.line
      where r.import_id = ${importId}::bigint and r.file = ${file} and r.line > ${after}::int
      group by r.line, s.cells order by r.line limit ${REFUSED_AT_ONCE}`.execute(db);
    for (const { line, cells, refusals } of rows)
      yield {
        line,
        cells: cells ?? [],
        refusals: refusals.map((refusal) => ({
          column: refusal.column,
          reason: said(refusal.reason, refusal.reason_zh ?? refusal.reason),
        })),
      };
    const last = rows.at(-1)?.line;
    if (last === undefined || rows.length < REFUSED_AT_ONCE) return;
    after = last;
  }
}
