import { describe, expect, it } from 'vitest';
import { describeError, makeLog, withoutPeople } from '../src/log.ts';

describe('a log line', () => {
  it.each([
    ['Authorization: Bearer abc.DEF-123_~+/=', 'abc'],
    ['token eyJhbGciOi.eyJzdWIiOiI.c2lnbmF0dXJl', 'eyJ'],
    ['from 王.老师 wang.laoshi+x@school.edu.cn', 'laoshi'],
    ['of 11010519491231002X', '1101'],
    ['of 110105194912310021', '1101'],
    ['call 13800138000 or +86 138-0013-8000', '0013'],
    ['GET /verify/x?code=abc&n=1', 'abc'],
  ])('tells nothing of a person: %s', (text, secret) => {
    expect(withoutPeople(text)).not.toContain(secret);
  });

  it('keeps what helps', () => {
    const text =
      '{"level":50,"time":1764154949000,"id":"7c9e6679-7425-40de-944b-e13800138000","at":"/srv/a.ts:12:7"}';
    expect(withoutPeople(text)).toBe(text);
  });

  it('says which request it is about, and leaves out what is secret by its name', () => {
    let line = '';
    const log = makeLog('info', {
      about: () => ({ requestId: 'r1' }),
      to: { write: (text: string) => void (line = text) },
    });
    log.info(
      { variables: { a: 'x1' }, req: { headers: { b: 'x2' } }, row: { password: 'x3', code: 'x4' } },
      'said',
    );
    expect(JSON.parse(line)).toMatchObject({ requestId: 'r1', msg: 'said' });
    expect(line).not.toMatch(/x[1-4]/);
  });

  it('tells a defect by its kind and place, not by what was given in', () => {
    const error = new TypeError('invalid input syntax for type integer: "given" or \'given\' or `given`');
    error.cause = Object.assign(new Error('value "given" is not there'), {
      code: '22P02',
      detail: 'Key (a)=(given)',
    });
    const told = describeError(error).error;
    expect(told).not.toContain('given');
    expect(told).toMatch(
      /^TypeError: invalid input syntax for type integer: "…".*\n\s+at .*log\.test\.ts[^]*caused by Error/,
    );
    expect(describeError('given')).toEqual({ error: 'thrown: string' });
    // Names in the statement are ours.
    const missing = Object.assign(new Error('relation "people" does not exist'), { code: '42P01' });
    expect(describeError(missing)).toMatchObject({
      sqlState: '42P01',
      error: expect.stringContaining('"people"'),
    });
  });
});
