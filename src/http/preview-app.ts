import { watch } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import Router from '@koa/router';
import Koa from 'koa';
import { parse } from 'yaml';
import { listActivities } from '../courses/course.ts';
import { readCourseFolder } from '../courses/folder.ts';
import { languages, type Language } from '../courses/language.ts';
import { manifestSchema, type Manifest } from '../courses/manifest.ts';
import { NotFound } from '../errors.ts';
import type { Log } from '../log.ts';
import { filesBelow } from './files.ts';
import { problemResponses } from './problem.ts';
import { findNeeds, playerPage } from './player-page.ts';
import type { PlayerFiles } from './player-files.ts';
import { contentHeaders, serviceHeaders } from './security.ts';

/*
 * An author's own look at a course folder: its contents in the real player, with the headers that hold in earnest, and what the
 * check finds. Without a database, on two ports of this machine alone.
 */

const pageFolder = join(import.meta.dirname, '../web/preview');
/** An editor saves in several steps. */
const SETTLE_MS = 150;

interface PreviewOptions {
  readonly log: Log;
  readonly publicUrl: string;
  readonly contentUrl: string;
  readonly courseFolder: string;
  readonly librariesFolder: string;
  readonly playerFiles: PlayerFiles;
}

export interface Preview {
  readonly page: Koa;
  readonly content: Koa;
  readonly close: () => void;
}

/** The manifest as far as it can be read: a course that is being written is seldom whole. */
async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    return manifestSchema.safeParse(parse(await readFile(join(folder, 'course.yaml'), 'utf8'))).data;
  } catch {
    return undefined;
  }
}

export function makePreview(options: PreviewOptions): Preview {
  const { courseFolder, librariesFolder, log } = options;

  /** Of an activity in a language; undefined where it has none. */
  const folderOf = async (key: string, language: Language): Promise<string | undefined> => {
    const manifest = await readManifest(courseFolder);
    const activity = manifest && listActivities(manifest).find((each) => each.key === key);
    const path = activity?.kind === 'h5p' ? activity.content[language] : undefined;
    return path === undefined ? undefined : join(courseFolder, path);
  };

  const listening = new Set<PassThrough>();
  let settling: ReturnType<typeof setTimeout> | undefined;
  const changed = (): void => {
    clearTimeout(settling);
    settling = setTimeout(() => {
      for (const each of listening) each.write('data: changed\n\n');
    }, SETTLE_MS);
  };
  const watchers = [courseFolder, librariesFolder].map((folder) =>
    watch(folder, { recursive: true }, changed),
  );

  const page = new Koa();
  const routes = new Router();
  routes.get('/', async (ctx) => {
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = await readFile(join(pageFolder, 'preview.html'), 'utf8');
  });
  routes.get('/course.json', async (ctx) => {
    const [manifest, read] = await Promise.all([
      readManifest(courseFolder),
      readCourseFolder(courseFolder, librariesFolder),
    ]);
    if ('course' in read) for (const each of read.course.packages) await each.close();
    const activities =
      manifest === undefined
        ? []
        : listActivities(manifest).flatMap((activity) =>
            activity.kind === 'h5p'
              ? languages
                  .filter((language) => activity.content[language] !== undefined)
                  .map((language) => ({
                    language,
                    title: activity.title[language],
                    url: `${options.contentUrl}/player/${activity.key}/${language}?language=${language}`,
                  }))
              : [],
          );
    ctx.set('Cache-Control', 'no-store');
    ctx.body = {
      title: manifest?.title['zh-CN'] ?? '',
      activities,
      problems: 'problems' in read ? read.problems : [],
      warnings: 'course' in read ? read.course.warnings : [],
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
  const pathOf = (language: string | undefined): Language | undefined =>
    languages.find((each) => each === language);
  /** Only names of files below: what a content asks for is not trusted here either. */
  const read = async (key: string, language: Language, path: string): Promise<Buffer | undefined> => {
    const folder = await folderOf(key, language);
    if (folder === undefined || path.split(/[/\\]/).some((part) => part === '' || part.startsWith('..')))
      return undefined;
    for (const place of [folder, librariesFolder]) {
      const bytes = await readFile(join(place, path)).catch(() => undefined);
      if (bytes !== undefined) return bytes;
    }
    return undefined;
  };
  contentRoutes.get('/player/:key/:language', async (ctx) => {
    const { key = '' } = ctx.params;
    const language = pathOf(ctx.params['language']);
    if (language === undefined || (await folderOf(key, language)) === undefined)
      throw new NotFound('The content');
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-store');
    ctx.body = playerPage({
      files: options.playerFiles,
      base: `/contents/${key}/${language}`,
      needs: await findNeeds(async (path) => read(key, language, path)),
      language,
      parentOrigin: options.publicUrl,
    });
  });
  contentRoutes.get('/contents/:key/:language/*path', async (ctx) => {
    const language = pathOf(ctx.params['language']);
    const path = ctx.params['path'] ?? '';
    const bytes = language === undefined ? undefined : await read(ctx.params['key'] ?? '', language, path);
    if (bytes === undefined) throw new NotFound('The file');
    ctx.set('Cache-Control', 'no-store');
    ctx.type = /\.[^./]+$/.exec(path)?.[0] ?? 'application/octet-stream';
    ctx.body = bytes;
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
      for (const each of watchers) each.close();
      for (const each of listening) each.end();
    },
  };
}
