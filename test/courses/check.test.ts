import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gradeItem } from '../../src/assessment/grade.ts';
import { projectFolder } from '../../src/config.ts';
import { checkBank } from '../../src/courses/check-bank.ts';
import { checkContent, checkReading, checkWords } from '../../src/courses/check-content.ts';
import { readPack } from '../../src/courses/check-pack.ts';
import { readCourseFolder } from '../../src/courses/folder.ts';
import { guess, guessItem } from '../../src/courses/guesser.ts';
import { gatherHotlines } from '../../src/courses/hotline.ts';
import { itemFileSchema, questionsOf, type Item } from '../../src/courses/item.ts';
import { examSchema, type Manifest } from '../../src/courses/manifest.ts';
import type { Findings } from '../../src/courses/problem.ts';
import { readingLevel } from '../../src/courses/reading-level.ts';
import { describeReview } from '../../src/courses/review.ts';
import { tailAtLeast } from '../../src/courses/statistics.ts';

const nothingFound = (): Findings => ({ problems: [], warnings: [] });
const told = (found: Findings['problems']): string[] => found.map(({ where, what }) => `${where} ${what}`);
const both = (text: string) => ({ 'zh-CN': text, en: text });
const LETTERS = 'abcdefgh';

/** @param options text of each; the right ones are named by their letters. */
function choice(key: string, options: readonly string[], right: string, more: Partial<Item> = {}): unknown {
  return {
    key,
    kind: right.length === 1 ? 'single' : 'multiple',
    competency: 'one',
    difficulty: 1,
    stem: both('问'),
    options: options.map((text, index) => ({
      key: LETTERS[index],
      text: both(text),
      rationale: both(`因为${text}${index}`),
      ...(right.includes(LETTERS[index]!) ? { correct: true } : {}),
    })),
    ...more,
  };
}
const parts = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    key: `p${index}`,
    text: both(`第${index}`),
    rationale: both(`因为这样${index}`),
  }));
const ordering = (count: number) => ({
  key: 'order',
  kind: 'ordering',
  competency: 'one',
  difficulty: 1,
  stem: both('排'),
  elements: parts(count),
});
const matching = {
  key: 'match',
  kind: 'matching',
  competency: 'one',
  difficulty: 1,
  stem: both('配'),
  pairs: parts(2).map((part, index) => ({ ...part, matches: `t${index}` })),
  targets: ['t0', 't1', 't2'].map((key) => ({ key, text: both(key) })),
};
const itemsOf = (...written: unknown[]): Item[] => itemFileSchema.parse(written).flatMap(questionsOf);
const exam = (given: object): Manifest['exam'] =>
  examSchema.parse({
    items: ['items.yaml'],
    passMark: 60,
    minutes: 10,
    resit: { afterHours: 1, attempts: 3 },
    ...given,
  });

