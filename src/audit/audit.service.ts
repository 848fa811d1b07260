import type { Clock } from '../clock.ts';
import { actingAs } from '../db/acting.ts';
import type { Database } from '../db/database.ts';
import { InvalidInput, NotAllowed } from '../errors.ts';
import { commonPart, type Concerned } from '../journal/journal.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import { may, scopesOf, type Viewer } from '../people/permission.ts';
import type { Scope, Unit } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import {
  hasEntry,
  listNames,
  listEntries,
  toPosition,
  type AuditedEntry,
  type EntryFilter,
} from './audit.repository.ts';

const HOUR_MS = 3_600_000;

export type AuditService = ReturnType<typeof makeAuditService>;

/** The journal for those who may read it: who did what, where it concerns a unit that is theirs to audit. */
export function makeAuditService({
  db,
  clock,
  regions,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
}) {
  const placesOf = async (scopes: readonly Scope[]): Promise<Concerned[]> => {
    const places: Concerned[] = [];
    for (const scope of scopes)
      places.push((scope.kind === 'nation' ? undefined : await regions.findUnit(scope)) ?? NOWHERE);
    return places;
  };

  /** With the names of those who acted, wherever these work. */
  const named = async (entries: readonly AuditedEntry[]): Promise<AuditedEntry[]> => {
    const idOf = ({ actor }: AuditedEntry): string => /^person:(\d+)$/.exec(actor)?.[1] ?? '0';
    const ids = [...new Set(entries.map(idOf))];
    const names = await actingAs('gate', async () => listNames(db, ids));
    return entries.map((entry) => ({ ...entry, actorName: names.get(idOf(entry)) ?? null }));
  };

  /** Reading is written down as well: once an hour for an auditor and what was asked about, or each page would be an entry. Two at once may write two. */
  const noteReading = async (viewer: Viewer, subject: string, units: readonly Concerned[]): Promise<void> => {
    const at = clock.now();
    const entry = { actor: `person:${viewer.personId}`, action: 'journal.read', subject };
    const since = new Date(Math.floor(at.getTime() / HOUR_MS) * HOUR_MS);
    if (!(await hasEntry(db, { ...entry, since }))) await insertJournalEntry(db, { ...entry, at, units });
  };

  return {
    /**
     * A page of what concerns the viewer's units, or one unit with all below it, newest first.
     * @returns undefined for a unit that is not there or not the viewer's to audit.
     * @throws NotAllowed without any grant to read the journal; InvalidInput for a cursor that is none of ours.
     */
    async list(
      viewer: Viewer,
      { unit, ...filter }: Omit<EntryFilter, 'scopes' | 'unit' | 'id'> & { unit?: Unit | undefined },
      page: { after: string | undefined; limit: number },
    ): Promise<AuditedEntry[] | undefined> {
      const scopes = scopesOf(viewer, 'journal.read');
      if (scopes.length === 0) throw new NotAllowed('Reading the journal needs a grant as auditor.');
      const after = page.after === undefined ? undefined : toPosition(page.after);
      if (page.after !== undefined && after === undefined)
        throw new InvalidInput('after', 'This cursor is not one that the journal was listed with.');
      const place = unit === undefined ? undefined : await regions.findUnit(unit);
      if (unit !== undefined && (place === undefined || !may(viewer, 'journal.read', place)))
        return undefined;
      await noteReading(
        viewer,
        unit === undefined ? 'journal:all' : nameOf(unit),
        place === undefined ? commonPart(await placesOf(scopes)) : [place],
      );
      const entries = await listEntries(
        db,
        { ...filter, scopes: keysOf(scopes), unit: unit === undefined ? undefined : keyOf(unit) },
        { after, limit: page.limit },
      );
      return named(entries);
    },

    /** undefined for an entry that is not there or does not concern the viewer's units. */
    async find(viewer: Viewer, id: string): Promise<AuditedEntry | undefined> {
      const scopes = scopesOf(viewer, 'journal.read');
      if (scopes.length === 0) return undefined;
      const [entry] = await listEntries(db, { scopes: keysOf(scopes), id }, { after: undefined, limit: 1 });
      if (entry !== undefined) await noteReading(viewer, 'journal:all', commonPart(await placesOf(scopes)));
      return entry === undefined ? undefined : (await named([entry]))[0];
    },

    /**
     * Whose auditors are to see that somebody took out a table: those of all the units it names (`Division:430121`), or where it names none, of
     * all the units that the viewer works for. What names two counties is for who audits both.
     */
    async unitsOfTable(viewer: Viewer, named: readonly string[]): Promise<Concerned[]> {
      const units = named.flatMap((each): Unit[] => {
        const [type, id] = each.split(':');
        if (type === 'Division') return [{ kind: 'division', code: id! }];
        return type === 'Organization' ? [{ kind: 'organization', id: id! }] : [];
      });
      const scopes = units.length > 0 ? units : viewer.grants.map(({ scope }) => scope);
      return commonPart(await placesOf(scopes));
    },
  };
}

/** The nation, and what is not there: nothing stands above it, and only the nation's auditors see it. */
const NOWHERE: Concerned = { provinceCode: null, prefectureCode: null, countyCode: null };

function keyOf(unit: Unit): string {
  return unit.kind === 'division' ? unit.code : `-${unit.id}`;
}

function nameOf(unit: Unit): string {
  return unit.kind === 'division' ? `division:${unit.code}` : `organization:${unit.id}`;
}

/** undefined: of the nation. */
function keysOf(scopes: readonly Scope[]): string[] | undefined {
  const units = scopes.filter((scope) => scope.kind !== 'nation');
  return units.length < scopes.length ? undefined : units.map(keyOf);
}
