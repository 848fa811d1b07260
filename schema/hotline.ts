import type { Hotline as HotlineFacts } from '../src/courses/hotline.ts';
import { builder, languageArg } from './builder.ts';

const Hotline = builder.objectRef<HotlineFacts>('Hotline').implement({
  description: 'A number to call for help, with the day on which it was checked.',
  fields: (t) => ({
    number: t.exposeString('number', { description: 'As it is dialled.' }),
    name: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Who answers.',
      resolve: ({ name }, { language }) => name[language],
    }),
    hours: t.string({
      args: { language: t.arg(languageArg) },
      description: 'When somebody answers.',
      resolve: ({ hours }, { language }) => hours[language],
    }),
    audience: t.string({
      args: { language: t.arg(languageArg) },
      description: 'For whom it is.',
      resolve: ({ audience }, { language }) => audience[language],
    }),
    source: t.string({
      args: { language: t.arg(languageArg) },
      description: 'Who says so.',
      resolve: ({ source }, { language }) => source[language],
    }),
    checkedOn: t.expose('checkedOn', {
      type: 'Date',
      description: 'The day on which number and hours were held against the source. Show it: numbers change.',
    }),
    isLocal: t.exposeBoolean('isLocal', {
      description:
        'Whether it is of the county or institution that runs the service, and not of the country.',
    }),
  }),
});

builder.queryField('hotlines', (t) =>
  t.field({
    type: [Hotline],
    description:
      "Numbers to call for help now, the county's own first, then those of the country. Public: show them wherever a page touches risk.",
    resolve: (_root, _args, context) => [...context.services.hotlines],
  }),
);
