import { chinaDay } from '../clock.ts';
import type { CourseVersion } from '../courses/course.ts';
import type { Text } from '../courses/notation.ts';
import { actingAs } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
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
import { draw, digestOf, sampleEnd, type CertificateClaims, type RecordedFrom } from './document.ts';
import {
  freezeTemplate,
  insertDocument,
  keepIssuerCertificate,
  listFrozenTemplates,
  type NewDocument,
} from './document.repository.ts';
import { newCertificateNumber, newVerificationCode } from './number.ts';
import { roleTitles } from './role-titles.ts';
import { checkInForce, described, type IssuerKey } from './signature/issuer-key.ts';
import { roomOf, signDocument } from './signature/sign.ts';
import { isFor, readTemplate } from './template.ts';

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
  readonly templateDigest: string;
  /** Signed. */
  readonly document: Omit<NewDocument, 'issuerCertificateId'>;
}

/** What a template says is not what it said when it first issued: a page that people hold would no longer look as they know it. */
export class TemplateChanged extends Refusal {
  readonly code = 'TEMPLATE_CHANGED';
  constructor(template: string, version: number) {
    super(
      `The template ${template} ${version} has issued certificates and has been changed since. Put it back as it was, and make the change a new version.`,
    );
  }
}

/** A template of another jurisdiction. */
export class TemplateNotForDivision extends Refusal {
  readonly code = 'TEMPLATE_NOT_FOR_DIVISION';
  constructor(template: string, divisionCode: string) {
    super(`The template ${template} is not for certifications of the division ${divisionCode}.`);
  }
}

export type Issuing = ReturnType<typeof makeIssuing>;

/** The one way in which certificates come about, earned or not; who issues has judged that they may. */
export function makeIssuing({
  random,
  publicUrl,
  issuer,
  log,
  titles,
  holdings,
}: {
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  issuer: IssuerKey;
  log: Log;
  titles: TitleService;
  holdings: HoldingsWatcher;
}) {
  return {
    /**
     * Draws the document under a new number and signs it. Changes nothing.
     * @throws MissingGlyph, TextDoesNotFit, TemplateNotForDivision, NotSigned
     */
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
      const read = await readTemplate(template, templateVersion);
      if (!isFor(read, certification.divisionCode))
        throw new TemplateNotForDivision(template, certification.divisionCode);
      const { signer, timestamper } = issuer;
      // It may have run out since the start.
      checkInForce(signer, grounds.issuedAt);
      const drawing = draw(read, claims, { room: roomOf(signer, timestamper) });
      const signed = await signDocument(drawing, signer, timestamper);
      if (signed.untimed !== undefined)
        log.warn({ number, why: signed.untimed }, 'a certificate is issued without a timestamp');
      const { bytes, digest } = drawing.prepared;
      return {
        ...grounds,
        claims,
        verificationCode,
        template,
        templateVersion,
        templateDigest: read.digest,
        document: {
          bytes: signed.bytes,
          part: { digest, bytes, sample: sampleEnd(drawing, read, claims) },
          chain: signer.chain,
          profile: signed.profile,
        },
      };
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
              pdfDigest: digestOf(each.document.bytes),
            }),
          );
        return inserted;
      });
      for (const [index, id] of ids.entries()) {
        if (id === undefined) continue;
        const each = drawn[index]!;
        const kept = await freezeTemplate(tx, {
          name: each.template,
          version: each.templateVersion,
          digest: each.templateDigest,
          at: each.issuedAt,
        });
        if (kept !== each.templateDigest) throw new TemplateChanged(each.template, each.templateVersion);
        const issuerCertificateId = await keepIssuerCertificate(tx, {
          ...described(each.document.chain),
          at: each.issuedAt,
        });
        await insertDocument(tx, id, { ...each.document, issuerCertificateId });
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

/** Says at the start which templates have been changed since they issued: nothing can be issued on them. */
export async function tellChangedTemplates(db: Database, log: Log): Promise<void> {
  for (const { name, version, digest } of await actingAs('issuer', async () => listFrozenTemplates(db))) {
    const now = await readTemplate(name, version).then(
      (template) => template.digest,
      (error: Error) => error.message,
    );
    if (now !== digest) log.error({ name, version }, new TemplateChanged(name, version).message);
  }
}
