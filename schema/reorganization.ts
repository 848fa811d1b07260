import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Division, Organization } from './refs.ts';

const RenameOrganizationInput = builder.inputType('RenameOrganizationInput', {
  description: 'An organization is called otherwise.',
  fields: (t) => ({
    organizationId: t.id({ required: true, description: 'Which one.' }),
    name: t.string({ required: true, description: 'What it is called from then on.' }),
    on: t.field({
      type: 'Date',
      required: true,
      description: 'The first day of the new name; today or a past day, and not before its last change.',
    }),
  }),
});
const RenameOrganizationPayload = builder
  .objectRef<{ organization: typeof Organization.$inferType }>('RenameOrganizationPayload')
  .implement({
    description: 'It was renamed.',
    fields: (t) => ({
      organization: t.field({
        type: Organization,
        description: 'As it is called now.',
        resolve: (payload) => payload.organization,
      }),
    }),
  });

builder.mutationField('renameOrganization', (t) =>
  t.field({
    type: RenameOrganizationPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Renames an organization. The next import of its source calls it as that says: have it changed there too. ORGANIZATION_CLOSED; IMPORT_RUNNING while an import is applied there.',
    args: { input: t.arg({ type: RenameOrganizationInput, required: true, description: 'Which and how.' }) },
    resolve: async (_root, { input }, context) => ({
      organization: await context.services.reorganizations.rename(signedIn(context), {
        ...input,
        organizationId: localId(input.organizationId, 'Organization', 'input.organizationId'),
      }),
    }),
  }),
);

const MergeOrganizationsInput = builder.inputType('MergeOrganizationsInput', {
  description: 'Organizations go on as one.',
  fields: (t) => ({
    organizationIds: t.idList({ required: true, description: 'Those that are no more.' }),
    intoId: t.id({ required: true, description: 'The one that goes on.' }),
    on: t.field({
      type: 'Date',
      required: true,
      description:
        'The first day on which they are one; today or a past day, and not before the last change of any of them.',
    }),
  }),
});
const MergeOrganizationsPayload = builder
  .objectRef<{ organization: typeof Organization.$inferType; people: number }>('MergeOrganizationsPayload')
  .implement({
    description: 'They were merged.',
    fields: (t) => ({
      organization: t.field({
        type: Organization,
        description: 'The one that goes on.',
        resolve: (payload) => payload.organization,
      }),
      peopleTransferred: t.int({
        description: 'How many people hold their posts there from that day on.',
        resolve: (payload) => payload.people,
      }),
    }),
  });

builder.mutationField('mergeOrganizations', (t) =>
  t.field({
    type: MergeOrganizationsPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Merges organizations into one: their last day is the day before, and every post that is held on goes on there. Earlier days answer as before. A roster that still names the old ones is read as naming the one that goes on. ORGANIZATION_CLOSED; IMPORT_RUNNING while an import is applied there.',
    args: {
      input: t.arg({
        type: MergeOrganizationsInput,
        required: true,
        description: 'Which, into which, when.',
      }),
    },
    resolve: async (_root, { input }, context) =>
      context.services.reorganizations.merge(signedIn(context), {
        organizationIds: input.organizationIds.map((id, index) =>
          localId(id, 'Organization', `input.organizationIds.${index}`),
        ),
        intoId: localId(input.intoId, 'Organization', 'input.intoId'),
        on: input.on,
      }),
  }),
);

const NewDivisionInput = builder.inputType('NewDivisionInput', {
  description:
    'A division by its code, which also tells where it stands: `…0000` a province, `…00` a prefecture.',
  fields: (t) => ({
    code: t.string({ required: true, description: 'Six digits, as GB/T 2260 has them.' }),
    name: t.string({ required: true, description: 'Its Chinese name.' }),
  }),
});
const AddDivisionsInput = builder.inputType('AddDivisionsInput', {
  description: 'Divisions that the published list lacks.',
  fields: (t) => ({
    divisions: t.field({ type: [NewDivisionInput], required: true, description: 'At most 5,000.' }),
  }),
});
const AddDivisionsPayload = builder
  .objectRef<{ divisions: (typeof Division.$inferType)[] }>('AddDivisionsPayload')
  .implement({
    description: 'They are there.',
    fields: (t) => ({
      added: t.field({
        type: [Division],
        description: 'Those that were not there before, in code order.',
        resolve: ({ divisions }) => divisions,
      }),
    }),
  });

builder.mutationField('addDivisions', (t) =>
  t.field({
    type: AddDivisionsPayload,
    errors: { types: [NotSignedIn, NotAllowed, InvalidInput] },
    description:
      'Adds divisions, all of them or none: development zones and the like that keep rosters of their own. For operators of the whole service.',
    args: { input: t.arg({ type: AddDivisionsInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      divisions: await context.services.reorganizations.addDivisions(signedIn(context), input.divisions),
    }),
  }),
);
