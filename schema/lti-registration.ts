import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import { platformKeys } from '../src/lti/platforms.ts';
import { personClaims, type LtiDeployment as DeploymentFacts } from '../src/lti/registration.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Division, LtiRegistration } from './refs.ts';

/* Learning platforms that send people here (LTI 1.3). */

const enumName = (key: string): string => key.replace('-', '_').toUpperCase();
export const LtiPersonClaimEnum = builder.enumType('LtiPersonClaim', {
  description: 'By what a launch says who somebody is.',
  values: {
    PERSON_SOURCEDID: {
      value: personClaims[0],
      description: 'The staff number, in `lis.person_sourcedid`.',
    },
    CUSTOM: { value: personClaims[1], description: 'The staff number, in a custom parameter.' },
    EMAIL: {
      value: personClaims[2],
      description:
        'The e-mail address, of somebody of the same name: only for platforms where nobody enters an address that is not theirs.',
    },
  } as const,
});
const PlatformEnum = builder.enumType('LtiPlatform', {
  description: 'Which product a platform is; OTHER where nobody knows, which works as well.',
  values: Object.fromEntries(platformKeys.map((key) => [enumName(key), { value: key }])),
});
const WayEnum = builder.enumType('LtiRegistrationWay', {
  description: 'How a registration came.',
  values: {
    MANUAL: { value: 'manual', description: 'An operator entered what the platform shows.' },
    DYNAMIC: { value: 'dynamic', description: 'The platform registered itself, by an invitation.' },
  } as const,
});
const DeploymentStateEnum = builder.enumType('LtiDeploymentState', {
  description: 'Whether launches from a deployment are taken.',
  values: {
    WAITING: {
      value: 'waiting',
      description: 'A launch named it, and was not taken: an operator has to say whether it should be.',
    },
    OPEN: { value: 'open', description: 'They are.' },
    CLOSED: { value: 'closed', description: 'They are not.' },
  } as const,
});

const LtiDeployment = builder.objectRef<DeploymentFacts>('LtiDeployment').implement({
  description: 'A place on a platform where the tool was put: a site, an account, a school.',
  fields: (t) => ({
    deploymentId: t.exposeString('deploymentId', { description: 'As the platform numbers it.' }),
    state: t.expose('state', { type: DeploymentStateEnum, description: 'Whether launches are taken.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was first named.' }),
  }),
});

builder.node(LtiRegistration, {
  name: 'LtiRegistration',
  description:
    'A learning platform that may send people here, known by its issuer and the client_id together. It belongs to a division: only who works there is found. Visible to operators and coordinators of the division and above.',
  id: { resolve: (registration) => registration.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.platforms.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'keySetUrl' in value,
  fields: (t) => ({
    name: t.exposeString('title', { description: 'What people know it by.' }),
    division: t.field({
      type: Division,
      description: 'Where its people work.',
      resolve: async ({ divisionCode }, _args, context) => (await context.load.division.load(divisionCode))!,
    }),
    platform: t.expose('platform', { type: PlatformEnum, description: 'Which product it is.' }),
    issuer: t.exposeString('issuer', { description: 'Its `iss`, character by character.' }),
    clientId: t.exposeString('clientId', { description: 'As what it knows us.' }),
    authUrl: t.exposeString('authUrl', { description: 'Where browsers are sent to be known.' }),
    tokenUrl: t.exposeString('tokenUrl', {
      nullable: true,
      description: 'Where tokens for its services are asked for; null: it offers none.',
    }),
    tokenAudience: t.exposeString('tokenAudience', {
      nullable: true,
      description: '`aud` of what asks for them, where that is not tokenUrl.',
    }),
    keySetUrl: t.exposeString('keySetUrl', { description: 'Where its public keys are.' }),
    frameOrigins: t.exposeStringList('frameOrigins', {
      description:
        'Origins that may frame its launches, besides those of its addresses: entered, or named by its launches.',
    }),
    personClaim: t.expose('personClaim', {
      type: LtiPersonClaimEnum,
      description: 'By what people are found.',
    }),
    customParameter: t.exposeString('customParameter', {
      nullable: true,
      description: 'Which parameter, for CUSTOM.',
    }),
    way: t.expose('registrationWay', { type: WayEnum, description: 'How it came.' }),
    registeredAt: t.expose('registeredAt', { type: 'DateTime', description: 'When it was registered.' }),
    endedAt: t.expose('registrationEndedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was ended: since then nobody comes in by it.',
    }),
    deployments: t.field({
      type: [LtiDeployment],
      description: 'In the order in which they were named; the first thousand.',
      resolve: async ({ id }, _args, context) => context.services.platforms.listDeployments([id]),
    }),
  }),
});

builder.queryField('ltiRegistrations', (t) =>
  t.field({
    type: [LtiRegistration],
    nullable: true,
    description:
      'Of a division and all below it, newest first, ended ones last; the first 500. null for one where the viewer neither registers platforms nor links accounts.',
    args: { divisionCode: t.arg.string({ required: true, description: 'Which division.' }) },
    resolve: async (_root, { divisionCode }, context) =>
      (await context.services.platforms.listOf(signedIn(context), divisionCode)) ?? null,
  }),
);

