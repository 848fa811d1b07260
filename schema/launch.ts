import { Conflict, NotSignedIn } from '../src/errors.ts';
import { builder } from './builder.ts';
import { signedIn } from './context.ts';

/* What a page does that a learning platform has launched. */

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
