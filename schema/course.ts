import { languageOf, type CourseVersion } from '../src/courses/course.ts';
import type { Activity as ActivityFacts, Manifest } from '../src/courses/manifest.ts';
import { builder, languageArg, LanguageEnum } from './builder.ts';
import { Course } from './refs.ts';

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
