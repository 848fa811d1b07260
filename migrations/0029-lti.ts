import { sql, type Kysely } from 'kysely';

/** Learning platforms (LTI 1.3): which are registered, who comes from them, and what they opened. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table lti_registrations (
      id bigint generated always as identity primary key,
      division_code text not null references divisions,
      name text not null check (length(name) between 1 and 100),
      platform text not null check (length(platform) between 1 and 40),
      issuer text not null check (length(issuer) between 1 and 500),
      client_id text not null check (length(client_id) between 1 and 255),
      auth_url text not null,
      token_url text,
      token_audience text,
      key_set_url text not null,
      frame_origins text[] not null default '{}',
      person_claim text not null check (person_claim in ('person_sourcedid', 'custom', 'email')),
      custom_parameter text check (length(custom_parameter) between 1 and 100),
      way text not null check (way in ('manual', 'dynamic')),
      registered_by bigint references people,
      registered_at timestamptz not null,
      ended_by bigint references people,
      ended_at timestamptz,
      check ((person_claim = 'custom') = (custom_parameter is not null)),
      check ((ended_at is null) = (ended_by is null))
    )`.execute(db);
  await sql`comment on table lti_registrations is 'A platform that may send people here. Issuer and client_id together name it: several platforms have the same client_id.'`.execute(
    db,
  );
  await sql`comment on column lti_registrations.platform is 'Which product it is, by a key of src/lti/platforms.ts; other where nobody knows.'`.execute(
    db,
  );
  await sql`comment on column lti_registrations.token_audience is 'aud of what asks for an access token, where that is not token_url.'`.execute(
    db,
  );
  await sql`comment on column lti_registrations.frame_origins is 'Origins besides those of its own addresses from which its launches were seen to be framed, or which somebody entered.'`.execute(
    db,
  );
  await sql`create unique index lti_registrations_one on lti_registrations (issuer, client_id) where ended_at is null`.execute(
    db,
  );
  await sql`create index on lti_registrations (division_code)`.execute(db);

  await sql`
    create table lti_deployments (
      id bigint generated always as identity primary key,
      registration_id bigint not null references lti_registrations,
      deployment_id text not null check (length(deployment_id) between 1 and 255),
      state text not null check (state in ('waiting', 'open', 'closed')),
      created_at timestamptz not null,
      unique (registration_id, deployment_id)
    )`.execute(db);
  await sql`comment on column lti_deployments.state is 'waiting: a launch named it, and an operator has to say whether it is taken.'`.execute(
    db,
  );

  await sql`
    create table lti_invitations (
      id bigint generated always as identity primary key,
      token_hash bytea not null unique check (octet_length(token_hash) = 32),
      division_code text not null references divisions,
      name text not null check (length(name) between 1 and 100),
      person_claim text not null check (person_claim in ('person_sourcedid', 'custom', 'email')),
      custom_parameter text check (length(custom_parameter) between 1 and 100),
      invited_by bigint not null references people,
      created_at timestamptz not null,
      expires_at timestamptz not null check (expires_at > created_at),
      taken_at timestamptz,
      registration_id bigint references lti_registrations,
      check ((person_claim = 'custom') = (custom_parameter is not null))
    )`.execute(db);
  await sql`comment on table lti_invitations is 'Each lets one platform register itself, once.'`.execute(db);

  await sql`
    create table lti_keys (
      id bigint generated always as identity primary key,
      kid text not null unique,
      public_jwk jsonb not null,
      sealed bytea not null,
      created_at timestamptz not null,
      signs_from timestamptz not null,
      published_until timestamptz
    )`.execute(db);
  await sql`comment on table lti_keys is 'Our own keys. The one that signs is that of the latest signs_from which is not to come; platforms are shown those before and after it too.'`.execute(
    db,
  );
  await sql`comment on column lti_keys.sealed is 'The private key (PKCS #8), encrypted with CONTACT_KEYS.'`.execute(
    db,
  );

  await sql`
    create table lti_logins (
      state_hash bytea primary key check (octet_length(state_hash) = 32),
      browser_hash bytea not null check (octet_length(browser_hash) = 32),
      nonce_hash bytea not null unique check (octet_length(nonce_hash) = 32),
      registration_id bigint not null references lti_registrations,
      sealed bytea not null,
      expires_at timestamptz not null,
      used_at timestamptz
    )`.execute(db);
  await sql`comment on table lti_logins is 'Who was sent to a platform and is awaited back, once. What the browser has to show is not in it.'`.execute(
    db,
  );
  await sql`comment on column lti_logins.sealed is 'How the platform began it, to begin again in a window of its own; encrypted, since it may name somebody.'`.execute(
    db,
  );
  await sql`create index on lti_logins (expires_at)`.execute(db);

  await sql`
    create table lti_accounts (
      id bigint generated always as identity primary key,
      registration_id bigint not null references lti_registrations,
      subject text not null check (length(subject) between 1 and 255),
      state text not null check (state in ('waiting', 'linked', 'refused')),
      person_id bigint references people,
      doubt text check (doubt in ('no-claim', 'nobody', 'several', 'name-differs', 'taken', 'unverified')),
      told_name text,
      told_identifier text,
      created_at timestamptz not null,
      seen_at timestamptz not null,
      decided_by bigint references people,
      decided_at timestamptz,
      unique (registration_id, subject),
      check ((state = 'linked') = (person_id is not null)),
      check (state = 'waiting' or (told_name is null and told_identifier is null))
    )`.execute(db);
  await sql`comment on table lti_accounts is 'Somebody on a platform, and who it is here. Two platforms may lead to one person.'`.execute(
    db,
  );
  await sql`comment on column lti_accounts.doubt is 'Why no link was made by itself; stays after the decision.'`.execute(
    db,
  );
  await sql`comment on column lti_accounts.decided_by is 'null: linked by the claim that the registration says.'`.execute(
    db,
  );
  await sql`create index on lti_accounts (person_id) where person_id is not null`.execute(db);
  await sql`create index on lti_accounts (registration_id, id) where state = 'waiting'`.execute(db);

  await sql`
    create table lti_resource_links (
      id bigint generated always as identity primary key,
      deployment_id bigint not null references lti_deployments,
      resource_link_id text not null check (length(resource_link_id) between 1 and 255),
      context_id text,
      context_title text,
      title text,
      line_item_url text,
      line_items_url text,
      grade_scopes text[] not null default '{}',
      memberships_url text,
      seen_at timestamptz not null,
      unique (deployment_id, resource_link_id)
    )`.execute(db);
  await sql`comment on table lti_resource_links is 'Where a course is linked on a platform, and what services the platform named there, as its last launch said.'`.execute(
    db,
  );

  await sql`
    create table lti_launches (
      account_id bigint not null references lti_accounts,
      resource_link_id bigint not null references lti_resource_links,
      assignment_id bigint references assignments,
      activity_key text,
      roles text[] not null,
      first_at timestamptz not null,
      last_at timestamptz not null,
      primary key (account_id, resource_link_id)
    )`.execute(db);
  await sql`comment on table lti_launches is 'Who opened what from where: to whom a grade of the assignment is to be told, and at which link.'`.execute(
    db,
  );
  await sql`comment on column lti_launches.roles is 'Short names, of the context, as the last launch said.'`.execute(
    db,
  );
  await sql`create index on lti_launches (assignment_id) where assignment_id is not null`.execute(db);

  await sql`
    create table lti_arrivals (
      code_hash bytea primary key check (octet_length(code_hash) = 32),
      account_id bigint not null references lti_accounts,
      assignment_id bigint references assignments,
      activity_key text,
      missing_course text,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`comment on table lti_arrivals is 'Launches whose page has not asked for its session yet: it has a minute, and once.'`.execute(
    db,
  );
  await sql`comment on column lti_arrivals.missing_course is 'The course that was to be opened, where the person has no assignment of it.'`.execute(
    db,
  );
  await sql`create index on lti_arrivals (expires_at)`.execute(db);
}
