import { chinaDay, type Clock } from '../clock.ts';
import type { ExamService } from '../assessment/exam.service.ts';
import { ISSUE_TASK } from '../assessment/exam.service.ts';
import type { CourseVersion } from '../courses/course.ts';
import type { CourseService } from '../courses/course.service.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound } from '../errors.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { FlagService } from '../learning/flag.service.ts';
import type { LearningService } from '../learning/learning.service.ts';
import type { TimeService } from '../learning/time.service.ts';
import type { HoldingsWatcher } from '../people/holdings.ts';
import type { PeopleService } from '../people/people.service.ts';
import { ERASED_NAME } from '../people/personal-data.ts';
import { isSelf, may, type Viewer } from '../people/permission.ts';
import { maskName } from '../people/person.ts';
import { maskIdentities } from '../people/roster/roster.ts';
import type { Assignment } from '../programmes/certification.ts';
import type { ProgrammeService } from '../programmes/programme.service.ts';
import type { Division } from '../regions/division.ts';
import type { RegionService } from '../regions/region.service.ts';
import type { TitleService } from '../titles/title.service.ts';
import { stateOn, type Certificate, type CertificateState } from './certificate.ts';
import {
  findCertificateById,
  findCertificateByNumber,
  findCertificateOfAssignment,
  findRenewedCertificate,
  getDrawing,
  listCertificatesOf,
  revokeCertificate,
} from './certificate.repository.ts';
import { TextDoesNotFit } from './layout.ts';
import { findDocument } from './document.repository.ts';
import { findShortfalls, type Shortfall } from './eligibility.ts';
import { evidenceGradeOf, evidenceOfEarned } from './evidence.ts';
import { actingAs, inParts } from '../db/acting.ts';
import { MissingGlyph } from './fonts.ts';
import { certificateData } from './personal-data.repository.ts';
import type { Issuing } from './issuing.service.ts';
import { parseCertificateNumber, parseVerificationCode } from './number.ts';
import { lastValidDayRenewed, windowOpensOn } from './validity.ts';

/** What a verifier is told. `codeMatched` says whether the document itself was at hand. */
export interface Verification {
  readonly certificate: Certificate;
  readonly state: CertificateState;
  readonly codeMatched: boolean;
  /** Masked unless the code matched. */
  readonly holderName: string;
}

export type CertificateService = ReturnType<typeof makeCertificateService>;

