import { Conflict, InvalidInput, NotFound, NotSignedIn } from '../src/errors.ts';
import type { Assignment as AssignmentFacts } from '../src/programmes/certification.ts';
import { itemsPerAttempt, type CourseVersion } from '../src/courses/course.ts';
import { completionOf } from '../src/courses/manifest.ts';
import type {
  ActivityProgress as ProgressFacts,
  UserState as UserStateFacts,
} from '../src/learning/progress.repository.ts';
import type { RefusedStatement as RefusedFacts } from '../src/learning/learning.service.ts';
import type { Blocked } from '../src/assessment/standing.ts';
import type { Shortfall as ShortfallFacts } from '../src/certification/eligibility.ts';
import { builder, LanguageEnum, languageArg } from './builder.ts';
import { signedIn, type Context } from './context.ts';
import { Activity, type ActivityOf } from './course.ts';
import { localId } from './ids.ts';
import { Assignment, Attempt, Certificate, Certification, Course } from './refs.ts';
import { Refusal } from './refusal.ts';
import { AssignmentTime } from './time.ts';
import { SimulationStanding } from './simulation.ts';

const STATE_BY_CERTIFICATE = {
  valid: 'CERTIFIED',
  expired: 'EXPIRED',
  revoked: 'REVOKED',
  // What fulfils an assignment is the one that took its place.
  superseded: 'REVOKED',
} as const;
const AssignmentStateEnum = builder.enumType('AssignmentState', {
  description:
    'How far it is: ASSIGNED (nothing done), LEARNING, EXAM_OPEN (all activities done), HOURS_OPEN (passed, time is still missing), PASSED (certificate on its way), CERTIFIED; EXPIRED or REVOKED once its certificate is.',
  values: [
    'ASSIGNED',
    'LEARNING',
    'EXAM_OPEN',
    'HOURS_OPEN',
    'PASSED',
    'CERTIFIED',
    'EXPIRED',
    'REVOKED',
  ] as const,
});
const ProgressStateEnum = builder.enumType('ProgressState', {
  description: 'How far an activity is.',
  values: ['NOT_STARTED', 'STARTED', 'COMPLETED'] as const,
});

const UserState = builder.objectRef<UserStateFacts>('UserState').implement({
  description: 'What the player saved last.',
  fields: (t) => ({
    data: t.exposeString('data', { description: 'JSON, for the player alone.' }),
    version: t.exposeInt('version', { description: 'Give it back as `baseVersion` when saving.' }),
  }),
});

interface ProgressOf extends ActivityOf {
  readonly assignment: AssignmentFacts;
  readonly progress: ProgressFacts | undefined;
}

const ActivityProgress = builder.objectRef<ProgressOf>('ActivityProgress').implement({
  description: 'An activity and how far the learner is with it.',
  fields: (t) => ({
    activity: t.field({ type: Activity, description: 'The activity.', resolve: (of) => of }),
    state: t.field({
      type: ProgressStateEnum,
      description: 'How far.',
      resolve: ({ progress }) =>
        progress === undefined ? 'NOT_STARTED' : progress.completedAt === null ? 'STARTED' : 'COMPLETED',
    }),
    completedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was first completed.',
      resolve: ({ progress }) => progress?.completedAt ?? null,
    }),
    userState: t.field({
      type: UserState,
      nullable: true,
      args: { language: t.arg(languageArg) },
      description: 'What the player saved last; hand it to the player when it opens. null = begin afresh.',
      resolve: async ({ assignment, course, activity }, { language }, context) =>
        (await context.services.learning.findUserState(assignment, course, activity.key, language)).state ??
        null,
    }),
    stateCleared: t.boolean({
      args: { language: t.arg(languageArg) },
      description:
        'Whether something was saved that fits no more, since the content has changed: tell the learner, who begins this activity anew. What is completed stays so.',
      resolve: async ({ assignment, course, activity }, { language }, context) =>
        (await context.services.learning.findUserState(assignment, course, activity.key, language)).outdated,
    }),
    secondsLeft: t.int({
      nullable: true,
      description:
        'Of an activity that is done by time: for how long it is still to be open. While it is, record statements (or none) at least every two minutes, since longer pauses do not count. null = time is not what completes it, or it is completed.',
      resolve: ({ activity, progress }) => {
        const rule = activity.kind === 'h5p' ? completionOf(activity) : undefined;
        if (rule?.rule !== 'time' || (progress?.completedAt ?? null) !== null) return null;
        return Math.max(0, Math.ceil(rule.minutes * 60) - (progress?.seconds ?? 0));
      },
    }),
    simulation: t.field({
      type: SimulationStanding,
      nullable: true,
      description: 'Its rules and runs, where the activity is a simulated conversation.',
      resolve: ({ assignment, course, activity }) =>
        activity.kind === 'simulation' ? { assignment, course, activity } : null,
    }),
  }),
});

