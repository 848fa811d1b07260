import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { SessionService } from '../access/session.service.ts';
import { chinaDay, type Clock } from '../clock.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Database, Executor } from '../db/database.ts';
import {
  Conflict,
  InvalidInput,
  NotAllowed,
  NotFound,
  Refusal,
  RowsRefused,
  type RefusedRow,
} from '../errors.ts';
import { inParallel } from '../in-parallel.ts';
import { inParts } from '../db/acting.ts';
import { insertDebt, insertJournalEntry } from '../journal/journal.repository.ts';
import type { Log } from '../log.ts';
import type { PeopleService } from '../people/people.service.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Person } from '../people/person.ts';
import { writeRefusals } from '../people/roster/refusal-sheet.ts';
import { said, UnreadableFile } from '../people/roster/said.ts';
import { fileOf, type IncomingFile } from '../people/roster/upload.ts';
import type { Certification } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import { covers, type Division, type Unit } from '../regions/division.ts';
import type { Organization } from '../regions/organization.ts';
import type { RegionService } from '../regions/region.service.ts';
import { TextDoesNotFit } from './layout.ts';
import { MissingGlyph } from './fonts.ts';
import {
  evidenceOf,
  reasonOf,
  recordedFrom,
  type AskedRow,
  type IssueRequest,
  type IssueRequestRow,
  type IssueRequestState,
  type RowRefusal,
} from './issue-request.ts';
import {
  beginLot,
  decideIssueRequest,
  findIssueRequest,
  finishIssueRequest,
  insertIssueRequest,
  listCertificationIds,
  listIssueRequestRows,
  listIssueRequests,
  listOldNumbers,
  listOpenLines,
  listRefusedPeople,
  listStaffByNumber,
  listStandings,
  lockIssueRequests,
  settleRows,
  standingKey,
  type RowOutcome,
  type StaffFound,
} from './issue-request.repository.ts';
import type { Drawn, Grounds, Issuing } from './issuing.service.ts';
import {
  MOST_ROWS,
  OLD_COLUMNS,
  readOldCertificates,
  type OldColumn,
  type OldRow,
} from './old-certificate-rows.ts';
import { readTable } from './table.ts';
import { lastValidDay } from './validity.ts';

/** An approved request owes it: one lot, and then the next. */
export const ISSUE_LOT_TASK = 'issue-lot';
/** Rows issued in one transaction; so many are done before who approves has their answer. */
export const LOT = 50;
/** Drawn at once: what signs or stamps them may be another machine. */
const DRAWN_AT_ONCE = 4;
/** Until then the mutation itself is at the lot that it answers with. */
const FIRST_LOT_MS = 60_000;

const MOST_REASON = 200;
const MOST_EVIDENCE = 500;
/** As many rows as there may be are far from it. */
const MOST_BYTES = 8 * 1024 * 1024;

type Post = NonNullable<Grounds['post']>;

