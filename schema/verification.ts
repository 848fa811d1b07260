import type { Counted } from '../src/certification/verification.repository.ts';
import type { RowVerdict } from '../src/certification/verification.service.ts';
import { InvalidInput, NotSignedIn } from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';
import { signedIn } from './context.ts';

const MOST_ROWS = 500;

const VerificationWay = builder.enumType('VerificationWay', {
  description: 'How somebody verified a certificate.',
  values: {
    PAGE: { value: 'page', description: 'By its number or QR code.' },
    LIST: { value: 'list', description: 'In a list of many.' },
    API: { value: 'api', description: 'By a program.' },
    PDF: { value: 'pdf', description: 'With the document itself.' },
  } as const,
});

export const VerificationCount = builder.objectRef<Counted>('VerificationCount').implement({
  description: 'How often a certificate was verified in a month in one way.',
  fields: (t) => ({
    month: t.expose('month', { type: 'Date', description: 'First day of the month, in China.' }),
    way: t.expose('way', { type: VerificationWay, description: 'How.' }),
    count: t.exposeInt('count', { description: 'How often.' }),
  }),
});

const RowOutcome = builder.enumType('VerifiedRowOutcome', {
  description: "A certificate's state, or why there is none to tell.",
  values: {
    VALID: { value: 'valid' },
    EXPIRED: { value: 'expired' },
    REVOKED: { value: 'revoked' },
    SUPERSEDED: { value: 'superseded' },
    UNKNOWN: { value: 'unknown', description: 'No certificate has this number.' },
    UNREADABLE: {
      value: 'unreadable',
      description: 'It is no such number: its check character says that it was mistyped.',
    },
  } as const,
});
const NameOutcome = builder.enumType('VerifiedName', {
  description: 'Whether the name given is the one on the certificate.',
  values: {
    AGREES: { value: 'agrees' },
    DIFFERS: { value: 'differs' },
    NOT_COMPARED: {
      value: 'not_compared',
      description: 'None was given, or the certificate is not for the viewer to read.',
    },
  } as const,
});

const VerifiedRow = builder.objectRef<RowVerdict>('VerifiedRow').implement({
  description: 'What came of one row of a list.',
  fields: (t) => ({
    number: t.exposeString('number', { description: 'In its printed form where it could be read.' }),
    outcome: t.expose('outcome', { type: RowOutcome, description: 'Today.' }),
    name: t.expose('name', { type: NameOutcome, description: 'Compared as it stood at issue.' }),
    holderName: t.exposeString('holderName', {
      nullable: true,
      description: 'Masked (王**), but for those who may read the certificate.',
    }),
    title: t.string({
      nullable: true,
      args: { language: t.arg(languageArg) },
      description: 'Title of the certification at issue.',
      resolve: ({ certificate }, { language }) => certificate?.claims.certificationTitle[language] ?? null,
    }),
    issuerName: t.string({
      nullable: true,
      description: 'Who issued it.',
      resolve: ({ certificate }) => certificate?.claims.issuerName ?? null,
    }),
    validUntil: t.field({
      type: 'Date',
      nullable: true,
      description: 'Last valid day; null = it does not expire, or there is none.',
      resolve: ({ certificate }) => certificate?.validUntil ?? null,
    }),
    successorNumber: t.string({
      nullable: true,
      description: 'Of what took its place, for those who may read the certificate.',
      resolve: ({ certificate, within }) => (within ? (certificate?.successorNumber ?? null) : null),
    }),
  }),
});

const RowToVerify = builder.inputType('RowToVerify', {
  description: 'A certificate to verify.',
  fields: (t) => ({
    number: t.string({
      required: true,
      description: 'Read leniently, as `verifyCertificate` reads it.',
    }),
    name: t.string({
      description: 'Whose it is said to be.',
    }),
  }),
});

builder.queryField('verifyCertificates', (t) =>
  t.field({
    type: [VerifiedRow],
    errors: {
      types: [NotSignedIn, InvalidInput],
      result: { description: 'What was asked for, as it was asked for whole.' },
      dataField: { description: 'One verdict for each row, in the order of the rows.' },
    },
    complexity: ({ rows }) => ({ field: 1, multiplier: Math.ceil(rows.length / 20) }),
    description:
      'Verifies up to 500 certificates at once, in their order, for who is signed in. Names are compared where the viewer may read the certificate. Everybody else: POST /api/verify.',
    args: {
      rows: t.arg({
        type: [RowToVerify],
        required: true,
        description: `At most ${MOST_ROWS}.`,
      }),
    },
    resolve: async (_root, { rows }, context) => {
      const viewer = signedIn(context);
      if (rows.length > MOST_ROWS)
        throw new InvalidInput('rows', `At most ${MOST_ROWS} at once; divide a longer list.`);
      return context.services.verification.verifyList(
        viewer,
        rows.map(({ number, name }, at) => ({
          line: at + 1,
          number,
          name: name?.trim() === '' ? undefined : (name ?? undefined),
        })),
        { way: 'list', strangersNames: false },
      );
    },
  }),
);