const payload = (name: string, description: string) =>
  builder.objectRef<{ registration: typeof LtiRegistration.$inferType }>(name).implement({
    description,
    fields: (t) => ({
      registration: t.field({
        type: LtiRegistration,
        description: 'As it is now.',
        resolve: ({ registration }) => registration,
      }),
    }),
  });

const InviteLtiPlatformInput = builder.inputType('InviteLtiPlatformInput', {
  description: 'Which platform is to register itself.',
  fields: (t) => ({
    divisionCode: t.string({ required: true, description: 'Where its people work.' }),
    name: t.string({ required: true, description: 'What people know it by, up to 100 characters.' }),
    personClaim: t.field({
      type: LtiPersonClaimEnum,
      required: true,
      defaultValue: 'person_sourcedid',
      description: 'By what people are found.',
    }),
    customParameter: t.string({
      description: 'Which parameter, for CUSTOM and only there; the platform is asked to send it.',
    }),
  }),
});
const InviteLtiPlatformPayload = builder
  .objectRef<{ url: string; expiresAt: Date }>('InviteLtiPlatformPayload')
  .implement({
    description: 'An invitation.',
    fields: (t) => ({
      url: t.exposeString('url', {
        description:
          'For the platform’s administrator, to paste where a tool is registered by its address. Told this once, good for one registration.',
      }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        description: 'When it is over, used or not: in a week.',
      }),
    }),
  });
