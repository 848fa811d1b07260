import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** Who people are on learning platforms, and what they opened from there. */
export const ltiData: PersonalDataKeeper = {
  parts: [
    {
      name: 'platform_accounts',
      tables: ['lti_accounts'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(a.id::text, 19, '0') as key, a.id::text, r.name as platform, r.issuer, a.subject, a.created_at, a.seen_at, a.decided_at
        from lti_accounts a join lti_registrations r on r.id = a.registration_id where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'platform_launches',
      tables: ['lti_launches', 'lti_resource_links'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(l.account_id::text, 19, '0') || lpad(l.resource_link_id::text, 19, '0') as key, r.name as platform, k.context_title, k.title, l.assignment_id::text, l.activity_key, l.roles, l.first_at, l.last_at
        from lti_launches l join lti_accounts a on a.id = l.account_id join lti_registrations r on r.id = a.registration_id join lti_resource_links k on k.id = l.resource_link_id
        where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'platform_grades',
      tables: ['lti_grades', 'lti_scores', 'lti_resource_links'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(g.id::text, 19, '0') || coalesce(c.module_key, '') as key, r.name as platform, k.context_title, k.title, g.assignment_id::text as assignment, c.module_key, c.score, c.activity_progress, c.grading_progress, c.told_at, g.sent_at, g.failed_at
        from lti_grades g join lti_accounts a on a.id = g.account_id join lti_registrations r on r.id = a.registration_id join lti_resource_links k on k.id = g.resource_link_id
          join assignments s on s.id = g.assignment_id left join lti_scores c on c.grade_id = g.id
        where s.person_id = ${personId}::bigint`,
    },
    {
      name: 'platform_memberships',
      tables: ['lti_members'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(m.roster_id::text, 19, '0') || lpad(m.account_id::text, 19, '0') as key, r.name as platform, o.context_id, m.active, m.seen_at
        from lti_members m join lti_accounts a on a.id = m.account_id join lti_registrations r on r.id = a.registration_id join lti_rosters o on o.id = m.roster_id
        where a.person_id = ${personId}::bigint`,
    },
    {
      name: 'package_attempts',
      tables: ['package_attempts'],
      fate: 'removed',
      rows: (personId) => sql`
        select encode(p.code_hash, 'hex') as key, p.assignment_id::text as assignment, p.origin, p.bound_at
        from package_attempts p join assignments s on s.id = p.assignment_id where s.person_id = ${personId}::bigint`,
    },
    {
      name: 'platform_rosters_asked',
      tables: ['lti_rosters'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, context_id, asked_at from lti_rosters where asked_by = ${personId}::bigint`,
    },
    {
      name: 'platform_accounts_decided',
      tables: ['lti_accounts'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, state, decided_at from lti_accounts where decided_by = ${personId}::bigint`,
    },
    {
      name: 'platforms_registered',
      tables: ['lti_registrations'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, name, issuer, registered_at, ended_at from lti_registrations where registered_by = ${personId}::bigint or ended_by = ${personId}::bigint`,
    },
    {
      name: 'platforms_invited',
      tables: ['lti_invitations'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, name, created_at, taken_at from lti_invitations where invited_by = ${personId}::bigint`,
    },
  ],
  async erase(tx, personIds) {
    const theirs = sql`select id from lti_accounts where person_id = any(${personIds}::bigint[])`;
    const earned = sql`select id from assignments where person_id = any(${personIds}::bigint[])`;
    await sql`delete from package_attempts where assignment_id in (${earned})`.execute(tx);
    // An account that was linked to somebody else since has grades of theirs too.
    await sql`delete from lti_scores where grade_id in (select id from lti_grades where account_id in (${theirs}) or assignment_id in (${earned}))`.execute(
      tx,
    );
    await sql`delete from lti_grades where account_id in (${theirs}) or assignment_id in (${earned})`.execute(
      tx,
    );
    await sql`delete from lti_members where account_id in (${theirs})`.execute(tx);
    await sql`delete from lti_launches where account_id in (${theirs})`.execute(tx);
    await sql`delete from lti_accounts where person_id = any(${personIds}::bigint[])`.execute(tx);
  },
  retention: [
    {
      name: 'platform-accounts',
      async forget(tx, { before, limit }) {
        await sql`
          delete from lti_members m using lti_accounts a where a.id = m.account_id and a.state = 'waiting' and a.seen_at < ${before}`.execute(
          tx,
        );
        const { numAffectedRows } = await sql`
          delete from lti_accounts where id in (
            select id from lti_accounts where state = 'waiting' and seen_at < ${before} limit ${limit} for update skip locked)`.execute(
          tx,
        );
        return Number(numAffectedRows);
      },
    },
  ],
};
