import { tokenPermissions } from '../src/access/access-token.ts';
import { sessionWays } from '../src/access/session.ts';
import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { AccessToken, Person, Session, Viewer } from './refs.ts';
import { Unit, unitOf } from './region.ts';

/* The ways in: sessions of people, tokens of programs. */

const PermissionEnum = builder.enumType('Permission', {
  description:
    'What an access token may be given. SELF is to act as the teacher oneself: own courses, exams and certificates; all others are what a grant permits in its unit.',
  values: Object.fromEntries(
    tokenPermissions.map((permission) => [permission.replace('.', '_').toUpperCase(), { value: permission }]),
  ),
});
const SessionWayEnum = builder.enumType('SessionWay', {
  description:
    'How a session came: SAMPLE, a way into the sample county; OIDC, by an issuer’s word; LTI, by a launch from a learning platform.',
  values: Object.fromEntries(sessionWays.map((way) => [way.toUpperCase(), { value: way }])) as {
    [K in (typeof sessionWays)[number] as Uppercase<K>]: { value: K };
  },
});

builder.node(AccessToken, {
  name: 'AccessToken',
  description:
    'For a program that acts for a person. It may never do more than its owner may at that moment, cut to its own permissions and unit: a grant that ends takes the token’s power away at once. It makes no sessions and no tokens. Visible to its owner and to operators where the owner holds a post or a grant today.',
  id: { resolve: (token) => token.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.tokens.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'permissions' in value,
  fields: (t) => ({
    name: t.exposeString('name', { description: 'What its owner called it.' }),
    owner: t.field({
      type: Person,
      description: 'Whom it acts for.',
      resolve: async (token, _args, context) => (await context.load.named.load(token.personId))!,
    }),
    permissions: t.expose('permissions', {
      type: [PermissionEnum],
      description: 'What it may do at most.',
    }),
    unit: t.field({
      type: Unit,
      nullable: true,
      description: 'Where, with all below it; null for SELF alone, which has no place.',
      resolve: async ({ unit }, _args, context) =>
        unit === null
          ? null
          : ((await (unit.kind === 'division'
              ? context.load.division.load(unit.code)
              : context.load.organization.load(unit.id))) ?? null),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends by itself.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, up to a minute old; null: never.',
    }),
    revokedAt: t.expose('revokedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was ended before its time.',
    }),
  }),
});

