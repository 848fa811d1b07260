import { encodeGlobalID } from '@pothos/plugin-relay';
import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';

/* Courses as packages, for platforms without LTI. */

const AgreeToPackageInput = builder.inputType('AgreeToPackageInput', {
  description: 'Which page of a package is to be told.',
  fields: (t) => ({
    code: t.string({ required: true, description: 'That the page has opened this window with.' }),
    course: t.string({ required: true, description: 'Key of the course that it is of.' }),
    origin: t.string({ description: 'Where the page lies, as the learner was told.' }),
  }),
});
const AgreeToPackagePayload = builder.objectRef<{ assignmentId: string }>('AgreeToPackagePayload').implement({
  description: 'The page is told from now on.',
  fields: (t) => ({
    assignmentId: t.id({
      description: 'The viewer’s own Assignment of the course.',
      resolve: ({ assignmentId }) => encodeGlobalID('Assignment', assignmentId),
    }),
  }),
});
builder.mutationField('agreeToPackage', (t) =>
  t.field({
    type: AgreeToPackagePayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'The viewer agrees that the page of a course package is told their progress and exam result in that course, and nothing else. Ask them first: whoever made the page learns it. NOT_FOUND where they have no assignment of it; PACKAGE_TAKEN where somebody else agreed before.',
    args: { input: t.arg({ type: AgreeToPackageInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => ({
      assignmentId: await context.services.packages.agree(signedIn(context), {
        code: input.code,
        course: input.course,
        origin: input.origin ?? null,
      }),
    }),
  }),
);
