import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { access, readFile } from 'node:fs/promises';
import Router from '@koa/router';
import Koa from 'koa';
import { NotFound } from '../errors.ts';
import type { ContentStore } from '../h5p/content-store.ts';
import type { Log } from '../log.ts';
import { contentFiles, smallFiles } from './content-files.ts';
import { filesBelow } from './files.ts';
import { problemResponses } from './problem.ts';
import { contentHeaders } from './security.ts';

const h5pFolder = join(
  dirname(createRequire(import.meta.url).resolve('h5p-standalone/package.json')),
  'dist',
);
const playerFolder = join(import.meta.dirname, '../web/player');

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
}): Koa {
  const app = new Koa();
  const router = new Router();
  const immutable = { immutable: true, maxAge: 31_536_000 };

  router.get('/player/:hash', async (ctx) => {
    const hash = ctx.params['hash'] ?? '';
    const known =
      /^[0-9a-f]{40}$/.test(hash) &&
      ((await options.contents.findContent(hash)) !== undefined ||
        (await access(join(options.oldContents, hash)).then(
          () => true,
          () => false,
        )));
    if (!known) throw new NotFound('The content');
    const language = ctx.query['language'] === 'en' ? 'en' : 'zh-CN';
    const page = await readFile(join(playerFolder, 'player.html'), 'utf8');
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = page
      .replaceAll('{{language}}', language)
      .replaceAll('{{hash}}', hash)
      .replaceAll('{{parentOrigin}}', options.publicUrl);
  });

  app.use(problemResponses(options.log));
  app.use(contentHeaders(options));
  app.use(smallFiles('/h5p', h5pFolder, { maxAge: 86_400 }));
  app.use(smallFiles('/player-files', playerFolder, { maxAge: 0 }));
  app.use(
    contentFiles('/contents', options.contents, filesBelow('/contents', options.oldContents, immutable)),
  );
  app.use(router.routes());
  app.on('error', (error: Error) => options.log.debug({ error: error.message }, 'response cut short'));
  return app;
}