builder.node(Session, {
  name: 'Session',
  description:
    'A stretch in which a person is signed in. It ends by itself after twelve hours, or two without a request. Visible to the person alone, and never to an access token.',
  id: { resolve: (session) => session.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.sessions.findOwn(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'way' in value,
  fields: (t) => ({
    way: t.expose('way', { type: SessionWayEnum, description: 'How it came.' }),
    issuer: t.exposeString('issuer', {
      nullable: true,
      description: 'Who vouched for the person, for OIDC and LTI: the issuer’s address.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it began.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      description: 'When it was last used, up to a minute old.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When it ends at the latest, however much it is used.',
    }),
    current: t.boolean({
      description: 'Whether it is the one that this request came in.',
      resolve: ({ id }, _args, context) => context.viewer?.sessionId === id,
    }),
  }),
});

builder.objectFields(Viewer, (t) => ({
  sessions: t.field({
    type: [Session],
    description: 'One’s own that are in force, the one used last first. None is shown to an access token.',
    resolve: async (viewer, _args, context) => context.services.sessions.listOwn(viewer),
  }),
  accessTokens: t.field({
    type: [AccessToken],
    description:
      'One’s own, newest first, with those that are over. To an access token they are shown only with SELF.',
    resolve: async (viewer, _args, context) =>
      (await context.services.tokens.listOf(viewer, viewer.personId)) ?? [],
  }),
}));

builder.queryField('accessTokens', (t) =>
  t.field({
    type: [AccessToken],
    nullable: true,
    description:
      'Somebody’s access tokens, newest first: for operators where the person holds a post or a grant today (ACCESS_REVOKE). null for all others.',
    args: { personId: t.arg.id({ required: true, description: 'Whose.' }) },
    resolve: async (_root, { personId }, context) =>
      context.viewer === undefined
        ? null
        : ((await context.services.tokens.listOf(context.viewer, localId(personId, 'Person', 'personId'))) ??
          null),
  }),
);

const IdentityProvider = builder
  .objectRef<{ key: string; name: { 'zh-CN': string; en: string } }>('IdentityProvider')
  .implement({
    description: 'An issuer by which people sign in with a browser (OpenID Connect).',
    fields: (t) => ({
      name: t.string({
        args: { language: t.arg(languageArg) },
        description: 'What people know it by.',
        resolve: ({ name }, { language }) => name[language],
      }),
      url: t.string({
        description:
          'Where the sign-in begins, a path of the service. With `?returnTo=/…`, a path of the service as well, it ends there.',
        resolve: ({ key }) => `/sign-in/${key}`,
      }),
    }),
  });
builder.queryField('identityProviders', (t) =>
  t.field({
    type: [IdentityProvider],
    description:
      'Where one may sign in with a browser; empty where people come from a learning platform alone.',
    resolve: (_root, _args, context) => context.services.issuers.listSignIns(),
  }),
);

const CreateAccessTokenPayload = builder
  .objectRef<{ accessToken: typeof AccessToken.$inferType; token: string }>('CreateAccessTokenPayload')
  .implement({
    description: 'A token that was made.',
    fields: (t) => ({
      accessToken: t.field({
        type: AccessToken,
        description: 'What is known of it from now on.',
        resolve: ({ accessToken }) => accessToken,
      }),
      token: t.exposeString('token', {
        description:
          'For the header `Authorization: Bearer …`. Told this once; the service keeps only its hash. It reads `xqp_` and 49 more characters.',
      }),
    }),
  });
const CreateAccessTokenInput = builder.inputType('CreateAccessTokenInput', {
  description: 'What a token is to be for.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'To know it by, up to 100 characters.' }),
    permissions: t.field({
      type: [PermissionEnum],
      required: true,
      description: 'What it may do: each something that you may do yourself in the unit today, or SELF.',
    }),
    unitId: t.id({
      description:
        'Where: a division with all below it, or an organization. Required, unless SELF is all that is asked for.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      required: true,
      description: 'When it ends by itself: at most 366 days from now.',
    }),
  }),
});
builder.mutationField('createAccessToken', (t) =>
  t.field({
    type: CreateAccessTokenPayload,
    errors: { types: [NotSignedIn, NotAllowed, NotFound, InvalidInput, Conflict] },
    description:
      'Makes an access token for a part of what the viewer may do. Only in a session: a token makes no tokens. `TOO_MANY_TOKENS` when there are 50 in force.',
    args: { input: t.arg({ type: CreateAccessTokenInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      context.services.tokens.create(signedIn(context), {
        name: input.name,
        permissions: input.permissions,
        unit:
          input.unitId === null || input.unitId === undefined ? null : unitOf(input.unitId, 'input.unitId'),
        expiresAt: input.expiresAt,
      }),
  }),
);

const RevokeAccessTokenPayload = builder
  .objectRef<{ accessToken: typeof AccessToken.$inferType }>('RevokeAccessTokenPayload')
  .implement({
    description: 'A token that is over.',
    fields: (t) => ({
      accessToken: t.field({
        type: AccessToken,
        description: 'As it is now.',
        resolve: ({ accessToken }) => accessToken,
      }),
    }),
  });
const RevokeAccessTokenInput = builder.inputType('RevokeAccessTokenInput', {
  description: 'Which token.',
  fields: (t) => ({ accessTokenId: t.id({ required: true, description: 'Its id, not the token.' }) }),
});
builder.mutationField('revokeAccessToken', (t) =>
  t.field({
    type: RevokeAccessTokenPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description:
      'Ends an access token at once and for good: one’s own, or as an operator (ACCESS_REVOKE) that of somebody who holds a post or a grant in one’s unit today. Done again it changes nothing.',
    args: { input: t.arg({ type: RevokeAccessTokenInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      accessToken: await context.services.tokens.revoke(
        signedIn(context),
        localId(input.accessTokenId, 'AccessToken', 'input.accessTokenId'),
      ),
    }),
  }),
);

const EndSessionPayload = builder
  .objectRef<{ session: typeof Session.$inferType }>('EndSessionPayload')
  .implement({
    description: 'A session that is over.',
    fields: (t) => ({
      session: t.field({
        type: Session,
        description: 'As it was.',
        resolve: ({ session }) => session,
      }),
    }),
  });
const EndSessionInput = builder.inputType('EndSessionInput', {
  description: 'Which session.',
  fields: (t) => ({ sessionId: t.id({ required: true, description: 'Of one of `viewer { sessions }`.' }) }),
});
builder.mutationField('endSession', (t) =>
  t.field({
    type: EndSessionPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description: 'Ends one of one’s own sessions, such as that of a phone that was lost.',
    args: { input: t.arg({ type: EndSessionInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      session: await context.services.sessions.endOwn(
        signedIn(context),
        localId(input.sessionId, 'Session', 'input.sessionId'),
      ),
    }),
  }),
);

const EndOtherSessionsPayload = builder.objectRef<{ ended: number }>('EndOtherSessionsPayload').implement({
  description: 'Sessions that are over.',
  fields: (t) => ({ ended: t.exposeInt('ended', { description: 'How many.' }) }),
});
builder.mutationField('endOtherSessions', (t) =>
  t.field({
    type: EndOtherSessionsPayload,
    errors: { types: [NotSignedIn, NotAllowed] },
    description: 'Ends all of one’s own sessions but the one that this request came in.',
    resolve: async (_root, _args, context) => ({
      ended: await context.services.sessions.endOthers(signedIn(context)),
    }),
  }),
);
