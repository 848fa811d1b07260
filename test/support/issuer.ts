import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  exportJWK,
  exportSPKI,
  generateKeyPair,
  SignJWT,
  type CryptoKey,
  type JWK,
  type JWTPayload,
} from 'jose';
import Provider, { type Configuration } from 'oidc-provider';

export const AUDIENCE = 'https://xinqiao.example';
export const CLIENT = { id: 'xinqiao', secret: 'a secret of the test' } as const;

/** A real OpenID provider on this machine, which can be away and change its keys. */
export class TestIssuer {
  /** Who the next browser signs in as: account → its claims. */
  account = 't1';
  readonly claims = new Map<string, Record<string, unknown>>();
  /** Breaks every connection, as a server that is down does. */
  isDown = false;
  /** What an answer to the paths of its metadata is made of instead, for an issuer that is wrong about itself. */
  alter: ((path: string, body: unknown) => unknown) | undefined;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** Whether claims of scopes are left to the userinfo endpoint, as the standard has it. */
  conformIdTokenClaims = false;
  /** Of the service, whose address is known only when it runs. */
  redirectUri = 'http://127.0.0.1/sign-in/callback';
  readonly url: string;
  #server: Server;
  #provider!: Provider;
  #key!: { kid: string; private: CryptoKey; public: CryptoKey };
  #keys = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<TestIssuer> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const issuer = new TestIssuer(server);
    await issuer.rotate();
    server.on('request', (request, response) => {
      const path = new URL(request.url!, issuer.url).pathname;
      issuer.asked.push(path);
      if (issuer.isDown) {
        request.socket.destroy();
        return;
      }
      if (path.startsWith('/interaction/')) {
        void issuer.#provider.interactionFinished(request, response, {
          login: { accountId: issuer.account },
        });
        return;
      }
      if (issuer.alter !== undefined && request.method === 'GET' && /well-known|jwks/.test(path)) {
        const { alter } = issuer;
        const end = response.end.bind(response);
        response.end = ((body: unknown) => {
          const altered = JSON.stringify(alter(path, JSON.parse(String(body))));
          response.setHeader('content-length', Buffer.byteLength(altered));
          return end(altered);
        }) as typeof response.end;
      }
      void issuer.#provider.callback()(request, response);
    });
    return issuer;
  }

  /** New keys in place of the old ones. */
  async rotate(): Promise<void> {
    const pair = await generateKeyPair('RS256', { extractable: true });
    this.#key = { kid: `key-${++this.#keys}`, private: pair.privateKey, public: pair.publicKey };
    await this.configure();
  }

  /** Anew, after one of the settings above has changed. */
  async configure(): Promise<void> {
    const jwk: JWK = {
      ...(await exportJWK(this.#key.private)),
      kid: this.#key.kid,
      alg: 'RS256',
      use: 'sig',
    };
    const configuration: Configuration = {
      jwks: { keys: [jwk] },
      cookies: { keys: ['of the test'] },
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          redirect_uris: [this.redirectUri],
          grant_types: ['authorization_code', 'client_credentials'],
          response_types: ['code'],
        },
      ],
      claims: { openid: ['sub'], staff: ['staff_number'] },
      scopes: ['openid', 'staff'],
      conformIdTokenClaims: this.conformIdTokenClaims,
      findAccount: (_ctx, id) => ({
        accountId: id,
        claims: () => ({ sub: id, staff_number: id, ...this.claims.get(id) }),
      }),
      async loadExistingGrant(ctx) {
        const known = ctx.oidc.session!.grantIdFor(ctx.oidc.client!.clientId);
        if (known !== undefined) return ctx.oidc.provider.Grant.find(known);
        const grant = new ctx.oidc.provider.Grant({
          clientId: ctx.oidc.client!.clientId,
          accountId: ctx.oidc.session!.accountId!,
        });
        grant.addOIDCScope('openid staff');
        await grant.save();
        return grant;
      },
      extraTokenClaims: () => ({ staff_number: this.account }),
      interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx, audience) => ({
            audience,
            scope: '',
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    };
    this.#provider = new Provider(this.url, configuration);
  }

  /** An access token as the provider itself makes it for a program. */
  async accessToken(audience: string = AUDIENCE): Promise<string> {
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${btoa(`${CLIENT.id}:${encodeURIComponent(CLIENT.secret).replaceAll('%20', '+')}`)}`,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', resource: audience }),
    });
    const { access_token: token } = (await response.json()) as { access_token?: string };
    if (token === undefined) throw new Error(`The provider answered ${response.status}.`);
    return token;
  }

  /** A token of whatever content under the provider's own key; seconds are from now. */
  async sign(
    claims: JWTPayload & { readonly in?: number; readonly from?: number; readonly at?: number } = {},
    {
      header = {},
      key,
      now = new Date(),
    }: { header?: Record<string, unknown>; key?: CryptoKey | Uint8Array; now?: Date } = {},
  ): Promise<string> {
    const { in: seconds = 300, from, at, ...rest } = claims;
    const second = Math.floor(now.getTime() / 1000);
    return new SignJWT({
      iss: this.url,
      aud: AUDIENCE,
      sub: 't1',
      staff_number: 't1',
      iat: second + (at ?? 0),
      exp: second + seconds,
      ...(from === undefined ? {} : { nbf: second + from }),
      ...rest,
    })
      .setProtectedHeader({ alg: 'RS256', kid: this.#key.kid, ...header })
      .sign(key ?? this.#key.private, 'crit' in header ? { crit: { x: true } } : {});
  }

  async publicKeyPem(): Promise<string> {
    return exportSPKI(this.#key.public);
  }
  async publicKeyJwk(): Promise<JWK> {
    return exportJWK(this.#key.public);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