const Shortfall = builder
  .objectRef<{ facts: ShortfallFacts; course: CourseVersion; language: 'zh-CN' | 'en' }>('Shortfall')
  .implement({
    description: 'One thing that is still missing for the certificate.',
    fields: (t) => ({
      code: t.string({
        description:
          'ACTIVITY_UNFINISHED, CONVERSATION_NOT_PASSED, EXAM_NOT_TAKEN, EXAM_NOT_PASSED (the points were too few, or a must-pass item was missed: the text says which) or HOURS_MISSING.',
        resolve: ({ facts }) => facts.code,
      }),
      activityKey: t.string({
        nullable: true,
        description: 'Which activity, where it is about one.',
        resolve: ({ facts }) => ('activityKey' in facts ? facts.activityKey : null),
      }),
      text: t.string({
        description: 'In words, in the language asked for.',
        resolve: ({ facts, course, language }) => shortfallText(facts, course, language),
      }),
    }),
  });

function shortfallText(facts: ShortfallFacts, course: CourseVersion, language: 'zh-CN' | 'en'): string {
  const chinese = language === 'zh-CN';
  const titleOf = (key: string): string =>
    course.manifest.modules.flatMap((module) => module.activities).find((activity) => activity.key === key)!
      .title[language];
  switch (facts.code) {
    case 'ACTIVITY_UNFINISHED': {
      const title = titleOf(facts.activityKey);
      return chinese ? `完成《${title}》` : `Finish “${title}”`;
    }
    case 'CONVERSATION_NOT_PASSED': {
      const title = titleOf(facts.activityKey);
      return chinese ? `通过《${title}》` : `Pass “${title}”`;
    }
    case 'EXAM_NOT_TAKEN':
      return chinese ? `参加考试并达到 ${facts.passMark} 分` : `Sit the exam and reach ${facts.passMark}%`;
    case 'EXAM_NOT_PASSED':
      if (facts.mustPassMissed)
        return chinese
          ? `考试最高 ${facts.bestPercent} 分，分数已够；但有关安全或资料保护的必答对题没有全对，需再考一次`
          : `Best exam result ${facts.bestPercent}%, which is enough; but a must-pass question (safety, protection of data) was missed, so sit it once more`;
      return chinese
        ? `考试最高 ${facts.bestPercent} 分，需达到 ${facts.passMark} 分`
        : `Best exam result ${facts.bestPercent}%; ${facts.passMark}% is needed`;
    case 'HOURS_MISSING':
      return chinese
        ? `再学习约 ${facts.minutesToGo} 分钟（已计 ${facts.credited} 学时，需 ${facts.needed} 学时）`
        : `About ${facts.minutesToGo} more minutes of learning (${facts.credited} class hours so far, ${facts.needed} needed)`;
  }
}

const ExamBlock = builder.objectRef<Blocked>('ExamBlock').implement({
  description: 'Why an attempt can not be started now; `startAttempt` would be refused with the same code.',
  interfaces: [Refusal],
  // An interface finds its type by what it was given; this is no error that was thrown.
  isTypeOf: (value) => !(value instanceof Error),
  fields: (t) => ({
    retryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it may be tried again, where the rule is about time.',
      resolve: (blocked) => ('retryAt' in blocked ? blocked.retryAt : null),
    }),
  }),
});

