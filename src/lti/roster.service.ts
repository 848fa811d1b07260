import type { Clock } from '../clock.ts';
import { actingAs, inParts } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotFound } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { Log } from '../log.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Role } from '../people/role.ts';
import type { Cohort } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { RegionService } from '../regions/region.service.ts';
import type { LtiIdentity } from './identity.service.ts';
import { MEMBERSHIP_SCOPE, type PlatformService } from './platform-service.ts';
import type { LtiRegistration } from './registration.ts';
import { listRegistrations } from './registration.repository.ts';
import {
  endMembers,
  endMembersUnseen,
  findRoster,
  giveUpRoster,
  listContexts,
  listKeptRosters,
  listMemberPeople,
  listRosters,
  saveMember,
  saveRoster,
  settleRoster,
  takeRoster,
  type Readable,
} from './roster.repository.ts';
import {
  containerShape,
  readLinks,
  readMember,
  type LtiContext,
  type LtiRoster,
  type ReadMember,
  type RosterFailure,
} from './roster.ts';

/** Reads the members of a context. */
export const READ_ROSTER_TASK = 'read-lti-roster';
/** Each night: owes the reading of all that are kept. */
export const KEEP_ROSTERS_TASK = 'keep-lti-rosters';

const LEASE_MS = 15 * 60_000;
const MOST_PAGES = 500;
const MOST_MEMBERS = 50_000;
const MOST_PAGE_BYTES = 8 * 1024 * 1024;
const CONTAINER = 'application/vnd.ims.lti-nrps.v2.membershipcontainer+json';

type Read =
  | { readonly members: readonly ReadMember[]; readonly differencesUrl: string | null }
  | { readonly failure: RosterFailure };

/** The platform may do better in a while: the queue tries again. */
class TryAgain extends Error {
  override name = 'TryAgain';
}

export type LtiRosterService = ReturnType<typeof makeLtiRosterService>;

