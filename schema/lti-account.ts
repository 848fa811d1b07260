import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { LtiAccount, LtiRegistration, Person } from './refs.ts';

/* Who somebody on a learning platform is here. */

const AccountStateEnum = builder.enumType('LtiAccountState', {
  description: 'Whether it is known who an account is.',
  values: {
    WAITING: { value: 'waiting', description: 'A coordinator has to say.' },
    LINKED: { value: 'linked', description: 'Its launches are those of the person.' },
    REFUSED: { value: 'refused', description: 'A coordinator found that it is nobody here.' },
  } as const,
});
const AccountDoubtEnum = builder.enumType('LtiAccountDoubt', {
  description: 'Why an account was not linked by itself.',
  values: {
    NO_CLAIM: {
      value: 'no-claim',
      description: 'The launch brought no staff number or address: the platform does not send it.',
    },
    NOBODY: { value: 'nobody', description: 'Nobody who works in the division has what it brought.' },
    SEVERAL: { value: 'several', description: 'Several have.' },
    NAME_DIFFERS: {
      value: 'name-differs',
      description: 'One has, and is called otherwise: numbers are given by each employer anew.',
    },
    TAKEN: {
      value: 'taken',
      description: 'One has, and another account of the same platform is linked to them.',
    },
    UNVERIFIED: {
      value: 'unverified',
      description: 'The platform says that the address has not been verified.',
    },
  } as const,
});

builder.node(LtiAccount, {
  name: 'LtiAccount',
  description:
    'Somebody on a learning platform, and who it is here. Two platforms may lead to one person. Visible to coordinators of the registration’s division and above.',
  id: { resolve: (account) => account.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.platformAccounts.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'accountState' in value,
  fields: (t) => ({
    number: t.exposeString('id', { description: 'What the page says to whoever waits.' }),
    registration: t.field({
      type: LtiRegistration,
      description: 'On which platform.',
      resolve: async ({ registrationId }, _args, context) =>
        (await context.services.platforms.find(signedIn(context), registrationId))!,
    }),
    subject: t.exposeString('subject', { description: 'What the platform calls them by (`sub`).' }),
    state: t.expose('accountState', { type: AccountStateEnum, description: 'How it stands.' }),
    doubt: t.expose('doubt', {
      type: AccountDoubtEnum,
      nullable: true,
      description: 'Why it had to wait; null: it was linked by itself.',
    }),
    toldName: t.exposeString('toldName', {
      nullable: true,
      description: 'The name that the platform told; kept while it waits.',
    }),
    toldIdentifier: t.exposeString('toldIdentifier', {
      nullable: true,
      description: 'The staff number or address that it told; kept while it waits.',
    }),
    candidates: t.field({
      type: [Person],
      complexity: { field: 1, multiplier: 5 },
      description: 'Who works in the division and has this number or this name; the first 20.',
      resolve: async (account, _args, context) =>
        context.services.platformAccounts.listCandidates(signedIn(context), account),
    }),
    person: t.field({
      type: Person,
      nullable: true,
      description: 'Who it is; null also for somebody whom the viewer may not see as a person.',
      resolve: async ({ personId }, _args, context) =>
        personId === null
          ? null
          : ((await context.services.people.find(signedIn(context), personId)) ?? null),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it first came.' }),
    decidedAt: t.expose('decidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was linked or refused.',
    }),
  }),
});

builder.queryField('ltiAccounts', (t) =>
  t.connection({
    type: LtiAccount,
    nullable: true,
    description:
      'Accounts on platforms of a division and all below it, oldest first. null for a division where the viewer may not link accounts.',
    complexity: pageComplexity,
    args: {
      divisionCode: t.arg.string({ required: true, description: 'Which division.' }),
      state: t.arg({
        type: AccountStateEnum,
        required: true,
        defaultValue: 'waiting',
        description: 'How they stand.',
      }),
    },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      if (args.after !== null && args.after !== undefined && !/^\d{1,18}$/.test(args.after))
        throw new InvalidInput('after', 'This cursor is not one that accounts were listed with.');
      const accounts = await context.services.platformAccounts.listOf(
        signedIn(context),
        { divisionCode: args.divisionCode, state: args.state },
        { after: args.after ?? undefined, limit: size + 1 },
      );
      return accounts === undefined ? null : connectionOf(accounts, size, (account) => account.id);
    },
  }),
);

const payload = (name: string, description: string) =>
  builder.objectRef<{ account: typeof LtiAccount.$inferType }>(name).implement({
    description,
    fields: (t) => ({
      account: t.field({
        type: LtiAccount,
        description: 'As it is now.',
        resolve: ({ account }) => account,
      }),
    }),
  });

const LinkLtiAccountInput = builder.inputType('LinkLtiAccountInput', {
  description: 'Who an account is.',
  fields: (t) => ({
    accountId: t.id({ required: true, description: 'Which LtiAccount.' }),
    personId: t.id({
      required: true,
      description: 'Who: somebody who works in the registration’s division.',
    }),
  }),
});
const LinkLtiAccountPayload = payload('LinkLtiAccountPayload', 'It is linked.');
builder.mutationField('linkLtiAccount', (t) =>
  t.field({
    type: LinkLtiAccountPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Says who an account is, so that the next launch opens their courses. ACCOUNT_LINKED where it is linked already; PERSON_LINKED where another account of the platform is this person.',
    args: { input: t.arg({ type: LinkLtiAccountInput, required: true, description: 'Which, and who.' }) },
    resolve: async (_root, { input }, context) => ({
      account: await context.services.platformAccounts.link(signedIn(context), {
        accountId: localId(input.accountId, 'LtiAccount', 'input.accountId'),
        personId: localId(input.personId, 'Person', 'input.personId'),
      }),
    }),
  }),
);

const RefuseLtiAccountInput = builder.inputType('RefuseLtiAccountInput', {
  description: 'Which account is nobody here.',
  fields: (t) => ({ accountId: t.id({ required: true, description: 'Which LtiAccount.' }) }),
});
const RefuseLtiAccountPayload = payload('RefuseLtiAccountPayload', 'It is refused.');
builder.mutationField('refuseLtiAccount', (t) =>
  t.field({
    type: RefuseLtiAccountPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Keeps an account out until it is linked after all. One that was linked, even by itself, is so no more, and its sessions are over.',
    args: { input: t.arg({ type: RefuseLtiAccountInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      account: await context.services.platformAccounts.refuse(
        signedIn(context),
        localId(input.accountId, 'LtiAccount', 'input.accountId'),
      ),
    }),
  }),
);
