import { sql, type Kysely } from 'kysely';

/** The database's shape as text, one block per table, in a stable order: for the committed dump that a change is read in. */
export async function describeShape<T>(db: Kysely<T>): Promise<string> {
  const { rows: columns } = await sql<{
    table: string;
    column: string;
    type: string;
    required: boolean;
    otherwise: string | null;
    comment: string | null;
  }>`
    select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull as required,
      case when a.attidentity <> '' then 'generated always as identity' else pg_get_expr(d.adbin, d.adrelid) end as otherwise, col_description(c.oid, a.attnum) as comment
    from pg_class c join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
    where c.relkind in ('r', 'p') and not c.relispartition and c.relname not like 'kysely_%' order by c.relname, a.attnum`.execute(
    db,
  );
  const { rows: rules } = await sql<{ table: string; definition: string }>`
    select c.relname as table, pg_get_constraintdef(k.oid) as definition from pg_constraint k join pg_class c on c.oid = k.conrelid
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public' where k.contype in ('p', 'u', 'f', 'c', 'x') and not c.relispartition
    order by c.relname, k.contype, k.conname`.execute(db);
  const { rows: indexes } = await sql<{ table: string; definition: string }>`
    select c.relname as table, pg_get_indexdef(i.indexrelid) as definition from pg_index i join pg_class c on c.oid = i.indrelid
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public' where not c.relispartition
    and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid) order by c.relname, i.indexrelid::regclass::text`.execute(
    db,
  );
  const { rows: comments } = await sql<{ table: string; comment: string | null }>`
    select c.relname as table, obj_description(c.oid, 'pg_class') as comment from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public' where c.relkind in ('r', 'p')`.execute(
    db,
  );

  const blocks = [...Map.groupBy(columns, (column) => column.table)].map(([table, its]) => {
    const about = comments.find((row) => row.table === table)?.comment;
    return [
      `table ${table}${about === null || about === undefined ? '' : `  -- ${about}`}`,
      ...its.map(
        ({ column, type, required, otherwise, comment }) =>
          `  ${column} ${type}${required ? ' not null' : ''}${otherwise === null ? '' : ` default ${otherwise}`}${comment === null ? '' : `  -- ${comment}`}`,
      ),
      ...rules.filter((row) => row.table === table).map((row) => `  ${row.definition}`),
      ...indexes.filter((row) => row.table === table).map((row) => `  ${row.definition}`),
    ].join('\n');
  });
  return `${blocks.join('\n\n')}\n`;
}
