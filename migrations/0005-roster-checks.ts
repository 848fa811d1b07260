import { sql, type Kysely } from 'kysely';

/** Imports that only tell what they would do, and imports that would end more than they may. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table roster_imports
      add column dry_run boolean not null default false,
      add column most_ended numeric not null default 0.2 check (most_ended between 0 and 1),
      add column posts_ended integer not null default 0,
      drop constraint roster_imports_state_check,
      add constraint roster_imports_state_check check (state in ('queued', 'applied', 'checked', 'refused'))`.execute(
    db,
  );
  await sql`comment on column roster_imports.most_ended is 'The share of open posts in the source that the import may end; above it, it is refused whole and asks.'`.execute(
    db,
  );
}
