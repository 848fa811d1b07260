import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import {
  assignTeachers,
  finishActivities,
  sitExam,
  startService,
  SUBMIT,
  TestClock,
  type Learner,
  type TestService,
} from '../support/service.ts';
import { builtWeb } from '../support/web.ts';

describe('how sure one feels, in a real browser', { timeout: 180_000 }, () => {
  let service: TestService;
  let browser: Browser;
  let page: Page;
  let learners: Learner[];
  const complaints: string[] = [];

  beforeAll(async () => {
    [browser, service] = await Promise.all([
      launchBrowser(),
      startService({
        clock: new TestClock('2030-03-04T04:00:00Z'),
        webFolder: await builtWeb(),
        env: { XINQIAO_SAMPLES: 'staff' },
      }),
    ]);
    ({ learners } = await assignTeachers(service, ['t1', 't2']));
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'zh-CN' });
    page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  const isOpenToAll = async (name: string): Promise<void> => {
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wider).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
    const shots = process.env['XINQIAO_PICTURES'];
    if (shots !== undefined) await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
  };
  const enter = async (key: string): Promise<void> => {
    await page.evaluate(() => sessionStorage.clear()).catch(() => undefined);
    await page.goto(`${service.app.publicUrl}/?sign-in=${key}`);
    await page.getByRole('heading', { level: 1, name: '您好' }).waitFor();
  };
  const answers = async () =>
    (
      await service.database.pool.query(
        'select wave, answers from efficacy_answers e join assignments a on a.id = e.assignment_id order by person_id, wave',
      )
    ).rows;

  it('is offered when a course is opened, and gone at one tap', async () => {
    await enter('t2');
    // The time before is no news for the first page.
    expect(await page.getByRole('button', { name: '这次不填' }).count()).toBe(0);
    await page.getByRole('link', { name: '开始学习' }).click();
    await page.getByRole('heading', { name: '开始之前，先看看此刻的自己' }).waitFor();
    await isOpenToAll('offer');
    await page.getByRole('button', { name: '这次不填' }).click();
    await page.getByText('好的，这次不填').waitFor();
    await page.reload();
    await page.getByRole('heading', { level: 2, name: '考试' }).waitFor();
    expect(await page.getByRole('button', { name: '这次不填' }).count()).toBe(0);
    expect(await answers()).toEqual([{ wave: 'before', answers: null }]);
  });

  it('is answered with the keyboard alone, whole or not at all', async () => {
    await enter('t1');
    await page.getByRole('link', { name: '开始学习' }).click();
    await page.getByRole('link', { name: '填一填' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { level: 1, name: '我有多大把握' }).waitFor();
    await isOpenToAll('form');
    const groups = page.locator('.scale fieldset');
    const count = await groups.count();
    expect(count).toBe(10);
    await groups.first().getByRole('radio').first().focus();
    for (let at = 0; at < count; at += 1) {
      // The second of the answers; the fourth is left out.
      if (at !== 3) {
        await page.keyboard.press('Space');
        await page.keyboard.press('ArrowRight');
      }
      await page.keyboard.press('Tab');
    }
    await page.getByText('已选 9 / 10 句').waitFor();
    await page.getByRole('button', { name: '填好了' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('还有 1 句没有选').waitFor();
    await isOpenToAll('missing');
    expect(await answers()).toHaveLength(1);
    // The focus went to what is missing.
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowRight');
    await page.getByText('已选 10 / 10 句').waitFor();
    await page.keyboard.press('Enter');
    await page.getByText('收到了，谢谢您').waitFor();
    await page.getByText('这是您第一次填写').waitFor();
    await isOpenToAll('first');
    expect(await answers()).toContainEqual({ wave: 'before', answers: Array.from({ length: 10 }, () => 2) });
  });

  it('is offered on the first page after the pass, and shows the change, which may be taken back', async () => {
    const [learner] = learners;
    await finishActivities(service, learner!);
    await service.ask('t1', SUBMIT, { id: await sitExam(service, learner!, { right: true }) });
    await enter('t1');
    await page.getByRole('heading', { name: '学完了，再看看自己的变化' }).waitFor();
    await isOpenToAll('home');
    await page.getByRole('link', { name: '填一填' }).click();
    await page.locator('.scale fieldset').first().waitFor();
    // What was answered before is not shown beside what is asked now.
    expect(await page.getByText('逐句看看').count()).toBe(0);
    for (const group of await page.locator('.scale fieldset').all())
      await group.getByText('比较有把握').click();
    await page.getByRole('button', { name: '填好了' }).click();
    await page.getByText('您心里更有底了').waitFor();
    await isOpenToAll('change');
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByText('you feel surer').waitFor();
    await isOpenToAll('change-en');
    await page.getByRole('button', { name: 'Take back: After' }).click();
    await page.getByRole('button', { name: 'Take back and delete' }).click();
    await page.getByText('This is your first time').waitFor();
    await isOpenToAll('withdrawn-en');
    expect(await answers()).toContainEqual({ wave: 'after', answers: null });
    expect(complaints).toEqual([]);
  });
});
