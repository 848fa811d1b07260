import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Clock } from '../clock.ts';
import { inParts } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound, PackageRefused } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { may, scopesOf, type Viewer } from '../people/permission.ts';
import type { IncomingFile } from '../people/roster/upload.ts';
import type { Division } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import type { H5pContent, KnownLibrary } from './content.ts';
import type { Content, ContentStore } from './content-store.ts';
import {
  countContentsOf,
  findContent,
  findContentByHash,
  findNewestLibrary,
  insertContent,
  insertLibraries,
  listContents,
  listDigests,
  listLibrariesOf,
  listLibraryVersions,
  lockLibraries,
} from './content.repository.ts';
import { gatherLibraries } from './dependency.ts';
import { packContent } from './export.ts';
import { folderOf, versionOf, type LibraryShelf, type LibrarySource } from './library.ts';
import type { PackageLimits } from './limits.ts';
import { readWhole } from './object-store.ts';
import { hashOf, readPackedFile, type H5pPackage } from './package.ts';
import { h5pData } from './personal-data.repository.ts';
import { Findings, type Problem } from './problem.ts';

export type H5pService = ReturnType<typeof makeH5pService>;

export function makeH5pService({
  db,
  clock,
  store,
  regions,
  limits,
}: {
  db: Database;
  clock: Clock;
  store: ContentStore;
  regions: RegionService;
  limits: PackageLimits;
}) {
  /** What was ever stored. */
  const shelfOf = (executor: Executor): LibraryShelf => ({
    async find(dependency) {
      const known = await findNewestLibrary(executor, dependency);
      return known === undefined ? undefined : store.sourceOf(known.id);
    },
    listVersions: async (machineName) => listLibraryVersions(executor, machineName),
  });
  const visibleDivision = async (
    viewer: Viewer,
    code: string,
    executor: Executor = db,
  ): Promise<Division | undefined> => {
    const division = await regions.findDivision(code, executor);
    return division !== undefined && may(viewer, 'content.author', division) ? division : undefined;
  };
  const visible = async (
    viewer: Viewer,
    id: string,
    executor: Executor = db,
  ): Promise<H5pContent | undefined> => {
    const content = await findContent(executor, id);
    return content !== undefined &&
      (await visibleDivision(viewer, content.divisionCode, executor)) !== undefined
      ? content
      : undefined;
  };
  const putAll = async (its: H5pPackage): Promise<Content> => {
    for (const source of its.libraries.values()) await store.putLibrary(source);
    return store.putContent(
      {
        hash: its.hash,
        title: its.title,
        language: its.language,
        main: its.main,
        files: its.files,
        libraries: idsOf(its.libraries),
      },
      its.played,
      (path) => its.open(path),
    );
  };
  const record = async (
    tx: Executor,
    viewer: Viewer,
    division: Division,
    action: 'h5p.upload' | 'h5p.upgrade',
    content: Content,
    more: { warnings: readonly Problem[]; upgradedFromId: string | null },
  ): Promise<string> => {
    const id = await insertContent(
      tx,
      {
        hash: content.hash,
        divisionCode: division.code,
        title: content.title,
        contentLanguage: content.language,
        mainLibraryId: content.libraries[content.main]!,
        size: Object.values(content.files).reduce((sum, { size }) => sum + size, 0),
        uploadedById: viewer.personId,
        uploadedAt: clock.now(),
        ...more,
      },
      Object.values(content.libraries),
    );
    await insertJournalEntry(tx, {
      at: clock.now(),
      actor: `person:${viewer.personId}`,
      action,
      subject: `h5p-content:${id}`,
      detail: { hash: content.hash, ...(more.upgradedFromId === null ? {} : { from: more.upgradedFromId }) },
      units: [division],
    });
    return id;
  };

  const service = {
    personalData: h5pData,

    /** Takes in a content of a course on disk, and notes its libraries. */
    async keep(its: H5pPackage): Promise<void> {
      await putAll(its);
      const libraries = [...its.libraries.values()].map(({ library }) => library);
      await insertLibraries(db, libraries, clock.now());
    },

    /** Whether contents are in the store, with all that they are played with. */
    async holds(hashes: readonly string[]): Promise<boolean> {
      for (const hash of hashes) {
        const content = await store.findContent(hash);
        if (content === undefined) return false;
        for (const id of Object.values(content.libraries))
          if ((await store.findLibrary(id)) === undefined) return false;
      }
      return true;
    },

    /**
     * Takes an uploaded package in. The same one again changes nothing.
     * @returns whether it was new. @throws NotFound, InvalidInput, PackageRefused with all that is wrong
     */
    async upload(
      viewer: Viewer,
      input: { divisionCode: string; file: IncomingFile },
    ): Promise<{ content: H5pContent; added: boolean }> {
      const division = await visibleDivision(viewer, input.divisionCode);
      if (division === undefined) throw new NotFound(`Division ${input.divisionCode}`);
      if (input.file.size === 0) throw new InvalidInput('input.file', 'The file is empty.');
      const folder = await mkdtemp(join(tmpdir(), 'xinqiao-upload-'));
      try {
        // A zip is read from its end.
        const file = join(folder, 'package.h5p');
        await pipeline(input.file.stream(), createWriteStream(file));
        const read = await readPackedFile(file, { shelf: shelfOf(db), limits });
        if ('problems' in read) throw new PackageRefused(read.problems);
        try {
          return await take(viewer, division, read.package);
        } finally {
          await read.package.close();
        }
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },

    find: async (viewer: Viewer, id: string): Promise<H5pContent | undefined> => visible(viewer, id),

    /** Those of a division and all below it, the latest first; undefined where the viewer may not author. */
    async list(
      viewer: Viewer,
      divisionCode: string,
      page: { after: string | undefined; limit: number },
    ): Promise<H5pContent[] | undefined> {
      const division = await visibleDivision(viewer, divisionCode);
      return division === undefined
        ? undefined
        : listContents(db, divisionCode.replace(/(?:00){1,2}$/, ''), page);
    },

    /** Of a content that was judged visible. */
    listLibraries: async (contentId: string): Promise<KnownLibrary[]> => listLibrariesOf(db, contentId),

    /** Among what the viewer may see. */
    countContents: async (libraryId: string): Promise<number> => countContentsOf(db, libraryId),

    /** Libraries of which a newer patch is known than the content is played with. */
    async listUpgrades(contentId: string): Promise<KnownLibrary[]> {
      const newer = await Promise.all(
        (await listLibrariesOf(db, contentId)).map(async (library) => {
          const newest = await findNewestLibrary(db, library);
          return newest !== undefined && newest.patchVersion > library.patchVersion ? newest : undefined;
        }),
      );
      return newer.filter((library) => library !== undefined);
    },

    /**
     * The same content with the newest patch of each of its libraries, as a content of its own; the one before stays and is played as it was. A
     * newer minor version is none: its upgrade scripts are programs, made to run in an editor.
     * @throws NotFound; Conflict NO_UPGRADE; PackageRefused where a newer patch asks for what is not there
     */
    async upgrade(viewer: Viewer, id: string): Promise<H5pContent> {
      const before = await visible(viewer, id);
      if (before === undefined) throw new NotFound('The content');
      const content = await store.findContent(before.hash);
      if (content === undefined) throw new Error(`The store lacks the content ${before.hash}.`);
      const libraries = await newestOf(content);
      const hash = hashOf(content.files, libraries);
      if (hash === content.hash)
        throw new Conflict('NO_UPGRADE', 'There is no newer patch of any library that it is played with.');
      const put = await store.putContent(
        { ...content, hash, libraries: idsOf(libraries) },
        await readWhole(await store.openBlob(content.played)),
        (path) => blobOf(content, path),
      );
      const upgraded = await db.transaction().execute(async (tx) => {
        const division = (await regions.findDivision(before.divisionCode, tx))!;
        await lockLibraries(tx);
        const there = await findContentByHash(tx, division.code, hash);
        if (there !== undefined) return there.id;
        return record(tx, viewer, division, 'h5p.upgrade', put, {
          warnings: before.warnings,
          upgradedFromId: before.id,
        });
      });
      return (await findContent(db, upgraded))!;
    },

    /** An uploaded content as a `.h5p`; undefined where it is not there or not the viewer's. */
    async openExport(viewer: Viewer, id: string): Promise<{ title: string; bytes: Readable } | undefined> {
      const found = await visible(viewer, id);
      return found === undefined ? undefined : packed(found.hash);
    },

    /** A content of a course, which is open to every author; that it is one the caller has seen to. */
    async openCourseExport(
      viewer: Viewer,
      hash: string,
    ): Promise<{ title: string; bytes: Readable } | undefined> {
      return scopesOf(viewer, 'content.author').length === 0 ? undefined : packed(hash);
    },
  };
  return inParts({ keep: 'keeper' }, service);

  async function packed(hash: string): Promise<{ title: string; bytes: Readable } | undefined> {
    const content = await store.findContent(hash);
    return content === undefined
      ? undefined
      : { title: content.title, bytes: await packContent(content, store) };
  }

  async function take(
    viewer: Viewer,
    division: Division,
    its: H5pPackage,
  ): Promise<{ content: H5pContent; added: boolean }> {
    const libraries = [...its.libraries.values()].map(({ library }) => library);
    // Before anything is stored; and once more below, when nobody else can be at it.
    await refuseOtherBytes(db);
    const content = await putAll(its);
    const { id, added } = await db.transaction().execute(async (tx) => {
      await lockLibraries(tx);
      await refuseOtherBytes(tx);
      const there = await findContentByHash(tx, division.code, its.hash);
      if (there !== undefined) return { id: there.id, added: false };
      await insertLibraries(tx, libraries, clock.now());
      return {
        id: await record(tx, viewer, division, 'h5p.upload', content, {
          warnings: its.warnings,
          upgradedFromId: null,
        }),
        added: true,
      };
    });
    return { content: (await findContent(db, id))!, added };

    async function refuseOtherBytes(executor: Executor): Promise<void> {
      const findings = new Findings();
      for (const library of libraries) {
        const known = await listDigests(executor, library);
        if (known.length > 0 && !known.includes(library.digest))
          findings.problem(
            `${folderOf(library)}/library.json`,
            `claims to be ${library.machineName} ${versionOf(library)}, which is known here with other bytes. Whoever changes a library gives it another patchVersion.`,
          );
      }
      if (findings.problems.length > 0) throw new PackageRefused(findings.problems);
    }
  }

  /** By folder: what the content is played with, in the newest patch that is known. */
  async function newestOf(content: Content): Promise<Map<string, LibrarySource>> {
    const all = shelfOf(db);
    const newer: LibraryShelf = {
      ...all,
      async find(dependency) {
        const known = await all.find(dependency);
        const id = content.libraries[folderOf(dependency)];
        const now = id === undefined ? undefined : await store.sourceOf(id);
        // Other bytes under the same number are no newer patch.
        return now !== undefined && (known?.library.patchVersion ?? 0) <= now.library.patchVersion
          ? now
          : known;
      },
    };
    const findings = new Findings();
    const roots = await Promise.all(
      Object.entries(content.libraries).map(async ([folder, libraryId]) => ({
        dependency: (await store.sourceOf(libraryId)).library,
        by: folder,
      })),
    );
    const libraries = await gatherLibraries(roots, newer, newer, findings);
    if (findings.problems.length > 0) throw new PackageRefused(findings.problems);
    return libraries;
  }

  async function* blobOf(content: Content, path: string): AsyncGenerator<Uint8Array> {
    yield* await store.openBlob(content.files[path]!);
  }
}

function idsOf(libraries: ReadonlyMap<string, LibrarySource>): Record<string, string> {
  return Object.fromEntries([...libraries].map(([folder, { library }]) => [folder, library.id]));
}
