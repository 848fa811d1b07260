import { createHash } from 'node:crypto';
import type { Storage } from '../lti/launch.service.ts';
import type { LaunchReason } from '../lti/refused.ts';

/*
 * The few pages between a learning platform and the app. They need no script of the app, and tell a person what to do next; why something was
 * not taken is for the log, by the id that the page shows.
 */

export type PageLanguage = 'zh-CN' | 'en';

export interface LtiPage {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

const STYLE = `
body { margin: 0; font: 1rem/1.6 system-ui, 'Noto Sans SC', sans-serif; color: #12211f; background: #f4f7f6; }
main { max-width: 32rem; margin: 0 auto; padding: 2.5rem 1rem; }
h1 { font-size: 1.35rem; line-height: 1.4; margin: 0 0 0.5rem; }
p { margin: 0.5rem 0; }
a.go { display: inline-block; margin: 1rem 0; padding: 0.75rem 1.25rem; border-radius: 0.5rem; background: #0f766e; color: #fff; text-decoration: none; }
a.go:focus-visible { outline: 3px solid #12211f; outline-offset: 2px; }
.id { margin-top: 1.5rem; font-size: 0.875rem; color: #46605c; overflow-wrap: anywhere; }
[hidden] { display: none; }
`;

/** Where the platform's page keeps things for us: the frame that it named beside us, or itself; in a window of our own, whoever opened it. */
const STORE = `
var said = document.getElementById('said').dataset;
function store() {
  var page = window.parent !== window ? window.parent : window.opener;
  if (!page) return null;
  if (said.frame === '_parent') return page;
  try { return page.frames[said.frame] || page; } catch (error) { return page; }
}
function ask(message, done) {
  var at = store();
  var id = said.key + ':' + message.subject;
  var over = false;
  function end(value) { if (!over) { over = true; window.removeEventListener('message', hear); done(value); } }
  function hear(event) {
    var answer = event.data;
    if (event.origin !== said.origin || typeof answer !== 'object' || answer === null) return;
    if (answer.message_id !== id || answer.subject !== message.subject + '.response') return;
    end(answer.error ? undefined : answer.value);
  }
  if (!at) { end(undefined); return; }
  window.addEventListener('message', hear);
  window.setTimeout(function () { end(undefined); }, 2000);
  message.message_id = id;
  message.key = said.key;
  at.postMessage(message, said.origin);
}
`;
const KEEP = `${STORE}
ask({ subject: 'lti.put_data', value: said.value }, function () { location.replace(said.to); });
`;
const FETCH = `${STORE}
ask({ subject: 'lti.get_data' }, function (value) {
  if (typeof value === 'string' && value !== '') {
    var form = document.getElementById('launch');
    form.elements.browser.value = value;
    form.submit();
  } else document.getElementById('otherwise').hidden = false;
});
`;
const CLOSE = `
(window.opener || window.parent).postMessage({ subject: 'org.imsglobal.lti.close' }, '*');
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const sources = new Map<string, string>();
/** Of a style or script of ours, which stands in the page as it is. */
const sourceOf = (text: string): string => {
  const known = sources.get(text) ?? hashOf(text);
  sources.set(text, known);
  return known;
};

/** @param frames who may show it in a frame. @param form where its form goes. */
export function page(
  title: string,
  body: string,
  {
    language,
    frames,
    script,
    form = "'none'",
    style = '',
  }: {
    language: PageLanguage;
    frames: readonly string[];
    script?: string;
    form?: string;
    style?: string;
  },
): LtiPage {
  return {
    html: `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)} · 心桥 Xinqiao</title>
<style>${STYLE}${style}</style>
</head>
<body>
<main>
${body}
</main>
${script === undefined ? '' : `<script>${script}</script>`}
</body>
</html>
`,
    policy: [
      "default-src 'none'",
      `style-src ${sourceOf(STYLE + style)}`,
      ...(script === undefined ? [] : [`script-src ${sourceOf(script)}`]),
      "base-uri 'none'",
      `form-action ${form}`,
      `frame-ancestors ${frames.join(' ')}`,
    ].join('; '),
  };
}

export type Words = Readonly<Record<PageLanguage, string>>;
export const words = (zh: string, en: string): Words => ({ 'zh-CN': zh, en });
const COLON = words('：', ': ');
const OPENING = words('正在打开课程…', 'Opening your course…');

/** Has the platform's page keep what a cookie may not, and goes on to the platform. */
export function keepPage(
  login: { url: string; secret: string; storage: Storage; frames: readonly string[] },
  language: PageLanguage,
): LtiPage {
  const { frame, origin, key } = login.storage;
  return page(
    OPENING[language],
    `<h1>${OPENING[language]}</h1>
