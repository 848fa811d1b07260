import type { IncomingMessage } from 'node:http';
import type { Context, Middleware } from 'koa';
import type { SessionService } from '../access/session.service.ts';
import { NotSignedIn } from '../errors.ts';
import { forViewer } from '../people/acting.ts';
import type { Viewer } from '../people/permission.ts';

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1); sessions use no cookies, so that they work inside a frame. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer ([\w.~+/:-]{1,8192}=*)$/i.exec(request.headers.authorization ?? '')?.[1];
}

/** Finds out who asks; whatever the request does then, the database is asked for them. */
export function viewers(sessions: SessionService): Middleware {
  return async (ctx, next) => {
    const viewer = await findViewer(ctx.req, sessions);
    ctx.state['viewer'] = viewer;
    await forViewer(viewer, next);
  };
}

/** undefined for nobody. */
export function viewerOf(ctx: Context): Viewer | undefined {
  return ctx.state['viewer'] as Viewer | undefined;
}

/** @throws NotSignedIn */
export function requireViewer(ctx: Context): Viewer {
  const viewer = viewerOf(ctx);
  if (viewer === undefined) throw new NotSignedIn();
  return viewer;
}

/** Who asks as it is now, for an answer that takes its time: a session may end meanwhile, or a grant. @throws NotSignedIn */
export async function requireViewerAnew(ctx: Context, sessions: SessionService): Promise<Viewer> {
  const viewer = await findViewer(ctx.req, sessions);
  if (viewer === undefined) throw new NotSignedIn();
  return viewer;
}

async function findViewer(request: IncomingMessage, sessions: SessionService): Promise<Viewer | undefined> {
  const token = bearerToken(request);
  return token === undefined ? undefined : sessions.viewer(token);
}
