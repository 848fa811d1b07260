import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** What people did in courses. Nothing rests on it once a certificate is issued. */
export const learningData: PersonalDataKeeper = {
  parts: [
    {
      name: 'progress',
      tables: ['activity_progress', 'statement_counts'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(a.id::text, 19, '0') || p.activity_key as key, a.id::text as assignment, p.activity_key as activity, p.started_at, p.completed_at
        from activity_progress p join assignments a on a.id = p.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'statements',
      tables: ['statements', 'statement_ids'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(a.id::text, 19, '0') || s.id as key, a.id::text as assignment, s.activity_key as activity, s.statement, s.stored_at
        from statements s join assignments a on a.id = s.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      // What a learning record store elsewhere is owed, or would not have.
      name: 'statements_to_forward',
      tables: ['forwarding_debts'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(d.id::text, 19, '0') as key, d.assignment_id::text as assignment, d.statement_id as statement, d.stored_at, d.refused_at, d.reason
        from forwarding_debts d join assignments a on a.id = d.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'saved_states',
      tables: ['user_states'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(a.id::text, 19, '0') || u.activity_key || u.language as key, a.id::text as assignment, u.activity_key as activity, u.language, u.data, u.saved_at
        from user_states u join assignments a on a.id = u.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'time',
      tables: ['time_totals', 'time_clocks'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(a.id::text, 19, '0') || t.activity_key as key, a.id::text as assignment, t.activity_key as activity, t.credited_ms / 1000 as credited_seconds
        from time_totals t join assignments a on a.id = t.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'time_stretches',
      tables: ['time_stretches'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(s.id::text, 19, '0') as key, a.id::text as assignment, s.activity_key as activity, s.began_at, s.ended_at, s.credited_ms / 1000 as credited_seconds, s.beats, s.interactions, encode(s.device, 'hex') as device
        from time_stretches s join assignments a on a.id = s.assignment_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'time_flags',
      tables: ['time_flags'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, assignment_id::text as assignment, kind, about, detail, raised_at, state, decided_at, note from time_flags where person_id = ${personId}::bigint`,
    },
    {
      name: 'time_flags_judged',
      tables: ['time_flags'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, kind, state, decided_at, note from time_flags where decided_by = ${personId}::bigint`,
    },
  ],
  async erase(tx, personIds) {
    for (const table of ['time_flags', 'time_clocks'])
      await sql`delete from ${sql.table(table)} where person_id = any(${personIds}::bigint[])`.execute(tx);
    for (const table of [
      'forwarding_debts',
      'time_stretches',
      'time_totals',
      'statements',
      'statement_ids',
      'statement_counts',
      'user_states',
      'activity_progress',
    ])
      await sql`
        delete from ${sql.table(table)} where assignment_id in (select id from assignments where person_id = any(${personIds}::bigint[]))`.execute(
        tx,
      );
  },
  retention: [
    {
      name: 'time-stretches',
      // How much was credited stays in the totals.
      async forget(tx, { before, limit }) {
        const { numAffectedRows } = await sql`
          delete from time_stretches where id in (
            select id from time_stretches where ended_at < ${before} limit ${limit} for update skip locked)`.execute(
          tx,
        );
        return Number(numAffectedRows);
      },
    },
    {
      name: 'time-flags',
      async forget(tx, { before, limit }) {
        const { numAffectedRows } = await sql`
          delete from time_flags where id in (
            select id from time_flags where raised_at < ${before} limit ${limit} for update skip locked)`.execute(
          tx,
        );
        return Number(numAffectedRows);
      },
    },
    {
      name: 'user-states',
      // Where a learner stopped is of use until the certificate is there.
      async forget(tx, { before, limit }) {
        const { numAffectedRows } = await sql`
          delete from user_states u where (u.assignment_id, u.activity_key, u.language) in (
            select s.assignment_id, s.activity_key, s.language from user_states s join certificates c using (assignment_id)
            where c.issued_at < ${before} and s.saved_at < ${before} limit ${limit} for update of s skip locked)`.execute(
          tx,
        );
        return Number(numAffectedRows);
      },
    },
    {
      name: 'statements',
      // A month's table goes as a whole, once the whole month is over: their ids first, as many at a time as asked for.
      async forget(tx, { before, limit }) {
        const over = sql`(date_trunc('month', ${before}::timestamptz at time zone 'Asia/Shanghai') at time zone 'Asia/Shanghai')`;
        await sql`delete from forwarding_debts where stored_at < ${over}`.execute(tx);
        const { numAffectedRows } = await sql`
          delete from statement_ids i where (i.assignment_id, i.id) in (
            select assignment_id, id from statement_ids where stored_at < ${over} limit ${limit} for update skip locked)`.execute(
          tx,
        );
        if (numAffectedRows === 0n)
          await sql`select drop_statement_months(${before}::timestamptz)`.execute(tx);
        return Number(numAffectedRows);
      },
    },
  ],
};
