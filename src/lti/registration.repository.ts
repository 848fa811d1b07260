import { sql } from 'kysely';
import type { Executor } from '../db/database.ts';
import { prepared } from '../db/prepared.ts';
import {
  MOST_FRAME_ORIGINS,
  MOST_WAITING_DEPLOYMENTS,
  type DeploymentState,
  type LtiDeployment,
  type LtiRegistration,
  type PersonClaim,
} from './registration.ts';

export interface RegistrationRow {
  id: string;
  division_code: string;
  name: string;
  platform: string;
  issuer: string;
  client_id: string;
  auth_url: string;
  token_url: string | null;
  token_audience: string | null;
  key_set_url: string;
  frame_origins: string[];
  person_claim: string;
  custom_parameter: string | null;
  way: string;
  registered_at: Date;
  ended_at: Date | null;
}

/** Of the table under the name `r`. */
export const registrationColumns = sql`r.id, r.division_code, r.name, r.platform, r.issuer, r.client_id, r.auth_url, r.token_url, r.token_audience,
  r.key_set_url, r.frame_origins, r.person_claim, r.custom_parameter, r.way, r.registered_at, r.ended_at`;

export function toRegistration(row: RegistrationRow): LtiRegistration {
  return {
    id: row.id,
    divisionCode: row.division_code,
    title: row.name,
    platform: row.platform,
    issuer: row.issuer,
    clientId: row.client_id,
    authUrl: row.auth_url,
    tokenUrl: row.token_url,
    tokenAudience: row.token_audience,
    keySetUrl: row.key_set_url,
    frameOrigins: row.frame_origins,
    personClaim: row.person_claim as PersonClaim,
    customParameter: row.custom_parameter,
    registrationWay: row.way as LtiRegistration['registrationWay'],
    registeredAt: row.registered_at,
    registrationEndedAt: row.ended_at,
  };
}

/** What a login says of whom it comes from. */
export interface Meant {
  readonly issuer: string;
  readonly clientId: string | null;
  readonly deploymentId: string | null;
}

/** A registration in force, and the version of its row: another one when anything of it has changed. */
export interface Known {
  readonly registration: LtiRegistration;
  readonly version: string;
}
/** Of the table under the name `r`. */
export const registrationVersion = sql<string>`r.xmin::text`;
const toKnown = (row: RegistrationRow & { version: string }): Known => ({
  registration: toRegistration(row),
  version: row.version,
});

/** Those in force that a login may mean: of the issuer, and of the client and the deployment where it names them. At most two. */
export async function listMeant(
  db: Executor,
  { issuer, clientId, deploymentId }: Meant,
): Promise<readonly Known[]> {
  const { rows } = await sql<RegistrationRow & { version: string }>`
    ${prepared} select ${registrationColumns}, ${registrationVersion} as version from lti_registrations r
    where r.issuer = ${issuer} and r.ended_at is null and (${clientId}::text is null or r.client_id = ${clientId}::text)
      and (${clientId}::text is not null or ${deploymentId}::text is null
        or exists (select from lti_deployments d where d.registration_id = r.id and d.deployment_id = ${deploymentId}::text))
    order by r.id limit 2`.execute(db);
  return rows.map(toKnown);
}

/** @returns one, or none where it has ended. */
export async function findKnown(db: Executor, id: string): Promise<readonly Known[]> {
  const { rows } = await sql<RegistrationRow & { version: string }>`
    ${prepared} select ${registrationColumns}, ${registrationVersion} as version from lti_registrations r
    where r.id = ${id}::bigint and r.ended_at is null`.execute(db);
  return rows.map(toKnown);
}

export async function listRegistrations(db: Executor, ids: readonly string[]): Promise<LtiRegistration[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<RegistrationRow>`
    select ${registrationColumns} from lti_registrations r where r.id = any(${ids}::bigint[]) order by r.id`.execute(
    db,
  );
  return rows.map(toRegistration);
}

