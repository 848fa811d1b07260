import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { judgeConversation, shownChoices, whyRunBlocked } from '../../src/assessment/simulation.ts';
import { projectFolder } from '../../src/config.ts';
import { checkScenario } from '../../src/courses/check-scenario.ts';
import { beginConversation, converse, percentOf } from '../../src/courses/converse.ts';
import type { SimulationActivity } from '../../src/courses/manifest.ts';
import { scenarioSchema, type Scenario } from '../../src/courses/scenario.ts';
import { MOST_STATES, walkScenario } from '../../src/courses/walk-scenario.ts';

const t = (text: string) => ({ 'zh-CN': text, en: text });

type Written = Record<string, unknown> & { key: string };
interface Draft {
  [name: string]: unknown;
  turns: (Written & { choices: Written[] })[];
  endings: Written[];
  mustPass: Written[];
}

/** Three turns, in order: open → ask → stay, and an ending for each way to go. */
function draft(): Draft {
  const choice = (key: string, points: number, next: unknown, more: object = {}) => ({
    key,
    say: t(points === 0 ? `说一句长长的 ${key}` : `说 ${key}`),
    points,
    coach: t('因为'),
    next,
    ...more,
  });
  return {
    key: 'small',
    title: t('小'),
    setting: t('课间'),
    student: { name: t('小王'), age: 14, look: 'boy' },
    competency: 'listen',
    start: { trust: 50, distress: 50, risk: 10 },
    mustPass: [{ key: 'ask-safety', title: t('问安全') }],
    passMark: 70,
    first: 'open',
    turns: [
      {
        key: 'open',
        says: t('嗯'),
        mood: 'sad',
        choices: [
          choice('a', 3, 'ask', { changes: { trust: 20 } }),
          choice('b', 0, 'ask', { changes: { trust: -20 } }),
        ],
      },
      {
        key: 'ask',
        says: t('没意思'),
        mood: 'sad',
        choices: [
          choice('a', 0, 'shut'),
          choice('b', 3, 'stay', { takes: ['ask-safety'] }),
          choice('c', 1, 'stay'),
        ],
      },
      {
        key: 'stay',
        narration: t('他没有走'),
        mood: 'calm',
        choices: [
          choice('a', 0, 'shut'),
          choice('b', 3, [
            { if: { atLeast: { trust: 60 }, taken: ['ask-safety'] }, to: 'good' },
            { to: 'half' },
          ]),
        ],
      },
    ],
    endings: [
      { key: 'good', title: t('好'), text: t('好了'), mood: 'relieved', passes: true },
      { key: 'half', title: t('半'), text: t('半好'), mood: 'calm', passes: false },
      { key: 'shut', title: t('关'), text: t('关上'), mood: 'angry', passes: false },
    ],
  };
}
const faultsOf = (scenario: Draft): string[] =>
  checkScenario(scenarioSchema.parse(scenario), ['listen']).faults.map(
    ({ place, what }) => `${place} ${what}`,
  );

