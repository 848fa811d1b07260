import type { SeenMove, SeenRun, SeenTurn } from '../src/assessment/simulation.service.ts';
import type { SimulationBlocked } from '../src/assessment/simulation.ts';
import { languageOf, type CourseVersion } from '../src/courses/course.ts';
import type { Language } from '../src/courses/language.ts';
import type { SimulationActivity } from '../src/courses/manifest.ts';
import { inLanguage, languageOfText, type ContentText } from '../src/courses/notation.ts';
import { moods } from '../src/courses/scenario.ts';
import { Conflict, InvalidInput, NotFound, NotSignedIn, TurnMovedOn } from '../src/errors.ts';
import type { Assignment as AssignmentFacts } from '../src/programmes/certification.ts';
import { builder, languageArg, LanguageEnum } from './builder.ts';
import { signedIn } from './context.ts';
import { localId } from './ids.ts';
import { SimulationRun } from './refs.ts';
import { Refusal } from './refusal.ts';

type Mood = (typeof moods)[number];

const SimulationModeEnum = builder.enumType('SimulationMode', {
  description:
    'PRACTICE: a coach speaks after each turn, and coming to any end completes it. GRADED: no coach until the end, and it is completed when it is passed.',
  values: { PRACTICE: { value: 'practice' }, GRADED: { value: 'graded' } } as const,
});
const SimulationStateEnum = builder.enumType('SimulationState', {
  description: 'OPEN until a choice leads to an ending.',
  values: ['OPEN', 'FINISHED'] as const,
});
const MoodEnum = builder.enumType('Mood', {
  description: 'What shows in the face of the student of the story.',
  values: Object.fromEntries(moods.map((mood) => [mood.toUpperCase(), { value: mood }])) as {
    [K in Mood as Uppercase<K>]: { value: K };
  },
});
const StudentLookEnum = builder.enumType('StudentLook', {
  description: 'Which face is drawn.',
  values: {
    GIRL: { value: 'girl' },
    BOY: { value: 'boy' },
    YOUNG_WOMAN: { value: 'young-woman' },
    YOUNG_MAN: { value: 'young-man' },
  } as const,
});
const ShiftEnum = builder.enumType('Shift', {
  description: 'How something moved in the student of the story. Never by how much.',
  values: ['UP', 'SAME', 'DOWN'] as const,
});

interface Told<T> {
  readonly facts: T;
  readonly language: Language;
}
const shiftOf = (by: number): 'UP' | 'SAME' | 'DOWN' => (by > 0 ? 'UP' : by < 0 ? 'DOWN' : 'SAME');

const SimulationChoice = builder
  .objectRef<Told<{ key: string; say: ContentText }>>('SimulationChoice')
  .implement({
    description: 'What the teacher may say or do now.',
    fields: (t) => ({
      key: t.string({
        description: 'For `makeMove`. Its place in this run’s order, and nothing more.',
        resolve: ({ facts }) => facts.key,
      }),
      say: t.string({
        description: 'The words.',
        resolve: ({ facts, language }) => inLanguage(facts.say, language),
      }),
    }),
  });

const SimulationTurn = builder.objectRef<Told<SeenTurn>>('SimulationTurn').implement({
  description: 'The turn that waits for the teacher.',
  fields: (t) => ({
    number: t.int({
      description: '1 for the first. Give it back with the choice: one for another turn is refused.',
      resolve: ({ facts }) => facts.number,
    }),
    narration: t.string({
      nullable: true,
      description: 'What is seen.',
      resolve: ({ facts, language }) =>
        facts.narration === null ? null : inLanguage(facts.narration, language),
    }),
    says: t.string({
      nullable: true,
      description: 'The words of the student.',
      resolve: ({ facts, language }) => (facts.says === null ? null : inLanguage(facts.says, language)),
    }),
    mood: t.field({ type: MoodEnum, description: 'Shown in the face.', resolve: ({ facts }) => facts.mood }),
    choices: t.field({
      type: [SimulationChoice],
      description: 'In the order of this run, shuffled anew for each.',
      resolve: ({ facts, language }) => facts.choices.map((choice) => ({ facts: choice, language })),
    }),
  }),
});

