import type { SessionService } from '../access/session.service.ts';
import { chinaDay, type Clock } from '../clock.ts';
import type { Database, Executor } from '../db/database.ts';
import { Refusal } from '../errors.ts';
import { inParallel } from '../in-parallel.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { Log } from '../log.ts';
import type { PeopleService } from '../people/people.service.ts';
import type { Viewer } from '../people/permission.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { MissingGlyph } from './fonts.ts';
import { groundsOf, postFor, type PlacesOf } from './issue-grounds.ts';
import type { IssueRequest, IssueRequestRow, RowRefusal } from './issue-request.ts';
import {
  beginLot,
  findIssueRequest,
  finishIssueRequest,
  listIssueRequestRows,
  listOpenLines,
  listStandings,
  settleRows,
  standingKey,
  type RowOutcome,
} from './issue-request.repository.ts';
import type { Drawn, Grounds, Issuing } from './issuing.service.ts';
import { TextDoesNotFit } from './layout.ts';

/** An approved request owes it: one lot, and then the next. */
export const ISSUE_LOT_TASK = 'issue-lot';
/** Rows issued in one transaction; so many are done before who approves has their answer. */
export const LOT = 50;
/** Drawn at once: what signs or stamps them may be another machine. */
const DRAWN_AT_ONCE = 4;

/** A row that may be issued, or why it may not. */
export type Judged = { readonly row: IssueRequestRow } & (
  | { readonly grounds: Grounds; readonly refusal?: undefined }
  | { readonly grounds?: undefined; readonly refusal: RowRefusal }
);

/**
 * What is approved is issued in lots, each row once or refused, on the responsibility of who approved it: it is their permission that counts,
 * at each lot anew.
 */
