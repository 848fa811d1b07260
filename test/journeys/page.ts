import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import type { StartedService } from '../support/started-service.ts';
import { expectThat } from './step.ts';

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1280, height: 800 };

export interface Opened {
  readonly page: Page;
  /** Goes to a path as from a link, whatever page is open. */
  readonly go: (path: string) => Promise<void>;
  /** @param like a page of the same make was looked at before: whether it shuts people out is not asked again. */
  readonly look: (name: string, like?: 'like one before') => Promise<void>;
}

/**
 * A page of its own kind of screen. At each look it must fit the screen, have logged no error, and be open to people who do not
 * see or point (axe).
 */
export async function openPage(
  browser: Browser,
  run: Pick<StartedService, 'url'>,
  viewport: { width: number; height: number },
  pictures: string | undefined,
  locale = 'zh-CN',
): Promise<Opened> {
  const context = await browser.newContext({ viewport, locale, acceptDownloads: true });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  if (pictures !== undefined) await mkdir(pictures, { recursive: true });
  return {
    page,
    async go(path) {
      // A change of the fragment alone would not load the page.
      await page.goto('about:blank');
      await page.goto(`${run.url}${path}`);
      await page.locator('h1').waitFor();
    },
    async look(name, like) {
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expectThat(wider <= 0, `${name} is ${wider} px wider than the screen`);
      expectThat(complaints.length === 0, `the browser complains: ${complaints.join('; ')}`);
      if (like === undefined) {
        // Without a page of its own to put results together, which takes longer than the looking: it is for frames alone.
        const { violations } = await new AxeBuilder({ page })
          .setLegacyMode(page.frames().length === 1)
          .analyze();
        const found = violations.map(
          ({ id, nodes }) => `${id} (${nodes.map((node) => node.html).join(', ')})`,
        );
        expectThat(found.length === 0, `${name} shuts people out: ${found.join('; ')}`);
      }
      if (pictures === undefined) return;
      for (const size of [PHONE, DESK]) {
        await page.setViewportSize(size);
        await page.screenshot({ path: join(pictures, `${name}-${size.width}.png`), fullPage: true });
      }
      await page.setViewportSize(viewport);
    },
  };
}
