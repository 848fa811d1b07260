import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCourseFolder } from '../../src/courses/folder.ts';
import { guess } from '../../src/courses/guesser.ts';
import { itemFileSchema, questionsOf, type Item } from '../../src/courses/item.ts';
import type { Manifest } from '../../src/courses/manifest.ts';
import { findTaught, passagesOf, readThrough } from '../../src/courses/taught.ts';
import { allCourses } from '../support/service.ts';

const LESSON = {
  title: '走近',
  pages: [
    { title: '时候', text: '<p>挑一个不赶时间的时候，并肩走走操场，旁人听不见。当众问，他只会说没事。</p>' },
    { title: '保密', text: '<p>别发誓保密。先说边界：有危险的时候，要找能帮忙的大人。</p>' },
    { title: '记录', text: '<p>只写看见的事实，交到学校指定的地方，不在手机里留底。</p>' },
  ],
  l10n: { next: '下一页下一页下一页' },
};
const FILLING = Array.from(
  { length: 12 },
  (_, index) =>
    `<p>第${'一二三四五六七八九十甲乙'[index]}段说的是别的：天气，课桌，黑板，粉笔，窗外的树。</p>`,
);

function itemsOf(...written: object[]): Item[] {
  return itemFileSchema
    .parse(written.map((each) => ({ competency: 'one', difficulty: 1, ...each })))
    .flatMap(questionsOf);
}
const text = (zh: string) => ({ 'zh-CN': zh });
const single = (key: string, options: readonly (readonly [string, string])[]) => ({
  key,
  kind: 'single',
  stem: text('怎么做？'),
  options: options.map(([said, why], index) => ({
    key: 'abcd'[index],
    text: text(said),
    rationale: text(why),
    correct: index === 0,
  })),
});
const examOf = (count: number, passMark: number): Manifest['exam'] => ({
  items: [],
  blueprint: [{ competency: 'one', count, mustPass: false }],
  vignettes: [],
  passMark,
  minutes: 10,
  presentation: 'one',
  resit: { afterHours: 24, attempts: 3 },
});

describe('what the contents of a course teach', () => {
  const passages = passagesOf('approach', LESSON);

  it('is found by the words of the right answer and its rationale, and not for what is nowhere', () => {
    const taught = findTaught(
      itemsOf(
        single('where', [
          ['并肩走走操场', '不赶时间，旁人听不见。'],
          ['当众问一句', '他只会说没事。'],
        ]),
        single('elsewhere', [
          ['请示教育局再决定', '程序规定逐级审批。'],
          ['挑一个不赶时间的时候', '看上去合适。'],
        ]),
      ),
      [...passages, ...passagesOf('filling', FILLING)],
    );
    expect(taught.get('where')).toMatchObject({ isTaught: true, activityKey: 'approach' });
    expect(taught.get('elsewhere')).toMatchObject({ isTaught: false });
    expect(taught.get('elsewhere')!.share).toBeLessThan(0.1);
  });

  it('is found piece by piece where things are put in order or matched', () => {
    const ordering = {
      key: 'steps',
      kind: 'ordering',
      stem: text('排一排'),
      elements: [
        ['place', '并肩走走操场', '旁人听不见'],
        ['limit', '先说边界', '有危险要找大人'],
        ['record', '只写看见的事实', '交到指定的地方'],
      ].map(([key, said, why]) => ({ key, text: text(said!), rationale: text(why!) })),
    };
    const apart = [...LESSON.pages, ...FILLING].flatMap((page) => passagesOf('page', page));
    expect(findTaught(itemsOf(ordering), apart).get('steps')!.share).toBeGreaterThan(0.6);
    const other = {
      ...ordering,
      elements: ordering.elements.map((each) => ({
        ...each,
        text: text('预约挂号缴费'),
        rationale: text('门诊流程如此'),
      })),
    };
    expect(findTaught(itemsOf(other), apart).get('steps')!.isTaught).toBe(false);
  });

  it('is read in passages that overlap and leave nothing out, but for the words of the interface', () => {
    const many = passagesOf('long', [LESSON, FILLING, FILLING, FILLING]);
    expect(many.length).toBeGreaterThan(2);
    const all = new Set(many.flatMap(({ terms }) => [...terms]));
    for (const term of ['操场', '边界', '留底', '黑板', '甲段']) expect(all).toContain(term);
    expect(all).not.toContain('下一');
    for (const [index, { terms }] of many.slice(1).entries())
      expect([...terms].some((term) => many[index]!.terms.has(term))).toBe(true);
    // Neither is a text without Chinese where it stays for ever.
    expect(passagesOf('empty', ['a', 'b', '<br>'])).toHaveLength(1);
    expect(passagesOf('none', [])).toEqual([]);
  });

  it('brings full points, and the rest what guessing does', () => {
    const items = itemsOf(
      ...['a', 'b', 'c', 'd'].map((key) =>
        single(key, [
          ['甲', '一二三四'],
          ['乙', '五六七八'],
        ]),
      ),
    );
    const exam = examOf(2, 100);
    const none = new Map<string, never>();
    const half = new Map(
      ['a', 'b'].map((key) => [key, { isTaught: true, share: 1, activityKey: 'x' }] as const),
    );
    expect(readThrough(exam, items, none)).toEqual(guess(exam, items));
    // Two of four are drawn: both taught in 1 of 6, one in 4 of 6, none in 1 of 6.
    expect(readThrough(exam, items, half).passChance).toBeCloseTo((1 + 4 / 2 + 1 / 4) / 6, 10);
    expect(readThrough(exam, items, half).expectedPercent).toBeCloseTo(75, 10);
  });
});

const slugs = (await readdir(allCourses, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && !['libraries', 'template'].includes(entry.name))
  .map(({ name }) => name);

it.each(slugs)('the exam of %s is passed from its lessons, and failed by guessing', async (slug) => {
  const read = await readCourseFolder(join(allCourses, slug), join(allCourses, 'libraries'));
  if (!('course' in read)) throw new Error(JSON.stringify(read.problems));
  for (const each of read.course.packages) await each.close();
  expect(read.course.learning.passChance).toBeGreaterThanOrEqual(0.99);
  expect(read.course.guessing.passChance).toBeLessThanOrEqual(0.01);
});
