import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectFolder } from '../../src/config.ts';
import { packageFormats, type PackageFormat } from '../../src/lti/package.ts';
import { launchBrowser } from '../support/browser.ts';
import { ALL_SCOPES, registerPlatform } from '../support/registered.ts';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  until,
  type Learner,
  type TestService,
} from '../support/service.ts';
import { LaunchClient, launchOf, TestPlatform, noComplaints } from '../support/platform.ts';
import { builtWeb } from '../support/web.ts';

const DL = 'https://purl.imsglobal.org/spec/lti-dl/claim/content_items';

/** A platform without LTI: its page has SCORM's API, by a runtime that is not ours, and shows what is in a package. */
async function startScormPlatform(service: TestService): Promise<{ url: string; server: Server }> {
  const runtime = async (name: string): Promise<string> =>
    readFile(join(projectFolder, 'node_modules/scorm-again/dist', `${name}.min.js`), 'utf8');
  const [older, newer] = await Promise.all([runtime('scorm12'), runtime('scorm2004')]);
  const server = createServer((request, response) => {
    const [, format, file = ''] = new URL(request.url!, 'http://x').pathname.split('/');
    const known = packageFormats.find((each) => each === format);
    void (async () => {
      const files =
        known === undefined ? undefined : await service.app.services.packages.files('core-gatekeeper', known);
      if (files === undefined) response.writeHead(404).end();
      else if (file === 'player')
        response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(`<!doctype html>
<html lang="zh-CN"><head><title>教学平台</title><script>${known === 'scorm-1.2' ? older : newer}</script></head><body style="margin:0"><script>
window.${known === 'scorm-1.2' ? 'API = new Scorm12API' : 'API_1484_11 = new Scorm2004API'}({ autocommit: false, logLevel: 5 });
</script><iframe title="课程" src="index.html" style="border:0;width:100%;height:600px"></iframe></body></html>`);
      else
        response
          .writeHead(files.has(file) ? 200 : 404, {
            'content-type': file.endsWith('.js') ? 'text/javascript' : 'text/html; charset=utf-8',
          })
          .end(files.get(file));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, server };
}

describe('in a browser, for whoever comes from a platform', () => {
  let service: TestService;
  let platform: TestPlatform;
  let scorm: { url: string; server: Server };
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let learners: Learner[];

  beforeAll(async () => {
    const webFolder = await builtWeb();
    platform = await TestPlatform.start();
    service = await startService({
      webFolder,
      env: { OUTBOUND_ALLOW: 'localhost,127.0.0.1', XINQIAO_SAMPLES: 'staff' },
    });
    ({ learners } = await assignTeachers(service, ['t1']));
    await registerPlatform(service, platform, { scopes: ALL_SCOPES });
    scorm = await startScormPlatform(service);
    browser = await launchBrowser();
    context = await browser.newContext({ locale: 'zh-CN', viewport: { width: 360, height: 740 } });
    page = await context.newPage();
  }, 180_000);
  afterAll(async () => {
    await browser.close();
    await service.stop();
    scorm.server.closeAllConnections();
    await new Promise((resolve) => scorm.server.close(resolve));
    await platform.stop();
    noComplaints(platform);
  });

  const isWide = async (at: Page): Promise<boolean> =>
    at.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  const faults = async (at: Page) =>
    (await new AxeBuilder({ page: at }).analyze()).violations.map(({ id, nodes }) => [id, nodes[0]?.html]);

  it('chooses what is linked by searching, with the keyboard alone, on a phone', async () => {
    const answer = await new LaunchClient(service.app.publicUrl).open(
      platform,
      'xinqiao',
      { sub: 'i', name: '李老师' },
      { id: 'unused' },
      { alter: (claims) => platform.choosing(claims) },
    );
    // Where the launch would have come out: the browser is shown the same page, under the same policy.
    const headers = { 'content-security-policy': answer.headers.get('content-security-policy')! };
    const html = await answer.text();
    await page.route('**/lti/launch', async (route) =>
      route.fulfill({ status: 200, contentType: 'text/html; charset=utf-8', headers, body: html }),
    );
    await page.goto(`${service.app.publicUrl}/lti/launch`);
    expect(await faults(page)).toEqual([]);
    expect(await isWide(page)).toBe(false);
    const choices = await page.locator('.choice:visible').count();
    await page.keyboard.press('Tab');
    await page.keyboard.type('没有这样的课');
    expect(await page.locator('#found').textContent()).toContain('没有找到');
    await page.locator('#search').fill('守门人');
    expect(await page.locator('.choice:visible').count()).toBeLessThanOrEqual(choices);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await page.locator('#send').textContent()).toBe('添加 2 项');
    await page.locator('#send').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: '已添加' }).waitFor();
    expect(platform.services.selections.at(-1)![DL]).toHaveLength(2);
  });

  it('sees that the platform has the grade, and has it sent again', async () => {
    const launched = await new LaunchClient(service.app.publicUrl).open(
      platform,
      'xinqiao',
      { sub: 'u1', name: '王小明', personSourcedId: 't1' },
      { id: 'l1', title: '守门人', custom: { xinqiao_course: 'core-gatekeeper' } },
    );
    expect(launchOf(await launched.text())).toBeDefined();
    await finishActivities(service, learners[0]!);
    await until(async () => (platform.services.scores.length > 0 ? true : undefined));
    await page.goto(`${service.app.publicUrl}/?sign-in=t1`);
    await page.waitForURL(`${service.app.publicUrl}/`);
    await page.goto(`${service.app.publicUrl}/assignments/${encodeURIComponent(learners[0]!.assignmentId)}`);
    const told = page.getByRole('region', { name: '学校平台的成绩' });
    await told.getByText('学习进度已于').waitFor();
    expect(await faults(page)).toEqual([]);
    expect(await isWide(page)).toBe(false);
    platform.services.mishaps.push({ status: 403 });
    await service.database.pool.query(`update lti_grades set sent_at = sent_at - interval '5 minutes'`);
    await told.getByRole('button', { name: /再发一次/ }).click();
    await told.getByText('学校平台没有接收').waitFor();
    await told.getByRole('button', { name: /再发一次/ }).click();
    await told.getByText('学习进度已于').waitFor();
  });

  const state = async (format: PackageFormat, at: Page): Promise<Record<string, string>> =>
    at.evaluate((older) => {
      // As the runtime holds it: nobody may ask the API once the attempt has ended.
      type Held = Record<string, string> & { readonly score: { readonly raw: string } };
      const { API, API_1484_11 } = window as unknown as Record<string, { cmi: Held & { core: Held } }>;
      if (older) return { status: API!.cmi.core['lesson_status']!, score: API!.cmi.core.score.raw };
      const { cmi } = API_1484_11!;
      return {
        status: cmi['completion_status']!,
        success: cmi['success_status']!,
        score: cmi.score.raw,
      };
    }, format === 'scorm-1.2');

  it('opens a course out of a package, agrees, and the platform’s runtime has the result', async () => {
    const pages: Page[] = [];
    for (const format of packageFormats) {
      const shown = await context.newPage();
      pages.push(shown);
      await shown.goto(`${scorm.url}/${format}/player`);
      const frame = shown.frameLocator('iframe');
      const [opened] = await Promise.all([
        context.waitForEvent('page'),
        frame.getByRole('button', { name: /打开课程/ }).click(),
      ]);
      await opened.waitForLoadState();
      // Who is not signed in signs in first; the question waits.
      if ((await opened.getByRole('button', { name: '同意并开始学习' }).count()) === 0) {
        await opened.goto(`${service.app.publicUrl}/?sign-in=t1`);
      }
      await opened.getByRole('button', { name: '同意并开始学习' }).waitFor();
      expect(await opened.getByText(scorm.url).count()).toBe(1);
      expect(await faults(opened)).toEqual([]);
      await opened.getByRole('button', { name: '同意并开始学习' }).click();
      await opened.waitForURL(/\/assignments\//);
      await frame.getByText('学习中').waitFor();
      expect((await state(format, shown))['status']).toBe('incomplete');
      await opened.close();
    }
    const attempt = await sitExam(service, learners[0]!, { right: true });
    await service.ask('t1', SUBMIT, { id: attempt });
    for (const [at, format] of packageFormats.entries()) {
      await pages[at]!.frameLocator('iframe').getByText('已通过').waitFor({ timeout: 30_000 });
      expect(await state(format, pages[at]!)).toEqual(
        format === 'scorm-1.2'
          ? { status: 'passed', score: '100' }
          : { status: 'completed', success: 'passed', score: '100' },
      );
      await pages[at]!.close();
    }
  });

  it('tells the page of a package nothing that nobody agreed to, and not to two', async () => {
    const ask = async (body: string) =>
      (await fetch(`${service.app.publicUrl}/packages/state`, { method: 'POST', body })).json();
    const unknown = { state: 'unknown', score: null, progress: 0 };
    for (const code of ['', 'x', 'ab'.repeat(32), 'AB'.repeat(32), 'ab'.repeat(5_000)])
      expect(await ask(code)).toEqual(unknown);
    const AGREE = `mutation ($input: AgreeToPackageInput!) { agreeToPackage(input: $input) { __typename ... on Refusal { code } } }`;
    const agree = async (as: string | null, input: object) =>
      (await service.ask(as, AGREE, { input: { course: 'core-gatekeeper', ...input } })).data.agreeToPackage;
    const code = 'cd'.repeat(32);
    expect((await agree(null, { code })).code).toBe('NOT_SIGNED_IN');
    expect((await agree('t1', { code: 'cd' })).code).toBe('INVALID_INPUT');
    expect((await agree('t1', { code, course: 'no-such-course' })).code).toBe('NOT_FOUND');
    expect((await agree('hr', { code })).code).toBe('NOT_FOUND');
    expect((await agree('t1', { code })).__typename).toBe('AgreeToPackagePayload');
    expect(await ask(code)).toMatchObject({ state: 'passed', score: 100, progress: 100 });
    expect((await service.fetch('/packages/core-gatekeeper/scorm-1.2.zip')).headers.get('content-type')).toBe(
      'application/zip',
    );
    for (const path of ['/packages/no-such-course/scorm-1.2.zip', '/packages/core-gatekeeper/cmi5.zip'])
      expect((await service.fetch(path)).status).toBe(404);
  });
});
