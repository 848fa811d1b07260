import { isFull, rationaleOf } from '../src/assessment/grade.ts';
import { partsOf } from '../src/courses/item.ts';
import { inLanguage, languageOfText } from '../src/courses/notation.ts';
import { builder, LanguageEnum } from './builder.ts';
import { AttemptItem } from './refs.ts';

const ItemKindEnum = builder.enumType('ItemKind', {
  description: 'How an item is answered; `saveResponse` says what is then chosen.',
  values: {
    SINGLE: { value: 'single', description: 'One option.' },
    MULTIPLE: { value: 'multiple', description: 'Several options.' },
    TRUE_FALSE: { value: 'true_false', description: 'True or false.' },
    ORDERING: { value: 'ordering', description: 'All its options, put into an order.' },
    MATCHING: { value: 'matching', description: 'To each option one of its targets.' },
    NUMERIC: { value: 'numeric', description: 'A number; it has no options.' },
  } as const,
});

const AttemptOption = builder
  .objectRef<{
    key: string;
    text: string;
    rationale: string | null;
    isRight: boolean | null;
    rightTarget: string | null;
  }>('AttemptOption')
  .implement({
    description: 'An option of an item; what is put in order or matched, for the kinds that are answered so.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'For `chosen`.' }),
      text: t.exposeString('text', { description: 'What it says.' }),
      rationale: t.exposeString('rationale', {
        nullable: true,
        description: 'Why it is right or wrong, or belongs where it does; null while the attempt is open.',
      }),
      isRight: t.exposeBoolean('isRight', {
        nullable: true,
        description:
          'Whether it is to be chosen. null while the attempt is open: an answer key never leaves the server before. null for what is put in order or matched: see `rightOrder` and `rightTarget`.',
      }),
      rightTarget: t.exposeString('rightTarget', {
        nullable: true,
        description: 'Of a matching item: the key of its target; null while the attempt is open.',
      }),
    }),
  });
const AttemptTarget = builder.objectRef<{ key: string; text: string }>('AttemptTarget').implement({
  description: 'What the options of a matching item are matched to.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'For `chosen`.' }),
    text: t.exposeString('text', { description: 'What it says.' }),
  }),
});
const AttemptVignette = builder.objectRef<{ key: string; story: string }>('AttemptVignette').implement({
  description: 'A scene that several questions are about; they follow one another.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'The same for all its questions.' }),
    story: t.exposeString('story', { description: 'What is told before them.' }),
  }),
});

AttemptItem.implement({
  description:
    'An item as it was drawn for an attempt, or is offered for practice. Its key (what is right, and why) is null until the attempt is graded or the practice checked; and while the same learner sits an attempt in which the item was drawn again.',
  fields: (t) => ({
    key: t.string({
      description: 'For `saveResponse` or `checkPractice`.',
      resolve: ({ facts }) => facts.item.key,
    }),
    kind: t.field({
      type: ItemKindEnum,
      description: 'How it is answered.',
      resolve: ({ facts }) => facts.item.kind,
    }),
    competency: t.string({
      description: 'Key of the competency that it asks for.',
      resolve: ({ facts }) => facts.item.competency,
    }),
    vignette: t.field({
      type: AttemptVignette,
      nullable: true,
      description: 'What it is about, where it is one of several about the same scene.',
      resolve: ({ facts: { item }, language }) =>
        item.vignette === undefined
          ? null
          : { key: item.vignette.key, story: inLanguage(item.vignette.story, language) },
    }),
    language: t.field({
      type: LanguageEnum,
      description: 'What its words are in: as asked for, or Chinese where the course is in Chinese alone.',
      resolve: ({ facts, language }) => languageOfText(facts.item.stem, language),
    }),
    stem: t.string({
      description: 'The question.',
      resolve: ({ facts, language }) => inLanguage(facts.item.stem, language),
    }),
    options: t.field({
      type: [AttemptOption],
      description: 'In the order drawn for this attempt. Empty for a number.',
      resolve: ({ facts: { item, drawn, revealed }, language }) => {
        const parts = new Map(partsOf(item).map((part) => [part.key, part]));
        return drawn.options.map((key) => {
          const part = parts.get(key)!;
          return {
            key,
            text: inLanguage(part.text, language),
            rationale: revealed ? inLanguage(part.rationale, language) : null,
            isRight: revealed ? (part.correct ?? null) : null,
            rightTarget: revealed ? (part.matches ?? null) : null,
          };
        });
      },
    }),
    targets: t.field({
      type: [AttemptTarget],
      description:
        'Of a matching item, in the order drawn; several options may belong to one, and none to another.',
      resolve: ({ facts: { item, drawn }, language }) =>
        item.kind === 'matching'
          ? (drawn.targets ?? []).map((key) => ({
              key,
              text: inLanguage(item.targets.find((target) => target.key === key)!.text, language),
            }))
          : [],
    }),
    unit: t.string({
      nullable: true,
      description: 'Of a number: in what it is counted; not to be typed.',
      resolve: ({ facts: { item }, language }) =>
        item.kind === 'numeric' && item.unit !== undefined ? inLanguage(item.unit, language) : null,
    }),
    chosen: t.stringList({
      description: 'What was answered last.',
      resolve: ({ facts }) => [...facts.chosen],
    }),
    points: t.float({
      nullable: true,
      description: 'From 0 to 1, by the rule of its kind; null while the attempt is open.',
      resolve: ({ facts }) => (facts.revealed ? facts.points : null),
    }),
    correct: t.boolean({
      nullable: true,
      description: 'Full points; null while the attempt is open.',
      resolve: ({ facts }) => (facts.revealed && facts.points !== null ? isFull(facts.points) : null),
    }),
    mustPass: t.boolean({
      nullable: true,
      description:
        'Whether the attempt fails without full points for it; told afterwards, so that none is answered with more care than the others.',
      resolve: ({ facts }) => (facts.revealed ? facts.item.mustPass : null),
    }),
    rationale: t.string({
      nullable: true,
      description: 'Of a number: how one comes to it, or what went wrong where the mistake is a known one.',
      resolve: ({ facts: { item, chosen, revealed }, language }) =>
        revealed && item.kind === 'numeric' ? inLanguage(rationaleOf(item, chosen), language) : null,
    }),
    rightOrder: t.stringList({
      nullable: true,
      description: 'Of an ordering item: the keys of its options as they should stand.',
      resolve: ({ facts: { item, revealed } }) =>
        revealed && item.kind === 'ordering' ? item.elements.map((element) => element.key) : null,
    }),
    rightNumber: t.float({
      nullable: true,
      description: 'Of a number: the answer.',
      resolve: ({ facts: { item, revealed } }) => (revealed && item.kind === 'numeric' ? item.answer : null),
    }),
    tolerance: t.float({
      nullable: true,
      description: 'Of a number: how far from the answer was right as well.',
      resolve: ({ facts: { item, revealed } }) =>
        revealed && item.kind === 'numeric' ? item.tolerance : null,
    }),
  }),
});
