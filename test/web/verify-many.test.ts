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
  until,
  type TestService,
} from '../support/service.ts';
import { builtWeb } from '../support/web.ts';

interface Mine {
  readonly number: string;
  readonly verificationUrl: string;
  readonly holderName: string;
}

describe('lists, documents and the log on the verification page', { timeout: 180_000 }, () => {
  let service: TestService;
  let browser: Browser;
  let page: Page;
  let mine: Mine;
  let pdf: Buffer;
  const complaints: string[] = [];

  const open = async (title: string): Promise<void> => page.locator('summary', { hasText: title }).click();
  const isOpenToAll = async (name: string): Promise<void> => {
    const shots = process.env['XINQIAO_PICTURES'];
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(wider).toBeLessThanOrEqual(0);
      if (shots !== undefined)
        await page.screenshot({ path: join(shots, `${name}-${width}.png`), fullPage: true });
    }
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
  };

  beforeAll(async () => {
    [browser, service] = await Promise.all([
      launchBrowser(),
      startService({ webFolder: await builtWeb(), env: { XINQIAO_SAMPLES: 'staff' } }),
    ]);
    const { learners } = await assignTeachers(service, ['t1']);
    const [learner] = learners;
    await finishActivities(service, learner!);
    await service.ask(learner!.key, SUBMIT, { id: await sitExam(service, learner!, { right: true }) });
    mine = await until(
      async () =>
        (await service.ask(learner!.key, '{ viewer { certificates { number verificationUrl holderName } } }'))
          .data.viewer.certificates[0] as Mine | undefined,
    );
    pdf = Buffer.from(
      await (await service.fetch(`/certificates/${mine.number}.pdf`, learner!.key)).arrayBuffer(),
    );
    await service.app.services.transparency.sequence();
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'zh-CN' });
    page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => complaints.push(error.message));
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it('verifies a list that is pasted, and gives the result as a workbook', async () => {
    await page.goto(`${service.app.publicUrl}/verify`);
    await open('核验一份名单');
    await page
      .getByLabel('每行一个编号，空格后写姓名')
      .fill(`${mine.number} ${mine.holderName}\nXQ2026-0000-0000-0000\t王芳\n${mine.number.slice(0, -1)}\n`);
    await page.getByRole('button', { name: '核验名单' }).click();
    await page.locator('.list-rows li').first().waitFor();
    expect(await page.locator('.list-rows li.good').innerText()).toContain('姓名一致');
    expect(await page.locator('details[open] .big').innerText()).toContain('共 3 行，其中 2 行需要留意');
    await isOpenToAll('list');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: /下载结果/ }).click();
    expect((await download).suggestedFilename()).toBe('核验结果.xlsx');
  });

  it('checks documents, each step told, and says of a changed one that it is not the original', async () => {
    await page.goto(`${service.app.publicUrl}/verify`);
    await open('核验 PDF 文件');
    const changed = Buffer.from(pdf);
    changed[changed.length - 60]! ^= 1;
    await page.getByLabel('拖到这里，或选择文件').setInputFiles([
      { name: '原件.pdf', mimeType: 'application/pdf', buffer: pdf },
      { name: '改过.pdf', mimeType: 'application/pdf', buffer: changed },
      { name: '不是.pdf', mimeType: 'application/pdf', buffer: Buffer.from('hello') },
    ]);
    await page.locator('[data-outcome="not_pdf"]').waitFor();
    const outcomes = page.locator('.pdf-verdict');
    expect(await outcomes.evaluateAll((all) => all.map((each) => each.getAttribute('data-outcome')))).toEqual(
      ['genuine', 'altered', 'not_pdf'],
    );
    expect(await outcomes.first().innerText()).toContain(mine.holderName);
    expect(await outcomes.nth(1).innerText()).not.toContain(mine.holderName);
    await isOpenToAll('pdf');
  });

  it('proves on this device that a certificate stands in the log', async () => {
    await page.goto(mine.verificationUrl);
    await page.locator('[data-state="VALID"]').waitFor();
    await open('公开日志中的记录');
    const proof = page.locator('[data-log]');
    await proof.waitFor();
    expect(await proof.getAttribute('data-log')).toBe('true');
    await isOpenToAll('log');
    // What the service gives is not believed: another entry, another place, another root.
    for (const [find, put] of [
      [/\\"event\\":\\"issue\\"/, '\\"event\\":\\"renew\\"'],
      [/\\"document\\":\\"./, '\\"document\\":\\"x'],
      [/"size":\d+/, '"size":99'],
      [/(\/log\\n\d+\\n)./, '$1/'],
    ] as const) {
      await page.route('**/graphql', async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: (await response.text()).replace(find, put) });
      });
      await page.reload();
      await page.locator('[data-state="VALID"]').waitFor();
      await open('公开日志中的记录');
      await proof.waitFor();
      expect(await proof.getAttribute('data-log'), `of ${String(find)}`).toBe('false');
      await page.unroute('**/graphql');
    }
    expect(complaints).toEqual([]);
  });
});
