import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { gradeState, type GradeFailure, type LtiGrade } from './grade.ts';
import { registrationColumns, toRegistration, type RegistrationRow } from './registration.repository.ts';
import type { LtiRegistration } from './registration.ts';
import type { Score } from './score.ts';

/** One that is owed, with all that sending it takes. */
export interface OwedGrade {
  readonly id: string;
  readonly assignmentId: string;
  readonly resourceLinkId: string;
  /** `resource_link.id` on the platform. */
  readonly platformLinkId: string;
  readonly again: boolean;
  readonly changes: string;
  readonly failures: number;
  readonly toldAt: Date | null;
  readonly subject: string;
  readonly registration: LtiRegistration;
  /** Linked to whoever learns there, a learner in the context, in a deployment that is open. */
  readonly stands: boolean;
  readonly lineItemUrl: string | null;
  readonly lineItemsUrl: string | null;
  readonly gradeScopes: readonly string[];
  readonly moduleColumns: boolean;
  readonly moduleKey: string | null;
  readonly activityKey: string | null;
}

export interface DueGrade {
  readonly id: string;
  readonly registrationId: string;
  readonly resourceLinkId: string;
}

/**
 * What is due, platform by platform: links where nothing stands in the way first, then those that have waited longest. A platform that said it is asked
 * too often is left alone for as long as it wants.
 * @param of of which assignment; undefined: of any. @param most of one platform.
 */
export async function listDueGrades(
  db: Executor,
  { of, now, most }: { of: string | undefined; now: Date; most: number },
): Promise<DueGrade[]> {
  const { rows } = await sql<{ id: string; registration_id: string; resource_link_id: string }>`
    select id, registration_id, resource_link_id from (
      select id, registration_id, resource_link_id,
        row_number() over (partition by registration_id order by link_failed_at nulls first, failures, id) as place
      from (
        select g.id, a.registration_id, g.resource_link_id, g.failures, g.retry_at, g.leased_until,
          max(g.failed_at) over (partition by g.resource_link_id) as link_failed_at
        from lti_grades g join lti_accounts a on a.id = g.account_id
        where g.owed and (${of ?? null}::bigint is null or g.assignment_id = ${of ?? null}::bigint)) owed
      where (retry_at is null or retry_at <= ${now}) and (leased_until is null or leased_until <= ${now})
        and not exists (
          select from lti_grades x join lti_accounts y on y.id = x.account_id
          where x.owed and x.failure = 'busy' and x.failure_status in (403, 429) and x.retry_at > ${now} and y.registration_id = owed.registration_id)) due
    where place <= ${most} order by registration_id, place`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    registrationId: row.registration_id,
    resourceLinkId: row.resource_link_id,
  }));
}

/** Takes one that is due still, so that nobody else is at it for a while. */
export async function takeOwedGrade(
  db: Executor,
  id: string,
  { now, until }: { now: Date; until: Date },
): Promise<OwedGrade | undefined> {
  const { rows } = await sql<
    RegistrationRow & {
      grade_id: string;
      assignment_id: string;
      resource_link_id: string;
      platform_link_id: string;
      again: boolean;
      changes: string;
      failures: number;
      told_at: Date | null;
      subject: string;
      stands: boolean;
      line_item_url: string | null;
      line_items_url: string | null;
      grade_scopes: string[];
      module_columns: boolean;
      module_key: string | null;
      activity_key: string | null;
    }
  >`
    with taken as (
      update lti_grades set leased_until = ${until} where id = (
        select id from lti_grades where id = ${id}::bigint and owed and (retry_at is null or retry_at <= ${now}) and (leased_until is null or leased_until <= ${now})
        for update skip locked)
      returning *
    )
    select g.id as grade_id, g.assignment_id, g.resource_link_id, g.again, g.changes, g.failures, g.told_at, a.subject, k.resource_link_id as platform_link_id,
      k.line_item_url, k.line_items_url, k.grade_scopes, k.module_columns, l.module_key, l.activity_key,
      coalesce(a.state = 'linked' and a.person_id = s.person_id and 'learner' = any(l.roles) and d.state = 'open' and r.ended_at is null, false) as stands,
      ${registrationColumns}
    from taken g join lti_accounts a on a.id = g.account_id join lti_resource_links k on k.id = g.resource_link_id
      join lti_deployments d on d.id = k.deployment_id join lti_registrations r on r.id = d.registration_id and r.id = a.registration_id
      join assignments s on s.id = g.assignment_id
      left join lti_launches l on l.account_id = g.account_id and l.resource_link_id = g.resource_link_id`.execute(
    db,
  );
  const [row] = rows;
  return row === undefined
    ? undefined
    : {
        id: row.grade_id,
        assignmentId: row.assignment_id,
        resourceLinkId: row.resource_link_id,
        platformLinkId: row.platform_link_id,
        again: row.again,
        changes: row.changes,
        failures: row.failures,
        toldAt: row.told_at,
        subject: row.subject,
        registration: toRegistration(row),
        stands: row.stands,
        lineItemUrl: row.line_item_url,
        lineItemsUrl: row.line_items_url,
        gradeScopes: row.grade_scopes,
        moduleColumns: row.module_columns,
        moduleKey: row.module_key,
        activityKey: row.activity_key,
      };
}

