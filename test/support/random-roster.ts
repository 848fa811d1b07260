import type { Random } from '../../src/commands/sample/random.ts';

export interface RosterFacts {
  readonly organizations: readonly {
    readonly sourceId: string;
    readonly name: string;
    readonly code: string;
  }[];
  /** sourcedId → name, of whom the file may speak. */
  readonly people: ReadonlyMap<string, string>;
  readonly roles: readonly string[];
  readonly divisions: readonly string[];
  /** Makes a name for a sourcedId that is new. */
  readonly nameOf: (sourceId: string) => string;
  readonly day: () => string;
}

export interface RandomRosterOptions {
  /** manifest.csv says so; null: there is none. */
  readonly mode: 'bulk' | 'delta' | null;
  /** Where organizations may stand otherwise than they did. */
  readonly moves: boolean;
  /** Of people and organizations that come to be known. */
  readonly newIds: () => string;
}

/** A small OneRoster 1.1 file set in which anything may stand: people known and new, posts begun, ended, left out and moved, rows to refuse. */
export function randomRoster(
  random: Random,
  facts: RosterFacts,
  { mode, moves, newIds }: RandomRosterOptions,
): { name: string; bytes: Buffer }[] {
  const status = (chance: number): string => (mode === 'delta' && random.chance(chance) ? 'tobedeleted' : '');
  const listed = facts.organizations.filter(() => random.chance(0.9));
  const organizations = listed.map(({ sourceId, name, code }) =>
    [
      sourceId,
      status(0.05),
      random.chance(0.05) ? `${name}改` : name,
      moves && random.chance(0.3) ? random.pick(facts.divisions) : code,
    ].join(','),
  );
  const places = listed.map((organization) => organization.sourceId);
  if (random.chance(0.2) || places.length === 0) {
    const sourceId = newIds();
    places.push(sourceId);
    organizations.push([sourceId, '', `新校${sourceId}`, random.pick(facts.divisions)].join(','));
  }
  const known = [...facts.people].filter(() => random.chance(0.5));
  const fresh = Array.from({ length: random.between(0, 3) }, () => {
    const sourceId = newIds();
    // Somebody of the same name may be there already: the row waits.
    const namesake = random.chance(0.1) ? random.pick([...facts.people.values()]) : undefined;
    return [sourceId, namesake ?? facts.nameOf(sourceId)] as const;
  });
  const people = [...known, ...fresh].map(([sourceId, name]) => {
    const posts = Array.from({ length: random.between(0, 2) }, () => {
      const starts = random.chance(0.3) ? '' : facts.day();
      const ends = random.chance(0.2) ? facts.day() : '';
      return {
        role: random.pick(facts.roles),
        // Now and then one that nobody knows.
        place: random.chance(0.03) ? 'nowhere' : random.pick(places),
        starts,
        ends: ends !== '' && starts !== '' && ends < starts ? '' : ends,
      };
    });
    const list = (pick: (post: (typeof posts)[number]) => string): string => `"${posts.map(pick).join(',')}"`;
    return [
      sourceId,
      status(0.1),
      random.pick(['true', 'true', '']),
      `"${places[0]}"`,
      // Now and then a row to refuse.
      random.chance(0.03) ? 'pilot' : 'teacher',
      name.slice(1),
      random.chance(0.05) ? random.pick(['李', '张']) : name.slice(0, 1),
      list((post) => post.role),
      list((post) => post.place),
      list((post) => post.starts),
      list((post) => post.ends),
    ].join(',');
  });
  const file = (name: string, lines: readonly string[]) => ({ name, bytes: Buffer.from(lines.join('\n')) });
  return [
    file('orgs.csv', [
      'sourcedId,status,dateLastModified,name,type,identifier,parentSourcedId,metadata.divisionCode,metadata.kind',
      ...organizations.map((row) => {
        const [sourceId, state, name, code] = row.split(',');
        return `${sourceId},${state},,${name},school,,,${code},primary`;
      }),
    ]),
    file('users.csv', [
      'sourcedId,status,enabledUser,orgSourcedIds,role,givenName,familyName,metadata.postRoles,metadata.postOrgs,metadata.postStarts,metadata.postEnds,dateLastModified,username,identifier',
      ...people.map((row) => `${row},,,`),
    ]),
    ...(mode === null
      ? []
      : [
          file('manifest.csv', [
            'propertyName,value',
            'oneroster.version,1.1',
            `file.orgs,${mode}`,
            `file.users,${mode}`,
          ]),
        ]),
  ];
}