const SimulationMove = builder.objectRef<Told<SeenMove>>('SimulationMove').implement({
  description:
    'A turn that is over: what the student said, what the teacher chose, and what a coach says of it.',
  fields: (t) => ({
    number: t.int({ description: '1 for the first.', resolve: ({ facts }) => facts.number }),
    narration: t.string({
      nullable: true,
      description: 'What was seen.',
      resolve: ({ facts, language }) =>
        facts.narration === null ? null : inLanguage(facts.narration, language),
    }),
    says: t.string({
      nullable: true,
      description: 'What the student had said.',
      resolve: ({ facts, language }) => (facts.says === null ? null : inLanguage(facts.says, language)),
    }),
    mood: t.field({
      type: MoodEnum,
      description: 'How the student looked.',
      resolve: ({ facts }) => facts.mood,
    }),
    said: t.string({
      description: 'What the teacher said or did.',
      resolve: ({ facts, language }) => inLanguage(facts.said, language),
    }),
    coach: t.string({
      nullable: true,
      description: 'Why it helps or does not. null in a graded conversation until its end.',
      resolve: ({ facts, language }) => (facts.coach === null ? null : inLanguage(facts.coach, language)),
    }),
    points: t.int({
      nullable: true,
      description: 'From 0 (harmful) to 3 (what a trained teacher would do); null until the end.',
      resolve: ({ facts }) => facts.replay?.points,
    }),
    trust: t.field({
      type: ShiftEnum,
      nullable: true,
      description: 'How the trust of the student moved; null until the end.',
      resolve: ({ facts }) => (facts.replay === null ? null : shiftOf(facts.replay.trust)),
    }),
    distress: t.field({
      type: ShiftEnum,
      nullable: true,
      description: 'How the distress of the student moved; null until the end.',
      resolve: ({ facts }) => (facts.replay === null ? null : shiftOf(facts.replay.distress)),
    }),
    steps: t.stringList({
      nullable: true,
      description: 'Must-pass steps that were taken by it; null until the end.',
      resolve: ({ facts, language }) => facts.replay?.steps.map((step) => inLanguage(step, language)),
    }),
  }),
});

const SimulationEnding = builder
  .objectRef<Told<NonNullable<SeenRun['ending']>>>('SimulationEnding')
  .implement({
    description: 'What became of it.',
    fields: (t) => ({
      title: t.string({
        description: 'In a few words.',
        resolve: ({ facts, language }) => inLanguage(facts.title, language),
      }),
      text: t.string({
        description: 'The end of the story.',
        resolve: ({ facts, language }) => inLanguage(facts.text, language),
      }),
      mood: t.field({
        type: MoodEnum,
        description: 'Shown in the face.',
        resolve: ({ facts }) => facts.mood,
      }),
    }),
  });

const MustPassStep = builder
  .objectRef<Told<{ title: ContentText; taken: boolean }>>('MustPassStep')
  .implement({
    description: 'A step without which a conversation is not passed, whatever the points.',
    fields: (t) => ({
      title: t.string({
        description: 'What it is.',
        resolve: ({ facts, language }) => inLanguage(facts.title, language),
      }),
      taken: t.boolean({ description: 'Whether it was taken.', resolve: ({ facts }) => facts.taken }),
    }),
  });

const SimulationScene = builder.objectRef<Told<SeenRun>>('SimulationScene').implement({
  description:
    'What has been played and what is to be answered now. Neither the tree nor a number of it is told before the end.',
  fields: (t) => ({
    language: t.field({
      type: LanguageEnum,
      description: 'What its words are in: as asked for, or Chinese where the course is in Chinese alone.',
      resolve: ({ facts, language }) => languageOfText(facts.title, language),
    }),
    title: t.string({
      description: 'Of the scenario.',
      resolve: ({ facts, language }) => inLanguage(facts.title, language),
    }),
    setting: t.string({
      description: 'What the teacher knows before the first word.',
      resolve: ({ facts, language }) => inLanguage(facts.setting, language),
    }),
    studentName: t.string({
      description: 'Of the story; nobody real.',
      resolve: ({ facts, language }) => inLanguage(facts.student.name, language),
    }),
    studentAge: t.int({ description: 'In years.', resolve: ({ facts }) => facts.student.age }),
    studentLook: t.field({
      type: StudentLookEnum,
      description: 'Which face is drawn.',
      resolve: ({ facts }) => facts.student.look,
    }),
    turn: t.field({
      type: SimulationTurn,
      nullable: true,
      description: 'What is to be answered now; null after the end.',
      resolve: ({ facts, language }) => (facts.turn === null ? null : { facts: facts.turn, language }),
    }),
    moves: t.field({
      type: [SimulationMove],
      description: 'The turns that are over, in their order.',
      resolve: ({ facts, language }) => facts.moves.map((move) => ({ facts: move, language })),
    }),
    ending: t.field({
      type: SimulationEnding,
      nullable: true,
      description: 'null until the end.',
      resolve: ({ facts, language }) => (facts.ending === null ? null : { facts: facts.ending, language }),
    }),
    mustPass: t.field({
      type: [MustPassStep],
      nullable: true,
      description: 'Taken or missed; null until the end, since the list would tell what to do.',
      resolve: ({ facts, language }) => facts.mustPass?.map((step) => ({ facts: step, language })),
    }),
  }),
});

