import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** How people did in simulated conversations. What is exported says what was chosen, and nothing of where other choices lead; nor, of one
 * that is open, what it is worth so far. */
export const simulationData: PersonalDataKeeper = {
  parts: [
    {
      name: 'conversations',
      tables: ['simulation_runs'],
      // Those that a certificate rests on stay with their result.
      fate: 'stripped',
      rows: (personId) => sql`
        select lpad(r.id::text, 19, '0') as key, r.id::text, a.id::text as assignment, r.activity_key as activity, r.number, r.mode, r.moves,
          case when r.finished_at is not null then r.taken end as taken, case when r.finished_at is not null then r.points end as points, case when r.finished_at is not null then r.best_points end as best_points, r.started_at, r.finished_at, r.percent, r.passed
        from simulation_runs r join assignments a on a.id = r.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'conversation_moves',
      tables: ['simulation_moves'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(r.id::text, 19, '0') || lpad(m.number::text, 10, '0') as key, r.id::text as conversation, m.number, m.turn_key as turn, m.choice_key as choice, case when r.finished_at is not null then m.points end as points, m.at
        from simulation_moves m join simulation_runs r on r.id = m.run_id join assignments a on a.id = r.assignment_id where a.person_id = ${personId}::bigint`,
    },
  ],
  async erase(tx, personIds) {
    await sql`
      delete from simulation_moves where run_id in (
        select r.id from simulation_runs r join assignments a on a.id = r.assignment_id where a.person_id = any(${personIds}::bigint[]))`.execute(
      tx,
    );
    await sql`
      delete from simulation_runs r using assignments a
      where a.id = r.assignment_id and a.person_id = any(${personIds}::bigint[])
        and (r.passed is not true or not exists (select from certificates c where c.assignment_id = a.id))`.execute(
      tx,
    );
    await sql`
      update simulation_runs r set seed = '', stands_at = '', taken = '{}' from assignments a
      where a.id = r.assignment_id and a.person_id = any(${personIds}::bigint[]) and r.seed <> ''`.execute(
      tx,
    );
  },
  retention: [
    {
      name: 'conversation-moves',
      // As answers of an exam: as long as a certificate may be disputed, and some time more.
      async forget(tx, { before, day, limit }) {
        const { numAffectedRows } = await sql`
          delete from simulation_moves where (run_id, number) in (
            select m.run_id, m.number from simulation_moves m join simulation_runs r on r.id = m.run_id left join certificates c on c.assignment_id = r.assignment_id and c.superseded_at is null
            where r.finished_at < ${before} and (c.id is null or coalesce(c.revoked_on, c.valid_until) < ${day}::date)
            limit ${limit} for update of m skip locked)`.execute(tx);
        return Number(numAffectedRows);
      },
    },
  ],
};
