import { describe, expect, it } from 'vitest';
import type { CompletionRule } from '../../src/courses/manifest.ts';
import { answeredPart, completes } from '../../src/learning/complete.ts';
import { takeStatement, type TakenStatement } from '../../src/learning/statement.ts';

const whole = { id: 'https://c.example/7' };
const part = { id: 'https://c.example/7?subContentId=1' };
const inWhole = { contextActivities: { parent: [whole] } };
const take = (name: string, more: object = {}): TakenStatement =>
  takeStatement(
    {
      verb: { id: name.includes(':') ? name : `http://adlnet.gov/expapi/verbs/${name}` },
      object: whole,
      ...more,
    },
    { actor: {}, authority: {}, activityId: 'https://x.example/a', now: new Date() },
  ) as TakenStatement;
const ENDS = ['completed', 'answered', 'passed', 'failed', 'mastered'];
const OTHERS = ['attempted', 'interacted', 'progressed', 'experienced', 'Completed', 'completed2'];

describe('an activity is completed', () => {
  it('by anything of the whole, where to be seen is enough', () => {
    for (const name of [...ENDS, ...OTHERS]) expect(completes({ rule: 'viewed' }, take(name))).toBe(true);
    expect(completes({ rule: 'viewed' }, take('completed', { object: part, context: inWhole }))).toBe(false);
  });

  it.each<CompletionRule>([{ rule: 'completed' }, { rule: 'answered-all', questions: 3 }])(
    'by the end of the whole, under any verb that says so: $rule',
    (rule) => {
      for (const name of ENDS) expect(completes(rule, take(name))).toBe(true);
      for (const name of OTHERS) expect(completes(rule, take(name))).toBe(false);
      expect(completes(rule, take('https://w3id.org/xapi/x#completed'))).toBe(true);
      expect(completes(rule, take('progressed', { result: { completion: true } }))).toBe(true);
      expect(completes(rule, take('progressed', { result: { completion: false, success: true } }))).toBe(
        false,
      );
      for (const name of ENDS)
        expect(completes(rule, take(name, { object: part, context: inWhole }))).toBe(false);
    },
  );

  it('by a score that is high enough, told in any way', () => {
    const rule: CompletionRule = { rule: 'score', atLeast: 0.6 };
    const by = (score: object, name = 'answered', more: object = {}): boolean =>
      completes(rule, take(name, { result: { score }, ...more }));
    for (const score of [
      { scaled: 0.6 },
      { raw: 6, max: 10 },
      { raw: 8, min: 5, max: 10 },
      { scaled: 1, raw: 0, max: 5 },
    ])
      for (const name of ['answered', 'completed', 'interacted']) expect(by(score, name)).toBe(true);
    for (const score of [
      { scaled: 0.59 },
      { raw: 7, min: 5, max: 10 },
      { raw: 100 },
      { raw: 0, min: 0, max: 0 },
      {},
    ])
      expect(by(score, 'completed')).toBe(false);
    expect(by({ scaled: 1 }, 'answered', { object: part, context: inWhole })).toBe(false);
    // It says that it was passed, and not with how much.
    expect(completes(rule, take('passed', { result: { success: true } }))).toBe(false);
  });

  it('by nothing that is said, where time alone does it', () => {
    for (const name of ENDS) expect(completes({ rule: 'time', minutes: 1 }, take(name))).toBe(false);
  });

  it('a part counts once it is answered, and the whole is no part', () => {
    for (const name of ENDS)
      expect(answeredPart(take(name, { object: part, context: inWhole }))).toBe(part.id);
    expect(answeredPart(take('interacted', { object: part, context: inWhole }))).toBeUndefined();
    expect(answeredPart(take('answered'))).toBeUndefined();
  });
});
