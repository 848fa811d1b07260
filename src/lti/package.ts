import type { CourseVersion } from '../courses/course.ts';

/*
 * A course for a platform without LTI: a package that holds one thin page. The page opens the course here, in a window of its own, asks now and then
 * how far its learner is, and tells the platform (SCORM 1.2 run-time environment, and SCORM 2004 4th edition).
 */

export const packageFormats = ['scorm-1.2', 'scorm-2004'] as const;
export type PackageFormat = (typeof packageFormats)[number];

/** What a package's page is told, and nothing more of anybody. */
export interface PackageState {
  /** no: nobody has agreed yet. */
  readonly state: 'unknown' | 'begun' | 'failed' | 'passed';
  /** Of a hundred; null: no exam was graded. */
  readonly score: number | null;
  /** Done, of all activities, in percent. */
  readonly progress: number;
}

export const UNKNOWN_STATE: PackageState = { state: 'unknown', score: null, progress: 0 };

/** The files of a package, by their names in it. @param serviceUrl where the service is for browsers. */
export function packageFiles(
  course: Pick<CourseVersion, 'slug' | 'version' | 'manifest'>,
  { format, serviceUrl }: { format: PackageFormat; serviceUrl: string },
): ReadonlyMap<string, string> {
  const { title } = course.manifest;
  return new Map([
    ['imsmanifest.xml', format === 'scorm-1.2' ? manifest12(course) : manifest2004(course)],
    ['index.html', pageOf({ slug: course.slug, title: title['zh-CN'], titleEn: title.en, serviceUrl })],
    ['package.js', SCRIPT],
  ]);
}

type Of = Pick<CourseVersion, 'slug' | 'version' | 'manifest'>;
const FILES = `<file href="index.html"/><file href="package.js"/>`;

function manifest12({ slug, version, manifest }: Of): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="xinqiao-${xml(slug)}" version="${xml(version)}" xmlns="http://www.imsproject.org/xsd/imscp_rootv1p1p2" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_rootv1p2" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.imsproject.org/xsd/imscp_rootv1p1p2 imscp_rootv1p1p2.xsd http://www.adlnet.org/xsd/adlcp_rootv1p2 adlcp_rootv1p2.xsd">
<metadata><schema>ADL SCORM</schema><schemaversion>1.2</schemaversion></metadata>
<organizations default="course"><organization identifier="course"><title>${xml(manifest.title['zh-CN'])}</title>
<item identifier="item" identifierref="resource" isvisible="true"><title>${xml(manifest.title['zh-CN'])}</title><adlcp:masteryscore>${manifest.exam.passMark}</adlcp:masteryscore></item>
</organization></organizations>
<resources><resource identifier="resource" type="webcontent" adlcp:scormtype="sco" href="index.html">${FILES}</resource></resources>
</manifest>
`;
}

function manifest2004({ slug, version, manifest }: Of): string {
  return `<?xml version="1.0" encoding="UTF-8"?>
<manifest identifier="xinqiao-${xml(slug)}" version="${xml(version)}" xmlns="http://www.imsglobal.org/xsd/imscp_v1p1" xmlns:adlcp="http://www.adlnet.org/xsd/adlcp_v1p3" xmlns:adlseq="http://www.adlnet.org/xsd/adlseq_v1p3" xmlns:adlnav="http://www.adlnet.org/xsd/adlnav_v1p3" xmlns:imsss="http://www.imsglobal.org/xsd/imsss" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.imsglobal.org/xsd/imscp_v1p1 imscp_v1p1.xsd http://www.adlnet.org/xsd/adlcp_v1p3 adlcp_v1p3.xsd">
<metadata><schema>ADL SCORM</schema><schemaversion>2004 4th Edition</schemaversion></metadata>
<organizations default="course"><organization identifier="course"><title>${xml(manifest.title['zh-CN'])}</title>
<item identifier="item" identifierref="resource"><title>${xml(manifest.title['zh-CN'])}</title><imsss:sequencing><imsss:deliveryControls completionSetByContent="true" objectiveSetByContent="true"/></imsss:sequencing></item>
</organization></organizations>
<resources><resource identifier="resource" type="webcontent" adlcp:scormType="sco" href="index.html">${FILES}</resource></resources>
</manifest>
`;
}

function pageOf(said: { slug: string; title: string; titleEn: string; serviceUrl: string }): string {
  return `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${xml(said.title)}</title>
