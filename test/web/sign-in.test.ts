import { AxeBuilder } from '@axe-core/playwright';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { CLIENT, TestIssuer } from '../support/issuer.ts';
import { importRoster, smallRoster, startService, type TestService } from '../support/service.ts';
import { builtWeb } from '../support/web.ts';

describe('signing in, in a real browser', () => {
  let service: TestService;
  let issuer: TestIssuer;
  let browser: Browser;
  let page: Page;
  let url: string;
  const complaints: string[] = [];

  beforeAll(async () => {
    issuer = await TestIssuer.start();
    const common = { clientId: CLIENT.id, clientSecret: CLIENT.secret, scopes: ['staff'] };
    [browser, service] = await Promise.all([
      launchBrowser(),
      startService({
        webFolder: await builtWeb(),
        env: {
          OIDC_ISSUERS: JSON.stringify([
            { ...common, key: 'one', issuer: issuer.url, name: { 'zh-CN': '湖南教育认证', en: 'Hunan' } },
            { ...common, key: 'two', issuer: 'https://two.example', name: { 'zh-CN': '湖北', en: 'Hubei' } },
          ]),
        },
      }),
    ]);
    url = service.app.publicUrl;
    issuer.redirectUri = `${url}/sign-in/callback`;
    await issuer.configure();
    await importRoster(service, smallRoster([{ id: 't1', family: '王', given: '小明' }]));
    const context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'zh-CN' });
    page = await context.newPage();
    // The page of GraphiQL is large.
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
    await issuer?.stop();
  });

  const isOpenToAll = async (): Promise<void> => {
    const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(wider).toBeLessThanOrEqual(0);
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes.map((node) => node.html)])).toEqual([]);
  };

  it('leads from the teacher’s page to the issuer and back into it, and keeps no trace in addresses', async () => {
    await page.goto(`${url}/`);
    await page.getByRole('link', { name: '湖南教育认证' }).waitFor();
    await isOpenToAll();
    await page.getByRole('link', { name: '湖南教育认证' }).click();
    await page.getByRole('heading', { name: '王小明，您好' }).waitFor();
    expect(page.url()).toBe(`${url}/`);
    const token = await page.evaluate(() => sessionStorage.getItem('xinqiao.session'));
    expect(token).toMatch(/^xqs_/);
    // Browsers keep cookies by host, so the issuer's are among them.
    const cookies = await page.context().cookies(url);
    expect(cookies.filter(({ name }) => name.includes('xinqiao'))).toEqual([]);
    // The page that handed it over is no step back.
    await page.goBack();
    expect(page.url()).not.toContain('callback');
    await page.goto(`${url}/`);
    await page.getByRole('heading', { name: '王小明，您好' }).waitFor();
    expect(complaints).toEqual([]);
  }, 180_000);

  it('signs in to GraphiQL of the same tab as well', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    // Headers of its own, as the samples fill them in, would go first.
    await page.goto(`${url}/graphql?as=*&query=${encodeURIComponent('{ viewer { person { name } } }')}`);
    await page.getByRole('button', { name: /^execute/i }).click();
    const result = page.locator('.result-window', { hasText: '王小明' });
    await result.waitFor();
    expect(await result.count()).toBe(1);
    await page.setViewportSize({ width: 360, height: 740 });
  }, 180_000);

  it('ends with the sign-out, for the server too', async () => {
    await page.goto(`${url}/`);
    const token = (await page.evaluate(() => sessionStorage.getItem('xinqiao.session')))!;
    await page.getByRole('button', { name: '退出' }).click();
    await page.getByRole('link', { name: '湖南教育认证' }).waitFor();
    expect(await page.evaluate(() => sessionStorage.getItem('xinqiao.session'))).toBeNull();
    expect((await service.ask(token, '{ viewer { person { name } } }')).data.viewer).toBeNull();
  }, 180_000);

  it('offers its issuers, and says what went wrong, on pages that everybody can use', async () => {
    complaints.length = 0;
    await page.goto(`${url}/sign-in`);
    await page.getByRole('link', { name: '湖北' }).waitFor();
    await isOpenToAll();
    await page.goto(`${url}/sign-in/callback?state=x`);
    await page.getByRole('heading', { name: '没能登录' }).waitFor();
    await isOpenToAll();
    expect(complaints.filter((text) => !text.includes('409'))).toEqual([]);
  }, 180_000);
});
