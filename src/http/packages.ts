import type Router from '@koa/router';
import type { Services } from '../../schema/context.ts';
import { packageFormats } from '../lti/package.ts';
import { zipOf } from '../lti/package-zip.ts';
import { originOf } from '../lti/frames.ts';
import { announcesMore, LimitedBody } from './body.ts';
import type { BuiltPages } from './built-pages.ts';

const MOST_FORM_BYTES = 4 * 1024;

/** The doors of course packages: the packages themselves, the window that one opens, and what its page asks. */
export function packageRoutes(router: Router, services: Services, pages: BuiltPages): void {
  router.get('/packages/:course/:file', async (ctx) => {
    const format = packageFormats.find((each) => ctx.params['file'] === `${each}.zip`);
    const course = ctx.params['course'] ?? '';
    const files = format === undefined ? undefined : await services.packages.files(course, format);
    if (files === undefined) return;
    ctx.set('Cache-Control', 'no-cache');
    ctx.attachment(`${course}-${format}.zip`);
    ctx.type = 'application/zip';
    ctx.body = await zipOf(files);
  });

  // The page of a package opens a window with a form, so that its code stands in no address.
  router.post('/packages/open', async (ctx) => {
    const given = new URLSearchParams(await bodyOf(ctx.req));
    const course = given.get('course') ?? '';
    const code = given.get('code') ?? '';
    if (!/^[0-9a-f]{64}$/.test(code) || !/^[a-z0-9][a-z0-9-]{0,63}$/.test(course)) {
      ctx.status = 303;
      ctx.set('Location', '/');
      return;
    }
    const origin = originOf(ctx.get('origin')) ?? '';
    const app = await pages('index.html');
    ctx.set('Cache-Control', 'no-store');
    ctx.type = 'html';
    ctx.body = app.replace(
      '</head>',
      `<meta name="xinqiao-package" content="${code} ${course} ${origin.replaceAll(/["<>&\s]/g, '')}" /></head>`,
    );
  });

  // From any page, since a package may lie anywhere; no cookie counts here, only the code.
  router.post('/packages/state', async (ctx) => {
    ctx.set({
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Cache-Control': 'no-store',
    });
    ctx.body = await services.packages.stateOf(await bodyOf(ctx.req));
  });
}

/** Empty for one that is too large: nothing of it could be right. */
async function bodyOf(request: Parameters<typeof announcesMore>[0]): Promise<string> {
  if (announcesMore(request, MOST_FORM_BYTES)) return '';
  const body = new LimitedBody(request, MOST_FORM_BYTES);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (error) {
    if (body.exceeded) return '';
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}