<style>
body { margin: 0; font: 1rem/1.6 system-ui, 'Noto Sans SC', sans-serif; color: #12211f; background: #f4f7f6; }
main { max-width: 32rem; margin: 0 auto; padding: 2rem 1rem; }
h1 { font-size: 1.35rem; line-height: 1.4; }
button { font: inherit; padding: 0.75rem 1.25rem; border: 0; border-radius: 0.5rem; background: #0f766e; color: #fff; cursor: pointer; }
button:focus-visible { outline: 3px solid #12211f; outline-offset: 2px; }
p.quiet { color: #46605c; font-size: 0.875rem; }
</style>
</head>
<body>
<main data-service="${xml(said.serviceUrl)}" data-course="${xml(said.slug)}">
<h1>${xml(said.title)}</h1>
<p class="quiet" lang="en">${xml(said.titleEn)}</p>
<form id="open" method="post" target="_blank" action="${xml(said.serviceUrl)}/packages/open">
<input type="hidden" name="course" value="${xml(said.slug)}"><input type="hidden" name="code">
<button>打开课程 <span lang="en">Open the course</span></button>
</form>
<p id="state" role="status"></p>
<p class="quiet">课程在心桥的窗口中打开，在那里登录并同意后，结果会回到这里。请不要关闭这个页面。<br><span lang="en">The course opens in a window of its own. Sign in there and agree, and your result comes back here. Leave this page open.</span></p>
</main>
<script src="package.js"></script>
</body>
</html>
`;
}

/** In the package, with no library: the platform's API is looked for as SCORM says, and told what the service knows. */
const SCRIPT = `(function () {
  'use strict';
  function find(name) {
    function up(from) {
      for (var at = from, steps = 0; at && steps < 500; steps += 1) {
        try { if (at[name]) return at[name]; } catch (error) { return null; }
        if (at.parent === at) return null;
        at = at.parent;
      }
      return null;
    }
    var own = up(window);
    try { return own || (window.opener ? up(window.opener) : null); } catch (error) { return own; }
  }
  var newer = find('API_1484_11');
  var older = newer ? null : find('API');
  function get(name) { return newer ? newer.GetValue(name) : older ? older.LMSGetValue(name) : ''; }
  function set(name, value) { if (newer) newer.SetValue(name, String(value)); else if (older) older.LMSSetValue(name, String(value)); }
  function commit() { if (newer) newer.Commit(''); else if (older) older.LMSCommit(''); }
  var main = document.querySelector('main');
  var state = document.getElementById('state');
  var over = false;
  if (newer) newer.Initialize(''); else if (older) older.LMSInitialize('');
  // The same attempt on the platform is the same here, also when it is gone on with another day.
  var code = get('cmi.suspend_data');
  if (!/^[0-9a-f]{64}$/.test(code)) {
    var bytes = new Uint8Array(32);
    crypto.getRandomValues(bytes);
    code = Array.prototype.map.call(bytes, function (byte) { return (byte + 256).toString(16).slice(1); }).join('');
    set('cmi.suspend_data', code);
    if (newer) { set('cmi.completion_status', 'incomplete'); set('cmi.success_status', 'unknown'); set('cmi.exit', 'suspend'); }
    else { set('cmi.core.lesson_status', 'incomplete'); set('cmi.core.exit', 'suspend'); }
    commit();
  }
  document.querySelector('input[name=code]').value = code;
  var last = '';
  function tell(known) {
    var now = JSON.stringify(known);
    if (now === last || known.state === 'unknown') return;
    last = now;
    var done = known.state === 'passed';
    if (newer) {
      set('cmi.progress_measure', done ? 1 : Math.min(known.progress / 100, 0.99));
      if (known.score !== null) { set('cmi.score.min', 0); set('cmi.score.max', 100); set('cmi.score.raw', known.score); set('cmi.score.scaled', known.score / 100); }
      set('cmi.completion_status', done ? 'completed' : 'incomplete');
      set('cmi.success_status', done ? 'passed' : known.state === 'failed' ? 'failed' : 'unknown');
    } else {
      if (known.score !== null) { set('cmi.core.score.min', 0); set('cmi.core.score.max', 100); set('cmi.core.score.raw', known.score); }
      // A failed exam may be sat again: the platform is not to end the attempt.
      set('cmi.core.lesson_status', done ? 'passed' : 'incomplete');
    }
    commit();
    state.textContent = (done ? '已通过 Passed' : '学习中 In progress') + ' · ' + known.progress + '%' + (known.score === null ? '' : ' · ' + known.score);
    if (done) finish();
  }
  var wait = 4000;
  function ask() {
    if (over) return;
    fetch(main.dataset.service + '/packages/state', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: code, credentials: 'omit' })
      .then(function (answer) { if (!answer.ok) throw new Error(); return answer.json(); })
      .then(function (known) { wait = known.state === 'unknown' ? 4000 : 15000; tell(known); }, function () { wait = Math.min(wait * 2, 120000); })
      .then(function () { window.setTimeout(ask, wait); });
  }
  function finish() {
    if (over) return;
    over = true;
    if (newer) newer.Terminate(''); else if (older) older.LMSFinish('');
  }
  window.addEventListener('pagehide', finish);
  window.addEventListener('focus', function () { wait = 4000; });
  if (!newer && !older) state.textContent = '没有找到平台的接口，结果不会送回平台。 No SCORM API was found: nothing is reported.';
  ask();
})();
`;

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