const ExamStanding = builder
  .objectRef<{ assignment: AssignmentFacts; course: CourseVersion }>('ExamStanding')
  .implement({
    description: 'The exam of an assignment: its rules, and where the learner stands.',
    fields: (t) => ({
      itemsPerAttempt: t.int({
        description: 'Items drawn for an attempt.',
        resolve: ({ course }) => itemsPerAttempt(course.manifest.exam),
      }),
      minutes: t.int({
        description: 'Time limit, counted by the server; without `extraMinutes`.',
        resolve: ({ course }) => course.manifest.exam.minutes,
      }),
      extraMinutes: t.int({
        description: 'What an accommodation adds to an attempt that begins today; 0 without one.',
        resolve: async ({ assignment }, _args, context) =>
          (await context.services.exams.allowanceOf(assignment)).extraMinutes,
      }),
      passMark: t.int({
        description: 'Percent needed.',
        resolve: ({ course }) => course.manifest.exam.passMark,
      }),
      attemptsAllowed: t.int({
        description: 'Attempts in all, with those that an accommodation adds today.',
        resolve: async ({ assignment, course }, _args, context) =>
          course.manifest.exam.resit.attempts +
          (await context.services.exams.allowanceOf(assignment)).extraAttempts,
      }),
      resitAfterHours: t.int({
        description: 'Hours between a failed attempt and the next.',
        resolve: ({ course }) => course.manifest.exam.resit.afterHours,
      }),
      attempts: t.field({
        type: [Attempt],
        description: 'Newest first.',
        resolve: async ({ assignment }, _args, context) =>
          context.services.exams.listAttempts(context.services.db, assignment.id),
      }),
      openAttempt: t.field({
        type: Attempt,
        nullable: true,
        description: 'The attempt that can be gone on with.',
        resolve: async ({ assignment }, _args, context) =>
          (await context.services.exams.listAttempts(context.services.db, assignment.id)).find(
            (attempt) => attempt.submittedAt === null,
          ) ?? null,
      }),
      blockedBy: t.field({
        type: ExamBlock,
        nullable: true,
        description: 'Why no attempt can be started now; null = one can.',
        resolve: async ({ assignment }, _args, context) =>
          (await context.services.exams.whyBlocked(assignment)) ?? null,
      }),
    }),
  });

const courseOf = async (assignment: AssignmentFacts, context: Context): Promise<CourseVersion> =>
  context.services.programmes.courseOf(context.services.db, assignment);

async function progressOf(assignment: AssignmentFacts, context: Context): Promise<ProgressOf[]> {
  const course = await courseOf(assignment, context);
  const progress = new Map(
    (await context.services.learning.listProgress(context.services.db, assignment.id)).map((each) => [
      each.activityKey,
      each,
    ]),
  );
  return course.manifest.modules
    .flatMap((module) => module.activities)
    .map((activity) => ({ assignment, course, activity, progress: progress.get(activity.key) }));
}

builder.node(Assignment, {
  name: 'Assignment',
  description: "One person's duty to earn a certification, and how far they are. The learner's own alone.",
  id: { resolve: (assignment) => assignment.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.programmes.findOwnAssignment(context.viewer, id)) ?? null),
  isTypeOf: (value) =>
    typeof value === 'object' && value !== null && 'cohortId' in value && 'period' in value,
  fields: (t) => ({
    certification: t.field({
      type: Certification,
      description: 'What is to be earned.',
      resolve: async (assignment, _args, context) =>
        (await context.load.certification.load(assignment.certificationId))!,
    }),
    dueOn: t.expose('dueOn', { type: 'Date', nullable: true, description: 'By when.' }),
    period: t.exposeInt('period', {
      description: '1 = to be earned for the first time; from 2 on it renews.',
    }),
    renews: t.field({
      type: Certificate,
      nullable: true,
      description:
        'The certificate that it renews, valid or lapsed; null the first time, and where the former one was revoked. What is earned while that one is valid is counted on from its last day.',
      resolve: async (assignment, _args, context) =>
        (await context.services.certificates.findRenewed(assignment)) ?? null,
    }),
    course: t.field({
      type: Course,
      description: 'At the version the learner is on.',
      resolve: async (assignment, _args, context) => courseOf(assignment, context),
    }),
    activities: t.field({
      type: [ActivityProgress],
      description: 'In the order of the course.',
      resolve: async (assignment, _args, context) => progressOf(assignment, context),
    }),
    exam: t.field({
      type: ExamStanding,
      description: 'The exam.',
      resolve: async (assignment, _args, context) => ({
        assignment,
        course: await courseOf(assignment, context),
      }),
    }),
    shortfalls: t.field({
      type: [Shortfall],
      args: { language: t.arg(languageArg) },
      description: 'What is still missing for the certificate, every one named; empty = eligible.',
      resolve: async (assignment, { language }, context) => {
        const course = await courseOf(assignment, context);
        return (await context.services.certificates.listShortfalls(assignment)).map((facts) => ({
          facts,
          course,
          language,
        }));
      },
    }),
    time: t.field({
      type: AssignmentTime,
      description: 'What the time ledger has of it.',
      resolve: async (assignment, _args, context) => ({
        assignment,
        hours: await context.services.time.hoursOf(assignment),
      }),
    }),
    certificate: t.field({
      type: Certificate,
      nullable: true,
      description: 'null until issued; the worker issues within seconds once nothing is missing.',
      resolve: async (assignment, _args, context) =>
        (await context.services.certificates.findOfAssignment(assignment.id)) ?? null,
    }),
    state: t.field({
      type: AssignmentStateEnum,
      description: 'How far, in one word.',
      resolve: async (assignment, _args, context) => {
        const certificate = await context.services.certificates.findOfAssignment(assignment.id);
        if (certificate !== undefined)
          return STATE_BY_CERTIFICATE[context.services.certificates.stateOf(certificate)];
        const attempts = await context.services.exams.listAttempts(context.services.db, assignment.id);
        if (attempts.some((attempt) => attempt.passed === true)) {
          const { time, neededMs } = await context.services.time.hoursOf(assignment);
          return time.totalMs < neededMs ? 'HOURS_OPEN' : 'PASSED';
        }
        const progress = await progressOf(assignment, context);
        if (progress.every((each) => each.progress !== undefined && each.progress.completedAt !== null))
          return 'EXAM_OPEN';
        return progress.some((each) => each.progress !== undefined) ? 'LEARNING' : 'ASSIGNED';
      },
    }),
  }),
});

