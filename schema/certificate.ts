import type { RecordedFrom } from '../src/certification/document.ts';
import { isSelf } from '../src/people/permission.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { LogProofType } from './log.ts';
import { VerificationCount } from './verification.ts';
import { Certificate, CertificateVerification, IssueRequest } from './refs.ts';

export const CertificateStateEnum = builder.enumType('CertificateState', {
  description: 'The one state that every surface tells.',
  values: {
    VALID: { value: 'valid' },
    EXPIRED: { value: 'expired' },
    REVOKED: { value: 'revoked' },
    SUPERSEDED: {
      value: 'superseded',
      description:
        'Another certificate took its place, e.g. with the right name; `successorNumber` says which.',
    },
  } as const,
});

export const CertificatePathEnum = builder.enumType('CertificatePath', {
  description: 'How a certificate came about.',
  values: {
    EARNED: {
      value: 'earned',
      description: 'By an assignment: course completed, exam drawn, timed and graded by the server passed.',
    },
    MANUAL: {
      value: 'manual',
      description: 'An issuer asked for it and another approved; no exam of this service stands behind it.',
    },
    IMPORTED: {
      value: 'imported',
      description:
        'Recorded from an old certificate of somebody else, asked for and approved by two people; no exam of this service stands behind it.',
    },
  } as const,
});
const RecordedFromType = builder.objectRef<RecordedFrom>('RecordedFrom').implement({
  description: 'The old certificate that one was recorded from, as the issuer stated it.',
  fields: (t) => ({
    number: t.exposeString('number', { description: 'Its own number.' }),
    issuingBody: t.exposeString('issuingBody', { description: 'Who issued it.' }),
    issuedOn: t.expose('issuedOn', { type: 'Date', description: 'When it was issued.' }),
  }),
});

