import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';
import { findDocument } from './document.repository.ts';

/** Certificates: records that others rely on. They stay, with the name they were issued to, so that they can be verified as long as anybody shows one. */
export const certificateData: PersonalDataKeeper = {
  parts: [
    {
      name: 'certificates',
      tables: ['certificates', 'certificate_documents'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(c.id::text, 19, '0') as key, c.id::text, c.number, c.verification_code, c.assignment_id::text as assignment, c.period, c.claims, c.issued_at, c.valid_from, c.valid_until, c.revoked_on, c.revocation_reason, c.superseded_at, c.supersedes::text, c.status_list, c.status_position, c.pdf_digest
        from certificates c where c.person_id = ${personId}::bigint`,
    },
    {
      name: 'certificates_revoked',
      tables: ['certificates'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, revoked_at, revocation_reason from certificates where revoked_by = ${personId}::bigint`,
    },
    {
      name: 'certificate_log',
      tables: ['log_entries', 'log_pending'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(l.position::text, 19, '0') as key, l.position::text, c.number, l.event, l.entry, l.logged_at
        from log_entries l join certificates c on c.id = l.certificate_id where c.person_id = ${personId}::bigint`,
    },
    {
      name: 'verification_counts',
      tables: ['verification_counts'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(v.certificate_id::text, 19, '0') || v.month || v.way as key, c.number, v.month, v.way, v.count
        from verification_counts v join certificates c on c.id = v.certificate_id where c.person_id = ${personId}::bigint`,
    },
    {
      name: 'issue_requests',
      tables: ['issue_requests', 'issue_request_rows'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(r.request_id::text, 19, '0') || lpad(r.line::text, 9, '0') as key, r.request_id::text as request, q.path, q.state, r.certification_id::text as certification, r.completed_on, r.valid_until,
          r.class_hours, r.evidence, r.old_number, r.issuing_body, r.refusal, r.refusal_detail
        from issue_request_rows r join issue_requests q on q.id = r.request_id where r.person_id = ${personId}::bigint`,
    },
    {
      name: 'issue_requests_made',
      tables: ['issue_requests'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, path, reason, requested_at, state from issue_requests where requested_by = ${personId}::bigint`,
    },
    {
      name: 'issue_requests_decided',
      tables: ['issue_requests'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, state, decided_at, remark from issue_requests where decided_by = ${personId}::bigint`,
    },
  ],
  async listFiles(db, personId) {
    const { rows } = await sql<{ id: string; number: string }>`
      select id, number from certificates where person_id = ${personId}::bigint order by id`.execute(db);
    return rows.map(({ id, number }) => ({
      name: `certificates/${number}.pdf`,
      open: async () => (await findDocument(db, id))!,
    }));
  },
};
