import type { RoleGrant as RoleGrantFacts } from '../src/access/grant.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import { grantRoles } from '../src/people/permission.ts';
import { builder, connectionOf, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Person, RoleGrant } from './refs.ts';
import { Unit, unitOf } from './region.ts';

const GrantRoleEnum = builder.enumType('GrantRole', {
  description:
    'What one does besides teaching, in a scope. Which permissions each has stands in src/people/permissions.txt.',
  values: Object.fromEntries(grantRoles.map((role) => [role.toUpperCase(), { value: role }])) as {
    [K in (typeof grantRoles)[number] as Uppercase<K>]: { value: K };
  },
});
const GrantStateEnum = builder.enumType('GrantState', {
  description: 'Today.',
  values: {
    PLANNED: { value: 'planned', description: 'Its first day is yet to come.' },
    HOLDING: { value: 'holding', description: 'It gives its permissions.' },
    ENDED: { value: 'ended', description: 'Its last day is over, or it was ended at once.' },
  } as const,
});

builder.node(RoleGrant, {
  name: 'RoleGrant',
  description:
    'A role that was given to a person in a scope, with its days, by whom and why. Never deleted. Visible to the person, and where one may give roles or see who holds them.',
  id: { resolve: (grant) => grant.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.grants.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'grantedBy' in value,
  fields: (t) => ({
    person: t.field({
      type: Person,
      description: 'To whom.',
      resolve: async (grant, _args, context) => (await context.load.named.load(grant.personId))!,
    }),
    role: t.expose('role', { type: GrantRoleEnum, description: 'What was given.' }),
    unit: t.field({
      type: Unit,
      nullable: true,
      description:
        'Where it holds: a Division with all below it, or one Organization; null = the whole nation.',
      resolve: async ({ scope }, _args, context) =>
        scope.kind === 'nation'
          ? null
          : scope.kind === 'division'
            ? (await context.load.division.load(scope.code))!
            : (await context.load.organization.load(scope.id))!,
    }),
    state: t.field({
      type: GrantStateEnum,
      description: 'Today.',
      resolve: (grant, _args, context) => context.services.grants.stateOf(grant),
    }),
    startsOn: t.expose('startsOn', { type: 'Date', description: 'First day.' }),
    endsOn: t.expose('endsOn', {
      type: 'Date',
      nullable: true,
      description:
        'Last day, inclusive; null = until it is ended. Of one that was ended at once it stays what was given: look at `revokedAt`.',
    }),
    reason: t.exposeString('reason', { description: 'Why it was given.' }),
    grantedBy: t.field({
      type: Person,
      nullable: true,
      description: 'Who gave it; null = whoever runs the service, at the shell.',
      resolve: async (grant, _args, context) =>
        grant.grantedBy === null ? null : ((await context.load.named.load(grant.grantedBy)) ?? null),
    }),
    grantedAt: t.expose('grantedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was given; null for those of the time before this was written down.',
    }),
    endedBy: t.field({
      type: Person,
      nullable: true,
      description: 'Who ended it earlier than it was given for; null unless somebody did.',
      resolve: async (grant, _args, context) =>
        grant.endedBy === null ? null : ((await context.load.named.load(grant.endedBy)) ?? null),
    }),
    endedAt: t.expose('endedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When that was decided; the last day may be later.',
    }),
    endReason: t.exposeString('endReason', { nullable: true, description: 'Why it was ended.' }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it holds no more, if it was ended at once.',
    }),
  }),
});

