import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn, RowsRefused } from '../src/errors.ts';
import {
  reasonOf,
  rowRefusalCodes,
  type IssueRequestRow as RowFacts,
} from '../src/certification/issue-request.ts';
import { builder, connectionOf, languageArg, pageComplexity, pageSize } from './builder.ts';
import { CertificatePathEnum } from './certificate.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { rowsPerSecond, secondsLeft, type Pace } from './pace.ts';
import { Certification, IssueRequest, IssueRequestRow, Person } from './refs.ts';
import { Unit, unitOf } from './region.ts';

const StateEnum = builder.enumType('IssueRequestState', {
  description:
    'WAITING until another issuer than the one who asked has decided. What is approved is issued row by row: see `rowsIssued` and `rowsRefused`.',
  values: {
    WAITING: { value: 'waiting' },
    DECLINED: { value: 'declined', description: 'Nothing of it was issued.' },
    ISSUING: { value: 'issuing', description: 'Approved, and being issued: see `progress`, and ask again.' },
    APPROVED: {
      value: 'approved',
      description: 'Approved, and over: each row was issued, or refused for a reason of its own.',
    },
    CANCELLED: {
      value: 'cancelled',
      description: 'Approved, and stopped: what had been issued by then stands, the other rows are refused.',
    },
  } as const,
});

const RefusalEnum = builder.enumType('IssueRowRefusalCode', {
  description:
    'Why nothing was issued for a row. ALREADY_ISSUED: the person has one by now. PERSON_MOVED: they work there no more, or not in a role that it is for. EXPIRED_MEANWHILE: its last day was before its turn. UNPRINTABLE: a character that no font has, or no room. FAILED: a fault of the service. CANCELLED: somebody stopped it first.',
  values: rowRefusalCodes,
});
const RowRefusal = builder.objectRef<RowFacts>('IssueRowRefusal').implement({
  description: 'Why nothing was issued for a row. Mend it, and ask again.',
  fields: (t) => ({
    code: t.field({
      type: RefusalEnum,
      description: 'For a program.',
      resolve: ({ refusal }) => refusal!.code,
    }),
    reason: t.string({
      description: 'For a person.',
      args: { language: t.arg(languageArg) },
      resolve: (row, { language }) => reasonOf(row.refusal!, row)[language],
    }),
  }),
});

const IssueProgress = builder.objectRef<Pace>('IssueProgress').implement({
  description:
    'How far the issuing is. It is done in lots, each whole or not at all: a crash takes back one lot at most, and no certificate is issued twice.',
  fields: (t) => ({
    rowsDone: t.exposeInt('rowsDone', { description: 'Rows issued or refused.' }),
    rowsTotal: t.exposeInt('rowsTotal', { description: 'Rows of the request.' }),
    rowsPerSecond: t.float({
      nullable: true,
      description:
        'Since it was approved or, after a pause of more than a minute, since then; null before the first lot.',
      resolve: rowsPerSecond,
    }),
    secondsLeft: t.float({
      nullable: true,
      description: 'Until it is over, at the rate it had so far.',
      resolve: secondsLeft,
    }),
  }),
});

IssueRequestRow.implement({
  description: 'One certificate that is asked for.',
  fields: (t) => ({
    line: t.exposeInt('line', { description: 'Line of the file; 1 for one asked for by hand.' }),
    person: t.field({
      type: Person,
      description: 'Whose it is to be.',
      resolve: async (row, _args, context) => (await context.load.named.load(row.personId))!,
    }),
    certification: t.field({
      type: Certification,
      description: 'Of what.',
      resolve: async (row, _args, context) => (await context.load.certification.load(row.certificationId))!,
    }),
    completedOn: t.expose('completedOn', {
      type: 'Date',
      description: 'Last day of the training; of an old certificate, the day of its issue.',
    }),
    validUntil: t.expose('validUntil', {
      type: 'Date',
      nullable: true,
      description: 'Last valid day; null = it does not expire. The first one is the day of approval.',
    }),
    classHours: t.exposeFloat('classHours', { description: 'Class hours 学时 that are to be credited.' }),
    evidence: t.exposeString('evidence', {
      description: 'What it rests on, for who decides. It is not printed.',
    }),
    oldNumber: t.exposeString('oldNumber', {
      nullable: true,
      description: 'Number of the old certificate; null by hand.',
    }),
    issuingBody: t.exposeString('issuingBody', {
      nullable: true,
      description: 'Who issued the old certificate; null by hand.',
    }),
    certificateNumber: t.exposeString('certificateNumber', {
      nullable: true,
      description: 'Of the certificate that was issued for it: ask `certificate(number:)` for more.',
    }),
    refusal: t.field({
      type: RowRefusal,
      nullable: true,
      description:
        'Why nothing was issued for it. null where something was, and while it waits for the decision or its turn.',
      resolve: (row) => (row.refusal === null ? null : row),
    }),
  }),
});

