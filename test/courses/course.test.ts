import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { projectFolder } from '../../src/config.ts';
import { makeCourseService, type CourseService } from '../../src/courses/course.service.ts';
import { readCourseFolder } from '../../src/courses/folder.ts';
import { measureContent } from '../../src/courses/hours.ts';
import { makeTestDatabase, type TestDatabase } from '../support/database.ts';

const SLUG = 'core-gatekeeper';

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

  const change = async (file: string, from: string | RegExp, to: string): Promise<void> => {
    const path = join(folder, file);
    const text = await readFile(path, 'utf8');
    expect(text).toMatch(from);
    await writeFile(path, text.replace(from, to));
  };
  const problems = async (): Promise<string[]> => {
    const read = await readCourseFolder(folder, join(root, 'libraries'));
    return 'problems' in read ? read.problems.map((problem) => `${problem.where} ${problem.what}`) : [];
  };

  it('of ours is in order, and so is the template but for its hours', async () => {
    expect(await problems()).toEqual([]);
    const template = await readCourseFolder(join(projectFolder, 'courses/template'), join(root, 'libraries'));
    expect('problems' in template && template.problems.map((problem) => problem.where)).toEqual([
      'course.yaml classHours',
    ]);
  });

  it.each<[string, string, string | RegExp, string, RegExp]>([
    [
      'more hours than the content supports',
      'course.yaml',
      'classHours: 1',
      'classHours: 2',
      /classHours declares 2 class hours/,
    ],
    ['another name than its folder', 'course.yaml', `slug: ${SLUG}`, 'slug: other', /slug is "other"/],
    [
      'a pass mark that is none',
      'course.yaml',
      'passMark: 80',
      'passMark: 120',
      /course\.yaml exam\.passMark/,
    ],
    ['more items drawn than there are', 'course.yaml', 'count: 5', 'count: 50', /asks for 50 items/],
    [
      'a file of items that is not there',
      'course.yaml',
      'items/notice-signs.yaml',
      'items/none.yaml',
      /items\/none\.yaml is not there/,
    ],
    [
      'content that is not there',
      'course.yaml',
      'content/signs-lesson/en',
      'content/none',
      /content\/none\/h5p\.json is not there/,
    ],
    ['YAML that is none', 'course.yaml', 'slug:', 'slug: [', /course\.yaml .+/],
    [
      'an unknown setting',
      'course.yaml',
      'classHours: 1',
      'classHours: 1\nclassHour: 1',
      /course\.yaml .*classHour/,
    ],
    [
      'an item without a right answer',
      'items/notice-signs.yaml',
      /correct: true/,
      'correct: false',
      /has 0 correct options/,
    ],
    [
      'an item of a competency that is not listed',
      'items/notice-signs.yaml',
      /competency: notice-signs/,
      'competency: other',
      /competency "other"/,
    ],
    ['content that is not JSON', 'content/signs-lesson/en/content/content.json', /^\{/, '[', /is not JSON/],
    [
      'a library that is not there',
      'content/signs-lesson/en/h5p.json',
      /"minorVersion": ?"?0"?/,
      '"minorVersion": 9',
      /library\.json is not there/,
    ],
  ])('with %s is refused, with where and what', async (_name, file, from, to, expected) => {
    await change(file, from, to);
    expect((await problems()).join('\n')).toMatch(expected);
  });

  it('tells everything that is wrong in one pass', async () => {
    await change('course.yaml', 'count: 5', 'count: 50');
    await change('items/notice-signs.yaml', /correct: true/, 'correct: false');
    await change('content/signs-lesson/en/content/content.json', /^\{/, '[');
    expect((await problems()).length).toBeGreaterThanOrEqual(3);
  });

  describe('taken in', () => {
    let database: TestDatabase;
    let courses: CourseService;
    beforeAll(async () => {
      database = await makeTestDatabase();
      courses = makeCourseService({
        db: database.db,
        clock: systemClock,
        coursesFolder: root,
        contentStore: join(root, '.store'),
      });
    });
    afterAll(async () => database.drop());
    const versions = async (): Promise<string[]> =>
      (await database.pool.query('select version from course_versions order by id')).rows.map(
        (row) => row.version as string,
      );

    it('is one version until it says that it is another; a broken one leaves what was served', async () => {
      expect((await courses.sync())[0]).toMatchObject({ slug: SLUG, outcome: 'synced' });
      expect((await courses.sync())[0]).toMatchObject({ outcome: 'unchanged' });
      expect(await versions()).toEqual(['1.0.0']);
      await change('items/notice-signs.yaml', /correct: true/, 'correct: false');
      expect((await courses.sync())[0]).toMatchObject({ outcome: 'refused' });
      expect((await courses.findCurrent(database.db, SLUG))?.version).toBe('1.0.0');
    });

    it('keeps a version that somebody learns by as it was', async () => {
      await database.pool.query(`
        insert into divisions (code, name, level, province_code) values ('430000', 'x', 'province', '430000');
        insert into people (name) values ('x');
        insert into certifications (code, title_zh, title_en, course_slug, roles, division_code, issuer_name, template, template_version, created_at) values ('c', 'x', 'x', '${SLUG}', array['class_teacher'], '430000', 'x', 'standard', 1, now());
        insert into cohorts (certification_id, name, role, division_code, created_at) select id, 'x', 'class_teacher', '430000', now() from certifications;
        insert into assignments (certification_id, person_id, cohort_id, course_version_id, created_at) select c.id, p.id, h.id, v.id, now() from certifications c, people p, cohorts h, course_versions v;`);
      await change('course.yaml', 'passMark: 80', 'passMark: 70');
      const [refused] = await courses.sync();
      expect(refused).toMatchObject({ outcome: 'refused', problems: [{ where: 'course.yaml version' }] });
      await change('course.yaml', 'version: 1.0.0', 'version: 1.1.0');
      expect((await courses.sync())[0]).toMatchObject({ outcome: 'synced' });
      expect(await versions()).toEqual(['1.0.0', '1.1.0']);
      expect((await courses.findCurrent(database.db, SLUG))?.manifest.exam.passMark).toBe(70);
    });
  });
});

describe('hours', () => {
  it('count what there is to read and to answer, and pay nothing twice', () => {
    const text = '字'.repeat(10);
    expect(measureContent({ title: text, l10n: { next: text }, pages: [{ text: `${text}abc` }] })).toEqual({
      characters: 20,
      questions: 0,
      cards: 0,
    });
    expect(measureContent({ intro: text, questions: [{ stem: text }, { stem: text }] })).toEqual({
      characters: 10,
      questions: 2,
      cards: 0,
    });
    expect(measureContent({ levels: [text], cards: [{ text }, { text }, { text }] })).toEqual({
      characters: 10,
      questions: 0,
      cards: 3,
    });
    expect(measureContent(null)).toEqual({ characters: 0, questions: 0, cards: 0 });
  });
});