<div id="said" data-frame="${escape(frame)}" data-origin="${escape(origin)}" data-key="${escape(key)}" data-value="${escape(login.secret)}" data-to="${escape(login.url)}"></div>`,
    { language, frames: login.frames, script: KEEP },
  );
}

const WINDOW_TITLE = words('请在新窗口中打开', 'Please open it in a window of its own');
const WINDOW_TEXT = words(
  '您的浏览器不允许嵌在别的网站里的页面记住登录，这是它保护隐私的方式。点下面的按钮，课程会在新窗口中打开，不需要再次登录。',
  'Your browser keeps a page inside another site from remembering who you are, to protect your privacy. In a window of its own the course opens without another sign-in.',
);
const WINDOW_BUTTON = words('在新窗口中打开课程', 'Open the course in a new window');
const WINDOW_HINT = words(
  '您的浏览器不允许嵌在别的网站里的页面记住登录，这是它保护隐私的方式。请回到学校平台，右键点课程链接，在新窗口中打开。',
  'Your browser keeps a page inside another site from remembering who you are, to protect your privacy. Go back to your school’s platform and open the link to the course in a new window.',
);
/** @param again undefined: what the platform began with was too long to be carried along. */
const newWindow = (again: string | undefined, language: PageLanguage): string =>
  `<h1>${WINDOW_TITLE[language]}</h1>
${
  again === undefined
    ? `<p>${WINDOW_HINT[language]}</p>`
    : `<p>${WINDOW_TEXT[language]}</p>
<p><a class="go" href="${escape(again)}" target="_blank" rel="noopener">${WINDOW_BUTTON[language]}</a></p>`
}`;

/** Asks the platform's page for what it has kept, and comes back with it; where it has nothing, offers a window of its own. */
export function fetchPage(
  launch: {
    storage: Storage;
    again: string | undefined;
    frames: readonly string[];
    form: Readonly<Partial<Record<string, string>>>;
  },
  language: PageLanguage,
): LtiPage {
  const { frame, origin, key } = launch.storage;
  const fields = Object.entries(launch.form).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value ?? '')}">`,
  );
  return page(
    OPENING[language],
    `<div id="otherwise" hidden>
${newWindow(launch.again, language)}
</div>
<form id="launch" method="post" action="/lti/launch">
${fields.join('\n')}
<input type="hidden" name="browser" value="">
</form>
<div id="said" data-frame="${escape(frame)}" data-origin="${escape(origin)}" data-key="${escape(key)}"></div>`,
    { language, frames: launch.frames, script: FETCH, form: "'self'" },
  );
}

/** In a frame, without cookies and without anything that keeps: begin again where both work. */
export function windowPage(
  launch: { again: string | undefined; frames: readonly string[] },
  language: PageLanguage,
): LtiPage {
  return page(WINDOW_TITLE[language], newWindow(launch.again, language), {
    language,
    frames: launch.frames,
  });
}

/** It is not sure yet who this is. */
export function waitingPage(
  account: { accountId: string; frames: readonly string[] },
  language: PageLanguage,
): LtiPage {
  const title = words('请稍候：正在核对您是谁', 'One moment: we are making sure who you are');
  const text = words(
    '学校平台把您带到了这里，但我们还不能确定您对应名册里的哪一位老师。培训管理员已经能看到这条登记，核对之后您再从学校平台打开一次就可以了，学习记录不会丢。',
    'Your school’s platform brought you here, but we can’t be sure yet which teacher of the roster you are. Your training coordinator sees this and will confirm it; then open the course on the platform once more. Nothing is lost.',
  );
  const number = words('联系培训管理员时，请告诉他登记号', 'When you ask your coordinator, give this number');
  return page(
    title[language],
    `<h1>${title[language]}</h1>
<p>${text[language]}</p>
<p class="id">${number[language]}${COLON[language]}<strong>${escape(account.accountId)}</strong></p>`,
    { language, frames: account.frames },
  );
}

