import type { Fault, OptionStatistics } from '../src/assessment/analysis.ts';
import type { Estimate } from '../src/assessment/psychometrics.ts';
import { InvalidInput, NotFound } from '../src/errors.ts';
import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { Course, ItemAnalysis, ItemStatistics } from './refs.ts';

const FaultCodeEnum = builder.enumType('ItemFaultCode', {
  description:
    'Why an item should be read again. Each is a sign and no proof: an item on what nobody may get wrong is easy by right.',
  values: {
    TOO_EASY: { description: 'More than 0.95 of the points are earned: it tells nobody from anybody.' },
    TOO_HARD: { description: 'Less than 0.25 of the points are earned: worse than guessing among four.' },
    NEGATIVE_DISCRIMINATION: {
      description: 'Who does well on the rest does worse on it: often a wrong key, or two right answers.',
    },
    WEAK_DISCRIMINATION: {
      description:
        'Who does well on the rest hardly does better on it: below 0.10. Look at the interval, which is wide with few answers.',
    },
    DISTRACTOR_UNUSED: { description: 'Fewer than one in a hundred choose this wrong option.' },
    DISTRACTOR_BEATS_KEY: {
      description:
        'Of those who do best on the rest, more choose this wrong option than the right one (of several right ones, than the one found least).',
    },
  } as const,
});

const EstimateType = builder.objectRef<Estimate>('AnalysisEstimate').implement({
  description: 'A number and its 95 % confidence interval.',
  fields: (t) => ({
    value: t.exposeFloat('value', { description: 'The number.' }),
    low: t.exposeFloat('low', { description: 'Lower end of the interval.' }),
    high: t.exposeFloat('high', { description: 'Upper end of the interval.' }),
  }),
});

const ItemFault = builder.objectRef<Fault>('ItemFault').implement({
  description: 'One reason why an item misbehaves.',
  fields: (t) => ({
    code: t.expose('code', { type: FaultCodeEnum, description: 'Which.' }),
    option: t.exposeString('option', {
      nullable: true,
      description: 'Key of the option that it is about; null where it is about the item.',
    }),
  }),
});

const ItemOptionStatistics = builder.objectRef<OptionStatistics>('ItemOptionStatistics').implement({
  description: 'How often an option was chosen.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'As in the item file.' }),
    isRight: t.exposeBoolean('isRight', { description: 'Whether it is right.' }),
    chosen: t.exposeInt('chosen', {
      description: 'Answers that name it. Where several may be chosen, they add up to more than the answers.',
    }),
    chosenHigh: t.exposeInt('chosenHigh', { description: 'Of these, by those who do best on the rest.' }),
    chosenLow: t.exposeInt('chosenLow', { description: 'By those who do worst on the rest.' }),
  }),
});

ItemStatistics.implement({
  description:
    'How an item does, by classical test theory. Numbers are null until 30 attempts have drawn it; `answers` says how far it is. Unanswered counts as no points.',
  fields: (t) => ({
    key: t.string({ description: 'As in the item file.', resolve: ({ item }) => item.key }),
    competency: t.string({ description: 'Its tag.', resolve: ({ item }) => item.competency }),
    difficulty: t.int({
      description: 'What the author expected: 1 easy, 3 hard. Compare with `facility`.',
      resolve: ({ item }) => item.difficulty,
    }),
    answers: t.exposeInt('answers', { description: 'Counted attempts in which it was drawn.' }),
    enough: t.exposeBoolean('enough', { description: 'Whether there are 30, so that numbers are told.' }),
    exposure: t.exposeFloat('exposure', {
      nullable: true,
      description:
        'Share of the counted attempts in which it was drawn, 0 to 1: what is shown to most is soon known to all. null until 30 attempts are counted.',
    }),
    facility: t.exposeFloat('facility', {
      nullable: true,
      description: 'Mean points, 0 to 1: the share who get it right, where there is no partial credit.',
    }),
    discrimination: t.expose('discrimination', {
      type: EstimateType,
      nullable: true,
      description:
        'Corrected point-biserial (Pearson with partial credit): its points against the rest of the same attempt, the item itself left out and the luck of the draw taken out. null also where all have the same points. Questions of the same vignette are left out with it, since they lift each other.',
    }),
    unanswered: t.exposeInt('unanswered', { nullable: true, description: 'Of the answers, left open.' }),
    high: t.exposeInt('high', {
      nullable: true,
      description: 'How many do best on the rest: 27 in a hundred, and who ties with the last of them.',
    }),
    low: t.exposeInt('low', { nullable: true, description: 'How many do worst, in the same way.' }),
    options: t.field({
      type: [ItemOptionStatistics],
      nullable: true,
      description: 'Of items answered by choosing; null for other kinds, and until there is enough.',
      resolve: ({ options }) => options,
    }),
    faults: t.field({
      type: [ItemFault],
      description: 'Reasons to read it again; empty until there is enough.',
      resolve: ({ faults }) => faults,
    }),
  }),
});

