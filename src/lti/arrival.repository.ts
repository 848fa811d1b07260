import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { preparedAlone } from '../db/prepared.ts';
import type { ResourceLink } from './launch.ts';
import type { ContextRole } from './roles.ts';

/** A launch that is right: keeps what was opened from where, and a code for the page's session, in one statement. */
export async function insertArrival(
  db: Executor,
  given: {
    deploymentId: string;
    link: ResourceLink;
    accountId: string;
    assignmentId: string | null;
    moduleKey: string | null;
    activityKey: string | null;
    moduleColumns: boolean;
    roles: readonly ContextRole[];
    codeHash: Buffer;
    missingCourse: string | null;
    at: Date;
    expiresAt: Date;
  },
): Promise<void> {
  const { link } = given;
  await sql`
    ${preparedAlone} with linked as (
      insert into lti_resource_links (deployment_id, resource_link_id, context_id, context_title, title, line_item_url, line_items_url, grade_scopes, memberships_url, module_columns, seen_at)
      values (${given.deploymentId}::bigint, ${link.id}, ${link.contextId}, ${link.contextTitle}, ${link.title}, ${link.lineItemUrl}, ${link.lineItemsUrl},
        ${[...link.gradeScopes]}::text[], ${link.membershipsUrl}, ${given.moduleColumns}, ${given.at}::timestamptz)
      on conflict (deployment_id, resource_link_id) do update set context_id = excluded.context_id, context_title = excluded.context_title, title = excluded.title,
        line_item_url = excluded.line_item_url, line_items_url = excluded.line_items_url, grade_scopes = excluded.grade_scopes,
        memberships_url = excluded.memberships_url, module_columns = excluded.module_columns, seen_at = excluded.seen_at
      returning id
    ), launched as (
      insert into lti_launches as known (account_id, resource_link_id, assignment_id, module_key, activity_key, roles, first_at, last_at)
      select ${given.accountId}::bigint, id, ${given.assignmentId}::bigint, ${given.moduleKey}, ${given.activityKey}, ${[...given.roles]}::text[], ${given.at}::timestamptz, ${given.at}::timestamptz from linked
      on conflict (account_id, resource_link_id) do update set assignment_id = coalesce(excluded.assignment_id, known.assignment_id),
        module_key = excluded.module_key, activity_key = excluded.activity_key, roles = excluded.roles, last_at = excluded.last_at
    )
    insert into lti_arrivals (code_hash, account_id, assignment_id, activity_key, missing_course, expires_at)
    values (${given.codeHash}, ${given.accountId}::bigint, ${given.assignmentId}::bigint, ${given.activityKey}, ${given.missingCourse}, ${given.expiresAt}::timestamptz)`.execute(
    db,
  );
}

/** Takes it out, so that it is used once. */
export async function takeArrival(
  db: Executor,
  codeHash: Buffer,
  now: Date,
): Promise<
  | {
      personId: string;
      issuer: string;
      assignmentId: string | null;
      activityKey: string | null;
      missingCourse: string | null;
    }
  | undefined
> {
  const { rows } = await sql<{
    person_id: string;
    issuer: string;
    assignment_id: string | null;
    activity_key: string | null;
    missing_course: string | null;
  }>`
    ${preparedAlone} delete from lti_arrivals v using lti_accounts a, lti_registrations r
    where v.code_hash = ${codeHash} and v.expires_at > ${now} and a.id = v.account_id and a.person_id is not null
      and r.id = a.registration_id and r.ended_at is null
    returning a.person_id, r.issuer, v.assignment_id, v.activity_key, v.missing_course`.execute(db);
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        personId: row.person_id,
        issuer: row.issuer,
        assignmentId: row.assignment_id,
        activityKey: row.activity_key,
        missingCourse: row.missing_course,
      };
}

export async function deleteArrivals(db: Executor, before: Date): Promise<void> {
  await db.deleteFrom('lti_arrivals').where('expires_at', '<=', before).execute();
}
