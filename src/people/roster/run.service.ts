import { createSecretKey } from 'node:crypto';
import type { ClientBase } from 'pg';
import { addDays, chinaDay, type Clock } from '../../clock.ts';
import type { Database, Executor } from '../../db/database.ts';
import type { RegionService } from '../../regions/region.service.ts';
import { aboutRow, contactKinds } from '../contact.ts';
import { applyContacts, stageContactsInOrder } from '../contact.repository.ts';
import { RESEAL_TASK } from '../contact.service.ts';
import { insertDebt } from '../../journal/journal.repository.ts';
import type { HoldingsWatcher } from '../holdings.ts';
import { hashIdentityNumber, isIdentityNumber } from '../person.ts';
import { listPeopleAt } from '../person.repository.ts';
import type { Seals } from '../sealing.ts';
import { keepDoubts, stageDoubt } from './doubt.repository.ts';
import {
  listRosterImportFiles,
  tellProgress,
  type ImportCounts,
  type Progress,
  type RosterImport,
} from './import.repository.ts';
import {
  analyzePeople,
  applyPeople,
  applyPostsOfKnown,
  applyPostsOfNew,
  changedPeople,
  matchPeople,
  matchPosts,
  newPeople,
  readPlan,
  stagePlaces,
  type Place,
  type Plan,
} from './matching.repository.ts';
import { openRoster } from './open.ts';
import { planOrganizations } from './place.ts';
import {
  maskContactCell,
  maskIdentity,
  maskIdentities,
  type Given,
  type GivenOrganization,
  type GivenPerson,
  type Roster,
} from './roster.ts';
import {
  analyzeStaging,
  createStaging,
  keepRefusals,
  listBareRefusals,
  stageRefusals,
  StagingWriter,
} from './staging.repository.ts';
import { UnreadableFile } from './said.ts';
import { narrow } from './text.ts';

/** So few that a share of them says nothing. */
const FEW_POSTS = 5;
/** Rows written in one statement. */
const PIECE = 25_000;
const TELL_EVERY_MS = 400;

/** Somebody asked for the import to stop. */
export class Cancelled extends Error {
  override name = 'Cancelled';
}

type Tell = (phase: Progress['phase'], rowsDone: number, rowsTotal: number) => Promise<void>;

/**
 * What an import does once its turn has come: reads, compares, and (unless it is a dry run) writes. It tells how far it is through `db`,
 * outside of its transaction.
 * @returns a function that takes the transaction, the connection the transaction runs on, and the import.
 * @throws UnreadableFile, Cancelled: then nothing of it may stay.
 */
