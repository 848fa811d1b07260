import {
  efficacyWaves,
  type DueWave,
  type EfficacyWave,
  type ItemAnswer,
} from '../src/assessment/efficacy.ts';
import type { OwnAnswers, OwnEfficacy } from '../src/assessment/efficacy.service.ts';
import type { EfficacyChange as ChangeFacts } from '../src/coverage/efficacy-change.service.ts';
import type { Effect } from '../src/coverage/efficacy-change.ts';
import type { Language } from '../src/courses/language.ts';
import { inLanguage, languageOfText } from '../src/courses/notation.ts';
import type { Scale } from '../src/courses/scale.ts';
import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder, languageArg, LanguageEnum } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Assignment, Certification } from './refs.ts';
import { Unit, unitOf } from './region.ts';

type In<T> = T & { readonly language: Language };

const EfficacyWaveEnum = builder.enumType('EfficacyWave', {
  description:
    'When the self-efficacy scale is asked: BEFORE the first activity is completed, AFTER the exam is passed (for 60 days), and 3, 6 and 12 months after the pass (from 7 days before that day until 60 after).',
  values: Object.fromEntries(efficacyWaves.map((wave) => [wave.toUpperCase(), { value: wave }])) as {
    [K in EfficacyWave as Uppercase<K>]: { value: K };
  },
});

const EfficacyItem = builder
  .objectRef<{ item: Scale['items'][number]; language: Language }>('EfficacyItem')
  .implement({
    description: 'A sentence that one finds more or less true of oneself.',
    fields: (t) => ({
      key: t.string({ description: 'For `answerEfficacy`.', resolve: ({ item }) => item.key }),
      text: t.string({
        description: 'In the first person.',
        resolve: ({ item, language }) => inLanguage(item.text, language),
      }),
      purpose: t.string({
        description: 'What it is asked for, for whoever wants to know.',
        resolve: ({ item, language }) => inLanguage(item.purpose, language),
      }),
    }),
  });

const EfficacyScale = builder.objectRef<In<{ scale: Scale }>>('EfficacyScale').implement({
  description: 'The self-efficacy scale of a course. Nobody is judged by it.',
  fields: (t) => ({
    language: t.field({
      type: LanguageEnum,
      description: 'What its words are in: as asked for, or Chinese where the course is in Chinese alone.',
      resolve: ({ scale, language }) => languageOfText(scale.title, language),
    }),
    title: t.string({
      description: 'What it is called.',
      resolve: ({ scale, language }) => inLanguage(scale.title, language),
    }),
    introduction: t.string({
      description:
        'What it is for, who sees the answers, that nothing depends on them: show it before asking.',
      resolve: ({ scale, language }) => inLanguage(scale.introduction, language),
    }),
    version: t.int({
      description: 'Answers of different versions are never compared.',
      resolve: ({ scale }) => scale.version,
    }),
    answers: t.stringList({
      description: 'From the least to the most; the first counts 1.',
      resolve: ({ scale, language }) => scale.answers.map((answer) => inLanguage(answer, language)),
    }),
    items: t.field({
      type: [EfficacyItem],
      description: 'In the order to ask them.',
      resolve: ({ scale, language }) => scale.items.map((item) => ({ item, language })),
    }),
  }),
});

const EfficacyDue = builder.objectRef<DueWave & { readonly declined: boolean }>('EfficacyDue').implement({
  description: 'What may be answered now. It is voluntary and nothing waits for it.',
  fields: (t) => ({
    wave: t.expose('wave', { type: EfficacyWaveEnum, description: 'Which.' }),
    until: t.expose('until', {
      type: 'Date',
      nullable: true,
      description: 'The last day; null for BEFORE, which ends when a first activity is completed.',
    }),
    declined: t.exposeBoolean('declined', {
      description: 'The learner has declined it, or taken the answers back: do not offer it again unasked.',
    }),
  }),
});

const EfficacyItemAnswer = builder.objectRef<ItemAnswer>('EfficacyItemAnswer').implement({
  description: 'The answer to one item.',
  fields: (t) => ({
    itemKey: t.exposeString('itemKey', { description: 'Which item.' }),
    answer: t.exposeInt('answer', { description: '1 for the first of the answers of the scale, the least.' }),
  }),
});

