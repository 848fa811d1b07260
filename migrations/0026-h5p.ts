import { sql, type Kysely } from 'kysely';

/** H5P packages that authors uploaded, and the libraries that are known. The files themselves lie in the content store. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    create table h5p_libraries (
      id text primary key,
      machine_name text not null,
      major_version integer not null check (major_version >= 0),
      minor_version integer not null check (minor_version >= 0),
      patch_version integer not null check (patch_version >= 0),
      digest text not null check (digest ~ '^[0-9a-f]{64}$'),
      title text not null,
      stored_at timestamptz not null,
      number bigint generated always as identity
    )`.execute(db);
  await sql`comment on table h5p_libraries is 'H5P libraries in the content store, each once for all contents that are played with it.'`.execute(
    db,
  );
  await sql`comment on column h5p_libraries.id is 'Name, full version and the beginning of the digest, as the manifests of contents have it.'`.execute(
    db,
  );
  await sql`comment on column h5p_libraries.digest is 'SHA-256 over its files. Of one version there may be two: a course on disk may bring its own, an upload may not.'`.execute(
    db,
  );
  await sql`comment on column h5p_libraries.number is 'In which order they came.'`.execute(db);
  await sql`create index on h5p_libraries (machine_name, major_version, minor_version, patch_version, number)`.execute(
    db,
  );

  await sql`
    create table h5p_contents (
      id bigint generated always as identity primary key,
      hash text not null check (hash ~ '^[0-9a-f]{40}$'),
      division_code text not null references divisions,
      title text not null,
      language text not null,
      main_library text not null references h5p_libraries,
      size bigint not null check (size >= 0),
      warnings jsonb not null default '[]',
      upgraded_from bigint references h5p_contents,
      uploaded_by bigint not null references people,
      uploaded_at timestamptz not null,
      unique (division_code, hash)
    )`.execute(db);
  await sql`comment on table h5p_contents is 'Contents that authors uploaded, each for a division. Those of courses on disk are in course_versions.'`.execute(
    db,
  );
  await sql`comment on column h5p_contents.hash is 'Names the content in the content store and to the player; over its own bytes and those of its libraries.'`.execute(
    db,
  );
  await sql`comment on column h5p_contents.size is 'Bytes of its own files, unpacked, without its libraries.'`.execute(
    db,
  );
  await sql`comment on column h5p_contents.upgraded_from is 'The same content with older libraries, which stays as it is.'`.execute(
    db,
  );
  await sql`create index on h5p_contents (uploaded_by)`.execute(db);
  await sql`create index on h5p_contents (upgraded_from)`.execute(db);

  await sql`
    create table h5p_content_libraries (
      content_id bigint not null references h5p_contents on delete cascade,
      library_id text not null references h5p_libraries,
      primary key (content_id, library_id)
    )`.execute(db);
  await sql`comment on table h5p_content_libraries is 'Which library each uploaded content is played with.'`.execute(
    db,
  );
  await sql`create index on h5p_content_libraries (library_id)`.execute(db);
}
