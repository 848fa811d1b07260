import { chinaDay } from '../clock.ts';
import type { CredentialKey } from '../config.ts';
import type { CourseVersion } from '../courses/course.ts';
import { describeReview } from '../courses/review.ts';
import type { Text } from '../courses/notation.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict } from '../errors.ts';
import type { Concerned } from '../journal/journal.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { HoldingsWatcher } from '../people/holdings.ts';
import type { Person } from '../people/person.ts';
import type { Role } from '../people/role.ts';
import type { Certification } from '../programmes/certification.ts';
import type { Organization } from '../regions/organization.ts';
import type { TitleService } from '../titles/title.service.ts';
import type { Certificate, CertificatePath } from './certificate.ts';
import {
  insertCertificate,
  revokeCertificate,
  takeStatusEntry,
  type Drawing,
  type NewCertificate,
} from './certificate.repository.ts';
import { credentialJwt, credentialOf } from './credential/credential.ts';
import { signingKey } from './credential/did.ts';
import { qrClaims, qrText } from './credential/qr-text.ts';
import { LIST_LENGTH, type StatusEntry } from './credential/status-list.ts';
import type { EvidenceGrade } from './evidence.ts';
import { digestOf, drawCertificate, type CertificateClaims, type RecordedFrom } from './document.ts';
import { newCertificateNumber, newVerificationCode } from './number.ts';
import { roleTitles } from './role-titles.ts';
import { readTemplate } from './template.ts';

/** What is drawn where no exam of ours stands behind a certificate: it says so, whatever the certification's own template says. */
const RECORDED = { template: 'recorded', templateVersion: 1 } as const;

/** All that a certificate is issued on. */
export interface Grounds {
  readonly path: CertificatePath;
  readonly assignmentId: string | null;
  readonly requestId: string | null;
  readonly person: Person;
  readonly certification: Certification;
  readonly period: number;
  /** In what post the person holds it. */
  readonly post: { readonly role: Role; readonly organization: Organization | undefined } | null;
  /** undefined: none of ours. */
  readonly course: CourseVersion | undefined;
  readonly classHours: number;
  readonly percent: number | null;
  readonly evidence: Text;
  readonly evidenceGrade: EvidenceGrade;
  readonly completedOn?: string;
  readonly recordedFrom?: RecordedFrom | null;
  readonly validFrom: string;
  readonly validUntil: string | null;
  readonly issuedAt: Date;
}

/** Ready to be put into the database. */
export interface Drawn {
  readonly certificate: NewCertificate;
  /** Where the holder works: its credit is booked there. */
  readonly organization: Organization | undefined;
  /** For the PDF to carry: the credential as a JWT, and what its QR code says. */
  readonly credential: string;
  readonly qrText: string;
  /** What it takes the place of, and why. */
  readonly supersedes: { readonly id: string; readonly by: string; readonly reason: string } | null;
}

export type Issuing = ReturnType<typeof makeIssuing>;

