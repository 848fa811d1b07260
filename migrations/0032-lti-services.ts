import { sql, type Kysely } from 'kysely';

/** What platforms are told and tell besides launches: grades, deep links, rosters; and courses that go out as packages. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table lti_launches add column module_key text`.execute(db);
  await sql`alter table lti_resource_links add column module_columns boolean not null default false`.execute(
    db,
  );
  await sql`comment on column lti_resource_links.module_columns is 'Whether each module of the course has a line item of its own, as the deep link asked for.'`.execute(
    db,
  );

  await sql`
    create table lti_grades (
      id bigint generated always as identity primary key,
      account_id bigint not null references lti_accounts,
      resource_link_id bigint not null references lti_resource_links,
      assignment_id bigint not null references assignments,
      owed boolean not null default true,
      again boolean not null default false,
      changes bigint not null default 1,
      leased_until timestamptz,
      failures integer not null default 0,
      retry_at timestamptz,
      failed_at timestamptz,
      failure text check (failure in ('unreachable', 'busy', 'token', 'refused', 'foreign')),
      failure_status integer,
      told_at timestamptz,
      sent_at timestamptz,
      unique (account_id, resource_link_id),
      check ((failed_at is null) = (failure is null))
    )`.execute(db);
  await sql`comment on table lti_grades is 'What a platform is to be told of somebody at one of its links: the outbox of grades. A trigger owes it, in the transaction of whatever was learned.'`.execute(
    db,
  );
  await sql`comment on column lti_grades.changes is 'How often it was owed: what is owed while it is being sent stays so.'`.execute(
    db,
  );
  await sql`comment on column lti_grades.again is 'Somebody asked for it to be sent although nothing has changed.'`.execute(
    db,
  );
  await sql`comment on column lti_grades.leased_until is 'Until then one worker is at it, so that the scores of a learner go out one after the other.'`.execute(
    db,
  );
  await sql`comment on column lti_grades.retry_at is 'null while owed is false and failed_at is not: it was refused, and is not tried again by itself.'`.execute(
    db,
  );
  await sql`comment on column lti_grades.told_at is 'Timestamp of the last score: the next is a second later at least.'`.execute(
    db,
  );
  await sql`create index on lti_grades (assignment_id)`.execute(db);
  await sql`create index on lti_grades (resource_link_id)`.execute(db);
  await sql`create index on lti_grades (failures, id) where owed`.execute(db);

  await sql`
    create table lti_scores (
      grade_id bigint not null references lti_grades on delete cascade,
      module_key text not null,
      score numeric,
      activity_progress text not null,
      grading_progress text not null,
      told_at timestamptz not null,
      primary key (grade_id, module_key)
    )`.execute(db);
  await sql`comment on table lti_scores is 'What a platform was told last, by line item; an empty module_key is the link’s own.'`.execute(
    db,
  );

  await sql`
    create table lti_line_items (
      resource_link_id bigint not null references lti_resource_links,
      module_key text not null,
      url text not null,
      primary key (resource_link_id, module_key)
    )`.execute(db);
  await sql`comment on table lti_line_items is 'Line items of modules, found or made in the container that a signed launch named.'`.execute(
    db,
  );

  await sql`
    create function owe_lti_grades() returns trigger language plpgsql as $$
    declare owed_to bigint;
    begin
      for owed_to in
        insert into lti_grades as g (account_id, resource_link_id, assignment_id)
        select l.account_id, l.resource_link_id, l.assignment_id
        from lti_launches l join lti_resource_links k on k.id = l.resource_link_id
          join lti_accounts a on a.id = l.account_id join assignments s on s.id = l.assignment_id and s.person_id = a.person_id
        where l.assignment_id = new.assignment_id and 'learner' = any(l.roles) and k.line_item_url is not null
        order by l.account_id, l.resource_link_id
        on conflict (account_id, resource_link_id) do update set assignment_id = excluded.assignment_id, owed = true, changes = g.changes + 1
        returning g.assignment_id
      loop
        perform owe('send-lti-grades', json_build_object('assignmentId', owed_to::text), 'send-lti-grades:' || owed_to, null);
      end loop;
      return null;
    end $$`.execute(db);
  await sql`create trigger owes_grades_begun after insert on activity_progress for each row execute function owe_lti_grades()`.execute(
    db,
  );
  await sql`create trigger owes_grades_done after update of completed_at on activity_progress for each row when (old.completed_at is distinct from new.completed_at) execute function owe_lti_grades()`.execute(
    db,
  );
  await sql`create trigger owes_grades after update of submitted_at on attempts for each row when (old.submitted_at is distinct from new.submitted_at) execute function owe_lti_grades()`.execute(
    db,
  );
  await sql`create trigger owes_grades_first after insert on lti_launches for each row when (new.assignment_id is not null) execute function owe_lti_grades()`.execute(
    db,
  );
  await sql`create trigger owes_grades_anew after update of assignment_id, roles, module_key, activity_key on lti_launches for each row
    when (new.assignment_id is not null and (old.assignment_id, old.roles, old.module_key, old.activity_key) is distinct from (new.assignment_id, new.roles, new.module_key, new.activity_key))
    execute function owe_lti_grades()`.execute(db);
  await sql`
    create function owe_lti_grades_of_link() returns trigger language plpgsql as $$
    declare owed_to bigint;
    begin
      delete from lti_scores s using lti_grades g where g.id = s.grade_id and g.resource_link_id = new.id;
      for owed_to in
        insert into lti_grades as g (account_id, resource_link_id, assignment_id)
        select l.account_id, l.resource_link_id, l.assignment_id from lti_launches l
          join lti_accounts a on a.id = l.account_id join assignments s on s.id = l.assignment_id and s.person_id = a.person_id
        where l.resource_link_id = new.id and 'learner' = any(l.roles) and new.line_item_url is not null
        order by l.account_id
        on conflict (account_id, resource_link_id) do update set assignment_id = excluded.assignment_id, owed = true, changes = g.changes + 1
        returning g.assignment_id
      loop
        perform owe('send-lti-grades', json_build_object('assignmentId', owed_to::text), 'send-lti-grades:' || owed_to, null);
      end loop;
      return null;
    end $$`.execute(db);
  await sql`create trigger owes_grades after update of line_item_url on lti_resource_links for each row when (old.line_item_url is distinct from new.line_item_url) execute function owe_lti_grades_of_link()`.execute(
    db,
  );

  await sql`
    create table lti_selections (
      code_hash bytea primary key check (octet_length(code_hash) = 32),
      registration_id bigint not null references lti_registrations,
      sealed bytea not null,
      expires_at timestamptz not null
    )`.execute(db);
  await sql`comment on table lti_selections is 'Deep links that somebody is choosing: each is answered once. What the platform sent is encrypted.'`.execute(
    db,
  );
  await sql`create index on lti_selections (expires_at)`.execute(db);

  await sql`
    create table lti_rosters (
      id bigint generated always as identity primary key,
      deployment_id bigint not null references lti_deployments,
      context_id text not null check (length(context_id) between 1 and 255),
      asked_by bigint not null references people,
      asked_at timestamptz not null,
      kept boolean not null default true,
      differences_url text,
      leased_until timestamptz,
      read_at timestamptz,
      failed_at timestamptz,
      failure text check (failure in ('unreachable', 'busy', 'token', 'refused', 'foreign', 'malformed', 'ended')),
      unique (deployment_id, context_id),
      check ((failed_at is null) = (failure is null))
    )`.execute(db);
  await sql`comment on table lti_rosters is 'Contexts of platforms whose members a coordinator asked for; read each day while they are kept.'`.execute(
    db,
  );

  await sql`
    create table lti_members (
      roster_id bigint not null references lti_rosters,
      account_id bigint not null references lti_accounts on delete cascade,
      active boolean not null,
      seen_at timestamptz not null,
      primary key (roster_id, account_id)
    )`.execute(db);
  await sql`comment on table lti_members is 'Learners of a context, by the account that each has on the platform.'`.execute(
    db,
  );
  await sql`create index on lti_members (account_id)`.execute(db);

  await sql`
    create table package_attempts (
      code_hash bytea primary key check (octet_length(code_hash) = 32),
      assignment_id bigint not null references assignments,
      origin text check (length(origin) <= 255),
      bound_at timestamptz not null
    )`.execute(db);
  await sql`comment on table package_attempts is 'Pages of course packages that asked for the results of an assignment, which its learner agreed to.'`.execute(
    db,
  );
  await sql`create index on package_attempts (assignment_id)`.execute(db);
}
