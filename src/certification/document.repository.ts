import { createHash } from 'node:crypto';
import type { Executor } from '../db/database.ts';
import { dictionaryOf, pack, unpack } from './keep.ts';
import type { Profile } from './signature/sign.ts';

/* Documents, what they have in common, and by which certificates they are signed. */

/** A document to keep. */
export interface NewDocument {
  readonly bytes: Buffer;
  readonly part: { readonly digest: string; readonly bytes: Buffer; readonly sample: Buffer };
  readonly issuerCertificateId: string;
  readonly chain: readonly Buffer[];
  readonly profile: Profile;
}

export async function insertDocument(
  tx: Executor,
  certificateId: string,
  document: NewDocument,
): Promise<void> {
  const { part } = document;
  const digest = createHash('sha256').update(part.bytes).update(part.sample).digest('hex');
  const partId =
    (await findPart(tx, digest)) ??
    (
      await tx
        .insertInto('certificate_document_parts')
        .values({ digest, bytes: part.bytes, sample: part.sample })
        // Another may have put it in the meantime.
        .onConflict((conflict) => conflict.column('digest').doNothing())
        .returning('id')
        .executeTakeFirst()
    )?.id ??
    (await findPart(tx, digest))!;
  const own = document.bytes.subarray(part.bytes.length);
  await tx
    .insertInto('certificate_documents')
    .values({
      certificate_id: certificateId,
      part_id: partId,
      packed: pack(own, dictionaryOf(part.sample, document.chain)),
      issuer_certificate_id: document.issuerCertificateId,
      profile: document.profile,
    })
    .execute();
}

async function findPart(db: Executor, digest: string): Promise<string | undefined> {
  const row = await db
    .selectFrom('certificate_document_parts')
    .select('id')
    .where('digest', '=', digest)
    .executeTakeFirst();
  return row?.id;
}

/** A document as it was issued, byte for byte. @throws Error, a defect, when it is no longer what its digest says. */
export async function findDocument(db: Executor, certificateId: string): Promise<Buffer | undefined> {
  const row = await db
    .selectFrom('certificate_documents as d')
    .innerJoin('certificates as c', 'c.id', 'd.certificate_id')
    .leftJoin('certificate_document_parts as p', 'p.id', 'd.part_id')
    .leftJoin('issuer_certificates as i', 'i.id', 'd.issuer_certificate_id')
    .select(['d.pdf', 'd.packed', 'p.bytes', 'p.sample', 'i.chain', 'c.pdf_digest', 'c.number'])
    .where('d.certificate_id', '=', certificateId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const document =
    row.pdf ?? Buffer.concat([row.bytes!, unpack(row.packed!, dictionaryOf(row.sample!, row.chain!))]);
  if (createHash('sha256').update(document).digest('hex') !== row.pdf_digest)
    throw new Error(`The document of certificate ${row.number} is not the one that was issued.`);
  return document;
}

/** The one with this digest, put there on its first use. @returns its id. */
export async function keepIssuerCertificate(
  tx: Executor,
  given: {
    digest: string;
    subject: string;
    validFrom: Date;
    validUntil: Date;
    chain: readonly Buffer[];
    at: Date;
  },
): Promise<string> {
  const find = async (): Promise<string | undefined> =>
    (
      await tx
        .selectFrom('issuer_certificates')
        .select('id')
        .where('digest', '=', given.digest)
        .executeTakeFirst()
    )?.id;
  const inserted = async (): Promise<string | undefined> =>
    (
      await tx
        .insertInto('issuer_certificates')
        .values({
          digest: given.digest,
          subject: given.subject,
          valid_from: given.validFrom,
          valid_until: given.validUntil,
          chain: [...given.chain],
          first_used_at: given.at,
        })
        .onConflict((conflict) => conflict.column('digest').doNothing())
        .returning('id')
        .executeTakeFirst()
    )?.id;
  return (await find()) ?? (await inserted()) ?? (await find())!;
}

/** By whose keys documents were signed, newest first: the certificate of each key itself, DER. */
export async function listIssuerCertificates(db: Executor): Promise<Buffer[]> {
  const rows = await db
    .selectFrom('issuer_certificates')
    .select('chain')
    .orderBy('first_used_at', 'desc')
    .execute();
  return rows.flatMap(({ chain }) => chain[0] ?? []);
}

export interface FrozenTemplate {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
}

/** What the template was when it first issued: what is given, if this is the first time. */
export async function freezeTemplate(tx: Executor, given: FrozenTemplate & { at: Date }): Promise<string> {
  await tx
    .insertInto('certificate_templates')
    .values({ name: given.name, version: given.version, digest: given.digest, frozen_at: given.at })
    .onConflict((conflict) => conflict.columns(['name', 'version']).doNothing())
    .execute();
  const row = await tx
    .selectFrom('certificate_templates')
    .select('digest')
    .where('name', '=', given.name)
    .where('version', '=', given.version)
    .executeTakeFirstOrThrow();
  return row.digest;
}

export async function listFrozenTemplates(db: Executor): Promise<FrozenTemplate[]> {
  return db
    .selectFrom('certificate_templates')
    .select(['name', 'version', 'digest'])
    .orderBy('name')
    .orderBy('version')
    .execute();
}
