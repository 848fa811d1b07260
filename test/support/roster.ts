import { unpack } from '../../src/people/roster/archive.ts';
import { openOneRoster } from '../../src/people/roster/oneroster.ts';
import { fileOf } from '../../src/people/roster/upload.ts';
import type { GivenOrganization, GivenPerson, GivenPost, Refused } from '../../src/people/roster/roster.ts';

export interface ReadRoster {
  readonly organizations: readonly GivenOrganization[];
  readonly people: readonly (GivenPerson & { readonly posts: readonly GivenPost[] })[];
  readonly refused: readonly Refused[];
  readonly rowsRead: number;
  readonly rowsIgnored: number;
  readonly saysAll: boolean;
}

/** All that a roster says, in one piece. */
export async function readOneRoster(
  files: readonly { name: string; bytes: Uint8Array }[],
): Promise<ReadRoster> {
  const roster = await openOneRoster(await unpack(files.map(fileOf)));
  const organizations: GivenOrganization[] = [];
  const people: GivenPerson[] = [];
  const posts = new Map<string, GivenPost[]>();
  const refused: Refused[] = [];
  let [rowsRead, rowsIgnored] = [0, 0];
  for await (const batch of roster.read())
    for (const given of batch) {
      if (given.kind === 'row') rowsRead += 1;
      if (given.kind === 'ignored') rowsIgnored += 1;
      if (given.kind === 'organization') organizations.push(given.organization);
      if (given.kind === 'person') people.push(given.person);
      if (given.kind === 'post') posts.set(given.ref, [...(posts.get(given.ref) ?? []), given.post]);
      if (given.kind === 'refused') refused.push(given.refused);
    }
  return {
    organizations,
    people: people.map((person) => ({ ...person, posts: posts.get(person.ref) ?? [] })),
    refused,
    rowsRead,
    rowsIgnored,
    saysAll: roster.saysAll,
  };
}
