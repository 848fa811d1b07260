import type { JWTPayload } from 'jose';
import { LaunchRefused } from './refused.ts';
import { contextRolesOf, type ContextRole } from './roles.ts';

/*
 * Reading an ID token whose signature is right: the claims in the order of the 1EdTech Security Framework 1.0, section 5.1.3 (its numbers
 * stand beside), then those of LTI 1.3, section 5.3.
 */

const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
const AGS = 'https://purl.imsglobal.org/spec/lti-ags/claim/endpoint';
const NRPS = 'https://purl.imsglobal.org/spec/lti-nrps/claim/namesroleservice';

/** Longer than any platform's, with custom parameters and all. */
export const MOST_TOKEN_CHARACTERS = 48 * 1024;
const MOST_TEXT = 1_000;
const MOST_ID = 255;

/** What a launch says, as far as it is used. */
export interface Launch {
  readonly subject: string;
  readonly deploymentId: string;
  readonly targetUrl: URL;
  readonly roles: readonly ContextRole[];
  readonly custom: Readonly<Record<string, string>>;
  /** `lis.person_sourcedid`. */
  readonly personSourcedId: string | undefined;
  readonly email: string | undefined;
  /** undefined: the platform does not say. */
  readonly emailVerified: boolean | undefined;
  readonly names: readonly string[];
  readonly link: ResourceLink;
  /** Where the platform wants people to return to; its origin is one that frames us. */
  readonly returnUrl: string | undefined;
}

/** Where something is linked on a platform, and the services it names there. */
export interface ResourceLink {
  readonly id: string;
  readonly title: string | null;
  readonly contextId: string | null;
  readonly contextTitle: string | null;
  readonly lineItemUrl: string | null;
  readonly lineItemsUrl: string | null;
  readonly gradeScopes: readonly string[];
  readonly membershipsUrl: string | null;
}

/** What a token has to be to be taken, from the registration and the login that it answers. */
export interface Expected {
  readonly issuer: string;
  readonly clientId: string;
  /** Of the nonce that was sent. */
  readonly nonce: string;
  readonly now: Date;
  readonly clockSkewSeconds: number;
}

/**
 * Who it is from, for whom, and when (Security Framework, section 5.1.3, steps 2 to 9; step 1, the signature, and step 6, its algorithm, have been
 * looked at). @throws LaunchRefused; `nonce-unknown` for any nonce but the login's own.
 */
export function checkToken(claims: JWTPayload, expected: Expected): void {
  const now = Math.floor(expected.now.getTime() / 1000);
  // 2. Exactly the issuer that the login was for: another platform with the same client_id is another platform.
  if (claims.iss !== expected.issuer) throw new LaunchRefused('issuer-wrong');
  // 3. A string or a list; we trust no other audience, but a list that names others beside us says by azp to whom it was issued.
  const audiences = (Array.isArray(claims.aud) ? claims.aud : [claims.aud]) as unknown[];
  if (!audiences.includes(expected.clientId)) throw new LaunchRefused('audience-wrong');
  // 4. Of several audiences one is told to be meant.
  const party = claims['azp'];
  if (audiences.length > 1 && party === undefined) throw new LaunchRefused('party-missing');
  // 5. And that one is us.
  if (party !== undefined && party !== expected.clientId) throw new LaunchRefused('party-wrong');
  // 7.
  if (typeof claims.exp !== 'number') throw new LaunchRefused('expiry-missing');
  if (claims.exp + expected.clockSkewSeconds <= now) throw new LaunchRefused('expired');
  // 8.
  if (typeof claims.iat !== 'number') throw new LaunchRefused('issued-missing');
  if (claims.iat > now + expected.clockSkewSeconds) throw new LaunchRefused('issued-in-future');
  // RFC 7519, section 4.1.5.
  if (claims.nbf !== undefined && !(claims.nbf <= now + expected.clockSkewSeconds))
    throw new LaunchRefused('not-yet-valid');
  // 9. That of this login, which is taken once: no other token can ever bring it.
  const nonce = claims['nonce'];
  if (typeof nonce !== 'string' || nonce === '') throw new LaunchRefused('nonce-missing');
  if (nonce !== expected.nonce) throw new LaunchRefused('nonce-unknown');
}

/**
 * What it says (LTI 1.3, section 5.3).
 * @param origin our own. @throws LaunchRefused
 */
