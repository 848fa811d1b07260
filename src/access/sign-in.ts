import { createHmac } from 'node:crypto';

/** Time to type a password, and to look for it. */
export const ATTEMPT_MINUTES = 10;

/**
 * A value of an attempt that the browser's secret alone brings back: what lies in the database would not do. 43 characters, as a PKCE
 * code verifier may be (RFC 7636, section 4.1).
 */
export function deriveFrom(secret: string, purpose: 'nonce' | 'verifier', state: string): string {
  return createHmac('sha256', secret).update(`${purpose}:${state}`).digest('base64url');
}

/**
 * Where to go after the sign-in: a path of ours, whatever was asked for. A browser reads more as another origin than meets the eye
 * (`//host`, `/\host`, a tab in between, `/.//host`), so it is read as a browser would, and looked at again.
 * @param origin the service's own.
 */
export function returnPath(asked: string | undefined, origin: string): string {
  if (asked === undefined || asked.length > 1_000 || !asked.startsWith('/') || !URL.canParse(asked, origin))
    return '/';
  const url = new URL(asked, origin);
  const path = `${url.pathname}${url.search}${url.hash}`;
  return url.origin !== origin || !/^\/(?![/\\])/.test(path) || /^\/sign-in(?![\w-])/.test(path) ? '/' : path;
}
