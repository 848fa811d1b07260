import { InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { rosterFailures, type LtiContext as LtiContextFacts } from '../src/lti/roster.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Cohort, LtiRegistration, LtiRoster, RoleEnum } from './refs.ts';

/* Who learns in a course of a learning platform. */

const RosterFailureEnum = builder.enumType('LtiRosterFailure', {
  description: 'Why the members of a context could not be read.',
  values: {
    UNREACHABLE: { value: rosterFailures[0], description: 'The platform did not answer.' },
    BUSY: { value: rosterFailures[1], description: 'It said that it answers nothing now.' },
    TOKEN: { value: rosterFailures[2], description: 'It gave no access token, or took it for none.' },
    REFUSED: { value: rosterFailures[3], description: 'It said no: is the service switched on there?' },
    FOREIGN: { value: rosterFailures[4], description: 'It named an address that is not its own.' },
    MALFORMED: { value: rosterFailures[5], description: 'What it answered is not a roster.' },
    ENDED: {
      value: rosterFailures[6],
      description: 'The registration has ended, the deployment is closed, or the link is there no more.',
    },
  } as const,
});

const LtiContext = builder.objectRef<LtiContextFacts>('LtiContext').implement({
  description: 'A course on a learning platform, as its launches named it, whose members can be read.',
  fields: (t) => ({
    contextId: t.exposeString('contextId', { description: 'As the platform calls it.' }),
    title: t.exposeString('contextTitle', { nullable: true, description: 'If it says.' }),
  }),
});

builder.node(LtiRoster, {
  name: 'LtiRoster',
  description:
    'The learners of a course on a learning platform. Read each day; who is not known for sure waits among the accounts. Visible to coordinators of the registration’s division and above.',
  id: { resolve: (roster) => roster.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.platformRosters.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'rosterContextId' in value,
  fields: (t) => ({
    contextId: t.exposeString('rosterContextId', { description: 'As the platform calls it.' }),
    title: t.exposeString('contextTitle', { nullable: true, description: 'If it says.' }),
    isKept: t.exposeBoolean('kept', { description: 'Whether it is read each day.' }),
    readAt: t.expose('readAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last read; null: never yet.',
    }),
    failure: t.expose('failure', {
      type: RosterFailureEnum,
      nullable: true,
      description: 'Why not, where the last reading failed.',
    }),
    failedAt: t.expose('failedAt', { type: 'DateTime', nullable: true, description: 'When it failed.' }),
    linked: t.exposeInt('linked', { description: 'Learners there whom we know.' }),
    waiting: t.exposeInt('waiting', {
      description: 'Learners whose account waits for a coordinator: see `ltiAccounts`.',
    }),
    gone: t.exposeInt('gone', { description: 'Who was a learner there and is no more.' }),
  }),
});

builder.objectField(LtiRegistration, 'contexts', (t) =>
  t.field({
    type: [LtiContext],
    description:
      'Its courses that can be read, the first 500. Empty for whoever may not link accounts of the platform.',
    resolve: async (registration, _args, context) =>
      context.services.platformRosters.listContexts(signedIn(context), registration),
  }),
);
builder.objectField(LtiRegistration, 'rosters', (t) =>
  t.field({
    type: [LtiRoster],
    description:
      'Its courses whose members somebody asked for, the first 500. Empty for whoever may not link accounts of the platform.',
    resolve: async (registration, _args, context) =>
      context.services.platformRosters.listOf(signedIn(context), registration),
  }),
);

const payload = (name: string, description: string) =>
  builder.objectRef<{ roster: typeof LtiRoster.$inferType }>(name).implement({
    description,
    fields: (t) => ({
      roster: t.field({
        type: LtiRoster,
        description: 'As it is now.',
        resolve: ({ roster }) => roster,
      }),
    }),
  });

const ReadLtiRosterInput = builder.inputType('ReadLtiRosterInput', {
  description: 'Which course of a platform is to be read.',
  fields: (t) => ({
    registrationId: t.id({ required: true, description: 'Of which LtiRegistration.' }),
    contextId: t.string({ required: true, description: 'Which of its `contexts`.' }),
  }),
});
const ReadLtiRosterPayload = payload('ReadLtiRosterPayload', 'It is being read.');
builder.mutationField('readLtiRoster', (t) =>
  t.field({
    type: ReadLtiRosterPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Has the members of a course read, now and each day from now on. Asking again reads it again now.',
    args: { input: t.arg({ type: ReadLtiRosterInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      roster: await context.services.platformRosters.ask(signedIn(context), {
        registrationId: localId(input.registrationId, 'LtiRegistration', 'input.registrationId'),
        contextId: input.contextId,
      }),
    }),
  }),
);

const GiveUpLtiRosterInput = builder.inputType('GiveUpLtiRosterInput', {
  description: 'Which roster is to be read no more.',
  fields: (t) => ({ rosterId: t.id({ required: true, description: 'Which LtiRoster.' }) }),
});
const GiveUpLtiRosterPayload = payload('GiveUpLtiRosterPayload', 'It is read no more.');
builder.mutationField('giveUpLtiRoster', (t) =>
  t.field({
    type: GiveUpLtiRosterPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description: 'Ends the daily reading. Who was found stays linked, and what is assigned stays so.',
    args: { input: t.arg({ type: GiveUpLtiRosterInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      roster: await context.services.platformRosters.giveUp(
        signedIn(context),
        localId(input.rosterId, 'LtiRoster', 'input.rosterId'),
      ),
    }),
  }),
);

const AssignLtiRosterInput = builder.inputType('AssignLtiRosterInput', {
  description: 'What the learners of a course on a platform are to earn.',
  fields: (t) => ({
    rosterId: t.id({ required: true, description: 'Which LtiRoster.' }),
    certificationId: t.id({ required: true, description: 'Which Certification.' }),
    role: t.field({
      type: RoleEnum,
      required: true,
      description: 'Those who hold it in the registration’s division today.',
    }),
    dueOn: t.field({ type: 'Date', description: 'By when, if there is a day.' }),
  }),
});
const AssignLtiRosterPayload = builder
  .objectRef<{ cohort: typeof Cohort.$inferType; assigned: number; alreadyAssigned: number }>(
    'AssignLtiRosterPayload',
  )
  .implement({
    description: 'They are assigned.',
    fields: (t) => ({
      cohort: t.field({
        type: Cohort,
        description: 'The learners of the course together.',
        resolve: ({ cohort }) => cohort,
      }),
      assigned: t.exposeInt('assigned', { description: 'How many got the assignment.' }),
      alreadyAssigned: t.exposeInt('alreadyAssigned', { description: 'How many had it before.' }),
    }),
  });
builder.mutationField('assignLtiRoster', (t) =>
  t.field({
    type: AssignLtiRosterPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Assigns the learners of a course on a platform who hold a role today, as a cohort named like the course. Doing it again adds those who came since, and nobody twice.',
    args: { input: t.arg({ type: AssignLtiRosterInput, required: true, description: 'What, to whom.' }) },
    resolve: async (_root, { input }, context) =>
      context.services.platformRosters.assign(signedIn(context), {
        rosterId: localId(input.rosterId, 'LtiRoster', 'input.rosterId'),
        certificationId: localId(input.certificationId, 'Certification', 'input.certificationId'),
        role: input.role,
        dueOn: input.dueOn ?? null,
      }),
  }),
);
