import { actionTitles } from '../src/audit/action-titles.ts';
import { InvalidInput } from '../src/errors.ts';
import { builder, connectionOf, languageArg, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId, resolveGlobalID } from './ids.ts';
import { JournalEntry, Person } from './refs.ts';
import { unitOf } from './region.ts';

/** Nouns of subjects that are nodes. */
const NODES: Readonly<Record<string, string>> = {
  attempt: 'Attempt',
  certificate: 'Certificate',
  certification: 'Certification',
  cohort: 'Cohort',
  division: 'Division',
  indicator: 'Indicator',
  organization: 'Organization',
  person: 'Person',
  'roster-doubt': 'RosterDoubt',
  'roster-import': 'RosterImport',
  snapshot: 'Snapshot',
};

type Entry = typeof JournalEntry.$inferType;

/** What a reference (`noun:id`) is of. */
function partsOf(reference: string): { noun: string; id: string } {
  const colon = reference.indexOf(':');
  return { noun: reference.slice(0, colon), id: reference.slice(colon + 1) };
}

/** A node's global id, or the reference itself. @throws InvalidInput */
function referenceOf(text: string, path: string): string {
  if (/^[a-z-]{1,40}:[a-z0-9-]{1,60}$/.test(text)) return text;
  const { typename, id } = resolveGlobalID(text, Object.values(NODES), path);
  return `${Object.entries(NODES).find(([, type]) => type === typename)![0]}:${id}`;
}

/** Of a node, for it to be judged as `node(id:)` judges it; null for what is none. */
function nodeOf(reference: string): { type: string; id: string } | null {
  const { noun, id } = partsOf(reference);
  const type = NODES[noun];
  return type === undefined || !/^\d{1,18}$/.test(id) ? null : { type, id };
}

const JournalActor = builder.objectRef<Entry>('JournalActor').implement({
  description: 'Who acted: a person, or a part of the service itself.',
  fields: (t) => ({
    reference: t.exposeString('actor', {
      description: '`person:12` or e.g. `worker:issue-certificate`; what `journal(actor:)` takes.',
    }),
    name: t.string({
      description:
        'Of the person, as the roster gives it now, or of the part of the service. Who audits a unit is told who acted on it, and no more of that person.',
      resolve: ({ actor, actorName }) =>
        actorName ?? (partsOf(actor).noun === 'person' ? actor : partsOf(actor).id),
    }),
    person: t.field({
      type: Person,
      nullable: true,
      description: 'The person, where the viewer may see more than the name; otherwise null.',
      resolve: async ({ actor }, _args, context) => {
        const { noun, id } = partsOf(actor);
        return noun === 'person'
          ? ((await context.services.people.find(signedIn(context), id)) ?? null)
          : null;
      },
    }),
  }),
});

const JournalSubject = builder.objectRef<Entry>('JournalSubject').implement({
  description: 'What was acted on.',
  fields: (t) => ({
    reference: t.exposeString('subject', {
      description: '`noun:id`, e.g. `certificate:12`; what `journal(subject:)` takes.',
    }),
    node: t.node({
      description:
        'The object as it is now, where it is one of the contract’s and the viewer’s to see; otherwise null.',
      id: ({ subject }) => nodeOf(subject),
    }),
  }),
});

const JournalOrigin = builder.objectRef<Entry & { requestId: string }>('JournalOrigin').implement({
  description: 'Where it came from.',
  fields: (t) => ({
    requestId: t.exposeString('requestId', {
      description: 'Of the request, as its `X-Request-Id` tells; `job:12` for one of the service’s own jobs.',
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'The caller’s network address; null for the service itself.',
    }),
  }),
});

const JournalSeal = builder.objectRef<NonNullable<Entry['seal']>>('JournalSeal').implement({
  description:
    'An entry’s place in the chain, which `npm run journal:check` checks. Kept elsewhere as `position:hash`, it proves later that nothing up to here was touched.',
  fields: (t) => ({
    position: t.exposeString('position', { description: 'From 1 on, without a gap.' }),
    hash: t.exposeString('hash', {
      description: 'SHA-256 of this entry and all that were sealed before it, in hexadecimal.',
    }),
    sealedAt: t.expose('sealedAt', { type: 'DateTime', description: 'By the clock of the database.' }),
  }),
});

