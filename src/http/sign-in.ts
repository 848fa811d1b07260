import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import type { Context, Middleware } from 'koa';
import type { Services } from '../../schema/context.ts';
import { hashSecret } from '../access/access-token.ts';
import { ATTEMPT_MINUTES, returnPath } from '../access/sign-in.ts';
import { Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
import { currentOrigin } from '../origin.ts';
import { statusOf } from './problem.ts';
import { cookieOf } from './cookie.ts';
import { choicePage, failurePage, handOverPage, type Page } from './sign-in-pages.ts';

/**
 * Signing in with a browser: `/sign-in` offers the issuers, `/sign-in/<key>` sends the browser to one, `/sign-in/callback` takes it back and
 * hands the session to the page. The cookie lives from one to the other and is no session: those use none.
 */
export function signInRoutes(
  router: Router,
  services: Services,
  { log, charge }: { log: Log; charge: (ctx: Context) => Promise<void> },
): void {
  const secure = services.publicUrl.startsWith('https://');

  router.get('/sign-in', (ctx) => {
    const returnTo = returnPath(one(ctx, 'returnTo'), services.publicUrl);
    const ways = services.issuers.listSignIns();
    if (ways.length === 1)
      go(ctx, `${services.publicUrl}/sign-in/${ways[0]!.key}?returnTo=${encodeURIComponent(returnTo)}`);
    else show(ctx, choicePage(ways, returnTo));
  });

  router.get('/sign-in/callback', pages(log), async (ctx) => {
    await charge(ctx);
    const name = cookieName(one(ctx, 'state') ?? '', secure);
    const { token, returnTo } = await services.signIns.finish(ctx.querystring, cookieOf(ctx, name));
    setCookie(ctx, name, '', { secure, seconds: 0 });
    show(ctx, handOverPage({ token, url: `${services.publicUrl}${returnTo}` }));
  });

  router.get('/sign-in/:issuer', pages(log), async (ctx) => {
    await charge(ctx);
    const begun = await services.signIns.begin(ctx.params['issuer'] ?? '', one(ctx, 'returnTo'));
    setCookie(ctx, cookieName(begun.state, secure), begun.secret, {
      secure,
      seconds: ATTEMPT_MINUTES * 60,
    });
    go(ctx, begun.url);
  });
}

/** Refusals and defects as pages: a person is looking. */
function pages(log: Log): Middleware {
  return async (ctx, next) => {
    try {
      await next();
    } catch (error) {
      const id = currentOrigin()?.requestId ?? randomUUID();
      if (error instanceof Refusal) {
        log.info({ id, reason: error.code }, 'not signed in');
        show(ctx, failurePage(error.code, id), statusOf(error));
        return;
      }
      log.error(
        { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) },
        'defect',
      );
      show(ctx, failurePage('INTERNAL', id), 500);
    }
  };
}

function show(ctx: Context, { html, policy }: Page, status = 200): void {
  ctx.set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' });
  ctx.status = status;
  ctx.body = html;
  ctx.type = 'html';
}

function go(ctx: Context, url: string): void {
  ctx.set('Cache-Control', 'no-store');
  ctx.status = 303;
  ctx.set('Location', url);
}

/** Each attempt has its own, so that two tabs do not disturb each other. `__Host-` keeps other hosts of the domain from planting one (RFC 6265bis). */
function cookieName(state: string, secure: boolean): string {
  return `${secure ? '__Host-' : ''}xinqiao-sign-in-${hashSecret(state).toString('hex').slice(0, 16)}`;
}

// Lax: the issuer sends the browser back by a link of its own.
function setCookie(
  ctx: Context,
  name: string,
  value: string,
  { secure, seconds }: { secure: boolean; seconds: number },
): void {
  ctx.append(
    'Set-Cookie',
    `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`,
  );
}

/** A parameter that is given once. */
function one(ctx: Context, name: string): string | undefined {
  const value = ctx.query[name];
  return typeof value === 'string' ? value : undefined;
}
