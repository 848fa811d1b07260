import { join } from 'node:path';
import Router from '@koa/router';
import Koa from 'koa';
import type { Services } from '../../schema/context.ts';
import { languageOf } from '../courses/course.ts';
import type { Clock } from '../clock.ts';
import type { Introspection } from '../config.ts';
import { InvalidInput, NotFound, NotSignedIn } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Viewer } from '../people/permission.ts';
import type { RosterService } from '../people/roster/import.service.ts';
import { writeTemplate } from '../people/roster/template.ts';
import { makeBuiltPages } from './built-pages.ts';
import { download } from './download.ts';
import { exportDoor } from './export/door.ts';
import { filesBelow } from './files.ts';
import { makeGraphql } from './graphql.ts';
import { packPage } from './pack-page.ts';
import { ltiRoutes } from './lti.ts';
import { packageRoutes } from './packages.ts';
import { problem, problemResponses } from './problem.ts';
import { viewerOf, viewers } from './session.ts';
import { signInRoutes } from './sign-in.ts';
import { verificationRoutes } from './verification.ts';
import { crossOrigin, publicToAll, serviceHeaders } from './security.ts';
import type { RateService } from './rate.service.ts';

/** Doors that count their callers themselves, since they know who is signed in; and the two that machines ask all the time. */
const OWN_COUNT =
  /^\/(?:graphql|export|feed\/.*|certificates\/.*|credentials\/.*|roster-imports\/.*|issue-requests\/.*|h5p\/.*|my-data\.zip|api\/verify(?:\/pdf)?|healthz|readyz)\/?$/;

