import type { KnownOrganization, RosterOrganization } from '../../regions/organization.repository.ts';
import type { Division } from '../../regions/division.ts';
import { hashIdentityNumber, type Post } from '../person.ts';
import type { KnownPerson, NewPerson } from '../person.repository.ts';
import type { GivenOrganization, GivenPerson, GivenPost, Refused } from './oneroster.ts';

/*
 * What an import would write, decided from facts alone: nothing here reads or writes. A doubtful row is refused and the rest
 * goes in; nothing is ever matched by name.
 */

/**
 * Places organizations in the tree: by their own code, else by the nearest parent that has one, else by the division that the
 * import is for. One that stands outside that division, now or as already known, is refused.
 */
export function planOrganizations(
  given: readonly GivenOrganization[],
  facts: {
    scope: Division;
    divisions: ReadonlyMap<string, Division>;
    known: ReadonlyMap<string, KnownOrganization>;
  },
): { organizations: RosterOrganization[]; refused: Refused[] } {
  const bySource = new Map(given.map((organization) => [organization.sourceId, organization]));
  const refused: Refused[] = [];
  const refuse = (
    organization: GivenOrganization,
    column: string,
    value: string | null,
    reason: string,
  ): void => {
    refused.push({ file: 'orgs.csv', line: organization.line, column, value, reason });
  };
  const codeOf = (organization: GivenOrganization): string => {
    const passed = new Set<string>();
    for (
      let at: GivenOrganization | undefined = organization;
      at !== undefined;
      at = at.parentSourceId === null ? undefined : bySource.get(at.parentSourceId)
    ) {
      if (passed.has(at.sourceId)) return 'cycle';
      passed.add(at.sourceId);
      if (at.divisionCode !== null) return at.divisionCode;
    }
    return facts.scope.code;
  };

  const organizations: RosterOrganization[] = [];
  for (const organization of given) {
    const code = codeOf(organization);
    if (code === 'cycle') {
      refuse(
        organization,
        'parentSourcedId',
        organization.parentSourceId,
        'Following the parents leads back to this row.',
      );
      continue;
    }
    const division = facts.divisions.get(code);
    if (division === undefined) {
      refuse(
        organization,
        'metadata.divisionCode',
        code,
        `${code} is not an administrative division code of GB/T 2260 that is known here.`,
      );
      continue;
    }
    const known = facts.known.get(organization.sourceId);
    if (!within(facts.scope, division) || (known !== undefined && !within(facts.scope, known))) {
      refuse(
        organization,
        'metadata.divisionCode',
        code,
        `It stands outside ${facts.scope.name} (${facts.scope.code}), which this import is for.`,
      );
      continue;
    }
    organizations.push({
      sourceId: organization.sourceId,
      name: organization.name,
      kind: organization.kind,
      identifier: organization.identifier,
      division,
      studentCount: organization.studentCount,
      studentCountOn: organization.studentCountOn,
    });
  }
  return { organizations, refused };
}

function within(
  scope: Division,
  place: { provinceCode: string; prefectureCode: string | null; countyCode: string | null },
): boolean {
  return [place.provinceCode, place.prefectureCode, place.countyCode].includes(scope.code);
}

export interface PeoplePlan {
  readonly insert: readonly NewPerson[];
  readonly update: readonly {
    id: string;
    name: string;
    staffNumber: string | null;
    identityHash: string | null;
    identityLast4: string | null;
  }[];
  /** Known by their identity number from another source, and now by this one too. */
  readonly link: readonly { sourceId: string; personId: string }[];
  /** Source id → person, for those already known. */
  readonly known: ReadonlyMap<string, string>;
  /** The rows that go in. */
  readonly people: readonly GivenPerson[];
  readonly refused: readonly Refused[];
}

