import { sql, type Kysely } from 'kysely';

/** Certificates are renewed: when their holders are assigned anew, and to which course. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table certifications
      add column renewal_months integer,
      add column renewal_course_slug text,
      add check (renewal_months is null or (validity_months is not null and renewal_months between 1 and 24 and renewal_months < validity_months)),
      add check (renewal_course_slug is null or renewal_months is not null)`.execute(db);
  for (const [column, comment] of [
    [
      'renewal_months',
      'The recertification window: so many months before a certificate runs out its holder is assigned anew. null: nobody is on their own.',
    ],
    ['renewal_course_slug', 'The course of every period but the first. null: the same one.'],
  ] as const)
    await sql`comment on column ${sql.ref(`certifications.${column}`)} is ${sql.lit(comment)}`.execute(db);
  // Looked through every night: what it asks of the certificates that end soon stands in the index itself, and their pages stay unread.
  await sql`create index on certificates (certification_id, valid_until, id) include (person_id, period)
    where revoked_on is null and valid_until is not null`.execute(db);
}
