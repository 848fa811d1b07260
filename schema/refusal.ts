import {
  Conflict,
  InvalidInput,
  NotAllowed,
  NotFound,
  NotSignedIn,
  PackageRefused,
  RowsRefused,
  type PackageProblem as PackageProblemFacts,
  type RefusedRow as RefusedRowFacts,
  type Refusal as RefusalError,
} from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';

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

const RefusedRow = builder.objectRef<RefusedRowFacts>('RefusedRow').implement({
  description: 'What is faulty in a table, and where.',
  fields: (t) => ({
    line: t.exposeInt('line', { description: 'Line on which the row ends; the header is line 1.' }),
    column: t.exposeString('column', { nullable: true, description: 'null when the whole row is meant.' }),
    value: t.exposeString('value', { nullable: true, description: 'What stood there.' }),
    reason: t.string({
      description: 'Why, for a person.',
      args: { language: t.arg(languageArg) },
      resolve: ({ reason }, { language }) => reason[language],
    }),
  }),
});

/** More nobody mends by hand. */
const MOST_TOLD = 200;
builder.objectType(RowsRefused, {
  name: 'RowsRefused',
  interfaces: [Refusal],
  description: 'A table was refused whole: nothing of it was taken in.',
  fields: (t) => ({
    rows: t.field({
      type: [RefusedRow],
      description: `What is faulty, in line order; the first ${MOST_TOLD}.`,
      resolve: ({ rows }) => rows.slice(0, MOST_TOLD),
    }),
  }),
});

/** Of a package: what is refused, and what is only to be looked at. */
export const PackageProblem = builder.objectRef<PackageProblemFacts>('PackageProblem').implement({
  description: 'What is wrong with a package, and where.',
  fields: (t) => ({
    where: t.exposeString('where', {
      description: 'File in the package, and the place in it: `content/content.json.questions.3`.',
    }),
    what: t.exposeString('what', { description: 'One sentence in English that goes on from `where`.' }),
  }),
});
builder.objectType(PackageRefused, {
  name: 'PackageRefused',
  interfaces: [Refusal],
  description: 'A package was refused whole: nothing of it was taken in.',
  fields: (t) => ({
    problems: t.field({
      type: [PackageProblem],
      description: `All that was found in one pass; the first ${MOST_TOLD}.`,
      resolve: ({ problems }) => problems.slice(0, MOST_TOLD),
    }),
  }),
});
