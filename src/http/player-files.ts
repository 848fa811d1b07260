import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Middleware } from 'koa';
import { smallFiles } from './content-files.ts';

const folders = {
  player: join(import.meta.dirname, '../web/player'),
  h5p: join(dirname(createRequire(import.meta.url).resolve('h5p-standalone/package.json')), 'dist'),
};

/** The player's own files and h5p-standalone's. */
export interface PlayerFiles {
  /** Below it lie `player/…` and `h5p/…`. It changes when any of them does, so that a browser keeps them for good. */
  readonly path: string;
  /** The player's page, with places to fill in. */
  readonly page: string;
  readonly serve: Middleware & { readonly prefix: string };
}

export async function readPlayerFiles(prefix: string): Promise<PlayerFiles> {
  const digest = createHash('sha256');
  for (const folder of Object.values(folders)) {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
    for (const file of files) digest.update(`\0${file.slice(folder.length)}\0`).update(await readFile(file));
  }
  const path = `${prefix}/${digest.digest('hex').slice(0, 16)}`;
  const player = smallFiles(`${path}/player`, folders.player, { maxAge: 'forever' });
  const h5p = smallFiles(`${path}/h5p`, folders.h5p, { maxAge: 'forever' });
  return {
    path,
    page: await readFile(join(folders.player, 'player.html'), 'utf8'),
    serve: Object.assign<Middleware, { prefix: string }>(
      async (ctx, next) => player(ctx, async () => h5p(ctx, next)),
      { prefix },
    ),
  };
}
