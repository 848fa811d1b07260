import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Frame, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { launchBrowser } from '../support/browser.ts';
import { PHONE } from '../journeys/page.ts';
import { startService, type TestService } from '../support/service.ts';
import { pack } from './packages.ts';
import { addAuthor, uploadPackage } from './upload.ts';

const courses = join(projectFolder, 'courses');
const lesson = join(courses, 'ethics-and-own-strength/content/strength-lesson');
const libraries = join(courses, 'libraries');

/** What lies in a folder, by its path below it. */
async function filesIn(folder: string, below = folder): Promise<Record<string, Buffer>> {
  const files: Record<string, Buffer> = {};
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || entry.name.startsWith('.')) continue;
    const file = join(entry.parentPath, entry.name);
    files[relative(below, file).split(sep).join('/')] = await readFile(file);
  }
  return files;
}

it('a lesson of 1.1 is one of 1.0 and what is to be heard: their common files are the same, so that what is mended in one is mended in both', async () => {
  const [older, newer] = await Promise.all(
    ['1.0', '1.1'].map(async (version) => filesIn(join(libraries, `H5P.XinqiaoLesson-${version}`))),
  );
  const own = ['language/zh-cn.json', 'library.json', 'semantics.json'];
  const others = Object.entries(older!).filter(([path, bytes]) => newer![path]?.equals(bytes) !== true);
  expect(others.map(([path]) => path).toSorted()).toEqual(own);
  expect(
    Object.keys(newer!)
      .filter((path) => older![path] === undefined)
      .toSorted(),
  ).toEqual(['css/audio.css', 'js/audio.js']);
});

