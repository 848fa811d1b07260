import { z } from 'zod';
import type { Launch } from './launch.ts';
import { contextRolesOf, type ContextRole } from './roles.ts';

/* Members of a context, as a platform tells them (Names and Role Provisioning Services 2.0). */

export const rosterFailures = [
  'unreachable',
  'busy',
  'token',
  'refused',
  'foreign',
  'malformed',
  'ended',
] as const;
export type RosterFailure = (typeof rosterFailures)[number];

/** Learners of a context, whom a coordinator asked for. */
export interface LtiRoster {
  readonly id: string;
  readonly registrationId: string;
  readonly divisionCode: string;
  readonly contextTitle: string | null;
  readonly rosterContextId: string;
  /** Read each day. */
  readonly kept: boolean;
  readonly readAt: Date | null;
  readonly failure: RosterFailure | null;
  readonly failedAt: Date | null;
  readonly linked: number;
  readonly waiting: number;
  readonly gone: number;
}

/** A course on the platform that can be read. */
export interface LtiContext {
  readonly deploymentKey: string;
  readonly contextId: string;
  readonly contextTitle: string | null;
}

/** Whom an account is matched by, from a launch or a roster alike. */
export type Claimed = Pick<
  Launch,
  'subject' | 'names' | 'email' | 'emailVerified' | 'personSourcedId' | 'custom'
>;

export interface ReadMember {
  readonly claimed: Claimed;
  readonly roles: readonly ContextRole[];
  /** Inactive and deleted are gone alike. */
  readonly active: boolean;
}

const text = (most: number) => z.string().max(most).nullish();
const memberShape = z.looseObject({
  user_id: z.string().min(1).max(255),
  roles: z.array(z.unknown()).max(100).catch([]),
  status: z.string().nullish(),
  name: text(200),
  given_name: text(100),
  family_name: text(100),
  email: text(255),
  lis_person_sourcedid: text(255),
  message: z.unknown().optional(),
});
export const containerShape = z.looseObject({ members: z.array(z.unknown()).max(10_000) });

/** undefined: it is not one. */
export function readMember(given: unknown): ReadMember | undefined {
  const read = memberShape.safeParse(given);
  if (!read.success) return undefined;
  const { data } = read;
  const told = (value: string | null | undefined): string => (value ?? '').replaceAll('\0', '').trim();
  const [whole, family, first] = [told(data.name), told(data.family_name), told(data.given_name)];
  const or = (value: string | null | undefined): string | undefined => {
    const said = told(value);
    // A variable that the platform does not know comes as it stood there.
    return said === '' || said.startsWith('$') ? undefined : said;
  };
  return {
    claimed: {
      subject: data.user_id,
      names: [...new Set([whole, `${family}${first}`, `${first}${family}`].filter((name) => name !== ''))],
      email: or(data.email),
      emailVerified: undefined,
      personSourcedId: or(data.lis_person_sourcedid),
      custom: customOf(data.message),
    },
    roles: contextRolesOf(data.roles),
    active: data.status === null || data.status === undefined || data.status === 'Active',
  };
}

/** What a launch of the link would bring (section 3.2), where the link was named. */
function customOf(messages: unknown): Readonly<Record<string, string>> {
  if (!Array.isArray(messages)) return {};
  for (const message of messages as unknown[]) {
    const custom =
      typeof message === 'object' && message !== null
        ? (message as Record<string, unknown>)['https://purl.imsglobal.org/spec/lti/claim/custom']
        : undefined;
    if (typeof custom === 'object' && custom !== null)
      return Object.fromEntries(
        Object.entries(custom)
          .slice(0, 100)
          .filter(
            (entry): entry is [string, string] =>
              typeof entry[1] === 'string' &&
              entry[1] !== '' &&
              !entry[1].startsWith('$') &&
              entry[1].length <= 255,
          ),
      );
  }
  return {};
}

/** Links of a Link header by their relation (RFC 8288); the first of each. */
export function readLinks(header: string | null): ReadonlyMap<string, string> {
  const links = new Map<string, string>();
  for (const [, url, parameters] of (header ?? '').matchAll(/<([^>]*)>((?:\s*;[^,<]*)*)/g)) {
    const relations = /;\s*rel\s*=\s*(?:"([^"]*)"|([^\s;,]+))/i.exec(parameters!);
    for (const relation of (relations?.[1] ?? relations?.[2] ?? '').toLowerCase().split(/\s+/))
      if (relation !== '' && !links.has(relation)) links.set(relation, url!);
  }
  return links;
}
