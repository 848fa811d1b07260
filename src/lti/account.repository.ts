import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { AccountState, LtiAccount } from './account.ts';
import type { DeploymentState } from './registration.ts';
import type { AccountDoubt, Candidate } from './who.ts';

interface Row {
  id: string;
  registration_id: string;
  subject: string;
  state: string;
  person_id: string | null;
  doubt: string | null;
  told_name: string | null;
  told_identifier: string | null;
  created_at: Date;
  seen_at: Date;
  decided_by: string | null;
  decided_at: Date | null;
}

function toAccount(row: Row): LtiAccount {
  return {
    id: row.id,
    registrationId: row.registration_id,
    subject: row.subject,
    accountState: row.state as AccountState,
    personId: row.person_id,
    doubt: row.doubt as AccountDoubt | null,
    toldName: row.told_name,
    toldIdentifier: row.told_identifier,
    createdAt: row.created_at,
    seenAt: row.seen_at,
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
  };
}

/** A launch's deployment, its account and the person's assignment of a course, as far as they are there. */
export interface Standing {
  readonly deployment: { readonly id: string; readonly state: DeploymentState } | undefined;
  readonly account: { readonly id: string; readonly state: AccountState } | undefined;
  readonly assignmentId: string | undefined;
}

export interface StandingOf {
  readonly registrationId: string;
  readonly deploymentId: string;
  readonly subject: string;
  readonly course: string | null;
}

export interface StandingRow {
  deployment: string | null;
  deployment_state: string | null;
  account: string | null;
  account_state: string | null;
  account_person: string | null;
  assignment_id: string | null;
}

/** One row, whatever is there. */
export const standingOf = (of: StandingOf) => sql<StandingRow>`
  select d.id as deployment, d.state as deployment_state, a.id as account, a.state as account_state, a.person_id as account_person,
    (select s.id from assignments s join certifications c on c.id = s.certification_id
      where s.person_id = a.person_id
        and case when s.period > 1 then coalesce(c.renewal_course_slug, c.course_slug) else c.course_slug end = ${of.course}::text order by s.period desc, s.id desc limit 1) as assignment_id
  from (values (1)) one
  left join lti_deployments d on d.registration_id = ${of.registrationId}::bigint and d.deployment_id = ${of.deploymentId}
  left join lti_accounts a on a.registration_id = ${of.registrationId}::bigint and a.subject = ${of.subject}`;

export function toStanding(row: StandingRow): Standing {
  return {
    deployment:
      row.deployment === null
        ? undefined
        : { id: row.deployment, state: row.deployment_state as DeploymentState },
    account: row.account === null ? undefined : { id: row.account, state: row.account_state as AccountState },
    assignmentId: row.assignment_id ?? undefined,
  };
}

export async function findStanding(db: Executor, of: StandingOf): Promise<Standing> {
  const { rows } = await sql<StandingRow>`${prepared} ${standingOf(of)}`.execute(db);
  return toStanding(rows[0]!);
}

/** Who works in a division on a day: holds a post there, or a grant. */
const worksIn = (division: string, day: string) => sql`(
  exists (
    select from posts t join organizations o on o.id = t.organization_id
    where t.person_id = p.id and t.starts_on <= ${day}::date and (t.ends_on is null or t.ends_on >= ${day}::date)
    and ${division} in (o.province_code, o.prefecture_code, o.county_code))
  or exists (
    select from role_grants g left join organizations o on o.id = g.organization_id left join divisions d on d.code = g.division_code
    where g.person_id = p.id and g.revoked_at is null and g.starts_on <= ${day}::date and (g.ends_on is null or g.ends_on >= ${day}::date)
    and ${division} in (o.province_code, o.prefecture_code, o.county_code, d.province_code, d.prefecture_code, d.county_code)))`;

export interface Among {
  readonly divisionCode: string;
  readonly day: string;
  readonly limit: number;
}

export async function listByNumber(
  db: Executor,
  staffNumber: string,
  { divisionCode, day, limit }: Among,
): Promise<Candidate[]> {
  const { rows } = await sql<{ id: string; name: string }>`
    select p.id, p.name from people p where p.staff_number = ${staffNumber} and p.erased_at is null and ${worksIn(divisionCode, day)}
    order by p.id limit ${limit}`.execute(db);
  return rows.map((row) => ({ personId: row.id, name: row.name }));
}

