import { createHmac } from 'node:crypto';
import { chinaDay, type Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import { may, mayFor, scopesOf, type Viewer } from '../people/permission.ts';
import type { Certification } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { Division, Unit } from '../regions/division.ts';
import { asUnit, type Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import { unitKey, unitOfKey, type Coverage } from './coverage.ts';
import { inForce, type CoverageService } from './coverage.service.ts';
import { listIndicators, sumIndicators } from './indicator.repository.ts';
import { isAsked } from './indicator.ts';
import {
  countTree,
  findLatestSnapshot,
  findSnapshot,
  findSnapshotUnit,
  finishSnapshot,
  insertSnapshot,
  insertSnapshotUnits,
  insertVerdict,
  listHeldUnits,
  listObjections,
  listSnapshots,
  listSnapshotUnits,
  listTree,
  type PlacedUnit,
  type Snapshot,
  type SnapshotUnit,
  type Verdict,
} from './snapshot.repository.ts';
import { FORMAT, freeze, policyOf, rowsOf, type FrozenRow, type UnitToFreeze } from './snapshot.ts';
import { listResearchers, listStaffingFacts } from './staffing.repository.ts';
import { addStaffed, judgeStaffing, NO_COUNTIES, NO_STAFFING, type Staffing } from './staffing.ts';
import { listTargets } from './target.repository.ts';
import { DEFAULT_TARGET, targetFor, type Measured, type Target } from './target.ts';
import { inParts } from '../db/acting.ts';

export const FREEZE_TASK = 'freeze-snapshot';

const NOBODY: Coverage = { covered: 0, total: 0 };
const LONGEST_REMARK = 1_000;

/** A unit of a snapshot for somebody who may see it. */
export interface SeenUnit extends SnapshotUnit {
  readonly rows: readonly FrozenRow[];
  /** Whether the asker may see numbers and not people. */
  readonly veiled: boolean;
}

export type SnapshotService = ReturnType<typeof makeSnapshotService>;

export function makeSnapshotService({
  db,
  clock,
  key,
  regions,
  programmes,
  coverage,
}: {
  db: Database;
  clock: Clock;
  /** Salts are made with it, so that the same unit has the same one in every snapshot of a day. */
  key: Buffer;
  regions: RegionService;
  programmes: ProgrammeService;
  coverage: CoverageService;
}) {
  const placeOf = async (unit: string): Promise<Division | Organization | undefined> =>
    regions.findUnit(unitOfKey(unit));
  const seen = (unit: SnapshotUnit, veiled: boolean): SeenUnit => ({
    ...unit,
    rows: rowsOf(unit.content),
    veiled,
  });
  /** Who may see what it is of, or any unit in it. */
  const visible = async (viewer: Viewer, id: string): Promise<Snapshot | undefined> => {
    const snapshot = await findSnapshot(db, id);
    if (snapshot === undefined) return undefined;
    const place = await placeOf(snapshot.unit);
    if (place !== undefined && may(viewer, 'coverage.read', place)) return snapshot;
    const scopes = scopesOf(viewer, 'coverage.read').filter((scope) => scope.kind !== 'nation');
    return (await listHeldUnits(db, id, scopes.map(unitKey))).length > 0 ? snapshot : undefined;
  };
  const findUnit = async (viewer: Viewer, snapshotId: string, unit: Unit): Promise<SeenUnit | undefined> => {
    const place = await regions.findUnit(unit);
    if (place === undefined || !may(viewer, 'coverage.read', place)) return undefined;
    const found = await findSnapshotUnit(db, snapshotId, unitKey(unit));
    return found === undefined ? undefined : seen(found, !may(viewer, 'people.read', place));
  };

  const service = {
    find: visible,
    findUnit,

    /** Those that hold the unit, newest first. @throws NotFound */
    async list(
      viewer: Viewer,
      unit: Unit,
      page: { after: string | undefined; limit: number },
    ): Promise<Snapshot[]> {
      const place = await regions.findUnit(unit);
      if (place === undefined || !may(viewer, 'coverage.read', place)) throw new NotFound('The unit');
      return listSnapshots(db, unitKey(unit), page);
    },

    /** A page of the units right below one that the viewer sees. @param page.waiting only those that have yet to sign. */
    async listBelow(
      { snapshotId, unit, veiled }: SeenUnit,
      page: { after: string | undefined; limit: number; waiting: boolean },
    ): Promise<SeenUnit[]> {
      return (await listSnapshotUnits(db, snapshotId, unit, page)).map((each) => seen(each, veiled));
    },

    listObjections: async ({ snapshotId, unit }: SeenUnit): Promise<Verdict[]> =>
      listObjections(db, snapshotId, unit),

    /**
     * Asks for a snapshot of a unit and all below it; the worker freezes it. One that was objected to is replaced.
     * @throws NotFound, InvalidInput; Conflict SNAPSHOT_STANDS where there is one that nobody objected to.
     */
    async request(
      viewer: Viewer,
      input: { unit: Unit; certificationId: string; day: string | null },
    ): Promise<Snapshot> {
      const place = await regions.findUnit(input.unit);
      if (place === undefined || !may(viewer, 'snapshot.take', place)) throw new NotFound('The unit');
      const [certification] = await programmes.listCertifications([input.certificationId]);
      if (certification === undefined || !inForce(certification, place))
        throw new NotFound('The certification');
      const today = chinaDay(clock.now());
      const day = input.day ?? today;
      if (day > today)
        throw new InvalidInput('input.on', `${day} is in the future: what will be then is not known.`);
      // Begun before, so that the worker need not count them while it holds others up.
      await roleSetsOf(certification);
      const id = await db.transaction().execute(async (tx) => {
        const of = { unit: unitKey(input.unit), certificationId: certification.id, day };
        const latest = await findLatestSnapshot(tx, of);
        const isReturned =
          latest !== undefined && (await listObjections(tx, latest.id, latest.unit)).length > 0;
        const created =
          latest === undefined || isReturned
            ? await insertSnapshot(tx, {
                ...of,
                replaces: latest?.id ?? null,
                requestedBy: viewer.personId,
                requestedAt: clock.now(),
              })
            : undefined;
        if (created === undefined)
          throw new Conflict(
            'SNAPSHOT_STANDS',
            'There is a snapshot of this unit, certification and day. Another takes its place only when somebody has objected to it.',
          );
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'snapshot.request',
          subject: `snapshot:${created}`,
          detail: { ...of, replaces: latest?.id ?? null },
          units: [place],
        });
        await insertDebt(tx, {
          task: FREEZE_TASK,
          payload: { snapshotId: created },
          key: `${FREEZE_TASK}:${created}`,
        });
        return created;
      });
      return (await findSnapshot(db, id))!;
    },

    /** The worker's part: freezes it in one transaction that sees one moment. Done already: does nothing; of two at once one fails, and comes again. */
    async freeze(id: string): Promise<void> {
      const asked = await findSnapshot(db, id);
      if (asked?.state !== 'queued') return;
      const [[certification], root] = await Promise.all([
        programmes.listCertifications([asked.certificationId]),
        placeOf(asked.unit),
      ]);
      const veil = await coverage.veilOf(root!, certification!, asked.day);
      const sets = await roleSetsOf(certification!);
      await db
        .transaction()
        .setIsolationLevel('repeatable read')
        .execute(async (tx) => {
          if ((await findSnapshot(tx, id, { lock: true }))?.state !== 'queued') return;
          const units = freeze(await gather(tx, asked, root!, certification!, sets), veil);
          await insertSnapshotUnits(tx, id, units);
          const { digest } = units.at(-1)!;
          await finishSnapshot(tx, id, { digest, units: units.length, at: clock.now() });
          await insertJournalEntry(tx, {
            at: clock.now(),
            actor: `worker:${FREEZE_TASK}`,
            action: 'snapshot.freeze',
            subject: `snapshot:${id}`,
            detail: { digest, units: units.length },
            units: [root!],
          });
        });
    },

    /**
     * Signs a unit's part, by its digest. Every unit right below has signed by then, or is listed with the reason why not.
     * @throws NotFound, NotAllowed, InvalidInput; Conflict NOT_FROZEN, REPLACED, ALREADY_SIGNED, OBJECTED, DIGEST_DIFFERS, NOT_ALL_SIGNED
     */
    async sign(
      viewer: Viewer,
      input: {
        snapshotId: string;
        unit: Unit;
        digest: string;
        remark: string | null;
        missing: readonly { unit: Unit; reason: string }[];
      },
    ): Promise<SeenUnit> {
      return judge(viewer, input, async (tx, unit) => {
        if (input.digest !== unit.digest)
          throw new Conflict(
            'DIGEST_DIFFERS',
            'This is not the digest of what the snapshot holds of the unit.',
          );
        const objections = await listObjections(tx, unit.snapshotId, unit.unit);
        if (objections.length > 0)
          throw new Conflict(
            'OBJECTED',
            `${objections.length} below it objected: another snapshot has to take the place of this one.`,
          );
        const missing = new Map(input.missing.map((each) => [unitKey(each.unit), each.reason.trim()]));
        if (missing.size < input.missing.length)
          throw new InvalidInput('input.missing', 'A unit is listed twice.');
        if ([...missing.values()].some((reason) => reason === '' || reason.length > LONGEST_REMARK))
          throw new InvalidInput('input.missing', `A reason has from 1 to ${LONGEST_REMARK} characters.`);
        const below = { after: undefined, limit: undefined, waiting: true };
        const waiting = await listSnapshotUnits(tx, unit.snapshotId, unit.unit, below);
        const left = waiting.filter((each) => !missing.delete(each.unit));
        if (missing.size > 0)
          throw new InvalidInput(
            'input.missing',
            'Only units right below that have yet to sign are listed as missing.',
          );
        if (left.length > 0)
          throw new Conflict(
            'NOT_ALL_SIGNED',
            `${left.length} right below it have yet to sign. List them as missing, each with the reason, or wait.`,
          );
        return {
          verdict: 'signed',
          remark: remarkOf(input.remark),
          missing: input.missing.map((each) => ({ unit: unitKey(each.unit), reason: each.reason.trim() })),
        };
      });
    },

    /**
     * Returns a unit's part with a reason. Nobody above signs until another snapshot has taken the place of this one.
     * @throws NotFound, NotAllowed, InvalidInput; Conflict NOT_FROZEN, REPLACED, ALREADY_SIGNED, OBJECTED
     */
    async object(
      viewer: Viewer,
      input: { snapshotId: string; unit: Unit; reason: string },
    ): Promise<SeenUnit> {
      return judge(viewer, input, async () => {
        const remark = remarkOf(input.reason);
        if (remark === null) throw new InvalidInput('input.reason', 'Say why.');
        return { verdict: 'objected', remark, missing: [] };
      });
    },
  };
  return inParts({ freeze: 'counter' }, service);

  /** Takes a verdict of a unit down, once. */
  async function judge(
    viewer: Viewer,
    input: { snapshotId: string; unit: Unit },
    decide: (tx: Executor, unit: SnapshotUnit) => Promise<Pick<Verdict, 'verdict' | 'remark' | 'missing'>>,
  ): Promise<SeenUnit> {
    const found = await visible(viewer, input.snapshotId);
    if (found === undefined) throw new NotFound('The snapshot');
    if (found.state === 'queued') throw new Conflict('NOT_FROZEN', 'It is not frozen yet.');
    const before = await findUnit(viewer, found.id, input.unit);
    if (before === undefined) throw new NotFound('The unit');
    if (!mayFor(viewer, 'snapshot.sign', input.unit))
      throw new NotAllowed('Who signs or objects for a unit is its own coordinator, not one above it.');
    const place = await regions.findUnit(input.unit);
    await db.transaction().execute(async (tx) => {
      // Verdicts follow each other: nobody signs while somebody below objects.
      const snapshot = (await findSnapshot(tx, found.id, { lock: true }))!;
      if (snapshot.replacedBy !== null)
        throw new Conflict('REPLACED', 'Another snapshot has taken the place of this one.');
      const unit = (await findSnapshotUnit(tx, found.id, before.unit))!;
      if (unit.verdict?.verdict === 'objected')
        throw new Conflict('OBJECTED', 'The unit has objected to this snapshot.');
      const given = await decide(tx, unit);
      // One that it gave under the same digest in another snapshot is as good; it may yet object.
      if (unit.verdict !== null && (given.verdict === 'signed' || unit.verdict.snapshotId === found.id))
        throw new Conflict('ALREADY_SIGNED', 'The unit has signed this.');
      await insertVerdict(tx, {
        snapshotId: found.id,
        unit: unit.unit,
        digest: unit.digest,
        givenBy: viewer.personId,
        givenAt: clock.now(),
        givenOn: chinaDay(clock.now()),
        ...given,
      });
      await insertJournalEntry(tx, {
        at: clock.now(),
        actor: `person:${viewer.personId}`,
        action: given.verdict === 'signed' ? 'snapshot.sign' : 'snapshot.object',
        subject: `snapshot:${found.id}`,
        // What was said stands in the verdict.
        detail: { unit: unit.unit, digest: unit.digest, missing: given.missing.length },
        units: [place!],
      });
    });
    return (await findUnit(viewer, found.id, input.unit))!;
  }

  async function roleSetsOf({ roles }: Certification): Promise<{ any: number; each: number[] }> {
    return {
      any: await coverage.roleSetOf(roles),
      each: await Promise.all(roles.map(async (role) => coverage.roleSetOf([role]))),
    };
  }

  /** All that is known of a unit and of those below it, row by row. */
  async function gather(
    tx: Executor,
    { day }: Snapshot,
    root: Division | Organization,
    certification: Certification,
    sets: { any: number; each: readonly number[] },
  ): Promise<UnitToFreeze[]> {
    const rootKey = unitKey(asUnit(root));
    const tree = await listTree(tx, rootKey, day);
    const keys = tree.map((unit) => unit.unit);
    const roleSets = [...new Set([sets.any, ...sets.each])];
    const numbers = await countTree(tx, {
      certificationId: certification.id,
      roleSets,
      root: rootKey,
      day,
    });
    const staffing = await gatherStaffing(tx, tree, rootKey, day);
    const above = [root.provinceCode, root.prefectureCode, root.countyCode].filter((code) => code !== null);
    const indicators = await listIndicators(tx, [
      ...new Set([...above, ...keys.filter((unit) => !unit.startsWith('-'))]),
    ]);
    const sums = await sumIndicators(
      tx,
      indicators.map((indicator) => indicator.id),
      keys,
      day,
    );
    const measures: { measured: Measured; targets: Target[] }[] = [];
    for (const measured of [
      { measure: 'coverage', certificationId: certification.id } as const,
      { measure: 'staffing' } as const,
      ...indicators.map(({ id }) => ({ measure: 'indicator', indicatorId: id }) as const),
    ])
      measures.push({ measured, targets: await listTargets(tx, measured) });
    const [ofCoverage, ofStaffing, ...ofIndicators] = measures.map(({ targets }) => targets);

    return tree.map((place) => {
      const isPlace = place.level === 'organization';
      const covered = (set: number): Coverage => numbers.get(place.unit)?.get(set) ?? NOBODY;
      const { roles } = certification;
      const rows: FrozenRow[] = [
        {
          kind: 'unit',
          format: FORMAT,
          unit: place.unit,
          level: place.level,
          name: place.name,
          day,
          certification: {
            id: certification.id,
            code: certification.code,
            division: certification.divisionCode,
          },
          salt: createHmac('sha256', key)
            .update(`${FORMAT}\n${place.unit}\n${day}\n${certification.id}`)
            .digest('hex'),
        },
      ];
      if (!isPlace)
        for (const { measured, targets } of measures)
          for (const policy of policyOf(targets, measured, place, day))
            rows.push({ kind: 'policy', ...policy });
      rows.push({
        kind: 'coverage',
        role: null,
        ...covered(sets.any),
        target: targetFor(ofCoverage!, place, roles.length === 1 ? roles[0]! : null, day) ?? DEFAULT_TARGET,
      });
      for (const [at, role] of roles.entries())
        rows.push({
          kind: 'coverage',
          role,
          ...covered(sets.each[at]!),
          target: targetFor(ofCoverage!, place, role, day) ?? DEFAULT_TARGET,
        });
      rows.push({
        kind: 'staffing',
        ...staffing(place.unit),
        target: targetFor(ofStaffing!, place, null, day) ?? DEFAULT_TARGET,
      });
      for (const [at, indicator] of indicators.entries()) {
        const sum = sums.get(place.unit)?.get(indicator.id);
        if (sum === undefined || !isAsked(indicator, place)) continue;
        rows.push({
          kind: 'indicator',
          indicator: indicator.id,
          code: indicator.code,
          indicatorKind: indicator.kind,
          countsPeople: indicator.countsPeople,
          ...sum,
          target: targetFor(ofIndicators[at]!, place, null, day) ?? null,
        });
      }
      return {
        unit: place.unit,
        parent: place.unit === rootKey ? undefined : (place.parent ?? undefined),
        rows,
      };
    });
  }
}

