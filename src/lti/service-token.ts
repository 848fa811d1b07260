import { z } from 'zod';
import type { Clock } from '../clock.ts';
import { OutboundError, type Outbound, type OutboundResponse } from '../network/outbound.ts';
import type { LtiKeyService } from './key.service.ts';
import type { LtiRegistration } from './registration.ts';
import { retryAfter } from './retry-after.ts';

/** No token, and why. */
export class NoServiceToken extends Error {
  override name = 'NoServiceToken';
  /** Of what the platform answered, where it did. */
  readonly status: number | undefined;
  /** It would be the same another time: somebody has to put something right, there or here. */
  readonly refused: boolean;
  readonly waitSeconds: number | undefined;
  constructor(
    message: string,
    { status, refused, waitSeconds }: { status?: number; refused: boolean; waitSeconds?: number | undefined },
  ) {
    super(message);
    this.status = status;
    this.refused = refused;
    this.waitSeconds = waitSeconds;
  }
}

const answerShape = z.looseObject({
  access_token: z.string().min(1).max(10_000),
  token_type: z.string().regex(/^bearer$/i),
  expires_in: z.coerce.number().positive().optional(),
  scope: z.string().optional(),
});
/** RFC 6749, section 5.2. */
const errorShape = z.looseObject({ error: z.string().regex(/^[\x20-\x7e]{1,100}$/) });
/** Of what we sign. */
const ASSERTION_SECONDS = 60;
/** Where the platform does not say (RFC 6749, section 5.1). */
const USUAL_SECONDS = 300;
/** Codes with which some say in a 4xx what a 5xx is for; those of RFC 6749, section 5.2, are a no. */
const PASSING = ['temporarily_unavailable', 'server_error', 'slow_down'];
/** Not used any more so long before its end. */
const EARLY_SECONDS = 30;
const MOST_KEPT = 1_000;

export type ServiceTokens = ReturnType<typeof makeServiceTokens>;

/**
 * Access tokens for services of platforms (Security Framework, section 4.1: client credentials, with a JWT that we sign). One is kept for as long as it
 * is good, for each platform and set of scopes, in this process.
 */
export function makeServiceTokens({
  outbound,
  keys,
  clock,
  random,
}: {
  outbound: Outbound;
  keys: LtiKeyService;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
}) {
  /** `until` is undefined while the platform is being asked: who comes meanwhile waits for the same answer. */
  const kept = new Map<string, { readonly token: Promise<string>; until: number | undefined }>();
  const keyOf = (registration: Pick<LtiRegistration, 'id'>, scopes: readonly string[]): string =>
    `${registration.id} ${scopes.toSorted().join(' ')}`;

  const ask = async (
    registration: Pick<LtiRegistration, 'clientId' | 'tokenUrl' | 'tokenAudience'>,
    scopes: readonly string[],
  ): Promise<{ token: string; until: number }> => {
    if (registration.tokenUrl === null)
      throw new NoServiceToken('The platform names no token address.', { refused: true });
    const second = Math.floor(clock.now().getTime() / 1000);
    const assertion = await keys.sign({
      iss: registration.clientId,
      sub: registration.clientId,
      aud: registration.tokenAudience ?? registration.tokenUrl,
      iat: second,
      exp: second + ASSERTION_SECONDS,
      jti: Buffer.from(random(16)).toString('base64url'),
    });
    const answer = await answered(
      outbound.fetch(registration.tokenUrl, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
          client_assertion: assertion,
          scope: scopes.join(' '),
        }).toString(),
        maxBytes: 64 * 1024,
      }),
    );
    const { status } = answer;
    let json: unknown;
    try {
      json = answer.json();
    } catch {
      json = undefined;
    }
    if (status !== 200) {
      const code = errorShape.safeParse(json).data?.error;
      throw new NoServiceToken(`The platform answered ${status}${code === undefined ? '' : `, ${code}`}.`, {
        status,
        refused:
          status >= 400 && status < 500 && ![408, 425, 429].includes(status) && !PASSING.includes(code ?? ''),
        waitSeconds: retryAfter(answer.headers.get('retry-after'), clock.now()),
      });
    }
    // A page of a proxy, or of maintenance.
    const read = answerShape.safeParse(json);
    if (!read.success)
      throw new NoServiceToken('The platform answered with no token.', { status, refused: false });
    // RFC 6749, section 5.1: without it, what was asked for was given.
    const given = read.data.scope?.split(' ');
    if (given !== undefined && !scopes.every((scope) => given.includes(scope)))
      throw new NoServiceToken('The platform gave less than was asked for.', { status, refused: true });
    return {
      token: read.data.access_token,
      until: second + (read.data.expires_in ?? USUAL_SECONDS) - EARLY_SECONDS,
    };
  };

  return {
    /** @throws NoServiceToken; OutboundError for an address that is not asked. */
    async get(
      registration: Pick<LtiRegistration, 'id' | 'clientId' | 'tokenUrl' | 'tokenAudience'>,
      scopes: readonly string[],
    ): Promise<string> {
      const key = keyOf(registration, scopes);
      const known = kept.get(key);
      if (known !== undefined && (known.until ?? Infinity) > clock.now().getTime() / 1000) return known.token;
      const asked = ask(registration, scopes);
      const entry = { token: asked.then(({ token }) => token), until: undefined as number | undefined };
      // Whoever asks hears of it below.
      entry.token.catch(() => undefined);
      if (kept.size >= MOST_KEPT) kept.delete(kept.keys().next().value!);
      kept.set(key, entry);
      try {
        entry.until = (await asked).until;
      } catch (error) {
        if (kept.get(key) === entry) kept.delete(key);
        throw error;
      }
      return entry.token;
    },

    /** After a 401: the platform has taken it back. */
    forget(registration: Pick<LtiRegistration, 'id'>, scopes: readonly string[]): void {
      kept.delete(keyOf(registration, scopes));
    },
  };
}

/** An address that is not asked is one thing, and one that does not answer another. */
async function answered(asked: Promise<OutboundResponse>): Promise<OutboundResponse> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof OutboundError && !error.isRefusal)
      throw new NoServiceToken(error.message, { refused: false });
    throw error;
  }
}
