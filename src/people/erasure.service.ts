import { addDays, chinaDay, type Clock } from '../clock.ts';
import type { RetentionRule } from '../config.ts';
import { inPart } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, NotFound } from '../errors.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import { confirmationOf, whyBlocked, type Erasure, type ErasurePreview } from './erasure.ts';
import {
  findErasable,
  findErasure,
  finishErasure,
  insertErasure,
  insertTermEnded,
  listLastPlaces,
  listTermEnded,
} from './erasure.repository.ts';
import type { HoldingsWatcher } from './holdings.ts';
import { isSelf, may, scopesOf, type Viewer } from './permission.ts';
import type { ErasureGround, PersonalDataKeeper } from './personal-data.ts';
import { countRows } from './personal-data.repository.ts';
import { tryLockImports } from './roster/import.repository.ts';

export const ERASE_TASK = 'erase-person';
/** Each night: what has been kept long enough is forgotten. */
export const RETAIN_TASK = 'forget-what-is-over';
/** In one transaction: few enough that nobody waits for it. */
const FORGOTTEN_AT_ONCE = 2_000;
const ERASED_AT_ONCE = 50;

export type ErasureService = ReturnType<typeof makeErasureService>;

/**
 * Erases what is held about people, on request and when its time is over: articles 19 and 47 of the Personal Information Protection Law. What
 * the law of records asks for stays: certificates, credit records, and the days of posts without a name.
 */
