import { createServer } from 'node:http';
import { readFileSync, existsSync, statSync } from 'node:fs';
import { extname, join, normalize } from 'node:path';
import { launchBrowser } from '/work/main/test/support/browser.ts';
const root = '/work/main';
const types: Record<string, string> = { '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json', '.html': 'text/html' };
const server = createServer((req, res) => {
  const url = new URL(req.url!, 'http://x');
  if (url.pathname === '/play') { res.setHeader('content-type', 'text/html'); return void res.end(`<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>p</title><link rel="icon" href="data:,"><script src="/dist/main.bundle.js"></script><script src="/player.js" defer></script></head><body><main><h1>p</h1><div id="c"></div></main></body></html>`); }
  if (url.pathname === '/player.js') { res.setHeader('content-type', 'text/javascript'); return void res.end(`(async()=>{const q=new URLSearchParams(location.search);window.log=[];await new H5PStandalone.H5P(document.getElementById('c'),{id:'x',h5pJsonPath:'/courses/'+q.get('c'),librariesPath:'/courses/libraries',frameJs:'/dist/frame.bundle.js',frameCss:'/dist/styles/h5p.css',embedType:q.get('e'),preventH5PInit:false,saveFreq:1,user:{name:'t',mail:'t@x'},ajax:{contentUserDataUrl:'/state/:contentId/:dataType/:subContentId',setFinishedUrl:'/finished'},postUserStatistics:true});H5P.externalDispatcher.on('xAPI',e=>window.log.push(JSON.parse(JSON.stringify(e.data.statement))));H5P.init(document.body);})()`); }
  if (url.pathname.startsWith('/state') || url.pathname === '/finished') { let b = ''; req.on('data', (d) => (b += d)); req.on('end', () => { console.log('   ', req.method, url.pathname, decodeURIComponent(b).slice(0, 160)); res.setHeader('content-type', 'application/json'); res.end('{"success":true,"data":false}'); }); return; }
  if (url.pathname.endsWith('/xss/content/content.json')) { res.setHeader('content-type', 'application/json'); return void res.end(JSON.stringify({ title: 'x', pages: [{ title: 'a', blocks: [{ type: 'text', text: '<p onclick="x()">hi <img src=x onerror="window.pwned=1"><script>window.pwned=1</script><svg onload="window.pwned=1"></svg><a href="javascript:alert(1)">j</a><a href="https://a.b">ok</a><table><tr><td><b style="color:red">cell</b></td></tr></table></p>' }] }] })); }
  const path = normalize(url.pathname).replace('/xss/', '/core-gatekeeper/content/signs-lesson/zh-CN/');
  const file = path.startsWith('/dist/') ? join(root, 'node_modules/h5p-standalone', path) : path.startsWith('/courses/') ? join(root, path) : '';
  if (!file || !existsSync(file) || statSync(file).isDirectory()) { res.statusCode = 404; return void res.end(); }
  res.setHeader('content-type', types[extname(file)] ?? 'application/octet-stream');
  res.end(readFileSync(file));
});
await new Promise<void>((ok) => server.listen(0, '127.0.0.1', () => ok()));
const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
const browser = await launchBrowser();
const ctx = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: 'reduce' });
const p = await ctx.newPage();
p.on('pageerror', (e) => console.log('PAGEERROR', e.message));
const go = async (c: string, e = 'div') => { await p.goto(`${origin}/play?c=${c}&e=${e}`); };
// 1 iframe embed
await go('core-gatekeeper/content/signs-lesson/zh-CN', 'iframe');
const f = p.frameLocator('iframe.h5p-iframe');
await f.locator('.xq').waitFor();
for (let i = 0; i < 7; i++) await f.locator('[data-action=next]').click();
await p.waitForTimeout(300);
console.log('iframe', (await p.evaluate('log') as any[]).map((s) => s.verb.id.split('/').pop()).join());
console.log('iframe height', await p.evaluate('document.querySelector("iframe").offsetHeight'), 'inner', await f.locator('.xq').evaluate((x) => (x as HTMLElement).offsetHeight));
await p.screenshot({ path: '/tmp/xq/shots/iframe.png', fullPage: true });
await p.waitForTimeout(1500);
// 2 keyboard only
await go('core-gatekeeper/content/signs-practice/zh-CN');
await p.locator('.xq').waitFor();
const focus = () => p.evaluate('document.activeElement.tagName + "." + (document.activeElement.dataset.action ?? document.activeElement.value ?? document.activeElement.textContent.slice(0,20))');
await p.keyboard.press('Tab'); console.log('kbd', await focus());
await p.keyboard.press('Space'); await p.keyboard.press('ArrowDown'); await p.keyboard.press('ArrowDown'); console.log('kbd', await focus());
await p.screenshot({ path: '/tmp/xq/shots/focus.png' });
await p.keyboard.press('Tab'); console.log('kbd', await focus());
await p.keyboard.press('Enter'); console.log('kbd after check', await focus());
await p.keyboard.press('Tab'); console.log('kbd', await focus());
await p.keyboard.press('Enter'); console.log('kbd after next', await focus());
// contract
console.log('contract', await p.evaluate(`(() => { const i = H5P.instances[0]; const d = i.getXAPIData(); const a = [i.getScore(), i.getMaxScore(), i.getAnswerGiven(), i.getTitle(), d.statement.verb.id, d.statement.result.score.raw, d.children.length, d.children[0].statement.result.response]; i.showSolutions(); a.push(document.querySelectorAll('.xq-option-good').length); i.resetTask(); a.push(i.getAnswerGiven(), JSON.stringify(i.getCurrentState()).slice(0, 80)); return JSON.stringify(a); })()`));
await go('core-gatekeeper/content/signs-sort/en');
await p.locator('.xq').waitFor();
await p.locator('[data-level="1"]').click();
console.log('contract sort', await p.evaluate(`(() => { const i = H5P.instances[0]; const d = i.getXAPIData(); const a = [i.getScore(), i.getMaxScore(), i.getAnswerGiven(), i.getTitle(), d.statement.result.score.raw, d.children.length]; i.showSolutions(); a.push(log.map(s=>s.verb.id.split('/').pop()).join()); i.resetTask(); a.push(i.getAnswerGiven(), document.querySelector('[data-xq=count]').textContent); return JSON.stringify(a); })()`));
// 3 hostile rich text
await go('xss');
await p.locator('.xq').waitFor(); await p.waitForTimeout(200);
console.log('xss', await p.evaluate('window.pwned'), await p.evaluate('document.querySelector(".xq-rich").outerHTML'));
await browser.close(); server.close();
