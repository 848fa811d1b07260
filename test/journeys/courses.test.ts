import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { launchBrowser } from '../support/browser.ts';
import { PHONE } from './page.ts';
import { playWhole } from './teacher.ts';

const slugs = (await readdir(join(projectFolder, 'courses'), { withFileTypes: true }))
  .filter((entry) => entry.isDirectory() && !['libraries', 'template'].includes(entry.name))
  .map(({ name }) => name);

/** On a phone, in the page that `npm run course:preview` shows an author. PICTURES=folder keeps how each begins. */
describe('every content of every course, in each of its languages', { timeout: 180_000 }, () => {
  let browser: Browser;
  let preview: ChildProcess | undefined;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterEach(async () => {
    if (preview === undefined) return;
    const over = once(preview, 'exit');
    preview.kill();
    await over;
    preview = undefined;
  });
  afterAll(async () => browser.close());

  const startPreview = async (slug: string): Promise<string> => {
    preview = spawn(process.execPath, [join(projectFolder, 'src/commands/preview-course.ts'), slug], {
      cwd: projectFolder,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface(preview.stdout!)) {
      const found = /http:\/\/\S+/.exec(line);
      if (found !== null) return found[0];
    }
    throw new Error('The preview ended.');
  };

  /** Opens what the list of the page has, from its beginning. */
  const show = async (page: Page, url: string): Promise<void> => {
    const loaded = page.waitForEvent('framenavigated', (frame) => frame.url() === url);
    if ((await page.locator('#activity').inputValue()) === url) await page.locator('#forget').click();
    else await page.locator('#activity').selectOption(url);
    await loaded;
  };

  it.each(slugs)('%s can be played to its end', async (slug) => {
    const context = await browser.newContext({ viewport: PHONE, locale: 'zh-CN', reducedMotion: 'reduce' });
    try {
      const page = await context.newPage();
      page.setDefaultTimeout(20_000);
      const complaints: string[] = [];
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      await page.goto(await startPreview(slug));
      await page
        .locator('#problems', { hasText: '没有问题' })
        .or(page.locator('#problems li:not(.bad)'))
        .first()
        .waitFor();
      expect(await page.locator('#problems .bad').allTextContents()).toEqual([]);
      const urls = await page
        .locator('#activity option')
        .evaluateAll((options) => options.map((option) => (option as HTMLOptionElement).value));
      expect(urls.length).toBeGreaterThanOrEqual(5);
      for (const url of urls) {
        await show(page, url);
        const content = page.frameLocator('#player');
        const [, key, language] = /player\/([^/]+)\/([^/?]+)/.exec(url)!;
        const root = content.locator(`[data-xinqiao][lang^=${language!.slice(0, 2)}]`);
        await root.waitFor();
        if (process.env['PICTURES'] !== undefined)
          await page.screenshot({
            path: join(process.env['PICTURES'], `${slug}-${key}-${language}.png`),
            fullPage: true,
          });
        const wider = await content
          .locator('html')
          .evaluate((html) => html.scrollWidth - html.ownerDocument.defaultView!.innerWidth);
        expect(wider, `${key} in ${language} is wider than a phone`).toBeLessThanOrEqual(0);
        await playWhole(content).catch((error: unknown) => {
          throw new Error(`${key} in ${language}: ${String(error)} ${complaints.join('; ')}`);
        });
        await page
          .locator('#statements li', { hasText: '/verbs/completed' })
          .first()
          .waitFor({ state: 'attached' });
        expect(await page.locator('#state').textContent(), `${key} in ${language}`).toBe('');
        expect(complaints, `${key} in ${language}`).toEqual([]);
      }
    } finally {
      await context.close();
    }
  });
});
