import { sql, type Kysely } from 'kysely';

/** Research staff of counties (item 14 of the action plan) and staff of hotlines (item 18) hold posts as well. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const roles = sql.raw(
    `'class_teacher', 'subject_teacher', 'young_pioneers_leader', 'college_counselor', 'graduate_tutor', 'mental_health_teacher', 'principal', 'county_researcher', 'hotline_staff'`,
  );
  // Wider than before, so no row has to be looked at.
  await sql`
    alter table posts drop constraint posts_role_check,
      add constraint posts_role_check check (role in (${roles})) not valid`.execute(db);
  await sql`alter table posts validate constraint posts_role_check`.execute(db);
  await sql`
    alter table coverage_targets drop constraint coverage_targets_role_check,
      add constraint coverage_targets_role_check check (role in (${roles}))`.execute(db);
  await sql`
    insert into coverage_role_sets (roles) values (array['county_researcher']), (array['hotline_staff'])`.execute(
    db,
  );
}