builder.node(Certificate, {
  name: 'Certificate',
  description:
    'The document a person holds, as it was issued. Visible to its holder, and to HR verifiers and issuers where the holder works or the issuer is.',
  id: { resolve: (certificate) => certificate.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.certificates.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'pdfDigest' in value,
  fields: (t) => ({
    number: t.exposeString('number', { description: 'As printed; the last character checks the others.' }),
    state: t.field({
      type: CertificateStateEnum,
      description: 'Today.',
      resolve: (certificate, _args, context) => context.services.certificates.stateOf(certificate),
    }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Title of the certification at issue.',
      resolve: ({ claims }, { language }) => claims.certificationTitle[language],
    }),
    holderName: t.string({
      description: "The holder's name at issue.",
      resolve: ({ claims }) => claims.holderName,
    }),
    path: t.expose('path', { type: CertificatePathEnum, description: 'How it came about.' }),
    evidence: t.string({
      args: { language: t.arg(languageArg) },
      description: 'What it rests on, as the document says it.',
      resolve: ({ claims }, { language }) => claims.evidence[language],
    }),
    evidenceGrade: t.string({
      nullable: true,
      description:
        'How well it is backed, by a written rule: A (exam passed, 80 % of the declared time in the ledger, no flag upheld), B (50 %), C (all others). null where it was issued before there were grades.',
      resolve: ({ claims }) => claims.evidenceGrade ?? null,
    }),
    percent: t.float({
      nullable: true,
      description: 'Grade of the exam, 0 to 100; null where there was none of this service.',
      resolve: ({ claims }) => claims.percent,
    }),
    completedOn: t.field({
      type: 'Date',
      nullable: true,
      description: 'Last day of the training that was recognized; null for an earned one.',
      resolve: ({ claims }) => claims.completedOn ?? null,
    }),
    recordedFrom: t.field({
      type: RecordedFromType,
      nullable: true,
      description: 'The old certificate; only of an IMPORTED one.',
      resolve: ({ claims }) => claims.recordedFrom ?? null,
    }),
    issueRequest: t.field({
      type: IssueRequest,
      nullable: true,
      description: 'Who asked for it and who approved, for issuers; null for an earned one.',
      resolve: async ({ requestId }, _args, context) =>
        requestId === null || context.viewer === undefined
          ? null
          : ((await context.services.issueRequests.find(context.viewer, requestId)) ?? null),
    }),
    classHours: t.float({
      description: 'Class hours 学时 that it credits; 0 where they were credited elsewhere.',
      resolve: ({ claims }) => claims.classHours,
    }),
    issuedOn: t.field({
      type: 'Date',
      description: 'Day of issue.',
      resolve: ({ claims }) => claims.issuedOn,
    }),
    validUntil: t.expose('validUntil', {
      type: 'Date',
      nullable: true,
      description: 'Last valid day; null = it does not expire.',
    }),
    renewalOpensOn: t.field({
      type: 'Date',
      nullable: true,
      description:
        'From when on its holder is assigned anew, by the recertification window; null where there is none, or it was revoked or superseded.',
      resolve: async (certificate, _args, context) =>
        (await context.services.certificates.renewalOpensOn(certificate)) ?? null,
    }),
    revokedOn: t.expose('revokedOn', {
      type: 'Date',
      nullable: true,
      description: 'Day on which it was revoked or superseded; null unless it was.',
    }),
    revocationReason: t.exposeString('revocationReason', {
      nullable: true,
      description: 'Why it was revoked or superseded, as the verification page tells it.',
    }),
    successorNumber: t.exposeString('successorNumber', {
      nullable: true,
      description: 'Number of the certificate that took its place; null unless it is SUPERSEDED.',
    }),
    pdfDigest: t.exposeString('pdfDigest', { description: 'SHA-256 of the PDF, hex.' }),
    log: t.field({
      type: LogProofType,
      description: 'What the transparency log says of it, proven.',
      resolve: async (certificate, _args, context) => context.services.transparency.proofOf(certificate),
    }),
    verifications: t.field({
      type: [VerificationCount],
      description:
        'How often it was verified, for its holder: the newest month first. Who asked is not kept. Empty for everybody else.',
      resolve: async (certificate, _args, context) =>
        context.viewer === undefined
          ? []
          : context.services.verification.listCounts(context.viewer, certificate),
    }),
    verificationUrl: t.string({
      description: 'What the QR code leads to: number and code.',
      resolve: ({ claims }) => claims.verificationUrl,
    }),
    pdfUrl: t.string({
      description: 'GET with the same Authorization header; answers application/pdf.',
      resolve: (certificate, _args, context) =>
        `${context.services.publicUrl}/certificates/${certificate.number}.pdf`,
    }),
    credentialUrl: t.string({
      nullable: true,
      description:
        'For its holder: GET with the same Authorization header answers an Open Badges 3.0 credential with an Ed25519 proof (application/vc+ld+json); with `.jwt` for `.json`, the same as a JWT (application/vc+jwt).',
      resolve: (certificate, _args, context) =>
        context.viewer !== undefined && isSelf(context.viewer, certificate.personId)
          ? context.services.credentials.urlOf(certificate)
          : null,
    }),
    qrText: t.string({
      nullable: true,
      description:
        'For its holder: an address as a QR code on paper has it, with the signed claims behind the #, so that the verification page can check it without the network. Signed anew each time it is asked for.',
      resolve: (certificate, _args, context) =>
        context.viewer !== undefined && isSelf(context.viewer, certificate.personId)
          ? context.services.credentials.qrTextOf(certificate)
          : null,
    }),
  }),
});

