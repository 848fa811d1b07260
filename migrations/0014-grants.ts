import { sql, type Kysely } from 'kysely';

/** Roles that are given and ended by people, and certificates that come about outside of the earned path. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await grants(db);
  await requests(db);
  await certificates(db);
}

/** Nothing of a grant goes: who gave it, who ended it and why stays in its row. */
async function grants(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table role_grants
      add column granted_at timestamptz,
      add column ended_at timestamptz,
      add column ended_by bigint references people,
      add column end_reason text,
      add column revoked_at timestamptz,
      add check (btrim(reason) <> ''),
      add check (granted_by <> person_id),
      add check ((ended_at is null) = (end_reason is null)),
      add check (ended_by is null or ended_at is not null),
      add check (revoked_at is null or revoked_at = ended_at)`.execute(db);
  await sql`comment on column role_grants.granted_by is 'null: given at the shell, by whoever runs the service.'`.execute(
    db,
  );
  await sql`comment on column role_grants.granted_at is 'null: before it was written down.'`.execute(db);
  await sql`comment on column role_grants.ends_on is 'Last day, inclusive, in China; null: it stays until it is ended.'`.execute(
    db,
  );
  await sql`comment on column role_grants.ended_at is 'When somebody decided that it ends earlier than it was given for: on ends_on, or at once.'`.execute(
    db,
  );
  await sql`comment on column role_grants.revoked_at is 'Ended at once: from this instant it holds no more, whatever ends_on says.'`.execute(
    db,
  );
  await sql`create index on role_grants (division_code)`.execute(db);
  await sql`create index on role_grants (organization_id)`.execute(db);
}

/** What one issuer asks for and another decides. */
async function requests(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table issue_requests (
      id bigint generated always as identity primary key,
      path text not null check (path in ('manual', 'imported')),
      division_code text references divisions,
      organization_id bigint references organizations,
      reason text not null check (btrim(reason) <> ''),
      requested_by bigint not null references people,
      requested_at timestamptz not null,
      state text not null default 'waiting' check (state in ('waiting', 'approved', 'declined')),
      decided_by bigint references people,
      decided_at timestamptz,
      remark text,
      check ((division_code is null) <> (organization_id is null)),
      check (decided_by <> requested_by),
      check ((state = 'waiting') = (decided_by is null) and (state = 'waiting') = (decided_at is null)),
      check (state <> 'declined' or btrim(remark) <> '')
    )`.execute(db);
  await sql`comment on table issue_requests is 'Certificates that somebody wants issued without an exam of ours: one by hand, or old ones from a file. Another issuer decides, about all of it.'`.execute(
    db,
  );
  await sql`comment on column issue_requests.organization_id is 'Where the person worked when it was asked for; of a file the division_code instead.'`.execute(
    db,
  );
  await sql`create index on issue_requests (organization_id)`.execute(db);
  await sql`create index on issue_requests (division_code)`.execute(db);
  await sql`
    create table issue_request_rows (
      request_id bigint not null references issue_requests,
      line integer not null check (line > 0),
      person_id bigint not null references people,
      certification_id bigint not null references certifications,
      completed_on date not null,
      valid_until date check (valid_until >= completed_on),
      class_hours numeric not null check (class_hours >= 0),
      evidence text not null check (btrim(evidence) <> ''),
      old_number text,
      issuing_body text,
      primary key (request_id, line),
      unique (request_id, person_id, certification_id),
      check ((old_number is null) = (issuing_body is null))
    )`.execute(db);
  await sql`comment on column issue_request_rows.line is 'Of the file; 1 for a request by hand.'`.execute(db);
  await sql`comment on column issue_request_rows.completed_on is 'Of an old certificate the day of its issue.'`.execute(
    db,
  );
  await sql`create index on issue_request_rows (person_id, certification_id)`.execute(db);
  await sql`create index on issue_request_rows (old_number) where old_number is not null`.execute(db);
}

async function certificates(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table certificates
      add column path text not null default 'earned' check (path in ('earned', 'manual', 'imported')),
      add column request_id bigint references issue_requests,
      alter column assignment_id drop not null,
      alter column course_version_id drop not null,
      add check ((path = 'earned') = (assignment_id is not null)),
      add check ((path = 'earned') = (course_version_id is not null)),
      add check ((path = 'earned') = (request_id is null))`.execute(db);
  await sql`comment on column certificates.path is 'How it came about: earned by an assignment with its exam; manual or imported, by a request that a second person approved.'`.execute(
    db,
  );
  await sql`create index on certificates (request_id) where request_id is not null`.execute(db);
}
