import { sql, type Kysely } from 'kysely';

/** Sessions know how they came and when they were last used; access tokens for programs; sign-ins that are under way at an issuer. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table sessions
      add column id bigint generated always as identity unique,
      add column way text not null default 'sample' check (way in ('sample', 'oidc', 'lti')),
      add column issuer text,
      add column last_used_at timestamptz,
      add check (octet_length(token_hash) = 32),
      add check (way <> 'oidc' or issuer is not null)`.execute(db);
  await sql`update sessions set last_used_at = created_at`.execute(db);
  await sql`alter table sessions alter column last_used_at set not null, alter column way drop default`.execute(
    db,
  );
  await sql`comment on column sessions.issuer is 'Who vouched for the person. A session ends with the trust in its issuer.'`.execute(
    db,
  );
  await sql`comment on column sessions.last_used_at is 'Coarse: written at most once a minute.'`.execute(db);

  await sql`
    create table access_tokens (
      id bigint generated always as identity primary key,
      token_hash bytea not null unique check (octet_length(token_hash) = 32),
      person_id bigint not null references people,
      name text not null check (length(name) between 1 and 100),
      permissions text[] not null check (cardinality(permissions) > 0),
      division_code text references divisions,
      organization_id bigint references organizations,
      created_at timestamptz not null,
      expires_at timestamptz not null check (expires_at > created_at and expires_at <= created_at + interval '366 days'),
      last_used_at timestamptz,
      revoked_at timestamptz,
      revoked_by bigint references people,
      check (division_code is null or organization_id is null),
      check ((revoked_at is null) = (revoked_by is null))
    )`.execute(db);
  await sql`comment on table access_tokens is 'For programs that act for a person: never more than the person''s grants of the moment, cut to the token''s permissions and unit.'`.execute(
    db,
  );
  await sql`comment on column access_tokens.permissions is 'Of those in src/people/permission.ts, and ''self'': to act as the teacher oneself. One that is no longer known permits nothing.'`.execute(
    db,
  );
  await sql`comment on column access_tokens.last_used_at is 'Coarse: written at most once a minute.'`.execute(
    db,
  );
  await sql`create index on access_tokens (person_id, id)`.execute(db);

  await sql`
    create table sign_in_attempts (
      state_hash bytea primary key check (octet_length(state_hash) = 32),
      browser_hash bytea not null check (octet_length(browser_hash) = 32),
      issuer text not null,
      return_to text not null check (return_to like '/%'),
      expires_at timestamptz not null
    )`.execute(db);
  await sql`comment on table sign_in_attempts is 'Who has gone to an issuer and is awaited back, once. The secrets of the attempt stay in the browser''s cookie.'`.execute(
    db,
  );
  await sql`create index on sign_in_attempts (expires_at)`.execute(db);
  // Every request with an issuer's token asks it.
  await sql`create index on people (staff_number) where staff_number is not null`.execute(db);
}
