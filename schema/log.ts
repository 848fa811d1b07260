import type { LogProof, LogService } from '../src/certification/log/log.service.ts';
import { builder } from './builder.ts';

const LogEventEnum = builder.enumType('LogEvent', {
  description: 'What the log says happened to a certificate.',
  values: {
    ISSUE: { value: 'issue' },
    RENEW: { value: 'renew', description: 'Issued for a further period.' },
    SUPERSEDE: { value: 'supersede', description: 'Another took its place.' },
    REVOKE: { value: 'revoke' },
    RECORDED: { value: 'recorded', description: 'Issued before there was a log.' },
    RESTORED: {
      value: 'restored',
      description: 'Its end was taken back in the database, past the service: ask the issuer why.',
    },
  } as const,
});

const LogEntryType = builder.objectRef<LogProof['entries'][number]>('LogEntry').implement({
  description: 'A leaf of the transparency log, with the proof that it stands there.',
  fields: (t) => ({
    position: t.exposeFloat('position', { description: 'Of the leaf, from 0.' }),
    event: t.expose('event', { type: LogEventEnum, description: 'What happened.' }),
    at: t.field({
      type: 'DateTime',
      description: 'When, as the entry says it.',
      resolve: ({ entry }) => new Date((JSON.parse(entry) as { at: string }).at),
    }),
    entry: t.exposeString('entry', {
      description:
        'The leaf as it was hashed: RFC 9162, SHA-256 of a zero byte and this text in UTF-8. `certificate` in it is SHA-256 of `xinqiao-log certificate`, the verification code and the number, on three lines; `document` that of the PDF.',
    }),
    proof: t.stringList({
      description: 'Inclusion proof (RFC 9162, 2.1.3), from the leaf up: hashes in base64.',
      resolve: ({ proof }) => proof.map((hash) => hash.toString('base64')),
    }),
  }),
});

export const LogProofType = builder.objectRef<LogProof>('LogProof').implement({
  description: 'That what happened to a certificate stands in the transparency log.',
  fields: (t) => ({
    checkpoint: t.exposeString('checkpoint', {
      description: 'The state of the log that the proofs lead to: a signed note (C2SP tlog-checkpoint).',
    }),
    size: t.exposeFloat('size', { description: 'Leaves of that state.' }),
    pending: t.boolean({
      description: 'Nothing of it stands there yet: a change waits for its place for about a second.',
      resolve: ({ entries }) => entries.length === 0,
    }),
    entries: t.field({
      type: [LogEntryType],
      description: 'In their order: issued, and maybe ended.',
      resolve: ({ entries }) => [...entries],
    }),
  }),
});

const TransparencyLog = builder.objectRef<LogService>('TransparencyLog').implement({
  description:
    'The append-only log of all that happens to certificates, for monitors: its files are below /log (C2SP tlog-tiles).',
  fields: (t) => ({
    origin: t.exposeString('origin', { description: 'Its name, as its checkpoints say it.' }),
    verifierKey: t.exposeString('verifierKey', {
      description:
        'With which its checkpoints are checked (C2SP signed-note). Keep it from somewhere else too: who changes the log would change it here.',
    }),
    checkpoint: t.string({
      description: 'As /log/checkpoint has it.',
      resolve: async (log) => log.checkpoint(),
    }),
    size: t.float({
      description: 'Leaves.',
      resolve: async (log) => Number((await log.checkpoint()).split('\n')[1]),
    }),
  }),
});

builder.queryField('transparencyLog', (t) =>
  t.field({
    type: TransparencyLog,
    description: 'Open to everyone.',
    resolve: (_root, _args, context) => context.services.transparency,
  }),
);
