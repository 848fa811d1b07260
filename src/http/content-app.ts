import { join } from 'node:path';
import { access, readFile } from 'node:fs/promises';
import Router from '@koa/router';
import Koa from 'koa';
import { NotFound } from '../errors.ts';
import type { ContentStore } from '../h5p/content-store.ts';
import type { Log } from '../log.ts';
import { readWhole } from '../h5p/object-store.ts';
import { contentFiles } from './content-files.ts';
import { filesBelow } from './files.ts';
import type { PlayerFiles } from './player-files.ts';
import { findNeeds, playerPage, type Needs } from './player-page.ts';
import { problemResponses } from './problem.ts';
import { contentHeaders } from './security.ts';

/** Contents whose needs are remembered; they never change. */
const MOST_KNOWN = 2_000;

/**
 * The content origin: the player, h5p-standalone, and contents by their hash. It has no session and no way to one: who is
 * learning is known to the page around the frame alone.
 */
export function makeContentApp(options: {
  log: Log;
  publicUrl: string;
  contentUrl: string;
  contents: ContentStore;
  /** Where versions before had contents, each unpacked whole; learners may still be at them. */
  oldContents: string;
  /** Sources that frame the service, and so what it frames itself. */
  frames: () => Promise<readonly string[]>;
  playerFiles: PlayerFiles;
}): Koa {
  const app = new Koa();
  const router = new Router();
  const immutable = { immutable: true, maxAge: 31_536_000 };

  const { playerFiles } = options;
  const known = new Map<string, Needs>();
  const read = async (hash: string, path: string): Promise<Uint8Array | undefined> => {
    const file = await options.contents.findFile(hash, path);
    return file === undefined
      ? readFile(join(options.oldContents, hash, path)).catch(() => undefined)
      : readWhole(await options.contents.openBlob(file));
  };

  router.get('/player/:hash', async (ctx) => {
    const hash = ctx.params['hash'] ?? '';
    const isThere =
      /^[0-9a-f]{40}$/.test(hash) &&
      ((await options.contents.findContent(hash)) !== undefined ||
        (await access(join(options.oldContents, hash)).then(
          () => true,
          () => false,
        )));
    if (!isThere) throw new NotFound('The content');
    const language = ctx.query['language'] === 'en' ? 'en' : 'zh-CN';
    let needs = known.get(hash);
    if (needs === undefined) {
      needs = await findNeeds(async (path) => read(hash, path));
      if (known.size >= MOST_KNOWN) known.clear();
      known.set(hash, needs);
    }
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = playerPage({
      files: playerFiles,
      base: `/contents/${hash}`,
      needs,
      language,
      parentOrigin: options.publicUrl,
    });
  });

  app.use(problemResponses(options.log));
  app.use(contentHeaders(options));
  app.use(playerFiles.serve);
  app.use(
    contentFiles('/contents', options.contents, filesBelow('/contents', options.oldContents, immutable)),
  );
  app.use(router.routes());
  app.on('error', (error: Error) => options.log.debug({ error: error.message }, 'response cut short'));
  return app;
}
