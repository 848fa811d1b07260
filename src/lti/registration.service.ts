import type { Clock } from '../clock.ts';
import type { Database } from '../db/database.ts';
import { Conflict, InvalidInput, NotFound } from '../errors.ts';
import { hashSecret } from '../access/access-token.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import { OutboundError, type Outbound } from '../network/outbound.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Division } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import { originOf } from './frames.ts';
import { SEND_GRADES_TASK } from './grade.service.ts';
import { platformKeys } from './platforms.ts';
import {
  INVITATION_DAYS,
  MOST_FRAME_ORIGINS,
  type DeploymentState,
  type LtiDeployment,
  type LtiRegistration,
  type PersonClaim,
} from './registration.ts';
import {
  endRegistration,
  insertInvitation,
  insertRegistration,
  listDeployments,
  listRegistrations,
  listRegistrationsOf,
  saveDeployment,
  updateRegistration,
} from './registration.repository.ts';
import type { KnownRegistrations } from './registrations.ts';

const DAY_MS = 24 * 3_600_000;
/** What decides where grades go, and whether they may. */
const ADDRESSES = ['authUrl', 'tokenUrl', 'tokenAudience', 'keySetUrl', 'frameOrigins'];

export interface RegistrationInput {
  readonly title: string;
  readonly authUrl: string;
  readonly tokenUrl: string | null;
  readonly tokenAudience: string | null;
  readonly keySetUrl: string;
  readonly frameOrigins: readonly string[];
  readonly personClaim: PersonClaim;
  readonly customParameter: string | null;
}

export type LtiRegistrationService = ReturnType<typeof makeLtiRegistrationService>;

