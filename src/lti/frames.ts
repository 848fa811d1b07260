import { platformOf } from './platforms.ts';
import type { LtiRegistration } from './registration.ts';

/** An origin that may frame us: of http only where the platform itself is so, on a machine of a developer. */
export function originOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { origin, protocol } = new URL(url);
  return protocol === 'https:' || protocol === 'http:' ? origin : undefined;
}

/** Sources of a policy's frame-ancestors (CSP Level 3, section 6.4.2) for launches of a platform. */
export function framesOf(
  registration: Pick<LtiRegistration, 'platform' | 'issuer' | 'authUrl' | 'frameOrigins'>,
): string[] {
  const own = [registration.issuer, registration.authUrl].flatMap((url) => originOf(url) ?? []);
  return [...new Set([...own, ...platformOf(registration.platform).frames, ...registration.frameOrigins])];
}

/** Whether an origin is one of a policy's sources. */
export function isCovered(origin: string, sources: readonly string[]): boolean {
  return sources.some((source) => {
    if (!source.includes('*.')) return source === origin;
    const [scheme, host] = source.split('://*') as [string, string];
    return origin.startsWith(`${scheme}://`) && origin.endsWith(host);
  });
}
