import type { JWTPayload } from 'jose';
import type { CourseVersion } from '../courses/course.ts';
import type { Language } from '../courses/language.ts';
import { framesOf, isCovered, originOf } from './frames.ts';
import { LaunchRefused } from './refused.ts';
import type { LtiRegistration } from './registration.ts';
import { contextRolesOf } from './roles.ts';
import { SCORE_MAXIMUM } from './score.ts';

/* What an instructor links (Deep Linking 2.0). */

const CLAIM = 'https://purl.imsglobal.org/spec/lti/claim/';
const DL = 'https://purl.imsglobal.org/spec/lti-dl/claim/';
/** Longer than any platform's. */
const MOST_DATA = 16_000;
/** Of one answer: a form has to carry it. */
export const MOST_ITEMS = 50;

/** What a platform asks for, as far as it changes what is answered. */
export interface DeepLinking {
  readonly deploymentId: string;
  readonly returnUrl: string;
  /** More than one item may come. */
  readonly multiple: boolean;
  /** The platform puts what comes into the course at once, and asks no more. */
  readonly autoCreate: boolean;
  /** Line items are taken with them. */
  readonly lineItems: boolean;
  /** Targets that it shows, of ours; empty: it says nothing. */
  readonly targets: readonly ('iframe' | 'window')[];
  /** Goes back as it came. */
  readonly data: string | null;
}

export function isDeepLinking(claims: JWTPayload): boolean {
  return claims[`${CLAIM}message_type`] === 'LtiDeepLinkingRequest';
}

/** What it says (Deep Linking 2.0, section 4.4.1), of a token that is right. @throws LaunchRefused */
export function readDeepLinking(claims: JWTPayload, registration: LtiRegistration): DeepLinking {
  if (claims[`${CLAIM}version`] !== '1.3.0') throw new LaunchRefused('version-wrong');
  const deploymentId = claims[`${CLAIM}deployment_id`];
  if (typeof deploymentId !== 'string' || deploymentId === '' || deploymentId.length > 255)
    throw new LaunchRefused('deployment-missing');
  const roles = claims[`${CLAIM}roles`];
  if (!Array.isArray(roles)) throw new LaunchRefused('roles-missing');
  // Administrators may have no role in the context; a learner has that one and no other.
  const known = contextRolesOf(roles.slice(0, 100));
  if (known.length > 0 && known.every((role) => role === 'learner' || role === 'mentor'))
    throw new LaunchRefused('role-chooses-nothing');

  const settings = claims[`${DL}deep_linking_settings`];
  if (typeof settings !== 'object' || settings === null) throw new LaunchRefused('settings-missing');
  const said = settings as Readonly<Record<string, unknown>>;
  // 4.4.1.1: where the answer goes, with our signature: to the platform itself, and nowhere that a message names besides.
  const returnUrl = said['deep_link_return_url'];
  if (typeof returnUrl !== 'string' || returnUrl.length > 2_000) throw new LaunchRefused('return-missing');
  const origin = originOf(returnUrl);
  if (origin === undefined || !isCovered(origin, framesOf(registration)))
    throw new LaunchRefused('return-foreign');
  // 4.4.1.2
  const types = said['accept_types'];
  if (!Array.isArray(types) || !types.includes('ltiResourceLink')) throw new LaunchRefused('types-refused');
  const targets = Array.isArray(said['accept_presentation_document_targets'])
    ? (said['accept_presentation_document_targets'] as unknown[])
    : [];
  const { data } = said;
  if (data !== undefined && (typeof data !== 'string' || data.length > MOST_DATA))
    throw new LaunchRefused('data-wrong');
  return {
    deploymentId,
    returnUrl,
    // 4.4.1.6: where it does not say, one alone is safe.
    multiple: said['accept_multiple'] === true,
    autoCreate: said['auto_create'] === true,
    // Only a platform that says no takes none.
    lineItems: said['accept_lineitem'] !== false,
    targets: (['iframe', 'window'] as const).filter((target) => targets.includes(target)),
    data: data ?? null,
  };
}

/** What can be chosen: a course, or one of its modules. */
export interface Choice {
  readonly course: string;
  readonly module: string | null;
}

/** `course` or `course/module`, as the form has it. */
export function readChoice(text: string): Choice | undefined {
  const match = /^([a-z0-9][a-z0-9-]{0,63})(?:\/([a-z0-9][a-z0-9-]{0,63}))?$/.exec(text);
  return match === null ? undefined : { course: match[1]!, module: match[2] ?? null };
}

/** An item of the answer (section 3). undefined: there is no such course or module. */
export function itemOf(
  { course: slug, module: moduleKey }: Choice,
  {
    courses,
    asked,
    columns,
    language,
    launchUrl,
  }: {
    courses: readonly CourseVersion[];
    asked: DeepLinking;
    /** A line item for each module, beside the course's. */
    columns: boolean;
    language: Language;
    launchUrl: string;
  },
): Record<string, unknown> | undefined {
  const course = courses.find((each) => each.slug === slug);
  const module = course?.manifest.modules.find(({ key }) => key === moduleKey);
  if (course === undefined || (moduleKey !== null && module === undefined)) return undefined;
  const { manifest } = course;
  const title =
    module === undefined
      ? manifest.title[language]
      : `${manifest.title[language]} · ${module.title[language]}`;
  const [first] = module?.activities ?? [];
  return {
    type: 'ltiResourceLink',
    title,
    text: (module ?? manifest).summary[language],
    url: launchUrl,
    custom: {
      xinqiao_course: slug,
      ...(module === undefined ? {} : { xinqiao_module: module.key }),
      ...(first === undefined ? {} : { xinqiao_activity: first.key }),
      ...(columns && module === undefined && asked.lineItems ? { xinqiao_columns: 'modules' } : {}),
    },
    ...(asked.lineItems
      ? {
          lineItem: {
            label: title,
            scoreMaximum: SCORE_MAXIMUM,
            resourceId: module === undefined ? slug : `${slug}/${module.key}`,
            tag: module === undefined ? 'course' : 'module',
          },
        }
      : {}),
  };
}

/** What is signed in return (section 4.4.2). */
export function selectionClaims(
  asked: DeepLinking,
  items: readonly Record<string, unknown>[],
  { issuer, clientId, second, nonce }: { issuer: string; clientId: string; second: number; nonce: string },
): JWTPayload {
  return {
    iss: clientId,
    aud: issuer,
    iat: second,
    exp: second + 300,
    nonce,
    [`${CLAIM}message_type`]: 'LtiDeepLinkingResponse',
    [`${CLAIM}version`]: '1.3.0',
    [`${CLAIM}deployment_id`]: asked.deploymentId,
    [`${DL}content_items`]: items,
    ...(asked.data === null ? {} : { [`${DL}data`]: asked.data }),
  };
}
