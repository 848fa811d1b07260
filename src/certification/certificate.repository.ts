import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import type { Certificate, CertificatePath } from './certificate.ts';
import type { StatusEntry } from './credential/status-list.ts';
import type { CertificateClaims } from './document.ts';

const columns = [
  'id',
  'number',
  'verification_code',
  'person_id',
  'certification_id',
  'path',
  'assignment_id',
  'request_id',
  'claims',
  'issued_at',
  'valid_from',
  'valid_until',
  'revoked_on',
  'revocation_reason',
  'pdf_digest',
  'course_version_id',
  'status_list',
  'status_position',
  sql<boolean>`superseded_at is not null`.as('superseded'),
  sql<string | null>`(select s.number from certificates s where s.supersedes = certificates.id)`.as(
    'successor_number',
  ),
] as const;

/** What a certificate is issued with. */
export type NewCertificate = Omit<
  Certificate,
  'id' | 'revokedOn' | 'revocationReason' | 'superseded' | 'successorNumber'
> & {
  readonly period: number;
  readonly template: string;
  readonly templateVersion: number;
  /** The certificate whose place it takes. */
  readonly supersedes: string | null;
};

/** @returns the id, or undefined when the person has one for this certification and period already. */
export async function insertCertificate(tx: Executor, given: NewCertificate): Promise<string | undefined> {
  const row = await tx
    .insertInto('certificates')
    .values({
      number: given.number,
      verification_code: given.verificationCode,
      person_id: given.personId,
      certification_id: given.certificationId,
      path: given.path,
      assignment_id: given.assignmentId,
      request_id: given.requestId,
      period: given.period,
      claims: JSON.stringify(given.claims),
      template: given.template,
      template_version: given.templateVersion,
      course_version_id: given.courseVersionId,
      issued_at: given.issuedAt,
      valid_from: given.validFrom,
      valid_until: given.validUntil,
      pdf_digest: given.pdfDigest,
      status_list: given.status.list,
      status_position: given.status.position,
      supersedes: given.supersedes,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['person_id', 'certification_id', 'period'])
        .where('superseded_at', 'is', null)
        .doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

export async function findCertificateByNumber(
  db: Executor,
  number: string,
  { lock = false } = {},
): Promise<Certificate | undefined> {
  const row = await db
    .selectFrom('certificates')
    .$if(!lock, (query) => query.modifyFront(prepared))
    .select(columns)
    .where('number', '=', number)
    .$if(lock, (query) => query.forUpdate())
    .executeTakeFirst();
  return row === undefined ? undefined : toCertificate(row);
}

/** Those that are there, in no order. */
export async function listCertificatesByNumber(
  db: Executor,
  numbers: readonly string[],
): Promise<Certificate[]> {
  return (
    await db
      .selectFrom('certificates')
      .modifyFront(prepared)
      .select(columns)
      .where('number', '=', sql<string>`any(${numbers}::text[])`)
      .execute()
  ).map(toCertificate);
}

/** @param digest SHA-256 of its PDF, hex. */
export async function findCertificateByDigest(
  db: Executor,
  digest: string,
): Promise<Certificate | undefined> {
  const row = await db
    .selectFrom('certificates')
    .select(columns)
    .where('pdf_digest', '=', digest)
    .executeTakeFirst();
  return row === undefined ? undefined : toCertificate(row);
}

export async function findCertificateById(db: Executor, id: string): Promise<Certificate | undefined> {
  const row = await db.selectFrom('certificates').select(columns).where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toCertificate(row);
}

/** What fulfils an assignment, however it came about: a certificate of its person, certification and period. */
export async function findCertificateOfAssignment(
  db: Executor,
  assignmentId: string,
): Promise<Certificate | undefined> {
  const row = await db
    .selectFrom('certificates')
    .select(columns)
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom('assignments')
          .whereRef('assignments.person_id', '=', 'certificates.person_id')
          .whereRef('assignments.certification_id', '=', 'certificates.certification_id')
          .whereRef('assignments.period', '=', 'certificates.period')
          .where('assignments.id', '=', assignmentId),
      ),
    )
    .where('superseded_at', 'is', null)
    .executeTakeFirst();
  return row === undefined ? undefined : toCertificate(row);
}

