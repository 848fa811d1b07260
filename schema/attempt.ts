import type { AttemptItem as AttemptItemFacts } from '../src/assessment/exam.service.ts';
import type { PracticeService } from '../src/assessment/practice.service.ts';
import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Attempt, AttemptItem } from './refs.ts';

const AttemptStateEnum = builder.enumType('AttemptState', {
  description: 'OPEN until it is submitted or its time is over.',
  values: ['OPEN', 'GRADED'] as const,
});
const PresentationEnum = builder.enumType('ExamPresentation', {
  description: 'How its questions are shown.',
  values: {
    ONE: { value: 'one', description: 'One at a time, forth and back at will.' },
    ALL: { value: 'all', description: 'All on one page.' },
  } as const,
});

const CompetencyResult = builder
  .objectRef<{
    language: 'zh-CN' | 'en';
    result: Awaited<ReturnType<PracticeService['listResults']>>[number];
  }>('CompetencyResult')
  .implement({
    description: 'How an attempt went in one competency.',
    fields: (t) => ({
      key: t.string({ description: 'Of the competency.', resolve: ({ result }) => result.key }),
      title: t.string({
        description: 'What it is called.',
        resolve: ({ result, language }) => result.title[language],
      }),
      items: t.int({
        description: 'How many items of it were drawn.',
        resolve: ({ result }) => result.items,
      }),
      percent: t.float({ description: '0–100.', resolve: ({ result }) => result.percent }),
      isWeak: t.boolean({
        description: 'Below the pass mark, or with a must-pass item missed: worth practising (`practice`).',
        resolve: ({ result }) => result.isWeak,
      }),
    }),
  });

