import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { registrationColumns, toRegistration, type RegistrationRow } from './registration.repository.ts';
import type { LtiRegistration } from './registration.ts';
import type { LtiContext, LtiRoster, RosterFailure } from './roster.ts';

/** Contexts of a registration that its launches named a roster of, by what they were called last. */
export async function listContexts(db: Executor, registrationId: string): Promise<LtiContext[]> {
  const { rows } = await sql<{ deployment_id: string; context_id: string; context_title: string | null }>`
    select distinct on (k.deployment_id, k.context_id) k.deployment_id, k.context_id, k.context_title
    from lti_resource_links k join lti_deployments d on d.id = k.deployment_id
    where d.registration_id = ${registrationId}::bigint and d.state = 'open' and k.context_id is not null and k.memberships_url is not null
    order by k.deployment_id, k.context_id, k.seen_at desc limit 500`.execute(db);
  return rows.map((row) => ({
    deploymentKey: row.deployment_id,
    contextId: row.context_id,
    contextTitle: row.context_title,
  }));
}

/** Asks for one, or for one that was given up again. */
export async function saveRoster(
  tx: Executor,
  given: { deploymentKey: string; contextId: string; by: string; at: Date },
): Promise<string> {
  const { rows } = await sql<{ id: string }>`
    insert into lti_rosters (deployment_id, context_id, asked_by, asked_at) values (${given.deploymentKey}::bigint, ${given.contextId}, ${given.by}::bigint, ${given.at})
    on conflict (deployment_id, context_id) do update set asked_by = excluded.asked_by, asked_at = excluded.asked_at, kept = true
    returning id`.execute(tx);
  return rows[0]!.id;
}

export async function giveUpRoster(tx: Executor, id: string): Promise<void> {
  await tx.updateTable('lti_rosters').set({ kept: false }).where('id', '=', id).execute();
}

const rosters = sql`
  select o.id, o.context_id, o.kept, o.read_at, o.failure, o.failed_at, d.registration_id, r.division_code,
    (select k.context_title from lti_resource_links k where k.deployment_id = o.deployment_id and k.context_id = o.context_id order by k.seen_at desc limit 1) as context_title,
    (select count(*)::int from lti_members m join lti_accounts a on a.id = m.account_id where m.roster_id = o.id and m.active and a.state = 'linked') as linked,
    (select count(*)::int from lti_members m join lti_accounts a on a.id = m.account_id where m.roster_id = o.id and m.active and a.state = 'waiting') as waiting,
    (select count(*)::int from lti_members m where m.roster_id = o.id and not m.active) as gone
  from lti_rosters o join lti_deployments d on d.id = o.deployment_id join lti_registrations r on r.id = d.registration_id`;
interface RosterRow {
  id: string;
  context_id: string;
  kept: boolean;
  read_at: Date | null;
  failure: string | null;
  failed_at: Date | null;
  registration_id: string;
  division_code: string;
  context_title: string | null;
  linked: number;
  waiting: number;
  gone: number;
}
const toRoster = (row: RosterRow): LtiRoster => ({
  id: row.id,
  registrationId: row.registration_id,
  divisionCode: row.division_code,
  contextTitle: row.context_title,
  rosterContextId: row.context_id,
  kept: row.kept,
  readAt: row.read_at,
  failure: row.failure as RosterFailure | null,
  failedAt: row.failed_at,
  linked: row.linked,
  waiting: row.waiting,
  gone: row.gone,
});

export async function findRoster(db: Executor, id: string): Promise<LtiRoster | undefined> {
  const { rows } = await sql<RosterRow>`${rosters} where o.id = ${id}::bigint`.execute(db);
  return rows[0] === undefined ? undefined : toRoster(rows[0]);
}

export async function listRosters(db: Executor, registrationId: string): Promise<LtiRoster[]> {
  const { rows } =
    await sql<RosterRow>`${rosters} where d.registration_id = ${registrationId}::bigint order by o.id limit 500`.execute(
      db,
    );
  return rows.map(toRoster);
}

