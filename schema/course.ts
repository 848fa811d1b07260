import { itemsPerAttempt, languageOf, type CourseVersion } from '../src/courses/course.ts';
import type { Activity as ActivityFacts, Manifest } from '../src/courses/manifest.ts';
import { inLanguage } from '../src/courses/notation.ts';
import type { PackDocument as PackFacts } from '../src/courses/pack.ts';
import { describeReview, type Review } from '../src/courses/review.ts';
import { builder, languageArg, LanguageEnum } from './builder.ts';
import { Course, RoleEnum } from './refs.ts';

type ModuleFacts = Manifest['modules'][number];

export interface ActivityOf {
  readonly course: CourseVersion;
  readonly activity: ActivityFacts;
}

const ActivityKindEnum = builder.enumType('ActivityKind', {
  description: 'What an activity is: an H5P content (a lesson, practice), or a simulated conversation.',
  values: { H5P: { value: 'h5p' }, SIMULATION: { value: 'simulation' } } as const,
});

export const Activity = builder.objectRef<ActivityOf>('Activity').implement({
  description: 'One lesson, exercise or simulated conversation.',
  fields: (t) => ({
    key: t.string({
      description: 'Stays the same across versions.',
      resolve: ({ activity }) => activity.key,
    }),
    kind: t.field({
      type: ActivityKindEnum,
      description: 'How it is played.',
      resolve: ({ activity }) => activity.kind,
    }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Title.',
      resolve: ({ activity }, { language }) => activity.title[language],
    }),
    minutes: t.int({
      description: 'How long to expect to need.',
      resolve: ({ activity }) => activity.minutes,
    }),
    playerUrl: t.string({
      nullable: true,
      args: { language: t.arg(languageArg) },
      description:
        'Page on the content origin to put into an iframe, in Chinese where the course is in Chinese alone; it talks to the page around it by postMessage and knows nothing of who is learning. null for what is not H5P.',
      resolve: ({ course, activity }, { language }, context) =>
        activity.kind === 'h5p'
          ? `${context.services.contentUrl}/player/${course.contents[activity.key]![languageOf(course.manifest, language)]}?language=${languageOf(course.manifest, language)}`
          : null,
    }),
  }),
});

const Module = builder.objectRef<{ course: CourseVersion; module: ModuleFacts }>('Module').implement({
  description: 'A part of a course.',
  fields: (t) => ({
    key: t.string({ description: 'Stays the same across versions.', resolve: ({ module }) => module.key }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Title.',
      resolve: ({ module }, { language }) => module.title[language],
    }),
    summary: t.string({
      args: { language: t.arg(languageArg) },
      description: 'What it is about.',
      resolve: ({ module }, { language }) => module.summary[language],
    }),
    activities: t.field({
      type: [Activity],
      description: 'In their order.',
      resolve: ({ course, module }) => module.activities.map((activity) => ({ course, activity })),
    }),
  }),
});

const CourseReviewStateEnum = builder.enumType('CourseReviewState', {
  description: 'Whether somebody whose profession it is has read the course and put their name to it.',
  values: { NOT_REVIEWED: { value: 'not-reviewed' }, REVIEWED: { value: 'reviewed' } } as const,
});
const CourseReview = builder.objectRef<Review>('CourseReview').implement({
  description:
    'Of the content at this version. Show it wherever the course is offered, so that nobody takes for reviewed what is not.',
  fields: (t) => ({
    state: t.expose('state', { type: CourseReviewStateEnum, description: 'Reviewed or not yet.' }),
    role: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Whose signature it takes.',
      resolve: ({ role }, { language }) => role[language],
    }),
    by: t.string({
      nullable: true,
      args: { language: t.arg(languageArg) },
      description: 'Who signed; null: nobody yet.',
      resolve: (review, { language }) => (review.state === 'reviewed' ? review.by[language] : null),
    }),
    on: t.field({
      type: 'Date',
      nullable: true,
      description: 'When; null: not yet.',
      resolve: (review) => (review.state === 'reviewed' ? review.on : null),
    }),
    text: t.string({
      args: { language: t.arg(languageArg) },
      description: 'All of it in one sentence without a full stop, as certificates say it.',
      resolve: (review, { language }) => describeReview(review)[language],
    }),
  }),
});