/** A row that may be issued, or why it may not. */
type Judged = { readonly row: IssueRequestRow } & (
  | { readonly grounds: Grounds; readonly refusal?: undefined }
  | { readonly grounds?: undefined; readonly refusal: RowRefusal }
);

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

  /** Where people work today as far as the viewer may issue there, by person. */
  const placesOf = async (viewer: Viewer, personIds: readonly string[]): Promise<Map<string, Post[]>> => {
    const posts = await people.listPostsToday(personIds);
    const organizations = new Map<string, Organization>();
    for (const each of await regions.listOrganizations([
      ...new Set(posts.map((post) => post.organizationId)),
    ]))
      organizations.set(each.id, each);
    const found = new Map<string, Post[]>();
    for (const post of posts) {
      const organization = organizations.get(post.organizationId);
      if (organization === undefined || !may(viewer, 'certificate.issue', organization)) continue;
      found.set(post.personId, [...(found.get(post.personId) ?? []), { role: post.role, organization }]);
    }
    return found;
  };
  /** The post that a certification is for, in a division if one is named. */
  const postFor = (
    posts: readonly Post[] | undefined,
    certification: Certification,
    divisionCode: string = certification.divisionCode,
  ): Post | undefined =>
    posts?.find(
      ({ role, organization }) =>
        certification.roles.includes(role) &&
        [certification.divisionCode, divisionCode].every((code) =>
          covers({ kind: 'division', code }, organization!),
        ),
    );

  const groundsOf = (
    row: AskedRow,
    facts: {
      person: Person;
      certification: Certification;
      post: Post;
      period: number;
      requestId: string;
      path: IssueRequest['path'];
    },
    issuedAt: Date,
  ): Grounds => ({
    ...facts,
    assignmentId: null,
    course: undefined,
    classHours: row.classHours,
    percent: null,
    evidence: evidenceOf(row, facts.certification.issuerName),
    // Recognized by people, on what this service has not seen.
    evidenceGrade: 'C',
    completedOn: row.completedOn,
    recordedFrom: recordedFrom(row),
    // It counts from the day it is recognized: the coverage of past days stays what it was.
    validFrom: chinaDay(issuedAt),
    validUntil: row.validUntil,
    issuedAt,
  });
  /** Tries whether it could be printed, before another looks at it. @returns why not. */
  const faultOfDrawing = async (
    row: AskedRow,
    facts: Omit<Parameters<typeof groundsOf>[1], 'requestId'>,
  ): Promise<string | undefined> => {
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
      const { rows, refused } = await readFile(input.file, today());
      const { known, unplaced } = await place(viewer, division, rows);
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
      const judged = await judge(viewer, request, rows);
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
        await issueNextLot(request.id).catch((error: unknown) =>
          log.warn({ request: request.id, error: String(error) }, 'the worker will try to issue it again'),
        );
      return (await findIssueRequest(db, request.id))!;
    },

    /** The worker's part: issues one lot of an approved request, and owes the next. Done already, or again: does nothing twice. */
    async issueLot(requestId: string): Promise<void> {
      if ((await issueNextLot(requestId)) === 'more') await oweLot(db, requestId, undefined);
    },

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
          await finish(tx, id, { state: 'cancelled', actor: `person:${viewer.personId}` });
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

  /** Who each row is about and what for, with every row that can't be placed. */
  async function place(
    viewer: Viewer,
    division: Division,
    rows: readonly OldRow[],
  ): Promise<{ known: AskedRow[]; unplaced: RefusedRow[] }> {
    const found = await listStaffByNumber(db, division.code, today(), {
      staffNumbers: rows.flatMap((row) => row.staffNumber ?? []),
      sourceIds: rows.flatMap((row) => row.sourceId ?? []),
    });
    const above = [division.provinceCode, division.prefectureCode, division.countyCode].filter(
      (code) => code !== null,
    );
    const ids = await listCertificationIds(db, above, [...new Set(rows.map((row) => row.certification))]);
    const certifications = new Map(
      (await programmes.listCertifications([...ids.values()].flat())).map((each) => [each.id, each]),
    );
    const hours = new Map<string, number>();
    for (const { id, courseSlug } of certifications.values())
      hours.set(id, (await courses.findCurrent(db, courseSlug))?.manifest.classHours ?? 0);
    const places = await placesOf(
      viewer,
      found.map((each) => each.personId),
    );
    const known: AskedRow[] = [];
    const unplaced: RefusedRow[] = [];
    const seen = new Map<string, number>();
    for (const row of rows) {
      const before = unplaced.length;
      const refuse = (column: OldColumn, value: string | null, zh: string, en: string): void => {
        unplaced.push({ line: row.line, column, value, reason: said(en, zh) });
      };
      const [column, number]: [OldColumn, string] =
        row.staffNumber === null ? ['source_id', row.sourceId!] : ['staff_number', row.staffNumber];
      const people = found.filter((each) => isOf(each, row));
      const [person] = people;
      if (person === undefined || people.length > 1) {
        refuse(
          column,
          number,
          people.length > 1 ? '本地区有多人使用此编号。' : '本地区在岗人员中没有此编号。',
          people.length > 1 ? 'Several people there have it.' : 'Nobody who works there has it.',
        );
        continue;
      }
      if (plainName(person.name) !== plainName(row.name))
        refuse('name', row.name, '与花名册中的姓名不符。', 'The roster has another name.');
      if (person.personId === viewer.personId)
        refuse(column, number, '不能为本人登记证书。', 'Nobody records a certificate of their own.');
      const which = ids.get(row.certification) ?? [];
      const certification = which.length === 1 ? certifications.get(which[0]!) : undefined;
      if (certification === undefined) {
        refuse(
          'certification',
          row.certification,
          which.length > 1 ? '本地区有多个认证使用此代码。' : '本地区没有此代码的认证。',
          which.length > 1 ? 'Several certifications there have it.' : 'No certification there has it.',
        );
        continue;
      }
      const post = postFor(places.get(person.personId), certification, division.code);
      if (post === undefined)
        refuse(
          'certification',
          row.certification,
          '此人在本地区的岗位不属于该认证的对象。',
          'The person holds no post there that it is for.',
        );
      const last = lastValidDay(row.issuedOn, certification.validityMonths);
      const validUntil = row.validUntil ?? last;
      if (last !== null && validUntil !== null && validUntil > last)
        refuse(
          'valid_until',
          row.validUntil,
          `晚于该认证允许的 ${last}。`,
          `Later than the certification permits, ${last}.`,
        );
      if (validUntil !== null && validUntil < today())
        refuse(
          row.validUntil === null ? 'issued_on' : 'valid_until',
          row.validUntil ?? row.issuedOn,
          `已于 ${validUntil} 过期。`,
          `It has expired on ${validUntil}.`,
        );
      const most = hours.get(certification.id)!;
      if (row.classHours > most)
        refuse(
          'class_hours',
          String(row.classHours),
          `超过该认证课程的 ${most} 学时。`,
          `More than the ${most} class hours of the certification's course.`,
        );
      const key = standingKey(person.personId, certification.id);
      if (seen.has(key))
        refuse(
          column,
          number,
          `第 ${seen.get(key)} 行已有此人该认证的证书。`,
          `Line ${seen.get(key)} has a certificate of it for the same person.`,
        );
      seen.set(key, row.line);
      if (unplaced.length > before) continue;
      const placed: AskedRow = {
        line: row.line,
        personId: person.personId,
        certificationId: certification.id,
        completedOn: row.issuedOn,
        validUntil,
        classHours: row.classHours,
        evidence: row.reason,
        oldNumber: row.oldNumber,
        issuingBody: row.issuingBody,
      };
      const fault = await faultOfDrawing(placed, {
        person: { id: person.personId, name: person.name, staffNumber: person.staffNumber },
        certification,
        post: post!,
        period: 1,
        path: 'imported',
      });
      if (fault !== undefined) refuse('old_number', row.oldNumber, `证书无法排印：${fault}`, fault);
      else known.push(placed);
    }
    return { known, unplaced };
  }
}