builder.mutationField('inviteLtiPlatform', (t) =>
  t.field({
    type: InviteLtiPlatformPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description: 'Makes an address by which one platform registers itself (LTI Dynamic Registration).',
    args: { input: t.arg({ type: InviteLtiPlatformInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) =>
      context.services.platforms.invite(signedIn(context), {
        divisionCode: input.divisionCode,
        title: input.name,
        personClaim: input.personClaim,
        customParameter: input.customParameter ?? null,
      }),
  }),
);

const RegisterLtiPlatformInput = builder.inputType('RegisterLtiPlatformInput', {
  description: 'What the platform’s administrator reads off it.',
  fields: (t) => ({
    divisionCode: t.string({ required: true, description: 'Where its people work.' }),
    name: t.string({ required: true, description: 'What people know it by, up to 100 characters.' }),
    platform: t.field({
      type: PlatformEnum,
      required: true,
      defaultValue: 'other',
      description: 'Which product it is.',
    }),
    issuer: t.string({ required: true, description: 'Its issuer (platform ID), character by character.' }),
    clientId: t.string({ required: true, description: 'The client ID that it gave us.' }),
    authUrl: t.string({ required: true, description: 'Authentication request URL.' }),
    tokenUrl: t.string({ description: 'Access token URL, for grades and rosters.' }),
    tokenAudience: t.string({ description: 'Only where the platform wants another `aud` than tokenUrl.' }),
    keySetUrl: t.string({ required: true, description: 'Public keyset URL (JWKS).' }),
    deploymentIds: t.stringList({
      required: true,
      defaultValue: [],
      description: 'Its deployment IDs, as far as they are known; others wait when they first launch.',
    }),
    frameOrigins: t.stringList({
      required: true,
      defaultValue: [],
      description: 'Origins that frame it besides those of these addresses.',
    }),
    personClaim: t.field({
      type: LtiPersonClaimEnum,
      required: true,
      defaultValue: 'person_sourcedid',
      description: 'By what people are found.',
    }),
    customParameter: t.string({ description: 'Which parameter, for CUSTOM and only there.' }),
  }),
});
const RegisterLtiPlatformPayload = payload('RegisterLtiPlatformPayload', 'It was registered.');
builder.mutationField('registerLtiPlatform', (t) =>
  t.field({
    type: RegisterLtiPlatformPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Registers a platform by hand. INVALID_INPUT also for addresses in networks that the service does not ask (OUTBOUND_ALLOW). REGISTERED where the issuer has this client_id already.',
    args: { input: t.arg({ type: RegisterLtiPlatformInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      registration: await context.services.platforms.register(signedIn(context), {
        divisionCode: input.divisionCode,
        title: input.name,
        platform: input.platform,
        issuer: input.issuer,
        clientId: input.clientId,
        authUrl: input.authUrl,
        tokenUrl: input.tokenUrl ?? null,
        tokenAudience: input.tokenAudience ?? null,
        keySetUrl: input.keySetUrl,
        deploymentIds: input.deploymentIds,
        frameOrigins: input.frameOrigins,
        personClaim: input.personClaim,
        customParameter: input.customParameter ?? null,
      }),
    }),
  }),
);

const ChangeLtiRegistrationInput = builder.inputType('ChangeLtiRegistrationInput', {
  description:
    'What is to change; what is left out stays. Issuer and client_id are what a registration is, and never change.',
  fields: (t) => ({
    registrationId: t.id({ required: true, description: 'Which LtiRegistration.' }),
    name: t.string({ description: 'What people know it by.' }),
    authUrl: t.string({ description: 'Authentication request URL.' }),
    tokenUrl: t.string({ description: 'Access token URL; null takes it away.' }),
    tokenAudience: t.string({ description: '`aud` for it; null: tokenUrl.' }),
    keySetUrl: t.string({ description: 'Public keyset URL.' }),
    frameOrigins: t.stringList({ description: 'All of them.' }),
    personClaim: t.field({ type: LtiPersonClaimEnum, description: 'By what people are found from now on.' }),
    customParameter: t.string({ description: 'Which parameter, for CUSTOM; null takes it away.' }),
  }),
});
const ChangeLtiRegistrationPayload = payload('ChangeLtiRegistrationPayload', 'It was changed.');
builder.mutationField('changeLtiRegistration', (t) =>
  t.field({
    type: ChangeLtiRegistrationPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description: 'Changes a registration in force. Who is linked already stays so. REGISTRATION_ENDED.',
    args: { input: t.arg({ type: ChangeLtiRegistrationInput, required: true, description: 'What.' }) },
    resolve: async (_root, { input: { registrationId, name, ...input } }, context) => ({
      registration: await context.services.platforms.change(
        signedIn(context),
        localId(registrationId, 'LtiRegistration', 'input.registrationId'),
        {
          title: name ?? undefined,
          authUrl: input.authUrl ?? undefined,
          tokenUrl: input.tokenUrl,
          tokenAudience: input.tokenAudience,
          keySetUrl: input.keySetUrl ?? undefined,
          frameOrigins: input.frameOrigins ?? undefined,
          personClaim: input.personClaim ?? undefined,
          customParameter: input.customParameter,
        },
      ),
    }),
  }),
);

const EndLtiRegistrationInput = builder.inputType('EndLtiRegistrationInput', {
  description: 'Which registration ends.',
  fields: (t) => ({ registrationId: t.id({ required: true, description: 'Which LtiRegistration.' }) }),
});
const EndLtiRegistrationPayload = payload('EndLtiRegistrationPayload', 'It has ended.');
builder.mutationField('endLtiRegistration', (t) =>
  t.field({
    type: EndLtiRegistrationPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Ends a registration at once and for good, and with it the sessions that came by its issuer. REGISTRATION_ENDED where it has ended before.',
    args: { input: t.arg({ type: EndLtiRegistrationInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      registration: await context.services.platforms.end(
        signedIn(context),
        localId(input.registrationId, 'LtiRegistration', 'input.registrationId'),
      ),
    }),
  }),
);

const SetLtiDeploymentInput = builder.inputType('SetLtiDeploymentInput', {
  description: 'Whether launches from a deployment are taken.',
  fields: (t) => ({
    registrationId: t.id({ required: true, description: 'Of which LtiRegistration.' }),
    deploymentId: t.string({ required: true, description: 'As the platform numbers it.' }),
    open: t.boolean({ required: true, description: 'true: they are taken from now on; false: no more.' }),
  }),
});
const SetLtiDeploymentPayload = payload('SetLtiDeploymentPayload', 'It is so now.');
builder.mutationField('setLtiDeployment', (t) =>
  t.field({
    type: SetLtiDeploymentPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Opens a deployment, one that waits or one that is still to come, or closes it. REGISTRATION_ENDED.',
    args: { input: t.arg({ type: SetLtiDeploymentInput, required: true, description: 'Which, and how.' }) },
    resolve: async (_root, { input }, context) => ({
      registration: await context.services.platforms.setDeployment(signedIn(context), {
        registrationId: localId(input.registrationId, 'LtiRegistration', 'input.registrationId'),
        deploymentId: input.deploymentId,
        state: input.open ? 'open' : 'closed',
      }),
    }),
  }),
);

const RotateLtiKeyPayload = builder
  .objectRef<{ kid: string; signsFrom: Date }>('RotateLtiKeyPayload')
  .implement({
    description: 'A new key.',
    fields: (t) => ({
      kid: t.exposeString('kid', {
        description: 'Its name in `/lti/jwks.json`, where it stands from now on.',
      }),
      signsFrom: t.expose('signsFrom', {
        type: 'DateTime',
        description:
          'When it begins to sign: by then platforms have seen it. The one before stays published for a week more.',
      }),
    }),
  });
builder.mutationField('rotateLtiKey', (t) =>
  t.field({
    type: RotateLtiKeyPayload,
    errors: { types: [NotSignedIn, NotAllowed, Conflict] },
    description:
      'Makes the next key of this service, by which platforms know it, before it is due (each 90 days). Only for operators of the whole nation. KEY_IS_NEW while the last one does not sign yet.',
    resolve: async (_root, _args, context) => context.services.platformKeys.rotate(signedIn(context)),
  }),
);
