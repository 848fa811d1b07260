import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { SessionService } from '../access/session.service.ts';
import { chinaDay, type Clock } from '../clock.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound, RowsRefused, type RefusedRow } from '../errors.ts';
import { inParts } from '../db/acting.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { Log } from '../log.ts';
import type { PeopleService } from '../people/people.service.ts';
import { may, type Viewer } from '../people/permission.ts';
import { writeRefusals } from '../people/roster/refusal-sheet.ts';
import { said } from '../people/roster/said.ts';
import type { IncomingFile } from '../people/roster/upload.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { covers, type Unit } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import { TextDoesNotFit } from './layout.ts';
import { MissingGlyph } from './fonts.ts';
import { groundsOf, makePlacesOf, postFor } from './issue-grounds.ts';
import { LOT, makeIssueLots, oweLot } from './issue-lots.ts';
import {
  reasonOf,
  type AskedRow,
  type IssueRequest,
  type IssueRequestRow,
  type IssueRequestState,
} from './issue-request.ts';
import {
  decideIssueRequest,
  findIssueRequest,
  insertIssueRequest,
  listIssueRequestRows,
  listIssueRequests,
  listOldNumbers,
  listRefusedPeople,
  listStandings,
  lockIssueRequests,
  standingKey,
} from './issue-request.repository.ts';
import type { Issuing } from './issuing.service.ts';
import { placeOldRows, readOldFile, type PrintFacts } from './old-certificate-placing.ts';
import { OLD_COLUMNS, type OldColumn } from './old-certificate-rows.ts';
import { lastValidDay } from './validity.ts';

/** Until then the mutation itself is at the lot that it answers with. */
const FIRST_LOT_MS = 60_000;

const MOST_REASON = 200;
const MOST_EVIDENCE = 500;

export interface ImportedOld {
  /** undefined: every row was known. */
  readonly request: IssueRequest | undefined;
  readonly rowsRead: number;
  /** Rows of certificates that are recorded already, or wait to be. */
  readonly unchanged: number;
}

export type IssueRequestService = ReturnType<typeof makeIssueRequestService>;

/**
 * Certificates outside of the earned path: one issuer asks, another decides. Who decides answers for it, so it is their permission that
 * counts then; who asked may have lost theirs. Neither of them is a person whom it is about. What is approved is issued in lots by the
 * worker, each row once or refused.
 */
