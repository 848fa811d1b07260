import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import type { CourseVersion, StoredItem } from './course.ts';
import {
  deleteCourseVersion,
  findCourseVersion,
  findCurrentCourse,
  findVersionDigest,
  hasContent,
  insertCourseVersion,
  listCourseVersions,
  listCurrentCourses,
  listItems,
  lockCourse,
} from './course.repository.ts';
import type { H5pService } from '../h5p/content.service.ts';
import type { PackageLimits } from '../h5p/limits.ts';
import type { Problem } from '../h5p/problem.ts';
import { readCourseFolder } from './folder.ts';
import { digestOf, readStamps, writeStamps, type Stamp } from './taken-in.ts';
import { inParts } from '../db/acting.ts';
import { inParallel } from '../in-parallel.ts';

export interface SyncResult {
  readonly slug: string;
  readonly outcome: 'unchanged' | 'synced' | 'refused';
  readonly problems: readonly Problem[];
}

export type CourseService = ReturnType<typeof makeCourseService>;

/** Courses are data on disk; what is served is what the last sync took in. They are open material: reading asks no permission. */
export function makeCourseService({
  db,
  clock,
  coursesFolder,
  h5p,
  limits,
  stamps,
}: {
  db: Database;
  clock: Clock;
  coursesFolder: string;
  h5p: Pick<H5pService, 'keep' | 'holds'>;
  /** Of each H5P content; as usual when left out. */
  limits?: PackageLimits;
  /** Where it is kept what was taken in, and what judges courses besides themselves; left out, all of them are read each time. */
  stamps?: { readonly file: string; readonly judge: string };
}) {
  const librariesFolder = join(coursesFolder, 'libraries');
  const shared = [librariesFolder, join(coursesFolder, 'hotlines.yaml')];
  // A version is never changed: what is taken in instead gets an id of its own. So each is read once, however many sit its exam.
  const known = {
    versions: new Map<string, CourseVersion>(),
    items: new Map<string, readonly StoredItem[]>(),
  };

  const service = {
    // These take the caller's transaction where it has one: waiting for a second connection while holding the first could
    // leave every connection waiting.
    findCurrent: async (executor: Executor, slug: string): Promise<CourseVersion | undefined> =>
      findCurrentCourse(executor, slug),
    /** As it is now, or as it was at a version. Public, as what it is asked for: something to print. */
    findForPack: async (slug: string, version: string | undefined): Promise<CourseVersion | undefined> =>
      version === undefined ? findCurrentCourse(db, slug) : findCourseVersion(db, slug, version),
    listCurrent: async (): Promise<CourseVersion[]> => listCurrentCourses(db),
    async listVersions(executor: Executor, ids: readonly string[]): Promise<CourseVersion[]> {
      const unread = ids.filter((id) => !known.versions.has(id));
      const read = unread.length === 0 ? [] : await listCourseVersions(executor, unread);
      for (const version of read) keep(known.versions, version.id, version);
      return ids.flatMap((id) => known.versions.get(id) ?? read.find((version) => version.id === id) ?? []);
    },
    /** Whether some version of a course, past or present, has the H5P content of that hash. */
    hasContent: async (hash: string): Promise<boolean> => hasContent(db, hash),
    /** With the answer keys: for the assessment room alone. */
    async listItems(executor: Executor, courseVersionId: string): Promise<readonly StoredItem[]> {
      const kept = known.items.get(courseVersionId);
      if (kept !== undefined) return kept;
      const items = await listItems(executor, courseVersionId);
      if (items.length > 0) keep(known.items, courseVersionId, items);
      return items;
    },

    /** Takes every course folder in. A faulty course is refused by itself; what was served of it before goes on. */
    async sync(): Promise<SyncResult[]> {
      const results: SyncResult[] = [];
      const entries = await readdir(coursesFolder, { withFileTypes: true });
      const before = stamps === undefined ? new Map<string, Stamp>() : await readStamps(stamps.file);
      const after = new Map<string, Stamp>();
      const around = stamps === undefined ? '' : await digestOf(shared).catch(() => undefined);
      /** Of a course with all that decides what becomes of it; undefined where that can't be told. */
      const sourceOf = async (slug: string): Promise<string | undefined> => {
        if (stamps === undefined || around === undefined) return undefined;
        const own = await digestOf([join(coursesFolder, slug)]).catch(() => undefined);
        return own === undefined ? undefined : `${own} ${around} ${stamps.judge} ${JSON.stringify(limits)}`;
      };
      for (const entry of entries.toSorted((a, b) => a.name.localeCompare(b.name))) {
        const isCourse =
          entry.isDirectory() &&
          !entry.name.startsWith('.') &&
          !['libraries', 'template'].includes(entry.name);
        if (!isCourse) continue;
        const slug = entry.name;
        const source = await sourceOf(slug);
        const stamp = before.get(slug);
        if (stamp !== undefined && stamp.source === source && (await isServed(slug, stamp))) {
          results.push({ slug, outcome: 'unchanged', problems: [] });
          after.set(slug, stamp);
          continue;
        }
        const { taken, ...result } = await syncOne(slug);
        results.push(result);
        // Somebody who writes while it is read is read again the next time.
        if (taken !== undefined && source !== undefined && source === (await sourceOf(slug)))
          after.set(slug, { source, ...taken });
      }
      if (stamps !== undefined) await writeStamps(stamps.file, after);
      return results;
    },
  };
  return inParts({ sync: 'keeper' }, service);

  /** Whether this database and this store have what a stamp tells of. */
  async function isServed(slug: string, stamp: Stamp): Promise<boolean> {
    const known = await findVersionDigest(db, slug, stamp.version);
    if (known?.digest !== stamp.digest || !known.isCurrent) return false;
    const [version] = await listCourseVersions(db, [known.id]);
    return h5p.holds([
      ...new Set(Object.values(version!.contents).flatMap((content) => Object.values(content))),
    ]);
  }

  async function syncOne(slug: string): Promise<SyncResult & { taken?: Pick<Stamp, 'version' | 'digest'> }> {
    const read = await readCourseFolder(join(coursesFolder, slug), librariesFolder, limits);
    if ('problems' in read) return { slug, outcome: 'refused', problems: read.problems };
    const { manifest, items, contents, scenarios, scale, pack, packages, digest } = read.course;
    try {
      await inParallel(packages, 4, h5p.keep);
    } finally {
      for (const each of packages) await each.close();
    }
    const taken = { version: manifest.version, digest };
    return db.transaction().execute(async (tx) => {
      await lockCourse(tx, slug);
      const known = await findVersionDigest(tx, slug, manifest.version);
      if (known?.digest === digest && known.isCurrent)
        return { slug, outcome: 'unchanged' as const, problems: [], taken };
      if (known?.inUse === true || (known !== undefined && !known.isCurrent)) {
        return {
          slug,
          outcome: 'refused' as const,
          problems: [
            {
              where: 'course.yaml version',
              what: `${manifest.version} is in use as it was before; raise the version to publish what has changed.`,
            },
          ],
        };
      }
      if (known !== undefined) await deleteCourseVersion(tx, known.id);
      await insertCourseVersion(tx, {
        slug,
        version: manifest.version,
        digest,
        manifest,
        contents,
        scenarios,
        scale,
        pack,
        items,
        at: clock.now(),
      });
      return { slug, outcome: 'synced' as const, problems: [], taken };
    });
  }
}

/** So many versions are kept in memory. */
const MOST_KNOWN = 200;

function keep<T>(known: Map<string, T>, id: string, value: T): void {
  if (known.size >= MOST_KNOWN) known.delete(known.keys().next().value!);
  known.set(id, value);
}
