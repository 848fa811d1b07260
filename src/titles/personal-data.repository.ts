import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** Credit records: what the title system has booked. They stay as long as their certificates. */
export const titleData: PersonalDataKeeper = {
  parts: [
    {
      name: 'credit_records',
      tables: ['credit_records'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(r.id::text, 19, '0') as key, r.id::text, c.number as certificate, r.kind, r.class_hours, r.earned_on, r.province_code, r.prefecture_code, r.county_code, o.name as organization, r.recorded_at
        from credit_records r join certificates c on c.id = r.certificate_id left join organizations o on o.id = r.organization_id where r.person_id = ${personId}::bigint`,
    },
  ],
};