/** What was told last, by the module of its line item; '' is the link's own. */
export async function listScores(db: Executor, gradeId: string): Promise<Map<string, Score>> {
  const rows = await db.selectFrom('lti_scores').selectAll().where('grade_id', '=', gradeId).execute();
  return new Map(
    rows.map((row) => [
      row.module_key,
      {
        score: row.score === null ? null : Number(row.score),
        activityProgress: row.activity_progress as Score['activityProgress'],
        gradingProgress: row.grading_progress as Score['gradingProgress'],
      },
    ]),
  );
}

/** Before it goes out: should this process end on the way, the next is later all the same. */
export async function saveTimestamp(db: Executor, gradeId: string, at: Date): Promise<void> {
  await db.updateTable('lti_grades').set({ told_at: at }).where('id', '=', gradeId).execute();
}

export async function saveScore(
  db: Executor,
  given: { gradeId: string; moduleKey: string; score: Score; toldAt: Date; sentAt: Date },
): Promise<void> {
  const values = {
    score: given.score.score,
    activity_progress: given.score.activityProgress,
    grading_progress: given.score.gradingProgress,
    told_at: given.toldAt,
  };
  await db
    .insertInto('lti_scores')
    .values({ grade_id: given.gradeId, module_key: given.moduleKey, ...values })
    .onConflict((conflict) => conflict.columns(['grade_id', 'module_key']).doUpdateSet(values))
    .execute();
  await db.updateTable('lti_grades').set({ sent_at: given.sentAt }).where('id', '=', given.gradeId).execute();
}

/** All of it is told. @returns whether something was learned meanwhile, which is owed still. */
export async function settleGrade(
  db: Executor,
  { id, changes }: Pick<OwedGrade, 'id' | 'changes'>,
): Promise<boolean> {
  const { rows } = await sql<{ owed: boolean }>`
    update lti_grades set owed = changes <> ${changes}::bigint, again = again and changes <> ${changes}::bigint, leased_until = null, failures = 0, retry_at = null,
      failed_at = null, failure = null, failure_status = null where id = ${id}::bigint returning owed`.execute(
    db,
  );
  return rows[0]?.owed === true;
}

/**
 * @param retryAt null: it is not tried again by itself, unless something was learned meanwhile.
 * @returns whether it was, so that it is due at once.
 */
export async function failGrade(
  db: Executor,
  grade: Pick<OwedGrade, 'id' | 'changes'>,
  given: { failure: GradeFailure; status: number | undefined; at: Date; retryAt: Date | null },
): Promise<boolean> {
  const { rows } = await sql<{ due: boolean }>`
    update lti_grades set owed = ${given.retryAt !== null} or changes <> ${grade.changes}::bigint, leased_until = null, failures = failures + 1, retry_at = ${given.retryAt}::timestamptz,
      failed_at = ${given.at}, failure = ${given.failure}, failure_status = ${given.status ?? null}::int where id = ${grade.id}::bigint
    returning owed and retry_at is null as due`.execute(db);
  return rows[0]?.due === true;
}

/** Keeps it for as long as its next line item may take. */
export async function renewLease(db: Executor, gradeId: string, until: Date): Promise<void> {
  await db.updateTable('lti_grades').set({ leased_until: until }).where('id', '=', gradeId).execute();
}

/** After a defect of ours, of which nobody is told by its name: it waits, and those behind it go on. */
export async function postponeGrade(db: Executor, gradeId: string, until: Date): Promise<void> {
  await sql`update lti_grades set leased_until = null, failures = failures + 1, retry_at = ${until} where id = ${gradeId}::bigint`.execute(
    db,
  );
}

export async function findLineItem(
  db: Executor,
  of: { resourceLinkId: string; moduleKey: string },
): Promise<string | undefined> {
  const row = await db
    .selectFrom('lti_line_items')
    .select('url')
    .where('resource_link_id', '=', of.resourceLinkId)
    .where('module_key', '=', of.moduleKey)
    .executeTakeFirst();
  return row?.url;
}

