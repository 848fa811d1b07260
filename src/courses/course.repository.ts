import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import type { Contents, CourseVersion, StoredItem } from './course.ts';
import type { Item } from './item.ts';
import { languages } from './language.ts';
import type { Manifest } from './manifest.ts';

/** First half of a two-part advisory lock. */
const SYNC_LOCK = 0x78_71_63; // 'xqc'

export async function findCurrentCourse(db: Executor, slug: string): Promise<CourseVersion | undefined> {
  const row = await db
    .selectFrom('course_versions')
    .selectAll()
    .where('slug', '=', slug)
    .where('is_current', '=', true)
    .executeTakeFirst();
  return row === undefined ? undefined : toCourse(row);
}

export async function listCurrentCourses(db: Executor): Promise<CourseVersion[]> {
  const rows = await db
    .selectFrom('course_versions')
    .selectAll()
    .where('is_current', '=', true)
    .orderBy('slug')
    .execute();
  return rows.map(toCourse);
}

/** Whether some version of a course has this H5P content, in any language. */
export async function hasContent(db: Executor, hash: string): Promise<boolean> {
  const { rows } = await sql<{ there: boolean }>`
    select exists (select from course_versions where jsonb_path_exists(contents, '$.*.* ? (@ == $hash)', jsonb_build_object('hash', ${hash}::text))) as there`.execute(
    db,
  );
  return rows[0]!.there;
}

export async function listCourseVersions(db: Executor, ids: readonly string[]): Promise<CourseVersion[]> {
  if (ids.length === 0) return [];
  const rows = await db.selectFrom('course_versions').selectAll().where('id', 'in', ids).execute();
  return rows.map(toCourse);
}

/** Of two that take the same course in at once, one waits for the other. */
export async function lockCourse(tx: Executor, slug: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(${SYNC_LOCK}, hashtext(${slug}))`.execute(tx);
}

export async function findVersionDigest(
  db: Executor,
  slug: string,
  version: string,
): Promise<{ id: string; digest: string; isCurrent: boolean; inUse: boolean } | undefined> {
  const row = await db
    .selectFrom('course_versions')
    .select((eb) => [
      'id',
      'digest',
      'is_current',
      eb
        .exists(
          eb
            .selectFrom('assignments')
            .select('assignments.id')
            .whereRef('assignments.course_version_id', '=', 'course_versions.id'),
        )
        .as('in_use'),
    ])
    .where('slug', '=', slug)
    .where('version', '=', version)
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : { id: row.id, digest: row.digest, isCurrent: row.is_current, inUse: Boolean(row.in_use) };
}

export async function insertCourseVersion(
  tx: Executor,
  course: {
    slug: string;
    version: string;
    digest: string;
    manifest: Manifest;
    contents: Contents;
    scenarios: CourseVersion['scenarios'];
    scale: CourseVersion['scale'];
    items: readonly Item[];
    at: Date;
  },
): Promise<void> {
  await tx
    .updateTable('course_versions')
    .set({ is_current: false })
    .where('slug', '=', course.slug)
    .where('is_current', '=', true)
    .execute();
  const { id } = await tx
    .insertInto('course_versions')
    .values({
      slug: course.slug,
      version: course.version,
      digest: course.digest,
      manifest: JSON.stringify(course.manifest),
      contents: JSON.stringify(course.contents),
      scenarios: JSON.stringify(course.scenarios),
      scale: course.scale === null ? null : JSON.stringify(course.scale),
      is_current: true,
      synced_at: course.at,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  await tx
    .insertInto('items')
    .values(
      course.items.map((item) => ({
        course_version_id: id,
        key: item.key,
        competency: item.competency,
        body: JSON.stringify(item),
      })),
    )
    .execute();
}

/** Only a version that nobody learns by. */
export async function deleteCourseVersion(tx: Executor, id: string): Promise<void> {
  await tx.deleteFrom('course_versions').where('id', '=', id).execute();
}

export async function listItems(db: Executor, courseVersionId: string): Promise<StoredItem[]> {
  const rows = await db
    .selectFrom('items')
    .select(['id', 'body'])
    .where('course_version_id', '=', courseVersionId)
    .orderBy('key')
    .execute();
  return rows.map((row) => ({ ...(row.body as unknown as Item), id: row.id }));
}

function toCourse(row: {
  id: string;
  slug: string;
  version: string;
  manifest: unknown;
  contents: unknown;
  scenarios: unknown;
  scale: unknown;
}): CourseVersion {
  return {
    id: row.id,
    slug: row.slug,
    version: row.version,
    // Versions from before courses could be in Chinese alone do not say.
    manifest: {
      ...(row.manifest as Manifest),
      languages: (row.manifest as Partial<Manifest>).languages ?? [...languages],
    },
    contents: row.contents as Contents,
    scenarios: row.scenarios as CourseVersion['scenarios'],
    scale: row.scale as CourseVersion['scale'],
  };
}
