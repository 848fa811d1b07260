import { sql, type Kysely } from 'kysely';

/** What became of organizations: renamed, moved, closed, merged, each from a day on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table organizations
      add column merged_into_id bigint references organizations,
      add column merged_on date,
      add check ((merged_into_id is null) = (merged_on is null)),
      add check (merged_into_id <> id)`.execute(db);
  await sql`comment on column organizations.merged_into_id is 'The one that took it over and still stands: after a chain of merges, the last.'`.execute(
    db,
  );
  await sql`comment on column organizations.merged_on is 'From this day on, what a roster says of it is said of that one.'`.execute(
    db,
  );
  await sql`create index on organizations (merged_into_id) where merged_into_id is not null`.execute(db);
  await sql`
    create table organization_changes (
      id bigint generated always as identity primary key,
      organization_id bigint not null references organizations,
      kind text not null check (kind in ('renamed', 'moved', 'closed', 'reopened', 'merged')),
      changed_on date not null,
      before text,
      after text,
      recorded_at timestamptz not null default now()
    )`.execute(db);
  await sql`comment on table organization_changes is 'Appended to and never changed. changed_on is the first day of how it is afterwards; before and after are names (renamed) or division codes (moved), after an organization''s id (merged).'`.execute(
    db,
  );
  await sql`create index on organization_changes (organization_id, changed_on)`.execute(db);
}
