import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildWeb } from '../../src/commands/build-web.ts';
import { projectFolder } from '../../src/config.ts';
import { readHotlines } from '../../src/courses/hotline.ts';
import { en } from '../../src/web/texts/en.ts';
import { zhCN } from '../../src/web/texts/zh-CN.ts';

describe('the built pages', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xinqiao-pages-'));
    await buildWeb(join(folder, 'web'));
  });
  afterAll(async () => rm(folder, { recursive: true, force: true }));

  const page = async (name: string): Promise<string> => readFile(join(folder, 'web', name), 'utf8');

  it.each(['index.html', 'verify.html'])('%s stays light: below 200 kB of gzipped script', async (name) => {
    const html = await page(name);
    const scripts = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+\.js)"/g)].map((match) => match[1]!);
    expect(scripts.length).toBeGreaterThan(0);
    // What is loaded later counts too.
    const all = new Set(scripts);
    for (const script of all)
      for (const [, next] of (await page(script)).matchAll(/["'`/](?:\.\/|assets\/)([\w-]+\.js)["'`]/g))
        all.add(`assets/${next}`);
    let bytes = 0;
    for (const script of all) bytes += gzipSync(await page(script)).length;
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThan(200_000);
  });

  it.each(['index.html', 'verify.html'])('%s runs under a policy without inline script', async (name) => {
    const html = await page(name);
    expect(html).not.toMatch(/<script(?![^>]*\ssrc=)[^>]*>|\son\w+=|javascript:/);
  });

  it('are not built again from the same files, and are after a page was lost', async () => {
    expect(await buildWeb(join(folder, 'web'))).toBe('unchanged');
    await rm(join(folder, 'web', 'index.html'));
    expect(await buildWeb(join(folder, 'web'))).toBe('built');
    expect(await readdir(folder)).toEqual(['web']);
  });
});

describe('the words of the pages', () => {
  /** A value that serves as a number, a text and a list. */
  const SAMPLE = [2];
  /** Every text by its path; what takes a value is given one. */
  const flat = (value: unknown, path = ''): [string, string][] =>
    typeof value === 'string'
      ? [[path, value]]
      : typeof value === 'function'
        ? [[path, String((value as (...values: unknown[]) => unknown)(SAMPLE, SAMPLE, SAMPLE))]]
        : Object.entries(value as object).flatMap(([key, each]) => flat(each, `${path}.${key}`));
  const chinese = new Map(flat(zhCN));
  const english = new Map(flat(en));

  it('are the same in both languages, none left out and none left in Chinese', () => {
    expect(chinese.size).toBeGreaterThan(80);
    expect([...english.keys()]).toEqual([...chinese.keys()]);
    const left = [...english].filter(
      ([path, text]) =>
        text === '' || (/\p{Script=Han}/u.test(text) && !/language|otherLanguage/i.test(path)),
    );
    expect(left).toEqual([]);
  });

  it('tell where to get help now, also while the service does not answer', async () => {
    const hotlines = await readHotlines(join(projectFolder, 'courses/hotlines.yaml'), false);
    expect(zhCN.helplines.map((line) => line.number)).toEqual(hotlines.map((line) => line.number));
    expect(en.helplines.map((line) => line.number)).toEqual(zhCN.helplines.map((line) => line.number));
  });
});
