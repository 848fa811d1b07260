import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import type { Erasure as ErasureFacts, ErasurePreview as PreviewFacts } from '../src/people/erasure.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Viewer } from './refs.ts';

const FateEnum = builder.enumType('ErasureFate', {
  description: 'What becomes of rows when their person is erased.',
  values: {
    KEPT: {
      value: 'kept',
      description: 'They stay: the law of records asks for them, or nobody can tell from them who it was.',
    },
    STRIPPED: {
      value: 'stripped',
      description: 'The rows stay for their dates; names, numbers and free texts in them go.',
    },
    REMOVED: { value: 'removed', description: 'They go.' },
  } as const,
});
const GroundEnum = builder.enumType('ErasureGround', {
  description:
    'Which case of article 47 of the Personal Information Protection Law. There is no free text: it would be about the person.',
  values: {
    PURPOSE_ACHIEVED: {
      value: 'purpose_achieved',
      description: 'What the data was for is achieved, can’t be achieved, or needs it no more.',
    },
    TERM_ENDED: { value: 'term_ended', description: 'The retention period is over, or the service ends.' },
    CONSENT_WITHDRAWN: { value: 'consent_withdrawn', description: 'The person takes a consent back.' },
    UNLAWFUL: { value: 'unlawful', description: 'It was processed against the law or an agreement.' },
    OTHER_LAW: { value: 'other_law', description: 'Another law or regulation asks for it.' },
  } as const,
});
const StateEnum = builder.enumType('ErasureState', {
  description: 'QUEUED until the worker has come to it. REFUSED where a post or a grant came in between.',
  values: { QUEUED: { value: 'queued' }, DONE: { value: 'done' }, REFUSED: { value: 'refused' } } as const,
});
const BlockedEnum = builder.enumType('ErasureBlocked', {
  description: 'Why somebody can’t be erased now.',
  values: {
    POST_OPEN: {
      value: 'POST_OPEN',
      description: 'A post is still held: the employer needs what is known of the person.',
    },
    GRANT_OPEN: { value: 'GRANT_OPEN', description: 'A grant still holds.' },
    DOUBT_OPEN: {
      value: 'DOUBT_OPEN',
      description: 'A row of a roster waits for somebody to decide whether it is about this person.',
    },
  } as const,
});

const PreviewPart = builder.objectRef<PreviewFacts['parts'][number]>('ErasurePreviewPart').implement({
  description: 'Rows of one kind that are held about a person.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As in data.json of the export.' }),
    rows: t.exposeInt('rows', { description: 'How many there are.' }),
    fate: t.expose('fate', { type: FateEnum, description: 'What would become of them.' }),
  }),
});
const ErasurePreview = builder.objectRef<PreviewFacts>('ErasurePreview').implement({
  description: 'What erasing a person would remove and what must stay. Nothing is changed by looking.',
  fields: (t) => ({
    parts: t.field({
      type: [PreviewPart],
      description: 'Those with anything in them.',
      resolve: ({ parts }) => [...parts],
    }),
    blocked: t.expose('blocked', {
      type: BlockedEnum,
      nullable: true,
      description: 'What stands in the way; null: nothing.',
    }),
    erasedAt: t.expose('erasedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the person was erased; null: not yet.',
    }),
    confirmation: t.exposeString('confirmation', {
      description:
        'For the mutation: it shows that this preview was looked at, and holds as long as nothing changes.',
    }),
  }),
});