builder.node(IssueRequest, {
  name: 'IssueRequest',
  description:
    'Certificates that an issuer wants issued without an exam of this service: one by hand, or old ones from a file. Another issuer decides, about all of it; then each row is issued, or refused by itself. Visible to issuers of the unit.',
  id: { resolve: (request) => request.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.issueRequests.find(context.viewer, id)) ?? null),
  isTypeOf: (value) =>
    typeof value === 'object' && value !== null && 'requestedBy' in value && 'path' in value,
  fields: (t) => ({
    path: t.expose('path', { type: CertificatePathEnum, description: 'MANUAL or IMPORTED.' }),
    unit: t.field({
      type: Unit,
      description:
        'Of a file the Division it is for; by hand the Organization where the person worked when it was asked for.',
      resolve: async ({ unit }, _args, context) =>
        unit.kind === 'division'
          ? (await context.load.division.load(unit.code))!
          : (await context.load.organization.load(unit.id))!,
    }),
    reason: t.exposeString('reason', { description: 'Why it was asked for.' }),
    requestedBy: t.field({
      type: Person,
      description: 'Who asked.',
      resolve: async (request, _args, context) => (await context.load.named.load(request.requestedBy))!,
    }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When.' }),
    state: t.expose('state', { type: StateEnum, description: 'Whether it was decided, and how.' }),
    decidedBy: t.field({
      type: Person,
      nullable: true,
      description: 'Who decided: never who asked, nor anybody whom it is about.',
      resolve: async (request, _args, context) =>
        request.decidedBy === null ? null : ((await context.load.named.load(request.decidedBy)) ?? null),
    }),
    decidedAt: t.expose('decidedAt', { type: 'DateTime', nullable: true, description: 'When.' }),
    remark: t.exposeString('remark', {
      nullable: true,
      description: 'Of who decided; always there when it was declined.',
    }),
    rowsTotal: t.exposeInt('rowsTotal', { description: 'How many certificates it asks for.' }),
    rowsIssued: t.exposeInt('rowsIssued', { description: 'How many have been issued.' }),
    rowsRefused: t.exposeInt('rowsRefused', {
      description: 'For how many nothing was issued, of an approved request: `rows(refused: true)` says why.',
    }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When all rows of an approved one had been issued or refused, or it was stopped.',
    }),
    progress: t.field({
      type: IssueProgress,
      nullable: true,
      description: 'While it is ISSUING; null before and after.',
      resolve: ({ state, run, rowsIssued, rowsRefused, rowsTotal }) =>
        state === 'issuing' && run !== null
          ? { ...run, rowsDone: rowsIssued + rowsRefused, rowsTotal }
          : null,
    }),
    refusalsUrl: t.string({
      nullable: true,
      description:
        'Where the refused rows can be downloaded as a workbook, to be mended and imported again: GET with the same Authorization header, `?language=en` for English. null where none was refused.',
      resolve: ({ id, rowsRefused }, _args, context) =>
        rowsRefused === 0 ? null : `${context.services.publicUrl}/issue-requests/${id}/refusals.xlsx`,
    }),
    rows: t.connection({
      type: IssueRequestRow,
      description: 'What is asked for, in the order of the file, and what became of it.',
      complexity: pageComplexity,
      args: {
        refused: t.arg.boolean({
          defaultValue: false,
          required: true,
          description: 'Only those for which nothing was issued.',
        }),
      },
      resolve: async (request, args, context) => {
        const size = pageSize(args);
        const after = args.after ?? undefined;
        if (after !== undefined && !/^\d{1,9}$/.test(after))
          throw new InvalidInput('after', 'This cursor is not one of this list.');
        const rows = await context.services.issueRequests.listRows(request, {
          refused: args.refused,
          page: { after: after === undefined ? undefined : Number(after), limit: size + 1 },
        });
        return connectionOf(rows, size, (row) => String(row.line));
      },
    }),
  }),
});