/** @throws InvalidInput for what is no table. */
async function readFile(
  file: IncomingFile,
  today: string,
): Promise<{ rows: OldRow[]; refused: RefusedRow[] }> {
  if (file.size > MOST_BYTES)
    throw new InvalidInput('input.file', `The file is larger than ${MOST_BYTES / 1024 / 1024} MB.`);
  const pieces: Uint8Array[] = [];
  for await (const piece of file.stream()) pieces.push(piece);
  try {
    const table = await readTable(fileOf({ name: file.name, bytes: Buffer.concat(pieces) }), MOST_ROWS);
    return readOldCertificates(table, today);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new InvalidInput('input.file', `${error.said['zh-CN']} ${error.message}`);
  }
}

async function oweLot(db: Executor, requestId: string, notBefore: Date | undefined): Promise<void> {
  await insertDebt(db, {
    task: ISSUE_LOT_TASK,
    payload: { requestId },
    key: `${ISSUE_LOT_TASK}:${requestId}`,
    ...(notBefore === undefined ? {} : { notBefore }),
  });
}

/** Both numbers must be the person's where both are given. */
function isOf(person: StaffFound, row: OldRow): boolean {
  return (
    (row.staffNumber === null || person.staffNumber === row.staffNumber) &&
    (row.sourceId === null || person.sourceIds.includes(row.sourceId))
  );
}

/** Names are compared without the spaces that forms put between two characters. */
function plainName(name: string): string {
  return name.normalize('NFKC').replaceAll(/\s/g, '');
}

function alreadyIssued(who: string): Conflict {
  return new Conflict('ALREADY_ISSUED', `${who} has been issued a certificate of it before.`);
}

function alreadyDecided(): Conflict {
  return new Conflict('ALREADY_DECIDED', 'This request has been decided before.');
}
