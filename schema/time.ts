import { Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn } from '../src/errors.ts';
import type { TimeFlag as FlagFacts } from '../src/learning/flag.repository.ts';
import { ceilingOf, EXAM_KEY } from '../src/learning/time.ts';
import type { Hours, Ticket } from '../src/learning/time.service.ts';
import type { Assignment as AssignmentFacts } from '../src/programmes/certification.ts';
import { builder, connectionOf, languageArg, pageComplexity, pageSize } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { Person, TimeFlag } from './refs.ts';
import { unitOf } from './region.ts';

const seconds = (ms: number): number => Math.floor(ms / 1000);

const ActivityTime = builder
  .objectRef<{ key: string; creditedMs: number; ceilingMs: number }>('ActivityTime')
  .implement({
    description: 'Time credited to one activity, or to the exam.',
    fields: (t) => ({
      activityKey: t.exposeString('key', { description: 'The activity; `exam` for the exam.' }),
      creditedSeconds: t.int({
        description: 'Counted so far.',
        resolve: ({ creditedMs }) => seconds(creditedMs),
      }),
      ceilingSeconds: t.int({
        description: 'No more than this is ever counted: one and a half times the minutes that are expected.',
        resolve: ({ ceilingMs }) => seconds(ceilingMs),
      }),
    }),
  });

export const AssignmentTime = builder
  .objectRef<{ assignment: AssignmentFacts; hours: Hours }>('AssignmentTime')
  .implement({
    description: 'What the time ledger has of an assignment: counted by the server, never told by a browser.',
    fields: (t) => ({
      creditedSeconds: t.int({
        description: 'Counted so far, over all activities.',
        resolve: ({ hours }) => seconds(hours.time.totalMs),
      }),
      classHours: t.float({
        description:
          'Class hours 学时 that makes, rounded down to a tenth; never more than the course declares. The certificate states them as they are when it is issued.',
        resolve: ({ hours }) => hours.credited,
      }),
      classHoursNeeded: t.float({
        description: 'Class hours without which no certificate is issued, rounded up to a tenth.',
        resolve: ({ hours }) => hours.needed,
      }),
      secondsToGo: t.int({
        description: 'Time that is still missing for the certificate; 0 = none.',
        resolve: ({ hours }) => Math.ceil(Math.max(0, hours.neededMs - hours.time.totalMs) / 1000),
      }),
      byActivity: t.field({
        type: [ActivityTime],
        description: 'In the order of the course, the exam last.',
        resolve: ({ hours }) => {
          const { manifest } = hours.course;
          const keys = manifest.modules.flatMap(({ activities }) => activities.map(({ key }) => key));
          return [...keys, EXAM_KEY].map((key) => ({
            key,
            creditedMs: hours.time.byActivity.get(key) ?? 0,
            ceilingMs: ceilingOf(manifest, key)!,
          }));
        },
      }),
      flags: t.field({
        type: [TimeFlag],
        description:
          'What looked odd in it, newest first, with what came of it: nothing is kept from the learner.',
        resolve: async ({ assignment }, _args, context) =>
          context.services.flags.listOf(context.services.db, assignment.id),
      }),
    }),
  });

const KindEnum = builder.enumType('TimeFlagKind', {
  description: 'What looked odd. Each may have a good reason.',
  values: {
    TOO_FAST: {
      value: 'too_fast',
      description: 'An activity was completed in less than a fifth of the minutes that are expected.',
    },
    MACHINE_REGULAR: {
      value: 'machine_regular',
      description: 'Heartbeats or touches came more evenly than people are.',
    },
    SHARED_DEVICE: {
      value: 'shared_device',
      description: 'Four people or more learned in one browser on one day, as at a shared computer.',
    },
    PARALLEL_DEVICES: {
      value: 'parallel_devices',
      description: 'Two devices were at work for one person at the same time.',
    },
  } as const,
});
const StateEnum = builder.enumType('TimeFlagState', {
  description: 'OPEN until somebody judged; DISMISSED: it had a good reason; UPHELD: it had none.',
  values: {
    OPEN: { value: 'open' },
    DISMISSED: { value: 'dismissed' },
    UPHELD: { value: 'upheld' },
  } as const,
});
const OutcomeEnum = builder.enumType('TimeFlagOutcome', {
  description:
    'DISMISSED: it had a good reason, and changes nothing; UPHELD: the evidence grade is one lower.',
  values: { DISMISSED: { value: 'dismissed' }, UPHELD: { value: 'upheld' } } as const,
});

