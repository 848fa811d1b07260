/** By which claim a registration says who somebody is. */
export const personClaims = ['person_sourcedid', 'custom', 'email'] as const;
export type PersonClaim = (typeof personClaims)[number];

/** A platform that may send people here, as an issuer and a client_id name it together (LTI 1.3, section 3.1.3). */
export interface LtiRegistration {
  readonly id: string;
  /** Where its people work: nobody outside of it is found, and its coordinators decide what is doubtful. */
  readonly divisionCode: string;
  /** What people know it by. */
  readonly title: string;
  /** A key of `platforms.ts`. */
  readonly platform: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly authUrl: string;
  /** null: it offers no services. */
  readonly tokenUrl: string | null;
  /** `aud` of what asks for an access token, where that is not tokenUrl. */
  readonly tokenAudience: string | null;
  readonly keySetUrl: string;
  readonly frameOrigins: readonly string[];
  readonly personClaim: PersonClaim;
  readonly customParameter: string | null;
  readonly registrationWay: 'manual' | 'dynamic';
  readonly registeredAt: Date;
  readonly registrationEndedAt: Date | null;
}

export const deploymentStates = ['waiting', 'open', 'closed'] as const;
export type DeploymentState = (typeof deploymentStates)[number];

/** A place of a platform where the tool was put: a site, an account, a school. */
export interface LtiDeployment {
  readonly registrationId: string;
  readonly deploymentId: string;
  readonly state: DeploymentState;
  readonly createdAt: Date;
}

/** For an invitation to be used: an administrator may have to ask somebody. */
export const INVITATION_DAYS = 7;
/** Places that launches named and nobody has judged; a platform that goes on naming new ones is not listened to. */
export const MOST_WAITING_DEPLOYMENTS = 50;
/** More than a platform has names for. */
export const MOST_FRAME_ORIGINS = 20;
