import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { currentActing } from './acting.ts';
import { actingStatement, servingPool } from './statements.ts';
import type { DB } from './types.ts';

export type Database = Kysely<DB>;
/** What a repository takes first: the database, or the transaction that its caller opened. */
export type Executor = Kysely<DB> | Transaction<DB>;

/** A database that can't be used; the message is for the person at the shell, and holds no password. */
export class DatabaseError extends Error {
  override name = 'DatabaseError';
}

const DATE = 1082;

/**
 * Days stay text (`YYYY-MM-DD`): a JavaScript Date would put them through the machine's time zone. 64-bit integers and numerics
 * stay text as well, as pg does by default.
 */
const typesWithPlainDays: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === DATE
      ? (value: string) => value
      : pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

/** @param options.role of the database, which every connection takes on; undefined: its own. */
export function makePool(
  url: string,
  { name, size, role }: { name: string; size: number; role?: string },
): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: size,
    // Compiling a query takes longer than most of ours run.
    options: `-c jit=off${role === undefined ? '' : ` -c role=${role}`}`,
    types: typesWithPlainDays,
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

export function makeDatabase(pool: pg.Pool): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool: servingPool(pool) }) });
}

/** For temporary tables as large as a province, of which a connection keeps 8 MB in memory unasked. */
const TEMPORARY = '128MB';

/**
 * Runs `work` in a transaction on a connection that it has to itself, so that it can also COPY into it. Temporary tables of the
 * transaction are seen by both. The connection ends with it, since the server keeps the memory of temporary tables for its life.
 */
export async function withConnection<T>(
  pool: pg.Pool,
  work: (tx: Transaction<DB>, client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  try {
    // One that has had temporary tables before keeps what it has, and does as well, more slowly.
    await client.query(`set temp_buffers = '${TEMPORARY}'`).catch(() => undefined);
    const { text, values } = actingStatement(currentActing(), { lasting: true });
    await client.query(text, [...values]);
    const borrowed = {
      query: client.query.bind(client),
      // The pool's own client is given back below.
      release: () => {},
    };
    const single = new Kysely<DB>({
      dialect: new PostgresDialect({
        pool: {
          connect: async () => borrowed,
          end: async () => {},
          options: pool.options,
        },
      }),
    });
    return await single.transaction().execute(async (tx) => work(tx, client));
  } finally {
    client.release(true);
  }
}

const OLDEST_SERVER = 15;

/**
 * Asks the server that DATABASE_URL names whether it is there, lets us in and is new enough.
 * @throws DatabaseError in one line a person can act on.
 */
export async function checkServer(pool: pg.Pool): Promise<void> {
  let version: number;
  try {
    const { rows } = await pool.query<{ version: string }>(
      `select current_setting('server_version_num') as version`,
    );
    version = Math.floor(Number(rows[0]?.version) / 10_000);
  } catch (error) {
    // A name with several addresses fails once for each.
    const reason = error instanceof AggregateError ? (error.errors as Error[])[0] : error;
    throw new DatabaseError(
      `The database at DATABASE_URL can't be used: ${reason instanceof Error ? reason.message : String(reason)}.`,
    );
  }
  if (version < OLDEST_SERVER)
    throw new DatabaseError(
      `The database at DATABASE_URL is PostgreSQL ${version}; at least ${OLDEST_SERVER} is needed.`,
    );
}
