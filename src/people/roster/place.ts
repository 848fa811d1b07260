import type { KnownOrganization, RosterOrganization } from '../../regions/organization.repository.ts';
import type { Division } from '../../regions/division.ts';
import type { GivenOrganization, Refused, Roster } from './roster.ts';
import { said, type Said } from './said.ts';

export interface OrganizationsPlan {
  readonly insert: readonly Omit<RosterOrganization, 'id'>[];
  readonly update: readonly RosterOrganization[];
  /** Among them those that another has taken over: what a file still says of them changes nothing about them. */
  readonly unchanged: readonly Pick<RosterOrganization, 'id' | 'sourceId' | 'closedOn'>[];
  readonly refused: readonly Refused[];
}

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
    columns: Roster['organizations'];
    yesterday: string;
  },
): OrganizationsPlan {
  const bySource = new Map(
    // Of several with the same id the first.
    given.toReversed().map((organization) => [organization.sourceId, organization]),
  );
  const { refColumn, parentColumn, divisionColumn } = facts.columns;
  const refused: Refused[] = [];
  const refuse = (
    organization: GivenOrganization,
    column: string,
    value: string | null,
    reason: Said,
  ): void => {
    refused.push({ file: facts.columns.file, line: organization.line, column, value, reason });
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
    // What nobody says stays as it is.
    return facts.known.get(organization.sourceId)?.divisionCode ?? facts.scope.code;
  };

  const insert: Omit<RosterOrganization, 'id'>[] = [];
  const update: RosterOrganization[] = [];
  const unchanged: OrganizationsPlan['unchanged'][number][] = [];
  const seen = new Map<string, number>();
  for (const organization of given) {
    const before = seen.get(organization.sourceId);
    if (before !== undefined) {
      refuse(
        organization,
        refColumn,
        organization.sourceId,
        said(
          `The same ${refColumn} stands on line ${before}; the first one is taken.`,
          `${refColumn} 与第 ${before} 行重复，以先出现的为准。`,
        ),
      );
      continue;
    }
    seen.set(organization.sourceId, organization.line);
    const code = codeOf(organization);
    if (code === 'cycle') {
      refuse(
        organization,
        parentColumn,
        organization.parentSourceId,
        said('Following the parents leads back to this row.', '沿上级单位追溯又回到了此行。'),
      );
      continue;
    }
    const division = facts.divisions.get(code);
    if (division === undefined) {
      refuse(
        organization,
        divisionColumn,
        code,
        said(
          `${code} is not an administrative division code of GB/T 2260 that is known here.`,
          `${code} 不是已知的行政区划代码（GB/T 2260）。`,
        ),
      );
      continue;
    }
    const known = facts.known.get(organization.sourceId);
    if (!within(facts.scope, division) || (known !== undefined && !within(facts.scope, known))) {
      refuse(
        organization,
        divisionColumn,
        code,
        said(
          `It stands outside ${facts.scope.name} (${facts.scope.code}), which this import is for.`,
          `不在本次导入的范围 ${facts.scope.name}（${facts.scope.code}）之内。`,
        ),
      );
      continue;
    }
    const planned = {
      sourceId: organization.sourceId,
      name: organization.name,
      identifier: organization.identifier,
      division,
      ...saidOf(organization, known),
      closedOn: organization.closes ? (known?.closedOn ?? facts.yesterday) : null,
    };
    if (known === undefined) {
      // One that is no more and was never known stays away.
      if (!organization.closes) insert.push(planned);
    } else if (known.mergedIntoId === null && differs(planned, known))
      update.push({ ...planned, id: known.id });
    else unchanged.push({ id: known.id, sourceId: known.sourceId, closedOn: planned.closedOn });
  }
  return { insert, update, unchanged, refused };
}

/** What a file says, and of what it has no column, what is known. */
function saidOf(
  given: GivenOrganization,
  known: KnownOrganization | undefined,
): Pick<RosterOrganization, 'kind' | 'studentCount' | 'studentCountOn'> {
  const from = (field: 'kind' | 'studentCount' | 'studentCountOn') =>
    known !== undefined && given.unsaid?.includes(field) === true ? known : given;
  return {
    kind: from('kind').kind,
    studentCount: from('studentCount').studentCount,
    studentCountOn: from('studentCountOn').studentCountOn,
  };
}

function differs(planned: Omit<RosterOrganization, 'id'>, known: KnownOrganization): boolean {
  return (
    planned.division.code !== known.divisionCode ||
    (['name', 'kind', 'identifier', 'studentCount', 'studentCountOn', 'closedOn'] as const).some(
      (field) => planned[field] !== known[field],
    )
  );
}

function within(
  scope: Division,
  place: { provinceCode: string; prefectureCode: string | null; countyCode: string | null },
): boolean {
  return [place.provinceCode, place.prefectureCode, place.countyCode].includes(scope.code);
}
