import { sql, type RawBuilder } from 'kysely';
import type { Executor } from '../db/database.ts';
import { preparedAlone } from '../db/prepared.ts';
import {
  standingOf,
  toStanding,
  type Standing,
  type StandingOf,
  type StandingRow,
} from './account.repository.ts';
import type { ResourceLink } from './launch.ts';
import type { ContextRole } from './roles.ts';

/**
 * A launch that is right: where its account is linked in a deployment that is open, keeps what was opened from where, and a code for the page's
 * session; in any case tells how it stands. One statement.
 */
export async function arrive(
  db: Executor,
  of: StandingOf,
  given: {
    link: ResourceLink;
    moduleKey: string | null;
    activityKey: string | null;
    moduleColumns: boolean;
    roles: readonly ContextRole[];
    codeHash: Buffer;
    at: Date;
    expiresAt: Date;
  },
): Promise<Standing> {
  const { link } = given;
  const { rows } = await sql<StandingRow>`
    ${preparedAlone} with standing as materialized (${standingOf(of)}), good as materialized (
      select * from standing where deployment_state = 'open' and account_state = 'linked'
    ), linked as (
      insert into lti_resource_links (deployment_id, resource_link_id, context_id, context_title, title, line_item_url, line_items_url, grade_scopes, memberships_url, module_columns, seen_at)
      select deployment, ${link.id}::text, ${link.contextId}::text, ${link.contextTitle}::text, ${link.title}::text, ${link.lineItemUrl}::text, ${link.lineItemsUrl}::text,
        ${[...link.gradeScopes]}::text[], ${link.membershipsUrl}::text, ${given.moduleColumns}::boolean, ${given.at}::timestamptz from good
      on conflict (deployment_id, resource_link_id) do update set context_id = excluded.context_id, context_title = excluded.context_title, title = excluded.title,
        line_item_url = excluded.line_item_url, line_items_url = excluded.line_items_url, grade_scopes = excluded.grade_scopes,
        memberships_url = excluded.memberships_url, module_columns = excluded.module_columns, seen_at = excluded.seen_at
      returning id
    ), launched as (
      insert into lti_launches as known (account_id, resource_link_id, assignment_id, module_key, activity_key, roles, first_at, last_at)
      select account, linked.id, assignment_id, case when assignment_id is not null then ${given.moduleKey}::text end,
        case when assignment_id is not null then ${given.activityKey}::text end, ${[...given.roles]}::text[], ${given.at}::timestamptz, ${given.at}::timestamptz from good, linked
      on conflict (account_id, resource_link_id) do update set assignment_id = coalesce(excluded.assignment_id, known.assignment_id),
        module_key = excluded.module_key, activity_key = excluded.activity_key, roles = excluded.roles, last_at = excluded.last_at
    ), arrived as (
      insert into lti_arrivals (code_hash, account_id, assignment_id, activity_key, missing_course, expires_at)
      select ${given.codeHash}::bytea, account, assignment_id, case when assignment_id is not null then ${given.activityKey}::text end,
        case when assignment_id is null then ${of.course}::text end, ${given.expiresAt}::timestamptz from good
    )
    select * from standing`.execute(db);
  return toStanding(rows[0]!);
}

/** Whose page it is that comes with a code. */
export interface Arrived {
  readonly person_id: string;
  readonly issuer: string;
  readonly assignment_id: string | null;
  readonly activity_key: string | null;
  readonly missing_course: string | null;
}

/** Takes an arrival out, so that it is used once; to be a part of the statement that opens its session. */
export function takenArrival(codeHash: Buffer, now: Date): RawBuilder<Arrived> {
  return sql<Arrived>`
    delete from lti_arrivals v using lti_accounts a, lti_registrations r
    where v.code_hash = ${codeHash} and v.expires_at > ${now} and a.id = v.account_id and a.person_id is not null
      and r.id = a.registration_id and r.ended_at is null
    returning a.person_id, r.issuer, v.assignment_id, v.activity_key, v.missing_course`;
}

export async function deleteArrivals(db: Executor, before: Date): Promise<void> {
  await db.deleteFrom('lti_arrivals').where('expires_at', '<=', before).execute();
}