const Competency = builder.objectRef<Manifest['competencies'][number]>('Competency').implement({
  description: 'What a teacher can do at the end; exams ask by it.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Unique in the course.' }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'What it is.',
      resolve: ({ title }, { language }) => title[language],
    }),
  }),
});

const PackDocument = builder
  .objectRef<{ course: CourseVersion; document: PackFacts }>('PackDocument')
  .implement({
    description: 'A page of the service pack of a course: to print, hang up, keep in a drawer, fill in.',
    fields: (t) => ({
      key: t.string({ description: 'Unique in the pack.', resolve: ({ document }) => document.key }),
      title: t.string({
        args: { language: t.arg(languageArg) },
        description: 'Title, in Chinese where the course is in Chinese alone.',
        resolve: ({ document }, { language }) => inLanguage(document.title, language),
      }),
      languages: t.field({
        type: [LanguageEnum],
        description: 'What it is in.',
        resolve: ({ course }) => course.manifest.languages,
      }),
      url: t.string({
        args: { language: t.arg(languageArg) },
        description: 'A page for A4 paper, of this version of the course. Public.',
        resolve: ({ course, document }, { language }, context) =>
          `${context.services.publicUrl}/courses/${course.slug}/pack/${document.key}?lang=${languageOf(course.manifest, language)}&version=${course.version}`,
      }),
    }),
  });

Course.implement({
  description: 'A course at one version: what a learner began with stays the same until they finish.',
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'The course for ever.' }),
    version: t.exposeString('version', { description: 'major.minor.patch.' }),
    languages: t.field({
      type: [LanguageEnum],
      description:
        'What its lessons, exam, conversations and scale are in; Chinese always. Titles and summaries are in every language all the same. Whoever asks for English of a course in Chinese alone is given Chinese: mark it as such.',
      resolve: (course) => course.manifest.languages,
    }),
    title: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Title.',
      resolve: (course, { language }) => course.manifest.title[language],
    }),
    summary: t.string({
      args: { language: t.arg(languageArg) },
      description: 'What it is about.',
      resolve: (course, { language }) => course.manifest.summary[language],
    }),
    classHours: t.float({
      description: 'Declared class hours 学时 (45 minutes), bounded by what the content supports.',
      resolve: (course) => course.manifest.classHours,
    }),
    audience: t.field({
      type: [RoleEnum],
      description: 'For which roles it was written.',
      resolve: (course) => course.manifest.audience,
    }),
    competencies: t.field({
      type: [Competency],
      description: 'What a teacher can do at the end.',
      resolve: (course) => course.manifest.competencies,
    }),
    review: t.field({
      type: CourseReview,
      description: 'Whether it has been reviewed, and by whom.',
      resolve: (course) => course.manifest.review,
    }),
    pack: t.field({
      type: [PackDocument],
      description: 'What it gives to print; empty for a course without.',
      resolve: (course) => course.pack.map((document) => ({ course, document })),
    }),
    itemsPerAttempt: t.int({
      description: 'Questions in one attempt of its exam.',
      resolve: (course) => itemsPerAttempt(course.manifest.exam),
    }),
    itemsInBank: t.int({
      description:
        'Questions that attempts are drawn from. Only how many: what they ask is told in an attempt alone.',
      resolve: async (course, _args, { services }) =>
        (await services.courses.listItems(services.db, course.id)).filter((item) => item.use === 'exam')
          .length,
    }),
    modules: t.field({
      type: [Module],
      description: 'In their order.',
      resolve: (course) => course.manifest.modules.map((module) => ({ course, module })),
    }),
  }),
});

builder.queryField('courses', (t) =>
  t.field({
    type: [Course],
    description: 'Courses as they are offered now. Public: content is open.',
    resolve: async (_root, _args, context) => context.services.courses.listCurrent(),
  }),
);
