import type { CourseVersion } from '../courses/course.ts';
import { MOST_ITEMS, type DeepLinking } from '../lti/deep-link.ts';
import { originOf } from '../lti/frames.ts';
import { escape, page, words, type LtiPage, type PageLanguage } from './lti-pages.ts';

/*
 * Where an instructor chooses what is linked on the platform. It works without its script, which searches and counts.
 */

const STYLE = `
main.wide, main { max-width: 44rem; }
.search { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: 0.6rem 0.75rem; border: 1px solid #5b7370; border-radius: 0.5rem; background: #fff; color: inherit; }
label.for { display: block; margin: 1rem 0 0.25rem; font-weight: 600; }
fieldset { margin: 1rem 0; padding: 0.75rem 1rem 1rem; border: 1px solid #c3d1ce; border-radius: 0.75rem; background: #fff; min-width: 0; }
legend { padding: 0 0.25rem; font-weight: 600; }
.choice { display: flex; gap: 0.75rem; padding: 0.5rem 0; align-items: flex-start; overflow-wrap: anywhere; cursor: pointer; }
.choice input { flex: none; width: 1.25rem; height: 1.25rem; margin: 0.2rem 0 0; accent-color: #0f766e; }
.choice span { min-width: 0; }
.choice small { display: block; color: #46605c; font-size: 0.875rem; }
.module { margin-inline-start: 1rem; }
.bar { position: sticky; bottom: 0; display: flex; flex-wrap: wrap; gap: 0.75rem; align-items: center; padding: 0.75rem 0; background: #f4f7f6; border-top: 1px solid #c3d1ce; }
button { font: inherit; padding: 0.65rem 1.25rem; border-radius: 0.5rem; border: 1px solid #0f766e; background: #0f766e; color: #fff; cursor: pointer; }
button:disabled { opacity: 0.55; cursor: default; }
button.quiet { background: transparent; color: #0b5a54; }
button:focus-visible, input:focus-visible { outline: 3px solid #12211f; outline-offset: 2px; }
`;

const SCRIPT = `
var search = document.getElementById('search');
var found = document.getElementById('found');
var send = document.getElementById('send');
var box = document.querySelector('.find');
var most = Number(box.dataset.most);
function plain(text) { return text.normalize('NFKC').toLowerCase(); }
function all(selector, at) { return Array.prototype.slice.call((at || document).querySelectorAll(selector)); }
function look() {
  var wanted = plain(search.value).split(/\\s+/).filter(Boolean);
  var shown = 0;
  all('fieldset').forEach(function (course) {
    var any = false;
    var own = plain(course.dataset.text);
    all('.choice', course).forEach(function (choice) {
      var text = own + ' ' + plain(choice.textContent);
      var fits = wanted.every(function (each) { return text.indexOf(each) >= 0; });
      choice.hidden = !fits && !choice.querySelector('input').checked;
      if (fits) { any = true; shown += 1; }
    });
    course.hidden = !any && all('input:checked', course).length === 0;
  });
  found.textContent = wanted.length === 0 ? '' : shown === 0 ? box.dataset.none : box.dataset.found.replace('#', shown);
}
function count() {
  var chosen = all('input[name=item]:checked').length;
  send.textContent = chosen > 0 ? send.dataset.some.replace('#', chosen) : send.dataset.none;
  send.disabled = chosen === 0 || chosen > most;
}
search.addEventListener('input', look);
search.addEventListener('keydown', function (event) { if (event.key === 'Enter') event.preventDefault(); });
document.addEventListener('change', count);
box.hidden = false;
count();
`;
/** The platform goes on from what is posted to it. */
const POST = `
document.getElementById('selection').submit();
`;

export function pickerPage(
  selection: {
    code: string;
    courses: readonly CourseVersion[];
    asked: DeepLinking;
    frames: readonly string[];
  },
  language: PageLanguage,
): LtiPage {
  const { asked } = selection;
  const say = (zh: string, en: string): string => escape(words(zh, en)[language]);
  const title = words('选择要放进课程的内容', 'Choose what to put into your course')[language];
  const type = asked.multiple ? 'checkbox' : 'radio';
  const choice = (value: string, name: string, about: string, kind: string): string => `
<label class="choice ${kind}"><input type="${type}" name="item" value="${escape(value)}"><span>${escape(name)}<small>${escape(about)}</small></span></label>`;
  const courses = selection.courses
    .map(
      ({ slug, manifest }) => `
<fieldset data-text="${escape(manifest.title[language])}">
<legend>${escape(manifest.title[language])}</legend>${choice(
        slug,
        words('整门课程', 'The whole course')[language],
        manifest.summary[language],
        'course',
      )}${manifest.modules
        .map((module) =>
          choice(`${slug}/${module.key}`, module.title[language], module.summary[language], 'module'),
        )
        .join('')}
</fieldset>`,
    )
    .join('');
  const add = words('添加', 'Add')[language];
  return page(
    title,
    `<h1>${escape(title)}</h1>
<p>${
      asked.multiple
        ? say(
            '可以选一门或几门课程，也可以只选其中的模块。',
            'Choose one course or several, or only some of their modules.',
          )
        : say('选一门课程，或其中的一个模块。', 'Choose a course, or one of its modules.')
    }</p>
${
  selection.courses.length === 0
    ? `<p role="status">${say('现在还没有课程可以选。', 'There are no courses to choose yet.')}</p>`
    : ''
}
<div class="find" hidden data-most="${MOST_ITEMS}" data-none="${say('没有找到，换个词试试。', 'Nothing found. Try another word.')}" data-found="${say('找到 # 项', '# found')}">
<label class="for" for="search">${say('搜索', 'Search')}</label>
<input class="search" id="search" type="search" autocomplete="off" maxlength="100">
<p id="found" role="status" aria-live="polite"></p>
</div>
<form method="post" action="/lti/selection">
<input type="hidden" name="code" value="${escape(selection.code)}">
<input type="hidden" name="language" value="${language}">
${courses}
${
  asked.lineItems
    ? `<label class="choice"><input type="checkbox" name="columns" value="modules"><span>${say(
        '整门课程的每个模块也各有一列成绩',
        'A grade column for each module too, where the whole course is chosen',
      )}<small>${say('不选时，整门课程只有一列考试成绩。', 'Otherwise a whole course has one column, for its exam.')}</small></span></label>`
    : ''
}
<div class="bar">
<button id="send" data-some="${say('添加 # 项', 'Add #')}" data-none="${escape(add)}">${escape(add)}</button>
<button class="quiet" name="none" value="1">${say('不选了，返回平台', 'Back without choosing')}</button>
</div>
</form>`,
    { language, frames: selection.frames, script: SCRIPT, form: "'self'", style: STYLE },
  );
}

/** Takes the signed answer to the platform. */
export function answerPage(
  answered: { returnUrl: string; token: string; frames: readonly string[] },
  language: PageLanguage,
): LtiPage {
  const title = words('正在返回平台…', 'Going back to your platform…')[language];
  return page(
    title,
    `<h1>${escape(title)}</h1>
<form id="selection" method="post" action="${escape(answered.returnUrl)}">
<input type="hidden" name="JWT" value="${escape(answered.token)}">
<noscript><button>${escape(words('返回平台', 'Go back')[language])}</button></noscript>
</form>`,
    {
      language,
      frames: answered.frames,
      script: POST,
      // It may lead on to another page of the platform.
      form: [...new Set([originOf(answered.returnUrl)!, ...answered.frames])].join(' '),
      style: STYLE,
    },
  );
}