export function makeImportRun({
  db,
  clock,
  identityKey,
  seals,
  regions,
  holdings,
}: {
  db: Database;
  clock: Clock;
  identityKey: Buffer;
  seals: Seals;
  regions: RegionService;
  holdings: HoldingsWatcher;
}) {
  // Made once: making it for each number would take longer than hashing it.
  const key = createSecretKey(identityKey);

  return async (tx: Executor, client: ClientBase, queued: RosterImport): Promise<ImportCounts> => {
    const { source } = queued;
    const today = chinaDay(clock.now());
    const yesterday = addDays(today, -1);
    const tell = teller(queued.id);

    const roster =
      queued.doubtId === null
        ? await openRoster(await listRosterImportFiles(db, queued.id, seals.uploads))
        : waitingRow;
    await createStaging(tx);
    if (queued.doubtId !== null) await stageDoubt(tx, queued.doubtId);
    const read = await stage(client, roster, source, tell);
    await tell('matching', 0, read.rowsRead);
    await analyzeStaging(tx);
    const places = await planPlaces(tx, queued, roster, read.organizations, yesterday);
    await stageRefusals(tx, places.refused);
    const endMissing = (queued.endMissing ?? roster.saysAll) && read.everyRowIsAboutSomebody;
    await stagePlaces(tx, source, places.listed);
    await matchPeople(tx, source, roster);
    await tell('matching', Math.floor(read.rowsRead / 2), read.rowsRead);
    await matchPosts(tx, source, roster, { today, yesterday, endMissing });
    const plan = await readPlan(tx, endMissing, today);
    if (!queued.dryRun) {
      refuseManyEnds(plan, queued.mostEnded);
      const { repeats } = roster;
      await write(tx, source, { places, plan, today, tell, repeats, contacts: read.contacts });
      await keepDoubts(tx, queued);
    }
    await stageBareRows(client, roster, await listBareRefusals(tx));
    return {
      rowsRead: read.rowsRead,
      rowsIgnored: read.rowsIgnored,
      rowsRefused: await keepRefusals(tx, queued.id),
      organizationsAdded: places.insert.length,
      organizationsChanged: places.update.length,
      peopleAdded: plan.peopleAdded,
      peopleChanged: plan.peopleChanged,
      peopleMissing: plan.peopleMissing,
      postsAdded: plan.postsAdded,
      postsChanged: plan.postsChanged,
      postsEnded: plan.postsEnded,
    };
  };

  /** Tells how far it is, not more often than anybody looks. @throws Cancelled */
  function teller(importId: string): Tell {
    let toldAt = 0;
    let toldPhase: string | undefined;
    return async (phase, rowsDone, rowsTotal) => {
      if (phase === toldPhase && performance.now() - toldAt < TELL_EVERY_MS && rowsDone < rowsTotal) return;
      toldAt = performance.now();
      toldPhase = phase;
      if (await tellProgress(db, importId, { phase, rowsDone, rowsTotal, toldAt: clock.now() }))
        throw new Cancelled();
    };
  }

  /** Reads the files into the staging tables. */
  async function stage(client: ClientBase, roster: Roster, source: string, tell: Tell) {
    const staging = new StagingWriter(client);
    const organizations: GivenOrganization[] = [];
    let rowsRead = 0;
    let rowsIgnored = 0;
    let everyRowIsAboutSomebody = true;
    let header: Extract<Given, { kind: 'header' }> | undefined;
    let row: Extract<Given, { kind: 'row' }> | undefined;
    await tell('reading', 0, roster.rows);
    for await (const batch of roster.read()) {
      for (const given of batch)
        switch (given.kind) {
          case 'header':
            header = given;
            // A row of data may stand where a header should.
            staging.refusedRow(given.file, 1, given.cells.map(maskIdentities));
            break;
          case 'row':
            row = given;
            rowsRead += 1;
            break;
          case 'organization':
            organizations.push(withoutNumbers(given.organization));
            break;
          case 'person':
            stagePerson(staging, source, given.person);
            break;
          case 'post':
            stagePost(staging, given);
            break;
          case 'ignored':
            rowsIgnored += 1;
            break;
          case 'refused':
            staging.refuse(given.refused);
            staging.refusedRow(given.refused.file, given.refused.line, maskedCells(row!, header!));
            if (given.ref === null) everyRowIsAboutSomebody = false;
            else if (given.ref !== undefined) staging.spare(refOf(given.ref));
            break;
        }
      if (staging.isFull) {
        await staging.flush();
        await tell('reading', rowsRead, roster.rows);
      }
    }
    await staging.end();
    return {
      organizations,
      rowsRead,
      rowsIgnored,
      everyRowIsAboutSomebody,
      contacts: staging.contacts > 0,
    };
  }

  function stagePerson(staging: StagingWriter, source: string, person: GivenPerson): void {
    const ref = refOf(person.ref);
    const identityNumber = person.identityNumber ?? (ref === person.ref ? null : numberIn(person.ref));
    staging.person(
      {
        ...person,
        ref,
        identityNumber,
        name: maskIdentities(person.name),
        staffNumber:
          person.staffNumber !== null && numberIn(person.staffNumber) !== null ? null : person.staffNumber,
      },
      identityNumber === null ? undefined : hashIdentityNumber(identityNumber, key),
    );
    if (person.contacts === undefined) return;
    for (const kind of contactKinds) {
      const value = person.contacts[kind];
      if (value === undefined) continue;
      const about = aboutRow(source, ref, kind);
      staging.contact(
        { line: person.line, ref },
        kind,
        seals.fingerprint(value, about),
        seals.contacts.seal(value, about),
      );
    }
  }

  function stagePost(staging: StagingWriter, { ref, line, post }: Extract<Given, { kind: 'post' }>): void {
    const organizationSourceId = refOf(post.organizationSourceId);
    staging.post(
      refOf(ref),
      line,
      organizationSourceId === post.organizationSourceId ? post : { ...post, organizationSourceId },
    );
  }

  /** Nobody's number stands in for that of an organization, nor in its name. */
  function withoutNumbers(organization: GivenOrganization): GivenOrganization {
    const { sourceId, parentSourceId, identifier, name } = organization;
    return {
      ...organization,
      sourceId: refOf(sourceId),
      parentSourceId: parentSourceId === null ? null : refOf(parentSourceId),
      identifier: identifier === null ? null : refOf(identifier),
      name: maskNumbers(name),
    };
  }

  /** What the source calls somebody. Where it uses identity numbers for that, a keyed hash of it, since none is ever stored. */
  function refOf(ref: string): string {
    const number = numberIn(ref);
    return number === null ? ref : `${maskIdentity(number)}#${hashIdentityNumber(number, key).slice(0, 32)}`;
  }

  /** Rows whose refusal was found by comparing: they are read once more, for what stood in them. */
  async function stageBareRows(
    client: ClientBase,
    roster: Roster,
    bare: ReadonlyMap<string, ReadonlySet<number>>,
  ): Promise<void> {
    if (bare.size === 0) return;
    const staging = new StagingWriter(client);
    let header: Extract<Given, { kind: 'header' }> | undefined;
    for await (const batch of roster.read()) {
      for (const given of batch) {
        if (given.kind === 'header') header = given;
        // One that waited has no header, and stands with its doubt.
        if (given.kind === 'row' && header !== undefined && bare.get(header.file)?.has(given.line) === true)
          staging.refusedRow(header.file, given.line, maskedCells(given, header));
      }
      if (staging.isFull) await staging.flush();
    }
    await staging.end();
  }

  /** Where the organizations of the file stand, and which of them are new. */
  async function planPlaces(
    tx: Executor,
    queued: RosterImport,
    roster: Roster,
    given: readonly GivenOrganization[],
    yesterday: string,
  ) {
    const scope = (await regions.findDivision(queued.divisionCode, tx))!;
    const known = await regions.listKnownOrganizations(
      tx,
      queued.source,
      given.map((organization) => organization.sourceId),
    );
    const codes = new Set([
      scope.code,
      ...given.flatMap((organization) => organization.divisionCode ?? []),
      ...[...known.values()].map((organization) => organization.divisionCode),
    ]);
    const divisions = new Map(
      (await regions.listDivisions([...codes], tx)).map((division) => [division.code, division]),
    );
    const plan = planOrganizations(given, {
      scope,
      divisions,
      known,
      columns: roster.organizations,
      yesterday,
    });
    const ids = await regions.takeOrganizationIds(tx, plan.insert.length);
    const insert = plan.insert.map((organization, index) => ({ ...organization, id: ids[index]! }));
    const listed: Place[] = [...insert, ...plan.update, ...plan.unchanged].map((organization) => ({
      id: organization.id,
      sourceId: organization.sourceId,
      isListed: true,
      closes: organization.closedOn !== null,
    }));
    return {
      insert,
      update: plan.update,
      refused: plan.refused,
      listed,
      /** They stand elsewhere from now on, and their people with them. */
      moved: plan.update
        .filter(({ sourceId, division }) => known.get(sourceId)!.divisionCode !== division.code)
        .map(({ id }) => id),
    };
  }

  async function write(
    tx: Executor,
    source: string,
    {
      places,
      plan,
      today,
      tell,
      repeats,
      contacts,
    }: {
      places: Awaited<ReturnType<typeof planPlaces>>;
      plan: Plan;
      today: string;
      tell: Tell;
      repeats: boolean;
      contacts: boolean;
    },
  ): Promise<void> {
    await holdings.around(tx, await listPeopleAt(tx, places.moved), async () =>
      regions.saveOrganizations(tx, source, [...places.insert, ...places.update]),
    );
    const rows = plan.lastPerson + plan.lastPost;
    for (let at = 0; at < plan.lastPerson; at += PIECE) {
      await tell('writing', at, rows);
      await applyPeople(tx, source, at, at + PIECE);
    }
    for (let at = 0; at < plan.lastPost; at += PIECE) {
      await tell('writing', plan.lastPerson + at, rows);
      await applyPostsOfNew(tx, today, at, at + PIECE);
    }
    if (contacts) {
      await stageContactsInOrder(tx, { repeats });
      let changed = 0n;
      for (let at = 0; at < plan.lastPerson; at += PIECE) {
        await tell('writing', rows, rows);
        changed += await applyContacts(tx, source, { from: at, until: at + PIECE, at: clock.now() });
      }
      // They are sealed about the row; the job seals them about the person.
      if (changed > 0n) await insertDebt(tx, { task: RESEAL_TASK, payload: {}, key: RESEAL_TASK });
    }
    await tell('counting', 0, rows);
    if (plan.peopleAdded > PIECE) await analyzePeople(tx);
    await holdings.around(tx, changedPeople, async () => applyPostsOfKnown(tx, today));
    if (plan.peopleAdded > 0) await holdings.added(tx, newPeople);
    await tell('counting', rows, rows);
  }
}

