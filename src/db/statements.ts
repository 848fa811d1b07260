import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type pg from 'pg';
import { currentActing, keyOf, type Acting } from './acting.ts';
import { roleOf } from './apply-lock.ts';
import { runBatch, Skipped, type Statement } from './batch.ts';
import { makeLots } from './lots.ts';
import { isAlone, isPrepared, preparedName } from './prepared.ts';

/**
 * In front of every transaction. It is forgotten at its end, so that no connection is ever used for somebody of before.
 * @param lasting for a connection that ends with what it does.
 */
export function actingStatement({ part, viewer, soon }: Acting, { lasting = false } = {}): Statement {
  const until = lasting ? 'false' : 'true';
  const settings = [
    { name: 'xinqiao.viewer', value: viewer },
    ...(part === undefined ? [] : [{ name: 'role', value: roleOf(part) }]),
    ...(soon ? [{ name: 'synchronous_commit', value: 'off' }] : []),
  ];
  const text = settings.map(({ name }, index) => `set_config('${name}', $${index + 1}, ${until})`).join(', ');
  return {
    text: `select ${text}`,
    values: settings.map(({ value }) => value),
    name: `acting ${settings.map(({ name }) => name).join(' ')}`,
  };
}

/** Of a batch that failed, the one because of which it did. */
function failedItself(result: PromiseSettledResult<pg.QueryResult>): result is PromiseRejectedResult {
  return result.status === 'rejected' && !(result.reason instanceof Skipped);
}

const AT_THE_DOOR: Acting = { part: 'gate', viewer: '', soon: false };

/**
 * A pool as Kysely takes it. Each statement by itself is a transaction that begins with whom it is for (see `acting.ts`), in one message;
 * those that are marked as prepared and asked at the same moment go together. A transaction of several has a connection to itself.
 * Only what Kysely does with a connection is done here: `begin`, statements, `commit` or `rollback`.
 */
export function servingPool(pool: pg.Pool): PostgresPool {
  const types = (pool.options as { types?: pg.CustomTypesConfig }).types;

  /** On a connection that nobody else has at the time. @returns the results after the first, which says whom it is for. */
  const run = async (
    acting: Acting,
    statements: readonly Statement[],
  ): Promise<PromiseSettledResult<pg.QueryResult>[]> => {
    const client = await pool.connect();
    let isWhole = false;
    try {
      const results = await runBatch(client, [actingStatement(acting), ...statements], types);
      isWhole = results.every((result) => result.status === 'fulfilled');
      const [acted, ...answers] = results as [PromiseSettledResult<pg.QueryResult>, ...typeof results];
      // One that was asked by itself is told what went wrong before it.
      return answers.length === 1 && failedItself(acted) ? [acted] : answers;
    } finally {
      client.release(!isWhole);
    }
  };
  const runOne = async (acting: Acting, statement: Statement): Promise<pg.QueryResult> => {
    const [result] = await run(acting, [statement]);
    if (result!.status === 'rejected') throw result!.reason as Error;
    return result!.value;
  };

  interface Waiting {
    readonly statement: Statement;
    resolve(result: pg.QueryResult): void;
    reject(error: unknown): void;
    /** By itself. */
    again(): void;
  }
  /** Reads that were asked in this turn of the event loop, by whom they are for. */
  const waiting = new Map<string, Waiting[]>();
  const runTogether = async (acting: Acting): Promise<void> => {
    const together = waiting.get(keyOf(acting))!;
    waiting.delete(keyOf(acting));
    const results = await run(
      acting,
      together.map((each) => each.statement),
    ).catch((error: unknown) => together.map(() => ({ status: 'rejected' as const, reason: error })));
    for (const [index, each] of together.entries()) {
      const result = results[index]!;
      if (result.status === 'fulfilled') each.resolve(result.value);
      // Another of them failed, which is no concern of this one.
      else if (result.reason instanceof Skipped && together.length > 1) each.again();
      else each.reject(result.reason);
    }
  };
  const ask = async (statement: Statement): Promise<pg.QueryResult> =>
    new Promise((resolve, reject) => {
      const acting = currentActing();
      const again = (): void => void runOne(acting, statement).then(resolve, reject);
      const others = waiting.get(keyOf(acting));
      if (others !== undefined) {
        others.push({ statement, resolve, reject, again });
        return;
      }
      waiting.set(keyOf(acting), [{ statement, resolve, reject, again }]);
      // After all that is asked now.
      process.nextTick(() => void runTogether(acting));
    });

  /** Those at the door come each in a turn of its own, and are looked up with the others who come meanwhile. */
  const askAtTheDoor = makeLots<Statement, pg.QueryResult>({
    most: 64,
    atOnce: 2,
    deal: async (statements) =>
      (await run(AT_THE_DOOR, statements)).map((result) => {
        if (result.status === 'rejected') throw result.reason as Error;
        return result.value;
      }),
  });

  const begin = async (text: string): Promise<pg.PoolClient> => {
    const client = await pool.connect();
    const results = await runBatch(client, [{ text, values: [] }, actingStatement(currentActing())], types);
    const failed = results.find(failedItself);
    if (failed === undefined) return client;
    client.release(true);
    throw failed.reason as Error;
  };

  return {
    async connect(): Promise<PostgresPoolClient> {
      /** While a transaction lasts. */
      let own: pg.PoolClient | undefined;
      const query = async (text: string, values: readonly unknown[] = []): Promise<pg.QueryResult> => {
        const statement = { text, values, ...(isPrepared(text) ? { name: preparedName(text) } : {}) };
        if (own !== undefined) return own.query({ ...statement, values: [...values] });
        if (statement.name !== undefined && !isAlone(text))
          return keyOf(currentActing()) === keyOf(AT_THE_DOOR) ? askAtTheDoor(statement) : ask(statement);
        if (!/^(begin|start transaction)\b/.test(text)) return runOne(currentActing(), statement);
        own = await begin(text);
        return { command: 'BEGIN', rowCount: null, oid: 0, fields: [], rows: [] };
      };
      return {
        // Nobody asks for a cursor, which is the other way to call it.
        query: query as unknown as PostgresPoolClient['query'],
        release: (isBroken?: boolean) => own?.release(isBroken),
      };
    },
    end: async () => pool.end(),
    options: pool.options,
  };
}
