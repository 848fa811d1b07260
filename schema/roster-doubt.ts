import { encodeGlobalID } from '@pothos/plugin-relay';
import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import type { RosterDoubt as DoubtFacts } from '../src/people/roster/doubt.repository.ts';
import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Division, Person, Post, RoleEnum, RosterDoubt, RosterImport } from './refs.ts';

const KindEnum = builder.enumType('RosterDoubtKind', {
  description: 'Why it can not be told whom a row is about.',
  values: {
    IDENTITY_OF_ANOTHER: {
      value: 'identity_of_another',
      description: 'Its sourcedId is known as one person, its identity number as another.',
    },
    IDENTITY_CHANGED: {
      value: 'identity_changed',
      description:
        'Its identity number is not the one known for its sourcedId: mended, or the id was given to somebody else.',
    },
    NAMESAKE: {
      value: 'namesake',
      description:
        'Its sourcedId is new, and somebody of the same name, whom no row is about, holds a post there.',
    },
  } as const,
});
const StateEnum = builder.enumType('RosterDoubtState', {
  description: 'OPEN until somebody decides, or a later file leaves no doubt (SETTLED).',
  values: { OPEN: { value: 'open' }, DECIDED: { value: 'decided' }, SETTLED: { value: 'settled' } } as const,
});

const DoubtPost = builder.objectRef<DoubtFacts['posts'][number]>('RosterDoubtPost').implement({
  description: 'A post that the row tells of, as it tells it.',
  fields: (t) => ({
    organizationSourcedId: t.exposeString('organizationRef', {
      description: 'The organization, in the source’s numbering.',
    }),
    role: t.expose('role', { type: RoleEnum, description: 'What the post is.' }),
    startsOn: t.expose('startsOn', {
      type: 'Date',
      nullable: true,
      description: 'First day, where the row says one.',
    }),
    endsOn: t.expose('endsOn', {
      type: 'Date',
      nullable: true,
      description: 'Last day, where the row says one.',
    }),
  }),
});

const Candidate = builder
  .objectRef<{ doubt: DoubtFacts; personId: string }>('RosterDoubtCandidate')
  .implement({
    description: 'Somebody whom the row may be about.',
    fields: (t) => ({
      personId: t.id({
        description: 'For `decideRosterDoubt`.',
        resolve: ({ personId }) => encodeGlobalID('Person', personId),
      }),
      person: t.field({
        type: Person,
        nullable: true,
        description: 'null where the person stands outside of what the viewer may see.',
        resolve: async ({ personId }, _args, context) =>
          (await context.services.people.find(signedIn(context), personId)) ?? null,
      }),
      identityLast4: t.string({
        nullable: true,
        description: 'The last four characters of the identity number that is known; null where none is.',
        resolve: async ({ doubt, personId }, _args, context) =>
          (await context.services.doubts.listIdentityEnds(doubt)).get(personId) ?? null,
      }),
      posts: t.field({
        type: [Post],
        complexity: { field: 1, multiplier: 2 },
        description: 'Held today; none where the person may not be seen.',
        resolve: async ({ personId }, _args, context) =>
          (await context.services.people.find(signedIn(context), personId)) === undefined
            ? []
            : context.services.people.listPostsToday([personId]),
      }),
    }),
  });

