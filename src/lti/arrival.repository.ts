import { sql } from 'kysely';
import type { Coming } from '../access/session.repository.ts';
import { standingOf, type StandingOf, type StandingRow } from './account.repository.ts';
import type { ResourceLink } from './launch.ts';
import { usedNonce, type NonceUse } from './nonce.repository.ts';
import { registrationVersion } from './registration.repository.ts';
import type { ContextRole } from './roles.ts';

/** How a launch stands, and whose session it opens; `person_id` is null where it opens none. */
export interface ArrivedRow extends StandingRow {
  readonly person_id: string | null;
  readonly issuer: string | null;
  /** Whether the registration is still the one that the launch was checked by. */
  readonly current: boolean;
  /** Whether its nonce is this launch's. */
  readonly unused: boolean;
}

/**
 * A launch that is right, to be a part of the statement that opens its session: uses its nonce and, where its account is linked in a deployment
 * that is open, keeps what was opened from where. In any case tells how it stands. Nothing is written for a registration that has changed.
 */
export function arrival(
  of: StandingOf,
  given: {
    /** Of the registration (`Known`). */
    version: string;
    nonce: NonceUse;
    link: ResourceLink;
    moduleKey: string | null;
    activityKey: string | null;
    moduleColumns: boolean;
    roles: readonly ContextRole[];
    at: Date;
  },
): Coming<ArrivedRow> {
  const { link } = given;
  return {
    before: sql`
      by_registration as materialized (
        select r.issuer from lti_registrations r
        where r.id = ${of.registrationId}::bigint and r.ended_at is null and ${registrationVersion} = ${given.version}::text
      ), used as (${usedNonce(given.nonce, sql`by_registration`)}
      ), standing as materialized (${standingOf(of)}), good as materialized (
        select standing.*, by_registration.issuer from standing, by_registration, used where deployment_state = 'open' and account_state = 'linked'
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
      )`,
    who: sql<ArrivedRow>`
      select standing.*, good.account_person as person_id, good.issuer, exists (select from by_registration) as current, exists (select from used) as unused
      from standing left join good on true`,
  };
}
