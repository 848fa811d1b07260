import type { Clock } from '../clock.ts';
import { inPart } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { hashSecret } from '../access/access-token.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { OutboundError, type Outbound } from '../network/outbound.ts';
import type { RegionService } from '../regions/region.service.ts';
import { readConfiguration, readRegistered, registrationRequest } from './configuration.ts';
import { LaunchRefused, type LaunchReason } from './refused.ts';
import {
  closeInvitation,
  findInvitationState,
  giveInvitationBack,
  insertRegistration,
  saveDeployment,
  takeInvitation,
  type Invitation,
} from './registration.repository.ts';
import type { KnownRegistrations } from './registrations.ts';

/** Of a platform's configuration, and of what it answers to a registration. */
const MOST_BYTES = 256 * 1024;
const TIMEOUT_MS = 10_000;

export type LtiInvitationService = ReturnType<typeof makeLtiInvitationService>;

/** A platform registers itself (LTI Dynamic Registration 1.0), with an invitation that an operator gave its administrator. */
export function makeLtiInvitationService({
  db,
  clock,
  publicUrl,
  regions,
  outbound,
  registrations,
}: {
  db: Database;
  clock: Clock;
  publicUrl: string;
  regions: RegionService;
  outbound: Outbound;
  registrations: KnownRegistrations;
}) {
  const ask = async (
    reason: LaunchReason,
    url: string,
    request: Parameters<Outbound['fetch']>[1],
  ): Promise<unknown> => {
    try {
      const answer = await outbound.fetch(url, {
        ...request,
        timeoutMs: TIMEOUT_MS,
        maxBytes: MOST_BYTES,
        types: ['application/json'],
      });
      if (answer.status < 200 || answer.status > 299)
        throw new LaunchRefused(reason, `status ${answer.status}`);
      return answer.json();
    } catch (error) {
      if (error instanceof LaunchRefused) throw error;
      throw new LaunchRefused(
        reason,
        error instanceof OutboundError ? error.code : error instanceof Error ? error.name : undefined,
      );
    }
  };

  const registerBy = async (
    invitation: Invitation,
    { configurationUrl, token }: { configurationUrl: string; token: string | undefined },
  ): Promise<{ id: string; title: string }> => {
    // Section 3.3: where the platform says what it is.
    let at: URL;
    try {
      at = outbound.check(configurationUrl);
    } catch (error) {
      throw new LaunchRefused('configuration-url', error instanceof OutboundError ? error.code : undefined);
    }
    // Section 3.5.1: the platform's own token, where it gave one. Canvas asks for it with its configuration already.
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const configuration = readConfiguration(
      await ask('configuration-unreachable', at.href, {
        headers: { accept: 'application/json', ...authorization },
      }),
      at.href,
    );
    // What is asked later, for years, is judged before it is kept.
    for (const url of [
      configuration.authUrl,
      configuration.keySetUrl,
      configuration.registrationUrl,
      ...(configuration.tokenUrl === null ? [] : [configuration.tokenUrl]),
    ]) {
      try {
        outbound.check(url);
      } catch (error) {
        throw new LaunchRefused(
          'configuration-address',
          error instanceof OutboundError ? error.code : undefined,
        );
      }
    }
    const { personClaim, customParameter } = invitation;
    const registered = readRegistered(
      await ask('registration-failed', configuration.registrationUrl, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          accept: 'application/json',
          ...authorization,
        },
        body: JSON.stringify(
          registrationRequest(publicUrl, {
            platform: configuration.platform,
            scopes: configuration.scopes,
            personClaim,
            customParameter,
          }),
        ),
      }),
    );
    const now = clock.now();
    const division = (await regions.findDivision(invitation.divisionCode))!;
    return registrations.change(async (tx) => {
      const id = await insertRegistration(tx, {
        divisionCode: invitation.divisionCode,
        title: invitation.title,
        platform: configuration.platform.key,
        issuer: configuration.issuer,
        clientId: registered.clientId,
        authUrl: configuration.authUrl,
        tokenUrl: configuration.tokenUrl,
        tokenAudience: configuration.tokenAudience,
        keySetUrl: configuration.keySetUrl,
        frameOrigins: [],
        personClaim,
        customParameter,
        registrationWay: 'dynamic',
        registeredBy: invitation.invitedBy,
        registeredAt: now,
      });
      if (id === undefined) throw new LaunchRefused('registration-taken');
      if (registered.deploymentId !== undefined)
        await saveDeployment(tx, {
          registrationId: id,
          deploymentId: registered.deploymentId,
          state: 'open',
          at: now,
        });
      await closeInvitation(tx, invitation.id, id);
      await insertJournalEntry(tx, {
        at: now,
        actor: 'worker:lti',
        action: 'lti-registration.add',
        subject: `lti-registration:${id}`,
        detail: { way: 'dynamic', platform: configuration.platform.key, invitation: invitation.id },
        units: [division],
      });
      return { id, title: invitation.title };
    });
  };

  const service = {
    /**
     * @param given.invitation of the address, `configurationUrl` and `token` as the platform added them.
     * @throws LaunchRefused; the invitation then is good for another try, unless it was itself what is wrong.
     */
    async accept(given: {
      invitation: string;
      configurationUrl: string;
      token: string | undefined;
    }): Promise<{ id: string; title: string }> {
      const tokenHash = hashSecret(given.invitation);
      const invitation = await takeInvitation(db, tokenHash, clock.now());
      if (invitation === undefined)
        throw new LaunchRefused(`invitation-${await findInvitationState(db, tokenHash)}`);
      try {
        return await registerBy(invitation, given);
      } catch (error) {
        await giveInvitationBack(db, invitation.id);
        throw error;
      }
    },
  };
  return inPart('gate', service);
}
