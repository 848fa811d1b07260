import { randomUUID } from 'node:crypto';
import type Router from '@koa/router';
import { encodeGlobalID } from '@pothos/plugin-relay';
import type { Context, Middleware } from 'koa';
import type { Services } from '../../schema/context.ts';
import { hashSecret } from '../access/access-token.ts';
import { describeError, type Log } from '../log.ts';
import { MOST_TOKEN_CHARACTERS } from '../lti/launch.ts';
import { LOGIN_MINUTES, type Initiation } from '../lti/login.ts';
import { LaunchRefused, type LaunchReason } from '../lti/refused.ts';
import { currentOrigin } from '../origin.ts';
import { announcesMore, LimitedBody } from './body.ts';
import type { BuiltPages } from './built-pages.ts';
import { cookieOf } from './cookie.ts';
import {
  escape,
  fetchPage,
  keepPage,
  refusalPage,
  registeredPage,
  waitingPage,
  windowPage,
  type LtiPage,
  type PageLanguage,
} from './lti-pages.ts';
import { answerPage, pickerPage } from './lti-picker.ts';
import { pagePolicy } from './security.ts';

/** A token, a state, and what a platform adds besides. */
const MOST_FORM_BYTES = MOST_TOKEN_CHARACTERS + 32 * 1024;
const MOST_LOGIN_BYTES = 64 * 1024;
/** What is not ours to take. */
const FORBIDDEN: readonly LaunchReason[] = ['account-refused', 'deployment-unknown', 'deployment-closed'];
/** Asked for by every platform once in a while. */
const KEY_SET_SECONDS = 600;

const LOGO = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#0f766e"/><path d="M12 42c6-14 34-14 40 0M20 42V33m12 9V31m12 11V33" fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round"/><path d="M32 25l-6-6a4.2 4.2 0 016-6 4.2 4.2 0 016 6z" fill="#fff"/></svg>`;

/** The doors of learning platforms: login, launch, registration, our keys. All that they say in return are pages, since a person is looking. */
export function ltiRoutes(
  router: Router,
  services: Services,
  { log, pages: built, charge }: { log: Log; pages: BuiltPages; charge: (ctx: Context) => Promise<void> },
): void {
  const login = async (ctx: Context, given: URLSearchParams): Promise<void> => {
    const begun = await services.launches.begin(readInitiation(given));
    keepInBrowser(ctx, begun.state, begun.secret);
    // Both ways at once, since only the browser knows which of them works.
    if (begun.storage !== undefined) {
      show(ctx, keepPage({ ...begun, storage: begun.storage }, languageOf(ctx)));
      return;
    }
    ctx.set('Cache-Control', 'no-store');
    ctx.status = 303;
    ctx.set('Location', begun.url);
  };
  router.get('/lti/login', pages(log), async (ctx) => login(ctx, new URLSearchParams(ctx.querystring)));
  router.post('/lti/login', pages(log), async (ctx) =>
    login(ctx, await readForm(ctx, MOST_LOGIN_BYTES, 'login-oversized')),
  );

  router.post('/lti/launch', pages(log), async (ctx) => {
    const given = await readForm(ctx, MOST_FORM_BYTES, 'launch-oversized');
    const form = Object.fromEntries(
      ['state', 'id_token', 'error', 'browser'].flatMap((name) => {
        const values = given.getAll(name);
        if (values.length > 1) throw new LaunchRefused('launch-parameter-repeated', name);
        return values.map((value) => [name, value]);
      }),
    ) as Readonly<Partial<Record<'state' | 'id_token' | 'error' | 'browser', string>>>;
    const cookie = form.state === undefined ? undefined : cookieOf(ctx, cookieName(form.state));
    const { browser, ...launch } = form;
    const received = await services.launches.receive(
      launch,
      cookie ?? (browser === '' ? undefined : browser),
    );
    const language = languageOf(ctx);
    if (received.kind === 'unbound') {
      // A window of its own that has no cookie either will have none the next time.
      if (ctx.get('sec-fetch-dest') === 'document' && received.storage === undefined)
        throw new LaunchRefused('state-not-bound', `registration ${received.registrationId}`);
      log.debug({ registration: received.registrationId }, 'a launch came without its cookie');
      show(
        ctx,
        received.storage === undefined
          ? windowPage(received, language)
          : fetchPage({ ...received, storage: received.storage, form: launch }, language),
      );
      return;
    }
    keepInBrowser(ctx, form.state!, '');
    if (received.kind === 'waiting') {
      log.info({ account: received.accountId }, 'a launch waits for a coordinator');
      show(ctx, waitingPage(received, language), 403);
      return;
    }
    if (received.kind === 'choosing') {
      show(ctx, pickerPage(received, language));
      return;
    }
    // The app itself, here, with its session: that is in no address, which histories and logs keep.
    const { frames, token, assignmentId, activityKey, missingCourse } = received;
    const session = {
      token,
      assignmentId: assignmentId === null ? null : encodeGlobalID('Assignment', assignmentId),
      activityKey,
      missingCourse,
    };
    const app = await built('index.html');
    ctx.set({
      'Content-Security-Policy': pagePolicy({
        contentUrl: services.contentUrl,
        frames: ["'self'", ...frames],
      }),
      'Cache-Control': 'no-store',
    });
    ctx.type = 'html';
    const platform = frames.filter((origin) => !origin.includes('*')).join(' ');
    const metas = `<meta name="xinqiao-launch" content="${escape(JSON.stringify(session))}" /><meta name="xinqiao-platform" content="${escape(platform)}" />`;
    ctx.body = app.replace('</head>', () => `${metas}</head>`);
  });

  router.post('/lti/selection', pages(log), async (ctx) => {
    const given = await readForm(ctx, MOST_LOGIN_BYTES, 'launch-oversized');
    const language = given.get('language') === 'en' ? 'en' : 'zh-CN';
    const answered = await services.selections.answer({
      code: given.get('code') ?? '',
      // Whoever turns back says so by the button.
      chosen: given.has('none') ? [] : given.getAll('item'),
      columns: given.get('columns') === 'modules',
      language,
    });
    show(ctx, answerPage(answered, language));
  });

  router.get('/lti/register/:invitation', pages(log), async (ctx) => {
    await charge(ctx);
    const given = new URLSearchParams(ctx.querystring);
    const one = (name: string): string | undefined => {
      const values = given.getAll(name);
      return values.length === 1 && values[0] !== '' ? values[0] : undefined;
    };
    const configurationUrl = one('openid_configuration');
    if (configurationUrl === undefined) throw new LaunchRefused('configuration-url', 'none');
    const registered = await services.platformInvitations.accept({
      invitation: ctx.params['invitation'] ?? '',
      configurationUrl,
      token: one('registration_token'),
    });
    log.info({ registration: registered.id }, 'a platform registered itself');
    show(ctx, registeredPage(registered, languageOf(ctx)));
  });

  router.get('/lti/jwks.json', async (ctx) => {
    ctx.set('Cache-Control', `public, max-age=${KEY_SET_SECONDS}`);
    ctx.set('Cross-Origin-Resource-Policy', 'cross-origin');
    ctx.body = await services.platformKeys.keySet();
  });
  router.get('/lti/logo.svg', (ctx) => {
    ctx.set({ 'Cache-Control': 'public, max-age=86400', 'Cross-Origin-Resource-Policy': 'cross-origin' });
    ctx.type = 'image/svg+xml';
    ctx.body = LOGO;
  });
}

