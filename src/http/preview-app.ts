import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Router from '@koa/router';
import Koa from 'koa';
import { languages, type Language } from '../courses/language.ts';
import { NotFound } from '../errors.ts';
import type { Log } from '../log.ts';
import { send } from './content-files.ts';
import { filesBelow } from './files.ts';
import { problemResponses } from './problem.ts';
import { findNeeds, playerPage } from './player-page.ts';
import type { PlayerFiles } from './player-files.ts';
import type { Previewed } from './previewed.ts';
import { contentHeaders, serviceHeaders } from './security.ts';

/*
 * An author's own look at a course folder or a single content: in the real player, with the headers that hold in earnest, and with what the
 * check finds. Without a database, on two ports of this machine alone.
 */

const pageFolder = join(import.meta.dirname, '../web/preview');
/** An editor saves in several steps. */
const SETTLE_MS = 150;

interface PreviewOptions {
  readonly log: Log;
  readonly publicUrl: string;
  readonly contentUrl: string;
  readonly previewed: Previewed;
  readonly playerFiles: PlayerFiles;
}

export interface Preview {
  readonly page: Koa;
  readonly content: Koa;
  readonly close: () => void;
}

export function makePreview(options: PreviewOptions): Preview {
  const { previewed, log } = options;

  const listening = new Set<PassThrough>();
  let settling: ReturnType<typeof setTimeout> | undefined;
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      previewed.forget();
      for (const each of listening) each.write('data: changed\n\n');
    }, SETTLE_MS);
  };
  const stopWatching = previewed.watch(changed);

  const page = new Koa();
  const routes = new Router();
  routes.get('/', async (ctx) => {
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = await readFile(join(pageFolder, 'preview.html'), 'utf8');
  });
  routes.get('/look.json', async (ctx) => {
    const { playable, ...told } = await previewed.look();
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      ...told,
      activities: playable.map(({ key, language, title }) => ({
        language,
        title,
        url: `${options.contentUrl}/player/${key}/${language}?language=${language}`,
      })),
    };
  });
  routes.get('/changes', (ctx) => {
    const stream = new PassThrough();
    listening.add(stream);
    ctx.res.once('close', () => listening.delete(stream));
    ctx.type = 'text/event-stream';
    ctx.set('Cache-Control', 'no-store');
    stream.write(': listening\n\n');
    ctx.body = stream;
  });
  page.use(problemResponses(log));
  page.use(serviceHeaders(options));
  page.use(filesBelow('/preview', pageFolder));
  page.use(routes.routes());

  const content = new Koa();
  const contentRoutes = new Router();
  const known = (language: string | undefined): Language | undefined =>
    languages.find((each) => each === language);
  contentRoutes.get('/player/:key/:language', async (ctx) => {
    const { key = '' } = ctx.params;
    const language = known(ctx.params['language']);
    if (language === undefined) throw new NotFound('The content');
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = playerPage({
      files: options.playerFiles,
      base: `/contents/${key}/${language}`,
      needs: await findNeeds(async (path) => previewed.read(key, language, path)),
      language,
      parentOrigin: options.publicUrl,
    });
  });
  contentRoutes.get('/contents/:key/:language/*path', async (ctx) => {
    const language = known(ctx.params['language']);
    const path = ctx.params['path'] ?? '';
    const bytes =
      language === undefined ? undefined : await previewed.read(ctx.params['key'] ?? '', language, path);
    if (bytes === undefined) throw new NotFound('The file');
    await send(ctx, {
      tag: createHash('sha256').update(bytes).digest('hex'),
      path,
      size: bytes.length,
      cacheControl: 'no-store',
      open: async (range) =>
        (async function* () {
          yield range === undefined ? bytes : bytes.subarray(range.start, range.end);
        })(),
    });
  });
  content.use(problemResponses(log));
  content.use(contentHeaders(options));
  content.use(options.playerFiles.serve);
  content.use(contentRoutes.routes());

  for (const app of [page, content])
    app.on('error', (error: Error) => log.debug({ error: error.message }, 'response cut short'));
  return {
    page,
    content,
    close() {
      clearTimeout(settling);
      stopWatching();
      previewed.forget();
      for (const each of listening) each.end();
    },
  };
}
