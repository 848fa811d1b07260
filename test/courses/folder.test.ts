import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { readCourseFolder } from '../../src/courses/folder.ts';
import { pack, textPackage } from '../h5p/packages.ts';

const SLUG = 'core-gatekeeper';
const LESSON = 'content/signs-lesson/en';
const PARAMETERS = `${LESSON}/content/content.json`;
const SCENARIO = 'scenarios/choir-silence.yaml';
const ITEMS = 'items/notice-signs.yaml';
const SCALE = 'scale.yaml';
const CASES = 'items/steps-and-cases.yaml';

describe('a course folder', () => {
  let root: string;
  let folder: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'xinqiao-courses-'));
    await cp(join(projectFolder, 'courses/libraries'), join(root, 'libraries'), { recursive: true });
    await cp(join(projectFolder, 'courses/hotlines.yaml'), join(root, 'hotlines.yaml'));
    folder = join(root, SLUG);
  });
  beforeEach(async () => {
    await rm(folder, { recursive: true, force: true });
    await cp(join(projectFolder, 'courses', SLUG), folder, { recursive: true });
  });
  afterAll(async () => rm(root, { recursive: true, force: true }));

  const read = async () => readCourseFolder(folder, join(root, 'libraries'));
  const change = async (file: string, from: string | RegExp, to: string): Promise<void> => {
    const text = await readFile(join(folder, file), 'utf8');
    expect(text).toMatch(from);
    await writeFile(join(folder, file), text.replace(from, to));
  };
  const problems = async (): Promise<string[]> => {
    const found = await read();
    return 'problems' in found ? found.problems.map((problem) => `${problem.where} ${problem.what}`) : [];
  };

  it('of each course of ours is in order, and so is the template but for the few items that it shows', async () => {
    const courses = join(projectFolder, 'courses');
    const slugs = (await readdir(courses, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() && entry.name !== 'libraries')
      .map((entry) => entry.name);
    expect(slugs).toContain(SLUG);
    for (const slug of slugs) {
      const found = await readCourseFolder(join(courses, slug), join(courses, 'libraries'));
      const wrong = 'problems' in found ? found.problems.map((problem) => problem.where) : [];
      expect({ slug, wrong }).toEqual({
        slug,
        wrong: slug === 'template' ? ['course.yaml exam.blueprint', 'course.yaml exam passMark'] : [],
      });
    }
  });

  it.each<[string, string, string | RegExp, string, RegExp]>([
    [
      'more hours than the content supports',
      'course.yaml',
      'classHours: 2',
      'classHours: 3',
      /^course\.yaml classHours declares 3 class hours \(135 minutes\) where the content supports \d+ minutes\.$/,
    ],
    [
      'more hours than can ever be counted',
      'course.yaml',
      /minutes: \d+/g,
      'minutes: 2',
      /^course\.yaml classHours declares 2 class hours \(90 minutes\) where the time ledger counts 44 at the most/,
    ],
    [
      'more hours than any course has',
      'course.yaml',
      'classHours: 2',
      'classHours: 41',
      /^course\.yaml classHours .*40$/,
    ],
    ['hours that are none', 'course.yaml', 'classHours: 2', 'classHours: one', /^course\.yaml classHours /],
    [
      'another name than its folder',
      'course.yaml',
      `slug: ${SLUG}`,
      'slug: other',
      /^course\.yaml slug is "other" in a folder named "core-gatekeeper"/,
    ],
    [
      'a pass mark that is none',
      'course.yaml',
      'passMark: 80',
      'passMark: 120',
      /^course\.yaml exam\.passMark /,
    ],
    [
      'a version that is none',
      'course.yaml',
      /version: \d+\.\d+\.\d+/,
      'version: "2"',
      /^course\.yaml version major\.minor\.patch$/,
    ],
    [
      'a text in one language',
      'course.yaml',
      /\n {2}en: 'Xinqiao gatekeeper[^\n]*/,
      '',
      /^course\.yaml title\.en /,
    ],
    [
      'a text of nothing',
      'course.yaml',
      /zh-CN: 心桥守门人[^\n]*/,
      "zh-CN: ' '",
      /^course\.yaml title\.zh-CN /,
    ],
    [
      'more items drawn than there are',
      'course.yaml',
      'count: 4',
      'count: 50',
      /^course\.yaml exam\.blueprint asks for 50 items of "notice-signs" and the files hold 17 that no other part draws: 33 missing\.$/,
    ],
    [
      'more than are left beside a narrower part',
      'course.yaml',
      '    - competency: notice-signs\n      count: 4',
      '    - competency: notice-signs\n      count: 16\n    - competency: notice-signs\n      difficulty: 1\n      count: 3',
      /^course\.yaml exam\.blueprint asks for 16 items of "notice-signs" and the files hold 14 that no other part draws: 2 missing\.$/,
    ],
    [
      'more of a difficulty than there are',
      'course.yaml',
      '    - competency: notice-signs\n      count: 4',
      '    - competency: notice-signs\n      difficulty: 3\n      count: 4',
      /^course\.yaml exam\.blueprint asks for 4 items of "notice-signs" of difficulty 3 and the files hold 2: 2 missing\.$/,
    ],
    [
      'more must-pass items than there are',
      'course.yaml',
      'mustPass: true\n      count: 1',
      'mustPass: true\n      count: 5',
      /^course\.yaml exam\.blueprint asks for 5 items of "notice-signs" that are must-pass and the files hold 4/,
    ],
    [
      'more vignettes than there are',
      'course.yaml',
      'questions: 2',
      'questions: 3',
      /^course\.yaml exam\.vignettes asks for 1 vignettes of "listen-and-refer" with 3 questions and the files hold 0: 1 missing\.$/,
    ],
    [
      'the same part twice',
      'course.yaml',
      '- competency: listen-and-refer\n      count: 2',
      '- competency: notice-signs\n      count: 2',
      /^course\.yaml exam\.blueprint has two parts of "notice-signs"; make them one\.$/,
    ],
    [
      'a pair that matches nothing',
      CASES,
      'matches: assess',
      'matches: nothing',
      /^items\/steps-and-cases\.yaml st-who-does-what counselor matches "nothing", which is not among its targets\.$/,
    ],
    [
      'a target twice',
      CASES,
      /- key: diagnose\b/,
      '- key: assess',
      /^items\/steps-and-cases\.yaml st-who-does-what targets have the key "assess" twice\.$/,
    ],
    [
      'a step twice',
      CASES,
      '- key: two-weeks',
      '- key: said-today',
      /^items\/steps-and-cases\.yaml st-how-urgent elements have the key "said-today" twice\.$/,
    ],
    [
      'a mistake that is right',
      CASES,
      'value: 12355\n      tolerance: 0',
      'value: 12355\n      tolerance: 1',
      /^items\/steps-and-cases\.yaml st-hotline has the mistake 12355 ± 1, which overlaps the answer, 12356 ± 0\.$/,
    ],
    [
      'a number that is none',
      CASES,
      'answer: 12356',
      'answer: soon',
      /^items\/steps-and-cases\.yaml \d+\.answer /,
    ],
    [
      'a kind of item that there is not',
      CASES,
      'kind: numeric',
      'kind: essay',
      /^items\/steps-and-cases\.yaml \d+\.kind /,
    ],
    [
      'a vignette of one question',
      CASES,
      /\n {4}- key: vg-staircase-tonight[\s\S]*?\n\n/,
      '\n',
      /^items\/steps-and-cases\.yaml \d+\.items a vignette has at least two questions$/,
    ],
    [
      'a competency that the course does not have',
      CASES,
      'competency: notice-signs',
      'competency: other',
      /^items\/steps-and-cases\.yaml st-how-urgent has the competency "other", which course\.yaml does not list\.$/,
    ],
    [
      'a question of a vignette that is also one by itself',
      CASES,
      'key: vg-staircase-reply',
      'key: ns-two-weeks',
      /^items have the key "ns-two-weeks" twice\.$/,
    ],
    [
      'a practice item that must be passed',
      'items/practice.yaml',
      'use: practice',
      'use: practice\n  mustPass: true',
      /^items\/practice\.yaml pr-hoodie is for practice, which nobody can fail: it can’t be must-pass\.$/,
    ],
    [
      'a key twice',
      'course.yaml',
      'key: listen-lesson',
      'key: signs-lesson',
      /activities have the key "signs-lesson" twice/,
    ],
    [
      'a file of items that is not there',
      'course.yaml',
      ITEMS,
      'items/none.yaml',
      /^items\/none\.yaml is not there/,
    ],
    [
      'content that is not there',
      'course.yaml',
      LESSON,
      'content/none',
      /content\/none\/h5p\.json is not there/,
    ],
    [
      'content from elsewhere',
      'course.yaml',
      LESSON,
      '../template/x',
      /^course\.yaml .* a path inside the course folder/,
    ],
    [
      'content by an absolute path',
      'course.yaml',
      LESSON,
      '/etc',
      /^course\.yaml .* a path inside the course folder/,
    ],
    [
      'a conversation that is not there',
      'course.yaml',
      'scenarios/choir-silence.yaml',
      'scenarios/none.yaml',
      /^scenarios\/none\.yaml is not there/,
    ],
    [
      'a conversation with a dead reference',
      SCENARIO,
      'next: shrug',
      'next: nowhere',
      /^scenarios\/choir-silence\.yaml turns open choices a leads to "nowhere", which is neither/,
    ],
    [
      'one conversation twice',
      'course.yaml',
      'scenarios/choir-silence.yaml',
      'scenarios/dormitory-night.yaml',
      /^scenarios have the key "dormitory-night" twice/,
    ],
    [
      'a resit rule for practice',
      'course.yaml',
      'mode: practice',
      'mode: practice\n        resit: { afterHours: 1, attempts: 2 }',
      /^course\.yaml choir-conversation resit is for a graded conversation/,
    ],
    ['YAML that is none', 'course.yaml', 'slug:', 'slug: [', /^course\.yaml .+at line 3/],
    ['a manifest that is a list', 'course.yaml', /[^]*/, '- 1', /^course\.yaml .*expected object/],
    ['an empty manifest', 'course.yaml', /[^]*/, '', /^course\.yaml .*expected object/],
    [
      'an unknown setting',
      'course.yaml',
      'classHours: 2',
      'classHours: 2\nclassHour: 2',
      /^course\.yaml .*classHour/,
    ],
    [
      'an item without a right answer',
      ITEMS,
      'correct: true',
      'correct: false',
      /^items\/notice-signs\.yaml ns-three-questions is single and has 0 correct options\.$/,
    ],
    [
      'an item with two right answers where one is to be chosen',
      ITEMS,
      'text:',
      'correct: true\n      text:',
      /ns-three-questions is single and has 2 correct options/,
    ],
    [
      'an item of several answers with one',
      ITEMS,
      'kind: single',
      'kind: multiple',
      /ns-three-questions is multiple and has 1 correct options/,
    ],
    [
      'true or false with other options',
      ITEMS,
      'kind: single',
      'kind: true_false',
      /ns-three-questions is true_false: its options must have the keys true and false/,
    ],
    ['an option twice', ITEMS, '- key: b', '- key: a', /ns-three-questions options have the key "a" twice/],
    [
      'an item twice',
      ITEMS,
      'key: ns-monday-tears',
      'key: ns-three-questions',
      /^items have the key "ns-three-questions" twice/,
    ],
    [
      'an item of a competency that is not listed',
      ITEMS,
      'competency: notice-signs',
      'competency: other',
      /ns-three-questions has the competency "other", which course\.yaml does not list/,
    ],
    [
      'an option that does not say why',
      ITEMS,
      /\n {6}rationale:\n[^\n]*\n[^\n]*/,
      '',
      /^items\/notice-signs\.yaml 0\.options\.0\.rationale /,
    ],
    [
      'a scale that asks the same twice',
      SCALE,
      'key: weigh-urgency',
      'key: notice-change',
      /^scale\.yaml items have the key "notice-change" twice\.$/,
    ],
    [
      'a scale that asks about a competency that is not listed',
      SCALE,
      'competency: notice-signs',
      'competency: other',
      /^scale\.yaml items notice-change has the competency "other", which course\.yaml does not list\.$/,
    ],
    [
      'a scale that does not say what it asks for',
      SCALE,
      /\n {4}purpose:\n[^\n]*\n[^\n]*/,
      '',
      /^scale\.yaml items\.0\.purpose /,
    ],
    [
      'a scale with too few answers to choose from',
      SCALE,
      /answers:[^]*items:/,
      'answers: []\nitems:',
      /^scale\.yaml answers /,
    ],
    [
      'a scale that is not there',
      'course.yaml',
      'scale: scale.yaml',
      'scale: none.yaml',
      /^none\.yaml is not/,
    ],
    ['content that is not JSON', PARAMETERS, /^\{/, '[', /content\/content\.json is not JSON/],
    [
      'content that is JSON of nothing',
      PARAMETERS,
      /[^]*/,
      'null',
      /content\/content\.json .*expected record/,
    ],
    [
      'a package that is JSON of nothing',
      `${LESSON}/h5p.json`,
      /[^]*/,
      'null',
      /h5p\.json .*expected object/,
    ],
    [
      'a package whose libraries are no list',
      `${LESSON}/h5p.json`,
      /"preloadedDependencies": \[[^\]]*\]/,
      '"preloadedDependencies": {}',
      /h5p\.json preloadedDependencies .*expected array/,
    ],
    [
      'a package whose library lies elsewhere',
      `${LESSON}/h5p.json`,
      /"machineName": "[^"]*"/,
      '"machineName": "../../secret"',
      /h5p\.json preloadedDependencies\.0\.machineName a machine name/,
    ],
    [
      'a main library that it does not bring',
      `${LESSON}/h5p.json`,
      /"mainLibrary": "[^"]*"/,
      '"mainLibrary": "H5P.Other"',
      /h5p\.json names a mainLibrary that is not among its preloadedDependencies/,
    ],
    [
      'a number to call that nobody has dated',
      'content/signs-lesson/zh-CN/content/content.json',
      '"number": "12356"',
      '"number": "010 8888 9999"',
      /^content\/signs-lesson\/zh-CN\/content\/content\.json help lines 1 says to call "010 8888 9999", which hotlines\.yaml does not list/,
    ],
    [
      'an exam that guessing passes',
      'course.yaml',
      'passMark: 80',
      'passMark: 20',
      /^course\.yaml exam passMark is reached by \d+(\.\d)? % of those who guess \(\d+ % of the points on average\)/,
    ],
    [
      'a review of other content',
      'course.yaml',
      'state: not-reviewed',
      'state: reviewed\n  by: { zh-CN: 某某, en: Somebody }\n  on: 2026-12-01\n  version: 0.9.0',
      /^course\.yaml review is of version 0\.9\.0, and this is \d+\.\d+\.\d+ with other content/,
    ],
    [
      'a review that nobody signed',
      'course.yaml',
      'state: not-reviewed',
      'state: reviewed',
      /^course\.yaml review\.by /,
    ],
    [
      'an option without its English',
      ITEMS,
      /^( +- key: [a-z]\n +text:\n +zh-CN: .*\n) +en: .*\n/m,
      '$1',
      /^items\/notice-signs\.yaml [\w-]+ options [a-z] text has no English \(en\), which course\.yaml languages names\.$/,
    ],
    [
      'a turn of a conversation without its English',
      SCENARIO,
      /^( +says:\n +zh-CN: .*\n) +en: .*\n/m,
      '$1',
      /^scenarios\/choir-silence\.yaml turns \w+ says has no English \(en\)/,
    ],
    [
      'a lesson in Chinese alone',
      'course.yaml',
      / +en: content\/signs-lesson\/en\n/,
      '',
      /^course\.yaml signs-lesson content has no en, which course\.yaml languages names\.$/,
    ],
    [
      'a library that is not there',
      `${LESSON}/h5p.json`,
      /"minorVersion": ?"?0"?/,
      '"minorVersion": 9',
      /signs-lesson\/en → H5P\.\w+-1\.9\/library\.json is not there/,
    ],
  ])('with %s is refused, with where and what', async (_name, file, from, to, expected) => {
    await change(file, from, to);
    expect(await problems()).toContainEqual(expect.stringMatching(expected));
  });

  describe('in Chinese alone', () => {
    const WRITTEN = [ITEMS, CASES, SCENARIO, SCALE];
    const found = async () => {
      const answer = await read();
      if ('problems' in answer) throw new Error(JSON.stringify(answer.problems));
      return answer.course;
    };
    beforeEach(async () => change('course.yaml', /^title:/m, 'languages: [zh-CN]\ntitle:'));

    it('needs no English but that of titles and summaries', async () => {
      await change('course.yaml', /^ +en: content.*\n/gm, '');
      await rm(join(folder, 'content/signs-lesson/en'), { recursive: true });
      for (const file of WRITTEN) await change(file, /^(?! *- key)(\s*)en: .*\n/gm, '');
      const course = await found();
      expect(course.contents['signs-lesson']).toEqual({ 'zh-CN': expect.stringMatching(/^\w+$/) });
      expect(course.manifest.title.en).toContain('gatekeeper');
      expect(course.items[0]!.stem).toEqual({ 'zh-CN': expect.any(String) });
      expect(course.warnings.filter(({ where }) => WRITTEN.includes(where))).toEqual([]);
      await change('course.yaml', /^ {2}en: .*\n/m, '');
      expect(await problems()).toContainEqual(expect.stringMatching(/^course\.yaml title\.en /));
    });

    it('may have English under way, which is told and not served, and changes nothing of what is', async () => {
      const before = await found();
      const told = before.warnings.map(({ where, what }) => `${where} ${what}`);
      expect(told).toContainEqual(
        expect.stringMatching(/^items\/notice-signs\.yaml has English in \d+ places; it is not shown/),
      );
      expect(told).toContainEqual(
        expect.stringMatching(/^course\.yaml signs-lesson content has en; it is not played/),
      );
      expect(JSON.stringify([before.items, before.scenarios, before.scale])).not.toContain('"en":');
      await change(ITEMS, /^( +en: )'?\w[^']*?'?$/m, '$1Something else.');
      expect((await found()).digest).toBe(before.digest);
    });

    it.each([
      ['nothing', '[]'],
      ['English alone', '[en]'],
      ['a language twice', '[zh-CN, zh-CN]'],
      ['a language that nobody reads yet', '[zh-CN, fr]'],
    ])('is not said by %s', async (_name, languages) => {
      await change('course.yaml', '[zh-CN]', languages);
      expect(await problems()).toContainEqual(expect.stringMatching(/^course\.yaml languages/));
    });
  });

  it('tells everything that is wrong in one pass', async () => {
    await change('course.yaml', 'count: 4', 'count: 50');
    await change(ITEMS, 'correct: true', 'correct: false');
    await change(PARAMETERS, /^\{/, '[');
    expect((await problems()).length).toBeGreaterThanOrEqual(3);
  });

  it('is another course to its digest with any change that a learner could notice, and with no other', async () => {
    const digest = async (): Promise<string> => {
      const found = await read();
      if ('problems' in found) throw new Error(JSON.stringify(found.problems));
      return found.course.digest;
    };
    const digests = [await digest()];
    await writeFile(join(folder, 'README.md'), 'Notes of the author.');
    await change('course.yaml', /^#[^\n]*/, '# Another remark.');
    expect(await digest()).toBe(digests[0]);
    for (const [file, from, to] of [
      ['course.yaml', 'minutes: 28', 'minutes: 25'],
      [ITEMS, '她的性格是不是', '她的个性是不是'],
      [PARAMETERS, /^\{/, '{ '],
    ] as const) {
      await change(file, from, to);
      digests.push(await digest());
    }
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('may have a package as an editor exported it, beside folders', async () => {
    await writeFile(join(folder, 'content/hello.h5p'), await pack(textPackage('你好')));
    await change('course.yaml', LESSON, 'content/hello.h5p');
    const found = await read();
    if ('problems' in found) throw new Error(JSON.stringify(found.problems));
    const its = found.course.packages.find((each) => each.main === 'H5P.TestText-1.0');
    expect(its?.hash).toBe(found.course.contents['signs-lesson']!.en);
    for (const each of found.course.packages) await each.close();
    await writeFile(join(folder, 'content/hello.h5p'), 'no zip');
    expect(await problems()).toEqual(['content/hello.h5p is not an H5P package: it is no zip.']);
    await rm(join(folder, 'content/hello.h5p'));
    expect(await problems()).toEqual(['content/hello.h5p is not there.']);
  });
});
