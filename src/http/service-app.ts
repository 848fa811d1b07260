import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import Router from '@koa/router';
import Koa from 'koa';
import type { Services } from '../../schema/context.ts';
import type { Clock } from '../clock.ts';
import type { Introspection } from '../config.ts';
import { InvalidInput, NotFound, NotSignedIn } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Viewer } from '../people/permission.ts';
import { writeTemplate } from '../people/roster/template.ts';
import { download } from './download.ts';
import { exportDoor } from './export/door.ts';
import { filesBelow } from './files.ts';
import { makeGraphql } from './graphql.ts';
import { ltiRoutes } from './lti.ts';
import { packageRoutes } from './packages.ts';
import { problem, problemResponses } from './problem.ts';
import { viewerOf, viewers } from './session.ts';
import { signInRoutes } from './sign-in.ts';
import { crossOrigin, serviceHeaders } from './security.ts';
import type { RateService } from './rate.service.ts';

/** Doors that count their callers themselves, since they know who is signed in; and the two that machines ask all the time. */
const OWN_COUNT =
  /^\/(?:graphql|export|feed\/.*|certificates\/.*|roster-imports\/.*|my-data\.zip|healthz|readyz)\/?$/;

/** The doors of the service's own origin: GraphQL, tables as files, certificates, feed, pages, health. */
export function makeServiceApp(
  services: Services,
  options: {
    log: Log;
    clock: Clock;
    samples: boolean;
    graphiql: boolean;
    introspection: Introspection;
    corsOrigins: readonly string[];
    rates: RateService;
    webFolder: string;
    ready: () => Promise<boolean>;
  },
): Koa {
  const app = new Koa();
  const router = new Router();
  /** Lets in who is signed in; nobody's knocking is counted too. @throws NotSignedIn @throws RateLimited */
  const admit = async (ctx: Koa.Context): Promise<Viewer> => {
    const viewer = viewerOf(ctx);
    await options.rates.charge(ctx, viewer);
    if (viewer === undefined) throw new NotSignedIn();
    return viewer;
  };

  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' };
  });
  router.get('/readyz', async (ctx) => {
    if (await options.ready()) ctx.body = { status: 'ready' };
    else problem(ctx, 503, 'NOT_READY', 'The database does not answer.');
  });

  const graphql = makeGraphql(services, options);
  router.all('/graphql', crossOrigin(options.corsOrigins), graphql.door);
  router.post('/export', exportDoor(services, graphql, { ...options, admit }));

  router.get('/certificates/:file', async (ctx) => {
    const viewer = await admit(ctx);
    const number = /^(.{1,64})\.pdf$/.exec(ctx.params['file'] ?? '')?.[1];
    const found = number === undefined ? undefined : await services.certificates.findDocument(viewer, number);
    if (found === undefined) throw new NotFound('The certificate');
    ctx.set({
      'Content-Disposition': `attachment; filename="${found.certificate.number}.pdf"`,
      'Cache-Control': 'private, no-store',
      ETag: `"${found.certificate.pdfDigest}"`,
    });
    ctx.type = 'application/pdf';
    ctx.body = found.pdf;
  });

  // An empty form is nobody's secret.
  router.get('/roster-template.xlsx', (ctx) => {
    download(ctx, '花名册导入模板.xlsx', writeTemplate());
  });

  router.get('/roster-imports/:id/refusals.xlsx', async (ctx) => {
    const viewer = await admit(ctx);
    const id = ctx.params['id'] ?? '';
    const language = ctx.query['language'] === 'en' ? 'en' : 'zh-CN';
    const found = /^\d{1,18}$/.test(id)
      ? await services.roster.openRefusals(viewer, id, language)
      : undefined;
    if (found === undefined) throw new NotFound('The import');
    ctx.set('Cache-Control', 'private, no-store');
    download(ctx, language === 'en' ? `refused-rows-${id}.xlsx` : `退回的行-${id}.xlsx`, found);
  });

  router.get('/my-data.zip', async (ctx) => {
    const viewer = await admit(ctx);
    await options.rates.chargeFor(ctx, 'export', viewer);
    ctx.set('Cache-Control', 'private, no-store');
    download(ctx, '我的数据.zip', await services.personalData.openExport(viewer));
  });

  router.get('/feed/credit-records', async (ctx) => {
    const viewer = await admit(ctx);
    const one = (name: string): string | undefined => {
      const value = ctx.query[name];
      if (Array.isArray(value)) throw new InvalidInput(name, `Give ${name} once.`);
      return value;
    };
    const limitText = one('limit') ?? '100';
    const limit = Number(limitText);
    if (!/^\d+$/.test(limitText) || limit < 1 || limit > 500)
      throw new InvalidInput('limit', `limit=${limitText} is not a whole number from 1 to 500.`);
    const records = await services.titles.listFeed(viewer, { after: one('after'), limit: limit + 1 });
    const page = records.slice(0, limit);
    ctx.set('Cache-Control', 'private, no-store');
    ctx.body = {
      records: page.map(({ id: _id, cursor: _cursor, ...record }) => record),
      // Where there is nothing new the reader keeps its own.
      nextCursor: page.at(-1)?.cursor ?? one('after') ?? null,
      hasMore: records.length > limit,
    };
  });

  const page = (file: string) => async (ctx: Koa.Context) => {
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = await readFile(join(options.webFolder, file));
  };
  router.get(['/', '/about-time', '/assignments/*rest', '/attempts/*rest'], page('index.html'));
  router.get(['/verify', '/verify/*rest'], page('verify.html'));

  signInRoutes(router, services, {
    ...options,
    charge: async (ctx) => options.rates.chargeFor(ctx, 'signIn', undefined),
  });

  packageRoutes(router, services, options);

  ltiRoutes(router, services, {
    ...options,
    charge: async (ctx) => options.rates.chargeFor(ctx, 'signIn', undefined),
  });

  app.use(problemResponses(options.log));
  app.use(serviceHeaders({ publicUrl: services.publicUrl, contentUrl: services.contentUrl }));
  app.use(filesBelow('/assets', join(options.webFolder, 'assets'), { immutable: true, maxAge: 31_536_000 }));
  app.use(viewers(services.sessions));
  app.use(async (ctx, next) => {
    if (!OWN_COUNT.test(ctx.path)) await options.rates.charge(ctx, undefined);
    await next();
  });
  app.use(router.routes());
  app.use(router.allowedMethods());
  app.on('error', (error: Error) => options.log.debug({ error: error.message }, 'response cut short'));
  return app;
}
