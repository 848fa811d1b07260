import { describe, expect, it } from 'vitest';
import { findOddities, type OddFacts, type OddStretch } from '../../src/learning/odd.ts';

const START = Date.parse('2026-11-24T01:00:00Z');
const at = (minutes: number): Date => new Date(START + minutes * 60_000);

/** A stretch by the lengths between its heartbeats, in seconds, and the touches of each. */
function stretch(
  { from = 0, activityKey = 'a', device = 'd1' as string | null, touches = (index: number) => index % 5 },
  intervals: readonly number[],
): OddStretch {
  const ms = intervals.map((each) => each * 1_000);
  const interactions = intervals.map((_each, index) => touches(index));
  const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
  return {
    activityKey,
    beganAt: at(from),
    endedAt: new Date(at(from).getTime() + sum(ms)),
    creditedMs: sum(ms),
    beats: intervals.length,
    interactions: sum(interactions),
    interactionSquares: sum(interactions.map((each) => each ** 2)),
    intervalMs: sum(ms),
    intervalSquares: sum(ms.map((each) => each ** 2)),
    device,
  };
}
/** As the service asks for them: from 15 to 25 s, now this, now that. */
const uneven = (count: number): number[] =>
  Array.from({ length: count }, (_each, index) => 15 + ((index * 7) % 11));
const facts = (more: Partial<OddFacts>): OddFacts => ({
  completed: [],
  stretches: [],
  elsewhere: [],
  sharers: [],
  ...more,
});
const found = (more: Partial<OddFacts>) => findOddities(facts(more));

describe('what looks odd in time', () => {
  it('is nothing in what an honest learner does', () => {
    expect(
      found({
        completed: [{ key: 'a', minutes: 8, at: at(9) }],
        stretches: [
          stretch({}, uneven(30)),
          // Reads on the phone in the bus, then at the desk.
          stretch({ from: 20, device: 'd2' }, uneven(40)),
          stretch({ from: 60, device: null }, uneven(100)),
        ],
        elsewhere: [stretch({ from: 200, device: 'd3' }, uneven(20))],
        sharers: [{ day: '2026-11-24', people: 3 }],
      }),
    ).toEqual([]);
  });

  it('is an activity that was completed in less than a fifth of its time', () => {
    const spent = (seconds: number, completedAt = 60) =>
      found({
        completed: [{ key: 'a', minutes: 10, at: at(completedAt) }],
        stretches: [stretch({}, [seconds / 2, seconds / 2]), stretch({ activityKey: 'b' }, [600])],
      });
    expect(spent(119)).toEqual([{ kind: 'too_fast', about: 'a', detail: { seconds: 119, minutes: 10 } }]);
    expect(spent(120)).toEqual([]);
    // What was read afterwards does not count.
    expect(spent(600, 1)).toMatchObject([{ kind: 'too_fast', detail: { seconds: 60 } }]);
    expect(found({ completed: [{ key: 'a', minutes: 10, at: at(0) }] })).toHaveLength(1);
  });

  it('is a pace that no hand keeps', () => {
    const steady = Array.from({ length: 30 }, () => 20);
    expect(found({ stretches: [stretch({}, steady)] })).toEqual([
      { kind: 'machine_regular', about: '2026-11-24', detail: { beats: 30, spreadPercent: 0 } },
    ]);
    expect(found({ stretches: [stretch({}, steady.slice(1))] })).toEqual([]);
    // As often touched each time, however uneven the heartbeats are.
    expect(found({ stretches: [stretch({ touches: () => 3 }, uneven(40))] })).toMatchObject([
      { kind: 'machine_regular' },
    ]);
    // Nobody touched it: that is a reader.
    expect(found({ stretches: [stretch({ touches: () => 0 }, uneven(40))] })).toEqual([]);
    // Twice on one day is told once.
    expect(found({ stretches: [stretch({}, steady), stretch({ from: 60 }, steady)] })).toHaveLength(1);
  });

  it('is a device at which four people or more learned on one day', () => {
    expect(
      found({
        sharers: [
          { day: '2026-11-23', people: 3 },
          { day: '2026-11-24', people: 4 },
        ],
      }),
    ).toEqual([{ kind: 'shared_device', about: '2026-11-24', detail: { people: 4 } }]);
  });

  it('is two devices at work at once, for longer than a change takes', () => {
    const one = stretch({}, uneven(30));
    const other = (from: number, device: string | null = 'd2') => stretch({ from, device }, uneven(30));
    expect(found({ stretches: [one, other(2)] })).toMatchObject([
      { kind: 'parallel_devices', about: '2026-11-24', detail: { minutes: 8 } },
    ]);
    expect(found({ stretches: [one], elsewhere: [other(2)] })).toHaveLength(1);
    expect(found({ stretches: [one, other(9)] })).toEqual([]);
    expect(found({ stretches: [one, other(2, 'd1'), other(2, null)] })).toEqual([]);
  });
});
