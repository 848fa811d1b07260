import { verify as verifySignature } from 'node:crypto';
import { decodeProtectedHeader, type JWTPayload } from 'jose';
import { hashSecret } from '../access/access-token.ts';
import type { SessionService } from '../access/session.service.ts';
import type { Clock } from '../clock.ts';
import type { CourseVersion } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Language } from '../courses/language.ts';
import { inPart, soon } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import type { Outbound } from '../network/outbound.ts';
import type { Seal } from '../people/sealing.ts';
import { findStanding, toStanding, type Standing } from './account.repository.ts';
import { arrival } from './arrival.repository.ts';
import { isDeepLinking, readDeepLinking, type DeepLinking } from './deep-link.ts';
import { framesOf, isCovered, originOf } from './frames.ts';
import type { LtiIdentity } from './identity.service.ts';
import { makeKeySets } from './key-set.ts';
import { checkToken, MOST_TOKEN_CHARACTERS, ownUrl, readLaunch, wantedOf } from './launch.ts';
import {
  authorizationUrl,
  isOfBrowser,
  LOGIN_MINUTES,
  openState,
  type Initiation,
  type Login,
} from './login.ts';
import { deleteNonces, isNonceUsed, useNonce, type NonceUse } from './nonce.repository.ts';
import { platformOf } from './platforms.ts';
import { LaunchRefused } from './refused.ts';
import { addFrameOrigin, listFraming, noteDeployment, type Known } from './registration.repository.ts';
import type { LtiRegistration } from './registration.ts';
import type { KnownRegistrations } from './registrations.ts';
import type { LtiSelectionService } from './selection.service.ts';

