import type { PlayerFiles } from './player-files.ts';

/** What a content needs before it can begin, by path; and the libraries that it needs and lacks. */
export interface Needs {
  readonly data: readonly string[];
  readonly styles: readonly string[];
  readonly scripts: readonly string[];
  readonly missing: readonly string[];
}

interface Dependency {
  readonly machineName: string;
  readonly majorVersion: number | string;
  readonly minorVersion: number | string;
}

interface Library {
  readonly preloadedDependencies?: readonly Dependency[];
  readonly preloadedJs?: readonly { readonly path: string }[];
  readonly preloadedCss?: readonly { readonly path: string }[];
}

/** No content needs more; what is listed wrongly without an end shall come to one. */
const MOST_LIBRARIES = 300;

/**
 * Follows a content's libraries as H5P does. It finds out one file after another, each a way there and back on a slow line; who knows them
 * beforehand gets them all at once, and can say by name which library is missing.
 * @param read by path below the content's address: its own files, and those of its libraries as if they lay beside.
 */
export async function findNeeds(read: (path: string) => Promise<Uint8Array | undefined>): Promise<Needs> {
  const data = ['h5p.json', 'content/content.json'];
  const styles: string[] = [];
  const scripts: string[] = [];
  const missing: string[] = [];
  const json = async (path: string): Promise<Library | undefined> => {
    const bytes = await read(path);
    if (bytes === undefined) return undefined;
    try {
      const text = new TextDecoder().decode(bytes);
      return JSON.parse(text) as Library;
    } catch {
      return undefined;
    }
  };
  const seen = new Set<string>();
  const visit = async (library: Library, folder: string): Promise<void> => {
    for (const { machineName, majorVersion, minorVersion } of library.preloadedDependencies ?? []) {
      const name = `${machineName}-${majorVersion}.${minorVersion}`;
      if (seen.has(name) || seen.size >= MOST_LIBRARIES) continue;
      seen.add(name);
      const path = `${name}/library.json`;
      const found = await json(path);
      if (found === undefined) {
        missing.push(name);
        continue;
      }
      data.push(path);
      await visit(found, `${name}/`);
    }
    styles.push(...(library.preloadedCss ?? []).map(({ path }) => folder + path));
    scripts.push(...(library.preloadedJs ?? []).map(({ path }) => folder + path));
  };
  const packaged = await json('h5p.json');
  if (packaged === undefined) return { data: [], styles: [], scripts: [], missing: ['h5p.json'] };
  await visit({ preloadedDependencies: packaged.preloadedDependencies ?? [] }, '');
  return { data, styles, scripts, missing };
}

/**
 * The page in the frame. It asks for everything that the content needs at once.
 * @param base address of the content, below which its files are.
 * @param parentOrigin of the only page that may frame it and is heard.
 */
export function playerPage({
  files,
  base,
  needs,
  language,
  parentOrigin,
}: {
  files: PlayerFiles;
  base: string;
  needs: Needs;
  language: 'zh-CN' | 'en';
  parentOrigin: string;
}): string {
  // Written as H5P will ask for them, or the browser would fetch them twice.
  const at = (path: string): string => escaped(`${base}/${path}`);
  const ahead = [
    `<link rel="preload" as="script" href="${files.path}/h5p/frame.bundle.js" />`,
    ...needs.data.map((path) => `<link rel="preload" as="fetch" crossorigin href="${at(path)}" />`),
    ...needs.scripts.map((path) => `<link rel="preload" as="script" href="${at(path)}" />`),
    ...needs.styles.map((path) => `<link rel="preload" as="style" href="${at(path)}" />`),
  ];
  const filled: Readonly<Record<string, string>> = {
    language,
    files: files.path,
    base: escaped(base),
    parentOrigin: escaped(parentOrigin),
    missing: escaped(needs.missing.join(' ')),
    ahead: needs.missing.length > 0 ? '' : ahead.join('\n    '),
  };
  return files.page.replaceAll(/\{\{(\w+)\}\}/g, (_all, name: string) => filled[name] ?? '');
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}
