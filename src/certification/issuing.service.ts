import { chinaDay } from '../clock.ts';
import type { CredentialKey } from '../config.ts';
import type { CourseVersion } from '../courses/course.ts';
import { describeReview } from '../courses/review.ts';
import type { Text } from '../courses/notation.ts';
import { actingAs } from '../db/acting.ts';
import type { Database, Executor } from '../db/database.ts';
import { Conflict, Refusal } from '../errors.ts';
import type { Log } from '../log.ts';
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
export const RECORDED = { template: 'recorded', templateVersion: 1 } as const;

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
  /** Of the template that it was drawn by. */
  readonly templateDigest: string;
  /** Signed. */
  readonly document: Omit<NewDocument, 'issuerCertificateId'>;
  /** Where the holder works: its credit is booked there. */
  readonly organization: Organization | undefined;
  /** What it takes the place of, and why. */
  readonly supersedes: { readonly id: string; readonly by: string; readonly reason: string } | null;
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
  db,
  random,
  publicUrl,
  credentialKeys,
  issuer,
  log,
  titles,
  holdings,
}: {
  db: Database;
  random: (bytes: number) => Uint8Array;
  publicUrl: string;
  credentialKeys: readonly CredentialKey[];
  issuer: IssuerKey;
  log: Log;
  titles: TitleService;
  holdings: HoldingsWatcher;
}) {
  const takeEntry = async (): Promise<StatusEntry> =>
    takeStatusEntry(db, () => Buffer.from(random(4)).readUInt32BE() % LIST_LENGTH);

  type Subject = Omit<
    NewCertificate,
    'number' | 'verificationCode' | 'claims' | 'pdfDigest' | 'status' | 'supersedes'
  >;
  /** All that a document is drawn from. */
  interface Content {
    readonly subject: Subject;
    readonly said: Omit<CertificateClaims, 'number' | 'issuedOn' | 'verificationUrl'>;
    /** For whose certifications the template has to be; undefined: it was judged before. */
    readonly divisionCode: string | undefined;
    readonly course: CourseVersion | undefined;
    readonly organization: Organization | undefined;
    readonly supersedes: Drawn['supersedes'];
  }
  /** The page, with a number and a code, and room for a signature. */
  const compose = async (status: StatusEntry, { subject, said, divisionCode, course }: Content) => {
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
    const template = await readTemplate(subject.template, subject.templateVersion);
    if (divisionCode !== undefined && !isFor(template, divisionCode))
      throw new TemplateNotForDivision(subject.template, divisionCode);
    const key = signingKey(credentialKeys, 'ES256');
    const facts = { claims, verificationCode, certificationId: subject.certificationId, status };
    const drawing = draw(template, claims, {
      credential: credentialJwt(credentialOf({ ...facts, course }, publicUrl), key),
      qrText: qrText(page, qrClaims(claims, status, verificationCode), key),
      room: roomOf(issuer.signer, issuer.timestamper),
    });
    return { number, verificationCode, claims, template, drawing };
  };

  const drawUnder = async (status: StatusEntry, content: Content): Promise<Drawn> => {
    const { subject, organization, supersedes } = content;
    const { signer, timestamper } = issuer;
    // It may have run out since the start.
    checkInForce(signer, subject.issuedAt);
    const { number, verificationCode, claims, template, drawing } = await compose(status, content);
    const signed = await signDocument(drawing, signer, timestamper);
    if (signed.untimed !== undefined)
      log.warn({ number, why: signed.untimed }, 'a certificate is issued without a timestamp');
    const { bytes, digest } = drawing.prepared;
    return {
      certificate: {
        ...subject,
        number,
        verificationCode,
        claims,
        pdfDigest: digestOf(signed.bytes),
        status,
        supersedes: supersedes?.id ?? null,
      },
      templateDigest: template.digest,
      document: {
        bytes: signed.bytes,
        part: { digest, bytes, sample: sampleEnd(drawing, template, claims) },
        chain: signer.chain,
        profile: signed.profile,
      },
      organization,
      supersedes,
    };
  };

  const contentOf = (grounds: Grounds): Content => {
    const { certification, post, course } = grounds;
    const { template, templateVersion } = grounds.path === 'earned' ? certification : RECORDED;
    return {
      subject: {
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
      said: {
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
      divisionCode: certification.divisionCode,
      course,
      organization: post?.organization,
      supersedes: null,
    };
  };

  return {
    /** Draws the document under a new number and a new place in the lists of states. @throws MissingGlyph, TextDoesNotFit, NotSigned */
    draw: async (grounds: Grounds): Promise<Drawn> => drawUnder(await takeEntry(), contentOf(grounds)),

    /** Tries whether it could be drawn. Changes nothing, and signs nothing. @throws MissingGlyph, TextDoesNotFit */
    async tryDrawing(grounds: Grounds): Promise<void> {
      await compose({ list: 1, position: 0 }, contentOf(grounds));
    },

    /**
     * Draws what takes the place of a certificate: all that it says but for the holder's name, and where they work if that is given.
     * Its validity is the same, so that the coverage of no day changes. @throws MissingGlyph, TextDoesNotFit, NotSigned
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
      return drawUnder(await takeEntry(), {
        subject: {
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
        said: {
          ...said,
          holderName: given.holderName,
          ...(given.post === null
            ? {}
            : {
                organizationName: given.post.organization?.name ?? null,
                roleTitle: roleTitles[given.post.role],
              }),
        },
        divisionCode: undefined,
        course: given.course,
        organization: undefined,
        supersedes: { id: old.id, by: given.by, reason: given.reason },
      });
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
        const { certificate: each, document, organization, supersedes, templateDigest } = drawn[index]!;
        const kept = await freezeTemplate(tx, {
          name: each.template,
          version: each.templateVersion,
          digest: templateDigest,
          at: each.issuedAt,
        });
        if (kept !== templateDigest) throw new TemplateChanged(each.template, each.templateVersion);
        const issuerCertificateId = await keepIssuerCertificate(tx, {
          ...described(document.chain),
          at: each.issuedAt,
        });
        await insertDocument(tx, id, { ...document, issuerCertificateId });
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
