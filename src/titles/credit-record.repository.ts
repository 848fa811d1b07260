import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Organization } from '../regions/organization.ts';
import { toCursor, type CreditRecord, type FeedPosition } from './credit-record.ts';

export async function insertCreditRecord(
  tx: Executor,
  given: {
    certificateId: string;
    personId: string;
    kind: 'earned' | 'withdrawn';
    classHours: number;
    earnedOn: string;
    organization: Organization | undefined;
    at: Date;
  },
): Promise<void> {
  await tx
    .insertInto('credit_records')
    .values({
      certificate_id: given.certificateId,
      person_id: given.personId,
      kind: given.kind,
      class_hours: given.classHours,
      earned_on: given.earnedOn,
      province_code: given.organization?.provinceCode ?? null,
      prefecture_code: given.organization?.prefectureCode ?? null,
      county_code: given.organization?.countyCode ?? null,
      organization_id: given.organization?.id ?? null,
      recorded_at: given.at,
    })
    .execute();
}

/** Takes back what a certificate earned, at the same place and of the same size. */
export async function insertWithdrawal(
  tx: Executor,
  given: { certificateId: string; at: Date },
): Promise<void> {
  await sql`
    insert into credit_records (certificate_id, person_id, kind, class_hours, earned_on, province_code, prefecture_code, county_code, organization_id, recorded_at)
    select certificate_id, person_id, 'withdrawn', class_hours, earned_on, province_code, prefecture_code, county_code, organization_id, ${given.at}
    from credit_records where certificate_id = ${given.certificateId} and kind = 'earned'
    on conflict (certificate_id, kind) do nothing`.execute(tx);
}

/** What one certificate had earned, on the one that takes its place: of the same size and place, earned on the same day. */
export async function insertMoved(
  tx: Executor,
  given: { from: string; to: string; at: Date },
): Promise<void> {
  await sql`
    insert into credit_records (certificate_id, person_id, kind, class_hours, earned_on, province_code, prefecture_code, county_code, organization_id, recorded_at)
    select ${given.to}::bigint, person_id, 'earned', class_hours, earned_on, province_code, prefecture_code, county_code, organization_id, ${given.at}
    from credit_records where certificate_id = ${given.from} and kind = 'earned'`.execute(tx);
}

/**
 * Records after `after`, oldest first. Only those of ended transactions: one still open may have a smaller place than the last
 * record read, and would be missed for ever by a reader who had gone past it.
 */
export async function listCreditRecords(
  db: Executor,
  given: {
    divisions: readonly string[] | undefined;
    organizations: readonly string[];
    after: FeedPosition | undefined;
    limit: number;
  },
): Promise<CreditRecord[]> {
  const { rows } = await sql<{
    id: string;
    transaction_id: string;
    kind: 'earned' | 'withdrawn';
    number: string;
    path: CreditRecord['certificatePath'];
    grade: string | null;
    holder: string;
    staff_number: string | null;
    code: string;
    title: string;
    organization: string | null;
    county_code: string | null;
    class_hours: string;
    earned_on: string;
    recorded_at: Date;
  }>`
    select r.id, r.transaction_id::text, r.kind, c.number, c.path, c.claims ->> 'evidenceGrade' as grade, c.claims ->> 'holderName' as holder, p.staff_number, n.code, n.title_zh as title, o.name as organization,
      r.county_code, r.class_hours, r.earned_on, r.recorded_at
    from credit_records r join certificates c on c.id = r.certificate_id join certifications n on n.id = c.certification_id
    join people p on p.id = r.person_id left join organizations o on o.id = r.organization_id
    where r.transaction_id < pg_snapshot_xmin(pg_current_snapshot())
    and (${given.after === undefined} or (r.transaction_id, r.id) > (${given.after?.transactionId ?? '0'}::text::xid8, ${given.after?.id ?? '0'}::bigint))
    and (${given.divisions === undefined} or r.province_code = any(${given.divisions ?? []}::text[]) or r.prefecture_code = any(${given.divisions ?? []}::text[])
      or r.county_code = any(${given.divisions ?? []}::text[]) or r.organization_id = any(${given.organizations}::bigint[]))
    order by r.transaction_id, r.id limit ${given.limit}`.execute(db);
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    certificateNumber: row.number,
    certificatePath: row.path,
    evidenceGrade: row.grade,
    personName: row.holder,
    staffNumber: row.staff_number,
    certificationCode: row.code,
    certificationTitle: row.title,
    organizationName: row.organization,
    countyCode: row.county_code,
    classHours: Number(row.class_hours),
    earnedOn: row.earned_on,
    recordedAt: row.recorded_at,
    cursor: toCursor({ transactionId: row.transaction_id, id: row.id }),
  }));
}