builder.queryField('issueRequests', (t) =>
  t.connection({
    type: IssueRequest,
    nullable: true,
    description:
      "Requests of a unit and below it, newest first, for issuers. null for a unit that is not there or not the viewer's.",
    complexity: pageComplexity,
    args: {
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
      state: t.arg({ type: StateEnum, description: 'Only these; left out = all.' }),
    },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      const after = args.after ?? undefined;
      if (after !== undefined && !/^\d{1,18}$/.test(after))
        throw new InvalidInput('after', 'This cursor is not one of this list.');
      try {
        const rows = await context.services.issueRequests.list(signedIn(context), {
          unit: unitOf(args.unitId, 'unitId'),
          state: args.state ?? undefined,
          page: { after, limit: size + 1 },
        });
        return connectionOf(rows, size, (row) => row.id);
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);

const payload = (name: string, description: string) =>
  builder.objectRef<{ issueRequest: typeof IssueRequest.$inferType }>(name).implement({
    description,
    fields: (t) => ({
      issueRequest: t.field({
        type: IssueRequest,
        description: 'As it is now.',
        resolve: ({ issueRequest }) => issueRequest,
      }),
    }),
  });

const RequestManualIssueInput = builder.inputType('RequestManualIssueInput', {
  description: 'For whom a certificate is asked, of what, and on what grounds.',
  fields: (t) => ({
    certificationId: t.id({ required: true, description: 'Of what.' }),
    personId: t.id({ required: true, description: 'For whom: somebody who works where you issue.' }),
    completedOn: t.field({
      type: 'Date',
      required: true,
      description:
        'Last day of the training elsewhere. The validity is counted from it, though it begins on the day of approval.',
    }),
    classHours: t.float({
      required: true,
      description:
        'Class hours 学时 to be credited: from 0, where they were credited elsewhere, to those of the certification’s course.',
    }),
    reason: t.string({ required: true, description: 'Why by hand, in 1 to 200 characters.' }),
    evidence: t.string({
      required: true,
      description:
        'What it rests on, so that another can judge it, in 1 to 500 characters. It is not printed.',
    }),
  }),
});
const RequestManualIssuePayload = payload(
  'RequestManualIssuePayload',
  'The request waits for another issuer.',
);
builder.mutationField('requestManualIssue', (t) =>
  t.field({
    type: RequestManualIssuePayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Asks for a certificate for somebody who was trained elsewhere, for issuers, never for themselves. Nothing is issued until another issuer approves. ALREADY_ISSUED where the person has one of it; REQUEST_WAITING where it was asked for.',
    args: {
      input: t.arg({ type: RequestManualIssueInput, required: true, description: 'For whom and why.' }),
    },
    resolve: async (_root, { input }, context) => ({
      issueRequest: await context.services.issueRequests.requestManual(signedIn(context), {
        ...input,
        certificationId: localId(input.certificationId, 'Certification', 'input.certificationId'),
        personId: localId(input.personId, 'Person', 'input.personId'),
      }),
    }),
  }),
);

const ImportOldCertificatesInput = builder.inputType('ImportOldCertificatesInput', {
  description: 'Old certificates of people who work in a division.',
  fields: (t) => ({
    divisionCode: t.string({ required: true, description: 'Where all of them work today.' }),
    reason: t.string({
      required: true,
      description: 'Why they are recorded, and where the list comes from, in 1 to 200 characters.',
    }),
    file: t.field({
      type: 'File',
      required: true,
      description:
        'CSV (UTF-8 or GBK) or a workbook, 5,000 rows at most. Columns: `staff_number` 工号 or `source_id` 人员编号; `name` 姓名 as a check; `certification` 认证代码; `issued_on` 发证日期; `valid_until` 有效期至, empty = as long as the certification says; `old_number` 原证书编号; `issuing_body` 发证机关; `reason` 理由; `class_hours` 学时, empty = 0, as they were credited elsewhere.',
    }),
  }),
});
const ImportOldCertificatesPayload = builder
  .objectRef<{
    issueRequest: typeof IssueRequest.$inferType | null;
    rowsRead: number;
    unchanged: number;
  }>('ImportOldCertificatesPayload')
  .implement({
    description: 'The file was read, and what is new in it waits for another issuer.',
    fields: (t) => ({
      issueRequest: t.field({
        type: IssueRequest,
        nullable: true,
        description: 'What waits; null where nothing in the file is new.',
        resolve: ({ issueRequest }) => issueRequest,
      }),
      rowsRead: t.exposeInt('rowsRead', { description: 'Rows of the file.' }),
      unchanged: t.exposeInt('unchanged', {
        description: 'Rows whose certificates are recorded already, or wait to be.',
      }),
    }),
  });
builder.mutationField('importOldCertificates', (t) =>
  t.field({
    type: ImportOldCertificatesPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, RowsRefused] },
    description:
      'Asks for old certificates to be recorded, for issuers: all rows of a file or none, with every faulty place told. The same file twice adds nothing. Once another issuer approves, each gets a number and code of this service and keeps its old number as a fact. What has expired, and what would be valid longer than the certification permits, is refused.',
    args: {
      input: t.arg({ type: ImportOldCertificatesInput, required: true, description: 'Which, and why.' }),
    },
    resolve: async (_root, { input }, context) => {
      const { file } = input;
      const { request, rowsRead, unchanged } = await context.services.issueRequests.importOld(
        signedIn(context),
        {
          divisionCode: input.divisionCode,
          reason: input.reason,
          file: { name: file.name, size: file.size, stream: () => file.stream() },
        },
      );
      return { issueRequest: request ?? null, rowsRead, unchanged };
    },
  }),
);

const ApproveIssueRequestInput = builder.inputType('ApproveIssueRequestInput', {
  description: 'Which request is approved.',
  fields: (t) => ({
    issueRequestId: t.id({ required: true, description: 'Which.' }),
    remark: t.string({ description: 'Whatever is to be said beside it.' }),
  }),
});
const ApproveIssueRequestPayload = payload(
  'ApproveIssueRequestPayload',
  'The request is approved. One of up to 50 rows is usually over by now; a larger one is ISSUING.',
);
builder.mutationField('approveIssueRequest', (t) =>
  t.field({
    type: ApproveIssueRequestPayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Approves a request, for another issuer than who asked, whom it is not about. It is the approver who answers for it, whatever became of the roles of who asked, and as long as they are an issuer there. Each row is then issued, or refused by itself: see `state`, `progress` and `rows(refused: true)`. ALREADY_DECIDED; and where not one of its rows can be issued, nothing is decided: ALREADY_ISSUED where the person has one by now, PERSON_MOVED where they work there no more, EXPIRED_MEANWHILE.',
    args: { input: t.arg({ type: ApproveIssueRequestInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      issueRequest: await context.services.issueRequests.approve(signedIn(context), {
        requestId: localId(input.issueRequestId, 'IssueRequest', 'input.issueRequestId'),
        remark: input.remark ?? null,
      }),
    }),
  }),
);

const DeclineIssueRequestInput = builder.inputType('DeclineIssueRequestInput', {
  description: 'Which request is declined, and why.',
  fields: (t) => ({
    issueRequestId: t.id({ required: true, description: 'Which.' }),
    reason: t.string({ required: true, description: 'Why, in 1 to 200 characters.' }),
  }),
});
const DeclineIssueRequestPayload = payload('DeclineIssueRequestPayload', 'Nothing was issued.');
builder.mutationField('declineIssueRequest', (t) =>
  t.field({
    type: DeclineIssueRequestPayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Says no to a request, for another issuer than who asked, whom it is not about. It can be asked for again. ALREADY_DECIDED the second time.',
    args: { input: t.arg({ type: DeclineIssueRequestInput, required: true, description: 'Which, why.' }) },
    resolve: async (_root, { input }, context) => ({
      issueRequest: await context.services.issueRequests.decline(signedIn(context), {
        requestId: localId(input.issueRequestId, 'IssueRequest', 'input.issueRequestId'),
        reason: input.reason,
      }),
    }),
  }),
);

const CancelIssueRequestInput = builder.inputType('CancelIssueRequestInput', {
  description: 'Which request is to stop.',
  fields: (t) => ({ issueRequestId: t.id({ required: true, description: 'One that is ISSUING.' }) }),
});
const CancelIssueRequestPayload = payload(
  'CancelIssueRequestPayload',
  'It was stopped, or was over already.',
);
builder.mutationField('cancelIssueRequest', (t) =>
  t.field({
    type: CancelIssueRequestPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Stops a request that is being issued, for issuers there. What has been issued stands; the rest is refused as CANCELLED and can be asked for again. One that is over stays as it is. NOT_DECIDED while it waits: decline it.',
    args: { input: t.arg({ type: CancelIssueRequestInput, required: true, description: 'Which one.' }) },
    resolve: async (_root, { input }, context) => ({
      issueRequest: await context.services.issueRequests.cancel(
        signedIn(context),
        localId(input.issueRequestId, 'IssueRequest', 'input.issueRequestId'),
      ),
    }),
  }),
);
