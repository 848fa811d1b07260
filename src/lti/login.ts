import { hashSecret } from '../access/access-token.ts';
import type { Seal } from '../people/sealing.ts';
import { LaunchRefused } from './refused.ts';

/** Time to sign in at the platform, where one was signed out there. */
export const LOGIN_MINUTES = 10;
/** Platforms are web servers, which take addresses of 8 kB. */
const MOST_URL = 7_500;
const ABOUT = 'lti-login';

/** What a platform begins a login with (Security Framework, section 5.1.1.1), each once. */
export interface Initiation {
  readonly iss: string;
  readonly login_hint: string;
  readonly target_link_uri: string;
  readonly lti_message_hint?: string;
  readonly lti_deployment_id?: string;
  readonly client_id?: string;
  /** The frame of the platform's page that keeps what a cookie can't (LTI Client Side postMessages 1.0). */
  readonly lti_storage_target?: string;
}

/** One that is awaited back. */
export interface Login {
  readonly registrationId: string;
  /** SHA-256 of what the browser has to show. */
  readonly browserHash: Buffer;
  readonly nonce: string;
  readonly expiresAt: Date;
  /** undefined where it was too long to be carried along. */
  readonly initiation: Initiation | undefined;
}

/** What a state holds, in this order. */
type Held = [id: string, browser: string, nonce: string, until: number, initiation?: Initiation];

/**
 * The `state` of OpenID Connect: the login itself, encrypted and authenticated, so that nothing is kept of one that nobody comes back from.
 * @param initiation is left out where the state would be longer than `room` characters.
 */
export function sealState(seal: Seal, login: Login, room: number): string {
  const held: Held = [
    login.registrationId,
    login.browserHash.toString('base64url'),
    login.nonce,
    login.expiresAt.getTime(),
  ];
  const text = (value: readonly unknown[]): string =>
    seal.seal(JSON.stringify(value), ABOUT).toString('base64url');
  const whole = text([...held, login.initiation]);
  return whole.length <= room ? whole : text(held);
}

/** @throws LaunchRefused state-unknown for one that is not ours, state-expired. */
export function openState(seal: Seal, state: string, now: Date): Login {
  let held: Held;
  try {
    held = JSON.parse(seal.open(Buffer.from(state, 'base64url'), ABOUT).toString()) as Held;
  } catch {
    throw new LaunchRefused('state-unknown');
  }
  const [registrationId, browser, nonce, until, initiation] = held;
  if (until <= now.getTime()) throw new LaunchRefused('state-expired');
  return {
    registrationId,
    browserHash: Buffer.from(browser, 'base64url'),
    nonce,
    expiresAt: new Date(until),
    initiation,
  };
}

/**
 * Where a login goes on at the platform (section 5.1.1.2).
 * @returns also its state.
 */
export function authorizationUrl(
  seal: Seal,
  to: { readonly authUrl: string; readonly clientId: string; readonly redirectUri: string },
  login: Login & { readonly initiation: Initiation },
): { url: string; state: string } {
  const { login_hint: hint, lti_message_hint: messageHint } = login.initiation;
  const url = new URL(to.authUrl);
  for (const [name, value] of Object.entries({
    scope: 'openid',
    response_type: 'id_token',
    response_mode: 'form_post',
    prompt: 'none',
    client_id: to.clientId,
    redirect_uri: to.redirectUri,
    login_hint: hint,
    ...(messageHint === undefined ? {} : { lti_message_hint: messageHint }),
    nonce: login.nonce,
  }))
    url.searchParams.set(name, value);
  const state = sealState(seal, login, MOST_URL - url.href.length - '&state='.length);
  url.searchParams.set('state', state);
  return { url: url.href, state };
}

/** Whether the browser that came is the one that began it. */
export function isOfBrowser(login: Login, secret: string): boolean {
  return login.browserHash.equals(hashSecret(secret));
}