export function makeIssueLots({
  db,
  clock,
  log,
  sessions,
  people,
  programmes,
  issuing,
  placesOf,
}: {
  db: Database;
  clock: Clock;
  log: Log;
  sessions: SessionService;
  people: PeopleService;
  programmes: ProgrammeService;
  issuing: Issuing;
  placesOf: PlacesOf;
}) {
  /** Which rows may be issued now, on the responsibility of the viewer who approves. */
  const judge = async (
    viewer: Viewer,
    request: IssueRequest,
    rows: readonly IssueRequestRow[],
  ): Promise<Judged[]> => {
    const personIds = [...new Set(rows.map((row) => row.personId))];
    const persons = new Map((await people.listByIds(personIds)).map((person) => [person.id, person]));
    const certifications = new Map(
      (await programmes.listCertifications([...new Set(rows.map((row) => row.certificationId))])).map(
        (certification) => [certification.id, certification],
      ),
    );
    const places = await placesOf(viewer, personIds);
    const standings = await listStandings(db, rows);
    const issuedAt = clock.now();
    return rows.map((row) => {
      const certification = certifications.get(row.certificationId)!;
      const post = postFor(
        places.get(row.personId),
        certification,
        request.unit.kind === 'division' ? request.unit.code : undefined,
      );
      if (post === undefined) return { row, refusal: { code: 'PERSON_MOVED', detail: null } };
      if (row.validUntil !== null && row.validUntil < chinaDay(issuedAt))
        return { row, refusal: { code: 'EXPIRED_MEANWHILE', detail: null } };
      const standing = standings.get(standingKey(row.personId, row.certificationId))!;
      if (standing.hasCertificate) return { row, refusal: { code: 'ALREADY_ISSUED', detail: null } };
      const facts = {
        person: persons.get(row.personId)!,
        certification,
        post,
        period: standing.period,
        requestId: request.id,
        path: request.path,
      };
      return { row, grounds: groundsOf(row, facts, issuedAt) };
    });
  };

  /** Issues or refuses these rows, in one transaction; those that another worker was faster with are left as they are. */
  const settle = async (
    request: IssueRequest,
    judged: readonly Judged[],
    beganAt: Date,
  ): Promise<'more' | 'done'> => {
    const drawn = new Map<number, Drawn>();
    const outcomes = new Map<number, RowOutcome>();
    // Before the transaction: it takes the longest and locks nothing.
    await inParallel(judged, DRAWN_AT_ONCE, async ({ row: { line }, grounds, refusal }) => {
      if (refusal !== undefined) outcomes.set(line, { line, certificateId: null, refusal });
      else
        try {
          drawn.set(line, await issuing.draw(grounds));
        } catch (error) {
          if (!(error instanceof MissingGlyph || error instanceof TextDoesNotFit)) throw error;
          const unprintable: RowRefusal = { code: 'UNPRINTABLE', detail: error.message };
          outcomes.set(line, { line, certificateId: null, refusal: unprintable });
        }
    });
    return db.transaction().execute(async (tx) => {
      if (!(await beginLot(tx, request.id, { beganAt, at: clock.now() }))) return 'done';
      const lines = await listOpenLines(tx, request.id, [...drawn.keys()]);
      const ids = await issuing.put(
        tx,
        lines.map((line) => drawn.get(line)!),
        {
          actor: `person:${request.decidedBy!}`,
          detail: { request: request.id },
          units: [request.place],
        },
      );
      for (const [index, line] of lines.entries()) {
        const certificateId = ids[index] ?? null;
        const refusal: RowRefusal = { code: 'ALREADY_ISSUED', detail: null };
        outcomes.set(line, { line, certificateId, refusal: certificateId === null ? refusal : null });
      }
      if (!(await settleRows(tx, request.id, [...outcomes.values()]))) return 'more';
      await finish(tx, request.id, { state: 'approved', actor: `worker:${ISSUE_LOT_TASK}` });
      return 'done';
    });
  };
  /** Ends a request, in the caller's transaction. */
  const finish = async (
    tx: Executor,
    id: string,
    end: { state: 'approved' | 'cancelled'; actor: string },
  ): Promise<void> => {
    const at = clock.now();
    await finishIssueRequest(tx, id, { state: end.state, at });
    const { rowsIssued, rowsRefused, place } = (await findIssueRequest(tx, id))!;
    await insertJournalEntry(tx, {
      at,
      actor: end.actor,
      action: end.state === 'approved' ? 'issue-request.finish' : 'issue-request.cancel',
      subject: `issue-request:${id}`,
      detail: { rowsIssued, rowsRefused },
      units: [place],
    });
  };

  /** The next rows of a request that have not had their turn. */
  const issueNextLot = async (requestId: string): Promise<'more' | 'done'> => {
    const request = await findIssueRequest(db, requestId);
    if (request?.state !== 'issuing') return 'done';
    const beganAt = clock.now();
    const viewer = await sessions.viewerOf(request.decidedBy!);
    const rows = await listIssueRequestRows(db, requestId, {
      only: 'open',
      page: { after: undefined, limit: LOT },
    });
    const judged = await judge(viewer, request, rows);
    try {
      return await settle(request, judged, beganAt);
    } catch (error) {
      if (rows.length === 1 || error instanceof Refusal) throw error;
      log.warn({ request: requestId, error: String(error) }, 'a lot failed, and is tried row by row');
    }
    // One row may be at fault, for which the others need not wait. Where all fail the fault is elsewhere, and the job is tried again.
    const failed: Judged[] = [];
    let failure: unknown;
    let state: 'more' | 'done' = 'more';
    for (const each of judged)
      try {
        state = await settle(request, [each], beganAt);
      } catch (error) {
        if (error instanceof Refusal) throw error;
        failed.push({ row: each.row, refusal: { code: 'FAILED', detail: null } });
        failure = error;
      }
    if (failed.length === 0) return state;
    if (failed.length === judged.length) throw failure;
    for (const { row } of failed)
      log.error({ request: requestId, line: row.line, error: String(failure) }, 'a certificate failed');
    return settle(request, failed, beganAt);
  };

  return {
    judge,
    finish,
    issueNextLot,

    /** The worker's part: issues one lot of an approved request, and owes the next. Done already, or again: does nothing twice. */
    issueLot: async (requestId: string): Promise<void> => {
      if ((await issueNextLot(requestId)) === 'more') await oweLot(db, requestId, undefined);
    },
  };
}

/** @param notBefore undefined: as soon as the worker can. */
export async function oweLot(db: Executor, requestId: string, notBefore: Date | undefined): Promise<void> {
  await insertDebt(db, {
    task: ISSUE_LOT_TASK,
    payload: { requestId },
    key: `${ISSUE_LOT_TASK}:${requestId}`,
    ...(notBefore === undefined ? {} : { notBefore }),
  });
}