const RecordStatementsInput = builder.inputType('RecordStatementsInput', {
  description: 'What a player emitted for one activity.',
  fields: (t) => ({
    assignmentId: t.id({ required: true, description: "The viewer's own." }),
    activityKey: t.string({ required: true, description: 'The activity that is being played.' }),
    language: t.field({ type: LanguageEnum, required: true, description: 'In which it is played.' }),
    statements: t.field({
      type: ['JSON'],
      required: true,
      description:
        'xAPI 1.0.3 statements as the content emitted them, 100 at most, 64 kB each at most. The actor is replaced by the one the server knows. With none it says that the activity is open.',
    }),
  }),
});
const RefusedStatement = builder.objectRef<RefusedFacts>('RefusedStatement').implement({
  description:
    'A statement that was not taken; sending it again would change nothing. Those beside it were taken.',
  fields: (t) => ({
    index: t.exposeInt('index', { description: 'Its place in the list that was sent, from 0.' }),
    code: t.exposeString('code', {
      description:
        'INVALID_STATEMENT: not of the shape of xAPI 1.0.3. STATEMENT_CONFLICT: its id came before with another statement, which stays.',
    }),
    path: t.exposeString('path', {
      description: 'What is faulty, dotted, e.g. `input.statements.0.verb.id`.',
    }),
    message: t.exposeString('message', { description: 'Why, one sentence in English.' }),
  }),
});
const RecordStatementsPayload = builder
  .objectRef<ProgressOf & { readonly refused: readonly RefusedFacts[] }>('RecordStatementsPayload')
  .implement({
    description: 'What could be taken is stored, each once.',
    fields: (t) => ({
      refused: t.field({
        type: [RefusedStatement],
        description: 'Those that were not taken, in the order in which they were sent; usually none.',
        resolve: ({ refused }) => [...refused],
      }),
      progress: t.field({
        type: ActivityProgress,
        description: 'Where the activity stands now.',
        resolve: (payload) => payload,
      }),
    }),
  });
builder.mutationField('recordStatements', (t) =>
  t.field({
    type: RecordStatementsPayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Takes what a player emitted. Statements are claims of the browser: they show progress and never certify. The same statement (by id) counts once. A faulty one is refused by itself, in `refused`. A flood is refused whole with TOO_MANY_STATEMENTS and `retryAt`; keep what was sent, and send it then.',
    args: { input: t.arg({ type: RecordStatementsInput, required: true }) },
    resolve: async (_root, { input }, context) =>
      context.services.learning.recordStatements(signedIn(context), {
        assignmentId: localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
        activityKey: input.activityKey,
        statements: input.statements,
      }),
  }),
);

const SaveUserStateInput = builder.inputType('SaveUserStateInput', {
  description: 'Where a learner stands inside a content.',
  fields: (t) => ({
    assignmentId: t.id({ required: true, description: "The viewer's own." }),
    activityKey: t.string({ required: true, description: 'The activity that is being played.' }),
    language: t.field({
      type: LanguageEnum,
      required: true,
      description: 'In which it is played; each language has its own state.',
    }),
    data: t.string({ required: true, description: 'JSON, 128 kB at most, in UTF-8.' }),
    baseVersion: t.int({ required: true, description: 'The version last seen; 0 for none.' }),
  }),
});
const SaveUserStatePayload = builder.objectRef<{ version: number }>('SaveUserStatePayload').implement({
  description: 'The state is saved.',
  fields: (t) => ({ version: t.exposeInt('version', { description: 'The new version.' }) }),
});
builder.mutationField('saveUserState', (t) =>
  t.field({
    type: SaveUserStatePayload,
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Saves where the player is. Refused with STATE_MOVED_ON when another page or device has saved since `baseVersion`.',
    args: { input: t.arg({ type: SaveUserStateInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      version: await context.services.learning.saveUserState(signedIn(context), {
        ...input,
        assignmentId: localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
      }),
    }),
  }),
);