/** Refusals and defects as pages; the reason goes into the log, under the id that the page shows. */
function pages(log: Log): Middleware {
  return async (ctx, next) => {
    // The platform's window has to hear from us when it has opened one; nothing of ours is in it.
    ctx.set('Cross-Origin-Opener-Policy', 'unsafe-none');
    const id = currentOrigin()?.requestId ?? randomUUID();
    try {
      await next();
    } catch (error) {
      if (error instanceof LaunchRefused) {
        log.info(
          { id, reason: error.reason, ...(error.detail === undefined ? {} : { detail: error.detail }) },
          'a launch was refused',
        );
        const status = FORBIDDEN.includes(error.reason)
          ? 403
          : error.reason.endsWith('-oversized')
            ? 413
            : 400;
        show(ctx, refusalPage(error.reason, id, languageOf(ctx)), status);
        return;
      }
      if (error instanceof Error && 'code' in error && error.code === 'RATE_LIMITED') throw error;
      log.error({ id, ...describeError(error) }, 'defect');
      show(ctx, refusalPage('defect', id, languageOf(ctx)), 500);
    }
  };
}

function show(ctx: Context, { html, policy }: LtiPage, status = 200): void {
  ctx.set({ 'Content-Security-Policy': policy, 'Cache-Control': 'no-store' });
  ctx.status = status;
  ctx.body = html;
  ctx.type = 'html';
}

function languageOf(ctx: Context): PageLanguage {
  return ctx.acceptsLanguages('zh', 'en') === 'en' ? 'en' : 'zh-CN';
}

/** Each login has its own, so that two tabs do not disturb each other. */
function cookieName(state: string): string {
  return `__Host-xinqiao-lti-${hashSecret(state).toString('hex').slice(0, 16)}`;
}

/**
 * What binds a login to the browser. None: the platform sends the browser back from its own site; Partitioned: within the platform's page we have a
 * jar of our own, which browsers leave where they take the others away (CHIPS). Empty: it has done its work.
 */
function keepInBrowser(ctx: Context, state: string, secret: string): void {
  ctx.append(
    'Set-Cookie',
    `${cookieName(state)}=${secret}; Path=/; Max-Age=${secret === '' ? 0 : LOGIN_MINUTES * 60}; HttpOnly; Secure; SameSite=None; Partitioned`,
  );
}

/** @throws LaunchRefused for one that is missing, empty or there twice. */
function readInitiation(given: URLSearchParams): Initiation {
  const one = (name: string): string | undefined => {
    const values = given.getAll(name);
    if (values.length > 1) throw new LaunchRefused('login-parameter-repeated', name);
    return values[0] === '' ? undefined : values[0];
  };
  const must = (name: string): string => {
    const value = one(name);
    if (value === undefined) throw new LaunchRefused('login-parameter-missing', name);
    return value;
  };
  const maybe = Object.fromEntries(
    (['lti_message_hint', 'lti_deployment_id', 'client_id', 'lti_storage_target'] as const).flatMap(
      (name) => {
        const value = one(name);
        return value === undefined ? [] : [[name, value]];
      },
    ),
  ) as Partial<Initiation>;
  return {
    iss: must('iss'),
    login_hint: must('login_hint'),
    target_link_uri: must('target_link_uri'),
    ...maybe,
  };
}

async function readForm(ctx: Context, limit: number, tooMuch: LaunchReason): Promise<URLSearchParams> {
  if (ctx.is('application/x-www-form-urlencoded') !== 'application/x-www-form-urlencoded')
    return new URLSearchParams();
  if (announcesMore(ctx.req, limit)) throw new LaunchRefused(tooMuch);
  const body = new LimitedBody(ctx.req, limit);
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of body) chunks.push(chunk as Buffer);
  } catch (error) {
    if (body.exceeded) throw new LaunchRefused(tooMuch);
    throw error;
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
