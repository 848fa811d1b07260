import { folderOf, type Dependency, type LibraryShelf, type LibrarySource } from './library.ts';
import type { Findings } from './problem.ts';

/** What a content needs of libraries, and what for. */
export interface Need {
  readonly dependency: Dependency;
  /** Where it is asked for. */
  readonly by: string;
}

/**
 * Everything that `roots` need, and what that needs, by folder. What only an editor needs is taken along where `own` has it, for whoever takes
 * the package elsewhere.
 */
export async function gatherLibraries(
  roots: readonly Need[],
  shelf: LibraryShelf,
  own: LibraryShelf,
  findings: Findings,
): Promise<Map<string, LibrarySource>> {
  const gathered = new Map<string, LibrarySource>();
  const missing = new Set<string>();
  const visit = async ({ dependency, by }: Need): Promise<void> => {
    const folder = folderOf(dependency);
    if (gathered.has(folder) || missing.has(folder)) return;
    const found = await shelf.find(dependency);
    if (found === undefined) {
      missing.add(folder);
      const versions = await shelf.listVersions(dependency.machineName);
      findings.problem(
        `${by} → ${folder}/library.json`,
        versions.length === 0
          ? 'is not there.'
          : `is not there; of ${dependency.machineName} there is ${versions.join(', ')}.`,
      );
      return;
    }
    gathered.set(folder, found);
    for (const next of [...found.library.preloaded, ...found.library.dynamic])
      await visit({ dependency: next, by: folder });
    for (const next of found.library.editor)
      if ((await own.find(next)) !== undefined) await visit({ dependency: next, by: folder });
  };
  for (const need of roots) await visit(need);
  const cycle = findCycle(gathered);
  if (cycle !== undefined)
    findings.problem(
      `${cycle[0]}/library.json`,
      `needs itself before itself: ${cycle.join(' → ')}. No order of loading is right.`,
    );
  return gathered;
}

/** A way from a library back to itself by what is loaded before it. */
function findCycle(libraries: ReadonlyMap<string, LibrarySource>): string[] | undefined {
  const done = new Set<string>();
  const visit = (folder: string, trail: readonly string[]): string[] | undefined => {
    const at = trail.indexOf(folder);
    if (at !== -1) return [...trail.slice(at), folder];
    if (done.has(folder)) return undefined;
    for (const next of libraries.get(folder)?.library.preloaded ?? []) {
      const cycle = visit(folderOf(next), [...trail, folder]);
      if (cycle !== undefined) return cycle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of libraries.keys()) {
    const cycle = visit(folder, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}