const EfficacyAnswers = builder.objectRef<OwnAnswers>('EfficacyAnswers').implement({
  description: "A learner's own answers at one time.",
  fields: (t) => ({
    wave: t.expose('wave', { type: EfficacyWaveEnum, description: 'Which time.' }),
    givenAt: t.expose('givenAt', { type: 'DateTime', description: 'When.' }),
    answers: t.expose('answers', {
      type: [EfficacyItemAnswer],
      description: 'All of them, in the order of the items.',
    }),
    mean: t.exposeFloat('mean', { description: 'Of the answers: from 1 to the number of possible answers.' }),
  }),
});

const Efficacy = builder.objectRef<In<OwnEfficacy>>('Efficacy').implement({
  description:
    "How sure a learner feels before a course, after it, and months later. The learner's own alone: no employer sees it through any field, export, journal or log.",
  fields: (t) => ({
    scale: t.field({ type: EfficacyScale, description: 'What is asked.', resolve: (own) => own }),
    due: t.field({
      type: EfficacyDue,
      nullable: true,
      description: 'What may be answered now; null when nothing is asked or it has been answered.',
      resolve: ({ due }) => due ?? null,
    }),
    given: t.field({
      type: [EfficacyAnswers],
      description: 'What was answered, in the order of time: the change is between them.',
      resolve: ({ given }) => [...given],
    }),
  }),
});

builder.objectField(Assignment, 'efficacy', (t) =>
  t.field({
    type: Efficacy,
    nullable: true,
    args: { language: t.arg(languageArg) },
    description: 'How sure the learner feels, by their own account; null where the course asks nothing.',
    resolve: async ({ id }, { language }, context) => {
      const own = await context.services.efficacy.findOwn(signedIn(context), id);
      return own === undefined ? null : { ...own, language };
    },
  }),
);

const EfficacyPayload = (name: string, description: string) =>
  builder.objectRef<OwnEfficacy>(name).implement({
    description,
    fields: (t) => ({
      efficacy: t.field({
        type: Efficacy,
        args: { language: t.arg(languageArg) },
        description: 'As it is now.',
        resolve: (own, { language }) => ({ ...own, language }),
      }),
    }),
  });
const refusals = { types: [NotSignedIn, NotFound, InvalidInput, Conflict] };

