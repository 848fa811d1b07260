import type { Context, Middleware } from 'koa';

const NOBODY_FRAMES = "frame-ancestors 'none'";
/** What is saved as a file has nothing to run, even where somebody opens it in place. */
const OF_A_FILE = `default-src 'none'; sandbox; ${NOBODY_FRAMES}`;
const YEAR_S = 31_536_000;

/** What neither origin ever needs. Full screen and sound are left to the contents. */
const PERMISSIONS = [
  'accelerometer',
  'bluetooth',
  'camera',
  'clipboard-read',
  'display-capture',
  'geolocation',
  'gyroscope',
  'hid',
  'microphone',
  'midi',
  'payment',
  'publickey-credentials-get',
  'screen-wake-lock',
  'serial',
  'usb',
]
  .map((feature) => `${feature}=()`)
  .join(', ');

/** @param url of the origin: over https a browser shall never go back to http. */
function common(url: string): Record<string, string> {
  return {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Permissions-Policy': PERMISSIONS,
    // Nothing of either origin is a part of somebody else's page. (A frame is no part; who may frame stands in the policy.)
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Origin-Agent-Cluster': '?1',
    'X-Permitted-Cross-Domain-Policies': 'none',
    // Not for the hosts below: they are not ours to speak for.
    ...(url.startsWith('https:') ? { 'Strict-Transport-Security': `max-age=${YEAR_S}` } : {}),
  };
}

function asFile(ctx: Context): void {
  if (String(ctx.res.getHeader('Content-Disposition') ?? '').startsWith('attachment'))
    ctx.set('Content-Security-Policy', OF_A_FILE);
}

/** Headers of the service's own origin: nothing but its own files, and the content origin in a frame. */
export function serviceHeaders({
  publicUrl,
  contentUrl,
}: {
  publicUrl: string;
  contentUrl: string;
}): Middleware {
  const headers = {
    ...common(publicUrl),
    'Content-Security-Policy': pagePolicy({ contentUrl, frames: ["'self'"] }),
    'Cross-Origin-Opener-Policy': 'same-origin',
  };
  return async (ctx, next) => {
    ctx.set(headers);
    await next();
    asFile(ctx);
  };
}

/** Of the service's own pages. @param frames sources that may have them in a frame: every page around it is asked, up to the top. */
export function pagePolicy({
  contentUrl,
  frames,
}: {
  contentUrl: string;
  frames: readonly string[];
}): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    `frame-src ${contentUrl} blob:`,
    "base-uri 'none'",
    "form-action 'self'",
    `frame-ancestors ${frames.join(' ')}`,
  ].join('; ');
}
/** What a content may do, as the `sandbox` of its frame says too. Links may be opened in windows of their own, which are what they are elsewhere. */
const SANDBOX =
  'sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-downloads';

/**
 * Headers of the content origin, where anything an author uploaded may run: it may load and call only itself, be framed only by
 * the service, and hold no cookie (none is ever set). Only the player's page has this origin; whatever else is opened as a page
 * has none, and no worker outlives its page.
 */
export function contentHeaders({
  publicUrl,
  contentUrl,
  frames = async () => [],
}: {
  publicUrl: string;
  contentUrl: string;
  /** Platforms whose pages frame the service: a frame within a frame is asked about both. */
  frames?: () => Promise<readonly string[]>;
}): Middleware {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${publicUrl}`,
  ].join('; ');
  const headers = common(contentUrl);
  return async (ctx, next) => {
    ctx.set({
      ...headers,
      'Content-Security-Policy': [policy, ...(await frames())].join(' '),
    });
    ctx.append(
      'Content-Security-Policy',
      ctx.path.startsWith('/player/') ? `${SANDBOX} allow-same-origin` : SANDBOX,
    );
    await next();
  };
}

/** What anybody's program may read, in a page of any origin too: it is public, and the same for all. */
export function publicToAll(ctx: Context): void {
  ctx.set({ 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' });
}

/**
 * Which other origins' pages may ask a door (Fetch standard, CORS protocol): none unless they are named. Never with cookies, of which there
 * are none: a page elsewhere must hold a token of its own.
 */
export function crossOrigin(origins: readonly string[]): Middleware {
  return async (ctx, next) => {
    // A cache must not hand one origin's answer to another.
    if (origins.length > 0) ctx.vary('Origin');
    const origin = ctx.get('origin');
    const allowed = origins.includes(origin);
    if (allowed) {
      ctx.set('Access-Control-Allow-Origin', origin);
      ctx.set('Access-Control-Expose-Headers', 'X-Request-Id, Retry-After, RateLimit, RateLimit-Policy');
    }
    if (ctx.method !== 'OPTIONS') {
      await next();
      return;
    }
    ctx.status = 204;
    ctx.set('Allow', 'GET, POST, OPTIONS');
    if (allowed && ctx.get('access-control-request-method') !== '')
      ctx.set({
        'Access-Control-Allow-Methods': 'GET, POST',
        'Access-Control-Allow-Headers': 'Authorization, Content-Type, Accept',
        'Access-Control-Max-Age': '600',
      });
  };
}
