import { createServer } from 'node:http';
import { readFileSync, readdirSync, existsSync, statSync, mkdirSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import AxeBuilder from '@axe-core/playwright';
import { launchBrowser } from '/work/main/test/support/browser.ts';

const root = '/work/main';
const shots = '/tmp/xq/shots';
mkdirSync(shots, { recursive: true });
const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.html': 'text/html' };
const page = (lang: string) => `<!doctype html><html lang="${lang}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>player</title><link rel="icon" href="data:,"><script src="/dist/main.bundle.js"></script><script src="/player.js" defer></script></head><body><main><h1 style="font:14px sans-serif;color:#555;margin:8px">Xinqiao player</h1><div id="c"></div></main></body></html>`;
const player = `(async () => {
  const q = new URLSearchParams(location.search);
  window.log = [];
  const state = sessionStorage.getItem('state');
  await new H5PStandalone.H5P(document.getElementById('c'), { id: 'x', h5pJsonPath: '/courses/' + q.get('c'), librariesPath: '/courses/libraries', frameJs: '/dist/frame.bundle.js', frameCss: '/dist/styles/h5p.css', embedType: q.get('embed') || 'div', preventH5PInit: false, saveFreq: 5, contentUserData: state ? [{ state }] : undefined });
  H5P.externalDispatcher.on('xAPI', (e) => window.log.push(JSON.parse(JSON.stringify(e.data.statement))));
  H5P.init(document.body);
  window.ready = true;
})();`;
const server = createServer((req, res) => {
  const url = new URL(req.url!, 'http://x');
  const csp = "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:";
  res.setHeader('content-security-policy', csp);
  if (url.pathname === '/play') { res.setHeader('content-type', 'text/html'); return void res.end(page(url.searchParams.get('c')!.endsWith('/en') ? 'en' : 'zh-CN')); }
  if (url.pathname === '/player.js') { res.setHeader('content-type', 'text/javascript'); return void res.end(player); }
  const path = normalize(url.pathname);
  const file = path.startsWith('/dist/') ? join(root, 'node_modules/h5p-standalone', path) : path.startsWith('/courses/') ? join(root, path) : '';
  if (!file || !existsSync(file) || statSync(file).isDirectory()) { res.statusCode = 404; return void res.end(); }
  res.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
  res.end(readFileSync(file));
});
await new Promise<void>((ok) => server.listen(0, '127.0.0.1', () => ok()));
const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;

const browser = await launchBrowser();
await (await browser.newContext()).newPage();
const only = process.argv[2];
let bad = 0;
const fail = (m: string) => { bad++; console.log('FAIL', m); };
const summary = (log: any[]) => log.map((s) => s.verb.id.split('/').pop()! + (s.context?.contextActivities?.parent ? '*' : '')).reduce((m: Record<string, number>, v: string) => ({ ...m, [v]: (m[v] ?? 0) + 1 }), {});

for (const size of [{ width: 360, height: 740 }, { width: 1280, height: 800 }]) {
  for (const course of ['core-gatekeeper', 'template']) for (const key of readdirSync(`${root}/courses/${course}/content`)) for (const lang of ['zh-CN', 'en']) {
    const id = `${course}/content/${key}/${lang}`;
    if (only && !id.includes(only)) continue;
    const name = `${key}-${lang}-${size.width}`;
    const content = JSON.parse(readFileSync(`${root}/courses/${id}/content/content.json`, 'utf8'));
    const ctx = await browser.newContext({ viewport: size, deviceScaleFactor: 1, isMobile: size.width < 500, hasTouch: size.width < 500, locale: lang, reducedMotion: 'reduce' });
    const p = await ctx.newPage();
    p.on('console', (m) => { if (['error', 'warning'].includes(m.type())) fail(`${name} console: ${m.text()}`); });
    p.on('pageerror', (e) => fail(`${name} pageerror: ${e.message}`));
    const open = async (state?: unknown) => {
      await p.goto(`${origin}/play?c=${id}`);
      if (state) { await p.evaluate((s) => sessionStorage.setItem('state', s), JSON.stringify(state)); await p.reload(); }
      await p.locator('.xq').waitFor();
    };
    const log = () => p.evaluate('window.log') as Promise<any[]>;
    const state = () => p.evaluate('H5P.instances[0].getCurrentState()') as Promise<any>;
    const axe = async (where: string) => {
      const r = await new AxeBuilder({ page: p }).analyze();
      if (r.passes.length < 8) fail(name + ' axe did not run');
      for (const v of r.violations) fail(`${name} axe ${where}: ${v.id} ${v.nodes.length} ${v.nodes[0]!.html.slice(0, 160)} ${v.nodes[0]!.failureSummary?.slice(0, 200)}`);
    };
    const fits = async (where: string) => {
      const over = await p.evaluate('document.documentElement.scrollWidth - innerWidth') as number;
      if (over > 0) fail(`${name} ${where} overflows by ${over}`);
      const small = await p.evaluate(`[...document.querySelectorAll('.xq button, .xq a, .xq label')].filter(e => e.offsetParent && e.getBoundingClientRect().height < 44).map(e => e.className + ' ' + e.getBoundingClientRect().height)`) as string[];
      if (small.length) fail(`${name} ${where} small targets ${small.slice(0, 3)}`);
    };
    const shot = (s: string) => p.screenshot({ path: `${shots}/${name}-${s}.png`, fullPage: true });
    await open();
    let done: any[];
    if (content.pages) {
      for (let i = 0; i < content.pages.length; i++) {
        for (const b of await p.locator('[data-action=reveal]').all()) await b.click();
        await axe(`page ${i + 1}`); await fits(`page ${i + 1}`); await shot(`p${i + 1}`);
        const doneNow = (await log()).filter((s) => s.verb.id.endsWith('/completed')).length;
        if (doneNow !== (i === content.pages.length - 1 ? 1 : 0)) fail(`${name} completed ${doneNow} on page ${i + 1}`);
        if (i < content.pages.length - 1) await p.locator('[data-action=next]').click();
        if (i === 1) { // resume
          const s = await state();
          const q = await ctx.newPage(); await q.goto(`${origin}/play?c=${id}`); await q.evaluate((x) => sessionStorage.setItem('state', x), JSON.stringify(s)); await q.reload(); await q.locator('.xq').waitFor();
          const t = await q.evaluate('H5P.instances[0].getCurrentState()') as any;
          if (JSON.stringify(t) !== JSON.stringify(s)) fail(`${name} resume ${JSON.stringify(s)} ${JSON.stringify(t)}`);
          if ((await q.locator('[data-xq=page]').textContent()) !== (await p.locator('[data-xq=page]').textContent())) fail(`${name} resume page`);
          await q.close();
        }
      }
      await p.locator('[data-action=back]').click(); await p.locator('[data-action=next]').click();
      done = await log();
      const points = done.filter((s) => s.verb.id.endsWith('/progressed')).map((s) => s.object.definition.extensions['http://id.tincanapi.com/extension/ending-point']);
      if (points.join() !== content.pages.map((_: unknown, i: number) => i + 1).join()) fail(`${name} progressed ${points}`);
    } else if (content.questions) {
      for (let i = 0; i < content.questions.length; i++) {
        const opts = content.questions[i].options.map((o: any, k: number) => ({ ...o, l: 'abcdefgh'[k]! }));
        const choose = async (wrong: boolean) => { for (const o of opts.filter((o: any) => wrong ? !o.correct : o.correct)) { await p.locator(`[data-option=${o.l}] input`).check(); if (wrong) break; } };
        if (i === 0) { await p.locator('[data-action=check]').click(); await shot('empty'); await choose(true); await p.locator('[data-action=check]').click(); await axe('wrong'); await fits('wrong'); await shot('wrong'); await p.locator('[data-action=retry]').click(); }
        await choose(i === 1);
        if (i === 0) await shot('chosen');
        await p.locator('[data-action=check]').click();
        await axe(`q${i + 1}`); await fits(`q${i + 1}`); await shot(`q${i + 1}`);
        if (i === 1) {
          const s = await state();
          const q = await ctx.newPage(); await q.goto(`${origin}/play?c=${id}`); await q.evaluate((x) => sessionStorage.setItem('state', x), JSON.stringify(s)); await q.reload(); await q.locator('.xq').waitFor();
          const t = await q.evaluate('H5P.instances[0].getCurrentState()') as any;
          if (JSON.stringify(t) !== JSON.stringify(s)) fail(`${name} resume ${JSON.stringify(s)} ${JSON.stringify(t)}`);
          if (!(await q.locator('[data-action=next]').isVisible())) fail(`${name} resume next`);
          await q.close();
        }
        await p.locator('[data-action=next]').click();
      }
      await axe('summary'); await fits('summary'); await shot('summary');
      if (content.questions.length > 1) {
        await p.locator('[data-action=again]').click();
        for (const o of content.questions[1].options.map((o: any, k: number) => ({ ...o, l: 'abcdefgh'[k]! })).filter((o: any) => o.correct)) await p.locator(`[data-option=${o.l}] input`).check();
        await p.locator('[data-action=check]').click(); await p.locator('[data-action=next]').click();
        await shot('summary2');
      }
      done = await log();
    } else {
      for (let i = 0; i < content.cards.length; i++) {
        const right = content.cards[i].level;
        const level = i === 1 ? right - 1 : i === 4 ? right + 1 : right;
        if (i === 0) await shot('c0');
        if (i === 2) { await p.locator(`[data-level="${level}"]`).focus(); await p.keyboard.press('Enter'); } else await p.locator(`[data-level="${level}"]`).click();
        await axe(`c${i + 1}`); await fits(`c${i + 1}`); if (i < 5) await shot(`c${i + 1}`);
        if (i === 3) {
          const s = await state();
          const q = await ctx.newPage(); await q.goto(`${origin}/play?c=${id}`); await q.evaluate((x) => sessionStorage.setItem('state', x), JSON.stringify(s)); await q.reload(); await q.locator('.xq').waitFor();
          const t = await q.evaluate('H5P.instances[0].getCurrentState()') as any;
          if (JSON.stringify(t) !== JSON.stringify(s)) fail(`${name} resume ${JSON.stringify(s)} ${JSON.stringify(t)}`);
          await q.close();
        }
        if (i === 2) await p.keyboard.press('Enter'); else await p.locator('[data-action=next]').click();
      }
      await axe('summary'); await fits('summary'); await shot('summary');
      await p.locator('[data-action=again]').click();
      for (const i of [1, 4]) { await p.locator(`[data-level="${content.cards[i].level}"]`).click(); await p.locator('[data-action=next]').click(); }
      await shot('summary2');
      done = await log();
    }
    const completed = done.filter((s) => s.verb.id.endsWith('/completed'));
    if (completed.length !== 1) fail(`${name} completed x${completed.length}`);
    console.log(name, JSON.stringify(summary(done)), JSON.stringify(completed[0]?.result));
    if (size.width === 360 && lang === 'en' && course === 'core-gatekeeper') {
      const seen = new Set<string>();
      for (const s of done) { const k = s.verb.id + (s.object.definition.interactionType ?? ''); if (!seen.has(k)) { seen.add(k); console.log('   ', JSON.stringify(s).slice(0, 1500)); } }
    }
    // a finished content resumed says no second completed
    const s = await state();
    await open(s);
    if ((await log()).some((x) => x.verb.id.endsWith('/completed'))) fail(`${name} completed again on resume`);
    await p.close();
  }
}
await browser.close();
server.close();
console.log(bad ? `${bad} FAILURES` : 'ALL GOOD');
