import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  assignTeachers,
  startService,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';

const RECORD = `mutation ($input: RecordStatementsInput!) { recordStatements(input: $input) { __typename
  ... on RecordStatementsPayload { progress { state secondsLeft } refused { path message } } ... on Refusal { code message } } }`;

/* Sequences as contents of several structures say them, against the rules that a manifest may give. */
const WHOLE = 'https://c.example/player/7';
const v = (name: string) => ({
  id: `http://adlnet.gov/expapi/verbs/${name}`,
  display: { 'en-US': name },
});
const whole = (name: string, more: object = {}) => ({
  actor: { account: { name: 'x', homePage: 'https://c.example' }, objectType: 'Agent' },
  verb: v(name),
  object: {
    id: WHOLE,
    objectType: 'Activity',
    definition: { extensions: { 'http://h5p.org/x-api/h5p-local-content-id': 7 }, name: { 'en-US': 'A' } },
  },
  context: {
    contextActivities: { category: [{ id: 'http://h5p.org/libraries/A-1.0', objectType: 'Activity' }] },
  },
  ...more,
});
const part = (name: string, key: string, more: object = {}, parent = WHOLE) => ({
  ...whole(name),
  object: {
    id: `${WHOLE}?subContentId=${key}`,
    objectType: 'Activity',
    definition: {
      extensions: {
        'http://h5p.org/x-api/h5p-local-content-id': 7,
        'http://h5p.org/x-api/h5p-subContentId': key,
      },
      interactionType: 'choice',
      type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
    },
  },
  context: { contextActivities: { parent: [{ id: parent, objectType: 'Activity' }] } },
  ...more,
});
const score = (raw: number, max: number, more: object = {}) => ({
  result: { score: { min: 0, raw, max, scaled: max > 0 ? raw / max : null }, duration: 'PT12.4S', ...more },
});