export function makeCertificateService({
  db,
  clock,
  issuing,
  regions,
  people,
  courses,
  programmes,
  learning,
  time,
  flags,
  exams,
  titles,
  holdings,
}: {
  db: Database;
  clock: Clock;
  issuing: Issuing;
  regions: RegionService;
  people: PeopleService;
  courses: CourseService;
  programmes: ProgrammeService;
  learning: LearningService;
  time: TimeService;
  flags: FlagService;
  exams: ExamService;
  titles: TitleService;
  holdings: HoldingsWatcher;
}) {
  const today = (): string => chinaDay(clock.now());

  const shortfallsOf = async (executor: Executor, assignment: Assignment): Promise<Shortfall[]> => {
    const course = await programmes.courseOf(executor, assignment);
    const progress = await learning.listProgress(executor, assignment.id);
    return findShortfalls({
      manifest: course.manifest,
      completed: new Set(
        progress.filter((activity) => activity.completedAt !== null).map((activity) => activity.activityKey),
      ),
      attempts: await exams.listAttempts(executor, assignment.id),
      hours: await time.hoursIn(executor, assignment),
    });
  };

  /** The division that the certification is of. */
  const issuerOf = async (certificationId: string): Promise<Division[]> => {
    const [certification] = await programmes.listCertifications([certificationId]);
    return regions.listDivisions([certification!.divisionCode]);
  };

  /** Whether the viewer may do `permission` with this certificate: by where its holder works today. */
  const mayWith = async (
    viewer: Viewer,
    permission: 'certificate.read' | 'certificate.revoke',
    certificate: Certificate,
  ): Promise<boolean> => {
    const posts = await people.listPostsToday([certificate.personId]);
    const places = await regions.listOrganizations(posts.map((post) => post.organizationId));
    return [...places, ...(await issuerOf(certificate.certificationId))].some((place) =>
      may(viewer, permission, place),
    );
  };

  const visible = async (
    viewer: Viewer,
    certificate: Certificate | undefined,
  ): Promise<Certificate | undefined> => {
    if (certificate === undefined) return undefined;
    return isSelf(viewer, certificate.personId) || (await mayWith(viewer, 'certificate.read', certificate))
      ? certificate
      : undefined;
  };

  /** @throws NotFound when it is not there or not the viewer's to end; NotAllowed about oneself. */
  const getToEnd = async (viewer: Viewer, id: string): Promise<Certificate> => {
    const certificate = await findCertificateById(db, id);
    if (certificate === undefined || !(await mayWith(viewer, 'certificate.revoke', certificate)))
      throw new NotFound('The certificate');
    if (certificate.personId === viewer.personId)
      throw new NotAllowed('Nobody ends or corrects a certificate of their own; ask another issuer.');
    return certificate;
  };
  /** Everybody may read it: no identity number stands in it. @throws InvalidInput */
  const reasonOf = (given: string): string => {
    const reason = maskIdentities(given.trim());
    if (reason === '' || reason.length > 200)
      throw new InvalidInput(
        'input.reason',
        'Say why, in 1 to 200 characters; the verification page shows it.',
      );
    return reason;
  };
  const courseOf = async (certificate: Certificate): Promise<CourseVersion | undefined> =>
    certificate.courseVersionId === null
      ? undefined
      : (await courses.listVersions(db, [certificate.courseVersionId]))[0];

  const service = {
    /** What this room holds about people. */
    personalData: certificateData,
    stateOf: (certificate: Certificate): CertificateState => stateOn(certificate, today()),
    listShortfalls: async (assignment: Assignment): Promise<Shortfall[]> => shortfallsOf(db, assignment),
    listOwn: async (viewer: Viewer): Promise<Certificate[]> =>
      isSelf(viewer, viewer.personId) ? listCertificatesOf(db, viewer.personId) : [],
    findOfAssignment: async (assignmentId: string): Promise<Certificate | undefined> =>
      findCertificateOfAssignment(db, assignmentId),
    /** The certificate that an assignment of a later period renews; undefined for the first period, and where it was ended before time. */
    findRenewed: async (assignment: Assignment): Promise<Certificate | undefined> =>
      assignment.period === 1 ? undefined : findRenewedCertificate(db, assignment),
    /** From which day on its holder is assigned anew; undefined where there is no window, or it was ended before time. */
    async renewalOpensOn(certificate: Certificate): Promise<string | undefined> {
      const [certification] = await programmes.listCertifications([certificate.certificationId]);
      const { validUntil, revokedOn } = certificate;
      return certification!.renewalMonths === null || validUntil === null || revokedOn !== null
        ? undefined
        : windowOpensOn(validUntil, certification!.renewalMonths);
    },
    find: async (viewer: Viewer, id: string): Promise<Certificate | undefined> =>
      visible(viewer, await findCertificateById(db, id)),

    findByNumber: async (viewer: Viewer, numberText: string): Promise<Certificate | undefined> => {
      const number = parseCertificateNumber(numberText);
      return visible(viewer, number === undefined ? undefined : await findCertificateByNumber(db, number));
    },

    /**
     * The worker's part: issues what an assignment has earned. One decision, one transaction: certificate, document, credit
     * record, journal. Run again, or twice at once, it finds the certificate and does nothing.
     */
    async issue(assignmentId: string): Promise<void> {
      if ((await findCertificateOfAssignment(db, assignmentId)) !== undefined) return;
      const assignment = await programmes.getAssignment(db, assignmentId);
      // It is also owed when the hours suffice, and then nothing may have been passed yet.
      if ((await shortfallsOf(db, assignment)).length > 0) return;
      const [certification] = await programmes.listCertifications([assignment.certificationId]);
      const [person] = await people.listByIds([assignment.personId]);
      const { course, credited, declaredMs, time: counted } = await time.hoursOf(assignment);
      const posts = await people.listPostsToday([assignment.personId]);
      const post = posts.find((each) => certification!.roles.includes(each.role));
      const organization =
        post === undefined ? undefined : await regions.findOrganization(post.organizationId);
      const best = Math.max(
        ...(await exams.listAttempts(db, assignment.id)).flatMap((attempt) =>
          attempt.passed === true ? (attempt.percent ?? 0) : [],
        ),
      );

      const percent = Number.isFinite(best) ? best : null;
      const evidenceGrade = evidenceGradeOf({
        percent,
        creditedMs: counted.totalMs,
        declaredMs,
        flagsUpheld: (await flags.listOf(db, assignment.id)).filter(({ state }) => state === 'upheld').length,
      });

      const issuedAt = clock.now();
      const validFrom = chinaDay(issuedAt);
      const former = await service.findRenewed(assignment);
      // Drawn before the transaction: it takes the longest and locks nothing.
      const drawn = await issuing.draw({
        path: 'earned',
        assignmentId: assignment.id,
        requestId: null,
        person: person!,
        certification: certification!,
        period: assignment.period,
        post: post === undefined ? null : { role: post.role, organization },
        course,
        classHours: credited,
        percent,
        evidence: evidenceOfEarned(evidenceGrade),
        evidenceGrade,
        validFrom,
        // The last valid day: twelve months from 1 September end on 31 August.
        validUntil: lastValidDayRenewed(
          validFrom,
          former !== undefined && stateOn(former, validFrom) === 'valid'
            ? (former.validUntil ?? undefined)
            : undefined,
          certification!.validityMonths,
        ),
        issuedAt,
      });

      const issuer = await issuerOf(assignment.certificationId);
      await db.transaction().execute(async (tx) => {
        await programmes.getAssignment(tx, assignment.id, { lock: true });
        if ((await shortfallsOf(tx, assignment)).length > 0) return;
        await issuing.put(tx, [drawn], {
          actor: `worker:${ISSUE_TASK}`,
          detail: { assignment: assignment.id },
          units: issuer,
        });
      });
    },

    /** Open to everyone. undefined: there is no such certificate, and nothing more is told. */
    async verify(numberText: string, codeText: string | null): Promise<Verification | undefined> {
      const number = parseCertificateNumber(numberText);
      const certificate = number === undefined ? undefined : await findCertificateByNumber(db, number);
      if (certificate === undefined) return undefined;
      const codeMatched =
        codeText !== null && parseVerificationCode(codeText) === certificate.verificationCode;
      return {
        certificate,
        state: stateOn(certificate, today()),
        codeMatched,
        holderName: codeMatched ? certificate.claims.holderName : maskName(certificate.claims.holderName),
      };
    },

    /** The PDF as it was issued, byte for byte; undefined for a number that is not there or not the viewer's to see. */
    async findDocument(
      viewer: Viewer,
      numberText: string,
    ): Promise<{ certificate: Certificate; pdf: Buffer } | undefined> {
      const number = parseCertificateNumber(numberText);
      const certificate = await visible(
        viewer,
        number === undefined ? undefined : await findCertificateByNumber(db, number),
      );
      const pdf = certificate === undefined ? undefined : await findDocument(db, certificate.id);
      return certificate === undefined || pdf === undefined ? undefined : { certificate, pdf };
    },

    /**
     * Ends a certificate for a reason that the verification page will show. Its credit is withdrawn in the same transaction.
     * @throws NotFound when it is not there or not the viewer's to revoke; NotAllowed about oneself; Conflict ALREADY_REVOKED, ALREADY_SUPERSEDED.
     */
    async revoke(viewer: Viewer, input: { certificateId: string; reason: string }): Promise<Certificate> {
      const certificate = await getToEnd(viewer, input.certificateId);
      const reason = reasonOf(input.reason);
      const issuer = await issuerOf(certificate.certificationId);
      const end = async (tx: Executor): Promise<void> => {
        const now = await findCertificateByNumber(tx, certificate.number, { lock: true });
        refuseEnded(now!);
        await holdings.around(tx, [certificate.personId], async () =>
          revokeCertificate(tx, {
            id: certificate.id,
            by: viewer.personId,
            reason,
            at: clock.now(),
            on: today(),
            superseded: false,
          }),
        );
        await titles.recordWithdrawn(tx, certificate.id);
        await insertJournalEntry(tx, {
          at: clock.now(),
          actor: `person:${viewer.personId}`,
          action: 'certificate.revoke',
          subject: `certificate:${certificate.id}`,
          // Why stands in the certificate, and on the verification page.
          units: issuer,
          personId: certificate.personId,
        });
      };
      await actingAs('issuer', async () => db.transaction().execute(end));
      return (await findCertificateById(db, certificate.id))!;
    },

    /**
     * Issues a certificate in the place of another that says something wrong: with the holder's name as the roster has it today, and with
     * their post if that is asked for. Nothing else changes, and nothing that the viewer writes is printed, so one issuer is enough.
     * The old one ends in the same transaction, the credit moves over, and coverage stays what it was.
     * @throws NotFound; NotAllowed about oneself; InvalidInput where it can't be printed or there is no post; Conflict ALREADY_REVOKED,
     * ALREADY_SUPERSEDED.
     */
    async supersede(
      viewer: Viewer,
      input: { certificateId: string; reason: string; withPost: boolean },
    ): Promise<{ readonly certificate: Certificate; readonly superseded: Certificate }> {
      const old = await getToEnd(viewer, input.certificateId);
      const reason = reasonOf(input.reason);
      refuseEnded(old);
      const [person] = await people.listByIds([old.personId]);
      const [certification] = await programmes.listCertifications([old.certificationId]);
      const post = input.withPost
        ? (await people.listPostsToday([old.personId])).find(({ role }) =>
            certification!.roles.includes(role),
          )
        : undefined;
      if (input.withPost && post === undefined)
        throw new InvalidInput(
          'input.withPost',
          `The person holds no post today that it is for: ${certification!.roles.join(', ')}.`,
        );
      const organization =
        post === undefined ? undefined : await regions.findOrganization(post.organizationId);
      const issuer = await issuerOf(old.certificationId);
      const put = async (): Promise<string> => {
        let drawn;
        try {
          drawn = await issuing.drawAgain(old, {
            drawing: await getDrawing(db, old.id),
            course: await courseOf(old),
            // Who was erased has no name any more; the record keeps the one that it was issued to.
            holderName: person!.name === ERASED_NAME ? old.claims.holderName : person!.name,
            post: post === undefined ? null : { role: post.role, organization },
            by: viewer.personId,
            reason,
            at: clock.now(),
          });
        } catch (error) {
          if (!(error instanceof MissingGlyph || error instanceof TextDoesNotFit)) throw error;
          throw new InvalidInput('input.certificateId', error.message);
        }
        return db.transaction().execute(async (tx) => {
          refuseEnded((await findCertificateByNumber(tx, old.number, { lock: true }))!);
          const [id] = await issuing.put(tx, [drawn], {
            actor: `person:${viewer.personId}`,
            detail: { supersedes: old.id },
            units: issuer,
          });
          await insertJournalEntry(tx, {
            at: drawn.certificate.issuedAt,
            actor: `person:${viewer.personId}`,
            action: 'certificate.supersede',
            subject: `certificate:${old.id}`,
            detail: { successor: id },
            units: issuer,
            personId: old.personId,
          });
          return id!;
        });
      };
      const id = await actingAs('issuer', put);
      return {
        certificate: (await findCertificateById(db, id))!,
        superseded: (await findCertificateById(db, old.id))!,
      };
    },
  };
  return inParts({ issue: 'issuer', verify: 'gate' }, service);
}

/** @throws Conflict */
function refuseEnded(certificate: Certificate): void {
  if (certificate.revokedOn === null) return;
  throw certificate.superseded
    ? new Conflict('ALREADY_SUPERSEDED', 'Another certificate has taken the place of this one.')
    : new Conflict('ALREADY_REVOKED', 'This certificate has been revoked before.');
}
