import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startBucket, type TestBucket } from '../support/bucket.ts';
import { launchBrowser } from '../support/browser.ts';
import { startService, type TestService } from '../support/service.ts';
import {
  columnPackage,
  h5pJson,
  library,
  mediaPackage,
  pack,
  PIXEL,
  questionPackage,
  textPackage,
  type Files,
} from './packages.ts';
import { addAuthor, uploadPackage } from './upload.ts';

/** Packages of others' making in a real browser, from a service whose contents lie in a bucket. */
describe('an uploaded package that came out and in again', () => {
  let bucket: TestBucket;
  let service: TestService;
  let browser: Browser;
  let author: string;
  beforeAll(async () => {
    bucket = await startBucket();
    [service, browser] = await Promise.all([startService({ env: bucket.env }), launchBrowser()]);
    author = await addAuthor(service, 'author');
  });
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await bucket?.stop();
  });

  const playerOf = async (files: Files): Promise<string> => {
    const first = (await uploadPackage(service, author, await pack(files))).data.uploadH5p;
    const path = new URL(first.h5pContent.exportUrl as string).pathname;
    const bytes = Buffer.from(await (await service.fetch(path, author)).arrayBuffer());
    const again = (await uploadPackage(service, author, bytes)).data.uploadH5p;
    expect(again).toMatchObject({ added: false, h5pContent: { hash: first.h5pContent.hash } });
    return again.h5pContent.playerUrl as string;
  };
  /** As the teacher's page does: in a frame, opened by message. What the frame says is kept. */
  const play = async (url: string): Promise<Page> => {
    const page = await browser.newPage();
    await page.goto(`${service.app.publicUrl}/about-time`);
    await page.evaluate((src) => {
      const heard: unknown[] = [];
      Object.assign(window, { heard });
      const frame = document.createElement('iframe');
      window.addEventListener('message', (event) => {
        heard.push(event.data);
        if (event.data.type === 'ready')
          frame.contentWindow!.postMessage({ xinqiao: 1, type: 'open', state: null }, new URL(src).origin);
      });
      frame.src = src;
      document.body.append(frame);
    }, url);
    return page;
  };

  it.each<[string, () => Files, string[]]>([
    [
      'columns in columns, whose inner library the package leaves to the host',
      columnPackage,
      ['first', 'second', 'third'],
    ],
    [
      'questions',
      () => ({
        ...questionPackage(),
        'content/content.json': { questions: [{ library: 'H5P.TestText 1.0', params: { text: 'one' } }] },
      }),
      ['one'],
    ],
    ['a text', () => textPackage('你好，老师'), ['你好，老师']],
  ])('plays: %s', async (_name, files, texts) => {
    const page = await play(await playerOf(files()));
    const frame = page.frameLocator('iframe');
    for (const text of texts) await frame.locator('.test-text', { hasText: text }).waitFor();
    await frame.locator('.test-done').last().click();
    const completed = await page.waitForFunction(() =>
      (window as unknown as { heard: { type: string; statement?: string }[] }).heard.some(
        ({ type, statement }) =>
          type === 'statement' && JSON.parse(statement!).verb.id.endsWith('/completed'),
      ),
    );
    expect(await completed.jsonValue()).toBe(true);
    await page.close();
  });

  /** What the frame said of one thing or another. */
  const heard = async (page: Page, types: readonly string[]): Promise<{ type: string; why?: string }[]> =>
    (
      await page.waitForFunction((wanted) => {
        const its = (window as unknown as { heard: { type: string }[] }).heard;
        const found = its.filter(({ type }) => wanted.includes(type));
        return found.length > 0 ? found : undefined;
      }, types)
    ).jsonValue() as Promise<{ type: string; why?: string }[]>;

  it('plays on where a library beside the one that plays it breaks as it loads, and says so', async () => {
    const text = textPackage('还是能看');
    const page = await play(
      await playerOf({
        ...text,
        ...library('H5P.TestBroken', { runnable: 0, js: 'throw new Error("there is no such host");' }),
        'h5p.json': h5pJson('H5P.TestText 1.0', ['H5P.TestBroken 1.0']),
      }),
    );
    await page.frameLocator('iframe').locator('.test-text', { hasText: '还是能看' }).waitFor();
    expect(await heard(page, ['trouble', 'failed'])).toMatchObject([{ type: 'trouble' }]);
    await page.close();
  });

  it('says that a script is at fault where what plays it broke', async () => {
    const page = await play(
      await playerOf({
        'h5p.json': h5pJson('H5P.TestFaulty'),
        'content/content.json': { text: 'x' },
        ...library('H5P.TestFaulty', { js: 'H5P.TestFaulty = missing.thing;' }),
      }),
    );
    expect(await heard(page, ['opened', 'failed'])).toMatchObject([{ type: 'failed', why: 'script' }]);
    await page.close();
  });

  it('shows its pictures, from a bucket too', async () => {
    const page = await play(
      await playerOf({
        ...mediaPackage(PIXEL),
        'content/content.json': { picture: { path: 'images/图 1.PNG' } },
      }),
    );
    const picture = page.frameLocator('iframe').locator('img').first();
    await picture.waitFor({ state: 'attached' });
    await expect
      .poll(async () => picture.evaluate((image) => (image as HTMLImageElement).naturalWidth), {
        timeout: 20_000,
      })
      .toBe(1);
    await page.close();
  });
});
