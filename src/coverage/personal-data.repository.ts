import { sql, type RawBuilder } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

const idsOf =
  (table: string, by: string, at: string, more: RawBuilder<unknown>) =>
  (personId: string): RawBuilder<unknown> => sql`
    select lpad(id::text, 19, '0') as key, id::text, ${sql.ref(at)}, ${more} from ${sql.table(table)} where ${sql.ref(by)} = ${personId}::bigint`;

/** What people set, took in and signed for their office. What is counted of people stands in none of these. */
export const coverageData: PersonalDataKeeper = {
  parts: [
    {
      name: 'targets_set',
      tables: ['coverage_targets'],
      fate: 'kept',
      rows: idsOf('coverage_targets', 'set_by', 'set_at', sql`division_code, measure, rate, starts_on`),
    },
    {
      name: 'indicators_defined',
      tables: ['indicators'],
      fate: 'kept',
      rows: idsOf('indicators', 'created_by', 'created_at', sql`division_code, code`),
    },
    {
      name: 'indicator_imports',
      tables: ['indicator_imports'],
      fate: 'kept',
      rows: idsOf('indicator_imports', 'imported_by', 'imported_at', sql`division_code, source`),
    },
    {
      name: 'snapshots_requested',
      tables: ['snapshots'],
      fate: 'kept',
      rows: idsOf('snapshots', 'requested_by', 'requested_at', sql`unit::text, day, state`),
    },
    {
      name: 'snapshot_verdicts',
      tables: ['snapshot_verdicts'],
      fate: 'kept',
      rows: idsOf('snapshot_verdicts', 'given_by', 'given_at', sql`unit::text, verdict, remark`),
    },
  ],
};