/** As it is played: from the content origin of the service, on a phone. */
describe('a lesson with a sound', { timeout: 60_000 }, () => {
  let service: TestService;
  let browser: Browser;
  let author: string;
  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(), launchBrowser()]);
    author = await addAuthor(service, 'author');
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  /** @param version that the content names; the package brings the library. */
  const play = async (
    language: 'zh-CN' | 'en',
    version = '1.1',
    state: string | null = null,
  ): Promise<{ page: Page; content: FrameLocator; frame: () => Frame; said: () => Promise<Said[]> }> => {
    const files = await filesIn(join(lesson, language));
    const named = JSON.parse(files['h5p.json']!.toString()) as {
      preloadedDependencies: { machineName: string; minorVersion: string }[];
    };
    named.preloadedDependencies[0]!.minorVersion = version.split('.')[1]!;
    const uploaded = await uploadPackage(
      service,
      author,
      await pack({
        ...files,
        'h5p.json': named,
        ...(await filesIn(join(libraries, `H5P.XinqiaoLesson-${version}`), libraries)),
        ...(await filesIn(join(libraries, 'H5P.XinqiaoBase-1.0'), libraries)),
      }),
    );
    const url = uploaded.data.uploadH5p.h5pContent.playerUrl as string;
    const context = await browser.newContext({ viewport: PHONE });
    const page = await context.newPage();
    await page.goto(`${service.app.publicUrl}/about-time`);
    await page.evaluate(
      ([src, saved]) => {
        const heard: unknown[] = [];
        Object.assign(window, { heard });
        const frame = document.createElement('iframe');
        frame.title = 'content';
        frame.style.cssText = 'display:block;width:100%;height:1500px;border:0';
        window.addEventListener('message', ({ data }) => {
          heard.push(data);
          if (data.type === 'ready')
            frame.contentWindow!.postMessage({ xinqiao: 1, type: 'open', state: saved }, new URL(src).origin);
        });
        frame.src = src!;
        document.body.replaceChildren(frame);
      },
      [url, state] as const,
    );
    const content = page.frameLocator('iframe');
    await content.locator('[data-xinqiao=lesson]').waitFor();
    return {
      page,
      content,
      frame: () => page.frames().find((each) => each.url() === url)!,
      said: async () =>
        page.evaluate(() =>
          (window as unknown as { heard: { type: string; statement: string }[] }).heard
            .filter(({ type }) => type === 'statement')
            .map(({ statement }) => JSON.parse(statement) as Said),
        ),
    };
  };
  interface Said {
    readonly verb: { readonly id: string };
    readonly context?: { readonly contextActivities?: { readonly category?: { readonly id: string }[] } };
  }

  it('is heard by keyboard alone, from any place in it, and tells nobody', async () => {
    const { page, content, frame, said } = await play('zh-CN');
    const ranges: (string | undefined)[] = [];
    page.on('response', (response) => {
      if (response.url().endsWith('.mp3'))
        ranges.push(`${response.status()} ${response.headers()['content-range']}`);
    });
    await content.locator('[data-action=next]').click();
    const sound = content.getByLabel('呼吸铃，48 秒');
    await expect
      .poll(async () => sound.evaluate((audio: HTMLAudioElement) => audio.readyState))
      .toBeGreaterThan(0);
    expect(await sound.evaluate((audio: HTMLAudioElement) => Math.round(audio.duration))).toBe(48);
    const before = (await said()).length;

    await sound.focus();
    await page.keyboard.press('Space');
    await expect
      .poll(async () => sound.evaluate((audio: HTMLAudioElement) => audio.currentTime), { timeout: 15_000 })
      .toBeGreaterThan(0.2);
    await page.keyboard.press('Space');
    await expect.poll(async () => sound.evaluate((audio: HTMLAudioElement) => audio.paused)).toBe(true);
    // To near its end, as with the bar.
    await sound.evaluate(
      async (audio: HTMLAudioElement) =>
        new Promise<void>((done, failed) => {
          audio.addEventListener('ended', () => done());
          audio.addEventListener('error', () => failed(new Error(audio.error?.message)));
          audio.currentTime = 47.5;
          void audio.play();
        }),
    );
    expect(await said()).toHaveLength(before);
    // In pieces: a phone that can't ask for one can't be wound on.
    expect(ranges.length).toBeGreaterThan(0);
    for (const each of ranges) expect(each).toMatch(/^206 bytes \d+-\d+\/144288$/);

    // Who turns the page hears nothing more of it.
    const held = await sound.elementHandle();
    await held.evaluate(async (audio) => {
      (audio as HTMLAudioElement).currentTime = 0;
      await (audio as HTMLAudioElement).play();
    });
    await content.locator('[data-action=next]').click();
    await expect.poll(async () => held.evaluate((audio) => (audio as HTMLAudioElement).paused)).toBe(true);
    expect(frame().url()).toContain('/player/');
    await page.context().close();
  });

  it.each([
    ['zh-CN', '呼吸铃，48 秒', '文字稿', '高铃响，慢慢吸气'],
    ['en', 'Breathing bell, 48 seconds', 'Transcript', 'High bell: breathe in slowly'],
  ] as const)(
    'has its words folded beside it, fits a phone and shuts nobody out (%s)',
    async (language, title, label, words) => {
      const { page, content, frame } = await play(language);
      await content.locator('[data-action=next]').click();
      await content.getByLabel(title).waitFor();
      expect(await content.getByText(words).isVisible()).toBe(false);
      await content.locator('summary', { hasText: label }).focus();
      await page.keyboard.press('Enter');
      await content.getByText(words).waitFor();
      const [wide, controls] = await Promise.all([
        frame().evaluate(() => document.documentElement.scrollWidth),
        content.getByLabel(title).evaluate((audio) => audio.getBoundingClientRect().right),
      ]);
      expect(Math.max(wide, controls)).toBeLessThanOrEqual(360);
      const { violations } = await new AxeBuilder({ page }).include(['iframe', '[data-xinqiao]']).analyze();
      expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
      if (process.env['PICTURES'] !== undefined)
        for (const width of [360, 1280]) {
          await page.setViewportSize({ width, height: 1500 });
          // The frame is drawn by a process of its own, a moment later.
          await page.waitForTimeout(500);
          await page.screenshot({ path: join(process.env['PICTURES'], `audio-${language}-${width}.png`) });
        }
      await page.context().close();
    },
  );

  it('keeps whether its words were open, and takes up what 1.0 has kept', async () => {
    const saved = { page: 1, seen: [0, 1], open: ['1.1.0', '1.5'], ticked: [], completed: false };
    const { page, content, frame, said } = await play('zh-CN', '1.1', JSON.stringify(saved));
    await content.getByText('高铃响，慢慢吸气').waitFor();
    expect(await content.locator('[data-action=reveal][aria-expanded=true]').count()).toBe(1);
    await content.locator('summary').click();
    await expect
      .poll(async () =>
        frame().evaluate(() =>
          (
            window as unknown as { H5P: { instances: { getCurrentState(): unknown }[] } }
          ).H5P.instances[0]!.getCurrentState(),
        ),
      )
      .toEqual({ ...saved, open: ['1.1.0'] });
    expect((await said())[0]!.context!.contextActivities!.category![0]!.id).toMatch(
      /H5P\.XinqiaoLesson-1\.1$/,
    );
    await page.context().close();
  });

  it('of which 1.0 knows nothing is played by 1.0 without it, beside the other', async () => {
    const { page, content, said } = await play('zh-CN', '1.0');
    await content.locator('[data-action=next]').click();
    await content.getByText('先歇一分钟').waitFor();
    expect(await content.locator('audio').count()).toBe(0);
    expect((await said())[0]!.context!.contextActivities!.category![0]!.id).toMatch(
      /H5P\.XinqiaoLesson-1\.0$/,
    );
    const { rows } = await service.database.pool.query(
      `select distinct minor_version from h5p_libraries where machine_name = 'H5P.XinqiaoLesson' order by 1`,
    );
    expect(rows).toEqual([{ minor_version: 0 }, { minor_version: 1 }]);
    await page.context().close();
  });
});