describe('who guesses', () => {
  /** Every answer that can be given, each as likely. */
  const answersTo = (item: Item): string[][] => {
    const orders = (keys: readonly string[]): string[][] =>
      keys.length < 2
        ? [[...keys]]
        : keys.flatMap((key) => orders(keys.filter((each) => each !== key)).map((rest) => [key, ...rest]));
    switch (item.kind) {
      case 'ordering':
        return orders(item.elements.map(({ key }) => key));
      case 'matching':
        return item.pairs.reduce<string[][]>(
          (all, pair) =>
            all.flatMap((each) => item.targets.map(({ key }) => [...each, `${pair.key}=${key}`])),
          [[]],
        );
      case 'multiple':
        return item.options.reduce<string[][]>(
          (all, { key }) => all.flatMap((each) => [each, [...each, key]]),
          [[]],
        );
      case 'single':
      case 'true_false':
        return item.options.map(({ key }) => [key]);
      case 'numeric':
        return [[]];
    }
  };

  it.each([
    ['one of four', choice('a', ['甲', '乙', '丙', '丁'], 'b')],
    ['two of five', choice('a', ['甲', '乙', '丙', '丁', '戊'], 'bd')],
    ['three of four', choice('a', ['甲', '乙', '丙', '丁'], 'bcd')],
    ['an order of three', ordering(3)],
    ['an order of five', ordering(5)],
    ['two matched with three', matching],
  ])('earns of %s what grading gives to every answer there is', (_name, written) => {
    const [item] = itemsOf(written) as [Item];
    const answers = answersTo(item);
    const graded = new Map<number, number>();
    for (const answer of answers) {
      const steps = Math.round(gradeItem(item, answer) * 2520);
      graded.set(steps, (graded.get(steps) ?? 0) + 1 / answers.length);
    }
    const guessed = guessItem(item);
    expect(new Set(guessed.keys())).toEqual(new Set(graded.keys()));
    for (const [steps, chance] of graded) expect(guessed.get(steps)).toBeCloseTo(chance, 10);
  });

  it('passes as often as counting every drawing says', () => {
    // Of four halves and two quarters three are drawn: two of difficulty 1, and one of what is left.
    const items = itemsOf(
      ...['a', 'b', 'c', 'd'].map((key) => choice(key, ['甲', '乙'], 'a')),
      ...['e', 'f'].map((key) => choice(key, ['甲', '乙', '丙', '丁'], 'a', { difficulty: 2 })),
    );
    const found = guess(
      exam({
        blueprint: [
          { competency: 'one', difficulty: 1, count: 2 },
          { competency: 'one', count: 1 },
        ],
        passMark: 100,
      }),
      items,
    );
    expect(found.passChance).toBeCloseTo(0.25 * (0.5 * 0.5 + 0.5 * 0.25), 10);
    expect(found.expectedPercent).toBeCloseTo(((0.5 + 0.5 + 0.5 * 0.5 + 0.5 * 0.25) / 3) * 100, 8);
  });

  it('fails by a must-pass item, whatever the points', () => {
    const items = itemsOf(
      choice('a', ['甲', '乙'], 'a'),
      choice('b', ['甲', '乙', '丙', '丁'], 'a', { mustPass: true }),
    );
    const blueprint = [
      { competency: 'one', count: 1 },
      { competency: 'one', mustPass: true, count: 1 },
    ];
    expect(guess(exam({ blueprint, passMark: 50 }), items).passChance).toBeCloseTo(0.25, 10);
    expect(guess(exam({ blueprint, passMark: 100 }), items).passChance).toBeCloseTo(0.125, 10);
  });

  it('draws the questions of a case together', () => {
    const linked = (key: string, options: number) => {
      const {
        use: _use,
        competency: _competency,
        ...item
      } = choice(key, ['甲', '乙', '丙', '丁'].slice(0, options), 'a') as Record<string, unknown>;
      return item;
    };
    const items = itemsOf(
      {
        kind: 'vignette',
        key: 'v',
        competency: 'one',
        story: both('事'),
        items: [linked('a', 2), linked('b', 2)],
      },
      {
        kind: 'vignette',
        key: 'w',
        competency: 'one',
        story: both('事'),
        items: [linked('c', 4), linked('d', 4)],
      },
      choice('e', ['甲', '乙'], 'a'),
    );
    const found = guess(
      exam({
        blueprint: [{ competency: 'one', count: 1 }],
        vignettes: [{ competency: 'one', count: 1, questions: 2 }],
        passMark: 100,
      }),
      items,
    );
    expect(found.passChance).toBeCloseTo(0.5 * (0.5 * (1 / 4) + 0.5 * (1 / 16)), 10);
  });
});

describe('chance', () => {
  it('of at least so many is what counting says', () => {
    expect(tailAtLeast([0.5, 0.5, 0.5], 2)).toBeCloseTo(0.5, 12);
    expect(tailAtLeast([0.25, 0.5], 2)).toBeCloseTo(0.125, 12);
    expect(tailAtLeast([0.25, 0.5], 0)).toBeCloseTo(1, 12);
    expect(tailAtLeast([], 1)).toBe(0);
  });
});