builder.node(Attempt, {
  name: 'Attempt',
  description: "One sitting of an exam: drawn, timed and graded by the server. The learner's own alone.",
  id: { resolve: (attempt) => attempt.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.exams.findOwn(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'drawn' in value,
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first.' }),
    assignmentId: t.globalID({
      description: 'The Assignment it belongs to.',
      resolve: (attempt) => ({ type: 'Assignment', id: attempt.assignmentId }),
    }),
    state: t.field({
      type: AttemptStateEnum,
      description: 'OPEN or GRADED.',
      resolve: (attempt) => (attempt.submittedAt === null ? 'OPEN' : 'GRADED'),
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    deadline: t.expose('deadline', {
      type: 'DateTime',
      description: "When it ends by the server's clock; then what was saved is graded.",
    }),
    submittedAt: t.expose('submittedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was graded.',
    }),
    items: t.field({
      type: [AttemptItem],
      args: { language: t.arg(languageArg) },
      description: 'In the order drawn.',
      resolve: async (attempt, { language }, context) =>
        (await context.services.exams.getSat(signedIn(context), attempt.id)).items.map((facts) => ({
          facts,
          language,
        })),
    }),
    presentation: t.field({
      type: PresentationEnum,
      description: 'How its questions are to be shown.',
      resolve: async (attempt, _args, context) =>
        (await context.services.exams.getSat(signedIn(context), attempt.id)).course.manifest.exam
          .presentation,
    }),
    competencies: t.field({
      type: [CompetencyResult],
      args: { language: t.arg(languageArg) },
      description: 'How it went by competency, in the order of the course; empty while it is open.',
      resolve: async (attempt, { language }, context) =>
        (await context.services.practice.listResults(signedIn(context), attempt.id)).map((result) => ({
          language,
          result,
        })),
    }),
    practice: t.field({
      type: [AttemptItem],
      args: {
        competency: t.arg.string({ required: true, description: 'Key of one of its `competencies`.' }),
        round: t.arg.int({
          defaultValue: 0,
          required: true,
          description:
            'The next ones: each round goes on where the last one ended, and begins again in the end.',
        }),
        language: t.arg(languageArg),
      },
      description:
        'A few items to practise, for `checkPractice`, where the competency is weak; empty otherwise, and while it is open. None of an exam that the learner has not seen.',
      resolve: async (attempt, { competency, round, language }, context) =>
        (await context.services.practice.list(signedIn(context), attempt.id, competency, round)).map(
          (facts) => ({ facts, language }),
        ),
    }),
    percent: t.exposeFloat('percent', { nullable: true, description: '0–100; null while it is open.' }),
    passed: t.exposeBoolean('passed', {
      nullable: true,
      description: 'Whether the pass mark was reached and no must-pass item missed; null while it is open.',
    }),
    mustPassMissed: t.exposeInt('mustPassMissed', {
      nullable: true,
      description:
        'How many must-pass items (safety, protection of data) did not get full points: any of them fails the attempt, whatever the percent. null while it is open.',
    }),
  }),
});

const payload = (name: string, description: string) =>
  builder.objectRef<{ attempt: typeof Attempt.$inferType }>(name).implement({
    description,
    fields: (t) => ({
      attempt: t.field({ type: Attempt, description: 'The attempt.', resolve: (each) => each.attempt }),
    }),
  });

const StartAttemptInput = builder.inputType('StartAttemptInput', {
  description: 'Which exam to begin.',
  fields: (t) => ({ assignmentId: t.id({ required: true, description: "The viewer's own." }) }),
});
builder.mutationField('startAttempt', (t) =>
  t.field({
    type: payload('StartAttemptPayload', 'The attempt has begun; its time runs.'),
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Draws an exam and starts its time. Refused with LESSONS_UNFINISHED, ATTEMPT_OPEN, ALREADY_PASSED, NO_ATTEMPTS_LEFT or RESIT_TOO_EARLY.',
    args: { input: t.arg({ type: StartAttemptInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      attempt: await context.services.exams.start(
        signedIn(context),
        localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
      ),
    }),
  }),
);

const CHOSEN =
  'By kind: keys of options; ORDERING: all keys, in order; MATCHING: `option=target` for each that is matched; NUMERIC: one number, as typed.';
const SaveResponseInput = builder.inputType('SaveResponseInput', {
  description: 'The answer to one item of an open attempt.',
  fields: (t) => ({
    attemptId: t.id({ required: true, description: "The viewer's own, and open." }),
    itemKey: t.string({ required: true, description: 'An item drawn for it.' }),
    chosen: t.stringList({ required: true, description: `${CHOSEN} Empty takes the answer back.` }),
  }),
});
const SaveResponsePayload = builder.objectRef<{ savedAt: Date }>('SaveResponsePayload').implement({
  description: 'The answer is saved.',
  fields: (t) => ({
    savedAt: t.expose('savedAt', { type: 'DateTime', description: "By the server's clock." }),
  }),
});
builder.mutationField('saveResponse', (t) =>
  t.field({
    type: SaveResponsePayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description: 'Saves one answer; the last before the end counts. Refused with ATTEMPT_CLOSED afterwards.',
    args: { input: t.arg({ type: SaveResponseInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      savedAt: await context.services.exams.saveResponse(signedIn(context), {
        ...input,
        attemptId: localId(input.attemptId, 'Attempt', 'input.attemptId'),
      }),
    }),
  }),
);

const SubmitAttemptInput = builder.inputType('SubmitAttemptInput', {
  description: 'Which attempt to hand in.',
  fields: (t) => ({ attemptId: t.id({ required: true, description: "The viewer's own, and open." }) }),
});
builder.mutationField('submitAttempt', (t) =>
  t.field({
    type: payload('SubmitAttemptPayload', 'The attempt is graded.'),
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Ends an attempt and grades what was saved. A second time, or late, it is refused with ATTEMPT_CLOSED and the first result stands.',
    args: { input: t.arg({ type: SubmitAttemptInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      attempt: await context.services.exams.submit(
        signedIn(context),
        localId(input.attemptId, 'Attempt', 'input.attemptId'),
      ),
    }),
  }),
);

const CheckPracticeInput = builder.inputType('CheckPracticeInput', {
  description: 'The answer to an item that is practised after an attempt.',
  fields: (t) => ({
    attemptId: t.id({ required: true, description: "The viewer's own, and graded." }),
    itemKey: t.string({ required: true, description: 'An item that its `practice` offers.' }),
    chosen: t.stringList({ required: true, description: CHOSEN }),
  }),
});
const CheckPracticePayload = builder
  .objectRef<{ facts: AttemptItemFacts }>('CheckPracticePayload')
  .implement({
    description: 'What is right, at once.',
    fields: (t) => ({
      item: t.field({
        type: AttemptItem,
        args: { language: t.arg(languageArg) },
        description: 'With its key and its points, which count for nothing.',
        resolve: ({ facts }, { language }) => ({ facts, language }),
      }),
    }),
  });
builder.mutationField('checkPractice', (t) =>
  t.field({
    type: CheckPracticePayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Checks an answer in practice: nothing of it is kept, and it certifies nothing. Refused with ATTEMPT_OPEN before the attempt is graded, and with INVALID_INPUT for an item that is not offered.',
    args: { input: t.arg({ type: CheckPracticeInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      facts: await context.services.practice.check(signedIn(context), {
        ...input,
        attemptId: localId(input.attemptId, 'Attempt', 'input.attemptId'),
      }),
    }),
  }),
);
