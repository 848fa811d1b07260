import { createHash } from 'node:crypto';
import { posix } from 'node:path';
import { z } from 'zod';
import { gatherLibraries, type Need } from './dependency.ts';
import { extensionOf, judgeName } from './extension.ts';
import { checkFiles, DamagedPackage, openFolder, openPackedFile, type PackageFiles } from './files.ts';
import { readJson } from './json.ts';
import {
  dependencySchema,
  folderOf,
  shelves,
  type Dependency,
  type LibraryShelf,
  type LibrarySource,
  type StoredFile,
} from './library.ts';
import { inMegabytes, SVG_BYTES, type PackageLimits } from './limits.ts';
import { Findings, type Problem } from './problem.ts';
import { hashFile, readLibrary } from './read-library.ts';
import { checkParameters, type UsedLibraries } from './semantics.ts';
import { findDanger } from './svg.ts';

/** h5p.json, as far as it matters here; authors, licences and what editors note go along unread. */
const h5pSchema = z.looseObject({
  title: z.string().optional(),
  mainLibrary: z.string(),
  language: z.string().optional(),
  preloadedDependencies: z.array(dependencySchema),
});
export type H5pJson = z.infer<typeof h5pSchema>;

const parametersSchema = z.record(z.string(), z.unknown());

/** A package that was found good, and can be stored as long as it is not closed. */
export interface H5pPackage {
  /** 40 hex digits, over the content's own bytes and those of every library that it needs. */
  readonly hash: string;
  readonly title: string;
  readonly language: string;
  /** Folder of the library that plays it. */
  readonly main: string;
  /** h5p.json and what lies in content/, by path. */
  readonly files: Readonly<Record<string, StoredFile>>;
  /** h5p.json for the player: names every library that is needed, where the author's leaves some to the host. */
  readonly played: Buffer;
  /** Folder → library. */
  readonly libraries: ReadonlyMap<string, LibrarySource>;
  readonly parameters: unknown;
  /** What an author should look at. */
  readonly warnings: readonly Problem[];
  open(path: string): AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

export type ReadPackage = { readonly package: H5pPackage } | { readonly problems: readonly Problem[] };

export interface ReadOptions {
  /** Where libraries are looked for which the package does not bring. */
  readonly shelf: LibraryShelf;
  readonly limits: PackageLimits;
  /** What the package is called before each place; nothing for one that stands alone. */
  readonly name?: string;
}

/** Reads a packed package (`.h5p`) whole, and finds all that is wrong with it in one pass. */
export async function readPackedFile(file: string, options: ReadOptions): Promise<ReadPackage> {
  const findings = new Findings();
  let files: PackageFiles | undefined;
  try {
    files = await openPackedFile(file, options.limits);
    return await judge(files, options, findings);
  } catch (error) {
    await files?.close();
    if (!(error instanceof DamagedPackage)) throw error;
    return { problems: [...findings.problems, { where: options.name ?? 'package', what: error.message }] };
  }
}

/** Reads an unpacked package, likewise. */
export async function readFolder(folder: string, options: ReadOptions): Promise<ReadPackage> {
  const findings = new Findings();
  return judge(await openFolder(folder, findings, options.name ?? ''), options, findings);
}

async function judge(files: PackageFiles, options: ReadOptions, findings: Findings): Promise<ReadPackage> {
  const { name = '', limits } = options;
  const at = (path: string): string =>
    name === '' ? path || 'package' : path === '' ? name : `${name}/${path}`;
  const refused = async (): Promise<ReadPackage> => {
    await files.close();
    return { problems: findings.problems };
  };
  checkFiles(files, at, limits, findings);
  // What is too large is not read.
  if (findings.problems.length > 0) return refused();

  const paths = [...files.sizes.keys()];
  const contentPaths = paths.filter((path) => path === 'h5p.json' || path.startsWith('content/'));
  const folders = new Set(paths.filter((path) => path.includes('/')).map((path) => path.split('/')[0]!));
  folders.delete('content');
  for (const path of contentPaths) await checkContentFile(path);

  async function checkContentFile(path: string): Promise<void> {
    const verdict = judgeName(path, 'content');
    if (verdict !== 'kept')
      findings.problem(
        at(path),
        verdict === 'runs'
          ? 'is of a kind that is never taken: a page, a script for servers or a program.'
          : ['js', 'mjs', 'css', 'wasm'].includes(extensionOf(path))
            ? 'may stand in a library, and not in a content.'
            : 'is of a kind that H5P does not know.',
      );
    else if (extensionOf(path) === 'svg') await checkDrawing(path);
  }
  async function checkDrawing(path: string): Promise<void> {
    if ((files.sizes.get(path) ?? 0) > SVG_BYTES) {
      findings.problem(at(path), `is a drawing of more than ${inMegabytes(SVG_BYTES)}.`);
      return;
    }
    const danger = findDanger(new TextDecoder().decode(await wholeOf(files.open(path))));
    if (danger !== undefined) findings.problem(at(path), `is refused: it ${danger}.`);
  }

  if (!files.sizes.has('h5p.json')) {
    const inner = paths.find((path) => /^[^/]+\/h5p\.json$/.test(path));
    findings.problem(
      at('h5p.json'),
      inner === undefined
        ? 'is not there.'
        : `is not there, but ${inner} is: pack what lies in the folder, and not the folder.`,
    );
  }
  const h5p = files.sizes.has('h5p.json')
    ? await readJson(files.open('h5p.json'), at('h5p.json'), h5pSchema, findings)
    : undefined;
  const parameters = await readJson(
    files.sizes.has('content/content.json') ? files.open('content/content.json') : undefined,
    at('content/content.json'),
    parametersSchema,
    findings,
  );

  const own = await readOwnLibraries(files, folders, at, findings);
  if (h5p === undefined) return refused();
  const main = h5p.preloadedDependencies.find(({ machineName }) => machineName === h5p.mainLibrary);
  if (main === undefined)
    findings.problem(at('h5p.json'), 'names a mainLibrary that is not among its preloadedDependencies.');
  if ((h5p.title ?? '').trim() === '') findings.warn(at('h5p.json'), 'has no title.');

  const shelf = shelves(own, options.shelf);
  const used: UsedLibraries = new Map();
  if (main !== undefined && parameters !== undefined)
    await checkParameters(parameters, main, at('content/content.json'), used, {
      findings,
      hasFile: (path) => files.sizes.has(`content/${posix.normalize(path)}`),
      semanticsOf: async (dependency) => semanticsIn(await shelf.find(dependency)),
    });
  const needs: Need[] = [
    ...h5p.preloadedDependencies.map((dependency) => ({
      dependency,
      by: at('').replace(/^package$/, 'h5p.json'),
    })),
    ...used.values(),
  ];
  const libraries = await gatherLibraries(needs, shelf, own, findings);
  const player = main === undefined ? undefined : libraries.get(folderOf(main));
  if (player !== undefined && !player.library.runnable)
    findings.problem(
      at('h5p.json'),
      `names ${folderOf(main!)} as its mainLibrary, which is no content type (runnable is 0).`,
    );
  if (findings.problems.length > 0) return refused();

  const stored: Record<string, StoredFile> = {};
  for (const path of contentPaths.toSorted()) stored[path] = await hashFile(files.open(path));
  return {
    package: {
      hash: hashOf(stored, libraries),
      title: (h5p.title ?? '').trim() === '' ? h5p.mainLibrary : h5p.title!.trim().slice(0, 255),
      language: languageOf(h5p.language),
      main: folderOf(main!),
      files: stored,
      played: playedOf(h5p, needs),
      libraries,
      parameters,
      warnings: findings.warnings,
      open: (path) => files.open(path),
      close: async () => files.close(),
    },
  };
}

async function readOwnLibraries(
  files: PackageFiles,
  folders: Iterable<string>,
  at: (path: string) => string,
  findings: Findings,
): Promise<LibraryShelf> {
  const read = new Map<string, LibrarySource>();
  for (const folder of folders) {
    // Other folders are nobody's: H5P's own hosts pass over them.
    if (!files.sizes.has(`${folder}/library.json`)) {
      if (/-\d+\.\d+$/.test(folder)) findings.problem(at(`${folder}/library.json`), 'is not there.');
      else findings.warn(at(folder), 'is no library, and was left out.');
      continue;
    }
    const source = await readLibrary(files, folder, at(folder), findings);
    if (source === undefined) continue;
    const { library } = source;
    if (folder !== folderOf(library) && folder !== library.machineName)
      findings.problem(
        at(`${folder}/library.json`),
        `calls itself ${folderOf(library)}: the folder and the library must agree.`,
      );
    else if (read.has(folderOf(library)))
      findings.problem(
        at(`${folder}/library.json`),
        `is ${folderOf(library)}, which is in the package twice.`,
      );
    else read.set(folderOf(library), source);
  }
  return {
    find: async (dependency) => read.get(folderOf(dependency)),
    listVersions: async (machineName) =>
      [...read.values()]
        .filter(({ library }) => library.machineName === machineName)
        .map(({ library }) => `${library.majorVersion}.${library.minorVersion}`),
  };
}

async function semanticsIn(source: LibrarySource | undefined): Promise<unknown> {
  if (source === undefined || source.library.files['semantics.json'] === undefined) return undefined;
  // Found to be JSON when the library was read.
  return readJson(source.open('semantics.json'), '', z.unknown(), new Findings());
}

/** @param libraries by folder. */
export function hashOf(
  files: Readonly<Record<string, StoredFile>>,
  libraries: ReadonlyMap<string, Pick<LibrarySource, 'library'>>,
): string {
  const lines = [
    ...Object.entries(files).map(([path, { blob }]) => `file ${path}\0${blob}\n`),
    ...[...libraries].map(([folder, { library }]) => `library ${folder}\0${library.digest}\n`),
  ];
  return createHash('sha256').update(lines.toSorted().join('')).digest('hex').slice(0, 40);
}

function playedOf(h5p: H5pJson, needs: readonly Need[]): Buffer {
  const all = new Map<string, Dependency>(needs.map(({ dependency }) => [folderOf(dependency), dependency]));
  return Buffer.from(JSON.stringify({ ...h5p, preloadedDependencies: [...all.values()] }));
}

function languageOf(language: string | undefined): string {
  return language !== undefined && /^[a-z]{2,8}(?:-[a-z\d]{1,8})*$/i.test(language) ? language : 'und';
}

async function wholeOf(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
