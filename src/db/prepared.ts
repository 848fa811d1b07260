import { sql, type PostgresPool, type PostgresPoolClient } from 'kysely';
import type pg from 'pg';

const MARK = '/* prepared */';

/**
 * In front of a statement that is asked again and again: each connection then parses and plans it once, which takes longer than such a
 * statement runs. For reads of a few rows by an index, in one fixed text (lists as arrays, columns by name): the plan is made without
 * a look at the values, and a migration may not change what columns come back while it is kept.
 * With Kysely: `.modifyFront(prepared)`; in a template: `` sql`${prepared} select …` ``.
 */
export const prepared = sql.raw<never>(MARK);

/** A pool as Kysely takes it, whose connections prepare the statements that are marked. */
export function preparing(pool: pg.Pool): PostgresPool {
  const clients = new WeakMap<pg.PoolClient, PostgresPoolClient>();
  const names = new Map<string, string>();
  const nameOf = (text: string): string => {
    let name = names.get(text);
    if (name === undefined) names.set(text, (name = `prepared ${names.size + 1}`));
    return name;
  };
  const wrapped = (client: pg.PoolClient): PostgresPoolClient => {
    const query = async (text: string, values: readonly unknown[]): Promise<pg.QueryResult> =>
      text.includes(MARK)
        ? client.query({ name: nameOf(text), text, values: [...values] })
        : client.query(text, [...values]);
    // Nobody asks for a cursor, which is the other way to call it.
    return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release() };
  };
  return {
    async connect() {
      const client = await pool.connect();
      let known = clients.get(client);
      if (known === undefined) clients.set(client, (known = wrapped(client)));
      return known;
    },
    end: async () => pool.end(),
    options: pool.options,
  };
}
