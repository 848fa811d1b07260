import { describe, expect, it } from 'vitest';
import { findFault } from '../../src/learning/xapi.ts';

/* Vectors for "Experience API Data", part two of xAPI 1.0.3; its sections stand before each. */

const id = '12345678-1234-5678-9234-567812345678';
const verb = { id: 'http://adlnet.gov/expapi/verbs/answered', display: { 'en-US': 'answered' } };
const object = { id: 'https://content.example/h5p/7' };
const agent = { mbox: 'mailto:someone@school.example' };
const of = (more: object): object => ({ verb, object, ...more });
const result = (its: unknown): object => of({ result: its });
const score = (its: unknown): object => result({ score: its });
const context = (its: unknown): object => of({ context: its });
const activity = (definition: unknown): object => of({ object: { ...object, definition } });

describe('a statement in order', () => {
  it.each<[string, string, object]>([
    ['2.4', 'the least there is', of({})],
    ['2.4.1', 'an id in capitals', of({ id: id.toUpperCase() })],
    ['2.4.2', 'whatever actor: it is replaced', of({ actor: 'nobody' })],
    ['2.4.3', 'a verb of other words', of({ verb: { id: 'http://example.org/فعل/خواندن' } })],
    [
      '2.4.3',
      'a verb in Chinese',
      of({ verb: { ...verb, display: { 'zh-CN': '已回答', 'zh-Hans-CN': '答' } } }),
    ],
    ['2.4.4', 'an object that says what it is', of({ object: { objectType: 'Activity', ...object } })],
    ['2.4.4.1', 'an URN', of({ object: { id: 'urn:uuid:12345678-1234-5678-9234-567812345678' } })],
    [
      '2.4.4.1',
      'a question with choices',
      activity({
        name: { 'zh-CN': '第一题' },
        description: { 'en-US': '<p>Which <b>one</b>?</p>' },
        type: 'http://adlnet.gov/expapi/activities/cmi.interaction',
        moreInfo: 'https://content.example/about',
        interactionType: 'choice',
        correctResponsesPattern: ['0[,]1', ''],
        choices: [{ id: '0', description: { en: 'Yes' } }, { id: '1' }],
        extensions: { 'http://h5p.org/x-api/h5p-local-content-id': 1 },
      }),
    ],
    ['2.4.4.1', 'parts without their type: H5P says so', activity({ choices: [{ id: '0' }] })],
    ['2.4.4.2', 'an agent', of({ object: { objectType: 'Agent', ...agent } })],
    ['2.4.4.2', 'a group of members', of({ object: { objectType: 'Group', member: [agent] } })],
    [
      '2.4.2.2',
      'a group with a name',
      of({ object: { objectType: 'Group', account: { homePage: 'https://x.example', name: 'g' } } }),
    ],
    ['2.4.4.3', 'a reference', of({ object: { objectType: 'StatementRef', id } })],
    [
      '2.4.4.3',
      'a SubStatement',
      of({
        object: { objectType: 'SubStatement', actor: agent, verb, object, timestamp: '2026-09-01T08:00:00Z' },
      }),
    ],
    ['2.4.5', 'a result', result({ success: true, completion: false, response: '', duration: 'PT0.5S' })],
    ['2.4.5.1', 'the limits of a score', score({ scaled: -1, raw: 0, min: 0, max: 10 })],
    ['2.4.5.1', 'raw alone, however large', score({ raw: 4_000 })],
    [
      '2.4.6',
      'a context',
      context({
        registration: id,
        instructor: agent,
        team: { objectType: 'Group', member: [agent] },
        contextActivities: { parent: [object], grouping: object, category: [], other: [object] },
        revision: '1',
        platform: '',
        language: 'zh-CN',
        statement: { objectType: 'StatementRef', id },
        extensions: {},
      }),
    ],
    ['2.4.6.2', 'no kind of context at all', context({ contextActivities: {} })],
    ['2.4.10', 'a version', of({ version: '1.0.3' })],
    [
      '2.2',
      'null in extensions',
      result({ extensions: { 'https://x.example/a': null, 'x:b': { c: [null] } } }),
    ],
    ['4.5', 'a time with an offset', of({ timestamp: '2026-09-01T08:00:00.123+08:00' })],
    ['4.5', 'a leap second', of({ timestamp: '2016-12-31T23:59:60Z' })],
    ...['P1Y2M3DT4H5M6.7S', 'PT16559.14S', 'P3W', 'P1M', 'PT1M', 'P0D', 'PT0S', 'PT1,5S'].map(
      (duration): [string, string, object] => ['4.6', duration, result({ duration })],
    ),
  ])('%s: %s', (_section, _name, statement) => {
    expect(findFault(statement)).toBeUndefined();
  });
});

