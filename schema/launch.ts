import { encodeGlobalID } from '@pothos/plugin-relay';
import { Conflict, NotSignedIn } from '../src/errors.ts';
import { builder, languageArg } from './builder.ts';
import { signedIn } from './context.ts';

/* What a page does that a learning platform has launched. */

const RedeemLaunchPayload = builder
  .objectRef<{
    token: string;
    expiresAt: Date;
    assignmentId: string | null;
    activityKey: string | null;
    missingCourse: string | null;
  }>('RedeemLaunchPayload')
  .implement({
    description: 'Somebody is signed in.',
    fields: (t) => ({
      token: t.exposeString('token', {
        description:
          'For the header `Authorization: Bearer …`. Told this once; keep it in the page’s memory.',
      }),
      expiresAt: t.expose('expiresAt', {
        type: 'DateTime',
        description: 'When the session ends, unless it is renewed.',
      }),
      assignmentId: t.id({
        nullable: true,
        description: 'What the platform’s link leads to; null: to no course, or to one that is not assigned.',
        resolve: ({ assignmentId }) =>
          assignmentId === null ? null : encodeGlobalID('Assignment', assignmentId),
      }),
      activityKey: t.exposeString('activityKey', {
        nullable: true,
        description: 'Which activity of it, where the link names one.',
      }),
      missingCourse: t.string({
        nullable: true,
        description: 'The title of the course that the link names, where the person has no assignment of it.',
        args: { language: t.arg(languageArg) },
        resolve: async ({ missingCourse }, { language }, context) =>
          missingCourse === null
            ? null
            : ((await context.services.courses.findCurrent(context.services.db, missingCourse))?.manifest
                .title[language] ?? missingCourse),
      }),
    }),
  });
const RedeemLaunchInput = builder.inputType('RedeemLaunchInput', {
  description: 'Which launch.',
  fields: (t) => ({
    code: t.string({
      required: true,
      description: 'That the launched page came with: good once, for two minutes.',
    }),
  }),
});
builder.mutationField('redeemLaunch', (t) =>
  t.field({
    type: RedeemLaunchPayload,
    errors: { types: [Conflict] },
    description:
      'The session of a launch, for the page that it opened. LAUNCH_OVER for a code that is unknown, used or too old, all alike.',
    args: { input: t.arg({ type: RedeemLaunchInput, required: true, description: 'Which.' }) },
    resolve: async (_root, { input }, context) => context.services.launches.redeem(input.code),
  }),
);

const RenewLaunchedSessionPayload = builder
  .objectRef<{ expiresAt: Date }>('RenewLaunchedSessionPayload')
  .implement({
    description: 'The session goes on.',
    fields: (t) => ({
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When it ends now.' }),
    }),
  });
builder.mutationField('renewLaunchedSession', (t) =>
  t.field({
    type: RenewLaunchedSessionPayload,
    errors: { types: [NotSignedIn, Conflict] },
    description:
      'For a page that a launch opened and that is still there: its session lasts twelve hours from now, for a week from the launch at most. NOT_LAUNCHED for any other session.',
    resolve: async (_root, _args, context) => ({
      expiresAt: await context.services.sessions.renewLaunched(signedIn(context)),
    }),
  }),
);
