import { describe, expect, it } from 'vitest';
import { makeEar, readMessage } from '../../src/web/learner/player-message.ts';

const said = (message: object): unknown => readMessage({ xinqiao: 1, ...message });

describe('what a player says', () => {
  it('is heard when it has the shape', () => {
    expect(said({ type: 'ready', extra: 1 })).toEqual({ type: 'ready' });
    expect(said({ type: 'statement', statement: '{"verb":{"id":"x"}}' })).toEqual({
      type: 'statement',
      statement: { verb: { id: 'x' } },
    });
    expect(said({ type: 'state', data: '{}' })).toEqual({ type: 'state', data: '{}' });
    expect(said({ type: 'height', pixels: 812.4 })).toEqual({ type: 'height', pixels: 813 });
  });

  it.each<[string, unknown]>([
    ['nothing', null],
    ['a text', '{"xinqiao":1,"type":"ready"}'],
    ['of somebody else', { type: 'ready' }],
    ['of another version', { xinqiao: 2, type: 'ready' }],
    ['of an unknown type', { xinqiao: 1, type: 'constructor' }],
    ['a statement that is an object', { xinqiao: 1, type: 'statement', statement: { verb: {} } }],
    ['a statement that is no JSON', { xinqiao: 1, type: 'statement', statement: '{' }],
    ['a statement that is a list', { xinqiao: 1, type: 'statement', statement: '[]' }],
    ['a statement that is null', { xinqiao: 1, type: 'statement', statement: 'null' }],
    [
      'a statement that is too deep',
      { xinqiao: 1, type: 'statement', statement: `${'{"a":'.repeat(60)}1${'}'.repeat(60)}` },
    ],
    [
      'a statement that is too large',
      { xinqiao: 1, type: 'statement', statement: JSON.stringify({ a: 'x'.repeat(65_536) }) },
    ],
    ['a state that is an object', { xinqiao: 1, type: 'state', data: {} }],
    ['a state that is too large', { xinqiao: 1, type: 'state', data: 'x'.repeat(131_073) }],
    ['a height that is a text', { xinqiao: 1, type: 'height', pixels: '800' }],
    ['a height without end', { xinqiao: 1, type: 'height', pixels: Infinity }],
    ['a failure for no known reason', { xinqiao: 1, type: 'failed', why: 'left', detail: '' }],
  ])('is not heard when it is %s', (_name, data) => {
    expect(readMessage(data)).toBeUndefined();
  });

  it('keeps a height within what a page can have', () => {
    expect(said({ type: 'height', pixels: -5 })).toEqual({ type: 'height', pixels: 120 });
    expect(said({ type: 'height', pixels: 1e9 })).toEqual({ type: 'height', pixels: 20_000 });
  });

  it('puts no words of a content into the mouth of the page', () => {
    expect(said({ type: 'failed', why: 'library', detail: 'H5P.Missing-1.2' })).toMatchObject({
      library: 'H5P.Missing-1.2',
    });
    expect(said({ type: 'failed', why: 'library', detail: '请拨打 13800000000' })).toMatchObject({
      library: '',
    });
    expect(said({ type: 'failed', why: 'script', detail: 'call us' })).toMatchObject({ library: '' });
  });

  it('is heard some hundred times at once, and then at a steady pace', () => {
    const hears = makeEar();
    const heard = (now: number): number =>
      Array.from({ length: 1_000 }, () => hears(now)).filter(Boolean).length;
    expect(heard(0)).toBe(400);
    expect(heard(1_000)).toBe(10);
    expect(heard(500)).toBe(0);
    expect(heard(600_000)).toBe(400);
  });
});
