import { sql, type Kysely } from 'kysely';

/** How certificates are signed and kept: what documents have in common, with which certificates they are signed, templates that are frozen. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table certificate_templates (
      name text not null,
      version integer not null,
      digest text not null check (digest ~ '^[0-9a-f]{64}$'),
      frozen_at timestamptz not null,
      primary key (name, version)
    )`.execute(db);
  await sql`comment on table certificate_templates is 'What a template was when the first certificate was issued on it. A file that says otherwise today issues nothing.'`.execute(
    db,
  );
  await sql`
    create table issuer_certificates (
      id bigint generated always as identity primary key,
      digest text not null unique check (digest ~ '^[0-9a-f]{64}$'),
      subject text not null,
      valid_from timestamptz not null,
      valid_until timestamptz not null,
      chain bytea[] not null check (cardinality(chain) > 0),
      first_used_at timestamptz not null
    )`.execute(db);
  await sql`comment on table issuer_certificates is 'The certificates by whose keys documents are signed, each with its chain (DER, its own first). After a rotation the old ones stay: what they signed stays valid.'`.execute(
    db,
  );
  await sql`
    create table certificate_document_parts (
      id bigint generated always as identity primary key,
      digest text not null unique check (digest ~ '^[0-9a-f]{64}$'),
      bytes bytea not null,
      sample bytea not null
    )`.execute(db);
  await sql`comment on table certificate_document_parts is 'What the documents of a template, certification, course and issuer begin with, kept once. The sample is what the rest of one looks like: others are packed against it. No person is in either.'`.execute(
    db,
  );
  await sql`
    alter table certificate_documents
      alter column pdf drop not null,
      add column part_id bigint references certificate_document_parts (id),
      add column packed bytea,
      add column issuer_certificate_id bigint references issuer_certificates (id),
      add column profile text check (profile in ('B-B', 'B-T')),
      add check ((pdf is null) = (packed is not null)),
      add check ((packed is null) = (part_id is null)),
      add check ((issuer_certificate_id is null) = (profile is null))`.execute(db);
  await sql`comment on column certificate_documents.pdf is 'The whole document, of those that were issued before they were signed.'`.execute(
    db,
  );
  await sql`comment on column certificate_documents.packed is 'What comes behind the part: deflate (RFC 1951) against its sample and the chain. Together they are the document whose digest the certificate keeps.'`.execute(
    db,
  );
  await sql`comment on column certificate_documents.profile is 'Of ETSI EN 319 142-1: B-T has a timestamp of an authority, B-B has none. null: it is not signed.'`.execute(
    db,
  );
}
