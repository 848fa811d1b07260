import type { Middleware } from 'koa';
import sirv, { type Options } from 'sirv';

/** Serves the files below `folder`, found at each request; goes on to the next handler when there is none. */
export function files(folder: string, options: Options = {}): Middleware {
  const serve = sirv(folder, { dev: true, dotfiles: false, ...options });
  return async (ctx, next) => {
    if (ctx.method !== 'GET' && ctx.method !== 'HEAD') return next();
    const found = await new Promise<boolean>((resolve, reject) => {
      ctx.res.once('close', () => resolve(true));
      ctx.res.once('error', reject);
      // The file's own type and length are written straight to the response.
      ctx.res.statusCode = 200;
      serve(ctx.req, ctx.res, () => resolve(false));
    });
    if (found) ctx.respond = false;
    else {
      ctx.res.statusCode = 404;
      await next();
    }
  };
}

/** The same below a path prefix, which the file names lack. */
export function filesBelow(prefix: string, folder: string, options: Options = {}): Middleware {
  const serve = files(folder, options);
  const middleware: Middleware = async (ctx, next) => {
    if (!ctx.path.startsWith(`${prefix}/`)) return next();
    const url = ctx.req.url;
    ctx.req.url = (url ?? '/').slice(prefix.length);
    // sirv remembers what it parsed of the request.
    delete (ctx.req as { _parsedUrl?: unknown })._parsedUrl;
    try {
      await serve(ctx, async () => {
        ctx.req.url = url;
        delete (ctx.req as { _parsedUrl?: unknown })._parsedUrl;
        await next();
      });
    } finally {
      ctx.req.url = url;
    }
  };
  // Told to whoever lists the routes.
  return Object.assign(middleware, { prefix });
}