export async function saveLineItem(
  db: Executor,
  given: { resourceLinkId: string; moduleKey: string; url: string },
): Promise<void> {
  await db
    .insertInto('lti_line_items')
    .values({ resource_link_id: given.resourceLinkId, module_key: given.moduleKey, url: given.url })
    .onConflict((conflict) =>
      conflict.columns(['resource_link_id', 'module_key']).doUpdateSet({ url: given.url }),
    )
    .execute();
}

/** It is gone on the platform: found or made anew the next time. */
export async function deleteLineItem(
  db: Executor,
  of: { resourceLinkId: string; moduleKey: string },
): Promise<void> {
  await db
    .deleteFrom('lti_line_items')
    .where('resource_link_id', '=', of.resourceLinkId)
    .where('module_key', '=', of.moduleKey)
    .execute();
}

interface GradeRow {
  id: string;
  assignment_id: string;
  platform_title: string;
  context_title: string | null;
  title: string | null;
  owed: boolean;
  score: string | null;
  sent_at: Date | null;
  failure: string | null;
  failure_status: number | null;
  failed_at: Date | null;
  retry_at: Date | null;
}

const gradeColumns = sql`g.id, g.assignment_id, r.name as platform_title, k.context_title, k.title, g.owed, (select s.score from lti_scores s where s.grade_id = g.id and s.module_key = '') as score,
  g.sent_at, g.failure, g.failure_status, g.failed_at, g.retry_at`;
const gradeTables = sql`lti_grades g join lti_accounts a on a.id = g.account_id join lti_registrations r on r.id = a.registration_id join lti_resource_links k on k.id = g.resource_link_id`;

function toGrade(row: GradeRow): LtiGrade {
  const failure = row.failure as GradeFailure | null;
  return {
    id: row.id,
    assignmentId: row.assignment_id,
    platformTitle: row.platform_title,
    contextTitle: row.context_title,
    linkTitle: row.title,
    gradeState: gradeState({
      owed: row.owed,
      failedAt: row.failed_at,
      retryAt: row.retry_at,
      sentAt: row.sent_at,
    }),
    sentAt: row.sent_at,
    score: row.score === null ? null : Number(row.score),
    failure,
    failureStatus: row.failure_status,
    failedAt: row.failed_at,
    retryAt: row.retry_at,
  };
}

/** Those of platforms in force where there is something to say. */
export async function listGradesOf(db: Executor, assignmentId: string): Promise<LtiGrade[]> {
  const { rows } = await sql<GradeRow>`
    select ${gradeColumns} from ${gradeTables}
    where g.assignment_id = ${assignmentId}::bigint and r.ended_at is null and (g.sent_at is not null or g.failed_at is not null or g.owed) order by g.id`.execute(
    db,
  );
  return rows.map(toGrade);
}

export async function findGrade(db: Executor, id: string): Promise<LtiGrade | undefined> {
  const { rows } = await sql<GradeRow>`
    select ${gradeColumns} from ${gradeTables} where g.id = ${id}::bigint and r.ended_at is null`.execute(db);
  return rows[0] === undefined ? undefined : toGrade(rows[0]);
}

/** Of a registration, those that have not got through, the longest first. */
export async function listFailedGrades(
  db: Executor,
  registrationId: string,
  limit: number,
): Promise<LtiGrade[]> {
  const { rows } = await sql<GradeRow>`
    select ${gradeColumns} from ${gradeTables}
    where r.id = ${registrationId}::bigint and g.failed_at is not null order by g.failed_at, g.id limit ${limit}`.execute(
    db,
  );
  return rows.map(toGrade);
}

/**
 * Owes it again, as it is: one, or all of a registration that did not get through.
 * @param of `exceptRefused`: without those that the platform itself said no to.
 * @returns the assignments of which something is owed now.
 */
export async function oweAgain(
  tx: Executor,
  of: { id: string } | { failedOf: string; exceptRefused?: boolean },
): Promise<string[]> {
  const { rows } = await sql<{ assignment_id: string }>`
    update lti_grades g set owed = true, again = true, changes = changes + 1, retry_at = null
    where ${
      'id' in of
        ? sql`g.id = ${of.id}::bigint`
        : sql`g.failed_at is not null and (not ${of.exceptRefused === true} or g.failure <> 'refused') and exists (select from lti_accounts a where a.id = g.account_id and a.registration_id = ${of.failedOf}::bigint)`
    } returning g.assignment_id`.execute(tx);
  return rows.map((row) => row.assignment_id);
}
