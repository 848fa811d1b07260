import { once } from 'node:events';
import { sql } from 'kysely';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Executor } from '../../db/database.ts';
import type { GivenPerson, GivenPost, Refused } from './roster.ts';

/*
 * What a file says, as it came, in temporary tables of the import's transaction: filled by COPY, read by matching.repository.ts, gone
 * with the transaction however it ends.
 */

const TABLES = {
  staged_people:
    'n int, line int, ref text, name text, staff_number text, identity_hash bytea, identity_last4 text, leaves boolean, complete boolean, only_known boolean',
  staged_posts:
    'n int, line int, ref text, organization_ref text, role text, workload text, starts_on date, ends_on date, ends boolean',
  // Whom a refused row is about: what it leaves out is not known, so nothing of theirs ends.
  staged_spared: 'ref text',
  staged_refusals: 'file text, line int, column_name text, value text, reason text, reason_zh text',
  staged_refused_rows: 'file text, line int, cells text[]',
} as const;
type Table = keyof typeof TABLES;

const PIECE = 128 * 1024;

export async function createStaging(tx: Executor): Promise<void> {
  // Sorting and hashing a million rows in memory, for this transaction only.
  await sql`set local work_mem = '128MB'`.execute(tx);
  for (const [table, columns] of Object.entries(TABLES))
    await sql`create temporary table ${sql.id(table)} (${sql.raw(columns)}) on commit drop`.execute(tx);
}

/** Takes what is read and copies it in pieces, while the next piece is being read. */
export class StagingWriter {
  readonly #client: pg.ClientBase;
  readonly #waiting = new Map<Table, string[]>();
  #length = 0;
  #people = 0;
  #posts = 0;
  #copying: Promise<void> = Promise.resolve();

  /** @param client the connection of the transaction in which the tables were created. */
  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  person(person: GivenPerson, identityHash: Buffer | undefined): void {
    this.#people += 1;
    this.#add('staged_people', [
      String(this.#people),
      String(person.line),
      person.ref,
      person.name,
      person.staffNumber,
      identityHash === undefined ? null : `\\x${identityHash.toString('hex')}`,
      person.identityNumber?.slice(-4) ?? null,
      person.leaves ? 't' : 'f',
      person.complete ? 't' : 'f',
      person.onlyKnown ? 't' : 'f',
    ]);
  }

  post(ref: string, line: number, post: GivenPost): void {
    this.#posts += 1;
    this.#add('staged_posts', [
      String(this.#posts),
      String(line),
      ref,
      post.organizationSourceId,
      post.role,
      post.workload,
      post.startsOn,
      post.endsOn,
      post.ends ? 't' : 'f',
    ]);
  }

  spare(ref: string): void {
    this.#add('staged_spared', [ref]);
  }

  refuse(refused: Refused): void {
    this.#add('staged_refusals', [
      refused.file,
      String(refused.line),
      refused.column,
      refused.value,
      refused.reason.en,
      refused.reason['zh-CN'],
    ]);
  }

  refusedRow(file: string, line: number, cells: readonly string[]): void {
    const quoted = cells.map((cell) => `"${cell.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
    this.#add('staged_refused_rows', [file, String(line), `{${quoted.join(',')}}`]);
  }

  /** Whether enough waits to be copied: then `await flush()`. */
  get isFull(): boolean {
    return this.#length > PIECE;
  }

  /** Begins to copy what waits; waits only for the piece before it. */
  async flush(): Promise<void> {
    await this.#copying;
    const pieces = [...this.#waiting].map(([table, lines]) => [table, lines.join('')] as const);
    this.#waiting.clear();
    this.#length = 0;
    this.#copying = (async () => {
      for (const [table, text] of pieces) await this.#copy(table, text);
    })();
    // Awaited with the next piece; until then a failure must not count as unhandled.
    this.#copying.catch(() => {});
  }

  /** All is copied. */
  async end(): Promise<void> {
    await this.flush();
    await this.#copying;
  }

  async #copy(table: Table, text: string): Promise<void> {
    const stream = this.#client.query(copyFrom(`copy ${table} from stdin`));
    const ended = once(stream, 'finish');
    stream.end(text);
    await ended;
  }

  #add(table: Table, fields: readonly (string | null)[]): void {
    const line = `${fields.map((field) => (field === null ? '\\N' : escape(field))).join('\t')}\n`;
    const waiting = this.#waiting.get(table);
    if (waiting === undefined) this.#waiting.set(table, [line]);
    else waiting.push(line);
    this.#length += line.length;
  }
}

/** As COPY's text format wants it. */
function escape(field: string): string {
  return /[\\\n\r\t]/.test(field)
    ? field.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\r', '\\r').replaceAll('\t', '\\t')
    : field;
}

/** Tells the planner what was staged. */
export async function analyzeStaging(tx: Executor): Promise<void> {
  for (const table of ['staged_people', 'staged_posts']) await sql`analyze ${sql.id(table)}`.execute(tx);
}

/** Refusals found by comparing. */
export async function stageRefusals(tx: Executor, refused: readonly Refused[]): Promise<void> {
  if (refused.length === 0) return;
  const text = (pick: (row: Refused) => string | null) => sql`${refused.map(pick)}::text[]`;
  await sql`
    insert into staged_refusals (file, line, column_name, value, reason, reason_zh)
    select * from unnest(${text((r) => r.file)}, ${refused.map((r) => r.line)}::int[], ${text((r) => r.column)}, ${text((r) => r.value)}, ${text((r) => r.reason.en)}, ${text((r) => r.reason['zh-CN'])})`.execute(
    tx,
  );
}

/** Keeps the refusals, in file and line order, and the rows they are about. @returns how many rows. */
export async function keepRefusals(tx: Executor, importId: string): Promise<number> {
  // Some reasons say what stood there. As roster.ts masks it; here for all of them, whoever found them.
  const masked = (column: string) =>
    sql`regexp_replace(${sql.ref(column)}, '[0-9０１２３４５６７８９]{14}([0-9０１２３４５６７８９]{3}[0-9Xx０１２３４５６７８９Ｘｘ])', '**************\\1', 'g')`;
  await sql`
    insert into roster_refusals (import_id, file, line, column_name, value, reason, reason_zh)
    select ${importId}::bigint, file, line, column_name, ${masked('value')}, ${masked('reason')}, ${masked('reason_zh')} from staged_refusals order by file, line, column_name`.execute(
    tx,
  );
  await sql`
    insert into roster_refused_rows (import_id, file, line, cells)
    select ${importId}::bigint, file, line, cells from staged_refused_rows where file in (select file from staged_refusals) on conflict do nothing`.execute(
    tx,
  );
  const { rows } = await sql<{
    rows: number;
  }>`select count(distinct (file, line))::int as rows from staged_refusals`.execute(tx);
  return rows[0]!.rows;
}

/** Lines with a refusal whose row is not staged yet: those found by comparing. File → lines. */
export async function listBareRefusals(tx: Executor): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const { rows } = await sql<{ file: string; line: number }>`
    select distinct file, line from staged_refusals r where not exists (select from staged_refused_rows s where s.file = r.file and s.line = r.line)`.execute(
    tx,
  );
  return new Map(
    [...Map.groupBy(rows, (row) => row.file)].map(([file, its]) => [
      file,
      new Set(its.map((row) => row.line)),
    ]),
  );
}
