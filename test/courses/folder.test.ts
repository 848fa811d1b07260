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
const ITEMS = 'items/notice-signs.yaml';

describe('a course folder', () => {
  let root: string;
  let folder: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'xinqiao-courses-'));
    await cp(join(projectFolder, 'courses/libraries'), join(root, 'libraries'), { recursive: true });
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

  it('of each course of ours is in order, and so is the template but for its hours', async () => {
    const courses = join(projectFolder, 'courses');
    const slugs = (await readdir(courses, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() && entry.name !== 'libraries')
      .map((entry) => entry.name);
    expect(slugs).toContain(SLUG);
    for (const slug of slugs) {
      const found = await readCourseFolder(join(courses, slug), join(courses, 'libraries'));
      const wrong = 'problems' in found ? found.problems.map((problem) => problem.where) : [];
      expect({ slug, wrong }).toEqual({ slug, wrong: slug === 'template' ? ['course.yaml classHours'] : [] });
    }
  });

  it.each<[string, string, string | RegExp, string, RegExp]>([
    [
      'more hours than the content supports',
      'course.yaml',
      'classHours: 1',
      'classHours: 2',
      /^course\.yaml classHours declares 2 class hours \(90 minutes\) where the content supports \d+ minutes\.$/,
    ],
    [
      'more hours than any course has',
      'course.yaml',
      'classHours: 1',
      'classHours: 41',
      /^course\.yaml classHours .*40$/,
    ],
    ['hours that are none', 'course.yaml', 'classHours: 1', 'classHours: one', /^course\.yaml classHours /],
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
      'version: 1.0.0',
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
      'count: 5',
      'count: 50',
      /asks for 50 items of "notice-signs"/,
    ],
    [
      'a competency drawn twice, whose items might then not suffice',
      'course.yaml',
      '- competency: listen-and-refer',
      '- competency: notice-signs',
      /^course\.yaml exam\.blueprint have the key "notice-signs" twice\.$/,
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
    ['YAML that is none', 'course.yaml', 'slug:', 'slug: [', /^course\.yaml .+at line 3/],
    ['a manifest that is a list', 'course.yaml', /[^]*/, '- 1', /^course\.yaml .*expected object/],
    ['an empty manifest', 'course.yaml', /[^]*/, '', /^course\.yaml .*expected object/],
    [
      'an unknown setting',
      'course.yaml',
      'classHours: 1',
      'classHours: 1\nclassHour: 1',
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

  it('tells everything that is wrong in one pass', async () => {
    await change('course.yaml', 'count: 5', 'count: 50');
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
      ['course.yaml', 'minutes: 20', 'minutes: 25'],
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