async function gatherStaffing(tx: Executor, tree: readonly PlacedUnit[], root: string, day: string) {
  const places = new Map(tree.map((place) => [place.unit, place]));
  const sums = new Map<string, Staffing>();
  const counted = new Map<string, { students: number | null; studentsOn: string | null }>();
  const all = { after: undefined, limit: undefined };
  for (const facts of await listStaffingFacts(tx, [root], day, all)) {
    const staffed = judgeStaffing(facts);
    const unit = `-${facts.organizationId}`;
    const place = places.get(unit);
    if (staffed === undefined || place === undefined) continue;
    counted.set(unit, { students: facts.students, studentsOn: facts.studentsOn });
    for (const above of [unit, place.countyCode, place.prefectureCode, place.provinceCode])
      if (above !== null && places.has(above))
        sums.set(above, addStaffed(sums.get(above) ?? NO_STAFFING, staffed));
  }
  const researchers = await listResearchers(
    tx,
    [...places.keys()].filter((unit) => !unit.startsWith('-')),
    day,
  );
  return (unit: string) => ({
    ...(sums.get(unit) ?? NO_STAFFING),
    ...(researchers.get(unit) ?? NO_COUNTIES),
    ...(counted.get(unit) ?? { students: null, studentsOn: null }),
  });
}

function remarkOf(text: string | null): string | null {
  const remark = text?.trim() ?? '';
  if (remark.length > LONGEST_REMARK)
    throw new InvalidInput('input', `A remark or reason has at most ${LONGEST_REMARK} characters.`);
  return remark === '' ? null : remark;
}
