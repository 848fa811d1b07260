import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, FrameLocator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { TestPlatform, type Link, type PlatformUser } from '../support/platform.ts';
import { assignTeachers, startService, type Learner, type TestService } from '../support/service.ts';
import { builtWeb } from '../support/web.ts';

const REGISTER = `mutation ($input: RegisterLtiPlatformInput!) { registerLtiPlatform(input: $input) { __typename ... on Refusal { message } } }`;
const COURSE: Link = { id: 'l1', custom: { xinqiao_course: 'core-gatekeeper' } };
const TEACHER: PlatformUser = { sub: 'u1', name: '王小明', personSourcedId: 't1' };

/* A platform's page on another site frames us, in a browser that keeps other sites' cookies from frames. */
describe('in the frame of a platform, with cookies of other sites off', () => {
  let service: TestService;
  let platform: TestPlatform;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let learners: Learner[];
  const complaints: string[] = [];

  beforeAll(async () => {
    const webFolder = await builtWeb();
    // The machine by its name and by its address are two sites.
    platform = await TestPlatform.start({ host: 'localhost' });
    service = await startService({ webFolder, env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1' } });
    const url = service.app.publicUrl;
    ({ learners } = await assignTeachers(service, ['t1']));
    await service.ask('operator', REGISTER, {
      input: {
        divisionCode: '430121',
        name: '县平台',
        issuer: platform.issuer,
        clientId: 'xinqiao',
        authUrl: platform.authUrl,
        keySetUrl: platform.keySetUrl,
        deploymentIds: ['d1'],
      },
    });
    platform.know({
      clientId: 'xinqiao',
      deploymentId: 'd1',
      loginUrl: `${url}/lti/login`,
      redirectUris: [`${url}/lti/launch`],
      keySetUrl: `${url}/lti/jwks.json`,
      targetUrl: `${url}/lti/launch`,
    });
    browser = await launchBrowser({ args: ['--test-third-party-cookie-phaseout'] });
    context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 360, height: 740 } });
    page = await context.newPage();
    page.on('console', (message) => {
      if (/content security policy|refused to/i.test(message.text())) complaints.push(message.text());
    });
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await service.stop();
    await platform.stop();
    if (platform.complaints.length > 0) throw new Error(platform.complaints.join('\n'));
  });

  /** The course page of the platform, with the link in its frame. */
  const opened = async (
    user: PlatformUser,
    { storage = false }: { storage?: boolean } = {},
  ): Promise<FrameLocator> => {
    const more = storage ? { lti_storage_target: '_parent' } : {};
    const source = `${service.app.publicUrl}/lti/login?${new URLSearchParams(
      platform.initiation('xinqiao', user, COURSE, more),
    ).toString()}`;
    await page.goto(
      `${platform.issuer}/course?${new URLSearchParams({ source, ...(storage ? { storage: '1' } : {}) }).toString()}`,
    );
    return page.frameLocator('iframe[name="tool"]');
  };
  it('opens the teacher’s own course by a partitioned cookie, plays in it, and leaves no secret in an address', async () => {
    const frame = await opened(TEACHER);
    await frame.locator('a[href*="/activities/"]').first().waitFor();
    const inside = page.frames().find((each) => each.url().startsWith(service.app.publicUrl))!;
    expect(decodeURIComponent(new URL(inside.url()).pathname)).toBe(
      `/assignments/${learners[0]!.assignmentId}`,
    );
    expect(inside.url()).not.toMatch(/[?#]/);
    // No cookie is a session, and the one of the login is gone.
    expect((await context.cookies()).filter(({ name }) => name.includes('xinqiao'))).toEqual([]);
  }, 120_000);

  it('plays contents there, in a frame within the frame', async () => {
    const frame = await opened(TEACHER);
    await frame.locator('a[href*="/activities/"]').first().click();
    const player = frame.frameLocator('iframe');
    await player.locator('.h5p-content, .h5p-iframe').first().waitFor({ timeout: 30_000 });
    expect(complaints).toEqual([]);
  }, 120_000);

  it('tells the platform how high each page is, once it has settled, and never grows with its frame', async () => {
    interface Told {
      readonly subject: string;
      readonly height: number;
    }
    const heights = async (): Promise<number[]> =>
      (await page.evaluate(() => (window as unknown as { told: (Told | string)[] }).told)).flatMap((each) =>
        typeof each === 'object' && each.subject === 'lti.frameResize' ? [each.height] : [],
      );
    const frame = await opened(TEACHER);
    const first = frame.locator('a[href*="/activities/"]').first();
    await first.waitFor();
    const inside = page.frames().find((each) => each.url().startsWith(service.app.publicUrl))!;
    const overflow = async () =>
      inside.evaluate(() => [
        document.documentElement.scrollHeight - window.innerHeight,
        Math.max(480, Math.ceil(document.body.getBoundingClientRect().height)) - window.innerHeight,
      ]);
    await expect.poll(overflow, { timeout: 10_000 }).toEqual([0, 0]);
    expect((await heights()).at(-1)).toBeGreaterThan(700);
    // Not for what is only loading.
    expect((await heights()).every((height) => height >= 700)).toBe(true);
    // What reads text alone has it as text.
    expect(await page.evaluate(() => (window as unknown as { told: unknown[] }).told)).toContain(
      JSON.stringify({ subject: 'lti.frameResize', height: (await heights()).at(-1)! }),
    );
    // A frame that is higher than it was asked for makes nothing grow.
    const count = (await heights()).length;
    await page.evaluate(() => {
      document.querySelector('iframe')!.style.height = '4000px';
    });
    await page.waitForTimeout(1_000);
    expect(await heights()).toHaveLength(count);
    // Nor is it told again and again while somebody reads.
    expect(count).toBeLessThan(10);
    // A dialog is where it was asked for, not in the middle of a long page.
    await frame
      .getByRole('button', { name: /需要帮助/ })
      .first()
      .click();
    const box = (await inside.locator('dialog[open]').boundingBox())!;
    expect(box.y).toBeLessThan(700);
    await page.keyboard.press('Escape');
    // Another page has another height, and begins at its top.
    await first.click();
    await expect
      .poll(async () =>
        page.evaluate(() =>
          (window as unknown as { told: (Told | string)[] }).told.some(
            (each) => typeof each === 'object' && each.subject === 'lti.scrollToTop',
          ),
        ),
      )
      .toBe(true);
    await expect.poll(async () => (await heights()).length).toBeGreaterThan(count);
    await expect.poll(overflow, { timeout: 20_000 }).toEqual([0, 0]);
  }, 120_000);

  it('says nothing to a page that no launch has named, and nothing outside of a frame', async () => {
    const frame = await opened(TEACHER);
    await frame.locator('a[href*="/activities/"]').first().waitFor();
    // In a window of its own: it is its own parent, and would hear itself.
    const alone = await context.newPage();
    await alone.addInitScript(() => {
      const heard: unknown[] = [];
      Object.assign(window, { heard });
      window.addEventListener('message', ({ data }) => heard.push(data));
    });
    await alone.goto(`${service.app.publicUrl}/about-time`);
    await alone.locator('h1').waitFor();
    await alone.waitForTimeout(500);
    expect(await alone.evaluate(() => (window as unknown as { heard: unknown[] }).heard)).toEqual([]);
    expect(await alone.evaluate(() => document.documentElement.classList.contains('framed'))).toBe(false);
    await alone.close();
  }, 60_000);

  it('does so by the platform’s storage where no cookie is kept at all', async () => {
    // As in a browser that keeps none, not even a partitioned one: what the login left is gone when the platform
    // sends the browser back. (A redirect is not caught here.)
    await page.route(`${service.app.publicUrl}/lti/launch`, async (route) => {
      await context.clearCookies();
      await route.continue();
    });
    await opened(TEACHER, { storage: true });
    await expect
      .poll(() => page.frames().some((each) => each.url().includes('/assignments/')), { timeout: 20_000 })
      .toBe(true);
  }, 120_000);

  it('and in a window of its own where there is no storage either', async () => {
    const frame = await opened(TEACHER);
    const link = frame.getByRole('link', { name: '在新窗口中打开课程' });
    await link.waitFor();
    const inside = page.frames().find((each) => each.url().startsWith(service.app.publicUrl))!;
    expect(await inside.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(360);
    const [opening] = await Promise.all([context.waitForEvent('page'), link.press('Enter')]);
    await opening.waitForURL(/\/assignments\//);
    const { violations } = await new AxeBuilder({ page: opening }).analyze();
    expect(violations.map(({ id }) => id)).toEqual([]);
    // A window of its own has its session over a reload.
    await opening.reload();
    await opening.locator('h1').waitFor();
    expect(await opening.getByText('请从学校的教学平台打开课程').count()).toBe(0);
    await opening.close();
    await page.unroute(`${service.app.publicUrl}/lti/launch`);
  }, 120_000);

  it('says to whoever is not known what happens now, and by which number to ask', async () => {
    const frame = await opened({ sub: 'u2', name: '李四', personSourcedId: 't99' });
    await frame.getByRole('heading', { name: '请稍候：正在核对您是谁' }).waitFor();
    await frame.getByText('登记号').waitFor();
    expect(await frame.getByText('登记号').count()).toBe(1);
  }, 120_000);

  it('is framed by nobody else', async () => {
    await page.goto(
      `${platform.issuer}/course?${new URLSearchParams({ source: `${service.app.publicUrl}/` }).toString()}`,
    );
    await expect
      .poll(() => complaints.some((each) => /frame-ancestors|framing|to frame/i.test(each)), {
        timeout: 10_000,
      })
      .toBe(true);
  }, 60_000);
});