/** Nonces of logins that are over. */
export const FORGET_LOGINS_TASK = 'forget-lti-logins';
const MOST_PARAMETER = 8_000;
/** How often a launch looks at its registration, where that is changed again and again. */
const MOST_TURNS = 3;
/** Origins that frame us are asked for with each page of the content; they change with a registration. */
const FRAMES_MS = 30_000;

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
  /** It is right: for the page alone, which keeps the token in its memory. */
  | {
      readonly kind: 'arrived';
      readonly token: string;
      readonly assignmentId: string | null;
      readonly activityKey: string | null;
      /** The title of the course that the link names, where the person has no assignment of it. */
      readonly missingCourse: Readonly<Record<Language, string>> | null;
      readonly frames: readonly string[];
    }
  /** No cookie came. Either the platform's page has kept what is missing, or it is begun again in a window of its own. */
  | {
      readonly kind: 'unbound';
      readonly storage: Storage | undefined;
      /** undefined: only from the platform’s own page. */
      readonly again: string | undefined;
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
  courses,
  registrations,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  /** Of the state of a login. */
  seal: Seal;
  outbound: Outbound;
  identity: LtiIdentity;
  sessions: SessionService;
  selections: LtiSelectionService;
  courses: CourseService;
  registrations: KnownRegistrations;
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
      : { frame, origin, key: `lti_state_${hashSecret(state).toString('hex').slice(0, 32)}` };
  };
  const useOf = (login: Login): NonceUse => ({
    nonceHash: hashSecret(login.nonce),
    launch: Buffer.from(random(32)),
    expiresAt: login.expiresAt,
  });
  const registrationOf = async (login: Login): Promise<Known> => {
    const known = await registrations.find(login.registrationId);
    if (known === undefined) throw new LaunchRefused('issuer-unknown');
    return known;
  };

  /** Security Framework, section 5.1.3. @throws LaunchRefused */
  const verify = async (login: Login, registration: LtiRegistration, token: string): Promise<JWTPayload> => {
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
    // Extensions that have to be understood (RFC 7515, section 4.1.11): there are none that we do.
    if (header.crit !== undefined) throw new LaunchRefused('token-malformed', 'crit');
    // Step 1: by a key of the platform's own set, and no other.
    const key = await keySets.keyOf(registration.keySetUrl, { ...header, alg: 'RS256' });
    const [head, body, signature] = token.split('.') as [string, string, string];
    // Here and now: another thread would be waited for longer than it takes.
    if (
      !verifySignature('RSA-SHA256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64url'))
    )
      throw new LaunchRefused('signature-wrong');
    let claims: unknown;
    try {
      claims = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(body, 'base64url')));
    } catch {
      throw new LaunchRefused('token-malformed');
    }
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims))
      throw new LaunchRefused('token-malformed');
    const payload = claims as JWTPayload;
    try {
      // Steps 2 to 5 and 7 to 9.
      checkToken(payload, {
        issuer: registration.issuer,
        clientId: registration.clientId,
        nonce: login.nonce,
        now: clock.now(),
        clockSkewSeconds: platformOf(registration.platform).clockSkewSeconds,
      });
    } catch (error) {
      if (!(error instanceof LaunchRefused) || error.reason !== 'nonce-unknown') throw error;
      // One that another login sent and that came back with it is a token that is shown twice.
      throw (await isNonceUsed(db, hashSecret(payload['nonce'] as string)))
        ? new LaunchRefused('nonce-used')
        : error;
    }
    return payload;
  };

  /** In a deployment that is open; one that nobody has named before is noted. @throws LaunchRefused */
  const inDeployment = async <Found extends { readonly standing: Standing }>(
    registration: LtiRegistration,
    deploymentId: string,
    find: () => Promise<Found>,
  ): Promise<Found> => {
    let found = await find();
    if (found.standing.deployment === undefined) {
      await noteDeployment(db, {
        registrationId: registration.id,
        deploymentId,
        opensFirst: platformOf(registration.platform).opensFirstDeployment,
        at: clock.now(),
      });
      found = await find();
    }
    const state = found.standing.deployment?.state;
    if (state !== 'open')
      throw new LaunchRefused(
        state === 'closed' ? 'deployment-closed' : 'deployment-unknown',
        `registration ${registration.id}`,
      );
    return found;
  };

  /** An instructor who is to choose. */
  const choose = async (login: Login, known: Known, claims: JWTPayload): Promise<Received> => {
    const { registration } = known;
    const asked = readDeepLinking(claims, registration);
    if (!(await registrations.isCurrent(known))) throw new LaunchRefused('registration-changed');
    if (!(await useNonce(db, useOf(login)))) throw new LaunchRefused('state-used');
    await inDeployment(registration, asked.deploymentId, async () => ({
      standing: await findStanding(db, {
        registrationId: registration.id,
        deploymentId: asked.deploymentId,
        subject: '',
        course: null,
      }),
    }));
    return {
      kind: 'choosing',
      ...(await selections.begin(registration, asked)),
      asked,
      frames: framesOf(registration),
    };
  };

  /** A learner, by a token that is right. */
  const arrive = async (
    login: Login,
    { registration, version }: Known,
    claims: JWTPayload,
  ): Promise<Received> => {
    const launch = readLaunch(claims, publicUrl);
    const { course, module, activity, moduleColumns } = wantedOf(launch);
    const of = {
      registrationId: registration.id,
      deploymentId: launch.deploymentId,
      subject: launch.subject,
      course: course ?? null,
    };
    const given = {
      version,
      nonce: useOf(login),
      link: launch.link,
      moduleKey: module ?? null,
      activityKey: activity ?? null,
      moduleColumns,
      roles: launch.roles,
      at: clock.now(),
    };
    const look = async () =>
      soon(async () => {
        const opened = await sessions.openFor(arrival(of, given), 'lti');
        if (!opened.row.current) throw new LaunchRefused('registration-changed');
        if (!opened.row.unused) throw new LaunchRefused('state-used');
        return { opened, standing: toStanding(opened.row) };
      });
    let found = await look();
    if (found.standing.deployment?.state !== 'open')
      found = await inDeployment(registration, launch.deploymentId, look);

    const frames = framesOf(registration);
    const { account } = found.standing;
    if (account?.state === 'refused') throw new LaunchRefused('account-refused');
    const identified =
      account?.state === 'linked' ? undefined : await identity.identify(registration, launch);
    if (identified?.refused === true) throw new LaunchRefused('account-refused');
    if (typeof identified?.personId === 'string') found = await look();

    // Its page is about to show us in a frame.
    const returnOrigin = launch.returnUrl === undefined ? undefined : originOf(launch.returnUrl);
    if (returnOrigin !== undefined && !isCovered(returnOrigin, frames)) {
      await addFrameOrigin(db, registration.id, returnOrigin);
      registrations.forget();
      framing = undefined;
      frames.push(returnOrigin);
    }
    if (identified?.personId === null) return { kind: 'waiting', accountId: identified.id, frames };
    const { token, row } = found.opened;
    // A coordinator was at the account in this very moment: there is no session.
    if (row.person_id === null) throw new LaunchRefused('account-changed');
    const missing = row.assignment_id === null ? course : undefined;
    return {
      kind: 'arrived',
      token,
      assignmentId: row.assignment_id,
      activityKey: row.assignment_id === null ? null : (activity ?? null),
      missingCourse: missing === undefined ? null : await titleOf(missing),
      frames,
    };
  };
  const titleOf = async (slug: string): Promise<Readonly<Record<Language, string>>> =>
    (await courses.findCurrent(db, slug))?.manifest.title ?? { 'zh-CN': slug, en: slug };

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
      const found = await registrations.meant({
        issuer: initiation.iss,
        clientId: initiation.client_id ?? null,
        deploymentId: initiation.lti_deployment_id ?? null,
      });
      const [known] = found;
      if (known === undefined) throw new LaunchRefused('issuer-unknown');
      if (found.length > 1) throw new LaunchRefused('issuer-ambiguous');
      const { registration } = known;
      const secret = secretText();
      const { url, state } = authorizationUrl(
        seal,
        {
          authUrl: registration.authUrl,
          clientId: registration.clientId,
          redirectUri: `${publicUrl}/lti/launch`,
        },
        {
          registrationId: registration.id,
          browserHash: hashSecret(secret),
          nonce: secretText(),
          expiresAt: new Date(clock.now().getTime() + LOGIN_MINUTES * 60_000),
          initiation,
        },
      );
      return {
        url,
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
      const login = openState(seal, form.state, clock.now());
      if (secret === undefined) {
        if (await isNonceUsed(db, hashSecret(login.nonce))) throw new LaunchRefused('state-used');
        const { registration } = await registrationOf(login);
        const { lti_storage_target: frame, ...initiation } = login.initiation ?? {};
        return {
          kind: 'unbound',
          storage: storageOf(registration, frame, form.state),
          again:
            login.initiation === undefined
              ? undefined
              : `${publicUrl}/lti/login?${new URLSearchParams(initiation).toString()}`,
          registrationId: registration.id,
          frames: framesOf(registration),
        };
      }
      if (!isOfBrowser(login, secret)) throw new LaunchRefused('state-other-browser');
      if (form.error !== undefined) throw new LaunchRefused('platform-error');
      if (form.id_token === undefined) throw new LaunchRefused('token-missing');
      for (let turn = 1; ; turn += 1) {
        const known = await registrationOf(login);
        try {
          const claims = await verify(login, known.registration, form.id_token);
          return await (isDeepLinking(claims) ? choose : arrive)(login, known, claims);
        } catch (error) {
          // What is wrong by the registration at hand may be right by what it is now.
          if (
            !(error instanceof LaunchRefused) ||
            turn === MOST_TURNS ||
            (await registrations.isCurrent(known))
          )
            throw error;
          registrations.forget();
        }
      }
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
      // A while longer, so that the clocks of two services may differ.
      await deleteNonces(db, new Date(now.getTime() - 60 * 60_000));
      await selections.forget();
    },
  };
  return inPart('gate', service);
}
