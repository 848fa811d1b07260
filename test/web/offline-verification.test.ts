import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { createCanvas, loadImage } from '@napi-rs/canvas';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { toBuffer } from 'qrcode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { launchBrowser } from '../support/browser.ts';
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
import { builtWeb } from '../support/web.ts';

const MINE = '{ viewer { certificates { id number qrText verificationUrl state } } }';

describe('the verification page, in a real browser', { timeout: 180_000 }, () => {
  let service: TestService;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let learners: Learner[];
  const complaints: string[] = [];

  const certificatesOf = async (learner: Learner) =>
    (await service.ask(learner.key, MINE)).data.viewer.certificates as Record<
      'id' | 'number' | 'qrText' | 'verificationUrl' | 'state',
      string
    >[];
  const mutate = async (name: string, certificateId: string): Promise<string> =>
    (
      await service.ask(
        'issuer',
        `mutation ($id: ID!) { ${name}(input: { certificateId: $id, reason: "姓名有误" }) { __typename } }`,
        { id: certificateId },
      )
    ).data[name].__typename as string;

  /** Prints a code and reads it from the picture, as a camera does. */
  const scan = async (text: string): Promise<string> => {
    const image = await loadImage(await toBuffer(text, { errorCorrectionLevel: 'M', width: 520 }));
    const canvas = createCanvas(image.width, image.height);
    canvas.getContext('2d').drawImage(image, 0, 0);
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    return (await readBarcodes(pixels as unknown as ImageData, { formats: ['QRCode'] }))[0]!.text;
  };
  /** What the page says of a code, once it has asked all that it can. */
  const open = async (url: string): Promise<string> => {
    await page.goto('about:blank');
    await page.goto(url);
    const verdict = page.locator('.verdict:not([data-server="busy"])');
    await verdict.waitFor();
    return (await verdict.getAttribute('data-state'))!;
  };
  const isOpenToAll = async (name: string): Promise<void> => {
    const shots = process.env['XINQIAO_PICTURES'];
    for (const width of [360, 1280]) {
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
    const wasm = await readFile(
      createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm'),
    );
    prepareZXingModule({ overrides: { wasmBinary: Uint8Array.from(wasm).buffer } });
    [browser, service] = await Promise.all([
      launchBrowser(),
      // By the browser's own clock, which judges what is expired.
      startService({ webFolder: await builtWeb(), env: { XINQIAO_SAMPLES: 'staff' } }),
    ]);
    ({ learners } = await assignTeachers(service, ['t1', 't2', 't3']));
    for (const learner of learners) {
      await finishActivities(service, learner);
      await service.ask(learner.key, SUBMIT, { id: await sitExam(service, learner, { right: true }) });
      await until(async () => (await certificatesOf(learner))[0]);
    }
    context = await browser.newContext({ viewport: { width: 360, height: 740 }, locale: 'zh-CN' });
    page = await context.newPage();
    page.setDefaultTimeout(30_000);
    page.on('pageerror', (error) => complaints.push(error.message));
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  });

  it('checks a code by itself and asks the service beside', async () => {
    const [certificate] = await certificatesOf(learners[0]!);
    expect(await open(await scan(certificate!.qrText))).toBe('VALID');
    const text = await page.locator('main').innerText();
    for (const said of [
      '王小明',
      certificate!.number,
      '学生心理健康守门人',
      '签名与记录一致',
      '星沙实验小学',
      '不在名单中',
    ])
      expect(text).toContain(said);
    await isOpenToAll('online-valid');
    // A code of before has no claims in it, and is verified as ever.
    expect(await open(certificate!.verificationUrl)).toBe('VALID');
    expect(await page.locator('main').innerText()).toContain('PDF 文件摘要');
  });

  it('takes what a scanner types', async () => {
    const [certificate] = await certificatesOf(learners[0]!);
    await page.goto(`${service.app.publicUrl}/verify`);
    await page.getByLabel('证书编号').fill(certificate!.qrText);
    await page.keyboard.press('Enter');
    await page.locator('.verdict[data-server="told"][data-state="VALID"]').waitFor();
    expect(await page.locator('main').innerText()).toContain('签名与记录一致');
  });

  it('is an app of its own, and keeps to its own addresses', async () => {
    const manifest = (await (await service.fetch('/verify/app.webmanifest')).json()) as {
      scope: string;
      icons: { src: string }[];
    };
    expect(manifest.scope).toBe('/verify');
    expect((await service.fetch(manifest.icons[0]!.src)).headers.get('content-type')).toContain('image/svg');
    const scope = await page.evaluate(async () => (await navigator.serviceWorker.ready).scope);
    expect(scope).toBe(`${service.app.publicUrl}/verify`);
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  });

  it('works without the network, and says how old what it knows is', async () => {
    const [certificate] = await certificatesOf(learners[0]!);
    await page.goto(`${service.app.publicUrl}/verify`);
    await page.waitForFunction(async () => (await caches.match('/verify/offline.json')) !== undefined);
    await context.setOffline(true);
    expect(await open(await scan(certificate!.qrText))).toBe('VALID');
    const text = await page.locator('main').innerText();
    for (const said of ['王小明', '签名核对', '没有联网，未查询', '名单更新于', '系统中的最新记录'])
      expect(text).toContain(said);
    await isOpenToAll('offline-valid');
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByText('This certificate is valid').waitFor();
    await isOpenToAll('offline-valid-en');
    await page.getByRole('button', { name: '中文' }).click();

    // By number alone nothing can be said.
    await page.goto(`${service.app.publicUrl}/verify`);
    await page.getByLabel('证书编号').fill(certificate!.number);
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
  });

  it('believes no code that was altered or put together from two, without the network', async () => {
    const [one] = await certificatesOf(learners[0]!);
    const [two] = await certificatesOf(learners[1]!);
    const [header, payload, signature] = new URL(one!.qrText).hash.slice(1).split('.') as [
      string,
      string,
      string,
    ];
    const base = one!.qrText.split('#')[0]!;
    const altered = Buffer.from(
      Buffer.from(payload, 'base64url').toString().replace('王小明', '王小亮'),
    ).toString('base64url');
    expect(await open(`${base}#${header}.${altered}.${signature}`)).toBe('FORGED');
    expect(await page.locator('main').innerText()).not.toContain('王小亮');
    await isOpenToAll('offline-forged');
    const unknown = Buffer.from(JSON.stringify({ alg: 'ES256', kid: 'p9' })).toString('base64url');
    expect(await open(`${base}#${unknown}.${payload}.${signature}`)).toBe('UNKNOWN_KEY');
    expect(await open(`${base}#${new URL(two!.qrText).hash.slice(1)}`)).toBe('OTHER_NUMBER');
    expect(await page.locator('main').innerText()).toContain(two!.number);
  });

  it('knows what was revoked and replaced, at once with the network and from its list without', async () => {
    const [one] = await certificatesOf(learners[0]!);
    const [two] = await certificatesOf(learners[1]!);
    // Offline still: the list is of before.
    expect(await mutate('supersedeCertificate', one!.id)).toBe('SupersedeCertificatePayload');
    expect(await mutate('revokeCertificate', two!.id)).toBe('RevokeCertificatePayload');
    expect(await open(two!.qrText)).toBe('VALID');
    await context.setOffline(false);
    expect(await open(one!.qrText)).toBe('SUPERSEDED');
    const successor = (await certificatesOf(learners[0]!)).find(({ state }) => state === 'VALID')!;
    expect(await page.locator('main').innerText()).toContain(successor.number);
    expect(await open(two!.qrText)).toBe('REVOKED');
    await isOpenToAll('online-revoked');
    await context.setOffline(true);
    expect(await open(one!.qrText)).toBe('SUPERSEDED');
    expect(await open(two!.qrText)).toBe('REVOKED');
    expect(await open(successor.qrText)).toBe('VALID');
    await context.setOffline(false);
  });

  it('has nothing to complain about', () => {
    expect(complaints).toEqual([]);
  });
});