builder.node(SimulationRun, {
  name: 'SimulationRun',
  description:
    "One simulated conversation, from the first turn to an ending: run by the server, turn by turn. The learner's own alone.",
  id: { resolve: (run) => run.id },
  loadOne: async (id, context) =>
    context.viewer === undefined || !/^\d{1,18}$/.test(id)
      ? null
      : ((await context.services.simulations.findOwn(context.viewer, id)) ?? null),
  isTypeOf: (value) => typeof value === 'object' && value !== null && 'bestPoints' in value,
  fields: (t) => ({
    number: t.exposeInt('number', { description: '1 for the first of its activity.' }),
    assignmentId: t.globalID({
      description: 'The Assignment it belongs to.',
      resolve: (run) => ({ type: 'Assignment', id: run.assignmentId }),
    }),
    activityKey: t.exposeString('activityKey', { description: 'The activity it is a run of.' }),
    mode: t.expose('mode', { type: SimulationModeEnum, description: 'Practice or graded.' }),
    state: t.field({
      type: SimulationStateEnum,
      description: 'OPEN or FINISHED.',
      resolve: (run) => (run.finishedAt === null ? 'OPEN' : 'FINISHED'),
    }),
    startedAt: t.expose('startedAt', { type: 'DateTime', description: 'When it began.' }),
    finishedAt: t.expose('finishedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it came to its end.',
    }),
    percent: t.exposeFloat('percent', {
      nullable: true,
      description: 'Points of the points of the best way, 0–100; null until the end.',
    }),
    passed: t.exposeBoolean('passed', {
      nullable: true,
      description:
        'A good ending, every must-pass step taken, and the pass mark reached; null until the end. Of practice too, where nothing hangs on it.',
    }),
    scene: t.field({
      type: SimulationScene,
      args: { language: t.arg(languageArg) },
      description: 'What has been played and what is to be answered now.',
      resolve: async (run, { language }, context) => ({
        facts: await context.services.simulations.see(run),
        language,
      }),
    }),
  }),
});

const SimulationBlock = builder.objectRef<SimulationBlocked>('SimulationBlock').implement({
  description: 'Why no run can be started now; `startSimulation` would be refused with the same code.',
  interfaces: [Refusal],
  // As ExamBlock: no error that was thrown.
  isTypeOf: (value) => !(value instanceof Error),
  fields: (t) => ({
    retryAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it may be tried again, where the rule is about time.',
      resolve: (blocked) => blocked.retryAt ?? null,
    }),
  }),
});

export interface SimulationOf {
  readonly assignment: AssignmentFacts;
  readonly course: CourseVersion;
  readonly activity: SimulationActivity;
}