describe('the check of a scenario', () => {
  it('finds nothing in one that is in order, and counts its ways', () => {
    expect(faultsOf(draft())).toEqual([]);
    const { ways } = checkScenario(scenarioSchema.parse(draft()), ['listen']);
    expect(ways).toMatchObject({
      ways: 10,
      shortest: 2,
      longest: 3,
      most: 9,
      least: 0,
      mostPassing: 9,
      mostFailing: 7,
    });
    expect(ways!.bestWay.map(({ turn, choice }) => `${turn} ${choice}`)).toEqual([
      'open a',
      'ask b',
      'stay b',
    ]);
    // 0.5 for each of three turns, and what there is to read on the longest way.
    expect(ways!.minutes).toBeGreaterThan(1.5);
    expect(ways!.minutes).toBeLessThan(2);
  });

  it.each<[string, (scenario: Draft) => void, RegExp]>([
    [
      'a loop, which is named',
      ({ turns }) => (turns[2]!.choices[0]!['next'] = 'open'),
      /comes again: open → ask → stay → open/,
    ],
    [
      'a turn that leads to itself',
      ({ turns }) => (turns[1]!.choices[0]!['next'] = 'ask'),
      /comes again: ask → ask/,
    ],
    [
      'an ending that is never reached',
      ({ endings }) => endings.push({ ...endings[0]!, key: 'dream' }),
      /^endings dream is never reached/,
    ],
    [
      'a turn that is never reached',
      ({ turns }) => turns.push({ ...structuredClone(turns[2]!), key: 'lost' }),
      /^turns lost is never reached/,
    ],
    [
      'a branch whose condition never holds',
      ({ turns }) =>
        (turns[2]!.choices[1]!['next'] = [{ if: { atLeast: { trust: 90 } }, to: 'good' }, { to: 'half' }]),
      /^turns stay choices b next 1 never leads to "good"/,
    ],
    [
      'a dead end',
      ({ turns }) => (turns[2]!.choices[1]!['next'] = [{ if: { taken: ['ask-safety'] }, to: 'good' }]),
      /^turns stay choices b is a dead end: with trust \d+, distress 50, risk 10 none of its conditions holds/,
    ],
    [
      'a way to nowhere',
      ({ turns }) => (turns[0]!.choices[0]!['next'] = 'nowhere'),
      /^turns open choices a leads to "nowhere"/,
    ],
    [
      'a beginning that is none',
      (scenario) => (scenario['first'] = 'none'),
      /^first is "none", which is no turn/,
    ],
    [
      'a must-pass step that nothing takes',
      ({ mustPass }) => mustPass.push({ key: 'refer', title: t('转介') }),
      /^mustPass refer can be taken on no way/,
    ],
    [
      'must-pass steps that exclude each other',
      ({ mustPass, turns }) => {
        mustPass.push({ key: 'refer', title: t('转介') });
        turns[1]!.choices[2]!['takes'] = ['refer'];
      },
      /^mustPass can not all be taken on one way/,
    ],
    [
      'a step taken that is not listed',
      ({ turns }) => (turns[1]!.choices[2]!['takes'] = ['hug']),
      /takes "hug", which mustPass does not list/,
    ],
    [
      'a step asked for that is not listed',
      ({ turns }) =>
        (turns[2]!.choices[1]!['next'] = [{ if: { taken: ['hug'] }, to: 'good' }, { to: 'half' }]),
      /asks for "hug", which mustPass does not list/,
    ],
    [
      'a best way that fails',
      ({ turns }) => (turns[1]!.choices[2]!['points'] = 3),
      /^turns earn 9 points on a way that fails, and 9 on the best that passes/,
    ],
    [
      'a worst way that passes',
      (scenario) => {
        const { turns } = scenario;
        scenario['passMark'] = 1;
        turns[0]!.choices[1]!['points'] = 1;
        for (const each of [turns[1]!.choices[0]!, turns[1]!.choices[2]!, turns[2]!.choices[0]!])
          Object.assign(each, {
            points: 1,
            next: each['next'] === 'stay' ? 'stay' : 'good',
            takes: ['ask-safety'],
          });
        Object.assign(turns[2]!.choices[1]!, { next: 'good' });
        scenario.endings.splice(1, 2, { ...scenario.endings[1]!, key: 'other' });
        Object.assign(turns[1]!.choices[1]!, { next: 'other', takes: [], points: 2 });
      },
      /^passMark is reached by the worst way/,
    ],
    [
      'the best choice always at the same letter',
      ({ turns }) =>
        (turns[0]!.choices = turns[0]!.choices.map((each) => ({
          ...each,
          key: each.key === 'a' ? 'b' : 'a',
        }))),
      /have "b" as the best choice in 3 of 3/,
    ],
    [
      'the best choice always the longest',
      ({ turns }) => {
        for (const turn of turns)
          for (const each of turn.choices)
            if (each['points'] === 3) each['say'] = t('说得很长很长很长很长很长');
      },
      /have the longest text \(zh-CN\) as the best choice in 3 of 3/,
    ],
    [
      'a competency of another course',
      (scenario) => (scenario['competency'] = 'fly'),
      /^competency is "fly"/,
    ],
    ['a key twice', ({ turns }) => (turns[2]!.key = 'good'), /^turns and endings have the key "good" twice/],
    [
      'a choice twice',
      ({ turns }) => (turns[1]!.choices[2]!.key = 'a'),
      /^turns ask choices have the key "a" twice/,
    ],
    [
      'a turn without words',
      ({ turns }) => delete turns[0]!['says'],
      /^turns open has neither words nor a narration/,
    ],
    [
      'an otherwise that hides what follows',
      ({ turns }) =>
        (turns[2]!.choices[1]!['next'] = [{ to: 'half' }, { if: { atLeast: { trust: 60 } }, to: 'good' }]),
      /has an "otherwise" before its last branch/,
    ],
  ])('refuses %s', (_name, spoil, expected) => {
    const scenario = draft();
    spoil(scenario);
    expect(faultsOf(scenario)).toContainEqual(expect.stringMatching(expected));
  });

  it('refuses one with more states than can be walked, and a long one with few is walked at once', () => {
    const long = (changeOf: (turn: number, choice: number) => object): Draft => {
      const scenario = draft();
      const [open] = scenario.turns;
      const more = Array.from({ length: 40 }, (_each, at) => ({
        ...structuredClone(open!),
        key: `more-${at}`,
        choices: structuredClone(open!.choices).map((each, index) => ({
          ...each,
          next: at === 39 ? 'ask' : `more-${at + 1}`,
          changes: changeOf(at, index),
        })),
      }));
      for (const each of open!.choices) each['next'] = 'more-0';
      scenario.turns.push(...more);
      return scenario;
    };
    // Ways beyond number, states only as many as trust can have.
    const few = walkScenario(
      scenarioSchema.parse(long((_turn, choice) => ({ trust: choice === 0 ? 1 : -1, risk: choice * 7 }))),
    );
    expect('ways' in few && few.ways.ways).toBeGreaterThan(2 ** 40);
    expect('ways' in few && few.ways.states).toBeLessThan(5_000);
    const many = long((turn, choice) => ({
      trust: choice === 0 ? (turn % 3) + 1 : -1,
      distress: choice === 0 ? -(turn % 5) : 2,
      risk: choice === 0 ? (turn % 7) - 3 : 1,
    }));
    many.turns[2]!.choices[1]!['next'] = [
      { if: { atLeast: { trust: 60, distress: 10, risk: 5 }, taken: ['ask-safety'] }, to: 'good' },
      { to: 'half' },
    ];
    expect(faultsOf(many)).toContainEqual(expect.stringContaining(`more than ${MOST_STATES} ways`));
  });

  it('proves the conversations of our course, in which the best way earns all and the worst nothing', async () => {
    const folder = join(projectFolder, 'courses/core-gatekeeper/scenarios');
    for (const file of [
      'choir-silence.yaml',
      'picture-without-her.yaml',
      'drawn-curtain.yaml',
      'dormitory-night.yaml',
    ]) {
      const scenario = scenarioSchema.parse(parse(await readFile(join(folder, file), 'utf8')));
      const { faults, ways } = checkScenario(scenario, ['listen-and-refer']);
      expect(faults).toEqual([]);
      expect(ways!.most).toBe(ways!.bestWay.length * 3);
    }
  });
});