/** What a person's assignment of a later period renews: the latest certificate before it that was not ended before time. */
export async function findRenewedCertificate(
  db: Executor,
  of: { personId: string; certificationId: string; period: number },
): Promise<Certificate | undefined> {
  const row = await db
    .selectFrom('certificates')
    .select(columns)
    .where('person_id', '=', of.personId)
    .where('certification_id', '=', of.certificationId)
    .where('period', '<', of.period)
    .where('revoked_on', 'is', null)
    .orderBy('period', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : toCertificate(row);
}

export async function listCertificatesOf(db: Executor, personId: string): Promise<Certificate[]> {
  return (
    await db
      .selectFrom('certificates')
      .select(columns)
      .where('person_id', '=', personId)
      .orderBy('issued_at', 'desc')
      .orderBy('id', 'desc')
      .execute()
  ).map(toCertificate);
}

/** A free place in the newest list of states, drawn by lot; where none is soon found, the next list begins. */
export async function takeStatusEntry(db: Executor, draw: () => number): Promise<StatusEntry> {
  const newest = await db
    .selectFrom('status_entries')
    .select('list')
    .orderBy('list', 'desc')
    .limit(1)
    .executeTakeFirst();
  for (let attempt = 0; ; attempt += 1) {
    // A list that is half full has five draws fail in one of 32 cases.
    const entry = { list: (newest?.list ?? 1) + (attempt < 5 ? 0 : 1), position: draw() };
    const taken = await db
      .insertInto('status_entries')
      .values(entry)
      .onConflict((conflict) => conflict.doNothing())
      .returning('list')
      .executeTakeFirst();
    if (taken !== undefined) return entry;
  }
}

/** By what a certificate was drawn, and for which period. */
export interface Drawing {
  readonly template: string;
  readonly templateVersion: number;
  readonly period: number;
}

export async function getDrawing(db: Executor, id: string): Promise<Drawing> {
  const row = await db
    .selectFrom('certificates')
    .select(['template', 'template_version', 'period'])
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return { template: row.template, templateVersion: row.template_version, period: row.period };
}

/** @returns whether it did: what has ended before does not end again. */
export async function revokeCertificate(
  tx: Executor,
  given: { id: string; by: string; reason: string; at: Date; on: string; superseded: boolean },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('certificates')
    .set({
      revoked_at: given.at,
      revoked_on: given.on,
      revoked_by: given.by,
      revocation_reason: given.reason,
      superseded_at: given.superseded ? given.at : null,
    })
    .where('id', '=', given.id)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

function toCertificate(row: {
  id: string;
  number: string;
  verification_code: string;
  person_id: string;
  certification_id: string;
  path: string;
  assignment_id: string | null;
  request_id: string | null;
  claims: unknown;
  issued_at: Date;
  valid_from: string;
  valid_until: string | null;
  revoked_on: string | null;
  revocation_reason: string | null;
  pdf_digest: string;
  course_version_id: string | null;
  status_list: number;
  status_position: number;
  superseded: boolean;
  successor_number: string | null;
}): Certificate {
  return {
    id: row.id,
    number: row.number,
    verificationCode: row.verification_code,
    personId: row.person_id,
    certificationId: row.certification_id,
    path: row.path as CertificatePath,
    assignmentId: row.assignment_id,
    requestId: row.request_id,
    claims: row.claims as CertificateClaims,
    issuedAt: row.issued_at,
    validFrom: row.valid_from,
    validUntil: row.valid_until,
    revokedOn: row.revoked_on,
    revocationReason: row.revocation_reason,
    pdfDigest: row.pdf_digest,
    courseVersionId: row.course_version_id,
    status: { list: row.status_list, position: row.status_position },
    superseded: row.superseded,
    successorNumber: row.successor_number,
  };
}
