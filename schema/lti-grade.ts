import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import type { LtiGrade as LtiGradeFacts } from '../src/lti/grade.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Assignment, LtiGrade, LtiRegistration } from './refs.ts';

/* What learning platforms are told of their learners. */

const GradeStateEnum = builder.enumType('LtiGradeState', {
  description: 'Whether a platform knows how far somebody is.',
  values: {
    WAITING: { value: 'waiting', description: 'It is on its way.' },
    SENT: { value: 'sent', description: 'The platform has taken it.' },
    LATE: {
      value: 'late',
      description: 'The platform could not be reached, or takes nothing now: it is tried again by itself.',
    },
    FAILED: {
      value: 'failed',
      description:
        'The platform said no: its administrator has something to put right, and then somebody sends it again.',
    },
  } as const,
});
const GradeFailureEnum = builder.enumType('LtiGradeFailure', {
  description: 'Why a grade has not reached its platform.',
  values: {
    UNREACHABLE: { value: 'unreachable', description: 'The platform did not answer.' },
    BUSY: { value: 'busy', description: 'It said that it takes nothing now.' },
    TOKEN: {
      value: 'token',
      description:
        'It gave no access token, or took it for none. FAILED: it refuses one, and an operator has to look at the registration, or its administrator at the tool there.',
    },
    REFUSED: {
      value: 'refused',
      description: 'It said no, e.g. since the column or the course is gone, or grades are switched off.',
    },
    FOREIGN: {
      value: 'foreign',
      description: 'The address that it named is not its own, so that nothing was sent there.',
    },
  } as const,
});

builder.node(LtiGrade, {
  name: 'LtiGrade',
  description:
    'What a learning platform was told of an assignment, at one link of one of its courses. Visible to the learner alone.',
  id: { resolve: (grade) => grade.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.platformGrades.findOwn(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'gradeState' in value,
  fields: (t) => ({
    platformName: t.exposeString('platformTitle', { description: 'What people know the platform by.' }),
    contextTitle: t.exposeString('contextTitle', {
      nullable: true,
      description: 'Of the course there, if it says.',
    }),
    linkTitle: t.exposeString('linkTitle', { nullable: true, description: 'Of the link there, if it says.' }),
    state: t.expose('gradeState', { type: GradeStateEnum, description: 'Whether it has got there.' }),
    score: t.exposeFloat('score', {
      nullable: true,
      description: 'The points of 100 that were told last; null: progress only.',
    }),
    sentAt: t.expose('sentAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the platform last took something; null: it never has.',
    }),
    failure: t.expose('failure', {
      type: GradeFailureEnum,
      nullable: true,
      description: 'Why not, where it is LATE or FAILED.',
    }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again by itself, where it is LATE.',
    }),
  }),
});

const FailedGrade = builder.objectRef<LtiGradeFacts>('FailedLtiGrade').implement({
  description: 'A grade that has not reached its platform; whose and how high is not told.',
  fields: (t) => ({
    number: t.exposeString('id', { description: 'As the log has it.' }),
    contextTitle: t.exposeString('contextTitle', { nullable: true, description: 'Of the course there.' }),
    linkTitle: t.exposeString('linkTitle', { nullable: true, description: 'Of the link there.' }),
    state: t.expose('gradeState', { type: GradeStateEnum, description: 'LATE or FAILED.' }),
    failure: t.expose('failure', { type: GradeFailureEnum, nullable: true, description: 'Why.' }),
    status: t.exposeInt('failureStatus', {
      nullable: true,
      description: 'Which HTTP status the platform answered with, where it did.',
    }),
    failedAt: t.expose('failedAt', { type: 'DateTime', nullable: true, description: 'When last.' }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it is tried again by itself; null where it is FAILED.',
    }),
  }),
});

builder.objectField(LtiRegistration, 'failedGrades', (t) =>
  t.field({
    type: [FailedGrade],
    complexity: { field: 1, multiplier: 5 },
    description: 'What did not get through to the platform, the longest first; the first hundred.',
    resolve: async (registration, _args, context) => context.services.platformGrades.listFailed(registration),
  }),
);
builder.objectField(Assignment, 'platformGrades', (t) =>
  t.field({
    type: [LtiGrade],
    description:
      'What learning platforms were told of it, for each link by which the learner came. Empty for anybody but the learner.',
    resolve: async ({ id }, _args, context) =>
      context.viewer === undefined ? [] : context.services.platformGrades.listOwn(context.viewer, id),
  }),
);

const SendLtiGradeAgainInput = builder.inputType('SendLtiGradeAgainInput', {
  description: 'Which grade is to be sent again.',
  fields: (t) => ({ gradeId: t.id({ required: true, description: 'Which LtiGrade.' }) }),
});
const SendLtiGradeAgainPayload = builder
  .objectRef<{ grade: LtiGradeFacts }>('SendLtiGradeAgainPayload')
  .implement({
    description: 'It is on its way.',
    fields: (t) => ({
      grade: t.field({ type: LtiGrade, description: 'As it is now.', resolve: ({ grade }) => grade }),
    }),
  });
builder.mutationField('sendLtiGradeAgain', (t) =>
  t.field({
    type: SendLtiGradeAgainPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Sends the viewer’s own grade again as it is, e.g. since it is missing on the platform. SENT_JUST_NOW within a minute after it was taken.',
    args: { input: t.arg({ type: SendLtiGradeAgainInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      grade: await context.services.platformGrades.sendAgain(
        signedIn(context),
        localId(input.gradeId, 'LtiGrade', 'input.gradeId'),
      ),
    }),
  }),
);

const SendFailedLtiGradesInput = builder.inputType('SendFailedLtiGradesInput', {
  description: 'To which platform.',
  fields: (t) => ({ registrationId: t.id({ required: true, description: 'Which LtiRegistration.' }) }),
});
const SendFailedLtiGradesPayload = builder
  .objectRef<{ count: number }>('SendFailedLtiGradesPayload')
  .implement({
    description: 'They are on their way.',
    fields: (t) => ({ count: t.exposeInt('count', { description: 'How many.' }) }),
  });
builder.mutationField('sendFailedLtiGrades', (t) =>
  t.field({
    type: SendFailedLtiGradesPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Sends all again that did not get through to a platform, once its administrator has put right what was wrong.',
    args: { input: t.arg({ type: SendFailedLtiGradesInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      count: await context.services.platformGrades.sendFailedAgain(
        signedIn(context),
        localId(input.registrationId, 'LtiRegistration', 'input.registrationId'),
      ),
    }),
  }),
);
