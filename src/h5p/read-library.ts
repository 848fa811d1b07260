import { createHash } from 'node:crypto';
import { access, readdir } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { z } from 'zod';
import { judgeName } from './extension.ts';
import { checkFiles, openFolder, type PackageFiles } from './files.ts';
import { readJson } from './json.ts';
import {
  CORE_API,
  folderOf,
  librarySchema,
  versionOf,
  type Library,
  type LibraryShelf,
  type LibrarySource,
  type StoredFile,
} from './library.ts';
import { packageLimits, USUAL_PACKAGE_MEGABYTES } from './limits.ts';
import { Findings } from './problem.ts';

const LANGUAGE_FILE = /^language\/[^/]*\.json$/;

/**
 * A library that lies in a folder of a package. Its files' names are judged here, and what no H5P host knows is left out.
 * @param folder in `files`, without a slash at its end; empty: they are the library's own.
 * @param where what to call it.
 */
export async function readLibrary(
  files: PackageFiles,
  folder: string,
  where: string,
  findings: Findings,
): Promise<LibrarySource | undefined> {
  const before = findings.problems.length;
  const inside = folder === '' ? '' : `${folder}/`;
  const open = (path: string): AsyncIterable<Uint8Array> => files.open(`${inside}${path}`);
  const paths = [...files.sizes.keys()]
    .filter((path) => path.startsWith(inside))
    .map((path) => path.slice(inside.length));

  const kept: string[] = [];
  for (const path of paths) {
    const verdict = judgeName(path, 'library');
    if (verdict === 'kept') kept.push(path);
    else if (verdict === 'runs')
      findings.problem(
        `${where}/${path}`,
        'is of a kind that is never taken: a page, a script for servers or a program.',
      );
    else if (!/^(licen[cs]e|readme|copying|authors|changelog|notice)$/i.test(posix.basename(path)))
      findings.warn(`${where}/${path}`, 'is of a kind that H5P does not know, and was left out.');
  }
  const declared = await readJson(
    kept.includes('library.json') ? open('library.json') : undefined,
    `${where}/library.json`,
    librarySchema,
    findings,
  );
  if (declared === undefined) return undefined;
  const { coreApi } = declared;
  if (
    coreApi !== undefined &&
    (coreApi.majorVersion > CORE_API.majorVersion ||
      (coreApi.majorVersion === CORE_API.majorVersion && coreApi.minorVersion > CORE_API.minorVersion))
  )
    findings.problem(
      `${where}/library.json coreApi`,
      `asks for H5P core ${coreApi.majorVersion}.${coreApi.minorVersion}, and the player has ${CORE_API.majorVersion}.${CORE_API.minorVersion}.`,
    );
  for (const kind of ['preloadedJs', 'preloadedCss'] as const)
    for (const { path } of declared[kind])
      if (!kept.includes(posix.normalize(path)))
        findings.problem(`${where}/library.json ${kind}`, `names ${path}, which is not in the library.`);
  for (const path of kept.filter((each) => each === 'semantics.json' || LANGUAGE_FILE.test(each))) {
    // A translation is an editor's concern: a broken one is no reason to refuse what plays.
    const own = new Findings();
    const schema = path === 'semantics.json' ? z.array(z.unknown()) : z.unknown();
    await readJson(open(path), `${where}/${path}`, schema, own);
    for (const { where: place, what } of own.problems)
      if (path === 'semantics.json') findings.problem(place, what);
      else findings.warn(place, what);
  }
  if (findings.problems.length > before) return undefined;

  const stored: Record<string, StoredFile> = {};
  for (const path of kept.toSorted()) stored[path] = await hashFile(open(path));
  const digest = digestOf(stored);
  const library: Library = {
    id: `${declared.machineName}-${versionOf(declared)}-${digest.slice(0, 12)}`,
    digest,
    title: declared.title,
    machineName: declared.machineName,
    majorVersion: declared.majorVersion,
    minorVersion: declared.minorVersion,
    patchVersion: declared.patchVersion,
    runnable: declared.runnable,
    preloaded: declared.preloadedDependencies,
    dynamic: declared.dynamicDependencies,
    editor: declared.editorDependencies,
    files: stored,
  };
  return { library, open };
}

export async function hashFile(bytes: AsyncIterable<Uint8Array>): Promise<StoredFile> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of bytes) {
    size += chunk.length;
    hash.update(chunk);
  }
  return { blob: hash.digest('hex'), size };
}

/** Over names and bytes, in the order of the names. */
export function digestOf(files: Readonly<Record<string, StoredFile>>): string {
  const lines = Object.entries(files)
    .map(([path, { blob }]) => `${path}\0${blob}\n`)
    .toSorted();
  return createHash('sha256').update(lines.join('')).digest('hex');
}

/**
 * Libraries that lie unpacked beside courses, one folder `MachineName-major.minor` each; read once each. A faulty one is not there, and why is
 * told by whoever asks for it.
 */
export function folderShelf(
  root: string,
  tell: (folder: string, findings: Findings) => void = () => undefined,
): LibraryShelf {
  const read = new Map<string, Promise<LibrarySource | undefined>>();
  const readOne = async (folder: string): Promise<LibrarySource | undefined> => {
    const there = await access(join(root, folder, 'library.json')).then(
      () => true,
      () => false,
    );
    if (!there) return undefined;
    const findings = new Findings();
    const files = await openFolder(join(root, folder), findings, folder);
    checkFiles(files, (path) => `${folder}/${path}`, packageLimits(USUAL_PACKAGE_MEGABYTES), findings);
    const library = await readLibrary(files, '', folder, findings);
    if (library !== undefined && folderOf(library.library) !== folder)
      findings.problem(
        `${folder}/library.json`,
        `calls itself ${folderOf(library.library)}: the folder and the library must agree.`,
      );
    tell(folder, findings);
    return findings.problems.length === 0 ? library : undefined;
  };
  return {
    async find(dependency) {
      const folder = folderOf(dependency);
      let library = read.get(folder);
      if (library === undefined) read.set(folder, (library = readOne(folder)));
      return library;
    },
    async listVersions(machineName) {
      const found = await listFolders(root);
      return found
        .filter((folder) => folder.slice(0, folder.lastIndexOf('-')) === machineName)
        .map((folder) => folder.slice(folder.lastIndexOf('-') + 1));
    },
  };
}

async function listFolders(root: string): Promise<string[]> {
  return readdir(root).catch(() => []);
}
