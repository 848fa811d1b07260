import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** How people did in exams. What is exported says what was chosen and what it was worth, and never which answer is right. */
export const assessmentData: PersonalDataKeeper = {
  parts: [
    {
      name: 'attempts',
      tables: ['attempts'],
      // Those that a certificate rests on stay with their result.
      fate: 'stripped',
      rows: (personId) => sql`
        select lpad(t.id::text, 19, '0') as key, t.id::text, a.id::text as assignment, t.number, t.drawn, t.started_at, t.deadline, t.submitted_at, t.points, t.max_points, t.percent, t.must_pass_missed, t.passed
        from attempts t join assignments a on a.id = t.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'responses',
      tables: ['responses'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(t.id::text, 19, '0') || lpad(i.id::text, 19, '0') as key, t.id::text as attempt, i.id::text as item_id, i.key as item, r.chosen, r.saved_at, r.points
        from responses r join attempts t on t.id = r.attempt_id join assignments a on a.id = t.assignment_id join items i on i.id = r.item_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'efficacy_answers',
      tables: ['efficacy_answers'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(a.id::text, 19, '0') || e.wave as key, a.id::text as assignment, e.wave, e.scale_key as scale, e.scale_version, e.answers, e.given_at
        from efficacy_answers e join assignments a on a.id = e.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'accommodations',
      tables: ['accommodations'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, certification_id::text as certification, extra_time_percent, extra_attempts, reason, starts_on, ends_on, granted_at, revoked_at
        from accommodations where person_id = ${personId}::bigint`,
    },
    {
      name: 'accommodations_given',
      tables: ['accommodations'],
      fate: 'kept',
      // For whom and why is not theirs to take along.
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, certification_id::text as certification, granted_at from accommodations where granted_by = ${personId}::bigint`,
    },
    {
      name: 'accommodations_revoked',
      tables: ['accommodations'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, certification_id::text as certification, revoked_at from accommodations where revoked_by = ${personId}::bigint`,
    },
  ],
  async erase(tx, personIds) {
    await sql`delete from accommodations where person_id = any(${personIds}::bigint[])`.execute(tx);
    await sql`
      delete from efficacy_answers where assignment_id in (select id from assignments where person_id = any(${personIds}::bigint[]))`.execute(
      tx,
    );
    await sql`
      delete from responses where attempt_id in (
        select t.id from attempts t join assignments a on a.id = t.assignment_id where a.person_id = any(${personIds}::bigint[]))`.execute(
      tx,
    );
    await sql`
      delete from attempts t using assignments a
      where a.id = t.assignment_id and a.person_id = any(${personIds}::bigint[]) and not exists (select from certificates c where c.assignment_id = a.id)`.execute(
      tx,
    );
    await sql`
      update attempts t set drawn = '[]', seed = '' from assignments a
      where a.id = t.assignment_id and a.person_id = any(${personIds}::bigint[]) and t.seed <> ''`.execute(
      tx,
    );
  },
  retention: [
    {
      name: 'efficacy',
      // The last of them is asked a year after the pass; then two years to look back.
      async forget(tx, { before, limit }) {
        const { numAffectedRows } = await sql`
          delete from efficacy_answers where (assignment_id, wave) in (
            select assignment_id, wave from efficacy_answers where given_at < ${before} limit ${limit} for update skip locked)`.execute(
          tx,
        );
        return Number(numAffectedRows);
      },
    },
    {
      name: 'responses',
      // As long as a certificate may be disputed, and some time more; one without an end may always be.
      async forget(tx, { before, day, limit }) {
        const { numAffectedRows } = await sql`
          delete from responses where (attempt_id, item_id) in (
            select r.attempt_id, r.item_id from responses r join attempts t on t.id = r.attempt_id left join certificates c on c.assignment_id = t.assignment_id and c.superseded_at is null
            where t.submitted_at < ${before} and (c.id is null or coalesce(c.revoked_on, c.valid_until) < ${day}::date)
            limit ${limit} for update of r skip locked)`.execute(tx);
        return Number(numAffectedRows);
      },
    },
  ],
};
