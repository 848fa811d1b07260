import { NotFound } from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';
import { signedIn } from './context.ts';
import { Assignment, Certificate, Organization, Person, Post, RoleEnum, RoleGrant, Viewer } from './refs.ts';

const WorkloadEnum = builder.enumType('Workload', {
  description: 'How a post is held: full-time 专职 or part-time 兼职.',
  values: { FULL: { value: 'full' }, PART: { value: 'part' } } as const,
});

builder.node(Person, {
  name: 'Person',
  description:
    'A member of staff. Visible to oneself, and to coordinators of the units where the person holds a post today.',
  id: { resolve: (person) => person.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.people.find(context.viewer, id)) ?? null),
  isTypeOf: (value) =>
    typeof value === 'object' && value !== null && 'staffNumber' in value && !('certificateNumber' in value),
  fields: (t) => ({
    name: t.exposeString('name', {
      description: 'As the roster gives it now; a certificate keeps the name of its issue.',
    }),
    staffNumber: t.exposeString('staffNumber', {
      nullable: true,
      description: 'The number the employer knows the person by.',
    }),
    grants: t.field({
      type: [RoleGrant],
      description:
        'Roles that were given to the person, ended ones too, newest first: one’s own, and those in scopes where the viewer may see them.',
      resolve: async (person, _args, context) => context.load.grantsOf.load(person.id),
    }),
  }),
});

Post.implement({
  description: 'A role at an organization, with its days.',
  fields: (t) => ({
    role: t.expose('role', { type: RoleEnum, description: 'What the post is.' }),
    workload: t.expose('workload', { type: WorkloadEnum, description: 'Full-time or part-time.' }),
    organization: t.field({
      type: Organization,
      description: 'Where it is held.',
      resolve: async (post, _args, context) => (await context.load.organization.load(post.organizationId))!,
    }),
    startsOn: t.expose('startsOn', { type: 'Date', description: 'First day.' }),
    endsOn: t.expose('endsOn', {
      type: 'Date',
      nullable: true,
      description: 'Last day, inclusive; null while it is open.',
    }),
  }),
});

Viewer.implement({
  description: 'Who is asking, and what is theirs.',
  fields: (t) => ({
    person: t.field({
      type: Person,
      description: 'The person behind the session.',
      resolve: async (viewer, _args, context) => (await context.load.person.load(viewer.personId))!,
    }),
    posts: t.field({
      type: [Post],
      description:
        'Posts held today; none for an access token without SELF, as of all that is one’s own below.',
      resolve: async (viewer, _args, context) => context.services.people.listOwnPosts(viewer),
    }),
    assignments: t.field({
      type: [Assignment],
      description: 'What the viewer is to earn, oldest first.',
      resolve: async (viewer, _args, context) => context.services.programmes.listOwnAssignments(viewer),
    }),
    grants: t.field({
      type: [RoleGrant],
      description: 'Roles that were given to the viewer, ended ones too, newest first.',
      resolve: async (viewer, _args, context) => context.services.grants.listOwn(viewer),
    }),
    certificates: t.field({
      type: [Certificate],
      description: 'What the viewer holds or held, newest first.',
      resolve: async (viewer, _args, context) => context.services.certificates.listOwn(viewer),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    nullable: true,
    description: 'Who is asking; null when nobody is signed in.',
    resolve: (_root, _args, context) => context.viewer ?? null,
  }),
);

const SampleSignIn = builder
  .objectRef<{ key: string; name: string; descriptionZh: string; descriptionEn: string }>('SampleSignIn')
  .implement({
    description: 'A way into the sample county without a password. There is none in production.',
    fields: (t) => ({
      key: t.exposeString('key', { description: 'For `signInSample`.' }),
      name: t.exposeString('name', { description: 'Name of the sample person.' }),
      description: t.string({
        args: { language: t.arg(languageArg) },
        description: 'Who that is, in a few words.',
        resolve: (signIn, { language }) => (language === 'en' ? signIn.descriptionEn : signIn.descriptionZh),
      }),
    }),
  });

builder.queryField('sampleSignIns', (t) =>
  t.field({
    type: [SampleSignIn],
    description: 'Ways into the sample county; empty unless samples are on.',
    resolve: async (_root, _args, context) => context.services.sessions.listSampleSignIns(),
  }),
);

const SignInSamplePayload = builder
  .objectRef<{ token: string; expiresAt: Date }>('SignInSamplePayload')
  .implement({
    description: 'A session.',
    fields: (t) => ({
      token: t.exposeString('token', {
        description: 'For the header `Authorization: Bearer …`. Told this once.',
      }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the session ends by itself.' }),
    }),
  });
const SignInSampleInput = builder.inputType('SignInSampleInput', {
  description: 'Which sample person to be.',
  fields: (t) => ({ key: t.string({ required: true, description: 'Of one of `sampleSignIns`.' }) }),
});

builder.mutationField('signInSample', (t) =>
  t.field({
    type: SignInSamplePayload,
    errors: { types: [NotFound] },
    description: 'Opens a session as a sample person. Only where samples are on.',
    args: { input: t.arg({ type: SignInSampleInput, required: true }) },
    resolve: async (_root, { input }, context) => context.services.sessions.signInSample(input.key),
  }),
);

builder.mutationField('signOut', (t) =>
  t.boolean({
    description:
      'Ends the session of the request. An access token is no session: it stays, see `revokeAccessToken`.',
    resolve: async (_root, _args, context) => {
      await context.services.sessions.signOut(signedIn(context));
      return true;
    },
  }),
);
