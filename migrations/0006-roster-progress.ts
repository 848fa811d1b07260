import { sql, type Kysely } from 'kysely';

/** Imports of any size: uploads in pieces, progress that is seen from outside, cancelling, and the rows that were refused. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table roster_imports
      add column end_missing boolean,
      add column people_missing integer not null default 0,
      drop constraint roster_imports_state_check,
      add constraint roster_imports_state_check check (state in ('queued', 'applied', 'checked', 'refused', 'cancelled'))`.execute(
    db,
  );
  await sql`comment on column roster_imports.end_missing is 'Whether people whom the file leaves out are taken to have left; null: as the file itself says.'`.execute(
    db,
  );

  await sql`
    alter table roster_import_files
      add column position integer not null default 0,
      drop constraint roster_import_files_pkey,
      add primary key (import_id, name, position)`.execute(db);
  await sql`alter table roster_import_files alter column content set storage external`.execute(db);
  await sql`comment on table roster_import_files is 'Uploads in pieces. They hold identity numbers in the clear: gone when the import is applied, and a day after it was checked, cancelled or refused.'`.execute(
    db,
  );

  await sql`
    create table roster_progress (
      import_id bigint primary key references roster_imports on delete cascade,
      phase text not null check (phase in ('reading', 'matching', 'writing', 'counting')),
      rows_done integer not null default 0,
      rows_total integer not null default 0,
      phase_began_at timestamptz not null,
      told_at timestamptz not null
    )`.execute(db);
  await sql`comment on table roster_progress is 'How far an import is, told outside of its transaction.'`.execute(
    db,
  );
  await sql`
    create table roster_cancellations (
      import_id bigint primary key references roster_imports on delete cascade,
      requested_by bigint not null references people,
      requested_at timestamptz not null
    )`.execute(db);

  await sql`
    create table roster_refused_rows (
      import_id bigint not null references roster_imports on delete cascade,
      file text not null,
      line integer not null,
      cells text[] not null,
      primary key (import_id, file, line)
    )`.execute(db);
  await sql`comment on table roster_refused_rows is 'Rows with a refusal as they stood in the file, identity numbers masked, and each file''s header: what a corrected file is made from.'`.execute(
    db,
  );
}