describe('a bank of items', () => {
  /** Twelve questions of four options alike, whose keys take turns. */
  const fair = (count = 12): unknown[] =>
    Array.from({ length: count }, (_, index) =>
      choice(`q${index}`, ['甲甲甲甲甲', '乙乙乙乙乙', '丙丙丙丙丙', '丁丁丁丁丁'], LETTERS[index % 4]!),
    );
  const check = (written: unknown[], given: object = {}): Findings => {
    const found = nothingFound();
    const blueprint = [{ competency: 'one', count: 3 }];
    checkBank(exam({ blueprint, passMark: 100, ...given }), itemsOf(...written), () => 'items.yaml', found);
    return found;
  };

  it('that gives nothing away is in order', () => {
    // Three of four options by chance: once in 64.
    expect(told(check(fair(), { blueprint: [{ competency: 'one', count: 3 }] }).problems)).toEqual([
      expect.stringMatching(/^course\.yaml exam passMark is reached by 1\.6 % of those who guess/),
    ]);
    expect(check(fair(16), { blueprint: [{ competency: 'one', count: 4 }] })).toEqual(nothingFound());
  });

  it('has four for each that is drawn', () => {
    expect(told(check(fair(15), { blueprint: [{ competency: 'one', count: 4 }] }).problems)).toEqual([
      expect.stringMatching(/^course\.yaml exam\.blueprint draws 4 of 15 items of "one": have 16 or more/),
    ]);
  });

  it('has two must-pass items for each that is drawn, and is warned below four', () => {
    const blueprint = [
      { competency: 'one', count: 4 },
      { competency: 'one', mustPass: true, count: 1 },
    ];
    const must = (key: string) => choice(key, ['甲', '乙', '丙', '丁'], 'a', { mustPass: true });
    expect(told(check([...fair(16), must('m')], { blueprint }).problems)).toEqual([
      expect.stringMatching(/draws 1 of 1 items of "one" that are must-pass: have 4 or more/),
    ]);
    const two = check([...fair(16), must('m'), must('n')], { blueprint });
    expect(two.problems).toEqual([]);
    expect(told(two.warnings)).toEqual([
      expect.stringMatching(/draws 1 of 2 items of "one" that are must-pass/),
    ]);
  });

  it.each([
    ['by far the longest', '这一项比其他各项都要长得多', ['短一点的', '也不太长', '都差不多']],
    ['by far the shortest', '短的', ['这一项写得相当长了', '那一项也写得相当长', '其他的都写得相当长']],
  ])('may not have a right option that is %s', (_name, right, wrong) => {
    const found = check([...fair(16), choice('long', [right, ...wrong], 'a')], {
      blueprint: [{ competency: 'one', count: 4 }],
    });
    expect(told(found.problems)).toEqual([
      expect.stringMatching(
        /^items\.yaml long gives its right option away \(zh-CN\): \d+ characters, and no other/,
      ),
    ]);
  });

  it('may not have the longest option as the right one more often than chance would', () => {
    const longest = Array.from({ length: 16 }, (_, index) =>
      choice(
        `q${index}`,
        ['甲', '乙', '丙', '丁'].map((each, at) => each.repeat(at === index % 4 ? 6 : 5)),
        LETTERS[index % 4]!,
      ),
    );
    expect(told(check(longest, { blueprint: [{ competency: 'one', count: 4 }] }).problems)).toEqual(
      ['zh-CN', 'en'].map((language) =>
        expect.stringContaining(
          `items have the longest option (${language}) as the right one in 16 of 16 questions`,
        ),
      ),
    );
  });

  it('may not have one letter as the right answer more often than chance would', () => {
    const always = Array.from({ length: 16 }, (_, index) =>
      choice(`q${index}`, ['甲甲', '乙乙', '丙丙', '丁丁'], index < 11 ? 'c' : 'abd'[index % 3]!),
    );
    expect(told(check(always, { blueprint: [{ competency: 'one', count: 4 }] }).problems)).toEqual([
      expect.stringMatching(/^items have "c" as the right answer in 11 of 16 questions/),
    ]);
  });

  it('says of each option why', () => {
    const silent = choice('silent', ['甲甲', '乙乙'], 'a') as { options: { rationale: unknown }[] };
    silent.options[0]!.rationale = both('对');
    const same = choice('same', ['甲甲', '乙乙'], 'b') as { options: { rationale: unknown }[] };
    for (const option of same.options) option.rationale = both('因为就是这样');
    const found = check([...fair(16), silent, same], { blueprint: [{ competency: 'one', count: 4 }] });
    expect(told(found.problems)).toEqual([
      expect.stringMatching(/silent a has a rationale that says nothing/),
    ]);
    expect(told(found.warnings)).toEqual([expect.stringMatching(/same b has the same rationale as another/)]);
  });
});

