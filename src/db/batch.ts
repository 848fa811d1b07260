import pg from 'pg';
import { prepareValue } from 'pg/lib/utils.js';

/** A statement as pg takes it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Under which the connection keeps it prepared. */
  readonly name?: string;
}

/** What pg lets a query do with a connection, as its own cursors do; see `pg-cursor`. */
interface Connection {
  readonly stream: { readonly writable: boolean; write(message: Buffer): void; cork(): void; uncork(): void };
  /** By name: what pg knows to be prepared there, or on its way. */
  readonly parsedStatements: Record<string, string | undefined>;
  readonly submittedNamedStatements: Record<string, string | undefined>;
  parse(message: { text: string; name: string | undefined }): void;
  bind(message: {
    portal: '';
    statement: string | undefined;
    values: readonly unknown[];
    valueMapper: (value: unknown) => unknown;
  }): void;
  describe(message: { type: 'P'; name: '' }): void;
  execute(message: { portal: '' }): void;
  sync(): void;
}

interface RowDescription {
  readonly fields: readonly {
    readonly name: string;
    readonly dataTypeID: number;
    readonly format: 'text' | 'binary';
  }[];
}

/** What a row has, and how it is read. */
interface Columns {
  readonly names: readonly string[];
  readonly readers: readonly ((value: string) => unknown)[];
  /** A row before it is filled, so that all have one shape. */
  readonly empty: Readonly<Record<string, null>>;
}

/** Of what only writes: the server says that there are none by saying nothing. */
const NONE: Columns = { names: [], readers: [], empty: {} };

/** What is known of a connection. */
interface Known {
  /** The connection, but that what is written to it is gathered. */
  readonly gathering: Connection;
  readonly parts: Buffer[];
  /** Of the statements that it keeps: what comes back stays the same while they are kept, so that it is told once. */
  readonly columns: Map<string, Columns>;
}

/** Nothing of it was done, since another of its transaction failed. */
export class Skipped extends Error {
  override name = 'Skipped';
}

const knownOf = new WeakMap<Connection, Known>();

function known(connection: Connection): Known {
  let found = knownOf.get(connection);
  if (found === undefined) {
    const parts: Buffer[] = [];
    const stream = { writable: true, write: (part: Buffer) => void parts.push(part) };
    found = {
      gathering: Object.create(connection, { stream: { value: stream } }) as Connection,
      parts,
      columns: new Map(),
    };
    knownOf.set(connection, found);
  }
  return found;
}

/** One statement of a batch, while its answer comes in. */
interface Asked {
  readonly statement: Statement;
  columns: Columns | undefined;
  readonly rows: Record<string, unknown>[];
  /** `SELECT 3`, `INSERT 0 1`, `BEGIN`. */
  tag: string;
  /** Why a row of it could not be read. It was done all the same. */
  unread?: unknown;
}

/**
 * Several statements in one message and one transaction, which the server begins with the first and ends at the message's end. It saves
 * a round trip, a write and a wake-up for each of them. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 * A connection on which one has failed is not to be used again: it may have remembered a statement that was never prepared.
 * @param types how its values are read.
 * @returns for each its result, or why it has none: its own error, or Skipped.
 */
