import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { assignTeachers, startService, type Learner, type TestService } from '../support/service.ts';
import { builtWeb } from '../support/web.ts';
import { PHONE } from './page.ts';
import { makeCourses } from './playing.ts';
import { playWhole } from './teacher.ts';

const PLAYER = /\/player\/[0-9a-f]{40}/;

/** In a real browser, on a phone, from the teacher's page: each content type of ours, and one content that means harm. */
describe('a content', { timeout: 120_000 }, () => {
  let courses: string;
  let service: TestService;
  let browser: Browser;
  let learner: Learner;
  const contexts: BrowserContext[] = [];
  beforeAll(async () => {
    courses = await makeCourses();
    browser = await launchBrowser();
    service = await startService({ webFolder: await builtWeb(), coursesFolder: courses });
    ({
      learners: [learner],
    } = (await assignTeachers(service, ['t1'])) as unknown as { learners: [Learner] });
  }, 120_000);
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
  });
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await rm(courses, { recursive: true, force: true });
  });

  /** As on another device: nothing is shared with what was opened before. */
  const open = async (key: string): Promise<{ page: Page; content: FrameLocator; errors: string[] }> => {
    const context = await browser.newContext({
      viewport: PHONE,
      locale: 'zh-CN',
      reducedMotion: 'reduce',
    });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const errors: string[] = [];
    page.on('pageerror', (error) => errors.push(error.message));
    await page.addInitScript((token) => {
      if (location.protocol.startsWith('http') && window === window.top)
        sessionStorage.setItem('xinqiao.session', token);
    }, `sample:${learner.key}`);
    await page.goto(
      `${service.app.publicUrl}/assignments/${encodeURIComponent(learner.assignmentId)}/activities/${key}`,
    );
    return { page, content: page.frameLocator('.player iframe'), errors };
  };
  const stateOf = async (key: string): Promise<string> => {
    const { data } = await service.ask(
      learner.key,
      `query ($id: ID!) { node(id: $id) { ... on Assignment { activities { state activity { key } } } } }`,
      { id: learner.assignmentId },
    );
    return (data.node.activities as { state: string; activity: { key: string } }[]).find(
      ({ activity }) => activity.key === key,
    )!.state;
  };
  const savedOf = async (key: string): Promise<unknown> => {
    const { rows } = await service.database.pool.query<{ data: unknown }>(
      'select data from user_states where activity_key = $1',
      [key],
    );
    const data = rows[0]?.data;
    return typeof data === 'string' ? (JSON.parse(data) as unknown) : data;
  };
  const statementsOf = async (key: string) =>
    (
      await service.database.pool.query<{ statement: Record<string, unknown> }>(
        'select statement from statements where activity_key = $1 order by stored_at',
        [key],
      )
    ).rows.map(({ statement }) => statement);
  const look = async (page: Page, name: string): Promise<void> => {
    expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThan(
      1,
    );
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => `${id} ${nodes.map((node) => node.html).join()}`)).toEqual([]);
    if (process.env['PICTURES'] !== undefined)
      await page.screenshot({ path: join(process.env['PICTURES'], `${name}.png`), fullPage: true });
  };

  it.each([
    ['a lesson', 'signs-lesson', 7],
    ['a sorting of cards', 'signs-sort', 5],
    ['a set of questions', 'signs-practice', 4],
    ['a reflection', 'reflection', 2],
    ['a conversation', 'conversation', 2],
  ])('%s is left half-way, taken up on another device, and played to its end', async (_name, key, steps) => {
    const first = await open(key);
    await first.content.locator('[data-xinqiao]').waitFor();
    await playWhole(first.content, steps);
    const left = await first.content.locator('.xq').innerText();
    // As when the phone is put away; what the service has then is what is shown.
    const state = await first.content.locator('body').evaluate(() => {
      document.dispatchEvent(new Event('visibilitychange'));
      const { H5P } = window as unknown as { H5P: { instances: { getCurrentState(): unknown }[] } };
      return JSON.parse(JSON.stringify(H5P.instances[0]!.getCurrentState())) as unknown;
    });
    await expect.poll(async () => savedOf(key), { timeout: 15_000 }).toEqual(state);
    await look(first.page, `${key}-middle`);
    await first.page.close();

    const second = await open(key);
    await second.content.locator('[data-xinqiao]').waitFor();
    expect(await second.content.locator('.xq').innerText()).toBe(left);
    await playWhole(second.content);
    await second.page.locator('p.done').waitFor();
    // The main job looks at the ends of the others.
    if (key === 'reflection' || key === 'conversation') await look(second.page, `${key}-end`);
    expect(await stateOf(key)).toBe('COMPLETED');
    expect([...first.errors, ...second.errors]).toEqual([]);
  });

  it('keeps what a learner wrote for themselves out of every statement', async () => {
    const statements = await statementsOf('reflection');
    expect(statements.length).toBeGreaterThan(0);
    expect(JSON.stringify(statements)).not.toContain('想到的');
    expect(JSON.stringify(await savedOf('reflection'))).toContain('想到的');
  });

  it('that means harm reaches nothing of the service, and leaves nothing behind', async () => {
    const { page, content, errors } = await open('hostile');
    await content.locator('#harm').waitFor();
    const frame = page.frames().find((each) => each.url().includes('/player/'))!;
    await expect
      .poll(
        async () => frame.evaluate(() => Object.keys((window as unknown as { found: object }).found).length),
        { timeout: 15_000 },
      )
      .toBeGreaterThanOrEqual(21);
    const found = await frame.evaluate(() => (window as unknown as { found: Record<string, string> }).found);
    const did = Object.entries(found).filter(([, outcome]) => !outcome.startsWith('refused'));
    expect(Object.fromEntries(did)).toEqual({
      left: 'did: ||',
      leftDatabase: 'did: 0',
      // A script that does not run, a window that was not opened, and a cookie that goes with its page.
      inlineScript: 'did: nothing',
      topOpen: 'did: null',
      cookie: 'did: mark=here',
    });
    expect(page.url()).toContain('/activities/hostile');

    // A window that somebody's click opens is no way back.
    const [opened] = await Promise.all([
      page.context().waitForEvent('page'),
      content.locator('#window').click(),
    ]);
    await opened.waitForLoadState();
    expect(await opened.evaluate(() => window.opener)).toBeNull();
    expect(
      await frame.evaluate(() => {
        try {
          return (window as unknown as { opened: Window | null }).opened?.document.title ?? 'closed';
        } catch {
          return 'closed';
        }
      }),
    ).toBe('closed');
    await opened.close();
    expect(errors).toEqual([]);

    // The next content on this device, with the same origin.
    await page.reload();
    await content.locator('#harm').waitFor();
    const next = page.frames().find((each) => each.url().includes('/player/'))!;
    expect(await next.evaluate(() => (window as unknown as { found: { left: string } }).found.left)).toBe(
      'did: ||',
    );

    // A form would take the frame to the service.
    await next.evaluate(() => (window as unknown as { sendForm(): void }).sendForm()).catch(() => undefined);
    await page.getByRole('alert').filter({ hasText: '离开了自己的页面' }).waitFor();
  });

  it('speaks for nobody else, for no other activity, in no other shape, and not without end', async () => {
    const { page, content, errors } = await open('hostile');
    await content.locator('#harm').waitFor();
    const before = await stateOf('listen-lesson');
    const send = async (messages: unknown[]): Promise<void> => {
      const frame = page.frames().find((each) => each.url().includes('/player/'))!;
      await frame.evaluate((all) => {
        for (const each of all) parent.postMessage(each, '*');
      }, messages);
    };
    await send([
      null,
      7,
      'statement',
      [],
      { xinqiao: 2, type: 'statement', statement: '{}' },
      { xinqiao: 1, type: 'statement', statement: { verb: 'an object' } },
      { xinqiao: 1, type: 'statement', statement: '{' },
      { xinqiao: 1, type: 'statement', statement: '[]' },
      { xinqiao: 1, type: 'statement', statement: `${'['.repeat(30_000)}${']'.repeat(30_000)}` },
      { xinqiao: 1, type: 'statement', statement: JSON.stringify({ x: 'x'.repeat(70_000) }) },
      { xinqiao: 1, type: 'state', data: { x: 1 } },
      { xinqiao: 1, type: 'state', data: 'x'.repeat(200_000) },
      { xinqiao: 1, type: 'height', pixels: '900' },
      { xinqiao: 1, type: 'height', pixels: Number.POSITIVE_INFINITY },
      { xinqiao: 1, type: 'failed', why: 'because', detail: 'x' },
      { xinqiao: 1, type: 'signOut' },
    ]);
    await send([
      {
        xinqiao: 1,
        type: 'statement',
        // What a page would say for another: none of it decides who or what it is about.
        assignmentId: 'QXNzaWdubWVudDo5OTk=',
        activityKey: 'listen-lesson',
        statement: JSON.stringify({
          actor: {
            objectType: 'Agent',
            name: '别人',
            account: { homePage: 'https://x.example', name: 'someone-else' },
          },
          verb: { id: 'http://adlnet.gov/expapi/verbs/answered' },
          object: { id: 'https://content.example/listen-lesson' },
          timestamp: '2020-01-01T00:00:00Z',
        }),
      },
    ]);
    const forged = await expect
      .poll(async () => (await statementsOf('hostile')).at(-1), { timeout: 15_000 })
      .toBeDefined()
      .then(async () => (await statementsOf('hostile')).at(-1)!);
    expect(JSON.stringify(forged)).not.toContain('someone-else');
    expect(JSON.stringify(forged)).not.toContain('别人');
    expect(await stateOf('listen-lesson')).toBe(before);
    expect(errors).toEqual([]);
    expect(await content.locator('#harm').isVisible()).toBe(true);

    const stored = (await statementsOf('hostile')).length;
    await send(
      Array.from({ length: 5_000 }, () => ({
        xinqiao: 1,
        type: 'statement',
        statement: JSON.stringify({
          verb: { id: 'http://x.example/flood' },
          object: { id: 'http://x.example/o' },
        }),
      })),
    );
    await page.getByRole('alert').filter({ hasText: '消息太多' }).waitFor();
    await look(page, 'flooded');
    await expect
      .poll(async () => (await statementsOf('hostile')).length, { timeout: 15_000 })
      .toBeLessThanOrEqual(stored + 450);

    await page.getByRole('button', { name: '重新打开' }).click();
    await content.locator('#harm').waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
    // It leaves its page for another of the same origin, which would get its state and speak for it.
    await page
      .frames()
      .find((each) => each.url().includes('/player/'))!
      .evaluate(() => location.reload())
      .catch(() => undefined);
    await page.getByRole('alert').filter({ hasText: '离开了自己的页面' }).waitFor();
  });

  it('that can’t be opened says why, and can be opened again', async () => {
    const { page } = await open('reflection');
    await page.locator('.player-open').waitFor();
    // A file that does not come.
    await page.route('**/reflection.js', async (route) => route.abort());
    await page.reload();
    await page.getByRole('alert').filter({ hasText: '网络不畅' }).waitFor();
    expect(await page.getByRole('alert').count()).toBeGreaterThan(0);
    await look(page, 'failed');
    await page.unroute('**/reflection.js');
    await page.getByRole('button', { name: '重新打开' }).click();
    await page.locator('.player-open').waitFor();

    const player = await (
      await fetch(
        page
          .frames()
          .find((each) => each.url().includes('/player/'))!
          .url(),
      )
    ).text();
    const answer = (change: (text: string) => string) => async (): Promise<void> => {
      await page.unroute(PLAYER);
      await page.route(PLAYER, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: change(player) });
      });
      await page.reload();
    };
    await answer((text) => text.replace('data-missing=""', 'data-missing="H5P.Missing-1.2"'))();
    await page.getByRole('alert').filter({ hasText: '缺少组件 H5P.Missing-1.2' }).waitFor();
    await answer(() => '<p>nothing</p>')();
    await page.getByRole('alert').filter({ hasText: '网络不畅' }).waitFor();
  });
});
