import type { Pool } from 'pg';

/** Every place of a database, the job queue included, where one of `texts` stands: in a text, in JSON, in an array, in bytes. */
export async function findInDatabase(pool: Pool, ...texts: readonly string[]): Promise<string[]> {
  const { rows: columns } = await pool.query<{ table: string; column: string; type: string }>(`
    select format('%I.%I', n.nspname, c.relname) as table, format('%I', a.attname) as column, format_type(a.atttypid, a.atttypmod) as type
    from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname in ('public', 'graphile_worker')
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p') order by 1, a.attnum`);
  const found: string[] = [];
  for (const { table, column, type } of columns) {
    const stands =
      type === 'bytea'
        ? `position(convert_to(given, 'UTF8') in ${column}) > 0`
        : `strpos(${column}::text, given) > 0`;
    const { rows } = await pool.query<{ places: number }>(
      `select count(*)::int as places from ${table} where exists (select from unnest($1::text[]) as given where ${stands})`,
      [texts],
    );
    if (rows[0]!.places > 0) found.push(`${table}.${column}`);
  }
  return found;
}