describe('a Chinese text', () => {
  it('is measured by its sentences and its uncommon characters', () => {
    const level = readingLevel(['<p>他<strong>不</strong>说话。她也不说！</p><p>walk 3 步</p>', '饕餮']);
    expect(level).toMatchObject({ characters: 11, uncommonCharacters: ['饕', '餮'], longSentences: [] });
    expect(level.perSentence).toBeCloseTo(11 / 4);
    expect(level.uncommon).toBeCloseTo((2 / 11) * 100);
  });

  it('has as common characters the 3,755 of level 1, from the first to the last', () => {
    expect(readingLevel(['啊座']).uncommonCharacters).toEqual([]);
    expect(readingLevel(['亍丌']).uncommonCharacters).toEqual(['亍', '丌']);
  });

  it('is warned of a sentence that is hard to read on a phone, and is never refused', () => {
    const found = nothingFound();
    const long = '一'.repeat(46);
    checkReading([`${long}。${'二'.repeat(45)}。`, '饕餮鬈髦'], 'a.yaml', found);
    expect(found.problems).toEqual([]);
    expect(told(found.warnings)).toEqual([
      `a.yaml has a sentence of more than 45 characters: ${long}`,
      expect.stringMatching(/^a\.yaml has \d+\.\d % uncommon characters: 饕餮鬈髦$/),
    ]);
  });

  it('is warned of phrases that hurt', () => {
    const found = nothingFound();
    checkWords(['He committed suicide.', '自杀成功', '自杀身亡；问安全'], 'a.md', found);
    expect(told(found.warnings)).toEqual([
      expect.stringMatching(/^a\.md says "committed suicide"/),
      expect.stringMatching(/^a\.md says "自杀成功"/),
    ]);
  });
});

