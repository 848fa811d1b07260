import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { renderMarkdown } from '../../src/courses/markdown.ts';
import { makeCourseService } from '../../src/courses/course.service.ts';
import { allCourses, startService, type TestService } from '../support/service.ts';

const SLUG = 'ethics-and-own-strength';

describe('what a course gives', () => {
  let root: string;
  let service: TestService;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'xinqiao-courses-'));
    await cp(join(projectFolder, 'courses'), root, { recursive: true });
    service = await startService({ coursesFolder: allCourses });
  });
  afterAll(async () => {
    await service.stop();
    await rm(root, { recursive: true, force: true });
  });

  it('is told with the course: for whom, what it teaches, how it is examined, who has reviewed it, what there is to print', async () => {
    const { data, errors } = await service.ask(
      null,
      '{ courses { slug audience languages itemsPerAttempt itemsInBank competencies { key title(language: en) } review { state role(language: en) by on text(language: en) } pack { key title(language: en) languages url(language: en) } } }',
    );
    expect(errors).toBeUndefined();
    const course = data.courses.find((each: { slug: string }) => each.slug === SLUG);
    expect(course).toMatchObject({
      languages: ['zh_CN', 'en'],
      itemsPerAttempt: 12,
      review: {
        state: 'NOT_REVIEWED',
        role: 'a clinician',
        by: null,
        on: null,
        text: 'Not yet reviewed by a clinician',
      },
    });
    expect(course.audience).toContain('PRINCIPAL');
    expect(course.itemsInBank).toBeGreaterThanOrEqual(40);
    expect(course.competencies.map(({ key }: { key: string }) => key)).toContain('own-strength');
    expect(course.pack.map(({ key }: { key: string }) => key)).toEqual([
      'wall-card',
      'conversation-guide',
      'referral-card',
    ]);
    const page = await fetch(course.pack[2].url as string);
    expect(await page.text()).toContain('<h1>Referral card');
  });

  it('is a page for paper that loads and runs nothing', async () => {
    const page = await service.fetch(`/courses/${SLUG}/pack/referral-card`);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toMatch(
      /^default-src 'none'; style-src 'sha256-[^']+';/,
    );
    const html = await page.text();
    expect(html).toMatch(
      /<html lang="zh-CN">[^]*<h1>转介卡[^]*<table>[^]*class="blank"[^]*尚未经临床专业人员审阅/,
    );
    expect(html).not.toMatch(/<script|<img|<link|\son\w+=/);
    expect(html).toMatch(/break-after: page/);
  });

  it('stays as it was at each version, whatever has become of the folder', async () => {
    const file = join(root, SLUG, 'pack/wall-card.zh-CN.md');
    const text = await readFile(file, 'utf8');
    const manifest = join(root, SLUG, 'course.yaml');
    const written = await readFile(manifest, 'utf8');
    const before = /^version: (.*)$/m.exec(written)![1]!;
    await writeFile(file, text.replace(/^# .*$/m, '# 墙上一页 <script>alert(1)</script>'));
    await writeFile(manifest, written.replace(/^version: .*$/m, 'version: 99.0.0'));
    const synced = await makeCourseService({
      db: service.database.db,
      clock: service.clock,
      coursesFolder: root,
      h5p: service.app.services.h5p,
    }).sync();
    expect(synced.find(({ slug }) => slug === SLUG)?.outcome).toBe('synced');
    const read = async (query: string) =>
      (await service.fetch(`/courses/${SLUG}/pack/wall-card${query}`)).text();
    expect(await read('')).toContain('<h1>墙上一页 &lt;script&gt;alert(1)&lt;/script&gt;</h1>');
    expect(await read(`?version=${before}`)).toContain('<h1>守密、守数据');
    await rm(join(root, SLUG), { recursive: true });
    expect(await read('?version=99.0.0')).toContain('99.0.0');
  });

  it.each([
    `/courses/${SLUG}/pack/other`,
    `/courses/nothing/pack/wall-card`,
    `/courses/${SLUG}/pack/wall-card?version=0.0.1`,
    `/courses/core-gatekeeper/pack/none`,
  ])('is not found at %s', async (path) => {
    expect((await service.fetch(path)).status).toBe(404);
  });

  it('is asked for at one version', async () => {
    expect((await service.fetch(`/courses/${SLUG}/pack/wall-card?version=1.0.0&version=2.0.0`)).status).toBe(
      400,
    );
  });

  it('has numbers to call with it, for everybody, each with its day', async () => {
    const { data } = await service.ask(
      null,
      '{ hotlines { number name(language: en) hours(language: zh_CN) audience(language: en) source(language: en) checkedOn isLocal } }',
    );
    expect(data.hotlines.map(({ number }: { number: string }) => number)).toEqual([
      '12356',
      '12355',
      '110',
      '120',
    ]);
    expect(data.hotlines[0]).toMatchObject({ name: 'National psychological-aid hotline', isLocal: false });
    for (const { checkedOn } of data.hotlines) expect(checkedOn).toMatch(/^\d{4}-\d\d-\d\d$/);
  });
});

describe('the Markdown of a pack', () => {
  it('is headings, lists, tables, quotes and bold', () => {
    expect(renderMarkdown('## 一\n\n- **粗**\n\n> 话\n\n| a | b |\n| - | - |\n| 1 | 2 |\n\n---')).toMatch(
      /<h2>一<\/h2>[^]*<li><strong>粗<\/strong><\/li>[^]*<blockquote>[^]*<td>1<\/td>[^]*<hr>/,
    );
  });

  it('draws blanks, also where an editor has escaped them, as wide as they are long', () => {
    expect(
      renderMarkdown('电话 ____ 日 \\_\\_\\_\\_ ＿＿月 ＿＿＿＿＿＿＿＿＿＿').match(/class="blank[^"]*"/g),
    ).toEqual(['class="blank"', 'class="blank"', 'class="blank short"', 'class="blank long"']);
    expect(renderMarkdown('snake_case __粗__')).not.toContain('blank');
  });

  it.each([
    ['a tag', '<b onclick="x()">粗</b>', /<b\b/],
    ['a script', '<script>x()</script>', /<script/],
    ['a script for an address', '[x](javascript:x())', /href/],
    ['data for an address', '[x](data:text/html,x)', /href/],
    ['a picture', '![x](https://example.org/x.png)', /<img/],
  ])('has no %s', (_name, text, forbidden) => {
    expect(renderMarkdown(text)).not.toMatch(forbidden);
  });
});
