import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { pack, questionPackage, textPackage } from '../h5p/packages.ts';
import { launchBrowser } from '../support/browser.ts';
import { PHONE } from './page.ts';

const SLUG = 'young-pioneers-leader';
const LESSON = 'content/stages-lesson/zh-CN/content/content.json';

/** What an author sees while writing: `npm run course:preview` on files that change, in a page that nobody reloads. */
describe('a preview', { timeout: 90_000 }, () => {
  let browser: Browser;
  let folder: string;
  let page: Page;
  let preview: ChildProcess | undefined;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    await page.context().close();
    if (preview !== undefined) {
      const over = once(preview, 'exit');
      preview.kill();
      await over;
    }
    preview = undefined;
    await rm(folder, { recursive: true, force: true });
  });
  afterAll(async () => browser.close());

  /** @param named below a fresh folder. */
  const start = async (named: string, fill: () => Promise<void>): Promise<void> => {
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-preview-'));
    await fill();
    preview = spawn(
      process.execPath,
      [join(projectFolder, 'src/commands/preview-course.ts'), join(folder, named)],
      { cwd: projectFolder, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let address: string | undefined;
    for await (const line of createInterface(preview.stdout!)) {
      address = /http:\/\/\S+/.exec(line)?.[0];
      if (address !== undefined) break;
    }
    const context = await browser.newContext({ viewport: PHONE, locale: 'zh-CN', reducedMotion: 'reduce' });
    page = await context.newPage();
    page.setDefaultTimeout(20_000);
    await page.goto(address!);
    await page.locator('#problems li').first().waitFor();
    // Gone as soon as somebody reloads the page.
    await page.evaluate(() => Object.assign(window, { mark: 'still here' }));
  };
  const isStillHere = async (): Promise<unknown> =>
    page.evaluate(() => (window as unknown as { mark?: string }).mark);
  const look = async (name: string): Promise<void> => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    const pictures = process.env['PICTURES'];
    if (pictures === undefined) return;
    for (const width of [360, 1280]) {
      await page.setViewportSize({ width, height: 2400 });
      await page.waitForTimeout(500);
      await page.screenshot({ path: join(pictures, `preview-${name}-${width}.png`) });
    }
    await page.setViewportSize(PHONE);
  };
  const content = () => page.frameLocator('#player');

  it('of a course shows a changed sentence where the author looks, tells a mistake, and the course again when it is mended', async () => {
    const course = () => join(folder, SLUG);
    await start(SLUG, async () => {
      await cp(join(projectFolder, 'courses', SLUG), course(), { recursive: true });
      await cp(join(projectFolder, 'courses/hotlines.yaml'), join(folder, 'hotlines.yaml'));
    });
    const lesson = JSON.parse(await readFile(join(course(), LESSON), 'utf8')) as {
      pages: { title: string; blocks: { type: string; text?: string }[] }[];
    };
    await page.locator('#activity').selectOption({ label: `${await titleOf(course())}（zh-CN）` });
    await content().getByRole('heading', { name: lesson.pages[0]!.title }).waitFor();
    await content().locator('[data-action=next]').click();
    await content().getByRole('heading', { name: lesson.pages[1]!.title }).waitFor();

    const block = lesson.pages[1]!.blocks.find(({ type }) => type === 'text')!;
    block.text = '<p>这一句是刚刚改的。</p>';
    await writeFile(join(course(), LESSON), JSON.stringify(lesson));
    await content().getByText('这一句是刚刚改的。').waitFor();
    expect(await content().getByRole('heading', { name: lesson.pages[1]!.title }).isVisible()).toBe(true);
    expect(await page.locator('#problems .bad').count()).toBe(0);

    const manifest = await readFile(join(course(), 'course.yaml'), 'utf8');
    await writeFile(join(course(), 'course.yaml'), manifest.replace('modules:', 'modules: ['));
    await page.locator('#problems .bad', { hasText: 'course.yaml' }).waitFor();
    await page.locator('#state', { hasText: '现在没有可以播放的内容' }).waitFor();
    expect(await page.locator('#player').isVisible()).toBe(false);
    await look('broken');

    await writeFile(join(course(), 'course.yaml'), manifest);
    await content().getByText('这一句是刚刚改的。').waitFor();
    expect(await page.locator('#problems .bad').count()).toBe(0);
    expect(await page.locator('#state').textContent()).toBe('');
    expect(await isStillHere()).toBe('still here');
  });

  it('of a .h5p file plays it with its libraries, and what an editor exports in its place', async () => {
    const file = () => join(folder, 'my lesson.h5p');
    const write = async (bytes: Uint8Array): Promise<void> => {
      // As editors and browsers save: aside first.
      await writeFile(`${file()}.part`, bytes);
      await rename(`${file()}.part`, file());
    };
    await start('my lesson.h5p', async () => write(await pack(textPackage('第一稿'))));
    await content().locator('.test-text', { hasText: '第一稿' }).waitFor();
    await content().locator('.test-done').click();
    await page.locator('#statements li', { hasText: '/completed' }).first().waitFor({ state: 'attached' });

    await write(await pack(textPackage('第二稿')));
    await content().locator('.test-text', { hasText: '第二稿' }).waitFor();

    // Without its library nobody could play it; the place and the name are told, and nothing of the older is shown.
    const { 'content/content.json': parameters, 'h5p.json': named } = questionPackage();
    await write(await pack({ 'content/content.json': parameters!, 'h5p.json': named! }));
    await page
      .locator('#problems .bad', { hasText: /H5P\.TestQuestions-2\.1.* is not there/ })
      .first()
      .waitFor();
    expect(await page.locator('#player').isVisible()).toBe(false);
    expect(await page.locator('#activity option').count()).toBe(0);
    await look('refused');

    await write(Buffer.from('no package'));
    await page.locator('#problems .bad', { hasText: /^package: / }).waitFor();
    await rm(file());
    await page.locator('#problems .bad', { hasText: 'is not there' }).waitFor();

    await write(await pack(textPackage('第三稿')));
    await content().locator('.test-text', { hasText: '第三稿' }).waitFor();
    expect(await isStillHere()).toBe('still here');
  });

  it('of a content folder plays it with our libraries, in its language, its sound in pieces', async () => {
    const lesson = join(projectFolder, 'courses/ethics-and-own-strength/content/strength-lesson/en');
    await start('lesson', async () => {
      await mkdir(join(folder, 'lesson'));
      await cp(lesson, join(folder, 'lesson'), { recursive: true });
    });
    await content().locator('[data-xinqiao=lesson][lang=en]').waitFor();
    expect(await page.locator('#problems .bad').count()).toBe(0);
    const piece = page.waitForResponse((response) => response.url().endsWith('.mp3'));
    await content().locator('[data-action=next]').click();
    expect((await piece).status()).toBe(206);
    await look('content');

    const file = join(folder, 'lesson/content/content.json');
    const written = await readFile(file, 'utf8');
    await writeFile(file, written.replace('"number": "12356"', '"number": "88886666"'));
    await page.locator('#problems .bad', { hasText: '88886666' }).waitFor();
    await writeFile(file, written.replace('Listening weighs', 'Listening weighs, and why'));
    await content().getByRole('heading', { name: 'Listening weighs, and why' }).waitFor();
    expect(await isStillHere()).toBe('still here');
  });
});

/** Of the lesson's activity, as the page lists it. */
async function titleOf(course: string): Promise<string> {
  const manifest = await readFile(join(course, 'course.yaml'), 'utf8');
  const key = LESSON.split('/')[1]!;
  return new RegExp(`key: ${key}\\n.*\\n\\s*title:\\n\\s*zh-CN: (.*)\\n`).exec(manifest)![1]!;
}
