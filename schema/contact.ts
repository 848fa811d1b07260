import { InvalidInput, NotSignedIn } from '../src/errors.ts';
import type { Contact as ContactFacts } from '../src/people/contact.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { Person, Viewer } from './refs.ts';

const KindEnum = builder.enumType('ContactKind', {
  description: 'How somebody is reached.',
  values: {
    EMAIL: { value: 'email', description: 'An e-mail address.' },
    MOBILE: {
      value: 'mobile',
      description: 'A mobile number: eleven digits of the mainland, or one of elsewhere that begins with +.',
    },
  } as const,
});
const ToldByEnum = builder.enumType('ContactToldBy', {
  description: 'Who said so last. What the person said stands, whatever a roster brings.',
  values: { PERSON: { value: 'person' }, ROSTER: { value: 'roster' } } as const,
});

const Contact = builder.objectRef<ContactFacts>('Contact').implement({
  description: 'How a member of staff is reached, for reminders and nothing else. It is kept encrypted.',
  fields: (t) => ({
    kind: t.expose('kind', { type: KindEnum, description: 'Which way.' }),
    value: t.exposeString('value', {
      description: 'In full under `viewer`; masked everywhere else, as in 138****1234 and z***@school.cn.',
    }),
    toldBy: t.expose('toldBy', { type: ToldByEnum, description: 'Who said so.' }),
  }),
});

builder.objectField(Viewer, 'contacts', (t) =>
  t.field({
    type: [Contact],
    complexity: { field: 1, multiplier: 2 },
    description: 'How the viewer is reached, in full.',
    resolve: async (viewer, _args, context) => context.services.contacts.listOwn(viewer),
  }),
);

builder.objectField(Person, 'contacts', (t) =>
  t.field({
    type: [Contact],
    complexity: { field: 1, multiplier: 2 },
    description:
      'Masked: enough to see that there is one, and which. Empty also where the viewer may not read people where this person works.',
    resolve: async (person, _args, context) => context.load.contacts.load(person.id),
  }),
);

const SetOwnContactsInput = builder.inputType('SetOwnContactsInput', {
  description: 'What changes. Left out: it stays. null: it is taken away, and no roster brings it back.',
  fields: (t) => ({
    email: t.string({ description: 'An e-mail address.' }),
    mobile: t.string({ description: 'A mobile number; spaces, hyphens and +86 do no harm.' }),
  }),
});
const SetOwnContactsPayload = builder
  .objectRef<{ contacts: ContactFacts[] }>('SetOwnContactsPayload')
  .implement({
    description: 'They were changed.',
    fields: (t) => ({
      contacts: t.field({
        type: [Contact],
        complexity: { field: 1, multiplier: 2 },
        description: 'As they are now, in full.',
        resolve: ({ contacts }) => contacts,
      }),
    }),
  });

builder.mutationField('setOwnContacts', (t) =>
  t.field({
    type: SetOwnContactsPayload,
    errors: { types: [NotSignedIn, InvalidInput] },
    description: 'Says how the viewer is to be reached. It stands against what rosters say, now and later.',
    args: { input: t.arg({ type: SetOwnContactsInput, required: true, description: 'What changes.' }) },
    resolve: async (_root, { input }, context) => ({
      contacts: await context.services.contacts.setOwn(signedIn(context), {
        ...(input.email === undefined ? {} : { email: input.email }),
        ...(input.mobile === undefined ? {} : { mobile: input.mobile }),
      }),
    }),
  }),
);
