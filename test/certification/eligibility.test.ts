import { describe, expect, it } from 'vitest';
import { stateOn } from '../../src/certification/certificate.ts';
import { findShortfalls } from '../../src/certification/eligibility.ts';
import { evidenceGradeOf } from '../../src/certification/evidence.ts';
import type { Manifest } from '../../src/courses/manifest.ts';

const manifest = {
  modules: [{ activities: [{ key: 'a' }, { key: 'b' }] }, { activities: [{ key: 'c' }] }],
  exam: { passMark: 80 },
} as unknown as Manifest;
const enough = { time: { totalMs: 100 * 60_000 }, neededMs: 22.5 * 60_000, credited: 1, needed: 0.5 };
const shortfalls = (
  completed: string[],
  attempts: { percent: number | null; passed: boolean | null }[],
  hours = enough,
) => findShortfalls({ manifest, completed: new Set(completed), attempts, hours });
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
    expect(
      findShortfalls({ manifest: talking, completed: new Set(), attempts: [passed], hours: enough }),
    ).toEqual([
      { code: 'ACTIVITY_UNFINISHED', activityKey: 'a' },
      { code: 'CONVERSATION_NOT_PASSED', activityKey: 'b' },
    ]);
  });

  it('tells the best of the attempts that did not pass; one that is open is none yet', () => {
    const done = ['a', 'b', 'c'];
    expect(shortfalls(done, [open])).toEqual([{ code: 'EXAM_NOT_TAKEN', passMark: 80 }]);
    expect(shortfalls(done, [failed(0)])).toEqual([
      { code: 'EXAM_NOT_PASSED', passMark: 80, bestPercent: 0, mustPassMissed: false },
    ]);
    expect(shortfalls(done, [failed(79.99), failed(60), open])).toEqual([
      { code: 'EXAM_NOT_PASSED', passMark: 80, bestPercent: 79.99, mustPassMissed: false },
    ]);
  });
});

describe('hours that are lacking', () => {
  const done = ['a', 'b', 'c'];
  const hours = (totalMs: number, neededMs = 22.5 * 60_000) => ({
    ...enough,
    time: { totalMs },
    neededMs,
    credited: 0.2,
  });

  it('are told with what there is, what is needed, and the minutes in between, rounded up', () => {
    expect(shortfalls(done, [passed], hours(10 * 60_000))).toEqual([
      { code: 'HOURS_MISSING', credited: 0.2, needed: 0.5, minutesToGo: 13 },
    ]);
    expect(shortfalls(done, [passed], hours(22.5 * 60_000 - 1))).toMatchObject([{ minutesToGo: 1 }]);
    // A lesson and a pass are told before them.
    expect(shortfalls(['a', 'b'], [], hours(0)).map(({ code }) => code)).toEqual([
      'ACTIVITY_UNFINISHED',
      'EXAM_NOT_TAKEN',
      'HOURS_MISSING',
    ]);
  });

  it('are none from the very millisecond on that suffices, nor where none are asked for', () => {
    expect(shortfalls(done, [passed], hours(22.5 * 60_000))).toEqual([]);
    expect(shortfalls(done, [passed], hours(0, 0))).toEqual([]);
  });
});

describe('the grade of evidence', () => {
  it.each([
    ['A', 90, 36, 0],
    ['A', 90, 500, 0],
    ['B', 90, 35.99, 0],
    ['B', 90, 22.5, 0],
    ['C', 90, 22.49, 0],
    ['C', 90, 0, 0],
    // One that was upheld lowers it by one.
    ['B', 90, 45, 1],
    ['C', 90, 30, 2],
    ['C', 90, 10, 1],
    // Without an exam of ours.
    ['C', null, 45, 0],
  ] as const)(
    'is %s with %j percent, %d of 45 minutes and %d upheld flags',
    (grade, percent, minutes, flagsUpheld) => {
      expect(
        evidenceGradeOf({ percent, creditedMs: minutes * 60_000, declaredMs: 45 * 60_000, flagsUpheld }),
      ).toBe(grade);
    },
  );
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
    ['valid', { validUntil: '2029-11-23', revokedOn: '2027-05-01', superseded: true }, '2027-04-30'],
    ['superseded', { validUntil: '2029-11-23', revokedOn: '2027-05-01', superseded: true }, '2027-05-01'],
    ['superseded', { validUntil: '2029-11-23', revokedOn: '2027-05-01', superseded: true }, '2031-01-01'],
  ] as const)('is %s with %j on %s', (state, certificate, day) => {
    expect(stateOn({ superseded: false, ...certificate }, day)).toBe(state);
  });
});
