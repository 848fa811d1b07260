import { compactVerify, decodeProtectedHeader, type JWTPayload } from 'jose';
import { hashSecret } from '../access/access-token.ts';
import type { SessionService } from '../access/session.service.ts';
import type { Clock } from '../clock.ts';
import { inPart, soon } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { Conflict } from '../errors.ts';
import type { Outbound } from '../network/outbound.ts';
import type { Seal } from '../people/sealing.ts';
import { findStanding, type Standing } from './account.repository.ts';
import { arrive, deleteArrivals, takenArrival } from './arrival.repository.ts';
import { framesOf, isCovered, originOf } from './frames.ts';
import type { LtiIdentity } from './identity.service.ts';
import { makeKeySets } from './key-set.ts';
import { isDeepLinking, readDeepLinking, type DeepLinking } from './deep-link.ts';
import { checkToken, MOST_TOKEN_CHARACTERS, ownUrl, readLaunch, wantedOf } from './launch.ts';
import {
  deleteLogins,
  findLogin,
  findNonce,
  insertLogin,
  takeLogin,
  type Login,
} from './login.repository.ts';
import { platformOf } from './platforms.ts';
import { LaunchRefused } from './refused.ts';
import type { LtiRegistration } from './registration.ts';
import type { LtiSelectionService } from './selection.service.ts';
import type { CourseVersion } from '../courses/course.ts';
import { addFrameOrigin, listFraming, noteDeployment } from './registration.repository.ts';

/** What is left of logins and arrivals that nobody came back from. */
export const FORGET_LOGINS_TASK = 'forget-lti-logins';
/** Time to sign in at the platform, where one was signed out there. */
export const LOGIN_MINUTES = 10;
/** For a page to come up on a slow line and ask for its session. */
const ARRIVAL_SECONDS = 120;
const MOST_PARAMETER = 8_000;
/** Origins that frame us are asked for with each page of the content; they change with a registration. */
const FRAMES_MS = 30_000;

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

export interface BegunLogin {
  /** At the platform. */
  readonly url: string;
  readonly state: string;
  /** What the browser has to bring back with the state. */
  readonly secret: string;
  readonly storage: Storage | undefined;
  readonly frames: readonly string[];
}

/** Where a platform's page keeps something for us, under a key that belongs to the state. */
export interface Storage {
  readonly frame: string;
  readonly origin: string;
  readonly key: string;
}

export type Received =
  /** It is right: the page asks for its session with the code. */
  | { readonly kind: 'arrived'; readonly code: string; readonly frames: readonly string[] }
  /** No cookie came. Either the platform's page has kept what is missing, or it is begun again in a window of its own. */
  | {
      readonly kind: 'unbound';
      readonly storage: Storage | undefined;
      readonly again: string;
      readonly registrationId: string;
      readonly frames: readonly string[];
    }
  /** An instructor is to choose what is linked. */
  | {
      readonly kind: 'choosing';
      readonly code: string;
      readonly courses: readonly CourseVersion[];
      readonly asked: DeepLinking;
      readonly frames: readonly string[];
    }
  /** Who it is has to be said by a coordinator first. */
  | { readonly kind: 'waiting'; readonly accountId: string; readonly frames: readonly string[] };

export type LtiLaunchService = ReturnType<typeof makeLtiLaunchService>;

/**
 * Launches of learning platforms: OpenID Connect as LTI 1.3 has it, from the login to a session of the person. Its own steps do not wait for the
 * disk (`soon`): whoever is in the middle of one when the database crashes opens the course once more. Who somebody is does wait.
 */