builder.objectField(Viewer, 'myDataUrl', (t) =>
  t.string({
    description:
      'All that is held about the viewer, as a zip: data.json, a page to read, the certificates. Ask with the session’s `Authorization` header.',
    resolve: (_viewer, _args, context) => `${context.services.publicUrl}/my-data.zip`,
  }),
);
builder.objectField(Viewer, 'erasurePreview', (t) =>
  t.field({
    type: ErasurePreview,
    nullable: true,
    complexity: 50,
    description:
      'What erasing the viewer would remove and keep. Counts everything, so ask for it alone. null for an access token without SELF.',
    resolve: async (viewer, _args, context) =>
      (await context.services.erasures.preview(viewer, viewer.personId)) ?? null,
  }),
);
builder.queryField('erasurePreview', (t) =>
  t.field({
    type: ErasurePreview,
    nullable: true,
    complexity: 50,
    description:
      'What erasing a person would remove and keep. For coordinators and operators of where the person worked last; null for everybody else’s.',
    args: { personId: t.arg.id({ required: true, description: 'The person.' }) },
    resolve: async (_root, { personId }, context) =>
      (await context.services.erasures.preview(signedIn(context), localId(personId, 'Person', 'personId'))) ??
      null,
  }),
);

const Erasure = builder.objectRef<ErasureFacts>('Erasure').implement({
  description: 'A request to erase what is held about a person.',
  fields: (t) => ({
    state: t.expose('state', { type: StateEnum, description: 'What became of it.' }),
    ground: t.expose('ground', { type: GroundEnum, description: 'Why.' }),
    requestedAt: t.expose('requestedAt', { type: 'DateTime', description: 'When it was asked for.' }),
  }),
});

const CONFIRMATION = 'Of the preview that was looked at.';
const EraseOwnDataInput = builder.inputType('EraseOwnDataInput', {
  description: 'That it is meant.',
  fields: (t) => ({
    confirmation: t.string({ required: true, description: CONFIRMATION }),
    ground: t.field({
      type: GroundEnum,
      required: true,
      defaultValue: 'purpose_achieved' as const,
      description: 'Why.',
    }),
  }),
});
const ErasePersonalDataInput = builder.inputType('ErasePersonalDataInput', {
  description: 'Whose data, why, and that it is meant.',
  fields: (t) => ({
    personId: t.id({ required: true, description: 'The person.' }),
    ground: t.field({ type: GroundEnum, required: true, description: 'Why.' }),
    confirmation: t.string({ required: true, description: CONFIRMATION }),
  }),
});
const payload = (name: string) =>
  builder.objectRef<{ erasure: ErasureFacts }>(name).implement({
    description: 'It will be done.',
    fields: (t) => ({
      erasure: t.field({ type: Erasure, description: 'The request.', resolve: ({ erasure }) => erasure }),
    }),
  });
const EraseOwnDataPayload = payload('EraseOwnDataPayload');
const ErasePersonalDataPayload = payload('ErasePersonalDataPayload');
const errors = { types: [NotSignedIn, NotFound, InvalidInput, Conflict] };
const REFUSALS =
  'POST_OPEN, GRANT_OPEN or DOUBT_OPEN where something stands in the way, PREVIEW_CHANGED where the preview holds no more, ALREADY_ERASED.';

builder.mutationField('eraseOwnData', (t) =>
  t.field({
    type: EraseOwnDataPayload,
    errors,
    description: `Erases what is held about the viewer, but for certificates, credit records and dates without a name. It can’t be undone, and ends all sessions. Take the export first. ${REFUSALS}`,
    args: { input: t.arg({ type: EraseOwnDataInput, required: true, description: 'That it is meant.' }) },
    resolve: async (_root, { input }, context) => {
      const viewer = signedIn(context);
      return {
        erasure: await context.services.erasures.request(viewer, {
          personId: viewer.personId,
          ground: input.ground,
          confirmation: input.confirmation,
        }),
      };
    },
  }),
);

builder.mutationField('erasePersonalData', (t) =>
  t.field({
    type: ErasePersonalDataPayload,
    errors,
    description: `The same for somebody who asks for it, or whose data must go. It can’t be undone. ${REFUSALS}`,
    args: {
      input: t.arg({ type: ErasePersonalDataInput, required: true, description: 'Whose data, and why.' }),
    },
    resolve: async (_root, { input }, context) => ({
      erasure: await context.services.erasures.request(signedIn(context), {
        personId: localId(input.personId, 'Person', 'input.personId'),
        ground: input.ground,
        confirmation: input.confirmation,
      }),
    }),
  }),
);
