import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { makeLots } from '../../src/db/lots.ts';

/** Deals with lots when it is told to, and notes them. */
function makeDealer(most = 64) {
  const lots: { calls: readonly string[]; done(): void; fail(error: Error): void }[] = [];
  const ask = makeLots<string, string>({
    keyOf: (call) => call[0]!,
    most,
    atOnce: 2,
    deal: async (calls) =>
      new Promise((resolve, reject) => {
        lots.push({ calls, done: () => resolve(calls.map((call) => `${call}!`)), fail: reject });
      }),
  });
  return { lots, ask, seen: () => lots.map(({ calls }) => calls.join(' ')) };
}

describe('lots', () => {
  it('let one alone go at once, and those that come while two are under way go together, each with its own answer', async () => {
    const { lots, ask, seen } = makeDealer();
    const first = ask('a');
    await turn();
    const second = ask('b');
    await turn();
    expect(seen()).toEqual(['a', 'b']);
    const others = ['c', 'd', 'e'].map(ask);
    await turn();
    expect(seen()).toEqual(['a', 'b']);
    lots[0]!.done();
    expect(await first).toBe('a!');
    await turn();
    expect(seen()).toEqual(['a', 'b', 'c d e']);
    lots[1]!.done();
    expect(await second).toBe('b!');
    lots[2]!.done();
    expect(await Promise.all(others)).toEqual(['c!', 'd!', 'e!']);
  });

  it('hold no more than they may, and of one key one at a time, in order', async () => {
    const { lots, ask, seen } = makeDealer(2);
    const all = Promise.all(['a1', 'a2', 'b1', 'c1', 'a3'].map(ask));
    for (let index = 0; index < 4; index += 1) {
      await turn();
      await turn();
      lots[index]?.done();
    }
    expect(await all).toEqual(['a1!', 'a2!', 'b1!', 'c1!', 'a3!']);
    expect(seen().toSorted()).toEqual(['a1 b1', 'a2 c1', 'a3']);
  });

  it('try each by itself where all fail together, so that one fails alone', async () => {
    const { lots, ask, seen } = makeDealer();
    const answers = Promise.allSettled(['a', 'b', 'c'].map(ask));
    await turn();
    lots[0]!.fail(new Error('one of you'));
    for (const [index, call] of ['a', 'b', 'c'].entries()) {
      await turn();
      if (call === 'b') lots[index + 1]!.fail(new Error('it was b'));
      else lots[index + 1]!.done();
    }
    expect(await answers).toEqual([
      { status: 'fulfilled', value: 'a!' },
      { status: 'rejected', reason: new Error('it was b') },
      { status: 'fulfilled', value: 'c!' },
    ]);
    expect(seen()).toEqual(['a b c', 'a', 'b', 'c']);
  });

  it('that are slow hold up nobody but their own', async () => {
    const { lots, ask, seen } = makeDealer();
    const slow = [ask('a1')];
    await turn();
    slow.push(ask('b1'));
    await turn();
    expect(seen()).toEqual(['a1', 'b1']);
    const own = ask('a2');
    const other = ask('c1');
    await expect.poll(seen).toEqual(['a1', 'b1', 'c1']);
    lots[2]!.done();
    expect(await other).toBe('c1!');
    lots[0]!.done();
    lots[1]!.done();
    expect(await Promise.all(slow)).toEqual(['a1!', 'b1!']);
    await expect.poll(seen).toEqual(['a1', 'b1', 'c1', 'a2']);
    lots[3]!.done();
    expect(await own).toBe('a2!');
  });
});
