import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** What people are to earn, and what they planned for others. A certificate rests on its assignment, and a cohort's number on all of them. */
export const programmeData: PersonalDataKeeper = {
  parts: [
    {
      name: 'assignments',
      tables: ['assignments'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(a.id::text, 19, '0') as key, a.id::text, c.code as certification, c.title_zh as title, h.name as cohort, a.period, a.due_on, v.slug as course, v.version as course_version, a.created_at
        from assignments a join certifications c on c.id = a.certification_id join cohorts h on h.id = a.cohort_id left join course_versions v on v.id = a.course_version_id
        where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'certifications_planned',
      tables: ['certifications'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, code, division_code, created_at from certifications where created_by = ${personId}::bigint`,
    },
    {
      name: 'cohorts_assigned',
      tables: ['cohorts'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, name, role, division_code, organization_id::text, created_at from cohorts where created_by = ${personId}::bigint`,
    },
  ],
};