describe('an H5P content', () => {
  const look = (parameters: unknown, files?: ReadonlySet<string>): string[] => {
    const found = nothingFound();
    checkContent(parameters, 'c', { hotlines: new Set(['12356']), files }, found);
    return told(found.problems);
  };
  const picture = { path: 'images/a.svg', mime: 'image/svg+xml' };
  const sound = { path: 'audios/a bell.mp3', mime: 'audio/mpeg' };
  const files = new Set(['images/a.svg', 'audios/a bell.mp3']);

  it('with everything in its place has nothing to mend', () => {
    expect(
      look(
        {
          pages: [
            { image: picture, alt: '三个人在走廊里说话' },
            { audio: { file: [sound], transcript: '<p>两声铃</p>' } },
          ],
          text: '<a href="https://www.who.int/a?b=1">a</a> <a href="tel:12356">b</a> <a href="#x">c</a>',
          help: { lines: [{ number: '12356', label: '热线' }] },
        },
        files,
      ),
    ).toEqual([]);
  });

  it.each<[string, unknown, RegExp]>([
    ['a picture without an alt text', { image: picture }, /^c image is a picture without an alt text/],
    ['an alt text that says nothing', { image: picture, alt: '图片1' }, /^c image is a picture without/],
    ['a file name as alt text', { image: picture, alt: 'a.svg' }, /^c image is a picture without/],
    [
      'a picture that is not there',
      { image: { ...picture, path: 'images/b.svg' }, alt: '走廊' },
      /"images\/b\.svg", which is not there/,
    ],
    [
      'a sound of a lesson without a transcript',
      { audio: { file: [sound] } },
      /^c audio file is a sound without a transcript/,
    ],
    [
      'a transcript that says nothing',
      { audio: { file: [sound], transcript: '<p>&nbsp;</p>' } },
      /^c audio file is a sound without a transcript/,
    ],
    [
      'a sound that is not there',
      { audio: { file: [{ ...sound, path: 'audios/b.mp3' }], transcript: '铃声' } },
      /"audios\/b\.mp3", which is not there/,
    ],
    [
      'a picture in a text without an alt text',
      { text: '<img src="a">' },
      /^c text has a picture without an alt text/,
    ],
    [
      'an address without a host',
      { text: '<a href="https://">x</a>' },
      /^c text leads to "https:\/\/", which is no address/,
    ],
    ['an address with one slash', { text: '<a href="http:/who.int">x</a>' }, /which is no address/],
    [
      'a script for an address',
      { text: '<a href="javascript:x()">x</a>' },
      /neither http, https, mailto nor tel/,
    ],
    ['an empty link', { text: '<a href="">x</a>' }, /^c text leads to "", which is no address/],
    [
      'a link to a file that is not there',
      { text: '<a href="other.pdf">x</a>' },
      /"other\.pdf", which is not there/,
    ],
    [
      'a number that is not dated',
      { help: { lines: [{ number: '88886666' }] } },
      /^c help lines 1 says to call "88886666"/,
    ],
    [
      'a line without a number',
      { pages: [{ help: { lines: [{}] } }] },
      /^c pages 1 help lines 1 says to call/,
    ],
  ])('with %s is told, with where and what', (_name, parameters, expected) => {
    expect(look(parameters, files)).toEqual([expect.stringMatching(expected)]);
  });

  it('of a type that has no place for a transcript is only to be looked at for its sounds', () => {
    const found = nothingFound();
    checkContent({ files: [sound], contentName: '铃声' }, 'c', { hotlines: new Set(), files }, found);
    expect(told(found.problems)).toEqual([]);
    expect(told(found.warnings)).toEqual([expect.stringMatching(/^c files is a sound without a transcript/)]);
  });
});

describe('a service pack', () => {
  const manifest = (languages: Manifest['languages']) => ({ languages }) as Manifest;
  const whole = new Map([
    ['wall-card.zh-CN.md', '# 墙上一页\n\n说一句。'],
    ['conversation-guide.zh-CN.md', '# 谈话**指南**\n\n[热线](tel:12356)'],
    ['referral-card.zh-CN.md', '# 转介卡\n\n电话：____'],
    ['after-a-death.zh-CN.md', '# 之后'],
  ]);
  const read = (files: ReadonlyMap<string, string>, languages: Manifest['languages'] = ['zh-CN']) => {
    const found = nothingFound();
    const pack = readPack(files, manifest(languages), found);
    return { pack, problems: told(found.problems), warnings: told(found.warnings) };
  };

  it('is read in its order, with its titles', () => {
    const { pack, problems } = read(whole);
    expect(problems).toEqual([]);
    expect(pack.map(({ key, title }) => [key, title['zh-CN']])).toEqual([
      ['wall-card', '墙上一页'],
      ['conversation-guide', '谈话指南'],
      ['referral-card', '转介卡'],
      ['after-a-death', '之后'],
    ]);
    expect(read(new Map())).toEqual({ pack: [], problems: [], warnings: [] });
  });

  it.each<[string, (files: Map<string, string>) => unknown, RegExp]>([
    [
      'one of the three',
      (files) => files.delete('referral-card.zh-CN.md'),
      /^pack\/referral-card\.zh-CN\.md is not there: a pack has wall-card/,
    ],
    [
      'a title',
      (files) => files.set('wall-card.zh-CN.md', '说一句。'),
      /^pack\/wall-card\.zh-CN\.md does not begin with its title/,
    ],
    [
      'a Chinese title',
      (files) => files.set('wall-card.zh-CN.md', '# Wall'),
      /^pack\/wall-card\.zh-CN\.md has a title that is not Chinese: Wall/,
    ],
    ['a language in a name', (files) => files.set('more.md', '# 更多'), /^pack\/more\.md is named otherwise/],
    [
      'an address in a link',
      (files) => files.set('wall-card.zh-CN.md', '# 墙\n\n[x](https:who)'),
      /^pack\/wall-card\.zh-CN\.md leads to "https:who"/,
    ],
  ])('without %s is told, with where and what', (_name, change, expected) => {
    const files = new Map(whole);
    change(files);
    expect(read(files).problems).toEqual([expect.stringMatching(expected)]);
  });

  it('has every language of the course, and serves no other', () => {
    const one = new Map([...whole].slice(0, 3));
    expect(read(one, ['zh-CN', 'en']).problems).toEqual(
      ['wall-card', 'conversation-guide', 'referral-card'].map((key) => `pack/${key}.en.md is not there.`),
    );
    const { pack, warnings } = read(new Map([...one, ['wall-card.en.md', '# Wall card']]));
    expect(pack[0]!.text).not.toHaveProperty('en');
    expect(warnings).toEqual([expect.stringMatching(/^pack\/wall-card\.en\.md is not served/)]);
  });
});