builder.node(JournalEntry, {
  name: 'JournalEntry',
  description:
    'Who did what to what, from where: written in the transaction of the change, and never changed. Visible to auditors of the units that it concerns.',
  id: { resolve: (entry) => entry.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.audit.find(context.viewer, id)) ?? null),
  isTypeOf: (value) =>
    typeof value === 'object' && value !== null && 'recordedAt' in value && 'actor' in value,
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When, by the clock of the service.' }),
    actor: t.field({ type: JournalActor, description: 'Who.', resolve: (entry) => entry }),
    action: t.exposeString('action', { description: '`noun.verb`, e.g. `certificate.revoke`.' }),
    actionTitle: t.string({
      description: 'What the action is called.',
      args: { language: t.arg({ ...languageArg, description: 'In which language.' }) },
      resolve: ({ action }, { language }) => actionTitles[action]?.[language] ?? action,
    }),
    subject: t.field({ type: JournalSubject, description: 'On what.', resolve: (entry) => entry }),
    person: t.field({
      type: Person,
      nullable: true,
      description: 'Whom it concerns, where it is one person and the viewer may see them.',
      resolve: async ({ personId }, _args, context) =>
        personId === null
          ? null
          : ((await context.services.people.find(signedIn(context), personId)) ?? null),
    }),
    detail: t.expose('detail', {
      type: 'JSON',
      description:
        'Ids and numbers that help to understand it. Names and what people wrote stand in the subject.',
    }),
    origin: t.field({
      type: JournalOrigin,
      nullable: true,
      description: 'null for a start of the service and for a command, which no request asked for.',
      resolve: (entry) => (entry.requestId === null ? null : { ...entry, requestId: entry.requestId }),
    }),
    seal: t.field({
      type: JournalSeal,
      nullable: true,
      description: 'null for about a second, until it is sealed.',
      resolve: (entry) => entry.seal,
    }),
  }),
});

builder.queryField('journal', (t) =>
  t.connection({
    type: JournalEntry,
    nullable: true,
    description:
      'What was done, newest first, as far as it concerns the units that the viewer audits. Reading is itself written down, once an hour. An entry of a long transaction may come to stand behind a page that was read before. null for a unit that is not there or not the viewer’s to audit; NOT_ALLOWED without a grant as auditor.',
    complexity: pageComplexity,
    args: {
      unitId: t.arg.id({
        description:
          'Only of a division with all below it, or of one organization: as they stood at the time.',
      }),
      actor: t.arg.string({
        description: 'Only by this one: `actor.reference`, or the id of a `Person`.',
      }),
      action: t.arg.string({ description: 'Only this, e.g. `certificate.revoke`.' }),
      subject: t.arg.string({ description: 'Only on this: `subject.reference`, or the id of a node.' }),
      personId: t.arg.id({ description: 'Only what concerns this person.' }),
      from: t.arg({ type: 'DateTime', description: 'From this instant on.' }),
      until: t.arg({ type: 'DateTime', description: 'Before this instant.' }),
    },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      if (typeof args.action === 'string' && !/^[a-z-]{1,40}\.[a-z-]{1,40}$/.test(args.action))
        throw new InvalidInput('action', 'An action is written noun.verb, e.g. certificate.revoke.');
      const entries = await context.services.audit.list(
        signedIn(context),
        {
          unit: typeof args.unitId === 'string' ? unitOf(args.unitId, 'unitId') : undefined,
          actor: typeof args.actor === 'string' ? referenceOf(args.actor, 'actor') : undefined,
          action: args.action ?? undefined,
          subject: typeof args.subject === 'string' ? referenceOf(args.subject, 'subject') : undefined,
          personId:
            typeof args.personId === 'string' ? localId(args.personId, 'Person', 'personId') : undefined,
          from: args.from ?? undefined,
          until: args.until ?? undefined,
        },
        { after: args.after ?? undefined, limit: size + 1 },
      );
      return entries === undefined ? null : connectionOf(entries, size, (entry) => entry.cursor);
    },
  }),
);
