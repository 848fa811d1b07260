import { DatabaseError, type Pool } from 'pg';
import { until } from './service.ts';

const LOCK_NOT_AVAILABLE = '55P03';

/**
 * Takes back whatever the service has committed, so that a test can ask a hundred changes of one and the same world. Rows are noted by triggers
 * and put back last first; jobs that a change owes are held, since their worker would go on with what is taken back. The journal stays as it is:
 * nobody may take anything out of it.
 */
export interface Undo {
  /** Puts everything back. @returns the tables that had been written, in order. */
  back(): Promise<string[]>;
  /** Leaves everything as it is now, and notes from here on. */
  keep(): Promise<void>;
}

export async function makeUndo(pool: Pool): Promise<Undo> {
  await pool.query(`
    create schema undo;
    create table undo.log (id bigint generated always as identity primary key, of regclass not null, before text, after text);
    create function undo.note() returns trigger language plpgsql security definer set search_path = public as $$
    begin
      insert into undo.log (of, before, after) values (tg_relid, old::text, new::text);
      return null;
    end $$;
    create function undo.hold() returns trigger language plpgsql as $$
    begin
      new.run_at := '2999-01-01';
      return new;
    end $$;
    create function undo.back() returns text[] language plpgsql as $$
    declare e record; columns text; written text[];
    begin
      -- What else is at these tables ends first, and is taken back as well. It is never waited for with tables in hand that it may want.
      for e in select distinct of from undo.log order by of loop
        execute format('lock table %s in share row exclusive mode nowait', e.of);
      end loop;
      -- Neither these triggers nor foreign keys look on.
      perform set_config('session_replication_role', 'replica', true);
      select array_agg(distinct of::text order by of::text) into written from undo.log;
      for e in select * from undo.log order by id desc loop
        if e.after is not null then
          execute format('delete from %1$s where ctid = (select ctid from %1$s x where (x.*)::text = $1 limit 1)', e.of) using e.after;
        end if;
        if e.before is not null then
          select string_agg(quote_ident(attname), ', ' order by attnum) into columns from pg_attribute
            where attrelid = e.of and attnum > 0 and not attisdropped and attgenerated = '';
          execute format('insert into %1$s (%2$s) overriding system value select %2$s from (select ($1::%1$s).*) x', e.of, columns) using e.before;
        end if;
      end loop;
      delete from undo.log;
      return coalesce(written, '{}');
    end $$;`);
  // One table at a time: who has several in hand meets the service, which takes them in its own order.
  await pool.query(
    'create trigger hold before insert on graphile_worker._private_jobs for each row execute function undo.hold()',
  );
  const tables = await pool.query<{ name: string }>(`
    select oid::regclass::text as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition and relname !~ '^(journal|kysely)_'`);
  for (const { name } of tables.rows) {
    await pool.query(
      `create trigger undo after insert or update or delete on ${name} for each row execute function undo.note()`,
    );
  }
  return {
    async back() {
      const { rows } = await pool.query('select exists (select from undo.log) as written');
      if (rows[0].written === false) return [];
      return until(async () => {
        try {
          return (await pool.query('select undo.back() as tables')).rows[0].tables as string[];
        } catch (error) {
          if (error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE) return undefined;
          throw error;
        }
      });
    },
    async keep() {
      await pool.query('delete from undo.log');
    },
  };
}
