import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import type { DB } from './types.ts';

export type Database = Kysely<DB>;
/** What a repository takes first: the database, or the transaction that its caller opened. */
export type Executor = Kysely<DB> | Transaction<DB>;

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

export function makePool(url: string, { name, size }: { name: string; size: number }): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: name,
    max: size,
    types: typesWithPlainDays,
  });
  // A connection that breaks while idle is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

export function makeDatabase(pool: pg.Pool): Database {
  return new Kysely<DB>({ dialect: new PostgresDialect({ pool }) });
}
