import { describe, expect, it } from 'vitest';
import { stateOn } from '../../src/certification/certificate.ts';
import { findShortfalls } from '../../src/certification/eligibility.ts';
import type { Manifest } from '../../src/courses/manifest.ts';

const manifest = {
  modules: [{ activities: [{ key: 'a' }, { key: 'b' }] }, { activities: [{ key: 'c' }] }],
  exam: { passMark: 80 },
} as unknown as Manifest;
const shortfalls = (completed: string[], attempts: { percent: number | null; passed: boolean | null }[]) =>
  findShortfalls({ manifest, completed: new Set(completed), attempts });
const open = { percent: null, passed: null };
const failed = (percent: number) => ({ percent, passed: false });
const passed = { percent: 90, passed: true };

describe('what is lacking for a certificate', () => {
  it('is nothing after all activities and one pass, whatever came before and after it', () => {
    expect(shortfalls(['a', 'b', 'c'], [passed])).toEqual([]);
    expect(shortfalls(['c', 'b', 'a', 'gone'], [failed(10), passed, failed(20), open])).toEqual([]);
  });

  it('is named each by itself, activities in their order and the exam last', () => {
    expect(shortfalls([], [])).toEqual([
      { code: 'ACTIVITY_UNFINISHED', activityKey: 'a' },
      { code: 'ACTIVITY_UNFINISHED', activityKey: 'b' },
      { code: 'ACTIVITY_UNFINISHED', activityKey: 'c' },
      { code: 'EXAM_NOT_TAKEN', passMark: 80 },
    ]);
    // A pass does not make up for a lesson.
    expect(shortfalls(['a', 'c'], [passed])).toEqual([{ code: 'ACTIVITY_UNFINISHED', activityKey: 'b' }]);
  });

  it('is a pass where a conversation is graded, and an end where it is practice', () => {
    const talking = {
      modules: [
        {
          activities: [
            { key: 'a', kind: 'simulation', mode: 'practice' },
            { key: 'b', kind: 'simulation', mode: 'graded' },
          ],
        },
      ],
      exam: { passMark: 80 },
    } as unknown as Manifest;
    expect(findShortfalls({ manifest: talking, completed: new Set(), attempts: [passed] })).toEqual([
      { code: 'ACTIVITY_UNFINISHED', activityKey: 'a' },
      { code: 'CONVERSATION_NOT_PASSED', activityKey: 'b' },
    ]);
  });

  it('tells the best of the attempts that did not pass; one that is open is none yet', () => {
    const done = ['a', 'b', 'c'];
    expect(shortfalls(done, [open])).toEqual([{ code: 'EXAM_NOT_TAKEN', passMark: 80 }]);
    expect(shortfalls(done, [failed(0)])).toEqual([
      { code: 'EXAM_NOT_PASSED', passMark: 80, bestPercent: 0 },
    ]);
    expect(shortfalls(done, [failed(79.99), failed(60), open])).toEqual([
      { code: 'EXAM_NOT_PASSED', passMark: 80, bestPercent: 79.99 },
    ]);
  });
});

describe('the state of a certificate', () => {
  it.each([
    ['valid', { validUntil: '2029-11-23', revokedOn: null }, '2029-11-23'],
    ['expired', { validUntil: '2029-11-23', revokedOn: null }, '2029-11-24'],
    ['valid', { validUntil: null, revokedOn: null }, '2999-01-01'],
    ['valid', { validUntil: '2029-11-23', revokedOn: '2027-05-01' }, '2027-04-30'],
    ['revoked', { validUntil: '2029-11-23', revokedOn: '2027-05-01' }, '2027-05-01'],
    // Revoked it stays, also when it would have expired by now.
    ['revoked', { validUntil: '2029-11-23', revokedOn: '2027-05-01' }, '2031-01-01'],
  ] as const)('is %s with %j on %s', (state, certificate, day) => {
    expect(stateOn(certificate, day)).toBe(state);
  });
});
