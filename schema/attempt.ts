import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Attempt, AttemptItem } from './refs.ts';

const AttemptStateEnum = builder.enumType('AttemptState', {
  description: 'OPEN until it is submitted or its time is over.',
  values: ['OPEN', 'GRADED'] as const,
});
const ItemKindEnum = builder.enumType('ItemKind', {
  description: 'How an item is answered: one option, several, or true or false.',
  values: {
    SINGLE: { value: 'single' },
    MULTIPLE: { value: 'multiple' },
    TRUE_FALSE: { value: 'true_false' },
  } as const,
});

const AttemptOption = builder
  .objectRef<{ key: string; text: string; rationale: string | null; isRight: boolean | null }>(
    'AttemptOption',
  )
  .implement({
    description: 'An option of an item.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'For `chosen`.' }),
      text: t.exposeString('text', { description: 'What it says.' }),
      rationale: t.exposeString('rationale', {
        nullable: true,
        description: 'Why it is right or wrong; null while the attempt is open.',
      }),
      isRight: t.exposeBoolean('isRight', {
        nullable: true,
        description: 'null while the attempt is open: an answer key never leaves the server before.',
      }),
    }),
  });

AttemptItem.implement({
  description: 'An item as it was drawn for an attempt.',
  fields: (t) => ({
    key: t.string({ description: 'For `saveResponse`.', resolve: ({ facts }) => facts.item.key }),
    kind: t.field({
      type: ItemKindEnum,
      description: 'How it is answered.',
      resolve: ({ facts }) => facts.item.kind,
    }),
    stem: t.string({
      description: 'The question.',
      resolve: ({ facts, language }) => facts.item.stem[language],
    }),
    options: t.field({
      type: [AttemptOption],
      description: 'In the order drawn for this attempt.',
      resolve: ({ attempt, facts, language }) => {
        const graded = attempt.submittedAt !== null;
        return facts.options.map((key) => {
          const option = facts.item.options.find((each) => each.key === key)!;
          return {
            key,
            text: option.text[language],
            rationale: graded ? option.rationale[language] : null,
            isRight: graded ? option.correct : null,
          };
        });
      },
    }),
    chosen: t.stringList({
      description: 'What was answered last.',
      resolve: ({ facts }) => [...facts.chosen],
    }),
    points: t.float({
      nullable: true,
      description: 'From 0 to 1; null while the attempt is open.',
      resolve: ({ attempt, facts }) => (attempt.submittedAt === null ? null : facts.points),
    }),
    correct: t.boolean({
      nullable: true,
      description: 'Full points; null while the attempt is open.',
      resolve: ({ attempt, facts }) => (attempt.submittedAt === null ? null : facts.points === 1),
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
        (await context.services.exams.listItems(signedIn(context), attempt.id)).map((facts) => ({
          attempt,
          facts,
          language,
        })),
    }),
    percent: t.exposeFloat('percent', { nullable: true, description: '0–100; null while it is open.' }),
    passed: t.exposeBoolean('passed', { nullable: true, description: 'null while it is open.' }),
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

const SaveResponseInput = builder.inputType('SaveResponseInput', {
  description: 'The answer to one item of an open attempt.',
  fields: (t) => ({
    attemptId: t.id({ required: true, description: "The viewer's own, and open." }),
    itemKey: t.string({ required: true, description: 'An item drawn for it.' }),
    chosen: t.stringList({ required: true, description: 'Keys of options; empty takes the answer back.' }),
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
