import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** Certificates: records that others rely on. They stay, with the name they were issued to, so that they can be verified as long as anybody shows one. */
export const certificateData: PersonalDataKeeper = {
  parts: [
    {
      name: 'certificates',
      tables: ['certificates', 'certificate_documents'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(c.id::text, 19, '0') as key, c.id::text, c.number, c.verification_code, c.assignment_id::text as assignment, c.period, c.claims, c.issued_at, c.valid_from, c.valid_until, c.revoked_on, c.revocation_reason, c.pdf_digest
        from certificates c where c.person_id = ${personId}::bigint`,
    },
    {
      name: 'certificates_revoked',
      tables: ['certificates'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, revoked_at, revocation_reason from certificates where revoked_by = ${personId}::bigint`,
    },
  ],
  async listFiles(db, personId) {
    const { rows } = await sql<{ id: string; number: string }>`
      select id, number from certificates where person_id = ${personId}::bigint order by id`.execute(db);
    return rows.map(({ id, number }) => ({
      name: `certificates/${number}.pdf`,
      open: async () => {
        const { rows: found } = await sql<{ pdf: Buffer }>`
          select pdf from certificate_documents where certificate_id = ${id}::bigint`.execute(db);
        return found[0]!.pdf;
      },
    }));
  },
};
