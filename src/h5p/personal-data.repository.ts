import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** Who uploaded a content; the content is about nobody. */
export const h5pData: PersonalDataKeeper = {
  parts: [
    {
      name: 'h5p_contents_uploaded',
      tables: ['h5p_contents'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, title, hash, division_code, uploaded_at from h5p_contents where uploaded_by = ${personId}::bigint`,
    },
  ],
};
