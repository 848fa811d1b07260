import { chinaDay } from '../clock.ts';
import type { CourseVersion } from '../courses/course.ts';
import { describeReview } from '../courses/review.ts';
import type { Text } from '../courses/notation.ts';
import type { Executor } from '../db/database.ts';
import type { Concerned } from '../journal/journal.ts';
import { insertJournalEntry } from '../journal/journal.repository.ts';
import type { HoldingsWatcher } from '../people/holdings.ts';
import type { Person } from '../people/person.ts';
import type { Role } from '../people/role.ts';
import type { Certification } from '../programmes/certification.ts';
import type { Organization } from '../regions/organization.ts';
import type { TitleService } from '../titles/title.service.ts';
import type { CertificatePath } from './certificate.ts';
import { insertCertificate } from './certificate.repository.ts';
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

export interface Drawn extends Grounds {
  readonly claims: CertificateClaims;
  readonly verificationCode: string;
  readonly template: string;
  readonly templateVersion: number;
  readonly pdf: Uint8Array;
}

export type Issuing = ReturnType<typeof makeIssuing>;

/** The one way in which certificates come about, earned or not; who issues has judged that they may. */
export function makeIssuing({
  random,
  publicUrl,
  titles,
  holdings,
}: {
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  titles: TitleService;
  holdings: HoldingsWatcher;
}) {
  return {
    /** Draws the document under a new number. Changes nothing. @throws MissingGlyph, TextDoesNotFit */
    async draw(grounds: Grounds): Promise<Drawn> {
      const { certification, post, course } = grounds;
      const issuedOn = chinaDay(grounds.issuedAt);
      const number = newCertificateNumber(Number(issuedOn.slice(0, 4)), random);
      const verificationCode = newVerificationCode(random);
      const claims: CertificateClaims = {
        number,
        holderName: grounds.person.name,
        organizationName: post?.organization?.name ?? null,
        roleTitle: post === null ? null : roleTitles[post.role],
        certificationTitle: certification.title,
        courseTitle: course?.manifest.title ?? null,
        courseReview: course === undefined ? null : describeReview(course.manifest.review),
        classHours: grounds.classHours,
        percent: grounds.percent,
        issuerName: certification.issuerName,
        issuedOn,
        validFrom: grounds.validFrom,
        validUntil: grounds.validUntil,
        evidence: grounds.evidence,
        evidenceGrade: grounds.evidenceGrade,
        ...(grounds.completedOn === undefined ? {} : { completedOn: grounds.completedOn }),
        ...(grounds.recordedFrom === undefined ? {} : { recordedFrom: grounds.recordedFrom }),
        verificationUrl: `${publicUrl}/verify/${number}#code=${verificationCode}`,
      };
      const { template, templateVersion } = grounds.path === 'earned' ? certification : RECORDED;
      const pdf = await drawCertificate(await readTemplate(template, templateVersion), claims);
      return { ...grounds, claims, verificationCode, template, templateVersion, pdf };
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
      const personIds = [...new Set(drawn.map(({ person }) => person.id))];
      const ids = await holdings.around(tx, personIds, async () => {
        const inserted: (string | undefined)[] = [];
        for (const each of drawn)
          inserted.push(
            await insertCertificate(tx, {
              path: each.path,
              number: each.claims.number,
              verificationCode: each.verificationCode,
              personId: each.person.id,
              certificationId: each.certification.id,
              assignmentId: each.assignmentId,
              requestId: each.requestId,
              period: each.period,
              claims: each.claims,
              template: each.template,
              templateVersion: each.templateVersion,
              courseVersionId: each.course?.id ?? null,
              issuedAt: each.issuedAt,
              validFrom: each.validFrom,
              validUntil: each.validUntil,
              pdfDigest: digestOf(each.pdf),
              pdf: each.pdf,
            }),
          );
        return inserted;
      });
      for (const [index, id] of ids.entries()) {
        if (id === undefined) continue;
        const each = drawn[index]!;
        await titles.recordEarned(tx, {
          certificateId: id,
          personId: each.person.id,
          classHours: each.classHours,
          earnedOn: each.claims.issuedOn,
          organization: each.post?.organization,
        });
        await insertJournalEntry(tx, {
          at: each.issuedAt,
          actor: by.actor,
          action: 'certificate.issue',
          subject: `certificate:${id}`,
          detail: by.detail,
          units: by.units,
          personId: each.person.id,
        });
      }
      return ids;
    },
  };
}
