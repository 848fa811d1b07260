import { sql } from 'kysely';
import type { PersonalDataKeeper } from '../people/personal-data.ts';

/** What stands in the place of what somebody wrote. */
const ERASED = '已删除 / erased';

/** Ways in, and what is granted to whom. Hashes of tokens stay where they are: they tell a person nothing. */
export const accessData: PersonalDataKeeper = {
  parts: [
    {
      name: 'sessions',
      tables: ['sessions'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, way, issuer, created_at, expires_at, last_used_at, ended_at from sessions where person_id = ${personId}::bigint`,
    },
    {
      name: 'access_tokens',
      tables: ['access_tokens'],
      fate: 'removed',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, name, permissions, division_code, organization_id::text, created_at, expires_at, last_used_at, revoked_at from access_tokens where person_id = ${personId}::bigint`,
    },
    {
      name: 'access_tokens_revoked',
      tables: ['access_tokens'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, revoked_at from access_tokens where revoked_by = ${personId}::bigint and person_id <> ${personId}::bigint`,
    },
    {
      name: 'grants',
      tables: ['role_grants'],
      fate: 'stripped',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, role, division_code, organization_id::text, starts_on, ends_on, reason from role_grants where person_id = ${personId}::bigint`,
    },
    {
      name: 'grants_given',
      tables: ['role_grants'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, role, division_code, organization_id::text, starts_on, ends_on from role_grants where granted_by = ${personId}::bigint`,
    },
    {
      name: 'grants_ended',
      tables: ['role_grants'],
      fate: 'kept',
      rows: (personId) => sql`
        select lpad(id::text, 19, '0') as key, id::text, role, division_code, organization_id::text, ended_at, end_reason from role_grants where ended_by = ${personId}::bigint`,
    },
    {
      name: 'sample_sign_ins',
      tables: ['sample_sign_ins'],
      fate: 'removed',
      rows: (personId) => sql`
        select s.key as key, s.key as name, description_zh, description_en from sample_sign_ins s where person_id = ${personId}::bigint`,
    },
  ],
  async erase(tx, personIds) {
    await sql`delete from sessions where person_id = any(${personIds}::bigint[])`.execute(tx);
    await sql`delete from access_tokens where person_id = any(${personIds}::bigint[])`.execute(tx);
    await sql`delete from sample_sign_ins where person_id = any(${personIds}::bigint[])`.execute(tx);
    await sql`update role_grants set reason = ${ERASED}, end_reason = case when end_reason is null then null else ${ERASED} end where person_id = any(${personIds}::bigint[])`.execute(
      tx,
    );
  },
  retention: [
    {
      name: 'access-tokens',
      async forget(tx, { before, limit }) {
        const { numAffectedRows } = await sql`
          delete from access_tokens where id in (
            select id from access_tokens where least(revoked_at, expires_at) < ${before} limit ${limit} for update skip locked)`.execute(
          tx,
        );
        return Number(numAffectedRows);
      },
    },
    {
      name: 'sessions',
      async forget(tx, { before, limit }) {
        const { numAffectedRows } = await sql`
          delete from sessions where token_hash in (
            select token_hash from sessions where least(ended_at, expires_at) < ${before} limit ${limit} for update skip locked)`.execute(
          tx,
        );
        return Number(numAffectedRows);
      },
    },
  ],
};