/** Who is new, who is known, and by what: the source's own id first, the hash of the identity number second. */
export function planPeople(
  given: readonly GivenPerson[],
  facts: {
    bySource: ReadonlyMap<string, KnownPerson>;
    byIdentity: ReadonlyMap<string, KnownPerson>;
    identityKey: Buffer;
  },
): PeoplePlan {
  const insert: NewPerson[] = [];
  const update: PeoplePlan['update'][number][] = [];
  const link: { sourceId: string; personId: string }[] = [];
  const known = new Map<string, string>();
  const people: GivenPerson[] = [];
  const refused: Refused[] = [];
  const hashes = new Map<string, number>();

  for (const person of given) {
    const refuse = (reason: string): void => {
      refused.push({
        file: 'users.csv',
        line: person.line,
        column: 'metadata.identityNumber',
        value: null,
        reason,
      });
    };
    const identityHash =
      person.identityNumber === null
        ? null
        : hashIdentityNumber(person.identityNumber, facts.identityKey).toString('hex');
    const identityLast4 = person.identityNumber?.slice(-4) ?? null;
    if (identityHash !== null) {
      const before = hashes.get(identityHash);
      if (before !== undefined) {
        refuse(`The same identity number stands on line ${before}: one person has one row.`);
        continue;
      }
      hashes.set(identityHash, person.line);
    }
    const bySource = facts.bySource.get(person.sourceId);
    const byIdentity = identityHash === null ? undefined : facts.byIdentity.get(identityHash);
    if (bySource !== undefined && byIdentity !== undefined && bySource.id !== byIdentity.id) {
      refuse(
        'The sourcedId and the identity number are known as two different people; somebody has to look.',
      );
      continue;
    }
    if (
      bySource?.identityHash !== null &&
      bySource?.identityHash !== undefined &&
      identityHash !== null &&
      bySource.identityHash !== identityHash
    ) {
      refuse('The identity number differs from the one known for this sourcedId; somebody has to look.');
      continue;
    }
    people.push(person);
    const match = bySource ?? byIdentity;
    if (match === undefined) {
      insert.push({
        sourceId: person.sourceId,
        name: person.name,
        staffNumber: person.staffNumber,
        identityHash,
        identityLast4,
      });
      continue;
    }
    known.set(person.sourceId, match.id);
    if (bySource === undefined) link.push({ sourceId: person.sourceId, personId: match.id });
    const staffNumber = person.staffNumber ?? match.staffNumber;
    if (
      match.name !== person.name ||
      match.staffNumber !== staffNumber ||
      (match.identityHash === null && identityHash !== null)
    ) {
      update.push({ id: match.id, name: person.name, staffNumber, identityHash, identityLast4 });
    }
  }
  return { insert, update, link, known, people, refused };
}

export interface PostsPlan {
  readonly insert: readonly Omit<Post, 'id'>[];
  readonly update: readonly Pick<Post, 'id' | 'personId' | 'workload' | 'endsOn'>[];
  /** How many of the updates end a post that was open, and of how many open ones at this import's organizations. */
  readonly ended: { readonly posts: number; readonly of: number };
  readonly refused: readonly Refused[];
}

/**
 * Posts of the people that go in. A post is the same one when person, organization, role and first day agree; without a first
 * day, the open one of that organization and role. An open post in this import's organizations that its person's row no longer
 * lists ends the day before the import: nothing is overwritten, history stays.
 */
export function planPosts(
  people: readonly GivenPerson[],
  facts: {
    personIds: ReadonlyMap<string, string>;
    organizationIds: ReadonlyMap<string, string>;
    held: ReadonlyMap<string, readonly Post[]>;
    today: string;
    yesterday: string;
  },
): PostsPlan {
  const insert: Omit<Post, 'id'>[] = [];
  const update: Pick<Post, 'id' | 'personId' | 'workload' | 'endsOn'>[] = [];
  const refused: Refused[] = [];
  let ended = 0;
  let open = 0;
  const ours = new Set(facts.organizationIds.values());

  for (const person of people) {
    const personId = facts.personIds.get(person.sourceId)!;
    const held = facts.held.get(personId) ?? [];
    const kept = new Set<string>();
    open += held.filter((post) => post.endsOn === null && ours.has(post.organizationId)).length;
    const added = new Set<string>();
    let complete = true;
    for (const post of person.posts) {
      const organizationId = facts.organizationIds.get(post.organizationSourceId);
      if (organizationId === undefined) {
        complete = false;
        refused.push({
          file: 'users.csv',
          line: person.line,
          column: 'metadata.postOrgs',
          value: post.organizationSourceId,
          reason: `No organization with sourcedId "${post.organizationSourceId}" is known in this import's source; the person goes in without this post.`,
        });
        continue;
      }
      const same = held.find((each) => !kept.has(each.id) && isSamePost(each, post, organizationId));
      if (same !== undefined) {
        kept.add(same.id);
        if (same.endsOn === null && post.endsOn !== null) ended += 1;
        if (same.workload !== post.workload || same.endsOn !== post.endsOn)
          update.push({ id: same.id, personId, workload: post.workload, endsOn: post.endsOn });
        continue;
      }
      const startsOn = post.startsOn ?? facts.today;
      const key = `${organizationId} ${post.role} ${startsOn}`;
      if (added.has(key)) continue; // the row says it twice
      added.add(key);
      insert.push({
        personId,
        organizationId,
        role: post.role,
        workload: post.workload,
        startsOn,
        endsOn: post.endsOn,
      });
    }
    // With a part of the row refused, what it leaves out can't be told from what it could not say.
    if (!complete) continue;
    for (const post of held) {
      if (post.endsOn === null && !kept.has(post.id) && ours.has(post.organizationId)) {
        ended += 1;
        update.push({
          id: post.id,
          personId,
          workload: post.workload,
          endsOn: post.startsOn > facts.yesterday ? post.startsOn : facts.yesterday,
        });
      }
    }
  }
  return { insert, update, ended: { posts: ended, of: open }, refused };
}

function isSamePost(held: Post, given: GivenPost, organizationId: string): boolean {
  if (held.organizationId !== organizationId || held.role !== given.role) return false;
  return given.startsOn === null ? held.endsOn === null : held.startsOn === given.startsOn;
}