/** Of an assignment that has been found to be the viewer's own. */
export const SimulationStanding = builder.objectRef<SimulationOf>('SimulationStanding').implement({
  description: 'A simulated conversation of an assignment: its rules, and where the learner stands.',
  fields: (t) => ({
    mode: t.field({
      type: SimulationModeEnum,
      description: 'Practice or graded.',
      resolve: ({ activity }) => activity.mode,
    }),
    language: t.field({
      type: LanguageEnum,
      args: { language: t.arg(languageArg) },
      description: 'What it is in: as asked for, or Chinese where the course is in Chinese alone.',
      resolve: ({ course }, { language }) => languageOf(course.manifest, language),
    }),
    setting: t.string({
      args: { language: t.arg(languageArg) },
      description: 'What the teacher knows before the first word.',
      resolve: ({ course, activity }, { language }) =>
        inLanguage(course.scenarios[activity.key]!.setting, language),
    }),
    passMark: t.int({
      description: 'Percent of the points of the best way.',
      resolve: ({ course, activity }) => course.scenarios[activity.key]!.passMark,
    }),
    attemptsAllowed: t.int({
      nullable: true,
      description: 'Graded runs in all; null: as often as one likes.',
      resolve: ({ activity }) => activity.resit?.attempts,
    }),
    retryAfterHours: t.int({
      nullable: true,
      description: 'Hours between a failed graded run and the next; null: none.',
      resolve: ({ activity }) => activity.resit?.afterHours,
    }),
    runs: t.field({
      type: [SimulationRun],
      description: 'Newest first.',
      resolve: async ({ assignment, activity }, _args, context) =>
        context.services.simulations.listRuns(assignment, activity.key),
    }),
    blockedBy: t.field({
      type: SimulationBlock,
      nullable: true,
      description: 'Why no run can be started now; null = one can.',
      resolve: async ({ assignment, activity }, _args, context) =>
        (await context.services.simulations.whyBlocked(assignment, activity)) ?? null,
    }),
  }),
});

builder.objectType(TurnMovedOn, {
  name: 'TurnMovedOn',
  interfaces: [Refusal],
  description:
    'The turn is over: another page or device has made its move, or the same was sent twice. What was chosen first stands.',
  fields: (t) => ({
    run: t.field({
      type: SimulationRun,
      description: 'As it is now: go on from here.',
      resolve: async ({ runId }, _args, context) =>
        (await context.services.simulations.findOwn(signedIn(context), runId))!,
    }),
  }),
});

const payload = (name: string, description: string) =>
  builder.objectRef<{ run: typeof SimulationRun.$inferType }>(name).implement({
    description,
    fields: (t) => ({
      run: t.field({ type: SimulationRun, description: 'The run.', resolve: (each) => each.run }),
    }),
  });

const StartSimulationInput = builder.inputType('StartSimulationInput', {
  description: 'Which conversation to begin.',
  fields: (t) => ({
    assignmentId: t.id({ required: true, description: "The viewer's own." }),
    activityKey: t.string({ required: true, description: 'An activity that is a simulation.' }),
  }),
});
builder.mutationField('startSimulation', (t) =>
  t.field({
    type: payload('StartSimulationPayload', 'The conversation has begun.'),
    errors: { types: [NotSignedIn, NotFound, InvalidInput, Conflict] },
    description:
      'Begins a conversation. Refused with RUN_OPEN and, where it is graded, ALREADY_PASSED, NO_RUNS_LEFT or RETRY_TOO_EARLY.',
    args: { input: t.arg({ type: StartSimulationInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      run: await context.services.simulations.start(signedIn(context), {
        assignmentId: localId(input.assignmentId, 'Assignment', 'input.assignmentId'),
        activityKey: input.activityKey,
      }),
    }),
  }),
);

const MakeMoveInput = builder.inputType('MakeMoveInput', {
  description: 'What the teacher says or does at a turn.',
  fields: (t) => ({
    runId: t.id({ required: true, description: "The viewer's own, and open." }),
    turn: t.int({ required: true, description: 'Number of the turn that is answered.' }),
    choice: t.string({ required: true, description: 'Key of one of its choices.' }),
  }),
});
builder.mutationField('makeMove', (t) =>
  t.field({
    type: payload('MakeMovePayload', 'The move is made and saved; the run is as it is after it.'),
    errors: { types: [NotSignedIn, NotFound, InvalidInput, TurnMovedOn] },
    description:
      'Answers a turn, for good. For a turn that is over, or sent twice, it is refused with TURN_MOVED_ON, which holds the run as it is now. The last move ends the run and judges it.',
    args: { input: t.arg({ type: MakeMoveInput, required: true }) },
    resolve: async (_root, { input }, context) => ({
      run: await context.services.simulations.move(signedIn(context), {
        runId: localId(input.runId, 'SimulationRun', 'input.runId'),
        turn: input.turn,
        choice: input.choice,
      }),
    }),
  }),
);