ItemAnalysis.implement({
  description:
    "How the items of a course's exam do, from first attempts only (a resit knows the exam), graded and not left blank: the latest 20,000, counted in whole fives so that nobody's answers show in a change. About nobody in particular.",
  fields: (t) => ({
    course: t.field({
      type: Course,
      description: 'At the version asked for.',
      resolve: ({ course }) => course,
    }),
    acrossVersions: t.exposeBoolean('acrossVersions', {
      description: 'Whether answers at other versions count where the item is letter for letter the same.',
    }),
    attempts: t.exposeInt('attempts', { description: 'Counted.' }),
    enough: t.exposeBoolean('enough', { description: 'Whether there are 30, so that numbers are told.' }),
    alpha: t.expose('alpha', {
      type: EstimateType,
      nullable: true,
      description:
        "Cronbach's alpha of an exam of this length (KR-20 without partial credit), by the mean variance of an item and the mean covariance of two drawn together; Feldt's interval. How well it would rank people who sit the same items. A little low while items have few answers each.",
    }),
    reliabilityAsDrawn: t.expose('reliabilityAsDrawn', {
      type: EstimateType,
      nullable: true,
      description:
        'The same for the exams as they were drawn: who draws harder items has lower points, and that is error too. Equal to `alpha` where all sit the same items. It answers how far a score can be held against the pass mark. Its interval is a little narrow: it holds about 9 times in 10.',
    }),
    items: t.connection({
      type: ItemStatistics,
      description: 'In key order.',
      complexity: pageComplexity,
      args: {
        misbehaving: t.arg.boolean({
          defaultValue: false,
          required: true,
          description: 'Only those with faults.',
        }),
      },
      resolve: ({ items }, args) => {
        const size = pageSize(args);
        const listed = args.misbehaving ? items.filter(({ faults }) => faults.length > 0) : items;
        const after = args.after ?? undefined;
        const at = after === undefined ? 0 : listed.findIndex(({ item }) => item.key === after) + 1;
        if (after !== undefined && at === 0)
          throw new InvalidInput('after', 'This cursor is not one of this list.');
        return connectionOf(listed.slice(at, at + size + 1), size, ({ item }) => item.key);
      },
    }),
  }),
});

builder.queryField('itemAnalysis', (t) =>
  t.field({
    type: ItemAnalysis,
    nullable: true,
    description:
      "How the items of a course's exam do. null for what is not there, and for whoever is not an author for the nation: a course is everybody's, and this tells which answers are right.",
    complexity: 200,
    args: {
      courseSlug: t.arg.string({ required: true, description: 'Which course.' }),
      version: t.arg.string({ description: 'Which version; the one offered now when left out.' }),
      acrossVersions: t.arg.boolean({
        defaultValue: false,
        required: true,
        description: 'Counts other versions in, where an item is letter for letter the same.',
      }),
    },
    resolve: async (_root, { courseSlug, version, acrossVersions }, context) => {
      try {
        return await context.services.analyses.analyze(signedIn(context), {
          slug: courseSlug,
          version: version ?? null,
          acrossVersions,
        });
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);
