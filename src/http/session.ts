import type { IncomingMessage } from 'node:http';
import { NotSignedIn } from '../errors.ts';
import type { Viewer } from '../people/permission.ts';
import type { SessionService } from '../access/session.service.ts';

/** The token of `Authorization: Bearer …` (RFC 6750, section 2.1); sessions use no cookies, so that they work inside a frame. */
export function bearerToken(request: IncomingMessage): string | undefined {
  return /^Bearer ([\w.~+/:-]{1,8192}=*)$/i.exec(request.headers.authorization ?? '')?.[1];
}

export async function viewerOf(
  request: IncomingMessage,
  sessions: SessionService,
): Promise<Viewer | undefined> {
  const token = bearerToken(request);
  return token === undefined ? undefined : sessions.viewer(token);
}

/** @throws NotSignedIn */
export async function requireViewer(request: IncomingMessage, sessions: SessionService): Promise<Viewer> {
  const viewer = await viewerOf(request, sessions);
  if (viewer === undefined) throw new NotSignedIn();
  return viewer;
}
