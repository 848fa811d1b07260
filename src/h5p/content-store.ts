import { createHash } from 'node:crypto';
import { inParallel } from '../in-parallel.ts';
import { versionOf, type Library, type LibrarySource, type StoredFile } from './library.ts';
import { readWhole, type ObjectStore } from './object-store.ts';

/*
 * What is in the store:
 *   blobs/0a/<SHA-256>        the bytes of a file, once, whichever contents and libraries have it
 *   libraries/<id>.json       a library: its files by path, each with its blob
 *   contents/<hash>.json      a content: its files, and which bytes of which library it is played with
 * A list is put after all that it names, so what is listed is there whole.
 */

/** A content as it is served and exported. */
export interface Content {
  readonly hash: string;
  readonly title: string;
  readonly language: string;
  /** Folder of the library that plays it. */
  readonly main: string;
  readonly files: Readonly<Record<string, StoredFile>>;
  /** h5p.json as the player gets it. */
  readonly played: StoredFile;
  /** Folder (`H5P.Name-1.0`) → id of the library. */
  readonly libraries: Readonly<Record<string, string>>;
}

/** Lists that were read lately; they never change. */
const REMEMBERED = 1_000;
/** So many files are put at once: each waits for the disk, or for a server, and not for the others. */
const AT_ONCE = 8;

export type ContentStore = ReturnType<typeof makeContentStore>;

export function makeContentStore(objects: ObjectStore) {
  const contents = new Map<string, Content>();
  const libraries = new Map<string, Library>();

  const blobKey = (blob: string): string => `blobs/${blob.slice(0, 2)}/${blob}`;
  const putBlob = async ({ blob, size }: StoredFile, bytes: AsyncIterable<Uint8Array>): Promise<void> =>
    objects.put(blobKey(blob), checked(bytes, blob), size);
  const putJson = async (key: string, value: unknown): Promise<void> => {
    const bytes = Buffer.from(JSON.stringify(value));
    await objects.put(
      key,
      (async function* () {
        yield bytes;
      })(),
      bytes.length,
    );
  };
  const readList = async <T>(known: Map<string, T>, name: string, key: string): Promise<T | undefined> => {
    const remembered = known.get(name);
    if (remembered !== undefined) return remembered;
    const bytes = await objects.open(key);
    if (bytes === undefined) return undefined;
    const list = JSON.parse((await readWhole(bytes)).toString()) as T;
    if (known.size >= REMEMBERED) known.delete(known.keys().next().value!);
    known.set(name, list);
    return list;
  };
  const openBlob = async (
    file: StoredFile,
    range?: { readonly start: number; readonly end: number },
  ): Promise<AsyncIterable<Uint8Array>> => {
    // Servers differ in what they say of a part of nothing.
    if (file.size === 0) return (async function* () {})();
    const bytes = await objects.open(blobKey(file.blob), range);
    if (bytes === undefined) throw new Error(`The store lacks the blob ${file.blob}.`);
    return bytes;
  };
  const findLibrary = async (id: string): Promise<Library | undefined> =>
    /^[\w.-]{1,300}$/.test(id) ? readList(libraries, id, `libraries/${id}.json`) : undefined;
  const findContent = async (hash: string): Promise<Content | undefined> =>
    /^[\da-f]{40}$/.test(hash) ? readList(contents, hash, `contents/${hash}.json`) : undefined;

  return {
    findContent,
    findLibrary,
    openBlob,

    /** A library whose bytes come from the store. */
    async sourceOf(id: string): Promise<LibrarySource> {
      const library = await findLibrary(id);
      if (library === undefined) throw new Error(`The store lacks the library ${id}.`);
      return {
        library,
        open: async function* (path: string) {
          const file = library.files[path];
          if (file === undefined) throw new Error(`${id} has no ${path}.`);
          yield* await openBlob(file);
        },
      };
    },

    /** Puts a library there, unless it is. */
    async putLibrary(source: LibrarySource): Promise<void> {
      const { library } = source;
      const key = `libraries/${library.id}.json`;
      if (await objects.has(key)) return;
      await inParallel(Object.entries(library.files), AT_ONCE, async ([path, file]) =>
        putBlob(file, source.open(path)),
      );
      await putJson(key, library);
    },

    /** Puts a content there, unless it is; its libraries are by then. */
    async putContent(
      content: Omit<Content, 'played'>,
      played: Buffer,
      open: (path: string) => AsyncIterable<Uint8Array>,
    ): Promise<Content> {
      const key = `contents/${content.hash}.json`;
      const file = { blob: createHash('sha256').update(played).digest('hex'), size: played.length };
      const whole: Content = { ...content, played: file };
      if (await objects.has(key)) return whole;
      await inParallel(Object.entries(content.files), AT_ONCE, async ([path, each]) =>
        putBlob(each, open(path)),
      );
      await putBlob(
        file,
        (async function* () {
          yield played;
        })(),
      );
      await putJson(key, whole);
      return whole;
    },

    /** What the player asks for as `/contents/<hash>/<path>`. */
    async findFile(hash: string, path: string): Promise<StoredFile | undefined> {
      const content = await findContent(hash);
      if (content === undefined) return undefined;
      if (path === 'h5p.json') return content.played;
      if (Object.hasOwn(content.files, path)) return content.files[path];
      const slash = path.indexOf('/');
      const folder = path.slice(0, Math.max(slash, 0));
      if (!Object.hasOwn(content.libraries, folder)) return undefined;
      const library = await findLibrary(content.libraries[folder]!);
      const inside = path.slice(slash + 1);
      return library !== undefined && Object.hasOwn(library.files, inside)
        ? library.files[inside]
        : undefined;
    },
  };
}

/** Passes bytes on, and fails at their end where they are not those that were judged. */
async function* checked(bytes: AsyncIterable<Uint8Array>, blob: string): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== blob) throw new Error('A file changed while it was stored.');
}

/** `H5P.Name 1.0.3`, for people. */
export function describeLibrary(library: Library): string {
  return `${library.machineName} ${versionOf(library)}`;
}
