import { z } from 'zod';
import { platformOfFamily, type Platform } from './platforms.ts';
import { LaunchRefused } from './refused.ts';
import type { PersonClaim } from './registration.ts';

/* Dynamic registration (1EdTech LTI Dynamic Registration 1.0): what a platform says of itself, and what we say of ourselves. */

const PLATFORM = 'https://purl.imsglobal.org/spec/lti-platform-configuration';
const TOOL = 'https://purl.imsglobal.org/spec/lti-tool-configuration';

/** What the services ask for that come after a launch: grades, rosters. */
export const serviceScopes = [
  'https://purl.imsglobal.org/spec/lti-ags/scope/lineitem',
  'https://purl.imsglobal.org/spec/lti-ags/scope/score',
  'https://purl.imsglobal.org/spec/lti-ags/scope/result.readonly',
  'https://purl.imsglobal.org/spec/lti-nrps/scope/contextmembership.readonly',
] as const;

const url = z.string().min(1).max(2_000);
/** Section 3.4, as far as it is used. */
const configurationShape = z.looseObject({
  issuer: z.string().min(1).max(500),
  authorization_endpoint: url,
  token_endpoint: url.optional(),
  jwks_uri: url,
  registration_endpoint: url,
  response_types_supported: z.array(z.string()).optional(),
  id_token_signing_alg_values_supported: z.array(z.string()).optional(),
  scopes_supported: z.array(z.string()).optional(),
  authorization_server: z.string().max(2_000).optional(),
  [PLATFORM]: z.looseObject({
    product_family_code: z.string().max(200).optional(),
    messages_supported: z.array(z.looseObject({ type: z.string() })).optional(),
  }),
});

export interface PlatformConfiguration {
  readonly issuer: string;
  readonly authUrl: string;
  readonly tokenUrl: string | null;
  readonly tokenAudience: string | null;
  readonly keySetUrl: string;
  readonly registrationUrl: string;
  readonly platform: Platform;
  /** Of ours, those that it offers. */
  readonly scopes: readonly string[];
}

/** @param at the address that it came from. @throws LaunchRefused */
export function readConfiguration(given: unknown, at: string): PlatformConfiguration {
  const read = configurationShape.safeParse(given);
  if (!read.success) throw new LaunchRefused('configuration-malformed', read.error.issues[0]?.path.join('.'));
  const { data } = read;
  const platform = platformOfFamily(data[PLATFORM].product_family_code);
  // Section 3.4, and OpenID Connect Discovery, section 4.3: else anybody could register as somebody else's platform.
  const here = new URL(at).origin;
  const issuer = URL.canParse(data.issuer) ? new URL(data.issuer) : undefined;
  const elsewhere = Object.hasOwn(platform.configuredAt, data.issuer)
    ? platform.configuredAt[data.issuer]!
    : [];
  if (
    issuer === undefined ||
    `${issuer.username}${issuer.password}${issuer.search}${issuer.hash}` !== '' ||
    (issuer.origin !== here && !elsewhere.includes(here))
  )
    throw new LaunchRefused('configuration-issuer');
  const lacks = (list: readonly string[] | undefined, value: string): boolean =>
    list !== undefined && !list.some((each) => each.split(' ').includes(value));
  if (lacks(data.response_types_supported, 'id_token'))
    throw new LaunchRefused('configuration-lacks', 'response_type id_token');
  if (lacks(data.id_token_signing_alg_values_supported, 'RS256'))
    throw new LaunchRefused('configuration-lacks', 'RS256');
  const messages = data[PLATFORM].messages_supported?.map(({ type }) => type);
  if (lacks(messages, 'LtiResourceLinkRequest'))
    throw new LaunchRefused('configuration-lacks', 'LtiResourceLinkRequest');
  return {
    issuer: data.issuer,
    authUrl: data.authorization_endpoint,
    tokenUrl: data.token_endpoint ?? null,
    tokenAudience: data.authorization_server ?? null,
    keySetUrl: data.jwks_uri,
    registrationUrl: data.registration_endpoint,
    platform,
    scopes:
      data.scopes_supported === undefined
        ? serviceScopes
        : serviceScopes.filter((scope) => data.scopes_supported!.includes(scope)),
  };
}

const NAME = { en: 'Xinqiao: helping students in distress', 'zh-CN': '心桥 · 学生心理关怀培训' };
const DESCRIPTION = {
  en: 'Courses, practised conversations and exams for teachers, with certificates.',
  'zh-CN': '面向教师的课程、模拟谈话与考试，合格后获得证书。',
};

/** What we ask to be registered as (section 3.5.2). @param origin our own, where browsers find us. */
export function registrationRequest(
  origin: string,
  {
    platform,
    scopes,
    personClaim,
    customParameter,
  }: {
    platform: Platform;
    scopes: readonly string[];
    personClaim: PersonClaim;
    customParameter: string | null;
  },
): Record<string, unknown> {
  const launch = `${origin}/lti/launch`;
  const message = (type: string) => ({
    type,
    target_link_uri: launch,
    label: NAME.en,
    'label#zh-CN': NAME['zh-CN'],
  });
  return {
    application_type: 'web',
    response_types: ['id_token'],
    grant_types: ['implicit', 'client_credentials'],
    initiate_login_uri: `${origin}/lti/login`,
    redirect_uris: [launch],
    client_name: NAME.en,
    'client_name#zh-CN': NAME['zh-CN'],
    client_uri: origin,
    jwks_uri: `${origin}/lti/jwks.json`,
    logo_uri: `${origin}/lti/logo.svg`,
    token_endpoint_auth_method: 'private_key_jwt',
    id_token_signed_response_alg: 'RS256',
    scope: scopes.join(' '),
    [TOOL]: {
      domain: new URL(origin).host,
      target_link_uri: launch,
      description: DESCRIPTION.en,
      'description#zh-CN': DESCRIPTION['zh-CN'],
      custom_parameters: customParameter === null ? {} : { [customParameter]: platform.staffNumberVariable },
      // No more of a person than finds them.
      claims: [
        'iss',
        'sub',
        'name',
        'given_name',
        'family_name',
        ...(personClaim === 'email' ? ['email', 'email_verified'] : []),
      ],
      messages: [
        message('LtiResourceLinkRequest'),
        {
          ...message('LtiDeepLinkingRequest'),
          ...(platform.linkPlacements.length === 0 ? {} : { placements: platform.linkPlacements }),
        },
      ],
      ...platform.privacyClaims[personClaim === 'email' ? 'nameAndEmail' : 'name'],
    },
  };
}

const responseShape = z.looseObject({
  client_id: z.string().min(1).max(255),
  [TOOL]: z.looseObject({ deployment_id: z.string().min(1).max(255).optional() }).optional(),
});

/** What the platform answered (section 3.6). @throws LaunchRefused */
export function readRegistered(given: unknown): { clientId: string; deploymentId: string | undefined } {
  const read = responseShape.safeParse(given);
  if (!read.success) throw new LaunchRefused('registration-malformed', read.error.issues[0]?.path.join('.'));
  return { clientId: read.data.client_id, deploymentId: read.data[TOOL]?.deployment_id };
}
