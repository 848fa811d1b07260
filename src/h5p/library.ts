import { z } from 'zod';
import { flag, wholeNumber } from './json.ts';

const machineName = z.string().regex(/^[\w.-]{1,255}$/, 'a machine name, e.g. H5P.Question');

/** Of a library, as packages and libraries name those they need; some editors write the numbers as text. */
export const dependencySchema = z.object({
  machineName,
  majorVersion: wholeNumber,
  minorVersion: wholeNumber,
});
export type Dependency = z.infer<typeof dependencySchema>;

const dependencies = z.array(dependencySchema).default([]);
const paths = z.array(z.object({ path: z.string().min(1) })).default([]);

/** library.json, as far as a player needs it; what else stands there is nobody's concern here. */
export const librarySchema = z.object({
  title: z.string().min(1).max(255),
  machineName,
  majorVersion: wholeNumber,
  minorVersion: wholeNumber,
  patchVersion: wholeNumber,
  runnable: flag.default(false),
  coreApi: z.object({ majorVersion: wholeNumber, minorVersion: wholeNumber }).optional(),
  preloadedJs: paths,
  preloadedCss: paths,
  preloadedDependencies: dependencies,
  dynamicDependencies: dependencies,
  editorDependencies: dependencies,
});

/** The core that h5p-standalone brings: the one with themes. The test of the player's files holds it to that. */
export const CORE_API = { majorVersion: 1, minorVersion: 28 } as const;

/** Some bytes in the store, by their SHA-256 in hex. */
export interface StoredFile {
  readonly blob: string;
  /** In bytes. */
  readonly size: number;
}

/** A library as its bytes are: another byte makes another one, whatever it calls itself. */
export interface Library {
  /** `H5P.Name-1.0.3-0a1b2c3d4e5f`; stands in the manifests of contents. */
  readonly id: string;
  /** SHA-256 over its files, in hex. */
  readonly digest: string;
  readonly title: string;
  readonly machineName: string;
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly patchVersion: number;
  readonly runnable: boolean;
  /** Loaded before it, in no order. */
  readonly preloaded: readonly Dependency[];
  /** Asked for by it when it needs them. */
  readonly dynamic: readonly Dependency[];
  /** Only an editor needs them: no one here, but whoever takes an exported package. */
  readonly editor: readonly Dependency[];
  /** By their path in the library. */
  readonly files: Readonly<Record<string, StoredFile>>;
}

/** A library whose bytes can be had. */
export interface LibrarySource {
  readonly library: Library;
  open(path: string): AsyncIterable<Uint8Array>;
}

/** Where libraries are looked for. */
export interface LibraryShelf {
  /** The newest patch of just this major and minor version. */
  find(dependency: Dependency): Promise<LibrarySource | undefined>;
  /** Every version there is, `1.0.3`, for whoever asked for another. */
  listVersions(machineName: string): Promise<readonly string[]>;
}

/** `H5P.Name-1.0`, the folder in which a content finds it. */
export function folderOf({ machineName: name, majorVersion, minorVersion }: Dependency): string {
  return `${name}-${majorVersion}.${minorVersion}`;
}

export function versionOf(library: Pick<Library, 'majorVersion' | 'minorVersion' | 'patchVersion'>): string {
  return `${library.majorVersion}.${library.minorVersion}.${library.patchVersion}`;
}

/** `H5P.Name 1.0`, as contents name the libraries of their parts. */
export function parseReference(text: string): Dependency | undefined {
  const [, name, major, minor] = /^([\w.-]{1,255}) (\d{1,5})\.(\d{1,5})$/.exec(text) ?? [];
  return name === undefined
    ? undefined
    : { machineName: name, majorVersion: Number(major), minorVersion: Number(minor) };
}

/** Shelves one after another. */
export function shelves(...all: readonly LibraryShelf[]): LibraryShelf {
  return {
    async find(dependency) {
      for (const shelf of all) {
        const found = await shelf.find(dependency);
        if (found !== undefined) return found;
      }
      return undefined;
    },
    listVersions: async (name) =>
      [...new Set((await Promise.all(all.map(async (shelf) => shelf.listVersions(name)))).flat())].toSorted(),
  };
}