/** Members of contexts (Names and Role Provisioning Services 2.0): a coordinator asks for them, and they are read each day. */
export function makeLtiRosterService({
  db,
  clock,
  log,
  regions,
  programmes,
  identity,
  platformService,
}: {
  db: Database;
  clock: Clock;
  log: Log;
  regions: RegionService;
  programmes: ProgrammeService;
  identity: LtiIdentity;
  platformService: PlatformService;
}) {
  /** Those of a division's coordinators, as accounts are. */
  const linkable = async (viewer: Viewer, divisionCode: string): Promise<boolean> => {
    const division = await regions.findDivision(divisionCode);
    return division !== undefined && may(viewer, 'lti.link', division);
  };
  const owe = async (executor: Parameters<typeof insertDebt>[0], rosterId: string): Promise<void> =>
    insertDebt(executor, {
      task: READ_ROSTER_TASK,
      payload: { rosterId },
      key: `${READ_ROSTER_TASK}:${rosterId}`,
    });

  /** All pages from an address on. Each is the platform's own and of one place: its token goes nowhere else. */
  const readPages = async (registration: LtiRegistration, from: string): Promise<Read> => {
    const members: ReadMember[] = [];
    const asked = new Set<string>();
    let url: string | undefined = from;
    let differencesUrl: string | null = null;
    while (url !== undefined) {
      if (asked.has(url) || asked.size >= MOST_PAGES) return { failure: 'malformed' };
      asked.add(url);
      const answered = await platformService.ask(
        registration,
        MEMBERSHIP_SCOPE,
        url,
        { headers: { accept: CONTAINER }, maxBytes: MOST_PAGE_BYTES },
        { now: clock.now() },
      );
      if (answered.kind !== 'answer') return { failure: answered.failure };
      let json: unknown;
      try {
        json = answered.response.json();
      } catch {
        return { failure: 'malformed' };
      }
      const page = containerShape.safeParse(json);
      if (!page.success) return { failure: 'malformed' };
      // One that can't be read is nobody; those beside it are.
      members.push(...page.data.members.flatMap((each) => readMember(each) ?? []));
      if (members.length > MOST_MEMBERS) return { failure: 'malformed' };
      const links = readLinks(answered.response.headers.get('link'));
      const next = links.get('next');
      differencesUrl = links.get('differences') ?? differencesUrl;
      url = next === undefined ? undefined : new URL(next, url).href;
    }
    return {
      members,
      differencesUrl:
        differencesUrl !== null && platformService.isOwn(registration, differencesUrl)
          ? differencesUrl
          : null,
    };
  };

  /** All, or what is different where the platform keeps count of it. */
  const readMembers = async (
    roster: Readable,
  ): Promise<
    (Exclude<Read, { failure: RosterFailure }> & { whole: boolean }) | { failure: RosterFailure }
  > => {
    const { registration, membershipsUrl, differencesUrl, platformLinkId } = roster;
    if (!roster.open || membershipsUrl === null) return { failure: 'ended' };
    if (differencesUrl !== null) {
      const read = await readPages(registration, differencesUrl);
      if (!('failure' in read)) return { ...read, whole: false };
      // Its count may be gone, and all can be read still.
      if (read.failure !== 'refused' && read.failure !== 'malformed') return read;
    }
    const url = new URL(membershipsUrl);
    // Section 3.2: what a launch of a link would bring comes with it.
    if (registration.personClaim === 'custom' && platformLinkId !== null)
      url.searchParams.set('rlid', platformLinkId);
    const read = await readPages(registration, url.href);
    return 'failure' in read ? read : { ...read, whole: true };
  };

  const service = {
    /** Courses on a platform that can be read; for a registration that may be seen. None for whoever links no accounts there. */
    async listContexts(
      viewer: Viewer,
      registration: Pick<LtiRegistration, 'id' | 'divisionCode'>,
    ): Promise<LtiContext[]> {
      return (await linkable(viewer, registration.divisionCode))
        ? actingAs('gate', async () => listContexts(db, registration.id))
        : [];
    },

    async listOf(
      viewer: Viewer,
      registration: Pick<LtiRegistration, 'id' | 'divisionCode'>,
    ): Promise<LtiRoster[]> {
      return (await linkable(viewer, registration.divisionCode))
        ? actingAs('gate', async () => listRosters(db, registration.id))
        : [];
    },

    async find(viewer: Viewer, id: string): Promise<LtiRoster | undefined> {
      const roster = await actingAs('gate', async () => findRoster(db, id));
      return roster !== undefined && (await linkable(viewer, roster.divisionCode)) ? roster : undefined;
    },

    /**
     * Has a context's members read, now and each day. @throws NotFound for a registration that is not the viewer's, or a context that no
     * launch has named.
     */
    async ask(viewer: Viewer, input: { registrationId: string; contextId: string }): Promise<LtiRoster> {
      const [registration] = await listRegistrations(db, [input.registrationId]);
      if (
        registration === undefined ||
        registration.registrationEndedAt !== null ||
        !(await linkable(viewer, registration.divisionCode))
      )
        throw new NotFound('The registration');
      const division = (await regions.findDivision(registration.divisionCode))!;
      const id = await actingAs('gate', async () => {
        const context = (await listContexts(db, registration.id)).find(
          ({ contextId }) => contextId === input.contextId,
        );
        if (context === undefined) throw new NotFound('The context');
        return db.transaction().execute(async (tx) => {
          const at = clock.now();
          const rosterId = await saveRoster(tx, { ...context, by: viewer.personId, at });
          await insertJournalEntry(tx, {
            at,
            actor: `person:${viewer.personId}`,
            action: 'lti-roster.ask',
            subject: `lti-roster:${rosterId}`,
            units: [division],
          });
          await owe(tx, rosterId);
          return rosterId;
        });
      });
      return (await service.find(viewer, id))!;
    },

    /** It is read no more; who was in it stays known. @throws NotFound */
    async giveUp(viewer: Viewer, id: string): Promise<LtiRoster> {
      const roster = await service.find(viewer, id);
      if (roster === undefined) throw new NotFound('The roster');
      const division = (await regions.findDivision(roster.divisionCode))!;
      await actingAs('gate', async () =>
        db.transaction().execute(async (tx) => {
          await giveUpRoster(tx, id);
          await insertJournalEntry(tx, {
            at: clock.now(),
            actor: `person:${viewer.personId}`,
            action: 'lti-roster.give-up',
            subject: `lti-roster:${id}`,
            units: [division],
          });
        }),
      );
      return (await service.find(viewer, id))!;
    },

    /**
     * Assigns a certification to the learners of a context who hold a role in the registration's division today, as a cohort.
     * @throws NotFound; InvalidInput, as `assignCohort` does, and for a context where nobody is known yet.
     */
    async assign(
      viewer: Viewer,
      input: { rosterId: string; certificationId: string; role: Role; dueOn: string | null },
    ): Promise<{ cohort: Cohort; assigned: number; alreadyAssigned: number }> {
      const roster = await service.find(viewer, input.rosterId);
      if (roster === undefined) throw new NotFound('The roster');
      const among = await actingAs('gate', async () => listMemberPeople(db, roster.id));
      if (among.length === 0)
        throw new InvalidInput('input.rosterId', 'Nobody of it is known here yet: link its accounts first.');
      return programmes.assignCohort(viewer, {
        certificationId: input.certificationId,
        unit: { kind: 'division', code: roster.divisionCode },
        role: input.role,
        dueOn: input.dueOn,
        name: roster.contextTitle,
        among,
      });
    },

    /**
     * The worker's part: who is there is matched as launches are, and who is not known for sure waits for a coordinator.
     * @throws TryAgain, for the queue.
     */
    async read(rosterId: string): Promise<void> {
      const at = clock.now();
      const roster = await takeRoster(db, rosterId, { now: at, until: new Date(at.getTime() + LEASE_MS) });
      if (roster === undefined) return;
      const read = await readMembers(roster);
      if ('failure' in read) {
        const { failure } = read;
        await settleRoster(db, rosterId, {
          failure,
          failedAt: at,
          forgetDifferences: failure === 'malformed' || failure === 'refused',
        });
        log.warn({ roster: rosterId, failure }, 'the members of a context could not be read');
        if (failure === 'busy' || failure === 'unreachable') throw new TryAgain(failure);
        return;
      }
      const registrationId = roster.registration.id;
      // Whoever teaches there is none of ours to know.
      const learners = read.members.filter(({ active, roles }) => active && roles.includes('learner'));
      for (const { claimed } of learners) {
        const account = await identity.identify(roster.registration, claimed);
        await saveMember(db, { rosterId, accountId: account.id, at });
      }
      const there = new Set(learners.map(({ claimed }) => claimed.subject));
      await endMembers(db, {
        rosterId,
        registrationId,
        subjects: read.members.map(({ claimed }) => claimed.subject).filter((each) => !there.has(each)),
        at,
      });
      if (read.whole) await endMembersUnseen(db, { rosterId, before: at });
      await settleRoster(db, rosterId, { readAt: at, differencesUrl: read.differencesUrl });
    },

    /** The worker's part, each night. */
    async keep(): Promise<void> {
      for (const id of await listKeptRosters(db)) await owe(db, id);
    },
  };
  return inParts({ read: 'gate', keep: 'gate' }, service);
}