export async function runBatch(
  client: pg.PoolClient,
  statements: readonly Statement[],
  types: pg.CustomTypesConfig = pg.types,
): Promise<PromiseSettledResult<pg.QueryResult>[]> {
  const asked = statements.map((statement): Asked => ({ statement, columns: undefined, rows: [], tag: '' }));
  let at = 0;
  let kept: Known['columns'] | undefined;
  const describe = (each: Asked, columns: Columns): void => {
    each.columns = columns;
    if (each.statement.name !== undefined) kept?.set(each.statement.name, columns);
  };
  return new Promise((resolve) => {
    const fail = (error: unknown): void =>
      resolve(
        // What was answered before it is undone with it; the transaction's own end may fail too.
        asked.map((_each, index) => ({
          status: 'rejected',
          reason:
            index === Math.min(at, asked.length - 1)
              ? error
              : new Skipped(error instanceof Error ? error.message : String(error)),
        })),
      );
    const batch = {
      submit(connection: Connection): unknown {
        const { gathering, parts, columns } = known(connection);
        kept = columns;
        try {
          for (const each of asked) {
            ask(gathering, each.statement);
            const { name } = each.statement;
            each.columns = name === undefined ? undefined : columns.get(name);
            if (each.columns === undefined) gathering.describe({ type: 'P', name: '' });
            gathering.execute({ portal: '' });
            at += 1;
          }
          gathering.sync();
          if (connection.stream.writable) send(connection.stream, parts);
          at = 0;
          return null;
        } catch (error) {
          // Nothing of it was sent; pg hands the error back.
          return error;
        } finally {
          parts.length = 0;
        }
      },
      handleRowDescription: ({ fields }: RowDescription) =>
        describe(asked[at]!, {
          names: fields.map((field) => field.name),
          readers: fields.map((field) => types.getTypeParser(field.dataTypeID, field.format)),
          empty: Object.fromEntries(fields.map((field) => [field.name, null])),
        }),
      handleDataRow({ fields }: { fields: readonly (string | null)[] }) {
        const each = asked[at]!;
        if (each.unread !== undefined) return;
        const { names, readers, empty } = each.columns!;
        try {
          const row: Record<string, unknown> = { ...empty };
          for (let place = 0; place < names.length; place += 1) {
            const value = fields[place];
            row[names[place]!] = value === null || value === undefined ? null : readers[place]!(value);
          }
          each.rows.push(row);
        } catch (error) {
          each.unread = error;
        }
      },
      handleCommandComplete({ text }: { text: string }, connection: Connection) {
        const each = asked[at]!;
        if (each.columns === undefined) describe(each, NONE);
        const { name } = each.statement;
        if (name !== undefined) keep(connection, name, each.statement.text);
        each.tag = text;
        at += 1;
      },
      handleEmptyQuery() {
        at += 1;
      },
      handleError: fail,
      handleReadyForQuery() {
        resolve(
          asked.map((each) =>
            each.unread === undefined
              ? { status: 'fulfilled', value: resultOf(each) }
              : { status: 'rejected', reason: each.unread },
          ),
        );
      },
    };
    client.query(batch as unknown as pg.Submittable);
  });
}

/** Longer ones go as they are, so that an import's lists are not copied. */
const MOST_COPIED = 64 * 1024;

function send(stream: Connection['stream'], parts: readonly Buffer[]): void {
  const bytes = parts.reduce((sum, part) => sum + part.length, 0);
  if (bytes <= MOST_COPIED) {
    stream.write(Buffer.concat(parts, bytes));
    return;
  }
  stream.cork();
  for (const part of parts) stream.write(part);
  stream.uncork();
}

/** @throws what pg says of a value that can't be sent, or of a name that is another statement's. */
function ask(connection: Connection, { text, values, name }: Statement): void {
  const kept =
    name === undefined
      ? undefined
      : (connection.parsedStatements[name] ?? connection.submittedNamedStatements[name]);
  if (kept !== undefined && kept !== text) throw new Error(`"${name}" is prepared for another statement.`);
  if (kept === undefined) {
    connection.parse({ text, name });
    if (name !== undefined) connection.submittedNamedStatements[name] = text;
  }
  connection.bind({ portal: '', statement: name, values, valueMapper: prepareValue });
}

/** From now on it is prepared there, whatever becomes of those after it: pg forgets of one on its way as soon as another fails. */
function keep(connection: Connection, name: string, text: string): void {
  connection.parsedStatements[name] = text;
  delete connection.submittedNamedStatements[name];
}

function resultOf({ tag, rows }: Asked): pg.QueryResult {
  const count = / (\d+)$/.exec(tag)?.[1];
  return {
    command: tag.split(' ', 1)[0]!,
    rowCount: count === undefined ? null : Number(count),
    oid: 0,
    fields: [],
    rows,
  };
}
