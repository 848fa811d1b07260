import type { Forwarding } from '../src/learning/forwarding.service.ts';
import { builder } from './builder.ts';

const LrsForwarding = builder.objectRef<Forwarding>('LrsForwarding').implement({
  description:
    'How statements are forwarded to a learning record store elsewhere: each at least once, under a pseudonym, within about a minute.',
  fields: (t) => ({
    enabled: t.exposeBoolean('enabled', {
      description: 'Whether LRS_URL is set; without it nothing new is owed, and what was waits.',
    }),
    pending: t.exposeInt('pending', { description: 'Statements that the store has not taken yet.' }),
    refused: t.exposeInt('refused', {
      description:
        'Statements that the store would not have, each by itself: they stay here, and are not sent again.',
    }),
    lastSentAt: t.expose('lastSentAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it last took any.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'What last went wrong with the store itself, for an operator; it stays after it is over.',
    }),
    failedAt: t.expose('failedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When that was.',
    }),
    retryAt: t.expose('retryAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when the store is left alone; null = it is going.',
    }),
  }),
});

builder.queryField('lrsForwarding', (t) =>
  t.field({
    type: LrsForwarding,
    nullable: true,
    description: 'For operators of the whole service; null for everybody else.',
    resolve: async (_root, _args, context) =>
      context.viewer === undefined
        ? null
        : ((await context.services.forwarding.find(context.viewer)) ?? null),
  }),
);
