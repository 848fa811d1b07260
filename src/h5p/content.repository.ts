import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { H5pContent, KnownLibrary } from './content.ts';
import type { Dependency, Library } from './library.ts';
import type { Problem } from './problem.ts';

/** First half of a two-part advisory lock. */
const LIBRARY_LOCK = 0x68_35_70; // 'h5p'

const CONTENT_COLUMNS = [
  'id',
  'hash',
  'division_code',
  'title',
  'language',
  'main_library',
  'size',
  'warnings',
  'upgraded_from',
  'uploaded_by',
  'uploaded_at',
] as const;
const LIBRARY_COLUMNS = [
  'id',
  'machine_name',
  'major_version',
  'minor_version',
  'patch_version',
  'title',
] as const;

/** Of two that bring the same libraries at once, one waits for the other. */
export async function lockLibraries(tx: Executor): Promise<void> {
  await sql`select pg_advisory_xact_lock(${LIBRARY_LOCK}, 0)`.execute(tx);
}

/** The newest patch of a version; of two with the same number, the one that came last. */
export async function findNewestLibrary(
  db: Executor,
  { machineName, majorVersion, minorVersion }: Dependency,
): Promise<KnownLibrary | undefined> {
  const row = await db
    .selectFrom('h5p_libraries')
    .select(LIBRARY_COLUMNS)
    .where('machine_name', '=', machineName)
    .where('major_version', '=', majorVersion)
    .where('minor_version', '=', minorVersion)
    .orderBy('patch_version', 'desc')
    .orderBy('number', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? undefined : toLibrary(row);
}

export async function listLibraryVersions(db: Executor, machineName: string): Promise<string[]> {
  const rows = await db
    .selectFrom('h5p_libraries')
    .select(['major_version', 'minor_version', 'patch_version'])
    .distinct()
    .where('machine_name', '=', machineName)
    .orderBy('major_version')
    .orderBy('minor_version')
    .orderBy('patch_version')
    .execute();
  return rows.map((row) => `${row.major_version}.${row.minor_version}.${row.patch_version}`);
}

/** Digests of all that is known under the name and full version of a library. */
export async function listDigests(db: Executor, library: Library): Promise<string[]> {
  const rows = await db
    .selectFrom('h5p_libraries')
    .select('digest')
    .where('machine_name', '=', library.machineName)
    .where('major_version', '=', library.majorVersion)
    .where('minor_version', '=', library.minorVersion)
    .where('patch_version', '=', library.patchVersion)
    .execute();
  return rows.map((row) => row.digest);
}

export async function insertLibraries(tx: Executor, libraries: readonly Library[], at: Date): Promise<void> {
  if (libraries.length === 0) return;
  await tx
    .insertInto('h5p_libraries')
    .values(
      libraries.map((library) => ({
        id: library.id,
        machine_name: library.machineName,
        major_version: library.majorVersion,
        minor_version: library.minorVersion,
        patch_version: library.patchVersion,
        digest: library.digest,
        title: library.title,
        stored_at: at,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** @returns its id. */
export async function insertContent(
  tx: Executor,
  content: Omit<H5pContent, 'id'>,
  libraryIds: readonly string[],
): Promise<string> {
  const { id } = await tx
    .insertInto('h5p_contents')
    .values({
      hash: content.hash,
      division_code: content.divisionCode,
      title: content.title,
      language: content.contentLanguage,
      main_library: content.mainLibraryId,
      size: String(content.size),
      warnings: JSON.stringify(content.warnings),
      upgraded_from: content.upgradedFromId,
      uploaded_by: content.uploadedById,
      uploaded_at: content.uploadedAt,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('h5p_content_libraries')
    .values(libraryIds.map((libraryId) => ({ content_id: id, library_id: libraryId })))
    .execute();
  return id;
}

export async function findContent(db: Executor, id: string): Promise<H5pContent | undefined> {
  const row = await db
    .selectFrom('h5p_contents')
    .select(CONTENT_COLUMNS)
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? undefined : toContent(row);
}

export async function findContentByHash(
  db: Executor,
  divisionCode: string,
  hash: string,
): Promise<H5pContent | undefined> {
  const row = await db
    .selectFrom('h5p_contents')
    .select(CONTENT_COLUMNS)
    .where('division_code', '=', divisionCode)
    .where('hash', '=', hash)
    .executeTakeFirst();
  return row === undefined ? undefined : toContent(row);
}

/** Of a division and all below it, the latest first. */
export async function listContents(
  db: Executor,
  divisionPrefix: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<H5pContent[]> {
  let query = db
    .selectFrom('h5p_contents')
    .select(CONTENT_COLUMNS)
    .where('division_code', 'like', `${divisionPrefix}%`)
    .orderBy('id', 'desc')
    .limit(limit);
  if (after !== undefined) query = query.where('id', '<', after);
  return (await query.execute()).map(toContent);
}

/** The libraries that a content is played with, by name. */
export async function listLibrariesOf(db: Executor, contentId: string): Promise<KnownLibrary[]> {
  const rows = await db
    .selectFrom('h5p_content_libraries')
    .innerJoin('h5p_libraries', 'h5p_libraries.id', 'h5p_content_libraries.library_id')
    .select(LIBRARY_COLUMNS)
    .where('content_id', '=', contentId)
    .orderBy('machine_name')
    .orderBy('major_version')
    .orderBy('minor_version')
    .execute();
  return rows.map(toLibrary);
}

/** How many of the contents that may be seen are played with a library. */
export async function countContentsOf(db: Executor, libraryId: string): Promise<number> {
  const { count } = await db
    .selectFrom('h5p_content_libraries')
    .innerJoin('h5p_contents', 'h5p_contents.id', 'h5p_content_libraries.content_id')
    .select((eb) => eb.fn.countAll<string>().as('count'))
    .where('library_id', '=', libraryId)
    .executeTakeFirstOrThrow();
  return Number(count);
}

function toLibrary(row: {
  id: string;
  machine_name: string;
  major_version: number;
  minor_version: number;
  patch_version: number;
  title: string;
}): KnownLibrary {
  return {
    id: row.id,
    machineName: row.machine_name,
    majorVersion: row.major_version,
    minorVersion: row.minor_version,
    patchVersion: row.patch_version,
    title: row.title,
  };
}

function toContent(row: {
  id: string;
  hash: string;
  division_code: string;
  title: string;
  language: string;
  main_library: string;
  size: string;
  warnings: unknown;
  upgraded_from: string | null;
  uploaded_by: string;
  uploaded_at: Date;
}): H5pContent {
  return {
    id: row.id,
    hash: row.hash,
    divisionCode: row.division_code,
    title: row.title,
    contentLanguage: row.language,
    mainLibraryId: row.main_library,
    size: Number(row.size),
    warnings: row.warnings as readonly Problem[],
    upgradedFromId: row.upgraded_from,
    uploadedById: row.uploaded_by,
    uploadedAt: row.uploaded_at,
  };
}
