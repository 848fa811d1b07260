import { chinaDay, type Clock } from '../clock.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound, RowsRefused, type RefusedRow } from '../errors.ts';
import { inParts } from '../db/acting.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { PeopleService } from '../people/people.service.ts';
import { may, type Viewer } from '../people/permission.ts';
import type { Person } from '../people/person.ts';
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
  recordedFrom,
  type IssueRequest,
  type IssueRequestRow,
  type IssueRequestState,
} from './issue-request.ts';
import {
  decideIssueRequest,
  findIssueRequest,
  insertIssueRequest,
  listCertificationIds,
  listIssueRequestRows,
  listIssueRequests,
  listOldNumbers,
  listStaffByNumber,
  listStandings,
  lockIssueRequests,
  standingKey,
  type StaffFound,
} from './issue-request.repository.ts';
import type { Drawn, Grounds, Issuing } from './issuing.service.ts';
import { MOST_ROWS, readOldCertificates, type OldColumn, type OldRow } from './old-certificate-rows.ts';
import { readTable } from './table.ts';
import { lastValidDay } from './validity.ts';

const MOST_REASON = 200;
const MOST_EVIDENCE = 500;
/** Some hundred rows are far from it. */
const MOST_BYTES = 2 * 1024 * 1024;

type Post = NonNullable<Grounds['post']>;
type NewRow = Omit<IssueRequestRow, 'requestId'>;

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
 * counts then; who asked may have lost theirs. Neither of them is a person whom it is about.
 */
export function makeIssueRequestService({
  db,
  clock,
  regions,
  people,
  courses,
  programmes,
  issuing,
}: {
  db: Database;
  clock: Clock;
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
    row: NewRow,
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
    evidence: evidenceOf({ ...row, requestId: facts.requestId }, facts.certification.issuerName),
    // Recognized by people, on what this service has not seen.
    evidenceGrade: 'C',
    completedOn: row.completedOn,
    recordedFrom: recordedFrom({ ...row, requestId: facts.requestId }),
    // It counts from the day it is recognized: the coverage of past days stays what it was.
    validFrom: chinaDay(issuedAt),
    validUntil: row.validUntil,
    issuedAt,
  });
  /** Tries whether it could be printed, before another looks at it. @returns why not. */
  const faultOfDrawing = async (
    row: NewRow,
    facts: Omit<Parameters<typeof groundsOf>[1], 'requestId'>,
  ): Promise<string | undefined> => {
    try {
      await issuing.tryDrawing(groundsOf(row, { ...facts, requestId: '0' }, clock.now()));
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
    rows: readonly NewRow[],
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
    decision: { state: 'approved' | 'declined'; remark: string | null },
  ): Promise<void> => {
    const now = await findIssueRequest(tx, id, { lock: true });
    if (now?.state !== 'waiting') throw alreadyDecided();
    await decideIssueRequest(tx, id, { ...decision, by: viewer.personId, at: clock.now() });
    await insertJournalEntry(tx, {
      at: clock.now(),
      actor: `person:${viewer.personId}`,
      action: decision.state === 'approved' ? 'issue-request.approve' : 'issue-request.decline',
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
      page: { after: number | undefined; limit: number },
    ): Promise<IssueRequestRow[]> => listIssueRequestRows(db, request.id, page),

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
      const row: NewRow = {
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
     * Issues everything that a request asks for, or nothing.
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
      const drawn: Drawn[] = [];
      for (const row of rows) {
        const certification = certifications.get(row.certificationId)!;
        const post = postFor(
          places.get(row.personId),
          certification,
          request.unit.kind === 'division' ? request.unit.code : undefined,
        );
        if (post === undefined)
          throw new Conflict(
            'PERSON_MOVED',
            `Line ${row.line}: the person works there no more, or not in a role that it is for.`,
          );
        if (row.validUntil !== null && row.validUntil < today())
          throw new Conflict('EXPIRED_MEANWHILE', `Line ${row.line}: it has expired on ${row.validUntil}.`);
        const standing = standings.get(standingKey(row.personId, row.certificationId))!;
        if (standing.hasCertificate) throw alreadyIssued(`Line ${row.line}: the person`);
        try {
          // One after the other, before the transaction: it takes the longest and locks nothing.
          drawn.push(
            await issuing.draw(
              groundsOf(
                row,
                {
                  person: persons.get(row.personId)!,
                  certification,
                  post,
                  period: standing.period,
                  requestId: request.id,
                  path: request.path,
                },
                issuedAt,
              ),
            ),
          );
        } catch (error) {
          if (!(error instanceof MissingGlyph || error instanceof TextDoesNotFit)) throw error;
          throw new InvalidInput('input.issueRequestId', `Line ${row.line}: ${error.message}`);
        }
      }
      await db.transaction().execute(async (tx) => {
        await decide(tx, viewer, request.id, { state: 'approved', remark });
        const ids = await issuing.put(tx, drawn, {
          actor: `person:${viewer.personId}`,
          detail: { request: request.id },
          units: [request.place],
        });
        const lost = ids.indexOf(undefined);
        if (lost !== -1) throw alreadyIssued(`Line ${rows[lost]!.line}: the person`);
      });
      return (await findIssueRequest(db, request.id))!;
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
    { requestManual: 'issuer', importOld: 'issuer', approve: 'issuer', decline: 'issuer' },
    service,
  );

  /** Who each row is about and what for, with every row that can't be placed. */
  async function place(
    viewer: Viewer,
    division: Division,
    rows: readonly OldRow[],
  ): Promise<{ known: NewRow[]; unplaced: RefusedRow[] }> {
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
    const known: NewRow[] = [];
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
      const placed: NewRow = {
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