/** W3C Web Application Manifest. */
const VERIFICATION_APP = {
  id: '/verify',
  name: '心桥 · 证书核验',
  short_name: '证书核验',
  lang: 'zh-CN',
  start_url: '/verify',
  scope: '/verify',
  display: 'standalone',
  background_color: '#ffffff',
  theme_color: '#0f766e',
  icons: [{ src: '/verify/icon.svg', sizes: 'any', type: 'image/svg+xml', purpose: 'any' }],
};
const VERIFICATION_ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512"><rect width="512" height="512" rx="96" fill="#0f766e"/>
<path d="M96 330H416M116 330Q256 120 396 330M190 330V246M256 330V224M322 330V246" fill="none" stroke="#fff" stroke-width="30" stroke-linecap="round"/></svg>`;

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
  const pages = makeBuiltPages(options.webFolder);
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

  router.get('/credentials/:file', async (ctx) => {
    const viewer = await admit(ctx);
    const [, number, form] = /^(.{1,64})\.(json|jwt)$/.exec(ctx.params['file'] ?? '') ?? [];
    const found =
      number === undefined
        ? undefined
        : await services.credentials.findOwn(viewer, number, form as 'json' | 'jwt');
    if (found === undefined) throw new NotFound('The credential');
    ctx.set({
      'Content-Type': form === 'jwt' ? 'application/vc+jwt' : 'application/vc+ld+json',
      'Content-Disposition': `attachment; filename="${found.number}.${form}"`,
      'Cache-Control': 'private, no-store',
    });
    ctx.body = found.text;
  });

  // did:web, section 2.5.2: the issuer's keys, for whoever checks a credential.
  router.get('/.well-known/did.json', async (ctx) => {
    publicToAll(ctx);
    ctx.set({ 'Content-Type': 'application/did+json', 'Cache-Control': 'public, max-age=300' });
    ctx.body = JSON.stringify(await services.credentials.didDocument(), undefined, 2);
  });

  router.get('/status/:list', async (ctx) => {
    const [, list, refresh] = /^([1-9]\d{0,8})(-refresh)?$/.exec(ctx.params['list'] ?? '') ?? [];
    const found =
      list === undefined
        ? undefined
        : await services.credentials.findStatusList(
            Number(list),
            refresh === undefined ? 'revocation' : 'refresh',
          );
    if (found === undefined) throw new NotFound('The list');
    publicToAll(ctx);
    // Short, so that a revocation is soon seen; the list itself says how long it may be relied on.
    ctx.set({ 'Content-Type': 'application/vc+ld+json', 'Cache-Control': 'public, max-age=60' });
    ctx.body = found;
  });

  // C2SP tlog-tiles: files as any server could serve them. What is full never changes.
  router.get('/log/checkpoint', async (ctx) => {
    publicToAll(ctx);
    ctx.set({ 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-cache' });
    ctx.body = await services.transparency.checkpoint();
  });
  router.get('/log/tile/*path', async (ctx) => {
    const found = await services.transparency.findTile(ctx.params['path'] ?? '');
    if (found === undefined) throw new NotFound('The tile');
    publicToAll(ctx);
    ctx.set({
      'Content-Type': 'application/octet-stream',
      'Cache-Control': found.full ? 'public, max-age=31536000, immutable' : 'public, max-age=3600',
    });
    ctx.body = found.bytes;
  });

  // An empty form is nobody's secret.
  router.get('/roster-template.xlsx', (ctx) => {
    download(ctx, '花名册导入模板.xlsx', writeTemplate());
  });

  const refusals = async (
    ctx: Koa.Context,
    of: { openRefusals: RosterService['openRefusals'] },
    what: string,
  ): Promise<void> => {
    const viewer = await admit(ctx);
    const id = (ctx['params'] as Record<string, string>)['id'] ?? '';
    const language = ctx.query['language'] === 'en' ? 'en' : 'zh-CN';
    const found = /^\d{1,18}$/.test(id) ? await of.openRefusals(viewer, id, language) : undefined;
    if (found === undefined) throw new NotFound(what);
    ctx.set('Cache-Control', 'private, no-store');
    download(ctx, language === 'en' ? `refused-rows-${id}.xlsx` : `退回的行-${id}.xlsx`, found);
  };
  router.get('/roster-imports/:id/refusals.xlsx', async (ctx) =>
    refusals(ctx, services.roster, 'The import'),
  );
  router.get('/issue-requests/:id/refusals.xlsx', async (ctx) =>
    refusals(ctx, services.issueRequests, 'The request'),
  );

  // By its number what was uploaded, by its hash what a course holds.
  router.get('/h5p/:file', async (ctx) => {
    const viewer = await admit(ctx);
    await options.rates.chargeFor(ctx, 'export', viewer);
    const [, id, hash] = /^(?:(\d{1,18})|([\da-f]{40}))\.h5p$/.exec(ctx.params['file'] ?? '') ?? [];
    const found =
      hash === undefined
        ? id === undefined
          ? undefined
          : await services.h5p.openExport(viewer, id)
        : (await services.courses.hasContent(hash))
          ? await services.h5p.openCourseExport(viewer, hash)
          : undefined;
    if (found === undefined) throw new NotFound('The content');
    ctx.set('Cache-Control', 'private, no-store');
    download(ctx, `${found.title}.h5p`, found.bytes);
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

  // Something to print, as public as the course: from the database, whatever has become of the folder.
  router.get('/courses/:slug/pack/:key', async (ctx) => {
    const { version } = ctx.query;
    if (Array.isArray(version)) throw new InvalidInput('version', 'Give version once.');
    const course = await services.courses.findForPack(ctx.params['slug'] ?? '', version);
    const document = course?.pack.find(({ key }) => key === ctx.params['key']);
    if (course === undefined || document === undefined) throw new NotFound('The page');
    const page = packPage(
      course,
      document,
      languageOf(course.manifest, ctx.query['lang'] === 'en' ? 'en' : 'zh-CN'),
    );
    ctx.set({ 'Content-Security-Policy': page.policy, 'Cache-Control': 'no-cache' });
    ctx.type = 'html';
    ctx.body = page.html;
  });

  const page = (file: string) => async (ctx: Koa.Context) => {
    ctx.type = 'html';
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = await pages(file);
  };
  router.get(
    ['/', '/about-time', '/curriculum', '/assignments/*rest', '/attempts/*rest'],
    page('index.html'),
  );
  // The verification page is an app of its own, and works without the network once it was visited. Before its own addresses.
  router.get('/verify/offline.json', async (ctx) => {
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = await services.credentials.offlineFile();
  });
  router.get('/verify/worker.js', async (ctx) => {
    ctx.type = 'text/javascript';
    ctx.set({ 'Cache-Control': 'no-cache', 'Service-Worker-Allowed': '/verify' });
    ctx.body = await pages('worker.js');
  });
  router.get('/verify/app.webmanifest', (ctx) => {
    ctx.type = 'application/manifest+json';
    ctx.set('Cache-Control', 'no-cache');
    ctx.body = JSON.stringify(VERIFICATION_APP);
  });
  router.get('/verify/icon.svg', (ctx) => {
    ctx.type = 'image/svg+xml';
    ctx.set('Cache-Control', 'public, max-age=86400');
    ctx.body = VERIFICATION_ICON;
  });
  router.get(['/verify', '/verify/*rest'], page('verify.html'));

  verificationRoutes(router, services, options);

  signInRoutes(router, services, {
    ...options,
    charge: async (ctx) => options.rates.chargeFor(ctx, 'signIn', undefined),
  });

  packageRoutes(router, services, pages);

  ltiRoutes(router, services, {
    log: options.log,
    pages,
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
