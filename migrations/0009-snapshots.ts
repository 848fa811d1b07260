import { sql, type Kysely } from 'kysely';

/** What stands beside coverage: staffing by dated student counts. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await studentCounts(db);
}

/** A university's staff is judged by its students, of whom a later roster brings another number. */
async function studentCounts(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table organization_student_counts (
      organization_id bigint not null references organizations,
      counted_on date not null,
      students integer not null check (students >= 0),
      primary key (organization_id, counted_on)
    )`.execute(db);
  await sql`comment on table organization_student_counts is 'Every dated count that a roster brought; the newest also stands in organizations.'`.execute(
    db,
  );
  await sql`
    insert into organization_student_counts (organization_id, counted_on, students)
    select id, student_count_on, student_count from organizations where student_count is not null and student_count_on is not null`.execute(
    db,
  );
}