export function makeIssueRequestService({
  db,
  clock,
  log,
  sessions,
  regions,
  people,
  courses,
  programmes,
  issuing,
}: {
  db: Database;
  clock: Clock;
  log: Log;
  sessions: SessionService;
  regions: RegionService;
  people: PeopleService;
  courses: CourseService;
  programmes: ProgrammeService;
  issuing: Issuing;
}) {
  const today = (): string => chinaDay(clock.now());
  const placesOf = makePlacesOf({ people, regions });

  /** Tries whether it could be printed, before another looks at it. @returns why not. */
  const faultOfDrawing = async (row: AskedRow, facts: PrintFacts): Promise<string | undefined> => {
    try {
      await issuing.tryDrawing(groundsOf(row, { ...facts, requestId: '0' }, clock.now()));
      // It takes milliseconds, in which nobody else is answered.
      await setImmediate();
      return undefined;
    } catch (error) {
      if (error instanceof MissingGlyph || error instanceof TextDoesNotFit) return error.message;
      throw error;
    }
  };

  const lots = makeIssueLots({ db, clock, log, sessions, people, programmes, issuing, placesOf });

  const textOf = (given: string, path: string, most: number): string => {
    const text = given.trim();
    if (text === '' || text.length > most) throw new InvalidInput(path, `From 1 to ${most} characters.`);
    return text;
  };

  const insert = async (
    tx: Executor,
    viewer: Viewer,
    given: { path: IssueRequest['path']; unit: Unit; reason: string },
    rows: readonly AskedRow[],
  ): Promise<string> => {
    const requestedAt = clock.now();
    const id = await insertIssueRequest(tx, { ...given, requestedBy: viewer.personId, requestedAt }, rows);
    await insertJournalEntry(tx, {
      at: requestedAt,
      actor: `person:${viewer.personId}`,
      action: 'issue-request.make',
      subject: `issue-request:${id}`,
      detail: { path: given.path, unit: given.unit, rows: rows.length },
      units: [(await findIssueRequest(tx, id))!.place],
    });
    return id;
  };

  /** @throws NotFound; NotAllowed for who asked and for whom it is about. */
  const getToDecide = async (
    viewer: Viewer,
    id: string,
  ): Promise<{ request: IssueRequest; rows: IssueRequestRow[] }> => {
    const request = await findIssueRequest(db, id);
    if (request === undefined || !may(viewer, 'certificate.issue', request.place))
      throw new NotFound('The request');
    if (request.requestedBy === viewer.personId)
      throw new NotAllowed('Another issuer than the one who asked has to decide.');
    const rows = await listIssueRequestRows(db, id);
    if (rows.some((row) => row.personId === viewer.personId))
      throw new NotAllowed('It is about a certificate of your own; another issuer has to decide.');
    return { request, rows };
  };
  /** Of two who decide at the same moment the second one learns that it is done. @throws Conflict ALREADY_DECIDED */
  const decide = async (
    tx: Executor,
    viewer: Viewer,
    id: string,
    decision: { state: 'issuing' | 'declined'; remark: string | null },
  ): Promise<void> => {
    const now = await findIssueRequest(tx, id, { lock: true });
    if (now?.state !== 'waiting') throw alreadyDecided();
    await decideIssueRequest(tx, id, { ...decision, by: viewer.personId, at: clock.now() });
    await insertJournalEntry(tx, {
      at: clock.now(),
      actor: `person:${viewer.personId}`,
      action: decision.state === 'issuing' ? 'issue-request.approve' : 'issue-request.decline',
      subject: `issue-request:${id}`,
      units: [now.place],
    });
  };

  const service = {
    /** For who may issue there; undefined for all others and for none, alike. */
    async find(viewer: Viewer, id: string): Promise<IssueRequest | undefined> {
      const request = await findIssueRequest(db, id);
      return request !== undefined && may(viewer, 'certificate.issue', request.place) ? request : undefined;
    },

    /** Of a unit and below it, newest first. @throws NotFound for a unit that is not there or not the viewer's. */
    async list(
      viewer: Viewer,
      input: {
        unit: Unit;
        state: IssueRequestState | undefined;
        page: { after: string | undefined; limit: number };
      },
    ): Promise<IssueRequest[]> {
      const place = await regions.findUnit(input.unit);
      if (place === undefined || !may(viewer, 'certificate.issue', place)) throw new NotFound('The unit');
      return listIssueRequests(db, input.unit, { state: input.state, ...input.page });
    },

    /** Of a request that was judged visible. */
    listRows: async (
      request: IssueRequest,
      { refused, page }: { refused: boolean; page: { after: number | undefined; limit: number } },
    ): Promise<IssueRequestRow[]> =>
      listIssueRequestRows(db, request.id, { only: refused ? 'refused' : undefined, page }),

    /**
     * The refused rows as a workbook that can be mended and asked for again; undefined for a request that is not there or not the viewer's.
     */
    async openRefusals(viewer: Viewer, id: string, language: 'zh-CN' | 'en'): Promise<Readable | undefined> {
      const request = await service.find(viewer, id);
      if (request === undefined) return undefined;
      const rows = await listIssueRequestRows(db, id, { only: 'refused' });
      const named = await listRefusedPeople(db, id);
      const columns = Object.keys(OLD_COLUMNS) as OldColumn[];
      const header = columns.map((column) => (language === 'en' ? column : OLD_COLUMNS[column][0]));
      const each = async function* () {
        for (const row of rows) {
          const person = named.get(row.line)!;
          const cells: Record<OldColumn, string> = {
            staff_number: person.staffNumber,
            source_id: person.sourceId,
            name: person.name,
            certification: person.certification,
            issued_on: row.completedOn,
            valid_until: row.validUntil ?? '',
            old_number: row.oldNumber ?? '',
            issuing_body: row.issuingBody ?? '',
            reason: row.evidence,
            class_hours: String(row.classHours),
          };
          yield {
            line: row.line,
            cells: columns.map((column) => cells[column]),
            refusals: [{ column: null, reason: reasonOf(row.refusal!, row) }],
          };
        }
      };
      const name = language === 'en' ? 'Old certificates' : '旧证书';
      return writeRefusals(rows.length === 0 ? [] : [{ name, header, rows: each() }], language);
    },

    /**
     * Asks for a certificate for somebody who was trained elsewhere.
     * @param input.completedOn last day of the training: the validity is counted from it.
     * @param input.classHours that are to be credited: no more than the certification's own course has.
     * @throws NotFound for a person who works nowhere that the viewer issues for; NotAllowed for oneself; InvalidInput;
     * Conflict ALREADY_ISSUED, REQUEST_WAITING
     */
    async requestManual(
      viewer: Viewer,
      input: {
        certificationId: string;
        personId: string;
        completedOn: string;
        classHours: number;
        reason: string;
        evidence: string;
      },
    ): Promise<IssueRequest> {
      const [person] = await people.listByIds([input.personId]);
      const posts = (await placesOf(viewer, [input.personId])).get(input.personId);
      if (person === undefined || posts === undefined) throw new NotFound('The person');
      if (person.id === viewer.personId)
        throw new NotAllowed('Nobody asks for a certificate of their own; ask another issuer.');
      const [certification] = await programmes.listCertifications([input.certificationId]);
      if (
        certification === undefined ||
        !posts.some(({ organization }) =>
          covers({ kind: 'division', code: certification.divisionCode }, organization!),
        )
      )
        throw new NotFound('The certification');
      const post = postFor(posts, certification);
      if (post === undefined)
        throw new InvalidInput(
          'input.certificationId',
          `The person holds no post that it is for: ${certification.roles.join(', ')}.`,
        );
      if (input.completedOn > today())
        throw new InvalidInput('input.completedOn', `${input.completedOn} is yet to come.`);
      const validUntil = lastValidDay(input.completedOn, certification.validityMonths);
      if (validUntil !== null && validUntil < today())
        throw new InvalidInput(
          'input.completedOn',
          `A certificate for what was completed then has expired on ${validUntil}.`,
        );
      const course = await courses.findCurrent(db, certification.courseSlug);
      const most = course?.manifest.classHours ?? 0;
      if (!(input.classHours >= 0 && input.classHours <= most))
        throw new InvalidInput(
          'input.classHours',
          `From 0 to ${most}, the class hours of the certification's course.`,
        );
      const row: AskedRow = {
        line: 1,
        personId: person.id,
        certificationId: certification.id,
        completedOn: input.completedOn,
        validUntil,
        classHours: input.classHours,
        evidence: textOf(input.evidence, 'input.evidence', MOST_EVIDENCE),
        oldNumber: null,
        issuingBody: null,
      };
      const reason = textOf(input.reason, 'input.reason', MOST_REASON);
      const fault = await faultOfDrawing(row, { person, certification, post, period: 1, path: 'manual' });
      if (fault !== undefined) throw new InvalidInput('input.personId', fault);
      const id = await db.transaction().execute(async (tx) => {
        await lockIssueRequests(tx);
        const standing = (await listStandings(tx, [row])).get(standingKey(person.id, certification.id))!;
        if (standing.hasCertificate) throw alreadyIssued('The person');
        if (standing.waiting !== undefined)
          throw new Conflict('REQUEST_WAITING', 'Such a certificate has been asked for and waits.');
        return insert(
          tx,
          viewer,
          { path: 'manual', unit: { kind: 'organization', id: post.organization!.id }, reason },
          [row],
        );
      });
      return (await findIssueRequest(db, id))!;
    },

    /**
     * Asks for the certificates of a file to be recorded: all of its rows or none. What is recorded or waits already is passed over, so
     * that the same file twice adds nothing.
     * @throws NotFound, InvalidInput; RowsRefused
     */
    async importOld(
      viewer: Viewer,
      input: { divisionCode: string; reason: string; file: IncomingFile },
    ): Promise<ImportedOld> {
      const division = await regions.findDivision(input.divisionCode);
      if (division === undefined || !may(viewer, 'certificate.issue', division))
        throw new NotFound(`Division ${input.divisionCode}`);
      const reason = textOf(input.reason, 'input.reason', MOST_REASON);
      const { rows, refused } = await readOldFile(input.file, today());
      const { known, unplaced } = await placeOldRows(
        { db, courses, programmes, placesOf, faultOfDrawing, today: today() },
        viewer,
        division,
        rows,
      );
      const faults = [...refused, ...unplaced].toSorted((a, b) => a.line - b.line);
      if (faults.length > 0) throw new RowsRefused(faults);
      if (rows.length === 0) throw new InvalidInput('input.file', 'There are no rows in it.');

      const id = await db.transaction().execute(async (tx) => {
        await lockIssueRequests(tx);
        const standings = await listStandings(tx, known);
        const numbers = await listOldNumbers(
          tx,
          known.flatMap(({ oldNumber }) => oldNumber ?? []),
        );
        const late: RefusedRow[] = [];
        const added = known.filter((row) => {
          const { hasCertificate, recorded, waiting } = standings.get(
            standingKey(row.personId, row.certificationId),
          )!;
          if (recorded.includes(row.oldNumber!) || waiting === row.oldNumber) return false;
          const refuse = (column: OldColumn, value: string | null, zh: string, en: string): void => {
            late.push({ line: row.line, column, value, reason: said(en, zh) });
          };
          if (hasCertificate)
            refuse('certification', null, '此人已有该认证的证书。', 'The person has a certificate of it.');
          else if (waiting !== undefined)
            refuse(
              'certification',
              null,
              '此人该认证的另一申请正待审核。',
              'Another request for it waits to be decided.',
            );
          const others = numbers.get(JSON.stringify([row.issuingBody, row.oldNumber])) ?? [];
          if (others.some((personId) => personId !== row.personId))
            refuse(
              'old_number',
              row.oldNumber,
              '此证书编号已登记给另一人。',
              'This number is recorded for another person.',
            );
          return true;
        });
        if (late.length > 0) throw new RowsRefused(late);
        if (added.length === 0) return undefined;
        const id = await insert(
          tx,
          viewer,
          { path: 'imported', unit: { kind: 'division', code: division.code }, reason },
          added,
        );
        return { id, added: added.length };
      });
      return {
        request: id === undefined ? undefined : await findIssueRequest(db, id.id),
        rowsRead: rows.length,
        unchanged: rows.length - (id?.added ?? 0),
      };
    },

    /**
     * Approves a request, for the worker to issue. One of a single lot has been issued when this returns, unless something failed: then
     * the worker tries again. Nothing is decided where not one of its rows can be issued.
     * @throws NotFound; NotAllowed; InvalidInput; Conflict ALREADY_DECIDED, ALREADY_ISSUED, PERSON_MOVED, EXPIRED_MEANWHILE
     */
    async approve(
      viewer: Viewer,
      input: { requestId: string; remark: string | null },
    ): Promise<IssueRequest> {
      const { request, rows } = await getToDecide(viewer, input.requestId);
      if (request.state !== 'waiting') throw alreadyDecided();
      const remark =
        input.remark === null || input.remark.trim() === ''
          ? null
          : textOf(input.remark, 'input.remark', MOST_REASON);
      const judged = await lots.judge(viewer, request, rows);
      const first = judged[0]!;
      if (first.refusal !== undefined && judged.every(({ refusal }) => refusal !== undefined))
        throw new Conflict(
          first.refusal.code,
          `Line ${first.row.line}: ${reasonOf(first.refusal, first.row).en}`,
        );
      const atOnce = rows.length <= LOT;
      await db.transaction().execute(async (tx) => {
        await decide(tx, viewer, request.id, { state: 'issuing', remark });
        await oweLot(tx, request.id, atOnce ? new Date(clock.now().getTime() + FIRST_LOT_MS) : undefined);
      });
      if (atOnce)
        await lots
          .issueNextLot(request.id)
          .catch((error: unknown) =>
            log.warn({ request: request.id, error: String(error) }, 'the worker will try to issue it again'),
          );
      return (await findIssueRequest(db, request.id))!;
    },

    issueLot: lots.issueLot,

    /**
     * Stops what was approved: whatever has been issued stands, and nothing more is once this returns. One that is over stays as it is.
     * @throws NotFound; Conflict NOT_DECIDED
     */
    async cancel(viewer: Viewer, id: string): Promise<IssueRequest> {
      if ((await service.find(viewer, id)) === undefined) throw new NotFound('The request');
      await db.transaction().execute(async (tx) => {
        const now = (await findIssueRequest(tx, id, { lock: true }))!;
        if (now.state === 'waiting')
          throw new Conflict('NOT_DECIDED', 'It waits to be decided: another issuer may decline it.');
        if (now.state === 'issuing')
          await lots.finish(tx, id, { state: 'cancelled', actor: `person:${viewer.personId}` });
      });
      return (await findIssueRequest(db, id))!;
    },

    /** @throws NotFound; NotAllowed; InvalidInput; Conflict ALREADY_DECIDED */
    async decline(viewer: Viewer, input: { requestId: string; reason: string }): Promise<IssueRequest> {
      const { request } = await getToDecide(viewer, input.requestId);
      const remark = textOf(input.reason, 'input.reason', MOST_REASON);
      await db
        .transaction()
        .execute(async (tx) => decide(tx, viewer, request.id, { state: 'declined', remark }));
      return (await findIssueRequest(db, request.id))!;
    },
  };
  // Standings and numbers are compared with all there are.
  return inParts(
    {
      openRefusals: 'issuer',
      requestManual: 'issuer',
      importOld: 'issuer',
      approve: 'issuer',
      issueLot: 'issuer',
      cancel: 'issuer',
      decline: 'issuer',
    },
    service,
  );
}

function alreadyIssued(who: string): Conflict {
  return new Conflict('ALREADY_ISSUED', `${who} has been issued a certificate of it before.`);
}

function alreadyDecided(): Conflict {
  return new Conflict('ALREADY_DECIDED', 'This request has been decided before.');
}