describe('what completes an activity', () => {
  let service: TestService;
  let clock: TestClock;
  let learners: Learner[];
  const rules = {
    'signs-lesson': { rule: 'answered-all', questions: 3 },
    'signs-sort': { rule: 'score', atLeast: 0.6 },
    'signs-practice': { rule: 'time', minutes: 3 },
    'safety-lesson': { rule: 'answered-all', questions: 6 },
    'listen-lesson': { rule: 'viewed' },
    'listen-practice': { rule: 'completed' },
  };
  beforeAll(async () => {
    clock = new TestClock('2030-03-30T04:00:00Z');
    service = await startService({ clock });
    for (const [key, rule] of Object.entries(rules))
      await service.database.pool.query(
        `update course_versions set manifest = jsonb_set(manifest, '{modules}', (select jsonb_agg(jsonb_set(m, '{activities}',
           (select jsonb_agg(case when a ->> 'key' = $1 then a || jsonb_build_object('complete', $2::jsonb) else a end) from jsonb_array_elements(m -> 'activities') a)))
           from jsonb_array_elements(manifest -> 'modules') m)) where slug = 'core-gatekeeper'`,
        [key, JSON.stringify(rule)],
      );
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3', 't4']));
  });
  afterAll(async () => service.stop());

  const say = async (who: number, activityKey: keyof typeof rules, ...statements: unknown[]) => {
    const learner = learners[who]!;
    const { data } = await service.ask(learner.key, RECORD, {
      input: { assignmentId: learner.assignmentId, activityKey, language: 'zh_CN', statements },
    });
    expect(data.recordStatements).toMatchObject({ refused: [] });
    return data.recordStatements.progress as { state: string; secondsLeft: number | null };
  };

  it('every part answered, where the whole never says that it is over', async () => {
    const key = 'signs-lesson';
    expect((await say(0, key, whole('attempted'), part('interacted', 'a'))).state).toBe('STARTED');
    expect((await say(0, key, part('answered', 'a', score(1, 1)))).state).toBe('STARTED');
    // Once more, and in other words: it is the same part.
    expect((await say(0, key, part('answered', 'a', score(0, 1)), part('completed', 'a'))).state).toBe(
      'STARTED',
    );
    // On another day, in another month.
    clock.move(5 * 24 * 60);
    // A part of a part: a column in a set.
    expect(
      (await say(0, key, part('answered', 'b', score(1, 1), `${WHOLE}?subContentId=column`))).state,
    ).toBe('STARTED');
    expect((await say(0, key, part('interacted', 'c'))).state).toBe('STARTED');
    expect((await say(0, key, part('progressed', 'c', { result: { completion: true } }))).state).toBe(
      'COMPLETED',
    );
    // Another's answers are another's.
    expect((await say(1, key, part('answered', 'a'), part('answered', 'b'))).state).toBe('STARTED');
    // The same parts all in one call.
    expect(
      (await say(2, key, part('answered', 'a'), part('answered', 'b'), part('answered', 'c'))).state,
    ).toBe('COMPLETED');
    // Or the content itself says so, with a question left out.
    expect((await say(3, key, part('answered', 'a'), whole('completed', score(1, 3)))).state).toBe(
      'COMPLETED',
    );
  });

  it('the last parts answered in several tabs at the same moment', async () => {
    const key = 'safety-lesson';
    await Promise.all(
      Array.from({ length: 6 }, async (_, index) => say(0, key, part('answered', `${index}`))),
    );
    expect((await say(0, key)).state).toBe('COMPLETED');
  });

  it('a score that is high enough, though the content never says that it is completed', async () => {
    const key = 'signs-sort';
    expect(
      (await say(0, key, part('answered', 'a', score(1, 1)), part('answered', 'b', score(1, 1)))).state,
    ).toBe('STARTED');
    expect((await say(0, key, whole('answered', score(5, 10)))).state).toBe('STARTED');
    expect((await say(0, key, whole('completed', score(0, 0)))).state).toBe('STARTED');
    expect((await say(0, key, whole('answered', score(6, 10)))).state).toBe('COMPLETED');
    // Done again and worse: it stays.
    expect((await say(0, key, whole('answered', score(0, 10)))).state).toBe('COMPLETED');
  });

  it('an end that is said twice, or under any verb, once', async () => {
    const key = 'listen-practice';
    expect((await say(0, key, part('completed', 'a'), whole('progressed'))).state).toBe('STARTED');
    const ended = whole('completed', { id: '00000000-0000-4000-8000-000000000001', ...score(2, 2) });
    expect((await say(0, key, ended)).state).toBe('COMPLETED');
    const at = async () =>
      (
        await service.database.pool.query(
          `select completed_at from activity_progress where activity_key = $1 order by assignment_id`,
          [key],
        )
      ).rows[0].completed_at as Date;
    const first = await at();
    clock.move(1);
    expect((await say(0, key, ended, whole('completed', score(1, 2)))).state).toBe('COMPLETED');
    expect(await at()).toEqual(first);
    expect((await say(1, key, whole('consumed', { result: { completion: true } }))).state).toBe('COMPLETED');
    expect((await say(2, key, whole('failed', score(0, 2, { success: false })))).state).toBe('COMPLETED');
  });

  it('nothing, by a statement whose id another had', async () => {
    const id = '00000000-0000-4000-8000-000000000002';
    await say(3, 'listen-practice', whole('progressed', { id }));
    const { data } = await service.ask('t4', RECORD, {
      input: {
        assignmentId: learners[3]!.assignmentId,
        activityKey: 'listen-practice',
        language: 'zh_CN',
        statements: [whole('completed', { id })],
      },
    });
    expect(data.recordStatements).toMatchObject({
      progress: { state: 'STARTED' },
      refused: [{ path: 'input.statements.0.id' }],
    });
  });

  it('being seen, by the first thing that the whole says', async () => {
    expect((await say(0, 'listen-lesson')).state).toBe('STARTED');
    expect((await say(0, 'listen-lesson', part('attempted', 'a'))).state).toBe('STARTED');
    expect((await say(0, 'listen-lesson', whole('attempted'))).state).toBe('COMPLETED');
  });

  it('being open long enough with somebody at it, and no claim of the content’s', async () => {
    const key = 'signs-practice';
    expect(await say(0, key, whole('completed', score(1, 1)))).toEqual({
      state: 'STARTED',
      secondsLeft: 180,
    });
    clock.move(1);
    expect(await say(0, key)).toEqual({ state: 'STARTED', secondsLeft: 120 });
    // Gone for lunch.
    clock.move(60);
    expect(await say(0, key, whole('progressed'))).toEqual({ state: 'STARTED', secondsLeft: 120 });
    // Two tabs at once are one person.
    clock.move(1);
    await Promise.all([say(0, key), say(0, key), say(0, key)]);
    expect(await say(0, key)).toEqual({ state: 'STARTED', secondsLeft: 60 });
    clock.move(1);
    expect(await say(0, key)).toEqual({ state: 'COMPLETED', secondsLeft: null });
  });
});