function textOf({ flagKind, detail }: FlagFacts, chinese: boolean): string {
  const of = (name: string): number => detail[name] ?? 0;
  switch (flagKind) {
    case 'too_fast':
      return chinese
        ? `用 ${of('seconds')} 秒完成了预计 ${of('minutes')} 分钟的内容`
        : `Completed in ${of('seconds')} s what is expected to take ${of('minutes')} min`;
    case 'machine_regular':
      return chinese
        ? `连续 ${of('beats')} 次记录的节奏几乎相同（起伏 ${of('spreadPercent')}%）`
        : `${of('beats')} records in a row at almost the same pace (spread ${of('spreadPercent')}%)`;
    case 'shared_device':
      return chinese
        ? `同一天有 ${of('people')} 人使用同一个浏览器学习`
        : `${of('people')} people learned in one browser on one day`;
    case 'parallel_devices':
      return chinese
        ? `两台设备同时学习 ${of('minutes')} 分钟`
        : `Two devices learned at the same time for ${of('minutes')} min`;
  }
}

builder.node(TimeFlag, {
  name: 'TimeFlag',
  description:
    'Something odd in the time of an assignment, for a person to judge: by itself it changes nothing. Seen by whom it is about, and by who may judge where they work.',
  id: { resolve: (flag) => flag.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.flags.find(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'flagKind' in value,
  fields: (t) => ({
    kind: t.expose('flagKind', { type: KindEnum, description: 'What looked odd.' }),
    text: t.string({
      args: { language: t.arg(languageArg) },
      description: 'In words, with its numbers.',
      resolve: (flag, { language }) => textOf(flag, language === 'zh-CN'),
    }),
    about: t.exposeString('about', { description: 'The key of an activity, or a day.' }),
    person: t.field({
      type: Person,
      description: 'Whose time it is.',
      resolve: async (flag, _args, context) => (await context.load.named.load(flag.personId))!,
    }),
    raisedAt: t.expose('raisedAt', { type: 'DateTime', description: 'When it was found.' }),
    state: t.expose('state', { type: StateEnum, description: 'What came of it.' }),
    decidedAt: t.expose('decidedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When somebody judged; null while it is open.',
    }),
    decidedBy: t.field({
      type: Person,
      nullable: true,
      description: 'Who judged: never whom it is about.',
      resolve: async (flag, _args, context) =>
        flag.decidedBy === null ? null : ((await context.load.named.load(flag.decidedBy)) ?? null),
    }),
    note: t.exposeString('note', {
      nullable: true,
      description: 'What was found; whom it is about reads it.',
    }),
  }),
});

builder.queryField('timeFlags', (t) =>
  t.connection({
    type: TimeFlag,
    nullable: true,
    description:
      "What looks odd in the time of people who work in a unit or below it today, newest first, for those who judge. null for a unit that is not there or not the viewer's.",
    complexity: pageComplexity,
    args: {
      unitId: t.arg.id({ required: true, description: 'A Division (with all below it) or an Organization.' }),
      state: t.arg({ type: StateEnum, description: 'Only these; left out = all.' }),
    },
    resolve: async (_root, args, context) => {
      const size = pageSize(args);
      const after = args.after ?? undefined;
      if (after !== undefined && !/^\d{1,18}$/.test(after))
        throw new InvalidInput('after', 'This cursor is not one of this list.');
      try {
        const flags = await context.services.flags.list(signedIn(context), unitOf(args.unitId, 'unitId'), {
          state: args.state ?? undefined,
          after,
          limit: size + 1,
        });
        return connectionOf(flags, size, (flag) => flag.id);
      } catch (error) {
        if (error instanceof NotFound) return null;
        throw error;
      }
    },
  }),
);

const JudgeTimeFlagInput = builder.inputType('JudgeTimeFlagInput', {
  description: 'What a flag turned out to be.',
  fields: (t) => ({
    flagId: t.id({ required: true, description: 'Which.' }),
    outcome: t.field({ type: OutcomeEnum, required: true, description: 'What it was.' }),
    note: t.string({ required: true, description: 'What was found; whom it is about reads it.' }),
  }),
});
const JudgeTimeFlagPayload = builder.objectRef<{ flag: FlagFacts }>('JudgeTimeFlagPayload').implement({
  description: 'The outcome is recorded.',
  fields: (t) => ({
    flag: t.field({ type: TimeFlag, description: 'As it is now.', resolve: ({ flag }) => flag }),
  }),
});
builder.mutationField('judgeTimeFlag', (t) =>
  t.field({
    type: JudgeTimeFlagPayload,
    errors: { types: [NotSignedIn, NotFound, NotAllowed, InvalidInput, Conflict] },
    description:
      'Records what looked odd turned out to be. The first outcome stands: afterwards it is refused with FLAG_DECIDED. A certificate that was issued before keeps its grade.',
    args: { input: t.arg({ type: JudgeTimeFlagInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      flag: await context.services.flags.judge(signedIn(context), {
        flagId: localId(input.flagId, 'TimeFlag', 'input.flagId'),
        outcome: input.outcome,
        note: input.note,
      }),
    }),
  }),
);

const PaceEnum = builder.enumType('TimePace', {
  description: 'What happens to time.',
  values: {
    RUNNING: { value: 'running', description: 'It counts.' },
    HIDDEN: { value: 'hidden', description: 'Nobody sees the page.' },
    IDLE: { value: 'idle', description: 'Nobody has touched the page for three minutes.' },
    ELSEWHERE: { value: 'elsewhere', description: 'The same time counts for another page of the person.' },
    FULL: { value: 'full', description: 'The activity has all that it may have.' },
  } as const,
});

const Sitting = builder.objectRef<Ticket>('Sitting').implement({
  description: 'How a page that is open goes on.',
  fields: (t) => ({
    proof: t.exposeString('proof', {
      description: 'Give it with the next heartbeat: only the page that had this answer has it.',
    }),
    nextInSeconds: t.exposeInt('nextInSeconds', {
      description:
        'When the next heartbeat is awaited. One that comes earlier or later counts the time that has really gone by.',
    }),
    pace: t.expose('pace', { type: PaceEnum, description: 'Whether time counts.' }),
    addedSeconds: t.int({
      description: 'What this heartbeat added, after all caps.',
      resolve: ({ addedMs }) => seconds(addedMs),
    }),
    activity: t.field({
      type: ActivityTime,
      description: 'Where the activity stands now.',
      resolve: ({ activityKey, activityMs, ceilingMs }) => ({
        key: activityKey,
        creditedMs: activityMs,
        ceilingMs,
      }),
    }),
  }),
});

const payload = (name: string, description: string) =>
  builder.objectRef<{ sitting: Ticket }>(name).implement({
    description,
    fields: (t) => ({
      sitting: t.field({ type: Sitting, description: 'How it goes on.', resolve: ({ sitting }) => sitting }),
    }),
  });

const OpenSittingInput = builder.inputType('OpenSittingInput', {
  description: 'A page that was opened.',
  fields: (t) => ({
    assignmentId: t.id({ required: true, description: "The viewer's own." }),
    activityKey: t.string({ required: true, description: 'What is on the page; `exam` for the exam.' }),
    device: t.string({
      description:
        'A random number that the browser gave itself and keeps, 8 to 64 letters and digits. Only a keyed hash of it is stored; left out where it can keep none.',
    }),
  }),
});
const OpenSittingPayload = payload('OpenSittingPayload', 'Time runs from now on.');
builder.mutationField('openSitting', (t) =>
  t.field({
    type: OpenSittingPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput] },
    description: 'A page of one of the own activities was opened: its time counts while heartbeats follow.',
    args: { input: t.arg({ type: OpenSittingInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      sitting: await context.services.time.open(signedIn(context), {
        assignmentId: localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
        activityKey: input.activityKey,
        device: input.device ?? null,
      }),
    }),
  }),
);

const RecordBeatInput = builder.inputType('RecordBeatInput', {
  description:
    'What a page says of itself. None of it makes more count than the time that went by on the server.',
  fields: (t) => ({
    proof: t.string({ required: true, description: 'Of the answer before.' }),
    visible: t.boolean({ required: true, description: 'Whether the page is seen.' }),
    interactions: t.int({
      required: true,
      description:
        'How many touches, keys and scrolls since the heartbeat before, roughly. Which ones is never told.',
    }),
  }),
});
const RecordBeatPayload = payload('RecordBeatPayload', 'The heartbeat was taken.');
builder.mutationField('recordBeat', (t) =>
  t.field({
    type: RecordBeatPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'A page tells that it is still there, about every 20 seconds. Sent again since its answer was lost, it is answered again and adds nothing. Refused with BEAT_FORGED for a proof of nobody’s, with BEAT_REPLAYED once another heartbeat followed.',
    args: { input: t.arg({ type: RecordBeatInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      sitting: await context.services.time.beat(signedIn(context), input),
    }),
  }),
);