const EfficacyItemAnswerInput = builder.inputType('EfficacyItemAnswerInput', {
  description: 'The answer to one item.',
  fields: (t) => ({
    itemKey: t.string({ required: true, description: 'Which item.' }),
    answer: t.int({ required: true, description: '1 for the first of the answers, the least.' }),
  }),
});
const AnswerEfficacyInput = builder.inputType('AnswerEfficacyInput', {
  description: 'All answers of one time.',
  fields: (t) => ({
    assignmentId: t.id({ required: true, description: "The viewer's own." }),
    wave: t.field({ type: EfficacyWaveEnum, required: true, description: 'The one that is due.' }),
    answers: t.field({
      type: [EfficacyItemAnswerInput],
      required: true,
      description: 'Of every item, once each: all are kept, or none.',
    }),
  }),
});
builder.mutationField('answerEfficacy', (t) =>
  t.field({
    type: EfficacyPayload('AnswerEfficacyPayload', 'The answers are kept.'),
    errors: refusals,
    description:
      'Answers the self-efficacy scale, once for each time. Refused with EFFICACY_NOT_DUE, or ALREADY_ANSWERED: the first answers stand until they are withdrawn.',
    args: { input: t.arg({ type: AnswerEfficacyInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      context.services.efficacy.answer(signedIn(context), {
        ...input,
        assignmentId: localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
      }),
  }),
);

const DeclineEfficacyInput = builder.inputType('DeclineEfficacyInput', {
  description: 'What not to answer.',
  fields: (t) => ({
    assignmentId: t.id({ required: true, description: "The viewer's own." }),
    wave: t.field({ type: EfficacyWaveEnum, required: true, description: 'The one that is due.' }),
  }),
});
builder.mutationField('declineEfficacy', (t) =>
  t.field({
    type: EfficacyPayload('DeclineEfficacyPayload', 'It is not offered again.'),
    errors: refusals,
    description:
      'Declines the scale this time; nothing comes of it. While it is due it may still be answered. Refused with EFFICACY_NOT_DUE or ALREADY_ANSWERED.',
    args: { input: t.arg({ type: DeclineEfficacyInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      context.services.efficacy.decline(signedIn(context), {
        ...input,
        assignmentId: localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
      }),
  }),
);

const WithdrawEfficacyInput = builder.inputType('WithdrawEfficacyInput', {
  description: 'What to take back.',
  fields: (t) => ({
    assignmentId: t.id({ required: true, description: "The viewer's own." }),
    wave: t.field({ type: EfficacyWaveEnum, required: true, description: 'Any that was answered.' }),
  }),
});
builder.mutationField('withdrawEfficacy', (t) =>
  t.field({
    type: EfficacyPayload('WithdrawEfficacyPayload', 'The answers are deleted.'),
    errors: refusals,
    description: 'Takes answers back, at any time: they are deleted. A second time changes nothing.',
    args: { input: t.arg({ type: WithdrawEfficacyInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      context.services.efficacy.withdraw(signedIn(context), {
        ...input,
        assignmentId: localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
      }),
  }),
);

const EfficacyEffect = builder.objectRef<Effect>('EfficacyEffect').implement({
  description:
    'Standardized mean change with raw-score standardization (Becker 1988): the mean change ÷ the standard deviation before, corrected for small groups, with its 95 % interval. To one decimal.',
  fields: (t) => ({
    size: t.exposeFloat('size', { description: 'In standard deviations from before; above 0: surer.' }),
    low: t.exposeFloat('low', { description: 'Lower end of the 95 % interval.' }),
    high: t.exposeFloat('high', { description: 'Upper end of the 95 % interval.' }),
  }),
});

type Numbers = NonNullable<ChangeFacts['numbers']>;
const EfficacyNumbers = builder.objectRef<Numbers>('EfficacyNumbers').implement({
  description:
    'What a group of people answered, on the scale from 1 to the number of possible answers. To one decimal.',
  fields: (t) => ({
    people: t.exposeInt('people', {
      description:
        'Whose answers are counted: those who answered both times, in whole fives; up to four who came last wait for others.',
    }),
    meanBefore: t.exposeFloat('meanBefore', { description: 'At `from`.' }),
    meanAfter: t.exposeFloat('meanAfter', { description: 'At `to`, of the same people.' }),
    meanChange: t.exposeFloat('meanChange', { description: 'Between the two as they are told here.' }),
    effect: t.field({
      type: EfficacyEffect,
      nullable: true,
      description: 'null where nobody differed, so that there is nothing to measure by.',
      resolve: ({ effect }) => effect ?? null,
    }),
  }),
});

const EfficacyChange = builder.objectRef<In<ChangeFacts>>('EfficacyChange').implement({
  description:
    'How a group changed between two times of the self-efficacy scale: people who hold one of the roles of the certification in the unit today and answered the scale of its course both times. It is by their own account, and without a group to compare with: it proves nothing about any of them, and does not tell what caused it.',
  fields: (t) => ({
    certification: t.field({
      type: Certification,
      description: 'Of what.',
      resolve: ({ certification }) => certification,
    }),
    unit: t.field({ type: Unit, description: 'Where.', resolve: ({ unit }) => unit }),
    from: t.expose('from', { type: EfficacyWaveEnum, description: 'The earlier time.' }),
    to: t.expose('to', { type: EfficacyWaveEnum, description: 'The later time.' }),
    scale: t.field({ type: EfficacyScale, description: 'What was asked.', resolve: (change) => change }),
    numbers: t.field({
      type: EfficacyNumbers,
      nullable: true,
      description:
        'null, for everybody, where fewer than ten answered both times, or so few would be left of a unit above once this one were taken from it.',
      resolve: ({ numbers }) => numbers ?? null,
    }),
  }),
});

builder.queryField('efficacyChange', (t) =>
  t.field({
    type: EfficacyChange,
    nullable: true,
    description:
      "How sure a group feels now and then; never a person. null for a unit or certification that is not there or not the viewer's to see, and where the course asks nothing.",
    complexity: 20,
    args: {
      certificationId: t.arg.id({ required: true, description: 'Of what.' }),
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
      from: t.arg({
        type: EfficacyWaveEnum,
        required: true,
        defaultValue: 'before',
        description: 'The earlier time.',
      }),
      to: t.arg({
        type: EfficacyWaveEnum,
        required: true,
        defaultValue: 'after',
        description: 'The later time.',
      }),
      language: t.arg(languageArg),
    },
    resolve: async (_root, { certificationId, unitId, from, to, language }, context) => {
      try {
        const change = await context.services.efficacyChange.get(signedIn(context), {
          certificationId: localId(certificationId, 'Certification', 'certificationId'),
          unit: unitOf(unitId, 'unitId'),
          from,
          to,
        });
        return { ...change, language };
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);