export async function listByName(
  db: Executor,
  names: readonly string[],
  { divisionCode, day, limit }: Among,
): Promise<Candidate[]> {
  if (names.length === 0) return [];
  const { rows } = await sql<{ id: string; name: string }>`
    select p.id, p.name from people p where p.name = any(${names}::text[]) and p.erased_at is null and ${worksIn(divisionCode, day)}
    order by p.id limit ${limit}`.execute(db);
  return rows.map((row) => ({ personId: row.id, name: row.name }));
}

/** Whether another account of the platform is this person already. */
export async function isTaken(
  db: Executor,
  of: { registrationId: string; subject: string; personId: string },
): Promise<boolean> {
  const row = await db
    .selectFrom('lti_accounts')
    .select('id')
    .where('registration_id', '=', of.registrationId)
    .where('person_id', '=', of.personId)
    .where('subject', '<>', of.subject)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** What a launch found out of an account that is not linked. One that somebody decided meanwhile stays as it is. */
export async function saveAccount(
  tx: Executor,
  given: {
    registrationId: string;
    subject: string;
    personId: string | null;
    doubt: AccountDoubt | null;
    toldName: string | null;
    toldIdentifier: string | null;
    at: Date;
  },
): Promise<{ id: string; state: AccountState; personId: string | null; linkedNow: boolean }> {
  const state = given.personId === null ? 'waiting' : 'linked';
  const waits = state === 'waiting';
  const { rows } = await sql<{ id: string }>`
    insert into lti_accounts (registration_id, subject, state, person_id, doubt, told_name, told_identifier, created_at, seen_at, decided_at)
    values (${given.registrationId}::bigint, ${given.subject}, ${state}, ${given.personId}::bigint, ${given.doubt}, ${waits ? given.toldName : null}, ${waits ? given.toldIdentifier : null},
      ${given.at}, ${given.at}, ${waits ? null : given.at}::timestamptz)
    on conflict (registration_id, subject) do update set state = excluded.state, person_id = excluded.person_id, doubt = excluded.doubt, told_name = excluded.told_name,
      told_identifier = excluded.told_identifier, seen_at = excluded.seen_at, decided_at = excluded.decided_at
    where lti_accounts.state = 'waiting' returning id`.execute(tx);
  const { rows: now } = await sql<{ id: string; state: AccountState; person_id: string | null }>`
    select id, state, person_id from lti_accounts where registration_id = ${given.registrationId}::bigint and subject = ${given.subject}`.execute(
    tx,
  );
  const row = now[0]!;
  return {
    id: row.id,
    state: row.state,
    personId: row.person_id,
    linkedNow: !waits && rows.length === 1,
  };
}

export async function findAccount(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<LtiAccount | undefined> {
  const row = await db
    .selectFrom('lti_accounts')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : toAccount(row);
}

/** Those of registrations of a division and all below it, the oldest first. */
export async function listAccounts(
  db: Executor,
  { divisionCode, state }: { divisionCode: string; state: AccountState },
  page: { after: string | undefined; limit: number },
): Promise<LtiAccount[]> {
  const { rows } = await sql<Row>`
    select a.* from lti_accounts a join lti_registrations r on r.id = a.registration_id join divisions d on d.code = r.division_code
    where a.state = ${state} and r.ended_at is null and ${divisionCode} in (d.province_code, d.prefecture_code, d.county_code)
      and a.id > ${page.after ?? '0'}::bigint
    order by a.id limit ${page.limit}`.execute(db);
  return rows.map(toAccount);
}

/** What it was told of is of no more use. */
export async function decideAccount(
  tx: Executor,
  id: string,
  given: { personId: string | null; by: string; at: Date },
): Promise<void> {
  await tx
    .updateTable('lti_accounts')
    .set({
      state: given.personId === null ? 'refused' : 'linked',
      person_id: given.personId,
      told_name: null,
      told_identifier: null,
      decided_by: given.by,
      decided_at: given.at,
    })
    .where('id', '=', id)
    .execute();
}

/** Whether somebody works in a division on a day. */
export async function findInDivision(
  db: Executor,
  personId: string,
  { divisionCode, day }: { divisionCode: string; day: string },
): Promise<Candidate | undefined> {
  const { rows } = await sql<{ id: string; name: string }>`
    select p.id, p.name from people p where p.id = ${personId}::bigint and p.erased_at is null and ${worksIn(divisionCode, day)}`.execute(
    db,
  );
  return rows[0] === undefined ? undefined : { personId: rows[0].id, name: rows[0].name };
}