/** The one way in which certificates come about, earned or not; who issues has judged that they may. */
export function makeIssuing({
  db,
  random,
  publicUrl,
  credentialKeys,
  titles,
  holdings,
}: {
  db: Database;
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  credentialKeys: readonly CredentialKey[];
  titles: TitleService;
  holdings: HoldingsWatcher;
}) {
  const takeEntry = async (): Promise<StatusEntry> =>
    takeStatusEntry(db, () => Buffer.from(random(4)).readUInt32BE() % LIST_LENGTH);

  type Subject = Omit<
    NewCertificate,
    'number' | 'verificationCode' | 'claims' | 'pdfDigest' | 'pdf' | 'status' | 'supersedes'
  >;
  const drawUnder = async (
    status: StatusEntry,
    subject: Subject,
    said: Omit<CertificateClaims, 'number' | 'issuedOn' | 'verificationUrl'>,
    more: {
      course: CourseVersion | undefined;
      organization: Organization | undefined;
      supersedes: Drawn['supersedes'];
    },
  ): Promise<Drawn> => {
    const issuedOn = chinaDay(subject.issuedAt);
    const number = newCertificateNumber(Number(issuedOn.slice(0, 4)), random);
    const verificationCode = newVerificationCode(random);
    const page = `${publicUrl}/verify/${number}`;
    const claims: CertificateClaims = {
      ...said,
      number,
      issuedOn,
      verificationUrl: `${page}#code=${verificationCode}`,
    };
    const key = signingKey(credentialKeys, 'ES256');
    const facts = { claims, verificationCode, certificationId: subject.certificationId, status };
    const credential = credentialJwt(credentialOf({ ...facts, course: more.course }, publicUrl), key);
    const pdf = await drawCertificate(await readTemplate(subject.template, subject.templateVersion), claims);
    return {
      certificate: {
        ...subject,
        number,
        verificationCode,
        claims,
        pdf,
        pdfDigest: digestOf(pdf),
        status,
        supersedes: more.supersedes?.id ?? null,
      },
      organization: more.organization,
      credential,
      qrText: qrText(page, qrClaims(claims, status, verificationCode), key),
      supersedes: more.supersedes,
    };
  };

  const drawOn = async (status: StatusEntry, grounds: Grounds): Promise<Drawn> => {
    const { certification, post, course } = grounds;
    const { template, templateVersion } = grounds.path === 'earned' ? certification : RECORDED;
    return drawUnder(
      status,
      {
        path: grounds.path,
        personId: grounds.person.id,
        certificationId: certification.id,
        assignmentId: grounds.assignmentId,
        requestId: grounds.requestId,
        period: grounds.period,
        template,
        templateVersion,
        courseVersionId: course?.id ?? null,
        issuedAt: grounds.issuedAt,
        validFrom: grounds.validFrom,
        validUntil: grounds.validUntil,
      },
      {
        holderName: grounds.person.name,
        organizationName: post?.organization?.name ?? null,
        roleTitle: post === null ? null : roleTitles[post.role],
        certificationTitle: certification.title,
        courseTitle: course?.manifest.title ?? null,
        courseReview: course === undefined ? null : describeReview(course.manifest.review),
        classHours: grounds.classHours,
        percent: grounds.percent,
        issuerName: certification.issuerName,
        validFrom: grounds.validFrom,
        validUntil: grounds.validUntil,
        evidence: grounds.evidence,
        evidenceGrade: grounds.evidenceGrade,
        ...(grounds.completedOn === undefined ? {} : { completedOn: grounds.completedOn }),
        ...(grounds.recordedFrom === undefined ? {} : { recordedFrom: grounds.recordedFrom }),
      },
      { course, organization: post?.organization, supersedes: null },
    );
  };

  return {
    /** Draws the document under a new number and a new place in the lists of states. @throws MissingGlyph, TextDoesNotFit */
    draw: async (grounds: Grounds): Promise<Drawn> => drawOn(await takeEntry(), grounds),

    /** Tries whether it could be drawn. Changes nothing. @throws MissingGlyph, TextDoesNotFit */
    async tryDrawing(grounds: Grounds): Promise<void> {
      await drawOn({ list: 1, position: 0 }, grounds);
    },

    /**
     * Draws what takes the place of a certificate: all that it says but for the holder's name, and where they work if that is given.
     * Its validity is the same, so that the coverage of no day changes. @throws MissingGlyph, TextDoesNotFit
     */
    async drawAgain(
      old: Certificate,
      given: {
        drawing: Drawing;
        course: CourseVersion | undefined;
        holderName: string;
        post: Grounds['post'];
        by: string;
        reason: string;
        at: Date;
      },
    ): Promise<Drawn> {
      const { number: _number, issuedOn: _issuedOn, verificationUrl: _url, ...said } = old.claims;
      return drawUnder(
        await takeEntry(),
        {
          path: old.path,
          personId: old.personId,
          certificationId: old.certificationId,
          assignmentId: old.assignmentId,
          requestId: old.requestId,
          courseVersionId: old.courseVersionId,
          ...given.drawing,
          issuedAt: given.at,
          validFrom: old.validFrom,
          validUntil: old.validUntil,
        },
        {
          ...said,
          holderName: given.holderName,
          ...(given.post === null
            ? {}
            : {
                organizationName: given.post.organization?.name ?? null,
                roleTitle: roleTitles[given.post.role],
              }),
        },
        {
          course: given.course,
          organization: undefined,
          supersedes: { id: old.id, by: given.by, reason: given.reason },
        },
      );
    },

    /**
     * Certificates with their documents, coverage, credit records and journal entries, in the caller's transaction.
     * @returns their ids in order; undefined for one whose person has one of this certification and period already.
     */
    async put(
      tx: Executor,
      drawn: readonly Drawn[],
      by: { actor: string; detail: Readonly<Record<string, unknown>>; units: readonly Concerned[] },
    ): Promise<(string | undefined)[]> {
      const personIds = [...new Set(drawn.map(({ certificate }) => certificate.personId))];
      const ids = await holdings.around(tx, personIds, async () => {
        const inserted: (string | undefined)[] = [];
        for (const { certificate, supersedes } of drawn) {
          if (supersedes !== null) {
            const ended = await revokeCertificate(tx, {
              ...supersedes,
              at: certificate.issuedAt,
              on: certificate.claims.issuedOn,
              superseded: true,
            });
            if (!ended) throw new Conflict('ALREADY_REVOKED', 'This certificate has ended before.');
          }
          inserted.push(await insertCertificate(tx, certificate));
        }
        return inserted;
      });
      for (const [index, id] of ids.entries()) {
        if (id === undefined) continue;
        const { certificate: each, organization, supersedes } = drawn[index]!;
        if (supersedes === null)
          await titles.recordEarned(tx, {
            certificateId: id,
            personId: each.personId,
            classHours: each.claims.classHours,
            earnedOn: each.claims.issuedOn,
            organization,
          });
        else await titles.recordMoved(tx, { from: supersedes.id, to: id });
        await insertJournalEntry(tx, {
          at: each.issuedAt,
          actor: by.actor,
          action: 'certificate.issue',
          subject: `certificate:${id}`,
          detail: by.detail,
          units: by.units,
          personId: each.personId,
        });
      }
      return ids;
    },
  };
}
