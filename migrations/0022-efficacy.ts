import { sql, type Kysely } from 'kysely';

/** What learners answer about their own confidence: theirs alone, and in groups a number. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table efficacy_answers (
      assignment_id bigint not null references assignments,
      wave text not null check (wave in ('before', 'after', 'month_3', 'month_6', 'month_12')),
      scale_key text not null,
      scale_version integer not null,
      answers smallint[],
      given_at timestamptz not null,
      primary key (assignment_id, wave),
      check (cardinality(answers) between 4 and 20 and 1 <= all (answers) and 7 >= all (answers))
    )`.execute(db);
  await sql`comment on table efficacy_answers is 'Answers to the self-efficacy scale of a course, once for each time of asking. No employer ever sees them: read by the person, and by the counter for groups.'`.execute(
    db,
  );
  await sql`comment on column efficacy_answers.answers is 'In the order of the items of that version of the scale, 1 for the least; null: declined, or taken back.'`.execute(
    db,
  );
}
