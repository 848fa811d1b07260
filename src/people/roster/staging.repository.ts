import { once } from 'node:events';
import { sql } from 'kysely';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Executor } from '../../db/database.ts';
import type { ContactKind } from '../contact.ts';
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
  // How to reach the person of that n, encrypted already: nothing of a contact in the clear comes to the database.
  staged_contacts: 'n int, line int, ref text, kind text, fingerprint bytea, sealed bytea',
  // Whom a refused row is about: what it leaves out is not known, so nothing of theirs ends.
  staged_spared: 'ref text',
  staged_refusals: 'file text, line int, column_name text, value text, reason text, reason_zh text',
  staged_refused_rows: 'file text, line int, cells text[]',
} as const;
type Table = keyof typeof TABLES;

const PIECE = 1024 * 1024;

export async function createStaging(tx: Executor): Promise<void> {
  // Sorting and hashing a million rows in memory, for this transaction only.
  await sql`set local work_mem = '256MB'`.execute(tx);
  for (const [table, columns] of Object.entries(TABLES))
    await sql`create temporary table ${sql.id(table)} (${sql.raw(columns)}) on commit drop`.execute(tx);
}

/** Takes what is read and copies it in pieces, while the next piece is being read. */
export class StagingWriter {
  readonly #client: pg.ClientBase;
  /** What is being filled, and what is being copied: they take turns, so that the memory of a large file is taken once. */
  #waiting = new Map<Table, Rows>();
  #leaving = new Map<Table, Rows>();
  #length = 0;
  #people = 0;
  #posts = 0;
  #contacts = 0;
  #copying: Promise<void> = Promise.resolve();

  /** @param client the connection of the transaction in which the tables were created. */
  constructor(client: pg.ClientBase) {
    this.#client = client;
  }

  person(person: GivenPerson, identityHash: string | undefined): void {
    this.#people += 1;
    const hash = identityHash === undefined ? '\\N' : `\\\\x${identityHash}`;
    const last4 = person.identityNumber?.slice(-4) ?? '\\N';
    this.#add(
      'staged_people',
      `${this.#people}\t${person.line}\t${cell(person.ref)}\t${cell(person.name)}\t${cell(person.staffNumber)}\t${hash}\t${last4}\t${person.leaves}\t${person.complete}\t${person.onlyKnown}\n`,
    );
  }

  post(ref: string, line: number, post: GivenPost): void {
    this.#posts += 1;
    this.#add(
      'staged_posts',
      `${this.#posts}\t${line}\t${cell(ref)}\t${cell(post.organizationSourceId)}\t${post.role}\t${post.workload}\t${cell(post.startsOn)}\t${cell(post.endsOn)}\t${post.ends}\n`,
    );
  }

  /** Of the person staged last. @param fingerprint hexadecimal. */
  contact(
    { line, ref }: { line: number; ref: string },
    kind: ContactKind,
    fingerprint: string,
    sealed: Buffer,
  ): void {
    this.#contacts += 1;
    this.#add(
      'staged_contacts',
      `${this.#people}\t${line}\t${cell(ref)}\t${kind}\t\\\\x${fingerprint}\t\\\\x${sealed.toString('hex')}\n`,
    );
  }

  /** How many were staged. */
  get contacts(): number {
    return this.#contacts;
  }

  spare(ref: string): void {
    this.#add('staged_spared', `${cell(ref)}\n`);
  }

  refuse(refused: Refused): void {
    const { file, line, column, value, reason } = refused;
    this.#add(
      'staged_refusals',
      `${cell(file)}\t${line}\t${cell(column)}\t${cell(value)}\t${cell(reason.en)}\t${cell(reason['zh-CN'])}\n`,
    );
  }

  refusedRow(file: string, line: number, cells: readonly string[]): void {
    const quoted = cells.map((cell) => `"${cell.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
    this.#add('staged_refused_rows', `${cell(file)}\t${line}\t${cell(`{${quoted.join(',')}}`)}\n`);
  }

  /** Whether enough waits to be copied: then `await flush()`. */
  get isFull(): boolean {
    return this.#length > PIECE;
  }

  /** Begins to copy what waits; waits only for the piece before it. */
  async flush(): Promise<void> {
    await this.#copying;
    [this.#waiting, this.#leaving] = [this.#leaving, this.#waiting];
    for (const rows of this.#waiting.values()) rows.empty();
    this.#length = 0;
    const pieces = [...this.#leaving].filter(([, rows]) => rows.bytes.length > 0);
    this.#copying = (async () => {
      for (const [table, rows] of pieces) await this.#copy(table, rows.bytes);
    })();
    // Awaited with the next piece; until then a failure must not count as unhandled.
    this.#copying.catch(() => {});
  }

  /** All is copied. */
  async end(): Promise<void> {
    await this.flush();
    await this.#copying;
  }

  async #copy(table: Table, bytes: Buffer): Promise<void> {
    const stream = this.#client.query(copyFrom(`copy ${table} from stdin`));
    const ended = once(stream, 'finish');
    stream.end(bytes);
    await ended;
  }

  #add(table: Table, row: string): void {
    let waiting = this.#waiting.get(table);
    if (waiting === undefined) this.#waiting.set(table, (waiting = new Rows()));
    this.#length += waiting.add(row);
  }
}

/** Text as it will be sent. Written out at once: a long text put together of a million parts takes longer to put together. */
class Rows {
  #bytes = Buffer.allocUnsafe(PIECE);
  #length = 0;

  /** @returns how many bytes it is. */
  add(row: string): number {
    const most = row.length * 3;
    if (this.#length + most > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(2 * this.#bytes.length + most);
      this.#bytes.copy(larger, 0, 0, this.#length);
      this.#bytes = larger;
    }
    const written = this.#bytes.write(row, this.#length);
    this.#length += written;
    return written;
  }

  /** Until the next row, or until it is emptied. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  empty(): void {
    this.#length = 0;
  }
}

/** A cell as COPY's text format wants it. */
function cell(field: string | null): string {
  if (field === null) return '\\N';
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
    // What stands for a number that is used as an id is told as the number would be.
    sql`regexp_replace(regexp_replace(${sql.ref(column)}, '(?:[0-9０１２３４５６７８９][\\s-]?){14}((?:[0-9０１２３４５６７８９][\\s-]?){3}[0-9Xx０１２３４５６７８９Ｘｘ])', '**************\\1', 'g'), '(\\*{14}[0-9X]{4})#[0-9a-f]{32}', '\\1', 'g')`;
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
