import {
  Conflict,
  InvalidInput,
  NotAllowed,
  NotFound,
  NotSignedIn,
  type Refusal as RefusalError,
} from '../src/errors.ts';
import { builder } from './builder.ts';

export const Refusal = builder.interfaceRef<Pick<RefusalError, 'code' | 'message'>>('Refusal').implement({
  description:
    'What the service had to say no to. Switch on `code`, which is stable; show `message` to a person.',
  fields: (t) => ({
    code: t.exposeString('code', {
      description: 'Stable, in capitals, e.g. `NOT_FOUND` or `RESIT_TOO_EARLY`.',
    }),
    message: t.exposeString('message', { description: 'One sentence in English.' }),
  }),
});

builder.objectType(NotSignedIn, {
  name: 'NotSignedIn',
  interfaces: [Refusal],
  description: 'Nobody is signed in, or the session has ended.',
});
builder.objectType(NotFound, {
  name: 'NotFound',
  interfaces: [Refusal],
  description: 'Not there, or not yours: the two can not be told apart.',
});
builder.objectType(NotAllowed, {
  name: 'NotAllowed',
  interfaces: [Refusal],
  description: 'You may see it and not do this with it.',
});
builder.objectType(InvalidInput, {
  name: 'InvalidInput',
  interfaces: [Refusal],
  description: 'The input is not of the shape or range that is asked for.',
  fields: (t) => ({
    path: t.exposeString('path', { description: 'The input field, dotted, e.g. `input.dueOn`.' }),
  }),
});
builder.objectType(Conflict, {
  name: 'Conflict',
  interfaces: [Refusal],
  description: 'The state of things does not permit it now; `code` says which rule.',
  fields: (t) => ({
    retryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it may be tried again, where the rule is about time.',
      resolve: (conflict) => conflict.retryAt ?? null,
    }),
  }),
});
