import { describe, expect, it } from 'vitest';
import { creditOf, type Claims, type Standing } from '../../src/learning/credit.ts';
import { hashDevice, readProof, timeKeys, writeProof, type Proof } from '../../src/learning/proof.ts';
import { ceilingOf, creditedHours, declaredTime, neededTime } from '../../src/learning/time.ts';
import type { Manifest } from '../../src/courses/manifest.ts';

const S = 1_000;
const used: Claims = { visible: true, interactions: 3 };
const read: Claims = { visible: true, interactions: 0 };
const hidden: Claims = { visible: false, interactions: 1 };
const running: Standing = { at: 0, activeAt: 0, running: true };

describe('what a heartbeat is worth', () => {
  const worth = (standing: Standing, claims: Claims, seconds: number) => {
    const { from, to, pace, beginsAnew } = creditOf(standing, claims, seconds * S);
    return { seconds: (to - from) / S, pace, beginsAnew };
  };

  it.each([
    ['the time since the last one', running, used, 20, 20, 'running', false],
    ['that time also when it comes early', running, used, 2, 2, 'running', false],
    ['nothing when it comes at once', running, used, 0, 0, 'running', false],
    ['the whole pause while two on the way may be lost', running, used, 75, 75, 'running', false],
    ['the first seconds of a longer pause, and a new stretch begins', running, used, 76, 20, 'running', true],
    ['no more after a night', running, used, 36_000, 20, 'running', true],
    ['the time until the page was hidden', running, hidden, 12, 12, 'hidden', false],
    ['nothing while it was hidden', { ...running, running: false }, hidden, 20, 0, 'hidden', false],
    [
      'nothing when it is seen again, and a new stretch begins',
      { ...running, running: false },
      used,
      20,
      0,
      'running',
      true,
    ],
    ['reading without a touch', { at: 160 * S, activeAt: 0, running: true }, read, 180, 20, 'running', false],
    [
      'reading up to three minutes',
      { at: 170 * S, activeAt: 0, running: true },
      read,
      190,
      10,
      'idle',
      false,
    ],
    [
      'nothing while nobody is there',
      { at: 200 * S, activeAt: 0, running: false },
      read,
      220,
      0,
      'idle',
      false,
    ],
    [
      'nothing when somebody is back, and a new stretch begins',
      { at: 200 * S, activeAt: 0, running: false },
      used,
      220,
      0,
      'running',
      true,
    ],
  ] as const)('is %s', (_what, standing, claims, at, seconds, pace, beginsAnew) => {
    expect(worth(standing, claims, at)).toEqual({ seconds, pace, beginsAnew });
  });

  it('is nothing when the server’s clock was set back, and time goes on from where it was', () => {
    const credit = creditOf({ at: 100 * S, activeAt: 100 * S, running: true }, used, 40 * S);
    expect(credit.to - credit.from).toBe(0);
    expect(credit.next.at).toBe(100 * S);
  });

  it('is the same in sum however often they come', () => {
    const sumOf = (every: number): number => {
      let standing = running;
      let sum = 0;
      for (let at = every; at <= 600; at += every) {
        const credit = creditOf(standing, used, at * S);
        sum += credit.to - credit.from;
        standing = credit.next;
      }
      return sum / S;
    };
    expect([1, 5, 12, 20, 60].map(sumOf)).toEqual([600, 600, 600, 600, 600]);
  });
});

describe('a proof', () => {
  const keys = timeKeys(Buffer.alloc(32, 7));
  const proof: Proof = {
    personId: '3',
    assignmentId: '4',
    activityKey: '看见-1',
    stretchId: '9007199254740993',
    beats: 5,
    at: 1_800_000_000_123,
    activeAt: 1_800_000_000_000,
    running: true,
    ceilingMs: 60_000,
    neededMs: 30_000,
    lacksMs: 10_000,
  };
  const text = writeProof(proof, keys.proofs);

  it('says again what was written', () => {
    expect(readProof(text, keys.proofs)).toEqual(proof);
  });

  it('is none with anything in it changed, by another key, or made up', () => {
    const [body, signature] = text.split('.') as [string, string];
    const changed = Buffer.from(Buffer.from(body, 'base64url').toString().replace('"4"', '"5"')).toString(
      'base64url',
    );
    for (const each of [
      `${changed}.${signature}`,
      `${body}.${signature}A`,
      `${body}.`,
      body,
      '',
      '.',
      `${text}.`,
      'x'.repeat(5_000),
      writeProof(proof, keys.devices),
    ])
      expect({ each, read: readProof(each, keys.proofs) }).toEqual({ each, read: undefined });
  });

  it('and a device’s hash can’t be told from each other’s key', () => {
    expect(hashDevice('abcdefgh', keys.devices)).toHaveLength(16);
    expect(hashDevice('abcdefgh', keys.devices)).not.toEqual(hashDevice('abcdefgi', keys.devices));
    expect(hashDevice('abcdefgh', keys.devices)).not.toEqual(hashDevice('abcdefgh', keys.proofs));
  });
});

describe('hours', () => {
  const manifest = {
    classHours: 1,
    modules: [{ activities: [{ key: 'a', minutes: 8 }] }],
    exam: { minutes: 20 },
  } as unknown as Manifest;
  const usual = { minimumHoursShare: 0.5, classHourMinutes: 45 };
  const MINUTE = 60_000;

  it('are tenths, rounded down, and never more than the course declares', () => {
    const of = (minutes: number, policy = usual) => creditedHours(manifest, policy, minutes * MINUTE);
    expect([0, 4.4, 4.5, 13.5, 22.5, 44.99, 45, 500].map((minutes) => of(minutes))).toEqual([
      0, 0, 0.1, 0.3, 0.5, 0.9, 1, 1,
    ]);
    expect(of(45, { ...usual, classHourMinutes: 60 })).toBe(0.7);
    expect(of(45, { ...usual, classHourMinutes: 40 })).toBe(1);
  });

  it('need the share of the declared time that the certification asks for', () => {
    expect(declaredTime(manifest)).toBe(45 * MINUTE);
    expect(neededTime(manifest, usual)).toBe(22.5 * MINUTE);
    expect(neededTime(manifest, { ...usual, minimumHoursShare: 0 })).toBe(0);
  });

  it('come from activities up to one and a half times their minutes, and from the exam up to its limit', () => {
    expect(ceilingOf(manifest, 'a')).toBe(12 * MINUTE);
    expect(ceilingOf(manifest, 'exam')).toBe(20 * MINUTE);
    expect(ceilingOf(manifest, 'b')).toBeUndefined();
  });
});
