import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';

export async function findPackageAttempt(
  db: Executor,
  codeHash: Buffer,
): Promise<{ assignmentId: string } | undefined> {
  const row = await db
    .selectFrom('package_attempts')
    .select('assignment_id')
    .where('code_hash', '=', codeHash)
    .executeTakeFirst();
  return row === undefined ? undefined : { assignmentId: row.assignment_id };
}

/** @returns whose it is now: the first who agreed, for good. */
export async function bindPackageAttempt(
  tx: Executor,
  given: { codeHash: Buffer; assignmentId: string; origin: string | null; at: Date },
): Promise<string> {
  await sql`
    insert into package_attempts (code_hash, assignment_id, origin, bound_at) values (${given.codeHash}, ${given.assignmentId}::bigint, ${given.origin}, ${given.at})
    on conflict (code_hash) do nothing`.execute(tx);
  return (await findPackageAttempt(tx, given.codeHash))!.assignmentId;
}

/** The person's newest assignment of a course, which may be the one for renewing. */
export async function findAssignmentOf(
  db: Executor,
  of: { personId: string; course: string },
): Promise<string | undefined> {
  const { rows } = await sql<{ id: string }>`
    select s.id from assignments s join certifications c on c.id = s.certification_id
    where s.person_id = ${of.personId}::bigint 
      and case when s.period > 1 then coalesce(c.renewal_course_slug, c.course_slug) else c.course_slug end = ${of.course} order by s.period desc, s.id desc limit 1`.execute(
    db,
  );
  return rows[0]?.id;
}