/** What a person can do about it. Several reasons have the same page: what is different between them is for the log. */
const AGAIN = words(
  '这次打开没有成功，可能是等得太久，或者页面被刷新了。请回到学校平台，再点一次课程链接。',
  'This did not work; it may have taken too long, or the page was loaded again. Go back to your school’s platform and open the course once more.',
);
const UNKNOWN = words(
  '这个教学平台还没有在心桥登记，或者登记已经停用。请把下面的编号告诉平台管理员。',
  'This learning platform is not registered here, or not any more. Tell its administrator the id below.',
);
const PLACE = words(
  '您所在的课程空间还没有开通，需要管理员确认一次。请把下面的编号告诉平台管理员或培训管理员。',
  'The place on the platform that you come from has to be confirmed once. Tell its administrator or your training coordinator the id below.',
);
const REFUSED = words(
  '培训管理员核对后，没有把这个平台账号对应到任何老师。如果不对，请联系培训管理员。',
  'Your training coordinator found that this account does not belong to a teacher here. If that is wrong, ask them.',
);
const COOKIES = words(
  '浏览器没有保存登录所需的信息。请允许本站使用 Cookie，再从学校平台打开一次。',
  'The browser did not keep what the sign-in needs. Allow this site cookies, and open the course on the platform once more.',
);
const SETTINGS = words(
  '平台发来的信息不完整或不正确。请把下面的编号告诉平台管理员，他可以据此查明原因。',
  'What the platform sent is not complete or not right. Tell its administrator the id below, by which the reason can be found.',
);
const INVITATION = words(
  '这个邀请链接已经用过、过期或不完整。请向心桥的运营人员要一个新的。',
  'This invitation was used, is over, or is not complete. Ask whoever runs Xinqiao for a new one.',
);
const REGISTRATION = words(
  '平台没有登记成功。请检查平台的地址能否从外网访问，再试一次；邀请链接仍然有效。',
  'The platform was not registered. See that its addresses can be reached from outside and try again; the invitation is still good.',
);
const DEFECT = words(
  '我们这边出错了，请稍后重试。',
  'Something went wrong on our side. Please try again later.',
);

const CHOOSER = words(
  '请以教师或管理员的身份，在平台的课程编辑页里重新选择一次心桥的课程。',
  'Choose a Xinqiao course once more on the platform’s own page, as a teacher of the course or an administrator.',
);

const TEXTS: Readonly<Partial<Record<LaunchReason, Words>>> = {
  'issuer-unknown': UNKNOWN,
  'issuer-ambiguous': UNKNOWN,
  'deployment-unknown': PLACE,
  'deployment-closed': PLACE,
  'account-refused': REFUSED,
  'state-not-bound': COOKIES,
  'registration-changed': AGAIN,
  'account-changed': AGAIN,
  'state-unknown': AGAIN,
  'state-used': AGAIN,
  'state-expired': AGAIN,
  'state-other-browser': AGAIN,
  'platform-error': AGAIN,
  expired: AGAIN,
  'key-set-unreachable': AGAIN,
  'role-chooses-nothing': CHOOSER,
  'selection-over': CHOOSER,
  'invitation-unknown': INVITATION,
  'invitation-used': INVITATION,
  'invitation-expired': INVITATION,
  'configuration-url': REGISTRATION,
  'configuration-unreachable': REGISTRATION,
  'configuration-malformed': REGISTRATION,
  'configuration-issuer': REGISTRATION,
  'configuration-lacks': REGISTRATION,
  'configuration-address': REGISTRATION,
  'registration-failed': REGISTRATION,
  'registration-malformed': REGISTRATION,
  'registration-taken': words(
    '这个平台已经登记过了。要重新登记，请先让运营人员停用原来的登记。',
    'This platform is registered already. To register it anew, have whoever runs Xinqiao end the old registration first.',
  ),
};

/** It has nothing to press, so that whoever shows it in a frame gains nothing. */
export function refusalPage(
  reason: LaunchReason | 'defect',
  requestId: string,
  language: PageLanguage,
): LtiPage {
  const title = words('没能打开', 'This could not be opened');
  const text = reason === 'defect' ? DEFECT : (TEXTS[reason] ?? SETTINGS);
  const id = words('编号', 'Id');
  return page(
    title[language],
    `<h1>${title[language]}</h1>
<p>${text[language]}</p>
<p class="id">${id[language]}${COLON[language]}${escape(requestId)}</p>`,
    { language, frames: ['*'] },
  );
}

/** A platform has registered itself: its own page goes on from here (LTI Dynamic Registration, section 3.7). */
export function registeredPage(registered: { title: string }, language: PageLanguage): LtiPage {
  const title = words('登记完成', 'Registered');
  const text = words(
    `平台“${registered.title}”已经登记。可以关闭这个窗口，在平台上启用“心桥”。`,
    `“${registered.title}” is registered. You can close this window and activate Xinqiao on the platform.`,
  );
  return page(title[language], `<h1>${title[language]}</h1>\n<p>${escape(text[language])}</p>`, {
    language,
    frames: ['*'],
    script: CLOSE,
  });
}

export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
