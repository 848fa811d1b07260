import { createHash } from 'node:crypto';
import { access, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { projectFolder } from '../config.ts';

/**
 * Builds the browser's pages into `folder` with Vite, unless what lies there was built from the same files. Built beside and
 * renamed, so that a stop halfway leaves the old pages or none.
 */
export async function buildWeb(folder: string): Promise<'built' | 'unchanged'> {
  const source = join(projectFolder, 'src/web');
  const stamp = await stampOf(source);
  const stampFile = join(folder, '.built-from');
  if (
    (await readFile(stampFile, 'utf8').catch(() => '')) === stamp &&
    (await access(join(folder, 'index.html')).then(
      () => true,
      () => false,
    ))
  )
    return 'unchanged';
  const unfinished = `${folder}.new`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  const { build } = await import('vite');
  await build({
    configFile: join(source, 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: unfinished, emptyOutDir: true },
  });
  await writeFile(join(unfinished, '.built-from'), stamp);
  await rm(folder, { recursive: true, force: true });
  await rename(unfinished, folder).catch(async () => cp(unfinished, folder, { recursive: true }));
  return 'built';
}

async function stampOf(source: string): Promise<string> {
  const hash = createHash('sha256');
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
  for (const file of [...files, join(projectFolder, 'package-lock.json')])
    hash
      .update(file.slice(projectFolder.length))
      .update('\0')
      .update(await readFile(file));
  return hash.digest('hex');
}