CertificateVerification.implement({
  description:
    'What anybody may learn of a certificate from its number, and with the code from the document, in full.',
  fields: (t) => ({
    number: t.string({
      description: 'In its printed form.',
      resolve: ({ certificate }) => certificate.number,
    }),
    state: t.field({ type: CertificateStateEnum, description: 'Today.', resolve: ({ state }) => state }),
    codeMatched: t.exposeBoolean('codeMatched', { description: "Whether the code given is the document's." }),
    holderName: t.exposeString('holderName', {
      description: 'At issue; masked (王**) unless the code matched.',
    }),
    organizationName: t.string({
      nullable: true,
      description: 'Where the holder worked at issue; null unless the code matched.',
      resolve: ({ certificate, codeMatched }) => (codeMatched ? certificate.claims.organizationName : null),
    }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Title of the certification at issue.',
      resolve: ({ certificate }, { language }) => certificate.claims.certificationTitle[language],
    }),
    path: t.field({
      type: CertificatePathEnum,
      description: 'How it came about: whether an exam of this service stands behind it.',
      resolve: ({ certificate }) => certificate.path,
    }),
    evidence: t.string({
      nullable: true,
      args: { language: t.arg(languageArg) },
      description: 'What it rests on, as the document says it; null unless the code matched.',
      resolve: ({ certificate, codeMatched }, { language }) =>
        codeMatched ? certificate.claims.evidence[language] : null,
    }),
    evidenceGrade: t.string({
      nullable: true,
      description:
        'How well it is backed: A, B or C, as `Certificate.evidenceGrade` says; null where it says none.',
      resolve: ({ certificate }) => certificate.claims.evidenceGrade ?? null,
    }),
    recordedFrom: t.field({
      type: RecordedFromType,
      nullable: true,
      description: 'The old certificate of an IMPORTED one; null unless the code matched.',
      resolve: ({ certificate, codeMatched }) =>
        codeMatched ? (certificate.claims.recordedFrom ?? null) : null,
    }),
    issuerName: t.string({
      description: 'Who issued it.',
      resolve: ({ certificate }) => certificate.claims.issuerName,
    }),
    classHours: t.float({
      description: 'Class hours 学时.',
      resolve: ({ certificate }) => certificate.claims.classHours,
    }),
    issuedOn: t.field({
      type: 'Date',
      description: 'Day of issue.',
      resolve: ({ certificate }) => certificate.claims.issuedOn,
    }),
    validFrom: t.field({
      type: 'Date',
      description: 'First valid day.',
      resolve: ({ certificate }) => certificate.validFrom,
    }),
    validUntil: t.field({
      type: 'Date',
      nullable: true,
      description: 'Last valid day; null = it does not expire.',
      resolve: ({ certificate }) => certificate.validUntil,
    }),
    revokedOn: t.field({
      type: 'Date',
      nullable: true,
      description: 'Day on which it was revoked or superseded.',
      resolve: ({ certificate }) => certificate.revokedOn,
    }),
    revocationReason: t.string({
      nullable: true,
      description: 'Why it was revoked or superseded.',
      resolve: ({ certificate }) => certificate.revocationReason,
    }),
    successorNumber: t.string({
      nullable: true,
      description:
        'Number of the certificate that took its place; null unless it is SUPERSEDED and the code matched.',
      resolve: ({ certificate, codeMatched }) => (codeMatched ? certificate.successorNumber : null),
    }),
    log: t.field({
      type: LogProofType,
      nullable: true,
      description:
        'What the transparency log says of it, proven; null unless the code matched, which is what finds its entries there.',
      resolve: async ({ certificate, codeMatched }, _args, context) =>
        codeMatched ? context.services.transparency.proofOf(certificate) : null,
    }),
    pdfDigest: t.string({
      nullable: true,
      description: 'SHA-256 of the PDF, hex; null unless the code matched.',
      resolve: ({ certificate, codeMatched }) => (codeMatched ? certificate.pdfDigest : null),
    }),
  }),
});

builder.queryField('certificate', (t) =>
  t.field({
    type: Certificate,
    nullable: true,
    description:
      "A certificate by its number, for its holder and for those who may read it. null = it is not there or not the viewer's to see.",
    args: { number: t.arg.string({ required: true, description: 'Read as `verifyCertificate` reads it.' }) },
    resolve: async (_root, { number }, context) =>
      context.viewer === undefined
        ? null
        : ((await context.services.certificates.findByNumber(context.viewer, number)) ?? null),
  }),
);

