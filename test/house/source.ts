import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { projectFolder } from '../../src/config.ts';

export interface Import {
  /** Path from the project folder. */
  readonly to: string;
  /** `import type`: gone before the code runs. */
  readonly typeOnly: boolean;
}

export interface SourceFile {
  readonly path: string;
  readonly text: string;
  /** Those of our own files. */
  readonly imports: readonly Import[];
}

/** The project's own TypeScript and JavaScript below these folders. */
export function readSource(folders: readonly string[]): SourceFile[] {
  return folders.flatMap((folder) =>
    readdirSync(join(projectFolder, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(ts|tsx|mjs|js)$/.test(entry.name))
      .map((entry) => {
        const path = relative(projectFolder, join(entry.parentPath, entry.name));
        const text = readFileSync(join(projectFolder, path), 'utf8');
        return { path, text, imports: importsOf(path, text) };
      }),
  );
}

// What prettier leaves of an import: `import … from '…'` over one or more lines, `import '…'`, `import('…')`, `export … from '…'`.
const STATEMENT =
  /^(?:import|export)(?<type> type)?\s(?:[^;'"]*?\sfrom\s)?'(?<from>\.[^']+)'|import\('(?<lazy>\.[^']+)'\)/gm;

function importsOf(path: string, text: string): Import[] {
  return [...text.matchAll(STATEMENT)].map(({ groups }) => {
    const to = join(dirname(path), (groups!['from'] ?? groups!['lazy'])!.replace(/\?.*$/, ''));
    if (!existsSync(join(projectFolder, to))) throw new Error(`${path} imports ${to}, which is not there.`);
    return { to, typeOnly: groups!['type'] !== undefined };
  });
}
