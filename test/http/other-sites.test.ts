import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { startService, type TestService } from '../support/service.ts';

/* What a real browser does with our headers, and with another site's page that means us harm. */
describe('in a browser', () => {
  let service: TestService;
  let browser: Browser;
  let evil: Server;
  beforeAll(async () => {
    service = await startService();
    browser = await launchBrowser();
    evil = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html').end('<!doctype html><title>a page elsewhere</title>');
    });
    await new Promise<void>((resolve) => evil.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser.close();
    evil.closeAllConnections();
    await new Promise((resolve) => evil.close(resolve));
    await service.stop();
  });

  it('GraphiQL runs under its policy and asks', async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => {
      if (/content security policy/i.test(message.text())) complaints.push(message.text());
    });
    await page.goto(`${service.app.publicUrl}/graphql?as=hr`);
    await page.locator('.graphiql-execute-button').click();
    await page.locator('.result-window').getByText('赵明').first().waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('a page elsewhere can neither change nor read anything', async () => {
    const page = await browser.newPage();
    // Its own name for the same machine: another site.
    await page.goto(`http://localhost:${(evil.address() as AddressInfo).port}/`);
    const door = `${service.app.publicUrl}/graphql`;
    const sessions = async (): Promise<number> =>
      (await service.database.pool.query('select count(*)::int as n from sessions')).rows[0].n as number;
    const mutation = 'mutation { signInSample(input: { key: "hr" }) { __typename } }';
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.url() === door && request.method() === 'POST')
        sent.push(request.headers()['content-type'] ?? '');
    });
    const outcomes = await page.evaluate(
      async ({ url, query }) => {
        const tries: Record<string, string> = {};
        const attempt = async (name: string, init: RequestInit): Promise<void> => {
          tries[name] = await fetch(url, { method: 'POST', ...init }).then(
            (response) => `${response.type} ${response.status}`,
            () => 'refused',
          );
        };
        const json = JSON.stringify({ query });
        await attempt('text without asking', { mode: 'no-cors', body: json });
        await attempt('form without asking', { mode: 'no-cors', body: new URLSearchParams({ query }) });
        const form = new FormData();
        form.set('operations', json);
        form.set('map', '{}');
        await attempt('multipart without asking', { mode: 'no-cors', body: form });
        await attempt('a type without asking', {
          mode: 'no-cors',
          headers: { 'content-type': 'application/json' },
          body: json,
        });
        await attempt('JSON', { headers: { 'content-type': 'application/json' }, body: json });
        await attempt('with a token', { headers: { authorization: 'Bearer sample:hr' }, body: json });
        return tries;
      },
      { url: door, query: mutation },
    );
    // Where a browser sends without asking first, it keeps our answer from the page all the same.
    expect(new Set(Object.values(outcomes))).toEqual(new Set(['refused']));
    expect(Object.keys(outcomes)).toHaveLength(6);
    expect(sent.length).toBeGreaterThanOrEqual(4);
    expect(await sessions()).toBe(0);
    // A form that takes the whole window there.
    await page.setContent(
      `<form method="post" enctype="text/plain" action="${door}"><input name='{"query":"${mutation.replaceAll('"', '\\&quot;')}","x":"' value='"}'></form>`,
    );
    const [response] = await Promise.all([
      page.waitForResponse((each) => each.url() === door),
      page.locator('form').evaluate((form) => (form as unknown as { submit(): void }).submit()),
    ]);
    expect(response.status()).toBe(415);
    expect(await sessions()).toBe(0);
    await page.close();
  });
});