builder.node(RosterDoubt, {
  name: 'RosterDoubt',
  description:
    'A row of a roster that waits until somebody has decided whom it is about; nobody is ever matched by name alone. Visible to those who may import for its division.',
  id: { resolve: (doubt) => doubt.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.doubts.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'candidateIds' in value,
  fields: (t) => ({
    kind: t.expose('kind', { type: KindEnum, description: 'Why it waits.' }),
    state: t.expose('state', { type: StateEnum, description: 'Whether it still does.' }),
    division: t.field({
      type: Division,
      description: 'Which division’s roster it stood in.',
      resolve: async (doubt, _args, context) => (await context.load.division.load(doubt.divisionCode))!,
    }),
    sourcedId: t.exposeString('sourceId', { description: 'What the source calls the person.' }),
    line: t.exposeInt('line', { description: 'Its line in the file.' }),
    name: t.exposeString('name', { description: 'The name it gives.' }),
    staffNumber: t.exposeString('staffNumber', { nullable: true, description: 'The staff number it gives.' }),
    identityLast4: t.exposeString('identityLast4', {
      nullable: true,
      description: 'The last four characters of the identity number it gives.',
    }),
    posts: t.field({
      type: [DoubtPost],
      complexity: { field: 1, multiplier: 2 },
      description: 'The posts it tells of.',
      resolve: ({ posts }) => [...posts],
    }),
    candidates: t.field({
      type: [Candidate],
      // Hardly ever more than two.
      complexity: { field: 1, multiplier: 2 },
      description: 'Whom it may be about.',
      resolve: (doubt) => doubt.candidateIds.map((personId) => ({ doubt, personId })),
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it was decided so.' }),
    decidedAt: t.expose('decidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was decided.',
    }),
  }),
});

builder.queryField('rosterDoubts', (t) =>
  t.connection({
    type: RosterDoubt,
    nullable: true,
    description:
      'Rows that wait, of a division and all below it, oldest first. null for a division that is not the viewer’s to import for.',
    complexity: pageComplexity,
    args: {
      divisionCode: t.arg.string({ required: true, description: 'Whose rosters.' }),
      open: t.arg.boolean({ defaultValue: true, required: true, description: 'Only those not decided yet.' }),
    },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      if (args.after !== null && args.after !== undefined && !/^\d{1,18}$/.test(args.after))
        throw new InvalidInput('after', 'This cursor is not one that doubts were listed with.');
      const doubts = await context.services.doubts.list(signedIn(context), args.divisionCode, {
        open: args.open,
        after: args.after ?? undefined,
        limit: size + 1,
      });
      return doubts === undefined ? null : connectionOf(doubts, size, (doubt) => doubt.id);
    },
  }),
);

const DecideRosterDoubtInput = builder.inputType('DecideRosterDoubtInput', {
  description: 'Whom a row is about.',
  fields: (t) => ({
    rosterDoubtId: t.id({ required: true, description: 'The row.' }),
    personId: t.id({ description: 'One of the candidates; somebody new when left out.' }),
    reason: t.string({ required: true, description: 'How that is known. It stays with the row.' }),
  }),
});
const DecideRosterDoubtPayload = builder
  .objectRef<{ doubt: DoubtFacts; rosterImport: typeof RosterImport.$inferType }>('DecideRosterDoubtPayload')
  .implement({
    description: 'It was decided.',
    fields: (t) => ({
      rosterDoubt: t.field({
        type: RosterDoubt,
        description: 'As decided.',
        resolve: ({ doubt }) => doubt,
      }),
      rosterImport: t.field({
        type: RosterImport,
        description: 'The import that takes the row in; ask until it is done.',
        resolve: ({ rosterImport }) => rosterImport,
      }),
    }),
  });

builder.mutationField('decideRosterDoubt', (t) =>
  t.field({
    type: DecideRosterDoubtPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Decides whom a row is about, and takes it in. The decision holds for later files that say the same. DOUBT_DECIDED where somebody has, or a later file left no doubt.',
    args: {
      input: t.arg({ type: DecideRosterDoubtInput, required: true, description: 'Which row, who, why.' }),
    },
    resolve: async (_root, { input }, context) =>
      context.services.doubts.decide(signedIn(context), {
        doubtId: localId(input.rosterDoubtId, 'RosterDoubt', 'input.rosterDoubtId'),
        personId:
          input.personId === null || input.personId === undefined
            ? null
            : localId(input.personId, 'Person', 'input.personId'),
        reason: input.reason,
      }),
  }),
);
