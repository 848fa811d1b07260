/** How a session came: a way in of the sample county, an issuer's word (OpenID Connect), or a launch from a learning platform. */
export const sessionWays = ['sample', 'oidc', 'lti'] as const;
export type SessionWay = (typeof sessionWays)[number];

export interface Session {
  readonly id: string;
  readonly personId: string;
  readonly way: SessionWay;
  /** Who vouched for the person, where somebody did. */
  readonly issuer: string | null;
  readonly createdAt: Date;
  /** Up to a minute old. */
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

/** By which scanners for secrets know one. */
export const SESSION_PREFIX = 'xqs_';
/** A working day: long enough for a course in one evening, short enough for a phone left on a desk. */
export const SESSION_HOURS = 12;
/** A page that a launch opened has its session renewed while it is there, for so long. */
export const LAUNCHED_DAYS = 7;
/** Whoever has not asked for anything for so long has left. */
export const IDLE_HOURS = 2;
