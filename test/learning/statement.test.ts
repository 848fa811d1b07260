import { describe, expect, it } from 'vitest';
import { takeStatement, type TakenStatement } from '../../src/learning/statement.ts';

const stamp = {
  actor: { objectType: 'Agent', account: { homePage: 'https://x.example', name: 'person:7' } },
  authority: { objectType: 'Agent', account: { homePage: 'https://x.example', name: 'xinqiao' } },
  activityId: 'https://x.example/xapi/course/lesson',
  now: new Date('2026-11-24T08:00:00Z'),
};
const taken = (given: unknown): TakenStatement => {
  const statement = takeStatement(given, stamp);
  if (!('id' in statement)) throw new Error(`${statement.path}: ${statement.message}`);
  return statement;
};
const stored = (given: unknown) => JSON.parse(taken(given).text) as Record<string, unknown>;
const refusal = (given: unknown) => {
  const statement = takeStatement(given, stamp);
  if ('id' in statement) throw new Error('It was taken.');
  return statement;
};
const verb = { id: 'http://adlnet.gov/expapi/verbs/completed' };
const object = { id: 'https://c.example/1' };
const plain = { verb, object };

describe('a statement of a player', () => {
  it('is kept as it came, with what only the server can say', () => {
    const id = 'A3E0CF4C-7B5A-4A9D-9A3C-5A5D6A1B2C3D';
    const given = {
      ...plain,
      id,
      actor: { mbox: 'mailto:headmaster@x.example' },
      authority: { mbox: 'mailto:headmaster@x.example' },
      stored: '1999-01-01T00:00:00Z',
      timestamp: '2026-11-24T07:59:00+00:00',
      result: { score: { scaled: 1 }, response: '好\\u0000' },
    };
    expect(taken(given)).toMatchObject({
      id: id.toLowerCase(),
      verb: verb.id,
      ofWhole: true,
      about: object.id,
    });
    expect(stored(given)).toEqual({
      ...plain,
      id: id.toLowerCase(),
      actor: stamp.actor,
      authority: stamp.authority,
      stored: '2026-11-24T08:00:00.000Z',
      timestamp: '2026-11-24T07:59:00+00:00',
      result: { score: { scaled: 1 }, response: '好\\u0000' },
    });
  });

  it('is given an id where it has none, and the time of storing where its own is none or yet to come', () => {
    expect(taken(plain).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(taken(plain).id).not.toBe(taken(plain).id);
    for (const timestamp of [undefined, '2026-11-24T08:00:01Z', '2999-01-01T00:00:00Z'])
      expect(stored({ ...plain, timestamp })['timestamp']).toBe('2026-11-24T08:00:00.000Z');
  });

  it('is the same when it comes again, whatever the server adds, and another when it says something else', () => {
    const id = 'a3e0cf4c-7b5a-4a9d-9a3c-5a5d6a1b2c3d';
    const { digest } = taken({ ...plain, id });
    const later = { ...stamp, now: new Date('2027-01-01T00:00:00Z') };
    expect(takeStatement({ ...plain, id: id.toUpperCase(), actor: {} }, later)).toMatchObject({ digest });
    for (const other of [{ result: {} }, { timestamp: '2026-11-24T07:00:00Z' }, { object: { id: 'x:1' } }])
      expect(taken({ ...plain, id, ...other }).digest).not.toBe(digest);
  });

  it.each<[string, unknown, string | undefined]>([
    ['0 of 0 points, which JSON calls null', { scaled: null, raw: 0, min: 0, max: 0 }, '{"raw":0}'],
    [
      'more than all points',
      { scaled: 1.2, raw: 12, min: 0, max: 10 },
      '{"scaled":1,"raw":10,"min":0,"max":10}',
    ],
    ['fewer than none', { scaled: -3, raw: -3, min: 0, max: 1 }, '{"scaled":-1,"raw":0,"min":0,"max":1}'],
    ['an empty list for a score', [], undefined],
  ])('is mended: a score of %s', (_name, score, kept) => {
    expect(
      JSON.stringify((stored({ ...plain, result: { score } })['result'] as { score?: unknown }).score),
    ).toBe(kept);
  });

  it('is mended: what H5P’s contents and players are known to get wrong', () => {
    expect(
      stored({
        verb: { ...verb, display: { 'en-US': 'completed' } },
        // A player that was not told where it runs.
        object: {
          objectType: 'Activity',
          definition: {
            extensions: { 'http://h5p.org/x-api/h5p-local-content-id': null },
            name: [],
            choices: [{ id: '0' }, { id: '0' }, { id: '1' }],
            description: { 'en-US': '<p>为什么？</p>' },
          },
        },
        context: {
          contextActivities: { category: { id: 'http://h5p.org/libraries/H5P.X-1.0' } },
          extensions: [],
        },
        result: { duration: 'PTNaNS', completion: true, extensions: [] },
        attachments: [{ usageType: 'x' }],
      }),
    ).toMatchObject({
      object: {
        id: stamp.activityId,
        definition: {
          extensions: { 'http://h5p.org/x-api/h5p-local-content-id': null },
          choices: [{ id: '0' }, { id: '1' }],
        },
      },
      context: { contextActivities: { category: [{ id: 'http://h5p.org/libraries/H5P.X-1.0' }] } },
      result: { completion: true },
    });
    expect(JSON.stringify(stored({ ...plain, result: { duration: 'PTNaNS' } }))).not.toContain('NaN');
    expect(stored({ ...plain, attachments: [] })).not.toHaveProperty('attachments');
  });

  it('about a part says which, though nobody told the player where it runs', () => {
    const part = { 'http://h5p.org/x-api/h5p-subContentId': '0a1b' };
    for (const its of [
      { id: 'undefined?subContentId=0a1b' },
      { definition: { extensions: part } },
      { id: '', definition: { extensions: part } },
    ])
      expect(
        taken({
          verb,
          object: its,
          context: { contextActivities: { parent: [{ objectType: 'Activity' }] } },
        }),
      ).toMatchObject({ about: `${stamp.activityId}?subContentId=0a1b`, ofWhole: false });
    expect(taken({ verb, object: { id: 'page-7' } }).about).toBe(`${stamp.activityId}#page-7`);
  });

  it('is of a part by its parent or by H5P’s own mark, and of the whole where its parent is itself', () => {
    const parent = { id: 'https://c.example/whole' };
    const ofWhole = (context: unknown, its: object = object) => taken({ verb, object: its, context }).ofWhole;
    for (const context of [{ contextActivities: { parent: [parent] } }, { contextActivities: { parent } }])
      expect(ofWhole(context)).toBe(false);
    expect(
      ofWhole(
        {},
        { ...object, definition: { extensions: { 'http://h5p.org/x-api/h5p-subContentId': 'x' } } },
      ),
    ).toBe(false);
    for (const context of [
      undefined,
      null,
      {},
      { contextActivities: null },
      { contextActivities: { parent: [] } },
      { contextActivities: { parent: [object] } },
      { contextActivities: { category: [parent], grouping: [parent] } },
    ])
      expect(ofWhole(context)).toBe(true);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['text', 'completed', '', /is an object/],
    ['without a verb', { object }, 'verb', /is needed/],
    ['with an id that is no UUID', { ...plain, id: '1' }, 'id', /UUID/],
    ['with a number for an object', { verb, object: 7 }, 'object', /is an object/],
    ['with a number for an id of an activity', { verb, object: { id: 7 } }, 'object.id', /IRI/],
    ['of more than 64 kB', { ...plain, result: { response: '字'.repeat(22_000) } }, '', /larger than 64 kB/],
  ])('%s is refused, with where and why', (_name, given, path, message) => {
    expect(refusal(given).path).toBe(path);
    expect(refusal(given).message).toMatch(message);
  });

  it('that holds what no text can is refused, wherever it is', () => {
    for (const bad of ['\u0000', '\ud800', '\udfff!', '字\udc00'])
      for (const given of [
        { ...plain, result: { response: bad } },
        { ...plain, result: { extensions: { [`https://x.example/${bad}x`]: 1, 'x:y': bad } } },
      ])
        expect(refusal(given).message).toMatch(/a character that is none|needs an IRI/);
    // Letters beyond the first 65,536, and a backslash before what looks like one of those, are text.
    for (const fine of ['𠮷🎓', '\\u0000', '\\\\ud800'])
      expect(stored({ ...plain, result: { response: fine } })['result']).toEqual({ response: fine });
  });

  it('that is nested without end is refused before anybody walks down', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 20_000; level += 1) deep = [deep];
    for (const result of [deep, { extensions: { 'x:y': deep } }])
      expect(refusal({ ...plain, result }).message).toBe('The statement is nested more than 50 deep.');
    let fair: unknown = 1;
    for (let level = 0; level < 40; level += 1) fair = { inner: fair };
    expect(taken({ ...plain, result: { extensions: { 'x:y': fair } } }).ofWhole).toBe(true);
  });

  it('can’t reach what is shared by a name that objects have', () => {
    const given = JSON.parse(
      `{"verb":{"id":"x:y"},"object":{"id":"x:z"},"result":{"extensions":{"x:__proto__":{"a":1}}},"__proto__":{"polluted":true}}`,
    ) as unknown;
    expect(refusal(given).path).toBe('__proto__');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