/** Of a division and all below it, newest first, those that ended behind the others. */
export async function listRegistrationsOf(db: Executor, divisionCode: string): Promise<LtiRegistration[]> {
  const { rows } = await sql<RegistrationRow>`
    select ${registrationColumns} from lti_registrations r join divisions d on d.code = r.division_code
    where ${divisionCode} in (d.province_code, d.prefecture_code, d.county_code)
    order by r.ended_at is not null, r.id desc limit 500`.execute(db);
  return rows.map(toRegistration);
}

/** Whatever frames launches of anybody. */
export async function listFraming(
  db: Executor,
): Promise<Pick<LtiRegistration, 'platform' | 'issuer' | 'authUrl' | 'frameOrigins'>[]> {
  const rows = await db
    .selectFrom('lti_registrations')
    .select(['platform', 'issuer', 'auth_url', 'frame_origins'])
    .where('ended_at', 'is', null)
    .orderBy('id')
    .execute();
  return rows.map((row) => ({
    platform: row.platform,
    issuer: row.issuer,
    authUrl: row.auth_url,
    frameOrigins: row.frame_origins,
  }));
}

export type NewRegistration = Omit<LtiRegistration, 'id' | 'registrationEndedAt'> & {
  readonly registeredBy: string | null;
};

/** @returns undefined where one in force has this issuer and client_id. */
export async function insertRegistration(tx: Executor, given: NewRegistration): Promise<string | undefined> {
  const row = await tx
    .insertInto('lti_registrations')
    .values({
      division_code: given.divisionCode,
      name: given.title,
      platform: given.platform,
      issuer: given.issuer,
      client_id: given.clientId,
      auth_url: given.authUrl,
      token_url: given.tokenUrl,
      token_audience: given.tokenAudience,
      key_set_url: given.keySetUrl,
      frame_origins: [...given.frameOrigins],
      person_claim: given.personClaim,
      custom_parameter: given.customParameter,
      way: given.registrationWay,
      registered_by: given.registeredBy,
      registered_at: given.registeredAt,
    })
    .onConflict((conflict) =>
      conflict.columns(['issuer', 'client_id']).where('ended_at', 'is', null).doNothing(),
    )
    .returning('id')
    .executeTakeFirst();
  return row?.id;
}

export async function updateRegistration(
  tx: Executor,
  id: string,
  given: Pick<
    LtiRegistration,
    | 'title'
    | 'authUrl'
    | 'tokenUrl'
    | 'tokenAudience'
    | 'keySetUrl'
    | 'frameOrigins'
    | 'personClaim'
    | 'customParameter'
  >,
): Promise<void> {
  await tx
    .updateTable('lti_registrations')
    .set({
      name: given.title,
      auth_url: given.authUrl,
      token_url: given.tokenUrl,
      token_audience: given.tokenAudience,
      key_set_url: given.keySetUrl,
      frame_origins: [...given.frameOrigins],
      person_claim: given.personClaim,
      custom_parameter: given.customParameter,
    })
    .where('id', '=', id)
    .execute();
}

