import { createHash } from 'node:crypto';

/* The few pages of signing in. They need no script of the app, so that they also show when it can't be loaded. */

const STYLE = `
body { margin: 0; font: 1rem/1.6 system-ui, 'Noto Sans SC', sans-serif; color: #12211f; background: #f4f7f6; }
main { max-width: 28rem; margin: 0 auto; padding: 3rem 1rem; }
h1 { font-size: 1.4rem; margin: 0 0 0.25rem; }
p { margin: 0.25rem 0; }
.en { color: #46605c; }
ul { list-style: none; margin: 1.5rem 0 0; padding: 0; }
li { margin: 0.75rem 0; }
a { color: #0f766e; }
a.way { display: block; padding: 0.75rem 1rem; border: 1px solid #0f766e; border-radius: 0.5rem; background: #fff; text-decoration: none; }
a.way:focus-visible, a.way:hover { outline: 3px solid #0f766e; }
.id { margin-top: 1.5rem; font-size: 0.875rem; overflow-wrap: anywhere; }
`;

/** Keeps the session where the pages look for it (src/web/graphql.ts), and goes on without leaving this page in the history. */
const HAND_OVER = `
var handed = document.getElementById('session').dataset;
sessionStorage.setItem('xinqiao.session', handed.token);
location.replace(handed.to);
`;

export interface Page {
  readonly html: string;
  /** Content-Security-Policy. */
  readonly policy: string;
}

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

function page(title: string, body: string, script?: string): Page {
  return {
    html: `<!doctype html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · 心桥 Xinqiao</title>
<style>${STYLE}</style>
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
      `style-src ${hashOf(STYLE)}`,
      ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join('; '),
  };
}

const inBoth = (zh: string, en: string): string => `<p>${zh}</p>\n<p class="en" lang="en">${en}</p>`;

/** Which way to sign in. */
export function choicePage(
  issuers: readonly { key: string; name: { 'zh-CN': string; en: string } }[],
  returnTo: string,
): Page {
  const ways = issuers.map(
    ({ key, name }) =>
      `<li><a class="way" href="/sign-in/${key}?returnTo=${encodeURIComponent(returnTo)}">${escape(name['zh-CN'])} <span class="en" lang="en">${escape(name.en)}</span></a></li>`,
  );
  return page(
    '登录 Sign in',
    ways.length === 0
      ? `<h1>登录</h1>\n${inBoth('这里没有网页登录。请从学校的教学平台进入。', 'There is no sign-in by browser here. Come in from your school’s learning platform.')}`
      : `<h1>登录</h1>\n${inBoth('请选择您单位的统一身份认证。', 'Choose the sign-in of your institution.')}\n<ul>\n${ways.join('\n')}\n</ul>`,
  );
}

/** Hands a new session to the browser's own storage: never by an address, which is kept in histories and logs. */
export function handOverPage(session: { token: string; url: string }): Page {
  return page(
    '正在登录 Signing in',
    `<h1>正在登录…</h1>
${inBoth('如果页面没有自动打开，请允许本站使用脚本和会话存储，再重新登录。', 'If nothing happens, allow this site scripts and session storage, and sign in again.')}
<div id="session" data-token="${escape(session.token)}" data-to="${escape(session.url)}"></div>`,
    HAND_OVER,
  );
}

const REASONS: Readonly<Record<string, readonly [string, string]>> = {
  SIGN_IN_EXPIRED: [
    '这次登录已经结束，或者是在另一个浏览器里开始的。请重新登录。',
    'This sign-in is over, or was begun in another browser. Please sign in again.',
  ],
  SIGN_IN_UNKNOWN: [
    '身份已确认，但这里没有与之对应的人员。请联系培训管理员核对您的工号。',
    'Your identity is confirmed, but nobody here goes with it. Ask your training coordinator to check your staff number.',
  ],
  SIGN_IN_FAILED: [
    '统一身份认证没有确认您的身份，或者暂时不可用。请稍后重新登录。',
    'The sign-in service did not confirm who you are, or is away at present. Please sign in again later.',
  ],
  NOT_FOUND: ['没有这种登录方式。', 'There is no such way to sign in.'],
  INTERNAL: ['我们这边出错了，请稍后重试。', 'Something went wrong on our side. Please try again later.'],
};

/** That it did not work, and no more of why than helps the person. */
export function failurePage(code: string, requestId: string): Page {
  const [zh, en] = REASONS[code] ?? REASONS['INTERNAL']!;
  return page(
    '没能登录 Not signed in',
    `<h1>没能登录</h1>
${inBoth(zh, en)}
<ul><li><a class="way" href="/sign-in">重新登录 <span class="en" lang="en">Sign in again</span></a></li></ul>
<p class="id">编号 <span lang="en">Request id</span>: ${escape(requestId)}</p>`,
  );
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