describe('a conversation', () => {
  const scenario: Scenario = scenarioSchema.parse(draft());
  const choiceOf = (turn: number, key: string) =>
    scenario.turns[turn]!.choices.find((each) => each.key === key)!;

  it('goes where the first condition holds, with gauges that stay within their bounds', () => {
    const start = beginConversation(scenario);
    expect(start).toEqual({ at: 'open', trust: 50, distress: 50, risk: 10, taken: [] });
    const wide = { ...choiceOf(0, 'a'), changes: { trust: 80, distress: -90, risk: 5 } };
    expect(converse(scenario, start, wide)).toEqual({
      at: 'ask',
      trust: 100,
      distress: 0,
      risk: 15,
      taken: [],
    });
    const asked = converse(scenario, { ...start, at: 'ask', trust: 60 }, choiceOf(1, 'b'))!;
    expect(asked).toMatchObject({ at: 'stay', taken: ['ask-safety'] });
    expect(converse(scenario, asked, choiceOf(2, 'b'))!.at).toBe('good');
    expect(converse(scenario, { ...asked, trust: 59 }, choiceOf(2, 'b'))!.at).toBe('half');
    expect(converse(scenario, { ...asked, taken: [] }, choiceOf(2, 'b'))!.at).toBe('half');
  });

  it('is passed by a good ending, all must-pass steps and the pass mark, and not by two of them', () => {
    const end = { at: 'good', trust: 70, distress: 50, risk: 10, taken: ['ask-safety'] };
    const judge = (more: object, points: number) =>
      judgeConversation(scenario, { ...end, ...more }, { points, bestPoints: 9 });
    expect(judge({}, 9)).toEqual({ percent: 100, passed: true });
    expect(judge({}, 7)).toEqual({ percent: 77.77, passed: true });
    expect(judge({}, 6)).toEqual({ percent: 66.66, passed: false });
    expect(judge({ taken: [] }, 9).passed).toBe(false);
    expect(judge({ at: 'half' }, 9).passed).toBe(false);
    expect(percentOf(7, 10)).toBe(70);
  });

  it('shows its choices in an order of the seed, in which each has every place', () => {
    const turn = scenario.turns[1]!;
    const places = new Set<string>();
    for (let seed = 0; seed < 60; seed += 1) {
      const shown = shownChoices(turn, String(seed)).map(({ key }) => key);
      expect(shown.toSorted()).toEqual(['a', 'b', 'c']);
      expect(shownChoices(turn, String(seed)).map(({ key }) => key)).toEqual(shown);
      for (const [place, key] of shown.entries()) places.add(`${place}${key}`);
    }
    expect(places.size).toBe(9);
  });
});