/** @returns whether it was still in force. */
export async function endRegistration(
  tx: Executor,
  id: string,
  { by, at }: { by: string; at: Date },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('lti_registrations')
    .set({ ended_by: by, ended_at: at })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Another origin that a signed launch came from. */
export async function addFrameOrigin(db: Executor, id: string, origin: string): Promise<void> {
  await sql`
    update lti_registrations set frame_origins = frame_origins || ${origin}::text
    where id = ${id}::bigint and not (frame_origins @> array[${origin}::text]) and cardinality(frame_origins) < ${MOST_FRAME_ORIGINS}::int`.execute(
    db,
  );
}

export async function listDeployments(
  db: Executor,
  registrationIds: readonly string[],
): Promise<LtiDeployment[]> {
  const rows = await db
    .selectFrom('lti_deployments')
    .select(['registration_id', 'deployment_id', 'state', 'created_at'])
    .where('registration_id', '=', sql<string>`any(${registrationIds}::bigint[])`)
    .orderBy('id')
    .limit(1_000)
    .execute();
  return rows.map((row) => ({
    registrationId: row.registration_id,
    deploymentId: row.deployment_id,
    state: row.state as DeploymentState,
    createdAt: row.created_at,
  }));
}

export async function saveDeployment(
  tx: Executor,
  given: { registrationId: string; deploymentId: string; state: DeploymentState; at: Date },
): Promise<void> {
  await sql`
    insert into lti_deployments (registration_id, deployment_id, state, created_at)
    values (${given.registrationId}::bigint, ${given.deploymentId}, ${given.state}, ${given.at})
    on conflict (registration_id, deployment_id) do update set state = excluded.state`.execute(tx);
}

/** One that a launch named. The first of all is opened where the platform is one that tells it to nobody before; the others wait. */
export async function noteDeployment(
  db: Executor,
  given: { registrationId: string; deploymentId: string; opensFirst: boolean; at: Date },
): Promise<void> {
  await sql`
    insert into lti_deployments (registration_id, deployment_id, state, created_at)
    select r.id, ${given.deploymentId},
      case when ${given.opensFirst} and not exists (select from lti_deployments d where d.registration_id = r.id) then 'open' else 'waiting' end, ${given.at}::timestamptz
    from lti_registrations r where r.id = ${given.registrationId}::bigint
      and (select count(*) from lti_deployments d where d.registration_id = r.id and d.state = 'waiting') < ${MOST_WAITING_DEPLOYMENTS}::int
    on conflict (registration_id, deployment_id) do nothing`.execute(db);
}

export interface Invitation {
  readonly id: string;
  readonly divisionCode: string;
  readonly title: string;
  readonly personClaim: PersonClaim;
  readonly customParameter: string | null;
  readonly invitedBy: string;
}

export async function insertInvitation(
  tx: Executor,
  given: Omit<Invitation, 'id'> & { tokenHash: Buffer; createdAt: Date; expiresAt: Date },
): Promise<string> {
  const { id } = await tx
    .insertInto('lti_invitations')
    .values({
      token_hash: given.tokenHash,
      division_code: given.divisionCode,
      name: given.title,
      person_claim: given.personClaim,
      custom_parameter: given.customParameter,
      invited_by: given.invitedBy,
      created_at: given.createdAt,
      expires_at: given.expiresAt,
    })
    .returning('id')
    .executeTakeFirstOrThrow();
  return id;
}

/** Takes it for whoever is first; the others find it taken. */
export async function takeInvitation(
  db: Executor,
  tokenHash: Buffer,
  now: Date,
): Promise<Invitation | undefined> {
  const row = await db
    .updateTable('lti_invitations')
    .set({ taken_at: now })
    .where('token_hash', '=', tokenHash)
    .where('taken_at', 'is', null)
    .where('expires_at', '>', now)
    .returning(['id', 'division_code', 'name', 'person_claim', 'custom_parameter', 'invited_by'])
    .executeTakeFirst();
  return row === undefined
    ? undefined
    : {
        id: row.id,
        divisionCode: row.division_code,
        title: row.name,
        personClaim: row.person_claim as PersonClaim,
        customParameter: row.custom_parameter,
        invitedBy: row.invited_by,
      };
}

/** What is wrong with one that could not be taken; for the log. */
export async function findInvitationState(
  db: Executor,
  tokenHash: Buffer,
): Promise<'unknown' | 'used' | 'expired'> {
  const row = await db
    .selectFrom('lti_invitations')
    .select('taken_at')
    .where('token_hash', '=', tokenHash)
    .executeTakeFirst();
  if (row === undefined) return 'unknown';
  return row.taken_at === null ? 'expired' : 'used';
}

/** Of a registration that came to nothing: it may be tried again. */
export async function giveInvitationBack(db: Executor, id: string): Promise<void> {
  await db
    .updateTable('lti_invitations')
    .set({ taken_at: null })
    .where('id', '=', id)
    .where('registration_id', 'is', null)
    .execute();
}

export async function closeInvitation(tx: Executor, id: string, registrationId: string): Promise<void> {
  await tx
    .updateTable('lti_invitations')
    .set({ registration_id: registrationId })
    .where('id', '=', id)
    .execute();
}