/** Which platforms send people here. Operators register and end them; coordinators see those of their divisions. */
export function makeLtiRegistrationService({
  db,
  clock,
  random,
  publicUrl,
  regions,
  outbound,
  registrations,
}: {
  db: Database;
  clock: Clock;
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  regions: RegionService;
  outbound: Outbound;
  registrations: KnownRegistrations;
}) {
  const divisionOf = async (viewer: Viewer, code: string): Promise<Division> => {
    const division = await regions.findDivision(code);
    if (division === undefined || !may(viewer, 'lti.register', division))
      throw new NotFound(`Division ${code}`);
    return division;
  };
  const isSeen = async (viewer: Viewer, { divisionCode }: LtiRegistration): Promise<boolean> => {
    const division = (await regions.findDivision(divisionCode))!;
    return may(viewer, 'lti.register', division) || may(viewer, 'lti.link', division);
  };
  const find = async (viewer: Viewer, id: string): Promise<LtiRegistration | undefined> => {
    const [registration] = await listRegistrations(db, [id]);
    return registration !== undefined && (await isSeen(viewer, registration)) ? registration : undefined;
  };
  /** One that the viewer manages, in force. */
  const managed = async (
    viewer: Viewer,
    id: string,
  ): Promise<{ registration: LtiRegistration; division: Division }> => {
    const [registration] = await listRegistrations(db, [id]);
    const division =
      registration === undefined ? undefined : await regions.findDivision(registration.divisionCode);
    if (registration === undefined || division === undefined || !may(viewer, 'lti.register', division))
      throw new NotFound('The registration');
    if (registration.registrationEndedAt !== null)
      throw new Conflict('REGISTRATION_ENDED', 'This registration has ended: register the platform again.');
    return { registration, division };
  };

  const checkUrl = (path: string, url: string): string => {
    try {
      if (url.length > 2_000) throw new OutboundError('URL_REFUSED', 'It is too long.');
      outbound.check(url);
      return url;
    } catch (error) {
      if (!(error instanceof OutboundError)) throw error;
      throw new InvalidInput(path, error.message);
    }
  };
  const checkWho = ({
    personClaim,
    customParameter,
  }: Pick<RegistrationInput, 'personClaim' | 'customParameter'>): void => {
    if ((personClaim === 'custom') !== (customParameter !== null))
      throw new InvalidInput(
        'input.customParameter',
        'Name it where people are found by a custom parameter, and only there.',
      );
    if (customParameter !== null && !/^\w[\w.-]{0,99}$/.test(customParameter))
      throw new InvalidInput('input.customParameter', 'Use letters, digits, _, . and -, 100 at most.');
  };
  const checkTitle = (title: string): string => {
    const plain = title.trim();
    if (plain === '' || plain.length > 100) throw new InvalidInput('input.name', 'From 1 to 100 characters.');
    return plain;
  };
  const checked = (given: RegistrationInput): RegistrationInput => {
    checkWho(given);
    const frameOrigins = [...new Set(given.frameOrigins)];
    if (frameOrigins.length > MOST_FRAME_ORIGINS)
      throw new InvalidInput('input.frameOrigins', `At most ${MOST_FRAME_ORIGINS}.`);
    const wrong = frameOrigins.find((origin) => originOf(origin) !== origin);
    if (wrong !== undefined)
      throw new InvalidInput('input.frameOrigins', 'Give origins, such as https://lms.school.example.');
    if (given.tokenAudience !== null && (given.tokenAudience === '' || given.tokenAudience.length > 2_000))
      throw new InvalidInput('input.tokenAudience', 'From 1 to 2000 characters.');
    return {
      ...given,
      title: checkTitle(given.title),
      authUrl: checkUrl('input.authUrl', given.authUrl),
      tokenUrl: given.tokenUrl === null ? null : checkUrl('input.tokenUrl', given.tokenUrl),
      keySetUrl: checkUrl('input.keySetUrl', given.keySetUrl),
      frameOrigins,
    };
  };
  const checkDeployment = (path: string, deploymentId: string): string => {
    const id = deploymentId.trim();
    if (id === '' || id.length > 255 || id.includes('\0'))
      throw new InvalidInput(path, 'From 1 to 255 characters.');
    return id;
  };

  return {
    /** Of the division and all below it. undefined for one that is not the viewer's. */
    async listOf(viewer: Viewer, divisionCode: string): Promise<LtiRegistration[] | undefined> {
      const division = await regions.findDivision(divisionCode);
      return division !== undefined &&
        (may(viewer, 'lti.register', division) || may(viewer, 'lti.link', division))
        ? listRegistrationsOf(db, divisionCode)
        : undefined;
    },
    find,
    /** For those that may be seen. */
    listDeployments: async (ids: readonly string[]): Promise<LtiDeployment[]> => listDeployments(db, ids),

    /**
     * By hand, with what the platform's administrator reads off.
     * @throws NotFound for a division that is not the viewer's; InvalidInput, also for an address that the service does not ask;
     * Conflict REGISTERED where the issuer has this client_id already.
     */
    async register(
      viewer: Viewer,
      input: RegistrationInput & {
        divisionCode: string;
        platform: string;
        issuer: string;
        clientId: string;
        deploymentIds: readonly string[];
      },
    ): Promise<LtiRegistration> {
      const division = await divisionOf(viewer, input.divisionCode);
      const given = checked(input);
      if (!platformKeys.includes(input.platform))
        throw new InvalidInput('input.platform', `One of ${platformKeys.join(', ')}.`);
      const [issuer, clientId] = [input.issuer.trim(), input.clientId.trim()];
      if (!/^\S{1,500}$/.test(issuer))
        throw new InvalidInput('input.issuer', 'As the platform writes it, without blanks.');
      if (!/^[\x20-\x7e]{1,255}$/.test(clientId))
        throw new InvalidInput('input.clientId', 'From 1 to 255 plain characters.');
      if (input.deploymentIds.length > 100) throw new InvalidInput('input.deploymentIds', 'At most 100.');
      const deployments = input.deploymentIds.map((id) => checkDeployment('input.deploymentIds', id));
      const at = clock.now();
      const id = await registrations.change(async (tx) => {
        const inserted = await insertRegistration(tx, {
          ...given,
          divisionCode: division.code,
          platform: input.platform,
          issuer,
          clientId,
          registrationWay: 'manual',
          registeredBy: viewer.personId,
          registeredAt: at,
        });
        if (inserted === undefined)
          throw new Conflict('REGISTERED', 'This issuer has a registration with this client_id already.');
        for (const deploymentId of deployments)
          await saveDeployment(tx, { registrationId: inserted, deploymentId, state: 'open', at });
        await insertJournalEntry(tx, {
          at,
          actor: `person:${viewer.personId}`,
          action: 'lti-registration.add',
          subject: `lti-registration:${inserted}`,
          detail: { way: 'manual', platform: input.platform },
          units: [division],
        });
        return inserted;
      });
      return (await listRegistrations(db, [id]))[0]!;
    },

    /** What is undefined stays. With other addresses, grades that did not get through are sent again. @throws as `register`. */
    async change(
      viewer: Viewer,
      id: string,
      input: { readonly [Name in keyof RegistrationInput]?: RegistrationInput[Name] | undefined },
    ): Promise<LtiRegistration> {
      const { registration, division } = await managed(viewer, id);
      const changed = Object.entries(input).filter(([, value]) => value !== undefined);
      if (changed.length === 0) throw new InvalidInput('input', 'Say what is to change.');
      const given = checked({ ...registration, ...Object.fromEntries(changed) });
      await registrations.change(async (tx) => {
        await updateRegistration(tx, id, given);
        if (changed.some(([name]) => ADDRESSES.includes(name)))
          await insertDebt(tx, {
            task: SEND_GRADES_TASK,
            payload: { registrationId: id },
            key: `${SEND_GRADES_TASK}:registration:${id}`,
          });
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'lti-registration.change',
          subject: `lti-registration:${id}`,
          detail: { changed: changed.map(([name]) => name) },
          units: [division],
        });
      });
      return (await listRegistrations(db, [id]))[0]!;
    },

    /** At once: nobody comes in by it, and sessions that came by its issuer are over. */
    async end(viewer: Viewer, id: string): Promise<LtiRegistration> {
      const { division } = await managed(viewer, id);
      const at = clock.now();
      await registrations.change(async (tx) => {
        if (!(await endRegistration(tx, id, { by: viewer.personId, at }))) return;
        await insertJournalEntry(tx, {
          at,
          actor: `person:${viewer.personId}`,
          action: 'lti-registration.end',
          subject: `lti-registration:${id}`,
          units: [division],
        });
      });
      return (await listRegistrations(db, [id]))[0]!;
    },

    /** Takes launches from a deployment, or no more; one that waits is decided so, and one that never came may be named before. */
    async setDeployment(
      viewer: Viewer,
      input: {
        registrationId: string;
        deploymentId: string;
        state: Exclude<DeploymentState, 'waiting'>;
      },
    ): Promise<LtiRegistration> {
      const { registration, division } = await managed(viewer, input.registrationId);
      const deploymentId = checkDeployment('input.deploymentId', input.deploymentId);
      const at = clock.now();
      await registrations.change(async (tx) => {
        await saveDeployment(tx, { registrationId: registration.id, deploymentId, state: input.state, at });
        await insertJournalEntry(tx, {
          at,
          actor: `person:${viewer.personId}`,
          action: 'lti-deployment.set',
          subject: `lti-registration:${registration.id}`,
          detail: { state: input.state },
          units: [division],
        });
      });
      return registration;
    },

    /**
     * An address with which a platform registers itself, once, within a week. Told this once: the service keeps its hash.
     * @throws NotFound for a division that is not the viewer's.
     */
    async invite(
      viewer: Viewer,
      input: {
        divisionCode: string;
        title: string;
        personClaim: PersonClaim;
        customParameter: string | null;
      },
    ): Promise<{ url: string; expiresAt: Date }> {
      const division = await divisionOf(viewer, input.divisionCode);
      checkWho(input);
      const title = checkTitle(input.title);
      const token = Buffer.from(random(32)).toString('base64url');
      const createdAt = clock.now();
      const expiresAt = new Date(createdAt.getTime() + INVITATION_DAYS * DAY_MS);
      await registrations.change(async (tx) => {
        const id = await insertInvitation(tx, {
          ...input,
          title,
          divisionCode: division.code,
          tokenHash: hashSecret(token),
          invitedBy: viewer.personId,
          createdAt,
          expiresAt,
        });
        await insertJournalEntry(tx, {
          at: createdAt,
          actor: `person:${viewer.personId}`,
          action: 'lti-invitation.make',
          subject: `lti-invitation:${id}`,
          units: [division],
        });
      });
      return { url: `${publicUrl}/lti/register/${token}`, expiresAt };
    },
  };
}