builder.queryField('verifyCertificate', (t) =>
  t.field({
    type: CertificateVerification,
    nullable: true,
    description: 'Open to everyone. null = no certificate has this number, and nothing more is told.',
    args: {
      number: t.arg.string({
        required: true,
        description: 'Read leniently: case, spaces, dashes, full-width characters.',
      }),
      code: t.arg.string({ description: 'The verification code printed beside the QR code.' }),
    },
    resolve: async (_root, { number, code }, context) => {
      const found = await context.services.certificates.verify(number, code ?? null);
      if (found !== undefined) context.services.verification.count([found.certificate], 'page');
      return found ?? null;
    },
  }),
);

const RevokeCertificateInput = builder.inputType('RevokeCertificateInput', {
  description: 'Which certificate to end, and why.',
  fields: (t) => ({
    certificateId: t.id({ required: true, description: 'Which.' }),
    reason: t.string({ required: true, description: 'Why; the verification page shows it.' }),
  }),
});
const RevokeCertificatePayload = builder
  .objectRef<{ certificate: typeof Certificate.$inferType }>('RevokeCertificatePayload')
  .implement({
    description: 'The certificate is revoked and its credit withdrawn.',
    fields: (t) => ({
      certificate: t.field({
        type: Certificate,
        description: 'As it is now.',
        resolve: (payload) => payload.certificate,
      }),
    }),
  });
builder.mutationField('revokeCertificate', (t) =>
  t.field({
    type: RevokeCertificatePayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Ends a certificate for a stated reason, for issuers, never one of their own. Seen at once on every surface. Refused with ALREADY_REVOKED the second time.',
    args: { input: t.arg({ type: RevokeCertificateInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      certificate: await context.services.certificates.revoke(signedIn(context), {
        certificateId: localId(input.certificateId, 'Certificate', 'input.certificateId'),
        reason: input.reason,
      }),
    }),
  }),
);

const SupersedeCertificateInput = builder.inputType('SupersedeCertificateInput', {
  description: 'Which certificate says something wrong, and what is to be taken from the roster.',
  fields: (t) => ({
    certificateId: t.id({ required: true, description: 'Which.' }),
    reason: t.string({ required: true, description: 'Why; the verification page of the old one shows it.' }),
    withPost: t.boolean({
      required: true,
      defaultValue: false,
      description:
        'Also organization and role, as the roster has them today; without it they stay as they are.',
    }),
  }),
});
const SupersedeCertificatePayload = builder
  .objectRef<{ certificate: typeof Certificate.$inferType; superseded: typeof Certificate.$inferType }>(
    'SupersedeCertificatePayload',
  )
  .implement({
    description: 'The certificate was issued anew, and the old one ended.',
    fields: (t) => ({
      certificate: t.field({
        type: Certificate,
        description: 'The new one.',
        resolve: (payload) => payload.certificate,
      }),
      superseded: t.field({
        type: Certificate,
        description: 'The old one, as it is now.',
        resolve: (payload) => payload.superseded,
      }),
    }),
  });
builder.mutationField('supersedeCertificate', (t) =>
  t.field({
    type: SupersedeCertificatePayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      "Corrects a certificate by issuing another in its place, for issuers, never one of their own: with the holder's name as the roster has it today, everything else as it was. Mend the roster first. The old one is SUPERSEDED at once on every surface, and the credit moves over. Refused with ALREADY_REVOKED or ALREADY_SUPERSEDED for one that has ended.",
    args: { input: t.arg({ type: SupersedeCertificateInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      context.services.certificates.supersede(signedIn(context), {
        certificateId: localId(input.certificateId, 'Certificate', 'input.certificateId'),
        reason: input.reason,
        withPost: input.withPost,
      }),
  }),
);
