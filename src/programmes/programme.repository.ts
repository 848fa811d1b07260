import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Role } from '../people/role.ts';
import type { Assignment, Certification, Cohort } from './certification.ts';

export async function insertCertification(
  tx: Executor,
  given: Omit<Certification, 'id'> & { createdBy: string; createdAt: Date },
): Promise<string | undefined> {
  const row = await tx
    .insertInto('certifications')
    .values({
      code: given.code,
      title_zh: given.title['zh-CN'],
      title_en: given.title.en,
      course_slug: given.courseSlug,
      roles: [...given.roles],
      validity_months: given.validityMonths,
      renewal_months: given.renewalMonths,
      renewal_course_slug: given.renewalCourseSlug,
      division_code: given.divisionCode,
      issuer_name: given.issuerName,
      template: given.template,
      template_version: given.templateVersion,
      minimum_hours_share: given.minimumHoursShare,
      class_hour_minutes: given.classHourMinutes,
      created_by: given.createdBy,
      created_at: given.createdAt,
    })
    .onConflict((conflict) => conflict.columns(['division_code', 'code']).doNothing())
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

export async function listCertifications(db: Executor, ids: readonly string[]): Promise<Certification[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('certifications')
    .modifyFront(prepared)
    .select([
      'id',
      'code',
      'title_zh',
      'title_en',
      'course_slug',
      'roles',
      'validity_months',
      'renewal_months',
      'renewal_course_slug',
      'division_code',
      'issuer_name',
      'template',
      'template_version',
      'minimum_hours_share',
      'class_hour_minutes',
    ])
    .where('id', '=', sql<string>`any(${ids}::bigint[])`)
    .execute();
  return rows.map(toCertification);
}

/** Those that hold in any of these divisions: set there or above. `codes` are a place's codes, its own included. */
export async function listCertificationsOf(
  db: Executor,
  codes: readonly string[],
  page: { after: string | undefined; limit: number },
): Promise<Certification[]> {
  const rows = await db
    .selectFrom('certifications')
    .selectAll()
    .where('division_code', '=', sql<string>`any(${codes}::text[])`)
    .$if(page.after !== undefined, (query) => query.where('id', '>', page.after!))
    .orderBy('id')
    .limit(page.limit)
    .execute();
  return rows.map(toCertification);
}

/** Those with a recertification window. */
export async function listRenewedCertifications(db: Executor): Promise<Certification[]> {
  const rows = await db
    .selectFrom('certifications')
    .selectAll()
    .where('renewal_months', 'is not', null)
    .orderBy('id')
    .execute();
  return rows.map(toCertification);
}

export async function insertCohort(
  tx: Executor,
  given: Omit<Cohort, 'id'> & { createdBy: string | null; createdAt: Date },
): Promise<string> {
  const { id } = await tx
    .insertInto('cohorts')
    .values({
      certification_id: given.certificationId,
      name: given.name,
      role: given.role,
      division_code: given.divisionCode,
      organization_id: given.organizationId,
      due_on: given.dueOn,
      created_by: given.createdBy,
      created_at: given.createdAt,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

export async function findCohort(db: Executor, id: string): Promise<Cohort | undefined> {
  const row = await db.selectFrom('cohorts').selectAll().where('id', '=', id).executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    id: row.id,
    certificationId: row.certification_id,
    name: row.name,
    role: row.role as Role,
    divisionCode: row.division_code,
    organizationId: row.organization_id,
    dueOn: row.due_on,
  };
}

/** One that nobody in person has assigned, by its name. */
export async function findCohortOfService(
  tx: Executor,
  of: Pick<Cohort, 'certificationId' | 'name' | 'role'>,
): Promise<string | undefined> {
  const row = await tx
    .selectFrom('cohorts')
    .select('id')
    .where('certification_id', '=', of.certificationId)
    .where('name', '=', of.name)
    .where('role', '=', of.role)
    .where('created_by', 'is', null)
    .executeTakeFirst();
  return row?.id;
}

export async function countAssignments(db: Executor, cohortId: string): Promise<number> {
  const { count } = await db
    .selectFrom('assignments')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('cohort_id', '=', cohortId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

/**
 * Assignments of one certification; who has one of the period already keeps it. They are put in by the order of people, so that two who
 * assign the same ones can't wait for each other.
 * @returns how many were new.
 */
export async function insertAssignments(
  tx: Executor,
  certificationId: string,
  given: readonly {
    readonly personId: string;
    readonly cohortId: string;
    readonly period: number;
    readonly dueOn: string | null;
  }[],
  createdAt: Date,
): Promise<number> {
  const { numAffectedRows } = await sql`
    insert into assignments (certification_id, person_id, cohort_id, period, due_on, created_at)
    select ${certificationId}::bigint, person_id, cohort_id, period, due_on, ${createdAt}::timestamptz
    from unnest(${given.map((each) => each.personId)}::bigint[], ${given.map((each) => each.cohortId)}::bigint[], ${given.map((each) => each.period)}::int[],
      ${given.map((each) => each.dueOn)}::date[]) as given (person_id, cohort_id, period, due_on)
    order by person_id
    on conflict (person_id, certification_id, period) do nothing`.execute(tx);
  return Number(numAffectedRows ?? 0n);
}

export async function findAssignment(
  db: Executor,
  id: string,
  { lock = false } = {},
): Promise<Assignment | undefined> {
  const row = await db
    .selectFrom('assignments')
    .selectAll()
    .where('id', '=', id)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : toAssignment(row);
}

export async function listAssignmentsOf(db: Executor, personId: string): Promise<Assignment[]> {
  return (
    await db.selectFrom('assignments').selectAll().where('person_id', '=', personId).orderBy('id').execute()
  ).map(toAssignment);
}

/** Fixes the course version a learner is on; the first call wins. */
export async function pinCourseVersion(
  tx: Executor,
  assignmentId: string,
  courseVersionId: string,
): Promise<void> {
  await tx
    .updateTable('assignments')
    .set({ course_version_id: courseVersionId })
    .where('id', '=', assignmentId)
    .where('course_version_id', 'is', null)
    .execute();
}

function toAssignment(row: {
  id: string;
  certification_id: string;
  person_id: string;
  cohort_id: string;
  period: number;
  due_on: string | null;
  course_version_id: string | null;
}): Assignment {
  return {
    id: row.id,
    certificationId: row.certification_id,
    personId: row.person_id,
    cohortId: row.cohort_id,
    period: row.period,
    dueOn: row.due_on,
    courseVersionId: row.course_version_id,
  };
}

function toCertification(row: {
  id: string;
  code: string;
  title_zh: string;
  title_en: string;
  course_slug: string;
  roles: string[];
  validity_months: number | null;
  renewal_months: number | null;
  renewal_course_slug: string | null;
  division_code: string;
  issuer_name: string;
  template: string;
  template_version: number;
  minimum_hours_share: string;
  class_hour_minutes: number;
}): Certification {
  return {
    id: row.id,
    code: row.code,
    title: { 'zh-CN': row.title_zh, en: row.title_en },
    courseSlug: row.course_slug,
    roles: row.roles as Role[],
    validityMonths: row.validity_months,
    renewalMonths: row.renewal_months,
    renewalCourseSlug: row.renewal_course_slug,
    divisionCode: row.division_code,
    issuerName: row.issuer_name,
    template: row.template,
    templateVersion: row.template_version,
    minimumHoursShare: Number(row.minimum_hours_share),
    classHourMinutes: row.class_hour_minutes,
  };
}