export function makeErasureService({
  db,
  clock,
  regions,
  holdings,
  keepers,
  retentionDays,
}: {
  db: Database;
  clock: Clock;
  regions: RegionService;
  holdings: HoldingsWatcher;
  keepers: readonly PersonalDataKeeper[];
  retentionDays: Readonly<Record<RetentionRule, number>>;
}) {
  const today = (): string => chinaDay(clock.now());

  const preview = async (executor: Executor, personId: string): Promise<ErasurePreview | undefined> => {
    const found = await findErasable(executor, personId, today());
    if (found === undefined) return undefined;
    const parts: { name: string; fate: ErasurePreview['parts'][number]['fate']; rows: number }[] = [];
    for (const part of keepers.flatMap((keeper) => keeper.parts)) {
      const rows = await countRows(executor, part, personId);
      if (rows > 0) parts.push({ name: part.name, fate: part.fate, rows });
    }
    return { personId, parts, ...found, confirmation: confirmationOf(personId, parts) };
  };

  /** Where the person works, or worked last: whose auditors are to know. */
  const placesOf = async (personId: string): Promise<Organization[]> =>
    regions.listOrganizations(await listLastPlaces(db, personId));

  /** Oneself; else by where the person works or worked last, and for somebody who never did by a grant for the nation. */
  const isTheirs = async (viewer: Viewer, personId: string): Promise<boolean> => {
    if (isSelf(viewer, personId)) return true;
    if (scopesOf(viewer, 'people.erase').some((scope) => scope.kind === 'nation')) return true;
    const places = await placesOf(personId);
    return places.length > 0 && places.every((place) => may(viewer, 'people.erase', place));
  };

  const eraseAll = async (tx: Executor, personIds: readonly string[], at: Date): Promise<void> =>
    holdings.around(tx, personIds, async () => {
      for (const keeper of keepers) await keeper.erase?.(tx, personIds, at);
    });

  /** One batch of a rule. @returns how much it forgot. */
  const forget = async (
    rule: { name: string; forget: (tx: Executor) => Promise<number> },
    before: string,
  ): Promise<number> =>
    db.transaction().execute(async (tx) => {
      const rows = await rule.forget(tx);
      if (rows > 0)
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `worker:${RETAIN_TASK}`,
          action: 'retention.forget',
          subject: 'retention:all',
          detail: { rule: rule.name, rows, before },
        });
      return rows;
    });

  const eraseTermEnded = async (tx: Executor, before: string): Promise<number> => {
    // While a roster is taken in somebody may come back: another night.
    if (!(await tryLockImports(tx))) return 0;
    const personIds = await listTermEnded(tx, { before, day: today(), limit: ERASED_AT_ONCE });
    if (personIds.length === 0) return 0;
    const at = clock.now();
    await eraseAll(tx, personIds, at);
    for (const [personId, erasure] of await insertTermEnded(tx, personIds, at))
      await insertJournalEntry(tx, {
        at,
        actor: `worker:${RETAIN_TASK}`,
        action: 'erasure.apply',
        subject: `person:${personId}`,
        detail: { erasure, ground: 'term_ended' },
      });
    return personIds.length;
  };

  const service = {
    /** What erasing would remove and what must stay; undefined for somebody who is not there or not the viewer's to erase. */
    async preview(viewer: Viewer, personId: string): Promise<ErasurePreview | undefined> {
      return (await isTheirs(viewer, personId)) ? preview(db, personId) : undefined;
    },

    /**
     * Asks for a person to be erased; the worker does it. Asked for again while it waits, it is the same.
     * @param input.confirmation of a preview that still holds.
     * @throws NotFound; Conflict POST_OPEN, GRANT_OPEN, DOUBT_OPEN, ALREADY_ERASED, PREVIEW_CHANGED
     */
    async request(
      viewer: Viewer,
      input: { personId: string; ground: ErasureGround; confirmation: string },
    ): Promise<Erasure> {
      if (!(await isTheirs(viewer, input.personId))) throw new NotFound('The person');
      const places = await placesOf(input.personId);
      const id = await db.transaction().execute(async (tx) => {
        const found = await preview(tx, input.personId);
        if (found === undefined) throw new NotFound('The person');
        if (found.erasedAt !== null)
          throw new Conflict('ALREADY_ERASED', 'What could be erased has been erased.');
        if (found.blocked !== null) throw new Conflict(found.blocked, whyBlocked[found.blocked]);
        const waiting = await findErasure(tx, { queuedOf: input.personId });
        if (waiting !== undefined) return waiting.id;
        if (found.confirmation !== input.confirmation)
          throw new Conflict(
            'PREVIEW_CHANGED',
            'What is held has changed since the preview: look at it again, and confirm that one.',
          );
        const requestedAt = clock.now();
        const inserted = await insertErasure(tx, {
          personId: input.personId,
          ground: input.ground,
          requestedBy: viewer.personId,
          requestedAt,
        });
        // Somebody else was first, just now.
        if (inserted === undefined) return (await findErasure(tx, { queuedOf: input.personId }))!.id;
        // Or was first, and it is done by now.
        if ((await findErasable(tx, input.personId, today()))?.erasedAt !== null)
          throw new Conflict('ALREADY_ERASED', 'What could be erased has been erased.');
        await insertJournalEntry(tx, {
          at: requestedAt,
          actor: `person:${viewer.personId}`,
          action: 'erasure.request',
          subject: `person:${input.personId}`,
          personId: input.personId,
          units: places,
          detail: { erasure: inserted, ground: input.ground },
        });
        await insertDebt(tx, {
          task: ERASE_TASK,
          payload: { erasureId: inserted },
          key: `${ERASE_TASK}:${inserted}`,
        });
        return inserted;
      });
      return (await findErasure(db, { id }))!;
    },

    /** The worker's part: all of it or nothing. Done already, it does nothing. @throws Conflict IMPORT_RUNNING: to be tried again. */
    async erase(erasureId: string): Promise<void> {
      await db.transaction().execute(async (tx) => {
        const erasure = await findErasure(tx, { id: erasureId }, { lock: true });
        if (erasure?.state !== 'queued') return;
        if (!(await tryLockImports(tx)))
          throw new Conflict('IMPORT_RUNNING', 'A roster import is being applied; trying again after it.');
        const at = clock.now();
        const places = await regions.listOrganizations(await listLastPlaces(tx, erasure.personId));
        const { blocked: refusal } = (await findErasable(tx, erasure.personId, today()))!;
        if (refusal === null) await eraseAll(tx, [erasure.personId], at);
        await finishErasure(tx, erasure.id, { refusal, at });
        await insertJournalEntry(tx, {
          at,
          actor: `worker:${ERASE_TASK}`,
          action: refusal === null ? 'erasure.apply' : 'erasure.refuse',
          subject: `person:${erasure.personId}`,
          units: places,
          detail: { erasure: erasure.id, ground: erasure.ground, ...(refusal === null ? {} : { refusal }) },
        });
      });
    },

    /**
     * The worker's part, each night: every rule in small transactions until nothing is left to forget. It waits for nobody's lock and
     * leaves what it can't have to the next night. @returns how much each rule forgot.
     */
    async forgetWhatIsOver(): Promise<Record<string, number>> {
      const counts: Record<string, number> = {};
      const run = async (
        name: RetentionRule,
        work: (tx: Executor, over: { before: Date; day: string; limit: number }) => Promise<number>,
      ): Promise<void> => {
        const day = addDays(today(), -retentionDays[name]);
        const over = { before: new Date(`${day}T00:00:00+08:00`), day, limit: FORGOTTEN_AT_ONCE };
        counts[name] = 0;
        for (;;) {
          const rows = await forget({ name, forget: async (tx) => work(tx, over) }, day);
          counts[name] += rows;
          if (rows === 0) break;
        }
      };
      for (const rule of keepers.flatMap((keeper) => keeper.retention ?? []))
        await run(rule.name, async (tx, over) => rule.forget(tx, over));
      await run('people', async (tx, { day }) => eraseTermEnded(tx, day));
      await insertJournalEntry(db, {
        at: clock.now(),
        actor: `worker:${RETAIN_TASK}`,
        action: 'retention.run',
        subject: 'retention:all',
        detail: counts,
      });
      return counts;
    },
  };
  // What is held is all over the house, and whose it is was judged before.
  return inPart('keeper', service);
}