/** Those that are read each day. */
export async function listKeptRosters(db: Executor): Promise<string[]> {
  const rows = await db
    .selectFrom('lti_rosters')
    .select('id')
    .where('kept', '=', true)
    .orderBy('id')
    .execute();
  return rows.map(({ id }) => id);
}

export interface Readable {
  readonly registration: LtiRegistration;
  readonly open: boolean;
  readonly membershipsUrl: string | null;
  /** Of a link in the context, `resource_link.id` on the platform. */
  readonly platformLinkId: string | null;
  readonly differencesUrl: string | null;
}

/** Takes it, so that nobody else reads it for a while. */
export async function takeRoster(
  db: Executor,
  id: string,
  { now, until }: { now: Date; until: Date },
): Promise<Readable | undefined> {
  const { rows } = await sql<
    RegistrationRow & {
      open: boolean;
      memberships_url: string | null;
      platform_link_id: string | null;
      differences_url: string | null;
    }
  >`
    with taken as (
      update lti_rosters set leased_until = ${until} where id = ${id}::bigint and kept and (leased_until is null or leased_until <= ${now}) returning *
    )
    select d.state = 'open' and r.ended_at is null as open, k.memberships_url, k.resource_link_id as platform_link_id, t.differences_url, ${registrationColumns}
    from taken t join lti_deployments d on d.id = t.deployment_id join lti_registrations r on r.id = d.registration_id
      left join lateral (select * from lti_resource_links k where k.deployment_id = t.deployment_id and k.context_id = t.context_id and k.memberships_url is not null
        order by k.seen_at desc limit 1) k on true`.execute(db);
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        registration: toRegistration(row),
        open: row.open,
        membershipsUrl: row.memberships_url,
        platformLinkId: row.platform_link_id,
        differencesUrl: row.differences_url,
      };
}

export async function saveMember(
  db: Executor,
  given: { rosterId: string; accountId: string; at: Date },
): Promise<void> {
  await db
    .insertInto('lti_members')
    .values({ roster_id: given.rosterId, account_id: given.accountId, active: true, seen_at: given.at })
    .onConflict((conflict) =>
      conflict.columns(['roster_id', 'account_id']).doUpdateSet({ active: true, seen_at: given.at }),
    )
    .execute();
}

/** Those of whom a platform says that they are there no more. */
export async function endMembers(
  db: Executor,
  of: { rosterId: string; registrationId: string; subjects: readonly string[]; at: Date },
): Promise<void> {
  await sql`
    update lti_members m set active = false, seen_at = ${of.at} from lti_accounts a
    where m.roster_id = ${of.rosterId}::bigint and m.active and a.id = m.account_id and a.registration_id = ${of.registrationId}::bigint and a.subject = any(${[...of.subjects]}::text[])`.execute(
    db,
  );
}

/** After all of it was read: those who were not in it. */
export async function endMembersUnseen(db: Executor, of: { rosterId: string; before: Date }): Promise<void> {
  await sql`update lti_members set active = false where roster_id = ${of.rosterId}::bigint and active and seen_at < ${of.before}`.execute(
    db,
  );
}

export async function settleRoster(
  db: Executor,
  id: string,
  given:
    | { readAt: Date; differencesUrl: string | null }
    | { failure: RosterFailure; failedAt: Date; forgetDifferences: boolean },
): Promise<void> {
  await db
    .updateTable('lti_rosters')
    .set(
      'readAt' in given
        ? {
            leased_until: null,
            read_at: given.readAt,
            differences_url: given.differencesUrl,
            failure: null,
            failed_at: null,
          }
        : {
            leased_until: null,
            failure: given.failure,
            failed_at: given.failedAt,
            ...(given.forgetDifferences ? { differences_url: null } : {}),
          },
    )
    .where('id', '=', id)
    .execute();
}

/** People who are learners there now, as far as it is known who they are. */
export async function listMemberPeople(db: Executor, rosterId: string): Promise<string[]> {
  const { rows } = await sql<{ person_id: string }>`
    select distinct a.person_id from lti_members m join lti_accounts a on a.id = m.account_id
    where m.roster_id = ${rosterId}::bigint and m.active and a.state = 'linked' order by 1`.execute(db);
  return rows.map((row) => row.person_id);
}
