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