describe('the template', () => {
  it('is warned and told of in one pass, without a word that is not for its author', async () => {
    const courses = join(projectFolder, 'courses');
    const found = await readCourseFolder(join(courses, 'template'), join(courses, 'libraries'));
    expect('problems' in found && found.problems.length).toBe(2);
  });
});

describe('numbers to call', () => {
  it('are those of the country, and before them the county’s own, each with its day', async () => {
    const data = await mkdtemp(join(tmpdir(), 'xinqiao-hotlines-'));
    try {
      const courses = join(projectFolder, 'courses');
      const country = await gatherHotlines(courses, data);
      expect(country.map(({ number }) => number)).toEqual(['12356', '12355', '110', '120']);
      const line = (name: string, more = '') =>
        `- { number: '0731 8888 1234', name: ${name}, hours: { zh-CN: 全天, en: all day }, audience: { zh-CN: 学生, en: students }, source: { zh-CN: 县教育局, en: the bureau }, checkedOn: '2026-11-01'${more} }\n`;
      await mkdir(data, { recursive: true });
      await writeFile(join(data, 'hotlines.yaml'), line('{ zh-CN: 县学生心理热线, en: County line }'));
      const all = await gatherHotlines(courses, data);
      expect(all[0]).toMatchObject({ number: '0731 8888 1234', isLocal: true, checkedOn: '2026-11-01' });
      expect(all.slice(1)).toEqual(country);
      await writeFile(join(data, 'hotlines.yaml'), line('{ zh-CN: 县学生心理热线 }'));
      await expect(gatherHotlines(courses, data)).rejects.toThrow(/hotlines\.yaml 0\.name\.en/);
    } finally {
      await rm(data, { recursive: true });
    }
  });
});

describe('a review', () => {
  it('is told in a sentence, signed or not', () => {
    const role = { 'zh-CN': '临床心理师', en: 'a clinical psychologist' };
    expect(describeReview({ role, state: 'not-reviewed' })).toEqual({
      'zh-CN': '尚未经临床心理师审阅',
      en: 'Not yet reviewed by a clinical psychologist',
    });
    expect(
      describeReview({
        role,
        state: 'reviewed',
        by: { 'zh-CN': '某医院某某', en: 'N. N., a hospital' },
        on: '2027-03-09',
        version: '1.1.0',
      }),
    ).toEqual({
      'zh-CN': '已由临床心理师某医院某某审阅（2027年3月9日）',
      en: 'Reviewed by N. N., a hospital, a clinical psychologist, on 2027-03-09',
    });
  });
});