describe('a statement that is not is refused with where and why', () => {
  const NEEDS_IRI = /needs an IRI/;
  it.each<[string, string, unknown, string, RegExp]>([
    ['2.4', 'text', 'completed', '', /is an object/],
    ['2.4', 'a list', [of({})], '', /is an object/],
    ['2.4', 'nothing', null, '', /is an object/],
    ['2.4', 'no verb', { object }, 'verb', /is needed/],
    ['2.4', 'no object', { verb }, 'object', /is needed/],
    ['2.2', 'a property that is none', of({ stoered: 1 }), 'stoered', /no such property/],
    ['2.2', 'a property in capitals', of({ Result: {} }), 'Result', /no such property/],
    ['2.2', 'null', of({ result: null }), 'result', /null/],
    ['2.2', 'null further down', score({ scaled: null }), 'result.score.scaled', /null/],
    ['2.4.1', 'an id of another variant', of({ id: '12345678-1234-5678-c234-567812345678' }), 'id', /UUID/],
    ['2.4.1', 'an id in braces', of({ id: `{${id}}` }), 'id', /UUID/],
    ['2.4.1', 'an id that is a number', of({ id: 1 }), 'id', /UUID/],
    ['2.4.3', 'a verb that is text', of({ verb: 'completed' }), 'verb', /is an object/],
    ['2.4.3', 'a verb without a scheme', of({ verb: { id: 'completed' } }), 'verb.id', NEEDS_IRI],
    ['2.4.3', 'a verb of nothing', of({ verb: { id: '' } }), 'verb.id', NEEDS_IRI],
    ['2.4.3', 'a verb with a blank', of({ verb: { id: 'http://x.example/a b' } }), 'verb.id', NEEDS_IRI],
    [
      '2.4.3',
      'a display that is text',
      of({ verb: { ...verb, display: 'x' } }),
      'verb.display',
      /is an object/,
    ],
    [
      '4.2',
      'a language of odd length',
      of({ verb: { ...verb, display: { chinese9: 'x' } } }),
      'verb.display.chinese9',
      /language tag/,
    ],
    [
      '4.2',
      'a language with an underscore',
      of({ verb: { ...verb, display: { zh_CN: 'x' } } }),
      'verb.display.zh_CN',
      /language tag/,
    ],
    [
      '4.2',
      'a display that is a number',
      of({ verb: { ...verb, display: { en: 1 } } }),
      'verb.display.en',
      /text/,
    ],
    [
      '2.3.2',
      'voiding',
      of({
        verb: { id: 'http://adlnet.gov/expapi/verbs/voided' },
        object: { objectType: 'StatementRef', id },
      }),
      'verb.id',
      /may not void/,
    ],
    [
      '2.4.4',
      'an object of no kind',
      of({ object: { objectType: 'activity', ...object } }),
      'object.objectType',
      /one of Activity/,
    ],
    ['2.4.4.1', 'an activity without an id', of({ object: {} }), 'object.id', NEEDS_IRI],
    [
      '2.4.4.1',
      'an activity with more',
      of({ object: { ...object, name: 'x' } }),
      'object.name',
      /no such property/,
    ],
    ['2.4.4.1', 'a type that is none', activity({ type: 'quiz' }), 'object.definition.type', NEEDS_IRI],
    [
      '2.4.4.1',
      'an interaction that is none',
      activity({ interactionType: 'Choice' }),
      'object.definition.interactionType',
      /one of true-false/,
    ],
    [
      '2.4.4.1',
      'a pattern that is text',
      activity({ correctResponsesPattern: 'x' }),
      'object.definition.correctResponsesPattern',
      /list/,
    ],
    [
      '2.4.4.1',
      'a pattern of numbers',
      activity({ correctResponsesPattern: [1] }),
      'object.definition.correctResponsesPattern.0',
      /text/,
    ],
    [
      '2.4.4.1',
      'a choice without an id',
      activity({ choices: [{}] }),
      'object.definition.choices.0.id',
      /text/,
    ],
    [
      '2.4.4.1',
      'a choice twice',
      activity({ choices: [{ id: '1' }, { id: '1' }] }),
      'object.definition.choices.1.id',
      /same id/,
    ],
    [
      '4.1',
      'an extension without a scheme',
      activity({ extensions: { level: 1 } }),
      'object.definition.extensions.level',
      NEEDS_IRI,
    ],
    [
      '2.4.2.1',
      'an agent without an identifier',
      of({ object: { objectType: 'Agent', name: 'x' } }),
      'object',
      /exactly one/,
    ],
    [
      '2.4.2.1',
      'an agent with two',
      of({ object: { objectType: 'Agent', ...agent, openid: 'https://x.example' } }),
      'object',
      /exactly one/,
    ],
    [
      '2.4.2.3',
      'a mailbox without mailto',
      of({ object: { objectType: 'Agent', mbox: 'a@x.example' } }),
      'object.mbox',
      /mailto/,
    ],
    [
      '2.4.2.3',
      'a sum that is too short',
      of({ object: { objectType: 'Agent', mbox_sha1sum: 'abc' } }),
      'object.mbox_sha1sum',
      /40/,
    ],
    [
      '2.4.2.4',
      'an account without a name',
      of({ object: { objectType: 'Agent', account: { homePage: 'https://x.example' } } }),
      'object.account.name',
      /text/,
    ],
    ['2.4.2.2', 'a group of nobody', of({ object: { objectType: 'Group' } }), 'object.member', /has members/],
    [
      '2.4.2.2',
      'a group of a group',
      of({ object: { objectType: 'Group', member: [{ objectType: 'Group', member: [agent] }] } }),
      'object.member.0.member',
      /no such property/,
    ],
    [
      '2.4.4.3',
      'a reference to no UUID',
      of({ object: { objectType: 'StatementRef', id: 'x' } }),
      'object.id',
      /UUID/,
    ],
    [
      '2.4.4.3',
      'a SubStatement with an id',
      of({ object: { objectType: 'SubStatement', id, actor: agent, verb, object } }),
      'object.id',
      /no such property/,
    ],
    [
      '2.4.4.3',
      'a SubStatement without an actor',
      of({ object: { objectType: 'SubStatement', verb, object } }),
      'object.actor',
      /is needed/,
    ],
    [
      '2.4.4.3',
      'a SubStatement in another',
      of({
        object: {
          objectType: 'SubStatement',
          actor: agent,
          verb,
          object: { objectType: 'SubStatement', actor: agent, verb, object },
        },
      }),
      'object.object',
      /none of its own/,
    ],
    ['2.2', 'a boolean in quotes', result({ success: 'true' }), 'result.success', /true or false/],
    ['2.2', 'a number in quotes', score({ raw: '3' }), 'result.score.raw', /number/],
    ['2.4.5', 'a response that is a list', result({ response: ['a'] }), 'result.response', /text/],
    ['2.4.5', 'more in a result', result({ passed: true }), 'result.passed', /no such property/],
    ['2.4.5.1', 'scaled above 1', score({ scaled: 1.01 }), 'result.score.scaled', /-1 to 1/],
    ['2.4.5.1', 'raw above max', score({ raw: 11, max: 10 }), 'result.score.raw', /between/],
    ['2.4.5.1', 'raw below min', score({ raw: -1, min: 0 }), 'result.score.raw', /between/],
    ['2.4.5.1', 'min that is max', score({ min: 0, max: 0 }), 'result.score.min', /less than max/],
    [
      '2.4.6',
      'a registration that is a number',
      context({ registration: 7 }),
      'context.registration',
      /UUID/,
    ],
    ['2.4.6', 'a team that is an agent', context({ team: agent }), 'context.team.objectType', /Group/],
    [
      '2.4.6',
      'a platform of what is no activity',
      of({ object: { objectType: 'Agent', ...agent }, context: { platform: 'x' } }),
      'context.platform',
      /about an activity/,
    ],
    [
      '2.4.6.2',
      'a kind that is none',
      context({ contextActivities: { parents: [object] } }),
      'context.contextActivities.parents',
      /no such property/,
    ],
    [
      '2.4.6.2',
      'a parent that is text',
      context({ contextActivities: { parent: 'x' } }),
      'context.contextActivities.parent',
      /is an object/,
    ],
    [
      '2.4.6.2',
      'a parent that is an agent',
      context({ contextActivities: { parent: [{ objectType: 'Agent', ...agent }] } }),
      'context.contextActivities.parent.0.mbox',
      /no such property/,
    ],
    [
      '2.4.6',
      'a language that is none',
      context({ language: 'Chinese (simplified)' }),
      'context.language',
      /language tag/,
    ],
    ['2.4.10', 'a version of before', of({ version: '0.95' }), 'version', /Only xAPI 1\.0/],
    [
      '2.4.11',
      'attachments: their bytes would not come',
      of({ attachments: [] }),
      'attachments',
      /no such property/,
    ],
    ...[
      '2026-09-01',
      '2026-09-01T08:00:00',
      '2026-13-01T08:00:00Z',
      '2026-09-01T25:00:00Z',
      '2026-09-01T08:00:00-00:00',
      '1 September',
      '',
    ].map((timestamp): [string, string, unknown, string, RegExp] => [
      '4.5',
      `the time ${timestamp}`,
      of({ timestamp }),
      'timestamp',
      /It is a time/,
    ]),
    ...['PTNaNS', 'P', 'PT', 'P1S', '3 s', 'PT-1S', 'PA1H0M0S', 'P1W2D', ''].map(
      (duration): [string, string, unknown, string, RegExp] => [
        '4.6',
        `the duration ${duration}`,
        result({ duration }),
        'result.duration',
        /ISO 8601/,
      ],
    ),
  ])('%s: %s', (_section, _name, statement, path, message) => {
    const fault = findFault(statement);
    expect(fault?.path).toBe(path);
    expect(fault?.message).toMatch(message);
  });
});
