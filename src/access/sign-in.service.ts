import * as oidc from 'openid-client';
import { inPart } from '../db/acting.ts';
import type { Clock } from '../clock.ts';
import type { IssuerConfig } from '../config.ts';
import type { Database } from '../db/database.ts';
import { Conflict, NotFound } from '../errors.ts';
import type { Log } from '../log.ts';
import { hashSecret } from './access-token.ts';
import { TokenRefused } from './issuer.ts';
import { reasonOf, type IssuerService } from './issuer.service.ts';
import type { SessionService } from './session.service.ts';
import { ATTEMPT_MINUTES, deriveFrom, returnPath } from './sign-in.ts';
import { insertSignInAttempt, takeSignInAttempt } from './sign-in.repository.ts';

export type SignInService = ReturnType<typeof makeSignInService>;

/**
 * Signing in with a browser at an issuer: OpenID Connect's authorization code flow with PKCE. What binds an attempt to the browser that
 * began it is a secret in its cookie; nonce and code verifier come out of it, and the database knows its hash alone.
 */
export function makeSignInService({
  db,
  clock,
  random,
  log,
  publicUrl,
  issuers,
  sessions,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  log: Log;
  publicUrl: string;
  issuers: IssuerService;
  sessions: SessionService;
}) {
  const redirectUri = `${publicUrl}/sign-in/callback`;

  const clientOf = async (issuer: IssuerConfig): Promise<oidc.Configuration> => {
    const metadata = await issuers.metadataOf(issuer);
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const authenticate =
      issuer.clientSecret === undefined
        ? oidc.None()
        : methods.includes('client_secret_basic')
          ? oidc.ClientSecretBasic(issuer.clientSecret)
          : oidc.ClientSecretPost(issuer.clientSecret);
    const client = new oidc.Configuration(
      metadata as oidc.ServerMetadata,
      issuer.clientId!,
      { [oidc.clockTolerance]: issuer.clockSkewSeconds },
      authenticate,
    );
    client[oidc.customFetch] = async (url, options) => issuers.fetching(url, options as RequestInit);
    // The configuration allows it for this machine alone.
    if (issuer.issuer.startsWith('http://')) oidc.allowInsecureRequests(client);
    return client;
  };

  /** What went wrong is for the log; the browser learns that it did. */
  const failed = (issuer: IssuerConfig, error: unknown): Conflict => {
    log.info({ issuer: issuer.key, reason: reasonOf(error) }, 'a sign-in failed');
    return error instanceof TokenRefused
      ? new Conflict('SIGN_IN_UNKNOWN', 'The account is not that of a person who is known here.')
      : new Conflict('SIGN_IN_FAILED', 'The sign-in service did not confirm who you are.');
  };

  const service = {
    /**
     * Begins an attempt.
     * @returns where to send the browser, and the secret that it has to bring back with the state.
     * @throws NotFound for an issuer that is none; Conflict SIGN_IN_FAILED while it is away.
     */
    async begin(
      key: string,
      returnTo: string | undefined,
    ): Promise<{ url: string; state: string; secret: string }> {
      const issuer = issuers.listSignIns().find((each) => each.key === key);
      if (issuer === undefined) throw new NotFound('The way to sign in');
      const state = Buffer.from(random(32)).toString('base64url');
      const secret = Buffer.from(random(32)).toString('base64url');
      const now = clock.now();
      let url: URL;
      try {
        url = oidc.buildAuthorizationUrl(await clientOf(issuer), {
          redirect_uri: redirectUri,
          scope: [...new Set(['openid', ...issuer.scopes])].join(' '),
          state,
          nonce: deriveFrom(secret, 'nonce', state),
          code_challenge: await oidc.calculatePKCECodeChallenge(deriveFrom(secret, 'verifier', state)),
          code_challenge_method: 'S256',
        });
      } catch (error) {
        throw failed(issuer, error);
      }
      await insertSignInAttempt(
        db,
        {
          stateHash: hashSecret(state),
          browserHash: hashSecret(secret),
          issuer: issuer.key,
          returnTo: returnPath(returnTo, publicUrl),
          expiresAt: new Date(now.getTime() + ATTEMPT_MINUTES * 60_000),
        },
        now,
      );
      return { url: url.href, state, secret };
    },

    /**
     * Ends an attempt with what the issuer sent the browser back with.
     * @param query of the callback. @param secret of the browser's cookie.
     * @throws Conflict: SIGN_IN_EXPIRED for a state that is unknown, used, too old or another browser's, all alike; SIGN_IN_UNKNOWN for somebody
     * who is not known here; SIGN_IN_FAILED.
     */
    async finish(
      query: string,
      secret: string | undefined,
    ): Promise<{ token: string; expiresAt: Date; returnTo: string }> {
      const url = new URL(redirectUri);
      url.search = query;
      const state = url.searchParams.get('state') ?? '';
      const attempt =
        secret === undefined
          ? undefined
          : await takeSignInAttempt(db, {
              stateHash: hashSecret(state),
              browserHash: hashSecret(secret),
              now: clock.now(),
            });
      const issuer = issuers.listSignIns().find((each) => each.key === attempt?.issuer);
      if (secret === undefined || attempt === undefined || issuer === undefined)
        throw new Conflict('SIGN_IN_EXPIRED', 'This sign-in is over or was begun elsewhere; begin again.');
      let personId: string;
      try {
        const client = await clientOf(issuer);
        // Checks state, the `iss` of RFC 9207, and what the token endpoint answers.
        const tokens = await oidc.authorizationCodeGrant(client, url, {
          expectedState: state,
          expectedNonce: deriveFrom(secret, 'nonce', state),
          pkceCodeVerifier: deriveFrom(secret, 'verifier', state),
          idTokenExpected: true,
        });
        // The ID token again by our own rules: its signature too, which the library leaves to the connection.
        const claims = await issuers.verifyIdToken(issuer, tokens.id_token!);
        const { userinfo_endpoint: more } = await issuers.metadataOf(issuer);
        personId = await issuers.personOf(
          issuer,
          issuer.staffNumberClaim in claims || more === undefined
            ? claims
            : await oidc.fetchUserInfo(client, tokens.access_token, claims.sub!),
        );
      } catch (error) {
        throw failed(issuer, error);
      }
      return {
        ...(await sessions.open({ personId, way: 'oidc', issuer: issuer.issuer })),
        returnTo: attempt.returnTo,
      };
    },
  };
  return inPart('gate', service);
}
