import { describe, expect, it } from 'vitest';
import { InvalidInput } from '../../src/errors.ts';
import { completes, takeStatement } from '../../src/learning/statement.ts';

const stamp = {
  actor: { objectType: 'Agent', account: { homePage: 'https://x.example', name: 'person:7' } },
  now: new Date('2026-11-24T08:00:00Z'),
};
const take = (given: unknown) => takeStatement(given, 'statements.0', stamp);
const refusal = (given: unknown): { path: string; message: string } => {
  try {
    take(given);
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidInput);
    return error as InvalidInput;
  }
  throw new Error('It was taken.');
};
const verb = (name: string) => ({ id: `http://adlnet.gov/expapi/verbs/${name}` });
const plain = { verb: verb('completed'), object: { id: 'https://x.example/1' } };

describe('a statement of a player', () => {
  it('is kept as it came, with the actor and the time that the server knows', () => {
    const id = 'A3E0CF4C-7B5A-4A9D-9A3C-5A5D6A1B2C3D';
    const taken = take({
      ...plain,
      id,
      actor: { mbox: 'mailto:headmaster@x.example' },
      stored: '1999-01-01T00:00:00Z',
      result: { score: { scaled: 1 }, response: '好\\u0000' },
    });
    expect(taken).toEqual({
      id: id.toLowerCase(),
      verb: plain.verb.id,
      ofWhole: true,
      body: {
        ...plain,
        id: id.toLowerCase(),
        actor: stamp.actor,
        stored: '2026-11-24T08:00:00.000Z',
        result: { score: { scaled: 1 }, response: '好\\u0000' },
      },
    });
  });

  it('is given an id where it has none', () => {
    expect(take(plain).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    expect(take(plain).id).not.toBe(take(plain).id);
  });

  it.each<[string, unknown, string, string]>([
    ['text', 'completed', '', 'A statement is an object.'],
    ['a list', [plain], '', 'A statement is an object.'],
    ['nothing', null, '', 'A statement is an object.'],
    ['without a verb', { object: {} }, '.verb.id', 'The verb needs an IRI.'],
    ['with a verb that is text', { ...plain, verb: 'completed' }, '.verb.id', 'The verb needs an IRI.'],
    ['with a verb of nothing', { ...plain, verb: null }, '.verb.id', 'The verb needs an IRI.'],
    [
      'with a verb that is no IRI',
      { ...plain, verb: { id: 'completed' } },
      '.verb.id',
      'The verb needs an IRI.',
    ],
    ['with a verb that is a number', { ...plain, verb: { id: 7 } }, '.verb.id', 'The verb needs an IRI.'],
    ['without an object', { verb: plain.verb }, '.object', 'The statement needs an object.'],
    ['with an object that is text', { ...plain, object: 'x' }, '.object', 'The statement needs an object.'],
    ['with an id that is no UUID', { ...plain, id: '1' }, '.id', 'The id must be a UUID.'],
    ['with an id that is a number', { ...plain, id: 1 }, '.id', 'The id must be a UUID.'],
    [
      'of more than 32 kB',
      { ...plain, result: '字'.repeat(11_000) },
      '',
      'The statement is larger than 32 kB.',
    ],
  ])('%s is refused, with where and why', (_name, given, path, message) => {
    expect(refusal(given)).toMatchObject({ path: `statements.0${path}`, message });
  });

  it('that holds what no text can is refused, wherever it is', () => {
    for (const bad of ['\u0000', '\ud800', '\udfff!', '字\udc00'])
      for (const given of [
        { ...plain, result: { response: bad } },
        { ...plain, [`extension${bad}`]: 1 },
        { ...plain, verb: { id: `https://x.example/${bad}` } },
      ])
        expect(refusal(given).message).toMatch(/a character that is none/);
    // Letters beyond the first 65,536, and a backslash before what looks like one of those, are text.
    for (const fine of ['𠮷🎓', '\\u0000', '\\\\ud800'])
      expect(take({ ...plain, result: { response: fine } }).body['result']).toEqual({ response: fine });
  });

  it('that is nested without end is refused before anybody walks down', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 20_000; level += 1) deep = [deep];
    expect(refusal({ ...plain, result: deep }).message).toBe('The statement is nested more than 50 deep.');
    let fair: unknown = 1;
    for (let level = 0; level < 40; level += 1) fair = { inner: fair };
    expect(take({ ...plain, result: fair }).ofWhole).toBe(true);
    // Broad is another thing than deep.
    expect(refusal({ ...plain, result: Array.from({ length: 200_000 }, () => 1) }).message).toMatch(/32 kB/);
  });
});

describe('completing an activity', () => {
  const within = (context: unknown, name = 'completed') => take({ ...plain, verb: verb(name), context });

  it.each(['completed', 'answered', 'passed', 'failed', 'mastered'])('is done by %s', (name) => {
    expect(completes('completed', take({ ...plain, verb: verb(name) }))).toBe(true);
  });

  it.each(['attempted', 'interacted', 'progressed', 'experienced', 'Completed', 'completed2', ''])(
    'is not done by %j, unless to be seen is enough',
    (name) => {
      const statement = take({ ...plain, verb: verb(name) });
      expect(completes('completed', statement)).toBe(false);
      expect(completes('viewed', statement)).toBe(true);
    },
  );

  it('is not done by a part of the content', () => {
    const parent = { id: 'https://x.example/whole' };
    for (const context of [
      { contextActivities: { parent: [parent] } },
      // xAPI lets a single one stand without its list.
      { contextActivities: { parent } },
    ])
      for (const rule of ['completed', 'viewed'] as const)
        expect(completes(rule, within(context))).toBe(false);
    for (const context of [
      undefined,
      null,
      {},
      'odd',
      { contextActivities: null },
      { contextActivities: { parent: [] } },
      { contextActivities: { category: [parent] } },
    ])
      expect(completes('completed', within(context))).toBe(true);
  });
});