/** A text in which no identity number stands, but whatever else is as long. */
function maskNumbers(text: string): string {
  return text.replaceAll(/[\d０-９]{17}[\dXx０-９Ｘｘ]/g, (number) =>
    numberIn(number) === null ? number : maskIdentity(number),
  );
}

/** The identity number that a text is; null: it is none. */
function numberIn(text: string): string | null {
  if (text.length !== 18) return null;
  const number = narrow(text).toUpperCase();
  return isIdentityNumber(number) ? number : null;
}

/** One that waited for a decision: it is staged from where it waited, and no file is read. */
const waitingRow: Roster = {
  rows: 1,
  organizations: {
    file: 'orgs.csv',
    refColumn: 'sourcedId',
    parentColumn: 'parentSourcedId',
    divisionColumn: 'metadata.divisionCode',
  },
  people: { file: 'users.csv', refColumn: 'sourcedId', identityColumn: 'metadata.identityNumber' },
  posts: { file: 'users.csv', organizationColumn: 'metadata.postOrgs' },
  repeats: false,
  saysAll: false,
  async *read() {
    yield [{ kind: 'row', line: 1, cells: [] }];
  },
};

/** @throws UnreadableFile */
function refuseManyEnds({ postsEnded: ended, postsOpen: open }: Plan, most: number): void {
  if (ended > FEW_POSTS && ended > most * open)
    throw new UnreadableFile(
      `It would end ${ended} of ${open} open posts (${Math.round((ended / open) * 100)} %), and may end ${Math.round(most * 100)} %. If that is meant, send it again with mostEnded ${Math.ceil((ended / open) * 100) / 100}.`,
      `将结束 ${open} 个在任岗位中的 ${ended} 个（${Math.round((ended / open) * 100)}%），上限为 ${Math.round(most * 100)}%。如确属如此，请以 mostEnded ${Math.ceil((ended / open) * 100) / 100} 重新提交。`,
    );
}

/** Cells that may be kept and shown: whatever stands in a column, no identity number does. */
function maskedCells(
  row: Extract<Given, { kind: 'row' }>,
  header: Extract<Given, { kind: 'header' }>,
): string[] {
  // A row of another length may have its identity number anywhere, and its contacts.
  const isMoved = row.cells.length !== header.cells.length;
  return row.cells.map((cell, index) => {
    if (index === header.secret || (header.secret !== -1 && isMoved)) return maskIdentity(cell);
    const isContact = header.contacts?.includes(index) === true || (isMoved && header.contacts?.length !== 0);
    return isContact ? maskContactCell(maskIdentities(cell)) : maskIdentities(cell);
  });
}
