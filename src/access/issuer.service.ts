import { createLocalJWKSet, decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { inPart } from '../db/acting.ts';
import { chinaDay, type Clock } from '../clock.ts';
import type { IssuerConfig } from '../config.ts';
import type { Database } from '../db/database.ts';
import type { Log } from '../log.ts';
import type { Viewer } from '../people/permission.ts';
import { carefully, fetchJson, type Outbound } from './fetching.ts';
import { checkClaims, staffNumberOf, TokenRefused, type TokenUse } from './issuer.ts';
import { findPersonOfNumber } from './issuer.repository.ts';
import { makeKept } from './kept.ts';
import { findPersonViewer } from './session.repository.ts';

/** What an issuer says of itself (OpenID Connect Discovery, section 3), as far as we use it. */
const metadataShape = z.looseObject({
  issuer: z.string(),
  jwks_uri: z.string(),
  authorization_endpoint: z.string().optional(),
  token_endpoint: z.string().optional(),
  userinfo_endpoint: z.string().optional(),
  token_endpoint_auth_methods_supported: z.array(z.string()).optional(),
});
export type IssuerMetadata = z.infer<typeof metadataShape>;
const keySetShape = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })) });

export type IssuerService = ReturnType<typeof makeIssuerService>;

/** Who is trusted to say who somebody is, and what they said. */
export function makeIssuerService({
  db,
  clock,
  log,
  issuers,
  outbound,
}: {
  db: Database;
  clock: Clock;
  log: Log;
  issuers: readonly IssuerConfig[];
  outbound: Outbound;
}) {
  const fetching = carefully(outbound);

  const known = issuers.map((issuer) => {
    const metadata = makeKept(async () => {
      const found = metadataShape.parse(
        await fetchJson(fetching, `${issuer.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`),
      );
      // Discovery, section 4.3: else one issuer could speak as another.
      if (found.issuer !== issuer.issuer) throw new Error('It calls itself otherwise.');
      for (const name of [
        'jwks_uri',
        'authorization_endpoint',
        'token_endpoint',
        'userinfo_endpoint',
      ] as const) {
        const url = found[name];
        if (url !== undefined && !url.startsWith('https://') && !issuer.issuer.startsWith('http://'))
          throw new Error(`Its ${name} is not https.`);
      }
      return found;
    }, clock);
    const keys = makeKept(async () => {
      const { jwks_uri: url } = await metadata.get();
      return createLocalJWKSet(keySetShape.parse(await fetchJson(fetching, url)));
    }, clock);
    const keyOf: JWTVerifyGetKey = async (header, token) => {
      const set = await keys.get();
      try {
        return await set(header, token);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
        // A key that we have not seen: the issuer may have a new one.
        const renewed = await keys.renew();
        if (renewed === undefined) throw error;
        return renewed(header, token);
      }
    };
    return { issuer, metadata, keyOf };
  });

  /** @throws anything, for a token that is not the issuer's, not for us, not in time, or of another kind. */
  const verify = async (
    { issuer, keyOf }: (typeof known)[number],
    token: string,
    { use, audiences }: { use: TokenUse; audiences: readonly string[] },
  ): Promise<JWTPayload> => {
    const now = clock.now();
    const { payload, protectedHeader } = await jwtVerify(token, keyOf, {
      // A list, so that a public key is never taken for a shared secret, nor `none` for a signature.
      algorithms: [...issuer.algorithms],
      issuer: issuer.issuer,
      audience: [...audiences],
      currentDate: now,
      clockTolerance: issuer.clockSkewSeconds,
      requiredClaims: ['exp', 'sub'],
    });
    checkClaims(protectedHeader, payload, { issuer, use, now });
    return payload;
  };

  /** @throws TokenRefused for nobody, or several. */
  const personOf = async (
    issuer: IssuerConfig,
    claims: Readonly<Record<string, unknown>>,
  ): Promise<string> => {
    const staffNumber = staffNumberOf(claims, issuer.staffNumberClaim);
    if (staffNumber === undefined) throw new TokenRefused(`It has no ${issuer.staffNumberClaim}.`);
    const personId = await findPersonOfNumber(db, {
      staffNumber,
      divisionCode: issuer.divisionCode,
      day: chinaDay(clock.now()),
    });
    if (personId === undefined) throw new TokenRefused('Its staff number is not that of one person.');
    return personId;
  };

  const service = {
    /** Those by which people sign in with a browser. */
    listSignIns: (): IssuerConfig[] => issuers.filter((issuer) => issuer.clientId !== undefined),
    /** Whose sessions are in force. */
    trusted: issuers.map((issuer) => issuer.issuer),

    /**
     * Who a JSON Web Token stands for, as a bearer token (RFC 9068, or an ID token). undefined for one that is wrong in whatever way,
     * all alike; the log's debug lines tell which, without the token.
     */
    async viewer(token: string): Promise<Viewer | undefined> {
      let from: string | undefined;
      try {
        from = decodeJwt(token).iss;
        const named = known.find(({ issuer }) => issuer.issuer === from);
        if (named === undefined) throw new TokenRefused('Its issuer is unknown.');
        const claims = await verify(named, token, { use: 'bearer', audiences: named.issuer.audiences });
        const personId = await personOf(named.issuer, claims);
        return { ...(await findPersonViewer(db, personId, chinaDay(clock.now()))), via: 'issuer' };
      } catch (error) {
        log.debug(
          { issuer: known.find(({ issuer }) => issuer.issuer === from)?.issuer.key, reason: reasonOf(error) },
          'a bearer token was not taken',
        );
        return undefined;
      }
    },

    /** For the browser's sign-in. @throws when the issuer is away or wrong about itself. */
    async metadataOf(issuer: IssuerConfig): Promise<IssuerMetadata> {
      return known.find((each) => each.issuer === issuer)!.metadata.get();
    },
    /** An ID token's claims. @throws */
    async verifyIdToken(issuer: IssuerConfig, token: string): Promise<JWTPayload> {
      return verify(
        known.find((each) => each.issuer === issuer)!,
        token,
        {
          use: 'id',
          audiences: [issuer.clientId!],
        },
      );
    },
    personOf,
    fetching,
  };
  return inPart('gate', service);
}

/** One line for the log. A library's message may quote what it read, so only its code is told; ours hold no values of others. */
export function reasonOf(error: unknown): string {
  if (error instanceof TokenRefused) return error.message;
  const { code, claim } = error as { code?: unknown; claim?: unknown };
  if (typeof code === 'string') return typeof claim === 'string' ? `${code} ${claim}` : code;
  return error instanceof Error ? error.name : 'unknown';
}
