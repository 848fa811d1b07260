import pg from 'pg';

/** A statement as pg takes it. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
  /** Under which the connection keeps it prepared. */
  readonly name?: string;
}

/** What pg calls on a query while its answer comes in; it is the same for its own and for others'. */
interface Query {
  callback?: (error: Error | null, result?: pg.QueryResult) => void;
  submit(connection: Connection): Error | null;
  handleRowDescription(message: unknown): void;
  handleDataRow(message: unknown): void;
  handleCommandComplete(message: unknown, connection: Connection): void;
  handleEmptyQuery(connection: Connection): void;
  handleError(error: Error, connection: Connection): void;
  handleReadyForQuery(connection: Connection): void;
}

interface Connection {
  readonly stream: { cork(): void; uncork(): void };
  sync(): void;
}

/** Nothing of it was done, since another of its transaction failed. */
export class Skipped extends Error {
  override name = 'Skipped';
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
  types: pg.CustomTypesConfig | undefined,
): Promise<PromiseSettledResult<pg.QueryResult>[]> {
  const queries: Query[] = [];
  const results = Promise.allSettled(
    statements.map(
      async ({ text, values, name }) =>
        new Promise<pg.QueryResult>((resolve, reject) => {
          const query = new pg.Query({
            text,
            values: [...values],
            ...(name === undefined ? {} : { name }),
            // The simple protocol would end the transaction after each.
            queryMode: 'extended',
            ...(types === undefined ? {} : { types }),
          } as pg.QueryConfig) as unknown as Query;
          query.callback = (error, result) => {
            if (error === null) resolve(result!);
            else reject(error);
          };
          queries.push(query);
        }),
    ),
  );
  let at = 0;
  const current = (): Query => queries[at]!;
  const batch = {
    submit(connection: Connection): Error | null {
      // Each would ask for the end of the transaction after itself.
      const unsynced = Object.create(connection, { sync: { value: () => {} } }) as Connection;
      connection.stream.cork();
      try {
        for (const query of queries) {
          const error = query.submit(unsynced);
          if (error !== null) throw error;
        }
        return null;
      } catch (error) {
        return error as Error;
      } finally {
        connection.sync();
        connection.stream.uncork();
      }
    },
    handleRowDescription: (message: unknown) => current().handleRowDescription(message),
    handleDataRow: (message: unknown) => current().handleDataRow(message),
    handleCommandComplete(message: unknown, connection: Connection) {
      current().handleCommandComplete(message, connection);
      at += 1;
    },
    handleEmptyQuery(connection: Connection) {
      current().handleEmptyQuery(connection);
      at += 1;
    },
    handleError(error: Error, connection: Connection) {
      // What was answered before it is undone with it; the transaction's own end may fail too.
      const failed = Math.min(at, queries.length - 1);
      for (const [index, query] of queries.entries())
        query.handleError(index === failed ? error : new Skipped(error.message), connection);
    },
    handleReadyForQuery(connection: Connection) {
      for (const query of queries) query.handleReadyForQuery(connection);
    },
  };
  client.query(batch as unknown as pg.Submittable);
  return results;
}