export function readLaunch(claims: JWTPayload, origin: string): Launch {
  // 5.3.1
  if (claims[`${CLAIM}message_type`] !== 'LtiResourceLinkRequest') throw new LaunchRefused('message-type');
  // 5.3.2
  if (claims[`${CLAIM}version`] !== '1.3.0') throw new LaunchRefused('version-wrong');
  // 5.3.3: whether it is one of the platform's is looked up by the caller.
  const deploymentId = textOf(claims[`${CLAIM}deployment_id`], MOST_ID);
  if (deploymentId === undefined) throw new LaunchRefused('deployment-missing');
  // 5.3.4: what the token says counts, since nobody signed what the login said.
  const target = claims[`${CLAIM}target_link_uri`];
  if (typeof target !== 'string') throw new LaunchRefused('target-missing');
  const targetUrl = ownUrl(target, origin);
  if (targetUrl === undefined) throw new LaunchRefused('target-foreign');
  // 5.3.5
  const link = objectOf(claims[`${CLAIM}resource_link`]);
  const linkId = textOf(link['id'], MOST_ID);
  if (linkId === undefined) throw new LaunchRefused('resource-link-missing');
  // 5.3.6: nobody can learn without a name.
  const subject = textOf(claims.sub, MOST_ID);
  if (subject === undefined) throw new LaunchRefused('subject-missing');
  // 5.3.7: the list may be empty, and is there.
  const roles = claims[`${CLAIM}roles`];
  if (!Array.isArray(roles)) throw new LaunchRefused('roles-missing');

  const context = objectOf(claims[`${CLAIM}context`]);
  const grades = objectOf(claims[AGS]);
  const memberships = objectOf(claims[NRPS]);
  const presentation = objectOf(claims[`${CLAIM}launch_presentation`]);
  return {
    subject,
    deploymentId,
    targetUrl,
    roles: contextRolesOf(roles.slice(0, 100)),
    custom: customOf(claims[`${CLAIM}custom`]),
    personSourcedId: substituted(objectOf(claims[`${CLAIM}lis`])['person_sourcedid']),
    email: textOf(claims['email'], MOST_ID),
    emailVerified: typeof claims['email_verified'] === 'boolean' ? claims['email_verified'] : undefined,
    names: namesOf(claims),
    link: {
      id: linkId,
      title: cut(link['title']),
      contextId: textOf(context['id'], MOST_ID) ?? null,
      contextTitle: cut(context['title']),
      lineItemUrl: urlOf(grades['lineitem']),
      lineItemsUrl: urlOf(grades['lineitems']),
      gradeScopes: Array.isArray(grades['scope'])
        ? grades['scope'].filter((each): each is string => typeof each === 'string').slice(0, 20)
        : [],
      membershipsUrl: urlOf(memberships['context_memberships_url']),
    },
    returnUrl: urlOf(presentation['return_url']) ?? undefined,
  };
}

/** An address of our own host, read as a browser reads it; undefined for any other. */
export function ownUrl(text: string, origin: string): URL | undefined {
  if (text.length > 2_000 || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.origin === origin && url.username === '' && url.password === '' ? url : undefined;
}

/** What a launch wants to be opened: by custom parameters, which a deep link writes, or else by its address. */
export function wantedOf({ custom, targetUrl }: Pick<Launch, 'custom' | 'targetUrl'>): {
  course: string | undefined;
  /** Of which module the link is; what opens of it is `activity`. */
  module: string | undefined;
  activity: string | undefined;
  /** Whether each module of the course has a line item of its own. */
  moduleColumns: boolean;
} {
  const wanted = (name: string): string | undefined => {
    const value = custom[`xinqiao_${name}`] ?? targetUrl.searchParams.get(name) ?? undefined;
    return value !== undefined && /^[a-z0-9][a-z0-9-]{0,63}$/.test(value) ? value : undefined;
  };
  const course = wanted('course');
  const within = (name: string): string | undefined => (course === undefined ? undefined : wanted(name));
  return {
    course,
    module: within('module'),
    activity: within('activity'),
    moduleColumns: within('columns') === 'modules',
  };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
}

/** A text that is one, is not empty and not longer than can be; undefined otherwise. */
function textOf(value: unknown, most: number): string | undefined {
  if (typeof value !== 'string') return undefined;
  // PostgreSQL keeps no U+0000.
  const text = value.trim();
  return text === '' || text.length > most || text.includes('\0') ? undefined : text;
}

/** A title may be as long as it likes; nobody reads that much of it. */
function cut(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== ''
    ? [...value.replaceAll('\0', '').trim()].slice(0, 200).join('')
    : null;
}

function urlOf(value: unknown): string | null {
  return typeof value === 'string' &&
    value.length <= 2_000 &&
    URL.canParse(value) &&
    /^https?:$/.test(new URL(value).protocol)
    ? value
    : null;
}

/** A variable that the platform does not know comes as it stood there (LTI 1.3, section 5.4.6.1). */
function substituted(value: unknown): string | undefined {
  const text = textOf(value, MOST_ID);
  return text === undefined || text.startsWith('$') ? undefined : text;
}

function customOf(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(objectOf(value))
      .slice(0, 100)
      .flatMap(([name, each]) => {
        const text = substituted(typeof each === 'number' ? String(each) : each);
        return text === undefined || text.length > MOST_TEXT ? [] : [[name, text]];
      }),
  );
}

/** However the platform puts a name together. */
function namesOf(claims: JWTPayload): string[] {
  const part = (name: string): string => textOf(claims[name], 100) ?? '';
  const [whole, family, given] = [part('name'), part('family_name'), part('given_name')];
  return [...new Set([whole, `${family}${given}`, `${given}${family}`].filter((name) => name !== ''))];
}
