import type { JWTHeaderParameters, JWTPayload } from 'jose';
import type { IssuerConfig } from '../config.ts';

/** A token that is not taken; why is for the log alone, whoever sent it learns nothing. */
export class TokenRefused extends Error {
  override name = 'TokenRefused';
}

/** `bearer`: shown by a program in a request. `id`: what an issuer told us itself at the end of a browser's sign-in. */
export type TokenUse = 'bearer' | 'id';

/** Whether a bearer token looks like a JSON Web Token: three parts, of which the first is an object. */
export function looksLikeJwt(token: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/**
 * What else a token must be that is signed by the issuer, for us, and in its time. The type keeps tokens of other purposes out, such as
 * logout tokens, which an issuer signs with the same keys (RFC 8725, sections 2.8 and 3.11).
 * @throws TokenRefused
 */
export function checkClaims(
  header: JWTHeaderParameters,
  claims: JWTPayload,
  { issuer, use, now }: { issuer: IssuerConfig; use: TokenUse; now: Date },
): void {
  const type = header.typ?.toLowerCase().replace(/^application\//, '');
  if (type !== undefined && type !== 'jwt' && !(use === 'bearer' && type === 'at+jwt'))
    throw new TokenRefused(`Its type is ${type}.`);
  if (claims.iat !== undefined && claims.iat > now.getTime() / 1000 + issuer.clockSkewSeconds)
    throw new TokenRefused('It was issued in the future.');
  if ('events' in claims) throw new TokenRefused('It tells of an event.');
  // RFC 7800: only its holder may use it, and a bearer proves nothing.
  if ('cnf' in claims) throw new TokenRefused('It is bound to a key.');
  // OpenID Connect Core, section 3.1.3.7, steps 4 and 5.
  if (use === 'id') {
    const several = Array.isArray(claims.aud) && claims.aud.length > 1;
    const party = claims['azp'];
    if ((several && party === undefined) || (party !== undefined && party !== issuer.clientId))
      throw new TokenRefused('It was issued to another party.');
  }
}

/** The staff number that the claims give; text only, since a number has lost its zeros. undefined: none that could be one. */
export function staffNumberOf(claims: Readonly<Record<string, unknown>>, claim: string): string | undefined {
  const value = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (typeof value !== 'string') return undefined;
  const number = value.trim();
  return number === '' || number.length > 64 ? undefined : number;
}