describe('beginning a conversation', () => {
  const now = new Date('2026-11-24T00:00:00Z');
  const activity = (mode: 'practice' | 'graded', resit?: { afterHours: number; attempts: number }) =>
    ({ kind: 'simulation', key: 'x', mode, resit }) as unknown as SimulationActivity;
  const ended = (hoursAgo: number, passed = false, mode: 'practice' | 'graded' = 'graded') => ({
    mode,
    finishedAt: new Date(now.getTime() - hoursAgo * 3_600_000),
    passed,
  });

  it('is free in practice, one at a time, and by the resit rule where it is graded', () => {
    const code = (of: SimulationActivity, ...runs: Parameters<typeof whyRunBlocked>[0]['runs'][number][]) =>
      whyRunBlocked({ activity: of, runs, now })?.code;
    const rule = { afterHours: 2, attempts: 2 };
    expect(
      code(activity('practice'), ended(0, true, 'practice'), ended(0, false, 'practice')),
    ).toBeUndefined();
    expect(code(activity('practice'), { mode: 'practice', finishedAt: null, passed: null })).toBe('RUN_OPEN');
    expect(code(activity('graded', rule))).toBeUndefined();
    expect(code(activity('graded'), ended(0), ended(0), ended(0))).toBeUndefined();
    expect(code(activity('graded'), ended(9, true), ended(0))).toBe('ALREADY_PASSED');
    expect(code(activity('graded', rule), ended(1.9))).toBe('RETRY_TOO_EARLY');
    expect(code(activity('graded', rule), ended(2))).toBeUndefined();
    expect(code(activity('graded', rule), ended(9), ended(5))).toBe('NO_RUNS_LEFT');
  });
});
