import { addDays, chinaDay, type Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../errors.ts';
import { inParts } from '../db/acting.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { PeopleService } from '../people/people.service.ts';
import { isSelf, may, mayGive, type GrantRole, type Viewer } from '../people/permission.ts';
import type { Person } from '../people/person.ts';
import { NATION, type Place, type Scope, type Unit } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import {
  endGrant,
  findGrant,
  insertGrant,
  listGrantsIn,
  listGrantsOf,
  listNational,
  lockGrants,
  type GrantPage,
} from './grant.repository.ts';
import { grantStateOn, standsInFor, type GrantState, type RoleGrant } from './grant.ts';

const MOST_REASON = 200;
/** `npm run grant`, as the journal and the sources of people call it. */
const SHELL = 'command:grant';

/** What is given, whoever gives it. */
interface Given {
  readonly personId: string;
  readonly role: GrantRole;
  /** null: the nation. */
  readonly unit: Unit | null;
  /** null: today. */
  readonly startsOn: string | null;
  /** Last day, inclusive; null: until it is ended. */
  readonly endsOn: string | null;
  readonly reason: string;
}

export type GrantService = ReturnType<typeof makeGrantService>;

/** Who holds which role where, since when and why. */
export function makeGrantService({
  db,
  clock,
  regions,
  people,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  people: PeopleService;
}) {
  const today = (): string => chinaDay(clock.now());

  const mayRead = (viewer: Viewer, place: Place): boolean =>
    may(viewer, 'grant.read', place) || may(viewer, 'grant.give', place);
  const isVisible = (viewer: Viewer, grant: RoleGrant): boolean =>
    isSelf(viewer, grant.personId) || mayRead(viewer, grant.place);

  /** A giver reaches who works in the scope today or was given a role in it; who gives for the nation reaches everybody. */
  const reaches = async (viewer: Viewer, personId: string): Promise<boolean> => {
    if (may(viewer, 'grant.give', NATION)) return true;
    const posts = await people.listPostsToday([personId]);
    const places = await regions.listOrganizations(posts.map((post) => post.organizationId));
    const grants = await listGrantsOf(db, [personId]);
    return [...places, ...grants.map((grant) => grant.place)].some((place) =>
      may(viewer, 'grant.give', place),
    );
  };

  const placeOf = async (unit: Unit | null): Promise<Place | undefined> =>
    unit === null ? NATION : regions.findUnit(unit);

  const checkReason = (text: string, path: string): string => {
    const reason = text.trim();
    if (reason === '' || reason.length > MOST_REASON)
      throw new InvalidInput(path, `Say why, in 1 to ${MOST_REASON} characters.`);
    return reason;
  };

  /** @throws InvalidInput; Conflict GRANT_OVERLAPS */
  const insert = async (
    tx: Executor,
    given: Given,
    giver: { actor: string; personId: string | null },
  ): Promise<string> => {
    const startsOn = given.startsOn ?? today();
    if (startsOn < today())
      throw new InvalidInput('input.startsOn', `${startsOn} has passed; nobody held it then.`);
    if (given.endsOn !== null && given.endsOn < startsOn)
      throw new InvalidInput('input.endsOn', `Its last day comes before its first, ${startsOn}.`);
    const scope: Scope = given.unit ?? { kind: 'nation' };
    await lockGrants(tx);
    const same = (await listGrantsOf(tx, [given.personId])).find(
      (other) =>
        other.role === given.role &&
        isSame(other.scope, scope) &&
        other.revokedAt === null &&
        (other.endsOn === null || other.endsOn >= startsOn) &&
        (given.endsOn === null || given.endsOn >= other.startsOn),
    );
    if (same !== undefined)
      throw new Conflict(
        'GRANT_OVERLAPS',
        `The person holds this role there from ${same.startsOn} ${same.endsOn === null ? 'on' : `to ${same.endsOn}`}.`,
      );
    const id = await insertGrant(tx, {
      personId: given.personId,
      role: given.role,
      scope,
      startsOn,
      endsOn: given.endsOn,
      grantedBy: giver.personId,
      grantedAt: clock.now(),
      reason: given.reason,
    });
    await insertJournalEntry(tx, {
      at: clock.now(),
      actor: giver.actor,
      action: 'grant.give',
      subject: `role-grant:${id}`,
      detail: {
        person: given.personId,
        role: given.role,
        scope,
        startsOn,
        endsOn: given.endsOn,
      },
      units: [(await findGrant(tx, id))!.place],
      personId: given.personId,
    });
    return id;
  };

  /**
   * Nobody could give a role any more without one who works for the nation: on each day that `grant` is cut short by there must be
   * another such.
   */
  const keepAnOperator = async (tx: Executor, grant: RoleGrant, from: string): Promise<void> => {
    if (grant.role !== 'operator' || grant.scope.kind !== 'nation') return;
    const others = (await listNational(tx, 'operator', from)).filter(({ id }) => id !== grant.id);
    if (!others.some((other) => standsInFor(other, grant, from)))
      throw new Conflict(
        'LAST_OPERATOR',
        'Nobody else is operator of the whole service for as long as this was given; give it to another first.',
      );
  };

  const addPerson = async (tx: Executor, staffNumber: string, name: string): Promise<string> => {
    const added = await people.addPeople(tx, SHELL, [
      { sourceId: staffNumber, name, staffNumber, identityHash: null, identityLast4: null },
    ]);
    const id = added.get(staffNumber)!;
    await insertJournalEntry(tx, {
      at: clock.now(),
      actor: SHELL,
      action: 'person.add',
      subject: `person:${id}`,
      personId: id,
    });
    return id;
  };

  const service = {
    stateOf: (grant: RoleGrant): GrantState => grantStateOn(grant, today()),

    /** One's own, and those in scopes where one may see them; undefined for all others, alike. */
    async find(viewer: Viewer, id: string): Promise<RoleGrant | undefined> {
      const grant = await findGrant(db, id);
      return grant !== undefined && isVisible(viewer, grant) ? grant : undefined;
    },

    /** Newest first. */
    listOwn: async (viewer: Viewer): Promise<RoleGrant[]> =>
      isSelf(viewer, viewer.personId) ? listGrantsOf(db, [viewer.personId]) : [],

    /** Of each of these people what the viewer may see, newest first. */
    async listOf(viewer: Viewer, personIds: readonly string[]): Promise<Map<string, RoleGrant[]>> {
      const grants = await listGrantsOf(db, personIds);
      return Map.groupBy(
        grants.filter((grant) => isVisible(viewer, grant)),
        (grant) => grant.personId,
      );
    },

    /**
     * Those whose scope lies in the unit, newest first. @param unit null: the nation, all there are.
     * @throws NotFound for a unit that is not there or not the viewer's.
     */
    async list(
      viewer: Viewer,
      { unit, withEnded, page }: { unit: Unit | null; withEnded: boolean; page: GrantPage },
    ): Promise<RoleGrant[]> {
      const place = await placeOf(unit);
      if (place === undefined || !mayRead(viewer, place)) throw new NotFound('The unit');
      return listGrantsIn(db, unit, { notOverOn: withEnded ? null : today(), page });
    },

    /** Whom the viewer could give a role, by their number; undefined for nobody, and for several within reach. */
    async findByStaffNumber(viewer: Viewer, staffNumber: string): Promise<Person | undefined> {
      const reached: string[] = [];
      for (const id of await people.listByStaffNumber(staffNumber.trim()))
        if (await reaches(viewer, id)) reached.push(id);
      return reached.length === 1 ? (await people.listByIds(reached))[0] : undefined;
    },

    /** @throws NotFound for a unit or person out of the viewer's reach; NotAllowed; InvalidInput; Conflict GRANT_OVERLAPS */
    async give(viewer: Viewer, input: Given): Promise<RoleGrant> {
      const place = await placeOf(input.unit);
      if (place === undefined || (input.unit !== null && !may(viewer, 'grant.give', place)))
        throw new NotFound('The unit');
      if (!mayGive(viewer, input.role, place))
        throw new NotAllowed('Your own roles do not let you give this one there.');
      if (input.personId === viewer.personId)
        throw new NotAllowed('Nobody gives a role to themselves; ask another operator.');
      const [person] = await people.listByIds([input.personId]);
      if (person === undefined || !(await reaches(viewer, person.id))) throw new NotFound('The person');
      const given = { ...input, reason: checkReason(input.reason, 'input.reason') };
      const id = await db
        .transaction()
        .execute(async (tx) =>
          insert(tx, given, { actor: `person:${viewer.personId}`, personId: viewer.personId }),
        );
      return (await findGrant(db, id))!;
    },

    /**
     * Ends a grant: on a last day, inclusive as every last day here, or at once. One's own always; another's like giving it.
     * @param input.on null: at once, from this instant.
     * @throws NotFound; NotAllowed; InvalidInput; Conflict GRANT_ENDED, LAST_OPERATOR
     */
    async end(
      viewer: Viewer,
      input: { grantId: string; on: string | null; reason: string },
    ): Promise<RoleGrant> {
      const found = await findGrant(db, input.grantId);
      if (found === undefined || !isVisible(viewer, found)) throw new NotFound('The grant');
      if (!isSelf(viewer, found.personId) && !mayGive(viewer, found.role, found.place))
        throw new NotAllowed('Your own roles do not let you end this one.');
      const reason = checkReason(input.reason, 'input.reason');
      await db.transaction().execute(async (tx) => {
        await lockGrants(tx);
        const grant = (await findGrant(tx, found.id))!;
        const now = clock.now();
        if (grantStateOn(grant, today()) === 'ended')
          throw new Conflict('GRANT_ENDED', 'This grant has ended before.');
        const { on } = input;
        if (on !== null && on < today())
          throw new InvalidInput('input.on', `${on} has passed; leave it out to end the grant at once.`);
        if (on !== null && on < grant.startsOn)
          throw new InvalidInput(
            'input.on',
            `It begins on ${grant.startsOn}; leave the day out to call it off.`,
          );
        if (on !== null && grant.endsOn !== null && on >= grant.endsOn)
          throw new InvalidInput('input.on', `Its last day is ${grant.endsOn} already.`);
        await keepAnOperator(tx, grant, on === null ? today() : addDays(on, 1));
        await endGrant(tx, grant.id, {
          endsOn: on ?? grant.endsOn,
          revokedAt: on === null ? now : null,
          by: viewer.personId,
          at: now,
          reason,
        });
        await insertJournalEntry(tx, {
          at: now,
          actor: `person:${viewer.personId}`,
          action: 'grant.end',
          subject: `role-grant:${grant.id}`,
          detail: { person: grant.personId, role: grant.role, on: on ?? 'at once' },
          units: [grant.place],
          personId: grant.personId,
        });
      });
      return (await findGrant(db, found.id))!;
    },

    /**
     * At the shell of whoever runs the service, who is not asked whether they may: the first operator comes about so.
     * @param input.name adds the person when nobody has the number.
     * @throws NotFound; InvalidInput; Conflict GRANT_OVERLAPS
     */
    async giveAtShell(
      input: Omit<Given, 'personId'> & { staffNumber: string; name: string | null },
    ): Promise<{ grant: RoleGrant; added: boolean }> {
      const { staffNumber, name, ...given } = input;
      if ((await placeOf(given.unit)) === undefined) throw new NotFound('The unit');
      const reason = checkReason(given.reason, 'reason');
      const known = await people.findByStaffNumber(staffNumber);
      if (known === undefined && name === null)
        throw new NotFound(`One person with the number ${staffNumber}`);
      const id = await db.transaction().execute(async (tx) => {
        const personId = known ?? (await addPerson(tx, staffNumber, name!));
        return insert(tx, { ...given, reason, personId }, { actor: SHELL, personId: null });
      });
      return { grant: (await findGrant(db, id))!, added: known === undefined };
    },
  };
  // What others hold there decides, and who nobody else's rows may be told of.
  return inParts({ findByStaffNumber: 'gate', give: 'gate', end: 'gate', giveAtShell: 'keeper' }, service);
}

function isSame(a: Scope, b: Scope): boolean {
  return (
    a.kind === b.kind &&
    (a.kind !== 'division' || (b.kind === 'division' && a.code === b.code)) &&
    (a.kind !== 'organization' || (b.kind === 'organization' && a.id === b.id))
  );
}
