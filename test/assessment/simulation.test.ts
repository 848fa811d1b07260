import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  bestWords,
  MOVE,
  playBest,
  playRun,
  readScenarios,
  START_RUN,
  startRun,
  worstWord,
  type RunAnswer,
} from '../support/conversation.ts';
import {
  assignTeachers,
  finishActivities,
  startService,
  START,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';
import { shownChoices } from '../../src/assessment/simulation.ts';
import type { Scenario } from '../../src/courses/scenario.ts';

const PRACTICE = 'choir-conversation';
const GRADED = 'dormitory-conversation';
const RUN = `query ($id: ID!) { node(id: $id) { __typename ... on SimulationRun { id number mode state percent passed startedAt finishedAt activityKey
  scene { title setting studentName studentAge studentLook
    turn { number narration says mood choices { key say } }
    moves { number narration says mood said coach points trust distress steps }
    ending { title text mood } mustPass { title taken } } } } }`;
const STANDING = `query ($id: ID!) { node(id: $id) { ... on Assignment { shortfalls { code activityKey text }
  activities { state activity { key } simulation { mode setting passMark attemptsAllowed retryAfterHours blockedBy { code retryAt } runs { id number state } } } } } }`;

describe('a simulated conversation', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  let practice: Scenario;
  let graded: Scenario;
  beforeAll(async () => {
    clock = new TestClock('2030-03-04T04:00:00Z');
    service = await startService({ clock });
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4', 't5']));
    const scenarios = await readScenarios();
    practice = scenarios.get(PRACTICE)!;
    graded = scenarios.get(GRADED)!;
  });
  afterAll(async () => service.stop());

  const see = async (learner: Learner, id: string) => (await service.ask(learner.key, RUN, { id })).data.node;
  interface Standing {
    readonly state: string;
    readonly activity: { readonly key: string };
    readonly simulation: {
      readonly blockedBy: { readonly code: string; readonly retryAt: string | null } | null;
      readonly runs: readonly { readonly id: string }[];
    };
  }
  interface Shortfalls {
    readonly shortfalls: readonly {
      readonly code: string;
      readonly activityKey: string;
      readonly text: string;
    }[];
  }
  const standing = async (learner: Learner, key: string): Promise<Standing & Shortfalls> => {
    const { data } = await service.ask(learner.key, STANDING, { id: learner.assignmentId });
    const { activities, shortfalls } = data.node as { activities: Standing[] } & Shortfalls;
    return { ...activities.find((each) => each.activity.key === key)!, shortfalls };
  };
  const move = async (learner: Learner, runId: string, turn: number, choice: string) =>
    (await service.ask(learner.key, MOVE, { input: { runId, turn, choice } })).data.makeMove;
  const playWorst = async (learner: Learner, run: RunAnswer, scenario: Scenario) =>
    playRun(service, learner.key, run, (shown) => worstWord(scenario, shown));

  it('tells neither the tree, nor points, nor what a choice does, until it has ended', async () => {
    const [learner] = learners;
    const run = await startRun(service, learner!.key, learner!.assignmentId, GRADED);
    const words = bestWords(graded);
    const said: string[] = [JSON.stringify(run)];
    await playRun(service, learner!.key, run, (_shown, at) => words[at]!);
    // What a browser could have asked for on the way is asked for at each turn of the next one.
    const second = await startRun(service, 't2', learners[1]!.assignmentId, GRADED);
    let now: RunAnswer = second;
    for (const word of words) {
      const answer = await service.ask('t2', RUN, { id: second.id });
      if (answer.data.node.state === 'OPEN') said.push(JSON.stringify(answer), JSON.stringify(now));
      const choice = now.scene.turn!.choices.find((each) => each.say === word)!;
      now = (await move(learners[1]!, second.id, now.scene.turn!.number, choice.key)).run;
      said.push(now.state === 'OPEN' ? JSON.stringify(now) : '');
    }
    expect(said.filter((each) => each !== '').length).toBeGreaterThan(words.length);
    const secrets = [
      ...graded.turns.flatMap((turn) =>
        turn.choices.flatMap(({ coach }) => [coach['zh-CN'], coach.en ?? coach['zh-CN']]),
      ),
      ...graded.endings.flatMap(({ title, text }) => [title['zh-CN'], text['zh-CN']]),
      ...graded.mustPass.map(({ title }) => title['zh-CN']),
      ...graded.turns.map(({ key }) => `"${key}"`),
    ];
    for (const text of said) {
      expect(secrets.filter((secret) => text.includes(secret))).toEqual([]);
      expect(text).not.toMatch(
        /"points":\d|"percent":\d|"passed":(true|false)|"trust":"|"distress":"|"steps":\[|"taken":|next|effects|changes|risk/,
      );
    }
  });

  it('shows choices in an order of the run, the same each time it is looked at', async () => {
    const [first] = practice.turns;
    const seeds = new Set<string>();
    for (const { key, assignmentId } of learners.slice(0, 4)) {
      const run = await startRun(service, key, assignmentId, PRACTICE);
      const order = run.scene.turn!.choices.map((choice) => choice.say);
      const again = await see({ key, assignmentId }, run.id);
      expect((again.scene.turn.choices as { say: string }[]).map(({ say }) => say)).toEqual(order);
      expect(run.scene.turn!.choices.map((choice) => choice.key)).toEqual(['1', '2', '3']);
      // Four orders may well be the same one; four seeds are not.
      const { rows } = await service.database.pool.query<{ seed: string }>(
        'select seed from simulation_runs order by id desc limit 1',
      );
      seeds.add(rows[0]!.seed);
      expect(shownChoices(first!, rows[0]!.seed).map(({ say }) => say['zh-CN'])).toEqual(order);
    }
    expect(seeds.size).toBe(4);
  });

  it('in practice has a coach after each turn, and is completed by any ending, with a replay', async () => {
    const learner = learners[0]!;
    const { simulation } = await standing(learner, PRACTICE);
    expect(simulation.blockedBy!.code).toBe('RUN_OPEN');
    const open = await see(learner, simulation.runs[0]!.id);
    const word = worstWord(
      practice,
      (open.scene.turn.choices as { say: string }[]).map(({ say }) => say),
    );
    const chosen = (open.scene.turn.choices as { key: string; say: string }[]).find(
      ({ say }) => say === word,
    )!;
    await move(learner, open.id, 1, chosen.key);
    const after = await see(learner, open.id);
    expect(after.scene.moves).toEqual([
      expect.objectContaining({
        said: word,
        coach: expect.any(String),
        points: null,
        trust: null,
        steps: null,
      }),
    ]);
    await playWorst(learner, { ...after } as RunAnswer, practice);
    const ended = await see(learner, open.id);
    expect(ended).toMatchObject({ state: 'FINISHED', passed: false, finishedAt: clock.now().toISOString() });
    expect(ended.scene).toMatchObject({ turn: null, ending: { title: expect.any(String) } });
    expect(ended.scene.mustPass).toHaveLength(practice.mustPass.length);
    expect(ended.scene.moves[0]).toMatchObject({ points: 0, trust: 'DOWN', distress: 'UP', steps: [] });
    expect((await standing(learner, PRACTICE)).state).toBe('COMPLETED');
    // As often as one likes, and well the next time.
    expect(await playBest(service, learner.key, learner.assignmentId, PRACTICE)).toMatchObject({
      percent: 100,
      passed: true,
    });
  });

  it('keeps the move that came first: another device, or the same sent again, is told how it stands', async () => {
    const learner = learners[2]!;
    const run = (await standing(learner, PRACTICE)).simulation.runs[0]!;
    const answers = await Promise.all(
      ['1', '2', '3', '1'].map(async (choice) => move(learner, run.id, 1, choice)),
    );
    expect(answers.filter((answer) => answer.__typename === 'MakeMovePayload')).toHaveLength(1);
    expect(answers.filter((answer) => answer.code === 'TURN_MOVED_ON')).toHaveLength(3);
    const { scene } = await see(learner, run.id);
    expect(scene.moves).toHaveLength(1);
    const { data } = await service.ask(
      learner.key,
      'mutation ($input: MakeMoveInput!) { makeMove(input: $input) { ... on TurnMovedOn { code run { id scene { turn { number } moves { said } } } } } }',
      { input: { runId: run.id, turn: 1, choice: '2' } },
    );
    expect(data.makeMove).toEqual({
      code: 'TURN_MOVED_ON',
      run: { id: run.id, scene: { turn: { number: 2 }, moves: [{ said: scene.moves[0].said }] } },
    });
    // Nor a turn ahead.
    expect((await move(learner, run.id, 3, '1')).code).toBe('TURN_MOVED_ON');
  });

  it('refuses choices that were not shown, and writes nothing of them', async () => {
    const learner = learners[3]!;
    const run = (await standing(learner, PRACTICE)).simulation.runs[0]!;
    for (const choice of ['0', '9', '-1', 'a', '', '1 ', '１', 'open'])
      expect((await move(learner, run.id, 1, choice)).code).toBe('INVALID_INPUT');
    expect((await see(learner, run.id)).scene.moves).toEqual([]);
  });

  it('begins once when it is begun twice at the same moment', async () => {
    const learner = learners[4]!;
    const input = { assignmentId: learner.assignmentId, activityKey: GRADED };
    const answers = await Promise.all(
      Array.from(
        { length: 4 },
        async () => (await service.ask(learner.key, START_RUN, { input })).data.startSimulation,
      ),
    );
    const codes = answers.map((answer): string => answer.code ?? 'started');
    expect(codes.toSorted((a, b) => a.localeCompare(b))).toEqual([
      'RUN_OPEN',
      'RUN_OPEN',
      'RUN_OPEN',
      'started',
    ]);
    for (const activityKey of ['signs-lesson', 'none'])
      expect(
        (await service.ask(learner.key, START_RUN, { input: { ...input, activityKey } })).data.startSimulation
          .code,
      ).toBe('NOT_FOUND');
  });

  it('that is graded asks for a cooling-off after a failure, and is completed by a pass alone', async () => {
    const learner = learners[4]!;
    const { simulation } = await standing(learner, GRADED);
    const open = await see(learner, simulation.runs[0]!.id);
    const failed = await playWorst(learner, open as RunAnswer, graded);
    expect(failed).toMatchObject({ state: 'FINISHED', passed: false });
    const after = await standing(learner, GRADED);
    expect(after.state).toBe('STARTED');
    expect(after.shortfalls).toContainEqual({
      code: 'CONVERSATION_NOT_PASSED',
      activityKey: GRADED,
      text: '通过《对话考核：熄灯之后》',
    });
    expect(after.simulation.blockedBy).toEqual({
      code: 'RETRY_TOO_EARLY',
      retryAt: '2030-03-04T05:00:00.000Z',
    });
    // A failed one has its remarks, of what was chosen.
    const replayed = await see(learner, failed.id);
    for (const each of replayed.scene.moves)
      expect(each).toMatchObject({ coach: expect.any(String), points: expect.any(Number) });
    const input = { assignmentId: learner.assignmentId, activityKey: GRADED };
    expect((await service.ask(learner.key, START_RUN, { input })).data.startSimulation.code).toBe(
      'RETRY_TOO_EARLY',
    );
    clock.move(60);
    expect(await playBest(service, learner.key, learner.assignmentId, GRADED)).toMatchObject({
      percent: 100,
      passed: true,
    });
    const passed = await standing(learner, GRADED);
    expect(passed.state).toBe('COMPLETED');
    expect(passed.shortfalls.map(({ code }) => code)).not.toContain('CONVERSATION_NOT_PASSED');
    expect(passed.simulation.blockedBy!.code).toBe('ALREADY_PASSED');
    expect((await service.ask(learner.key, START_RUN, { input })).data.startSimulation.code).toBe(
      'ALREADY_PASSED',
    );
    // What came after the end changes nothing.
    expect((await move(learner, failed.id, 1, '1')).code).toBe('TURN_MOVED_ON');
  });

  it('has to be passed before the exam; statements of a browser do not help', async () => {
    const learner = learners[3]!;
    const { data } = await service.ask(
      learner.key,
      'mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { ... on Refusal { code } } }',
      {
        input: {
          assignmentId: learner.assignmentId,
          activityKey: GRADED,
          language: 'zh_CN',
          statements: [
            {
              verb: { id: 'http://adlnet.gov/expapi/verbs/completed' },
              object: { id: 'https://example.org/x' },
            },
          ],
        },
      },
    );
    expect(data.recordStatements.code).toBe('NOT_FOUND');
    const start = async () =>
      (await service.ask(learner.key, START, { id: learner.assignmentId })).data.startAttempt;
    expect((await start()).code).toBe('LESSONS_UNFINISHED');
    const open = await see(learner, (await standing(learner, PRACTICE)).simulation.runs[0]!.id);
    await playWorst(learner, open as RunAnswer, practice);
    await finishActivities(service, learner);
    expect((await start()).__typename).toBe('StartAttemptPayload');
  });

  it('tells another person that there is no such conversation', async () => {
    const learner = learners[2]!;
    const { id } = (await standing(learner, PRACTICE)).simulation.runs[0]!;
    const unknown = Buffer.from('SimulationRun:999999').toString('base64');
    for (const stranger of ['t4', 'coordinator', 'hr', 'issuer'])
      for (const target of [id, unknown]) {
        expect((await service.ask(stranger, RUN, { id: target })).data.node).toBeNull();
        expect(
          (await service.ask(stranger, MOVE, { input: { runId: target, turn: 2, choice: '1' } })).data
            .makeMove,
        ).toEqual({ __typename: 'NotFound', code: 'NOT_FOUND', message: 'The conversation was not found.' });
      }
    const input = { assignmentId: learner.assignmentId, activityKey: GRADED };
    expect((await service.ask('t4', START_RUN, { input })).data.startSimulation.code).toBe('NOT_FOUND');
    expect((await service.ask(null, START_RUN, { input })).data.startSimulation.code).toBe('NOT_SIGNED_IN');
  });
});