builder.queryField('grants', (t) =>
  t.connection({
    type: RoleGrant,
    nullable: true,
    description:
      "Roles that were given in a unit and below it, newest first, for operators and auditors. What is given for a scope above counts there too and is not listed: ask above. null for a unit that is not there or not the viewer's.",
    complexity: pageComplexity,
    args: {
      unitId: t.arg.id({
        description: 'A Division (with all below it) or an Organization; left out = the whole nation.',
      }),
      withEnded: t.arg.boolean({
        defaultValue: false,
        required: true,
        description: 'Whether those that are over are listed too.',
      }),
    },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      const after = args.after ?? undefined;
      if (after !== undefined && !/^\d{1,18}$/.test(after))
        throw new InvalidInput('after', 'This cursor is not one of this list.');
      const unitId = args.unitId ?? undefined;
      try {
        const rows = await context.services.grants.list(signedIn(context), {
          unit: unitId === undefined ? null : unitOf(unitId, 'unitId'),
          withEnded: args.withEnded,
          page: { after, limit: size + 1 },
        });
        return connectionOf(rows, size, (row) => row.id);
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);

builder.queryField('staffMember', (t) =>
  t.field({
    type: Person,
    nullable: true,
    description:
      'Somebody by the number of their employer, for those who give roles where the person works or holds one. null = nobody or several within reach; others are as if they were not there.',
    args: { staffNumber: t.arg.string({ required: true, description: 'As the roster gives it.' }) },
    resolve: async (_root, { staffNumber }, context) =>
      context.viewer === undefined
        ? null
        : ((await context.services.grants.findByStaffNumber(context.viewer, staffNumber)) ?? null),
  }),
);

const payload = (name: string, description: string) =>
  builder.objectRef<{ grant: RoleGrantFacts }>(name).implement({
    description,
    fields: (t) => ({
      grant: t.field({ type: RoleGrant, description: 'As it is now.', resolve: ({ grant }) => grant }),
    }),
  });

const GrantRoleInput = builder.inputType('GrantRoleInput', {
  description: 'Which role is given to whom, where, for how long and why.',
  fields: (t) => ({
    personId: t.id({ required: true, description: 'To whom; `staffMember` finds people by their number.' }),
    role: t.field({ type: GrantRoleEnum, required: true, description: 'What.' }),
    unitId: t.id({
      description: 'A Division (with all below it) or an Organization; left out or null = the whole nation.',
    }),
    startsOn: t.field({ type: 'Date', description: 'First day: today or later; left out = today.' }),
    endsOn: t.field({
      type: 'Date',
      description: 'Last day, inclusive; left out = until it is ended.',
    }),
    reason: t.string({ required: true, description: 'Why, in 1 to 200 characters.' }),
  }),
});
const GrantRolePayload = payload('GrantRolePayload', 'The role was given.');
builder.mutationField('grantRole', (t) =>
  t.field({
    type: GrantRolePayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Gives a role, for operators: within their own scope, never to themselves. NOT_FOUND for a unit or person out of reach; GRANT_OVERLAPS where the person holds the same role there on one of these days.',
    args: { input: t.arg({ type: GrantRoleInput, required: true, description: 'What, to whom, where.' }) },
    resolve: async (_root, { input }, context) => ({
      grant: await context.services.grants.give(signedIn(context), {
        personId: localId(input.personId, 'Person', 'input.personId'),
        role: input.role,
        unit:
          input.unitId === undefined || input.unitId === null ? null : unitOf(input.unitId, 'input.unitId'),
        startsOn: input.startsOn ?? null,
        endsOn: input.endsOn ?? null,
        reason: input.reason,
      }),
    }),
  }),
);

const EndGrantInput = builder.inputType('EndGrantInput', {
  description: 'Which grant ends, when and why.',
  fields: (t) => ({
    grantId: t.id({ required: true, description: 'Which RoleGrant.' }),
    on: t.field({
      type: 'Date',
      description:
        'Its last day, inclusive: today or later, so that with today it holds until midnight in China. Left out or null = at once, from this moment; so is one called off that has not begun.',
    }),
    reason: t.string({ required: true, description: 'Why, in 1 to 200 characters.' }),
  }),
});
const EndGrantPayload = payload('EndGrantPayload', 'The grant ends.');
builder.mutationField('endGrant', (t) =>
  t.field({
    type: EndGrantPayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Ends a grant: one’s own, or another’s that one could have given. GRANT_ENDED when it has ended before; LAST_OPERATOR when nobody would be left who works as operator for the whole nation.',
    args: { input: t.arg({ type: EndGrantInput, required: true, description: 'Which, when, why.' }) },
    resolve: async (_root, { input }, context) => ({
      grant: await context.services.grants.end(signedIn(context), {
        grantId: localId(input.grantId, 'RoleGrant', 'input.grantId'),
        on: input.on ?? null,
        reason: input.reason,
      }),
    }),
  }),
);