export function makeLtiLaunchService({
  db,
  clock,
  random,
  publicUrl,
  seal,
  outbound,
  identity,
  sessions,
  selections,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  /** Of what is kept of a login. */
  seal: Seal;
  outbound: Outbound;
  identity: LtiIdentity;
  sessions: SessionService;
  selections: LtiSelectionService;
}) {
  const keySets = makeKeySets({ outbound, clock });
  const secretText = (): string => Buffer.from(random(32)).toString('base64url');
  let framing: { readonly sources: readonly string[]; readonly until: number } | undefined;

  const storageOf = (
    registration: LtiRegistration,
    frame: string | undefined,
    state: string,
  ): Storage | undefined => {
    const origin = originOf(registration.authUrl);
    return frame === undefined || origin === undefined
      ? undefined
      : { frame, origin, key: `lti_state_${state}` };
  };
  const initiationOf = (login: Login): Initiation =>
    JSON.parse(seal.open(login.sealed, 'lti-login').toString()) as Initiation;

  /** Why there is no login that could be taken; each kind of wrong has its reason, for the log alone. */
  const refuseState = async (stateHash: Buffer, browserHash: Buffer): Promise<never> => {
    const login = await findLogin(db, stateHash);
    if (login === undefined) throw new LaunchRefused('state-unknown');
    if (login.usedAt !== null) throw new LaunchRefused('state-used');
    if (login.expiresAt <= clock.now()) throw new LaunchRefused('state-expired');
    if (!login.browserHash.equals(browserHash)) throw new LaunchRefused('state-other-browser');
    // Somebody else took it between the two looks.
    throw new LaunchRefused('state-used');
  };

  /** Security Framework, section 5.1.3. @throws LaunchRefused */
  const verify = async (login: Login, token: string): Promise<JWTPayload> => {
    const { registration } = login;
    if (token.length > MOST_TOKEN_CHARACTERS) throw new LaunchRefused('token-oversized');
    if (!/^[\w-]+\.[\w-]+\.[\w-]*$/.test(token)) throw new LaunchRefused('token-malformed');
    let header: ReturnType<typeof decodeProtectedHeader>;
    try {
      header = decodeProtectedHeader(token);
    } catch {
      throw new LaunchRefused('token-malformed');
    }
    // Step 6, first since a signature can't be looked at without: RS256, so that neither `none` nor a shared secret is one.
    if (header.alg !== 'RS256') throw new LaunchRefused('algorithm-refused');
    // Step 1: by a key of the platform's own set, and no other.
    const key = await keySets.keyOf(registration.keySetUrl, { ...header, alg: 'RS256' });
    let claims: unknown;
    try {
      const { payload } = await compactVerify(token, key, { algorithms: ['RS256'] });
      claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
    } catch (error) {
      throw new LaunchRefused(
        (error as { code?: unknown }).code === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED'
          ? 'signature-wrong'
          : 'token-malformed',
      );
    }
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
      throw new LaunchRefused('token-malformed');
    const payload = claims as JWTPayload;
    try {
      // Steps 2 to 5 and 7 to 9.
      checkToken(payload, {
        issuer: registration.issuer,
        clientId: registration.clientId,
        nonceHash: login.nonceHash,
        now: clock.now(),
        clockSkewSeconds: platformOf(registration.platform).clockSkewSeconds,
      });
    } catch (error) {
      if (!(error instanceof LaunchRefused) || error.reason !== 'nonce-unknown') throw error;
      // One that another login sent and that came back with it is a token that is shown twice.
      const other = await findNonce(db, hashSecret(payload['nonce'] as string));
      throw other?.used === true ? new LaunchRefused('nonce-used') : error;
    }
    return payload;
  };

  /** In a deployment that is open; one that nobody has named before is noted. @throws LaunchRefused */
  const standingWith = async (
    registration: LtiRegistration,
    deploymentId: string,
    standing: () => Promise<Standing>,
  ): Promise<Standing> => {
    let found = await standing();
    if (found.deployment === undefined) {
      await noteDeployment(db, {
        registrationId: registration.id,
        deploymentId,
        opensFirst: platformOf(registration.platform).opensFirstDeployment,
        at: clock.now(),
      });
      found = await standing();
    }
    if (found.deployment?.state !== 'open')
      throw new LaunchRefused(
        found.deployment?.state === 'closed' ? 'deployment-closed' : 'deployment-unknown',
        `registration ${registration.id}`,
      );
    return found;
  };

  const service = {
    /**
     * A platform sends somebody to us, who is sent back to it (Security Framework, section 5.1.1).
     * @throws LaunchRefused
     */
    async begin(initiation: Initiation): Promise<BegunLogin> {
      if (Object.values(initiation).some((value: string) => value.length > MOST_PARAMETER))
        throw new LaunchRefused('login-oversized');
      // What is not ours is never gone to; what is opened in the end is said by the token.
      if (ownUrl(initiation.target_link_uri, publicUrl) === undefined)
        throw new LaunchRefused('target-foreign');
      const [state, secret, nonce] = [secretText(), secretText(), secretText()];
      const meant = {
        issuer: initiation.iss,
        clientId: initiation.client_id ?? null,
        deploymentId: initiation.lti_deployment_id ?? null,
      };
      const found = await soon(async () =>
        insertLogin(db, meant, {
          stateHash: hashSecret(state),
          browserHash: hashSecret(secret),
          nonceHash: hashSecret(nonce),
          sealed: seal.seal(JSON.stringify(initiation), 'lti-login'),
          expiresAt: new Date(clock.now().getTime() + LOGIN_MINUTES * 60_000),
        }),
      );
      const [registration] = found;
      if (registration === undefined) throw new LaunchRefused('issuer-unknown');
      if (found.length > 1) throw new LaunchRefused('issuer-ambiguous');
      // Section 5.1.1.2.
      const url = new URL(registration.authUrl);
      for (const [name, value] of Object.entries({
        scope: 'openid',
        response_type: 'id_token',
        response_mode: 'form_post',
        prompt: 'none',
        client_id: registration.clientId,
        redirect_uri: `${publicUrl}/lti/launch`,
        login_hint: initiation.login_hint,
        ...(initiation.lti_message_hint === undefined
          ? {}
          : { lti_message_hint: initiation.lti_message_hint }),
        state,
        nonce,
      }))
        url.searchParams.set(name, value);
      return {
        url: url.href,
        state,
        secret,
        storage: storageOf(registration, initiation.lti_storage_target, state),
        frames: framesOf(registration),
      };
    },

    /**
     * The platform sends somebody back with a token.
     * @param form the parameters, each once. @param secret what the browser has kept, by cookie or in the platform's page; undefined: nothing.
     * @throws LaunchRefused
     */
    async receive(
      form: Readonly<Partial<Record<'state' | 'id_token' | 'error', string>>>,
      secret: string | undefined,
    ): Promise<Received> {
      // Section 5.1.1.5: the platform itself says no.
      if (form.state === undefined) throw new LaunchRefused('state-missing');
      const stateHash = hashSecret(form.state);
      if (secret === undefined) {
        const login = await findLogin(db, stateHash);
        if (login === undefined || login.usedAt !== null || login.expiresAt <= clock.now())
          return refuseState(stateHash, Buffer.alloc(0));
        const { lti_storage_target: frame, ...initiation } = initiationOf(login);
        return {
          kind: 'unbound',
          storage: storageOf(login.registration, frame, form.state),
          again: `${publicUrl}/lti/login?${new URLSearchParams(initiation).toString()}`,
          registrationId: login.registration.id,
          frames: framesOf(login.registration),
        };
      }
      const browserHash = hashSecret(secret);
      const login = await soon(async () => takeLogin(db, { stateHash, browserHash, now: clock.now() }));
      if (login === undefined) return refuseState(stateHash, browserHash);
      const { registration } = login;
      if (form.error !== undefined) throw new LaunchRefused('platform-error');
      if (form.id_token === undefined) throw new LaunchRefused('token-missing');
      const claims = await verify(login, form.id_token);
      if (isDeepLinking(claims)) {
        const asked = readDeepLinking(claims, registration);
        await standingWith(registration, asked.deploymentId, async () =>
          findStanding(db, {
            registrationId: registration.id,
            deploymentId: asked.deploymentId,
            subject: '',
            course: null,
          }),
        );
        return {
          kind: 'choosing',
          ...(await selections.begin(registration, asked)),
          asked,
          frames: framesOf(registration),
        };
      }
      const launch = readLaunch(claims, publicUrl);

      const { course, module, activity, moduleColumns } = wantedOf(launch);
      const of = {
        registrationId: registration.id,
        deploymentId: launch.deploymentId,
        subject: launch.subject,
        course: course ?? null,
      };
      const code = secretText();
      const at = clock.now();
      const arrival = {
        link: launch.link,
        moduleKey: module ?? null,
        activityKey: activity ?? null,
        moduleColumns,
        roles: launch.roles,
        codeHash: hashSecret(code),
        at,
        expiresAt: new Date(at.getTime() + ARRIVAL_SECONDS * 1000),
      };
      const standing = async () => soon(async () => arrive(db, of, arrival));
      const found = await standingWith(registration, launch.deploymentId, standing);

      // Its page is about to show us in a frame.
      const returnOrigin = launch.returnUrl === undefined ? undefined : originOf(launch.returnUrl);
      const frames = framesOf(registration);
      if (returnOrigin !== undefined && !isCovered(returnOrigin, frames)) {
        await addFrameOrigin(db, registration.id, returnOrigin);
        framing = undefined;
        frames.push(returnOrigin);
      }

      if (found.account?.state === 'refused') throw new LaunchRefused('account-refused');
      if (found.account?.state !== 'linked') {
        const identified = await identity.identify(registration, launch);
        if (identified.refused) throw new LaunchRefused('account-refused');
        if (identified.personId === null) return { kind: 'waiting', accountId: identified.id, frames };
        await standing();
      }
      return { kind: 'arrived', code, frames };
    },

    /**
     * The launched page asks for its session, once.
     * @throws Conflict LAUNCH_OVER for a code that is unknown, used or too old, all alike.
     */
    async redeem(code: string): Promise<{
      token: string;
      expiresAt: Date;
      assignmentId: string | null;
      activityKey: string | null;
      missingCourse: string | null;
    }> {
      const opened = await soon(async () =>
        sessions.openFor(takenArrival(hashSecret(code), clock.now()), 'lti'),
      );
      if (opened === undefined)
        throw new Conflict('LAUNCH_OVER', 'This launch is over: open the course once more on the platform.');
      const { token, expiresAt, row } = opened;
      return {
        token,
        expiresAt,
        assignmentId: row.assignment_id,
        activityKey: row.activity_key,
        missingCourse: row.missing_course,
      };
    },

    /** Sources that may frame us, of all platforms; up to half a minute old. */
    async listFrames(): Promise<readonly string[]> {
      const now = clock.now().getTime();
      if (framing === undefined || framing.until <= now)
        framing = {
          sources: [...new Set((await listFraming(db)).flatMap(framesOf))],
          until: now + FRAMES_MS,
        };
      return framing.sources;
    },

    /** The worker's part. */
    async forget(): Promise<void> {
      const now = clock.now();
      // A while longer, so that the log can tell one that was too late from one that never was.
      await deleteLogins(db, new Date(now.getTime() - 60 * 60_000));
      await deleteArrivals(db, now);
      await selections.forget();
    },
  };
  return inPart('gate', service);
}
